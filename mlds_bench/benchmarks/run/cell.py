"""One cell, in a process of its own: agent's process, test, scores, pictures, record.

The agent's process is forked from the cell's before the seed of the test split is received, so
that nothing of it is in the agent's memory. What decides a score or a cost is checked or measured
on this side.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, Protocol

from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.plan.presets import Preset
from mlds_bench.benchmarks.plan.trained import COMMITTED
from mlds_bench.benchmarks.run.agent_link import AgentLink, CellFailure, Closable
from mlds_bench.benchmarks.run.agent_process import AgentJob
from mlds_bench.benchmarks.run.artifacts import Draw
from mlds_bench.benchmarks.run.evaluation import evaluate
from mlds_bench.benchmarks.run.machine import Machine
from mlds_bench.benchmarks.run.messages import Answer, Learned, Ready
from mlds_bench.benchmarks.run.outcome import Outcome, keep
from mlds_bench.benchmarks.run.place import Place
from mlds_bench.common.limits import LARGEST, is_bounded
from mlds_bench.envs.actions import InvalidAction
from mlds_bench.envs.recorders import Recorder
from mlds_bench.leaderboard.record import CurvePoint, Testing

CANNOT_SAVE = 3
"""Exit code of a cell's process whose record could not be written; its last message says why."""


class Channel(Closable, Protocol):
    """A cell's end of what connects it with its engine; a `Connection` is one.

    It gives the seed of the test split, once, and takes pairs of a kind and its content: ``point``
    with a `CurvePoint`, ``testing``, ``cannot save`` with the reason, and last ``done``.
    """

    def recv(self) -> Any:
        """The seed of the test split."""

    def send(self, obj: Any) -> None:
        """Tell the engine something."""


def run_cell(cell: Cell, out: Path, machine: Machine, channel: Channel) -> None:
    """Run a cell and write its record; the target of a cell's process.

    Args:
        cell: what to run.
        out: folder of the run.
        machine: gathered by the harness.
        channel: to the engine.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    outcome = Outcome(env_kwargs=dict(cell.variant.env_kwargs))
    with _saving(cell.path(out), channel):
        place = Place(cell.path(out), out)
    try:
        recording = _play(cell, place, outcome, channel)
    except OSError as error:  # no room for another process, a data file that is gone, and the like
        outcome.fail(f"{type(error).__name__} in the harness: {error.strerror or error}")
        recording = None
    with _saving(cell.path(out), channel):
        keep(cell, outcome, machine, place, _pictures(cell, recording, outcome))
    _tell(channel, "done")


@contextmanager
def _saving(path: Path, channel: Channel) -> Iterator[None]:
    """What cannot be written here ends the run: it cannot keep its promise."""
    try:
        yield
    except OSError as error:
        _tell(channel, "cannot save", f"{path}: {error.strerror or error}")
        raise SystemExit(CANNOT_SAVE) from None


def _play(cell: Cell, place: Place, outcome: Outcome, channel: Channel) -> Recorder | None:
    """Learn and test; what the test recorded, if it got that far. The agent has ended then."""
    absent = cell.absent
    if cell.agent.is_pretrained and not cell.trained:
        absent = f"nothing that it has learned is in {COMMITTED}"
    if absent:
        outcome.state, outcome.reason = "skipped", absent
        return None
    link = AgentLink(_agent_job(cell, place.private), hidden=(channel, place))
    threading.Thread(target=_end_with_parent, args=(link,), daemon=True).start()
    try:
        test_seed = channel.recv()
        _learn(cell, link, outcome, lambda point: _tell(channel, "point", point))
        _tell(channel, "testing")
        return _test(cell, link, outcome, test_seed=test_seed)
    except CellFailure as failure:
        outcome.state, outcome.reason = failure.state, failure.reason
        return None
    finally:
        link.kill()
        outcome.cpu_seconds = link.cpu_seconds + time.process_time()
        outcome.peak_memory_mb = link.peak_memory_mb


def _agent_job(cell: Cell, folder: Path) -> AgentJob:
    return AgentJob(
        agent=cell.agent,
        params=cell.all_params,
        env_id=cell.variant.env_id,
        env_kwargs=cell.variant.env_kwargs,
        budget=cell.budget,
        seed=cell.seed,
        device=cell.device,
        threads=cell.variant.threads,
        memory_mb=cell.preset.memory_mb,
        folder=folder.absolute(),
        trained=cell.trained.folder if cell.trained else None,
    )


def _learn(
    cell: Cell, link: AgentLink, outcome: Outcome, on_point: Callable[[CurvePoint], None]
) -> None:
    preset, budget = cell.preset, cell.budget
    ready = link.expect(Ready, preset.start_seconds, "being built")
    outcome.env_options, outcome.params = ready.env_options, ready.params
    try:
        chosen = cell.variant.environment.chosen(cell.variant.env_kwargs, ready.env_options)
    except ValueError as error:
        raise CellFailure("failed", str(error)) from None
    outcome.env_kwargs = dict(chosen)
    began = time.perf_counter()

    def note(told: CurvePoint) -> None:
        _check_claim(told.env_steps, outcome.env_steps + 1, cell, outcome)
        outcome.train_seconds = time.perf_counter() - began
        outcome.env_steps = told.env_steps
        point = told.model_copy(update={"seconds": outcome.train_seconds})
        outcome.curve.append(point)
        on_point(point)

    limit = budget.seconds + preset.grace_seconds
    learned = link.expect(Learned, limit, "learning", note)
    outcome.train_seconds = time.perf_counter() - began
    _check_claim(learned.env_steps, outcome.env_steps, cell, outcome)
    outcome.env_steps, outcome.stopped_by = learned.env_steps, learned.stopped_by
    link.expect(Answer, preset.act_seconds, "saving")


def _check_claim(claimed: int, least: int, cell: Cell, outcome: Outcome) -> None:
    """Steps are counted in the agent's process: they never go back, nor above the budget."""
    most = cell.budget.env_steps
    if not least <= claimed <= most:
        raise CellFailure(
            "failed",
            f"the agent's process claims {claimed:,} steps after {outcome.env_steps:,} of a "
            f"budget of {most:,}",
        )


