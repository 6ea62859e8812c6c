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
from mlds_bench.envs.landscape.specs import ProblemSpec, find_spec

Maker: TypeAlias = Callable[[ProblemSpec, Mapping[str, Any]], Problem]


def make_problem(
    name: str,
    *,
    hidden: int | None = None,
    activation: str | None = None,
    depth: int | None = None,
    k: int | None = None,
    n: int | None = None,
    points: int | None = None,
) -> Problem:
    """The problem of that name; None stands for its default.

    Args:
        name: a key of `mlds_bench.envs.landscape.specs.PROBLEMS`.
        hidden: neurons of a hidden layer (networks).
        activation: ``relu``, ``sigmoid`` or ``tanh`` (networks).
        depth: factors of ``deep-linear``; hidden layers of ``sinc``.
        k: neurons of the teacher.
        n: neurons of the student; k unless given.
        points: training examples of ``sinc`` and ``digits``.

    Raises:
        ValueError: one line that names the parameter, its value and what is allowed.
    """
    spec = find_spec(name)
    settings = spec.settings(
        hidden=hidden, activation=activation, depth=depth, k=k, n=n, points=points
    )
    return MAKERS[name](spec, settings)


def _network(loss: str, *, outputs: int = 1) -> Maker:
    """A maker of networks with this loss."""

    def make(spec: ProblemSpec, settings: Mapping[str, Any]) -> Problem:
        data = make_dataset(spec.name, settings)
        hidden = [settings.get("hidden", 1)] * settings.get("depth", 1)
        layers = (data.inputs.shape[1], *hidden, outputs)
        return Network(spec, layers, settings.get("activation", "relu"), data, loss)

    return make


MAKERS: Mapping[str, Maker] = MappingProxyType(
    {
        **dict.fromkeys(SURFACES, lambda spec, _: Surface(spec)),
        "deep-linear": lambda spec, settings: DeepLinear(spec, settings["depth"]),
        "teacher-student": lambda spec, settings: TeacherStudent(spec, **settings),
        "xor": _network("squared"),
        "jellyfish": _network("squared"),
        "dead-relu": _network("summed"),
        "sinc": _network("squared"),
        "digits": _network("cross-entropy", outputs=10),
    }
)
