"""What users of neighboring projects have reported, tried here. Each test names the report."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecExtractDictObs, VecFrameStack

import mlds_bench
from mlds_bench.agents.sb3.vec_env import BatchedVecEnv
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.suite import plan
from mlds_bench.envs.contract import ContractViolation, check_env
from mlds_bench.envs.core import BatchedEnv, Flags, Outcome
from mlds_bench.envs.registry import ENVIRONMENTS
from mlds_bench.leaderboard.homeworks import over_variants
from mlds_bench.leaderboard.rows import ordered
from tests.leaderboard.factory import make_result

FITTING, LANDSCAPE, PONG = (
    ENVIRONMENTS[f"mlds/{name}-v0"] for name in ("FunctionFitting", "LossLandscape", "Pong")
)


class Reused(BatchedEnv):
    """Hands out its own buffer, and draws from a generator that no seed reaches."""

    def __init__(self, **batch: Any) -> None:
        super().__init__(spaces.Box(0.0, 1.0, (1,), np.float64), spaces.Discrete(2), **batch)
        self.seen = np.zeros((self.num_envs, 1))

    def draw(self, mask: Flags) -> None:
        self.seen[mask] = np.random.default_rng().random((int(mask.sum()), 1))

    def observe(self) -> Any:
        return self.seen

    def advance(self, actions: Any) -> Outcome:
        done = np.ones(self.num_envs, np.bool_)
        return np.zeros(self.num_envs), done, ~done

    def oracle(self) -> None: ...


def test_an_environment_that_reuses_buffers_does_not_pass_for_deterministic() -> None:
    """Gymnasium #1681: a checker that keeps references compares an object with itself."""
    with pytest.raises(ContractViolation):
        check_env(Reused)


def test_seed_zero_is_a_seed() -> None:
    """Arcade-Learning-Environment #603: the vector environment ignored the seed 0."""
    paths = []
    for _ in range(2):
        env = PONG.make(num_envs=2, seed=0)
        env.reset(seed=0)
        paths.append([env.step(np.array([2, 3]))[0] for _ in range(40)])
        env.close()
    np.testing.assert_array_equal(paths[0], paths[1])


def test_the_first_of_many_instances_repeats_as_well() -> None:
    """EnvPool #144: with 32 instances the reward of the first one did not repeat."""
    totals = []
    for _ in range(2):
        env = LANDSCAPE.make(num_envs=32, seed=3, problem="quadratic")
        env.reset(seed=3)
        actions = np.full((32, 3), 0.1)
        totals.append(np.sum([env.step(actions)[1] for _ in range(20)], axis=0))
    np.testing.assert_array_equal(totals[0], totals[1])


def test_scalar_observations_can_be_stacked() -> None:
    """Stable-Baselines3 #805: stacking failed on the terminal observation of a (1,) Box."""
    stacked = VecFrameStack(BatchedVecEnv(FITTING.make(num_envs=3, seed=0)), 4)
    stacked.reset()
    observation: Any
    observation, _, done, infos = stacked.step(np.zeros((3, 1)))
    assert done.all()
    assert np.shape(observation) == (3, 4)
    assert infos[0]["terminal_observation"].shape == (4,)


def test_a_part_of_a_dict_can_be_extracted() -> None:
    """Stable-Baselines3 #1441: the terminal observation stayed a dictionary."""
    env = LANDSCAPE.make(num_envs=2, seed=0, problem="quadratic", query_budget=3)
    part = VecExtractDictObs(BatchedVecEnv(env), "gradient")
    part.reset()
    infos: Any = [{}]
    for _ in range(3):
        _, _, _, infos = part.step(np.zeros((2, 3)))
    assert infos[0]["terminal_observation"].shape == (2,)


def test_seeding_a_vector_environment_resets_nothing() -> None:
    """Stable-Baselines3 #1481: `seed` made a reset of its own."""
    env = BatchedVecEnv(FITTING.make(num_envs=2, seed=0))
    first = env.reset()
    env.seed(5)
    twin = BatchedVecEnv(FITTING.make(num_envs=2, seed=0))
    np.testing.assert_array_equal(twin.reset(), first)
    np.testing.assert_array_equal(env.step(np.zeros((2, 1)))[0], twin.step(np.zeros((2, 1)))[0])


def test_a_render_mode_that_is_not_there_is_named() -> None:
    """Stable-Baselines3 #1992: an environment was made with render_mode='human' all the same."""
    assert mlds_bench.__version__
    with pytest.raises(ValueError, match="render_mode"):
        gymnasium.make_vec("mlds/FunctionFitting-v0", num_envs=1, render_mode="human")


def test_results_of_two_agents_never_share_a_key() -> None:
    """lm-evaluation-harness #4063: a cache served the answers of one model as another's."""
    cells = plan(["hw1-1"], preset="smoke", seeds=[0, 1], seal=Seal())
    assert len({cell.key for cell in cells}) == len(cells)


def test_a_missing_variant_is_not_skipped_in_an_average() -> None:
    """mteb #4263: an average over the tasks that a model happened to have overstated it."""
    easy = {agent: make_result(-6.0, agent=agent, variant="hw1-1/easy") for agent in ("a", "b")}
    hard = make_result(-2.0, agent="b", variant="hw1-1/hard")
    (table,) = over_variants(ordered([*easy.values(), hard]))
    assert [row["agent"] for row in table.rows] == ["b"]
    assert "a (1 of 2)" in " ".join(table.notes)


def test_a_library_may_learn_through_the_batch() -> None:
    """Gymnasium #1321: seeds through autoresets; a learner repeats under its own seed."""
    weights = []
    for _ in range(2):
        model = PPO(
            "MlpPolicy", BatchedVecEnv(FITTING.make(num_envs=8, seed=1)), n_steps=16, seed=0
        )
        model.learn(256)
        weights.append(model.policy.state_dict()["action_net.weight"].numpy().copy())
    np.testing.assert_array_equal(weights[0], weights[1])
