"""What documents say of a subject at large: the request, the sentences, and what is about something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from index import CorpusIndex, Document
from qa import Answer, Chatbot
from qa.topics import TopicRequest, read_topic_request

BRIDGE = (
    "Le pont de Gassin rouvrira en mai, a annoncé la mairie lundi soir. Il était fermé depuis deux ans pour travaux. "
    "« Le pont de Gassin, c'est notre vie à tous », a dit un habitant. La plage reste fermée tout l'été."
)
OPENED = "Le pont de Gassin a rouvert samedi devant huit cents personnes. La mairie a offert un concert sur la place."
COPIED = "Le pont de Gassin a rouvert samedi devant huit cents personnes venues. Rien d'autre n'est connu de nous."
TOLL = "Le péage du pont de Gassin coûtera deux euros dès le mois de juin. Les habitants ne paieront rien du tout."
FERRY = "Le bac de Kerity relie deux villages depuis 1952, dont celui de Gassin. Il transporte quarante voitures."


@pytest.fixture(scope="module")
def chatbot(tmp_path_factory: pytest.TempPathFactory) -> Chatbot:
    corpus = CorpusIndex.create(tmp_path_factory.mktemp("topics") / "index")
    given = {
        "mars.txt": ("2022-03-01", "Le pont de Gassin", BRIDGE),
        "mai.txt": ("2022-05-14", "Le pont de Gassin rouvre", OPENED),
        "copie.txt": ("2022-05-14", "Le pont de Gassin", COPIED),
        "juin.txt": ("2022-06-01", "Un péage à Gassin", TOLL),
        "bac.txt": ("2022-07-01", "Le bac de Kerity", FERRY),
    }
    corpus.put([Document(name, name, text, title=title, date=date) for name, (date, title, text) in given.items()])
    return Chatbot(corpus)


@pytest.mark.parametrize(
    ("question", "topic", "wants_newest", "is_event"),
    [
        ("Quoi de neuf sur Alstom ?", "Alstom", True, False),
        ("Y a-t-il du nouveau sur le pont ?", "le pont", True, False),
        ("Quelles sont les dernières nouvelles du Brexit ?", "Brexit", True, False),
        ("donne moi les infos sur la grève", "la grève", True, False),
        ("Où en est l’enquête sur l’incendie ?", "l'enquête sur l'incendie", True, False),
        ("Que se passe-t-il en Biélorussie ?", "Biélorussie", True, False),
        ("Parle-moi de Greta Thunberg", "Greta Thunberg", False, False),
        ("Que sait-on de l'affaire Benalla ?", "affaire Benalla", False, False),
        ("Dis-moi ce que tu sais sur le pont", "le pont", False, False),
        ("Peux-tu me résumer la réforme des retraites ?", "la réforme des retraites", False, False),
        ("Explique-moi le Brexit", "le Brexit", False, False),
        ("Fais le point sur les négociations", "les négociations", False, False),
        ("Que s'est-il passé à Beyrouth ?", "Beyrouth", False, True),
        ("affaire Benalla", "affaire Benalla", False, True),
        ("coronavirus", "coronavirus", False, True),
    ],
)
def test_a_request_is_recognised(question: str, topic: str, *, wants_newest: bool, is_event: bool) -> None:
    assert read_topic_request(question) == TopicRequest(topic, wants_newest=wants_newest, is_event=is_event)


@pytest.mark.parametrize(
    "question",
    [
        "Parle-moi de lui",
        "Parle-moi de toi",
        "Dis-moi qui a gagné",
        "Explique-moi pourquoi il pleut",
        "Que s'est-il passé la veille ?",
        "Qui a rouvert le pont ?",
        "Quelles nouvelles mesures a-t-il annoncées ?",
        "Raconte",
        "continue",
        "plus de détails",
        "",
        "?",
        "le PSG",
        "combien de morts",
        "Macron est élu",
        "nombre de morts incendie",
    ],
)
def test_other_questions_are_none(question: str) -> None:
    assert read_topic_request(question) is None


def cited(answer: Answer) -> list[str]:
    return [citation.source for citation in answer.citations]


class TestAnswers:
    def test_news_are_the_newest_first_and_none_twice(self, chatbot: Chatbot) -> None:
        answer = chatbot.ask("Quelles sont les dernières nouvelles du pont de Gassin ?")
        assert answer.answered
        assert answer.short_answer is None
        sources = cited(answer)
        assert sources[0] == "juin.txt"
        assert set(sources[1:]) in ({"mai.txt", "mars.txt"}, {"copie.txt", "mars.txt"})
        dates = [citation.date or "" for citation in answer.citations]
        assert dates == sorted(dates, reverse=True)

    def test_each_sentence_is_of_the_subject_and_stands_by_itself(self, chatbot: Chatbot) -> None:
        answer = chatbot.ask("Que sait-on du pont de Gassin ?")
        texts = [citation.text for citation in answer.citations]
        assert len(texts) == 3
        assert all("pont de Gassin" in text and not text.startswith(("«", "Il")) for text in texts)
        for citation in answer.citations:
            text = chatbot.corpus.document(citation.source).text
            assert text[citation.start : citation.end] == citation.text
        assert answer.text.count("[") == len(answer.statements) == 3

    def test_of_a_subject_that_no_document_is_about_nothing_is_said(self, chatbot: Chatbot) -> None:
        for question in ("Quoi de neuf sur Zorglub ?", "Quoi de neuf sur le pont de kerity ?"):
            assert not chatbot.ask(question).answered

    def test_dates_and_numbers_asked_for_are_kept(self, chatbot: Chatbot) -> None:
        answer = chatbot.ask("Quoi de neuf sur le pont de Gassin ?", until="2022-04-30")
        assert cited(answer) == ["mars.txt"]
        assert len(chatbot.ask("Que sait-on du pont de Gassin ?", n_citations=2).citations) == 2

    def test_a_subject_alone_is_looked_up(self, chatbot: Chatbot) -> None:
        answer = chatbot.ask("péage Gassin")
        assert answer.answered
        assert "juin.txt" in cited(answer)
        assert not chatbot.ask("péage Zorglub").answered

    def test_what_happened_is_told_by_one_sentence_where_one_does(self, chatbot: Chatbot) -> None:
        assert chatbot.ask("Que s'est-il passé à Gassin ?").answered


def test_a_country_is_its_adjective_too_and_a_name_is_no_other_word(tmp_path: Path) -> None:
    corpus = CorpusIndex.create(tmp_path / "index")
    texts = {
        "minsk.txt": "L'opposition biélorusse a défilé dimanche dans les rues de la capitale.",
        "avion.txt": "Bombardier vendra ses trains à une entreprise française dès le mois de mai.",
        "guerre.txt": "Les bombardements ont repris dans la nuit près de la frontière, selon un habitant.",
    }
    corpus.put([Document(name, name, text) for name, text in texts.items()])
    chatbot = Chatbot(corpus)
    assert cited(chatbot.ask("Que se passe-t-il en Biélorussie ?")) == ["minsk.txt"]
    assert cited(chatbot.ask("Quoi de neuf sur Bombardier ?")) == ["avion.txt"]


@pytest.mark.parametrize("text", ["::H×", "Quoi de neuf sur le la ?", "Parle-moi de ?!", "Que sait-on de l' ?"])
def test_a_subject_without_a_word_is_none(chatbot: Chatbot, text: str) -> None:
    assert not chatbot.ask(text).answered


def test_what_cannot_stand_by_itself_is_not_quoted(tmp_path: Path) -> None:
    corpus = CorpusIndex.create(tmp_path / "index")
    texts = (
        "Je passe chaque jour par le pont de Gassin pour aller au travail depuis dix ans.",
        "« Le pont de Gassin est toute notre vie depuis dix ans », a dit un habitant.",
        "Que deviendra le pont de Gassin une fois que les travaux seront finis ?",
        "Le pont de Gassin sera repeint.",
    )
    whole = "Le pont de Gassin, fermé depuis deux ans, sera repeint au mois de mai."
    corpus.put([Document(str(n), f"{n}.txt", text) for n, text in enumerate((*texts, whole))])
    assert cited(Chatbot(corpus).ask("Que sait-on du pont de Gassin ?")) == ["4.txt"]


def test_a_corpus_without_dates_or_titles(tmp_path: Path) -> None:
    corpus = CorpusIndex.create(tmp_path / "index")
    corpus.put([Document("1", "a.txt", OPENED), Document("2", "b.txt", TOLL)])
    answer = Chatbot(corpus).ask("Quoi de neuf sur le pont de Gassin ?")
    assert set(cited(answer)) == {"a.txt", "b.txt"}
