"""What the reader is trained on, as word pieces in flat arrays, so that a batch is put together by indexing alone.

A window is a run of sentences of one document around one of them. A group is one question with several windows: one
that answers, where there is one, and near misses.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Batch", "Groups", "Ints", "Pieces", "group_batch", "make_batch", "window_bounds"]

Ints = NDArray[np.int64]

_BEGIN, _PAD, _SEPARATOR = 0, 1, 2
"""Numbers of the pieces that stand between the texts, in every vocabulary that `training.base_model` makes."""

_WINDOWS = (72, 96, 120, 144)
"""Most pieces of a window, one drawn for each batch."""


@dataclass(slots=True)
class Pieces:
    """Documents as word pieces.

    Attributes:
        flat: the pieces of every text, one after the other, shape ``(n_pieces,)``.
        titles: where the title of each document (with its date, if any) begins in `flat` and how long it is, shape
            ``(n, 2)``.
        sentences: where each sentence begins and how long it is, ``(n_sentences, 2)``; those of a document follow one
            another, in `flat` too.
        bounds: first sentence of the document of each sentence, and the one after its last, ``(n_sentences, 2)``.
        document: number of the document of each sentence, ``(n_sentences,)``.
    """

    flat: NDArray[np.uint16]
    titles: Ints
    sentences: Ints
    bounds: Ints
    document: Ints

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, to be written."""
        return {field.name: np.ascontiguousarray(getattr(self, field.name)) for field in fields(self)}


@dataclass(slots=True)
class Groups:
    """Questions with the windows that they are read with.

    Attributes:
        questions: where the ways to ask begin in `Pieces.flat` and how long they are, shape ``(n, n_ways, 2)``.
        gold: sentence that answers, or -1, shape ``(n,)``.
        answer: first piece of the answer in `Pieces.flat` and how many there are, ``(n, 2)``; -1 where there is none.
        near: sentences that do not answer, nearest miss first, ``(n, n_near)``; -1 where there are fewer.
        fold: for training without some, ``(n,)``.
        source: what set a question is from, ``(n,)``.
    """

    questions: Ints
    gold: Ints
    answer: Ints
    near: Ints
    fold: Ints
    source: Ints

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, kept: NDArray[Any]) -> Groups:
        """Return some of them."""
        return Groups(**{field.name: getattr(self, field.name)[kept] for field in fields(self)})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, to be written."""
        return {field.name: np.ascontiguousarray(getattr(self, field.name)) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows to be read.

    Attributes:
        ids: pieces, shape ``(n_windows, length)``, padded with those of `PAD`.
        inside: 1 where a piece is of the window itself, same shape.
        answers: 1.0 for each window that answers, ``(n_windows,)``.
        start: place of the first piece of the answer in its row, or -1.
        end: place of its last.
        window: where each window begins in `Pieces.flat` and its place in its row, ``(n_windows, 2)``.
    """

    ids: Ints
    inside: NDArray[np.bool_]
    answers: NDArray[np.float32]
    start: Ints
    end: Ints
    window: Ints


def group_batch(pieces: Pieces, groups: Groups, draw: np.random.Generator, *, group: int) -> Batch:
    """Put together ``group`` windows of each question: the one that answers, if any, and near misses."""
    n = len(groups)
    ways = draw.integers(groups.questions.shape[1], size=n)
    asked = groups.questions[np.arange(n), ways]
    keys = draw.random(groups.near.shape) * (1 + np.arange(groups.near.shape[1])) ** 0.5
    keys[groups.near < 0] = np.inf
    order = np.argsort(keys, axis=1)
    misses = np.take_along_axis(groups.near, order, axis=1)[:, :group]
    misses = np.where(misses < 0, draw.integers(len(pieces.sentences), size=misses.shape), misses)
    centres = misses.copy()
    held = groups.gold >= 0
    beside = groups.gold + draw.choice([-1, 0, 0, 0, 0, 1], size=n)
    low, high = pieces.bounds[np.maximum(groups.gold, 0)].T
    centres[:, 0] = np.where(held, np.clip(beside, low, high - 1), misses[:, 0])
    answers = np.full((n, group, 2), -1, dtype=np.int64)
    answers[:, 0] = groups.answer
    most = int(draw.choice(_WINDOWS))
    seed = int(draw.integers(2**32))

    def made() -> Batch:  # with one seed, what is about the same sentence reaches as far again
        reach = np.random.default_rng(seed)
        repeated = np.repeat(asked, group, axis=0)
        return make_batch(pieces, repeated, centres.ravel(), answers.reshape(-1, 2), reach, most=most)

    batch = made()
    away = held & (batch.answers.reshape(n, group)[:, 0] == 0)  # the answer fell out of the window
    if away.any():
        centres[away, 0] = groups.gold[away]
        batch = made()
    return batch


