"""Which windows of the hits a reader reads: those around the sentences that search ranked best (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from index.ranker import RankedSentences
from index.types import Hit, Sentence
from qa.reader import Window

__all__ = ["window_around", "windows_of"]

_MOST_CHARACTERS = 480
"""Length of a window: some 110 word pieces, 2.7 sentences of news, as those that the reader was trained on."""


def windows_of(ranked: RankedSentences, hits: Sequence[Hit]) -> Iterator[Window]:
    """Yield a window around each sentence, best first; none around a sentence that an earlier window holds.

    Args:
        ranked: the sentences of the best hits.
        hits: the hits that they are of.
    """
    passages: dict[tuple[str, int], tuple[Sentence, ...]] = {}
    for hit in hits:
        for sentence in hit.passage.sentences:
            passages.setdefault(sentence.place, hit.passage.sentences)
    seen: set[tuple[str, int]] = set()
    for place in np.argsort(-ranked.log_odds, kind="stable").tolist():
        sentence = ranked.found[place].sentence
        if sentence.place not in seen:
            window = window_around(sentence, passages[sentence.place])
            seen.update(each.place for each in window.sentences)
            yield window


def window_around(sentence: Sentence, passage: Sequence[Sentence]) -> Window:
    """Return the sentence with those of its passage beside it, the one before first, as far as the length allows."""
    first = next(number for number, each in enumerate(passage) if each.span.start == sentence.span.start)
    last = first
    grows = True
    while grows:
        grows = False
        if first > 0 and passage[last].span.end - passage[first - 1].span.start <= _MOST_CHARACTERS:
            first, grows = first - 1, True
        if last + 1 < len(passage) and passage[last + 1].span.end - passage[first].span.start <= _MOST_CHARACTERS:
            last, grows = last + 1, True
    return Window(tuple(passage[first : last + 1]))
