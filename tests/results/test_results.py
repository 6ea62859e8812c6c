"""Committed results are data under test: complete, in their place, and the tables' only source."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from statistics import fmean, median, stdev

import pytest

from mlds_bench.agents.registry import resolve
from mlds_bench.benchmarks.plan.cell import Cell, make_task
from mlds_bench.benchmarks.plan.presets import PRESETS
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.variants import VARIANTS
from mlds_bench.leaderboard.record import Record
from mlds_bench.leaderboard.tables import write_tables
from tests.results.committed import RESULTS, committed, scores
from tools.readme import BLOCK, PAGES, filled

WITHOUT_DATA = {"hw1-1/cifar10"}
"""Variants whose data were not at hand when the records were made."""
CARDS = 250
"""Of the smallest part of a deck that a primary score of the classification room is made of."""
PARABOLA = math.sqrt(1 / 180)


def test_every_record_ended_well_and_is_fresh() -> None:
    """A committed result is no failure, and was made for the task that lies beside it."""
    assert {(r.record.identity, r.state) for r in committed() if r.state != "ok"} == set()


def test_tasks_are_those_of_the_plan() -> None:
    """A variant that changes its environment takes its results along; prose is renewed, too."""
    for result in committed():
        task = result.task
        assert task == make_task(VARIANTS[task.variant], task.preset, task.data_checksum)


def test_every_record_has_the_key_of_its_cell() -> None:
    """The same commands would run none of them again, whatever was reworded since."""
    stale = []
    for result in committed():
        cell = cell_of(result.record)
        assert cell.label == result.record.agent
        if result.record.provenance.key != cell.key:
            stale.append(str(cell))
    assert stale == []


def cell_of(record: Record) -> Cell:
    """The cell that the same command plans today."""
    variant = VARIANTS[record.variant]
    name, _, settings = record.agent.partition("@")
    named = [setting.partition("=")[0] for setting in settings.split(",") if setting]
    spec = resolve(name, variant.room)
    return Cell(
        variant=variant,
        agent=spec,
        params={name: record.training.params[name] for name in named},
        seed=record.seed,
        preset=PRESETS[record.preset],
        budget=variant.budget(record.preset, spec.base),
        device="cuda" if "accelerator" in record.provenance.hardware else "cpu",
        seal=Seal(),
    )


def test_standard_is_complete() -> None:
    """Every variant that `all` runs has each of its agents and seeds; families have one seed."""
    have = {r.record.identity[1:] for r in committed() if r.record.preset == "standard"}
    wanted = set()
    for variant in VARIANTS.values():
        runs = variant.runs["standard"]
        if variant.id not in WITHOUT_DATA and (variant.family or runs.in_all):
            seeds = runs.alone.seeds[: 1 if variant.family else None]
            wanted |= {(variant.id, agent, seed) for agent in runs.alone.agents for seed in seeds}
    assert wanted <= have


def test_tables_are_what_the_records_say(tmp_path: Path) -> None:
    """The committed tables are regenerated, byte for byte."""
    for preset in {result.record.preset for result in committed()}:
        shutil.copytree(RESULTS / preset, tmp_path / preset)
    written = write_tables(tmp_path)
    assert written
    for path in written:
        made = (RESULTS / path.name).read_bytes()
        assert made == path.read_bytes(), f"run: mlds-bench table results ({path.name})"


def test_pages_show_the_committed_tables() -> None:
    """No number stands in a table of the pages that no record stands behind."""
    pages = {path.name: path.read_text(encoding="utf-8") for path in PAGES}
    assert {name for name, text in pages.items() if BLOCK.search(text)} >= {
        "README.md",
        "loss_landscape.md",
    }
    for name, text in pages.items():
        assert filled(text) == text, f"{name}: run python -m tools.readme"


@pytest.mark.parametrize("variant", ["hw1-1/sinc", "hw1-1/sgn"])
def test_deep_beats_shallow_at_equal_size(variant: str) -> None:
    """The homework's question, answered: in the median of five seeds depth pays."""
    deep, shallow = (scores("standard", variant, agent) for agent in ("deep", "shallow"))
    assert len(deep) == len(shallow) == 5
    assert median(deep) < median(shallow)


def test_course_budget_reaches_the_published_errors() -> None:
    """On sinc: deep at most 3e-6 and shallow at most 1e-4, in the median."""
    assert 10 ** median(scores("course", "hw1-1/sinc", "deep")) <= 3e-6
    assert 10 ** median(scores("course", "hw1-1/sinc", "shallow")) <= 1e-4


@pytest.mark.parametrize(
    ("agent", "optimum"), [("spline", PARABOLA / 16**2), ("sawtooth", PARABOLA / 4**10)]
)
def test_constructions_reach_their_closed_forms(agent: str, optimum: float) -> None:
    """On x^2, 16 free pieces and a sawtooth of 10 layers, within 1e-9 in RMSE."""
    for log10_mse in scores("standard", "hw1-1/square", agent):
        assert 10 ** (log10_mse / 2) == pytest.approx(optimum, abs=1e-9)


def test_no_agent_is_below_the_optimum() -> None:
    """A function error below the known optimum would be a bug of the score."""
    every = [result.record.test.scores for result in committed()]
    distances = [one["optimum_distance"] for one in every if "optimum_distance" in one]
    assert distances
    assert min(distances) >= -1e-6


def test_no_record_is_better_than_the_best_known() -> None:
    """An anchor that a record has overtaken is out of date; on a grid, theory is off by 1e-4."""
    overtaken = {
        (task.variant, value)
        for result in committed()
        for task, value in [(result.task, result.primary_value or 0.0)]
        for sign in [1.0 if task.higher_is_better else -1.0]
        if sign * value > sign * task.anchors.best.value + 1e-4
    }
    assert overtaken == set()


def test_random_games_measure_their_anchor() -> None:
    """The mean of all recorded games lies within three standard errors of the anchor."""
    for variants, score in (
        ({"hw4-1/pong", "hw4-3/pong"}, "mean_return"),
        ({"hw4-3/breakout", "hw4-2/breakout"}, "mean_life_return"),
    ):
        found = [one for one in committed() if one.task.variant in variants]
        games = [one for one in found if one.record.agent == "random"]
        anchors = {one.task.anchors.random.value for one in games if one.task.primary == score}
        values = [one.record.test.scores[score] for one in games]
        error = stdev(values) / math.sqrt(len(values))
        assert len(values) >= 10
        assert [fmean(values)] * len(anchors) == pytest.approx(sorted(anchors), abs=3.0 * error)


def test_random_agents_measure_their_anchor() -> None:
    """Anchors in closed form are what random actions get; measured ones, of games, are loose."""
    for result in committed():
        if result.record.agent == "random" and result.task.room != "atari":
            anchor, images = result.task.anchors.random.value, result.task.room == "classification"
            tolerance = 4.0 * math.sqrt(anchor * (1.0 - anchor) / CARDS) if images else 0.02
            assert result.primary_value == pytest.approx(anchor, abs=tolerance)
