"""Agents that have learned already: what they saved lies beside the records of their cells."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import mlds_bench
from mlds_bench.benchmarks.plan.variant import Variant
from mlds_bench.benchmarks.plan.variants import VARIANTS
from mlds_bench.leaderboard.record import Record, TornRecord, artifact_folder, read_record, slug

COMMITTED = Path(mlds_bench.__file__).parents[1] / "results"
"""In a checkout of the repository; an installed package has no results."""
NO_WEIGHTS = frozenset({"log.txt", "pictures"})
"""What an artifact folder may hold without the agent having saved anything."""


@dataclass(frozen=True)
class Trained:
    """A trained agent.

    Attributes:
        record: of the cell in which it learned.
        folder: what it saved there.
    """

    record: Record
    folder: Path

    @property
    def origin(self) -> str:
        """What names its record: ``standard/hw4-1/pong/ppo/seed-0``."""
        return "/".join(self.folder.parts[-5:])

    @cached_property
    def checksum(self) -> str:
        """sha256 of what it saved, read once."""
        digest = hashlib.sha256()
        for path in self.files:
            name = path.relative_to(self.folder).as_posix()
            digest.update(name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()

    @property
    def files(self) -> list[Path]:
        """The files that it saved, by name, those in folders of its own among them."""
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(p for p in paths if p.relative_to(self.folder).parts[0] not in NO_WEIGHTS)


def find_trained(folder: Path, variant: Variant, agent: str) -> Trained | None:
    """The best that an agent has become, by its primary score; None if nothing of it is kept.

    Args:
        folder: of a run, or `COMMITTED`.
        variant: where it is to play; variants of the same environment serve if this one has none.
        agent: its label, as in records.
    """
    alike = [one for one in VARIANTS.values() if _environment(one) == _environment(variant)]
    for one in (variant, *alike):
        kept = _kept(folder, one, agent)
        if kept:
            sign = 1.0 if one.primary.higher_is_better else -1.0
            return max(kept, key=lambda t: sign * t.record.test.scores[one.primary.name])
    return None


def find_committed(variant: Variant, agent: str) -> Trained | None:
    """The same among the committed results."""
    return find_trained(COMMITTED, variant, agent)


def _environment(variant: Variant) -> tuple[str, Mapping[str, Any]]:
    return variant.env_id, variant.env_kwargs


def _kept(folder: Path, variant: Variant, agent: str) -> list[Trained]:
    paths = sorted(folder.glob(f"*/{variant.id}/{slug(agent)}/seed-*.json"))
    found = []
    for path in paths:
        if artifact_folder(path).is_dir():
            with suppress(TornRecord):  # what cannot be read vouches for no weights
                found.append(Trained(read_record(path), artifact_folder(path)))
    return [one for one in found if one.record.state == "ok" and one.files]
