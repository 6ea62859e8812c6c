"""Goldens of the reference agents after a change of version: ``python -m tools.goldens``.

An agent whose numbers have changed under the same version is left as it is, and named.
"""

from __future__ import annotations

from tests.agents.goldens.cases import CASES
from tests.agents.goldens.check import Golden, complaint, stored, today, write


def refreshed(
    old: dict[str, Golden], new: dict[str, Golden]
) -> tuple[dict[str, Golden], list[str]]:
    """The goldens to store, and a complaint for each agent that needs another version first."""
    goldens, complaints = {}, []
    for name, golden in new.items():
        before = old.get(name)
        line = complaint(name, before, golden)
        if before is not None and (line is None or before.version == golden.version):
            goldens[name] = before
            complaints += [line] if line else []
        else:
            goldens[name] = golden
    return goldens, complaints


def main() -> str | None:
    """Refresh the file; what is wrong, if anything is."""
    goldens, complaints = refreshed(stored(), {name: today(name) for name in CASES})
    write(goldens)
    return "\n".join(complaints) or None


if __name__ == "__main__":
    raise SystemExit(main())
