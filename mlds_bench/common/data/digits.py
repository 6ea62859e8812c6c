"""Handwritten digits of 8 x 8 pixels, which scikit-learn ships (Alpaydin and Kaynak 1998, UCI)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

IMAGES = 1797


def load_digits() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """All images (1797, 8, 8) uint8 from 0 to 16, and their labels (1797,) int64 from 0 to 9.

    The file is read as it lies in the installed scikit-learn: to import that takes a second, which
    every cell would pay.
    """
    spec = find_spec("sklearn")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz"
    table = np.loadtxt(path, delimiter=",", dtype=np.int64)
    return table[:, :64].reshape(-1, 8, 8).astype(np.uint8), table[:, 64]
