"""Agents that have learnt already: found beside their records, played, and said to be so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlds_bench.benchmarks.plan import trained
from mlds_bench.benchmarks.plan.trained import find_committed, find_trained
from mlds_bench.benchmarks.plan.variants import VARIANTS
from mlds_bench.leaderboard.record import Record, artifact_folder, record_path, write_record
from mlds_bench.leaderboard.tables import leaderboard
from tests.benchmarks.short import run_quietly, short_cells
from tests.leaderboard.factory import content

SINC = VARIANTS["hw1-1/sinc"]


def keep(out: Path, saved: str | None, **changes: Any) -> None:
    """A record, and beside it what its agent saved."""
    record = Record.model_validate(content(**changes))
    path = record_path(out, record)
    write_record(record, path)
    folder = artifact_folder(path)
    folder.mkdir()
    (folder / "log.txt").write_text("said")
    if saved is not None:
        (folder / "weights.txt").write_text(saved)


def better(score: float) -> dict[str, Any]:
    return {"scores": {"log10_mse": score}, "normalized": score / -4.0}


def test_the_best_seed_is_taken(tmp_path: Path) -> None:
    """Lower is better here: the normalized score knows."""
    for seed, score in enumerate((-2.0, -3.0, -1.0)):
        keep(tmp_path, f"of {seed}", seed=seed, **better(score))
    found = find_trained(tmp_path, SINC, "deep")
    assert found is not None
    assert found.origin == "quick/hw1-1/sinc/deep/seed-1"
    assert [path.read_text() for path in found.files] == ["of 1"]


def test_only_what_was_saved_counts(tmp_path: Path) -> None:
    """A log alone is nothing; nor is what a failed cell, another agent or a game elsewhere left."""
    keep(tmp_path, None, seed=0)
    keep(tmp_path, "no", seed=1, state="failed", reason="it raised", normalized=None, scores={})
    keep(tmp_path, "no", seed=2, agent="shallow")
    keep(tmp_path, "no", seed=3, variant="hw1-1/sgn")
    assert find_trained(tmp_path, SINC, "deep") is None
    assert find_trained(tmp_path / "nowhere", SINC, "deep") is None


def test_variants_of_one_environment_share(tmp_path: Path) -> None:
    """Pong of homework 4-3 is that of 4-1."""
    keep(tmp_path, "pong", variant="hw4-1/pong", agent="ppo")
    assert find_trained(tmp_path, VARIANTS["hw4-3/pong"], "ppo") is not None
    assert find_trained(tmp_path, VARIANTS["hw4-3/breakout"], "ppo") is None


def test_the_checksum_is_of_what_was_saved(tmp_path: Path) -> None:
    """Of names and content, not of the log."""
    sums = []
    for number, saved in enumerate(("a", "a", "b")):
        keep(tmp_path / str(number), saved)
        (artifact := tmp_path / str(number) / "quick/hw1-1/sinc/deep/seed-0" / "log.txt").touch()
        artifact.write_text(str(number))
        (artifact.parent / "deeper").mkdir()
        (artifact.parent / "deeper/more.txt").write_text("the same")
        found = find_trained(tmp_path / str(number), SINC, "deep")
        assert found is not None
        sums.append(found.checksum)
    assert sums[0] == sums[1] != sums[2]


def test_a_preview_finds_its_weights_in_the_checkout() -> None:
    """What `all` shows a newcomer is committed."""
    for variant in VARIANTS.values():
        for agent in variant.preview:
            name = agent.removeprefix("pretrained:")
            assert name == agent or find_committed(variant, name) is not None


def test_a_pretrained_agent_plays_as_it_did_and_learns_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same test, same scores; the record and the table say where it learnt."""
    monkeypatch.setattr(trained, "COMMITTED", tmp_path / "committed")
    (learnt,) = run_quietly(short_cells("deep"), tmp_path / "committed").made
    (played,) = run_quietly(short_cells("pretrained:deep"), tmp_path / "runs").made
    assert learnt.state == played.state == "ok", played.reason
    assert played.scores == learnt.scores
    assert (played.env_steps, played.curve, played.train_seconds) == (0, (), 0.0)
    assert played.pretrained == "smoke/hw1-1/sinc/deep/seed-0"
    assert learnt.pretrained == ""
    (table,) = leaderboard([played], title="").tables
    assert table.rows[-1]["state"] == "pretrained" or table.rows[0]["state"] == "pretrained"
    assert f"pretrained:deep: learnt in {played.pretrained}" in table.notes


def test_other_weights_make_a_result_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And only those of pretrained agents: the keys of the others are as they were."""
    monkeypatch.setattr(trained, "COMMITTED", tmp_path)
    keep(tmp_path, "one")
    (cell,) = short_cells("pretrained:deep")
    (other,) = short_cells("deep")
    assert cell.trained is not None
    assert other.trained is None
    assert replace(cell, trained=None).key == replace(cell, trained=None, draws=True).key
    assert cell.key != replace(cell, trained=None).key
    before = cell.key
    (cell.trained.folder / "weights.txt").write_text("two")
    (again,) = short_cells("pretrained:deep")
    assert again.key != before


def test_without_weights_the_cell_is_skipped_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed package has no results beside it."""
    monkeypatch.setattr(trained, "COMMITTED", tmp_path / "nowhere")
    (record,) = run_quietly(short_cells("pretrained:deep"), tmp_path / "runs").made
    assert record.state == "skipped"
    assert record.reason.startswith("nothing that it has learnt is in ")
