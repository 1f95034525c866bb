"""Figures with their uncertainty: bootstrap intervals of means, quantiles and areas, and of paired differences.

Percentile intervals at 95 % (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13) with a fixed seed:
the same values give the same interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Difference", "Figure", "area_difference", "area_figure", "area_under_roc", "difference", "figure"]

Values = NDArray[np.float64]

_RESAMPLES = 1_000
_PAIRED_RESAMPLES = 10_000
_BATCH = 1_000
"""Resamples drawn at once, to bound memory."""

_SEED = 20
_BOUNDS = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure over ``n`` questions with its bootstrap 95 % interval.

    Attributes:
        n: questions that it was measured on.
        mean: the measure: a mean, or the quantile or area that its name says.
        low: lower bound of the interval.
        high: upper bound.
    """

    n: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How a measure differs between two runs over the same ``n`` questions.

    Attributes:
        n: questions that both have a value for.
        before: the measure of the first run.
        after: that of the second.
        difference: ``after - before``.
        low: lower bound of the paired bootstrap 95 % interval of the difference.
        high: upper bound.
        p: two-sided, in (0, 1]: how often so large a difference comes by the choice of the questions alone.
    """

    n: int
    before: float
    after: float
    difference: float
    low: float
    high: float
    p: float


def figure(values: Iterable[float], *, quantile: float | None = None) -> Figure:
    """Return the mean of values, or a quantile of them, with its interval from 1,000 resamples.

    Args:
        values: one a question, at least one.
        quantile: in [0, 1], or None for the mean.
    """
    sample = np.array(list(values), dtype=np.float64)
    statistic = _statistic(quantile)
    (drawn,) = _resampled([sample], statistic, _RESAMPLES)
    return Figure(len(sample), float(statistic(sample[None])[0]), *_interval(drawn))


def difference(before: Sequence[float], after: Sequence[float], *, quantile: float | None = None) -> Difference:
    """Return how the mean, or a quantile, of paired values differs; 10,000 resamples of the pairs.

    Args:
        before: one value a question.
        after: those of the same questions, in the same order.
        quantile: in [0, 1], or None for the mean.
    """
    pair = [np.array(before, dtype=np.float64), np.array(after, dtype=np.float64)]
    statistic = _statistic(quantile)
    first, second = (float(statistic(values[None])[0]) for values in pair)
    return _difference(len(pair[0]), first, second, _resampled(pair, statistic, _PAIRED_RESAMPLES))


def area_under_roc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """Return the probability that a positive scores higher than a negative, equal ones counting half.

    That is the area under the ROC curve (Hanley and McNeil, Radiology 143, 1982).
    """
    above, below = np.array(positives, dtype=np.float64), np.array(negatives, dtype=np.float64)
    return float(_areas(above, below, np.arange(len(above))[None], np.arange(len(below))[None])[0])


def area_figure(positives: Sequence[float], negatives: Sequence[float]) -> Figure:
    """Return `area_under_roc` with its interval from 1,000 resamples of each class; both hold at least one."""
    (drawn,) = _resampled_areas([(positives, negatives)], _RESAMPLES)
    return Figure(len(positives) + len(negatives), area_under_roc(positives, negatives), *_interval(drawn))


def area_difference(
    before: tuple[Sequence[float], Sequence[float]], after: tuple[Sequence[float], Sequence[float]]
) -> Difference:
    """Return how `area_under_roc` differs; each side is ``(positives, negatives)`` of the same questions, in order."""
    first, second = area_under_roc(*before), area_under_roc(*after)
    n = len(before[0]) + len(before[1])
    return _difference(n, first, second, _resampled_areas([before, after], _PAIRED_RESAMPLES))


def _statistic(quantile: float | None) -> Callable[[Values], Values]:
    """Return what turns samples, shape ``(b, n)``, into one value each, shape ``(b,)``."""

    def statistic(samples: Values) -> Values:
        found = samples.mean(axis=1) if quantile is None else np.quantile(samples, quantile, axis=1)
        return np.asarray(found, dtype=np.float64)

    return statistic


def _resampled(columns: Sequence[Values], statistic: Callable[[Values], Values], n_resamples: int) -> list[Values]:
    """Return the statistic of each column over the same resamples of the rows, shape ``(n_resamples,)`` each."""
    chance, n = np.random.default_rng(_SEED), len(columns[0])
    found: list[list[Values]] = [[] for _ in columns]
    for _ in range(n_resamples // _BATCH):
        rows = chance.integers(n, size=(_BATCH, n))
        for column, values in zip(columns, found, strict=True):
            values.append(statistic(column[rows]))
    return [np.concatenate(values) for values in found]


def _resampled_areas(classes: Sequence[tuple[Sequence[float], Sequence[float]]], n_resamples: int) -> list[Values]:
    """Return the area of each pair of classes over the same resamples of each class, so that neither is ever empty."""
    chance = np.random.default_rng(_SEED)
    pairs = [(np.array(above, dtype=np.float64), np.array(below, dtype=np.float64)) for above, below in classes]
    n_above, n_below = len(pairs[0][0]), len(pairs[0][1])
    found: list[list[Values]] = [[] for _ in pairs]
    for _ in range(n_resamples // _BATCH):
        rows_above = chance.integers(n_above, size=(_BATCH, n_above))
        rows_below = chance.integers(n_below, size=(_BATCH, n_below))
        for (above, below), values in zip(pairs, found, strict=True):
            values.append(_areas(above, below, rows_above, rows_below))
    return [np.concatenate(values) for values in found]


def _areas(above: Values, below: Values, rows_above: NDArray[np.intp], rows_below: NDArray[np.intp]) -> Values:
    """Return the area under the ROC curve for each draw of rows, shape ``(b,)``."""
    levels, place = np.unique(np.concatenate([above, below]), return_inverse=True)
    n_above = _counts(place[: len(above)][rows_above], len(levels))
    n_below = _counts(place[len(above) :][rows_below], len(levels))
    higher = n_above.sum(axis=1, keepdims=True) - n_above.cumsum(axis=1)
    won = (n_below * (higher + n_above / 2.0)).sum(axis=1)
    return np.asarray(won / (rows_above.shape[1] * rows_below.shape[1]), dtype=np.float64)


def _counts(places: NDArray[np.intp], n_levels: int) -> NDArray[np.intp]:
    """Return how often each level occurs in each row of places, shape ``(b, n_levels)``."""
    shifted = places + n_levels * np.arange(len(places))[:, None]
    return np.bincount(shifted.ravel(), minlength=len(places) * n_levels).reshape(len(places), n_levels)


def _interval(drawn: Values) -> tuple[float, float]:
    low, high = np.percentile(drawn, _BOUNDS)
    return float(low), float(high)


def _difference(n: int, before: float, after: float, drawn: Sequence[Values]) -> Difference:
    """Return a difference with the interval of those drawn, and twice the smaller tail beyond zero as its p."""
    differences = drawn[1] - drawn[0]
    tail = min(np.count_nonzero(differences <= 0.0), np.count_nonzero(differences >= 0.0))
    p = min(1.0, 2.0 * (tail + 1) / (len(differences) + 1))
    return Difference(n, before, after, after - before, *_interval(differences), p)
