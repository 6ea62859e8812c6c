"""Committed results are data under test: complete, in their place, and the tables' only source."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from statistics import median

import pytest

from mlds_bench.agents.registry import resolve
from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.plan.presets import PRESETS
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.variants import VARIANTS
from mlds_bench.leaderboard.record import Record, task_path
from mlds_bench.leaderboard.results import Results
from mlds_bench.leaderboard.tables import write_tables
from tests.results.committed import MIGRATED, RESULTS, of, read, scores
from tools.readme import BLOCK, PAGES, filled

pytestmark = MIGRATED

PARABOLA = math.sqrt(1 / 180)


@pytest.fixture(scope="module")
def results() -> Results:
    return read()


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


def test_every_committed_result_ended_well(results: Results) -> None:
    """Reading compares path, content and task; a committed result is no failure."""
    assert {str(r.record.identity) for r in results if r.state != "ok"} == set()


def test_every_committed_result_is_fresh(results: Results) -> None:
    """The same commands would run none of them again: no key has changed."""
    stale = []
    for result in results:
        cell = cell_of(result.record)
        assert cell.label == result.record.agent
        if result.record.provenance.key != cell.key:
            stale.append(str(cell))
    assert stale == []


def test_tasks_are_those_of_the_plan(results: Results) -> None:
    """A variant that changes takes its file along: words, anchors, marks and published figures."""
    for result in results:
        assert result.task == cell_of(result.record).task, task_path(RESULTS, result.record)


def test_standard_is_complete(results: Results) -> None:
    """What `all` runs, under every seed, and families under one."""
    have = {
        (r.record.variant, r.record.agent, r.record.seed)
        for r in results
        if r.record.preset == "standard"
    }
    wanted = set()
    for variant in VARIANTS.values():
        runs = variant.runs["standard"]
        run = runs.in_all or (runs.alone if variant.family else None)
        seeds = run.seeds[: 1 if variant.family else None] if run else ()
        wanted |= {(variant.id, a, seed) for a in (run.agents if run else ()) for seed in seeds}
    assert wanted <= have


def test_tables_are_what_the_records_say(results: Results, tmp_path: Path) -> None:
    """The committed tables are regenerated, byte for byte."""
    for preset in {result.record.preset for result in results}:
        shutil.copytree(RESULTS / preset, tmp_path / preset)
    written = write_tables(tmp_path)
    assert written
    for path in written:
        committed = RESULTS / path.name
        assert committed.read_bytes() == path.read_bytes(), (
            f"run: mlds-bench table results ({path.name})"
        )


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
def test_deep_beats_shallow_at_equal_size(results: Results, variant: str) -> None:
    """The homework's question, answered: in the median of five seeds depth pays."""
    deep, shallow = (
        scores(of(results, "standard", variant, agent)) for agent in ("deep", "shallow")
    )
    assert len(deep) == len(shallow) == 5
    assert median(deep) < median(shallow)


def test_course_budget_reaches_the_published_errors(results: Results) -> None:
    """On sinc: deep at most 3e-6 and shallow at most 1e-4, in the median."""
    for agent, most in (("deep", 3e-6), ("shallow", 1e-4)):
        assert 10 ** median(scores(of(results, "course", "hw1-1/sinc", agent))) <= most


@pytest.mark.parametrize(
    ("agent", "optimum"), [("spline", PARABOLA / 16**2), ("sawtooth", PARABOLA / 4**10)]
)
def test_constructions_reach_their_closed_forms(
    results: Results, agent: str, optimum: float
) -> None:
    """On x^2, 16 free pieces and a sawtooth of 10 layers, within 1e-9 in RMSE."""
    for log10_mse in scores(of(results, "standard", "hw1-1/square", agent)):
        assert 10 ** (log10_mse / 2) == pytest.approx(optimum, abs=1e-9)


def test_no_agent_is_below_the_optimum(results: Results) -> None:
    """A function error below the known optimum would be a bug of the score."""
    known = [result for result in results if "optimum_distance" in result.record.test.scores]
    assert scores(known, "optimum_distance")[0] >= -1e-6


def test_random_agents_measure_their_anchor(results: Results) -> None:
    """Anchors in closed form are what random actions get; measured ones, of games, are loose."""
    for result in results:
        if result.record.agent == "random" and result.task.room != "atari":
            assert result.primary_value == pytest.approx(result.task.anchors.random.value, abs=0.02)
