"""Committed results are data under test: complete, in their place, and the tables' only source."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest

from mlds_bench.benchmarks.plan.presets import PRESETS
from mlds_bench.benchmarks.plan.variants import VARIANTS
from mlds_bench.leaderboard.record import Record, read_records
from mlds_bench.leaderboard.tables import write_tables
from tools.readme import BLOCK, PAGES, filled

RESULTS = Path(__file__).parents[2] / "results"
PARABOLA = math.sqrt(1 / 180)


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return read_records(RESULTS)


def of(records: list[Record], preset: str, variant: str, agent: str) -> list[float]:
    chosen = [r for r in records if (r.preset, r.variant, r.agent) == (preset, variant, agent)]
    return sorted(r.scores[r.primary] for r in chosen if r.state == "ok")


def median(values: list[float]) -> float:
    assert values, "no such records"
    return values[len(values) // 2]


def test_every_record_belongs_where_it_lies_and_ended_well(records: list[Record]) -> None:
    """`read_records` compares path and content; a committed result is no failure."""
    assert {(r.variant, r.agent, r.state) for r in records if r.state != "ok"} == set()


def test_records_are_of_known_variants_presets_and_versions(records: list[Record]) -> None:
    """A variant that changes its environment takes its results along."""
    for record in records:
        variant = VARIANTS[record.variant]
        assert record.preset in PRESETS
        assert (record.env_version, record.env_kwargs) == (variant.env_id, dict(variant.env_kwargs))
        assert record.anchors == variant.anchors
        assert record.budget.env_steps == variant.budget(record.preset, record.agent).env_steps


def test_standard_is_complete(records: list[Record]) -> None:
    """Every variant of `all` has each of its agents under every seed, families under one."""
    have = {(r.variant, r.agent, r.seed) for r in records if r.preset == "standard"}
    wanted = {
        (variant.id, agent, seed)
        for variant in VARIANTS.values()
        if not variant.long
        for agent in variant.agents
        for seed in PRESETS["standard"].seeds[: 1 if variant.family else None]
    }
    assert wanted <= have


def test_tables_are_what_the_records_say(records: list[Record], tmp_path: Path) -> None:
    """The committed tables are regenerated, byte for byte."""
    for preset in {record.preset for record in records}:
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
def test_deep_beats_shallow_at_equal_size(records: list[Record], variant: str) -> None:
    """The homework's question, answered: in the median of five seeds depth pays."""
    deep, shallow = (of(records, "standard", variant, agent) for agent in ("deep", "shallow"))
    assert len(deep) == len(shallow) == 5
    assert median(deep) < median(shallow)


def test_course_budget_reaches_the_published_errors(records: list[Record]) -> None:
    """On sinc: deep at most 3e-6 and shallow at most 1e-4, in the median."""
    assert 10 ** median(of(records, "course", "hw1-1/sinc", "deep")) <= 3e-6
    assert 10 ** median(of(records, "course", "hw1-1/sinc", "shallow")) <= 1e-4


@pytest.mark.parametrize(
    ("agent", "optimum"), [("spline", PARABOLA / 16**2), ("sawtooth", PARABOLA / 4**10)]
)
def test_constructions_reach_their_closed_forms(
    records: list[Record], agent: str, optimum: float
) -> None:
    """On x^2, 16 free pieces and a sawtooth of 10 layers, within 1e-9 in RMSE."""
    for log10_mse in of(records, "standard", "hw1-1/square", agent):
        assert 10 ** (log10_mse / 2) == pytest.approx(optimum, abs=1e-9)


def test_no_agent_is_below_the_optimum(records: list[Record]) -> None:
    """A function error below the known optimum would be a bug of the score."""
    distances = [r.scores["optimum_distance"] for r in records if "optimum_distance" in r.scores]
    assert distances
    assert min(distances) >= -1e-6


def test_random_agents_measure_their_anchor(records: list[Record]) -> None:
    """Anchors in closed form are what random actions get; measured ones, of games, are loose."""
    for record in records:
        if record.agent == "random" and not record.variant.startswith("hw4-"):
            value = record.scores[record.primary]
            assert value == pytest.approx(record.anchors.random.value, abs=0.02)
