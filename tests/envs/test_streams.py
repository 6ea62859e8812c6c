"""The random streams: against a second implementation, and as random numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mlds_bench.envs.streams import GAMMA, Streams, derive, mix

WORD = 2**64 - 1
EVERYONE = np.arange(2000)


def finalize(word: int) -> int:
    """SplitMix64's finalizer in plain integers."""
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & WORD
    return word ^ (word >> 31)


def stream(seed: int, instance: int, count: int) -> list[int]:
    """The first words of a stream, as the docstring of the module defines them."""
    gamma = int(GAMMA)
    start = finalize(finalize(seed * gamma + 1 & WORD) ^ finalize(instance * gamma + 2 & WORD))
    return [finalize(start + k * gamma & WORD) for k in range(count)]


def test_the_finalizer_gives_the_published_words() -> None:
    """The first outputs of SplitMix64 seeded 1234567 are known numbers."""
    states = np.uint64(1234567) + GAMMA * np.arange(1, 6, dtype=np.uint64)
    assert mix(states).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@pytest.mark.parametrize("seed", [0, 1, 2**63, 2**64 - 1])
def test_words_equal_a_second_implementation(seed: int) -> None:
    """Every word of every instance is what plain integers say, over several calls."""
    streams = Streams(seed, 3)
    ids = np.arange(3)
    words = np.hstack([streams.words(ids, 2), streams.words(ids, 1), streams.words(ids, 3)])
    assert words.tolist() == [stream(seed, i, 6) for i in range(3)]


def test_kinds_of_numbers_come_from_the_same_words() -> None:
    """Uniform takes the upper 53 bits, integers scale the upper 32, normal is Box and Muller."""
    ids = np.arange(4)
    words = Streams(7, 4).words(ids, 6)
    uniform = (words >> np.uint64(11)).astype(float) / 2**53
    np.testing.assert_array_equal(Streams(7, 4).uniform(ids, 6), uniform)
    integers = [[(int(word) >> 32) * 10 >> 32 for word in row] for row in words]
    assert Streams(7, 4).integers(ids, 10, 6).tolist() == integers
    normal = np.sqrt(-2 * np.log(1 - uniform[:, :3])) * np.cos(2 * np.pi * uniform[:, 3:])
    np.testing.assert_allclose(Streams(7, 4).normal(ids, 3), normal, rtol=1e-12)


def test_an_instance_is_the_same_in_any_batch() -> None:
    """Instance i draws the same numbers in a batch of 7 and of 1000, whoever else draws."""
    small, large = Streams(3, 7), Streams(3, 1000)
    large.uniform(np.arange(7, 1000), 5)
    np.testing.assert_array_equal(
        small.uniform(np.arange(7), 4), large.uniform(np.arange(1000), 4)[:7]
    )
    np.testing.assert_array_equal(
        small.normal(np.array([2, 5]), 3), large.normal(np.array([5, 2]), 3)[::-1]
    )


def test_a_list_of_seeds_repeats_each_alone() -> None:
    """Under a list of seeds, instance i is what a batch of one is under its seed."""
    together = Streams([5, 9], 2).uniform(np.arange(2), 3)
    alone = [Streams(seed, 1).uniform(np.arange(1), 3)[0] for seed in (5, 9)]
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("what", ["along a stream", "over instances", "over seeds"])
def test_uniform_numbers_are_uniform(what: str) -> None:
    """Kolmogorov and Smirnov, and chi-square over 64 bins, whichever index runs."""
    if what == "along a stream":
        numbers = Streams(0, 1).uniform(np.arange(1), 20_000)
    elif what == "over instances":
        numbers = Streams(0, 20_000).uniform(np.arange(20_000), 1)
    else:
        numbers = np.array([Streams(s, 1).uniform(np.arange(1), 1) for s in range(5_000)])
    numbers = numbers.ravel()
    assert numbers.min() >= 0.0
    assert numbers.max() < 1.0
    assert stats.kstest(numbers, "uniform").pvalue > 0.01
    assert stats.chisquare(np.histogram(numbers, 64, (0, 1))[0]).pvalue > 0.01


