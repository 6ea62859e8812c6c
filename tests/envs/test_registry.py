"""Names: rooms, ids, and what Gymnasium makes of them."""

from __future__ import annotations

import gymnasium
import pytest

from mlds_bench.envs.core import BatchedEnv
from mlds_bench.envs.single import SingleView
from mlds_bench.envs.registry import ENVIRONMENTS, ROOMS, Environment, register
from tests.processes import python

MAKE = """
import gymnasium, sys
assert "mlds_bench" not in sys.modules
env = gymnasium.{make}("mlds_bench:{id}", split="test", seed=3{size})
observation, info = env.reset()
assert env.observation_space.contains(observation), observation
env.step(env.action_space.sample())
recording = env.unwrapped.recording
assert recording.recorded == "ends" or len(recording) == 1
print(type(env.unwrapped).__name__, info)
"""

each_environment = pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)


def test_an_environment_is_named_by_space_name_and_version() -> None:
    """mlds/<Name>-v<number>."""
    assert Environment("Pong", "atari", "play").id == "mlds/Pong-v0"
    assert Environment("Pong", "atari", "play", version=2).id == "mlds/Pong-v2"


def test_environments_follow_from_rooms() -> None:
    """One entry in ROOMS is one id, and says what a decision is."""
    entries = {name: text for room in ROOMS.values() for name, text in room.items()}
    assert {env.name: env.summary for env in ENVIRONMENTS.values()} == entries
    assert all(entries.values())


@each_environment
def test_its_parts_are_found_by_name(environment: Environment) -> None:
    """Class, scoring function and checksum of the data come from the room's own files."""
    assert issubclass(environment.batched_class, BatchedEnv)
    assert environment.batched_class.__name__ == environment.name
    assert environment.score.__module__ == f"mlds_bench.envs.{environment.room}.scoring"
    checksum = environment.data_checksum()
    assert len(checksum) == 64
    assert checksum == environment.data_checksum()


@each_environment
def test_gymnasium_makes_both_forms(environment: Environment) -> None:
    """gym.make gives the single view, gym.make_vec the batch itself, with Gymnasium's checks."""
    alone, batch = gymnasium.make(environment.id), gymnasium.make_vec(environment.id, num_envs=4)
    assert isinstance(alone.unwrapped, SingleView)
    assert type(batch.unwrapped) is environment.batched_class
    assert batch.num_envs == 4
    assert alone.spec is not None
    assert alone.spec.id == environment.id
    alone.reset(seed=0)
    alone.step(alone.action_space.sample())


@each_environment
def test_the_prefix_is_enough(environment: Environment) -> None:
    """A process that never imported the package makes both forms by the prefixed id."""
    single = python("-c", MAKE.format(make="make", id=environment.id, size=""))
    assert single.stdout.strip() == "SingleView {}", single.stderr
    batched = python("-c", MAKE.format(make="make_vec", id=environment.id, size=", num_envs=5"))
    assert batched.stdout.strip() == f"{environment.name} {{}}", batched.stderr


def test_registering_again_changes_nothing() -> None:
    """A second import path or a reload neither warns nor overwrites."""
    before = dict(gymnasium.registry)
    register()
    assert gymnasium.registry == before