def _test(cell: Cell, link: AgentLink, outcome: Outcome, *, test_seed: int) -> Recorder:
    environment, size = cell.variant.environment, cell.test_size
    env = environment.make(num_envs=size.num_envs, split="test", **outcome.env_kwargs)
    link.open_exchange(env.single_observation_space, env.single_action_space, size.num_envs)
    began = time.perf_counter()
    clock = _TestClock(cell.preset)
    try:
        recording = evaluate(
            env,
            lambda observation: clock.limit(link.act, observation),
            lambda done: clock.limit(link.reset, done),
            seed=test_seed,
            episodes=size.episodes,
        )
    except InvalidAction as error:
        raise CellFailure("failed", f"InvalidAction: {error}, while acting") from None
    finally:
        env.close()
    scores = environment.score(recording, **outcome.env_kwargs)
    outcome.eval_seconds = time.perf_counter() - began
    finite = {name: value for name, value in scores.items() if is_bounded(value)}
    outcome.test = Testing(scores=finite, episodes=size.num_envs * size.episodes)
    if len(finite) < len(scores):
        wrong = ", ".join(scores.keys() - finite.keys())
        raise CellFailure("failed", f"the score {wrong} is not finite, or beyond {LARGEST:g}")
    return recording


class _TestClock:
    """Limits of a test: of each question to the agent, and of all of them."""

    def __init__(self, preset: Preset) -> None:
        self._preset = preset
        self._end = time.monotonic() + preset.test_seconds

    def limit(self, ask: Callable[[Any, float], Any], content: Any) -> Any:
        """Ask the agent in the time that is left."""
        left = self._end - time.monotonic()
        try:
            return ask(content, min(self._preset.act_seconds, max(left, 0.0)))
        except CellFailure as failure:
            if failure.state != "timeout" or time.monotonic() < self._end:
                raise
            limit = f"the test took longer than {self._preset.test_seconds:g} s"
            raise CellFailure("timeout", limit) from None


def _pictures(cell: Cell, recording: Recorder | None, outcome: Outcome) -> Draw | None:
    """What draws pictures of the test, where there was one."""
    environment = cell.variant.environment
    if recording is None or not cell.draws or not environment.has_pictures:
        return None
    return partial(environment.draw, recording, **outcome.env_kwargs)


def _leave(*_: object) -> None:
    raise SystemExit(1)


def _tell(channel: Channel, kind: str, content: Any = None) -> None:
    """A word to the engine; when it is gone, the run has been ended, and so is this cell."""
    try:
        channel.send((kind, content))
    except BrokenPipeError:
        raise SystemExit(1) from None


def _end_with_parent(link: AgentLink) -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        with suppress(OSError):  # the cell may be ending by itself
            link.kill()
        os._exit(1)
