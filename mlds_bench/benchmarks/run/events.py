"""What engines tell, and who listens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.leaderboard.record import CurvePoint, Record


@dataclass(frozen=True)
class Event:
    """What happened to a cell.

    Attributes:
        kind: ``started``, a ``point`` of its learning curve, ``testing`` or ``ended``.
        cell: the cell.
        point: of the learning curve.
        record: written; comes with ``ended``.
    """

    kind: Literal["started", "point", "testing", "ended"]
    cell: Cell
    point: CurvePoint | None = None
    record: Record | None = None


class Observer(Protocol):
    """Is told what happens in a run."""

    def begin(self, todo: Sequence[Cell], finished: Sequence[Record], stale: int) -> None:
        """The run begins: cells to run, records that stand, how many are run again as stale."""

    def event(self, event: Event) -> None:
        """A cell started, learned, is tested or ended."""

    def end(self) -> None:
        """No more events, whatever the reason."""


class Silent:
    """A observer that says nothing."""

    def begin(self, todo: Sequence[Cell], finished: Sequence[Record], stale: int) -> None:
        """Say nothing."""

    def event(self, event: Event) -> None:
        """Say nothing."""

    def end(self) -> None:
        """Say nothing."""
