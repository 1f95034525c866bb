"""Relative dates of a sentence mean what the calendar says, as precisely as the document's date allows."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import CorpusIndex, Document
from index.date_values import WEEKDAYS, format_date
from qa import Chatbot
from qa.relative_dates import explain_dates

# 18 October 2022 was a Tuesday.
DAY = "2022-10-18"


@pytest.mark.parametrize(
    ("text", "words", "meaning"),
    [
        ("Il a parlé mardi à Bruxelles.", "mardi", "mardi 18 octobre 2022"),
        ("Il a parlé lundi soir.", "lundi", "lundi 17 octobre 2022"),
        ("Il a parlé mercredi.", "mercredi", "mercredi 12 octobre 2022"),
        ("Il parlera mercredi.", "mercredi", "mercredi 19 octobre 2022"),
        ("Ils doivent se réunir jeudi.", "jeudi", "jeudi 20 octobre 2022"),
        ("Il a parlé mardi dernier.", "mardi dernier", "mardi 11 octobre 2022"),
        ("Le vote est fixé à mardi prochain.", "mardi prochain", "mardi 25 octobre 2022"),
        ("Hier, il pleuvait.", "Hier", "lundi 17 octobre 2022"),
        ("Il y a trois jours, il pleuvait.", "Il y a trois jours", "samedi 15 octobre 2022"),
        ("Il revient dans deux semaines.", "dans deux semaines", "mardi 1er novembre 2022"),
        ("L’exercice a lieu la semaine prochaine.", "la semaine prochaine", "semaine du 24 au 30 octobre 2022"),
        ("Né le mois dernier.", "le mois dernier", "septembre 2022"),
        ("Né il y a dix mois.", "il y a dix mois", "décembre 2021"),
        ("Élu l'an dernier.", "l'an dernier", "2021"),
        ("Élu l’année prochaine.", "l’année prochaine", "2023"),
        ("Fondé il y a 30 ans.", "il y a 30 ans", "1992"),
    ],
)
def test_words_mean_a_time(text: str, words: str, meaning: str) -> None:
    (note,) = explain_dates(text, DAY, start=100)
    assert (note.text, note.meaning) == (words, meaning)
    assert text[note.start - 100 : note.end - 100] == words


@pytest.mark.parametrize(
    ("text", "date", "meanings"),
    [
        ("Il a parlé mardi et la semaine dernière, comme l'an dernier.", "2022-10", ["2021"]),
        ("Il a parlé le mois dernier.", "2022-01", ["décembre 2021"]),
        ("Il a parlé le mois dernier.", "2022", []),
        ("Il a parlé mardi, comme il y a deux ans.", None, []),
    ],
)
def test_nothing_is_said_more_precisely_than_is_known(text: str, date: str | None, meanings: list[str]) -> None:
    assert [note.meaning for note in explain_dates(text, date)] == meanings


@pytest.mark.parametrize(
    "text",
    ["Il ouvre le mardi.", "Chaque lundi, il court.", "Mardi 4 octobre, il a parlé.", "Il parla du lundi de Pâques."],
)
def test_habits_and_full_dates_are_left(text: str) -> None:
    assert explain_dates(text, DAY) == ()


@given(st.dates(datetime.date(1000, 1, 8), datetime.date(2199, 12, 31)), st.sampled_from(WEEKDAYS))
def test_a_weekday_is_the_last_one(day: datetime.date, name: str) -> None:
    days = (day - datetime.timedelta(days=number) for number in range(7))
    last = next(each for each in days if each.strftime("%w") == str((WEEKDAYS.index(name) + 1) % 7))
    (note,) = explain_dates(f"Il a parlé {name}.", day.isoformat())
    assert note.meaning == f"{name} {format_date(last.isoformat())}"


@pytest.mark.parametrize("date", ["1000-01-01", "2199-12-31", "1000", "2199-12"])
def test_the_ends_of_the_calendar_are_kept(date: str) -> None:
    explain_dates("Hier, demain, la semaine prochaine, le mois dernier, dans 900 jours et il y a 900 ans.", date)


def test_citations_carry_what_their_words_mean(tmp_path: Path) -> None:
    corpus = CorpusIndex.create(tmp_path / "index")
    text = "Bonjour. Le maire Jean Dupont a démissionné lundi."
    corpus.put([Document("a", "a.txt", text, date=DAY)])
    cited = Chatbot(corpus, reader="none", threshold=0.0).ask("Qui a démissionné ?").citations[0]
    assert [(text[note.start : note.end], note.meaning) for note in cited.date_notes] == [
        ("lundi", "lundi 17 octobre 2022")
    ]
