"""Hyper-parameters from the command line to a constructor, checked by name on the way."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import gymnasium

from mlds_bench.agents.base import (
    UnknownHyperparameter,
    make_hyperparameters,
)
from mlds_bench.common.names import unknown_name

GIVEN = ("observation_space", "action_space", "seed", "device")
"""What the harness gives to a constructor that names it."""


_KEY = r"[A-Za-z_]\w*="
_SETTINGS = re.compile(rf"@(?={_KEY})")
_NAMED_FILE = re.compile(r"[A-Za-z_][\w.+-]*=.*\.py(:\w*)?(@.*)?", re.DOTALL)
_OPEN, _CLOSED = "[{(", "]})"


def parse_params(items: Iterable[str]) -> dict[str, Any]:
    """Settings from ``key=value``: values are JSON where they can be read as such, else text.

    A name alone is switched on.

    >>> parse_params(["learning_rate=0.001", "hidden=[8, 8]", "activation=relu", "zoo"])
    {'learning_rate': 0.001, 'hidden': [8, 8], 'activation': 'relu', 'zoo': True}
    """
    params: dict[str, Any] = {}
    for item in items:
        key, equals, text = item.partition("=")
        if not key.isidentifier():
            raise UnknownHyperparameter(
                "a hyper-parameter is given as name=value, learning_rate=0.001 say, "
                f"or as the name of a switch, got {item[:80]!r}"
            )
        if key in params:
            raise UnknownHyperparameter(
                f"hyper-parameter {key} is given twice, last as {item[:80]!r}"
            )
        params[key] = _value(key, text) if equals else True
    return params


def label(name: str, params: Mapping[str, Any]) -> str:
    """How an agent is called in records: its name, and what differs from its defaults, sorted.

    >>> label("deep", {"width": 8, "learning_rate": 0.01})
    'deep@learning_rate=0.01,width=8'
    """
    if not params:
        return name
    return f"{name}@{','.join(f'{key}={_text(params[key])}' for key in sorted(params))}"


def parse_label(text: str) -> tuple[str, dict[str, Any]]:
    """The name of an agent and its hyper-parameters, from what `label` has made of them.

    The name is any that `resolve` takes, ``mine=./my_agent.py`` among them.

    Raises:
        UnknownHyperparameter: one line, for a setting without a name.

    >>> parse_label("deep@hidden=[8,8],learning_rate=0.01")
    ('deep', {'hidden': [8, 8], 'learning_rate': 0.01})
    >>> parse_label("my_agent.py:Mine")
    ('my_agent.py:Mine', {})
    """
    found = _SETTINGS.search(text)
    if found is None:
        return text, {}
    name, settings = text[: found.start()], text[found.end() :]
    if not name:
        raise UnknownHyperparameter(f"{text!r} names no agent: write deep{text}, say")
    items: list[str] = []
    for piece in _between_commas(settings):
        if re.match(_KEY, piece):
            items.append(piece)
        else:  # a comma inside a text
            items[-1] += f",{piece}"
    return name, parse_params(items)


def split_labels(text: str) -> list[str]:
    """The agents between commas; those that set something keep their settings.

    >>> split_labels("deep@learning_rate=0.01,width=8,shallow,mine=./my_agent.py")
    ['deep@learning_rate=0.01,width=8', 'shallow', 'mine=./my_agent.py']
    """
    labels: list[str] = []
    for piece in _between_commas(text):
        sets = bool(re.match(_KEY, piece)) and not _NAMED_FILE.fullmatch(piece)
        if sets and labels and _SETTINGS.search(labels[-1]):
            labels[-1] += f",{piece}"
        else:
            labels.append(piece)
    return [label for piece in labels if (label := piece.strip())]


def known_hyperparameters(cls: type) -> list[str] | None:
    """The hyper-parameters that an agent's class takes; None if it takes any (``**kwargs``)."""
    named, takes_any = _constructor(cls)
    names = [name for name in named if name not in GIVEN]
    if not takes_any:
        return names
    settings = _settings(cls)
    if settings is None:
        return None
    return [*names, *(field.name for field in dataclasses.fields(settings))]


def known_defaults(cls: type) -> dict[str, str]:
    """The hyper-parameters that a class is known to take, with the text of their defaults.

    One without a default has an empty text.
    """
    named, takes_any = _constructor(cls)
    defaults = {
        name: "" if parameter.default is parameter.empty else repr(parameter.default)
        for name, parameter in named.items()
        if name not in GIVEN
    }
    settings = _settings(cls) if takes_any else None
    if settings is not None:
        given = _defaults(settings)
        fields = dataclasses.fields(settings)
        defaults |= {f.name: repr(given[f.name]) if f.name in given else "" for f in fields}
    return defaults


def check_params(cls: type, params: Mapping[str, Any]) -> None:
    """Refuse hyper-parameters that the class does not have, by name, and values it cannot take.

    Raises:
        UnknownHyperparameter: one line, with the nearest right name or the bound.
    """
    known = known_hyperparameters(cls)
    named, _ = _constructor(cls)
    for name, value in params.items():
        if name in GIVEN:
            raise UnknownHyperparameter(f"{name} is no hyper-parameter: it is set for every agent")
        if known is not None and name not in known:
            raise UnknownHyperparameter(
                f"{cls.__name__}: {unknown_name('hyper-parameter', name, known)}"
            )
        _refuse_kind(name, value, named.get(name))
    settings = _settings(cls)
    if settings is not None:
        names = {field.name for field in dataclasses.fields(settings)}
        make_hyperparameters(settings, {k: v for k, v in params.items() if k in names})


