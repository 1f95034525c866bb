"""Questions that the corpus is sure to answer: well-formed, and asked beforehand."""

from pathlib import Path

import pytest

from index import CorpusIndex, Document
from qa import Chatbot
from qa.suggestions import follow_up_questions, suggested_questions

TEXTS = {
    "bac.txt": (
        "Quarante voitures ont été transportées par le bac de Kerity dimanche. "
        "La directrice du port de Brest, Anne Morel, a salué ce record."
    ),
    "fete.txt": (
        "La fête de la Mer aura lieu le 12 août 2021 à Concarneau. "
        "La Société nationale de sauvetage en mer (SNSM) tiendra un stand."
    ),
    "pluie.txt": "Il a plu. Cette pluie a duré.",
}


@pytest.fixture(scope="module")
def chatbot(tmp_path_factory: pytest.TempPathFactory) -> Chatbot:
    corpus = CorpusIndex.create(tmp_path_factory.mktemp("suggestions") / "index")
    corpus.put([Document(name, name, text) for name, text in TEXTS.items()])
    return Chatbot(corpus)


def test_they_are_of_several_kinds_and_answered(chatbot: Chatbot) -> None:
    suggested = suggested_questions(chatbot, n=4)
    assert len(set(suggested)) == 4
    assert len({question.split()[0] for question in suggested}) >= 3
    assert "Qui est Anne Morel ?" in suggested
    for question in suggested:
        assert chatbot.ask(question).answered, question


def test_each_wording_is_that_of_its_sentence(chatbot: Chatbot) -> None:
    suggested = suggested_questions(chatbot, n=10)
    assert "Quand aura lieu la fête de la Mer ?" in suggested
    assert "Combien de voitures ont été transportées par le bac de Kerity dimanche ?" in suggested
    assert suggested[-1] == "De quoi parle le document « pluie.txt » ?"


def test_follow_ups_are_of_the_same_document_and_other_sentences(chatbot: Chatbot) -> None:
    answer = chatbot.ask("Combien de voitures ont été transportées par le bac de Kerity dimanche ?")
    assert follow_up_questions(chatbot, answer) == ("Qui est Anne Morel ?", "De quoi parle ce document ?")
    about = chatbot.ask("De quoi parle le document « bac.txt » ?")
    assert "De quoi parle ce document ?" not in follow_up_questions(chatbot, about)


def test_nothing_is_suggested_after_a_refusal_or_without_documents(chatbot: Chatbot, tmp_path: Path) -> None:
    refused = chatbot.ask("Quel est le prix du blé en Australie ?")
    assert not refused.answered
    assert follow_up_questions(chatbot, refused) == ()
    assert suggested_questions(Chatbot(CorpusIndex.create(tmp_path / "index"))) == ()
