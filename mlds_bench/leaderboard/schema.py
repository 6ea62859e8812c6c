"""What a result holds: the schema of a task and of a record, every field described.

A task is what all records of one variant under one preset share: the environment, the size of the
test, the scores with their marks, the anchors. A record is the result of one cell (variant, agent,
seed) and how it was obtained. Numbers that follow from the two (normalized, passed) are stored in
neither: `results` computes them. Importing this file costs pydantic and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from mlds_bench.common.limits import LARGEST, is_bounded
from mlds_bench.leaderboard.fields import (
    Count,
    Line,
    Measure,
    Number,
    Positive,
    Seconds,
    Settings,
)

State = Literal["ok", "failed", "timeout", "out-of-memory", "skipped"]
STATES: tuple[State, ...] = get_args(State)
COUNTED_AS_TRIVIAL: frozenset[str] = frozenset({"failed", "timeout", "out-of-memory"})
NORMALIZED_BOUNDS = (-1.0, 2.0)
"""Least and most normalized score: an unbounded logarithm must not carry an average."""

SLUG_LENGTH = 160  # file systems stop at 255 bytes per name
FOLDER_NAME = r"[A-Za-z0-9][A-Za-z0-9._=,@+-]*"
PRESET = f"^{FOLDER_NAME}$"
VARIANT = f"^{FOLDER_NAME}/{FOLDER_NAME}$"
UTC = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$"


class Model(BaseModel):
    """Base of everything that is stored: frozen, no unknown field, every number finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Anchor(Model):
    """A reference value of the primary score."""

    value: Number = Field(description="Value, in the unit of the primary score.")
    source: Line = Field(description="Where the value comes from.")


class Anchors(Model):
    """What a primary score is read against."""

    random: Anchor = Field(description="Random actions: normalized score 0.")
    trivial: Anchor = Field(description="The trivial agent (constant, copy): what a failure gets.")
    pass_mark: Anchor = Field(description="The course's pass mark or figure: normalized score 1.")
    best: Anchor = Field(description="Best known value, or the exact optimum.")


class Published(Model):
    """A figure from the literature or the course, shown as a row of its own."""

    label: Line = Field(description="What was measured, as it stands in the agent column.")
    value: Number = Field(description="Value, in the unit of the primary score.")
    source: Line = Field(description="Publication, report or deck.")


class Score(Model):
    """A score of the test: its name, its direction, and the mark that it has to meet."""

    name: str = Field(min_length=1, description="Name of the score, as in the records.")
    higher_is_better: bool = Field(description="Whether a higher value is better.")
    mark: Number | None = Field(
        default=None,
        description="Mark of a secondary score, met by a value at least as good; null for none.",
    )


