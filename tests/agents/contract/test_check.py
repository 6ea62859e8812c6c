from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from gymnasium import spaces

from mlds_bench.agents import budget as budget_module
from mlds_bench.agents.base import UnknownHyperparameter, Unsupported
from mlds_bench.agents.baselines.players import ConstantAgent, RandomAgent
from mlds_bench.agents.budget import BudgetExhausted
from mlds_bench.agents.contract import subject as subject_module
from mlds_bench.agents.contract.check import (
    CHECKS,
    AgentViolation,
    Subject,
    check_agent,
    check_subject,
)
from mlds_bench.agents.registry import UnknownAgent, resolve
from tests.agents.toyground import Ground
from tests.envs.toys import Composite, Walk

FITTING = "mlds/FunctionFitting-v0"


class Still:
    """The shortest agent: it stays where it is."""

    def act(self, obs: Any) -> Any:
        return np.ones(len(obs), np.int64)


class Learner(Still):
    """Counts what it sees; a good citizen that the others spoil."""

    num_envs = 4

    def __init__(self, seed: int) -> None:
        self.generator = np.random.default_rng(seed)
        self.choice = np.zeros(1, np.int64)

    def learn(self, env: Any, budget: Any) -> None:
        env.reset()
        while True:
            actions = self.generator.integers(3, size=env.num_envs)
            env.step(actions)
            self.choice = (self.choice + actions.sum()) % 3

    def act(self, obs: Any) -> Any:
        return np.repeat(self.choice, len(obs))

    def save(self, folder: Path) -> None:
        np.save(folder / "choice.npy", self.choice)

    def load(self, folder: Path) -> None:
        self.choice = np.load(folder / "choice.npy")


class Forgetful(Learner):
    def load(self, folder: Path) -> None:
        pass


class Unseeded(Learner):
    def __init__(self) -> None:
        super().__init__(seed=int(np.random.default_rng().integers(2**31)))

    def act(self, obs: Any) -> Any:
        return self.generator.integers(3, size=len(obs))


class Swallower(Learner):
    def learn(self, env: Any, budget: Any) -> None:
        while True:
            try:
                super().learn(env, budget)
            except BudgetExhausted:
                continue


class Polite(Learner):
    """Catches the end of the budget once, and is done."""

    def learn(self, env: Any, budget: Any) -> None:
        try:
            super().learn(env, budget)
        except BudgetExhausted:
            return


class OnlyPairs(Still):
    def act(self, obs: Any) -> Any:
        return super().act(obs[:7])


class NotANumber(Still):
    def act(self, obs: Any) -> Any:
        return np.full(len(obs), np.nan)


class Broken(Still):
    def learn(self, env: Any, budget: Any) -> None:
        raise KeyError("weights")


