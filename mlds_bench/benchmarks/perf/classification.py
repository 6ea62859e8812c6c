"""Supervised learning through ``env.step`` against a bare loop over batches of the same size.

The bare loop is what a careful student would write: all images in memory as standardized floats,
minibatches indexed out of them, the same network, loss and optimizer, with half a cosine of
learning rates; no environment, no budget, no answers, no learning curve. The claim: learning takes
at most 1.1 times as long in the environment. Loading is compared with unpacking the published
files; the claim is 60,000 images in less than a second.
"""

from __future__ import annotations

import gzip
import math
import time
from statistics import median
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from mlds_bench.agents.budget import Budget, BudgetedEnv, BudgetExhausted
from mlds_bench.agents.classification.cnn import MiddleCnnAgent
from mlds_bench.agents.classification.mlp import MlpAgent
from mlds_bench.agents.classification.network_agent import NetworkAgent
from mlds_bench.benchmarks.perf.report import publish
from mlds_bench.common.data.store import find
from mlds_bench.envs.classification.data import training_set
from mlds_bench.envs.classification.env import Classification
from mlds_bench.envs.classification.specs import Settings

ROUNDS = 3
CASES: tuple[tuple[str, str, type[NetworkAgent], int], ...] = (
    ("digits", "mlp", MlpAgent, 65_536),
    ("digits", "cnn-middle", MiddleCnnAgent, 16_384),
    ("mnist", "mlp", MlpAgent, 32_768),
    ("mnist", "cnn-middle", MiddleCnnAgent, 16_384),
)
"""Data set, agent and images learned from."""


def made(cls: type[NetworkAgent], dataset: str) -> tuple[NetworkAgent, Classification]:
    """An agent with its default settings, and the batch it learns in."""
    one = Classification(dataset=dataset, probabilities=True)
    agent = cls(
        observation_space=one.single_observation_space, action_space=one.single_action_space
    )
    arguments: dict[str, Any] = {"dataset": dataset, "probabilities": True}
    return agent, Classification(num_envs=agent.num_envs, seed=0, **arguments)


def in_the_environment(cls: type[NetworkAgent], dataset: str, count: int) -> float:
    """Processor seconds per image of an agent, with the budget around its environment."""
    agent, env = made(cls, dataset)
    budgeted = BudgetedEnv(env, Budget(count))
    began = time.process_time()
    try:
        agent.learn(budgeted, budgeted.budget)
    except BudgetExhausted:
        raise AssertionError("the agent asks for no more than its budget") from None
    seconds = time.process_time() - began
    return seconds / agent.history.images_seen


def bare(cls: type[NetworkAgent], dataset: str, count: int) -> float:
    """Processor seconds per image of the same network in a loop over arrays."""
    agent, _ = made(cls, dataset)
    network = agent.network.train()
    size: int = agent.hyper.batch_size
    train = training_set(Settings(dataset=dataset))
    raw = torch.from_numpy(np.array(train.images))
    network.standardize.fit(raw)
    images, labels = network.standardize(raw), torch.from_numpy(np.array(train.labels))
    optimizer = torch.optim.AdamW(network.parameters(), fused=True, weight_decay=0.0)
    generator = torch.Generator().manual_seed(0)
    updates = count // size
    began = time.process_time()
    for update in range(updates):
        rows = torch.randint(len(labels), (size,), generator=generator)
        rate = 0.5 * (1.0 + math.cos(math.pi * update / updates))
        optimizer.param_groups[0]["lr"] = agent.hyper.learning_rate * rate
        loss = functional.cross_entropy(network.logits(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return (time.process_time() - began) / (updates * size)


def loading() -> tuple[float, float]:
    """Seconds until 60,000 images are in memory: ours once they were unpacked, and by unpacking."""
    began = time.process_time()
    ours = np.array(training_set(Settings(dataset="mnist")).images)
    middle = time.process_time()
    with gzip.open(find("mnist") / "train-images-idx3-ubyte.gz") as file:
        theirs = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    end = time.process_time()
    assert np.array_equal(ours[..., 0], theirs)
    return middle - began, end - middle


def measure() -> dict[str, float]:
    """Both in turn, `ROUNDS` times; the ratio is the median over the rounds."""
    torch.set_num_threads(1)
    figures = {}
    for dataset, name, cls, count in CASES:
        pairs = [
            (in_the_environment(cls, dataset, count), bare(cls, dataset, count))
            for _ in range(ROUNDS + 1)
        ][1:]  # the first warms up
        figures[f"{dataset}_{name}_env_us_per_image"] = median(ours for ours, _ in pairs) * 1e6
        figures[f"{dataset}_{name}_bare_us_per_image"] = median(plain for _, plain in pairs) * 1e6
        figures[f"{dataset}_{name}_ratio"] = median(ours / plain for ours, plain in pairs)
    loading()  # unpacks into the cache, the first time
    times = [loading() for _ in range(ROUNDS)]
    figures["load_60000_seconds"] = median(ours for ours, _ in times)
    figures["unpack_60000_seconds"] = median(theirs for _, theirs in times)
    figures["unpack_to_load_ratio"] = median(theirs / ours for ours, theirs in times)
    return figures


if __name__ == "__main__":
    publish(__file__, measure)