class Task(Model):
    """What all records of one variant under one preset share: the content of variant.json."""

    schema_version: Literal[2] = Field(default=2, description="Version of this schema.")
    preset: str = Field(pattern=PRESET, description="Preset: budgets, seeds and test sizes.")
    variant: str = Field(pattern=VARIANT, description="Homework and variant, as in 'hw1-1/sinc'.")
    question: Line = Field(description="What the homework asks, in one line.")
    room: str = Field(min_length=1, description="Room of the environment, as in 'fitting'.")
    family: str = Field(
        default="", description="The table of many variants it belongs to, as in 'xor-*'; or none."
    )
    environment: str = Field(
        min_length=1, description="Environment id with version: 'mlds/FunctionFitting-v0'."
    )
    env_kwargs: Settings = Field(description="Keyword arguments that the variant sets.")
    data_checksum: str | None = Field(description="Checksum of the data read; null without data.")
    test_envs: Positive = Field(description="Instances of the environment in the test batch.")
    test_episodes: Positive = Field(description="Episodes per instance that count in the test.")
    scores: tuple[Score, ...] = Field(
        min_length=1,
        description="Scores with a direction, the primary first; its mark is anchors.pass_mark.",
    )
    anchors: Anchors = Field(description="Reference values of the primary score.")
    headline: bool = Field(
        default=False, description="Whether the front table shows this variant for its homework."
    )
    published: tuple[Published, ...] = Field(description="Published figures for this variant.")
    pass_return: Number | None = Field(
        default=None,
        description="Mean return of training episodes that counts as a pass on the learning "
        "curve; null where the training reward can be the oracle's.",
    )

    @model_validator(mode="after")
    def _scores_are_clear(self) -> Self:
        names = [score.name for score in self.scores]
        if len(set(names)) < len(names):
            raise ValueError(f"a score is named twice: {', '.join(names)}")
        if self.scores[0].mark is not None:
            raise ValueError(
                f"the primary score {names[0]!r} has the mark {self.scores[0].mark}: "
                "leave it out, anchors.pass_mark is its mark"
            )
        return self

    @model_validator(mode="after")
    def _pass_mark_is_better_than_random(self) -> Self:
        random, mark = self.anchors.random.value, self.anchors.pass_mark.value
        if mark == random or (mark > random) != self.higher_is_better:
            raise ValueError(
                f"the pass mark {mark} must be better than random {random} "
                f"with higher_is_better={self.higher_is_better}"
            )
        return self

    @property
    def homework(self) -> str:
        """The part of the variant before the slash: 'hw1-1'."""
        return self.variant.partition("/")[0]

    @property
    def primary(self) -> str:
        """Name of the primary score."""
        return self.scores[0].name

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher primary score is better."""
        return self.scores[0].higher_is_better

    @property
    def marks(self) -> dict[str, float]:
        """The marks that a test has to meet, by the name of the score, the primary first."""
        secondary = {score.name: score.mark for score in self.scores if score.mark is not None}
        return {self.primary: self.anchors.pass_mark.value} | secondary

    @property
    def digest(self) -> str:
        """sha256 of all that the meaning of a result depends on, and of no prose."""
        content = self.model_dump(
            mode="json",
            include={"environment", "env_kwargs", "data_checksum", "test_envs", "test_episodes"},
        )
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def meets_marks(self, scores: Mapping[str, float]) -> bool:
        """Whether scores of a test meet every mark; a missing score meets none."""
        up = {score.name: score.higher_is_better for score in self.scores}
        return all(
            name in scores and (scores[name] >= mark if up[name] else scores[name] <= mark)
            for name, mark in self.marks.items()
        )


class CurvePoint(Model):
    """One point of the learning curve."""

    env_steps: Count = Field(description="Environment steps taken so far, over all instances.")
    seconds: Seconds = Field(description="Seconds of training so far.")
    reward: Number = Field(description="Mean reward per step since the point before.")
    episode_return: Number | None = Field(
        description="Mean return of the episodes that ended since the point before; null if none."
    )
    episodes: Count | None = Field(
        default=None, description="How many those were; null where they were not counted."
    )
    score: Number | None = Field(
        default=None,
        description="Validation score that the agent reported, its own claim; null if none.",
    )


class RecordBudget(Model):
    """What the agent was allowed to spend."""

    env_steps: Count = Field(description="Environment steps, over all instances.")
    seconds: Seconds | None = Field(description="Seconds of training; null for no limit.")


class Training(Model):
    """How the agent learned."""

    params: Settings = Field(description="Hyper-parameters in effect; inf and nan as text.")
    env_options: Settings = Field(description="Choices of view that the agent made.")
    env_steps: Count = Field(description="Environment steps taken, over all instances.")
    budget: RecordBudget = Field(description="What the agent was allowed to spend.")
    stopped_by: Literal["agent", "env_steps", "seconds"] | None = Field(
        description="Who ended the training: the agent itself or a limit; null without training."
    )
    curve: tuple[CurvePoint, ...] = Field(description="Learning curve, in order of env_steps.")


class Testing(Model):
    """What the test measured."""

    scores: dict[str, Number] = Field(description="Raw scores on the test split, all finite.")
    episodes: Count = Field(description="Episodes of the test split behind the scores.")

    @field_validator("scores", mode="before")
    @classmethod
    def _scores_are_finite(cls, scores: object) -> object:
        for name, value in scores.items() if isinstance(scores, dict) else ():
            if isinstance(value, float) and not is_bounded(value):
                raise ValueError(
                    f"score {name!r} is {value}, and a score must be finite and within "
                    f"{LARGEST:g}: give the cell the state failed, with this as its reason"
                )
        return scores


class Cost(Model):
    """What the cell cost, as measured by the harness."""

    wall_seconds: Seconds = Field(description="Wall time of the whole cell.")
    train_seconds: Seconds | None = Field(description="Wall time in learn(); null if not reached.")
    eval_seconds: Seconds | None = Field(description="Wall time of the test; null if not reached.")
    cpu_seconds: Seconds | None = Field(description="Processor time of the cell's processes.")
    peak_memory_mb: Seconds | None = Field(description="Largest resident memory, in MiB.")


class Provenance(Model):
    """Which code made the record, on which machine, and when."""

    key: str = Field(description="Hash of all that makes a finished cell valid or stale.")
    task: str = Field(description="Digest of the task that the record was made for.")
    agent_version: Count | None = Field(
        description="Version of a built-in agent; null for a file or a plug-in."
    )
    source_hash: str = Field(description="Hash of the agent's source, as evidence.")
    package_version: str = Field(description="Version of mlds-bench.")
    git_commit: str | None = Field(description="Commit of mlds-bench; null outside a checkout.")
    python: str = Field(description="Version of Python.")
    packages: dict[str, str] = Field(description="Versions of the packages that numbers depend on.")
    hardware: dict[str, Line | Measure] = Field(
        description="Processor, cores, memory, accelerator; load figures as load, load_average."
    )
    threads: Positive = Field(description="Threads the cell was given.")
    started_utc: str = Field(pattern=UTC, description="Start of the cell, ISO 8601, UTC.")


class Identity(NamedTuple):
    """What makes a cell of a preset this cell; enough to find its record."""

    preset: str
    variant: str
    agent: str
    seed: int


class Record(Model):
    """The result of one cell: variant x agent x seed, under one preset."""

    schema_version: Literal[2] = Field(default=2, description="Version of this schema.")
    preset: str = Field(pattern=PRESET, description="Preset, as in the task.")
    variant: str = Field(pattern=VARIANT, description="Homework and variant, as in the task.")
    agent: str = Field(
        min_length=1,
        description="Name of the agent with its sorted overrides: 'deep@learning_rate=0.01'.",
    )
    seed: Count = Field(description="Seed of the cell, the unit of replication.")
    pretrained: str = Field(
        default="", description="Record of the cell in which it learned, not in this one; or none."
    )
    state: State = Field(description="How the cell ended.")
    reason: Line = Field(description="Why the state is not ok, in one line; empty if it is.")
    training: Training = Field(description="How the agent learned.")
    test: Testing = Field(description="What the test measured.")
    cost: Cost = Field(description="What the cell cost.")
    provenance: Provenance = Field(description="Which code made it, where and when.")

    @field_validator("agent")
    @classmethod
    def _agent_names_a_folder(cls, agent: str) -> str:
        slug(agent)
        return agent

    @model_validator(mode="after")
    def _state_agrees_with_scores(self) -> Self:
        if self.state != "ok" and not self.reason:
            raise ValueError(f"state {self.state!r} needs a reason")
        if self.state == "ok" and self.reason:
            raise ValueError("state 'ok' takes no reason")
        if self.state == "ok" and not self.test.scores:
            raise ValueError("state 'ok' needs the scores of the test")
        return self

    @property
    def identity(self) -> Identity:
        """Preset, variant, agent label and seed."""
        return Identity(self.preset, self.variant, self.agent, self.seed)


def normalized_score(value: float, anchors: Anchors) -> float:
    """Normalized score: 0 at random, 1 at the pass mark, higher is better, linear between bounds.

    Errors are reported in log10 (`log10_mse`), so the axis is right for them too.

    Args:
        value: a value of the primary score.
        anchors: the anchors of its variant.

    Returns:
        The normalized score, without unit, within `NORMALIZED_BOUNDS`.
    """
    random = anchors.random.value
    low, high = NORMALIZED_BOUNDS
    return min(max((value - random) / (anchors.pass_mark.value - random), low), high)


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
