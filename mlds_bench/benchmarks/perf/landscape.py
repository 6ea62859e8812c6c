"""A thousand XOR networks, two thousand steps of Adam: our environment and agent against PyTorch.

Two alternatives. What a student would write: one PyTorch network, ``loss.backward()`` and
``torch.optim.Adam`` in a loop, a thousand times over (measured on some, and scaled). What an expert
would write: ``vmap(grad)`` of the loss and Adam spelled out, without environment or agent. The
claims, on one thread: at least 200 times as fast as the first, at most 1.5 times the time of the
second.
"""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import torch

from mlds_bench.agents.landscape.first_order import AdamAgent
from mlds_bench.benchmarks.perf.report import publish
from mlds_bench.envs.landscape.env import LossLandscape
from mlds_bench.envs.landscape.problems.catalogue import make_problem
from mlds_bench.envs.landscape.specs import Settings
from mlds_bench.envs.streams import Streams

INSTANCES, STEPS, HIDDEN = 1000, 2000, 3
FEW = 20
ROUNDS = 3
RATE, BETAS, EPSILON = 0.01, (0.9, 0.999), 1e-8


def ours() -> float:
    """Seconds of the environment and the agent; nobody stops when it has solved its network."""
    env = LossLandscape(
        problem="xor",
        hidden=HIDDEN,
        query_budget=STEPS + 1,
        solved=0.0,
        num_envs=INSTANCES,
        split="test",
    )
    agent = AdamAgent(
        observation_space=env.single_observation_space,
        action_space=env.single_action_space,
        learning_rate=RATE,
    )
    observation, _ = env.reset(seed=0)
    began = time.perf_counter()
    for _ in range(STEPS):
        observation = env.step(agent.act(observation))[0]
    return time.perf_counter() - began


def single_loops() -> float:
    """Seconds of a thousand single networks, measured on `FEW`."""
    inputs = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    targets = torch.tensor([[-1.0], [1.0], [1.0], [-1.0]])
    began = time.perf_counter()
    for _ in range(FEW):
        network = torch.nn.Sequential(
            torch.nn.Linear(2, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 1)
        )
        optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
        for _ in range(STEPS):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(network(inputs), targets).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return (time.perf_counter() - began) * INSTANCES / FEW


def vmapped_loop() -> float:
    """Seconds of ``vmap(grad)`` and Adam on a thousand points at once."""
    problem = make_problem(Settings(problem="xor", hidden=HIDDEN))
    theta = torch.from_numpy(problem.start(Streams(0, INSTANCES), np.arange(INSTANCES)))
    gradient_of = torch.func.vmap(torch.func.grad(problem.loss))
    gradient_of(theta)  # the first call imports what it needs
    mean, square = torch.zeros_like(theta), torch.zeros_like(theta)
    began = time.perf_counter()
    for step in range(1, STEPS + 1):
        gradient = gradient_of(theta)
        mean.mul_(BETAS[0]).add_(gradient, alpha=1.0 - BETAS[0])
        square.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1.0 - BETAS[1])
        root = (square / (1.0 - BETAS[1] ** step)).sqrt_().add_(EPSILON)
        theta.addcdiv_(mean, root, value=-RATE / (1.0 - BETAS[0] ** step))
    return time.perf_counter() - began


def measure() -> dict[str, float]:
    """The three in turn, `ROUNDS` times."""
    torch.set_num_threads(1)
    rounds = [(ours(), vmapped_loop(), single_loops()) for _ in range(ROUNDS)]
    return {
        "instances": float(INSTANCES),
        "steps": float(STEPS),
        "seconds": median(mine for mine, _, _ in rounds),
        "vmapped_loop_seconds": median(bare for _, bare, _ in rounds),
        "single_loops_seconds": median(single for _, _, single in rounds),
        "overhead_over_vmapped_loop": median(mine / bare for mine, bare, _ in rounds),
        "ratio": median(single / mine for mine, _, single in rounds),
    }


if __name__ == "__main__":
    publish(__file__, measure)
