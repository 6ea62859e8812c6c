"""Reference agents of the classification room."""

from __future__ import annotations

AGENTS: dict[str, str] = {}
"""Name -> module:class."""

VERSIONS: dict[str, int] = {}
"""Name -> version, where it is not 1: raised when an agent's behavior changes, for it stands in the
keys of records."""