def test_neighbors_are_independent() -> None:
    """Numbers of adjacent instances, adjacent draws and adjacent seeds fill the unit square."""
    now, next_seed = (Streams(s, 2000).uniform(EVERYONE, 11) for s in (0, 1))
    pairs = {
        "instances": (now[:-1], now[1:]),
        "draws": (now[:, :-1], now[:, 1:]),
        "seeds": (now, next_seed),
    }
    for name, (a, b) in pairs.items():
        counts = np.histogram2d(a.ravel(), b.ravel(), 8, ((0, 1), (0, 1)))[0]
        assert stats.chisquare(counts.ravel()).pvalue > 0.01, name


def test_integers_are_uniform_over_their_range() -> None:
    """All values below a bound that is no power of two come equally often."""
    integers = Streams(1, 2000).integers(EVERYONE, 10, 20)
    assert integers.dtype == np.int64
    assert stats.chisquare(np.bincount(integers.ravel(), minlength=10)).pvalue > 0.01
    assert Streams(1, 2000).integers(EVERYONE, 2**32, 5).max() > 2**32 - 2**21


@pytest.mark.parametrize("high", [0, -1, 2**32 + 1])
def test_integers_refuse_a_bound_they_cannot_draw(high: int) -> None:
    """A bound that the 32-bit words cannot be scaled to is named."""
    with pytest.raises(ValueError, match=rf"high must be in 1\.\.2\*\*32, got {high}"):
        Streams(0, 1).integers(np.arange(1), high, 1)


def test_normal_numbers_are_normal() -> None:
    """Mean 0, variance 1, skewness 0, kurtosis 3 within four standard errors, and the shape."""
    numbers = Streams(2, 2000).normal(EVERYONE, 50).ravel()
    count = len(numbers)
    assert abs(numbers.mean()) < 4 / np.sqrt(count)
    assert abs(numbers.var() - 1) < 4 * np.sqrt(2 / count)
    assert abs(stats.skew(numbers)) < 4 * np.sqrt(6 / count)
    assert abs(stats.kurtosis(numbers)) < 4 * np.sqrt(24 / count)
    assert stats.kstest(numbers, "norm").pvalue > 0.01


def test_shared_depends_on_seed_and_name_alone() -> None:
    """What all instances share is the same for any batch size and however often it is asked."""
    one, many = Streams(4, 1), Streams(4, 100)
    many.uniform(np.arange(100), 3)
    first = one.shared("grid").random(3).tolist()
    assert first == many.shared("grid").random(3).tolist() == one.shared("grid").random(3).tolist()
    assert first != one.shared("noise").random(3).tolist()
    assert first != Streams(5, 1).shared("grid").random(3).tolist()


def test_derived_seeds_do_not_collide() -> None:
    """Seeds from parts that differ in value, kind, order or number differ, and fit 63 bits."""
    parts: list[tuple[int | str, ...]] = [
        *((k,) for k in range(-50, 1000)),
        *((k, "agent") for k in range(1000)),
        *((a, b) for a in range(30) for b in range(30)),
        (1, 0, 0),
        ("agent", 1),
        ("1",),
        ("1", "1"),
        ("11",),
        (2**32,),
        (2**64,),
    ]
    seeds = [derive(*part) for part in parts]
    assert len(set(seeds)) == len(parts)
    assert min(seeds) >= 0
    assert max(seeds) < 2**63
    assert derive(np.int64(3), "x") == derive(3, "x")  # type: ignore[arg-type]


def test_derived_seeds_are_the_same_everywhere() -> None:
    """Records can be repeated on another machine only if this number never changes."""
    assert derive(0, "agent") == 1495951396432389733  # sha256sum of "[0, 'agent']"


def test_narrowed_streams_go_on() -> None:
    """Those that are dropped leave no trace in the others."""
    whole, part = Streams(3, 6), Streams(3, 6)
    mask = np.array([True, False, True, True, False, False])
    for streams in (whole, part):
        streams.words(streams.everyone, 2)
    part.narrow(mask)
    assert np.array_equal(part.words(part.everyone, 3), whole.words(whole.everyone, 3)[mask])
