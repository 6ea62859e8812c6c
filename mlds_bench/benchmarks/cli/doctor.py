"""The command ``doctor``: what this machine is, and whether everything works on it."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mlds_bench.benchmarks.run.machine import examine_machine, is_checkout
from mlds_bench.common.data.catalogue import CATALOGUE
from mlds_bench.common.data.store import data_folders, is_here


def examine() -> int:
    """Print the findings; returns 0 if everything works, else 1."""
    where = examine_machine()
    origin = "a checkout; git does not say of what" if is_checkout() else "installed package"
    print(f"mlds-bench         {where.package_version} ({where.git_commit or origin})")
    print(f"python             {where.python}, {sys.executable}")
    for name, version in {**where.packages, **where.hardware}.items():
        print(f"{name:18} {version}")
    print(f"data               {_data()}")
    failures = 0
    for name, test in TESTS.items():
        began = time.perf_counter()
        try:
            finding = test()
        except Exception as error:  # whatever is broken is the finding
            failures += 1
            print(
                f"FAILED             {name}: {type(error).__name__}: {' '.join(str(error).split())}"
            )
            continue
        print(f"ok                 {name}: {finding} ({time.perf_counter() - began:.1f} s)")
    print("everything works" if not failures else f"{failures} of {len(TESTS)} do not work")
    return 1 if failures else 0


def _data() -> str:
    """Where data sets are looked for, and which of them are here."""
    here = [name for name in CATALOGUE if is_here(name)]
    folders = " and ".join(map(str, data_folders()))
    return f"{', '.join(here) or 'embedded data only'} (below {folders})"


def _torch() -> str:
    import torch

    a = torch.arange(6.0).reshape(2, 3)
    if not torch.equal(a @ a.T, torch.tensor([[5.0, 14.0], [14.0, 50.0]])):
        raise RuntimeError("a matrix product came out wrong")
    devices = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    return f"{torch.get_num_threads()} threads, {', '.join(devices)}"


def _environments() -> str:
    from mlds_bench.envs.registry import ENVIRONMENTS

    for environment in ENVIRONMENTS.values():
        env = environment.make(num_envs=2, seed=0)
        env.reset(seed=0)
        env.close()
    return f"{len(ENVIRONMENTS)} made and reset"


def _cell() -> str:
    from mlds_bench.benchmarks.plan.seal import Seal
    from mlds_bench.benchmarks.plan.suite import plan
    from mlds_bench.benchmarks.run.events import Silent
    from mlds_bench.benchmarks.run.runner import run

    with tempfile.TemporaryDirectory() as folder:
        cells = plan(["hw1-1/sinc"], preset="smoke", agents=["random"], seal=Seal())
        summary = run(cells, Path(folder), observer=Silent(), workers=1)
    (record,) = summary.records
    if record.state != "ok":
        raise RuntimeError(record.reason)
    return f"{record.variant} {record.agent} in processes of its own"


def _disk() -> str:
    return f"{shutil.disk_usage('.').free // 2**30} GiB free here"


TESTS: dict[str, Callable[[], str]] = {
    "torch": _torch,
    "environments": _environments,
    "a cell": _cell,
    "disk": _disk,
}
