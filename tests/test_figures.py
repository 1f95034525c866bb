"""Ranks, intervals and areas against their definitions and other implementations."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from qa.evaluation import difference, figure
from qa.evaluation.figures import area_difference, area_figure, area_under_roc
from qa.evaluation.measures import verdict
from qa.evaluation.ranking import rank_of, ranking_values


def test_ranking_measures_are_those_of_their_definitions() -> None:
    chance = random.Random(3)
    names = [f"d{number}" for number in range(40)]
    wanted = [frozenset(chance.sample(names, chance.randint(1, 4))) for _ in range(60)]
    ranked = [chance.sample(names, chance.randint(0, 30)) for _ in range(60)]
    for found, right, order in zip(ranking_values(wanted, ranked), wanted, ranked, strict=True):
        places = [place for place, name in enumerate(order, start=1) if name in right]
        for depth in (1, 5, 20):
            assert found[f"recall@{depth}"] == float(any(place <= depth for place in places))
        assert found["mrr@10"] == pytest.approx(1 / places[0] if places and places[0] <= 10 else 0.0)
        gain = sum(1 / math.log2(place + 1) for place in places if place <= 10)
        assert found["ndcg@10"] == pytest.approx(gain / sum(1 / math.log2(i + 2) for i in range(len(right))))
        assert rank_of(right, order) == (places[0] if places else None)


def test_the_interval_of_a_mean_and_of_a_quantile_is_that_of_scipy() -> None:
    values = np.random.default_rng(1).gamma(2.0, 30.0, size=300)
    for quantile, statistic in [(None, np.mean), (0.5, lambda x, axis: np.quantile(x, 0.5, axis=axis))]:
        found = figure(values, quantile=quantile)
        peer = stats.bootstrap((values,), statistic, n_resamples=4_000, method="percentile", rng=2).confidence_interval
        assert found.mean == pytest.approx(statistic(values, axis=0))
        assert found.low == pytest.approx(peer.low, rel=0.03)
        assert found.high == pytest.approx(peer.high, rel=0.03)
        assert found.high - found.low == pytest.approx(peer.high - peer.low, rel=0.1)
        assert found.n == 300
        assert figure(values, quantile=quantile) == found


def test_the_area_is_that_of_scikit_learn_with_ties_and_its_interval_holds_it() -> None:
    chance = np.random.default_rng(5)
    above, below = chance.integers(2, 9, size=120) / 10, chance.integers(0, 7, size=45) / 10
    labels = [1] * len(above) + [0] * len(below)
    area = roc_auc_score(labels, [*above, *below])
    found = area_figure(list(above), list(below))
    assert (found.n, found.mean) == (165, pytest.approx(area))
    assert found.low < area < found.high
    # Hanley and McNeil's standard error, which the half width of the interval is near to.
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    error = math.sqrt((area * (1 - area) + 119 * (q1 - area**2) + 44 * (q2 - area**2)) / (120 * 45))
    assert (found.high - found.low) / (2 * 1.96 * error) == pytest.approx(1.0, abs=0.25)
    assert area_under_roc([0.9], [0.1]) == 1.0
    assert area_under_roc([0.1], [0.9]) == 0.0
    assert area_under_roc([0.5], [0.5]) == 0.5


def test_paired_differences_see_what_unpaired_intervals_do_not() -> None:
    chance = np.random.default_rng(7)
    before = chance.normal(size=200)
    after = before + 0.2 + 0.1 * chance.normal(size=200)
    found = difference(before, after)
    assert found.difference == pytest.approx(0.2, abs=0.03)
    assert found.difference == pytest.approx(found.after - found.before)
    assert 0.0 < found.low < found.difference < found.high
    assert found.p == pytest.approx(2 / 10_001)
    assert figure(before).high > figure(after).low  # unpaired, the intervals overlap
    paired = stats.ttest_rel(after, before).confidence_interval()
    assert (found.low, found.high) == pytest.approx((paired.low, paired.high), abs=0.001)


def test_no_difference_has_a_p_of_one_and_noise_is_not_called_a_change() -> None:
    same = difference([0.0, 1.0, 1.0], [0.0, 1.0, 1.0])
    assert (same.difference, same.low, same.high, same.p) == (0.0, 0.0, 0.0, 1.0)
    noise = difference([0.0, 1.0] * 20, [1.0, 0.0] * 20)
    assert noise.low < 0.0 < noise.high
    assert noise.p > 0.5
    assert verdict("f1", noise) == verdict("f1", same) == "no difference shown"


def test_a_difference_of_areas_is_of_the_same_draws() -> None:
    above, below = [0.9, 0.8, 0.3, 0.6], [0.5, 0.2, 0.4]
    same = area_difference((above, below), (above, below))
    assert (same.before, same.difference, same.low, same.high) == (pytest.approx(10 / 12), 0.0, 0.0, 0.0)
    better = area_difference((below, [0.6, 0.6]), (above, [0.1, 0.1]))
    assert (better.before, better.after, better.difference) == (0.0, 1.0, 1.0)
