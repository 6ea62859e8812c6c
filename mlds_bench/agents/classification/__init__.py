"""Reference agents of the classification room."""

from __future__ import annotations

AGENTS: dict[str, str] = {
    "mlp": "mlds_bench.agents.classification.mlp:MlpAgent",
    "cnn-shallow": "mlds_bench.agents.classification.cnn:ShallowCnnAgent",
    "cnn-middle": "mlds_bench.agents.classification.cnn:MiddleCnnAgent",
    "cnn-deep": "mlds_bench.agents.classification.cnn:DeepCnnAgent",
    "logistic": "mlds_bench.agents.classification.logistic:LogisticAgent",
    "knn": "mlds_bench.agents.classification.knn:KnnAgent",
    "domain-adversarial": (
        "mlds_bench.agents.classification.domain_adversarial:DomainAdversarialAgent"
    ),
    "interpolated": "mlds_bench.agents.classification.interpolated:InterpolatedAgent",
}
"""Name -> module:class."""

VERSIONS: dict[str, int] = {}
"""Name -> version, where it is not 1: raised when an agent's behavior changes, for it stands in the
keys of records."""
