"""Train the zoo: ``python -m mlds_bench.envs.generalization.zoo``; run again, it goes on."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mlds_bench.envs.generalization.zoo.grid import LEVELS


def main() -> None:
    """Read the command line, train and say where the table is."""
    parser = argparse.ArgumentParser(prog="python -m mlds_bench.envs.generalization.zoo")
    parser.add_argument("-o", "--output", type=Path, default=Path("zoo"), help="folder [zoo]")
    parser.add_argument(
        "--datasets", nargs="+", choices=tuple(LEVELS), default=tuple(LEVELS), help="[all]"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread [2]")
    chosen = parser.parse_args()

    from mlds_bench.common.data.store import MissingData
    from mlds_bench.envs.generalization.zoo.build import build

    try:
        path = build(chosen.output, chosen.datasets, chosen.workers, _tell)
    except MissingData as missing:
        sys.exit(str(missing))
    _tell(f"written: {path}" if path else "the table is written when all data sets are trained")


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
