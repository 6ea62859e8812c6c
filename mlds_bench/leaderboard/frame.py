"""Records as one pandas frame, for those who want to work on the numbers themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from mlds_bench.leaderboard.record import Record

PREFIXES: dict[str, str] = {
    "scores": "score",
    "agent_params": "param",
    "env_kwargs": "env",
    "env_options": "option",
    "budget": "budget",
    "anchors": "anchor",
    "packages": "package",
    "hardware": "hardware",
}


def frame(records: Sequence[Record]) -> pd.DataFrame:
    """One row a record, in the order given.

    Args:
        records: any records; their scores may differ in name.

    Returns:
        A frame with the plain fields of `Record` and `homework` first, then the spread ones
        (`score.<name>`, `param.<name>`, ...); what a record lacks is missing (NaN or None).
    """
    return pd.DataFrame([_flat(record) for record in records])


def _flat(record: Record) -> dict[str, Any]:
    content = record.model_dump(mode="json")
    row: dict[str, Any] = {"homework": record.variant.split("/")[0]}
    row |= {name: value for name, value in content.items() if name not in PREFIXES}
    for name, prefix in PREFIXES.items():
        row |= {f"{prefix}.{key}": _value(value) for key, value in content[name].items()}
    return row


def _value(entry: Any) -> Any:
    """An anchor is its value; its source stays in the record."""
    return entry["value"] if isinstance(entry, Mapping) and "value" in entry else entry
