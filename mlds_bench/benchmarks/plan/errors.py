"""What can go wrong by the user's hand: one line, exit code 2."""

from __future__ import annotations


class UsageError(ValueError):
    """A wrong name, a bad value, an unwritable folder: said in one line."""
