from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from mlds_bench.agents.base import Agent, UnknownHyperparameter
from mlds_bench.agents.params import (
    build,
    check_params,
    effective_params,
    known_defaults,
    known_hyperparameters,
    label,
    parse_label,
    parse_params,
    split_labels,
)
from mlds_bench.agents.registry import resolve

BOX, DISCRETE = spaces.Box(0, 1, (2,)), spaces.Discrete(3)


class Bare:
    def act(self, obs: Any) -> Any:
        return obs


class Named(Bare):
    def __init__(self, action_space: Any, width: int = 8, rate: float = 0.1) -> None:
        self.action_space, self.width, self.rate = action_space, width, rate


class Anything(Bare):
    def __init__(self, seed: int, **settings: Any) -> None:
        self.seed, self.settings = seed, settings


class Needy(Bare):
    def __init__(self, table: Any) -> None:
        self.table = table


@dataclass(frozen=True)
class Settings:
    rate: float = 0.5
    hidden: tuple[int, ...] = (8, 8)
    names: list[str] = field(default_factory=lambda: ["a"])


class Tuned(Agent):
    hyperparameters = Settings


class Extended(Tuned):
    def __init__(self, *, depth: int = 2, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.depth = depth


def made(cls: type, **params: Any) -> Any:
    return build(cls, observation_space=BOX, action_space=DISCRETE, seed=3, params=params)


def test_values_are_json_or_text() -> None:
    """Numbers, lists and truth values are read as such; what JSON does not know stays text."""
    items = ["rate=0.001", "hidden=[8,8]", "flag=true", "name=relu", "none=null", "eq=a=b", "t="]
    assert parse_params([*items, "zoo"]) == {
        "rate": 0.001,
        "hidden": [8, 8],
        "flag": True,
        "name": "relu",
        "none": None,
        "eq": "a=b",
        "t": "",
        "zoo": True,
    }


@pytest.mark.parametrize(
    ("items", "line"),
    [
        (["-3"], "name=value, learning_rate=0.001 say, or as the name of a switch, got '-3'"),
        (["a", "a=1"], "hyper-parameter a is given twice, last as 'a=1'"),
        (["=3"], "got '=3'"),
        (["learning rate=3"], "got 'learning rate=3'"),
        (["a=1", "a=2"], "hyper-parameter a is given twice, last as 'a=2'"),
    ],
)
def test_a_setting_that_cannot_be_read_gets_one_line(items: list[str], line: str) -> None:
    """A missing sign, a missing name and a repeated one are told with what was given."""
    with pytest.raises(UnknownHyperparameter) as error:
        parse_params(items)
    assert line in str(error.value)


def test_labels_are_sorted_and_short() -> None:
    """The same settings give the same label, in whatever order and however written."""
    assert label("deep", {}) == "deep"
    one = parse_params(["width=8", "learning_rate=1e-2", "hidden=[8, 8]", "name=relu"])
    other = parse_params(["name=relu", "hidden=[8,8]", "learning_rate=0.01", "width=8"])
    assert label("deep", one) == "deep@hidden=[8,8],learning_rate=0.01,name=relu,width=8"
    assert label("deep", one) == label("deep", other)


@pytest.mark.parametrize(
    ("cls", "known"),
    [
        (Bare, []),
        (Named, ["width", "rate"]),
        (Anything, None),
        (Tuned, ["rate", "hidden", "names"]),
        (Extended, ["depth", "rate", "hidden", "names"]),
        (Agent, []),
    ],
)
def test_hyperparameters_are_known_from_the_constructor_and_the_settings(
    cls: type, known: list[str] | None
) -> None:
    """What the harness gives is none; **kwargs without a dataclass takes anything."""
    assert known_hyperparameters(cls) == known


def test_unknown_hyperparameters_are_refused_by_name() -> None:
    """The nearest right name is given; a class that takes anything is not second-guessed."""
    with pytest.raises(UnknownHyperparameter, match=r"Named: .*'widht': did you mean 'width'"):
        check_params(Named, {"widht": 4})
    with pytest.raises(UnknownHyperparameter, match=r"Bare: .*'width': there is no"):
        made(Bare, width=4)
    with pytest.raises(UnknownHyperparameter, match="seed is no hyper-parameter"):
        check_params(Anything, {"seed": 4})
    check_params(Anything, {"whatever": 4})


def test_constructors_get_what_they_name() -> None:
    """None at all, some by name, or everything."""
    assert isinstance(made(Bare), Bare)
    named = made(Named, width=4)
    assert (named.action_space, named.width, named.rate) == (DISCRETE, 4, 0.1)
    anything = made(Anything, whatever=1)
    assert anything.seed == 3
    assert anything.settings == {
        "observation_space": BOX,
        "action_space": DISCRETE,
        "device": "cpu",
        "whatever": 1,
    }
    extended = made(Extended, depth=5, rate=1)
    assert (extended.depth, extended.hyper.rate, extended.seed) == (5, 1.0, 3)


def test_a_constructor_that_needs_more_says_what() -> None:
    """A required argument that nobody gives is named, with the way out."""
    with pytest.raises(UnknownHyperparameter, match=r"Needy needs table: .* -p table=VALUE"):
        made(Needy)
    assert made(Needy, table=[1]).table == [1]


def test_effective_parameters_hold_the_defaults_too() -> None:
    """Class or agent, the record gets every known setting, ready for JSON and sorted."""
    expected = {"hidden": [8, 8], "names": ["a"], "rate": 1.0}
    assert effective_params(Tuned, {"rate": 1.0}) == expected
    assert effective_params(made(Tuned, rate=1)) == expected
    assert effective_params(Named, {"width": 4}) == {"rate": 0.1, "width": 4}
    assert effective_params(made(Extended, depth=3), {"depth": 3})["depth"] == 3
    assert effective_params(Anything, {"whatever": (1,)}) == {"whatever": [1]}
    assert effective_params(Bare) == {}


def test_effective_parameters_are_json_whatever_they_are() -> None:
    """Arrays, infinities, classes and objects have a stable form without addresses."""
    values = {
        "array": np.arange(2),
        "number": np.float32(0.5),
        "inf": math.inf,
        "cls": Bare,
        "object": Bare(),
        "map": {1: (2,)},
    }
    got = effective_params(Anything, values)
    assert json.loads(json.dumps(got, allow_nan=False)) == {
        "array": [0, 1],
        "number": 0.5,
        "inf": "inf",
        "cls": "Bare",
        "object": "Bare",
        "map": {"1": [2]},
    }


@pytest.mark.parametrize(("name", "kind"), [("width", "int"), ("rate", "float")])
def test_a_number_is_not_switched_on(name: str, kind: str) -> None:
    """Of a plain constructor, too: ``-p width`` would be a width of 1."""
    with pytest.raises(UnknownHyperparameter, match=f"{name} must be {kind}, got True"):
        check_params(Named, parse_params([name]))


@pytest.mark.parametrize(
    ("params", "line"),
    [
        ({"learning_rate": "abc"}, "learning_rate must be float, got 'abc'"),
        ({"learning_rate": -1}, "learning_rate must be a finite number above 0"),
        ({"hidden": 5}, "hidden must be at least one whole number of at least 1, for example"),
    ],
)
def test_values_are_checked_before_anything_runs(params: dict[str, Any], line: str) -> None:
    """A value that the dataclass refuses is a usage error, not a failed cell."""
    with pytest.raises(UnknownHyperparameter, match=line):
        check_params(resolve("deep").load(), params)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("[" * 100_000, "hyper-parameter x: its value is nested too deeply"),
        ("9" * 5_000, "hyper-parameter x: its number has too many digits"),
    ],
)
def test_a_value_that_json_cannot_hold_is_one_line(value: str, line: str) -> None:
    """Without the value, which is long."""
    with pytest.raises(UnknownHyperparameter) as error:
        parse_params([f"x={value}"])
    assert str(error.value) == line


