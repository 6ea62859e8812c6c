"""The embedded digits, against scikit-learn's own reading of them."""

from __future__ import annotations

import numpy as np

from mlds_bench.common.data.digits import IMAGES, load_digits
from tests.processes import python


def test_digits_are_those_of_scikit_learn() -> None:
    """Every pixel and every label; dtypes and ranges as promised."""
    from sklearn.datasets import load_digits as original

    images, labels = load_digits()
    bunch = original()
    np.testing.assert_array_equal(images, bunch.images)
    np.testing.assert_array_equal(labels, bunch.target)
    assert images.shape == (IMAGES, 8, 8)
    assert (str(images.dtype), str(labels.dtype)) == ("uint8", "int64")
    assert (images.min(), images.max()) == (0, 16)
    assert labels[:10].tolist() == list(range(10))


def test_scikit_learn_is_not_imported() -> None:
    """That would cost every cell a second."""
    code = (
        "import sys; from mlds_bench.common.data.digits import load_digits; load_digits();"
        "assert 'sklearn' not in sys.modules"
    )
    assert python("-c", code).returncode == 0
