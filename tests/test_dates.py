"""Dates of documents and of questions, against hand-written tables and the standard library's calendar."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.dates import DatePhrase, date_bounds, find_date_phrase, format_date, parse_date, read_header
from index.errors import InputError
from index.types import Span

TODAY = datetime.date(2022, 10, 12)  # a Wednesday
DAYS = st.dates(datetime.date(1500, 1, 1), datetime.date(2099, 12, 31))

VALUES = [
    ("2022-10-11", "2022-10-11"),
    ("2022/10/11", "2022-10-11"),
    ("2022-10-11T12:30:00+02:00", "2022-10-11"),
    ("2022-10-11T12:30:00.123Z", "2022-10-11"),
    ("2022-10-11 12:30", "2022-10-11"),
    ("2022-10", "2022-10"),
    (" 2022 ", "2022"),
    (2022, "2022"),
    ("11/10/2022", "2022-10-11"),
    ("11.10.2022", "2022-10-11"),
    ("1/2/2022", "2022-02-01"),
    ("10/2022", "2022-10"),
    ("11 octobre 2022", "2022-10-11"),
    ("Mardi 11 Octobre 2022", "2022-10-11"),
    ("le 11 octobre 2022 à 20h30", "2022-10-11"),
    ("octobre 2022", "2022-10"),
    ("1er mai 2020", "2020-05-01"),
    ("3 aout 2020", "2020-08-03"),
    ("3 août 2020", "2020-08-03"),
    ("sept. 2019", "2019-09"),
    ("2 févr. 2019", "2019-02-02"),
    ("juil. 2019", "2019-07"),
    ("29 février 2020", "2020-02-29"),
    ("Tue, 11 Oct 2022 10:00:00 +0200", "2022-10-11"),
    ("11 Oct 2022 10:00:00 GMT", "2022-10-11"),
    (datetime.date(2022, 10, 11), "2022-10-11"),
    (datetime.datetime(2022, 10, 11, 23, 59), "2022-10-11"),
]
NO_VALUES = [
    *("2022-13", "2022-00", "2022-02-30", "31 février 2020", "29 février 2021", "32 mai 2020", "11/13/2022"),
    *("", "  ", "bientôt", "octobre", "12", "20221", "0022", "Tue, 31 Feb 2022 10:00:00 +0200", "2022-10-11 et après"),
    *(12, 99999, -5, True, None, 2022.0, ["2022"], {"year": 2022}),
]


@pytest.mark.parametrize(("value", "expected"), VALUES)
def test_parse_date(value: object, expected: str) -> None:
    assert parse_date(value) == expected


@pytest.mark.parametrize("value", NO_VALUES)
def test_parse_date_none(value: object) -> None:
    assert parse_date(value) is None


@given(DAYS)
def test_parse_date_reads_what_format_date_writes(day: datetime.date) -> None:
    iso = day.isoformat()
    for date in (iso, iso[:7], iso[:4]):
        assert parse_date(format_date(date)) == date
        assert parse_date(date) == date
    assert parse_date(f"{day:%d/%m/%Y}") == iso


@given(st.text(max_size=40) | st.integers() | st.floats() | st.none())
def test_parse_date_is_a_date_or_none(value: object) -> None:
    date = parse_date(value)
    if date is not None:
        first, last = map(datetime.date.fromisoformat, date_bounds(date))
        assert first <= last


@given(DAYS)
def test_date_bounds_are_the_calendar(day: datetime.date) -> None:
    iso = day.isoformat()
    first, last = map(datetime.date.fromisoformat, date_bounds(iso[:7]))
    after = last + datetime.timedelta(days=1)
    assert (first.day, first.month, first.year) == (1, day.month, day.year)
    assert (after.day, (after - first).days in range(28, 32)) == (1, True)
    assert date_bounds(iso) == (iso, iso)
    assert date_bounds(iso[:4]) == (f"{iso[:4]}-01-01", f"{iso[:4]}-12-31")


@pytest.mark.parametrize(
    "date", ["", "22", "2022-1", "2022-13", "2022-02-30", "octobre 2022", "2022-10-11T10:00", "٢٠٢٢"]
)
def test_date_bounds_and_format_date_refuse(date: str) -> None:
    with pytest.raises(InputError, match="expected YYYY"):
        date_bounds(date)
    with pytest.raises(InputError, match="expected YYYY"):
        format_date(date)


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("2022", "2022"),
        ("2022-10", "octobre 2022"),
        ("2022-10-11", "11 octobre 2022"),
        ("2020-05-01", "1er mai 2020"),
        ("2021-12-09", "9 décembre 2021"),
    ],
)
def test_format_date(date: str, words: str) -> None:
    assert format_date(date) == words


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (" date 2022-10 ", "2022-10"),
        ("date 2022\n", "2022"),
        ("DATE 2022-10-11\r\n\r\n", "2022-10-11"),
        ("\ufeffdate: 2022-10-11 ", "2022-10-11"),
        ("\n\n Date : 11 octobre 2022\n\n", "2022-10-11"),
        ("Date\u00a0: mardi 11 octobre 2022\n", "2022-10-11"),
        ("date 1er mai 2020 ", "2020-05-01"),
        ("date : décembre 2020\n", "2020-12"),
        ("date 11/10/2022\t", "2022-10-11"),
        ("date: 2022-10-11T08:00:00Z\n", "2022-10-11"),
    ],
)
@pytest.mark.parametrize("prose", ["Les bombardements.", "« Oui »", "2 morts", ""])
def test_read_header(header: str, expected: str, prose: str) -> None:
    text = header + prose
    assert read_header(text) == (expected, len(header))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Les faits. date 2022-10 ",
        "Date limite : 2022-10-11",
        "dates 2022-10 ",
        "datées 2022",
        "date 2022 du traité, une année noire",
        "date 2022-13 Les faits",
        "date 31 février 2022 Les faits",
        "date 2022, puis rien",
        "date 20221 Les faits",
        "Date à retenir : 2022",
    ],
)
def test_no_header(text: str) -> None:
    assert read_header(text) == (None, 0)


PHRASES = [
    ("Que s'est-il passé [en octobre 2022] ?", "2022-10-01", "2022-10-31"),
    ("[En fevrier 2020], qui a gagné ?", "2020-02-01", "2020-02-29"),
    ("Que dit l'Otan [en 2018] ?", "2018-01-01", "2018-12-31"),
    ("Qui a joué à Paris [en 2018] les finales ?", "2018-01-01", "2018-12-31"),
    ("Qu'a fait la France [depuis 2019] ?", "2019-01-01", None),
    ("Et [depuis le 3 mai 2020] ?", "2020-05-03", None),
    ("Les grèves [à partir de mars 2020]", "2020-03-01", None),
    ("Les ventes [dès 2018] ?", "2018-01-01", None),
    ("Quels accords [après 2015] ?", "2016-01-01", None),
    ("Quels accords [après le 3 mai 2021] ?", "2021-05-04", None),
    ("Quels accords [avant 2015] ?", None, "2014-12-31"),
    ("Quels accords [avant le 1er mars 2020] ?", None, "2020-02-29"),
    ("Les règles [jusqu'en 2015]", None, "2015-12-31"),
    ("Les règles [jusqu’au 3 mai 2020]", None, "2020-05-03"),
    ("Qui est mort [le 11 octobre 2022] ?", "2022-10-11", "2022-10-11"),
    ("Qui est mort [le vendredi 13 novembre 2015] ?", "2015-11-13", "2015-11-13"),
    ("Qui est mort [le 11/10/2022] ?", "2022-10-11", "2022-10-11"),
    ("Les morts [entre mars et mai 2020]", "2020-03-01", "2020-05-31"),
    ("Les morts [entre novembre et février 2020]", "2019-11-01", "2020-02-29"),
    ("Les morts [de 2015 à 2018]", "2015-01-01", "2018-12-31"),
    ("Les morts [d'avril à juin 2021]", "2021-04-01", "2021-06-30"),
    ("Les morts [du 3 au 10 mai 2020]", "2020-05-03", "2020-05-10"),
    ("Les morts [entre le 28 avril et le 10 mai 2020]", "2020-04-28", "2020-05-10"),
    ("Le budget [en 2015-2016]", "2015-01-01", "2016-12-31"),
    ("Les prix [fin 2019]", "2019-01-01", "2019-12-31"),
    ("Les prix [à la fin de l'année 2020]", "2020-01-01", "2020-12-31"),
    ("Les prix [mi-mars 2020]", "2020-03-01", "2020-03-31"),
    ("Les prix [au mois de mars]", "2022-03-01", "2022-03-31"),
    ("Les prix [en décembre]", "2021-12-01", "2021-12-31"),
    ("Les prix [le 29 février]", "2020-02-29", "2020-02-29"),
    ("Les prix [de mars à mai]", "2022-03-01", "2022-05-31"),
    ("La mode [dans les années 90]", "1990-01-01", "1999-12-31"),
    ("La mode [au cours des années 2010]", "2010-01-01", "2019-12-31"),
    ("La mode [depuis les années 80]", "1980-01-01", None),
    ("Qui a gagné [l'an dernier] ?", "2021-01-01", "2021-12-31"),
    ("Qui a gagné [l’année dernière] ?", "2021-01-01", "2021-12-31"),
    ("Les ventes [le mois dernier]", "2022-09-01", "2022-09-30"),
    ("Les ventes [mois dernier]", "2022-09-01", "2022-09-30"),
    ("Les ventes [la semaine passée]", "2022-10-03", "2022-10-09"),
    ("Les ventes [cette semaine]", "2022-10-10", "2022-10-16"),
    ("Les ventes [ce mois-ci]", "2022-10-01", "2022-10-31"),
    ("Les ventes [cette année]", "2022-01-01", "2022-12-31"),
    ("Que s'est-il passé [hier] ?", "2022-10-11", "2022-10-11"),
    ("Que s'est-il passé [avant-hier] ?", "2022-10-10", "2022-10-10"),
    ("Que se passe-t-il [aujourd’hui] ?", "2022-10-12", "2022-10-12"),
    ("Qui a joué [lundi dernier] ?", "2022-10-10", "2022-10-10"),
    ("Qui a joué [mercredi dernier] ?", "2022-10-05", "2022-10-05"),
    ("Qui a joué [le week-end dernier] ?", "2022-10-08", "2022-10-09"),
    ("Qui a joué [il y a trois jours] ?", "2022-10-09", "2022-10-09"),
    ("Qui a joué [il y a 2 ans] ?", "2020-01-01", "2020-12-31"),
    ("Qui a joué [depuis trois ans] ?", "2019-10-12", None),
    ("Qui a joué [depuis sept mois] ?", "2022-03-12", None),
    ("Qui a joué [depuis hier] ?", "2022-10-11", None),
    ("Qui a joué [les 30 derniers jours] ?", "2022-09-12", "2022-10-12"),
    ("Qui a joué [ces dernières semaines] ?", "2022-09-14", "2022-10-12"),
    ("Quelles sont les [actualités du 11 octobre 2022] ?", "2022-10-11", "2022-10-11"),
]


@pytest.mark.parametrize(("marked", "since", "until"), PHRASES)
def test_find_date_phrase(marked: str, since: str | None, until: str | None) -> None:
    question = marked.replace("[", "").replace("]", "")
    expected = DatePhrase(since, until, Span(marked.index("["), marked.index("]") - 1))
    assert find_date_phrase(question, today=TODAY) == expected


@pytest.mark.parametrize(
    "question",
    [
        "",
        "Combien de navires ?",
        "2022 personnes sont-elles mortes ?",
        "Qui a remporté la Coupe du monde 2022 ?",
        "Quels loyers entre 1600 et 2000 euros ?",
        "Qui gagne moins de 2000 € ?",
        "Qui a couru en 2000 mètres ?",
        "Qui veut aller sur Mars ?",
        "Que s'est-il passé le 31 février 2020 ?",
        "Qui a parlé en sept jours ?",
        "Que sait-on de la mode des années 80 ?",
        "Les attentats du 13 novembre 2015 ont fait combien de morts ?",
        "La ligne 2018-A existe-t-elle ?",
    ],
)
def test_no_date_phrase(question: str) -> None:
    assert find_date_phrase(question, today=TODAY) is None


def test_folding_keeps_offsets() -> None:
    question = "İİ ſ Où e\u0301tait-il en de\u0301cembre 2020 ?"
    phrase = find_date_phrase(question, today=TODAY)
    assert phrase is not None
    assert question[phrase.span.start : phrase.span.end] == "en de\u0301cembre 2020"


@given(DAYS, st.text(max_size=20), DAYS)
def test_a_day_in_words_is_found_where_it_stands(day: datetime.date, before: str, today: datetime.date) -> None:
    words = f"le {format_date(day.isoformat())}"
    question = f"{before} . {words} ?"
    phrase = find_date_phrase(question, today=today)
    assert phrase is not None
    if not any(character.isalnum() for character in before):
        assert (phrase.since, phrase.until) == (day.isoformat(), day.isoformat())
        assert question[phrase.span.start : phrase.span.end] == words


@given(st.text(max_size=60), DAYS)
def test_any_question_is_read(question: str, today: datetime.date) -> None:
    phrase = find_date_phrase(question, today=today)
    assert phrase is None or 0 <= phrase.span.start < phrase.span.end <= len(question)
