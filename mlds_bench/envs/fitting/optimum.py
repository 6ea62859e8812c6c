"""How well linear pieces can do: the closed forms that scores are compared with.

The best fit in L2 of the parabola x^2 on [0, 1] by n free linear pieces is n equal pieces with the
error E(n) = sqrt(1/180) / n^2 (RMSE). On each piece of width h the best line leaves the quadratic
Legendre polynomial, whose mean square is h^4 / 180; by convexity equal widths are best; and the
lines meet at the knots, so that allowing jumps gains nothing.
"""

from __future__ import annotations

import math

import numpy as np

from mlds_bench.envs.fitting.specs import Target

PARABOLA = math.sqrt(1.0 / 180.0)
"""RMSE of the best line through x^2 on an interval of length 1."""
NODES = 2**17


def parabola_error(pieces: float) -> float:
    """Smallest RMSE of n linear pieces on x^2: sqrt(1/180) / n^2."""
    return PARABOLA / pieces**2


def relu_error(units: int, *, skip: bool) -> float:
    """Smallest RMSE of one hidden layer of ReLU units and an output bias on x^2.

    With a linear skip from input to output, m units bend the line m times: m + 1 pieces. Without
    it the first piece has to be constant, which is half a piece: a constant fits x^2 on [0, h/2] as
    well as a line fits a piece of width h. So n = m + 1/2.
    """
    return parabola_error(units + (1.0 if skip else 0.5))


def sawtooth_error(layers: int) -> float:
    """RMSE on x^2 of a sawtooth of m layers with the constant correction: E(2^m)."""
    return parabola_error(2.0**layers)


def parabola_error_on_grid(pieces: int, points: int) -> float:
    """Smallest RMSE on x^2 of n runs of lines over a uniform grid of M points of spacing 1/M.

    A run of m points leaves m (m^2 - 1) (m^2 - 4) / 180 in units of M^-4, the sum of squares of the
    discrete quadratic polynomial (Gram 1883). That is convex in m, so runs as equal as possible are
    best. Tends to `parabola_error` as M grows; zero once runs have two points.
    """
    length, longer = divmod(points, pieces)

    def left(m: int) -> float:
        return m * (m**2 - 1.0) * (m**2 - 4.0) / 180.0

    total = longer * left(length + 1) + (pieces - longer) * left(length)
    return math.sqrt(total / float(points) ** 5)


def pieces_constant(target: Target) -> float | None:
    """C of the smallest RMSE C / n^2 of n linear pieces, for large n; exact for all n on x^2.

    C = (1 / (12 sqrt 5)) (int_0^1 |f''|^(2/5) dx)^(5/2), from equal errors in all pieces (de Boor
    1973, "Good approximation by splines with variable knots"). None where f'' does not exist.
    """
    if target.second_derivative is None:
        return None
    nodes = (np.arange(NODES) + 0.5) / NODES
    integral = float(np.mean(np.abs(target.second_derivative(nodes)) ** 0.4))
    return float(integral**2.5) / (12.0 * math.sqrt(5.0))
