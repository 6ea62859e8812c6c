"""The process an agent lives in: it holds the train split, learns, and then answers observations.

It never learns the seed of the test split, nor sees more of it than observations. The harness asks
in single words, the agent's messages are JSON, observations and actions cross in shared memory.
Whatever the agent does wrong is said in one message, with the traceback in the cell's log.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv

from mlds_bench.agents.adapter import AgentAdapter, Player, build_player
from mlds_bench.agents.base import Unsupported
from mlds_bench.agents.budget import Budget, BudgetedEnv, BudgetExhausted, interrupted_after
from mlds_bench.agents.params import effective_params
from mlds_bench.agents.registry import AgentSpec
from mlds_bench.agents.seeds import agent_seed
from mlds_bench.benchmarks.run.exchange import Exchange
from mlds_bench.benchmarks.run.messages import write_message
from mlds_bench.envs.actions import cast_actions
from mlds_bench.envs.registry import ENVIRONMENTS
from mlds_bench.envs.streams import derive

LARGEST_FILE = 2**30
LONGEST_REASON = 500
OUT_OF_MEMORY_WORDS = ("not enough memory", "can't allocate memory", "out of memory")


@dataclass(frozen=True)
class AgentJob:
    """All that an agent's process is told.

    With ``trained`` it reads what it has learned from that folder, and does not learn.
    """

    agent: AgentSpec
    params: Mapping[str, Any]
    env_id: str
    env_kwargs: Mapping[str, Any]
    budget: Budget
    seed: int
    device: str
    threads: int
    memory_mb: int
    folder: Path
    trained: Path | None = None


class HungUp(Exception):
    """The harness is gone: there is nobody to answer."""


class Report:
    """Messages to the harness."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def __call__(self, kind: str, **content: Any) -> None:
        """Send one message: its kind and its content."""
        self._pipe.send_bytes(write_message(kind, **content))


class ReportedEnv(BudgetedEnv):
    """Tells the harness each point of the learning curve as it comes."""

    def __init__(self, env: VectorEnv[Any, Any, Any], budget: Budget, report: Report) -> None:
        super().__init__(env, budget)
        self.report = report

    def _add_point(self) -> None:
        super()._add_point()
        self.report("point", point=asdict(self.curve[-1]))


def serve(job: AgentJob, pipe: Connection, hidden: Iterable[Any]) -> None:
    """Build the agent, let it learn, answer until the harness hangs up.

    Args:
        job: what the agent is told.
        pipe: to the harness.
        hidden: the harness's own connections, inherited by the fork; closed before all else.
    """
    for connection in hidden:
        connection.close()
    report = Report(pipe)
    try:
        _settle(job)
        _live(job, pipe, report)
    except HungUp:
        return
    except BaseException as error:  # an agent's sys.exit() must not pass for an end of its own
        with suppress(OSError):  # the log may be as long as it may get
            traceback.print_exc()
        report("error", state=_state_of(error), reason=_one_line(error, job))
    finally:
        with suppress(OSError):
            sys.stdout.flush()
        os.killpg(0, signal.SIGKILL)  # what the agent has started ends with it


def _live(job: AgentJob, pipe: Connection, report: Report) -> None:
    cls = job.agent.load()
    own_seed = agent_seed(job.agent, job.seed)
    _seed_everything(own_seed)
    player = build_player(
        cls,
        ENVIRONMENTS[job.env_id],
        job.env_kwargs,
        params=job.params,
        seed=own_seed,
        device=job.device,
    )
    params = effective_params(player.agent.agent, job.params)
    if job.trained:
        player.agent.load(job.trained)
        report("ready", env_options=player.env_options, params=params)
        report("learned", env_steps=0, stopped_by="agent")
    else:
        seed = derive(job.seed, "train")
        batch = player.make_env(num_envs=player.agent.num_envs, seed=seed)
        report("ready", env_options=player.env_options, params=params)
        env = ReportedEnv(batch, job.budget, report)
        _learn(player.agent, env)
        env.finish()
        report("learned", env_steps=env.env_steps, stopped_by=env.stopped_by or "agent")
        player.agent.save(job.folder)
    report("saved")
    _answer(player, pipe, report)


def _learn(agent: AgentAdapter, env: BudgetedEnv) -> None:
    try:
        with interrupted_after(env.budget.seconds):
            agent.learn(env, env.budget)
    except BudgetExhausted:
        env.stopped_by = env.stopped_by or "seconds"


def _answer(player: Player, pipe: Connection, report: Report) -> None:
    """Play the test: the harness writes observations, the agent writes actions."""
    num_envs = int(_ask(pipe))
    spaces = player.observation_space, player.action_space
    exchange = Exchange(*spaces, num_envs, recv_handle(pipe))
    while True:
        question = _ask(pipe)
        if question == "reset":
            player.agent.reset(exchange.read("done").astype(np.bool_))
        else:
            actions = player.agent.act(exchange.read("observation"))
            exchange.write("action", cast_actions(spaces[1], actions, num_envs))
        report(f"{question} done")


def _ask(pipe: Connection) -> str:
    """The harness's next word: first the size of the test batch, then ``act`` and the like."""
    try:
        return pipe.recv_bytes().decode()
    except (EOFError, OSError):
        raise HungUp from None


def _settle(job: AgentJob) -> None:
    """A process group of its own, the log as output, limits, and an end when the harness ends."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    log = os.open(job.folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(job.threads)
    _limit(resource.RLIMIT_FSIZE, LARGEST_FILE)
    if job.device != "cpu":
        _repeat_on_accelerators()
    elif sys.platform == "linux":
        _limit(resource.RLIMIT_DATA, job.memory_mb * 2**20)


def _limit(kind: int, most: int) -> None:
    """Set a limit for good: ours, or a smaller one that the machine or the user has set."""
    theirs = [limit for limit in resource.getrlimit(kind) if limit != resource.RLIM_INFINITY]
    least = min([most, *theirs])
    resource.setrlimit(kind, (least, least))


def _repeat_on_accelerators() -> None:
    """The same seed, the same figures, where torch has a way; a warning where it has none."""
    import torch

    torch.use_deterministic_algorithms(True, warn_only=True)
    # Filling memory that nobody has written yet is a help for debugging, and slow.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.killpg(os.getpgid(0), signal.SIGKILL)


def _seed_everything(seed: int) -> None:
    """For agents that draw from the global generators; ours do not."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the legacy generator is the one to be seeded
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def _state_of(error: BaseException) -> str:
    if isinstance(error, Unsupported):
        return "skipped"
    text = str(error).lower()
    if isinstance(error, MemoryError) or any(words in text for words in OUT_OF_MEMORY_WORDS):
        return "out-of-memory"
    return "failed"


def _one_line(error: BaseException, job: AgentJob) -> str:
    """The error, and where in the agent's own file it came from."""
    text = " ".join(str(error)[:LONGEST_REASON].encode(errors="replace").decode().split())
    if isinstance(error, Unsupported):
        return text
    own = {str(source.path) for source in job.agent.sources.values()}
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in own]
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text or 'no message'}{where}"
