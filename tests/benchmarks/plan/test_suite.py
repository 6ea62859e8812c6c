"""From names to cells: which variants, which agents, which seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlds_bench.agents.registry import UnknownAgent, resolve
from mlds_bench.benchmarks.plan import trained
from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.plan.homeworks.hw1_1 import FITTING_SB3_BUDGETS
from mlds_bench.benchmarks.plan.presets import PRESETS
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.suite import (
    parse_seeds,
    plan,
    select_preset,
    select_runs,
    select_variants,
)
from mlds_bench.benchmarks.plan.variants import HOMEWORKS, VARIANTS

AGENT = """
class Mine:
    def act(self, obs):
        return obs * 0
"""


@pytest.fixture(autouse=True)
def nothing_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether weights lie beside the committed records is another file's matter."""
    monkeypatch.setattr(trained, "COMMITTED", tmp_path / "nowhere")


def names(*patterns: str) -> list[str]:
    return [variant.id for variant in select_variants(patterns)]


def cells(*agents: str, **options: Any) -> list[Cell]:
    settings: dict[str, Any] = {"preset": "smoke", "seal": Seal(), "agents": agents or None}
    return plan(["hw1-1/sinc"], **{**settings, **options})


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["all"], [name for name, v in VARIANTS.items() if not v.family]),
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


def test_a_bare_variant_gets_all_that_bear_its_name() -> None:
    """Two homeworks have a sinc."""
    with pytest.raises(UsageError, match="did you mean 'hw1-1/sinc' or 'hw1-2/sinc'"):
        select_variants(["sinc"])


@pytest.mark.parametrize("name", ["hw2-2", "hw2-1/msvd"])
def test_a_homework_to_come_is_said_to_be_one(name: str) -> None:
    """A typo it is not."""
    with pytest.raises(UsageError, match=r"hw2-[12] is not built yet: .* hw1-1, hw1-2"):
        select_variants([name])


def test_a_file_among_the_variants_is_told_apart() -> None:
    """What a shell makes of ``-a ./*.py`` without quotes."""
    with pytest.raises(UsageError, match=r"\./b\.py is no variant: agents stand behind -a"):
        select_variants(["all", "./b.py"])


def test_agents_that_would_share_a_record_are_refused(tmp_path: Path) -> None:
    """One line names both, and the way out."""
    for name in ("ann", "bob"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "agent.py").write_text(AGENT)
    ann, bob = (str(tmp_path / name / "agent.py") for name in ("ann", "bob"))
    with pytest.raises(UsageError) as error:
        cells(ann, bob)
    line = str(error.value)
    assert "\n" not in line
    assert f"{ann}:Mine and {bob}:Mine would share" in line
    assert line.endswith(f"-a NAME={bob}:Mine")
    assert [cell.label for cell in cells(f"ann={ann}", f"bob={bob}")] == ["ann", "bob"]


@pytest.mark.parametrize(
    ("a", "b"), [("my agent.py", "my-agent.py"), ("\u7532.py", "\u4e59.py"), ("a:b.py", "a;b.py")]
)
def test_names_that_collapse_into_one_folder_are_refused(a: str, b: str, tmp_path: Path) -> None:
    """Spaces, another script, punctuation."""
    for name in (a, b):
        (tmp_path / name).write_text(AGENT)
    with pytest.raises(UsageError, match="would share the records of"):
        cells(str(tmp_path / a), str(tmp_path / b))


def test_the_same_agent_under_two_names_runs_once(tmp_path: Path) -> None:
    """Its file, and its class in the file."""
    (tmp_path / "mine.py").write_text(AGENT)
    file = str(tmp_path / "mine.py")
    assert [cell.label for cell in cells(file, f"{file}:Mine", "deep", "deep")] == [
        "mine.py:Mine",
        "deep",
    ]


def test_what_tables_print_is_taken() -> None:
    """An agent's own hyper-parameters win over those of all."""
    made = cells("deep@learning_rate=0.003,hidden=[8,8]", "shallow", params={"learning_rate": 0.1})
    assert [cell.label for cell in made] == [
        "deep@hidden=[8,8],learning_rate=0.003",
        "shallow@learning_rate=0.1",
    ]
    assert made[0].params == {"learning_rate": 0.003, "hidden": [8, 8]}


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


def test_seeds_of_several_options_add_up() -> None:
    """None is dropped."""
    assert parse_seeds("0", "3", "2-3") == (0, 3, 2)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("0-999999999", "at most 10,000 seeds fit into a run, got 0-999999999"),
        ("0-9999,10000", "at most 10,000 seeds"),
        ("2147483648", "a seed is at most 2147483647, got 2147483648"),
        ("9" * 5000, r"a seed is at most 2147483647, got 9{17}\.\.\."),
    ],
)
def test_seeds_have_bounds(text: str, line: str) -> None:
    """Neither their number nor their size fills the memory."""
    with pytest.raises(UsageError, match=line):
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


def test_by_default_the_variant_names_agents_and_seeds() -> None:
    """Without choices a plan is what its table of runs says."""
    run = VARIANTS["hw1-1/sinc"].runs["quick"].alone
    made = plan(["hw1-1/sinc"], preset="quick", seal=Seal())
    assert [(cell.label, cell.seed) for cell in made] == [
        (agent, seed) for agent in run.agents for seed in run.seeds
    ]


