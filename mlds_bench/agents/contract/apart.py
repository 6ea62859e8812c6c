"""The agent contract in a process of its own, under a clock: whatever an agent does, a check ends.

The child is told what to check through standard input, and tells how it goes in lines of JSON.
"""

from __future__ import annotations

import json
import os
import pickle
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from mlds_bench.agents.base import UnknownHyperparameter, Unsupported
from mlds_bench.agents.contract.check import Report, check_agent, silent
from mlds_bench.agents.contract.subject import SECONDS, AgentViolation
from mlds_bench.agents.registry import AgentSpec, UnknownAgent

RULE_SECONDS = 5.0 * SECONDS
"""The check of one rule is ended after so long: three learnings, and what an agent answers."""
REFUSALS: dict[str, type[ValueError]] = {
    cls.__name__: cls for cls in (UnknownAgent, UnknownHyperparameter, Unsupported)
}
"""Errors that are the user's, and not the agent's."""


def check_apart(
    spec: AgentSpec,
    env_id: str,
    params: Mapping[str, Any] | None = None,
    *,
    env_kwargs: Mapping[str, Any] | None = None,
    seed: int = 0,
    device: str = "cpu",
    report: Report = silent,
    rule_seconds: float = RULE_SECONDS,
) -> None:
    """Check an agent as `check_agent` does, in another process. What it prints goes to stderr.

    Args:
        spec: the agent.
        env_id: Gymnasium id.
        params: its hyper-parameters.
        env_kwargs: keyword arguments of the environment.
        seed: of the cell.
        device: torch device.
        report: is told how it goes, as it goes.
        rule_seconds: how long the check of one rule may take.

    Raises:
        AgentViolation: as by `check_agent`, or the agent hung, or ended its process.
        UnknownAgent: as by `check_agent`, and so `UnknownHyperparameter` and `Unsupported`.
    """
    _ = spec.sources  # read here: the child runs what was named
    keywords = {"env_kwargs": dict(env_kwargs or {}), "seed": seed, "device": device}
    job = pickle.dumps((spec, env_id, dict(params or {}), keywords))
    ours, theirs = os.pipe()
    child = _start(job, theirs)
    os.close(theirs)
    try:
        _listen(child, ours, report, rule_seconds)
    finally:
        _kill(child)
        os.close(ours)


def _start(job: bytes, pipe: int) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        # -P: the user's folder comes where it stands in our path, and not before all else
        [sys.executable, "-P", "-m", __name__, str(pipe)],
        stdin=subprocess.PIPE,
        stdout=2,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(entry or "." for entry in sys.path)},
        pass_fds=[pipe],
        start_new_session=True,
    )
    assert child.stdin is not None
    child.stdin.write(job)
    child.stdin.close()
    return child


def _listen(child: subprocess.Popen[bytes], pipe: int, report: Report, rule_seconds: float) -> None:
    rule = "starts"
    for message in _messages(pipe, rule_seconds):
        match message:
            case {"rule": str(rule), "line": str() | None as line}:
                report(rule, line)
            case {"done": _}:
                return
            case {"refusal": kind, "line": line}:
                raise REFUSALS[kind](line)
            case {"violation": line, "traceback": text}:
                raise AgentViolation(line, text)
            case None:
                raise AgentViolation(f"{rule}: no end after {rule_seconds:g} s: the agent hangs")
    raise AgentViolation(f"{rule}: {_how_it_ended(child)}")


def _messages(pipe: int, seconds: float) -> Iterator[dict[str, Any] | None]:
    """What the child says; None if it is silent for so long."""
    rest, deadline = b"", time.monotonic() + seconds
    while True:
        ready, _, _ = select.select([pipe], [], [], max(deadline - time.monotonic(), 0.0))
        if not ready:
            yield None
            return
        read = os.read(pipe, 65_536)
        if not read:
            return
        *lines, rest = (rest + read).split(b"\n")
        for line in lines:
            yield json.loads(line)
            deadline = time.monotonic() + seconds


def _how_it_ended(child: subprocess.Popen[bytes]) -> str:
    try:
        code = child.wait(timeout=1.0)
    except subprocess.TimeoutExpired:
        return "the agent's process has hung up"
    if code < 0:
        return f"the agent's process was killed by {signal.Signals(-code).name}"
    return f"the agent's process ended with exit code {code}"


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the child and what it has started."""
    with suppress(ProcessLookupError, PermissionError):  # it has ended, and all with it
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


@dataclass(frozen=True)
class _Teller:
    """Messages to the parent."""

    pipe: int

    def __call__(self, **message: Any) -> None:
        os.write(self.pipe, json.dumps(message).encode() + b"\n")


def _traceback_of(violation: AgentViolation) -> str:
    """Of what the agent has raised, if it has."""
    cause = violation.__cause__
    if cause is None or isinstance(cause, AgentViolation):
        return ""
    return "".join(traceback.format_exception(cause))


def main() -> NoReturn:
    """Check the agent that comes through standard input, and tell the pipe that is named."""
    tell = _Teller(int(sys.argv[1]))
    os.set_inheritable(tell.pipe, False)
    spec, env_id, params, keywords = pickle.loads(sys.stdin.buffer.read())  # from the parent alone
    try:
        check_agent(
            spec, env_id, params, report=lambda rule, line: tell(rule=rule, line=line), **keywords
        )
    except tuple(REFUSALS.values()) as error:
        tell(refusal=type(error).__name__, line=str(error))
    except AgentViolation as violation:
        tell(violation=str(violation), traceback=_traceback_of(violation))
    else:
        tell(done=True)
    sys.stdout.flush()
    os._exit(0)  # threads that the agent has left do not hold it up


if __name__ == "__main__":
    main()
