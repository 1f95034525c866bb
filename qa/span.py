"""The short answer inside a sentence: which of its words answer the question, and how surely.

Every span that may be an answer is scored by a linear model over readable features, learnt by ``training.train_span``:
conditional logistic regression in which "no span of this sentence answers" is one of the choices (McFadden,
"Conditional logit analysis of qualitative choice behavior", 1974).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from heapq import nlargest
from importlib.resources import files
from typing import Any

from index.analyze import Analyzer
from index.errors import ModelError
from index.types import Sentence, Span
from qa.span_features import end_features, read_view, span_features, spans, start_features
from qa.types import Kind, Question

__all__ = ["MODEL_FORMAT", "ScoredSpan", "answer_probability", "find_short_answer"]

MODEL_FORMAT = 1
"""Version of qa/models/span.json: to be raised whenever a feature or the layout changes."""

_MODEL = "models/span.json"
_SCALE = 100  # weights are stored as whole hundredths
_SPANS_SCORED = 40  # best by their ends; on held-out questions the best span was among them as often as with all
_MAX_EXPONENT = 700.0  # math.exp overflows above 709


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    """A short answer.

    Attributes:
        span: its characters in the document's text, inside the sentence.
        score: estimated probability that the sentence holds a short answer to the question, in [0, 1].
    """

    span: Span
    score: float


@dataclass(frozen=True, slots=True)
class _Model:
    """Weights for one kind of question.

    Attributes:
        weights: weight of each feature; a feature that is not there weighs nothing.
        none: the score of "no span of this sentence answers".
        least: the probability that the best span must reach to be shown alone, in [0, 1].
    """

    weights: Mapping[str, float]
    none: float
    least: float


@dataclass(frozen=True, slots=True)
class _Best:
    """The likeliest span in the text's own offsets, its probability, and that of any span of the text."""

    span: Span
    probability: float
    any_probability: float


def find_short_answer(question: Question, sentence: Sentence, *, analyzer: Analyzer) -> ScoredSpan | None:
    """Return the words of a sentence that answer a question.

    Args:
        question: what is asked.
        sentence: where to look.
        analyzer: the analyzer that tells which words of the sentence the question repeats.

    Returns:
        The best span, without quotation marks or punctuation around it, or None where no span is likely enough to be
        shown alone: the answer is then the whole sentence, or stands in another one.

    Raises:
        ModelError: if the model that is shipped cannot be read.
    """
    model = _model(question.kind)
    best = _best_span(question, sentence.text, analyzer=analyzer, model=model)
    if best is None or best.probability < model.least:
        return None
    offset = sentence.span.start
    return ScoredSpan(Span(offset + best.span.start, offset + best.span.end), best.any_probability)


def answer_probability(question: Question, sentence: Sentence, *, analyzer: Analyzer) -> float:
    """Return the estimated probability that a sentence holds a short answer, in [0, 1], shown alone or not.

    Raises:
        ModelError: if the model that is shipped cannot be read.
    """
    best = _best_span(question, sentence.text, analyzer=analyzer, model=_model(question.kind))
    return 0.0 if best is None else best.any_probability


def _best_span(question: Question, text: str, *, analyzer: Analyzer, model: _Model) -> _Best | None:
    """Score every span that may be an answer; None where there is none."""
    view = read_view(question, text, analyzer=analyzer)
    candidates = spans(question, view)
    if not candidates:
        return None
    weights = model.weights.get
    indexes = range(len(view.tokens))
    starts = [sum([weights(name, 0.0) for name in start_features(view, i)]) for i in indexes]
    ends = [sum([weights(name, 0.0) for name in end_features(view, i)]) for i in indexes]
    likely = nlargest(_SPANS_SCORED, candidates, key=lambda span: starts[span[0]] + ends[span[1]])
    scores = [
        starts[first] + ends[last] + sum([weights(name, 0.0) for name in span_features(view, first, last)])
        for first, last in likely
    ]
    top = max(scores)
    first, last = likely[scores.index(top)]
    mass = sum([math.exp(score - top) for score in scores])
    total = mass + math.exp(min(model.none - top, _MAX_EXPONENT))
    return _Best(Span(view.tokens[first].start, view.tokens[last].end), 1 / total, mass / total)


@cache
def _model(kind: Kind) -> _Model:
    """Return the model of one kind of question, read once."""
    stored = _stored()
    column = stored["kinds"].index(kind)
    weights = {name: row[column] / _SCALE for name, row in stored["features"].items() if row[column]}
    return _Model(weights, stored["none"][column] / _SCALE, stored["least"][kind])


@cache
def _stored() -> dict[str, Any]:
    try:
        stored = json.loads(files("qa").joinpath(_MODEL).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"qa/{_MODEL}: {error}; expected the shipped model: reinstall the package") from error
    found = stored.get("format") if isinstance(stored, dict) else None
    if found != MODEL_FORMAT:
        raise ModelError(f"qa/{_MODEL}: found format {found}, expected {MODEL_FORMAT}: reinstall the package")
    return dict(stored)
