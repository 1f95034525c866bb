"""Questions without labels: what they ask, where their answer stands, and that a seed decides them."""

from __future__ import annotations

from pathlib import Path

import pytest

from index import CorpusIndex, InputError
from index.analyze import Analyzer
from qa.evaluation import pseudo_questions
from qa.question import read_question
from tests.conftest import ROOT, HashingEmbedder, write_files


def index_of(folder: Path, texts: list[str]) -> CorpusIndex:
    write_files(folder, {f"docs/{number}.txt": text for number, text in enumerate(texts)})
    return CorpusIndex.build([folder / "docs"], folder / "index", embedder=HashingEmbedder())


@pytest.mark.parametrize(
    ("sentence", "question", "answer", "kind"),
    [
        ("Le vieux pont de bois a été fermé le 12 mars 2021, selon la mairie.",
         "Le vieux pont de bois a été fermé quand ?", "12 mars 2021", "when"),
        ("La nouvelle passerelle mesure environ 42 mètres de longueur totale.",
         "La nouvelle passerelle mesure combien de mètres de longueur totale ?", "environ 42 mètres", "how_many"),
        ("Le médecin réclamait chaque matin 300 euros de dédommagement.",
         "Le médecin réclamait chaque matin combien d'euros de dédommagement ?", "300 euros", "how_many"),
        ("Mais hier Claire Fontaine a inauguré la bibliothèque municipale rénovée du quartier.", None,
         "Claire Fontaine", "who"),
        ("Claire Fontaine a inauguré la bibliothèque municipale rénovée du quartier.",
         "Qui a inauguré la bibliothèque municipale rénovée du quartier ?", "Claire Fontaine", "who"),
        ("La récolte tardive de cerises a doublé en Provence.", "La récolte tardive de cerises a doublé où ?",
         "Provence", "where"),
    ],
)  # fmt: skip
def test_the_answer_is_taken_out_of_a_clause(
    tmp_path: Path, sentence: str, question: str | None, answer: str, kind: str
) -> None:
    (found,) = pseudo_questions(index_of(tmp_path, [sentence]), n=1)
    if question is None:  # "hier" opens no clause that can be asked, so its words are searched for
        assert not found.has_short_answer
        assert len(found.question.split()) == 4
        assert (found.answers, found.evidence) == ((sentence,), ((0, len(sentence)),))
        return
    assert found.question == question
    assert found.answers == (answer,)
    (span,) = found.evidence
    assert sentence[slice(*span)] == answer
    assert found.has_short_answer
    assert read_question(found.question).kind == kind


@pytest.mark.parametrize(
    "sentence",
    [
        "Qui a fermé le pont de bois le 12 mars 2021 ?",  # it asks itself
        "Le pont ferme le 12 mars.",  # too little is left
        "La lumière baissait lentement derrière les longues collines bleues du soir.",  # names nothing
    ],
)
def test_what_cannot_be_asked_is_not(tmp_path: Path, sentence: str) -> None:
    corpus = index_of(tmp_path, [sentence])
    with pytest.raises(InputError, match="no sentence to make a question of"):
        pseudo_questions(corpus, n=3)


def test_every_question_points_to_its_answer_and_does_not_give_it_away(seed_corpus: CorpusIndex) -> None:
    text = (ROOT / "seeds/000_56afb7ba333c6065.txt").read_bytes().decode()
    found = pseudo_questions(seed_corpus, n=50)
    assert len(found) > 10
    assert len({question.evidence for question in found}) == len(found)
    analyzer = Analyzer()
    for question in found:
        ((start, end),) = question.evidence
        assert question.answers == (text[start:end],)
        assert text[start:end] == text[start:end].strip()
        if question.has_short_answer:
            assert question.question.endswith(" ?")
            assert text[start:end] not in question.question
        else:
            assert set(analyzer.terms(question.question)) <= set(analyzer.terms(text[start:end]))


def test_the_seed_decides_and_every_document_has_its_turn(tmp_path: Path) -> None:
    texts = [
        f"Le nouveau marché couvert de la place {name} a été inauguré le 3 mai 201{number}. "
        f"Le grand théâtre municipal de la place {name} a été rénové le 4 juin 202{number}."
        for number, name in enumerate(["ronde", "haute", "basse", "verte"])
    ]
    corpus = index_of(tmp_path, [*texts, texts[0]])
    assert len({question.document for question in pseudo_questions(corpus, n=4)}) == 4
    every = pseudo_questions(corpus, n=99)
    assert len(every) == 8  # the copy of a document is that document
    assert len({question.document for question in every[:4]}) == 4
    assert pseudo_questions(corpus, n=99) == every
    assert pseudo_questions(corpus, n=3) == pseudo_questions(corpus, n=3)
    assert any(pseudo_questions(corpus, n=99, seed=seed) != every for seed in (1, 2, 3))
    assert len({pseudo_questions(corpus, n=1, seed=seed)[0].document for seed in range(9)}) > 1


def test_words_are_searched_for_only_once_every_clause_was_asked(tmp_path: Path) -> None:
    words = ["ronde", "haute", "basse", "verte", "neuve", "voisine"]
    bare = [f"Mais hier Claire Fontaine a inauguré la bibliothèque municipale {word} du quartier." for word in words]
    corpus = index_of(tmp_path, [" ".join([*bare, "Le vieux pont de bois a été fermé le 12 mars 2021."])])
    for seed in range(5):
        found = pseudo_questions(corpus, n=7, seed=seed)
        assert [question.has_short_answer for question in found] == [True] + [False] * 6


def test_at_least_one_is_wanted(seed_corpus: CorpusIndex) -> None:
    with pytest.raises(InputError, match="n = 0: expected at least 1"):
        pseudo_questions(seed_corpus, n=0)
