"""Statements against sentences: each kind of error by hand, and properties that hold for any sentence."""

from __future__ import annotations

import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.types import Document, Sentence, Span
from qa import Verdict, verify_statement
from qa.evaluation.citations import citation_values
from qa.facts import read_facts
from qa.types import Answer, Citation, Statement

PORT = "Le 3 mai 2021, l'amiral Jean Morel a quitté Brest avec plus de 30 navires et 1 900 marins."
AID = "Le parlement n'a pas adopté l'aide de 2,5 millions d'euros, en hausse de 12 % depuis 2019."
DUEL = "Le maire Paul Durand a critiqué la ministre Anne Petit lors du débat de mardi."


@pytest.mark.parametrize(
    ("statement", "source"),
    [
        ("L'amiral Jean Morel est parti de Brest le 3 mai 2021.", PORT),
        ("Plus de trente navires ont quitté Brest.", PORT),
        ("1.900 marins ont quitté Brest.", PORT),
        ("Morel a quitté Brest en mai 2021.", PORT),
        ("Le parlement n'a pas adopté l'aide de 2 500 000 euros.", AID),
        ("L'aide est en hausse de 12 pour cent depuis 2019.", AID),
        ("Paul Durand a critiqué Anne Petit mardi.", DUEL),
        ("La ministre Anne Petit a été critiquée par le maire Paul Durand.", DUEL),
        ("Il refuse de partir.", "Il ne veut pas partir."),
        ("Il a vite répondu.", "Il n'a pas tardé à répondre."),
        ("Le départ a lieu à 8 h 30.", "Le départ a lieu à 8h30."),
        ("Vingt-deux ports sont fermés.", "On compte 22 ports fermés."),
        ("Quatre-vingt-dix-sept marins dorment.", "97 marins dorment."),
    ],
)
def test_true_statements_are_supported(statement: str, source: str) -> None:
    assert verify_statement(statement, [source]) == Verdict("supported")


@pytest.mark.parametrize(
    ("statement", "source", "reason"),
    [
        ("Plus de 80 navires ont quitté Brest.", PORT, "le nombre « 80 » n’est pas dans la source"),
        ("Moins de 30 navires ont quitté Brest.", PORT, "la comparaison est inversée"),
        ("1 900 navires ont quitté Brest.", PORT, "compte autre chose"),
        ("Jean Morel a quitté Brest le 4 mai 2021.", PORT, "la date « le 4 mai 2021 »"),
        ("Jean Morel a quitté Brest le 3 mai 2022.", PORT, "la date"),
        ("Jean Morel a quitté Brest le 3 juin 2021.", PORT, "la date"),
        ("Jean Morel a quitté Toulon.", PORT, "le nom « Toulon »"),
        ("Paul Morel a quitté Brest.", PORT, "le nom « Paul Morel »"),
        ("Jean Morel n'a pas quitté Brest.", PORT, "négation"),
        ("Le parlement a adopté l'aide de 2,5 millions d'euros.", AID, "négation"),
        ("L'aide de 2,5 millions de dollars n'a pas été adoptée.", AID, "l’unité diffère"),
        ("L'aide de 2,5 milliards d'euros n'a pas été adoptée.", AID, "le nombre « 2,5 milliards d euros »"),
        ("L'aide est en baisse de 12 % depuis 2019.", AID, "« baisse » au lieu de « hausse »"),
        ("Anne Petit a critiqué Paul Durand mardi.", DUEL, ""),
        ("Paul Durand a critiqué Anne Petit jeudi.", DUEL, "la date « jeudi »"),
        ("La pêche au thon reprend au large.", PORT, "la source ne dit rien de tel"),
        ("Le thon.", "", "la source ne dit rien de tel"),
    ],
)
def test_false_statements_are_not(statement: str, source: str, reason: str) -> None:
    verdict = verify_statement(statement, [source])
    assert verdict.status == "unsupported"
    assert reason in (verdict.reason or "")


def test_an_addition_is_supported_in_part_only() -> None:
    verdict = verify_statement("Jean Morel a quitté Brest après une longue dispute familiale.", [PORT])
    assert verdict == Verdict("partly", "la source ne dit pas « longue dispute familiale »")


def test_without_sources_nothing_is_supported() -> None:
    assert verify_statement("Morel a quitté Brest.", []) == Verdict("unsupported", "aucune source n’est citée")


def test_two_sentences_support_together_what_neither_does_alone() -> None:
    statement = "Jean Morel a quitté Brest, et Paul Durand a critiqué Anne Petit."
    assert verify_statement(statement, [PORT, DUEL]).status == "supported"
    assert {verify_statement(statement, [each]).status for each in (PORT, DUEL)} == {"unsupported"}


