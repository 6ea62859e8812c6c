"""The sealed value that the test split's seeds come from.

An agent lives in a process that never gets this value, so it cannot rebuild the test split by its
seed. The default is public, which is enough among friends; whoever hosts a competition sets
``MLDS_BENCH_SEAL`` and keeps it. A record says by its key which seal it was made under.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache

from mlds_bench.envs.streams import derive

VARIABLE = "MLDS_BENCH_SEAL"
PUBLIC = "mlds-bench public seal 1"


@dataclass(frozen=True)
class Seal:
    """A sealed value; never printed, never given to an agent."""

    value: str = PUBLIC

    def __repr__(self) -> str:
        return f"Seal({self.fingerprint[:8]})"

    @property
    def fingerprint(self) -> str:
        """What may be known of the value."""
        return hashlib.sha256(self.value.encode()).hexdigest()[:16]

    def test_seed(self, variant: str, seed: int) -> int:
        """Seed of the test split of a cell; the same for every agent."""
        return derive(self.value, "test", variant, seed)


@cache
def take_seal() -> Seal:
    """The seal from the environment, which then forgets it: child processes inherit the rest."""
    return Seal(os.environ.pop(VARIABLE, PUBLIC))
