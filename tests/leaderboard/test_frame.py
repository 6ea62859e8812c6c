from __future__ import annotations

from mlds_bench.leaderboard.frame import frame
from tests.leaderboard.factory import make_failure, make_record


def test_a_record_is_a_row() -> None:
    """Plain fields as columns, the rest under prefixes, in the order given."""
    records = [make_failure(seed=0), make_record(-3.0, seed=1), make_record(agent="wide")]
    table = frame(records)
    assert table["agent"].tolist() == ["deep", "deep", "wide"]
    assert table["seed"].tolist() == [0, 1, 0]
    assert table["homework"].tolist() == ["hw1-1"] * 3
    assert table["state"].tolist() == ["failed", "ok", "ok"]
    assert table["score.log10_mse"].tolist()[1:] == [-3.0, -2.0]
    assert table["score.log10_mse"].isna().tolist() == [True, False, False]
    assert table["normalized"].tolist()[1:] == [0.75, 0.5]
    assert table["anchor.pass_mark"].tolist() == [-4.0] * 3
    assert table["param.learning_rate"].tolist() == [0.001] * 3
    assert table["budget.env_steps"].tolist() == [12_800] * 3
    assert table["package.numpy"].tolist() == ["2.4.6"] * 3
    assert table["curve"].iloc[0][0]["env_steps"] == 6_400
