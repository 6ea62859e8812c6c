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
