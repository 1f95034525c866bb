"""What a reader reaches alone on questions set aside, question by question."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from training.reader_batches import Batch, Groups, Ints, Pieces, make_batch

__all__ = ["N_SENTENCES", "ReaderFigures", "best_span", "reader_figures"]

Floats = NDArray[np.float32]
Reading = Callable[[Batch], tuple[Floats, Floats, Floats]]
"""Reads a batch: log-odds that each window answers, logits of the first and of the last piece of its answer."""

N_SENTENCES = 12
"""Sentences of a question that are read: those that search ranked best."""

_SEED = 29
_WINDOW = 112
_AT_ONCE = 256
_UNREAD = -20.0


@dataclass(frozen=True, slots=True)
class ReaderFigures:
    """What a reader reached.

    Attributes:
        exact: whether its span is the gold one where it is given the window of the gold sentence, shape ``(n_held,)``
            over the questions whose answer is known.
        overlap: F1 of the word pieces of both spans, ``(n_held,)``.
        answers: its log-odds that this window answers, ``(n_held,)``.
        first: whether it puts the gold sentence first of those that search ranks best, ``(n_held,)``; empty where none
            were read.
        best: its highest score of these, ``(n,)`` over all questions, or empty.
        known: whether a question has an answer, ``(n,)``.
    """

    exact: NDArray[np.bool_]
    overlap: NDArray[np.float64]
    answers: NDArray[np.float64]
    first: NDArray[np.bool_]
    best: NDArray[np.float64]
    known: NDArray[np.bool_]

    @property
    def auroc(self) -> float | None:
        """How well the best score tells whether a question has an answer; None where all have one, or none was read."""
        return None if self.known.all() or not len(self.best) else float(roc_auc_score(self.known, self.best))

    def __str__(self) -> str:
        first = f"; first of {N_SENTENCES} sentences {self.first.mean():.3f}" if len(self.first) else ""
        refused = "" if self.auroc is None else f", AUROC {self.auroc:.3f}"
        return (
            f"gold window: exact {self.exact.mean():.3f} piece F1 {self.overlap.mean():.3f}{first}{refused}; "
            f"answers {np.mean(self.answers > 0):.3f}"
        )


def reader_figures(read: Reading, pieces: Pieces, groups: Groups, *, only_gold: bool = False) -> ReaderFigures:
    """Ask a reader questions.

    Args:
        read: the reader.
        pieces: where everything is.
        groups: the questions; `near` is what search ranked best, what answers included.
        only_gold: read the gold windows alone, which takes a thirteenth of the time.
    """
    held = np.flatnonzero(groups.gold >= 0)
    draw = np.random.default_rng(_SEED)
    gold = make_batch(pieces, groups.questions[held, 0], groups.gold[held], groups.answer[held], draw, most=_WINDOW)
    exact, overlap, answers = [], [], []
    for part in _parts(gold):
        odds, start, end = read(part)
        found = np.array([best_span(s, e) for s, e in zip(start, end, strict=True)])
        exact += ((found[:, 0] == part.start) & (found[:, 1] == part.end)).tolist()
        overlap += [_overlap(f, (s, e)) for f, s, e in zip(found, part.start, part.end, strict=True)]
        answers += odds.tolist()
    known = groups.gold >= 0
    if only_gold:
        nothing_read = np.empty(0)
        return ReaderFigures(
            np.array(exact), np.array(overlap), np.array(answers), nothing_read > 0, nothing_read, known
        )
    near = groups.near[:, :N_SENTENCES]
    rows, columns = np.nonzero(near >= 0)
    scores = np.full(near.shape, _UNREAD)
    for i in range(0, len(rows), _AT_ONCE):
        row, column = rows[i : i + _AT_ONCE], columns[i : i + _AT_ONCE]
        centres, nothing = near[row, column], np.full((len(row), 2), -1)
        windows = make_batch(pieces, groups.questions[row, 0], centres, nothing, draw, most=_WINDOW)
        odds, start, _ = read(windows)
        scores[row, column] = odds + _share(pieces, windows, centres, start)
    first = near[held, scores[held].argmax(axis=1)] == groups.gold[held]
    return ReaderFigures(np.array(exact), np.array(overlap), np.array(answers), first, scores.max(axis=1), known)


def best_span(start: Floats, end: Floats, *, most: int = 40) -> tuple[int, int]:
    """Return the first and last place of the span with the highest sum of logits, at most 40 pieces long."""
    total = start[:, None] + end[None, :]
    place = np.arange(len(start))
    far = place[None, :] - place[:, None]
    total[(far < 0) | (far >= most)] = -np.inf
    first, last = np.unravel_index(int(total.argmax()), total.shape)
    return int(first), int(last)


def _share(pieces: Pieces, windows: Batch, centres: Ints, start: Floats) -> NDArray[np.float64]:
    """Return the logarithm of the share of the starts that lies in the sentence that each window is about."""
    shift = pieces.sentences[centres, 0] - windows.window[:, 0] + windows.window[:, 1]
    place = np.arange(start.shape[1])
    own = (place >= shift[:, None]) & (place < (shift + pieces.sentences[centres, 1])[:, None])
    odds = np.exp(start - start.max(axis=1, keepdims=True))
    share: NDArray[np.float64] = np.log(np.maximum((odds * own).sum(axis=1) / odds.sum(axis=1), 1e-9))
    return share


def _overlap(found: NDArray[np.int64], wanted: tuple[int, int]) -> float:
    common = min(found[1], wanted[1]) - max(found[0], wanted[0]) + 1
    whole = (found[1] - found[0] + 1) + (wanted[1] - wanted[0] + 1)
    return max(0.0, float(2 * common / whole))


def _parts(batch: Batch) -> Iterator[Batch]:
    for i in range(0, len(batch.ids), _AT_ONCE):
        rows = slice(i, i + _AT_ONCE)
        yield Batch(
            batch.ids[rows],
            batch.inside[rows],
            batch.answers[rows],
            batch.start[rows],
            batch.end[rows],
            batch.window[rows],
        )
