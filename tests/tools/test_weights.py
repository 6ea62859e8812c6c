"""Weights made small enough to be committed."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load, save

from tools.weights import TooLarge, packed

GENERATOR = torch.Generator().manual_seed(0)
LARGE, SMALL = (torch.randn(rows, 64, generator=GENERATOR) for rows in (64, 8))
FITTED = torch.tensor([True])
WEIGHTS = save({"large": LARGE, "small": SMALL, "fitted": FITTED})
HEADER = len(WEIGHTS) - 4 * 64 * 72 - 1


def test_what_fits_is_left_alone() -> None:
    assert packed(WEIGHTS, most=len(WEIGHTS)) is WEIGHTS


@pytest.mark.parametrize(
    ("bits", "error"),
    [(16, 2.0**-11), (8, 2.0**-4)],
)
def test_the_largest_tensor_gives_up_bits(bits: int, error: float) -> None:
    """To half a unit of the last place that is left; the others are the same, bit for bit."""
    most = HEADER + 64 * 64 * bits // 8 + 4 * 8 * 64 + 100
    small = packed(WEIGHTS, most=most)
    tensors = load(small)
    assert len(small) <= most
    assert tensors["large"].element_size() == bits // 8
    large = tensors["large"].to(torch.float32)
    normal = LARGE.abs() >= 2.0**-6
    assert not torch.equal(large, LARGE)
    torch.testing.assert_close(large[normal], LARGE[normal], rtol=error, atol=0.0)
    torch.testing.assert_close(large[~normal], LARGE[~normal], rtol=0.0, atol=2.0**-10)
    assert torch.equal(tensors["small"], SMALL)
    assert torch.equal(tensors["fitted"], FITTED)


def test_a_layer_takes_coarser_weights_as_its_own() -> None:
    """What agents do with the file: copied into float32, with no error but that of rounding."""
    layer = torch.nn.Linear(64, 64, bias=False)
    coarse = load(packed(WEIGHTS, most=8_000))["large"]
    layer.load_state_dict({"weight": coarse})
    assert layer.weight.dtype == torch.float32
    assert torch.equal(layer.weight, coarse.to(torch.float32))


def test_what_never_fits_is_refused() -> None:
    with pytest.raises(TooLarge, match=r"^4,\d{3} bytes, eight bits a weight; 4,000 are"):
        packed(WEIGHTS, most=4_000)
