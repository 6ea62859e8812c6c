"""The list of variants against closed forms, numerical integrals and the other lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import log10, pi, sin

import gymnasium
import pytest
from scipy.integrate import quad

from mlds_bench.benchmarks.plan.players import find_player
from mlds_bench.benchmarks.plan.presets import DEFAULT_PRESET, PRESETS
from mlds_bench.benchmarks.plan.suite import select_variants
from mlds_bench.benchmarks.plan.variant import Variant
from mlds_bench.benchmarks.plan.variants import HOMEWORKS, VARIANTS
from mlds_bench.benchmarks.run.evaluation import evaluate
from mlds_bench.common.data.store import MissingData
from mlds_bench.envs.registry import ENVIRONMENTS, register
from mlds_bench.leaderboard.record import normalized_score

FAMILIES = dict.fromkeys((v.homework, v.family) for v in VARIANTS.values() if v.family)
MEMBERS = {
    family: [v for v in VARIANTS.values() if (v.homework, v.family) == family]
    for family in FAMILIES
}
CHOSEN = {
    variant.id: variant
    for variant in (
        *(v for v in VARIANTS.values() if not v.family),
        *(member for members in MEMBERS.values() for member in (members[0], members[-1])),
    )
}
EVERY = pytest.mark.parametrize("variant", CHOSEN.values(), ids=CHOSEN)
"""Every variant, of a family the first and the last."""
SEVERAL = {"fitting": 4, "classification": 100}
"""Instances that a room needs to have all its scores."""
NOT_ALWAYS = {"minimal_ratio", "test_cross_entropy"}
"""Scores that a diverged test or another kind of answer does not have."""
ERRORS = ("log10_mse", "regret")
"""Primary scores of which less is better."""
JUMPS = [0.2, 0.4, 0.6, 0.8]
FITTING: dict[str, Callable[[float], float]] = {
    "hw1-1/sinc": lambda x: sin(5 * pi * x) / (5 * pi * x),
    "hw1-1/sgn": lambda x: 1.0 if sin(5 * pi * x) > 0 else -1.0,
    "hw1-1/square": lambda x: x**2,
}


@contextmanager
def skipped_without_data() -> Iterator[None]:
    """A set that is not here skips the test under its name."""
    try:
        yield
    except MissingData as missing:
        pytest.skip(str(missing).partition(":")[0])


def integral(function: Callable[[float], float]) -> float:
    return float(quad(function, 1e-12, 1, points=JUMPS, limit=200, epsabs=1e-12, epsrel=1e-12)[0])


@pytest.mark.parametrize("name", FITTING)
def test_random_and_constant_anchors_are_integrals(name: str) -> None:
    """E(u - f)^2 for u uniform on [-2, 2], and the variance of f, integrated numerically."""
    f, anchors = FITTING[name], VARIANTS[name].anchors
    mean = integral(f)
    uniform = integral(lambda x: ((2 - f(x)) ** 3 + (2 + f(x)) ** 3) / 12)
    assert anchors.random.value == pytest.approx(log10(uniform), abs=1e-9)
    spread = integral(lambda x: (f(x) - mean) ** 2)
    assert anchors.trivial.value == pytest.approx(log10(spread), abs=1e-9)


def test_anchors_of_the_product_are_products_of_integrals() -> None:
    """Mean 1/2 * 1/2, mean square 1/3 * 1/3, the variance of u is 4/3."""
    anchors = VARIANTS["hw1-1/product"].anchors
    assert anchors.random.value == pytest.approx(log10(4 / 3 + 1 / 9), abs=1e-12)
    assert anchors.trivial.value == pytest.approx(log10(1 / 9 - 1 / 16), abs=1e-12)


def test_the_square_is_anchored_at_its_exact_optimum() -> None:
    """RMSE sqrt(1/180)/n^2 with n = 16 and n = 256 pieces, fitted piece by piece here."""

    def fitted(pieces: int) -> float:
        width = 1 / pieces  # the best line on a piece leaves width^2 (t^2 - t + 1/6), t in (0, 1)
        left = quad(lambda t: (width**2 * (t**2 - t + 1 / 6)) ** 2, 0, 1)[0]
        return log10(left)

    anchors = VARIANTS["hw1-1/square"].anchors
    assert anchors.pass_mark.value == pytest.approx(fitted(16), abs=1e-9)
    assert anchors.best.value == pytest.approx(fitted(1024), abs=1e-9)


def test_the_product_is_anchored_at_three_squares() -> None:
    """x y = 2 ((x + y)/2)^2 - x^2/2 - y^2/2: squared errors add, (4 + 1/4 + 1/4) / 180 / n^4."""
    anchors = VARIANTS["hw1-1/product"].anchors
    squares = VARIANTS["hw1-1/square"].anchors
    for mark, square in ((anchors.pass_mark, squares.pass_mark), (anchors.best, squares.best)):
        assert mark.value - square.value == pytest.approx(log10(2**2 + 0.5**2 + 0.5**2), abs=1e-12)


@pytest.mark.parametrize(
    ("name", "errors"),
    [("hw1-1/sinc", [7.6e-7, 1.8e-6, 2.6e-5]), ("hw1-1/sgn", [0.0099, 0.0146, 0.0634])],
)
def test_published_figures_are_the_courses(name: str, errors: list[float]) -> None:
    """Deep, middle, shallow; the deep one is the pass mark."""
    variant = VARIANTS[name]
    assert [10**figure.value for figure in variant.published] == pytest.approx(errors)
    assert variant.anchors.pass_mark.value == pytest.approx(log10(errors[0]))
    assert all(figure.source for figure in variant.published)


@EVERY
def test_anchors_are_in_order(variant: Variant) -> None:
    """Random, trivial < pass mark <= best on the normalized scale, each with its source.

    Doing nothing is better than chance in supervised tasks, and worse in games.
    """
    anchors = variant.anchors
    marks = (anchors.random, anchors.trivial, anchors.pass_mark, anchors.best)
    random, trivial, passed, best = (normalized_score(mark.value, anchors) for mark in marks)
    assert (random, passed) == (0, 1)
    assert max(random, trivial) < passed <= best
    assert (trivial < random) is variant.homework.startswith("hw4")
    assert all(mark.source for mark in marks)


@EVERY
def test_every_preset_has_a_budget_for_every_agent(variant: Variant) -> None:
    """Budgets grow from preset to preset, and end."""
    assert set(variant.budgets) == set(PRESETS)
    for agent in variant.agents:
        steps = [variant.budget(preset, agent).env_steps for preset in PRESETS]
        seconds = [variant.budget(preset, agent).seconds for preset in PRESETS]
        assert steps == sorted(set(steps))
        assert seconds == sorted(set(seconds))
        assert seconds[-1] < float("inf")


@EVERY
def test_agents_with_budgets_of_their_own_have_them_for_every_preset(variant: Variant) -> None:
    """A preset without an entry would end a plan with a KeyError."""
    for budgets in variant.budgets_by_agent.values():
        assert set(budgets) == set(PRESETS)


@EVERY
def test_default_agents_exist(variant: Variant) -> None:
    """Each plays in the room under its own label; random and constant come first."""
    whole = variant.runs["standard"].alone.agents
    assert variant.family or whole[:2] == ("random", "constant")
    for runs in variant.runs.values():
        for run in (runs.alone, runs.in_all):
            for name in run.agents if run else ():
                player = find_player(name, variant.room, {})
                assert player.spec.sources, name
                assert player.label == name


@EVERY
def test_every_preset_says_what_runs_and_how_large_the_test_is(variant: Variant) -> None:
    """No agent and no seed comes twice; what runs at one preset runs at the next, too."""
    assert list(variant.runs) == list(variant.test_sizes) == list(PRESETS)
    seeds: set[int] = set()
    for runs in variant.runs.values():
        for run in (runs.alone, runs.in_all):
            assert run is None or len(set(run.agents)) == len(run.agents)
            assert run is None or len(set(run.seeds)) == len(run.seeds) > 0
        assert runs.alone.agents
        assert seeds <= set(runs.alone.seeds)
        seeds |= set(runs.alone.seeds)


@EVERY
def test_environments_exist_and_take_the_arguments(variant: Variant) -> None:
    """In both splits, at the test's size, and by their Gymnasium id."""
    register()
    assert variant.env_id in gymnasium.registry
    environment = ENVIRONMENTS[variant.env_id]
    with skipped_without_data():
        for split in ("train", "test"):
            env = environment.make(num_envs=2, split=split, **variant.env_kwargs)
            env.reset(seed=0)
            env.close()
    assert len(environment.data_checksum(**variant.env_kwargs)) == 64


