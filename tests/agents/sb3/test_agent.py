from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from mlds_bench.agents.base import Unsupported
from mlds_bench.agents.budget import Budget, BudgetedEnv, BudgetExhausted
from mlds_bench.agents.sb3 import agent as sb3
from mlds_bench.agents.sb3.agent import Sb3Agent, make_sb3
from mlds_bench.agents.sb3.vec_env import BatchedVecEnv
from mlds_bench.envs.actions import check_actions
from mlds_bench.envs.core import BatchedEnv, Flags, Outcome
from tests.envs.toys import Composite, Walk

SMALL: dict[str, dict[str, Any]] = {
    "A2C": {"num_envs": 4},
    "PPO": {"num_envs": 4, "n_steps": 16, "batch_size": 32, "n_epochs": 2},
    "DQN": {"num_envs": 2, "learning_starts": 20, "batch_size": 8},
    "DDPG": {"learning_starts": 20, "batch_size": 8, "action_noise": 0.1},
    "SAC": {"num_envs": 2, "learning_starts": 20, "batch_size": 8},
    "TD3": {"learning_starts": 20, "batch_size": 8},
}
CONTINUOUS = ("DDPG", "SAC", "TD3")


class Aim(BatchedEnv):
    """Say the number that one sees; the action box is one whose rescaling overshoots."""

    action = spaces.Box(-1.1, 0.3, (1,), np.float32)
    observation: spaces.Space[Any] = spaces.Box(-0.1, 0.3, (1,), np.float64)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(self.observation, self.action, **kwargs)
        self.target = np.zeros((self.num_envs, 1))

    def draw(self, mask: Flags) -> None:
        ids = np.flatnonzero(mask)
        self.target[ids] = 0.4 * self.streams.uniform(ids, 1) - 0.1

    def observe(self) -> Any:
        return self.target.copy()

    def advance(self, actions: Any) -> Outcome:
        reward = -np.square(actions - self.target)[:, 0]
        return reward, np.ones(self.num_envs, bool), np.zeros(self.num_envs, bool)

    def oracle(self) -> Any:
        return None


class AimDict(Aim):
    """The same number in a dictionary."""

    observation = spaces.Dict({"x": Aim.observation, "k": spaces.Discrete(3)})

    def observe(self) -> Any:
        return {"x": self.target.copy(), "k": np.zeros(self.num_envs, np.int64)}


class Screen(Aim):
    """A dark screen."""

    observation = spaces.Box(0, 255, (36, 40, 3), np.uint8)

    def observe(self) -> Any:
        return np.zeros((self.num_envs, 36, 40, 3), np.uint8)


Room = Callable[..., BatchedEnv]


def room_of(name: str) -> Room:
    return Aim if name in CONTINUOUS else Walk


def new(name: str, room: Room | None = None, seed: int = 0, **params: Any) -> Sb3Agent:
    env = (room or room_of(name))()
    return make_sb3(name)(
        observation_space=env.single_observation_space,
        action_space=env.single_action_space,
        seed=seed,
        **{**SMALL[name], **params},
    )


def learned(agent: Sb3Agent, room: Room, steps: int = 120) -> BudgetedEnv:
    budget = Budget(steps)
    env = BudgetedEnv(room(num_envs=agent.num_envs, seed=1), budget)
    with suppress(BudgetExhausted):
        agent.learn(env, budget)
    return env


def observations(room: Room, count: int = 9) -> Any:
    return room(num_envs=count, split="test", seed=2).reset()[0]


@pytest.mark.parametrize("name", SMALL)
def test_every_algorithm_learns_acts_saves_and_repeats(name: str, tmp_path: Path) -> None:
    """Each uses its budget, changes by learning, acts legally, and repeats under its seed."""
    room = room_of(name)
    seen = observations(room)
    agent, twin, untrained = new(name), new(name), new(name)
    env = learned(agent, room)
    torch.manual_seed(123)  # what others do with torch's generator must not matter
    learned(twin, room)
    assert env.budget.env_steps - env.env_steps < agent.num_envs
    weights = [str(other.model.policy.state_dict()) for other in (agent, twin, untrained)]
    assert weights[0] == weights[1] != weights[2]

    agent.save(tmp_path)
    untrained.load(tmp_path)
    actions = agent.act(seen)
    check_actions(agent.action_space, actions, 9)
    for other in (agent, twin, untrained):
        np.testing.assert_array_equal(other.act(seen), actions)


def test_ppo_learns_to_say_what_it_sees() -> None:
    """Ten thousand steps at batch speed cut the error tenfold."""
    settings: dict[str, Any] = {
        "learning_rate": 3e-3,
        "policy_kwargs": {"log_std_init": -2.0},
        "gamma": 0.0,
    }
    agent = new("PPO", Aim, num_envs=64, n_steps=8, batch_size=128, **settings)
    seen = observations(Aim, 1000)
    before = np.square(agent.act(seen) - seen).mean()
    learned(agent, Aim, steps=10_240)
    assert np.square(agent.act(seen) - seen).mean() < 0.1 * before


