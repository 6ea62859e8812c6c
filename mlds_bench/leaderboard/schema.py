"""What a record holds: the schema of a result, every field described.

A record is the result of one cell (variant, agent, seed) with how it was got. Importing this file
costs pydantic and nothing else: the command line does it at start.
"""

from __future__ import annotations

import hashlib
import math
import re
from typing import Annotated, Literal, NamedTuple, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    field_validator,
    model_validator,
)

State = Literal["ok", "failed", "timeout", "out-of-memory", "skipped", "stale"]
STATES: tuple[State, ...] = get_args(State)
COUNTED_AS_TRIVIAL: frozenset[State] = frozenset({"failed", "timeout", "out-of-memory"})

SLUG_LENGTH = 160  # file systems stop at 255 bytes a name
FOLDER_NAME = r"[A-Za-z0-9][A-Za-z0-9._=,@+-]*"


def _plain(value: object) -> object:
    """What JSON can hold: tuples as lists, inf and nan (legal settings) by their names."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _one_line(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value


Settings = Annotated[dict[str, JsonValue], BeforeValidator(_plain)]
Seconds = Annotated[float, Field(ge=0)]


class Model(BaseModel):
    """Base of everything in a record: frozen, nothing unknown, every number finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CurvePoint(Model):
    """One point of the learning curve."""

    env_steps: int = Field(ge=0, description="Environment steps taken so far, over all instances.")
    seconds: Seconds = Field(description="Seconds of training so far.")
    reward: float = Field(description="Mean reward of a step since the point before.")
    episode_return: float | None = Field(
        description="Mean return of the episodes that ended since the point before; null if none."
    )
    episodes: int | None = Field(
        default=None, ge=0, description="How many those were; null where it was not counted."
    )


class Anchor(Model):
    """A reference value of the primary score."""

    value: float = Field(description="Value, in the unit of the primary score.")
    source: str = Field(description="Where the value comes from.")


class Anchors(Model):
    """What a primary score is read against."""

    random: Anchor = Field(description="Random actions: normalized score 0.")
    trivial: Anchor = Field(description="The trivial agent (constant, copy): what a failure gets.")
    pass_mark: Anchor = Field(description="The course's pass mark or figure: normalized score 1.")
    best: Anchor = Field(description="Best known value, or the exact optimum.")


class Published(Model):
    """A figure from the literature or the course, shown as a row of its own."""

    label: str = Field(description="What was measured, as it stands in the agent column.")
    value: float = Field(description="Value, in the unit of the primary score.")
    source: str = Field(description="Publication, report or deck.")


class RecordBudget(Model):
    """What the agent was allowed to spend."""

    env_steps: int = Field(ge=0, description="Environment steps, over all instances.")
    seconds: Seconds | None = Field(description="Seconds of training; null for no limit.")


class Identity(NamedTuple):
    """What makes a cell of a preset this cell; enough to find its record."""

    preset: str
    variant: str
    agent: str
    seed: int


