"""Agents that have learned already: found beside their records, played, and said to be so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlds_bench.benchmarks.plan import trained
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.suite import plan
from mlds_bench.benchmarks.plan.trained import find_committed, find_trained
from mlds_bench.benchmarks.plan.variants import VARIANTS
from mlds_bench.leaderboard.record import artifact_folder, write_record
from mlds_bench.leaderboard.results import read_results
from mlds_bench.leaderboard.tables import leaderboard
from tests.benchmarks.records import record_of
from tests.benchmarks.short import run_quietly, short_cells

SINC = VARIANTS["hw1-1/sinc"]


def keep(
    out: Path,
    saved: str | None,
    *,
    variant: str = "hw1-1/sinc",
    agent: str = "deep",
    seed: int = 0,
    **changes: Any,
) -> None:
    """A record at preset quick, and beside it what its agent saved."""
    (cell,) = plan([variant], preset="quick", agents=[agent], seeds=[seed], seal=Seal())
    path = cell.path(out)
    write_record(record_of(cell, **changes), path)
    folder = artifact_folder(path)
    folder.mkdir()
    (folder / "log.txt").write_text("said")
    if saved is not None:
        (folder / "weights.txt").write_text(saved)


def test_the_best_seed_is_taken(tmp_path: Path) -> None:
    """By the primary score, whose direction the variant knows."""
    for seed, score in enumerate((-2.0, -3.0, -1.0)):
        keep(tmp_path, f"of {seed}", seed=seed, scores={"log10_mse": score})
    found = find_trained(tmp_path, SINC, "deep")
    assert found is not None
    assert found.origin == "quick/hw1-1/sinc/deep/seed-1"
    assert [path.read_text() for path in found.files] == ["of 1"]
    for seed, score in enumerate((1.0, 3.0, 2.0)):
        scores = {"mean_return": score}
        keep(tmp_path, "game", variant="hw4-1/pong", agent="ppo", seed=seed, scores=scores)
    game = find_trained(tmp_path, VARIANTS["hw4-1/pong"], "ppo")
    assert game is not None
    assert game.record.seed == 1


def test_only_what_was_saved_counts(tmp_path: Path) -> None:
    """A log alone is nothing; nor is what a failed cell, another agent or a game elsewhere left.

    A record that is torn vouches for nothing, and ends no plan.
    """
    keep(tmp_path, None, seed=0)
    keep(tmp_path, "no", seed=1, state="failed", reason="it raised")
    keep(tmp_path, "no", seed=2, agent="shallow")
    keep(tmp_path, "no", seed=3, variant="hw1-1/sgn")
    keep(tmp_path, "no", seed=4)
    (tmp_path / "quick/hw1-1/sinc/deep/seed-4.json").write_text('{"schema_version": 1}')
    assert find_trained(tmp_path, SINC, "deep") is None
    assert find_trained(tmp_path / "nowhere", SINC, "deep") is None


def test_variants_of_one_environment_share(tmp_path: Path) -> None:
    """Pong of homework 4-3 is that of 4-1."""
    scores = {"mean_return": 1.0}
    keep(tmp_path, "pong", variant="hw4-1/pong", agent="ppo", scores=scores)
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


def test_what_all_plays_with_is_in_the_checkout() -> None:
    """What `all` shows a newcomer is committed."""
    for variant in VARIANTS.values():
        in_all = variant.runs["quick"].in_all
        for agent in in_all.agents if in_all else ():
            name = agent.removeprefix("pretrained:")
            assert name == agent or find_committed(variant, name) is not None


def test_a_pretrained_agent_plays_as_it_did_and_learns_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same test, same scores; the record and the table say where it learned."""
    monkeypatch.setattr(trained, "COMMITTED", tmp_path / "committed")
    (learned,) = run_quietly(short_cells("deep"), tmp_path / "committed").made
    (played,) = run_quietly(short_cells("pretrained:deep"), tmp_path / "runs").made
    assert learned.state == played.state == "ok", played.reason
    assert played.test == learned.test
    assert (played.training.env_steps, played.training.curve) == (0, ())
    assert (played.cost.train_seconds or 0.0) < 1.0
    assert played.pretrained == "smoke/hw1-1/sinc/deep/seed-0"
    assert learned.pretrained == ""
    *_, table = leaderboard(read_results(tmp_path / "runs"), title="").tables
    assert "pretrained" in {row["state"] for row in table.rows}
    origin = f"pretrained:deep: learned in {played.pretrained}, the best of its seeds"
    assert any(note.startswith(origin) for note in table.notes)


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
    assert record.reason.startswith("nothing that it has learned is in ")
