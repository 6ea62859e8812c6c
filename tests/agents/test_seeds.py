"""Seeds that other software can take."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlds_bench.agents.registry import AgentSpec, resolve
from mlds_bench.agents.seeds import LIMIT, agent_seed
from mlds_bench.envs.streams import derive

PLAYERS = "mlds_bench.agents.baselines.players:RandomAgent"


@pytest.mark.parametrize("name", ["random", "deep", "ppo", "sb3:PPO", "pretrained:ppo"])
def test_our_own_agents_keep_their_seeds(name: str) -> None:
    """The committed records depend on them."""
    assert agent_seed(resolve(name), 3) == derive(3, "agent") > 2**32


def test_other_agents_get_seeds_that_numpy_takes(tmp_path: Path) -> None:
    """Files, dotted paths and plug-ins: below 2**31, one per cell."""
    (tmp_path / "mine.py").write_text("class Mine:\n    def act(self, obs): ...\n")
    specs = [
        resolve(str(tmp_path / "mine.py")),
        resolve(PLAYERS),
        AgentSpec("clever", "plugin", PLAYERS),
    ]
    for spec in specs:
        seeds = [agent_seed(spec, seed) for seed in range(200)]
        assert len(set(seeds)) == 200
        assert LIMIT // 2 < max(seeds) < LIMIT
        np.random.seed(seeds[0])  # noqa: NPY002 - what other people's agents call
