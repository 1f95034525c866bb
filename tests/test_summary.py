"""What a document is about: the request, which document it means, and its sentences as they stand."""

from pathlib import Path

import pytest

from index import CorpusIndex, Document
from index.filters import Filter
from qa import Chatbot
from qa.summary import find_document, read_summary_request, summarize

BRIDGE = (
    "Le pont de Gassin a rouvert lundi après deux ans de travaux. La mairie a payé trois millions d'euros. "
    "Le pont de Gassin a rouvert lundi après des travaux de deux ans. Un concert a eu lieu sur la place du village. "
    "Les habitants attendaient cette réouverture du pont depuis longtemps. Il a plu toute la journée de dimanche."
)
FERRY = "Le bac de Kerity relie deux villages depuis 1952. Il transporte quarante voitures à chaque traversée."


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> CorpusIndex:
    folder = tmp_path_factory.mktemp("summary")
    made = CorpusIndex.create(folder / "index")
    made.put(
        [
            Document("1", "notes/pont.txt", BRIDGE, title="Le pont de Gassin rouvre"),
            Document("2", "notes/bac.txt", FERRY, title="Le bac de Kerity"),
        ]
    )
    return made


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("De quoi parle ce document ?", None),
        ("Résume-moi ce texte", None),
        ("Peux-tu me résumer cet article ?", None),
        ("Quel est le sujet du rapport ?", None),
        ("de quoi parle l’article sur le pont de Gassin ?", "le pont de Gassin"),
        ("De quoi traite le rapport intitulé « Bilan 2019 » ?", "Bilan 2019"),
        ("De quoi parle le fichier bac.txt ?", "bac.txt"),
    ],
)
def test_a_request_is_recognised(question: str, named: str | None) -> None:
    request = read_summary_request(question)
    assert request is not None
    assert request.named == named


@pytest.mark.parametrize("question", ["De quoi parle Macron ?", "Que dit le maire ?", "Qui a signé ce document ?", "?"])
def test_other_questions_are_none(question: str) -> None:
    assert read_summary_request(question) is None


class TestFindDocument:
    @pytest.mark.parametrize("name", ["bac.txt", "bac", "le bac de Kerity", "LE BAC DE KERITY"])
    def test_by_its_name_or_title(self, corpus: CorpusIndex, name: str) -> None:
        request = read_summary_request(f"De quoi parle le document « {name} » ?")
        assert request is not None
        found = find_document(request, corpus, only=Filter())
        assert found is not None
        assert found.source == "notes/bac.txt"

    def test_the_one_cited_last_or_the_only_one_allowed(self, corpus: CorpusIndex) -> None:
        request = read_summary_request("De quoi parle ce document ?")
        assert request is not None
        assert find_document(request, corpus, only=Filter()) is None
        cited = find_document(request, corpus, only=Filter(), last="notes/pont.txt")
        allowed = find_document(request, corpus, only=Filter.of(sources=["notes/bac.txt"]))
        assert cited is not None
        assert allowed is not None
        assert (cited.source, allowed.source) == ("notes/pont.txt", "notes/bac.txt")


def test_sentences_are_the_documents_own_in_order_and_not_said_twice(corpus: CorpusIndex) -> None:
    chosen = summarize(corpus.document("notes/pont.txt"), embedder=corpus.embedder)
    texts = [sentence.text for sentence in chosen]
    assert len(texts) == 3
    assert [BRIDGE[sentence.span.start : sentence.span.end] for sentence in chosen] == texts
    assert [sentence.span.start for sentence in chosen] == sorted(sentence.span.start for sentence in chosen)
    assert sum("a rouvert lundi après" in text for text in texts) == 1


def test_a_conversation_sums_up_what_it_cited_and_asks_which_document_otherwise(corpus: CorpusIndex) -> None:
    talk = Chatbot(corpus).conversation()
    refused = talk.ask("De quoi parle ce document ?")
    assert not refused.answered
    assert "De quel document" in refused.text
    assert talk.ask("Combien de voitures le bac de Kerity transporte-t-il ?").answered
    answer = talk.ask("De quoi parle ce document ?")
    assert answer.answered
    assert {citation.source for citation in answer.citations} == {"notes/bac.txt"}
    assert all(f"[{citation.marker}]" in answer.text for citation in answer.citations)
    assert all(FERRY[citation.start : citation.end] == citation.text for citation in answer.citations)


def test_an_index_without_documents_asks_which_one(tmp_path: Path) -> None:
    answer = Chatbot(CorpusIndex.create(tmp_path / "index")).ask("Résume ce document")
    assert not answer.answered
