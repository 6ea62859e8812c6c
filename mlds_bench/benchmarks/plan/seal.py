"""The sealed value that the test split's seeds come from.

An agent lives in a process that never gets this value, so it cannot rebuild the test split by its
seed. The default is public, which is enough among friends; whoever hosts a competition sets
``MLDS_BENCH_SEAL`` and keeps it. A record says by its key which seal it was made under.

This keeps honest agents honest; it is not a sandbox. A process of the same user can read what
another was started with: whoever runs strangers' code gives each agent a user or a container of its
own.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache

from mlds_bench.envs.streams import derive

VARIABLE = "MLDS_BENCH_SEAL"
PUBLIC = "mlds-bench public seal 1"


class Seal:
    """A sealed value; never printed, never in the memory of a process that becomes an agent's.

    Attributes:
        fingerprint: what may be known of the value.
    """

    def __init__(self, value: str = PUBLIC) -> None:
        self._value: str | None = value
        self.fingerprint = hashlib.sha256(value.encode()).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"Seal({self.fingerprint[:8]}{', closed' if self._value is None else ''})"

    def close(self) -> Seal:
        """A copy without the value."""
        closed = Seal.__new__(Seal)
        closed._value, closed.fingerprint = None, self.fingerprint
        return closed

    def test_seed(self, variant: str, seed: int) -> int:
        """Seed of the test split of a cell; the same for every agent."""
        if self._value is None:
            raise RuntimeError("a closed seal makes no seeds")
        return derive(self._value, "test", variant, seed)


@cache
def take_seal() -> Seal:
    """The seal from the environment, which then forgets it: child processes inherit the rest."""
    return Seal(os.environ.pop(VARIABLE, PUBLIC))
