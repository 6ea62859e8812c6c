"""Model selection: draws, reveals, choices, and what is paid for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlds_bench.envs.generalization import data
from mlds_bench.envs.generalization.expectations import expected_selection_regret
from mlds_bench.envs.generalization.selection import (
    REVEALS,
    ModelSelection,
    drawn_without_replacement,
)
from mlds_bench.envs.generalization.specs import CANDIDATES, PROBES
from mlds_bench.envs.registry import ENVIRONMENTS

ID = "mlds/ModelSelection-v0"
NAMES = list(PROBES)


def act(env: ModelSelection, action: int) -> Any:
    return env.step(np.full(env.num_envs, action))


def choose(network: int) -> int:
    return REVEALS + network


def test_nothing_is_shown_before_it_is_revealed() -> None:
    """All zeros at the start; a reveal shows one number, and nothing else changes."""
    env = ModelSelection(num_envs=50, seed=0)
    seen, _ = env.reset()
    assert not any(seen[name].any() for name in [*NAMES, "revealed", "placed"])
    assert (seen["decisions_left"] == 1.0).all()
    network, probe = 3, NAMES.index("margin")
    seen, reward, *_ = act(env, network * len(PROBES) + probe)
    assert (seen["margin"][:, network] != 0.0).all()
    assert np.count_nonzero(seen["margin"]) == np.count_nonzero(seen["revealed"]) == 50
    assert (seen["revealed"][:, network, probe] == 1.0).all()
    assert not any(seen[name].any() for name in NAMES if name != "margin")
    assert reward == pytest.approx(np.full(50, -PROBES["margin"].cost))


def test_what_is_revealed_belongs_to_the_network_of_that_accuracy() -> None:
    """A pair of probe and accuracy stands in one row of the table."""
    env = ModelSelection(num_envs=100, seed=0)
    env.reset()
    for probe in range(len(PROBES)):
        seen, _, _, _, infos = act(env, 5 * len(PROBES) + probe)
    shown = np.stack([seen[name][:, 5] for name in NAMES], axis=1)
    zoos = data.candidates("train")
    rows = np.concatenate([np.column_stack([z.probes, z.accuracy]) for z in zoos])
    for probes, accuracy in zip(shown, infos["oracle"][:, 5], strict=True):
        distance = np.abs(rows - [*probes, accuracy]).max(1)
        assert distance.min() < 1e-5


@pytest.mark.parametrize("split", ["train", "test"])
def test_episodes_show_networks_of_one_data_set(split: str) -> None:
    """Of the split's own, each as often, and no network twice in an episode."""
    env = ModelSelection(num_envs=400, split=split, seed=0)  # type: ignore[arg-type]
    env.reset()
    accuracy = env.oracle()
    zoos = data.candidates(split)
    belongs = np.stack([np.isin(accuracy, zoo.accuracy).all(1) for zoo in zoos])
    assert belongs.any(0).all()
    assert belongs.mean(1) == pytest.approx(np.full(len(zoos), 1 / len(zoos)), abs=0.15)


def test_draws_are_uniform_and_without_replacement() -> None:
    """Every row at every place equally often, and never twice."""
    uniform = np.random.default_rng(0).random((60_000, 2 * CANDIDATES))
    rows = drawn_without_replacement(uniform, 12)
    assert (np.sort(rows, axis=1)[:, 1:] != np.sort(rows, axis=1)[:, :-1]).all()
    counts = np.stack([np.bincount(column, minlength=12) for column in rows.T])
    assert counts / 5000 == pytest.approx(np.ones((8, 12)), abs=0.06)


def test_the_first_choice_is_paid_and_later_ones_rank() -> None:
    """Accuracy minus the best; then 0, until all places are taken."""
    env = ModelSelection(num_envs=20, seed=0, places=3)
    _, infos = env.reset()
    accuracy = infos["oracle"]
    seen, reward, terminated, *_ = act(env, choose(2))
    assert reward == pytest.approx(accuracy[:, 2] - accuracy.max(1))
    assert (seen["placed"][:, 2] == 1.0).all()
    assert not terminated.any()
    seen, reward, terminated, *_ = act(env, choose(2))  # again: nothing happens
    assert not reward.any()
    assert (seen["placed"].sum(1) == 1.0).all()
    seen, reward, terminated, *_ = act(env, choose(7))
    assert (seen["placed"][:, 7] == 0.5).all()
    assert not reward.any() and not terminated.any()  # noqa: PT018
    _, reward, terminated, truncated, infos = act(env, choose(0))
    assert terminated.all()
    assert not truncated.any()
    assert infos["final_obs"]["placed"][:, 0] == pytest.approx(np.full(20, 1 / 3))
    assert (infos["oracle"] != accuracy).any()


