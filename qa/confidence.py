"""How surely the first sentence answers, and whether to answer at all: logistic regression over the ranking."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError
from qa.features import CLOSE_FEATURES, READ_FEATURES

__all__ = ["CLOSE_CONFIDENCE", "READ_CONFIDENCE", "Confidence", "confidence_features"]

_FROM_SEARCH = (
    "cover", "cover_near", "cover_all", "names", "names_near", "rarest", "missing", "missing_near", "soft", "soft_near",
    "soft_missing", "passage", "passage_lead", "n_question",
)  # fmt: skip

CLOSE_CONFIDENCE = ("log_odds", "lead", "best_cover_all", "best_answer", *_FROM_SEARCH, "answer")
"""The columns of the regression without a reader, in order: the log-odds of the first sentence, its lead over the
second, the best of some features over all sentences, and features of the first."""

READ_CONFIDENCE = ("log_odds", "lead", "best_cover_all", "best_window", "best_reads", *_FROM_SEARCH, "window", "reads",
                   "share", "span")  # fmt: skip
"""The same with a reader."""

_BEST = "best_"


@dataclass(frozen=True, slots=True)
class Confidence:
    """A calibrated probability.

    Attributes:
        threshold: least probability of an answer, chosen on training questions for a stated rate of false answers.
    """

    threshold: float
    _names: Sequence[str]
    _features: Sequence[str]
    _weights: tuple[float, ...]
    _bias: float

    @classmethod
    def bundled(cls, *, with_reader: bool) -> Confidence:
        """Read the model that is shipped.

        Raises:
            ModelError: if it cannot be read, or was trained on other features.
        """
        names, features = (READ_CONFIDENCE, READ_FEATURES) if with_reader else (CLOSE_CONFIDENCE, CLOSE_FEATURES)
        path = f"models/confidence{'-reader' if with_reader else ''}.json"
        try:
            record = json.loads(files("qa").joinpath(path).read_text(encoding="utf-8"))
            weights = tuple(float(record["weights"][name]) for name in names)
            return cls(float(record["threshold"]), names, features, weights, float(record["bias"]))
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(
                f"qa/{path}: {error!r}; expected the shipped model, install Sourcier again or train it "
                "(training/README.md)"
            ) from error

    def probability(self, rows: NDArray[np.float64], log_odds: NDArray[np.float64]) -> float:
        """Return the probability that the first sentence answers, in (0, 1).

        Args:
            rows: features of the ranked sentences, best first, shape ``(n, n_features)``, ``n >= 1``.
            log_odds: their log-odds, shape ``(n,)``.
        """
        values = confidence_features(self._names, self._features, rows, log_odds)
        score = self._bias + sum(w * value for w, value in zip(self._weights, values, strict=True))
        return 1.0 / (1.0 + math.exp(-score))


def confidence_features(
    names: Sequence[str], features: Sequence[str], rows: NDArray[np.float64], log_odds: NDArray[np.float64]
) -> list[float]:
    """Return the columns of the regression for one ranking.

    Args:
        names: the columns wanted.
        features: the columns of ``rows``.
        rows: as `Confidence.probability`.
        log_odds: as `Confidence.probability`.
    """
    own = {
        "log_odds": float(log_odds[0]),
        "lead": float(log_odds[0] - log_odds[1]) if len(log_odds) > 1 else 0.0,
    }
    return [own[name] if name in own else _column(name, features, rows) for name in names]


def _column(name: str, features: Sequence[str], rows: NDArray[np.float64]) -> float:
    """Return a feature of the first sentence, or the best of all where the name says so."""
    if name.startswith(_BEST):
        return float(rows[:, features.index(name.removeprefix(_BEST))].max())
    return float(rows[0, features.index(name)])
