"""Names: rooms, ids, and what Gymnasium makes of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import gymnasium
import pytest
from gymnasium.vector import AutoresetMode

from mlds_bench.benchmarks.plan.variants import VARIANTS
from mlds_bench.envs.core import BatchedEnv
from mlds_bench.envs.registry import ENVIRONMENTS, ROOMS, Environment, register
from mlds_bench.envs.single import SingleEnv
from tests.processes import python

MAKE = """
import gymnasium, sys
assert "mlds_bench" not in sys.modules
env = gymnasium.{make}("mlds_bench:{id}", split="test", seed=3{size})
observation, info = env.reset()
assert env.observation_space.contains(observation), observation
env.step(env.action_space.sample())
assert len(env.unwrapped.recording) in (0, env.unwrapped.recording.ended.sum())
print(type(env.unwrapped).__name__, [*info])
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
    assert callable(environment.room_module("scoring").score)
    checksum = environment.data_checksum()
    assert len(checksum) == 64
    assert checksum == environment.data_checksum()


@each_environment
def test_gymnasium_makes_both_forms(environment: Environment) -> None:
    """gym.make gives the single view, gym.make_vec the batch itself, with Gymnasium's checks."""
    alone, batch = gymnasium.make(environment.id), gymnasium.make_vec(environment.id, num_envs=4)
    assert isinstance(alone.unwrapped, SingleEnv)
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
    told = [["lives"], ["lives", "_lives"]] if environment.room == "atari" else [[], []]
    assert single.stdout.strip() == f"SingleEnv {told[0]}", single.stderr
    batched = python("-c", MAKE.format(make="make_vec", id=environment.id, size=", num_envs=5"))
    assert batched.stdout.strip() == f"{environment.name} {told[1]}", batched.stderr


def test_registering_again_changes_nothing() -> None:
    """A second import path or a reload neither warns nor overwrites."""
    before = dict(gymnasium.registry)
    register()
    assert gymnasium.registry == before


CHECKSUMS = {
    "hw1-1/product": "3e34cf5f534ec2f2c60ed1a72561fd62c0f3b349ce2f79340134b852826f96b1",
    "hw1-2/teacher-student": "3c34528eccf4b289a810a3a37dafd3cbfad6d2e593bc2c4beb549cfebe8fb99d",
    "hw1-2/xor-sigmoid-h4": "a7c3f5003c61d3fd4e62f12b7eee761babd669a2d517444f877f50a8312ed083",
    "hw4-2/breakout": "483b876ff881d5c7c377561ec33d5758dc9d4414dcb0a6e03aaa2f7a4213408d",
}


@pytest.mark.parametrize("name", CHECKSUMS)
def test_the_data_of_committed_records_have_not_changed(name: str) -> None:
    """Pinned: a record tells by its checksum what it was made with."""
    variant = VARIANTS[name]
    found = ENVIRONMENTS[variant.env_id].data_checksum(**variant.env_kwargs)
    assert found == CHECKSUMS[name]


@each_environment
def test_settings_are_the_keyword_arguments(environment: Environment) -> None:
    """One object with every default, which the environment is made of and shows."""
    settings = environment.settings()
    env = environment.make(num_envs=1)
    assert env.settings == settings  # type: ignore[attr-defined]
    assert env.view_options == settings.view_options
    assert environment.settings(**asdict(settings)) == settings
    with pytest.raises(ValueError, match="unknown setting 'sead'"):
        environment.settings(sead=1)
    with pytest.raises(ValueError, match="unknown setting 'sead'"):
        environment.make(sead=1)
    env.close()


def test_an_agent_chooses_its_view_and_nothing_else() -> None:
    """And a variant's own arguments win."""
    pong = ENVIRONMENTS["mlds/Pong-v0"]
    assert pong.chosen({}, {"size": 42}) == {"size": 42}
    assert pong.chosen({"size": 84, "stack": 1}, {"size": 42}) == {"size": 84, "stack": 1}
    with pytest.raises(ValueError, match="env_options sets threads, but in mlds/Pong-v0 an agent "):
        pong.chosen({}, {"threads": 2})
    with pytest.raises(ValueError, match=r"size must be a whole number in 16\.\.210, got 7"):
        pong.chosen({}, {"size": 7})
    line = "env_options sets target, but in mlds/FunctionFitting-v0 an agent has no choice of view"
    with pytest.raises(ValueError, match=f"^{line}$"):
        ENVIRONMENTS["mlds/FunctionFitting-v0"].chosen({}, {"target": "polynomial"})


def test_every_room_is_one_entry() -> None:
    """What a room draws and is scored by follows from its folder."""
    drawing = {
        environment.room for environment in ENVIRONMENTS.values() if environment.has_pictures
    }
    assert drawing == {"fitting", "landscape", "classification", "generalization", "atari"}


def test_a_picture_is_drawn_of_as_many_instances_as_it_needs() -> None:
    """Of a fit the whole grid of the test, of a game one."""
    fitting, pong = ENVIRONMENTS["mlds/FunctionFitting-v0"], ENVIRONMENTS["mlds/Pong-v0"]
    assert fitting.watched_instances(test_points=257) == 257
    assert pong.watched_instances() == 1


@each_environment
def test_other_vector_environments_leave_ours_alone(environment: Environment) -> None:
    """A batch of Gymnasium's own around the single view has its mode, and the id keeps ours."""
    for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED):
        theirs = gymnasium.make_vec(
            environment.id,
            num_envs=2,
            vectorization_mode="sync",
            vector_kwargs={"autoreset_mode": mode},
        )
        assert theirs.metadata["autoreset_mode"] is mode
        theirs.close()
        batch: Any = gymnasium.make_vec(environment.id, num_envs=2)
        assert batch.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
        assert batch.autoreset_mode is AutoresetMode.SAME_STEP
        batch.close()
        alone = gymnasium.make(environment.id)
        assert alone.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
        alone.close()


@each_environment
def test_gymnasium_cuts_episodes(environment: Environment) -> None:
    """max_episode_steps means the same in both forms."""
    alone = gymnasium.make(environment.id, max_episode_steps=3)
    batch = gymnasium.make_vec(environment.id, num_envs=2, max_episode_steps=3)
    alone.reset(seed=0)
    batch.reset(seed=0)
    batch.action_space.seed(0)
    lengths = []
    for step in range(1, 4):
        action = batch.action_space.sample()
        _, _, _, truncated, _ = batch.step(action)
        _, _, ended, cut, _ = alone.step(action[0])
        assert cut == truncated[0]
        if ended or cut:
            lengths.append(step)
            alone.reset()
    one_step = environment.room in ("fitting", "classification")
    assert lengths == ([1, 2, 3] if one_step else [3])
    alone.close()
    batch.close()
