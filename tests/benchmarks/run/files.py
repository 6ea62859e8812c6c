"""Agents' files for tests of running."""

from __future__ import annotations

CONSTANT = """
class Mine:
    num_envs = 64
    def learn(self, env, budget):
        env.reset()
        while True:
            env.step(self.act(range(64)))
    def act(self, obs):
        return [[{value}]] * len(obs)
"""
"""Plays one value, and learns until its budget is spent."""
RAISES = """
class Mine:
    def act(self, obs):
        raise RuntimeError("no idea")
"""
UNSUPPORTED = """
from mlds_bench.agents.base import Unsupported
class Mine:
    def __init__(self, observation_space):
        raise Unsupported(f"not in {observation_space.shape}")
    def act(self, obs): ...
"""
REPORTS = """
class Mine:
    num_envs = 64
    def learn(self, env, budget):
        env.reset()
        for score in (0.25, 0.5, 0.75):
            budget.report(score)
            for _ in range(20):
                env.step([[0.0]] * 64)
    def act(self, obs):
        return [[0.0]] * len(obs)
"""
REPEATABLE = """
class Mine:
    def act(self, obs):
        import os, torch
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
        return [[float(torch.are_deterministic_algorithms_enabled())]] * len(obs)
"""
LEAPS = """
import numpy as np
class Mine:
    def reset(self, done):
        self.over = np.zeros(len(done), bool) if done.all() else self.over | done
    def act(self, obs):
        moves = -0.01 * obs["gradient"]
        moves[::2] = 1e6
        moves[self.over] = np.nan
        return np.column_stack([moves, np.ones(len(moves))])
"""
