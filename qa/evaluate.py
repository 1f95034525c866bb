"""Measures retrieval, evidence, short answers and abstention on questions with known answers."""

from __future__ import annotations

import json
import re
import statistics
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index.corpus import CorpusIndex
from index.errors import InputError, LoadError
from index.types import Hit
from qa.chatbot import Chatbot
from qa.types import Answer

__all__ = ["Figure", "GoldQuestion", "evaluate", "exact_match", "figure", "read_questions", "token_f1"]

_ARTICLES = re.compile(r"\b(?:le|la|les|un|une|des|du|de|l|d)\b")
_DEPTHS = (1, 5, 20)
_RESAMPLES = 1_000
_SEED = 20


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question and what answers it.

    Attributes:
        question: as asked.
        documents: ids of the documents that answer; empty where none does.
        evidence: spans of the first document's text, each of which answers; empty where not known.
        answers: short answers that count as right; empty where the question is unanswerable.
        document: id of the document whose text the evidence counts in, or None.
    """

    question: str
    documents: frozenset[str]
    evidence: tuple[tuple[int, int], ...]
    answers: tuple[str, ...]
    document: str | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over ``n`` questions with its bootstrap 95 % interval."""

    n: int
    mean: float
    low: float
    high: float


def read_questions(path: Path) -> list[GoldQuestion]:
    """Read questions from JSON lines.

    A line holds ``question`` and ``article_id``, ``answer`` (null where unanswerable), and optionally ``evidence``,
    ``answer_start``, ``answer_aliases``, ``other_articles``.

    Raises:
        LoadError: if the file cannot be read.
        InputError: if it holds no question.
    """
    try:
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise LoadError(str(path), f"expected JSON lines with question, answer and article_id ({error})") from error
    found = []
    for number, record in enumerate(records, start=1):
        try:
            found.append(_gold(record))
        except (KeyError, TypeError) as error:
            raise LoadError(f"{path}:{number}", f"expected question, answer and article_id ({error!r})") from error
    if not found:
        raise InputError(f"{path} holds no question: expected JSON lines with question, answer and article_id")
    return found


def _gold(record: Mapping[str, Any]) -> GoldQuestion:
    if record["answer"] is None:
        return GoldQuestion(record["question"], frozenset(), (), (), None)
    article = str(record["article_id"])
    evidence = [tuple(span) for span in record.get("evidence", ())]
    if not evidence and record.get("answer_start") is not None:
        start = int(record["answer_start"])
        evidence = [(start, start + len(record["answer"]))]
    return GoldQuestion(
        record["question"],
        frozenset([article, *map(str, record.get("other_articles", ()))]),
        tuple((int(a), int(b)) for a, b in evidence),
        (record["answer"], *record.get("answer_aliases", ())),
        article,
    )


def evaluate(
    chatbot: Chatbot,
    corpus: CorpusIndex,
    questions: Sequence[GoldQuestion],
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[str, Figure]:
    """Ask every question and return the figures by name.

    Args:
        chatbot: what is measured.
        corpus: the index that it asks.
        questions: with their gold.
        progress: called with the number of questions done.
    """
    columns: dict[str, list[float]] = {}

    def add(name: str, value: float) -> None:
        columns.setdefault(name, []).append(float(value))

    for done, gold in enumerate(questions):
        progress(done)
        start = time.perf_counter()
        answer = chatbot.ask(gold.question)
        add("latency_ms", 1000.0 * (time.perf_counter() - start))
        if not gold.answers:
            add("false_answers", answer.answered)
            continue
        start = time.perf_counter()
        hits = corpus.search(gold.question, k=4 * max(_DEPTHS))
        add("search_ms", 1000.0 * (time.perf_counter() - start))
        _score_retrieval(gold, hits, add)
        _score_answer(gold, answer, add)
    return {name: figure(values) for name, values in columns.items()}


def _score_retrieval(gold: GoldQuestion, hits: Sequence[Hit], add: Callable[[str, float], None]) -> None:
    documents = list(dict.fromkeys(hit.passage.document.id for hit in hits))
    rank = next((i for i, document in enumerate(documents) if document in gold.documents), None)
    for depth in _DEPTHS:
        add(f"document_recall@{depth}", rank is not None and rank < depth)
    add("document_mrr@10", 1.0 / (rank + 1) if rank is not None and rank < 10 else 0.0)
    spans = [(hit.passage.document.id, hit.passage.span.start, hit.passage.span.end) for hit in hits]
    found = next((i for i, span in enumerate(spans) if _holds(gold, *span)), None)
    for depth in _DEPTHS:
        add(f"passage_recall@{depth}", found is not None and found < depth)


def _holds(gold: GoldQuestion, document: str, start: int, end: int) -> bool:
    return document == gold.document and any(a < end and start < b for a, b in gold.evidence)


def _score_answer(gold: GoldQuestion, answer: Answer, add: Callable[[str, float], None]) -> None:
    first = answer.citations[0] if answer.citations else None
    right = first is not None and (
        _holds(gold, first.document_id, first.start, first.end)
        or (first.document_id in gold.documents and any(_normal(a) in _normal(first.text) for a in gold.answers))
    )
    add("evidence_hit@1", right)
    add("false_refusals", not answer.answered)
    if answer.answered:
        add("evidence_hit@1_answered", right)
        add("first_document_right_answered", first is not None and first.document_id in gold.documents)
    shown = answer.short_answer or (first.text if first else "")
    given = shown if answer.answered else ""
    add("exact_match", max(exact_match(given, gold_answer) for gold_answer in gold.answers))
    add("f1", max(token_f1(given, gold_answer) for gold_answer in gold.answers))


def exact_match(given: str, gold: str) -> float:
    """Return 1.0 if two answers are the same but for case, accents, punctuation and French articles, else 0.0."""
    return float(_normal(given) == _normal(gold))


def token_f1(given: str, gold: str) -> float:
    """Return the F1 of the words of two answers, normalised as in `exact_match` (Rajpurkar et al. 2016)."""
    mine, theirs = _normal(given).split(), _normal(gold).split()
    shared = sum((Counter(mine) & Counter(theirs)).values())
    if not shared:
        return float(mine == theirs)
    precision, recall = shared / len(mine), shared / len(theirs)
    return 2.0 * precision * recall / (precision + recall)


def _normal(text: str) -> str:
    folded = unicodedata.normalize("NFD", text.casefold())
    bare = "".join(c if c.isalnum() else " " for c in folded if not unicodedata.combining(c))
    return " ".join(_ARTICLES.sub(" ", bare).split())


def figure(values: Iterable[float]) -> Figure:
    """Return the mean with its percentile bootstrap interval (Efron 1979), 1,000 resamples with a fixed seed."""
    sample = np.array(list(values))
    draws = np.random.default_rng(_SEED).choice(sample, size=(_RESAMPLES, len(sample)))
    low, high = np.percentile(draws.mean(axis=1), [2.5, 97.5])
    return Figure(len(sample), statistics.fmean(sample), float(low), float(high))
