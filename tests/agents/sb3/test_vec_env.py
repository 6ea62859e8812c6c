from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from gymnasium import spaces
from gymnasium.vector import VectorWrapper
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv

from mlds_bench.agents.budget import Budget, BudgetedEnv
from mlds_bench.agents.sb3.vec_env import BatchedVecEnv, clip_to_box, spaces_only
from mlds_bench.envs.single import SingleEnv
from tests.envs.toys import Composite, Walk

SEED, NUM_ENVS, STEPS = 11, 5, 24


class SeededLikeDummy(VectorWrapper[Any, Any, Any]):
    """Instance i of the batch starts as the single environment does under the seed SEED + i."""

    def reset(self, **_: Any) -> tuple[Any, dict[str, Any]]:
        seeds: Any = [SEED + i for i in range(self.num_envs)]
        return self.env.reset(seed=seeds)


def batched(**kwargs: Any) -> BatchedVecEnv:
    env = Walk(num_envs=NUM_ENVS, **kwargs)
    return BatchedVecEnv(BudgetedEnv(SeededLikeDummy(env), Budget(10**6)))


def dummy(**kwargs: Any) -> DummyVecEnv:
    return DummyVecEnv([lambda: SingleEnv(Walk(num_envs=1, **kwargs)) for _ in range(NUM_ENVS)])


def rollout(algorithm: type[OnPolicyAlgorithm], env: Any) -> Any:
    """The rollout buffer after one rollout of an untrained policy."""
    keywords: dict[str, Any] = {"n_epochs": 1, "batch_size": NUM_ENVS * STEPS}
    model = algorithm(
        "MlpPolicy",
        env,
        n_steps=STEPS,
        gamma=0.9,
        seed=SEED,
        device="cpu",
        **(keywords if algorithm is PPO else {}),
    )
    model.learn(total_timesteps=STEPS * NUM_ENVS)
    return model.rollout_buffer


def play(env: Any, actions: npt.NDArray[np.int64]) -> list[Any]:
    env.seed(SEED)
    return [env.reset(), *(env.step(row) for row in actions)]


@pytest.mark.parametrize("algorithm", [PPO, A2C])
def test_value_targets_at_truncation_equal_those_of_a_dummy_vec_env(
    algorithm: type[OnPolicyAlgorithm],
) -> None:
    """Rewards with their bootstrap, returns and advantages are those of single environments."""
    expected, got = rollout(algorithm, dummy()), rollout(algorithm, batched())
    for name in ("observations", "actions", "rewards", "episode_starts", "values"):
        np.testing.assert_array_equal(getattr(expected, name), getattr(got, name), err_msg=name)
    np.testing.assert_allclose(got.returns, expected.returns, rtol=0, atol=1e-6)
    np.testing.assert_allclose(got.advantages, expected.advantages, rtol=0, atol=1e-6)


def test_the_targets_compared_hold_truncations_that_were_bootstrapped() -> None:
    """The data of the comparison has cut and ended episodes, and the bootstrap changes rewards."""
    env = batched()
    told: list[dict[str, Any]] = []
    step = env.step_wait
    raw = []

    def watched() -> Any:
        result = step()
        told.extend(result[3])
        raw.append(result[1].copy())
        return result

    env.step_wait = watched  # type: ignore[method-assign]
    buffer = rollout(PPO, env)
    cut = [info["TimeLimit.truncated"] for info in told if info]
    assert {True, False} <= set(cut)
    assert np.count_nonzero(buffer.rewards != np.array(raw)) == sum(cut)


def test_steps_equal_those_of_a_dummy_vec_env() -> None:
    """Observations, rewards, dones and what infos say of an end agree, step by step."""
    actions = np.random.default_rng(0).integers(3, size=(20, NUM_ENVS))
    expected, got = play(dummy(), actions), play(batched(), actions)
    np.testing.assert_array_equal(expected[0], got[0])
    for a, b in zip(expected[1:], got[1:], strict=True):
        for x, y in zip(a[:3], b[:3], strict=True):
            np.testing.assert_array_equal(x, y)
            assert x.dtype == y.dtype
        for x, y, done in zip(a[3], b[3], a[2], strict=True):
            assert x["TimeLimit.truncated"] == y.get("TimeLimit.truncated", False)
            assert ("terminal_observation" in y) == done
            if done:
                np.testing.assert_array_equal(x["terminal_observation"], y["terminal_observation"])


def test_infos_cost_nothing_where_nothing_ended() -> None:
    """Between ends the same empty dictionaries are handed out: no loop over instances."""
    env = batched(horizon=100)
    env.reset()
    stay = np.ones(NUM_ENVS, np.int64)
    first, second = (env.step(stay)[3] for _ in range(2))
    assert first is second
    assert first == [{}] * NUM_ENVS
    left = np.zeros(NUM_ENVS, np.int64)
    left[2] = 2
    while not env.step(left)[2].any():
        pass
    assert first == [{}] * NUM_ENVS


def test_dict_observations_are_cut_by_row() -> None:
    """The last observation of an instance is its row of every entry."""
    env = BatchedVecEnv(Composite(num_envs=4, seed=0))
    env.reset()
    actions = {"go": np.ones(4, np.int64), "v": np.zeros((4, 2), np.float32)}
    env.step_async(actions)  # type: ignore[arg-type]
    _, _, done, infos = env.step_wait()
    assert done.any()
    for index in np.flatnonzero(done):
        last = infos[index]["terminal_observation"]
        assert env.observation_space.contains(last)
        assert last["x"].shape == (3,)


def test_an_agent_cannot_reseed_the_environment() -> None:
    """seed() says so and changes nothing: instances come from the environment's own seed."""
    starts = []
    for seed in (1, 2):
        env = BatchedVecEnv(Walk(num_envs=3, seed=0))
        assert list(env.seed(seed)) == [None] * 3
        starts.append(env.reset())
    np.testing.assert_array_equal(*starts)


def test_a_batch_has_no_single_environments_inside() -> None:
    """Attributes are the batch's; methods and wrappers of single environments are refused."""
    env = batched()
    assert env.get_attr("num_envs") == [NUM_ENVS] * NUM_ENVS
    assert env.get_attr("num_envs", indices=[0, 2]) == [NUM_ENVS] * 2
    assert env.env_is_wrapped(VectorWrapper) == [False] * NUM_ENVS
    with pytest.raises(AttributeError, match="a batch holds no single environments"):
        env.set_attr("horizon", 3)
    with pytest.raises(AttributeError, match="a batch holds no single environments"):
        env.env_method("render")
    env.close()


def test_actions_are_clipped_to_a_box_and_nan_is_left_to_be_refused() -> None:
    """A rounding past the bound is moved back; NaN stays NaN; other spaces are left alone."""
    box = spaces.Box(-0.1, 0.3, (1,), np.float32)
    clipped = clip_to_box(box, np.array([[np.float32(0.30000004)], [np.nan], [-1.0]]))
    assert clipped[0, 0] == np.float32(0.3)
    assert np.isnan(clipped[1, 0])
    assert clipped[2, 0] == np.float32(-0.1)
    whole = np.array([5])
    assert clip_to_box(spaces.Discrete(3), whole) is whole


def test_spaces_alone_are_enough_to_build_on() -> None:
    """A model can be built before there is a game."""
    env = BatchedVecEnv(spaces_only(spaces.Box(0, 1, (2,)), spaces.Discrete(3), 4))
    assert (env.num_envs, env.action_space) == (4, spaces.Discrete(3))
