"""One cell, in a process of its own: agent's process, test, scores, pictures, record.

The agent's process is forked from the cell's before the seed of the test split is received, so
that nothing of it is in the agent's memory.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import fmean
from typing import Any

from mlds_bench.benchmarks.plan.suite import Cell
from mlds_bench.benchmarks.plan.trained import COMMITTED
from mlds_bench.benchmarks.plan.variant import Variant
from mlds_bench.benchmarks.run.agent_link import AgentLink, CellFailure
from mlds_bench.benchmarks.run.agent_process import AgentJob
from mlds_bench.benchmarks.run.artifacts import clear, keep_artifacts, partial_folder
from mlds_bench.benchmarks.run.evaluation import evaluate
from mlds_bench.benchmarks.run.provenance import Provenance
from mlds_bench.envs.actions import InvalidAction
from mlds_bench.envs.core import Recorder
from mlds_bench.envs.registry import ENVIRONMENTS, Environment
from mlds_bench.leaderboard.record import (
    CurvePoint,
    Record,
    RecordBudget,
    State,
    artifact_folder,
    normalized_score,
    write_record,
)

CANNOT_SAVE = 3
"""Exit code of a cell's process whose record could not be written; its last message says why."""

RETURN_STRETCHES = 10
"""A tenth of a learning curve."""


@dataclass
class Outcome:
    """What became of a cell so far; `make_record` turns it into a record."""

    state: State = "ok"
    reason: str = ""
    scores: dict[str, float] = field(default_factory=dict)
    curve: list[dict[str, Any]] = field(default_factory=list)
    env_steps: int = 0
    train_seconds: float | None = None
    eval_seconds: float | None = None
    cpu_seconds: float | None = None
    peak_memory_mb: float | None = None
    stopped_by: Any = None
    params: dict[str, Any] = field(default_factory=dict)
    env_options: dict[str, Any] = field(default_factory=dict)
    test_episodes: int = 0
    can_shrink: bool = False
    started_utc: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    began: float = field(default_factory=time.perf_counter)


def run_cell(cell: Cell, out: Path, provenance: Provenance, pipe: Connection) -> None:
    """Run a cell and write its record; the target of a cell's process.

    Args:
        cell: what to run.
        out: folder of the run.
        provenance: gathered by the harness.
        pipe: to the engine: it sends the seed of the test split, and is sent points of the
            learning curve and a last word.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    path = cell.path(out)
    folder = partial_folder(path)
    outcome = Outcome()
    try:
        clear(folder)
        folder.mkdir(parents=True)
        recording = _play(cell, folder, outcome, pipe)
        _keep(cell, recording, folder, outcome, artifact_folder(path))
        write_record(make_record(cell, outcome, provenance), path)
    except OSError as error:
        _tell(pipe, "cannot save", f"{path}: {error.strerror or error}")
        raise SystemExit(CANNOT_SAVE) from None
    _tell(pipe, "done")


def _play(cell: Cell, folder: Path, outcome: Outcome, pipe: Connection) -> Recorder | None:
    """Learn and test; what the test recorded, if it got that far. The agent has ended then."""
    if cell.agent.is_pretrained and not cell.trained:
        outcome.state, outcome.reason = "skipped", f"nothing that it has learnt is in {COMMITTED}"
        return None
    link = AgentLink(_agent_job(cell, folder), hidden=pipe)
    threading.Thread(target=_end_with_parent, args=(link,), daemon=True).start()
    try:
        test_seed = pipe.recv()
        _learn(cell, link, outcome, lambda point: _tell(pipe, "point", point))
        _tell(pipe, "testing")
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
        params=cell.params,
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
    cell: Cell, link: AgentLink, outcome: Outcome, on_point: Callable[[dict[str, Any]], None]
) -> None:
    def note(point: dict[str, Any]) -> None:
        outcome.curve.append(point)
        outcome.env_steps, outcome.train_seconds = point["env_steps"], point["seconds"]
        on_point(point)

    ready = link.expect("ready", cell.preset.start_seconds, "being built")
    outcome.env_options, outcome.params = ready["env_options"], ready["params"]
    limit = cell.budget.seconds + cell.preset.grace_seconds
    learned = link.expect("learned", limit, "learning", note)
    outcome.curve, outcome.env_steps = learned["curve"], learned["env_steps"]
    outcome.train_seconds, outcome.stopped_by = learned["seconds"], learned["stopped_by"]
    outcome.can_shrink = learned["can_shrink"]


def _test(cell: Cell, link: AgentLink, outcome: Outcome, *, test_seed: int) -> Recorder:
    variant, seconds = cell.variant, cell.preset.act_seconds
    environment, kwargs = _environment(cell, outcome)
    env = environment.make(num_envs=variant.test_instances, split="test", **kwargs)
    link.open_exchange(
        env.single_observation_space, env.single_action_space, variant.test_instances
    )
    began = time.perf_counter()
    try:
        recording = evaluate(
            env,
            lambda observation: link.act(observation, seconds),
            lambda done: link.reset(done, seconds),
            seed=test_seed,
            episodes=variant.test_episodes,
        )
    except InvalidAction as error:
        raise CellFailure("failed", f"InvalidAction: {error}, while acting") from None
    outcome.scores = environment.score(recording, **kwargs)
    outcome.eval_seconds = time.perf_counter() - began
    outcome.test_episodes = variant.test_instances * variant.test_episodes
    wrong = [name for name, value in outcome.scores.items() if not math.isfinite(value)]
    if wrong:
        outcome.scores = {k: v for k, v in outcome.scores.items() if k not in wrong}
        raise CellFailure("failed", f"the score {', '.join(wrong)} is not finite")
    return recording


def _environment(cell: Cell, outcome: Outcome) -> tuple[Environment, dict[str, Any]]:
    """The environment of the cell, and the keyword arguments of this agent's view of it."""
    kwargs = {**cell.variant.env_kwargs, **outcome.env_options}
    return ENVIRONMENTS[cell.variant.env_id], kwargs


