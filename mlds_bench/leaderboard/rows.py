"""From results to rows: one agent on one variant, and figures from elsewhere.

A failed cell (failed, timeout, out-of-memory) counts as the trivial anchor in the normalized
score; skipped and stale cells stand in the table and count nowhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

import numpy as np

from mlds_bench.leaderboard import stats
from mlds_bench.leaderboard.record import LOADS, Record, Task, normalized_score
from mlds_bench.leaderboard.render import Row, Value
from mlds_bench.leaderboard.results import SHOWN_STATES, Result

BOOTSTRAP_SEED = 20180301  # each interval starts afresh, so that no row depends on another
ANCHORS = {"random": "random", "trivial": "trivial", "pass_mark": "pass mark", "best": "best"}

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)

SAME_IN_AGENT: dict[str, Callable[[Record], object]] = {
    "version": lambda record: record.provenance.agent_version,
    # Of built-in agents the version says whether they changed, and the source is only evidence.
    "source": lambda record: (
        record.provenance.source_hash if record.provenance.agent_version is None else None
    ),
    "hyper-parameters": lambda record: record.training.params,
    "env_options": lambda record: record.training.env_options,
    "budget": lambda record: record.training.budget,
}
"""What must be equal among the seeds of one agent that are averaged."""


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """Items under their keys, keys and items in the order they come."""
    groups: dict[Key, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def ordered(results: Iterable[Result]) -> list[Result]:
    """Results by preset, variant, agent and seed."""
    return sorted(results, key=lambda result: result.record.identity)


def normalized_scores(results: Iterable[Result]) -> list[float]:
    """Normalized scores of the cells that count, failed ones as the trivial anchor."""
    return [score for result in results if (score := result.normalized) is not None]


def count_as_trivial(results: Iterable[Result]) -> int:
    """Number of cells that count as the trivial anchor."""
    return sum(result.counted_as_trivial for result in results)


def agent_row(results: Sequence[Result]) -> Row:
    """The row of one agent on one variant.

    Args:
        results: its cells, one per seed, ordered by seed; they share one task.

    Returns:
        Mean, half-width and interquartile mean of the raw primary score over the seeds that ended
        well, the means of the secondary scores, the mean normalized score and the number passed
        over all that count, the states, and the mean costs.
    """
    first, normalized = results[0], normalized_scores(results)
    scores = [value for result in results if (value := result.primary_value) is not None]
    low, high = iqm_interval([scores])
    return task_fields(first.task) | {
        "agent": first.record.agent,
        "kind": "agent",
        "mean": mean_of(scores),
        "half_width": stats.half_width(scores) if scores else None,
        "iqm": float(stats.interquartile_mean(scores)) if scores else None,
        "iqm_low": low,
        "iqm_high": high,
        "n": len(scores),
        "normalized": mean_of(normalized),
        "counted_as_trivial": count_as_trivial(results),
        "passed": sum(result.passed for result in results),
        "counted": len(normalized),
        "state": state_summary(results),
        "reason": reasons(results),
        **_stopped_at(results),
        **_costs(results),
        **_secondary(results),
    }


def published_rows(task: Task) -> list[Row]:
    """Rows of the published figures of one variant, with their source."""
    return [
        _figure_row(task, "published", figure.label, figure.value, figure.source)
        for figure in task.published
    ]


def anchor_rows(task: Task) -> list[Row]:
    """Rows of the four anchors of one variant, with their source."""
    anchors = {label: getattr(task.anchors, name) for name, label in ANCHORS.items()}
    return [
        _figure_row(task, "anchor", label, anchor.value, anchor.source)
        for label, anchor in anchors.items()
    ]


def state_summary(results: Sequence[Result]) -> str:
    """The states of some cells in a few words: 'ok', 'pretrained', '2 ok, 1 failed'."""
    counts = Counter(result.state for result in results)
    if set(counts) == {"ok"}:
        return "pretrained" if all(result.record.pretrained for result in results) else "ok"
    return ", ".join(f"{counts[state]} {state}" for state in SHOWN_STATES if counts[state])


def reasons(results: Sequence[Result]) -> str:
    """Why cells are not ok, each reason once: 'failed: ValueError: a / ValueError: b'."""
    parts = []
    for state in SHOWN_STATES:
        given = dict.fromkeys(result.reason for result in results if result.state == state)
        if reason := " / ".join(filter(None, given)):
            parts.append(f"{state}: {reason}")
    return "; ".join(parts)


def disagreements(results: Iterable[Result]) -> list[str]:
    """One line per agent and thing that its seeds should have in common and do not."""
    agents = grouped(
        (one for one in results if one.state == "ok"),
        lambda one: (one.record.preset, one.record.variant, one.record.agent),
    )
    return [
        f"seeds of {agent} on {variant} differ in {name}: run the cells again"
        for (_, variant, agent), members in agents.items()
        for name, of in SAME_IN_AGENT.items()
        if any(of(one.record) != of(members[0].record) for one in members)
    ]


def hardware_text(record: Record) -> str:
    """The machine of a record in one line, without what changes by the minute."""
    hardware, threads = record.provenance.hardware, record.provenance.threads
    facts = [f"{name} {value}" for name, value in hardware.items() if name not in LOADS]
    return ", ".join([*facts, f"threads {threads}"])


def task_fields(task: Task) -> dict[str, Value]:
    """What every row of a variant says about it."""
    return {
        "preset": task.preset,
        "homework": task.homework,
        "variant": task.variant,
        "environment": task.environment,
        "score": task.primary,
        "higher_is_better": task.higher_is_better,
    }


def mean_of(values: Iterable[float | None]) -> float | None:
    """Mean of the values that are known; None if none is."""
    known = [value for value in values if value is not None]
    return float(stats.mean(known)) if known else None


def iqm_interval(strata: Sequence[Sequence[float]]) -> tuple[float, float] | tuple[None, None]:
    """Stratified bootstrap interval of the interquartile mean, from ten seeds per stratum on.

    None twice where there are fewer: it would cover far less than 95%.
    """
    if not strata or not all(strata) or stats.has_few_seeds(strata):
        return None, None
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    interval = stats.bootstrap_interval(strata, stats.interquartile_mean, generator=generator)
    return interval or (None, None)


def _stopped_at(results: Sequence[Result]) -> dict[str, Value]:
    """How many cells ran out of time before their steps, and the least share they came to."""
    shares = [
        training.env_steps / training.budget.env_steps
        for result in results
        if result.state == "ok"
        for training in [result.record.training]
        if training.stopped_by == "seconds" and training.env_steps < training.budget.env_steps
    ]
    return {"stopped": len(shares), "stopped_at": min(shares, default=None)}


def _costs(results: Sequence[Result]) -> dict[str, Value]:
    ran = [result for result in results if result.state not in ("skipped", "stale")]
    return {
        "env_steps": mean_of(result.record.training.env_steps for result in ran),
        "budget_env_steps": mean_of(result.record.training.budget.env_steps for result in ran),
        "wall_seconds": mean_of(result.record.cost.wall_seconds for result in ran),
        "steps_per_second": mean_of(result.steps_per_second for result in ran),
        "seconds_to_pass": mean_of(result.seconds_to_pass for result in ran),
        "peak_memory_mb": mean_of(result.record.cost.peak_memory_mb for result in ran),
        "hardware": "; ".join(dict.fromkeys(hardware_text(result.record) for result in results)),
    }


def _secondary(results: Sequence[Result]) -> dict[str, Value]:
    """Mean and half-width of each secondary score, under `score.<name>`, where any cell has it."""
    row: dict[str, Value] = {}
    tests = [result.record.test.scores for result in results if result.state == "ok"]
    for score in results[0].task.scores[1:]:
        values = [scores[score.name] for scores in tests if score.name in scores]
        if values:
            row[f"score.{score.name}"] = mean_of(values)
            row[f"score.{score.name} ±"] = stats.half_width(values)
    return row


def _figure_row(task: Task, kind: str, label: str, value: float, source: str) -> Row:
    return task_fields(task) | {
        "agent": label,
        "kind": kind,
        "mean": value,
        "normalized": normalized_score(value, task.anchors),
        "state": kind,
        "source": source,
    }
