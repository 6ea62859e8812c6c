"""Tables of measures: from the files beside records, and from nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlds_bench.leaderboard.record import artifact_folder, record_path
from tests.leaderboard.factory import make_result, store
from tests.leaderboard.test_sweeps import TASK
from tools import measured
from tools.measured import NothingMeasured, filled_in, table

WORDS = ("quick", "hw1-1/sinc", "mlp", "batch_size")


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two batch sizes, of the first two seeds; what was measured is batch size plus seed."""
    monkeypatch.setattr(measured, "RESULTS", tmp_path)
    made = [row(64, 0), row(64, 1), row(8, 0)]
    store(tmp_path, *made)
    for result in made:
        folder = artifact_folder(record_path(tmp_path, result.record))
        folder.mkdir(parents=True)
        size = result.record.training.params["batch_size"]
        content = {"images_seen": 9, "sharpness": size + result.record.seed}
        (folder / "measures.json").write_text(json.dumps(content))
    return tmp_path


def row(size: int, seed: int) -> Any:
    scores = {"test_accuracy": 0.9, "train_accuracy": 1.0, "sensitivity": 1.0}
    label, params = f"mlp@batch_size={size}", {"batch_size": size}
    return make_result(task=TASK, agent=label, params=params, scores=scores, seed=seed)


def test_a_row_is_a_value_and_a_column_a_mean(results: Path) -> None:
    """Sorted by the value, with half-widths where there are seeds, without what nobody compares."""
    head, _, first, second = table(*WORDS).splitlines()
    assert head == "| batch_size | test_accuracy | train_accuracy | sharpness |"
    assert first == "| 8 | 0.9000 | 1.000 | 8.000 |"
    assert second.startswith("| 64 |")
    assert "± 6.4" in second  # Student's t of one degree of freedom times 1/2


def test_a_page_is_filled_in(results: Path) -> None:
    """What stood there goes; the rest stays."""
    begin = f"<!-- begin: measures {' '.join(WORDS)} -->\n"
    page = f"a\n{begin}old\n<!-- end -->\nb"
    assert filled_in(page) == f"a\n{begin}\n{table(*WORDS)}\n<!-- end -->\nb"


def test_what_is_not_there_is_named(results: Path) -> None:
    """Another variant, or a file that was not committed."""
    with pytest.raises(NothingMeasured, match="no measures of mlp by batch_size on hw9"):
        table("quick", "hw9", "mlp", "batch_size")
    next(results.rglob("measures.json")).unlink()
    with pytest.raises(NothingMeasured, match=r"measures\.json is missing: git add --force"):
        table(*WORDS)
