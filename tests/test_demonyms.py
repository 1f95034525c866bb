"""Countries by their names and their adjectives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.demonyms import NATION, adjectives_of, with_nations


@pytest.mark.parametrize(
    ("name", "adjective"),
    [
        ("Turquie", "turque"),
        ("États-Unis", "américain"),
        ("Etats-Unis d’Amérique", "Américaines"),
        ("Nouvelle-Zélande", "néo-zélandaise"),
        ("nouvelle zelande", "neo zelandais"),
        ("Corée du Nord", "nord-coréens"),
        ("Côte d’Ivoire", "ivoirienne"),
        ("Pays-Bas", "hollandais"),
        ("Grèce", "grecques"),
        ("Allemagne", "allemande"),
        ("Maroc", "marocaine"),
        ("Argentine", "argentins"),
        ("Espagne", "espagnole"),
        ("Royaume-Uni", "britanniques"),
        ("Égypte", "égyptienne"),
    ],
)
def test_a_country_and_its_adjective_are_one_word(name: str, adjective: str) -> None:
    words = with_nations(name)
    assert words.startswith(NATION)
    assert words.isalpha()
    assert with_nations(adjective) == words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Corée du Nord", "Corée du Sud"),
        ("Niger", "Nigeria"),
        ("Irlande", "Irlande du Nord"),
        ("Guinée", "Guinée équatoriale"),
    ],
)
def test_countries_that_share_a_word_are_two(one: str, other: str) -> None:
    assert with_nations(one) != with_nations(other)
    assert with_nations(other).isalpha()


@pytest.mark.parametrize(
    "text",
    [
        "Air France",
        "France Télévisions",
        "Île-de-France",
        "la franchise",
        "latino-américain",
        "Papouasie-Nouvelle-Guinée",
        "Paris",
    ],
)
def test_what_is_no_country_stays(text: str) -> None:
    assert NATION not in with_nations(text)


def test_the_rest_of_a_text_is_folded() -> None:
    assert with_nations("Le Président turc à l’été") == "le president nationturquie a l'ete"


def test_adjectives_of_the_countries_named() -> None:
    assert adjectives_of("le président de l’Ukraine et celui des etats-unis") == [
        "américain",
        "américaine",
        "ukrainien",
        "ukrainienne",
    ]
    assert adjectives_of("le maire de Lyon") == []


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    with_nations(text)
    adjectives_of(text)
