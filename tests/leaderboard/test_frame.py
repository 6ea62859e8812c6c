from __future__ import annotations

from mlds_bench.leaderboard.frame import frame
from tests.leaderboard.factory import make_failure, make_result, make_stale, of

RESULTS = [
    make_failure(seed=0),
    make_result(-3.0, seed=1, params={"learning_rate": 0.001}),
    make_result(-4.0, agent="wide", env_options={"view": "mean"}),
    make_stale(agent="wide", seed=1),
]


def test_a_record_is_a_row() -> None:
    """Plain fields as columns, the rest under prefixes, in the order given."""
    table = frame(of(RESULTS))
    assert table["agent"].tolist() == ["deep", "deep", "wide", "wide"]
    assert table["seed"].tolist() == [0, 1, 0, 1]
    assert table["homework"].tolist() == ["hw1-1"] * 4
    assert table["state"].tolist() == ["failed", "ok", "ok", "stale"]
    assert table["score.log10_mse"].tolist()[1:] == [-3.0, -4.0, -2.0]
    assert table["score.log10_mse"].isna().tolist() == [True, False, False, False]
    assert table["normalized"].tolist()[:3] == [0.25, 0.75, 1.0]
    assert table["normalized"].isna().tolist() == [False, False, False, True]
    assert table["passed"].tolist() == [False, False, True, False]
    assert table["anchor.pass_mark"].tolist() == table["mark.log10_mse"].tolist() == [-4.0] * 4
    assert table["param.learning_rate"].tolist() == [0.001] * 4
    assert table["option.view"].tolist()[2] == "mean"
    assert table["env.target"].tolist() == ["sinc"] * 4
    assert table["budget.env_steps"].tolist() == [12_800] * 4
    assert table["package.numpy"].tolist() == ["2.4.6"] * 4
    assert table["hardware.cores"].tolist() == [2] * 4
    assert table["curve"].iloc[0][0]["env_steps"] == 6_400


def test_the_columns_that_were_promised_are_there() -> None:
    """Whatever the schema: what notebooks of users rest on."""
    table = frame(of(RESULTS))
    assert [*table.columns[:5]] == ["homework", "variant", "agent", "seed", "preset"]
    assert {"state", "reason", "primary", "normalized", "env_steps"} <= {*table.columns}
    assert {"wall_seconds", "train_seconds", "seconds_to_pass"} <= {*table.columns}
    assert table["primary"].unique().tolist() == ["log10_mse"]
    assert table.columns.is_unique


def test_what_could_not_be_read_is_listed() -> None:
    assert frame(of(RESULTS, "one", "two")).attrs["problems"] == ["one", "two"]
