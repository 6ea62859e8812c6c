"""Questions about agents' classes, answered in a process of their own.

Whoever plans a run holds what agents must not see, and an agent's code may do anything when it is
imported: so it is imported in a child, which says what it found in one JSON document.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from mlds_bench.agents import params as params_of
from mlds_bench.agents.base import UnknownHyperparameter
from mlds_bench.agents.registry import AgentSpec, UnknownAgent
from mlds_bench.common.interpreter import interpreter_command

Setting: TypeAlias = tuple[AgentSpec, Mapping[str, Any]]
"""An agent and hyper-parameters that are set for it."""

SECONDS = 120.0
"""How long an import may take."""


def check_agents(specs: Sequence[AgentSpec], params: Mapping[str, Any]) -> None:
    """Refuse hyper-parameters that one of the agents does not take.

    An agent that cannot be loaded, as is known already, is no reason to refuse them.

    Raises:
        UnknownHyperparameter: one line, with the nearest right name or the bound.
        UnknownAgent: an agent's code cannot be imported, or holds no agent.
    """
    check_settings([(spec, params) for spec in specs])


def check_settings(settings: Sequence[Setting]) -> None:
    """`check_agents` for agents with hyper-parameters of their own, all in one process."""
    for answer in _ask([(spec, params) for spec, params in settings if not spec.problem]):
        if "hyperparameter" in answer:
            raise UnknownHyperparameter(answer["hyperparameter"])
        if "agent" in answer:
            raise UnknownAgent(answer["agent"])


def known_defaults(spec: AgentSpec) -> dict[str, str]:
    """The hyper-parameters that an agent's class is known to take, and the text of their defaults.

    Raises:
        UnknownAgent: its code cannot be imported, or holds no agent.
    """
    (answer,) = _ask([(spec, {})])
    if "agent" in answer:
        raise UnknownAgent(answer["agent"])
    defaults: dict[str, str] = answer["defaults"]
    return defaults


def _ask(settings: Sequence[Setting]) -> list[dict[str, Any]]:
    with TemporaryDirectory() as folder:
        place = Path(folder, "answers.json")
        names = ", ".join(dict.fromkeys(spec.name for spec, _ in settings))
        try:
            child = subprocess.run(
                interpreter_command(__name__, str(place)),
                input=pickle.dumps([(spec, dict(params)) for spec, params in settings]),
                env={**os.environ, "PYTHONSAFEPATH": "1"},
                capture_output=True,
                check=False,
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise UnknownAgent(f"{names}: importing it took longer than {SECONDS:g} s") from None
        if not place.exists():
            raise UnknownAgent(
                f"{names}: the code ended the interpreter with exit code {child.returncode} when "
                "it was imported"
            )
        answers: list[dict[str, Any]] = json.loads(place.read_text(encoding="utf-8"))
    return answers


def _answer(spec: AgentSpec, params: Mapping[str, Any]) -> dict[str, Any]:
    try:
        cls = spec.load()
        params_of.check_params(cls, params)
    except UnknownHyperparameter as error:
        return {"hyperparameter": str(error)}
    except UnknownAgent as error:
        return {"agent": str(error)}
    except Exception as error:  # whatever a user's code raises
        line = " ".join(str(error).split())
        return {"agent": f"{spec.name} cannot be imported: {type(error).__name__}: {line}"}
    return {"defaults": params_of.known_defaults(cls)}


def main(place: str) -> None:
    """Answer for the agents that come through standard input, into the file that is named."""
    settings = pickle.loads(sys.stdin.buffer.read())  # from the parent alone
    answers = [_answer(spec, params) for spec, params in settings]
    Path(place).write_text(json.dumps(answers), encoding="utf-8")