@EVERY
def test_the_test_batch_is_the_whole_grid(variant: Variant) -> None:
    """A room with a test grid sees each of its points once."""
    for size in variant.test_sizes.values():
        points = variant.env_kwargs.get("test_points", size.num_envs)
        assert size.num_envs * size.episodes == points


@EVERY
def test_the_scores_are_the_rooms(variant: Variant) -> None:
    """Score a test played at random; where that diverges, there is no curvature to look at."""
    environment = ENVIRONMENTS[variant.env_id]
    num_envs = SEVERAL.get(variant.room, 1)
    with skipped_without_data():
        env = environment.make(num_envs=num_envs, split="test", **variant.env_kwargs)
        env.action_space.seed(0)
        sample = lambda observation: env.action_space.sample()  # noqa: E731
        recording = evaluate(env, sample, lambda done: None, seed=0, episodes=1)
    scores = environment.score(recording, **variant.env_kwargs)
    assert {score.name for score in variant.scores} - set(scores) <= NOT_ALWAYS
    assert variant.primary.name in scores
    assert variant.primary.higher_is_better is (variant.primary.name not in ERRORS)


@EVERY
def test_a_pass_on_the_curve_is_the_mark_of_the_test(variant: Variant) -> None:
    """Where training returns are what the test measures, and where no oracle can be echoed."""
    if variant.pass_return is not None:
        assert variant.pass_return == variant.anchors.pass_mark.value
        assert variant.homework.startswith("hw4")


