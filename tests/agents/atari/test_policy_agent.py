"""Every policy gradient: it learns, repeats itself, saves itself, refuses what it cannot do."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete

from mlds_bench.agents.atari.a2c import A2cAgent
from mlds_bench.agents.atari.acktr import AcktrAgent
from mlds_bench.agents.atari.policy_agent import PolicyAgent
from mlds_bench.agents.atari.ppo import PpoAgent
from mlds_bench.agents.atari.reinforce import ReinforceAgent
from mlds_bench.agents.atari.trpo import TrpoAgent
from mlds_bench.agents.base import UnknownHyperparameter, Unsupported
from tests.agents.atari.catch import CUT, Catch, learn, make_agent, mean_return

ROLLOUT = 16 * 16
BASE: dict[str, Any] = {"num_envs": 16, "num_steps": 16, "hidden": 32}
SMALL = BASE | {"convolutions": ((8, 4, 4),), "calibration": 2}
AGENTS: dict[type[PolicyAgent], dict[str, Any]] = {
    PpoAgent: SMALL | {"learning_rate": 3e-3},
    A2cAgent: SMALL | {"learning_rate": 1e-2, "num_steps": 8, "calibration": 4},
    TrpoAgent: SMALL | {"learning_rate": 3e-3, "target_kl": 0.05, "cg_damping": 0.01},
    AcktrAgent: SMALL,
    ReinforceAgent: BASE | {"learning_rate": 1e-2},
}
"""Settings with which each learns to catch in a second or two."""

every_agent = pytest.mark.parametrize("cls", AGENTS)


def pictures(count: int) -> Any:
    return Catch(num_envs=count, seed=5).reset()[0]


@every_agent
def test_it_learns_to_catch(cls: type[PolicyAgent]) -> None:
    """From a third of the balls to nearly all of them."""
    agent = make_agent(cls, seed=5, **AGENTS[cls])
    assert mean_return(agent) < 0.0
    learn(agent, 40 * ROLLOUT)
    assert mean_return(agent) > 0.9


@every_agent
def test_differences_and_cut_episodes_are_learned_from_as_well(
    cls: type[PolicyAgent],
) -> None:
    """int16 pictures, some below 0; truncation instead of termination."""
    agent = make_agent(cls, game={"difference": True}, **AGENTS[cls])
    learn(agent, 40 * ROLLOUT, difference=True, **CUT)
    assert mean_return(agent, difference=True) > 0.9


@every_agent
def test_the_same_seed_gives_the_same_network(cls: type[PolicyAgent]) -> None:
    """Bit for bit; another seed gives another."""
    trained = []
    for seed in (0, 0, 1):
        agent = make_agent(cls, seed=seed, **AGENTS[cls])
        learn(agent, 5 * ROLLOUT)
        trained.append(torch.cat([weight.flatten() for weight in agent.network.parameters()]))
    assert torch.equal(trained[0], trained[1])
    assert not torch.equal(trained[0], trained[2])


@every_agent
def test_other_randomness_is_left_alone(cls: type[PolicyAgent]) -> None:
    """The generator that all share draws the same before and after."""
    torch.manual_seed(0)
    learn(make_agent(cls, **AGENTS[cls]), 4 * ROLLOUT)
    drawn = torch.rand(3)
    assert torch.equal(drawn, torch.rand(3, generator=torch.Generator().manual_seed(0)))


@every_agent
def test_saved_agents_act_the_same(cls: type[PolicyAgent], tmp_path: Path) -> None:
    """Exactly, for any batch."""
    agent, other = (make_agent(cls, seed=seed, **AGENTS[cls]) for seed in (0, 1))
    learn(agent, 5 * ROLLOUT)
    agent.save(tmp_path)
    other.load(tmp_path)
    for count in (1, 7, 500):
        actions = agent.act(pictures(count))
        assert actions.shape == (count,)
        assert actions.dtype == np.int64
        assert np.array_equal(actions, other.act(pictures(count)))


def test_another_network_s_file_is_refused(tmp_path: Path) -> None:
    """One line with the name and both shapes."""
    make_agent(PpoAgent, **SMALL).save(tmp_path)
    line = r".* holds .* of shape .*, this ppo has .*: load it with the view and the hyper-param.*"
    with pytest.raises(ValueError, match=line):
        make_agent(PpoAgent, **(SMALL | {"hidden": 16})).load(tmp_path)


def test_the_likeliest_action_is_played() -> None:
    """A new network finds all actions about as likely, and yet plays one."""
    agent = make_agent(PpoAgent, **SMALL)
    same = np.repeat(pictures(1), 300, axis=0)
    with torch.inference_mode():
        chances = agent.network(torch.from_numpy(same[:1]))[0].softmax(1)[0]
    assert chances.min() > 0.3
    assert set(agent.act(same)) == {int(chances.argmax())}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_steps": 0}, "num_steps must be a whole number of at least 1, got 0"),
        ({"calibration": 0}, "calibration must be a whole number of at least 1, got 0"),
        ({"learning_rate": math.inf}, "learning_rate must be a finite number above 0, got inf"),
        ({"max_grad_norm": 0.0}, "max_grad_norm must be a finite number above 0, got 0.0"),
        (
            {"ent_coef": -1.0},
            "ent_coef must be a finite number of at least 0, got -1.0",
        ),
        ({"gamma": 1.5}, "gamma must be from 0 to 1, got 1.5"),
        ({"gae_lambda": math.nan}, "gae_lambda must be from 0 to 1, got nan"),
        ({"convolutions": ((8, 4),)}, "convolutions must be at least one .* got ((8, 4),)"),
        ({"convolutions": ()}, "convolutions must be at least one .* got ()"),
        ({"update_epochs": 0}, "update_epochs must be a whole number of at least 1, got 0"),
        (
            {"num_minibatches": 99999},
            "num_minibatches must be at most num_envs * num_steps = .*, got 99999",
        ),
        ({"clip_range": 0.0}, "clip_range must be a finite number above 0, got 0.0"),
        ({"lerning_rate": 1.0}, "unknown hyper-parameter 'lerning_rate': did you mean .*"),
    ],
)
def test_wrong_settings_get_one_clear_line(settings: dict[str, Any], message: str) -> None:
    """The error names the setting, its value and its bound."""
    pattern = re.escape(message).replace(r"\.\*", ".*")
    with pytest.raises(UnknownHyperparameter, match=f"^{pattern}$"):
        make_agent(PpoAgent, **settings)


@every_agent
def test_other_rooms_are_unsupported(cls: type[PolicyAgent]) -> None:
    """Vectors are no pictures."""
    with pytest.raises(Unsupported, match=f"^{cls.name} plays from pictures"):
        cls(observation_space=Box(0.0, 1.0, (3,)), action_space=Discrete(2))


def test_a_picture_can_be_too_small() -> None:
    """One line with the picture and the convolutions."""
    with pytest.raises(Unsupported, match="pictures of 12x12 are too small for the convolutions"):
        make_agent(PpoAgent, convolutions=((4, 8, 4), (4, 3, 1)))
