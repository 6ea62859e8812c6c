from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from mlds_bench.leaderboard import schema
from mlds_bench.leaderboard.fields import one_line
from mlds_bench.leaderboard.record import Anchors, Record, Task, normalized_score, slug
from tests.leaderboard.factory import (
    ANCHORS,
    PARTS,
    PUBLISHED,
    UP,
    content,
    make_record,
    make_task,
    task_content,
)

MODELS = [
    value
    for value in vars(schema).values()
    if isinstance(value, type) and issubclass(value, BaseModel) and value is not BaseModel
]
DEFAULTS = {"schema_version", "pretrained", "family", "headline", "pass_return"}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_is_described_and_nothing_unknown_is_taken(model: type[BaseModel]) -> None:
    """A record explains itself: descriptions in the schema, no field outside it."""
    assert all(field.description for field in model.model_fields.values())
    assert model.model_config["extra"] == "forbid"
    assert model.model_config["frozen"]


def test_every_field_of_a_record_must_be_there() -> None:
    """A record that lacks a field is refused by the field's name, in every part of it."""
    for name in content().keys() - DEFAULTS:
        whole = content()
        del whole[name]
        with pytest.raises(ValidationError, match=name):
            Record.model_validate(whole)
    for part in PARTS:
        for name in content()[part]:
            whole = content()
            del whole[part][name]
            with pytest.raises(ValidationError, match=rf"{part}\.{name}"):
                Record.model_validate(whole)


