"""Texts that came from records, made harmless: one function per format, one bound for all.

Names, reasons, sources and paths come from agents and from files that anyone may have written. Each
is one printable line of bounded length first, then escaped for where it stands.
"""

from __future__ import annotations

import re

from mlds_bench.leaderboard.fields import one_line

LATEX_CHARACTERS = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "_": r"\_",
        "%": r"\%",
        "&": r"\&",
        "#": r"\#",
        "$": r"\$",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "±": r"$\pm$",
        "↓": r"$\downarrow$",
        "↑": r"$\uparrow$",
        "†": r"$\dagger$",
        "‡": r"$\ddagger$",
        "Δ": r"$\Delta$",
        "—": "---",
        "…": r"\dots{}",
    }
)


def for_markdown(text: str) -> str:
    """A line that makes no cell, tag, code, emphasis, link or picture of its own."""
    return re.sub(r"([\\|<*`]|(?<=\])\(|(?<=!)\[)", r"\\\1", one_line(text))


def for_latex(text: str) -> str:
    """A line without commands; a minus before a digit is one, and no row begins with an option."""
    line = re.sub(r"(?<![\w-])-(?=\d)", "$-$", one_line(text).translate(LATEX_CHARACTERS))
    return re.sub(r"^([\[*])", r"{\1}", line)


def for_latex_comment(text: str) -> str:
    """A line after a percent sign: nothing ends it but a line feed."""
    return one_line(text)


def for_csv(text: str) -> str:
    """A line that no spreadsheet takes for a formula."""
    line = one_line(text)
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line


def for_json(text: str) -> str:
    """A line; `json` does the rest."""
    return one_line(text)


def for_terminal(text: str) -> str:
    """A line without escape sequences."""
    return one_line(text)
