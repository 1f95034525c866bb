from collections.abc import Sequence

import numpy as np
import pytest

from index.ranker import RankedSentences
from index.sentence_features import SENTENCE_FEATURES, distinct_sentences
from index.types import Document, Hit, Passage, Sentence, Span
from qa import windows
from qa.evidence import read_sentences
from qa.question import read_question
from qa.reader import Reading
from qa.windows import window_around, windows_of


def passage_of(source: str, *lengths: int) -> Passage:
    text = " ".join("a" * (length - 1) + "." for length in lengths)
    document, start, sentences = Document(source, source, text), 0, []
    for length in lengths:
        sentences.append(Sentence(document, Span(start, start + length)))
        start += length + 1
    return Passage(0, document, 0, Span(0, len(text)), tuple(sentences))


def numbers(window: windows.Window, passage: Passage) -> list[int]:
    return [passage.sentences.index(sentence) for sentence in window.sentences]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_MOST_CHARACTERS", 50)


@pytest.mark.parametrize(
    ("lengths", "centre", "expected"),
    [
        ((10, 10, 10, 10, 10, 10), 2, [0, 1, 2, 3]),  # 43 characters: one before, one after, one before
        ((10, 10, 10), 0, [0, 1, 2]),
        ((45, 10, 10), 1, [1, 2]),  # with the first it would be 56
        ((10, 90, 10), 1, [1]),  # longer than a window by itself
        ((24, 25, 24), 1, [0, 1]),  # 50 characters, and not one more
        ((25, 25, 24), 1, [1, 2]),
    ],
)
def test_a_window_grows_by_whole_sentences_on_both_sides(
    lengths: tuple[int, ...], centre: int, expected: list[int]
) -> None:
    passage = passage_of("a", *lengths)
    assert numbers(window_around(passage.sentences[centre], passage.sentences), passage) == expected


def test_windows_come_best_first_and_none_around_a_sentence_that_was_in_one() -> None:
    passages = [passage_of("a", 10, 10, 10, 40), passage_of("b", 10, 60)]
    hits = [Hit(passage, 0.0, 0.0, 0.0) for passage in passages]
    found = tuple(distinct_sentences(hits))
    log_odds = np.array([0.1, 0.9, 0.2, 0.3, 0.5, -1.0])
    ranked = RankedSentences(found, np.zeros((len(found), len(SENTENCE_FEATURES))), log_odds)
    given = [(w.document.source, [s.span.start for s in w.sentences]) for w in windows_of(ranked, hits)]
    assert given == [("a", [0, 11, 22]), ("b", [0]), ("a", [33]), ("b", [11])]


@pytest.mark.parametrize("odds", [(-3.0, -2.0), (-2.0, -3.0)])
def test_a_sentence_of_two_windows_has_the_better_reading(odds: tuple[float, float]) -> None:
    class Counting:
        name = "counting"

        def read(self, question: str, given: Sequence[windows.Window]) -> list[Reading]:
            return [
                Reading(value, (value,) * 4, tuple(each.span for each in window.sentences), (0.5,) * 4)
                for value, window in zip(odds, given, strict=False)
            ]

    passage = passage_of("a", 10, 10, 10, 10, 10, 10)
    hits = [Hit(passage, 0.0, 0.0, 0.0)]
    log_odds = np.array([0.0, 0.9, 0.1, 0.2, 0.3, 0.8])  # windows of the first four and of the last four
    ranked = RankedSentences(tuple(distinct_sentences(hits)), np.zeros((6, len(SENTENCE_FEATURES))), log_odds)
    readings = read_sentences(Counting(), read_question("Qui ?"), ranked, hits)
    first, second = odds
    best = max(odds)
    assert {place: reading.reads for place, reading in readings.items()} == {
        0: first, 1: first, 2: best, 3: best, 4: second, 5: second,
    }  # fmt: skip
