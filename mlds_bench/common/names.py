"""Names that users give: a wrong one is answered with the nearest right one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

MOST_SHOWN = 3
"""Names that are equally near."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """One line for a wrong name: the value, and the nearest right ones or all there are.

    Args:
        kind: what the name should have been, "agent" say.
        name: as the user gave it.
        known: every right name.
    """
    by_lower_case = {right.lower(): right for right in known}
    near = _nearest(name.lower(), list(by_lower_case))
    if near:
        choice = " or ".join(repr(by_lower_case[one]) for one in near)
        return f"unknown {kind} {name!r}: did you mean {choice}?"
    names = [*by_lower_case.values()]
    if not names:
        return f"unknown {kind} {name!r}: there is no {kind} to set"
    there = "there is only" if len(names) == 1 else "there are"
    return f"unknown {kind} {name!r}: {there} {', '.join(names)}"


def _nearest(name: str, known: list[str]) -> list[str]:
    """All that end in the name behind a slash or colon, or else the most similar ones."""
    if ends := [one for one in known if re.split("[/:]", one)[-1] == name]:
        return ends[:MOST_SHOWN]
    near = get_close_matches(name, known, n=MOST_SHOWN, cutoff=0.5)
    best = SequenceMatcher(None, near[0], name).ratio() if near else 1.0
    alike = [one for one in near if SequenceMatcher(None, one, name).ratio() == best]
    return sorted(alike, key=known.index)
