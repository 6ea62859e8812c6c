"""What an agent's process may say to the harness; anything else is refused as the agent's fault."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import BaseModel, Field, JsonValue, TypeAdapter, ValidationError, field_validator

from mlds_bench.leaderboard.record import CurvePoint

MOST_STEPS = 2**63 - 1
LONGEST_REASON = 2000
LONGEST_SETTINGS = 2**16


class Ready(BaseModel):
    """The agent is built; it learns from now on."""

    kind: Literal["ready"]
    env_options: dict[str, JsonValue]
    params: dict[str, JsonValue]

    @field_validator("env_options", "params")
    @classmethod
    def _is_short(cls, settings: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if len(json.dumps(settings)) > LONGEST_SETTINGS:
            raise ValueError(f"settings take more than {LONGEST_SETTINGS} characters")
        return settings


class Point(BaseModel):
    """A stretch of the learning curve; the harness puts its own clock in place of the seconds."""

    kind: Literal["point"]
    point: CurvePoint

    @field_validator("point")
    @classmethod
    def _counts_are_bounded(cls, point: CurvePoint) -> CurvePoint:
        if max(point.env_steps, point.episodes or 0) > MOST_STEPS:
            raise ValueError(f"a point counts more than {MOST_STEPS}")
        return point


class Learned(BaseModel):
    """``learn`` is over."""

    kind: Literal["learned"]
    env_steps: int = Field(ge=0, le=MOST_STEPS)
    stopped_by: Literal["agent", "env_steps", "seconds"]


AnswerKind = Literal["saved", "act done", "reset done"]


class Answer(BaseModel):
    """Something is done; actions lie in the shared memory."""

    kind: AnswerKind


class Problem(BaseModel):
    """The agent's code raised."""

    kind: Literal["error"]
    state: Literal["failed", "out-of-memory", "skipped"]
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)


Message: TypeAlias = Ready | Point | Learned | Answer | Problem
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])
ANSWERS: dict[AnswerKind, Answer] = {kind: Answer(kind=kind) for kind in get_args(AnswerKind)}
_WRITTEN = {json.dumps({"kind": kind}).encode(): answer for kind, answer in ANSWERS.items()}
"""Answers come by the thousand and hold nothing else: they need no parsing."""


def write_message(kind: str, **content: Any) -> bytes:
    """A message as JSON."""
    return json.dumps({"kind": kind, **content}).encode()


def read_message(content: bytes) -> Message | None:
    """A message, or None for what is none."""
    if content in _WRITTEN:
        return _WRITTEN[content]
    try:
        return _MESSAGE.validate_json(content)
    except ValidationError:
        return None
