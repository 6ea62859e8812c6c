"""From records to rows: one agent on one variant, one agent over variants, figures from elsewhere.

A failed cell (failed, timeout, out-of-memory) counts as the trivial anchor in the normalized
score; skipped and stale cells stand in the table and count nowhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

import numpy as np

from mlds_bench.leaderboard import stats
from mlds_bench.leaderboard.record import LOADS, STATES, Record, normalized_score
from mlds_bench.leaderboard.render import Row
from mlds_bench.leaderboard.schema import COUNTED_AS_TRIVIAL

BOOTSTRAP_SEED = 20180301  # each interval starts afresh, so that no row depends on another
ANCHORS = {"random": "random", "trivial": "trivial", "pass_mark": "pass mark", "best": "best"}

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """Items under their keys, keys and items in the order they come."""
    groups: dict[Key, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def counted_score(record: Record) -> float | None:
    """Primary score that a cell counts with.

    Returns:
        Its score if it is ok, the trivial anchor if it failed, None if it does not count.
    """
    if record.state == "ok":
        return record.scores[record.primary]
    return record.anchors.trivial.value if record.state in COUNTED_AS_TRIVIAL else None


def normalized_scores(records: Iterable[Record]) -> list[float]:
    """Normalized scores of the cells that count, failed ones as the trivial anchor."""
    scores = ((record.anchors, counted_score(record)) for record in records)
    return [normalized_score(score, anchors) for anchors, score in scores if score is not None]


def count_as_trivial(records: Iterable[Record]) -> int:
    """Number of cells that count as the trivial anchor."""
    return sum(record.state in COUNTED_AS_TRIVIAL for record in records)


def agent_row(records: Sequence[Record]) -> Row:
    """The row of one agent on one variant.

    Args:
        records: its cells, one a seed, ordered by seed; they agree in variant, environment
            version and primary score.

    Returns:
        Mean, half-width and interquartile mean of the raw primary score over the seeds that ended
        well, the mean normalized score over all that count, the states, and the mean costs.
    """
    first = records[0]
    scores = [record.scores[record.primary] for record in records if record.state == "ok"]
    normalized = normalized_scores(records)
    ran = [record for record in records if record.state not in ("skipped", "stale")]
    low, high = _iqm_interval([scores])
    return _variant_fields(first) | {
        "agent": first.agent,
        "kind": "agent",
        "mean": _mean(scores),
        "half_width": stats.half_width(scores) if scores else None,
        "iqm": float(stats.interquartile_mean(scores)) if scores else None,
        "iqm_low": low,
        "iqm_high": high,
        "n": len(scores),
        "normalized": _mean(normalized),
        "counted_as_trivial": count_as_trivial(records),
        "state": state_summary(records),
        "reason": reasons(records),
        "wall_seconds": _mean(record.wall_seconds for record in ran),
        "steps_per_second": _mean(record.steps_per_second for record in ran),
        "seconds_to_pass": _mean(record.seconds_to_pass for record in ran),
        "passed": sum(record.seconds_to_pass is not None for record in ran),
        "peak_memory_mb": _mean(record.peak_memory_mb for record in ran),
        "hardware": "; ".join(dict.fromkeys(hardware_text(record) for record in records)),
    }


def overall_row(records: Sequence[Record]) -> Row:
    """The row of one agent over variants.

    Args:
        records: all its cells, ordered by variant and seed.

    Returns:
        Interquartile mean of the normalized scores of all runs that count, with its stratified
        bootstrap 95% interval, and the number of variants and runs behind it.
    """
    groups = grouped(records, lambda record: (record.variant, record.env_version))
    strata = {key: normalized_scores(group) for key, group in groups.items()}
    counted = {key: scores for key, scores in strata.items() if scores}
    runs = [score for scores in counted.values() for score in scores]
    low, high = _iqm_interval(list(counted.values()))
    return {
        "preset": records[0].preset,
        "variant": "all",
        "score": "normalized",
        "higher_is_better": True,
        "agent": records[0].agent,
        "kind": "agent",
        "mean": _mean(runs),
        "iqm": float(stats.interquartile_mean(runs)) if runs else None,
        "iqm_low": low,
        "iqm_high": high,
        "n": len(runs),
        "counted_as_trivial": count_as_trivial(records),
        "variants": len({variant for variant, _ in counted}),
    }


def published_rows(records: Sequence[Record]) -> list[Row]:
    """Rows of the published figures of one variant, each once, with their source."""
    figures = dict.fromkeys(figure for record in records for figure in record.published)
    return [
        _figure_row(records[0], "published", figure.label, figure.value, figure.source)
        for figure in figures
    ]


def anchor_rows(records: Sequence[Record]) -> list[Row]:
    """Rows of the four anchors of one variant, with their source."""
    anchors = {label: getattr(records[0].anchors, name) for name, label in ANCHORS.items()}
    return [
        _figure_row(records[0], "anchor", label, anchor.value, anchor.source)
        for label, anchor in anchors.items()
    ]


def state_summary(records: Sequence[Record]) -> str:
    """The states of some cells in a few words: 'ok', 'pretrained', '2 ok, 1 failed'."""
    counts = Counter(record.state for record in records)
    if set(counts) == {"ok"}:
        return "pretrained" if all(record.pretrained for record in records) else "ok"
    return ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])


def reasons(records: Sequence[Record]) -> str:
    """Why cells are not ok, each reason once: 'failed: ValueError: a / ValueError: b'."""
    parts = []
    for state in STATES:
        given = dict.fromkeys(record.reason for record in records if record.state == state)
        if reason := " / ".join(filter(None, given)):
            parts.append(f"{state}: {reason}")
    return "; ".join(parts)


def hardware_text(record: Record) -> str:
    """The machine of a record in one line, without what changes by the minute."""
    facts = [f"{name} {value}" for name, value in record.hardware.items() if name not in LOADS]
    return ", ".join([*facts, f"threads {record.threads}"])


def _variant_fields(record: Record) -> dict[str, str | bool]:
    return {
        "preset": record.preset,
        "variant": record.variant,
        "env_version": record.env_version,
        "score": record.primary,
        "higher_is_better": record.higher_is_better,
    }


def _figure_row(record: Record, kind: str, label: str, value: float, source: str) -> Row:
    return _variant_fields(record) | {
        "agent": label,
        "kind": kind,
        "mean": value,
        "normalized": normalized_score(value, record.anchors),
        "state": kind,
        "source": source,
    }


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(stats.mean(known)) if known else None


def _iqm_interval(strata: Sequence[Sequence[float]]) -> tuple[float, float] | tuple[None, None]:
    if not strata or not all(strata):
        return None, None
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    interval = stats.bootstrap_interval(strata, stats.interquartile_mean, generator=generator)
    return interval or (None, None)
