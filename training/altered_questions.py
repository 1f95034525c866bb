"""Questions with a wrong premise: a name, a year, a month or a number of an answerable question is exchanged.

The window that answered then holds everything that was asked but one thing, and must be told from one that answers
(Rajpurkar and others, "Know what you don't know", 2018, section 4, where people write such questions: "entity swap",
"number swap").
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from index.types import Span
from training.corpora import half_of
from training.reader_batches import Groups
from training.reader_data import PiecesWriter, fold_text, ways_to_ask
from training.reader_questions import ReaderQuestion

__all__ = ["altered_groups", "altered_question"]

_REACH = 2
"""Sentences on both sides of the answer's that count as shown with it."""

_CAPITALISED = r"[A-ZÀ-ÖØ-Þ]\w+(?:-\w+)*"
_NAME = re.compile(
    rf"(?<=[\w,;(«][\s'’]){_CAPITALISED}(?:[ ](?:(?:de|du|des|d['’]|le|la|ben|van|von)[ ]?)?{_CAPITALISED})*"
)
"""A name inside a sentence: what opens one has a capital in any case."""
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_NUMBER = re.compile(r"\b\d{1,3}(?:[ .\u00a0\u202f]\d{3})*\b(?![,.]\d)")
_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip
_MONTH = re.compile(rf"\b(?:{'|'.join(_MONTHS)})\b")
_VOWEL = re.compile(r"[aeiouyàâéèêëîïôöûùh]", re.IGNORECASE)
_LAST_WORD = re.compile(r"(\w+['’]?)\W*$")
_PLACES = ("à", "en", "au", "aux", "vers", "depuis")


def altered_question(question: str, told: str, others: Sequence[str], draw: random.Random) -> str | None:
    """Return the question with one thing exchanged, or None where nothing in it can be.

    Args:
        question: answerable from ``told``.
        told: what the reader is shown with it when it answers: the title and the sentences around the answer.
        others: texts about something else, whose names may stand in its place; the likeliest first.
        draw: decides what is exchanged.
    """
    held = fold_text(told)
    ways = [
        (match, other)
        for match in _NAME.finditer(question)
        if fold_text(match.group()).split()[-1] in held.split()
        and (other := _other_name(question, match, held, others, draw)) is not None
    ]
    ways += [(match, _other_year(match.group(), draw)) for match in _YEAR.finditer(question)]
    ways += [
        (match, draw.choice([month for month in _MONTHS if month != match.group() and month not in held]))
        for match in _MONTH.finditer(question)
        if match.group() in told
    ]
    years = {match.span() for match in _YEAR.finditer(question)}
    ways += [
        (match, _other_number(match.group(), draw))
        for match in _NUMBER.finditer(question)
        if match.span() not in years and fold_text(match.group()) in held
    ]
    ways = [(match, other) for match, other in ways if fold_text(other) not in held]
    if not ways:
        return None
    match, other = draw.choice(ways)
    return question[: match.start()] + other + question[match.end() :]


def _other_name(
    question: str, match: re.Match[str], held: str, others: Sequence[str], draw: random.Random
) -> str | None:
    """Return a name of the other texts that fits where this one stands and that ``held`` does not hold."""
    name, before = match.group(), _word_before(question, match.start())
    words = set(held.split())
    fitting = [
        found.group()
        for text in others
        for found in _NAME.finditer(text)
        if len(found.group().split()) == len(name.split())
        and bool(_VOWEL.match(found.group())) == bool(_VOWEL.match(name))
        and (_word_before(text, found.start()) in _PLACES) == (before in _PLACES)
        and not words & set(fold_text(found.group()).split())
        and (len(name) > 3) == (len(found.group()) > 3)
    ]
    return draw.choice(fitting) if fitting else None


def _word_before(text: str, place: int) -> str:
    match = _LAST_WORD.search(text[max(place - 24, 0) : place])
    return match.group(1).lower() if match else ""


def _other_year(year: str, draw: random.Random) -> str:
    return str(int(year) + draw.choice((-5, -4, -3, -2, 2, 3)))


def _other_number(number: str, draw: random.Random) -> str:
    value = int(re.sub(r"\D", "", number))
    return str(max(2, value + draw.choice((-1, 1)) * max(1, draw.randrange(1, max(2, value)))))


def altered_groups(
    writer: PiecesWriter,
    questions: Sequence[ReaderQuestion],
    draw: random.Random,
    *,
    closed: frozenset[str],
    n_near: int,
    source: int,
) -> Groups:
    """Return a group without an answer for each question that can be altered.

    The first of its near misses is the sentence that answered before; those that search found follow.

    Args:
        writer: holds the documents, and gets the questions.
        questions: with what search found for them.
        draw: decides what is exchanged.
        closed: documents that must not be shown.
        n_near: most near misses of a question.
        source: number of the set that they are from.
    """
    asked, near, folds = [], [], []
    for question in tqdm(questions, desc="altered", mininterval=20):
        if question.answer is None or not writer.holds(question.article):
            continue
        found = writer.answer_pieces(question.article, Span(*question.answer))
        if found is None:
            continue
        told = f"{writer.title_of(question.article)} {writer.text_around(question.article, found[0], reach=_REACH)}"
        places = [(name, start) for name, start, _, _ in question.found if name not in closed]
        numbers = [writer.sentence_at(name, start) for name, start in places]
        texts = [
            writer.text_around(name, number, reach=0)
            for (name, _), number in zip(places, numbers, strict=True)
            if number is not None
        ]
        altered = altered_question(question.question, told, texts, draw)
        if altered is None:
            continue
        misses = list(dict.fromkeys([found[0], *(number for number in numbers if number is not None)]))[:n_near]
        asked.append(writer.add_questions(ways_to_ask(altered, draw)))
        near.append(misses + [-1] * (n_near - len(misses)))
        folds.append(half_of(question.article))
    n = len(near)
    return Groups(
        np.array(asked, dtype=np.int64),
        np.full(n, -1, dtype=np.int64),
        np.full((n, 2), -1, dtype=np.int64),
        np.array(near, dtype=np.int64),
        np.array(folds, dtype=np.int64),
        np.full(n, source, dtype=np.int64),
    )
