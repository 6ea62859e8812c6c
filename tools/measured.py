"""Tables of what agents measure of themselves, from the `measures.json` beside committed records.

A table stands between ``<!-- begin: measures standard hw1-3/batch-size mlp batch_size -->`` and
``<!-- end -->``: the preset, the variant, the agent, and the hyper-parameter that its rows differ
in. Accuracies are the harness's; `tools.readme` fills the table in.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

from mlds_bench.leaderboard.record import artifact_folder, record_path
from mlds_bench.leaderboard.render import quantity
from mlds_bench.leaderboard.results import Result, read_results
from mlds_bench.leaderboard.stats import half_width, mean

RESULTS = Path(__file__).parents[1] / "results"
TABLE = re.compile(
    r"(<!-- begin: measures (\S+) (\S+) (\S+) (\S+) -->\n).*?(<!-- end -->)", re.DOTALL
)
SCORES = ("test_accuracy", "train_accuracy")
FILE = "measures.json"
LEFT_OUT = ("images_seen", "parameters")


class NothingMeasured(ValueError):
    """No committed record has measures beside it; one line."""


def filled_in(page: str) -> str:
    """A page with its tables of measures as the committed files have them."""
    return TABLE.sub(lambda match: f"{match[1]}\n{table(*match.groups()[1:5])}\n{match[6]}", page)


def table(preset: str, variant: str, agent: str, hyperparameter: str) -> str:
    """A Markdown table: one row per value of the hyper-parameter, mean and half-width over seeds.

    Raises:
        NothingMeasured: there is no such record, or none with measures.
    """
    rows: dict[float, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for result in read_results(RESULTS).items:
        record = result.record
        if (record.preset, record.variant) != (preset, variant):
            continue
        if record.agent.partition("@")[0] != agent or hyperparameter not in record.training.params:
            continue
        setting = record.training.params[hyperparameter]
        assert isinstance(setting, (int, float)), f"{hyperparameter} is no number: {setting!r}"
        row = rows[float(setting)]
        for name, value in {**_scores(result), **_measures(result)}.items():
            row[name].append(value)
    if not rows:
        raise NothingMeasured(
            f"no measures of {agent} by {hyperparameter} on {variant} at {preset}"
        )
    names = list(next(iter(rows.values())))
    head = [hyperparameter, *names]
    lines = [head, ["---:"] * len(head)]
    for value in sorted(rows):
        texts = [quantity(float(mean(v)), half_width(v)) for v in (rows[value][n] for n in names)]
        lines.append([f"{value:,.0f}", *texts])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _scores(result: Result) -> dict[str, float]:
    return {name: result.record.test.scores[name] for name in SCORES}


def _measures(result: Result) -> dict[str, float]:
    path = artifact_folder(record_path(RESULTS, result.record)) / FILE
    if not path.exists():
        raise NothingMeasured(f"{path} is missing: git add --force what lies beside the record")
    values = json.loads(path.read_text(encoding="utf-8"))
    return {name: float(value) for name, value in values.items() if name not in LEFT_OUT}
