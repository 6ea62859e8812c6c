"""What goes to standard output, whatever stands there: a terminal, a pipe, a narrow encoding."""

from __future__ import annotations

import shutil
import sys

from mlds_bench.leaderboard.escape import for_encoding
from mlds_bench.leaderboard.render import Page, render
from mlds_bench.leaderboard.terminal import render_terminal

FEWEST_COLUMNS = 40
"""Narrower terminals are taken to be this wide."""


def say(text: str) -> None:
    """Print a text; signs that the encoding of the output lacks are spoken."""
    print(for_encoding(text, sys.stdout.encoding))


def print_page(page: Page) -> None:
    """Print tables: as wide as a terminal is, or as Markdown where there is none."""
    if sys.stdout.isatty():
        width = max(shutil.get_terminal_size().columns, FEWEST_COLUMNS)
        say(render_terminal(page, width))
    else:
        say(render(page, "markdown"))
