"""Networks as agents: what they learn from, what they answer, what they leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mlds_bench.agents.budget import Budget, BudgetedEnv
from mlds_bench.agents.classification.cnn import DeepCnnAgent, MiddleCnnAgent, ShallowCnnAgent
from mlds_bench.agents.classification.logistic import LogisticAgent
from mlds_bench.agents.classification.mlp import MlpAgent
from mlds_bench.agents.classification.network_agent import NetworkAgent
from mlds_bench.agents.classification.spaces import UNLABELED
from mlds_bench.envs.classification.env import Classification
from tests.agents.classification.makers import images, learn, make_agent, scores

SMALL: dict[str, Any] = {"batch_size": 32, "updates_per_step": 4}
ALL = [MlpAgent, ShallowCnnAgent, MiddleCnnAgent, DeepCnnAgent, LogisticAgent]


def weights(agent: NetworkAgent) -> torch.Tensor:
    return torch.cat([value.detach().flatten() for value in agent.network.parameters()])


class Recorded(BudgetedEnv):
    """Remembers labels, actions and rewards."""

    def __init__(self, agent: NetworkAgent, env_steps: int, **arguments: Any) -> None:
        arguments = {"probabilities": True, **arguments}
        env = Classification(num_envs=agent.num_envs, seed=0, **arguments)
        super().__init__(env, Budget(env_steps))
        self.actions: list[Any] = []
        self.rewards: list[Any] = []
        self.labels: list[Any] = []

    def reset(self, **arguments: Any) -> tuple[Any, dict[str, Any]]:
        observation, infos = super().reset(**arguments)
        self.labels.append(infos["oracle"])
        return observation, infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        self.actions.append(actions)
        step = super().step(actions)
        self.rewards.append(step[1])
        self.labels.append(step[4]["oracle"])
        return step


@pytest.mark.parametrize(
    ("cls", "steps", "least"),
    [
        (MlpAgent, 12_000, 0.93),
        (ShallowCnnAgent, 12_000, 0.93),
        (MiddleCnnAgent, 12_000, 0.93),
        (DeepCnnAgent, 12_000, 0.93),
        (LogisticAgent, 12_000, 0.80),
    ],
)
def test_they_learn_the_digits(cls: type[NetworkAgent], steps: int, least: float) -> None:
    """After nine epochs, on held-out images; with odds that are worth something."""
    agent = make_agent(cls, learning_rate=2e-3)
    assert scores(agent)["test_accuracy"] < 0.4
    learn(agent, steps)
    said = scores(agent)
    assert said["test_accuracy"] > least
    assert said["test_cross_entropy"] < 1.0


@pytest.mark.parametrize("cls", [MlpAgent, MiddleCnnAgent])
def test_the_learning_curve_is_the_training_accuracy(cls: type[NetworkAgent]) -> None:
    """Answers are from before the network learned from the images: rewards are the history's."""
    agent = make_agent(cls, **SMALL)
    env = Recorded(agent, 5 * agent.num_envs)
    agent.learn(env, env.budget)
    said = [float(np.mean(reward)) for reward in env.rewards]
    assert agent.history.accuracy == pytest.approx(said)
    assert agent.history.images == [128, 256, 384, 512, 640]
    rows = np.arange(agent.num_envs)
    first = env.actions[0][rows, env.labels[0]]
    assert agent.history.loss[0] == pytest.approx(float(-np.log(first).mean()), rel=1e-4)
    assert env.actions[0].dtype == np.float32
    assert env.actions[0].sum(1) == pytest.approx(np.ones(128), abs=1e-5)


def test_the_first_answer_is_that_of_the_untaught_network() -> None:
    """To the first minibatch; the second comes after an update."""
    agent, untaught = make_agent(MlpAgent, **SMALL), make_agent(MlpAgent, **SMALL)
    env = Recorded(agent, agent.num_envs)
    observation, _ = Classification(num_envs=agent.num_envs, seed=0).reset()
    agent.learn(env, env.budget)
    untaught.network.standardize.load_state_dict(agent.network.standardize.state_dict())
    expected = untaught.act(observation)
    assert env.actions[0][:32] == pytest.approx(expected[:32], abs=1e-6)
    assert np.abs(env.actions[0][32:64] - expected[32:64]).max() > 1e-3


def test_where_only_classes_can_be_said_they_say_the_likeliest() -> None:
    """The same network, and the same learning."""
    agents = [make_agent(MlpAgent, classes=classes, **SMALL) for classes in (False, True)]
    for agent, probabilities in zip(agents, (True, False), strict=True):
        learn(agent, 1024, probabilities=probabilities)
    observation, _ = images(50)
    likeliest = agents[0].act(observation).argmax(1)
    assert agents[1].act(observation).tolist() == likeliest.tolist()
    assert torch.equal(weights(agents[0]), weights(agents[1]))