def window_bounds(pieces: Pieces, centres: Ints, draw: np.random.Generator, *, most: int) -> tuple[Ints, Ints]:
    """Return the first sentence of a window around each sentence, and the one after its last.

    A window grows by whole sentences on a drawn side while it keeps within so many pieces; one sentence may be longer.
    """
    low, high = centres.copy(), centres + 1
    length = pieces.sentences[centres, 1].copy()
    first, last = pieces.bounds[centres].T
    for _ in range(10):
        for side in draw.permutation(2):
            place = low - 1 if side == 0 else high
            there = (place >= first) & (place < last)
            added = np.where(there, pieces.sentences[np.clip(place, 0, len(pieces.sentences) - 1), 1], 0)
            grows = there & (length + added <= most) & (draw.random(len(centres)) < 0.7)
            length += np.where(grows, added, 0)
            low, high = (low - grows, high) if side == 0 else (low, high + grows)
    return low, high


def make_batch(
    pieces: Pieces,
    asked: Ints,
    centres: Ints,
    answers: Ints,
    draw: np.random.Generator,
    *,
    most: int,
) -> Batch:
    """Put windows together: ``<s> question </s> title </s> window </s>``.

    Args:
        pieces: where everything is.
        asked: where each question begins and how long it is, shape ``(n, 2)``.
        centres: sentence that each window is made around, ``(n,)``.
        answers: where the pieces of each answer begin and how many there are, ``(n, 2)``; -1 where it does not answer.
        draw: draws how far each window reaches.
        most: most pieces of a window.
    """
    low, high = window_bounds(pieces, centres, draw, most=most)
    begin = pieces.sentences[low, 0]
    length = np.minimum(pieces.sentences[high - 1].sum(axis=1) - begin, most)
    titles = pieces.titles[pieces.document[centres]]
    ones = np.ones(len(centres), dtype=np.int64)
    lengths = np.stack([ones, asked[:, 1], ones, titles[:, 1], ones, length, ones], axis=1)
    ends = lengths.cumsum(axis=1)
    total = int(ends[:, -1].max())
    ids = np.full((len(centres), total), _PAD, dtype=np.int64)
    place = np.arange(total)
    for part, (source, fixed) in enumerate(
        ((None, _BEGIN), (asked[:, 0], 0), (None, _SEPARATOR), (titles[:, 0], 0), (None, _SEPARATOR), (begin, 0))
    ):
        start = ends[:, part] - lengths[:, part]
        rows, columns = np.nonzero((place >= start[:, None]) & (place < ends[:, part, None]))
        ids[rows, columns] = fixed if source is None else pieces.flat[source[rows] + columns - start[rows]]
    ids[np.arange(len(centres)), ends[:, -1] - 1] = _SEPARATOR
    shift = ends[:, 5] - lengths[:, 5]
    inside = (place >= shift[:, None]) & (place < ends[:, 5, None])
    start = answers[:, 0] - begin + shift
    end = start + answers[:, 1] - 1
    held = (answers[:, 0] >= begin) & (end < ends[:, 5])
    return Batch(
        ids,
        inside,
        held.astype(np.float32),
        np.where(held, start, -1),
        np.where(held, end, -1),
        np.stack([begin, shift], axis=1),
    )
