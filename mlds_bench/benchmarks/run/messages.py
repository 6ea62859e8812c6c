"""What an agent's process may say to the harness; anything else is refused as the agent's fault."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field, JsonValue, TypeAdapter, ValidationError

from mlds_bench.leaderboard.record import CurvePoint


class Ready(BaseModel):
    """The agent is built."""

    kind: Literal["ready"]
    env_options: dict[str, JsonValue]
    params: dict[str, JsonValue]


class Point(BaseModel):
    """A stretch of the learning curve."""

    kind: Literal["point"]
    point: CurvePoint


class Learned(BaseModel):
    """``learn`` is over, and the agent saved."""

    kind: Literal["learned"]
    curve: list[CurvePoint]
    env_steps: int = Field(ge=0)
    seconds: float = Field(ge=0, allow_inf_nan=False)
    can_shrink: bool
    stopped_by: Literal["agent", "env_steps", "seconds"]


AnswerKind = Literal["act done", "reset done", "keep done"]


class Answer(BaseModel):
    """A question is answered; actions lie in the shared memory."""

    kind: AnswerKind


class Problem(BaseModel):
    """The agent's code raised."""

    kind: Literal["error"]
    state: Literal["failed", "out-of-memory", "skipped"]
    reason: str = Field(min_length=1)


Message = Annotated[Ready | Point | Learned | Answer | Problem, Field(discriminator="kind")]
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)
ANSWERS: tuple[AnswerKind, ...] = get_args(AnswerKind)
_WRITTEN = {json.dumps({"kind": kind}).encode(): kind for kind in ANSWERS}
"""Answers come by the thousand and hold nothing else: they need no parsing."""
_ANSWERED = {kind: content for content, kind in _WRITTEN.items()}


def write_message(kind: str, **content: Any) -> bytes:
    """A message as JSON."""
    if kind in _ANSWERED:
        return _ANSWERED[kind]
    return json.dumps({"kind": kind, **content}).encode()


def read_message(content: bytes) -> dict[str, Any]:
    """A message as a dictionary; an empty one for what is none."""
    if content in _WRITTEN:
        return {"kind": _WRITTEN[content]}
    try:
        return _MESSAGE.validate_json(content).model_dump()
    except ValidationError:
        return {}
