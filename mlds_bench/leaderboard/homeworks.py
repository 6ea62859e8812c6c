"""One homework in a few lines: its best agent, and its agents over all of its variants."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from mlds_bench.leaderboard import stats
from mlds_bench.leaderboard.record import Published, Task
from mlds_bench.leaderboard.render import (
    ABSENT,
    Column,
    Page,
    Row,
    Table,
    arrow,
    fixed,
    interval,
    number,
    quantity,
    significant,
)
from mlds_bench.leaderboard.results import Result, Results
from mlds_bench.leaderboard.rows import (
    agent_row,
    count_as_trivial,
    grouped,
    iqm_interval,
    mean_of,
    normalized_scores,
    ordered,
    state_summary,
    task_fields,
)

BASELINES = frozenset({"random", "constant"})
"""Agents that a homework is read against, and which are never its best."""
LONGEST_QUESTION = 100
FRONT = "homeworks"

LEGEND_FRONT = (
    f"{FRONT}: the best agent passed in the largest share of its cells, over all variants of the "
    "homework (or, if no agent ran on all, on the variant shown); of equals that with more cells, "
    "then that with the higher mean normalized score; random and constant do not take part; "
    "‡: learned in another cell",
    "value: mean over seeds of the score named, ±: half-width of Student's 95% interval; passed: "
    "seeds whose test met every mark; seconds: mean wall time per cell",
)
LEGEND_OVER = (
    "over its variants: mean and interquartile mean (IQM) of the normalized scores of all runs; "
    f"the 95% interval is Student's of the mean, stratified by variant, and from {stats.FEW_SEEDS} "
    "seeds per variant on the stratified bootstrap's of the IQM"
)


def front_page(results: Results, *, title: str = "mlds-bench") -> Page:
    """The summary of a run: one row per homework.

    Args:
        results: at least one result, of one preset.
        title: head of the page.

    Returns:
        A page of one table, with its legend and what could not be read.
    """
    notes = (*LEGEND_FRONT, *(f"skipped {problem}" for problem in results.problems))
    return Page(title, (front_table(results),), notes)


def front_table(results: Results) -> Table:
    """One row per homework: its question, and the best agent against mark and publications.

    Args:
        results: at least one result.
    """
    groups = grouped(ordered(results), lambda one: (one.task.preset, one.task.homework))
    rows = tuple(_front_row(group) for group in groups.values())
    columns = (
        Column("homework", lambda row: str(row["homework"]), "left"),
        Column("question", lambda row: str(row["question"]), "left", LONGEST_QUESTION, spare=4),
        Column("score", lambda row: f"{row['measure']} {arrow(row)}", "left"),
        Column("best agent", _best_agent, "left"),
        Column("value", lambda row: quantity(number(row, "mean"), number(row, "half_width"))),
        Column("pass mark", lambda row: significant(number(row, "pass_mark"), 4)),
        Column("best published", _best_published, "left", spare=2),
        Column("passed", passed_text),
        Column("seconds", lambda row: significant(number(row, "wall_seconds")), spare=3),
    )
    return Table(FRONT, columns, rows)


def over_variants(results: Sequence[Result]) -> list[Table]:
    """The agents of one homework over its variants, a table per room with two or more of them.

    Args:
        results: of one preset and homework, ordered.

    Returns:
        The tables, best agent first; agents that did not run on all variants are named in a note.
        There is no table where none but the baselines ran on all.
    """
    single = [result for result in results if not result.task.family]
    rooms = grouped(single, lambda result: result.task.room)
    several = len(rooms) > 1
    tables = [
        _over_table(group, room if several else "")
        for room, group in rooms.items()
        if len(_variants(group)) > 1
    ]
    return [table for table in tables if {row["agent"] for row in table.rows} - BASELINES]


def passed_text(row: Row) -> str:
    """How many seeds passed, of those that count: '3 of 5'; a dash if none counts."""
    return f"{row['passed']} of {row['counted']}" if row.get("counted") else ABSENT


def _variants(results: Sequence[Result]) -> dict[str, list[Result]]:
    return grouped(results, lambda result: result.task.variant)


def _by_agent(results: Sequence[Result]) -> dict[str, dict[str, list[float]]]:
    """Agent -> variant -> normalized scores, of the variants on which it counts."""
    return {
        agent: {
            variant: scores
            for variant, group in _variants(members).items()
            if (scores := normalized_scores(group))
        }
        for agent, members in grouped(results, lambda result: result.record.agent).items()
    }


def _front_row(results: Sequence[Result]) -> Row:
    """The row of one homework; its families count only if it has nothing else."""
    chosen = [result for result in results if not result.task.family] or results
    variants = _variants(chosen)
    task = _shown(chosen)
    best = _best(chosen, task, len(variants))
    place = f" on {task.variant.partition('/')[2]}" if len(variants) > 1 else ""
    row = task_fields(task) | {
        "kind": "homework",
        "question": task.question,
        "measure": task.primary + place,
        "pass_mark": task.anchors.pass_mark.value,
    }
    if best:
        full = agent_row([one for one in variants[task.variant] if one.record.agent == best])
        names = ("agent", "mean", "half_width", "n", "normalized", "passed", "counted")
        row |= {name: full[name] for name in (*names, "wall_seconds", "state")}
    if figure := _best_figure(task):
        row |= {"published": figure.value, "published_label": figure.label}
    return row


def _shown(results: Sequence[Result]) -> Task:
    """The task that stands for its homework: its headline, else the first by name.

    Among the others, those come first that can be read against a published figure.
    """
    tasks = [group[0].task for group in _variants(results).values()]
    return min(tasks, key=lambda task: (not task.headline, not task.published, task.variant))


def _best(results: Sequence[Result], shown: Task, variants: int) -> str | None:
    """Label of the best agent, of those that ended well on the variant shown; None without any."""
    well = {
        one.record.agent
        for one in results
        if one.task.variant == shown.variant and one.state == "ok"
    }
    agents = {
        agent: members
        for agent, members in grouped(results, lambda result: result.record.agent).items()
        if agent in well and agent.partition("@")[0] not in BASELINES
    }
    counts = {agent: len(found) for agent, found in _by_agent(results).items()}
    complete = {agent: cells for agent, cells in agents.items() if counts[agent] == variants}
    alone = {
        agent: [one for one in cells if one.task.variant == shown.variant]
        for agent, cells in agents.items()
    }
    chosen = complete or alone
    return min(chosen, key=lambda agent: (*_merit(chosen[agent]), agent), default=None)


def _merit(results: Sequence[Result]) -> tuple[float, int, float]:
    """What sorts the better agent first: the share of cells that passed, then how many there are.

    One lucky seed is not better than five good ones. Last comes the mean normalized score.
    """
    counted = [result for result in results if result.counted is not None]
    passed = sum(result.passed for result in counted) / len(counted)
    means = [mean_of(normalized_scores(group)) for group in _variants(counted).values()]
    return -passed, -len(counted), -(mean_of(means) or 0.0)


def _best_figure(task: Task) -> Published | None:
    sign = -1.0 if task.higher_is_better else 1.0
    return min(task.published, key=lambda figure: sign * figure.value, default=None)


def _best_agent(row: Row) -> str:
    return str(row.get("agent", ABSENT)) + ("‡" if row.get("state") == "pretrained" else "")


def _best_published(row: Row) -> str:
    if row.get("published_label") is None:
        return ABSENT
    return f"{significant(number(row, 'published'), 4)} {row['published_label']}"


def _over_table(results: Sequence[Result], room: str) -> Table:
    total = len(_variants(results))
    counts = {agent: len(found) for agent, found in _by_agent(results).items()}
    agents = grouped(results, lambda result: result.record.agent)
    complete = [members for agent, members in agents.items() if counts[agent] == total]
    left_out = [f"{agent} ({n} of {total})" for agent, n in counts.items() if n < total]
    rows = sorted(map(_over_row, complete), key=_over_rank)
    few = any(row["iqm_low"] is None for row in rows)
    columns = (
        Column("agent", lambda row: str(row["agent"]), "left"),
        Column("IQM normalized ↑", _iqm),
        Column("mean", lambda row: fixed(number(row, "mean"))),
        Column(f"95% interval of the {'mean' if few else 'IQM'}", partial(_interval, few)),
        Column("passed", passed_text),
        Column("n", lambda row: str(row["n"])),
    )
    where = f" in {room}" if room else ""
    notes = [f"over {total} variants: {', '.join(_variants(results))}"]
    if left_out:
        notes.append(f"not on all variants, and so left out: {', '.join(left_out)}")
    title = f"{results[0].task.homework} over its variants{where}"
    return Table(title, columns, tuple(rows), tuple(notes))


def _over_row(results: Sequence[Result]) -> Row:
    """One agent over variants: all runs that count, each variant a stratum."""
    strata = [normalized_scores(group) for group in _variants(results).values()]
    runs = [score for scores in strata for score in scores]
    low, high = iqm_interval(strata)
    mean_low, mean_high = stats.stratified_interval(strata) or (None, None)
    task = results[0].task
    return {
        "preset": task.preset,
        "homework": task.homework,
        "variant": "all",
        "score": "normalized",
        "higher_is_better": True,
        "agent": results[0].record.agent,
        "kind": "over variants",
        "mean": mean_of(runs),
        "mean_low": mean_low,
        "mean_high": mean_high,
        "iqm": float(stats.interquartile_mean(runs)),
        "iqm_low": low,
        "iqm_high": high,
        "n": len(runs),
        "counted_as_trivial": count_as_trivial(results),
        "passed": sum(result.passed for result in results),
        "counted": len(runs),
        "scored": sum(result.state == "ok" for result in results),
        "state": state_summary(results),
    }


def _interval(few: bool, row: Row) -> str:
    return interval(row, "mean" if few else "iqm")


def _over_rank(row: Row) -> tuple[bool, float, float, str]:
    """Best first; who failed everywhere comes last, whatever the trivial anchor is worth."""
    merit = -(number(row, "iqm") or 0.0), -(number(row, "mean") or 0.0), str(row["agent"])
    return not row["scored"], *merit


def _iqm(row: Row) -> str:
    return fixed(number(row, "iqm")) + ("†" if row.get("counted_as_trivial") else "")
