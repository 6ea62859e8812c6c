"""Results as one pandas frame, for those who want to work on the numbers themselves."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mlds_bench.leaderboard.record import Anchors
from mlds_bench.leaderboard.results import Result, Results


def frame(results: Results) -> pd.DataFrame:
    """One row per record, in the order given.

    Args:
        results: any results; their scores may differ in name.

    Returns:
        A frame with what identifies a row first, then the plain fields of record and task, then
        the spread ones (`score.<name>`, `param.<name>`, ...); what a record lacks is missing (NaN
        or None). `attrs["problems"]` lists what could not be read.
    """
    table = pd.DataFrame([_flat(result) for result in results])
    table.attrs["problems"] = list(results.problems)
    return table


def _flat(result: Result) -> dict[str, Any]:
    record = result.record.model_dump(mode="json")
    task = result.task.model_dump(mode="json", exclude={"schema_version", "scores", "anchors"})
    training, test, provenance = record["training"], record["test"], record["provenance"]
    spread = {
        "score": test["scores"],
        "param": training.pop("params"),
        "option": training.pop("env_options"),
        "budget": training.pop("budget"),
        "env": task.pop("env_kwargs"),
        "mark": result.task.marks,
        "anchor": {name: getattr(result.task.anchors, name).value for name in Anchors.model_fields},
        "package": provenance.pop("packages"),
        "hardware": provenance.pop("hardware"),
    }
    provenance["task_digest"] = provenance.pop("task")
    plain: dict[str, Any] = _first(result) | record["cost"] | training | provenance | task
    plain["episodes"] = test["episodes"]
    for prefix, values in spread.items():
        plain |= {f"{prefix}.{key}": value for key, value in values.items()}
    return plain


def _first(result: Result) -> dict[str, Any]:
    record, task = result.record, result.task
    return {
        "homework": task.homework,
        "variant": task.variant,
        "agent": record.agent,
        "seed": record.seed,
        "preset": record.preset,
        "state": result.state,
        "reason": result.reason,
        "pretrained": record.pretrained,
        "primary": task.primary,
        "higher_is_better": task.higher_is_better,
        "normalized": result.normalized,
        "passed": result.passed,
        "seconds_to_pass": result.seconds_to_pass,
        "steps_per_second": result.steps_per_second,
    }