def test_acting_draws_nothing_at_random() -> None:
    """The tested policy is deterministic, and torch's generator is left alone."""
    seen = observations(Walk, 200)
    agent = new("PPO")
    state = torch.get_rng_state()
    np.testing.assert_array_equal(agent.act(seen), agent.act(seen))
    assert torch.equal(torch.get_rng_state(), state)


def test_large_seeds_are_folded() -> None:
    """Seeds have 63 bits, numpy's old global generator takes 32."""
    assert new("PPO", seed=2**62 + 5).model.seed == 5


def test_large_batches_are_cut_and_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Actions do not depend on how a batch was cut, Dict observations included."""
    rooms: dict[str, Room] = {"PPO": Walk, "SAC": AimDict}
    for name, room in rooms.items():
        agent, seen = new(name, room), observations(room, 50)
        whole = agent.act(seen)
        monkeypatch.setattr(sb3, "CHUNK", 7)
        np.testing.assert_allclose(agent.act(seen), whole, rtol=0, atol=1e-6)
        monkeypatch.undo()
        assert len(whole) == 50


def test_squashed_actions_stay_in_the_box() -> None:
    """At full throttle rescaling overshoots by a rounding; what is played does not."""
    agent = new("SAC")
    with torch.no_grad():
        for parameter in agent.model.policy.parameters():
            parameter.fill_(10.0)
    seen = observations(Aim)
    overshot = agent.model.policy.predict(seen)[0]
    assert (overshot > agent.action_space.high).all()  # type: ignore[attr-defined]
    check_actions(agent.action_space, agent.act(seen), 9)
    env = BatchedVecEnv(Aim(num_envs=9, seed=0))
    env.reset()
    env.step(overshot)


@pytest.mark.parametrize(
    ("name", "room", "policy"),
    [("SAC", AimDict, "MultiInputPolicy"), ("PPO", Screen, "CnnPolicy"), ("PPO", Aim, "MlpPolicy")],
)
def test_the_policy_fits_the_observations(name: str, room: Room, policy: str) -> None:
    """Dictionaries, images and vectors each get their policy, and it learns and acts."""
    agent = new(name, room)
    assert agent.hyper.policy == policy
    learned(agent, room, steps=70)
    assert agent.act(observations(room, 3)).shape == (3, 1)


def test_a_batch_of_another_size_than_asked_for_will_do() -> None:
    """The harness may cut num_envs; the agent then learns in what it is given."""
    agent = new("PPO")
    budget = Budget(60)
    env = BudgetedEnv(Walk(num_envs=2, seed=1), budget)
    with pytest.raises(BudgetExhausted):
        agent.learn(env, budget)
    assert env.env_steps == 60


def test_learning_goes_on_from_what_was_loaded(tmp_path: Path) -> None:
    """load, then learn: the parameters are the starting point."""
    agent = new("PPO")
    learned(agent, Walk)
    agent.save(tmp_path)
    other = new("PPO", seed=5)
    other.load(tmp_path)
    learned(other, Walk, steps=0)
    seen = observations(Walk)
    np.testing.assert_array_equal(other.act(seen), agent.act(seen))


def test_the_replay_buffer_is_no_larger_than_the_budget() -> None:
    """A million places for a run of a hundred steps would only cost memory."""
    agent = new("DQN")
    learned(agent, Walk, steps=100)
    assert agent.model.replay_buffer.buffer_size * 2 == 100  # type: ignore[attr-defined]
    assert agent.hyper.buffer_size == 1_000_000


@pytest.mark.parametrize(
    ("name", "room", "line"),
    [
        ("DQN", Aim, "sb3:DQN: The algorithm only supports"),
        ("SAC", Walk, "sb3:SAC: The algorithm only supports"),
        ("PPO", Composite, "sb3:PPO has one action head, this action is a Dict of ['go', 'v']"),
    ],
)
def test_spaces_that_do_not_fit_are_skipped_with_a_reason(name: str, room: Room, line: str) -> None:
    """One line says which algorithm cannot take which spaces."""
    with pytest.raises(Unsupported) as error:
        new(name, room)
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


def test_importing_and_learning_leave_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """No output, no temporary log folder, and no plotting library is loaded."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    learned(new("PPO"), Walk)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
    code = (
        "import sys, mlds_bench.agents.sb3.agent\n"
        "heavy = {'matplotlib', 'tensorboard', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=True, capture_output=True
    )
    assert done.stdout + done.stderr == b""


def test_classes_are_made_on_demand_and_once() -> None:
    """The module has an attribute an algorithm, and nothing else of Stable-Baselines3's."""
    assert sb3.PPO is make_sb3("PPO")
    with pytest.raises(AttributeError, match="HerReplayBuffer"):
        _ = sb3.HerReplayBuffer
    assert isinstance(new("PPO").action_space, gymnasium.Space)
