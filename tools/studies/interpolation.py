"""The line between two trainings, homework 1-3: ``python -m tools.studies.interpolation``.

Two trainings of one network on MNIST, each from first weights of its own: batches of 64 at a
learning rate of 1e-3, and batches of 1,024 at 1e-2; loss and accuracy on both splits at
(1 - a) theta1 + a theta2. `MLDS_BENCH_DATA` holds MNIST.
"""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from torch import nn

from mlds_bench.common.canvas import FAINT, add_panels, new_figure, save, styled
from mlds_bench.measures.interpolation import Profile, interpolate
from mlds_bench.measures.networks import Split, evaluate_all
from mlds_bench.measures.sensitivity import jacobian_norms, loss_gradient_norms, probabilities
from tools.studies.profiles import POSITIONS, plot_profiles, stored
from tools.studies.report import Report
from tools.studies.training import mnist, part, seeded, train

TRAININGS = ((64, 1e-3), (1024, 1e-2))
"""Batch size and learning rate."""
EPOCHS, SEEDS = 5, (0, 1)
MEASURED_ON = 10_000
"""First images of either split."""
SENSITIVE_ON = 1000
COURSE = {-1.0: 0.14, 0.0: 0.965, 0.5: 0.83, 1.0: 0.96, 2.0: 0.02}
"""Accuracies that a student's report of 2018 has, of a convolutional network."""


def network() -> nn.Module:
    """784 - 128 - 128 - 10, ReLU."""
    return nn.Sequential(
        nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10)
    )


def numbers(made: nn.Module, data: dict[str, Split]) -> dict[str, float]:
    """Scores, and both kinds of sensitivity on test images."""
    few = part(data["test"], SENSITIVE_ON)
    found = {
        "loss_gradient_norm": float(loss_gradient_norms(made, few).mean()),
        "jacobian_norm": float(jacobian_norms(probabilities(made), few.inputs).mean()),
    }
    for name, (loss, accuracy) in evaluate_all(made, data).items():
        found |= {f"{name}_loss": loss, f"{name}_accuracy": accuracy}
    return found


def picture(profiles: dict[str, Profile]) -> Figure:
    """Loss and accuracy; the course's figures beside them."""
    note = (
        f"MNIST, 784 - 128 - 128 - 10, Adam, {EPOCHS} epochs each, from different first weights; "
        "gray: a student's report of 2018, another network"
    )
    with styled():
        figure = new_figure(10.6, 4.4, "Between a small batch's solution and a large one's", note)
        loss, accuracy = add_panels(figure, 2, gap=0.9)
        accuracy.plot(*zip(*COURSE.items(), strict=True), "D", color=FAINT, markerfacecolor="none")
        label = "a: batch 64, rate 1e-3 at 0; batch 1,024, rate 1e-2 at 1"
        plot_profiles((loss, accuracy), profiles, label)
    return figure


def main() -> None:
    """Two trainings, the line, the picture."""
    report = Report("interpolation")
    data = {"train": mnist("train"), "test": mnist("test")}
    networks, found = [], {}
    for (batch_size, rate), seed in zip(TRAININGS, SEEDS, strict=True):
        made = seeded(network, seed)
        train(
            made,
            data["train"],
            batch_size=batch_size,
            epochs=EPOCHS,
            seed=seed,
            learning_rate=rate,
        )
        networks.append(made)
        found[str(batch_size)] = numbers(made, data)
        report.say(f"batch {batch_size}: {found[str(batch_size)]}")
    splits = {name: part(split, MEASURED_ON) for name, split in data.items()}
    profiles = interpolate(networks[0], networks[1], POSITIONS, splits)
    content: dict[str, Any] = {
        "question": "How high is the ground between two solutions, and beyond them?",
        "source": "MLDS 2018, homework 1-3, part 3-1",
        "settings": {
            "trainings": [{"batch_size": size, "learning_rate": rate} for size, rate in TRAININGS],
            "epochs": EPOCHS,
            "seeds": list(SEEDS),
            "measured_on": f"the first {MEASURED_ON} images of either split",
        },
        "networks": found,
        "published_accuracy": {str(a): value for a, value in COURSE.items()},
        "line": stored(profiles),
    }
    report.write(content)
    save(picture(profiles), report.picture)


if __name__ == "__main__":
    main()
