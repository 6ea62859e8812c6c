"""What a variant is: homework, environment, keyword arguments, budgets, scores, anchors and runs.

The normalized score is 0 at ``random`` and 1 at ``pass_mark``; a failed cell counts as ``trivial``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from mlds_bench.agents.budget import Budget
from mlds_bench.envs.registry import ENVIRONMENTS, Environment
from mlds_bench.leaderboard.record import Anchors, Published, Score

T = TypeVar("T")


@dataclass(frozen=True)
class Run:
    """Which cells run when none are asked for.

    Attributes:
        agents: their labels, as in ``mlp`` or ``mlp@batch_size=256``.
        seeds: of every agent.
    """

    agents: tuple[str, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Runs:
    """What a preset runs of a variant.

    Attributes:
        alone: where the variant or its homework is named.
        in_all: as a part of ``all``; None where it is not.
    """

    alone: Run
    in_all: Run | None


@dataclass(frozen=True)
class TestSize:
    """How large a test is.

    Attributes:
        num_envs: instances in the test batch.
        episodes: of every instance.
    """

    __test__ = False  # it is no test case

    num_envs: int
    episodes: int = 1


@dataclass(frozen=True)
class Variant:
    """One row block of the leaderboard.

    Attributes:
        homework: as in ``hw1-1``.
        name: as in ``sinc``.
        summary: one line for the listing.
        env_id: Gymnasium id.
        env_kwargs: keyword arguments of the environment, both splits.
        scores: with their directions and marks, the primary first.
        anchors: reference values of the primary score; its mark is the pass mark.
        headline: whether this variant stands for its homework in the front table.
        budgets: preset name -> budget.
        runs: preset name -> agents and seeds, alone and as a part of ``all``.
        test_sizes: preset name -> size of the test.
        budgets_by_agent: agent pattern -> preset name -> budget, for agents that cost far more or
            less per step than the others, or need far more or fewer of them.
        params_by_agent: agent pattern -> hyper-parameters, where this variant needs other values
            than the agent's own defaults; ``-p`` overrides them.
        threads: processor threads of a cell. A property of the variant and not of the machine, so
            that a record does not depend on how many cells run beside it.
        published: figures from the literature, rows of their own.
        pass_return: mean return of training episodes from which the pass mark counts as reached on
            the learning curve; None where training reward can be the oracle's.
        family: wildcard over the many variants of one table, as in ``xor-*``; it or the full name
            runs them, the homework's name leaves them out.
    """

    homework: str
    name: str
    summary: str
    env_id: str
    env_kwargs: Mapping[str, Any]
    scores: tuple[Score, ...]
    anchors: Anchors
    budgets: Mapping[str, Budget]
    runs: Mapping[str, Runs]
    test_sizes: Mapping[str, TestSize]
    budgets_by_agent: Mapping[str, Mapping[str, Budget]] = field(default_factory=dict)
    params_by_agent: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    threads: int = 1
    headline: bool = False
    published: tuple[Published, ...] = ()
    pass_return: float | None = None
    family: str = ""

    @property
    def id(self) -> str:
        """As in ``hw1-1/sinc``."""
        return f"{self.homework}/{self.name}"

    @property
    def environment(self) -> Environment:
        """What its instances are."""
        return ENVIRONMENTS[self.env_id]

    @property
    def room(self) -> str:
        """The room of its environment; agents' names are those of this room."""
        return self.environment.room

    @property
    def primary(self) -> Score:
        """The score that counts."""
        return self.scores[0]

    @property
    def agents(self) -> tuple[str, ...]:
        """Every agent that some preset runs, each once."""
        return tuple(dict.fromkeys(a for runs in self.runs.values() for a in runs.alone.agents))

    def budget(self, preset: str, agent: str) -> Budget:
        """What ``agent`` may use under ``preset``."""
        return _matching(self.budgets_by_agent, agent, self.budgets)[preset]

    def params(self, agent: str) -> Mapping[str, Any]:
        """Hyper-parameters that the variant sets for ``agent``."""
        return _matching(self.params_by_agent, agent, {})


def _matching(table: Mapping[str, T], agent: str, otherwise: T) -> T:
    """The entry of the first pattern that an agent's name matches."""
    found = (value for pattern, value in table.items() if fnmatchcase(agent, pattern))
    return next(found, otherwise)


def everywhere(value: T) -> dict[str, T]:
    """The same under every preset."""
    return dict.fromkeys(("smoke", "quick", "standard", "course"), value)
