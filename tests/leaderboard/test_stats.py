from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats

from mlds_bench.leaderboard import stats

SCORES = np.random.default_rng(0).normal(size=(4, 13))


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_the_interquartile_mean_drops_a_quarter_at_either_end() -> None:
    """Literals: one value of four goes at each end, none of three, whatever the outliers."""
    assert stats.interquartile_mean([1.0, 2.0, 4.0, 1000.0]) == 3.0
    assert stats.interquartile_mean([1.0, 2.0, 6.0]) == 3.0
    assert stats.interquartile_mean([5.0]) == 5.0
    assert stats.interquartile_mean([[-9.0, 1.0, 2.0, 9.0], [0.0, 0.0, 0.0, 8.0]]).tolist() == [
        1.5,
        0.0,
    ]


@pytest.mark.parametrize("runs", range(1, 14))
def test_the_interquartile_mean_is_the_trimmed_mean_of_the_field(runs: int) -> None:
    """The field's definition is scipy's trimmed mean at one quarter."""
    expected = scipy.stats.trim_mean(SCORES[:, :runs], 0.25, axis=-1)
    np.testing.assert_allclose(stats.interquartile_mean(SCORES[:, :runs]), expected, rtol=1e-12)


def test_the_mean_is_over_the_last_axis() -> None:
    """One mean a row."""
    assert stats.mean([[1.0, 3.0], [2.0, 6.0]]).tolist() == [2.0, 4.0]


def test_the_half_width_is_students() -> None:
    """A literal (t = 12.706 at one degree of freedom), scipy's interval, and none for one seed."""
    assert stats.half_width([0.0, 2.0]) == pytest.approx(12.7062047, rel=1e-8)
    low, high = scipy.stats.t.interval(
        0.9, 12, loc=SCORES[0].mean(), scale=scipy.stats.sem(SCORES[0])
    )
    assert stats.half_width(SCORES[0], confidence=0.9) == pytest.approx((high - low) / 2)
    assert stats.half_width([3.0]) is None
    assert stats.half_width([3.0, 3.0, 3.0]) == 0.0


def test_welchs_interval_is_scipys() -> None:
    """Unequal sizes and variances against scipy, either way round."""
    x, y = SCORES[0, :5], 3 * SCORES[1, :9]
    expected = scipy.stats.ttest_ind(x, y, equal_var=False).confidence_interval(0.95)
    assert stats.welch_interval(x, y) == pytest.approx((expected.low, expected.high))
    assert stats.welch_interval(y, x) == pytest.approx((-expected.high, -expected.low))


def test_welchs_interval_at_its_edges() -> None:
    """No spread gives the difference itself, a single seed gives nothing."""
    assert stats.welch_interval([3.0, 3.0], [1.0, 1.0, 1.0]) == (2.0, 2.0)
    assert stats.welch_interval([3.0], [1.0, 2.0]) is None
    assert stats.welch_interval([1.0, 2.0], [3.0]) is None


def test_a_stratified_interval_of_one_stratum_is_students() -> None:
    scores = [1.0, 2.0, 4.0]
    half = stats.half_width(scores)
    assert half is not None
    low, high = np.mean(scores) - half, np.mean(scores) + half
    assert stats.stratified_interval([scores]) == pytest.approx((low, high))


def test_a_stratified_interval_of_two_sides_is_welchs() -> None:
    x, y = [1.0, 2.0, 4.0], [0.5, 0.0, 0.75, 0.1]
    assert stats.stratified_interval([x], [y]) == pytest.approx(stats.welch_interval(x, y))


def test_a_stratified_interval_by_hand() -> None:
    """Two strata of two: variances 2 and 8, each mean weighs a half, freedom 25 / 17."""
    low, high = stats.stratified_interval([[0.0, 2.0], [10.0, 14.0]]) or (0.0, 0.0)
    half = scipy.stats.t.ppf(0.975, 25 / 17) * np.sqrt((2 / 2 + 8 / 2) / 4)
    assert (low, high) == pytest.approx((6.5 - half, 6.5 + half))
    assert stats.stratified_interval([[1.0], [2.0, 3.0]]) is None
    assert stats.stratified_interval([[1.0, 1.0], [2.0, 2.0]]) == (1.5, 1.5)


@pytest.mark.parametrize("seeds", [3, 5])
def test_students_interval_covers_with_few_seeds(seeds: int) -> None:
    """It holds the truth in 95 of a hundred experiments, and the bootstrap in 73 to 90."""
    draws = np.random.default_rng(0).normal(size=(1000, 2, seeds))
    found = [stats.stratified_interval(list(one)) or (1.0, 1.0) for one in draws]
    assert 0.93 <= np.mean([low <= 0.0 <= high for low, high in found]) <= 0.99


def test_few_seeds_are_fewer_than_ten_anywhere() -> None:
    assert stats.has_few_seeds([[0.0] * 10, [0.0] * 9])
    assert not stats.has_few_seeds([[0.0] * 10, [0.0] * 11])


def test_resampling_stays_in_its_stratum() -> None:
    """Each variant keeps its place and its number of seeds, and every seed is drawn as often."""
    strata = [[0.0, 1.0, 2.0], [10.0, 11.0]]
    resamples = stats.stratified_resamples(strata, generator=rng(), repetitions=30_000)
    assert resamples.shape == (30_000, 5)
    assert set(np.unique(resamples[:, :3])) == {0.0, 1.0, 2.0}
    assert set(np.unique(resamples[:, 3:])) == {10.0, 11.0}
    shares = [(resamples[:, 0] == value).mean() for value in (0.0, 1.0, 2.0)]
    np.testing.assert_allclose(shares, 1 / 3, atol=0.015)


