"""Sensitivity and sharpness of a trained network, on the last of its training images.

What homework 1-3 measures of trainings with other batch sizes, by the functions of
`mlds_bench.measures`, which name the papers. Inputs are standardized pixels.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from mlds_bench.agents.classification.networks import ImageNetwork
from mlds_bench.agents.classification.spaces import UNLABELED
from mlds_bench.measures.networks import Split, flat_loss, flat_parameters
from mlds_bench.measures.sensitivity import jacobian_norms, loss_gradient_norms, probabilities
from mlds_bench.measures.sharpness import box_sharpness, spectral_sharpness

SAMPLE = 1000
"""Images that are measured on, at most."""
EPSILON = 1e-3
"""Radius of the ball, and of the box: Keskar et al. 2017, table 3."""
TOLERANCE, MOST_STEPS = 1e-2, 60
"""Of the largest eigenvalue of the Hessian."""


class Sample:
    """The last labeled images that were learned from, `SAMPLE` of them at most.

    Attributes:
        images: (n, H, W, C) uint8.
        labels: (n,) int64.
    """

    def __init__(self) -> None:
        self.images: Tensor | None = None
        self.labels: Tensor | None = None

    def add(self, images: Tensor, labels: Tensor) -> None:
        """Add images (n, H, W, C) and labels (n,); those without a label do not count."""
        has_label = labels != UNLABELED
        images, labels = images[has_label], labels[has_label]
        if self.images is not None and self.labels is not None:
            images = torch.cat([self.images, images])
            labels = torch.cat([self.labels, labels])
        self.images, self.labels = images[-SAMPLE:].clone(), labels[-SAMPLE:].clone()


def measure(network: ImageNetwork, sample: Sample, seed: int) -> dict[str, float]:
    """Means of the sensitivities over a sample, and the sharpness of the loss on it.

    Args:
        network: it is left in evaluation mode.
        sample: where to look; nothing is measured on an empty one.
        seed: of the starting points of both searches.

    Returns:
        ``loss_sensitivity``, the Frobenius norm of the gradient of the loss by the input;
        ``output_sensitivity``, that of the Jacobian of the class probabilities;
        ``spectral_sharpness``, ||H|| eps^2 / (2 (1 + L)); ``box_sharpness``, Keskar's, in percent.
        A network that has diverged has none of these.
    """
    if sample.images is None or sample.labels is None or not len(sample.labels):
        return {}
    network.eval()
    with torch.no_grad():
        inputs = network.standardize(sample.images).contiguous()
    classifier = nn.Sequential(network.features, network.head).eval()
    split = Split(inputs, sample.labels)
    loss, theta = flat_loss(classifier, split), flat_parameters(classifier)
    if not bool(torch.isfinite(loss(theta))):
        return {}
    generator = np.random.default_rng(seed)
    spectral = spectral_sharpness(
        loss,
        theta,
        generator=generator,
        epsilon=EPSILON,
        tolerance=TOLERANCE,
        most_steps=MOST_STEPS,
    )
    box = box_sharpness(loss, theta, generator=generator, epsilon=EPSILON)
    jacobians = jacobian_norms(probabilities(classifier), inputs)
    return {
        "loss_sensitivity": float(loss_gradient_norms(classifier, split).mean()),
        "output_sensitivity": float(jacobians.mean()),
        "spectral_sharpness": spectral,
        "box_sharpness": box.value,
    }
