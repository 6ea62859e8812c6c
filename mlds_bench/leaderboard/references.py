"""References beside one's own results: records of another folder, as rows of the same tables."""

from __future__ import annotations

from pathlib import Path

from mlds_bench.leaderboard.record import NoRecords
from mlds_bench.leaderboard.render import Page
from mlds_bench.leaderboard.results import Result, Results, read_results
from mlds_bench.leaderboard.rows import grouped
from mlds_bench.leaderboard.tables import leaderboard


def leaderboards_beside(out: str | Path, references: str | Path) -> dict[str, Page]:
    """The leaderboard of every preset of a run, with records of another folder among its rows.

    Args:
        out: the folder of the run.
        references: the other folder, such as the committed ``results``. Its records count in the
            variants of the run, whatever their preset: their rows say which.

    Returns:
        A page per preset of the run, in order of their names.

    Raises:
        NoRecords: one of the folders holds no record, or they share no variant.
    """
    own, other = read_results(out), read_results(references)
    pages = {}
    for preset, mine in sorted(grouped(own, lambda one: one.task.preset).items()):
        beside = _beside(mine, other, Path(references).name)
        if beside:
            problems = (*own.problems, *other.problems)
            title = f"preset {preset} in {out}, beside {references}"
            results = Results((*mine, *beside), problems)
            pages[preset] = leaderboard(results, title=title, front=False)
    if not pages:
        raise NoRecords(f"{out} and {references} share no variant: nothing stands beside anything")
    return pages


def _beside(mine: list[Result], others: Results, folder: str) -> list[Result]:
    """The others' results in the variants of mine, as if they were of its preset."""
    tasks = {(one.task.variant, one.task.environment, one.task.primary) for one in mine}
    preset = mine[0].task.preset
    return [
        Result(
            one.record.model_copy(
                update={
                    "preset": preset,
                    "agent": f"{one.record.agent} ({folder}, {one.record.preset})",
                }
            ),
            one.task.model_copy(update={"preset": preset}),
        )
        for one in others
        if (one.task.variant, one.task.environment, one.task.primary) in tasks
    ]