class Record(Model):
    """The result of one cell: variant x agent x seed, under one preset."""

    schema_version: Literal[1] = Field(default=1, description="Version of this schema.")
    variant: str = Field(
        pattern=f"^{FOLDER_NAME}/{FOLDER_NAME}$",
        description="Homework and variant, as in 'hw1-1/sinc'.",
    )
    agent: str = Field(
        min_length=1,
        description="Name of the agent with its sorted overrides: 'deep@learning_rate=0.01'.",
    )
    agent_params: Settings = Field(description="Hyper-parameters in effect; inf and nan as text.")
    seed: int = Field(ge=0, description="Seed of the cell, the unit of replication.")
    preset: str = Field(pattern=f"^{FOLDER_NAME}$", description="Preset: budgets and seeds.")
    state: State = Field(description="How the cell ended.")
    reason: Annotated[str, BeforeValidator(_one_line)] = Field(
        description="Why the state is not ok, in one line; empty if it is."
    )
    scores: dict[str, float] = Field(description="Raw scores on the test split, all finite.")
    primary: str = Field(min_length=1, description="Name of the primary score.")
    higher_is_better: bool = Field(description="Whether a higher primary score is better.")
    normalized: float | None = Field(
        description="Primary score with 0 at random and 1 at the pass mark; null unless ok."
    )
    env_steps: int = Field(ge=0, description="Environment steps taken, over all instances.")
    wall_seconds: Seconds = Field(description="Wall time of the whole cell.")
    train_seconds: Seconds | None = Field(description="Wall time in learn(); null if not reached.")
    eval_seconds: Seconds | None = Field(description="Wall time of the test; null if not reached.")
    cpu_seconds: Seconds | None = Field(description="Processor time of the cell's processes.")
    seconds_to_pass: Seconds | None = Field(
        description="Seconds of training until the pass mark was reached; null if never."
    )
    steps_per_second: Seconds | None = Field(description="env_steps over train_seconds.")
    peak_memory_mb: Seconds | None = Field(description="Largest resident memory, in MiB.")
    env_version: str = Field(
        min_length=1, description="Environment id with version: 'mlds/FunctionFitting-v0'."
    )
    env_kwargs: Settings = Field(description="Keyword arguments that the variant sets.")
    env_options: Settings = Field(description="Choices of view that the agent made.")
    data_checksum: str | None = Field(description="Checksum of the data read; null without data.")
    agent_hash: str = Field(description="Hash of the agent's source.")
    key: str = Field(description="Hash of all that makes a finished cell valid or stale.")
    package_version: str = Field(description="Version of mlds-bench.")
    git_commit: str | None = Field(description="Commit of mlds-bench; null outside a checkout.")
    python: str = Field(description="Version of Python.")
    packages: dict[str, str] = Field(description="Versions of the packages that numbers hang on.")
    hardware: Settings = Field(
        description="Processor, cores, memory, accelerator; load figures as load, load_average."
    )
    threads: int = Field(ge=1, description="Threads the cell was given.")
    stopped_by: Literal["agent", "env_steps", "seconds"] | None = Field(
        description="Who ended the training: the agent itself or a limit; null without training."
    )
    budget: RecordBudget = Field(description="What the agent was allowed to spend.")
    test_episodes: int = Field(ge=0, description="Episodes of the test split behind the scores.")
    started_utc: str = Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$",
        description="Start of the cell, ISO 8601, UTC.",
    )
    curve: tuple[CurvePoint, ...] = Field(description="Learning curve, in order of env_steps.")
    anchors: Anchors = Field(description="Reference values of the primary score.")
    published: tuple[Published, ...] = Field(description="Published figures for this variant.")
    pretrained: str = Field(
        default="", description="Record of the cell in which it learnt, not in this one; or none."
    )
    family: str = Field(
        default="", description="The table of many variants it belongs to, as in 'xor-*'; or none."
    )

    @field_validator("agent")
    @classmethod
    def _agent_names_a_folder(cls, agent: str) -> str:
        slug(agent)
        return agent

    @field_validator("scores", mode="before")
    @classmethod
    def _scores_are_finite(cls, scores: object) -> object:
        for name, value in scores.items() if isinstance(scores, dict) else ():
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(
                    f"score {name!r} is {value}, and a score must be finite: "
                    "give the cell the state failed, with this as its reason"
                )
        return scores

    @model_validator(mode="after")
    def _pass_mark_is_better_than_random(self) -> Self:
        random, mark = self.anchors.random.value, self.anchors.pass_mark.value
        if mark == random or (mark > random) != self.higher_is_better:
            raise ValueError(
                f"the pass mark {mark} must be better than random {random} "
                f"with higher_is_better={self.higher_is_better}"
            )
        return self

    @model_validator(mode="after")
    def _state_agrees_with_scores(self) -> Self:
        if self.state != "ok":
            if not self.reason or self.normalized is not None:
                raise ValueError(f"state {self.state!r} needs a reason and no normalized score")
            return self
        if self.reason:
            raise ValueError("state 'ok' takes no reason")
        if self.primary not in self.scores:
            raise ValueError(f"primary score {self.primary!r} is not among {sorted(self.scores)}")
        expected = normalized_score(self.scores[self.primary], self.anchors)
        if self.normalized is None or not math.isclose(
            self.normalized, expected, rel_tol=1e-9, abs_tol=1e-9
        ):
            raise ValueError(f"normalized is {self.normalized}, its scores and anchors {expected}")
        return self

    @property
    def identity(self) -> Identity:
        """Preset, variant, agent label and seed."""
        return Identity(self.preset, self.variant, self.agent, self.seed)


def normalized_score(value: float, anchors: Anchors) -> float:
    """Normalized score: 0 at random, 1 at the pass mark, higher is better, linear, not clipped.

    Errors are reported in log10 (`log10_mse`), so the axis is right for them too.

    Args:
        value: a value of the primary score.
        anchors: the anchors of its variant.

    Returns:
        The normalized score, without unit.
    """
    random = anchors.random.value
    return (value - random) / (anchors.pass_mark.value - random)


def slug(name: str) -> str:
    """Folder name of an agent label: 'sb3:PPO' -> 'sb3-PPO', './mine.py' -> 'mine.py'.

    Characters outside [A-Za-z0-9._=,@+-] become '-', leading dots and dashes go (a folder must
    neither be hidden nor look like an option), and a very long name keeps its start and a
    checksum.

    Args:
        name: the label of an agent.

    Returns:
        A name of 1 to 160 ASCII characters.

    Raises:
        ValueError: nothing is left of the name.
    """
    text = re.sub(r"[^A-Za-z0-9._=,@+-]", "-", name).lstrip("-.")
    if not text:
        raise ValueError(f"agent label {name!r} has no letter or digit to name a folder after")
    if len(text) > SLUG_LENGTH:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        return f"{text[: SLUG_LENGTH - len(digest) - 1]}-{digest}"
    return text
