"""Tables and figures in the pages come from the committed results: ``python -m tools.readme``."""

from __future__ import annotations

import re
from pathlib import Path

from tools import figures, measured, studied

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
BLOCK = re.compile(
    r"(<!-- begin: results/(\w+)\.md: (.+?) -->\n).*?(<!-- end -->)",
    re.DOTALL,
)
"""As in ``<!-- begin: results/standard.md: homeworks, hw1-1/sinc -->``."""


def filled(page: str) -> str:
    """A page with its tables and figures as `results/` has them."""
    tables = BLOCK.sub(lambda match: f"{match[1]}\n{_cut(match[2], match[3])}\n{match[4]}", page)
    return figures.filled_in(measured.filled_in(studied.filled_in(tables)))


def _cut(preset: str, sections: str) -> str:
    page = (ROOT / "results" / f"{preset}.md").read_text(encoding="utf-8")
    parts = {part.partition("\n")[0].partition(" (")[0]: part for part in page.split("\n## ")}
    chosen = [parts[name.replace("*", r"\*")] for name in sections.split(", ")]
    tables = [f"**{part.replace(chr(10), '**' + chr(10), 1).strip()}\n" for part in chosen]
    return "\n".join(tables)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
