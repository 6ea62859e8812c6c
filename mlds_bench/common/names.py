"""Names that users give: a wrong one is answered with the nearest right one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher, get_close_matches

MOST = 3
"""So many names are offered at most."""
MOST_LISTED = 30
"""So many are listed where none is near."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """One line for a wrong name: the value, and the nearest right ones or all there are.

    Args:
        kind: what the name should have been, "agent" say.
        name: as the user gave it.
        known: every right name.
    """
    names = list(dict.fromkeys(known))
    near = nearest(name, names)
    if near:
        return f"unknown {kind} {name!r}: did you mean {' or '.join(map(repr, near))}?"
    if not names:
        return f"unknown {kind} {name!r}: there is no {kind} to set"
    there = "there is only" if len(names) == 1 else "there are"
    more = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return f"unknown {kind} {name!r}: {there} {', '.join(names[:MOST_LISTED])}{more}"


def nearest(name: str, known: Sequence[str]) -> list[str]:
    """The right names that are nearest to a wrong one, several where they are equally near.

    A name is known by its last part, too: ``sinc`` is near ``hw1-1/sinc`` and ``hw1-2/sinc``.
    """
    wrong = name.lower()
    ends = [right for right in known if wrong in _ends(right.lower())]
    if ends:
        return ends[:MOST]
    by_lower_case: dict[str, list[str]] = {}
    for right in known:
        by_lower_case.setdefault(right.lower(), []).append(right)
    matches = get_close_matches(wrong, by_lower_case, n=MOST, cutoff=0.5)
    ratios = [SequenceMatcher(None, match, wrong).ratio() for match in matches]
    best = {match for match, ratio in zip(matches, ratios, strict=True) if ratio == ratios[0]}
    found = [right for match in by_lower_case if match in best for right in by_lower_case[match]]
    return found[:MOST]


def _ends(name: str) -> set[str]:
    """What may stand for a whole name: it, and what follows a slash or a colon in it."""
    return {name, re.split("[/:]", name)[-1]}
