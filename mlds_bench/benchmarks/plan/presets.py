"""Presets: how long, how many seeds, how much memory. The budgets stand in `homeworks/`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """How a benchmark is run.

    Attributes:
        name: as on the command line.
        summary: one line for the listing.
        seeds: default seeds of a cell.
        memory_mb: resident memory an agent may take, MiB.
        start_seconds: time to construct an agent.
        grace_seconds: time beyond the budget's seconds before a learning agent is killed.
        act_seconds: time for one ``act`` on the whole test batch.
        previews: whether ``all`` runs the previews of long variants.
        pictures: whether rooms that can draw a test do so, for the first seed of a run.
    """

    name: str
    summary: str
    seeds: tuple[int, ...]
    memory_mb: int
    start_seconds: float = 60.0
    grace_seconds: float = 20.0
    act_seconds: float = 60.0
    pictures: bool = True
    previews: bool = False


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("smoke", "seconds a cell, for tests", (0,), 2048, 30.0, 5.0, 10.0, pictures=False),
        Preset(
            "quick",
            "the default: everything within 15 minutes on 2 cores",
            (0, 1, 2),
            4096,
            previews=True,
        ),
        Preset("standard", "the committed leaderboard, five seeds", (0, 1, 2, 3, 4), 8192),
        Preset("course", "the homework's own scale", (0, 1, 2, 3, 4), 16384, grace_seconds=120.0),
    )
}
DEFAULT_PRESET = "quick"