def test_the_bootstrap_interval_is_that_of_all_resamples() -> None:
    """Two strata of three seeds have 729 resamples: the interval is their percentiles."""
    strata = [[0.0, 1.0, 5.0], [2.0, 3.0, 9.0]]
    everything = np.array(
        [
            [*first, *second]
            for first in itertools.product(strata[0], repeat=3)
            for second in itertools.product(strata[1], repeat=3)
        ]
    )
    for statistic in (stats.mean, stats.interquartile_mean):
        found = stats.bootstrap_interval(
            strata, statistic, generator=rng(), repetitions=60_000, confidence=0.8
        )
        assert found == pytest.approx(np.percentile(statistic(everything), [10, 90]), abs=0.05)


def test_the_bootstrap_interval_is_scipys_for_one_stratum() -> None:
    """Percentile method, 95%, against scipy's own bootstrap."""
    expected = scipy.stats.bootstrap(
        (SCORES[0],), np.mean, method="percentile", n_resamples=60_000, rng=rng()
    ).confidence_interval
    found = stats.bootstrap_interval([SCORES[0]], stats.mean, generator=rng(), repetitions=60_000)
    assert found == pytest.approx((expected.low, expected.high), abs=0.01)


def test_intervals_need_two_seeds_everywhere() -> None:
    """One seed shows nothing of its spread, so no interval pretends to."""
    one, two = [[1.0, 2.0], [3.0]], [[1.0, 2.0], [3.0, 4.0]]
    assert stats.bootstrap_interval(one, stats.mean, generator=rng()) is None
    for x, y in ((one, two), (two, one)):
        assert stats.difference_interval(x, y, stats.mean, generator=rng()) is None
        assert stats.improvement_interval(x, y, generator=rng()) is None


def test_intervals_repeat_with_their_generator() -> None:
    """The same generator state gives the same interval, another one another."""
    draws = [
        stats.bootstrap_interval([SCORES[0]], stats.mean, generator=np.random.default_rng(seed))
        for seed in (1, 1, 2)
    ]
    assert draws[0] == draws[1] != draws[2]


def test_the_difference_interval_is_that_of_independent_resamples() -> None:
    """Against all 27 x 4 pairs of resamples, and its sign."""
    x, y = [[5.0, 6.0, 10.0]], [[0.0, 1.0]]
    means_x = np.mean(list(itertools.product(x[0], repeat=3)), axis=1)
    means_y = np.mean(list(itertools.product(y[0], repeat=2)), axis=1)
    expected = np.percentile(np.subtract.outer(means_x, means_y), [10, 90])
    found = stats.difference_interval(
        x, y, stats.mean, generator=rng(), repetitions=60_000, confidence=0.8
    )
    assert found == pytest.approx(expected, abs=0.05)


def test_probability_of_improvement_counts_wins_and_half_of_ties() -> None:
    """Literals: all wins, none, ties, and the mean over variants."""
    assert stats.probability_of_improvement([[2.0, 3.0]], [[0.0, 1.0]]) == 1.0
    assert stats.probability_of_improvement([[0.0, 1.0]], [[2.0, 3.0]]) == 0.0
    assert stats.probability_of_improvement([[1.0, 1.0]], [[1.0]]) == 0.5
    assert stats.probability_of_improvement([[1.0, 3.0]], [[1.0, 2.0]]) == 2.5 / 4
    assert stats.probability_of_improvement([[2.0], [0.0]], [[1.0], [1.0]]) == 0.5


def test_probability_of_improvement_is_mann_whitneys() -> None:
    """scipy's U over its largest value, with ties, averaged over variants."""
    x, y = np.round(SCORES[:, :6]), np.round(SCORES[:, 6:] + 0.5)
    u = scipy.stats.mannwhitneyu(x, y, axis=1).statistic / (6 * 7)
    assert stats.probability_of_improvement(list(x), list(y)) == pytest.approx(u.mean())


def test_the_interval_of_improvement_on_two_seeds() -> None:
    """x always ties itself, y is beaten or not: 0, 1/2, 1 with 1/4, 1/2, 1/4."""
    x, y = [[1.0, 1.0]], [[0.0, 2.0]]
    assert stats.improvement_interval(x, y, generator=rng()) == (0.0, 1.0)
    assert stats.improvement_interval(x, y, generator=rng(), confidence=0.4) == (0.5, 0.5)
    assert stats.improvement_interval([[3.0, 4.0]], y, generator=rng()) == (1.0, 1.0)


def test_the_sides_are_resampled_independently() -> None:
    """Equal sides: resampled together they would always tie, apart they reach 0 and 1."""
    assert stats.improvement_interval([[0.0, 1.0]], [[0.0, 1.0]], generator=rng()) == (0.0, 1.0)


def test_variants_must_come_in_pairs() -> None:
    """A variant on one side only is an error, as is none at all."""
    with pytest.raises(ValueError, match="shorter"):
        stats.probability_of_improvement([[1.0], [2.0]], [[1.0]])
    with pytest.raises(ValueError, match="one variant at least"):
        stats.probability_of_improvement([], [])


def test_the_performance_profile_is_the_share_above() -> None:
    """Strictly above each threshold, falling from one to zero."""
    profile = stats.performance_profile([0.0, 0.5, 0.5, 2.0], [-1.0, 0.0, 0.5, 1.0, 2.0])
    assert profile.tolist() == [1.0, 0.75, 0.25, 0.25, 0.0]


@pytest.mark.parametrize(
    ("scores", "message"),
    [([], "one run at least"), (3.0, "one run at least"), ([1.0, float("nan")], "finite")],
)
def test_scores_that_are_none_are_refused(scores: object, message: str) -> None:
    """Nothing, a bare number, NaN: no statistic of these."""
    with pytest.raises(ValueError, match=message):
        stats.interquartile_mean(scores)  # type: ignore[arg-type]
