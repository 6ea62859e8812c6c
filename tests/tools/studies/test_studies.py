"""What the studies compute with, and what those that are committed have found."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mlds_bench.measures.interpolation import Profile
from mlds_bench.measures.networks import evaluate, flat_parameters
from tests.measures.nets import labeled, perceptron
from tools.studies import keskar, report
from tools.studies.profiles import POSITIONS, restored, stored
from tools.studies.report import PAGES, Report
from tools.studies.skip_surfaces import BLOCKS, local_minima, network
from tools.studies.training import digits, part, seeded, train

STUDIES = ("interpolation", "keskar", "skip_surfaces")


def found(name: str) -> Any:
    """The committed numbers of a study."""
    return json.loads((PAGES / "studies" / f"{name}.json").read_text())


def test_training_repeats_and_learns() -> None:
    """The same seed, the same network, bit for bit; in evaluation mode at the end."""
    split = labeled(60)
    ends = []
    for seed in (0, 0, 1):
        made = perceptron(norm=True)
        before = evaluate(made, split)[0]
        train(made, split, batch_size=16, epochs=20, seed=seed, learning_rate=1e-2)
        assert not made.training
        assert evaluate(made, split)[0] < 0.5 * before
        ends.append(flat_parameters(made))
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


def test_first_weights_come_from_their_seed_alone() -> None:
    """And the global generator is left as it was."""
    state = torch.random.get_rng_state()
    first, again, other = (
        flat_parameters(seeded(lambda: nn.Linear(3, 2), seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_digits_are_split_in_two() -> None:
    """All 1,797 of them, in [0, 1]."""
    first, rest = digits()
    assert [tuple(split.inputs.shape) for split in (first, rest)] == [(1400, 64), (397, 64)]
    assert [first.inputs.min().item(), first.inputs.max().item()] == [0.0, 1.0]
    assert torch.equal(part(first, 3).labels, torch.tensor([0, 1, 2]))


def test_the_two_deep_networks_differ_in_their_skip_connections_alone() -> None:
    """The same parameters from the same seed, another function; 30 layers each."""
    pair = [seeded(lambda skip=skip: network(skip=skip), 0).eval() for skip in (True, False)]  # type: ignore[misc]
    assert torch.equal(*map(flat_parameters, pair))
    inputs = part(digits()[0], 5).inputs
    assert not torch.allclose(pair[0](inputs), pair[1](inputs))
    layers = [module for module in pair[0].modules() if isinstance(module, nn.Linear)]
    assert len(layers) == 2 * BLOCKS + 2 == 30


def test_local_minima_are_counted_within_the_grid() -> None:
    """Two pits and one at the edge; a plain has none."""
    heights = np.ones((5, 7))
    heights[1, 1] = heights[3, 5] = heights[0, 3] = 0.0
    assert local_minima(heights) == 2
    assert local_minima(np.ones((4, 4))) == 0
    bowl = np.add.outer(np.linspace(-1, 1, 9) ** 2, np.linspace(-1, 1, 9) ** 2)
    assert (local_minima(bowl), local_minima(-bowl)) == (1, 0)


def test_profiles_survive_a_report() -> None:
    """As they were."""
    given = {"train": Profile(np.arange(31.0), np.arange(31.0) / 31.0)}
    back = restored(json.loads(json.dumps(stored(given))))
    assert list(back) == ["train"]
    assert back["train"].loss.tolist() == given["train"].loss.tolist()
    assert back["train"].accuracy.tolist() == given["train"].accuracy.tolist()


def test_a_report_says_how_it_was_got(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six digits of each number; command, seconds and versions."""
    monkeypatch.setattr(report, "PAGES", tmp_path)
    threads = torch.get_num_threads()
    written = Report("keskar")
    written.write({"numbers": {"one": [1.0 / 3.0, 7]}})
    torch.set_num_threads(threads)
    content = written.read()
    assert content["numbers"] == {"one": [0.333333, 7]}
    assert content["command"] == "python -m tools.studies.keskar"
    assert content["versions"]["torch"] == torch.__version__
    assert content["seconds"] >= 0.0


def test_means_are_taken_over_seeds() -> None:
    """Of each number of each batch size."""
    seeds = {"0": {"256": {"a": 1.0, "b": 4.0}}, "1": {"256": {"a": 3.0, "b": 0.0}}}
    assert keskar.means(seeds) == {"256": {"a": 2.0, "b": 2.0}}


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_is_committed_with_its_picture(name: str) -> None:
    """Numbers and picture beside the pages; no other file."""
    assert found(name)["command"] == f"python -m tools.studies.{name}"
    assert (PAGES / "pictures" / f"study-{name.replace('_', '-')}.png").stat().st_size > 10_000
    assert sorted(path.stem for path in (PAGES / "studies").glob("*.json")) == list(STUDIES)


def test_the_large_batch_is_sharper_at_every_seed() -> None:
    """By an order of magnitude in the boxes that the paper's table has."""
    numbers = found("keskar")
    assert len(numbers["seeds"]) >= 2
    for seed, epsilon in product(numbers["seeds"].values(), keskar.EPSILONS):
        kind = f"full@{epsilon}"
        assert seed["6000"][kind] > 10.0 * seed["256"][kind]
        assert seed["6000"][f"subspace@{epsilon}"] > seed["256"][f"subspace@{epsilon}"]
    mean = keskar.means(numbers["seeds"])["6000"]["full@0.001"]
    assert numbers["mean"]["6000"]["full@0.001"] == pytest.approx(mean, rel=1e-4)


def test_skip_connections_make_a_smoother_landscape() -> None:
    """Fewer minima, a wider valley, a smaller curvature."""
    numbers = found("skip_surfaces")
    with_skips, without = (numbers[f"{word} skip connections"] for word in ("with", "without"))
    for name in ("local_minima_on_the_plane", "highest_eigenvalue", "trace", "highest_loss"):
        assert with_skips[name] < without[name]
    wide, narrow = (one["share_of_window_below_chance"] for one in (with_skips, without))
    assert wide > 1.5 * narrow


def test_between_two_trainings_lies_a_barrier() -> None:
    """Both ends are good on both splits, the middle is not."""
    line = found("interpolation")["line"]
    assert line["positions"] == pytest.approx(POSITIONS.tolist())
    for split in ("train", "test"):
        accuracy, loss = line[split]["accuracy"], line[split]["loss"]
        assert min(accuracy[10], accuracy[20]) > 0.96 > accuracy[15]
        assert max(loss[10], loss[20]) < loss[15]