def test_a_document_lends_its_date() -> None:
    text = "L'amiral quitte Brest mardi."
    document = Document(id="d", source="d.txt", text=text, date="2021-05")
    sentence = Sentence(document, Span(0, len(text)))
    assert verify_statement("L'amiral quitte Brest en mai 2021.", [sentence]).status == "supported"
    assert verify_statement("L'amiral quitte Brest en mai 2021.", [text]).status == "unsupported"
    assert verify_statement("L'amiral quitte Brest en mai 2020.", [sentence]).status == "unsupported"


def test_a_name_before_the_sentence_supports_in_part() -> None:
    text = "Jean Morel commande la flotte. Il a quitté Brest mardi."
    document = Document(id="d", source="d.txt", text=text, title="Au port de Paul Durand")
    sentence = Sentence(document, Span(31, len(text)))
    for name in ("Jean Morel", "Paul Durand"):
        verdict = verify_statement(f"{name} a quitté Brest mardi.", [sentence])
        assert verdict.status == "partly"
        assert verdict.reason == f"le nom « {name} » n’est pas dans la source, mais plus haut dans le document"
    assert verify_statement("Anne Petit a quitté Brest mardi.", [sentence]).status == "unsupported"
    assert verify_statement("Jean Morel a quitté Brest mardi.", [text]).status == "supported"


UNITS = ["{} navires", "{} euros", "{} ans", "{} %", "{} kilomètres", "{} personnes"]


@given(st.integers(3, 999_999), st.integers(3, 999_999), st.sampled_from(UNITS))
def test_any_number_is_told_from_any_other(one: int, other: int, counted: str) -> None:
    source = f"Le port compte {counted.format(f'{one:,}'.replace(',', ' '))} selon le maire."
    assert verify_statement(f"Le port compte {counted.format(one)}.", [source]).status == "supported"
    if one != other:
        assert verify_statement(f"Le port compte {counted.format(other)}.", [source]).status == "unsupported"


def test_any_day_is_told_from_any_other() -> None:
    days = [f"{day} {month}" for day, month in product((1, 2, 11, 12, 21, 31), ("janvier", "mai", "août"))]
    for one, other in product(days, days):
        verdict = verify_statement(f"Le navire part le {other}.", [f"Le navire part le {one} de Brest."])
        assert (verdict.status == "supported") == (one == other)


@given(st.text(max_size=80), st.lists(st.text(max_size=80), max_size=2))
def test_any_text_gets_a_verdict_with_a_reason(statement: str, sources: list[str]) -> None:
    verdict = verify_statement(statement, sources)
    assert (verdict.reason is None) == (verdict.status == "supported")
    assert verdict == verify_statement(statement, sources)


@pytest.mark.parametrize(
    ("words", "value"),
    [
        *(
            ("vingt et un", 21),
            ("soixante-dix", 70),
            ("quatre-vingts", 80),
            ("quatre-vingt-onze", 91),
            ("deux cents", 200),
        ),
        *(("trois mille deux cents", 3200), ("une dizaine", 10), ("1,5 million", 1_500_000), ("12.000", 12_000)),
        *(("mille", 1000), ("cent vingt-six mille", 126_000), ("2 milliards", 2e9)),
    ],
)
def test_numbers_in_words_have_their_value(words: str, value: float) -> None:
    assert [number.value for number in read_facts(f"On en compte {words} ici.").numbers][-1] == value


def test_an_answer_is_checked_within_20_ms() -> None:
    statements = [f"L'amiral Jean Morel a quitté Brest avec {n} navires." for n in range(3, 11)]
    verify_statement("Un essai.", ["Un essai."])  # the tables are made once
    start = time.perf_counter()
    for statement in statements:
        verify_statement(statement, [PORT, AID, DUEL])
    assert time.perf_counter() - start < 0.2  # ten times the aim, as timing must not fail on a busy machine


def test_citation_recall_and_precision_by_hand() -> None:
    citations = tuple(
        Citation(marker, "d", "d.txt", None, None, 0, 1, text, 0.5) for marker, text in enumerate((PORT, AID, DUEL), 1)
    )
    statements = (
        Statement("Jean Morel a quitté Brest.", (1, 3), "supported"),  # supported; 1 is needed, 3 is not
        Statement("Jean Morel a quitté Toulon.", (1,), "unsupported"),  # not supported, so its citation is no good
        Statement("Il pleut.", (), "unsupported"),
    )
    answer = Answer(
        *("q", "q", True, "", None, 0.5, None, citations, 1, "m", statements),
        is_written=True,
    )
    assert citation_values(answer) == {"citation_recall": 1 / 3, "citation_precision": 1 / 3}
