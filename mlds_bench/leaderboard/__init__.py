"""Leaderboard: reads records only, imports no learning framework and no other part of the package.

`schema` says what is stored, `record` writes and reads it, `results` computes what follows from
it, `stats` holds the statistics, `tables`, `homeworks` and `compare` build pages of rows, `render`
prints them. `load` gives everything as one pandas frame.
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
    """Loads every record below a folder as a pandas frame, one row per record, sorted by path.

    Args:
        folder: the folder of a run (`results`), of one preset (`results/standard`) or any folder
            below it.

    Returns:
        A frame with these columns first: `homework`, `variant`, `agent`, `seed`, `preset`,
        `state`, `reason`, `pretrained`, `primary` (name of the primary score),
        `higher_is_better`, `normalized` (0 at random, 1 at the pass mark, within [-1, 2]; a failed
        cell counts as the trivial anchor), `passed`, `seconds_to_pass`, `steps_per_second`. Then
        costs (`wall_seconds`), training (`env_steps`, `curve`, a list of points), provenance and
        task. Fields that are tables themselves are spread over columns with a prefix:
        `score.log10_mse`, `param.learning_rate`, `option.view`, `env.target`,
        `budget.env_steps`, `anchor.pass_mark`, `mark.perplexity`, `package.numpy`,
        `hardware.cpu`. Files that could not be read are listed, a line each, in
        `frame.attrs["problems"]`.

    Raises:
        NoRecords: the folder does not exist or holds no record that can be read.
    """
    from mlds_bench.leaderboard.frame import frame
    from mlds_bench.leaderboard.results import read_results

    return frame(read_results(folder))
