"""Several questions in one, and what is said without asking anything."""

import pytest

from index import CorpusIndex, Document
from qa import Chatbot
from qa.several import split_questions

TEXT = (
    "Le maire de Nice, Paul Petit, a inauguré un tramway mardi. "
    "Le tramway de Nice transporte 9 000 voyageurs chaque jour. "
    "Le tramway de Nice a coûté 60 millions d'euros."
)


@pytest.fixture(scope="module")
def chatbot(tmp_path_factory: pytest.TempPathFactory) -> Chatbot:
    corpus = CorpusIndex.create(tmp_path_factory.mktemp("several") / "index")
    corpus.put([Document("1", "tram.txt", TEXT, date="2021-03-02")])
    return Chatbot(corpus)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Qui est le maire de Nice et quand a-t-il parlé ?", ("Qui est le maire de Nice ?", "Quand a-t-il parlé ?")),
        ("Où est-il né ? Et quand ?", ("Où est-il né ?", "Et quand ?")),
        ("Qui a gagné ? Pourquoi ? Où ?", ("Qui a gagné ?", "Pourquoi ?", "Où ?")),
        ("Combien de morts et combien de blessés à Nice ?", None),
        ("Qui a vu Pierre et Marie ?", None),
        ("Que dit M. Petit ? Il a parlé.", None),
        ("Combien ? Qui ? Où ? Quand ?", None),
        ("Nice", None),
        ("", None),
    ],
)
def test_split_questions(text: str, parts: tuple[str, ...] | None) -> None:
    assert split_questions(text) == (parts or (text,))


def test_each_question_is_answered_with_its_own_citation(chatbot: Chatbot) -> None:
    answer = chatbot.ask("Qui est le maire de Nice et combien le tramway de Nice a-t-il coûté ?")
    assert answer.answered
    assert [citation.marker for citation in answer.citations] == list(range(1, len(answer.citations) + 1))
    assert "**Paul Petit** [1]" in answer.text
    assert "**60 millions d'euros** [2]" in answer.text
    assert answer.short_answer == "Paul Petit"
    for statement in answer.statements:
        cited = " ".join(answer.citations[marker - 1].text for marker in statement.markers)
        assert statement.text in " ".join(cited.split())
    for citation in answer.citations:
        assert TEXT[citation.start : citation.end] == citation.text


def test_the_second_question_may_lean_on_the_first_and_one_may_be_refused(chatbot: Chatbot) -> None:
    answer = chatbot.ask("Combien le tramway de Nice a-t-il coûté ? Et qui a gagné le Tour d'Italie de 1949 ?")
    assert answer.answered
    assert "60 millions d'euros" in answer.text
    assert "ne répondent pas" in answer.text
    assert len(answer.citations) == 1
