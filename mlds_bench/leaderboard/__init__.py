"""Leaderboard: reads records only, imports no learning framework and no other part of the package.

`record` holds the schema of a result, `stats` the statistics, `tables` and `compare` build pages
of rows from records, `render` prints them. `load` gives everything as one pandas frame.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if __name__ != "mlds_bench.leaderboard":
    raise ImportError(
        f"this folder is a link into the package and would be imported twice under the name "
        f"{__name__!r}: import mlds_bench.leaderboard instead"
    )

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load"]


def load(folder: str | Path) -> pd.DataFrame:
    """Loads every record below a folder as a pandas frame, one row a record, sorted by path.

    Args:
        folder: the folder of a run (`results`), of one preset (`results/standard`) or any folder
            below it.

    Returns:
        A frame with the fields of `Record` as columns; fields that are tables themselves are
        spread over columns with a prefix: `score.log10_mse`, `param.learning_rate`,
        `anchor.pass_mark`, `budget.env_steps`, `package.numpy`, `hardware.cpu`. `curve` holds a
        list of points, `published` a list of figures.

    Raises:
        NoRecords: the folder does not exist or holds no record.
        TornRecord: a file is not a complete record, or does not belong where it lies.
    """
    from mlds_bench.leaderboard.frame import frame
    from mlds_bench.leaderboard.record import read_records

    return frame(read_records(folder))
