"""Compares the words of a question with those of sentences by their embeddings: "patron" is near "dirigeant".

Late interaction (ColBERT: Khattab and Zaharia, 2020) over the static vectors of word pieces: each piece of the question
counts with the cosine of the nearest piece of the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Matched", "SoftMatch"]

_BETWEEN = re.compile(r"[\s,;:.!?()'’\"«»-]+")
"""Where a text is cut into words; the tokenizer cuts at each of these too."""

_MEMO_LIMIT = 200_000
"""Words remembered before starting afresh, about 40 MB."""

_UNKNOWN = 0
"""The piece that stands for what a model does not know; its vector is zeros."""


@dataclass(frozen=True, slots=True)
class Matched:
    """How well sentences match a question.

    Attributes:
        best: cosine of each piece of the question with the nearest piece of each sentence, at least 0, shape
            ``(n_pieces, n_sentences)``.
        weights: share of each piece in the question, by the length of its vector, shape ``(n_pieces,)``.
        cosines: of the question and each sentence as a whole, shape ``(n_sentences,)``.
    """

    best: NDArray[np.float64]
    weights: NDArray[np.float64]
    cosines: NDArray[np.float64]


class SoftMatch:
    """Compares by the vectors of a static model.

    Args:
        tokenizer: of the model; its first piece is the unknown one, whose vector is zeros.
        vectors: of its pieces, float32, shape ``(n_pieces, dimension)``; their length says how much a piece counts.
    """

    def __init__(self, tokenizer: Any, vectors: NDArray[np.float32]) -> None:
        self._tokenizer = tokenizer
        self._vectors = vectors
        self._memo: dict[str, list[int]] = {}

    def read(self, question: str, sentences: Sequence[str]) -> Matched:
        """Compare a question with some sentences, at least one. A text without known pieces is near to none."""
        asked = np.unique(np.array(self._pieces([question])[0], dtype=np.int64))
        wanted, weights = _unit(self._vectors[asked])
        encoded = self._pieces(sentences)
        flat = np.fromiter(chain.from_iterable(pieces or [_UNKNOWN] for pieces in encoded), dtype=np.int64)
        starts = np.cumsum([0, *(max(len(pieces), 1) for pieces in encoded[:-1])])
        kinds, places = np.unique(flat, return_inverse=True)
        held = self._vectors[kinds]
        near = wanted @ _unit(held)[0].T
        best = np.maximum.reduceat(near[:, places], starts, axis=1) if len(asked) else np.empty((0, len(sentences)))
        sums, _ = _unit(np.add.reduceat(held[places], starts, axis=0))
        whole, _ = _unit(self._vectors[asked].sum(axis=0, keepdims=True))
        total = float(weights.sum()) or 1.0
        return Matched(
            np.maximum(best, 0.0).astype(np.float64),
            (weights / total).astype(np.float64),
            (sums @ whole[0]).astype(np.float64),
        )

    def _pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the word pieces of texts: those of each word are remembered, since words come again."""
        words = [_BETWEEN.split(text) for text in texts]
        memo = self._memo
        new = list({word for each in words for word in each if word not in memo})
        if len(memo) + len(new) > _MEMO_LIMIT:
            memo = self._memo = {}
            new = list({word for each in words for word in each})
        encoded = self._tokenizer.encode_batch_fast(new, add_special_tokens=False)
        memo.update(zip(new, (encoding.ids for encoding in encoded), strict=True))
        return [list(chain.from_iterable(map(memo.__getitem__, each))) for each in words]


def _unit(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return rows divided by their lengths, and these lengths; a row of zeros stays as it is."""
    lengths = np.linalg.norm(rows, axis=1).astype(np.float32)
    divisors = np.where(lengths > 0, lengths, 1.0).astype(np.float32)
    return rows / divisors[:, None], lengths
