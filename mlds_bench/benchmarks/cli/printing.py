"""Tables on standard output: to a terminal in its width, to anything else as Markdown."""

from __future__ import annotations

import shutil
import sys

from mlds_bench.leaderboard.render import Page, render
from mlds_bench.leaderboard.terminal import render_terminal

FEWEST_COLUMNS = 40
"""Narrower terminals are taken to be this wide."""


def print_page(page: Page) -> None:
    """Print tables: as wide as a terminal is, or as Markdown where there is none."""
    if sys.stdout.isatty():
        width = max(shutil.get_terminal_size().columns, FEWEST_COLUMNS)
        print(render_terminal(page, width))
    else:
        print(render(page, "markdown"))