@pytest.mark.parametrize(
    ("text", "name", "params"),
    [
        ("deep", "deep", {}),
        ("my_agent.py:Mine", "my_agent.py:Mine", {}),
        ("pretrained:ppo", "pretrained:ppo", {}),
        ("deep@learning_rate=0.003", "deep", {"learning_rate": 0.003}),
        ("sb3:PPO@n_steps=64,zoo=true", "sb3:PPO", {"n_steps": 64, "zoo": True}),
        ("a@b.py:Mine@x=1", "a@b.py:Mine", {"x": 1}),
        ("mine=./my_agent.py@x=1", "mine=./my_agent.py", {"x": 1}),
        ("A@hidden=[8,8],names=a,b", "A", {"hidden": [8, 8], "names": "a,b"}),
        ('A@table={"a":[1,2],"b":"x,y=1"}', "A", {"table": {"a": [1, 2], "b": "x,y=1"}}),
    ],
)
def test_what_tables_print_is_understood(text: str, name: str, params: dict[str, Any]) -> None:
    """Name and settings are those that `label` has joined."""
    assert parse_label(text) == (name, params)
    assert label(*parse_label(text)) == label(name, params)
    assert parse_label(label(name, params)) == (name, params)


def test_settings_without_a_name_are_one_line() -> None:
    """And so is a setting that is given twice."""
    with pytest.raises(UnknownHyperparameter, match="'@x=1' names no agent: write deep@x=1, say"):
        parse_label("@x=1")
    with pytest.raises(UnknownHyperparameter, match="x is given twice"):
        parse_label("deep@x=1,x=2")


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("deep, shallow,", ["deep", "shallow"]),
        ("deep@a=1,b=2,shallow", ["deep@a=1,b=2", "shallow"]),
        ("deep@a=[1,2],b=x,sb3:PPO@n_steps=8", ["deep@a=[1,2],b=x", "sb3:PPO@n_steps=8"]),
        ("deep@a=1,mine=./m.py,his=./h.py:A@b=2", ["deep@a=1", "mine=./m.py", "his=./h.py:A@b=2"]),
        ("mine=./m.py,deep", ["mine=./m.py", "deep"]),
        ("", []),
    ],
)
def test_agents_are_split_at_the_commas_between_them(text: str, labels: list[str]) -> None:
    """A comma in the settings of an agent is none between two."""
    assert split_labels(text) == labels


