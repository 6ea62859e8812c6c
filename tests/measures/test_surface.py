"""Losses along lines and on planes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from mlds_bench.measures import batches
from mlds_bench.measures import surface as module
from mlds_bench.measures.points import Array, Block
from mlds_bench.measures.surface import (
    Plane,
    filter_normalized,
    line,
    random_plane,
    surface,
)
from tests.measures.small import blocks_of, draw, network, quadratic, with_spectrum

SIZES = (2, 3, 4, 1)


def generator(seed: int = 0) -> np.random.Generator:
    """Random numbers of a test."""
    return np.random.default_rng(seed)


def test_a_line_goes_through_its_ends() -> None:
    """theta = (1 - a) theta1 + a theta2."""
    points = line(
        np.array([1.0, 0.0]), torch.tensor([3.0, 4.0]), np.array([-1.0, 0.0, 0.5, 1.0, 2.0])
    )
    assert points.tolist() == [[-1, -4], [1, 0], [2, 2], [3, 4], [5, 8]]


def test_a_quadratic_is_a_parabola_on_every_line() -> None:
    """By its value, slope and curvature at one end."""
    matrix = with_spectrum(np.array([-1.0, 2.0, 5.0]))
    first, last = draw(2, 3).numpy()
    a, way = np.linspace(-1.0, 2.0, 31), last - first
    expected = (
        first @ matrix @ first / 2 + a * (way @ matrix @ first) + a**2 * (way @ matrix @ way) / 2
    )
    assert batches.losses(quadratic(matrix), line(first, last, a)) == pytest.approx(expected)


def test_lines_join_points_of_one_space() -> None:
    """One line names both shapes."""
    with pytest.raises(ValueError, match=r"joins two points \(d,\), got \(2,\) and \(3,\)"):
        line(np.zeros(2), np.zeros(3), np.zeros(1))


def test_a_plane_is_centre_and_two_directions() -> None:
    """On the grid, entry (i, j) is center + a_i first + b_j second; coordinates lead back."""
    plane = Plane(np.array([1.0, 1.0, 1.0]), np.array([[1.0, 0.0, 0.0], [1.0, 2.0, 0.0]]))
    a, b = np.array([0.0, 1.0, 2.0]), np.array([0.0, 10.0])
    points = plane.points(a, b)
    assert points.shape == (3, 2, 3)
    assert points[2, 1].tolist() == [13.0, 21.0, 1.0]
    assert plane.coordinates(points) == pytest.approx(
        np.stack(np.meshgrid(a, b, indexing="ij"), -1)
    )
    off = points[2, 1] + [0.0, 0.0, 7.0]
    assert plane.coordinates(off) == pytest.approx([2.0, 10.0])


@pytest.mark.parametrize("memory", [1, 2000, batches.WORKING_BYTES])
def test_a_surface_is_its_points_one_by_one(memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In pieces of any size."""
    monkeypatch.setattr(module, "WORKING_BYTES", memory)
    loss, dimension = network(SIZES)
    plane = random_plane(draw(dimension), generator=generator(), blocks=blocks_of(SIZES))
    a, b = np.linspace(-1.0, 1.0, 5), np.linspace(-2.0, 1.0, 4)
    found = surface(loss, plane, a, b)
    points = torch.from_numpy(plane.points(a, b))
    expected = [[float(loss(point)) for point in row] for row in points]
    assert found == pytest.approx(np.array(expected), rel=1e-12)


def test_where_the_loss_is_infinite_so_is_the_surface() -> None:
    """Nothing is clipped here."""
    plane = Plane(np.zeros(2), np.eye(2))
    found = surface(lambda x: torch.log(x[0]) + x[1], plane, np.array([0.0, 1.0]), np.array([2.0]))
    assert found.tolist() == [[-np.inf], [2.0]]


def test_every_filter_has_the_norm_of_its_weights() -> None:
    """Rows of weight matrices in the direction they were drawn in; biases are zero."""
    theta, direction = draw(2, blocks_of(SIZES)[-1].stop).numpy()
    theta[4:6] = 0.0
    found = filter_normalized(direction, theta, blocks_of(SIZES))
    for block in blocks_of(SIZES):
        place = slice(block.start, block.stop)
        if len(block.shape) == 1:
            assert not found[place].any()
            continue
        rows, drawn, weights = (v[place].reshape(block.shape) for v in (found, direction, theta))
        length = np.linalg.norm(weights, axis=1)
        assert np.linalg.norm(rows, axis=1) == pytest.approx(length)
        assert (rows * drawn).sum(1) == pytest.approx(length * np.linalg.norm(drawn, axis=1))
    assert not found[4:6].any()


def test_without_blocks_the_point_is_one_filter() -> None:
    """A surface of no network is scaled as a whole."""
    found = filter_normalized(np.array([3.0, 4.0]), np.array([0.0, 10.0]), ())
    assert found.tolist() == [6.0, 8.0]


def rescaled(theta: Array, first: int, factor: float) -> Array:
    """The same ReLU network: one layer and its biases times the factor, the next one over it."""
    result, blocks = theta.copy(), blocks_of(SIZES)
    result[blocks[2 * first].start : blocks[2 * first + 1].stop] *= factor
    weight = blocks[2 * first + 2]
    result[weight.start : weight.stop] /= factor
    return result


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("factor", [0.01, 7.0])
def test_a_rescaled_relu_pair_gives_the_same_picture(first: int, factor: float) -> None:
    """Filter-normalized, as Li et al. show; without normalization the picture changes."""
    loss, dimension = network(SIZES, torch.relu)
    theta = draw(dimension).numpy()
    other = rescaled(theta, first, factor)
    a = np.linspace(-1.0, 1.0, 7)
    planes = [
        random_plane(point, generator=generator(), blocks=blocks_of(SIZES))
        for point in (theta, other)
    ]
    pictures = [surface(loss, plane, a, a) for plane in planes]
    assert pictures[1] == pytest.approx(pictures[0], rel=1e-10)
    raw = generator().standard_normal((2, dimension))
    plain = [surface(loss, Plane(t, raw), a, a) for t in (theta, other)]
    assert np.abs(plain[1] / plain[0] - 1.0).max() > 0.5


def test_planes_repeat_with_their_generator() -> None:
    """The same seed, the same plane; another seed, another."""
    theta = draw(blocks_of(SIZES)[-1].stop)
    one, same, other = (
        random_plane(theta, generator=generator(seed), blocks=blocks_of(SIZES))
        for seed in (0, 0, 1)
    )
    assert (one.directions == same.directions).all()
    assert (one.center == theta.numpy()).all()
    assert (one.directions != other.directions).any()


@pytest.mark.parametrize("blocks", [(Block("b", 0, (3,)),), (Block("w", 0, (3, 2)),)])
def test_blocks_that_do_not_fit_are_refused(blocks: tuple[Block, ...]) -> None:
    """Biases alone, or a matrix beyond the point: one line names them and d."""
    with pytest.raises(ValueError, match=r"fit a point of d = 4, got \[\('"):
        filter_normalized(np.ones(4), np.ones(4), blocks)


def test_a_plane_needs_two_dimensions() -> None:
    """And one point."""

    def plane(theta: Tensor) -> Plane:
        return random_plane(theta, generator=generator())

    for theta in (torch.zeros(1), torch.zeros(2, 3)):
        with pytest.raises(ValueError, match=r"a plane needs one point \(d,\) with d >= 2"):
            plane(theta)
