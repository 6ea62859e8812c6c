"""Every registered environment keeps the contract, and every room has the fixed furniture."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import mlds_bench
from mlds_bench.envs.contract import CHECKS, check_id
from mlds_bench.envs.registry import ENVIRONMENTS, ROOMS, Environment
from tests.processes import ROOT

ENVS = Path(mlds_bench.__file__).parent / "envs"
FURNITURE = ("specs.py", "env.py", "scoring.py", "data.py")
PICTURES = ("pictures.py", "pictures")
SECTIONS = (
    "Observation",
    "Action",
    "Reward",
    "Oracle",
    "Feedback",
    "End of episode",
    "Scores",
    "Source",
)

each_environment = pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)


@each_environment
def test_it_keeps_the_contract(environment: Environment) -> None:
    """All rules of the contract hold for the environment as registered."""
    assert check_id(environment.id) == list(CHECKS)


@each_environment
def test_its_docstring_answers_in_order(environment: Environment) -> None:
    """What a user asks first is answered at the same place in every environment."""
    text = inspect.getdoc(environment.batched_class) or ""
    heads = [line.split(":")[0] for line in text.splitlines() if re.match(r"[A-Z][a-z ]+:", line)]
    assert [head for head in heads if head in SECTIONS] == list(SECTIONS)


@each_environment
def test_it_has_a_page(environment: Environment) -> None:
    """docs/environments has a page under the name in snake case, with the id in it."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", environment.name).lower()
    page = ROOT / "docs" / "environments" / f"{name}.md"
    assert environment.id in page.read_text()


def test_the_rooms_are_the_folders() -> None:
    """A folder with an env.py is a room, and every room is entered in ROOMS."""
    assert {file.parent.name for file in ENVS.glob("*/env.py")} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_the_fixed_furniture(room: str) -> None:
    """The same file names in every room."""
    files = {file.name for file in (ENVS / room).iterdir()}
    assert files >= set(FURNITURE)
    assert (ENVS / room / "__init__.py").read_text().count("import") == 0


@pytest.mark.parametrize("room", ROOMS)
def test_settings_are_data(room: str) -> None:
    """specs.py is importable without the learning framework."""
    source = (ENVS / room / "specs.py").read_text()
    assert not re.search(r"^\s*(import|from) (torch|gymnasium|stable_baselines3)", source, re.M)


def test_names_are_unique() -> None:
    """One environment name belongs to one room."""
    assert len(ENVIRONMENTS) == sum(map(len, ROOMS.values()))


@pytest.mark.parametrize("room", ROOMS)
def test_pictures_stand_in_one_place(room: str) -> None:
    """A module or a folder called pictures, where a room draws; its function is `draw`."""
    environment = next(one for one in ENVIRONMENTS.values() if one.room == room)
    files = {file.name for file in (ENVS / room).iterdir()}
    assert environment.has_pictures is bool(files & set(PICTURES))
    if environment.has_pictures:
        assert callable(environment.room_module("pictures").draw)