def test_families_are_the_wildcards_they_are_called() -> None:
    """What `list` shows for many variants selects just these."""
    for (homework, family), members in MEMBERS.items():
        assert select_variants([f"{homework}/{family}"]) == members
        assert len(members) > 2


def test_atari_variants_hold_the_courses_rules() -> None:
    """30 games of Pong above 3; 100 lives, 20 games, of Breakout above 40; then full games."""
    marks = {
        name: (v.primary.name, v.test_sizes["standard"].num_envs, v.anchors.pass_mark.value)
        for name, v in VARIANTS.items()
        if name.startswith("hw4")
    }
    assert marks == {
        "hw4-1/pong": ("mean_return", 30, 3.0),
        "hw4-2/breakout": ("mean_life_return", 20, 40.0),
        "hw4-3/pong": ("mean_return", 30, 17.29),
        "hw4-3/breakout": ("mean_return", 20, 280.0),
    }


def test_names_agree_with_the_homeworks() -> None:
    """Every homework has variants and the other way round; keys are ids."""
    assert {variant.homework for variant in VARIANTS.values()} == set(HOMEWORKS)
    assert all(name == variant.id for name, variant in VARIANTS.items())


def test_the_target_is_the_name() -> None:
    """A variant that fits a function is called after it."""
    for variant in VARIANTS.values():
        if variant.room == "fitting":
            assert variant.env_kwargs["target"] == variant.name


def test_every_homework_has_one_headline() -> None:
    """The variant that stands for it in the front table."""
    headlines = [variant.homework for variant in VARIANTS.values() if variant.headline]
    assert sorted(headlines) == sorted(HOMEWORKS)


def test_every_homework_asks_a_question() -> None:
    """It stands in the front table."""
    for question in HOMEWORKS.values():
        assert question.endswith("?")
        assert len(question) <= 100


def test_presets_are_called_what_they_are_and_the_default_is_one() -> None:
    """Names agree."""
    assert all(name == preset.name for name, preset in PRESETS.items())
    assert DEFAULT_PRESET in PRESETS
