"""The problems, as data: what each is, what it takes, where it comes from; and the settings.

The loss of a problem is judged above its ``bottom``: the global minimum, or, where the loss has no
lower bound, a level one unit below the saddle. ``excess`` = loss - bottom is what rewards, ends and
scores are made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from mlds_bench.common.settings import BaseSettings, choice, flag, known_name, number, whole

Parameter: TypeAlias = int | str
Objective = Literal["loss", "gradient_norm"]
Start = Literal["normal", "fan-in", "teacher"]

MOVE_BOUND = 1e6
"""Coordinates of a move lie in [-MOVE_BOUND, MOVE_BOUND]: no sensible step comes near this bound,
and no sum of moves overflows float64."""
MOST_SCALE = 1e6
"""Of starting points: as far as one move reaches."""
MOST_BUDGET = 10**9
"""Queries of an episode at most."""
LIMIT = 1e12
"""A loss or gradient norm that is NaN or beyond this has diverged and counts as this; observations
are clipped to [-LIMIT, LIMIT]."""
GRADIENT_NORM_SOLVED = 1e-3
"""Gradient norm that counts as a critical point unless the caller says otherwise."""
FLOOR = 1e-30
"""Smallest value that a logarithm is taken of."""
ACTIVATIONS = ("relu", "sigmoid", "tanh")
DIGITS = 1797
"""Images in the digits data set."""
PARAMETERS = ("hidden", "activation", "depth", "k", "n", "points")
"""The settings that are parameters of the problem."""


@dataclass(frozen=True)
class ProblemSpec:
    """A problem.

    Attributes:
        name: what ``problem=`` selects it by.
        formula: the loss, in plain text.
        start: where an instance begins; a key of `STARTS`.
        source: where it comes from.
        solved: excess (loss - bottom) that counts as solved unless the caller says otherwise.
        query_budget: queries per episode unless the caller says otherwise.
        bottom: the global minimum, or a level below the saddle.
        spread: standard deviation of ``normal`` starts.
        parameters: those of `PARAMETERS` that it takes, with their defaults.
    """

    name: str
    formula: str
    start: Start
    source: str
    solved: float
    query_budget: int
    bottom: float = 0.0
    spread: float = 1.0
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


LECTURE = "MLDS 2018, lectures on optimization"
HOMEWORK = "MLDS 2018, homework 1-2"
LOCAL_MINIMA = "Swirszcz, Czarnecki and Pascanu 2016, in MLDS 2018, lectures on optimization"
SAFRAN_SHAMIR = "Safran and Shamir 2017, in MLDS 2018, lectures on optimization"

STARTS: Mapping[Start, str] = MappingProxyType(
    {
        "normal": "every coordinate N(0, spread^2)",
        "fan-in": "weights and biases uniform in +- 1/sqrt(inputs of their layer)",
        "teacher": "every weight N(0, 1/k)",
    }
)
"""Where an instance begins, at ``start_scale=1``."""

PROBLEMS: Mapping[str, ProblemSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            ProblemSpec("quadratic", "x^2 + 3 y^2", "normal", LECTURE, 1e-6, 200),
            ProblemSpec(
                "saddle", "-x^2 + 3 y^2", "normal", LECTURE, 0.0, 200, bottom=-1.0, spread=0.1
            ),
            ProblemSpec("degenerate-minimum", "x^2 + y^4", "normal", LECTURE, 1e-6, 1000),
            ProblemSpec(
                "degenerate-saddle",
                "x^2 - y^4",
                "normal",
                LECTURE,
                0.0,
                1000,
                bottom=-1.0,
                spread=0.1,
            ),
            ProblemSpec(
                "monkey-saddle",
                "x^3 - 3 x y^2",
                "normal",
                LECTURE,
                0.0,
                1000,
                bottom=-1.0,
                spread=0.1,
            ),
            ProblemSpec(
                "deep-linear",
                "(1 - w1 w2 ... wK)^2, K = depth",
                "normal",
                LECTURE,
                1e-6,
                2000,
                parameters={"depth": 5},
            ),
            ProblemSpec(
                "xor",
                "mean squared error of a 2-hidden-1 network on XOR, targets -1 and 1",
                "normal",
                LOCAL_MINIMA,
                1e-2,
                2000,
                spread=0.5,
                parameters={"hidden": 3, "activation": "relu"},
            ),
            ProblemSpec(
                "jellyfish",
                "mean squared error of a 2-hidden-1 network on + (1, 0), (.2, .6), "
                "- (0, 1), (.6, .2), targets -1 and 1",
                "normal",
                LOCAL_MINIMA,
                1e-2,
                2000,
                spread=0.5,
                parameters={"hidden": 3, "activation": "relu"},
            ),
            ProblemSpec(
                "dead-relu",
                "sum of squared errors of v relu(w x + b) + c on (5, 2), (4, 1), (3, 0), "
                "(1, -3), (-1, 3)",
                "normal",
                LECTURE,
                1e-6,
                2000,
                bottom=14.0,
            ),
            ProblemSpec(
                "teacher-student",
                "population loss of n ReLU neurons under a teacher of k orthonormal ones, x ~ "
                "N(0, I)",
                "teacher",
                SAFRAN_SHAMIR,
                1e-3,
                5000,
                parameters={"k": 6, "n": 6},
            ),
            ProblemSpec(
                "sinc",
                "mean squared error of a network with depth hidden layers on sin(5 pi x)/(5 pi x)",
                "fan-in",
                HOMEWORK,
                1e-3,
                2000,
                parameters={"hidden": 10, "depth": 2, "activation": "tanh", "points": 100},
            ),
            ProblemSpec(
                "digits",
                "cross-entropy of a 16-hidden-10 network on real digits of 4 x 4 pixels",
                "fan-in",
                HOMEWORK,
                1e-1,
                500,
                parameters={"hidden": 36, "activation": "tanh", "points": 500},
            ),
        )
    }
)


@dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """Keyword arguments of `LossLandscape`. None stands for the problem's own default.

    Attributes:
        problem: a key of `PROBLEMS`.
        hidden: neurons of a hidden layer, where the problem is a network.
        activation: of the hidden layers, where the problem is a network.
        depth: factors of ``deep-linear``; hidden layers of ``sinc``.
        k: neurons of the teacher.
        n: neurons of the student; k unless given.
        points: training examples of ``sinc`` and ``digits``.
        query_budget: queries per episode.
        gradient: whether the observation holds the gradient.
        objective: what is to be made small.
        solved: value that ends an episode; unless given, the problem's own (``loss``) or 1e-3
            (``gradient_norm``).
        gradient_tolerance: gradient norm at theta that ends an episode unsolved, where descent has
            come to rest; 0 for never.
        start_scale: factor on the starting points.
    """

    problem: str = known_name("xor", tuple(PROBLEMS))
    hidden: int | None = whole(None, 1, 256)
    activation: str | None = choice(None, ACTIVATIONS)
    depth: int | None = whole(None, 1, 64)
    k: int | None = whole(None, 1, 64)
    n: int | None = whole(None, 1, 128)
    points: int | None = whole(None, 2, 10_000)
    query_budget: int | None = whole(None, 1, MOST_BUDGET)
    gradient: bool = flag(True)
    objective: Objective = choice("loss", get_args(Objective))
    solved: float | None = number(None, 0.0)
    gradient_tolerance: float = number(0.0, 0.0)
    start_scale: float = number(1.0, 0.0, MOST_SCALE)

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in self._given:
            if key not in self.spec.parameters:
                takes = ", ".join(self.spec.parameters) or "no parameters"
                raise ValueError(f"problem {self.problem!r} takes no {key}: it takes {takes}")
        if self.problem == "digits" and int(self.parameters["points"]) > DIGITS:
            raise ValueError(f"points must be in 2..{DIGITS} on digits, got {self.points}")

    @property
    def spec(self) -> ProblemSpec:
        """The problem."""
        return PROBLEMS[self.problem]

    @property
    def _given(self) -> dict[str, Parameter]:
        return {key: value for key in PARAMETERS if (value := getattr(self, key)) is not None}

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """All parameters of the problem, given or by default."""
        parameters = {**self.spec.parameters, **self._given}
        if self.k is not None and self.n is None:
            parameters["n"] = self.k
        return parameters

    @property
    def queries(self) -> int:
        """Queries per episode, given or by default."""
        return self.spec.query_budget if self.query_budget is None else self.query_budget

    @property
    def threshold(self) -> float:
        """The value that counts as solved, given or by default of problem and objective."""
        if self.solved is not None:
            return self.solved
        return self.spec.solved if self.objective == "loss" else GRADIENT_NORM_SOLVED