def test_images_without_a_label_are_not_learned_from() -> None:
    """What they show makes no difference, and they are answered without an opinion."""
    agents = [make_agent(MlpAgent, normalization="batch", **SMALL) for _ in range(2)]
    env = Recorded(agents[0], 512, shift="inverted")
    agents[0].learn(env, env.budget)
    without = env.labels[0] == UNLABELED
    assert 0.3 < without.mean() < 0.7
    assert (env.actions[0][without] == np.float32(0.1)).all()
    assert np.abs(env.actions[0][~without] - 0.1).max() > 0.01
    assert (
        sum((labels != UNLABELED).sum() for labels in env.labels[:4])
        == agents[0].history.images_seen
    )

    learn(agents[1], 512, shift="rotated")
    same = [agent.network.standardize.mean.item() for agent in agents]
    assert same[0] == same[1]
    assert torch.equal(weights(agents[0]), weights(agents[1]))


def test_a_rest_of_the_budget_breaks_nothing() -> None:
    """A budget that is no multiple of the batch, and one below it."""
    agent = make_agent(MlpAgent)
    assert learn(agent, 2500).env_steps == 2048
    assert agent.updates == 32
    assert learn(make_agent(MlpAgent), 10).env_steps == 0


def test_updates_can_be_limited() -> None:
    """It stops in the middle of a batch, before the budget."""
    agent = make_agent(MlpAgent, total_updates=20)
    env = learn(agent, 10_000)
    assert agent.updates == 20
    assert env.env_steps == 1024
    assert agent.history.images_seen == 1280


def test_a_batch_may_be_larger_than_the_data() -> None:
    """3,000 of 1,297 digits: one update per step, in parts that fit into memory."""
    agent = make_agent(ShallowCnnAgent, batch_size=3000, parameters=2000, learning_rate=0.01)
    learn(agent, 9000)
    assert (agent.num_envs, agent.updates) == (3000, 3)
    assert agent.history.loss[-1] < agent.history.loss[0]


def test_dropout_rests_in_the_test() -> None:
    """Answers repeat."""
    agent = make_agent(MlpAgent, dropout=0.5, **SMALL)
    learn(agent, 512)
    observation, _ = images(20)
    assert np.array_equal(agent.act(observation), agent.act(observation))


def test_weight_decay_shrinks_the_weights() -> None:
    """At the same seed and the same images."""
    norms = []
    for decay in (0.0, 1.0):
        agent = make_agent(MlpAgent, weight_decay=decay, learning_rate=1e-2)
        learn(agent, 8192)
        norms.append(weights(agent).norm().item())
    assert norms[1] < 0.8 * norms[0]


def test_what_is_saved_answers_the_same(tmp_path: Path) -> None:
    """Weights, statistics and the scale of pixels; a plot and measures stand beside them."""
    agent = make_agent(MiddleCnnAgent, normalization="batch", **SMALL)
    learn(agent, 640)
    agent.save(tmp_path)
    restored = make_agent(MiddleCnnAgent, normalization="batch", seed=5)
    observation, _ = images(40)
    assert not np.array_equal(restored.act(observation), agent.act(observation))
    restored.load(tmp_path)
    assert np.array_equal(restored.act(observation), agent.act(observation))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["measures.json", "network.safetensors", "training.png"]
    measures = json.loads((tmp_path / "measures.json").read_text())
    assert measures == {
        "parameters": sum(value.numel() for value in agent.network.parameters()),
        "images_seen": 640,
        "updates": 20,
        "training_loss": pytest.approx(agent.history.loss[-1]),
    }


def test_a_network_that_has_learned_nothing_leaves_no_plot(tmp_path: Path) -> None:
    """Its weights alone."""
    make_agent(MlpAgent).save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["network.safetensors"]


def test_a_network_that_diverges_ends_at_chance(tmp_path: Path) -> None:
    """It learns on, answers without an opinion, and says null where it has no loss."""
    agent = make_agent(MlpAgent, optimizer="sgd", learning_rate=1e6)
    learn(agent, 4096)
    assert scores(agent)["test_accuracy"] < 0.3
    agent.save(tmp_path)
    assert json.loads((tmp_path / "measures.json").read_text())["training_loss"] is None


def test_another_network_cannot_be_loaded(tmp_path: Path) -> None:
    """One line names what differs."""
    make_agent(MlpAgent).save(tmp_path)
    with pytest.raises(ValueError, match="hyper-parameters it was saved with"):
        make_agent(MlpAgent, width=8).load(tmp_path)
