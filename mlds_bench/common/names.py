"""Names that users give: a wrong one is answered with the nearest right one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """One line for a wrong name: the value, and the nearest right one or all there are.

    Args:
        kind: what the name should have been, "agent" say.
        name: as the user gave it.
        known: every right name.
    """
    by_lower_case = {right.lower(): right for right in known}
    near = get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.5)
    if near:
        return f"unknown {kind} {name!r}: did you mean {by_lower_case[near[0]]!r}?"
    names = [*by_lower_case.values()]
    if not names:
        return f"unknown {kind} {name!r}: there is no {kind} to set"
    there = "there is only" if len(names) == 1 else "there are"
    return f"unknown {kind} {name!r}: {there} {', '.join(names)}"
