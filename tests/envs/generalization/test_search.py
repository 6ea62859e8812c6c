"""Hyper-parameter search: what a try tells, costs and pays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlds_bench.envs.generalization import data
from mlds_bench.envs.generalization.expectations import expected_search_regret
from mlds_bench.envs.generalization.search import HyperparameterSearch, covered
from mlds_bench.envs.registry import ENVIRONMENTS

ID = "mlds/HyperparameterSearch-v0"
MIDDLE = np.array([1, 0, 1, 0, 1, 2, 1])


def act(env: HyperparameterSearch, rung: int, levels: Any = MIDDLE) -> Any:
    action = np.append(levels, rung)
    return env.step(np.tile(action, (env.num_envs, 1)))


def test_a_try_tells_the_accuracy_of_its_row() -> None:
    """With all folds: right answers of the setting, at the rung that was paid."""
    env = HyperparameterSearch(num_envs=40, seed=0, folds=16)
    env.reset()
    row = int(np.ravel_multi_index(tuple(MIDDLE), (2, 2, 2, 2, 3, 3, 3)))
    known = {
        rung: [b.right[row, rung].sum() / (16 * b.fold_images) for b in data.blocks("train")]
        for rung in range(3)
    }
    told = []
    for place, rung in enumerate((2, 0, 1)):
        seen, *_ = act(env, rung)
        told.append(seen["accuracy"][:, place])
        assert np.isin(told[-1], np.array(known[rung], np.float32)).all()
        assert seen["fidelity"][:, place] == pytest.approx(np.full(40, (1 / 9, 1 / 3, 1)[rung]))
        assert (seen["settings"][:, place] == [1, 0, 1, 0, 0.5, 1, 0.5]).all()
        assert not seen["accuracy"][:, place + 1 :].any()
    assert len(np.unique(told[0])) == len(data.blocks("train"))


def test_the_oracle_is_the_test_accuracy_of_every_setting() -> None:
    """In the shape of the axes."""
    env = HyperparameterSearch(num_envs=30, seed=0)
    _, infos = env.reset()
    flat = infos["oracle"].reshape(30, -1)
    assert infos["oracle"].shape == (30, 2, 2, 2, 2, 3, 3, 3)
    blocks = [block.accuracy for block in data.blocks("train")]
    assert all(any(np.array_equal(row, block) for block in blocks) for row in flat)


def test_validation_images_differ_between_episodes_and_not_within() -> None:
    """The same setting again is told the same; another episode hears something else."""
    env = HyperparameterSearch(num_envs=1, seed=0, trainings=2)
    told = []
    env.reset()
    for _ in range(20):
        seen, _, _, _, _ = act(env, 2)
        first = seen["accuracy"][0, 0]
        _, _, terminated, _, infos = act(env, 2)
        assert terminated.all()
        assert infos["final_obs"]["accuracy"][0, 1] == first
        told.append(float(first))
    assert len(set(told)) > 8


def test_the_budget_pays_by_the_length_of_a_training() -> None:
    """A ninth, a third, a whole; what it no longer covers is trained as long as it can be."""
    env = HyperparameterSearch(num_envs=2, seed=0, trainings=1)
    env.reset()
    seen, _, terminated, _, _ = act(env, 1)
    assert seen["budget_left"][:, 0] == pytest.approx([6 / 9, 6 / 9])
    seen, *_ = act(env, 0)
    seen, _, terminated, _, _ = act(env, 2)  # five ninths are left: a third is paid
    assert seen["fidelity"][:, 2] == pytest.approx([1 / 3, 1 / 3])
    assert not terminated.any()
    act(env, 2)
    _, _, terminated, truncated, _ = act(env, 0)
    assert terminated.all()
    assert not truncated.any()


def test_rungs_that_the_budget_covers() -> None:
    """1 and 2 ninths cover the first, 3 to 8 the second, 9 the whole training."""
    assert covered(np.array([0, 1, 2, 3, 8, 9, 100])).tolist() == [0, 0, 0, 1, 1, 2, 2]


def test_whole_trainings_pay_their_rise() -> None:
    """The sum of rewards is the best accuracy told after a whole training."""
    env = HyperparameterSearch(num_envs=50, seed=0, trainings=4)
    env.reset()
    generator, total, best = np.random.default_rng(0), np.zeros(50), np.zeros(50)
    for place in range(4):
        actions = generator.integers([2, 2, 2, 2, 3, 3, 3, 3], size=(50, 8))
        actions[:, -1] = 2 if place % 2 else 0
        seen, reward, *_ = env.step(actions)
        total += reward
        if place % 2:
            best = np.maximum(best, seen["accuracy"][:, place])
        else:
            assert not reward.any()
    assert total == pytest.approx(best, abs=1e-6)


def scores(policy: Any, num_envs: int, **settings: Any) -> dict[str, float]:
    env = HyperparameterSearch(num_envs=num_envs, split="test", seed=3, **settings)
    env.record(1)
    env.reset(seed=3)
    while not env.recording.is_complete:
        env.step(policy(env))
    return ENVIRONMENTS[ID].score(env.recording, **settings)


def test_random_tries_have_the_expected_regret() -> None:
    """The closed form for four whole trainings, validated on all folds."""
    generator = np.random.default_rng(0)

    def tries(env: HyperparameterSearch) -> Any:
        actions = generator.integers([2, 2, 2, 2, 3, 3, 3, 3], size=(env.num_envs, 8))
        actions[:, -1] = 2
        return actions

    got = scores(tries, 4000, trainings=4, folds=16)
    expected = [
        expected_search_regret(block.right[:, -1].sum(1), block.accuracy, 4)
        for block in data.blocks("test")
    ]
    assert got["regret"] == pytest.approx(np.mean(expected), abs=0.002)
    assert got["tries"] == 4.0


def test_the_choice_is_the_best_whole_training() -> None:
    """A short training that does better does not count; where there is no whole one, it does."""
    env = HyperparameterSearch(num_envs=60, split="test", seed=0, trainings=3, folds=16)
    env.record(1)
    env.reset(seed=0)
    generator, tried = np.random.default_rng(1), []
    seen: Any = {}
    for rung in (1, 2, 1, 0, 2):
        levels = generator.integers([2, 2, 2, 2, 3, 3, 3], size=(60, 7))
        tried.append(levels)
        accuracies = env.oracle().reshape(60, -1)
        seen = env.step(np.column_stack([levels, np.full(60, rung)]))[0]
    told = seen["accuracy"]
    env.step(np.column_stack([levels, np.zeros(60)]).astype(int))
    env.step(np.column_stack([levels, np.zeros(60)]).astype(int))
    assert env.recording.is_complete
    regret = env.recording.arrays()["regret"]
    place = np.where(told[:, 1] >= told[:, 4], 1, 4)
    shorter_was_better = told[:, [0, 2, 3]].max(1) > np.maximum(told[:, 1], told[:, 4])
    assert shorter_was_better.sum() > 5
    for row in range(60):
        setting = np.ravel_multi_index(tuple(tried[place[row]][row]), (2, 2, 2, 2, 3, 3, 3))
        expected = accuracies[row].max() - accuracies[row, setting]
        assert regret[row] == pytest.approx(expected)


def test_knowing_the_best_setting_has_no_regret() -> None:
    """One setting over and over: its regret is its distance to the best of its block."""

    def best(env: HyperparameterSearch) -> Any:
        flat = env.oracle().reshape(len(env.oracle()), -1)
        levels = np.unravel_index(flat.argmax(1), (2, 2, 2, 2, 3, 3, 3))
        return np.column_stack([*levels, np.full(len(flat), 2)])

    got = scores(best, 50, trainings=2)
    assert got == {"regret": 0.0, "top_tenth": 1.0, "tries": 2.0}
