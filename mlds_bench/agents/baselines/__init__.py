"""The reference agents that play in every room."""

from __future__ import annotations

AGENTS: dict[str, str] = {
    "random": "mlds_bench.agents.baselines.players:RandomAgent",
    "constant": "mlds_bench.agents.baselines.players:ConstantAgent",
}
"""Name -> module:class."""

VERSIONS: dict[str, int] = {}
"""Name -> version, where it is not 1: raised when an agent's behavior changes, for it stands in the
keys of records."""
