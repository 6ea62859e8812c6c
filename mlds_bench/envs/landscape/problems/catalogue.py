"""The problems by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from mlds_bench.envs.landscape.data import make_dataset
from mlds_bench.envs.landscape.problems.base import Problem
from mlds_bench.envs.landscape.problems.networks import Network
from mlds_bench.envs.landscape.problems.surfaces import SURFACES, DeepLinear, Surface
from mlds_bench.envs.landscape.problems.teacher import TeacherStudent
from mlds_bench.envs.landscape.specs import ProblemSpec, Settings

Maker: TypeAlias = Callable[[ProblemSpec, Mapping[str, Any]], Problem]


def make_problem(settings: Settings) -> Problem:
    """The problem that the settings name, with their parameters."""
    return MAKERS[settings.problem](settings.spec, settings.parameters)


def _network(loss: str, *, outputs: int = 1) -> Maker:
    """A maker of networks with this loss."""

    def make(spec: ProblemSpec, parameters: Mapping[str, Any]) -> Problem:
        data = make_dataset(spec.name, parameters)
        hidden = [parameters.get("hidden", 1)] * parameters.get("depth", 1)
        layers = (data.inputs.shape[1], *hidden, outputs)
        return Network(spec, layers, parameters.get("activation", "relu"), data, loss)

    return make


MAKERS: Mapping[str, Maker] = MappingProxyType(
    {
        **dict.fromkeys(SURFACES, lambda spec, _: Surface(spec)),
        "deep-linear": lambda spec, parameters: DeepLinear(spec, parameters["depth"]),
        "teacher-student": lambda spec, parameters: TeacherStudent(spec, **parameters),
        "xor": _network("squared"),
        "jellyfish": _network("squared"),
        "dead-relu": _network("summed"),
        "sinc": _network("squared"),
        "digits": _network("cross-entropy", outputs=10),
    }
)