def build(
    cls: type,
    *,
    observation_space: gymnasium.Space[Any],
    action_space: gymnasium.Space[Any],
    seed: int,
    device: str = "cpu",
    params: Mapping[str, Any] | None = None,
) -> Any:
    """An agent, its constructor given the keywords that it names (or all, for ``**kwargs``).

    Args:
        cls: any class with ``act``; it need not have a constructor.
        observation_space: of one instance.
        action_space: of one instance.
        seed: of all the agent's randomness.
        device: torch device.
        params: hyper-parameters by name.

    Raises:
        UnknownHyperparameter: for a name that the constructor does not have, or one it misses.
        Unsupported: by the agent, if the spaces do not fit it.
    """
    params = params or {}
    check_params(cls, params)
    named, takes_any = _constructor(cls)
    values = (observation_space, action_space, seed, device)
    given = dict(zip(GIVEN, values, strict=True))
    keywords = {name: value for name, value in given.items() if takes_any or name in named}
    keywords |= params
    for name, parameter in named.items():
        if parameter.default is parameter.empty and name not in keywords:
            raise UnknownHyperparameter(
                f"{cls.__name__} needs {name}: give it a default, or -p {name}=VALUE"
            )
    return cls(**keywords)


def effective_params(agent: Any, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Every setting that an agent runs with, defaults included where known, ready for JSON.

    Args:
        agent: an agent, or its class.
        params: what was set by name.
    """
    cls = agent if isinstance(agent, type) else type(agent)
    named, _ = _constructor(cls)
    values = {
        name: parameter.default
        for name, parameter in named.items()
        if name not in GIVEN and parameter.default is not parameter.empty
    }
    hyper = getattr(agent, "hyper", None)
    settings = _settings(cls)
    if dataclasses.is_dataclass(hyper) and not isinstance(hyper, type):
        values |= dict(params or {}) | _fields(hyper)
    else:
        defaults = _defaults(settings) if settings else {}
        values |= defaults | dict(params or {})
    return {name: _json(value) for name, value in sorted(values.items())}


def _text(value: Any) -> str:
    """A value as `parse_params` reads it back: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(_json(value), separators=(",", ":"))


def _value(key: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
    except RecursionError:
        raise UnknownHyperparameter(
            f"hyper-parameter {key}: its value is nested too deeply"
        ) from None
    except ValueError:  # Python reads integers up to a bound
        raise UnknownHyperparameter(
            f"hyper-parameter {key}: its number has too many digits"
        ) from None


_KINDS: dict[type, tuple[type, ...]] = {
    int: (int, float),  # 1e5 is a float in JSON
    float: (int, float),
    str: (str, int, float, bool),
    bool: (bool, int),
}
"""What a constructor whose default is of a kind may be given."""


def _between_commas(text: str) -> list[str]:
    """Split at the commas that are in no brackets and in no quoted text."""
    pieces, depth, is_quoted, escaped = [""], 0, False, False
    for character in text:
        if character == "," and not is_quoted and depth <= 0:
            pieces.append("")
            continue
        pieces[-1] += character
        if character == '"' and not escaped:
            is_quoted = not is_quoted
        elif not is_quoted:
            depth += (character in _OPEN) - (character in _CLOSED)
        escaped = character == "\\" and not escaped
    return pieces


def _refuse_kind(name: str, value: Any, parameter: inspect.Parameter | None) -> None:
    """A number is no text and not switched on (``-p degree`` is a value forgotten).

    What a constructor wants is told by its default, or by an annotation with one of the four kinds.
    """
    if parameter is None:
        return
    kinds = {kind.__name__: kind for kind in _KINDS}
    hint = parameter.annotation
    kind = kinds.get(hint if isinstance(hint, str) else getattr(hint, "__name__", ""))
    kind = kind or type(parameter.default)
    if kind not in _KINDS or value is None:
        return
    is_switched = isinstance(value, bool) and kind in (int, float)
    if is_switched or not isinstance(value, _KINDS[kind]):
        raise UnknownHyperparameter(
            f"hyper-parameter {name} must be {kind.__name__}, got {value!r}"
        )


def _constructor(cls: type) -> tuple[dict[str, inspect.Parameter], bool]:
    """The keywords that a constructor names, and whether it takes any other."""
    try:
        parameters = inspect.signature(cls).parameters
    except ValueError:  # written in C
        return {}, False
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    named = {name: one for name, one in parameters.items() if one.kind in kinds}
    return named, any(one.kind is one.VAR_KEYWORD for one in parameters.values())


def _settings(cls: type) -> type | None:
    settings = getattr(cls, "hyperparameters", None)
    return settings if isinstance(settings, type) and dataclasses.is_dataclass(settings) else None


def _fields(settings: Any) -> dict[str, Any]:
    return {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}


def _defaults(settings: type) -> dict[str, Any]:
    defaults = {}
    for field in dataclasses.fields(settings):
        if field.default is not dataclasses.MISSING:
            defaults[field.name] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            defaults[field.name] = field.default_factory()
    return defaults


def _json(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(item) for item in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    return getattr(value, "__qualname__", type(value).__qualname__)