def test_every_field_of_a_task_must_be_there() -> None:
    for name in task_content().keys() - DEFAULTS:
        whole = task_content()
        del whole[name]
        with pytest.raises(ValidationError, match=name):
            Task.model_validate(whole)


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
        ({"scores": {}}, "needs the scores of the test"),
        ({"reason": "it went well"}, "takes no reason"),
        ({"state": "failed"}, "needs a reason"),
        ({"state": "done"}, "state"),
        ({"state": "stale", "reason": "old"}, "state"),
        ({"wall_seconds": float("inf")}, "finite"),
        ({"wall_seconds": -1.0}, "wall_seconds"),
        ({"wall_seconds": 1e300}, "wall_seconds"),
        ({"scores": {"log10_mse": 1e308}}, r"score 'log10_mse' is 1e\+308.*within 1e\+100"),
        ({"env_steps": 10**400}, "env_steps"),
        ({"episodes": 2**63}, "episodes"),
        ({"seed": 10**400}, "seed"),
        ({"threads": 10**400}, "threads"),
        ({"wall_seconds": 1e-320}, "no clock tells less than 1e-09 seconds"),
        ({"hardware": {"cpu": [["x"]]}}, r"hardware\.cpu"),
        ({"hardware": {"cores": -1}}, r"hardware\.cores"),
        ({"hardware": {"memory_mb": 1e308}}, r"hardware\.memory_mb"),
        ({"peak_memory_mb": 10**400}, "peak_memory_mb"),
        ({"seed": -1}, "seed"),
        ({"variant": "sinc"}, "variant"),
        ({"variant": "../sinc"}, "variant"),
        ({"variant": "hw1-1/a/b"}, "variant"),
        ({"preset": ".."}, "preset"),
        ({"agent": "..."}, "no letter or digit"),
        ({"agent_version": -1}, "agent_version"),
        ({"started_utc": "yesterday"}, "started_utc"),
        ({"schema_version": 1}, "schema_version"),
        ({"normalized": 0.5}, "normalized"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    """Values out of range, states against scores, unknown or derived fields."""
    with pytest.raises(ValidationError, match=message):
        Record.model_validate(content(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": []}, "scores"),
        ({"scores": [{"name": "a", "higher_is_better": True}] * 2}, "named twice: a, a"),
        (
            {"scores": [{"name": "log10_mse", "higher_is_better": False, "mark": -4.0}]},
            "'log10_mse' has the mark -4.0.*anchors.pass_mark is its mark",
        ),
        (
            {"scores": [{"name": "log10_mse", "higher_is_better": True}]},
            "must be better than random",
        ),
        ({"anchors": ANCHORS | {"pass_mark": ANCHORS["random"]}}, "must be better than random"),
        ({"test_envs": 0}, "test_envs"),
        ({"test_episodes": 0}, "test_episodes"),
        ({"variant": "sinc"}, "variant"),
        ({"color": "red"}, "color"),
    ],
)
def test_a_task_that_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    """A task whose pass mark is no better than chance, or with two marks, makes no table."""
    with pytest.raises(ValidationError, match=message):
        Task.model_validate(task_content(**changes))


def test_a_task_knows_its_homework_and_its_primary_score() -> None:
    task = make_task()
    assert (task.homework, task.primary, task.higher_is_better) == ("hw1-1", "log10_mse", False)
    assert make_task(**UP).higher_is_better


CHAT = {
    "scores": [
        {"name": "correlation", "higher_is_better": True},
        {"name": "perplexity", "higher_is_better": False, "mark": 100.0},
        {"name": "distinct2", "higher_is_better": True},
    ],
    "anchors": ANCHORS | {"pass_mark": {"value": 0.45, "source": "course"}},
}


@pytest.mark.parametrize(
    ("scores", "met"),
    [
        ({"correlation": 0.5, "perplexity": 90.0}, True),
        ({"correlation": 0.45, "perplexity": 100.0}, True),
        ({"correlation": 0.44, "perplexity": 90.0}, False),
        ({"correlation": 0.5, "perplexity": 101.0}, False),
        ({"correlation": 0.5}, False),
    ],
)
def test_every_mark_has_to_be_met(scores: dict[str, float], met: bool) -> None:
    """At least as good as the mark, in the direction of each score; a missing score meets none."""
    task = make_task(**CHAT)
    assert task.marks == {"correlation": 0.45, "perplexity": 100.0}
    assert task.meets_marks(scores) is met


@pytest.mark.parametrize(
    "changes",
    [
        {"environment": "mlds/FunctionFitting-v1"},
        {"env_kwargs": {"target": "sgn"}},
        {"data_checksum": "d"},
        {"test_envs": 1},
        {"test_episodes": 2},
    ],
)
def test_another_test_is_another_digest(changes: dict[str, Any]) -> None:
    """What a result depends on is in the digest of the task."""
    assert make_task(**changes).digest != make_task().digest


def test_prose_and_marks_are_not_in_the_digest() -> None:
    """A corrected sentence, source or mark leaves every record fresh."""
    other = make_task(
        question="Another?",
        published=[],
        preset="course",
        room="x",
        anchors=ANCHORS | {"pass_mark": {"value": -5.0, "source": "corrected"}},
    )
    assert other.digest == make_task().digest
    assert (
        make_task(env_kwargs={"b": 1, "a": 2}).digest
        == make_task(env_kwargs={"a": 2, "b": 1}).digest
    )


def test_settings_that_json_cannot_hold_are_written_in_words() -> None:
    """An infinite clip norm or a tuple of widths is a legal setting and stays readable."""
    record = make_record(params={"clip": float("inf"), "widths": (5, (1, 2))})
    assert record.training.params == {"clip": "inf", "widths": [5, [1, 2]]}


def test_reasons_are_one_line() -> None:
    """A traceback given as the reason does not break a table row."""
    record = make_record(state="failed", reason="ValueError: no\n  at line 3", scores={})
    assert record.reason == "ValueError: no at line 3"


@pytest.mark.parametrize("name", ["reward", "episode_return", "score"])
def test_a_curve_stays_within_what_can_be_averaged(name: str) -> None:
    point = {"env_steps": 1, "seconds": 1.0, "reward": 0.0, "episode_return": 0.0, "score": 0.0}
    make_record(curve=[point | {name: -1e100}])
    with pytest.raises(ValidationError, match=name):
        make_record(curve=[point | {name: 1e101}])


def test_what_comes_from_outside_is_one_line_of_bounded_length() -> None:
    """Line feeds, terminal escapes, half characters and ten megabytes."""
    assert one_line("a\n\tb\x1b[2Jc\ud800d\u202ee\u2028f") == "a b [2Jc d e f"
    assert one_line("x" * 10**7) == "x" * 1999 + "…"
    assert one_line("abcdef", 4) == "abc…"
    forged = PUBLISHED | {"label": "a\n| b |", "source": "c\x1b[31m"}
    assert make_task(published=[forged]).published[0].model_dump() == PUBLISHED | {
        "label": "a | b |",
        "source": "c [31m",
    }


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
    assert [normalized_score(x, anchors) for x in (-8.1, 4.1)] == [2.0, -1.0]


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
