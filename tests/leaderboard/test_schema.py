from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from mlds_bench.leaderboard import schema
from mlds_bench.leaderboard.record import Anchors, Record, normalized_score, slug
from tests.leaderboard.factory import ANCHORS, content, make_failure, make_record

MODELS = [
    value
    for value in vars(schema).values()
    if isinstance(value, type) and issubclass(value, BaseModel) and value is not BaseModel
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_is_described_and_nothing_unknown_is_taken(model: type[BaseModel]) -> None:
    """A record explains itself: descriptions in the schema, no field outside it."""
    assert all(field.description for field in model.model_fields.values())
    assert model.model_config["extra"] == "forbid"
    assert model.model_config["frozen"]


def test_every_field_must_be_there() -> None:
    """A record that lacks any field but the schema version is refused by the field's name."""
    for name in content():
        if name != "schema_version":
            incomplete = {key: value for key, value in content().items() if key != name}
            with pytest.raises(ValidationError, match=name):
                Record.model_validate(incomplete)


def test_a_record_cannot_be_changed() -> None:
    """A result stands once it is made."""
    with pytest.raises(ValidationError, match="frozen"):
        make_record().seed = 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": {"log10_mse": float("nan")}}, "score 'log10_mse' is nan.*finite"),
        ({"scores": {"log10_mse": -2.0, "x": float("inf")}}, "score 'x' is inf.*finite"),
        ({"scores": {"log10_mse": None}}, "log10_mse"),
        ({"scores": {"sup_error": 1.0}}, "'log10_mse' is not among"),
        ({"normalized": None}, "normalized is None"),
        ({"normalized": 0.7}, "normalized is 0.7.*0.5"),
        ({"reason": "it went well"}, "takes no reason"),
        ({"state": "failed", "normalized": None}, "needs a reason"),
        ({"state": "failed", "reason": "x"}, "no normalized score"),
        ({"state": "done"}, "state"),
        ({"wall_seconds": float("inf")}, "finite"),
        ({"wall_seconds": -1.0}, "wall_seconds"),
        ({"seed": -1}, "seed"),
        ({"variant": "sinc"}, "variant"),
        ({"variant": "../sinc"}, "variant"),
        ({"variant": "hw1-1/a/b"}, "variant"),
        ({"preset": ".."}, "preset"),
        ({"agent": "..."}, "no letter or digit"),
        ({"started_utc": "yesterday"}, "started_utc"),
        ({"schema_version": 2}, "schema_version"),
        ({"higher_is_better": True}, "must be better than random"),
        ({"anchors": ANCHORS | {"pass_mark": ANCHORS["random"]}}, "must be better than random"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    """Values out of range, states against scores, unknown fields: none makes a record."""
    with pytest.raises(ValidationError, match=message):
        Record.model_validate(content() | changes)


def test_settings_that_json_cannot_hold_are_written_in_words() -> None:
    """An infinite clip norm or a tuple of widths is a legal setting and stays readable."""
    record = make_record(agent_params={"clip": float("inf"), "widths": (5, (1, 2))})
    assert record.agent_params == {"clip": "inf", "widths": [5, [1, 2]]}


def test_reasons_are_one_line() -> None:
    """A traceback given as the reason does not break a table row."""
    assert make_failure(reason="ValueError: no\n  at line 3").reason == "ValueError: no at line 3"


def test_normalized_score_is_linear_between_random_and_pass_mark() -> None:
    """0 at random, 1 at the pass mark, beyond it above 1, in either direction."""
    anchors = Anchors.model_validate(ANCHORS)
    assert [normalized_score(x, anchors) for x in (0.0, -1.0, -4.0, -8.0, 4.0)] == [
        0.0,
        0.25,
        1.0,
        2.0,
        -1.0,
    ]


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("deep", "deep"),
        ("sb3:PPO", "sb3-PPO"),
        ("deep@learning_rate=0.01,width=3", "deep@learning_rate=0.01,width=3"),
        ("./my agent.py:Mine", "my-agent.py-Mine"),
        ("../../etc", "etc"),
        ("--option", "option"),
        ("naïve", "na-ve"),
    ],
)
def test_slugs_are_plain_folder_names(name: str, folder: str) -> None:
    """No label leaves its folder, hides, or looks like an option."""
    assert slug(name) == folder


def test_long_slugs_differ_and_fit() -> None:
    """Labels that differ after 300 characters still have folders of their own."""
    first, second = slug("a" * 300 + "b"), slug("a" * 300 + "c")
    assert first != second
    assert len(first) == len(second) == 160
