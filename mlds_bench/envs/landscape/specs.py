"""The problems, as data: what each is, what it takes, where it comes from, and the room's limits.

The loss of a problem is judged above its ``bottom``: the global minimum, or, where the loss has no
lower bound, a level one unit below the saddle. ``excess`` = loss - bottom is what rewards, ends and
scores are made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

Parameter: TypeAlias = int | str
Objective = Literal["loss", "gradient_norm"]
Start = Literal["normal", "fan-in", "teacher"]

MOVE_BOUND = 1e6
"""Coordinates of a move lie in [-MOVE_BOUND, MOVE_BOUND]: no honest step comes near, and no sum of
moves leaves float64."""
LIMIT = 1e12
"""A loss or gradient norm beyond this, or no number, has diverged and counts as this; what is
observed is clipped to [-LIMIT, LIMIT]."""
GRADIENT_NORM_SOLVED = 1e-3
"""Gradient norm that counts as a critical point unless the caller says otherwise."""
FLOOR = 1e-30
"""Logarithms are taken of at least this."""
ACTIVATIONS = ("relu", "sigmoid", "tanh")
DIGITS = 1797
"""Images in the data set of digits."""
BOUNDS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"hidden": (1, 256), "depth": (1, 64), "k": (1, 64), "n": (1, 128), "points": (2, 10_000)}
)
"""Smallest and largest value of each whole-numbered parameter."""


PARAMETERS = ("hidden", "activation", "depth", "k", "n", "points")
"""Keyword arguments of the environment that are parameters of the problem."""


@dataclass(frozen=True)
class ProblemSpec:
    """A problem.

    Attributes:
        name: what ``problem=`` selects it by.
        formula: the loss, in plain text.
        start: where an instance begins; a key of `STARTS`.
        source: where it comes from.
        solved: excess (loss - bottom) that counts as solved unless the caller says otherwise.
        query_budget: queries an episode unless the caller says otherwise.
        bottom: the global minimum, or a level below the saddle.
        spread: standard deviation of ``normal`` starts.
        parameters: the keyword arguments it takes, with their defaults; an int needs a whole number
            within `BOUNDS`, a str one of `ACTIVATIONS`.
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

    def settings(self, **given: Parameter | None) -> dict[str, Parameter]:
        """All parameters of the problem, checked; None stands for the default.

        Raises:
            ValueError: one line that names the parameter, its value and what is allowed.
        """
        for key, value in given.items():
            if key not in self.parameters and value is not None:
                takes = ", ".join(self.parameters) or "no parameters"
                raise ValueError(f"problem {self.name!r} takes no {key}: it takes {takes}")
        chosen = {key: value for key, value in given.items() if value is not None}
        for key, value in chosen.items():
            _check(key, value)
        settings = {**self.parameters, **chosen}
        if "k" in chosen:
            settings["n"] = chosen.get("n", chosen["k"])
        if self.name == "digits" and int(settings["points"]) > DIGITS:
            raise ValueError(f"points must be in 2..{DIGITS} on digits, got {settings['points']}")
        return settings


def parameters_of(env_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Those of an environment's keyword arguments that are parameters of the problem."""
    return {key: env_kwargs[key] for key in PARAMETERS if key in env_kwargs}


def find_spec(name: str) -> ProblemSpec:
    """The problem of that name.

    Raises:
        ValueError: one line with the nearest name.
    """
    if name not in PROBLEMS:
        near = get_close_matches(str(name), PROBLEMS, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(PROBLEMS)}"
        raise ValueError(f"unknown problem {name!r}: {hint}")
    return PROBLEMS[name]


def threshold(spec: ProblemSpec, objective: Objective, solved: float | None) -> float:
    """The value that counts as solved: the caller's, or the default of problem and objective."""
    if solved is not None:
        return solved
    return spec.solved if objective == "loss" else GRADIENT_NORM_SOLVED


def _check(key: str, value: Parameter) -> None:
    if key == "activation":
        if value not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {value!r}")
        return
    low, high = BOUNDS[key]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{key} must be a whole number in {low}..{high}, got {value!r}")


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