class Complete(Learner):
    """Knows how much it may use, and has its answer only at the end of it."""

    def learn(self, env: Any, budget: Any) -> None:
        env.reset()
        for _ in range(budget.env_steps // env.num_envs):
            env.step(np.ones(env.num_envs, np.int64))
        self.done = True

    def act(self, obs: Any) -> Any:
        return np.ones(len(obs), np.int64) * int(self.done)

    def save(self, folder: Path) -> None: ...

    def load(self, folder: Path) -> None:
        self.done = True


class Thinker(Still):
    """Computes between steps, without an end."""

    def learn(self, env: Any, budget: Any) -> None:
        env.reset()
        while True:
            sum(range(1000))


class Wishful(Still):
    env_options: ClassVar[dict[str, Any]] = {"vew": "flat"}


class Sighted(RandomAgent):
    """Chooses a view; the actions that it is built with are those of this view."""

    env_options: ClassVar[dict[str, Any]] = {"view": "wide"}


class WalkWithAView(Walk):
    view_options = frozenset({"view"})

    def __init__(self, *, view: str = "narrow", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if view == "wide":
            self.single_action_space = spaces.Discrete(2, start=1)


def passed(cls: type, **params: Any) -> dict[str, str]:
    return check_subject(Subject(cls, Ground(Walk), params=params))


@pytest.mark.parametrize("cls", [Still, Learner, Polite, RandomAgent, ConstantAgent])
def test_good_agents_pass_every_check(cls: type) -> None:
    """Each rule has a line about it: what keeps nothing is not said to be saved."""
    lines = passed(cls)
    assert list(lines) == list(CHECKS)
    kept = "keeps nothing: no save()" if cls is Still else "saves and loads"
    assert lines.pop("saves and loads") == kept
    assert all(rule == line for rule, line in lines.items())


@pytest.mark.parametrize("cls", [RandomAgent, ConstantAgent])
def test_dictionaries_are_checked_too(cls: type) -> None:
    """Dict observations and actions pass through every check."""
    assert list(check_subject(Subject(cls, Ground(Composite)))) == list(CHECKS)


@pytest.mark.parametrize(
    ("cls", "line"),
    [
        (Broken, "learns within its budget: KeyError: 'weights' (test_check.py, line "),
        (Swallower, "learns within its budget: it goes on stepping when the budget is spent"),
        (OnlyPairs, "acts on batches of any size: in a batch of 1000: action has shape (7,)"),
        (NotANumber, "acts on batches of any size: in a batch of 1: action must hold integers"),
        (Unseeded, "repeats under its seed: action["),
        (Forgetful, "saves and loads: action[0] was "),
        (Complete, "survives a stop: AttributeError: 'Complete' object has no attribute 'done'"),
        (Wishful, "chooses a view: unknown choice of view 'vew'"),
    ],
)
def test_a_violation_is_named_in_one_line(cls: type, line: str) -> None:
    """The rule first, then what happened, and where in the agent's own code."""
    with pytest.raises(AgentViolation) as error:
        passed(cls)
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


def test_a_wrong_view_gets_the_nearest_right_one() -> None:
    """What a room lets an agent choose is told."""
    with pytest.raises(AgentViolation, match=r"'vew': did you mean 'view'.*WalkWithAView"):
        check_subject(Subject(Wishful, Ground(WalkWithAView)))


def test_an_agent_is_built_with_the_spaces_of_its_view() -> None:
    """The options are applied before the agent is made, learns and acts."""
    player = Subject(Sighted, Ground(WalkWithAView)).new()
    assert player.agent.agent.action_space == spaces.Discrete(2, start=1)
    assert player.env_options == {"view": "wide"}
    assert list(check_subject(Subject(Sighted, Ground(WalkWithAView)))) == list(CHECKS)


def test_a_variants_own_arguments_win() -> None:
    """An agent's choice gives way to what the variant sets."""
    ground = Ground(WalkWithAView)
    player = Subject(Sighted, ground, env_kwargs={"view": "narrow"}).new()
    assert player.agent.agent.action_space == spaces.Discrete(3)


def test_an_agent_that_only_computes_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is checked as it stands when its seconds are over."""
    monkeypatch.setattr(subject_module, "SECONDS", 0.2)
    monkeypatch.setattr(budget_module, "LATE_SECONDS", 0.1)
    _, env = Subject(Thinker, Ground(Walk)).first
    assert env.stopped_by == "seconds"


def test_what_is_no_fault_of_the_agent_passes_through() -> None:
    """Wrong settings and spaces keep their own exceptions, for the command line to tell."""
    with pytest.raises(UnknownHyperparameter, match="did you mean 'action'"):
        passed(ConstantAgent, actoin=1)
    from mlds_bench.agents.sb3.agent import make_sb3

    with pytest.raises(Unsupported, match="one action head"):
        check_subject(Subject(make_sb3("PPO"), Ground(Composite)))


@pytest.mark.parametrize("name", ["random", "constant", "sb3:PPO"])
def test_agents_are_checked_by_name_in_a_registered_environment(name: str) -> None:
    """The way of the command line: a name, an id, settings and nothing else."""
    params = {"n_epochs": 1} if name.startswith("sb3") else {}
    lines = check_agent(resolve(name), FITTING, params, budget_steps=2100)
    assert list(lines) == list(CHECKS)


def test_each_rule_is_told_as_it_comes() -> None:
    """When its check begins, and when it is kept."""
    told: list[tuple[str, str | None]] = []
    check_agent(resolve("constant"), FITTING, report=lambda *message: told.append(message))
    assert told[:3] == [("imports", None), ("chooses a view", None), ("chooses a view",) * 2]
    assert [rule for rule, line in told if line] == list(CHECKS)


def test_a_file_is_checked_with_a_seed_that_the_harness_would_give(tmp_path: Path) -> None:
    """Seeds that numpy takes."""
    path = tmp_path / "mine.py"
    path.write_text(
        "import numpy as np\nclass Mine:\n"
        "    def __init__(self, seed): np.random.seed(seed); assert seed > 2**16\n"
        "    def act(self, obs): return obs[:, :1]\n"
    )
    check_agent(resolve(str(path)), FITTING)


class Thinks:
    def learn(self, env: Any, budget: Any) -> None:
        time.sleep(60)

    def act(self, obs: Any) -> Any:
        return np.ones(len(obs), np.int64)


class ThinksLater(Thinks):
    def learn(self, env: Any, budget: Any) -> None:
        env.reset()
        env.step(self.act([0]))
        super().learn(env, budget)


def test_an_agent_that_never_steps_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is interrupted once, and not waited for in every check."""
    monkeypatch.setattr(subject_module, "SECONDS", 0.2)
    monkeypatch.setattr(budget_module, "LATE_SECONDS", 0.1)
    with pytest.raises(AgentViolation, match=r"^learns within its budget: it did not step once"):
        passed(Thinks)


def test_an_agent_that_is_interrupted_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the clock has stopped it depends on the machine; a second time it is not waited for."""
    monkeypatch.setattr(subject_module, "SECONDS", 0.2)
    monkeypatch.setattr(budget_module, "LATE_SECONDS", 0.1)
    line = passed(ThinksLater)["repeats under its seed"]
    assert line.startswith("not repeated: learning was interrupted after")
    with pytest.raises(AgentViolation, match=r"it was still learning after 0\.6 s"):
        Subject(ThinksLater, Ground(Walk)).learned()


def test_ten_lines_in_a_file_are_an_agent(tmp_path: Path) -> None:
    """No base class, no constructor, no learning: act is enough."""
    path = tmp_path / "mine.py"
    path.write_text(
        "import numpy as np\n\n\n"
        "class Mine:\n"
        "    def act(self, obs):\n"
        "        return np.clip(np.sin(5 * obs[:, :1]), -2, 2)\n"
    )
    assert list(check_agent(resolve(str(path)), FITTING)) == list(CHECKS)


def test_errors_on_import_are_told_with_their_line(tmp_path: Path) -> None:
    """The agent's own code is named, not ours."""
    path = tmp_path / "mine.py"
    path.write_text("import numpy\nclass Mine:\n    def act(self, o): ...\nnumpy.nothing\n")
    with pytest.raises(AgentViolation, match=r"imports: Attribute.*mine\.py, line 4") as error:
        check_agent(resolve(str(path)), FITTING)
    assert "\n" not in str(error.value)


def test_wrong_names_pass_through() -> None:
    """An unknown environment or class is a usage error, not a violation."""
    with pytest.raises(ValueError, match=f"did you mean '{FITTING}'"):
        check_agent(resolve("random"), "mlds/FunctionFiting-v0")
    spec = resolve("random")
    with pytest.raises(UnknownAgent, match="did you mean 'RandomAgent'"):
        check_agent(type(spec)(spec.name, "builtin", spec.target + "s"), FITTING)
