"""The cartridges: what a game is made of."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import ale_py.roms

from mlds_bench.envs.atari.specs import BREAKOUT, PONG


def checksum(*, game: str | None = None, **_protocol_and_view: object) -> str:
    """sha256 of the game's ROM; of those of Pong and Breakout where the id names the game."""
    digest = sha256()
    for name in (PONG.game, BREAKOUT.game) if game is None else (game,):
        digest.update(_rom(name).read_bytes())
    return digest.hexdigest()


def _rom(game: str) -> Path:
    path = Path(ale_py.roms.__file__).parent / f"{game}.bin"
    if not path.is_file():
        raise ValueError(f"unknown game {game!r}: ale_py.roms.get_all_rom_ids() has all")
    return path
