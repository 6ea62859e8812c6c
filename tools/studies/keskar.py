"""Keskar's F1: does a large batch end in a sharper minimum? ``python -m tools.studies.keskar``.

The network of the paper (MNIST, 784 - 5 x 512 - 10, batch norm and ReLU, Adam at 1e-3), trained
with batches of 256 and of 6,000, a tenth of the data, for as many epochs. The paper trains longer
and measures on all training images; here it is 16 epochs and the first 2,000 images, so that a
seed takes five minutes on one core. `MLDS_BENCH_DATA` holds MNIST.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from mlds_bench.common.canvas import FAINT, SERIES, add_panels, new_figure, save, styled
from mlds_bench.measures.interpolation import Profile, interpolate
from mlds_bench.measures.networks import (
    Split,
    evaluate_all,
    flat_loss,
    flat_parameters,
)
from mlds_bench.measures.sharpness import box_sharpness, random_subspace, spectral_sharpness
from tools.studies.profiles import POSITIONS, plot_profiles, restored, stored
from tools.studies.report import Report
from tools.studies.training import mnist, part, seeded, train

SOURCE = "Keskar et al. 2017, tables 2 and 3, row F1"
EPOCHS = {256: 16, 6000: 16}
"""Batch size -> epochs."""
EPSILONS = (1e-3, 5e-4)
SPACES = ("full", "subspace")
MEASURED_ON, STATISTICS = 2000, 6000
"""First training images: that the loss is measured on, that batch norm takes its statistics from
on the line between two networks."""
PUBLISHED = {
    "256": {"test_accuracy": 0.9803, "full@0.001": 1.23},
    "6000": {"test_accuracy": 0.9781, "full@0.001": 205.14},
}
NAMES = {256: "batch 256", 6000: "batch 6,000"}


@dataclass(frozen=True)
class Trained:
    """One seed: the networks by batch size, and what was measured of each."""

    networks: Mapping[int, nn.Module]
    numbers: Mapping[str, Mapping[str, float]]


def f1() -> nn.Module:
    """The paper's fully connected network."""
    layers: list[nn.Module] = []
    for inputs in (784, 512, 512, 512, 512):
        layers += [nn.Linear(inputs, 512), nn.BatchNorm1d(512), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(512, 10))


def measure(network: nn.Module, data: Mapping[str, Split], seed: int) -> dict[str, float]:
    """Accuracies, losses and sharpness."""
    numbers: dict[str, float] = {}
    for name, (value, accuracy) in evaluate_all(network, data).items():
        numbers |= {f"{name}_loss": value, f"{name}_accuracy": accuracy}
    loss, theta = flat_loss(network, part(data["train"], MEASURED_ON)), flat_parameters(network)
    generator = np.random.default_rng([seed, 1])
    drawn = random_subspace(len(theta), generator, dtype=torch.float32)
    for space, epsilon in product(SPACES, EPSILONS):
        numbers[f"{space}@{epsilon}"] = box_sharpness(
            loss,
            theta,
            generator=generator,
            epsilon=epsilon,
            subspace=drawn if space == "subspace" else None,
        ).value
    # In percent, as the others; ten steps give the largest eigenvalue to a few digits.
    numbers["spectral@0.001"] = 100.0 * spectral_sharpness(
        loss, theta, generator=generator, most_steps=11
    )
    return numbers


def run_seed(seed: int, data: Mapping[str, Split], report: Report) -> Trained:
    """Both networks from the same first weights."""
    networks, numbers = {}, {}
    for batch_size, epochs in EPOCHS.items():
        network = seeded(f1, seed)
        train(network, data["train"], batch_size=batch_size, epochs=epochs, seed=seed)
        numbers[str(batch_size)] = measure(network, data, seed)
        networks[batch_size] = network
        found = ", ".join(f"{k} {v:.4g}" for k, v in numbers[str(batch_size)].items())
        report.say(f"seed {seed}, {NAMES[batch_size]}: {found}")
    return Trained(networks, numbers)


