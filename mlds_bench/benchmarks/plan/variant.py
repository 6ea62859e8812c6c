"""What a variant is: homework, environment, keyword arguments, budgets, scores and anchors.

The normalized score is 0 at ``random`` and 1 at ``pass_mark``; a failed cell counts as ``trivial``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from mlds_bench.agents.base import Budget
from mlds_bench.leaderboard.record import Anchors, Published


@dataclass(frozen=True)
class Variant:
    """One row block of the leaderboard.

    Attributes:
        homework: as in ``hw1-1``.
        name: as in ``sinc``.
        summary: one line for the listing.
        env_id: Gymnasium id.
        env_kwargs: keyword arguments of the environment, both splits.
        primary: name of the primary score.
        higher_is_better: of the primary score.
        anchors: reference values of the primary score.
        budgets: preset name -> budget.
        agents: agents that run when none are asked for.
        budgets_by_agent: agent pattern -> preset name -> budget, for agents that cost far more or
            less a step than the others, or need far more or fewer of them.
        seeds: preset name -> default seeds, where the variant needs fewer than the preset has.
        test_instances: size of the test batch; the test set is its first ``test_episodes`` episodes
            an instance.
        threads: processor threads of a cell. A property of the variant and not of the machine, so
            that a record does not depend on how many cells run beside it.
        pass_reward: mean training reward from which the pass mark counts as reached on the
            learning curve; None where no reward says so.
        published: figures from the literature, rows of their own.
        pass_return: mean return of training episodes from which it counts as reached; likewise.
        long: ``all`` leaves it out, because it takes hours; the homework's name runs it.
        preview: agents of a long variant that ``all`` runs all the same, under one seed, so that a
            first run shows what it is like.
        family: wildcard over the many variants of one table, as in ``xor-*``; it or the full name
            runs them, ``all`` and the homework's name leave them out.
    """

    homework: str
    name: str
    summary: str
    env_id: str
    env_kwargs: Mapping[str, Any]
    primary: str
    higher_is_better: bool
    anchors: Anchors
    budgets: Mapping[str, Budget]
    agents: tuple[str, ...]
    test_instances: int
    test_episodes: int = 1
    budgets_by_agent: Mapping[str, Mapping[str, Budget]] = field(default_factory=dict)
    seeds: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    threads: int = 1
    pass_reward: float | None = None
    published: tuple[Published, ...] = ()
    pass_return: float | None = None
    long: bool = False
    preview: tuple[str, ...] = ()
    family: str = ""

    @property
    def id(self) -> str:
        """As in ``hw1-1/sinc``."""
        return f"{self.homework}/{self.name}"

    def budget(self, preset: str, agent: str) -> Budget:
        """What ``agent`` may use under ``preset``."""
        for pattern, budgets in self.budgets_by_agent.items():
            if fnmatchcase(agent, pattern):
                return budgets[preset]
        return self.budgets[preset]
