"""Random streams, one per instance, drawn for the whole batch in one array operation.

A stream is counter based: its k-th word is a hash of (seed, instance, k). So instance i sees the
same numbers in a batch of 1, 7 or 1000, and drawing for a thousand instances is a handful of numpy
operations instead of a thousand generator calls.

The hash is the finalizer of SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom
number generators"), applied to an odd-gamma Weyl sequence whose start is itself hashed.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Words: TypeAlias = npt.NDArray[np.uint64]
Indices: TypeAlias = npt.NDArray[np.intp]

GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
_TO_UNIT = np.uint64(11)  # a float64 in [0, 1) takes the upper 53 bits


def mix(words: Words) -> Words:
    """Hash 64-bit words in place (SplitMix64's finalizer); returns the same array."""
    words ^= words >> _SHIFTS[0]
    words *= _MULTIPLIERS[0]
    words ^= words >> _SHIFTS[1]
    words *= _MULTIPLIERS[1]
    words ^= words >> _SHIFTS[2]
    return words


def derive(*parts: int | str) -> int:
    """A 63-bit seed that depends on every part: the one place that seeds flow from.

    >>> derive(0, "agent") == derive(0, "agent") != derive(0, "environment")
    True
    """
    text = repr([part if isinstance(part, str) else int(part) for part in parts])
    return int.from_bytes(sha256(text.encode()).digest()[:8], "little") >> 1


class Streams:
    """The random streams of N instances.

    Args:
        seed: one seed for the batch (instance i gets the stream (seed, i)), or one seed per
            instance (each then repeats what it does alone under that seed).
        num_envs: N.

    Attributes:
        everyone: (N,) all instances; drawing for this very array is fastest.
    """

    def __init__(self, seed: int | Sequence[int], num_envs: int) -> None:
        if isinstance(seed, Sequence):
            seeds, instances = np.array(seed, dtype=np.uint64), np.zeros(num_envs, np.uint64)
        else:
            seeds, instances = np.array([seed], np.uint64), np.arange(num_envs, dtype=np.uint64)
        self.everyone: Indices = np.arange(num_envs)
        self._shared_seed = int(seeds[0])
        start = mix(seeds * GAMMA + np.uint64(1))
        self._position = mix(start ^ mix(instances * GAMMA + np.uint64(2)))

    def narrow(self, mask: npt.NDArray[np.bool_]) -> None:
        """Drop the streams where ``mask`` (N,) is False; the others go on where they are."""
        self._position = self._position[mask]
        self.everyone = np.arange(len(self._position))

    def words(self, ids: Indices, count: int) -> Words:
        """The next ``count`` words of the streams ``ids``: (len(ids), count) uint64."""
        everyone = ids is self.everyone  # gather and scatter would cost half as much again
        first = self._position if everyone else self._position[ids]
        steps = GAMMA * np.arange(count + 1, dtype=np.uint64)
        words = first[:, None] + steps[:-1]
        self._position[... if everyone else ids] = first + steps[-1]
        return mix(words)

    def uniform(self, ids: Indices, count: int) -> npt.NDArray[np.float64]:
        """(len(ids), count) float64 in [0, 1)."""
        uniform = (self.words(ids, count) >> _TO_UNIT).astype(np.float64)
        uniform *= 2.0**-53
        return uniform

    def integers(self, ids: Indices, high: int, count: int) -> npt.NDArray[np.int64]:
        """(len(ids), count) int64 in [0, high); a value's probability is 1/high within 2**-32.

        Raises:
            ValueError: high is not in 1..2**32, the words that are scaled.
        """
        if not 1 <= high <= 2**32:
            raise ValueError(f"high must be in 1..2**32, got {high}")
        words = self.words(ids, count)
        words >>= np.uint64(32)
        words *= np.uint64(high)
        words >>= np.uint64(32)
        return words.view(np.int64)

    def normal(self, ids: Indices, count: int) -> npt.NDArray[np.float64]:
        """(len(ids), count) float64, standard normal (Box and Muller)."""
        uniform = self.uniform(ids, 2 * count)
        radius = np.sqrt(-2.0 * np.log1p(-uniform[:, :count]))
        normal: npt.NDArray[np.float64] = radius * np.cos(2.0 * np.pi * uniform[:, count:])
        return normal

    def shared(self, name: str) -> np.random.Generator:
        """A generator for what all instances share; it depends on the seed and the name alone."""
        return np.random.default_rng(derive(self._shared_seed, name))
