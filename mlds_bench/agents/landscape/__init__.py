"""Reference agents of the loss landscape room: batched optimizers."""

from __future__ import annotations

AGENTS: dict[str, str] = {
    "gd": "mlds_bench.agents.landscape.first_order:GdAgent",
    "momentum": "mlds_bench.agents.landscape.first_order:MomentumAgent",
    "rmsprop": "mlds_bench.agents.landscape.first_order:RmspropAgent",
    "adam": "mlds_bench.agents.landscape.first_order:AdamAgent",
    "sgd-then-adam": "mlds_bench.agents.landscape.first_order:SgdThenAdamAgent",
    "newton": "mlds_bench.agents.landscape.second_order:NewtonAgent",
    "saddle-free-newton": "mlds_bench.agents.landscape.second_order:SaddleFreeNewtonAgent",
    "levenberg-marquardt": "mlds_bench.agents.landscape.second_order:LevenbergMarquardtAgent",
    "lbfgs": "mlds_bench.agents.landscape.quasi_newton:LbfgsAgent",
    "random-search": "mlds_bench.agents.landscape.search:RandomSearchAgent",
    "es": "mlds_bench.agents.landscape.search:EsAgent",
    "gradient-norm": "mlds_bench.agents.landscape.gradient_norm:GradientNormAgent",
}
"""Name -> module:class."""

VERSIONS: dict[str, int] = {"gradient-norm": 2}
"""Name -> version, where it is not 1: raised when an agent's behavior changes, for it stands in the
keys of records."""
