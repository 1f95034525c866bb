"""Questions with a wrong premise: one thing is exchanged, for one that what answered does not hold."""

from __future__ import annotations

import random

import pytest

from tests.small_readers import small_tokenizer
from training.altered_questions import altered_groups, altered_question
from training.reader_data import PiecesWriter, fold_text
from training.reader_questions import ReaderQuestion

TOLD = "Le maire Jean Dupont a ouvert le musée de Nantes le 3 mars 2019 devant 300 visiteurs."
OTHERS = (
    "Hier, selon Paul Martin, la ville de Brest a fermé ses portes.",
    "Avec Anne Leroy, le port de Lorient rouvre.",
)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("question", "before", "after"),
    [
        ("Qu'a ouvert le maire Jean Dupont ?", "Jean Dupont", {"Paul Martin", "Anne Leroy"}),
        ("Combien de visiteurs au musée de Nantes ?", "Nantes", {"Brest", "Lorient"}),
    ],
)
def test_a_name_is_exchanged_for_one_that_fits(question: str, before: str, after: set[str], seed: int) -> None:
    start, end = question.split(before)
    altered = altered_question(question, TOLD, OTHERS, random.Random(seed))
    assert altered in {f"{start}{name}{end}" for name in after}


@pytest.mark.parametrize("seed", range(20))
def test_a_year_is_exchanged_for_another_near(seed: int) -> None:
    altered = altered_question("qui a ouvert le musée en 2019 ?", TOLD, (), random.Random(seed))
    assert altered is not None
    year = int(altered.removeprefix("qui a ouvert le musée en ").removesuffix(" ?"))
    assert 2 <= abs(year - 2019) <= 5


@pytest.mark.parametrize("seed", range(20))
def test_a_number_is_exchanged_for_one_that_is_not_told(seed: int) -> None:
    altered = altered_question("pourquoi 300 visiteurs sont-ils venus ?", TOLD, (), random.Random(seed))
    assert altered is not None
    number = altered.split()[1]
    assert number.isdigit()
    assert f" {number} " not in fold_text(TOLD)


@pytest.mark.parametrize("question", ["qui a ouvert le musée ?", "Que dit Claire Petit ?"])
def test_nothing_is_exchanged_that_does_not_stand_in_what_answers(question: str) -> None:
    assert altered_question(question, TOLD, OTHERS, random.Random(0)) is None


def test_the_sentence_that_answered_is_the_first_near_miss() -> None:
    writer = PiecesWriter(small_tokenizer())
    writer.add_documents(
        [
            {"id": "a", "title": "Le musée", "text": f"Il pleut. {TOLD} Il neige."},
            {"id": "b", "title": "Le port", "text": " ".join(OTHERS)},
            {"id": "c", "title": "Secret", "text": "Paul Durand se tait."},
        ]
    )
    start = len("Il pleut. Le maire ")
    found = (("c", 0, 20, 0.0), ("b", 0, 30, 0.0), ("b", len(OTHERS[0]) + 1, 90, 0.0))
    asked = ReaderQuestion("1", "Quand le musée de Nantes a-t-il ouvert ?", "", "a", (start, start + 11), (), found)
    unanswerable = ReaderQuestion("2", "Qui a fermé Nantes ?", "", "a", None, (), found)
    questions, closed = [asked, unanswerable], frozenset({"c"})
    groups = altered_groups(writer, questions, random.Random(0), closed=closed, n_near=4, source=10)
    assert groups.gold.tolist() == [-1]
    assert groups.near.tolist() == [[1, 3, 4, -1]]
    assert groups.answer.tolist() == [[-1, -1]]
    assert groups.source.tolist() == [10]
    assert groups.questions.shape == (1, 7, 2)


def test_without_questions_there_are_no_groups() -> None:
    groups = altered_groups(
        PiecesWriter(small_tokenizer()), [], random.Random(0), closed=frozenset(), n_near=4, source=10
    )
    assert len(groups) == 0
