"""The agent contract as one function, for ``mlds-bench check`` and for tests.

It runs an agent on a budget of seconds before anyone spends hours: in this process, without the
walls that the harness puts around an agent; `contract.apart` puts it into a process of its own.
"""

from __future__ import annotations

import math
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mlds_bench.agents.adapter import env_options, keeps
from mlds_bench.agents.base import UnknownHyperparameter, Unsupported
from mlds_bench.agents.budget import BudgetExhausted
from mlds_bench.agents.contract.subject import BUDGET_STEPS, SECONDS, AgentViolation, Subject
from mlds_bench.agents.registry import AgentSpec, UnknownAgent
from mlds_bench.agents.seeds import agent_seed
from mlds_bench.common.names import unknown_name
from mlds_bench.envs.contract import leaves
from mlds_bench.envs.registry import ENVIRONMENTS

Report = Callable[[str, str | None], None]
"""Is called with a rule and None when its check begins, with a line about it when it is kept."""


def silent(rule: str, line: str | None) -> None:
    """Report nothing."""


__all__ = ["CHECKS", "AgentViolation", "Subject", "check_agent", "check_subject"]


def check_agent(
    spec: AgentSpec,
    env_id: str,
    params: Mapping[str, Any] | None = None,
    *,
    env_kwargs: Mapping[str, Any] | None = None,
    seed: int = 0,
    device: str = "cpu",
    budget_steps: int = BUDGET_STEPS,
    report: Report = silent,
) -> dict[str, str]:
    """Check an agent against the whole contract, in a registered environment.

    Args:
        spec: the agent.
        env_id: Gymnasium id, ``mlds/FunctionFitting-v0`` say.
        params: its hyper-parameters.
        env_kwargs: keyword arguments of the environment.
        seed: of the cell; the agent gets the seed that the harness would give it.
        device: torch device.
        budget_steps: steps of learning, at least `BATCHES` batches.
        report: is told each rule as its check begins, and what came of it.

    Returns:
        The rules that were kept, each with one line about it.

    Raises:
        AgentViolation: one line, with the name of the broken rule first.
        UnknownAgent: if the name stands for no agent.
        UnknownHyperparameter: if ``params`` do not fit it.
        Unsupported: if the agent does not play in these spaces.
    """
    if env_id not in ENVIRONMENTS:
        raise ValueError(unknown_name("environment", env_id, [*ENVIRONMENTS]))
    report("imports", None)
    with _rule("imports", spec.module):
        cls = spec.load()
    subject = Subject(
        cls,
        ENVIRONMENTS[env_id],
        env_kwargs or {},
        params or {},
        agent_seed(spec, seed),
        device,
        budget_steps,
    )
    return check_subject(subject, report)


def check_subject(subject: Subject, report: Report = silent) -> dict[str, str]:
    """Check an agent's class in any environment; see `check_agent`."""
    lines = {}
    for name, check in CHECKS.items():
        report(name, None)
        with _rule(name, subject.cls.__module__):
            lines[name] = check(subject) or name
        report(name, lines[name])
    return lines


def _chooses_a_view(subject: Subject) -> None:
    options = env_options(subject.cls, subject.params)
    try:
        subject.playground.chosen(subject.env_kwargs, options)
    except ValueError as error:
        raise AgentViolation(str(error)) from None


def _builds(subject: Subject) -> None:
    subject.new()


def _learns_within_budget(subject: Subject) -> None:
    env = subject.first[1]
    if env.was_interrupted and not env.env_steps:
        raise AgentViolation(
            f"it did not step once in {SECONDS:g} s: learn from env.step, or return from learn"
        )
    if env.seconds > 2.0 * SECONDS:
        raise AgentViolation(f"learning took {env.seconds:.0f} s, the budget was {SECONDS:.0f} s")


def _acts_on_any_batch(subject: Subject) -> None:
    _ = subject.first_answers  # each is checked on its way


def _repeats_under_its_seed(subject: Subject) -> str | None:
    if subject.first[1].was_interrupted:
        return f"not repeated: learning was interrupted after {SECONDS:g} s"
    expected, (_, env) = subject.first_answers, subject.first
    out_of_time = env.stopped_by == "seconds"
    second, _ = subject.learned(stop_at=env.env_steps if out_of_time else math.inf)
    complaint = f"two agents with seed {subject.seed} differ: draw all randomness from seed"
    for size, actions in subject.all_answers(second).items():
        _same(expected[size], actions, complaint)
    return None


def _saves_and_loads(subject: Subject) -> str | None:
    if not keeps(subject.cls):
        return "keeps nothing: no save()"
    player, _ = subject.first
    with tempfile.TemporaryDirectory() as folder:
        player.agent.save(Path(folder))
        restored = subject.new()
        restored.agent.load(Path(folder))
    _same(
        subject.answers(player, 7),
        subject.answers(restored, 7),
        "the actions differ after save and load: write what was learned into the folder",
    )
    return None


def _survives_a_stop(subject: Subject) -> None:
    _, env = subject.first
    player, _ = subject.learned(stop_at=0.4 * env.env_steps)
    subject.answers(player, 7)


CHECKS: dict[str, Callable[[Subject], str | None]] = {
    "chooses a view": _chooses_a_view,
    "builds": _builds,
    "learns within its budget": _learns_within_budget,
    "acts on batches of any size": _acts_on_any_batch,
    "repeats under its seed": _repeats_under_its_seed,
    "saves and loads": _saves_and_loads,
    "survives a stop": _survives_a_stop,
}
"""Rule -> its check, which may return a line to be told instead of the rule."""


def _same(expected: Any, got: Any, complaint: str) -> None:
    for (place, a), (_, b) in zip(leaves(expected), leaves(got), strict=True):
        if not np.array_equal(a, b):
            row = int(np.argwhere(a != b)[0][0])
            raise AgentViolation(f"action{place}[{row}] was {a[row]} and is {b[row]}: {complaint}")


@contextmanager
def _rule(name: str, module: str) -> Iterator[None]:
    """One line with the rule's name for whatever goes wrong, and where in the agent's code."""
    try:
        yield
    except (UnknownAgent, UnknownHyperparameter, Unsupported):
        raise
    except AgentViolation as violation:
        raise AgentViolation(f"{name}: {violation}") from violation
    except (Exception, BudgetExhausted, SystemExit) as error:
        line = " ".join(str(error).split()) or "no message"
        place = _place(error, module)
        raise AgentViolation(f"{name}: {type(error).__name__}: {line}{place}") from error


def _place(error: BaseException, module: str) -> str:
    """The last line of the agent's own code on the way to an error."""
    for frame, number in reversed(list(traceback.walk_tb(error.__traceback__))):
        if module in (frame.f_globals.get("__name__"), frame.f_code.co_filename):
            return f" ({Path(frame.f_code.co_filename).name}, line {number})"
    return ""