class Typed:
    def __init__(
        self,
        hidden: int = 8,
        rate: float = 0.1,
        activation: str = "relu",
        deep: bool = False,
        steps: int | None = None,
        seed: int = 0,
    ) -> None: ...

    def act(self, obs: Any) -> Any: ...


@pytest.mark.parametrize(
    ("params", "line"),
    [
        ({"hidden": "abc"}, "hyper-parameter hidden must be int, got 'abc'"),
        ({"rate": [1]}, r"hyper-parameter rate must be float, got \[1\]"),
        ({"rate": True}, "hyper-parameter rate must be float, got True"),
        ({"deep": "yes"}, "hyper-parameter deep must be bool, got 'yes'"),
        ({"activation": ["a"]}, "hyper-parameter activation must be str"),
    ],
)
def test_a_constructor_is_given_the_kinds_that_it_names(params: dict[str, Any], line: str) -> None:
    """Before a cell starts."""
    with pytest.raises(UnknownHyperparameter, match=line):
        check_params(Typed, params)


def test_what_a_constructor_may_mean_is_let_through() -> None:
    """A number for a number, null, and anything where no kind is told."""
    check_params(Typed, {"hidden": 1e5, "rate": 1, "deep": True, "steps": "x", "activation": 5})
    check_params(Typed, {"hidden": None})


def test_the_constructor_of_any_class_tells_its_defaults() -> None:
    """What the harness gives is not among them; what has no default has no text."""

    class Mine:
        def __init__(self, seed: int, width: int, rate: float = 0.1) -> None: ...

    assert known_defaults(Mine) == {"width": "", "rate": "0.1"}
    assert known_defaults(Typed)["activation"] == "'relu'"
