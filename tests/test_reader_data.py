"""Documents and questions as word pieces."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from index.types import Span
from tests.small_packs import (
    small_tokenizer,
)
from training.corpora import half_of
from training.reader_batches import Groups, Pieces
from training.reader_data import PiecesWriter, fold_text, heading, make_groups, ways_to_ask
from training.reader_questions import ReaderQuestion

ARTICLE = "Le bateau rare est au port. Les gens de Brest sont venus hier. La fin tarde encore un peu."
SECOND = "Une autre chose arrive ici. On y parle aussi de Brest."


def small_writer(*documents: dict[str, str]) -> PiecesWriter:
    writer = PiecesWriter(small_tokenizer())
    writer.add_documents(documents or [{"id": "un", "text": ARTICLE}, {"id": "deux", "text": SECOND}])
    return writer


def told(pieces: Pieces, place: Sequence[int] | NDArray[Any]) -> str:
    """Return what stands at a place of the flat array."""
    begin, length = place
    ids = pieces.flat[begin : begin + length].tolist()
    return "".join(map(small_tokenizer().id_to_token, ids)).replace("▁", " ").strip()


def test_documents_are_written_sentence_by_sentence() -> None:
    writer = small_writer(
        {"id": "un", "title": "Un port", "date": "2021-03-04", "text": ARTICLE},
        {"id": "vide", "text": ""},
        {"id": "deux", "title": "a" * 60, "text": SECOND},
    )
    question, long = writer.add_questions(["Où est le port ?", "b" * 90])
    pieces = writer.pieces()
    sentences = [told(pieces, place) for place in pieces.sentences]
    assert sentences == [f"{part.rstrip('.')}." for text in (ARTICLE, SECOND) for part in text.split(". ")]
    assert [told(pieces, place) for place in pieces.titles] == ["Un port 4 mars 2021", "", "a" * 28]
    assert pieces.bounds.tolist() == [[0, 3]] * 3 + [[3, 5]] * 2
    assert pieces.document.tolist() == [0, 0, 0, 2, 2]
    assert pieces.sentences[1:3, 0].tolist() == pieces.sentences[:2].sum(axis=1).tolist()
    assert [told(pieces, question), told(pieces, long)] == ["Où est le port ?", "b" * 40]
    assert pieces.flat.dtype == np.uint16


def test_a_place_is_in_the_sentence_that_holds_it() -> None:
    writer = small_writer()
    bounds = [ARTICLE.index("Les gens"), ARTICLE.index("La fin")]
    for start in range(len(ARTICLE)):
        if start + 1 in bounds:  # between two sentences
            assert writer.sentence_at("un", start) is None
        else:
            assert writer.sentence_at("un", start) == sum(start >= bound for bound in bounds)
    assert writer.sentence_at("un", len(ARTICLE)) is None
    assert writer.sentence_at("deux", 0) == 3
    assert writer.sentence_at("trois", 0) is None
    assert (writer.holds("deux"), writer.holds("trois")) == (True, False)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("bateau", "bateau"),
        ("tea", "bateau"),  # inside one piece
        ("u rar", "bateau rare"),  # from within one piece into another
        ("Brest", "Brest"),
        ("port", "port"),
        ("Les", "Les"),
        ("un peu", "un peu"),
        ("hier. La", "hier."),  # no further than the sentence
    ],
)
def test_an_answer_is_the_pieces_that_it_touches(answer: str, expected: str) -> None:
    writer = small_writer()
    start = ARTICLE.index(answer)
    found = writer.answer_pieces("un", Span(start, start + len(answer)))
    assert found is not None
    sentence, place = found
    pieces = writer.pieces()
    assert told(pieces, place) == expected
    assert sentence == writer.sentence_at("un", start)
    begin, length = pieces.sentences[sentence]
    assert begin <= place[0] < place[0] + place[1] <= begin + length


def test_an_answer_outside_every_sentence_is_none() -> None:
    writer = small_writer()
    assert writer.answer_pieces("un", Span(ARTICLE.index("Les gens") - 1, ARTICLE.index("Les gens") + 3)) is None
    assert writer.answer_pieces("trois", Span(0, 3)) is None


def test_the_text_around_a_sentence_stays_in_its_document() -> None:
    writer = small_writer()
    assert writer.text_around("un", 1, reach=0) == "Les gens de Brest sont venus hier."
    assert writer.text_around("un", 0, reach=1) == "Le bateau rare est au port. Les gens de Brest sont venus hier."
    assert writer.text_around("un", 2, reach=5) == ARTICLE
    assert writer.text_around("deux", 3, reach=1) == SECOND


def test_a_question_is_asked_as_people_type_it() -> None:
    question = "À quelle heure l'équipe de l’Élysée est-elle arrivée à Nîmes ?"
    *same, typed, bare, keywords, slipped = ways_to_ask(question, random.Random(1))
    assert same == [question] * 3
    assert typed == "a quelle heure l'equipe de l’elysee est-elle arrivee a nimes"
    assert bare == "A quelle heure l'equipe de l’Elysee est-elle arrivee a Nimes ?"
    assert keywords == "heure l'équipe l’élysée est-elle arrivée nîmes"
    assert slipped != question


def test_keywords_are_without_little_words_where_others_are_left() -> None:
    assert ways_to_ask("Combien de bateaux gris partent ?", random.Random(0))[5] == "bateaux gris partent"
    assert ways_to_ask("Qui est Paul ?", random.Random(0))[5] == "qui est paul"


def test_slips_are_in_at_most_two_long_words_and_move_one_letter() -> None:
    question = "Qui dirige la nouvelle fabrique près de chez vous ?"
    kinds = set()
    for seed in range(60):
        slipped = ways_to_ask(question, random.Random(seed))[-1].split(" ")
        changed = [pair for pair in zip(question.split(" "), slipped, strict=True) if pair[0] != pair[1]]
        assert len(changed) <= 2
        for word, typed in changed:
            assert len(word) > 4
            assert (word[0], word[-1]) == (typed[0], typed[-1])
            kinds.add(len(typed) - len(word))
            assert sum(((Counter(word) - Counter(typed)) + (Counter(typed) - Counter(word))).values()) <= 1
    assert kinds == {-1, 0, 1}


@pytest.mark.parametrize(
    ("text", "folded"),
    [("L’Été, à 12 h 30 !", " l ete a 12 h 30 "), ("", "  "), ("«\u00a0Ça\u00a0» – là", " ca la "), ("€ ?", "  ")],
)
def test_folded_text_has_words_between_single_spaces(text: str, folded: str) -> None:
    assert fold_text(text) == folded


@pytest.mark.parametrize(
    ("title", "date", "expected"),
    [
        ("Le port", "2021-03-04", "Le port 4 mars 2021"),
        ("Le port", None, "Le port"),
        (None, "2021-03", "mars 2021"),
        ("Le port", "hier matin", "Le port"),
        (None, None, ""),
    ],
)
def test_a_heading_is_the_title_and_the_day(title: str | None, date: str | None, expected: str) -> None:
    assert heading(title, date) == expected


FAR = " ".join(f"Rien de neuf numéro {number} ici." for number in ("un", "deux", "trois", "quatre", "cinq", "six"))
TEXTS = {
    "gold": f"Le chef est Paul Durand. {FAR}",
    "same": f"{FAR} Ensuite PAUL DURAND parle. Deux mots suivent. {FAR}",
    "closed": "Un secret dort ici. Il y reste.",
    "other": "Une copie de cela. Elle dit tout.",
    "plain": "Une phrase sans rapport. Une seconde phrase.",
}


def start_of(name: str, words: str) -> int:
    return TEXTS[name].index(words)


def groups_of(question: ReaderQuestion, *, n_near: int = 14, seed: int = 0) -> tuple[Groups, Pieces]:
    writer = small_writer(*({"id": name, "text": text} for name, text in TEXTS.items()))
    closed = frozenset({"closed"})
    groups = make_groups(writer, [question], random.Random(seed), closed=closed, n_near=n_near, source=3)
    return groups, writer.pieces()


def asked_about(
    article: str, answer: str | None, *found: tuple[str, str], others: tuple[str, ...] = ()
) -> ReaderQuestion:
    places = tuple((name, start_of(name, words), 0, 0.0) for name, words in found)
    start = start_of(article, answer) if answer else 0
    span = (start, start + len(answer)) if answer else None
    return ReaderQuestion("1", "Qui est le chef ?", "", article, span, others, places)


def shown(groups: Groups, pieces: Pieces, *, but: str) -> list[str]:
    """Return the near misses that are of other documents than one."""
    own = {f"{part.rstrip('.')}." for part in TEXTS[but].split(". ")}
    texts = [told(pieces, pieces.sentences[number]) for number in groups.near[0] if number >= 0]
    return [text for text in texts if text.replace("<unk>", "é") not in own]


def test_near_misses_are_what_search_found_without_what_answers_or_may_not_be_shown() -> None:
    question = asked_about(
        "gold",
        "Paul Durand",
        ("plain", "Une seconde"),
        ("gold", "Le chef"),  # answers
        ("same", "Ensuite"),  # holds the answer's words
        ("same", "Deux mots"),  # they stand beside it
        ("closed", "Il y"),
        ("other", "Elle dit"),
        ("plain", "Une phrase"),
        ("plain", "Une seconde"),  # again
        others=("other",),
    )
    groups, pieces = groups_of(question)
    assert shown(groups, pieces, but="gold") == ["Une seconde phrase.", "Une phrase sans rapport."]
    assert told(pieces, pieces.sentences[groups.gold[0]]) == "Le chef est Paul Durand."
    assert told(pieces, groups.answer[0]) == "Paul Durand"
    assert groups.gold[0] not in groups.near[0]
    assert (groups.fold.tolist(), groups.source.tolist()) == ([half_of("gold")], [3])
    assert groups.near.shape == (1, 14)
    held = groups.near[0] >= 0
    assert sorted(held.tolist(), reverse=True) == held.tolist()


def test_a_sentence_three_away_from_the_answers_words_is_a_near_miss() -> None:
    question = asked_about(
        "gold", "Paul Durand", ("same", "Rien de neuf numéro quatre"), ("same", "Rien de neuf numéro un")
    )
    groups, pieces = groups_of(question)
    numbers = [number for number in groups.near[0] if number >= 0 and pieces.document[number] == 1]
    assert [number - pieces.bounds[number, 0] for number in numbers] == [3, 0]


def test_sentences_of_the_article_itself_are_added() -> None:
    drawn = set()
    for seed in range(20):
        groups, pieces = groups_of(asked_about("gold", "Paul Durand", ("plain", "Une phrase")), seed=seed)
        own = [int(number) for number in groups.near[0] if number >= 0 and pieces.document[number] == 0]
        assert len(own) <= 4
        drawn |= set(own)
    assert drawn == {3, 4, 5, 6}  # of 0 to 6, those whose surroundings do not tell
    groups, pieces = groups_of(asked_about("same", None))
    assert [int(pieces.document[number]) for number in groups.near[0] if number >= 0] == [1] * 4


def test_the_sentence_that_answers_is_no_near_miss_even_where_the_answer_has_no_words() -> None:
    groups, _ = groups_of(asked_about("gold", ".", ("gold", "Le chef"), ("plain", "Une phrase")))
    assert groups.gold.tolist() == [0]
    assert 0 not in groups.near[0]


def test_a_question_without_an_answer_has_only_near_misses() -> None:
    groups, pieces = groups_of(asked_about("plain", None, ("gold", "Le chef"), ("same", "Ensuite")))
    assert (groups.gold.tolist(), groups.answer.tolist()) == ([-1], [[-1, -1]])
    assert shown(groups, pieces, but="plain") == ["Le chef est Paul Durand.", "Ensuite PAUL DURAND parle."]


def test_at_most_so_many_near_misses_are_kept_and_unknown_articles_are_passed_over() -> None:
    found = tuple(("same", f"Rien de neuf numéro {number}") for number in ("un", "deux", "trois", "quatre", "cinq"))
    groups, pieces = groups_of(asked_about("plain", None, *found), n_near=5)
    assert groups.near.shape == (1, 5)
    assert [int(pieces.document[number]) for number in groups.near[0]] == [1, 1, 1, 4, 4]
    writer = small_writer()
    strange = ReaderQuestion("1", "Qui ?", "", "inconnu", None)
    between = ReaderQuestion("2", "Qui ?", "", "un", (ARTICLE.index("Les gens") - 1, ARTICLE.index("Les gens") + 1))
    assert len(make_groups(writer, [strange, between], random.Random(0), closed=frozenset(), n_near=5, source=0)) == 0
