"""Reference agents of the Atari room: they see pictures and choose joystick actions."""

from __future__ import annotations

AGENTS: dict[str, str] = {
    "reinforce": "mlds_bench.agents.atari.reinforce:ReinforceAgent",
    "trpo": "mlds_bench.agents.atari.trpo:TrpoAgent",
    "acktr": "mlds_bench.agents.atari.acktr:AcktrAgent",
    "a2c": "mlds_bench.agents.atari.a2c:A2cAgent",
    "ppo": "mlds_bench.agents.atari.ppo:PpoAgent",
    "dqn": "mlds_bench.agents.atari.dqn:DqnAgent",
    "double-dqn": "mlds_bench.agents.atari.improvements:DoubleDqnAgent",
    "dueling": "mlds_bench.agents.atari.improvements:DuelingAgent",
    "prioritized": "mlds_bench.agents.atari.improvements:PrioritizedAgent",
    "noisy": "mlds_bench.agents.atari.improvements:NoisyAgent",
    "c51": "mlds_bench.agents.atari.improvements:C51Agent",
    "n-step": "mlds_bench.agents.atari.improvements:NStepAgent",
    "rainbow": "mlds_bench.agents.atari.improvements:RainbowAgent",
}
"""Name -> module:class."""

VERSIONS: dict[str, int] = {}
"""Name -> version, where it is not 1: raised when an agent's behavior changes, for it stands in the
keys of records."""
