"""The seed that an agent is built with."""

from __future__ import annotations

from mlds_bench.agents.registry import AgentSpec
from mlds_bench.envs.streams import derive

LIMIT = 2**31
"""``numpy.random.seed`` and scikit-learn's ``random_state`` take 32 bits, some libraries 31."""


def agent_seed(spec: AgentSpec, seed: int) -> int:
    """The seed of an agent in the cell of a seed.

    Args:
        spec: the agent. Ours, and those of Stable-Baselines3, take 63 bits; others get fewer than
            32, which every library takes.
        seed: of the cell.
    """
    whole = derive(seed, "agent")
    return whole if spec.kind in ("builtin", "sb3") else whole % LIMIT
