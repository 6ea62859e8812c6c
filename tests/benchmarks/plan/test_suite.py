"""From names to cells, and what a cell's key depends on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlds_bench.agents.budget import Budget
from mlds_bench.agents.registry import UnknownAgent
from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.plan.homeworks.hw1_1 import FITTING_SB3_BUDGETS
from mlds_bench.benchmarks.plan.presets import PRESETS
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.suite import Cell, parse_seeds, plan, select_preset, select_variants
from mlds_bench.benchmarks.plan.variants import VARIANTS
from mlds_bench.leaderboard.record import record_path

AGENT = """
class Mine:
    def act(self, obs):
        return obs * 0
"""


def names(*patterns: str) -> list[str]:
    return [variant.id for variant in select_variants(patterns)]


def cells(*agents: str, **options: Any) -> list[Cell]:
    settings: dict[str, Any] = {"preset": "smoke", "seal": Seal(), "agents": agents or None}
    return plan(["hw1-1/sinc"], **{**settings, **options})


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(AGENT)
    return path


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["all"], [n for n, v in VARIANTS.items() if not v.family and not v.long]),
        (["hw4-3"], ["hw4-3/pong", "hw4-3/breakout"]),
        (["hw1-1"], [name for name in VARIANTS if name.startswith("hw1-1/")]),
        (["hw1-1/sgn"], ["hw1-1/sgn"]),
        (["hw1-1/s*"], ["hw1-1/sinc", "hw1-1/sgn", "hw1-1/square"]),
        (["hw1-*/s[ig]n*"], ["hw1-1/sinc", "hw1-1/sgn", "hw1-2/sinc"]),
        (["hw?-1"], [name for name, v in VARIANTS.items() if v.homework.endswith("-1")]),
        (["hw1-2/xor-relu-h[23]"], ["hw1-2/xor-relu-h2", "hw1-2/xor-relu-h3"]),
    ],
)
def test_patterns_select_variants(patterns: list[str], expected: list[str]) -> None:
    """All, a homework, a variant, and wildcards over either."""
    assert names(*patterns) == expected


def test_selected_variants_keep_the_order_of_the_list() -> None:
    """The order of the patterns does not matter, and nothing comes twice."""
    assert names("hw1-1/square", "hw1-1/s*", "hw1-1/sinc") == names("hw1-1/s*")


@pytest.mark.parametrize(
    ("typo", "nearest"), [("hw1-1/sinx", "hw1-1/sinc"), ("HW1-1", "hw1-1"), ("al", "all")]
)
def test_a_wrong_variant_gets_the_nearest_right_one(typo: str, nearest: str) -> None:
    """A typo among right names is refused, too."""
    with pytest.raises(UsageError, match=f"unknown variant '{typo}': did you mean '{nearest}'"):
        select_variants(["hw1-1/sgn", typo])


def test_a_wrong_preset_gets_the_nearest_right_one() -> None:
    """Presets are found by name, or refused."""
    assert select_preset("quick") is PRESETS["quick"]
    with pytest.raises(UsageError, match="unknown preset 'smok': did you mean 'smoke'"):
        select_preset("smok")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", (0,)),
        ("0-4", (0, 1, 2, 3, 4)),
        ("3,1,2", (3, 1, 2)),
        ("0-2, 11037", (0, 1, 2, 11037)),
        ("2,0-3,2", (2, 0, 1, 3)),
        ("7-7", (7,)),
    ],
)
def test_seeds_are_read(text: str, expected: tuple[int, ...]) -> None:
    """Ranges and lists, in the order written, each seed once."""
    assert parse_seeds(text) == expected


@pytest.mark.parametrize("text", ["", "0:4", "a", "-1", "1-", "0-x", "1.5", "0,,1", "0-1-2"])
def test_wrong_seeds_are_refused(text: str) -> None:
    """What is no seed is said with how to write one."""
    with pytest.raises(UsageError, match=r"seeds are written 0-4 or 0,2,5, got"):
        parse_seeds(text)


def test_a_backward_range_is_turned_round() -> None:
    """The one line says what to write instead."""
    with pytest.raises(UsageError, match="run backwards: write 0-4"):
        parse_seeds("4-0")


def test_cells_come_variant_by_variant_then_agent_then_seed() -> None:
    """The order on the screen is the order of the lists."""
    made = plan(
        ["hw1-1/sgn", "hw1-1/sinc"],
        preset="smoke",
        agents=["deep", "random"],
        seeds=[1, 0],
        seal=Seal(),
    )
    assert [str(cell) for cell in made] == [
        f"hw1-1/{variant} {agent} seed {seed}"
        for variant in ("sinc", "sgn")
        for agent in ("deep", "random")
        for seed in (1, 0)
    ]


def test_by_default_the_variant_names_agents_and_the_preset_seeds() -> None:
    """Without choices a plan is what the lists say."""
    made = plan(["hw1-1/sinc"], preset="quick", seal=Seal())
    expected = [(a, s) for a in VARIANTS["hw1-1/sinc"].agents for s in PRESETS["quick"].seeds]
    assert [(cell.label, cell.seed) for cell in made] == expected


def test_all_shows_something_of_long_variants() -> None:
    """Their preview, under one seed, where the preset has previews; or what of it is asked."""

    def previewed(preset: str, **options: Any) -> list[tuple[str, str, int]]:
        made = plan(["all"], preset=preset, seal=Seal(), **options)
        return [(c.variant.id, c.label, c.seed) for c in made if c.variant.long]

    wanted = [(n, agent, 3) for n, v in VARIANTS.items() for agent in v.preview if v.long]
    assert previewed("quick", seeds=[3, 4]) == wanted
    assert ("hw4-1/pong", "pretrained:ppo", 3) in wanted
    assert previewed("standard") == previewed("smoke") == []
    assert {label for _, label, _ in previewed("quick", agents=["random", "deep"])} == {"random"}


def test_a_long_variant_that_is_named_runs_in_full() -> None:
    """Beside `all`, too, and nothing of it comes twice."""
    made = plan(["all", "hw4-1"], preset="quick", seal=Seal())
    pong = [(cell.label, cell.seed) for cell in made if cell.variant.id == "hw4-1/pong"]
    assert pong == [(a, s) for a in VARIANTS["hw4-1/pong"].agents for s in PRESETS["quick"].seeds]


def test_a_variant_may_need_fewer_seeds_than_the_preset_has() -> None:
    """At quick one landscape of many starting points is enough, unless more are asked for."""

    def seeds(preset: str, wanted: list[int] | None = None) -> list[int]:
        made = plan(["hw1-2/xor"], preset=preset, agents=["gd"], seeds=wanted, seal=Seal())
        assert [cell.seed for cell in made if cell.draws] == [cell.seed for cell in made][:1]
        return [cell.seed for cell in made]

    assert seeds("quick") == [0]
    assert seeds("standard") == list(PRESETS["standard"].seeds)
    assert seeds("quick", [2, 1]) == [2, 1]


def test_an_agent_named_twice_runs_once() -> None:
    """Two cells of one name would write one record."""
    assert [cell.label for cell in cells("random", "deep", "random")] == ["random", "deep"]


def test_a_wrong_agent_is_refused_before_anything_runs() -> None:
    """The planner resolves every name."""
    with pytest.raises(UnknownAgent, match="did you mean 'shallow'"):
        cells("random", "shalow")


def test_agents_have_budgets_of_their_own() -> None:
    """Stable-Baselines3 gets fewer steps, and the same seconds."""
    deep, ppo = cells("deep", "sb3:PPO")
    assert deep.budget == VARIANTS["hw1-1/sinc"].budgets["smoke"]
    assert ppo.budget == FITTING_SB3_BUDGETS["smoke"]
    assert ppo.budget.seconds == deep.budget.seconds


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


CHANGES: dict[str, Callable[[Cell], Cell]] = {
    "seed": lambda cell: replace(cell, seed=1),
    "steps": lambda cell: replace(cell, budget=Budget(cell.budget.env_steps + 1, 20.0)),
    "seconds": lambda cell: replace(cell, budget=Budget(cell.budget.env_steps, 21.0)),
    "params": lambda cell: replace(cell, params={"learning_rate": 0.01}),
    "params' value": lambda cell: replace(cell, params={"learning_rate": 0.02}),
    "device": lambda cell: replace(cell, device="cuda"),
    "seal": lambda cell: replace(cell, seal=Seal("another")),
    "environment's arguments": lambda cell: replace(
        cell, variant=replace(cell.variant, env_kwargs={**cell.variant.env_kwargs, "noise": 0.1})
    ),
    "target": lambda cell: replace(cell, variant=VARIANTS["hw1-1/sgn"]),
    "test episodes": lambda cell: replace(cell, variant=replace(cell.variant, test_episodes=2)),
    "test instances": lambda cell: replace(cell, variant=replace(cell.variant, test_instances=7)),
    "pass mark": lambda cell: replace(
        cell, variant=replace(cell.variant, anchors=VARIANTS["hw1-1/sgn"].anchors)
    ),
    "agent": lambda cell: replace(cell, agent=cells("sb3:PPO")[0].agent),
}


def test_the_key_changes_with_what_the_result_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """One change, one new key, with the data as they are: no two of them collide either."""
    monkeypatch.setattr("mlds_bench.envs.fitting.data.checksum", lambda _: "the same data")
    (cell,) = cells("random")
    keys = {name: change(cell).key for name, change in CHANGES.items()}
    assert len({cell.key, *keys.values()}) == 1 + len(CHANGES), keys


def test_the_key_changes_with_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other data, other results, though every setting is the same."""
    before = cells("random")[0].key
    monkeypatch.setattr("mlds_bench.envs.fitting.data.checksum", lambda _: "other data")
    assert cells("random")[0].key != before


