"""Names and parameters of the problems, and what is said about wrong ones."""

from __future__ import annotations

from typing import Any

import pytest

from mlds_bench.envs.landscape.problems.catalogue import MAKERS, make_problem
from mlds_bench.envs.landscape.specs import PARAMETERS, PROBLEMS, STARTS, Settings


def test_every_problem_can_be_made() -> None:
    """The specs and the makers are the same list, and a problem bears its name."""
    assert set(MAKERS) == set(PROBLEMS)
    for name, spec in PROBLEMS.items():
        assert name == spec.name == make_problem(Settings(problem=name)).name
        assert spec.start in STARTS
        assert set(spec.parameters) <= set(PARAMETERS)


def test_defaults_and_given_values() -> None:
    """None stands for the default; the student is as large as the teacher unless told."""
    assert Settings(hidden=None).parameters == {"hidden": 3, "activation": "relu"}
    assert Settings(problem="sinc", hidden=4, depth=1).parameters["hidden"] == 4
    cases: list[tuple[dict[str, Any], dict[str, int]]] = [
        ({}, {"k": 6, "n": 6}),
        ({"k": 9}, {"k": 9, "n": 9}),
        ({"n": 7}, {"k": 6, "n": 7}),
        ({"k": 9, "n": 11}, {"k": 9, "n": 11}),
    ]
    for given, expected in cases:
        assert Settings(problem="teacher-student", **given).parameters == expected
    assert (Settings().queries, Settings(query_budget=7).queries) == (2000, 7)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("jelyfish", {}, r"unknown problem 'jelyfish': did you mean 'jellyfish'\?"),
        ("zzz", {}, "unknown problem 'zzz': there are quadratic, saddle, .*, digits"),
        ("xor", {"depth": 2}, "problem 'xor' takes no depth: it takes hidden, activation"),
        ("saddle", {"k": 2}, "problem 'saddle' takes no k: it takes no parameters"),
        ("xor", {"hidden": 0}, r"hidden must be a whole number in 1\.\.256, got 0"),
        ("xor", {"hidden": 2.0}, r"hidden must be a whole number in 1\.\.256, got 2\.0"),
        ("deep-linear", {"depth": True}, r"depth must be a whole number in 1\.\.64, got True"),
        ("teacher-student", {"n": -3}, r"n must be a whole number in 1\.\.128, got -3"),
        ("xor", {"activation": "elu"}, "activation must be one of relu, sigmoid, tanh, got 'elu'"),
        ("digits", {"points": 5000}, r"points must be in 2\.\.1797 on digits, got 5000"),
    ],
)
def test_wrong_problems_get_one_clear_line(
    name: str, arguments: dict[str, Any], message: str
) -> None:
    """The value, the bound, and the nearest right thing."""
    with pytest.raises(ValueError, match=f"^{message}$"):
        Settings(problem=name, **arguments)


def test_the_threshold_follows_problem_and_objective() -> None:
    """The caller's value; else the problem's for its loss, 1e-3 for the gradient norm."""
    assert Settings().threshold == Settings().spec.solved == 1e-2
    assert Settings(objective="gradient_norm").threshold == 1e-3
    assert Settings(objective="gradient_norm", solved=1e-9).threshold == 1e-9
