"""The cartridges."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import ale_py
import pytest

from mlds_bench.envs.atari.data import checksum, find_rom
from mlds_bench.envs.atari.specs import AtariSettings, PongSettings

ROMS = Path(ale_py.__file__).parent / "roms"


def test_the_checksum_is_of_the_roms() -> None:
    """Of the game's file; of Pong's and Breakout's where the id says the game."""
    pong, breakout = ((ROMS / f"{game}.bin").read_bytes() for game in ("pong", "breakout"))
    assert checksum(AtariSettings(game="pong", sticky=0.0)) == hashlib.sha256(pong).hexdigest()
    assert checksum(PongSettings(size=42)) == hashlib.sha256(pong + breakout).hexdigest()
    assert checksum(AtariSettings(game="pong")) != checksum(AtariSettings(game="freeway"))


@pytest.mark.parametrize(
    ("game", "hint"),
    [
        ("SpaceInvaders", "did you mean 'space_invaders'?"),
        ("pnog", "did you mean 'pong'?"),
        ("???", "ale_py.roms.get_all_rom_ids() has all"),
    ],
)
def test_a_missing_game_is_named_with_the_nearest(game: str, hint: str) -> None:
    """One line."""
    with pytest.raises(ValueError, match=f"^{re.escape(f'unknown game {game!r}: {hint}')}$"):
        find_rom(game)
