"""Who holds a function: how it is asked, whom texts call so, and who is no answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from index import CorpusIndex, Document
from qa import Chatbot
from qa.holders import Role, find_holders, read_role
from tests.dated_sentences import said, sentences


def names(role: str, *texts: str | tuple[str, str]) -> list[str]:
    return [said(holder) for holder in find_holders(Role(role), sentences(*texts))[0]]


@pytest.mark.parametrize(
    ("question", "role"),
    [
        ("Qui est le maire de Nice ?", "maire de Nice"),
        ("qui est la maire de paris", "maire de paris"),
        ("Comment s'appelle la ministre de la Culture ?", "ministre de la Culture"),
        ("Qui est président du Sénat ?", "président du Sénat"),
        ("Quel est le premier ministre du Canada ?", "premier ministre du Canada"),
        ("Qui préside la Commission européenne ?", "président la Commission européenne"),
        ("C'est qui qui entraîne le PSG ?", "entraîneur le PSG"),
        ("Quel est le nombre de maires ?", None),
        ("Qui préside ?", None),
        ("Qui est candidat ?", None),
        ("Qui est l'homme qui a sauvé l'enfant ?", None),
        ("Qui est Jens Stoltenberg ?", None),
        ("Qui est le plus grand fleuve ?", None),
    ],
)
def test_a_role(question: str, role: str | None) -> None:
    assert read_role(question) == (None if role is None else Role(role))


def test_the_one_of_the_function_asked_for_and_the_others() -> None:
    texts = (
        "Le président russe Vladimir Serov a parlé.",
        "La maire de Paris, Anne Durand, a répondu.",
        "L'adjoint à la maire de Paris, Paul Petit, est d'accord.",
        "La maire de Nice, Lucie Morel, aussi.",
        "L'ancienne maire de Paris, Marie Brun, se tait.",
    )
    assert names("maire de Paris", *texts) == ["Anne Durand"]
    _, others = find_holders(Role("maire de Paris"), sentences(*texts))
    assert ("3.txt", "lucie morel") in others
    assert {name for _, name in others}.isdisjoint({"anne durand", "vladimir serov"})


def test_a_place_before_a_name_is_no_part_of_it() -> None:
    assert names("maire de Lyon", "Le maire de Lyon Gérard Morel a parlé.") == ["Gérard Morel"]
    assert names("maire de Lyon", "Pour Gérard Morel, maire de Lyon, il est tard.") == ["Gérard Morel"]


@pytest.mark.parametrize(
    "name",
    [
        "Ursula von der Leyen",
        "Abdel Fattah al-Sissi",
        "Mohammed ben Salmane",
        "Recep Tayyip Erdogan",
        "Jean de La Tour",
    ],
)
def test_a_name_is_whole(name: str) -> None:
    assert names("maire de Lyon", f"La maire de Lyon {name} a parlé.") == [name]


@pytest.mark.parametrize(
    ("role", "text"),
    [
        ("président de la Turquie", "Le président turc Ali Demir a parlé."),
        ("président turc", "Le président de la Turquie Ali Demir a parlé."),
        ("premier ministre de la Nouvelle-Zélande", "La Première ministre néo-zélandaise Ali Demir a parlé."),
        ("président des États-Unis", "Ali Demir, le président américain, a parlé."),
        ("président de la Suisse", "Le président de la Confédération suisse, Ali Demir, a parlé."),
        ("ministre de la Défense de l'Allemagne", "Le ministre allemand de la Défense Ali Demir a parlé."),
    ],
)
def test_a_country_is_its_name_or_its_adjective(role: str, text: str) -> None:
    assert names(role, text) == ["Ali Demir"]


@pytest.mark.parametrize(
    "text",
    [
        "Le président de la Fédération turque de football, Ali Demir, a parlé.",
        "Le président de la région Île-de-Turquie, Ali Demir, a parlé.",
        "Le président de Turquie Télévision, Ali Demir, a parlé.",
        "Le président grec Ali Demir a parlé.",
        "Un président turc, Ali Demir, a parlé.",
        "L'ex-président turc Ali Demir a parlé.",
        "Ali Demir, président turc de 1995 à 2007, a parlé.",
    ],
)
def test_something_with_the_country_in_its_name_is_not_the_country(text: str) -> None:
    assert names("président de la Turquie", text) == []


class TestCapitals:
    def test_a_capital_is_asked_for(self) -> None:
        assert read_role("Quelle est la capitale du Pérou ?") == Role("capitale du Pérou", noun="capitale")
        assert read_role("Quelle est la ville la plus grande du Pérou ?") is None

    def test_it_is_named_before_or_behind(self) -> None:
        texts = ("À Lima, la capitale péruvienne, il pleut.", "La capitale du Pérou, Lima, dort.", "Quito dort.")
        found, _ = find_holders(Role("capitale du Pérou", noun="capitale"), sentences(*texts))
        assert [said(each) for each in found] == ["Lima"]
        assert found[0].weight == 1.5

    def test_of_something_else_it_is_none(self) -> None:
        texts = ("Aurillac, la capitale française du parapluie, dort.", "Lyon, la capitale économique française, dort.")
        found, _ = find_holders(Role("capitale de la France", noun="capitale"), sentences(*texts))
        assert found == ()

    def test_a_person_who_speaks_there_is_less_sure_than_one_document(self) -> None:
        text = "Dans la capitale japonaise, Jean Grand a parlé. La capitale économique de la Bolivie, Sucre, dort."
        found, _ = find_holders(Role("capitale du Japon", noun="capitale"), sentences(text))
        assert all(each.weight < 1.0 for each in found)


class TestTime:
    def test_a_new_holder_comes_before_one_who_was_named_more_often(self) -> None:
        old = [(f"2019-{month:02}-01", "Le Premier ministre Paul Petit a parlé.") for month in range(1, 13)]
        new = [(f"2020-07-{day:02}", "Le Premier ministre Jean Grand a parlé.") for day in (5, 12, 20)]
        assert names("Premier ministre", *old, *new) == ["Jean Grand", "Paul Petit"]

    def test_one_who_is_remembered_does_not(self) -> None:
        texts = [(f"2020-0{month}-01", "Le président de la République Jean Grand a parlé.") for month in range(1, 7)]
        texts += [("2020-07-01", "Le président de la République Paul Petit l'avait dit."), ("2020-07-02", texts[0][1])]
        texts += [("2020-07-01", "L'ancien président Paul Petit est mort."), ("2020-07-03", texts[0][1])]
        texts += [("2020-07-05", "Le président de la République Paul Petit avait dit non.")]
        assert names("président de la République", *texts)[0] == "Jean Grand"

    def test_who_came_after_one_that_left_may_be_named_once(self) -> None:
        texts = [(f"2019-0{month}-01", "Le président algérien Jean Grand a parlé.") for month in range(1, 5)]
        texts += [("2020-01-02", "L'ancien président Jean Grand se tait."), ("2020-02-01", "Rien.")]
        after = ("2020-03-01", "Le président algérien Paul Petit a parlé.")
        assert names("président de l'Algérie", *texts, after)[0] == "Paul Petit"
        assert names("président de l'Algérie", *texts[:4], after) == ["Jean Grand"]  # a slip, perhaps

    def test_documents_without_a_date_say_nothing_of_the_order_but_their_number(self) -> None:
        one, two = "Le maire de Lyon Jean Grand parle.", "Le maire de Lyon Paul Petit parle."
        assert names("maire de Lyon", one, two, two, one, two)[0] == "Paul Petit"

    def test_former_ones_in_dated_documents_beside_holders_in_others(self) -> None:
        one = "Le maire de Lyon Jean Grand parle."
        assert names("maire de Lyon", one, ("2020-01-01", "L'ancien maire de Lyon Jean Grand se tait.")) == [
            "Jean Grand"
        ]

    def test_an_accent_makes_nobody_else(self) -> None:
        texts = ("Le maire de Lyon Édouard Grand parle.", "Le maire de Lyon Edouard Grand parle.")
        assert len(names("maire de Lyon", *texts)) == 1


class TestOthers:
    def test_of_a_document_that_says_it_in_other_words_they_are_none(self) -> None:
        texts = (
            "L'avocat de Jonathan Durand, Paul Petit, a parlé.",
            "L'avocat d'une banque, Paul Petit, a parlé.",
            "Le ministre français des Affaires étrangères Jean Grand a parlé.",
        )
        _, others = find_holders(Role("avocat du mari d'Alice Durand"), sentences(*texts))
        assert ("0.txt", "paul petit") not in others
        assert ("1.txt", "paul petit") in others
        _, others = find_holders(Role("ministre des Affaires étrangères de l'Allemagne"), sentences(*texts))
        assert ("2.txt", "jean grand") in others


@pytest.mark.parametrize(
    ("text", "question"),
    [
        (
            "Le président de la région Bretagne, Jean Grand, a ouvert lundi à Rennes le salon de l'agriculture.",
            "Qui est le président de la région Alsace ?",
        ),
        (
            "Le directeur du musée de Brest, Paul Petit, a présenté la nouvelle exposition.",
            "Qui est le directeur du musée de Quimper ?",
        ),
        (
            "La maire de Nice, Lucie Morel, a inauguré mardi le nouveau tramway de la ville devant cent personnes.",
            "Qui est la maire de Cannes ?",
        ),
    ],
)
def test_the_chatbot_refuses_who_has_the_function_of_something_else(tmp_path: Path, text: str, question: str) -> None:
    corpus = CorpusIndex.create(tmp_path / "index")
    corpus.put([Document("1", "a.txt", text)])
    assert not Chatbot(corpus).ask(question).answered


def test_one_who_is_called_by_the_adjective_is_found_among_many(tmp_path: Path) -> None:
    corpus = CorpusIndex.create(tmp_path / "index")
    others = [Document(str(n), f"{n}.txt", f"Le président du club numéro {n} parle.") for n in range(650)]
    text = "Le président turc Ali Demir a reçu mardi soir des députés et des maires venus de loin à Ankara."
    corpus.put([*others, Document("turc", "turc.txt", text)])
    assert Chatbot(corpus).ask("Qui est le président de la Turquie ?").short_answer == "Ali Demir"


def test_the_chatbot_answers_with_the_holder(tmp_path: Path) -> None:
    corpus = CorpusIndex.create(tmp_path / "index")
    corpus.put(
        [
            Document("1", "a.txt", "Le président turc Ali Demir a reçu des députés à Ankara mardi soir."),
            Document("2", "b.txt", "La Turquie a un long passé. Le président grec Nikos Pappas le sait bien."),
        ]
    )
    answer = Chatbot(corpus).ask("Qui est le président de la Turquie ?")
    assert (answer.answered, answer.short_answer) == (True, "Ali Demir")
    citation = answer.citations[0]
    assert corpus.document(citation.source).text[citation.start : citation.end] == citation.text
    assert Chatbot(corpus).ask("Qui préside la Grèce ?").short_answer == "Nikos Pappas"
    assert not Chatbot(corpus).ask("Qui est le président de la France ?").answered
