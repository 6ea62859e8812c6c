"""What crosses between an agent's process and the harness comes out as it went in."""

from __future__ import annotations

from typing import Any

import pytest

from mlds_bench.benchmarks.run.messages import (
    ANSWERS,
    Answer,
    AnswerKind,
    Learned,
    Point,
    Problem,
    Ready,
    read_message,
    write_message,
)
from mlds_bench.leaderboard.record import CurvePoint

POINT = {"env_steps": 64, "seconds": 1.0, "reward": -0.5, "episode_return": None}


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_is_read_with_and_without_parsing(kind: AnswerKind) -> None:
    """As we write it, and as another writer of JSON might."""
    assert read_message(write_message(kind)) == Answer(kind=kind)
    assert read_message(f' {{"kind":"{kind}"}}'.encode()) == Answer(kind=kind)


def test_messages_come_out_as_what_they_are() -> None:
    """Each kind with its content; a point is one of the record's own."""
    options, params = {"view": "mean"}, {"hidden": [8, 8]}
    assert read_message(write_message("ready", env_options=options, params=params)) == Ready(
        kind="ready", env_options={"view": "mean"}, params={"hidden": [8, 8]}
    )
    assert read_message(write_message("learned", env_steps=3, stopped_by="agent")) == Learned(
        kind="learned", env_steps=3, stopped_by="agent"
    )
    assert read_message(write_message("point", point=POINT | {"score": 0.5})) == Point(
        kind="point",
        point=CurvePoint(env_steps=64, seconds=1.0, reward=-0.5, episode_return=None, score=0.5),
    )
    told = {"state": "failed", "reason": "KeyError: 'oops'"}
    assert read_message(write_message("error", **told)) == Problem(
        kind="error", state="failed", reason="KeyError: 'oops'"
    )


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("act", {}),
        ("learned", {"env_steps": -1, "stopped_by": "agent"}),
        ("learned", {"env_steps": 1, "stopped_by": "boredom"}),
        ("learned", {"env_steps": 1.5, "stopped_by": "agent"}),
        ("point", {"point": POINT | {"score": float("nan")}}),
        ("point", {"point": POINT | {"reward": float("-inf")}}),
        ("point", {"point": POINT | {"seconds": -1.0}}),
        ("point", {"point": POINT | {"passed": True}}),
        ("error", {"state": "ok", "reason": "fine"}),
        ("error", {"state": "failed", "reason": ""}),
    ],
)
def test_what_is_no_message_is_none(kind: str, content: dict[str, Any]) -> None:
    """Unknown kinds, wrong content, numbers that are not finite."""
    assert read_message(write_message(kind, **content)) is None


@pytest.mark.parametrize("content", [b"", b"act done", b"[1]", b"\xff\x00", b"[" * 100_000])
def test_what_is_no_json_is_none(content: bytes) -> None:
    """Whatever an agent's process writes."""
    assert read_message(content) is None
