"""The trace of the first runs: when points are noted, and what is read from them."""

from __future__ import annotations

import numpy as np
import pytest

from mlds_bench.envs.landscape.env import LossLandscape
from mlds_bench.envs.landscape.pictures.study import read_study
from mlds_bench.envs.landscape.specs import LIMIT
from mlds_bench.envs.landscape.trace import MOST_NUMBERS, MOST_QUERIES, Schedule
from tests.envs.landscape.played import descend, leap, play, stay, study_of


@pytest.mark.parametrize("dimension", [2, 13, 982, 10_000])
@pytest.mark.parametrize("budget", [1, 7, 125, 500, 501, 2000, 100_000])
def test_a_schedule_is_dense_at_first_even_later_and_bounded(budget: int, dimension: int) -> None:
    """The start always, the first of the queries all, never more than the bound."""
    schedule = Schedule.of(budget, dimension)
    traced = [query for query in range(budget) if query in schedule]
    most = max(min(MOST_QUERIES, MOST_NUMBERS // dimension), 8)
    assert len(traced) <= most
    assert len(traced) >= min(budget, most // 2)
    assert traced[: schedule.every] == list(range(schedule.every))
    later = np.diff([query for query in traced if query >= schedule.every])
    assert set(later) <= {schedule.stride}


def test_the_first_eight_are_traced_in_their_first_episodes() -> None:
    """theta before each query, from the start to the last query of the longest of them."""
    recording = play("quadratic", descend(0.1), queries=60, runs=10, seed=3)
    ends = recording.arrays()
    lengths = ends["length"][(ends["episode"] == 0) & (ends["instance"] < 8)]
    assert 0 < lengths.min() < lengths.max() < 60
    assert [entry["query"] for entry in recording.trace] == list(range(lengths.max()))
    counts = np.bincount(np.concatenate([entry["instance"] for entry in recording.trace]))
    order = np.argsort(ends["instance"][(ends["episode"] == 0) & (ends["instance"] < 8)])
    assert counts.tolist() == lengths[order].tolist()


def test_instances_are_traced_alike_when_others_are_done() -> None:
    """They keep their numbers, and nobody's points are taken for theirs."""
    studies = []
    for episodes in (None, 1):
        env = LossLandscape(num_envs=40, split="test", query_budget=400, activation="tanh")
        if episodes:
            env.record(episodes)
        seen, _ = env.reset(seed=0)
        for _ in range(400):
            actions = np.column_stack([-0.2 * seen["gradient"], np.ones(40)])
            seen, *_ = env.step(actions)
        assert (len(env.instances) < 30) is bool(episodes)
        studies.append(read_study(env.recording, env.settings))
    for one, other in zip(studies[0].runs, studies[1].runs, strict=True):
        assert one.ending == other.ending
        np.testing.assert_array_equal(one.queries, other.queries)
        np.testing.assert_allclose(one.points.theta, other.points.theta, rtol=1e-9)
    assert len({len(run.points) for run in studies[0].runs}) > 3


def test_the_train_split_traces_nothing() -> None:
    env = LossLandscape(problem="quadratic", num_envs=2, seed=0)
    env.reset()
    env.step(np.zeros((2, 3)))
    assert env.recording.trace == []


def test_a_new_seed_begins_a_new_trace() -> None:
    env = LossLandscape(problem="quadratic", num_envs=2, split="test", seed=0)
    for _ in range(2):
        env.reset(seed=1)
        env.step(np.zeros((2, 3)))
        assert [entry["query"] for entry in env.recording.trace] == [0]


def test_a_run_goes_from_its_start_to_its_end() -> None:
    """Loss, excess, gradient norm of every point in closed form; the end is the last."""
    study = study_of("quadratic", descend(0.1), queries=60, runs=3)
    assert len(study.runs) == 3
    for run, length in zip(study.runs, study.lengths, strict=True):
        assert run.queries.tolist() == list(range(length + 1))
        x, y = run.points.theta.T
        np.testing.assert_allclose(run.points.loss, x**2 + 3 * y**2)
        np.testing.assert_allclose(run.points.excess, run.points.loss)
        np.testing.assert_allclose(run.points.gradient_norm, np.hypot(2 * x, 6 * y))
        np.testing.assert_allclose(x, x[0] * 0.8 ** np.arange(length + 1), atol=1e-12)
        assert run.ending == "solved"
        assert run.points.loss[-1] <= 1e-6 < run.points.loss[-2]
    assert study.is_solved.all()


def test_values_are_those_of_the_objective() -> None:
    study = study_of("saddle", descend(0.1), objective="gradient_norm", queries=20)
    points = study.runs[0].points
    np.testing.assert_array_equal(points.value, points.gradient_norm)
    np.testing.assert_allclose(points.excess, points.loss + 1.0)
    assert study.solved == 1e-3


def test_probes_move_nothing() -> None:
    """The trace shows where theta is, not what was asked about."""
    study = study_of("xor", descend(0.1), queries=12, decision=-1.0)
    for run in study.runs:
        assert not np.ptp(run.points.theta, axis=0).any()
        assert run.ending == "unsolved"


def test_a_path_ends_where_it_leaves_sight() -> None:
    """A diverged run keeps its start, and the best of such runs is still one."""
    study = study_of("xor", leap, queries=5, runs=4)
    for run in study.runs:
        assert run.ending == "diverged"
        assert len(run.path) == 1
        assert run.points.value[-1] == LIMIT
    assert not study.is_solved.any()
    values = [run.path.value[-1] for run in study.runs]
    assert values[study.best] == min(values)


def test_losses_that_are_no_numbers_are_finite_here() -> None:
    """Sixty factors of a million."""
    study = study_of("deep-linear", leap, depth=60, queries=5, runs=2)
    for run in study.runs:
        assert np.isfinite(run.points.loss).all()
        assert run.points.excess[-1] == LIMIT


def test_the_best_run_ends_lowest_and_has_moved() -> None:
    study = study_of("xor", descend(0.1), queries=40)
    ends = [run.points.value[-1] for run in study.runs]
    assert ends[study.best] == min(ends)
    alike = study_of("degenerate-saddle", stay, queries=3, start_scale=0.0)
    assert alike.best == 0


def test_a_recording_without_ends_is_refused() -> None:
    env = LossLandscape(problem="xor", split="test", seed=0)
    env.reset()
    with pytest.raises(ValueError, match="nothing was recorded"):
        read_study(env.recording, env.settings)
