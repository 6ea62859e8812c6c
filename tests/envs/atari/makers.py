"""What several tests of this room start from."""

from __future__ import annotations

from typing import Any

from mlds_bench.envs.atari.specs import PongSettings
from mlds_bench.envs.atari.view import View


def view_of(**settings: Any) -> View:
    """A view by the keyword arguments of an environment."""
    return View.of(PongSettings(**settings))
