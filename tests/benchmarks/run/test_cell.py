"""One cell and its record: what was run, what it cost, and by whose clock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mlds_bench.benchmarks.plan.cell import data_checksum
from mlds_bench.benchmarks.run.runner import standing
from mlds_bench.common.data.store import MissingData
from mlds_bench.envs.registry import Environment
from mlds_bench.leaderboard.record import Record, strip_times
from mlds_bench.leaderboard.results import read_results
from tests.benchmarks.run.files import CONSTANT, LEAPS, RAISES, REPEATABLE, REPORTS, UNSUPPORTED
from tests.benchmarks.short import TEST_POINTS, landscape_cell, run_quietly, short_cells


def records(folder: Path) -> list[Record]:
    return [result.record for result in read_results(folder)]


def test_a_record_says_what_was_run(mine: Path, out: Path) -> None:
    """Against the cell it came from; the test is as large as the variant says."""
    (cell,) = short_cells(mine)
    (record,) = run_quietly([cell], out).records
    assert record.state == "ok"
    assert record.identity == cell.identity
    assert (record.provenance.key, record.provenance.task) == (cell.key, cell.task.digest)
    assert record.provenance.source_hash == cell.agent.source_hash
    assert record.provenance.agent_version is None
    assert record.provenance.threads == cell.variant.threads
    assert record.test.episodes == TEST_POINTS
    training = record.training
    assert (training.env_steps, training.stopped_by) == (cell.budget.env_steps, "env_steps")
    assert training.budget.env_steps == cell.budget.env_steps
    assert training.curve[-1].env_steps == training.env_steps
    one_step_each = sum(point.episodes or 0 for point in training.curve)
    assert one_step_each == training.env_steps
    rewards = [point.reward for point in training.curve]
    assert -1 < min(rewards) <= max(rewards) < 0


def test_costs_are_measured(mine: Path, out: Path) -> None:
    """By the harness: parts are shorter than the whole, and the curve ends within learning."""
    (record,) = run_quietly(short_cells(mine), out).records
    cost = record.cost
    assert 0 < (cost.train_seconds or 0) < cost.wall_seconds
    assert 0 < (cost.eval_seconds or 0) < cost.wall_seconds
    assert (cost.cpu_seconds or 0) > 0
    assert 10 < (cost.peak_memory_mb or 0) < 4096
    seconds = [point.seconds for point in record.training.curve]
    assert seconds == sorted(seconds)
    assert seconds[-1] <= (cost.train_seconds or 0)


def test_built_in_agents_have_their_version_in_the_record(out: Path) -> None:
    """And the hash of their source, as evidence."""
    (cell,) = short_cells("deep")
    (record,) = run_quietly([cell], out).records
    assert record.provenance.agent_version == cell.agent.version == 1
    assert record.provenance.source_hash == cell.agent.source_hash


def test_reported_scores_stand_on_the_curve(out: Path, mine: Path) -> None:
    """Each on the stretch in which it was reported; where none was, there is none."""
    mine.write_text(REPORTS)
    (record,) = run_quietly(short_cells(mine), out).records
    assert (record.state, record.training.stopped_by) == ("ok", "agent")
    scores = [point.score for point in record.training.curve]
    assert [score for score in scores if score is not None] == [0.25, 0.5, 0.75]
    assert scores[0] == 0.25
    assert None in scores


def test_settings_of_the_variant_reach_the_agent(out: Path) -> None:
    """They stand in the record, and not in the agent's label; those of the user win."""
    (cell,) = short_cells("constant", params={"action": 0.25})
    for user, expected in (({}, 0.75), ({"action": 0.25}, 0.25)):
        variant = replace(cell.variant, params_by_agent={"constant": {"action": 0.75}})
        planned = replace(cell, variant=variant, params=user)
        (record,) = run_quietly([planned], out / str(expected)).records
        assert record.training.params["action"] == expected
        assert record.agent == ("constant@action=0.25" if user else "constant")


def test_what_an_agent_does_where_its_test_is_over_does_not_matter(mine: Path, out: Path) -> None:
    """Half of the instances are sent off a cliff; from then on their actions are not numbers."""
    mine.write_text(LEAPS)
    (record,) = run_quietly([landscape_cell(mine, pictures=False)], out).records
    assert record.state == "ok", record.reason


def test_an_agent_that_does_not_fit_is_skipped(mine: Path, out: Path) -> None:
    """With its own words as the reason; skipped is not failed, and is not tried again."""
    mine.write_text(UNSUPPORTED)
    cells = short_cells(mine)
    summary = run_quietly(cells, out)
    (record,) = summary.records
    assert (record.state, record.test.scores) == ("skipped", {})
    assert record.reason.startswith("not in (1,)")
    assert summary.failed == []
    assert run_quietly(cells, out, retry=True).made == []


def test_the_spline_skips_products(out: Path) -> None:
    """A reference agent that knows its limits."""
    (record,) = run_quietly(short_cells("spline", variant="hw1-1/product"), out).records
    assert record.state == "skipped"


