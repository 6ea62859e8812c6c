"""What users import from the package itself."""

from __future__ import annotations

import gymnasium
import pytest
from stable_baselines3 import PPO

from mlds_bench.agents import sb3
from mlds_bench.agents.sb3 import BatchedVecEnv
from tests.processes import python


def test_the_package_is_imported_without_torch() -> None:
    """Its name for our environments is resolved on first use."""
    code = (
        "import sys; from mlds_bench.agents import sb3\n"
        "assert not {'torch', 'stable_baselines3'} & set(sys.modules)\n"
        "from mlds_bench.agents.sb3.vec_env import BatchedVecEnv\n"
        "assert sb3.BatchedVecEnv is BatchedVecEnv"
    )
    done = python("-W", "error", "-c", code)
    assert done.returncode == 0, done.stderr


def test_other_names_are_not_there() -> None:
    """As with any module."""
    with pytest.raises(AttributeError, match="no attribute 'BatchedEnv'"):
        _ = sb3.BatchedEnv


def test_users_learn_in_our_environments_with_their_own_code() -> None:
    """The example of the docstring, on a smaller budget."""
    env = gymnasium.make_vec("mlds_bench:mlds/FunctionFitting-v0", num_envs=64, seed=0)
    model = PPO("MlpPolicy", BatchedVecEnv(env), n_steps=4, batch_size=64, seed=0, device="cpu")
    model.learn(512)
    actions, _ = model.predict(env.reset()[0])
    assert model.num_timesteps == 512
    assert actions.shape == (64, 1)
