"""What variants say of themselves, renewed beside the committed records: ``python -m tools.tasks``.

Questions, sources, marks and published figures are no part of a record's key: when they change, the
records stay and their ``variant.json`` is written again.
"""

from __future__ import annotations

from mlds_bench.benchmarks.plan.cell import make_task
from mlds_bench.benchmarks.plan.trained import COMMITTED
from mlds_bench.benchmarks.plan.variants import VARIANTS
from mlds_bench.leaderboard.record import read_task, write_task

if __name__ == "__main__":
    for path in sorted(COMMITTED.glob("*/*/*/variant.json")):
        old = read_task(path)
        new = make_task(VARIANTS[old.variant], old.preset, old.data_checksum)
        if new.digest != old.digest:
            raise SystemExit(f"{path}: its records were made for another task; run them again")
        if new != old:
            write_task(new, path)
            print(path)
