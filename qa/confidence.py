"""How surely the first sentence answers, and whether to answer at all: logistic regression over the ranking."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError
from qa.features import FEATURES

__all__ = ["CONFIDENCE_FEATURES", "Confidence", "confidence_features"]

_FROM_FIRST = (
    "cover", "cover_near", "cover_all", "names", "names_near", "rarest", "missing", "missing_near", "soft", "soft_near",
    "soft_missing", "passage", "passage_lead", "answer", "n_question",
)  # fmt: skip

CONFIDENCE_FEATURES = ("log_odds", "lead", "best_cover", "best_answer", *_FROM_FIRST)
"""The columns of the regression, in order: the log-odds of the first sentence, its lead over the second, the best
cover of the question by any passage, the best short answer, and features of the first sentence."""


@dataclass(frozen=True, slots=True)
class Confidence:
    """A calibrated probability.

    Attributes:
        threshold: least probability of an answer, chosen on training questions for a stated rate of false answers.
    """

    threshold: float
    _weights: tuple[float, ...]
    _bias: float

    @classmethod
    def bundled(cls) -> Confidence:
        """Read the model that is shipped.

        Raises:
            ModelError: if it cannot be read, or was trained on other features.
        """
        try:
            record = json.loads(files("qa").joinpath("models/confidence.json").read_text(encoding="utf-8"))
            weights = tuple(float(record["weights"][name]) for name in CONFIDENCE_FEATURES)
            return cls(float(record["threshold"]), weights, float(record["bias"]))
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(
                f"qa/models/confidence.json: {error!r}; expected the shipped model, install Sourcier again or train it "
                "(training/README.md)"
            ) from error

    def probability(self, rows: NDArray[np.float64], log_odds: NDArray[np.float64]) -> float:
        """Return the probability that the first sentence answers, in (0, 1).

        Args:
            rows: features of the ranked sentences, best first, shape ``(n, len(FEATURES))``, ``n >= 1``.
            log_odds: their log-odds, shape ``(n,)``.
        """
        values = confidence_features(rows, log_odds)
        score = self._bias + sum(w * value for w, value in zip(self._weights, values, strict=True))
        return 1.0 / (1.0 + math.exp(-score))


def confidence_features(rows: NDArray[np.float64], log_odds: NDArray[np.float64]) -> list[float]:
    """Return the columns of the regression for one ranking; arguments as `Confidence.probability`."""
    column = {name: rows[:, FEATURES.index(name)] for name in _FROM_FIRST}
    lead = float(log_odds[0] - log_odds[1]) if len(log_odds) > 1 else 0.0
    return [
        float(log_odds[0]),
        lead,
        float(column["cover_all"].max()),
        float(column["answer"].max()),
        *(float(column[name][0]) for name in _FROM_FIRST),
    ]
