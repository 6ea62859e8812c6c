"""Watch an agent: one episode of the test, in the pictures of its room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlds_bench.agents.adapter import AgentAdapter, env_options
from mlds_bench.agents.base import Agent
from mlds_bench.agents.params import build, label
from mlds_bench.agents.registry import PRETRAINED, resolve
from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.suite import select_variants
from mlds_bench.benchmarks.plan.trained import Trained, find_committed, find_trained
from mlds_bench.benchmarks.plan.variant import Variant
from mlds_bench.benchmarks.run.evaluation import evaluate
from mlds_bench.benchmarks.run.runner import make_writable
from mlds_bench.envs.core import Recorder
from mlds_bench.envs.registry import ENVIRONMENTS
from mlds_bench.envs.streams import derive
from mlds_bench.leaderboard.record import slug


def watch(
    name: str, agent: str, *, params: Mapping[str, Any], out: Path, seed: int, seal: Seal
) -> str:
    """Play an episode, write its pictures, and say in a few lines how it went and where they are.

    Args:
        name: of one variant.
        agent: a name in any of the ways; what it learnt in ``out`` is taken, or else what lies
            beside the committed records.
        params: its hyper-parameters.
        out: folder of the run; the pictures go to ``watch`` in it.
        seed: of the episode: the first that the test of a cell with this seed has.
        seal: what the seeds of tests come from.

    Raises:
        UsageError: no such variant, a room without pictures, an agent that has yet to learn, or
            whatever the agent raised.
    """
    variant = _one_variant(name)
    agent = agent.removeprefix(PRETRAINED)
    called = label(resolve(agent).name, params)
    trained = _find(out, variant, called)
    environment = ENVIRONMENTS[variant.env_id]
    folder = out / "watch" / f"{variant.homework}-{variant.name}" / slug(called)
    make_writable(folder)
    with _one_line(agent, variant):
        player, kwargs = _player(variant, agent, params, seed, trained)
        recording = _play(variant, player, kwargs, seal.test_seed(variant.id, seed))
    files = environment.draw(recording, folder, **kwargs)
    scores = environment.score(recording, **kwargs)
    origin = f", as it came out of {trained.origin}" if trained else ""
    told = f"{agent} on {variant.id}{origin}: {variant.primary} {scores[variant.primary]:g}"
    return "\n".join([told, *map(str, files)])


def _one_variant(name: str) -> Variant:
    variant, *others = select_variants([name])
    if others:
        raise UsageError(f"one variant can be watched at a time, {name} is {len(others) + 1}")
    if not ENVIRONMENTS[variant.env_id].has_pictures:
        rooms = ", ".join(env_id for env_id, env in ENVIRONMENTS.items() if env.has_pictures)
        raise UsageError(f"{variant.env_id} draws no pictures; these do: {rooms}")
    return variant


@contextmanager
def _one_line(agent: str, variant: Variant) -> Iterator[None]:
    """What an agent's own code raises, in one line."""
    try:
        yield
    except Exception as error:
        if type(error).__module__.startswith("mlds_bench."):
            raise
        text = " ".join(str(error).split())
        raise UsageError(
            f"{agent} failed on {variant.id}: {type(error).__name__}: {text}; "
            f"mlds-bench check {agent} --env {variant.env_id} says where"
        ) from error


def _find(out: Path, variant: Variant, agent: str) -> Trained | None:
    return find_trained(out, variant, agent) or find_committed(variant, agent)


def _player(
    variant: Variant, agent: str, params: Mapping[str, Any], seed: int, trained: Trained | None
) -> tuple[AgentAdapter, dict[str, Any]]:
    """The agent as it plays, and the keyword arguments of the environment that it sees."""
    cls = resolve(agent).load()
    if not trained and getattr(cls, "learn", Agent.learn) is not Agent.learn:
        raise UsageError(
            f"{agent} has not learnt {variant.id} yet{_with(params)}: "
            f"mlds-bench run {variant.id} -a {agent}"
        )
    kwargs = {**variant.env_kwargs, **env_options(cls, params)}
    spaces = ENVIRONMENTS[variant.env_id].make(num_envs=1, split="test", **kwargs)
    built = build(
        cls,
        observation_space=spaces.single_observation_space,
        action_space=spaces.single_action_space,
        seed=derive(seed, "agent"),
        params=params,
    )
    player = AgentAdapter(built, params)
    if trained:
        player.load(trained.folder)
    return player, kwargs


def _with(params: Mapping[str, Any]) -> str:
    return f" with {label('', params)[1:]}" if params else ""


def _play(variant: Variant, player: AgentAdapter, kwargs: Mapping[str, Any], seed: int) -> Recorder:
    env = ENVIRONMENTS[variant.env_id].make(num_envs=1, split="test", **kwargs)
    return evaluate(env, player.act, player.reset, seed=seed, episodes=1)