def test_one_choice_ends_an_episode_by_default() -> None:
    """As the homework's question has it."""
    env = ModelSelection(num_envs=3, seed=0)
    env.reset()
    assert act(env, choose(1))[2].all()


def test_an_episode_without_a_choice_pays_for_the_worst() -> None:
    """With the cost of the last reveal; by its own limit and by max_episode_steps alike."""
    limits: list[dict[str, Any]] = [{"decisions": 4}, {"max_episode_steps": 4}]
    for limit in limits:
        env = ModelSelection(num_envs=10, seed=0, **limit)
        accuracy = env.reset()[1]["oracle"]
        for _ in range(3):
            _, reward, _, truncated, _ = act(env, 0)
            assert not truncated.any()
        _, reward, terminated, truncated, _ = act(env, 0)
        expected = accuracy.min(1) - accuracy.max(1) - PROBES[NAMES[0]].cost
        assert reward == pytest.approx(expected)
        assert truncated.all()
        assert not terminated.any()


def test_who_has_chosen_pays_nothing_at_the_limit() -> None:
    """A choice in the last decision counts, too."""
    env = ModelSelection(num_envs=10, seed=0, decisions=2, places=8)
    accuracy = env.reset()[1]["oracle"]
    act(env, 0)
    _, reward, _, truncated, _ = act(env, choose(0))
    assert reward == pytest.approx(accuracy[:, 0] - accuracy.max(1))
    assert truncated.all()


def test_costs_have_a_factor() -> None:
    """Twice the cost of every probe; none at 0."""
    for factor in (2.0, 0.0):
        env = ModelSelection(seed=0, cost_factor=factor)
        env.reset()
        for probe, spec in enumerate(PROBES.values()):
            assert act(env, probe)[1][0] == pytest.approx(-factor * spec.cost)


def played(policy: Any, num_envs: int = 2000, **settings: Any) -> dict[str, float]:
    """Scores of a policy from the environment's oracle and its step to actions."""
    env = ModelSelection(num_envs=num_envs, split="test", seed=3, **settings)
    env.record(1)
    env.reset(seed=3)
    accuracy, step = env.oracle(), 0
    while not env.recording.is_complete:
        env.step(policy(accuracy, step))
        step += 1
    return ENVIRONMENTS[ID].score(env.recording, **settings)


def test_knowing_the_accuracies_has_no_regret() -> None:
    """Choices in their order: regret 0, tau 1, cost 0."""

    def order(accuracy: Any, step: int) -> Any:
        return REVEALS + np.argsort(-accuracy, axis=1)[:, step]

    assert played(order, places=8) == {"regret": 0.0, "kendall_tau": 1.0, "cost": 0.0}


def test_choosing_blindly_has_the_expected_regret() -> None:
    """The first network, whatever it is: the closed form over the table."""
    scores = played(lambda accuracy, step: np.full(len(accuracy), choose(0)))
    accuracies = tuple(zoo.accuracy for zoo in data.candidates("test"))
    assert scores["regret"] == pytest.approx(expected_selection_regret(accuracies, 8), abs=0.003)
    assert scores["kendall_tau"] == pytest.approx(0.0, abs=0.06)
    assert scores["cost"] == 0.0


def test_never_choosing_loses_to_choosing_blindly() -> None:
    """Revealing everything and no more: the worst regret there is, and the highest cost."""
    idle = played(lambda accuracy, step: np.full(len(accuracy), step % REVEALS), num_envs=300)
    blind = played(lambda accuracy, step: np.full(len(accuracy), choose(0)), num_envs=300)
    assert idle["regret"] > 1.3 * blind["regret"]
    assert idle["kendall_tau"] == 0.0
    everything = 8 * sum(probe.cost for probe in PROBES.values())
    assert idle["cost"] > everything


def test_to_recognize_networks_costs_what_probes_cost() -> None:
    """What cannot be prevented: who has the table finds a network in it by a few of its probes."""
    env = ModelSelection(num_envs=200, split="test", seed=0)
    env.reset()
    few = [NAMES.index(name) for name in ("train_loss", "weight_norm")]
    for probe in few:
        for network in range(CANDIDATES):
            seen, *_ = act(env, network * len(PROBES) + probe)
    (zoo,) = data.candidates("test")
    shown = np.stack([seen[NAMES[probe]] for probe in few], axis=2)
    found = np.abs(shown[:, :, None] - zoo.probes[:, few]).sum(3).argmin(2)
    assert (zoo.accuracy[found] == env.oracle()).mean() > 0.99
    assert env._spent == pytest.approx(np.full(200, 8 * (2e-4 + 4e-4)))
