"""What is said without asking anything of the documents, and what is asked of the corpus itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from index import CorpusIndex, Document
from qa import Chatbot
from qa.small_talk import asks_of_the_corpus, reply_to
from ui.answers import render_answer
from ui.sources import render_sources

TRAM = "Le tramway de Nice a coûté 60 millions d'euros. Il a été inauguré en 2007 par le maire de la ville."


@pytest.fixture
def chatbot(tmp_path: Path) -> Chatbot:
    corpus = CorpusIndex.create(tmp_path / "index")
    corpus.put(
        [
            Document("1", "tram.txt", TRAM, title="Le tramway de Nice", date="2019-05-02"),
            Document(
                "2", "bac.txt", "Le bac de Kerity relie deux villages depuis 1952.", title="Le *bac*", date="2022-10"
            ),
        ]
    )
    return Chatbot(corpus)


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour !",
        "merci beaucoup",
        "Qui es-tu ?",
        "tu es nul",
        "Espèce d’idiot",
        "à l'aide",
        "Bonjour, peux-tu m’aider ?",
    ],
)
def test_small_talk_gets_a_word_and_no_citation(chatbot: Chatbot, text: str) -> None:
    answer = chatbot.ask(text)
    assert reply_to(text) == answer.text == answer.reason
    assert (answer.answered, answer.citations) == (False, ())


@pytest.mark.parametrize(
    "text", ["Qui est nul ?", "Bonjour, qui est le maire de Nice ?", "L'aide a-t-elle été versée ?"]
)
def test_questions_are_no_small_talk(text: str) -> None:
    assert reply_to(text) is None


def test_a_greeting_is_not_what_a_follow_up_is_about(chatbot: Chatbot) -> None:
    talk = chatbot.conversation()
    talk.ask("Combien le tramway de Nice a-t-il coûté ?")
    talk.ask("merci")
    talk.ask("Combien de documents as-tu ?")
    assert "tramway" in talk.ask("Et qui l'a inauguré ?").understood_as


def test_an_empty_index_greets_too(tmp_path: Path) -> None:
    assert "Bonjour" in Chatbot(CorpusIndex.create(tmp_path / "index")).ask("bonjour").text
    assert "aucun document" in Chatbot(CorpusIndex.create(tmp_path / "other")).ask("Combien de documents as-tu ?").text


@pytest.mark.parametrize(
    "text",
    [
        "Combien de documents as-tu ?",
        "De quoi parlent ces documents ?",
        "Quels sujets connais-tu ?",
        "Sur quoi puis-je te poser des questions ?",
        "De quand datent les articles ?",
        "Quel est le document le plus récent ?",
        "Jusqu’à quelle date vont les documents ?",
    ],
)
def test_what_is_there_is_told_with_its_dates(chatbot: Chatbot, text: str) -> None:
    answer = chatbot.ask(text)
    assert answer.text == (
        "Il y a 2 documents, du 2 mai 2019 au 31 octobre 2022. "
        "Parmi les plus récents : « Le \\*bac\\* », « Le tramway de Nice »."
    )
    assert (answer.answered, answer.citations) == (False, ())


@pytest.mark.parametrize(
    "text",
    [
        "Combien de documents ont été volés ?",
        "De quoi parlent-ils ?",
        "Quels documents faut-il ?",
        "De quand date le tramway ?",
    ],
)
def test_questions_for_the_documents_are_not_of_the_corpus(text: str) -> None:
    assert not asks_of_the_corpus(text)


@pytest.mark.parametrize("text", ["bonjour", "Combien de documents as-tu ?"])
def test_on_the_page_it_is_no_refusal(chatbot: Chatbot, text: str) -> None:
    answer = chatbot.ask(text)
    shown = render_answer(answer, 1)
    assert "Sans réponse" not in shown
    assert "judge" not in shown
    assert "Aucune phrase" not in render_sources(answer, 1, corpus=chatbot.corpus)
    refused = chatbot.ask("Qui a gagné le Tour d'Italie de 1949 ?")
    assert "Sans réponse" in render_answer(refused, 1)


def test_titles_are_shown_as_they_are(chatbot: Chatbot) -> None:
    assert "Le &#42;bac&#42;" in render_answer(chatbot.ask("Combien de documents as-tu ?"), 1)
