"""Tables of studies, from what they wrote to `docs/environments/studies`.

A table stands between ``<!-- begin: study keskar -->`` and ``<!-- end -->``: one row per case of
the study, the mean over its seeds, and published figures in brackets. `tools.readme` fills it in.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from mlds_bench.leaderboard.render import significant

STUDIES = Path(__file__).parents[1] / "docs" / "environments" / "studies"
TABLE = re.compile(r"(<!-- begin: study (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled_in(page: str) -> str:
    """A page with its tables of studies as the committed files have them."""
    return TABLE.sub(lambda match: f"{match[1]}\n{table(match[2])}\n{match[3]}", page)


def table(study: str) -> str:
    """A Markdown table of a study's means.

    Raises:
        OSError: there is no such study.
    """
    found = json.loads((STUDIES / f"{study}.json").read_text(encoding="utf-8"))
    means, published = found["mean"], found["published"]
    names = list(next(iter(means.values())))
    lines = [["case", *names], ["---:"] * (len(names) + 1)]
    for case, values in means.items():
        known = published.get(case, {})
        lines.append([case, *(_text(values[name], known.get(name)) for name in names)])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _text(value: float, published: float | None) -> str:
    text = significant(value)
    return text if published is None else f"{text} [{significant(published)}]"
