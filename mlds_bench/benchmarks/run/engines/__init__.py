"""Engines run cells: `local` in worker processes of this machine."""
