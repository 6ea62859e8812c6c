"""The leaderboard of a preset, from results alone: homeworks in front, then a table per variant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from mlds_bench.leaderboard.families import family_table
from mlds_bench.leaderboard.homeworks import (
    LEGEND_FRONT,
    LEGEND_OVER,
    front_table,
    over_variants,
    passed_text,
)
from mlds_bench.leaderboard.record import NoRecords, Score, Task, record_path, replace_file
from mlds_bench.leaderboard.render import (
    ABSENT,
    SUFFIXES,
    Column,
    Page,
    Row,
    Table,
    arrow,
    fixed,
    number,
    quantity,
    render,
    significant,
)
from mlds_bench.leaderboard.results import Result, Results, read_results
from mlds_bench.leaderboard.rows import (
    agent_row,
    anchor_rows,
    disagreements,
    grouped,
    hardware_text,
    ordered,
    published_rows,
)
from mlds_bench.leaderboard.schema import NORMALIZED_BOUNDS

SECONDARY = 2
"""Secondary scores without a mark that have a column; those with a mark always have one."""
STEPS = Column("steps", lambda row: significant(number(row, "env_steps")), spare=2)
"""Shown where budgets differ."""
STOPPED = "stopped at: the least share of its budget of steps after which an agent's time ran out"
LEGEND = (
    "n: seeds that ended well; ±: half-width of Student's 95% interval of their mean",
    "normalized: 0 at random actions, 1 at the pass mark, within "
    f"[{NORMALIZED_BOUNDS[0]:g}, {NORMALIZED_BOUNDS[1]:g}], mean over seeds; "
    "†: failed cells count as the trivial anchor",
    "passed: seeds whose test met every mark, of those that count",
    "steps: environment steps taken, mean per cell, where budgets differ; seconds: mean wall time "
    "per cell; steps/s: environment steps per second of training",
)


def leaderboard(results: Results, *, title: str, anchors: bool = False, front: bool = True) -> Page:
    """The leaderboard of some results of one preset.

    Args:
        results: at least one result; the order does not matter.
        title: head of the page.
        anchors: whether the anchors stand in the tables as rows of their own.
        front: whether the page begins with a row per homework.

    Returns:
        A row per homework first. Then, per homework, its agents over its variants, where it has
        two or more, and a table per variant, best agent first; the variants of a family share a
        table and do not count over variants. What could not be read is named at the end.
    """
    lines = ordered(results)
    tables = [front_table(results)] if front else []
    for homework in grouped(lines, lambda one: (one.task.preset, one.task.homework)).values():
        tables += over_variants(homework)
        single = [one for one in homework if not one.task.family]
        groups = grouped(single, lambda one: one.task.variant)
        tables += [_variant_table(group, anchors=anchors) for group in groups.values()]
    family = [one for one in lines if one.task.family]
    families = grouped(family, lambda one: (one.task.preset, one.task.homework, one.task.family))
    tables += [family_table(group) for group in families.values()]
    skipped = (f"skipped {problem}" for problem in results.problems)
    hardware = dict.fromkeys(f"hardware: {hardware_text(one.record)}" for one in lines)
    over = (LEGEND_OVER,) if any(row["kind"] == "over variants" for row in _rows(tables)) else ()
    legend = (*(LEGEND_FRONT if front else ()), *LEGEND, *over)
    return Page(title, tuple(tables), (*legend, *skipped, *hardware))


def leaderboards(folder: str | Path, *, anchors: bool = False) -> dict[str, Page]:
    """The leaderboard of every preset below a folder.

    Args:
        folder: the folder of a run, of a preset, or any folder below.
        anchors: whether the anchors stand in the tables as rows of their own.

    Returns:
        A page per preset, in order of their names.

    Raises:
        NoRecords: the folder does not exist or holds no record that can be read.
    """
    return _leaderboards(read_results(folder), anchors=anchors)


def write_tables(out: str | Path) -> list[Path]:
    """Writes the leaderboard of every preset of a run beside the preset's folder.

    Args:
        out: the folder of the run, `<out>/<preset>/...`.

    Returns:
        The files written: `<out>/<preset>.md`, `.csv`, `.tex`, `.json` for each preset.

    Raises:
        NoRecords: the folder does not exist, holds no record, or is not the folder of a run.
        OSError: the folder cannot be written.
    """
    results = read_results(out)
    if not any(record_path(out, one.record).is_file() for one in results):
        raise NoRecords(f"{out}: lies inside a preset; give the folder that holds the presets")
    written = []
    for preset, page in _leaderboards(results).items():
        for form, suffix in SUFFIXES.items():
            path = Path(out, preset + suffix)
            replace_file(path, render(page, form))
            written.append(path)
    return written


def _leaderboards(results: Results, *, anchors: bool = False) -> dict[str, Page]:
    presets = grouped(results, lambda one: one.task.preset)
    pages = {}
    for preset in sorted(presets):
        # A problem stands on the page of its preset; of a preset without a page, on every page.
        others = presets.keys() - {preset}
        problems = (p for p in results.problems if p.partition("/")[0] not in others)
        chosen = Results(tuple(presets[preset]), tuple(problems))
        title = f"mlds-bench, preset {preset}"
        pages[preset] = leaderboard(chosen, title=title, anchors=anchors)
    return pages


def _rows(tables: Iterable[Table]) -> list[Row]:
    return [row for table in tables for row in table.rows]


def _variant_table(results: Sequence[Result], *, anchors: bool) -> Table:
    task = results[0].task
    agents = grouped(results, lambda one: one.record.agent)
    figures = published_rows(task) + (anchor_rows(task) if anchors else [])
    rows = sorted([*map(agent_row, agents.values()), *figures], key=_rank)
    budgets = {row["budget_env_steps"] for row in rows if row.get("budget_env_steps") is not None}
    unequal = len(budgets) > 1
    columns = (
        Column("agent", lambda row: str(row["agent"]), "left"),
        Column(f"{task.primary} {arrow(rows[0])}", partial(_quantity, "mean", "half_width")),
        *(_secondary_column(score) for score in _shown_scores(task)),
        Column("n", lambda row: str(row.get("n", ABSENT)), spare=4),
        Column("normalized ↑", _normalized),
        Column("passed", passed_text),
        *(
            [Column("steps", lambda row: significant(number(row, "env_steps")), spare=2)]
            if unequal
            else []
        ),
        Column("seconds", lambda row: significant(number(row, "wall_seconds")), spare=3),
        Column("steps/s", lambda row: significant(number(row, "steps_per_second")), spare=6),
        Column("version", _version, "left", spare=7),
        Column("state", _state, "left", spare=1),
    )
    why = [f"{row['agent']}: {row['reason']}" for row in rows if row.get("reason")]
    notes = (
        _marks_note(task),
        *why,
        *_origin_notes(results),
        *([STOPPED] if any(row.get("stopped") for row in rows) else []),
        *_machine_notes(results),
        *_source_notes(figures),
        *disagreements(results),
    )
    return Table(f"{task.variant} ({task.environment})", columns, tuple(rows), notes)


def _shown_scores(task: Task) -> list[Score]:
    """The secondary scores that have a column: all with a mark, and the first few without."""
    unmarked = [score for score in task.scores[1:] if score.mark is None][:SECONDARY]
    return [score for score in task.scores[1:] if score.mark is not None or score in unmarked]


def _secondary_column(score: Score) -> Column:
    name = f"score.{score.name}"
    title = f"{score.name} {'↑' if score.higher_is_better else '↓'}"
    return Column(title, partial(_quantity, name, f"{name} ±"), spare=5)


def _quantity(value: str, half_width: str, row: Row) -> str:
    return quantity(number(row, value), number(row, half_width))


def _normalized(row: Row) -> str:
    return fixed(number(row, "normalized")) + ("†" if row.get("counted_as_trivial") else "")


def _version(row: Row) -> str:
    return str(row["environment"]).rsplit("-", 1)[-1]


def _state(row: Row) -> str:
    """The state, and how far agents came that ran out of time: 'ok, 2 stopped at 76%'."""
    share = number(row, "stopped_at")
    if share is None:
        return str(row["state"])
    some = "" if row["stopped"] == row["n"] else f"{row['stopped']} "
    return f"{row['state']}, {some}stopped at {share:.0%}"


def _origin_notes(results: Sequence[Result]) -> list[str]:
    """Where agents learned that did not learn here, and how that record was chosen."""
    learned = {one.record.agent: one.record.pretrained for one in results if one.record.pretrained}
    return [
        f"{agent}: learned in {origin}, the best of its seeds by the score of their tests, so not "
        "what a seed comes to on average"
        for agent, origin in learned.items()
    ]


def _machine_notes(results: Sequence[Result]) -> list[str]:
    """Which seconds cannot be compared: those of machines with other cores or threads."""
    ran = [one for one in results if one.state not in ("skipped", "stale")]
    machines = grouped(ran, _cores)
    if len(machines) < 2:
        return []
    told = [
        f"{machine} ({', '.join(dict.fromkeys(one.record.agent for one in members))})"
        for machine, members in machines.items()
    ]
    return [f"seconds and steps/s are of unlike machines: {'; '.join(told)}"]


def _cores(result: Result) -> str:
    provenance = result.record.provenance
    cores, threads = provenance.hardware.get("cores", "unknown"), provenance.threads
    accelerator = provenance.hardware.get("accelerator")
    return f"cores {cores}, threads {threads}" + (f", {accelerator}" if accelerator else "")


def _marks_note(task: Task) -> str:
    up = {score.name: score.higher_is_better for score in task.scores}
    marks = [
        f"{name} {'at least' if up[name] else 'at most'} {mark:.4g}"
        for name, mark in task.marks.items()
    ]
    return f"passed: {' and '.join(marks)} ({task.anchors.pass_mark.source})"


def _rank(row: Row) -> tuple[int, float, float, str]:
    """Best first: by the normalized score and, at its bounds, by the score itself.

    Whoever has no score of their own stands below all who have: a failed cell counts as the trivial
    anchor, which may be more than an honest agent gets. Last come those that count nowhere.
    """
    normalized, value = number(row, "normalized"), number(row, "mean")
    place = 2 if normalized is None else int(value is None)
    sign = -1.0 if row["higher_is_better"] else 1.0
    return place, -(normalized or 0.0), sign * (value or 0.0), str(row["agent"])


def _source_notes(figures: Sequence[Row]) -> list[str]:
    groups = grouped(figures, lambda row: (row["kind"], row["source"]))
    return [
        f"{kind} {', '.join(str(row['agent']) for row in rows)}: {source}"
        for (kind, source), rows in groups.items()
    ]
