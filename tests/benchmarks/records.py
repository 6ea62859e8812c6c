"""Records of cells that were not run."""

from __future__ import annotations

from collections.abc import Mapping

from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.run.machine import Machine
from mlds_bench.benchmarks.run.outcome import Outcome, make_record
from mlds_bench.leaderboard.record import Record, State, Testing

MACHINE = Machine("0.0", None, "3.11.0", {"numpy": "2.0"}, {"cpu": "Test CPU", "cores": 2})
GOOD = {"log10_mse": -2.0, "sup_error": 0.25}


def record_of(
    cell: Cell,
    *,
    state: State = "ok",
    reason: str = "",
    scores: Mapping[str, float] | None = None,
    wall_seconds: float = 3.5,
) -> Record:
    """The record of a cell as if it had ended so; one that ended well has log10_mse -2."""
    kept = GOOD if scores is None and state == "ok" else scores or {}
    outcome = Outcome(state=state, reason=reason, test=Testing(scores=dict(kept), episodes=1))
    record = make_record(cell, outcome, MACHINE)
    cost = record.cost.model_copy(update={"wall_seconds": wall_seconds})
    return record.model_copy(update={"cost": cost})