def _keep(cell: Cell, recording: Recorder | None, made: Path, outcome: Outcome, kept: Path) -> None:
    """Keep what the agent saved, and pictures of the test where there was one."""
    environment, kwargs = _environment(cell, outcome)
    draw = None
    if recording is not None and cell.draws and environment.has_pictures:
        draw = partial(environment.draw, recording, **kwargs)
    try:
        keep_artifacts(made, kept, draw)
    except OSError as error:
        if outcome.state == "ok":
            outcome.state = "failed"
            outcome.reason = f"what the agent saved is gone or broken: {error.strerror or error}"


def make_record(cell: Cell, outcome: Outcome, provenance: Provenance) -> Record:
    """The record of a cell that has ended, however it ended."""
    variant, ok = cell.variant, outcome.state == "ok"
    steps, seconds = outcome.env_steps, outcome.train_seconds
    return Record(
        variant=variant.id,
        agent=cell.label,
        agent_params=outcome.params or dict(cell.params),
        seed=cell.seed,
        preset=cell.preset.name,
        state=outcome.state,
        reason=outcome.reason,
        scores=outcome.scores,
        primary=variant.primary,
        higher_is_better=variant.higher_is_better,
        normalized=normalized_score(outcome.scores[variant.primary], variant.anchors)
        if ok
        else None,
        env_steps=steps,
        wall_seconds=time.perf_counter() - outcome.began,
        train_seconds=seconds,
        eval_seconds=outcome.eval_seconds,
        cpu_seconds=outcome.cpu_seconds,
        seconds_to_pass=seconds_to_pass(variant, outcome.curve),
        steps_per_second=steps / seconds if steps and seconds else None,
        peak_memory_mb=outcome.peak_memory_mb,
        env_version=variant.env_id,
        env_kwargs=dict(variant.env_kwargs),
        env_options=outcome.env_options,
        data_checksum=cell.data_checksum,
        agent_hash=cell.agent.source_hash(),
        key=cell.key,
        package_version=provenance.package_version,
        git_commit=provenance.git_commit,
        python=provenance.python,
        packages=provenance.packages,
        hardware=provenance.hardware,
        threads=variant.threads,
        stopped_by=outcome.stopped_by,
        budget=RecordBudget(
            env_steps=cell.budget.env_steps,
            seconds=cell.budget.seconds if math.isfinite(cell.budget.seconds) else None,
        ),
        test_episodes=outcome.test_episodes,
        started_utc=outcome.started_utc,
        curve=tuple(CurvePoint(**point) for point in outcome.curve),
        anchors=variant.anchors,
        published=variant.published,
        family=variant.family,
        pretrained=cell.trained.origin if cell.trained else "",
    )


def seconds_to_pass(variant: Variant, curve: list[dict[str, Any]]) -> float | None:
    """When the learning curve first reached what the variant calls a pass, if it says so.

    A stretch holds thousands of rewards but only an episode or two: returns count as the mean of
    the last `RETURN_STRETCHES` stretches in which an episode ended.
    """
    marks = (
        ("reward", variant.pass_reward, 1),
        ("episode_return", variant.pass_return, RETURN_STRETCHES),
    )
    for name, mark, window in marks:
        if mark is not None:
            known = [(point["seconds"], point[name]) for point in curve if point[name] is not None]
            for last in range(window, len(known) + 1):
                if fmean(value for _, value in known[last - window : last]) >= mark:
                    return float(known[last - 1][0])
    return None


def _leave(*_: object) -> None:
    raise SystemExit(1)


def _tell(pipe: Connection, kind: str, content: Any = None) -> None:
    """A word to the engine; when it is gone, the run has been ended, and so is this cell."""
    try:
        pipe.send((kind, content))
    except BrokenPipeError:
        raise SystemExit(1) from None


def _end_with_parent(link: AgentLink) -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        with suppress(OSError):  # the cell may be ending by itself
            link.kill()
        os._exit(1)