def test_all_holds_every_homework_at_quick() -> None:
    """Homework 4 by previews under one seed: learning takes hours there."""
    made = plan(["all"], preset="quick", seal=Seal())
    assert {cell.variant.homework for cell in made} == set(HOMEWORKS)
    long = [(c.variant.id, c.label, c.seed) for c in made if c.variant.homework.startswith("hw4")]
    assert ("hw4-1/pong", "pretrained:ppo", 0) in long
    assert {seed for _, _, seed in long} == {0}
    for name, variant in VARIANTS.items():
        in_all = variant.runs["quick"].in_all
        shown = [cell for cell in made if cell.variant.id == name]
        assert len(shown) == (len(in_all.agents) * len(in_all.seeds) if in_all else 0), name


@pytest.mark.parametrize("preset", ["smoke", "standard", "course"])
def test_all_leaves_homework_4_out_elsewhere(preset: str) -> None:
    """Hours of games are run by whoever names them."""
    made = plan(["all"], preset=preset, seal=Seal())
    assert {cell.variant.homework for cell in made} == {"hw1-1", "hw1-2", "hw1-3"}


def test_families_are_run_by_name_alone() -> None:
    """Neither `all` nor the homework's name runs the many variants of a table."""
    for patterns in (["all"], ["hw1-2"]):
        assert not any(variant.family for variant, _ in select_runs(patterns, "quick"))
    assert len(select_runs(["hw1-2/xor-relu-*"], "quick")) == 6


def test_a_variant_that_is_named_runs_in_full() -> None:
    """Beside `all`, too, and nothing of it comes twice."""
    run = VARIANTS["hw4-1/pong"].runs["quick"].alone
    made = plan(["all", "hw4-1"], preset="quick", seal=Seal())
    pong = [(cell.label, cell.seed) for cell in made if cell.variant.id == "hw4-1/pong"]
    assert pong == [(agent, seed) for agent in run.agents for seed in run.seeds]


def test_named_seeds_win_over_those_of_the_runs() -> None:
    """In the order in which they are named; the first one is drawn."""
    made = plan(["hw1-2/xor"], preset="quick", agents=["gd"], seeds=[2, 1], seal=Seal())
    assert [(cell.seed, cell.draws) for cell in made] == [(2, True), (1, False)]


def test_pictures_are_drawn_for_the_first_seed_of_a_run() -> None:
    """Seeds differ in their numbers, seldom in their pictures; and at smoke for none."""
    for preset, seeds in (("quick", None), ("quick", [7, 3]), ("smoke", None)):
        made = plan(["hw1-2/xor"], preset=preset, agents=["gd"], seeds=seeds, seal=Seal())
        assert [cell.draws for cell in made] == [
            preset != "smoke" and index == 0 for index in range(len(made))
        ]


def test_a_name_plays_in_the_variants_of_its_rooms() -> None:
    """A baseline in all, `deep` among functions, `gd` on landscapes; nobody elsewhere."""
    chosen = ["hw1-1/sinc", "hw1-2/xor", "hw4-1/pong"]
    made = plan(chosen, preset="smoke", agents=["random", "deep", "gd"], seal=Seal())
    assert [(cell.variant.id, cell.label) for cell in made] == [
        ("hw1-1/sinc", "random"),
        ("hw1-1/sinc", "deep"),
        ("hw1-2/xor", "random"),
        ("hw1-2/xor", "gd"),
        ("hw4-1/pong", "random"),
    ]


def test_agents_without_a_room_play_everywhere(tmp_path: Path) -> None:
    """A file, a dotted path and Stable-Baselines3; the file is read once for all variants."""
    (tmp_path / "mine.py").write_text(AGENT)
    dotted = "mlds_bench.agents.baselines.players:RandomAgent"
    agents = [str(tmp_path / "mine.py"), dotted, "sb3:PPO", "pretrained:random"]
    made = plan(["hw1-1/sinc", "hw1-2/xor"], preset="smoke", agents=agents, seal=Seal())
    assert len(made) == 8
    files = [cell.agent for cell in made if cell.agent.kind == "file"]
    assert files[0] is files[1]


def test_a_name_that_plays_in_none_of_the_variants_says_where_it_does() -> None:
    """One line, with the rooms of the name and what was chosen."""
    with pytest.raises(UnknownAgent) as error:
        plan(["hw1-1/s*"], preset="smoke", agents=["random", "ppo"], seal=Seal())
    assert str(error.value) == (
        "agent 'ppo' plays in atari, not in hw1-1/sinc, hw1-1/sgn, hw1-1/square"
    )


def test_names_are_resolved_once_per_variant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planning thousands of cells asks for each name once per variant, not once per cell."""
    asked: list[str] = []

    def noted(name: str, room: str | None = None) -> Any:
        asked.append(name)
        return resolve(name, room)

    monkeypatch.setattr("mlds_bench.benchmarks.plan.players.resolve", noted)
    made = plan(["hw1-1/sinc", "hw1-1/sgn"], preset="smoke", seeds=range(50), seal=Seal())
    assert len(made) == 50 * len(asked)


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
