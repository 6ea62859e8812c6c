"""The leaderboard of a preset, from its records alone: a table a variant, and one over variants.

A failed cell (failed, timeout, out-of-memory) counts as the trivial anchor in the normalized
score and is marked; skipped and stale cells stand in the table and count nowhere.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from mlds_bench.leaderboard import stats
from mlds_bench.leaderboard.record import (
    COUNTED_AS_TRIVIAL,
    LOADS,
    STATES,
    Record,
    normalized_score,
    read_records,
    replace_file,
)
from mlds_bench.leaderboard.render import (
    ABSENT,
    FORMS,
    SUFFIXES,
    Column,
    Page,
    Row,
    Table,
    Value,
    quantity,
    render,
    significant,
)

BOOTSTRAP_SEED = 20180301
ANCHOR_NAMES = {"random": "random", "trivial": "trivial", "pass_mark": "pass mark", "best": "best"}
LEGEND = (
    "n: seeds that ended well; ±: half-width of Student's 95% interval of their mean.",
    "normalized: 0 at random actions, 1 at the pass mark, mean over seeds; "
    "†: failed cells count as the trivial anchor.",
    "seconds: mean wall time of a cell; steps/s: environment steps a second of training.",
)
LEGEND_OVERALL = (
    "IQM: interquartile mean of the normalized scores of all runs; [ ]: stratified bootstrap 95% "
    "interval, which needs two seeds a variant; agents on fewer variants come last.",
)


def page(records: Sequence[Record], *, title: str, anchors: bool = False) -> Page:
    """The leaderboard of some records of one preset.

    Args:
        records: at least one record; the order does not matter.
        title: head of the page.
        anchors: whether the anchors stand in the tables as rows of their own.

    Returns:
        A table for each variant (and version of its environment), best agent first; from two
        variants on, a table over all of them before.
    """
    groups = _grouped(sorted(records, key=lambda r: r.identity), _variant_key)
    tables = [_variant_table(group, anchors) for _, group in sorted(groups.items())]
    several = len({record.variant for record in records}) > 1
    overall = [_overall_table(records)] if several else []
    legend = (*LEGEND, *(LEGEND_OVERALL if several else ()))
    return Page(title, (*overall, *tables), (*legend, *_hardware_notes(records)))


def write_tables(out: str | Path) -> list[Path]:
    """Writes the leaderboard of every preset of a run beside the preset's folder.

    Args:
        out: the folder of the run, `<out>/<preset>/...`.

    Returns:
        The files written: `<out>/<preset>.md`, `.csv`, `.tex`, `.json` for each preset.

    Raises:
        NoRecords: the folder does not exist or holds no record.
        TornRecord: one of the files is no record.
        OSError: the folder cannot be written.
    """
    presets = _grouped(read_records(out), lambda record: record.preset)
    written = []
    for preset, records in sorted(presets.items()):
        leaderboard = page(records, title=preset)
        for form in FORMS:
            path = Path(out, preset + SUFFIXES[form])
            replace_file(path, render(leaderboard, form))
            written.append(path)
    return written
