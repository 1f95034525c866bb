"""Documents and questions as the word pieces that the reader learns from."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tqdm import tqdm

from index.split import split_sentences
from index.types import Span
from qa.bundled_reader import heading
from training.corpora import half_of
from training.reader_batches import Groups, Pieces
from training.reader_questions import ReaderQuestion

__all__ = ["PiecesWriter", "fold_text", "heading", "make_groups", "ways_to_ask"]

_QUESTION, _TITLE = 40, 28
"""Most word pieces of a question, and of a title with its date."""

_N_OWN = 4
"""Sentences of the article asked about that are drawn besides those found."""

_NOT_KEYWORDS = frozenset(
    [
        "qui",
        "que",
        "quoi",
        "quel",
        "quelle",
        "quels",
        "quelles",
        "combien",
        "pourquoi",
        "comment",
        "quand",
        "est",
        "sont",
        "était",
        "étaient",
        "avait",
        "avaient",
        "ont",
        "les",
        "des",
        "une",
        "dans",
        "par",
        "pour",
        "sur",
        "avec",
        "aux",
        "lequel",
        "laquelle",
        "son",
        "ses",
        "leur",
        "leurs",
        "cette",
        "ces",
        "cet",
        "fait",
        "été",
        "être",
        "avoir",
        "elle",
        "elles",
        "ils",
        "lors",
        "selon",
        "afin",
        "mais",
        "plus",
        "pas",
    ]
)


class PiecesWriter:
    """Turns documents and questions into pieces.

    Args:
        tokenizer: of the reader.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._flat: list[NDArray[np.uint16]] = []
        self._length = 0
        self._titles: list[tuple[int, int]] = []
        self._sentences: list[tuple[int, int]] = []
        self._bounds: list[tuple[int, int]] = []
        self._document: list[int] = []
        self._spans: dict[str, list[Span]] = {}
        self._first: dict[str, int] = {}
        self._texts: dict[str, str] = {}
        self._headings: dict[str, str] = {}

    def add_documents(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Add documents: ``id``, ``text``, and optionally ``title`` and ``date``."""
        for document in tqdm(documents, desc="documents", mininterval=20):
            text, name = document["text"], str(document["id"])
            spans = split_sentences(text)
            self._texts[name], self._spans[name], self._first[name] = text, spans, len(self._sentences)
            self._headings[name] = heading(document.get("title"), document.get("date"))
            (title,) = self._encode([self._headings[name]])
            self._titles.append(self._add(title[:_TITLE]))
            bounds = (len(self._sentences), len(self._sentences) + len(spans))
            for pieces in self._encode([text[span.start : span.end] for span in spans]):
                self._sentences.append(self._add(pieces))
                self._bounds.append(bounds)
                self._document.append(len(self._titles) - 1)

    def holds(self, name: str) -> bool:
        """Say whether a document was added."""
        return name in self._first

    def sentence_at(self, name: str, start: int) -> int | None:
        """Return the number of the sentence of a document that holds a place, or None."""
        for number, span in enumerate(self._spans.get(name, ())):
            if span.start <= start < span.end:
                return self._first[name] + number
        return None

    def spans(self, name: str) -> list[Span]:
        """Return the sentences of a document."""
        return self._spans[name]

    def first_sentence(self, name: str) -> int:
        """Return the number of the first sentence of a document."""
        return self._first[name]

    def answer_pieces(self, name: str, answer: Span) -> tuple[int, tuple[int, int]] | None:
        """Return the sentence that holds an answer, and where its pieces begin and how many there are."""
        number = self.sentence_at(name, answer.start)
        if number is None:
            return None
        span = self._spans[name][number - self._first[name]]
        encoding = self._tokenizer.encode(self._texts[name][span.start : span.end], add_special_tokens=False)
        start, end = answer.start - span.start, min(answer.end, span.end) - span.start
        held = [i for i, (first, last) in enumerate(encoding.offsets) if first < end and last > start]
        return (number, (self._sentences[number][0] + held[0], len(held))) if held else None

    def add_questions(self, texts: Sequence[str]) -> list[tuple[int, int]]:
        """Add questions, each cut to 40 pieces."""
        return [self._add(pieces[:_QUESTION]) for pieces in self._encode(texts)]

    def title_of(self, name: str) -> str:
        """Return the title of a document with its date, as the reader is told them."""
        return self._headings[name]

    def text_of(self, name: str, span: Span) -> str:
        """Return a part of a document."""
        return self._texts[name][span.start : span.end]

    def text_around(self, name: str, number: int, *, reach: int) -> str:
        """Return a sentence of a document with so many on both sides."""
        spans, place = self._spans[name], number - self._first[name]
        around = spans[max(place - reach, 0) : place + reach + 1]
        return self._texts[name][around[0].start : around[-1].end]

    def pieces(self) -> Pieces:
        """Return all that was added."""
        whole: Sequence[NDArray[np.uint16]] = self._flat or [np.empty(0, np.uint16)]
        return Pieces(
            np.concatenate(whole),
            np.array(self._titles, dtype=np.int64).reshape(-1, 2),
            np.array(self._sentences, dtype=np.int64).reshape(-1, 2),
            np.array(self._bounds, dtype=np.int64).reshape(-1, 2),
            np.array(self._document, dtype=np.int64),
        )

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    def _add(self, pieces: Sequence[int]) -> tuple[int, int]:
        place = self._length
        self._flat.append(np.array(pieces, dtype=np.uint16))
        self._length += len(pieces)
        return place, len(pieces)


def ways_to_ask(question: str, draw: random.Random) -> tuple[str, ...]:
    """Return the question as it is, and as people also type it: without accents, in small letters, as keywords."""
    bare = "".join(c for c in unicodedata.normalize("NFD", question) if not unicodedata.combining(c))
    words = [word for word in re.split(r"[\s?!.,;:«»\"()]+", question) if word]
    kept = [word for word in words if len(word) > 2 and word.lower() not in _NOT_KEYWORDS]
    keywords = " ".join(kept if len(kept) > 2 else words).lower()
    return question, question, question, bare.lower().rstrip(" ?"), bare, keywords, _mistyped(question, draw)


def _mistyped(text: str, draw: random.Random) -> str:
    """Return a text with one slip in two words: letters exchanged, left out or doubled."""
    words = text.split(" ")
    long = [place for place, word in enumerate(words) if len(word) > 4]
    for place in draw.sample(long, min(2, len(long))):
        word, at = words[place], draw.randrange(1, len(words[place]) - 2)
        slips = (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
        )
        words[place] = draw.choice(slips)
    return " ".join(words)


def fold_text(text: str) -> str:
    """Return letters and digits in small, without accents, with single spaces between and at both ends."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))
    return f" {' '.join(re.findall(r'[a-z0-9]+', bare))} "


def make_groups(
    writer: PiecesWriter,
    questions: Sequence[ReaderQuestion],
    draw: random.Random,
    *,
    closed: frozenset[str],
    n_near: int,
    source: int,
) -> Groups:
    """Return the groups of the questions about documents that were added.

    Near misses that hold the answer's words are left out.

    Args:
        writer: holds the documents, and gets the questions.
        questions: with what search found for them.
        draw: draws further sentences of the article asked about.
        closed: documents that must not be shown.
        n_near: most near misses of a question.
        source: number of the set that they are from.
    """
    ways, gold, answers, near, folds = [], [], [], [], []
    for question in tqdm(questions, desc="groups", mininterval=20):
        found: tuple[int, tuple[int, int]] | None = None
        words = ""
        if not writer.holds(question.article):
            continue
        if question.answer is not None:
            answer = Span(*question.answer)
            found = writer.answer_pieces(question.article, answer)
            if found is None:
                continue
            words = fold_text(writer.text_of(question.article, answer))
        misses: list[int] = []
        spans = [(name, start) for name, start, _, _ in question.found if name not in closed]
        own = writer.spans(question.article)
        more = [(question.article, span.start) for span in draw.sample(own, min(_N_OWN, len(own)))]
        for name, start in spans[: n_near - len(more)] + more:
            number = writer.sentence_at(name, start)
            if number is None or number in misses or (found and number == found[0]) or name in question.others:
                continue
            if words.strip() and words in fold_text(writer.text_around(name, number, reach=2)):
                continue
            misses.append(number)
        ways.append(writer.add_questions(ways_to_ask(question.question, draw)))
        gold.append(found[0] if found else -1)
        answers.append(found[1] if found else (-1, -1))
        near.append((misses + [-1] * n_near)[:n_near])
        folds.append(half_of(question.article))
    return Groups(
        np.array(ways, dtype=np.int64),
        np.array(gold, dtype=np.int64),
        np.array(answers, dtype=np.int64),
        np.array(near, dtype=np.int64),
        np.array(folds, dtype=np.int64),
        np.full(len(gold), source, dtype=np.int64),
    )
