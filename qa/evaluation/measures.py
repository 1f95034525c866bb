"""The measures of a run, in the order they are shown, and how two runs over the same questions differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from index.errors import InputError
from qa.chatbot import Chatbot
from qa.evaluation.figures import Difference, Figure, area_difference, area_figure, difference, figure
from qa.evaluation.gold import GoldQuestion
from qa.evaluation.outcomes import Outcome, ask_questions
from qa.evaluation.ranking import RANKING_MEASURES

__all__ = ["FALLING", "compare", "evaluate", "figures_of", "verdict"]

_ANSWERED = "evidence_hit@1_answered"
_SUREST = "evidence_hit@1_surest_half"
_MEANS = (
    *(f"document_{name}" for name in RANKING_MEASURES),
    *(f"passage_{name}" for name in RANKING_MEASURES),
    "evidence_hit@1",
    "evidence_hit@3",
    _ANSWERED,
    _SUREST,
    "first_document_right_answered",
    "citation_recall",
    "citation_precision",
    "exact_match",
    "f1",
    "false_refusals",
    "false_answers",
    "false_answers_without_source",
)
_AREAS = ("auroc", "auroc_without_source")
_TIMES = tuple(f"{stage}_ms_p{percent}" for stage in ("ask", "search") for percent in (50, 95))

FALLING = frozenset(("false_refusals", "false_answers", "false_answers_without_source", *_TIMES))
"""Measures that are better when they are lower."""

_Key = tuple[str, str | None, tuple[str, ...], bool]


@dataclass(frozen=True, slots=True)
class _Column:
    """The values of one measure that is a mean or a quantile.

    Attributes:
        quantile: in [0, 1], or None for the mean.
        value: what a question adds, or None where it says nothing of the measure.
    """

    quantile: float | None
    value: Callable[[Outcome], float | None]


def evaluate(
    chatbot: Chatbot,
    questions: Sequence[GoldQuestion],
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[str, Figure]:
    """Ask every question and return the figures by name; arguments as `ask_questions`."""
    return figures_of(ask_questions(chatbot, questions, progress=progress))


def figures_of(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Return the figures by name, in the order they are shown; a measure of no question is left out."""
    found = {}
    for name, column in _columns().items():
        values = [value for value in map(column.value, outcomes) if value is not None]
        if values:
            found[name] = figure(values, quantile=column.quantile)
    if surest := _surest_half(outcomes):
        found[_SUREST] = figure(surest)
    for name in _AREAS:
        positives, negatives = _classes(name, outcomes)
        if positives and negatives:
            found[name] = area_figure(positives, negatives)
    return {name: found[name] for name in (*_MEANS, *_AREAS, *_TIMES) if name in found}


def compare(before: Sequence[Outcome], after: Sequence[Outcome]) -> dict[str, Difference]:
    """Return how each measure differs, over the questions that have a value for it in both runs.

    Raises:
        InputError: if the runs asked different questions.
    """
    first, second = _by_question(before), _by_question(after)
    if first.keys() != second.keys():
        shared = len(first.keys() & second.keys())
        raise InputError(
            f"the runs asked different questions: {shared} shared, {len(first) - shared} only in the first, "
            f"{len(second) - shared} only in the second; run both on one file of questions with the same options"
        )
    pairs = [(outcome, second[key]) for key, outcome in first.items()]
    found = {}
    for name, column in _columns().items():
        values = [(column.value(x), column.value(y)) for x, y in pairs]
        both = [(a, b) for a, b in values if a is not None and b is not None]
        if both:
            found[name] = difference([a for a, _ in both], [b for _, b in both], quantile=column.quantile)
    for name in _AREAS:
        one, other = _classes(name, [x for x, _ in pairs]), _classes(name, [y for _, y in pairs])
        if all(one):
            found[name] = area_difference(one, other)
    return {name: found[name] for name in (*_MEANS, *_AREAS, *_TIMES) if name in found}


def verdict(name: str, found: Difference) -> str:
    """Return "better", "worse" or "no difference shown", by whether the interval of the difference leaves zero out."""
    if found.low <= 0.0 <= found.high:
        return "no difference shown"
    return "better" if (found.low > 0.0) != (name in FALLING) else "worse"


def _columns() -> dict[str, _Column]:
    columns = {name: _Column(None, partial(_value, name)) for name in _MEANS}
    for name in _TIMES:
        stage, _, percent = name.partition("_ms_p")
        columns[name] = _Column(int(percent) / 100, partial(_milliseconds, stage))
    return columns


def _surest_half(outcomes: Sequence[Outcome]) -> list[float]:
    """Return whether the first citation is right, of the answers whose confidence is the median or higher."""
    answered = [(each.confidence, each.values[_ANSWERED]) for each in outcomes if _ANSWERED in each.values]
    answered.sort(key=lambda each: -each[0])
    return [right for _, right in answered[: (len(answered) + 1) // 2]]


def _value(name: str, outcome: Outcome) -> float | None:
    return outcome.values.get(name)


def _milliseconds(stage: str, outcome: Outcome) -> float | None:
    if outcome.without_source:
        return None
    return outcome.ask_ms if stage == "ask" else outcome.search_ms


def _classes(name: str, outcomes: Sequence[Outcome]) -> tuple[list[float], list[float]]:
    """Return the confidences of the answerable questions and of those that are not, of one kind."""
    hidden = name == "auroc_without_source"
    positives = [outcome.confidence for outcome in outcomes if outcome.is_answerable]
    negatives = [o.confidence for o in outcomes if not o.is_answerable and o.without_source == hidden]
    return positives, negatives


def _by_question(outcomes: Sequence[Outcome]) -> dict[tuple[_Key, int], Outcome]:
    """Return the outcomes by question and gold, those of a question that was asked several times by their turn."""
    turns: dict[_Key, int] = {}
    found = {}
    for outcome in outcomes:
        key = (outcome.question, outcome.document, outcome.answers, outcome.without_source)
        turns[key] = turns.get(key, 0) + 1
        found[key, turns[key]] = outcome
    return found
