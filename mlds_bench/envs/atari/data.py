"""The cartridges: what a game is made of."""

from __future__ import annotations

from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path

from ale_py.roms import get_all_rom_ids, get_rom_path

from mlds_bench.common.checks import MOST_SHOWN, shown
from mlds_bench.envs.atari.specs import BREAKOUT, PONG, AtariSettings, Settings


def checksum(settings: Settings) -> str:
    """sha256 of the game's ROM; of those of Pong and Breakout where the id names the game."""
    games = [settings.game] if isinstance(settings, AtariSettings) else [PONG.game, BREAKOUT.game]
    digest = sha256()
    for name in games:
        digest.update(find_rom(name).read_bytes())
    return digest.hexdigest()


def find_rom(game: str) -> Path:
    """The file of a game's ROM, as ale-py brings it.

    Raises:
        ValueError: there is no such game; the line names the nearest right one.
    """
    known = get_all_rom_ids()
    path = get_rom_path(game) if game in known else None
    if path is not None:
        return path
    plain = {name.replace("_", ""): name for name in known}
    wanted = "".join(letter for letter in game[:MOST_SHOWN].lower() if letter.isalnum())
    near = get_close_matches(wanted, plain, n=1, cutoff=0.5)
    hint = f"did you mean {plain[near[0]]!r}?" if near else "ale_py.roms.get_all_rom_ids() has all"
    raise ValueError(f"unknown game {shown(game)}: {hint}")
