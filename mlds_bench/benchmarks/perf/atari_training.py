"""Training steps a second on Pong: our `ppo` against Stable-Baselines3's PPO with zoo settings.

Both learn in our environment, in turn, with the processor threads of the variant, each with its own
view, network and batch: rl-zoo3's published Atari settings (84x84, four frames, 8 instances, four
epochs) against ours. It is the speed a user sees of either, not a comparison of code alone: the
goal is at least 4 times theirs.
"""

from __future__ import annotations

from contextlib import suppress
from statistics import median
from typing import Any

import torch

from mlds_bench.agents.adapter import build_player
from mlds_bench.agents.budget import Budget, BudgetedEnv, BudgetExhausted
from mlds_bench.agents.registry import resolve
from mlds_bench.benchmarks.perf.report import publish
from mlds_bench.benchmarks.plan.variants import VARIANTS

ROUNDS = 3
SECONDS = 30.0
STEPS = 10_000_000
"""Of the budget, so that the seconds end it."""
VARIANT = VARIANTS["hw4-1/pong"]


def steps_per_second(name: str, params: dict[str, Any], seed: int) -> float:
    """Of learning, over `SECONDS` after the first reset."""
    cls = resolve(name, VARIANT.room).load()
    player = build_player(cls, VARIANT.environment, VARIANT.env_kwargs, params=params, seed=seed)
    agent = player.agent
    batch = player.make_env(num_envs=agent.num_envs, seed=seed)
    batch.reset(seed=seed)  # cartridges are loaded before the clock starts
    env = BudgetedEnv(batch, Budget(STEPS, SECONDS))
    with suppress(BudgetExhausted):
        agent.learn(env, env.budget)
    return env.env_steps / env.seconds


def measure() -> dict[str, float]:
    """Both in turn, `ROUNDS` times; medians."""
    torch.set_num_threads(VARIANT.threads)
    rates: dict[str, list[float]] = {"ppo": [], "sb3_zoo": []}
    for seed in range(ROUNDS):
        rates["ppo"].append(steps_per_second("ppo", {}, seed))
        rates["sb3_zoo"].append(steps_per_second("sb3:PPO", {"zoo": True}, seed))
    ours, theirs = (median(values) for values in rates.values())
    return {
        "ppo_steps_per_second": ours,
        "sb3_zoo_steps_per_second": theirs,
        "ppo_over_sb3_zoo": ours / theirs,
    }


if __name__ == "__main__":
    publish(__file__, measure)
