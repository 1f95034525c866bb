"""Questions of definition: who somebody is, who holds a function, what a word means."""

from collections.abc import Callable
from pathlib import Path

import pytest

from index import CorpusIndex, Document, Sentence, Span
from qa import Chatbot
from qa.definitions import Term, find_definitions, read_term

LONG = "Direction générale de la sécurité extérieure"
Ask = Callable[..., "tuple[bool, str | None]"]


def sentences(*texts: str, dates: tuple[str, ...] = ()) -> list[Sentence]:
    given = [*dates, *[""] * (len(texts) - len(dates))]
    documents = [
        Document(str(number), f"{number}.txt", text, date=date or None)
        for number, (text, date) in enumerate(zip(texts, given, strict=True))
    ]
    return [Sentence(document, Span(0, len(document.text))) for document in documents]


class TestReading:
    @pytest.mark.parametrize(
        ("question", "term"),
        [
            ("Qui est Jens Stoltenberg ?", Term("Jens Stoltenberg", is_person=True)),
            ("qui est stoltenberg", Term("stoltenberg", is_person=True)),
            ("C’est qui Éric Drouet ?", Term("Éric Drouet", is_person=True)),
            ("Éric Drouet, c'est qui ?", Term("Éric Drouet", is_person=True)),
            ("Que signifie DGSI ?", Term("DGSI", is_person=False)),
            ("Qu'est-ce que l'OMS ?", Term("OMS", is_person=False)),
            ("Qu’est-ce que la dexaméthasone ?", Term("dexaméthasone", is_person=False)),
            ("RSA, ça veut dire quoi ?", Term("RSA", is_person=False)),
            ("Qui est le maire de Nice ?", None),
            ("Qui est ministre de la Santé ?", None),
            ("Qui a gagné ?", None),
            ("Qui est Agnès Buzyn et pourquoi part-elle ?", None),
            ("Où est Jens Stoltenberg ?", None),
        ],
    )
    def test_a_term(self, question: str, term: Term | None) -> None:
        assert read_term(question) == term


@pytest.mark.parametrize(
    ("name", "text", "phrase"),
    [
        (
            "Jens Stoltenberg",
            "Le secrétaire général de l'Otan, Jens Stoltenberg, a parlé.",
            "secrétaire général de l'Otan",
        ),
        ("Patrick Kanner", "Patrick Kanner, ancien ministre des Sports, a réclamé plus.", "ancien ministre des Sports"),
        ("Anne Hidalgo", "Hier la maire de Paris Anne Hidalgo a répondu.", "maire de Paris"),
        ("Hidalgo", "Hier la maire de Paris, Anne Hidalgo, a répondu.", "maire de Paris"),
        ("eric drouet", "Éric Drouet est un chauffeur routier qui vit à Melun.", "chauffeur routier"),
        ("Jean Morel", "Le porte-parole du ministre Jean Morel a refusé.", "ministre"),
        ("Jean Morel", "Le porte-parole du ministre, Jean Morel, a refusé.", "porte-parole du ministre"),
    ],
)
def test_what_a_person_is(name: str, text: str, phrase: str) -> None:
    first = find_definitions(Term(name, is_person=True), sentences(text))[0]
    assert text[first.phrase.start : first.phrase.end] == phrase


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Carlos Ghosn", "L'épouse de Carlos Ghosn a parlé."),
        ("Jean Morel", "Le maire a rencontré Jean Morel."),
        ("Jean Morel", "Les ministres Jean Morel et Paul Petit partent."),
        ("Jean Morel", "Jean Morel, 83 ans, est parti."),
        ("Morel", "Le maire Jean Moreland est parti."),
    ],
)
def test_what_a_person_is_not(name: str, text: str) -> None:
    assert find_definitions(Term(name, is_person=True), sentences(text)) == ()


@pytest.mark.parametrize(
    ("name", "text", "phrase"),
    [
        ("DGSE", "La Direction générale de la sécurité extérieure (DGSE).", LONG),
        ("OMS", "C'est ce que dit l'Organisation mondiale de la santé (OMS).", "Organisation mondiale de la santé"),
        ("RSA", "Le RSA (revenu de solidarité active) augmente.", "revenu de solidarité active"),
        ("OMS", "Le grand marché (OMS) ferme.", None),
    ],
)  # fmt: skip
def test_what_an_acronym_stands_for(name: str, text: str, phrase: str | None) -> None:
    found = find_definitions(Term(name, is_person=False), sentences(text))
    assert [text[each.phrase.start : each.phrase.end] for each in found] == ([phrase] if phrase else [])


def test_what_most_documents_agree_on_comes_first_in_the_words_of_the_newest() -> None:
    texts = (
        "Le maire de Tourcoing, Gérald Durand, a parlé.",
        "Le ministre des Comptes publics, Gérald Durand, a parlé.",
        "Le ministre des Comptes publics, Gérald Durand, s'est tu.",
        "Le ministre de l'Intérieur, Gérald Durand, a parlé.",
        "Le ministre de l'Intérieur, Gérald Durand, s'est tu.",
    )
    dates = ("2020-09-01", "2018-01-01", "2018-02-01", "2020-07-01", "2020-08-01")
    found = find_definitions(Term("Gérald Durand", is_person=True), sentences(*texts, dates=dates))
    shown = [each.sentence.text[each.phrase.start : each.phrase.end] for each in found]
    assert shown == ["ministre de l'Intérieur", "maire de Tourcoing"]
    assert found[0].weight > found[1].weight


class TestChatbot:
    @pytest.fixture
    def ask(self, tmp_path: Path) -> Ask:
        corpus = CorpusIndex.create(tmp_path / "index")
        corpus.put(
            [
                Document("1", "a.txt", "Le président russe Vladimir Serov a reçu des députés à Moscou mardi soir."),
                Document("2", "b.txt", "La maire de Paris, Anne Durand, a ouvert un parc.", date="2019-05-02"),
                Document("3", "c.txt", "Le maire de Paris, Paul Petit, a planté un arbre.", date="2014-05-02"),
            ]
        )
        chatbot = Chatbot(corpus)

        def answer(question: str) -> tuple[bool, str | None]:
            given = chatbot.ask(question)
            for citation in given.citations:
                assert corpus.document(citation.source).text[citation.start : citation.end] == citation.text
            return given.answered, given.short_answer

        return answer

    def test_answers_and_refuses(self, ask: Ask) -> None:
        assert ask("Qui est Anne Durand ?") == (True, "maire de Paris")
        assert ask("Qui est la maire de Paris ?") == (True, "Anne Durand")
        assert ask("Qui était le maire de Paris en 2014 ?") == (True, "Paul Petit")
        assert ask("Qui est le président russe ?") == (True, "Vladimir Serov")

    def test_the_holder_of_another_function_is_no_answer(self, ask: Ask) -> None:
        assert ask("Qui est le président de la France ?") == (False, None)
