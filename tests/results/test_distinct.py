"""Agents are what their names say: none repeats the record of another."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

from tests.results.committed import committed

ALIKE = {
    ("hw1-2/deep-linear", "momentum", "sgd-then-adam"): "momentum ends every run before the switch",
    ("hw1-2/digits", "constant", "sb3:PPO"): "PPO does not leave its start in the test",
    ("hw1-2/teacher-student", "constant", "sb3:PPO"): "PPO does not leave its start in the test",
}
"""Agents whose records are equal in every seed, and why; the page of the room says it, too."""


def test_no_agent_repeats_another() -> None:
    """The scores of two agents on one variant differ in one seed at least."""
    scores: dict[tuple[str, str], dict[str, dict[int, str]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for result in committed():
        record = result.record
        if record.state == "ok" and not record.pretrained:
            text = repr(sorted(record.test.scores.items()))
            scores[record.preset, record.variant][record.agent][record.seed] = text
    alike = {
        (variant, one, other)
        for (_, variant), agents in scores.items()
        for one, other in combinations(sorted(agents), 2)
        if agents[one] == agents[other]
    }
    assert alike == set(ALIKE)
