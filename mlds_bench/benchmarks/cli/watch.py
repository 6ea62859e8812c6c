"""Watch an agent: one episode of the test, in the pictures of its room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlds_bench.agents.adapter import Player, build_player, keeps
from mlds_bench.agents.base import Agent
from mlds_bench.agents.params import label
from mlds_bench.agents.registry import AgentSpec
from mlds_bench.agents.seeds import agent_seed
from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.plan.players import find_player
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.suite import select_variants
from mlds_bench.benchmarks.plan.trained import Trained, find_committed, find_trained
from mlds_bench.benchmarks.plan.variant import Variant
from mlds_bench.benchmarks.run.evaluation import evaluate
from mlds_bench.benchmarks.run.runner import make_writable
from mlds_bench.envs.recorders import Recorder
from mlds_bench.envs.registry import ENVIRONMENTS
from mlds_bench.leaderboard.record import slug


def watch(
    name: str, agent: str, *, params: Mapping[str, Any], out: Path, seed: int, seal: Seal
) -> str:
    """Play an episode, write its pictures, and say in a few lines how it went and where they are.

    Args:
        name: of one variant.
        agent: a name in any of the ways; what it learned in ``out`` is taken, or else what lies
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
    named = find_player(agent, variant.room, params)
    spec, params = replace(named.spec, is_pretrained=False), named.params
    called = label(spec.name, params)
    trained = _find(out, variant, called)
    environment = variant.environment
    folder = out / "watch" / f"{variant.homework}-{variant.name}" / slug(called)
    make_writable(folder)
    with _one_line(spec.name, variant):
        player = _player(variant, spec, params, seed, trained)
        count = environment.watched_instances(**player.env_kwargs)
        recording = _play(player, seal.test_seed(variant.id, seed), count)
    files = environment.draw(recording, folder, **player.env_kwargs)
    score = environment.score(recording, **player.env_kwargs)[variant.primary.name]
    origin = f", as it came out of {trained.origin}" if trained else ""
    told = f"{spec.name} on {variant.id}{origin}: {variant.primary.name} {score:g}"
    return "\n".join([told, *map(str, files)])


def _one_variant(name: str) -> Variant:
    variant, *others = select_variants([name])
    if others:
        raise UsageError(f"one variant can be watched at a time, {name} is {len(others) + 1}")
    if not variant.environment.has_pictures:
        rooms = ", ".join(env_id for env_id, env in ENVIRONMENTS.items() if env.has_pictures)
        raise UsageError(f"{variant.env_id} draws no pictures; these do: {rooms}")
    return variant


@contextmanager
def _one_line(agent: str, variant: Variant) -> Iterator[None]:
    """What an agent's own code raises, in one line."""
    try:
        yield
    except (Exception, SystemExit) as error:
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
    variant: Variant,
    spec: AgentSpec,
    params: Mapping[str, Any],
    seed: int,
    trained: Trained | None,
) -> Player:
    """The agent as it plays."""
    cls = spec.load()
    if not trained and getattr(cls, "learn", Agent.learn) is not Agent.learn:
        if not keeps(cls):
            raise UsageError(
                f"{spec.name} keeps nothing of what it learns, for it has no save(folder): "
                "there is nothing to watch"
            )
        raise UsageError(
            f"{spec.name} has not learned {variant.id} yet{_with(params)}: "
            f"mlds-bench run {variant.id} -a {spec.name} "
            "(-o names the folder of a run in which it has)"
        )
    player = build_player(
        cls,
        variant.environment,
        variant.env_kwargs,
        params={**variant.params(spec.base), **params},
        seed=agent_seed(spec, seed),
    )
    if trained:
        player.agent.load(trained.folder)
    return player


def _with(params: Mapping[str, Any]) -> str:
    return f" with {label('', params)[1:]}" if params else ""


def _play(player: Player, seed: int, num_envs: int) -> Recorder:
    env = player.make_env(num_envs=num_envs, split="test")
    return evaluate(env, player.agent.act, player.agent.reset, seed=seed, episodes=1)
