"""What a cell's key depends on, and what it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlds_bench.agents import registry
from mlds_bench.agents.budget import Budget
from mlds_bench.agents.registry import builtin
from mlds_bench.agents.sources import Source
from mlds_bench.benchmarks.plan.cell import Cell, data_checksum
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.suite import plan
from mlds_bench.benchmarks.plan.variant import TestSize, Variant, everywhere
from mlds_bench.benchmarks.plan.variants import HOMEWORKS, VARIANTS
from mlds_bench.common.data.store import MissingData
from mlds_bench.envs.registry import Environment
from mlds_bench.leaderboard.record import Published, Score, record_path

AGENT = """
class Mine:
    def act(self, obs):
        return obs * 0
"""
SGN = VARIANTS["hw1-1/sgn"]


def cells(*agents: str, **options: Any) -> list[Cell]:
    settings: dict[str, Any] = {"preset": "smoke", "seal": Seal(), "agents": agents or None}
    return plan(["hw1-1/sinc"], **{**settings, **options})


def varied(cell: Cell, **changes: Any) -> Cell:
    """The cell in a variant that is changed so."""
    return replace(cell, variant=replace(cell.variant, **changes))


def new_run() -> None:
    """Forget the checksums of data, as another run has none yet."""
    data_checksum.cache_clear()


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(AGENT)
    return path


@pytest.fixture
def same_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Environment, "data_checksum", lambda *_, **__: "the same data")


def deeper(variant: Variant) -> dict[str, Any]:
    return {"params_by_agent": {"deep": {"batch_size": 7}}}


RESULT: dict[str, Callable[[Cell], Cell]] = {
    "seed": lambda cell: replace(cell, seed=1),
    "steps": lambda cell: replace(cell, budget=Budget(cell.budget.env_steps + 1, 20.0)),
    "seconds": lambda cell: replace(cell, budget=Budget(cell.budget.env_steps, 21.0)),
    "params": lambda cell: replace(cell, params={"learning_rate": 0.01}),
    "params' value": lambda cell: replace(cell, params={"learning_rate": 0.02}),
    "params of the variant": lambda cell: varied(cell, **deeper(cell.variant)),
    "device": lambda cell: replace(cell, device="cuda"),
    "seal": lambda cell: replace(cell, seal=Seal("another")),
    "environment": lambda cell: varied(cell, env_id="mlds/LossLandscape-v0"),
    "environment's arguments": lambda cell: varied(
        cell, env_kwargs={**cell.variant.env_kwargs, "test_points": 1024}
    ),
    "target": lambda cell: replace(cell, variant=SGN),
    "test episodes": lambda cell: varied(cell, test_sizes=everywhere(TestSize(65_537, 2))),
    "test instances": lambda cell: varied(cell, test_sizes=everywhere(TestSize(7))),
    "agent": lambda cell: replace(cell, agent=builtin("fitting")["shallow"]),
    "agent's version": lambda cell: replace(cell, agent=replace(cell.agent, version=2)),
}
PROSE: dict[str, Callable[[Cell], Cell]] = {
    "summary": lambda cell: varied(cell, summary="other words"),
    "anchors": lambda cell: varied(cell, anchors=SGN.anchors),
    "published": lambda cell: varied(
        cell, published=(Published(label="me", value=0.0, source="a rumor"),)
    ),
    "marks": lambda cell: varied(
        cell,
        headline=not cell.variant.headline,
        pass_return=-0.5,
        scores=(cell.variant.primary, Score(name="sup_error", higher_is_better=False, mark=1.0)),
    ),
    "runs": lambda cell: varied(cell, runs=VARIANTS["hw1-1/product"].runs),
    "budgets of others": lambda cell: varied(cell, budgets_by_agent={"sb3:*": {}}),
    "limits": lambda cell: replace(
        cell, preset=replace(cell.preset, memory_mb=1, act_seconds=1.0, grace_seconds=1.0)
    ),
    "pictures": lambda cell: replace(cell, draws=not cell.draws),
    "closed seal": lambda cell: replace(cell, seal=cell.seal.close()),
}


def test_the_key_changes_with_what_the_result_depends_on(same_data: None) -> None:
    """One change, one new key, with the data as they are: no two of them collide either."""
    (cell,) = cells("deep")
    keys = {name: change(cell).key for name, change in RESULT.items()}
    assert len({cell.key, *keys.values()}) == 1 + len(RESULT), keys


@pytest.mark.parametrize("change", PROSE)
def test_the_key_does_not_change_with_prose_or_limits(change: str) -> None:
    """Words, marks and published figures are read beside a result; they do not make it."""
    (cell,) = cells("deep")
    changed = PROSE[change](cell)
    assert changed != cell
    assert changed.key == cell.key


def test_the_key_does_not_change_with_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task of the variant does, so that its file is written anew."""
    (before,) = cells("deep")
    monkeypatch.setitem(HOMEWORKS, "hw1-1", "is deeper better?")
    (after,) = cells("deep")
    assert after.task != before.task
    assert (after.key, after.task.digest) == (before.key, before.task.digest)