def test_the_key_changes_with_the_agents_source(mine: Path) -> None:
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


def test_the_key_does_not_depend_on_where_or_how_fast(mine: Path, tmp_path: Path) -> None:
    """Not on the agent's folder, the limits of the preset, the summary or the default agents."""
    (cell,) = cells(str(mine))
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (moved / "mine.py").write_text(AGENT)
    assert cells(str(moved / "mine.py"))[0].key == cell.key
    preset = replace(cell.preset, memory_mb=1, act_seconds=1.0, grace_seconds=1.0)
    assert replace(cell, preset=preset).key == cell.key
    variant = replace(cell.variant, summary="other words", agents=("random",))
    assert replace(cell, variant=variant).key == cell.key


def test_the_order_of_parameters_does_not_matter() -> None:
    """Settings are a mapping: the same ones are the same cell."""
    one = cells("deep", params={"learning_rate": 0.1, "batch_size": 8})[0]
    other = cells("deep", params={"batch_size": 8, "learning_rate": 0.1})[0]
    assert (one.key, one.label) == (other.key, other.label)


def test_a_key_does_not_give_the_seal_away() -> None:
    """What is printed of a seal is a part of its hash."""
    seal = Seal("very secret")
    assert "secret" not in repr(seal)
    assert "secret" not in seal.fingerprint
    assert "secret" not in repr(cells("random", seal=seal)[0])


def test_pictures_are_drawn_for_the_first_seed_of_a_run() -> None:
    """Seeds differ in their numbers, seldom in their pictures; and at smoke for none."""
    for preset, seeds in (("quick", None), ("quick", [7, 3]), ("smoke", None)):
        cells = plan(["hw1-2/xor"], preset=preset, agents=["gd"], seeds=seeds, seal=Seal())
        assert [cell.draws for cell in cells] == [
            preset != "smoke" and index == 0 for index in range(len(cells))
        ]