def test_absent_data_skip_a_cell_with_the_command(
    mine: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row with its reason, and the agent is not started; it runs once the data are here."""
    line = "mnist is not here: mlds-bench data get mnist fetches it"

    def missing(*_: object, **__: object) -> str:
        raise MissingData(line)

    data_checksum.cache_clear()
    monkeypatch.setattr(Environment, "data_checksum", missing)
    mine.write_text("import os; os._exit(1)\n" + CONSTANT.format(value=0.1))
    cells = short_cells(mine, "deep")
    summary = run_quietly(cells, out)
    assert [(r.state, r.reason) for r in summary.records] == [("skipped", line)] * 2
    assert summary.failed == []
    assert {r.cost.train_seconds for r in summary.records} == {None}
    monkeypatch.undo()
    data_checksum.cache_clear()
    assert standing(short_cells("deep")[0], out)[0] == "stale"


def test_files_that_are_gone_skip_a_cell_until_they_come(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the checksum is known without them; what was measured when they were here stands."""
    line = "mnist is not here: mlds-bench data get mnist fetches it"

    def missing(*_: object, **__: object) -> None:
        raise MissingData(line)

    data_checksum.cache_clear()
    run_quietly(short_cells("constant"), out)
    data_checksum.cache_clear()
    monkeypatch.setattr(Environment, "require_data", missing)
    summary = run_quietly(short_cells("constant", "deep"), out)
    assert [r.state for r in summary.found] == ["ok"]
    assert [(r.state, r.reason) for r in summary.made] == [("skipped", line)]
    monkeypatch.undo()
    data_checksum.cache_clear()
    assert standing(short_cells("constant")[0], out)[0] == "finished"
    assert standing(short_cells("deep")[0], out)[0] == "stale"


def test_an_edited_file_does_not_reach_cells_that_were_planned(mine: Path, out: Path) -> None:
    """Its agent overwrites it as it learns: key, hash and code are those of planning."""
    edit = "        import pathlib; pathlib.Path(__file__).write_text(__doc__)\n"
    new = CONSTANT.format(value=0.9)
    old = CONSTANT.format(value=0.0).replace(
        "        env.reset()\n", edit + "        env.reset()\n"
    )
    mine.write_text(f'"""{new}"""\n{old}')
    cells = short_cells(mine, seeds=[0, 1])
    before = mine.read_text()
    made = run_quietly(cells, out, workers=1).made
    assert mine.read_text() == new
    assert mine.read_text() != before
    for cell, record in zip(cells, made, strict=True):
        assert record.state == "ok", record.reason
        assert (record.provenance.key, record.provenance.source_hash) == (
            cell.key,
            cell.agent.source_hash,
        )
        assert record.test.scores["sup_error"] == pytest.approx(1.0, abs=0.01), "0, not 0.9"
    (edited,) = short_cells(mine)
    assert standing(cells[0], out)[0] == "finished"
    assert standing(edited, out)[0] == "stale"


def test_workers_and_folders_do_not_change_a_record(mine: Path, tmp_path: Path) -> None:
    """On one worker, on two, and again elsewhere: the same but for times."""
    cells = [*short_cells("shallow"), *short_cells(mine, "random", "constant", seeds=[0, 1])]
    for name, workers in (("one", 1), ("two", 2), ("again", 2)):
        run_quietly(cells, tmp_path / name, workers=workers)
    one, two, again = (
        [strip_times(record) for record in records(tmp_path / name)]
        for name in ("one", "two", "again")
    )
    assert len(one) == 7
    assert {record["state"] for record in one} == {"ok"}
    assert one == two == again


def test_seeds_differ(mine: Path, out: Path) -> None:
    """Else equal records would prove nothing: the test hangs on the seed."""
    made = run_quietly(short_cells("random", mine, seeds=[0, 1]), out).records
    assert len({record.test.scores["log10_mse"] for record in made}) == 4


def test_agents_meet_the_same_test(out: Path, mine: Path) -> None:
    """Two agents that answer alike score alike, to the last bit."""
    twin = mine.with_name("twin.py")
    twin.write_text(mine.read_text())
    one, two = run_quietly(short_cells(mine, twin), out).records
    assert one.test == two.test


def test_artifacts_of_an_older_record_go(mine: Path, out: Path) -> None:
    """What lies beside a record belongs to it."""
    saves = "    def save(self, folder):\n        (folder / 'weights.txt').write_text('1')\n"
    mine.write_text(CONSTANT.format(value=0.1) + saves)
    (cell,) = short_cells(mine)
    run_quietly([cell], out)
    folder = cell.path(out).with_suffix("")
    assert [path.name for path in folder.iterdir()] == ["weights.txt"]
    mine.write_text(CONSTANT.format(value=0.1))
    run_quietly(short_cells(mine), out)
    assert not folder.exists()


def test_a_failed_cell_keeps_what_is_known_of_it(mine: Path, out: Path) -> None:
    """It learned nothing and was tested in vain; costs are measured all the same."""
    mine.write_text(RAISES)
    (record,) = run_quietly(short_cells(mine), out).records
    assert (record.state, record.test.scores) == ("failed", {})
    assert record.reason == "RuntimeError: no idea (mine.py:4), while acting"
    assert (record.training.env_steps, record.training.stopped_by) == (0, "agent")
    assert record.cost.train_seconds is not None
    assert record.cost.eval_seconds is None


@pytest.mark.parametrize(("device", "error"), [("cpu", 1.0), ("meta", 1.217)])
def test_an_accelerator_is_told_to_repeat_and_named(
    tmp_path: Path, device: str, error: float
) -> None:
    """The agent tells by a constant: against sinc 0 errs by its 1, and 1 by its -0.217."""
    (tmp_path / "mine.py").write_text(REPEATABLE)
    cells = [replace(cell, device=device) for cell in short_cells(tmp_path / "mine.py")]
    (record,) = run_quietly(cells, tmp_path / "out").records
    assert record.state == "ok", record.reason
    assert record.test.scores["sup_error"] == pytest.approx(error, abs=0.01)
    hardware = record.provenance.hardware
    assert hardware.get("accelerator") == (None if device == "cpu" else device)
