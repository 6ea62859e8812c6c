"""Reference agents of the function fitting room."""

from __future__ import annotations

AGENTS: dict[str, str] = {
    "shallow": "mlds_bench.agents.fitting.networks:ShallowAgent",
    "middle": "mlds_bench.agents.fitting.networks:MiddleAgent",
    "deep": "mlds_bench.agents.fitting.networks:DeepAgent",
    "sawtooth": "mlds_bench.agents.fitting.sawtooth:SawtoothAgent",
    "spline": "mlds_bench.agents.fitting.spline:SplineAgent",
}
"""Name -> module:class."""

VERSIONS: dict[str, int] = {}
"""Name -> version, where it is not 1: raised when an agent's behavior changes, for it stands in the
keys of records."""
