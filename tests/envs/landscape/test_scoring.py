"""The scores: literals, directions, which episodes count."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import spearmanr

from mlds_bench.envs.landscape import scoring
from mlds_bench.envs.landscape.env import LossLandscape
from mlds_bench.envs.landscape.scoring import hessian_cap, rank_correlation_interval
from mlds_bench.envs.recorders import EndRecorder
from mlds_bench.envs.registry import ENVIRONMENTS
from tests.envs.recorded import ends_of

Array = npt.NDArray[np.float64]
score = ENVIRONMENTS["mlds/LossLandscape-v0"].score


def ended(*thetas: Any) -> EndRecorder:
    """A recording of one episode of each instance, which ended at these points."""
    return ends_of(range(len(thetas)), {"theta": np.array(thetas, np.float64)})


def test_the_scores_of_known_points() -> None:
    """Losses 0, .01, 1 and 4 on the quadratic; its Hessian is positive everywhere."""
    scores = score(ended([0, 0], [0.1, 0], [1, 0], [2, 0]), problem="quadratic")
    assert scores == {
        "solved_share": 0.25,
        "log10_loss": pytest.approx(-1.0),
        "gradient_norm": pytest.approx(1.1),
        "minimal_ratio": 1.0,
    }


def test_solved_depends_on_threshold_and_objective() -> None:
    """The same points under other questions."""
    recording = ended([0.1, 0], [1, 0], [2, 0])
    shares = [
        score(recording, problem="quadratic", **question)["solved_share"]
        for question in ({}, {"solved": 1.0}, {"objective": "gradient_norm", "solved": 0.2})
    ]
    assert shares == pytest.approx([0.0, 2 / 3, 1 / 3])


def test_the_loss_counts_above_the_bottom() -> None:
    """The known local minimum of the dead ReLU is 18 - 14 = 4 too high; below a saddle is -30."""
    local = score(ended([1, -3, 1, 0]), problem="dead-relu")
    assert local["log10_loss"] == pytest.approx(math.log10(4.0))
    assert local["solved_share"] == 0.0
    below = score(ended([2, 0]), problem="saddle")
    assert (below["log10_loss"], below["solved_share"]) == (-30.0, 1.0)


@pytest.mark.parametrize(
    ("problem", "ratio"),
    [
        ("quadratic", 1.0),
        ("saddle", 0.5),
        ("degenerate-minimum", 0.5),
        ("degenerate-saddle", 0.5),
        ("monkey-saddle", 0.0),
    ],
)
def test_the_minimal_ratio_at_the_lecture_s_critical_points(problem: str, ratio: float) -> None:
    """Positive eigenvalues of two: zeros do not count, also where all are zero."""
    assert score(ended([0, 0]), problem=problem)["minimal_ratio"] == ratio


def test_the_spearman_correlation_of_loss_and_minimal_ratio() -> None:
    """On x^3 - 3xy^2 nothing correlates; on x^2 - y^4 far points are low and curved down."""
    points = [[0.1, 0.0], [0.0, 0.5], [0.2, 0.0], [0.0, 1.0]]
    question: dict[str, Any] = {"problem": "degenerate-minimum", "objective": "gradient_norm"}
    scores = score(ended(*points), **question)
    assert scores["spearman"] == pytest.approx(0.8944271909999159)
    assert "spearman" not in score(ended(*points), problem="degenerate-minimum")
    assert "spearman" not in score(ended(points[0], points[2]), **question)


def test_a_diverged_point_is_the_worst_there_is() -> None:
    """Loss and norm count as 1e12, it has no minimal ratio, and every score is finite."""
    far = [1e9, 1e9]
    scores = score(ended(far), problem="degenerate-minimum")
    assert scores == {"solved_share": 0.0, "log10_loss": 12.0, "gradient_norm": 1e12}
    mixed = score(ended(far, [0.0, 1.0], far), problem="degenerate-minimum")
    assert mixed["minimal_ratio"] == 1.0
    assert all(math.isfinite(value) for value in mixed.values())


@pytest.mark.parametrize("problem", ["xor", "teacher-student", "sinc"])
def test_descent_beats_standing_still_beats_going_astray(problem: str) -> None:
    """Perfect, idle and shifted play are told apart by loss, norm and share."""
    played = []
    for rate in (0.1, 0.0, -0.1):
        env = LossLandscape(problem=problem, num_envs=12, split="test", seed=0, query_budget=60)
        observation, _ = env.reset()
        for _ in range(60):
            steps = np.clip(-rate * observation["gradient"], -1e6, 1e6)
            observation = env.step(np.column_stack([steps, np.ones(12)]))[0]
        played.append(score(env.recording, problem=problem))
    down, still, up = (scores["log10_loss"] for scores in played)
    assert down < still < up
    assert played[0]["gradient_norm"] < played[2]["gradient_norm"]


def test_all_instances_are_heard_equally_often() -> None:
    """Instance 0 solved three episodes, instance 1 failed in its only one: half are solved."""
    theta = np.array([[0.0, 0.0], [0.0, 0.0], [3.0, 0.0], [0.0, 0.0]])
    recording = ends_of([0, 0, 1, 0], {"theta": theta}, [0, 1, 0, 2])
    assert score(recording, problem="quadratic")["solved_share"] == 0.5


def test_hessians_are_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    """128 points of up to 250 parameters, 8 of 982, at least one; the first instances count."""
    assert [hessian_cap(d) for d in (2, 141, 250, 982, 10_000)] == [128, 128, 128, 8, 1]
    monkeypatch.setattr(scoring, "MOST_HESSIANS", 1)
    points = ended([0.0, 1.0], [0.0, 0.0])
    assert score(points, problem="degenerate-minimum")["minimal_ratio"] == 1.0


def test_the_environment_s_own_words_are_understood() -> None:
    """score() takes every keyword argument that the environment takes."""
    arguments: dict[str, Any] = {
        "problem": "teacher-student",
        "k": 3,
        "n": 4,
        "query_budget": 2,
        "gradient": False,
        "objective": "gradient_norm",
        "solved": 1e-2,
        "start_scale": 0.5,
    }
    env = LossLandscape(num_envs=5, split="test", seed=0, **arguments)
    env.reset()
    for _ in range(2):
        env.step(np.full((5, env.problem.dimension + 1), 0.1))
    scores = score(env.recording, **arguments)
    assert {"solved_share", "log10_loss", "gradient_norm", "minimal_ratio"} <= set(scores)


def test_the_interval_of_a_rank_correlation_covers_it() -> None:
    """Of 2000 samples of 60 pairs of known correlation, 95 % have it inside, within 2 points."""
    generator = np.random.default_rng(0)
    pearson = -0.6
    truth = 6.0 / math.pi * math.asin(pearson / 2.0)  # Spearman's of a normal pair
    x = generator.normal(size=(2000, 60))
    y = pearson * x + math.sqrt(1.0 - pearson**2) * generator.normal(size=x.shape)
    found = [float(spearmanr(a, b).statistic) for a, b in zip(x, y, strict=True)]
    intervals = [rank_correlation_interval(one, 60) for one in found]
    inside = np.mean([low <= truth <= high for low, high in intervals])
    assert inside == pytest.approx(0.95, abs=0.02)
    assert rank_correlation_interval(0.0, 28) == pytest.approx((-0.37308, 0.37308), abs=1e-4)
    assert rank_correlation_interval(0.9, 3) == (-1.0, 1.0)
    assert rank_correlation_interval(-1.0, 9) == (-1.0, -1.0)