@pytest.mark.parametrize("name", ["deep", "random", "sb3:PPO"])
def test_the_key_does_not_change_with_our_own_source(name: str) -> None:
    """Built-in agents have a version: a comment, an error text or a helper of theirs is free."""
    (cell,) = cells(name)
    spec = replace(cell.agent)
    spec.__dict__["sources"] = {
        module: Source(source.path, source.content + b"\nraise ValueError('other words')\n")
        for module, source in cell.agent.sources.items()
    }
    edited = replace(cell, agent=spec)
    assert edited.agent.source_hash != cell.agent.source_hash
    assert edited.key == cell.key


def test_the_key_changes_with_the_version_of_stable_baselines3(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its algorithms are not ours, so their version counts; those of ours do not care."""
    ppo, deep = cells("sb3:PPO", "deep")
    monkeypatch.setattr(registry, "_sb3_version", lambda: "99.0")
    ppo_later, deep_later = cells("sb3:PPO", "deep")
    assert ppo_later.key != ppo.key
    assert deep_later.key == deep.key


def test_the_key_changes_with_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other data, other results, though every setting is the same."""
    (before,) = cells("random")
    monkeypatch.setattr(Environment, "data_checksum", lambda *_, **__: "other data")
    assert cells("random")[0].key == before.key, "checksums are computed once per run"
    new_run()
    assert cells("random")[0].key != before.key


def test_data_are_hashed_once_per_environment_and_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not once per cell: three agents under two seeds share it."""
    asked: Counter[str] = Counter()

    def count(environment: Environment, **env_kwargs: Any) -> str:
        asked[f"{environment.id} {env_kwargs['target']}"] += 1
        return "data"

    monkeypatch.setattr(Environment, "data_checksum", count)
    names = ["hw1-1/sinc", "hw1-1/sgn"]
    settings: dict[str, Any] = {"preset": "smoke", "seeds": [0, 1], "seal": Seal()}
    made = plan(names, agents=["random", "constant", "deep"], **settings)
    assert len(made) == 12
    assert set(asked.values()) == {1}
    assert len(asked) == 2
    assert {cell.task.data_checksum for cell in made} == {"data"}


def test_absent_data_make_a_cell_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planning goes on; when the data have come, the cell is another one."""
    line = "mnist is not here; mlds-bench data get mnist"

    def missing(*_: object, **__: object) -> str:
        raise MissingData(line)

    monkeypatch.setattr(Environment, "data_checksum", missing)
    (absent,) = cells("deep")
    assert (absent.absent, absent.task.data_checksum) == (line, None)
    assert replace(absent, seal=absent.seal.close()).absent == line
    monkeypatch.undo()
    new_run()
    (here,) = cells("deep")
    assert here.absent == ""
    assert here.key != absent.key


def test_the_key_changes_with_the_source_of_a_file(mine: Path) -> None:
    """An edited file is another agent, and so is one whose sibling was edited; comments are not."""
    helper = mine.with_name("helper.py")
    helper.write_text("SIZE = 1\n")
    mine.write_text(f"import helper\n{AGENT}")
    before = cells(str(mine))[0].key
    mine.write_text(f"# the helper knows the size\nimport helper\n\n{AGENT}")
    assert cells(str(mine))[0].key == before
    helper.write_text("SIZE = 2\n")
    sibling = cells(str(mine))[0].key
    mine.write_text(f"import helper\n{AGENT}".replace("obs * 0", "obs * 1"))
    assert len({before, sibling, cells(str(mine))[0].key}) == 3


def test_a_planned_cell_keeps_its_key_and_source(mine: Path) -> None:
    """The file is read when the cell is planned, and what becomes of it later is of no account."""
    (cell,) = cells(str(mine))
    before = cell.key, cell.agent.source_hash
    mine.write_text(AGENT.replace("obs * 0", "obs * 1"))
    closed = replace(cell, seal=cell.seal.close())
    assert (cell.key, cell.agent.source_hash) == (closed.key, closed.agent.source_hash) == before
    assert cell.agent.load().act(None, 3) == 0  # type: ignore[attr-defined]
    assert cells(str(mine))[0].key != before[0]


def test_the_key_does_not_depend_on_the_folder(mine: Path, tmp_path: Path) -> None:
    """The same file elsewhere is the same agent."""
    (tmp_path / "elsewhere").mkdir()
    (moved := tmp_path / "elsewhere/mine.py").write_text(AGENT)
    assert cells(str(moved))[0].key == cells(str(mine))[0].key


def test_the_order_of_parameters_does_not_matter() -> None:
    """Settings are a mapping: the same ones are the same cell."""
    one = cells("deep", params={"learning_rate": 0.1, "batch_size": 8})[0]
    other = cells("deep", params={"batch_size": 8, "learning_rate": 0.1})[0]
    assert (one.key, one.label) == (other.key, other.label)


def test_parameters_of_the_variant_reach_the_agent_and_not_its_label() -> None:
    """They are the variant's own; what the user sets wins, and is shown."""
    (cell,) = cells("deep", params={"learning_rate": 0.1})
    theirs = {"deep": {"learning_rate": 0.2, "batch_size": 7}, "*": {"never": 0}}
    changed = varied(cell, params_by_agent=theirs)
    assert changed.all_params == {"learning_rate": 0.1, "batch_size": 7}
    assert changed.label == cell.label == "deep@learning_rate=0.1"


def test_parameters_stand_in_the_label_and_in_the_path(tmp_path: Path) -> None:
    """Two settings of one agent are two rows."""
    (cell,) = cells("sb3:PPO", params={"n_steps": 8, "learning_rate": 0.01})
    assert cell.label == "sb3:PPO@learning_rate=0.01,n_steps=8"
    folder = tmp_path / "smoke/hw1-1/sinc/sb3-PPO@learning_rate=0.01,n_steps=8"
    assert cell.path(tmp_path) == folder / "seed-0.json"


def test_path_and_identity_agree(tmp_path: Path) -> None:
    """The record is looked for where it will be written."""
    for cell in plan(["all"], preset="standard", seal=Seal()):
        assert cell.identity == ("standard", cell.variant.id, cell.label, cell.seed)
        assert cell.path(tmp_path) == record_path(tmp_path, cell.identity)


def test_the_task_is_what_the_variant_says() -> None:
    """All that the records of a variant share."""
    (cell,) = cells("deep")
    task, variant = cell.task, cell.variant
    assert (task.preset, task.variant, task.room) == ("smoke", "hw1-1/sinc", "fitting")
    assert (task.environment, task.env_kwargs) == (variant.env_id, dict(variant.env_kwargs))
    assert (task.test_envs, task.test_episodes) == (65_537, 1)
    assert (task.scores, task.anchors) == (variant.scores, variant.anchors)
    assert task.question == HOMEWORKS["hw1-1"]
    assert len(task.data_checksum or "") == 64


def test_a_cell_does_not_give_the_seal_away() -> None:
    """What is printed of a seal is a part of its hash."""
    seal = Seal("very secret")
    assert "secret" not in repr(seal)
    assert "secret" not in seal.fingerprint
    assert "secret" not in repr(cells("random", seal=seal)[0])
