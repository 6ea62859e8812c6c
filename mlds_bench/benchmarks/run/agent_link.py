"""The harness's side of an agent: start its process, wait for it with limits, end it.

Nothing the agent's process sends is trusted: no pickle crosses, and messages are checked.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.reduction import send_handle
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import psutil
from pydantic import BaseModel

from mlds_bench.benchmarks.run.agent_process import AgentJob, serve
from mlds_bench.benchmarks.run.exchange import Exchange
from mlds_bench.benchmarks.run.messages import (
    Answer,
    Message,
    Point,
    Problem,
    Ready,
    read_message,
)
from mlds_bench.benchmarks.run.orphans import adopt_orphans, kill
from mlds_bench.benchmarks.run.wire import BadMessage, Wire
from mlds_bench.leaderboard.record import CurvePoint, State

M = TypeVar("M", bound=BaseModel)

POLL_SECONDS = 0.2
LOOK_SECONDS = 1.0  # looking at memory reads all of /proc; the agent has a hard limit of its own
DYING_SECONDS = 1.0
MEBIBYTE = 2**20


class CellFailure(Exception):
    """A cell ends here, with this state and reason."""

    def __init__(self, state: State, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


class Closable(Protocol):
    """Whatever a forked process has to let go of."""

    def close(self) -> None:
        """Let go of it."""


class AgentLink:
    """An agent in its process.

    Args:
        job: what the agent is told.
        hidden: what is open in this process and must not be in the agent's.

    Attributes:
        exchange: the memory of the test batch, once it is open.
        is_ready: whether the agent was built.
        peak_memory_mb: largest resident memory of the agent and what it has started, MiB.
        cpu_seconds: their processor time.
    """

    def __init__(self, job: AgentJob, *, hidden: Iterable[Closable]) -> None:
        adopt_orphans()
        context = get_context("fork")
        ours, theirs = context.Pipe()
        self._wire = Wire(ours)
        self._process = context.Process(target=serve, args=(job, theirs, (ours, *hidden)))
        with _holding(signal.SIGTERM):  # what it raises within a fork's own hooks would be lost
            self._process.start()
        theirs.close()
        self._memory_mb = job.memory_mb
        self._looked = 0.0
        self.exchange: Exchange | None = None
        self.is_ready = False
        self.peak_memory_mb = 0.0
        self.cpu_seconds = 0.0

    def expect(
        self,
        kind: type[M],
        seconds: float,
        doing: str,
        on_point: Callable[[CurvePoint], None] | None = None,
    ) -> M:
        """The agent's next message, which must be of this kind.

        Args:
            kind: a class of `messages`.
            seconds: how long to wait.
            doing: for the reason of a failure, as in "learning".
            on_point: called with each point of the learning curve on the way.

        Raises:
            CellFailure: the agent failed, died, took too long or too much memory.
        """
        deadline = time.monotonic() + seconds
        while True:
            message = self._next_message(deadline, seconds, doing)
            if isinstance(message, Problem):
                raise self._failure(message, doing)
            if isinstance(message, Point) and on_point is not None:
                on_point(message.point)
            elif isinstance(message, kind):
                # Thousands of answers come in a test: memory is looked at by time.
                self._look_again() if kind is Answer else self._look()
                self.is_ready = self.is_ready or kind is Ready
                return message
            else:
                raise CellFailure("failed", f"an unexpected message from the agent while {doing}")

    def _failure(self, problem: Problem, doing: str) -> CellFailure:
        """An agent may decline before it has seen anything, and not after."""
        if problem.state == "skipped" and not self.is_ready:
            return CellFailure("skipped", problem.reason)
        state = "failed" if problem.state == "skipped" else problem.state
        return CellFailure(state, f"{problem.reason}, while {doing}")

    def open_exchange(self, observation_space: Any, action_space: Any, num_envs: int) -> None:
        """Share the memory of the test batch with the agent."""
        self.exchange = Exchange(observation_space, action_space, num_envs)
        self._send(str(num_envs), DYING_SECONDS, "getting ready for the test")
        assert self._process.pid is not None
        send_handle(self._wire.pipe, self.exchange.descriptor, self._process.pid)

    def act(self, observation: Any, seconds: float) -> Any:
        """The agent's actions for a test batch."""
        assert self.exchange is not None
        self.exchange.write("observation", observation)
        self._ask("act", seconds, "acting")
        return self.exchange.read("action")

    def reset(self, done: npt.NDArray[np.bool_], seconds: float) -> None:
        """Tell the agent which instances begin anew."""
        assert self.exchange is not None
        self.exchange.write("done", done)
        self._ask("reset", seconds, "forgetting")

    def kill(self) -> None:
        """End the agent and whatever it has started."""
        self._measure()
        family = _family()
        if self._process.pid is not None:
            kill(self._process.pid, group=True)  # all at once: we may be killed any moment, too
        for process in family:
            kill(process.pid)
        self._process.join()
        for process in _family():  # started while we killed
            kill(process.pid)
        self._wire.close()
        if self.exchange is not None:
            self.exchange.close()

    def _ask(self, question: str, seconds: float, doing: str) -> None:
        self._send(question, seconds, doing)
        answer = self.expect(Answer, seconds, doing)
        if answer.kind != f"{question} done":
            raise CellFailure("failed", f"an unexpected answer from the agent while {doing}")

    def _send(self, question: str, seconds: float, doing: str) -> None:
        """Ask, unless the agent has something to say before it is asked."""
        early = self._hear(0.0, "between two questions")
        if isinstance(early, Problem):
            raise self._failure(early, doing)
        if early is not None:
            raise CellFailure("failed", f"the agent answered before it was asked, while {doing}")
        try:
            is_sent = self._wire.send(question.encode(), seconds)
        except OSError:
            raise CellFailure("failed", self._how_it_died("between two questions")) from None
        if not is_sent:
            raise CellFailure("timeout", f"the agent has read no question for {seconds:g} s")

    def _next_message(self, deadline: float, seconds: float, doing: str) -> Message:
        while True:
            left = max(deadline - time.monotonic(), 0.0)
            was_alive = self._process.is_alive()
            message = self._hear(min(POLL_SECONDS, left) if was_alive else 0.0, doing)
            self._look_again()
            if message is not None:
                return message
            if not was_alive:
                raise CellFailure("failed", self._how_it_died(doing))
            if time.monotonic() >= deadline:
                raise CellFailure("timeout", f"{doing} took longer than {seconds:g} s")

    def _hear(self, seconds: float, doing: str) -> Message | None:
        """The next message, or None if none has come after so many seconds."""
        try:
            content = self._wire.receive(seconds)
        except EOFError:
            raise CellFailure("failed", self._how_it_died(doing)) from None
        except BadMessage as error:
            raise CellFailure("failed", f"the agent sent {error} while {doing}") from None
        if content is None:
            return None
        message = read_message(content)
        if message is None:
            raise CellFailure("failed", f"an unexpected message from the agent while {doing}")
        return message

    def _how_it_died(self, doing: str) -> str:
        self._process.join(timeout=DYING_SECONDS)
        code = self._process.exitcode
        if code is None:
            return f"the agent hung up while {doing}"
        if code < 0:
            return f"the agent's process was killed by {signal.Signals(-code).name} while {doing}"
        return f"the agent's process ended with exit code {code} while {doing}"

    def _look_again(self) -> None:
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._look()

    def _look(self) -> None:
        """Refuse too much memory."""
        memory = self._measure()
        if memory > self._memory_mb and self._process.is_alive():
            raise CellFailure(
                "out-of-memory", f"the agent took {memory:.0f} MiB of {self._memory_mb} MiB"
            )

    def _measure(self) -> float:
        """Note memory (MiB, returned) and processor time of the agent and what it has started."""
        self._looked = time.monotonic()
        memory, cpu = 0.0, 0.0
        for process in _family():
            try:
                memory += process.memory_info().rss / MEBIBYTE
                times = process.cpu_times()
            except psutil.Error:
                continue  # it ended while we looked
            cpu += times.user + times.system
        self.peak_memory_mb = max(self.peak_memory_mb, memory)
        self.cpu_seconds = max(self.cpu_seconds, cpu)
        return memory


def _family() -> list[psutil.Process]:
    """The agent and what it has started: this process has no other children."""
    return psutil.Process().children(recursive=True)


@contextmanager
def _holding(kind: signal.Signals) -> Iterator[None]:
    """A signal is delivered when the block is over; a process forked in it lets it through."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {kind})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
