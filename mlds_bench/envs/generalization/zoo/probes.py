"""Probes: what can be measured on trained networks and their training data alone.

Each is computed for a stack of networks at once, on the labels they were trained on.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.func import jacrev, vmap

from mlds_bench.envs.generalization.zoo.networks import Architecture
from mlds_bench.envs.generalization.zoo.training import Trained, mean_loss

SEEN_IMAGES = 256
"""Training images, the first ones, on which Jacobians are taken."""
EPS = 1e-4
"""Radius of the ball of the sharpness."""
POWER_STEPS = 20
DIRECTIONS = 4
RISE = 0.5
"""Rise of the training loss, nat, that ends an interpolation."""
STEPS = torch.logspace(-2.0, 0.5, 16)
"""Lengths along a direction, in units of the filters' norms."""
MARGIN_SHARE = 0.1
"""Quantile of the margins over the training images (Jiang et al. 2019)."""


def measure(trained: Trained, x: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """All measured probes of a stack, (B,) float32 each.

    Args:
        trained: the networks.
        x: (N, pixels) training images.
        generator: of starting vectors and directions.
    """
    architecture, theta, labels = trained.architecture, trained.theta, trained.labels
    jacobians, outputs = jacobians_of(architecture, theta, x[:SEEN_IMAGES])
    loss = mean_loss(architecture, theta, x, labels)
    top = largest_curvature(architecture, theta, x, labels, generator)
    return {
        "train_loss": loss,
        "weight_norm": theta.norm(dim=1),
        "distance": (theta - trained.initial).norm(dim=1),
        "spectral_product": spectral_product(architecture, theta),
        "margin": input_margin(jacobians, outputs, labels[:, :SEEN_IMAGES]),
        "sensitivity": sensitivity(jacobians, outputs),
        "sharpness": top * EPS**2 / (2.0 * (1.0 + loss)),
        "flatness": interpolation_width(architecture, theta, x, labels, generator),
    }


def spectral_product(architecture: Architecture, theta: Tensor) -> Tensor:
    """Product over layers of the spectral norm of the weights, (B,); Bartlett et al. 2017."""
    weights = architecture.tensors(theta)[::2]
    norms = [torch.linalg.matrix_norm(weight, ord=2) for weight in weights]
    return torch.stack(norms).prod(0)


def jacobians_of(architecture: Architecture, theta: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Jacobians (B, N, 10, pixels) of the logits by the input, and the logits (B, N, 10)."""

    def one(row: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        logits = architecture.logits(row, image)
        return logits, logits

    over_images = vmap(jacrev(one, argnums=1, has_aux=True), (None, 0))
    jacobians, outputs = vmap(over_images, (0, None))(theta, x)
    return jacobians, outputs


def sensitivity(jacobians: Tensor, outputs: Tensor) -> Tensor:
    """Mean Frobenius norm of the Jacobian of the class probabilities by the input, (B,).

    Novak et al. 2018, "Sensitivity and generalization in neural networks", section 3.1. The
    Jacobian of the softmax is diag(p) - p p^T.
    """
    p = outputs.softmax(-1)
    mean = torch.einsum("bnk,bnkd->bnd", p, jacobians)
    change = p[..., None] * (jacobians - mean[:, :, None, :])
    norms: Tensor = change.flatten(2).norm(dim=2)
    return norms.mean(1)


def input_margin(jacobians: Tensor, outputs: Tensor, labels: Tensor) -> Tensor:
    """Lowest tenth of the distances to the decision boundary, to first order, (B,), in pixels.

    The distance of an image is (z_y - z_k) / ||grad_x (z_y - z_k)|| with the best other class k
    (Elsayed et al. 2018, "Large margin deep networks", equation 3).
    """
    own = labels[..., None]
    others = outputs.scatter(-1, own, -torch.inf)
    rival = others.argmax(-1, keepdim=True)
    gap = (outputs.gather(-1, own) - outputs.gather(-1, rival))[..., 0]
    wide = jacobians.shape[-1]
    slope = jacobians.gather(2, own[..., None].expand(-1, -1, 1, wide)) - jacobians.gather(
        2, rival[..., None].expand(-1, -1, 1, wide)
    )
    distance: Tensor = gap / slope[:, :, 0].norm(dim=2).clamp_min(1e-12)
    return distance.quantile(MARGIN_SHARE, dim=1)


def largest_curvature(
    architecture: Architecture, theta: Tensor, x: Tensor, y: Tensor, generator: torch.Generator
) -> Tensor:
    """Largest Hessian eigenvalue of the training loss by magnitude, (B,), from power iteration."""
    leaf = theta.detach().requires_grad_()
    losses = vmap(architecture.loss, (0, None, 0))(leaf, x, y)
    (gradient,) = torch.autograd.grad(losses.sum(), leaf, create_graph=True)
    vector = torch.randn(theta.shape, generator=generator)
    value = torch.zeros(len(theta))
    for _ in range(POWER_STEPS):
        vector = torch.nn.functional.normalize(vector, dim=1)
        (product,) = torch.autograd.grad((gradient * vector).sum(), leaf, retain_graph=True)
        value = (product * vector).sum(1)
        vector = product
    return value.abs()


def filter_normalized(
    architecture: Architecture, theta: Tensor, generator: torch.Generator
) -> Tensor:
    """Random directions (B, P) whose filters are as long as the network's, zero for biases.

    Li et al. 2018, "Visualizing the loss landscape of neural nets", section 4.
    """
    direction = torch.randn(theta.shape, generator=generator)
    pieces = []
    tensors = (architecture.tensors(theta), architecture.tensors(direction))
    for own, random in zip(*tensors, strict=True):
        if own.dim() == 2:
            pieces.append(torch.zeros_like(own))
            continue
        scale = own.norm(dim=1, keepdim=True) / random.norm(dim=1, keepdim=True)
        pieces.append((random * scale).flatten(1))
    return torch.cat(pieces, 1)


def interpolation_width(
    architecture: Architecture, theta: Tensor, x: Tensor, y: Tensor, generator: torch.Generator
) -> Tensor:
    """How far along random filter-normalized directions the loss rises by less than `RISE`, (B,).

    Mean over `DIRECTIONS` of the first crossing, linear between the lengths of `STEPS`, and their
    longest where there is none.
    """
    start = mean_loss(architecture, theta, x, y)
    widths = []
    for _ in range(DIRECTIONS):
        direction = filter_normalized(architecture, theta, generator)
        losses = [
            mean_loss(architecture, theta + step * direction, x, y) for step in STEPS.tolist()
        ]
        widths.append(first_crossing(torch.stack(losses, 1) - start[:, None]))
    return torch.stack(widths).mean(0)


def first_crossing(rises: Tensor) -> Tensor:
    """Where rises (B, len(STEPS)) first reach `RISE`, (B,), linear between points and from 0."""
    lengths = torch.cat([torch.zeros(1), STEPS])
    rises = torch.cat([torch.zeros(len(rises), 1), rises.nan_to_num(torch.inf)], 1)
    above = rises >= RISE
    index = above.int().argmax(1).clamp_min(1)
    rows = torch.arange(len(rises))
    low, high = rises[rows, index - 1], rises[rows, index]
    share = ((RISE - low) / (high - low)).clamp(0.0, 1.0)
    crossing = lengths[index - 1] + share * (lengths[index] - lengths[index - 1])
    return torch.where(above.any(1), crossing, lengths[-1])
