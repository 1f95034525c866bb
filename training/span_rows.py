"""Turns questions and sentences into the sparse rows that ``training.train_span`` learns from."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

from index.analyze import Analyzer
from index.types import Span
from qa.question import read_question
from qa.span_features import SentenceView, end_features, read_view, span_features, spans, start_features
from qa.types import Question
from training.span_data import Example, distractors, f1, normalise_answer

__all__ = ["Block", "Collector", "Rows", "Vocabulary"]

_SEED = 20
_N_DISTRACTORS = 1
_MAX_SPANS = 60


@dataclass
class Rows:
    """Sparse binary rows under construction."""

    indexes: array[int] = field(default_factory=lambda: array("i"))
    ends: array[int] = field(default_factory=lambda: array("q", [0]))

    def add(self, ids: Iterable[int]) -> None:
        """Add one row: the numbers of its features."""
        self.indexes.extend(ids)
        self.ends.append(len(self.indexes))

    def matrix(self, kept: NDArray[np.int64], n_columns: int) -> csr_matrix:
        """Return the rows with columns renumbered by ``kept``, where -1 drops a column."""
        columns = kept[np.frombuffer(self.indexes, dtype=np.int32)]
        counts = np.add.accumulate(np.concatenate(([0], columns >= 0)))
        bounds = counts[np.frombuffer(self.ends, dtype=np.int64)]
        columns = columns[columns >= 0].astype(np.int32)
        ones = np.ones(len(columns), dtype=np.float32)
        return csr_matrix((ones, columns, bounds), shape=(len(self.ends) - 1, n_columns))


@dataclass
class Block:
    """The sentences of one kind of question.

    Attributes:
        starts, ends: features of tokens.
        spans: features of spans.
        first, last: rows of ``starts`` and ``ends`` for each span.
        group: the number of the sentence of each span.
        gold: the span that answers, for each sentence; -1 where none does.
        offset: added to the score of each span, since only some of the spans are kept.
    """

    starts: Rows = field(default_factory=Rows)
    ends: Rows = field(default_factory=Rows)
    spans: Rows = field(default_factory=Rows)
    first: array[int] = field(default_factory=lambda: array("i"))
    last: array[int] = field(default_factory=lambda: array("i"))
    group: array[int] = field(default_factory=lambda: array("i"))
    gold: array[int] = field(default_factory=lambda: array("i"))
    offset: array[float] = field(default_factory=lambda: array("f"))


class Vocabulary:
    """Numbers features in the order in which they are met."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}

    def number(self, names: Iterable[str]) -> list[int]:
        """Return the numbers of features, new ones numbered next."""
        ids = self.ids
        return [ids.setdefault(name, len(ids)) for name in names]


@dataclass
class Collector:
    """Reads examples into one block a kind of question.

    Attributes:
        blocks: what was read, by kind.
        vocabulary: the features met.
    """

    blocks: dict[str, Block] = field(default_factory=dict)
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    _analyzer: Analyzer = field(default_factory=Analyzer)
    _draw: random.Random = field(default_factory=lambda: random.Random(_SEED))

    def add_all(self, source: Iterator[Example]) -> None:
        """Add the gold sentence of each example and the closest sentences that do not answer."""
        for example in source:
            question = read_question(example.question)
            gold = example.gold_sentence
            if gold is not None:
                self._add(question, example, gold)
            elif example.answer is not None:
                continue
            others = distractors(example, analyzer=self._analyzer)
            for sentence in others[: _N_DISTRACTORS + (gold is None)]:
                self._add(question, example, sentence)

    def _add(self, question: Question, example: Example, sentence: Span) -> None:
        """Add one sentence with its gold span and a sample of the others; nothing where no candidate comes close."""
        view = read_view(question, example.text[sentence.start : sentence.end], analyzer=self._analyzer)
        candidates = spans(question, view)
        is_gold = example.gold_sentence == sentence
        gold = _gold_span(view, candidates, example, sentence) if is_gold else None
        if not candidates or (is_gold and gold is None):
            return
        others = [span for span in candidates if span != gold]
        sampled = self._draw.sample(others, min(len(others), _MAX_SPANS))
        offset = float(np.log(len(others) / len(sampled))) if sampled else 0.0
        kept = sorted([*sampled, gold] if gold else sampled)
        block = self.blocks.setdefault(question.kind, Block())
        self._add_rows(block, view, kept)
        number = len(block.gold)
        block.gold.append(-1 if gold is None else len(block.group) + kept.index(gold))
        block.group.extend([number] * len(kept))
        block.offset.extend(0.0 if span == gold else offset for span in kept)

    def _add_rows(self, block: Block, view: SentenceView, kept: list[tuple[int, int]]) -> None:
        base = len(block.starts.ends) - 1
        for i in range(len(view.tokens)):
            block.starts.add(self.vocabulary.number(start_features(view, i)))
            block.ends.add(self.vocabulary.number(end_features(view, i)))
        for first, last in kept:
            block.spans.add(self.vocabulary.number(span_features(view, first, last)))
            block.first.append(base + first)
            block.last.append(base + last)


def _gold_span(
    view: SentenceView, candidates: list[tuple[int, int]], example: Example, sentence: Span
) -> tuple[int, int] | None:
    """Return the candidate that says the gold words at their place, or the closest with F1 of at least 0.5."""
    if example.answer is None:
        return None
    wanted = normalise_answer(example.answer_text)
    start, end = example.answer.start - sentence.start, example.answer.end - sentence.start
    text = example.text[sentence.start : sentence.end]
    best, best_score = None, (0.5, 0)
    for first, last in candidates:
        left, right = view.tokens[first].start, view.tokens[last].end
        if right <= start or left >= end:
            continue
        score = (f1(normalise_answer(text[left:right]), wanted), -abs(left - start) - abs(right - end))
        if score > best_score:
            best, best_score = (first, last), score
    return best
