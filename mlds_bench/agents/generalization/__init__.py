"""Reference agents of the generalization room."""

from __future__ import annotations

AGENTS: dict[str, str] = {
    "fewest-parameters": "mlds_bench.agents.generalization.indicators:FewestParameters",
    "flattest": "mlds_bench.agents.generalization.indicators:Flattest",
    "least-sensitive": "mlds_bench.agents.generalization.indicators:LeastSensitive",
    "least-sharp": "mlds_bench.agents.generalization.indicators:LeastSharp",
    "largest-margin": "mlds_bench.agents.generalization.indicators:LargestMargin",
    "fastest-trained": "mlds_bench.agents.generalization.indicators:FastestTrained",
    "regression-on-probes": "mlds_bench.agents.generalization.regression:RegressionAgent",
    "grid": "mlds_bench.agents.generalization.search:GridSearch",
    "random-settings": "mlds_bench.agents.generalization.search:RandomSettings",
    "successive-halving": "mlds_bench.agents.generalization.search:SuccessiveHalving",
    "gaussian-process": "mlds_bench.agents.generalization.gaussian_process:GaussianProcessSearch",
}
"""Name -> module:class."""

VERSIONS: dict[str, int] = {}
"""Name -> version, where it is not 1: raised when an agent's behavior changes, for it stands in the
keys of records."""
