"""Environment variables of a cell's process; libraries read them when they are loaded."""

from __future__ import annotations

import os
import sys

SURROUNDINGS = {
    "OMP_NUM_THREADS": "1",  # torch is told its threads by call
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",  # an idle thread of torch leaves its core to the emulators
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # without it products on an accelerator do not repeat
    "PYTHONHASHSEED": "0",
}


def enter_surroundings() -> None:
    """Begin the running module anew with these variables, unless it has them."""
    if SURROUNDINGS.items() <= os.environ.items():
        return
    module = sys.modules["__main__"].__spec__
    assert module is not None, "run with python -m"
    os.execve(
        sys.executable,
        [sys.executable, "-m", module.name, *sys.argv[1:]],
        {**os.environ, **SURROUNDINGS},
    )
