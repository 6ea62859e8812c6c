"""The agent contract as one function, for ``mlds-bench check`` and for tests.

It runs an agent on a budget of seconds before anyone spends hours: in this process, without the
walls that the harness puts around an agent.
"""

from __future__ import annotations

import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import numpy as np

from mlds_bench.agents.adapter import AgentAdapter, env_options
from mlds_bench.agents.base import (
    Budget,
    BudgetedEnv,
    BudgetExhausted,
    UnknownHyperparameter,
    Unsupported,
    unknown_name,
)
from mlds_bench.agents.params import build
from mlds_bench.agents.registry import AgentSpec, UnknownAgent
from mlds_bench.envs.actions import InvalidAction, check_actions
from mlds_bench.envs.contract import leaves
from mlds_bench.envs.core import BatchedEnv
from mlds_bench.envs.registry import ENVIRONMENTS

EnvFactory: TypeAlias = Callable[..., BatchedEnv]

BUDGET_STEPS = 4096
BATCHES = 4
"""The budget is at least this many batches of the size that the agent asks for."""
SECONDS = 60.0
BATCH_SIZES = (1, 7, 1000)
PATIENCE = 3
"""Steps that an agent may try after its budget is spent."""


class AgentViolation(AssertionError):
    """An agent breaks a rule of the contract; the rule's name stands first."""


class StillStepping(BaseException):
    """Ends an agent that catches `BudgetExhausted` and goes on."""


class WatchedEnv(BudgetedEnv):
    """A `BudgetedEnv` that does not put up with an agent that steps on and on."""

    refusals = 0

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step; see `BudgetedEnv.step`."""
        try:
            return super().step(actions)
        except BudgetExhausted:
            self.refusals += 1
            if self.refusals > PATIENCE:
                raise StillStepping from None
            raise


@dataclass
class Subject:
    """The agent under check.

    Attributes:
        cls: its class.
        make_env: the batched class of the environment, its keyword arguments bound.
        params: hyper-parameters.
        seed: of the agent.
        device: torch device.
        budget_steps: at least so many steps of learning.
    """

    cls: type
    make_env: EnvFactory
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    device: str = "cpu"
    budget_steps: int = BUDGET_STEPS

    def new(self) -> AgentAdapter:
        """A fresh agent."""
        env = self.make_env(num_envs=1, split="test", seed=0, **env_options(self.cls))
        agent = build(
            self.cls,
            observation_space=env.single_observation_space,
            action_space=env.single_action_space,
            seed=self.seed,
            device=self.device,
            params=self.params,
        )
        return AgentAdapter(agent)

    def learnt(self, share: float = 1.0) -> tuple[AgentAdapter, WatchedEnv]:
        """A fresh agent after a share of the budget, and the environment that it learnt in."""
        agent = self.new()
        env = self.make_env(num_envs=agent.num_envs, split="train", seed=1, **agent.env_options)
        steps = int(share * max(self.budget_steps, BATCHES * agent.num_envs))
        watched = WatchedEnv(env, Budget(env_steps=steps, seconds=SECONDS))
        try:
            agent.learn(watched, watched.budget)
        except BudgetExhausted:
            pass
        except StillStepping:
            _violated("it goes on stepping when the budget is spent: let BudgetExhausted pass")
        return agent, watched

    def answers(self, agent: AgentAdapter, size: int, *, deterministic: bool = True) -> Any:
        """The agent's actions for a batch of first observations, checked."""
        env = self.make_env(num_envs=size, split="test", seed=2, **agent.env_options)
        observation, _ = env.reset()
        agent.reset(np.ones(size, dtype=np.bool_))
        actions = agent.act(observation, deterministic=deterministic)
        return check_actions(env.single_action_space, actions, size, env.action_mask)


def check_agent(
    spec: AgentSpec,
    env_id: str,
    params: Mapping[str, Any] | None = None,
    *,
    env_kwargs: Mapping[str, Any] | None = None,
    seed: int = 0,
    device: str = "cpu",
    budget_steps: int = BUDGET_STEPS,
) -> dict[str, float]:
    """Check an agent against the whole contract, in a registered environment.

    Args:
        spec: the agent.
        env_id: Gymnasium id, ``mlds/FunctionFitting-v0`` say.
        params: its hyper-parameters.
        env_kwargs: keyword arguments of the environment.
        seed: of the agent.
        device: torch device.
        budget_steps: steps of learning, at least `BATCHES` batches.

    Returns:
        The checks that were passed, each with the seconds it took.

    Raises:
        AgentViolation: one line, with the name of the broken rule first.
        UnknownAgent: if the name stands for no agent.
        UnknownHyperparameter: if ``params`` do not fit it.
        Unsupported: if the agent does not play in these spaces.
    """
    if env_id not in ENVIRONMENTS:
        raise ValueError(unknown_name("environment", env_id, [*ENVIRONMENTS]))
    make_env = partial(ENVIRONMENTS[env_id].batched_class, **(env_kwargs or {}))
    with _rule("imports", spec.module):
        cls = spec.load()
    return check_subject(Subject(cls, make_env, params or {}, seed, device, budget_steps))


