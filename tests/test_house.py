"""The lists of the house against its folders."""

from __future__ import annotations

from importlib import import_module

from mlds_bench.agents.registry import EVERYWHERE, builtin
from mlds_bench.benchmarks.plan.variants import MODULES, VARIANTS
from mlds_bench.envs.registry import ROOMS
from tests.processes import ROOT

PACKAGE = ROOT / "mlds_bench"
FURNITURE = ("specs", "env", "scoring", "data")
NO_ROOMS = {"contract", "numerics", "sb3"}
"""Folders of agents that hold no reference agents."""


def test_every_room_is_listed_and_furnished() -> None:
    """A folder with an environment is a room, and the other way round; each has the same files."""
    folders = {path.parent.name for path in (PACKAGE / "envs").glob("*/env.py")}
    assert folders == set(ROOMS)
    for room in ROOMS:
        for module in FURNITURE:
            import_module(f"mlds_bench.envs.{room}.{module}")


def test_agents_live_in_folders_of_rooms() -> None:
    """A folder of agents belongs to a room, to all of them, or to none; names are the table's."""
    folders = {path.parent.name for path in (PACKAGE / "agents").glob("*/__init__.py")}
    assert folders - NO_ROOMS == {EVERYWHERE, *ROOMS}
    for room in (EVERYWHERE, *ROOMS):
        for spec in builtin(room).values():
            assert spec.module.startswith(f"mlds_bench.agents.{room}.")


def test_every_homework_file_is_listed() -> None:
    """Its module has a question for each of its homeworks, and variants of no others."""
    files = {path.stem for path in (PACKAGE / "benchmarks/plan/homeworks").glob("[!_]*.py")}
    assert {module.__name__.rpartition(".")[2] for module in MODULES} == files
    for module in MODULES:
        assert {variant.homework for variant in module.VARIANTS} == set(module.HOMEWORKS)
    assert {variant.room for variant in VARIANTS.values()} <= set(ROOMS)
