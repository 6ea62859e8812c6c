"""The reference agents that play in every room."""

from __future__ import annotations

AGENTS: dict[str, str] = {
    "random": "mlds_bench.agents.baselines.players:RandomAgent",
    "constant": "mlds_bench.agents.baselines.players:ConstantAgent",
}
"""Name -> module:class."""