def check_subject(subject: Subject) -> dict[str, float]:
    """Check an agent's class in any environment; see `check_agent`."""
    seconds = {}
    for name, check in CHECKS.items():
        began = time.perf_counter()
        with _rule(name, subject.cls.__module__):
            check(subject)
        seconds[name] = time.perf_counter() - began
    return seconds


def _chooses_a_view(subject: Subject) -> None:
    env = subject.make_env(num_envs=1, split="test", seed=0)
    for option in env_options(subject.cls):
        if option not in env.view_options:
            line = unknown_name("choice of view", option, sorted(env.view_options))
            _violated(f"{line} (in {type(env).__name__})")


def _builds(subject: Subject) -> None:
    subject.new()


def _learns_within_budget(subject: Subject) -> None:
    _, env = subject.learnt()
    if env.seconds > 2.0 * SECONDS:
        _violated(f"learning took {env.seconds:.0f} s of a budget of {SECONDS:.0f} s")


def _acts_on_any_batch(subject: Subject) -> None:
    agent, _ = subject.learnt()
    for size in BATCH_SIZES:
        for deterministic in (True, False):
            try:
                subject.answers(agent, size, deterministic=deterministic)
            except InvalidAction as error:
                _violated(f"in a batch of {size}: {error}")


def _repeats_under_its_seed(subject: Subject) -> None:
    (first, _), (second, _) = subject.learnt(), subject.learnt()
    for deterministic in (True, False):
        _same(
            subject.answers(first, 7, deterministic=deterministic),
            subject.answers(second, 7, deterministic=deterministic),
            f"two agents with seed {subject.seed} differ: draw all randomness from seed",
        )


def _saves_and_loads(subject: Subject) -> None:
    agent, _ = subject.learnt()
    with tempfile.TemporaryDirectory() as folder:
        agent.save(Path(folder))
        restored = subject.new()
        restored.load(Path(folder))
    _same(
        subject.answers(agent, 7),
        subject.answers(restored, 7),
        "the actions differ after save and load: write what was learnt into the folder",
    )


def _survives_a_stop(subject: Subject) -> None:
    _, env = subject.learnt()
    used = env.env_steps / env.budget.env_steps
    agent, _ = subject.learnt(share=0.4 * used)
    subject.answers(agent, 7)


CHECKS: dict[str, Callable[[Subject], None]] = {
    "chooses a view": _chooses_a_view,
    "builds": _builds,
    "learns within its budget": _learns_within_budget,
    "acts on batches of any size": _acts_on_any_batch,
    "repeats under its seed": _repeats_under_its_seed,
    "saves and loads": _saves_and_loads,
    "survives a stop": _survives_a_stop,
}


def _violated(line: str) -> NoReturn:
    raise AgentViolation(line)


def _same(expected: Any, got: Any, complaint: str) -> None:
    for (place, a), (_, b) in zip(leaves(expected), leaves(got), strict=True):
        if not np.array_equal(a, b):
            row = int(np.argwhere(np.atleast_1d(a != b))[0][0])
            _violated(f"action{place}[{row}] was {a[row]} and is {b[row]}: {complaint}")


@contextmanager
def _rule(name: str, module: str) -> Iterator[None]:
    """One line with the rule's name for whatever goes wrong, and where in the agent's code."""
    try:
        yield
    except (UnknownAgent, UnknownHyperparameter, Unsupported):
        raise
    except AgentViolation as violation:
        raise AgentViolation(f"{name}: {violation}") from violation
    except (Exception, BudgetExhausted) as error:
        line = " ".join(str(error).split())
        place = _place(error, module)
        raise AgentViolation(f"{name}: {type(error).__name__}: {line}{place}") from error


def _place(error: Exception, module: str) -> str:
    """The last line of the agent's own code on the way to an error."""
    for frame, number in reversed(list(traceback.walk_tb(error.__traceback__))):
        if module in (frame.f_globals.get("__name__"), frame.f_code.co_filename):
            return f" ({Path(frame.f_code.co_filename).name}, line {number})"
    return ""
