"""Atari games: homeworks 4-1 to 4-3."""
