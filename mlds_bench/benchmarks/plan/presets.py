"""Presets: limits and what they are for. Budgets, runs and test sizes stand in `homeworks/`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """How a benchmark is run.

    Attributes:
        name: as on the command line.
        summary: one line for the listing.
        memory_mb: resident memory an agent may take, MiB.
        start_seconds: time to build an agent and its environment.
        grace_seconds: time beyond the budget's seconds before a learning agent is killed.
        act_seconds: time for one ``act`` on the whole test batch.
        test_seconds: time for the whole test.
        pictures: whether rooms that can draw a test do so, for the first seed of a run.
    """

    name: str
    summary: str
    memory_mb: int
    start_seconds: float = 60.0
    grace_seconds: float = 20.0
    act_seconds: float = 60.0
    test_seconds: float = 3600.0
    pictures: bool = True


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "smoke", "seconds per cell, for tests", 2048, 30.0, 5.0, 10.0, 120.0, pictures=False
        ),
        Preset(
            "quick", "the default: about a minute per homework on 2 cores", 4096, test_seconds=600.0
        ),
        Preset("standard", "the committed leaderboard", 8192, act_seconds=300.0),
        Preset(
            "course",
            "the homework's own scale",
            16384,
            grace_seconds=120.0,
            act_seconds=300.0,
            test_seconds=14400.0,
        ),
    )
}
DEFAULT_PRESET = "quick"
FIVE_SEEDS = (0, 1, 2, 3, 4)
