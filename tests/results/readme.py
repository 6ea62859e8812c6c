"""The README's table is cut from the committed results: ``python -m tests.results.readme``."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SECTIONS = ("all variants", "hw1-1/sinc")
BLOCK = re.compile(r"(<!-- begin: results/(\w+)\.md -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(readme: str) -> str:
    """The README with its tables as `results/` has them."""
    return BLOCK.sub(lambda match: f"{match[1]}\n{_cut(match[2])}\n{match[3]}", readme)


def _cut(preset: str) -> str:
    page = (ROOT / "results" / f"{preset}.md").read_text(encoding="utf-8")
    parts = [part for part in page.split("\n## ") if part.startswith(SECTIONS)]
    tables = [f"**{part.replace(chr(10), '**' + chr(10), 1).strip()}\n" for part in parts]
    return "\n".join(tables)


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
