"""Agents that have learnt already: what they saved lies beside the records of their cells."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import mlds_bench
from mlds_bench.benchmarks.variant import Variant
from mlds_bench.leaderboard.record import Record, artifact_folder, read_record, slug

COMMITTED = Path(mlds_bench.__file__).parents[1] / "results"
"""In a checkout of the repository; an installed package has no results."""
NO_WEIGHTS = frozenset({"log.txt", "pictures"})
"""What an artifact folder may hold without the agent having saved anything."""


@dataclass(frozen=True)
class Trained:
    """A trained agent.

    Attributes:
        record: of the cell in which it learnt.
        folder: what it saved there.
    """

    record: Record
    folder: Path

    @property
    def origin(self) -> str:
        """What names its record: ``standard/hw4-1/pong/ppo/seed-0``."""
        return "/".join(self.folder.parts[-5:])

    @property
    def checksum(self) -> str:
        """sha256 of what it saved."""
        digest = hashlib.sha256()
        for path in self.files:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()

    @property
    def files(self) -> list[Path]:
        """What it saved, by name."""
        return sorted(path for path in self.folder.iterdir() if path.name not in NO_WEIGHTS)


def find_trained(folder: Path, variant: Variant, agent: str) -> Trained | None:
    """The best that an agent has become on a variant, by its primary score; None if it is not kept.

    Args:
        folder: of a run, or `COMMITTED`.
        variant: where it learnt.
        agent: its label, as in records.
    """
    paths = folder.glob(f"*/{variant.id}/{slug(agent)}/seed-*.json")
    found = [
        Trained(read_record(path), artifact_folder(path))
        for path in sorted(paths)
        if artifact_folder(path).is_dir()
    ]
    kept = [one for one in found if one.record.state == "ok" and one.files]
    sign = 1.0 if variant.higher_is_better else -1.0
    return max(kept, key=lambda one: sign * one.record.scores[one.record.primary], default=None)
