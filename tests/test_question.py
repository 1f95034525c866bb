"""What a question asks for, against readings written by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import InputError
from index.search import MAX_QUESTION_CHARS
from qa.question import read_question
from qa.types import DateRange

QUESTIONS = [
    ("Qui a signé le traité ?", "who", ()),
    ("Qui est la directrice du musée ?", "who", ("directrice",)),
    ("Par qui le pont a-t-il été dessiné ?", "who", ()),
    ("Le comité a choisi qui ?", "who", ()),
    ("Quel ministre a démissionné ?", "who", ("ministre",)),
    ("Quelle célèbre romancière habite ici ?", "who", ("romancière",)),
    ("Quel ex-entraîneur revient ?", "who", ("ex-entraîneur",)),
    ("Comment s'appelle la patronne du café ?", "who", ("patronne",)),
    ("Quel est le nom du maire de Nantes ?", "who", ("maire",)),
    ("En quelle année le phare fut-il construit ?", "when", ("année",)),
    ("À quelle heure ferme le guichet ?", "when", ("heure",)),
    ("Depuis quand la ligne est-elle fermée ?", "when", ()),
    ("La gare a rouvert quand ?", "when", ()),
    ("Où se trouve le phare ?", "where", ()),
    ("D'où vient le vin ?", "where", ()),
    ("Dans quel pays pousse le teck ?", "where", ("pays",)),
    ("Le maire de quelle ville a démissionné ?", "where", ("ville",)),
    ("Combien de phares compte la côte ?", "how_many", ("phares",)),
    ("Combien coûte le billet ?", "how_many", ()),
    ("Depuis combien de temps pleut-il ?", "how_many", ("temps",)),
    ("Quel est le prix du pain ?", "how_many", ("prix",)),
    ("Quel âge a la doyenne ?", "how_many", ("âge",)),
    ("Comment s'appelle le bateau ?", "what", ("bateau",)),
    ("De quoi le village a-t-il besoin ?", "what", ()),
    ("Que contient la boîte ?", "what", ()),
    ("Quelle équipe a gagné ?", "what", ("équipe",)),
    ("Qu'est-ce que l'entreprise a annoncé ?", "what", ()),
    ("Qu'est-ce qu'une écluse ?", "definition", ()),
    ("C'est quoi un drone ?", "definition", ()),
    ("Pourquoi la route est-elle coupée ?", "why", ()),
    ("Pour quelle raison le bac est-il annulé ?", "why", ("raison",)),
    ("Comment le maire justifie-t-il ce choix ?", "why", ()),
    ("Comment ouvre-t-on une huître ?", "how", ()),
    ("Le vieil homme, il est mort comment selon la police ?", "how", ()),
    ("Est-ce que le musée est gratuit ?", "yes_no", ()),
    ("Le port a-t-il été agrandi ?", "yes_no", ()),
    ("Y a-t-il des blessés ?", "yes_no", ()),
    ("Le maire, qui a démissionné, est-il revenu ?", "yes_no", ()),
    ("date élection Chypre", "when", ("date",)),
    ("superficie du lac Léman en hectares", "how_many", ("superficie",)),
    ("secrétaire général syndicat des marins", "who", ("secrétaire",)),
    ("lieu du festival 2019", "where", ("lieu",)),
    ("phare Ouessant", "other", ()),
]


@pytest.mark.parametrize(("text", "kind", "focus"), QUESTIONS)
def test_kind_and_focus(text: str, kind: str, focus: tuple[str, ...]) -> None:
    question = read_question(text)
    assert (question.kind, question.focus) == (kind, focus)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ou se trouve le phare", "where"),
        ("OÙ SE TROUVE LE PHARE", "where"),
        ("a quelle heure ferme le guichet", "when"),
        ("pourquoi l’ecluse est elle fermee", "why"),
        ("est ce que le musee est gratuit", "yes_no"),
        ("le port a t il ete agrandi", "yes_no"),
        ("qu’est ce qu’une ecluse", "definition"),
        ("quel age a la doyenne", "how_many"),
        ("Quel a\u0302ge a la doyenne ?", "how_many"),
    ],
)
def test_typing_does_not_change_the_kind(text: str, kind: str) -> None:
    assert read_question(text).kind == kind


def test_kind_is_read_from_what_is_understood() -> None:
    question = read_question(
        "Et à Lyon ?", understood_as="Combien de ponts y a-t-il à Lyon ?", dates=DateRange("2022-01-01")
    )
    assert (question.text, question.kind, question.focus) == ("Et à Lyon ?", "how_many", ("ponts",))
    assert question.dates == DateRange("2022-01-01")


def test_control_characters_do_not_hide_words() -> None:
    question = read_question(" Qui\x00a \x1b signé\u200b ?\n")
    assert question.understood_as == "Qui a signé ?"
    assert question.kind == "who"


@pytest.mark.parametrize("text", ["", " \t\n", "\x00\x07", "\u200b"])
def test_empty_question_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="La question est vide"):
        read_question(text)


def test_long_question_is_refused() -> None:
    assert read_question("a" * MAX_QUESTION_CHARS).text == "a" * MAX_QUESTION_CHARS
    with pytest.raises(InputError, match=r"10000 caractères, le maximum est de 2000"):
        read_question("a" * 10_000)


@given(
    st.lists(
        st.sampled_from(["qui", "quel", "de", "l'", "?", ",", "nom", "est", "combien", "est-ce", "ou", "2019"]),
        min_size=1,
    )
)
def test_any_words_are_read(words: list[str]) -> None:
    question = read_question(" ".join(words))
    lower = question.understood_as.lower()
    assert all(noun in lower for noun in question.focus)
