"""Dates in a question ask for documents of about then; where these do not answer, others do, and it is said."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import pytest

from index import CorpusIndex, Document
from index.filters import Filter
from qa import Chatbot
from qa.asked_dates import read_asked_dates
from qa.reader import Reading, Window
from qa.types import DateRange

TODAY = datetime.date(2020, 5, 12)


@pytest.mark.parametrize(
    ("question", "words", "since", "until"),
    [
        ("Qui a parlé en octobre 2022 ?", "en octobre 2022", "2022-08-31", "2023-01-31"),
        ("Combien de morts depuis 2019 ?", "depuis 2019", "2018-12-01", None),
        ("Qui gouvernait avant 2015 ?", "avant 2015", None, "2015-04-02"),
        ("Qui a gagné l’an dernier ?", "l’an dernier", "2018-12-01", "2020-04-01"),
        ("Que s'est-il passé entre mars et mai 2020 ?", "entre mars et mai 2020", "2020-01-30", "2020-08-31"),
        ("Qui a gagné hier ?", "hier", "2020-04-10", "2020-08-11"),
    ],
)
def test_words_become_a_filter(question: str, words: str, since: str | None, until: str | None) -> None:
    asked = read_asked_dates(question, Filter(), today=TODAY)
    assert asked is not None
    assert (asked.words, asked.only.since, asked.only.until) == (words, since, until)


@pytest.mark.parametrize("question", ["Qui a gagné la Coupe du monde 1998 ?", "Combien coûtent 2022 pommes ?"])
def test_a_year_that_says_nothing_of_documents_is_left(question: str) -> None:
    assert read_asked_dates(question, Filter(), today=TODAY) is None


def test_dates_that_the_caller_gives_go_first() -> None:
    assert read_asked_dates("Qui a parlé en 2022 ?", Filter(since="2020"), today=TODAY) is None


def test_the_other_filters_stay() -> None:
    asked = read_asked_dates("Qui a parlé en 2022 ?", Filter(sources=("a",)), today=TODAY)
    assert asked is not None
    assert asked.only.sources == ("a",)


@pytest.mark.parametrize("question", ["en l'an 9999", "depuis le 1er janvier 1500"])
def test_the_ends_of_the_calendar_are_kept(question: str) -> None:
    read_asked_dates(question, Filter(), today=TODAY)


@pytest.fixture
def chatbot(tmp_path: Path) -> Chatbot:
    corpus = CorpusIndex.create(tmp_path / "index")
    corpus.put(
        [
            Document("a", "a.txt", "Le maire de Brest s'appelle Jean Dupont.", date="2012-03"),
            Document("b", "b.txt", "Le maire de Brest s'appelle Anne Martin.", date="2018-06-14"),
            Document("c", "c.txt", "Le musée de Nantes a reçu 300 visiteurs.", date="2018-06"),
        ]
    )
    return Chatbot(corpus, reader="none", today=TODAY)


@pytest.mark.parametrize(
    ("when", "answer", "dates"),
    [
        ("en mars 2012", "Jean Dupont", DateRange("2012-01-30", "2012-07-01")),
        ("en 2018", "Anne Martin", DateRange("2017-12-01", "2019-04-02")),
    ],
)
def test_the_documents_of_then_are_asked(chatbot: Chatbot, when: str, answer: str, dates: DateRange) -> None:
    found = chatbot.ask(f"Comment s'appelle le maire de Brest {when} ?")
    assert found.short_answer == answer
    assert (found.dates, found.dates_read, found.notice) == (dates, when, None)


def test_others_answer_where_those_do_not_and_it_is_said(chatbot: Chatbot) -> None:
    found = chatbot.ask("Combien de visiteurs le musée de Nantes a-t-il reçus en mars 2012 ?")
    assert found.answered
    assert found.citations[0].source == "c.txt"
    assert (found.dates, found.dates_read) == (None, "en mars 2012")
    assert found.notice is not None
    assert "« en mars 2012 »" in found.notice


class Unsure:
    """A reader that finds nothing, and keeps what it was given."""

    name = "unsure"

    def __init__(self) -> None:
        self.given: list[tuple[str, int]] = []

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        self.given += [(window.document.source, window.span.start) for window in windows]
        return [
            Reading(-5.0, (-5.0,) * len(w.sentences), tuple(s.span for s in w.sentences), (0.5,) * len(w.sentences))
            for w in windows
        ]


def test_what_was_read_among_the_documents_of_then_is_not_read_again(chatbot: Chatbot) -> None:
    reader = Unsure()
    strict = Chatbot(chatbot._corpus, reader=reader, today=TODAY, threshold=1.0)
    assert not strict.ask("Comment s'appelle le maire de Brest en 2018 ?").answered
    assert sorted(set(reader.given)) == sorted(reader.given)
    assert {source for source, _ in reader.given} == {"a.txt", "b.txt", "c.txt"}


def test_a_time_without_documents_is_told(chatbot: Chatbot) -> None:
    found = chatbot.ask("Comment s'appelle le maire de Brest en 1850 ?")
    assert found.answered
    assert (found.dates, found.dates_read) == (None, "en 1850")
    assert found.notice is not None


def test_without_dated_documents_no_words_are_dates(tmp_path: Path) -> None:
    corpus = CorpusIndex.create(tmp_path / "index")
    corpus.put([Document("a", "a.txt", "Le maire de Brest s'appelle Jean Dupont.")])
    found = Chatbot(corpus, reader="none", threshold=0.0).ask("Comment s'appelle le maire de Brest en 2012 ?")
    assert found.short_answer == "Jean Dupont"
    assert (found.dates, found.dates_read, found.notice) == (None, None, None)


def test_dates_are_not_read_where_the_caller_says_so(chatbot: Chatbot) -> None:
    found = chatbot.ask("Comment s'appelle le maire de Brest en mars 2012 ?", read_dates=False)
    assert (found.dates, found.dates_read) == (None, None)


def test_dates_given_are_told(chatbot: Chatbot) -> None:
    found = chatbot.ask("Comment s'appelle le maire de Brest ?", since="2018")
    assert (found.short_answer, found.dates) == ("Anne Martin", DateRange("2018", None))