def means(seeds: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """Mean over the seeds of every number of every batch size."""
    rows = list(seeds.values())
    return {
        size: {name: fmean(row[size][name] for row in rows) for name in rows[0][size]}
        for size in rows[0]
    }


def between(trained: Trained, data: Mapping[str, Split]) -> dict[str, Profile]:
    """Loss and accuracy from the small batch's solution (0) to the large batch's (1)."""
    splits = {name: part(split, MEASURED_ON) for name, split in data.items()}
    small, large = trained.networks.values()
    return interpolate(
        small,
        large,
        POSITIONS,
        splits,
        statistics=part(data["train"], STATISTICS).inputs,
    )


def picture(content: Mapping[str, Any]) -> Figure:
    """Sharpness with the published figures, and the line between the first seed's solutions."""
    seeds = content["seeds"]
    note = (
        f"MNIST, 784 - 5 x 512 with batch norm, Adam, {EPOCHS[256]} epochs; {len(seeds)} seeds: "
        "dots, and their mean; gray: published by Keskar et al. 2017"
    )
    with styled():
        figure = new_figure(13.2, 4.4, "Does a large batch end in a sharper minimum?", note)
        sharpness, loss, accuracy = add_panels(figure, 3, gap=0.7)
        _plot_sharpness(sharpness, list(seeds.values()), content["mean"])
        label = "a: batch 256 at 0, batch 6,000 at 1"
        plot_profiles((loss, accuracy), restored(content["line"]), label)
    return figure


def _plot_sharpness(
    axes: Axes, seeds: Sequence[Mapping[str, Any]], average: Mapping[str, Any]
) -> None:
    kinds = [f"{space}@{epsilon}" for space, epsilon in product(SPACES, EPSILONS)]
    for index, size in enumerate(map(str, EPOCHS)):
        color, places = SERIES[index], np.arange(len(kinds)) + 0.2 * (2 * index - 1)
        for numbers in seeds:
            values = [numbers[size][kind] for kind in kinds]
            axes.plot(places, values, "o", color=color, alpha=0.5, markersize=4.5)
        heights = [average[size][kind] for kind in kinds]
        axes.hlines(heights, places - 0.14, places + 0.14, color=color, linewidth=2.4)
        axes.plot([], [], "o-", color=color, label=NAMES[int(size)])
        known = PUBLISHED[size]["full@0.001"]
        axes.plot(places[0], known, "D", color=FAINT, markerfacecolor="none", markersize=7.0)
    words = [f"{space}\n{epsilon:g}" for space, epsilon in product(SPACES, EPSILONS)]
    axes.set_xticks(range(len(kinds)), words)
    axes.set(yscale="log", title="sharpness in %, by space and epsilon")
    axes.margins(y=0.25)
    axes.grid(visible=True, axis="y")
    axes.legend(loc="upper right", ncols=2)


def main(chosen: Sequence[int], *, only_draw: bool) -> None:
    """All seeds; numbers and picture are written after each."""
    report = Report("keskar")
    if only_draw:
        save(picture(report.read()), report.picture)
        return
    data = {"train": mnist("train"), "test": mnist("test")}
    seeds: dict[str, Mapping[str, Mapping[str, float]]] = {}
    profiles: dict[str, Profile] = {}
    for seed in chosen:
        trained = run_seed(seed, data, report)
        seeds[str(seed)] = trained.numbers
        profiles = profiles or between(trained, data)
        content = {
            "question": "Does a large batch end in a sharper minimum?",
            "source": SOURCE,
            "settings": {
                "epochs": {str(size): epochs for size, epochs in EPOCHS.items()},
                "learning_rate": 1e-3,
                "measured_on": f"the first {MEASURED_ON} training images",
                "unit": "percent",
            },
            "mean": means(seeds),
            "published": PUBLISHED,
            "seeds": seeds,
            "line": stored(profiles),
        }
        report.write(content)
        save(picture(content), report.picture)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--draw", action="store_true", help="the picture again, from the numbers")
    arguments = parser.parse_args()
    main(arguments.seeds, only_draw=arguments.draw)
