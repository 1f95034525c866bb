"""How old somebody is: whose age is asked for, and where a text tells it of that name."""

from __future__ import annotations

from pathlib import Path

import pytest

from index import CorpusIndex, Document
from qa import Chatbot
from qa.ages import AgeQuestion, find_ages, read_age_question
from tests.dated_sentences import said, sentences


def ages(name: str, *texts: str | tuple[str, str]) -> list[str]:
    return [said(age) for age in find_ages(AgeQuestion(name), sentences(*texts))]


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Quel âge a Carlos Ghosn ?", "Carlos Ghosn"),
        ("Quel âge avait Maëlys ?", "Maëlys"),
        ("quel age a carlos ghosn", "carlos ghosn"),
        ("Carlos Ghosn a quel âge ?", "Carlos Ghosn"),
        ("Quel est l’âge de Brigitte Macron ?", "Brigitte Macron"),
        ("Quel âge a la reine Elizabeth II ?", "Elizabeth II"),
        ("Quel âge Carlos Ghosn a-t-il ?", "Carlos Ghosn"),
        ("Quel âge a Ursula von der Leyen ?", "Ursula von der Leyen"),
        ("Quel âge avait Jacques Chirac à sa mort ?", None),
        ("Quel âge a-t-il ?", None),
        ("Quel âge a la victime ?", None),
        ("Quel âge faut-il avoir pour voter ?", None),
    ],
)
def test_whose_age_is_asked_for(question: str, name: str | None) -> None:
    assert read_age_question(question) == (None if name is None else AgeQuestion(name))


@pytest.mark.parametrize(
    "text",
    [
        "Jean Grand, 42 ans, a gagné.",
        "Jean Grand (42 ans) a gagné.",
        "Jean Grand, âgé de 42 ans, a gagné.",
        "Jean Grand a 42 ans.",
        "Jean Grand, qui a aujourd'hui 42 ans, a gagné.",
        "Jean Grand est âgé de 42 ans et vit à Lyon.",
        "À 42 ans, le maire Jean Grand a gagné.",
        "Âgé de 42 ans, Jean Grand a gagné.",
        "Jean Grand fête lundi ses 42 ans.",
        "Jean Grand est mort mardi dans son sommeil à l'âge de 42 ans.",
    ],
)
def test_an_age_is_said_of_the_name(text: str) -> None:
    assert ages("Jean Grand", text) == ["42 ans"]


@pytest.mark.parametrize(
    "text",
    [
        "Jean Grand a été condamné à 42 ans de prison.",
        "Jean Grand, 42 ans après son père, a gagné.",
        "Jean Grand a rencontré Paul Petit, 42 ans.",
        "Le fils de Jean Grand, un garçon de 42 ans, a gagné.",
        "Jean Grand, 420 ans, a gagné.",
        "Jean Grandet, 42 ans, a gagné.",
    ],
)
def test_or_of_something_else(text: str) -> None:
    assert ages("Jean Grand", text) == []


def test_ages_of_one_year_of_birth_agree_and_the_newest_is_told() -> None:
    texts = (
        ("2018-05-01", "Jean Grand, 40 ans, a parlé."),
        ("2019-05-01", "Jean Grand, 41 ans, a parlé."),
        ("2020-01-01", "Jean Grand, 42 ans, a parlé."),
        ("2020-02-01", "Jean Grand, 12 ans, a parlé."),
    )
    assert ages("Jean Grand", *texts) == ["42 ans"]
    assert ages("jean grand", "Jean Grand, 40 ans, a parlé.") == ["40 ans"]


def test_the_chatbot_does_not_take_the_age_of_somebody_else(tmp_path: Path) -> None:
    corpus = CorpusIndex.create(tmp_path / "index")
    text = "Le maire Jean Grand a reçu mardi un coureur âgé de 99 ans. Jean Grand, 42 ans, courait aussi autrefois."
    corpus.put([Document("1", "a.txt", text)])
    answer = Chatbot(corpus).ask("Quel âge a Jean Grand ?")
    assert (answer.answered, answer.short_answer) == (True, "42 ans")
    assert answer.citations[0].text in text
