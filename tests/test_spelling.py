"""Misspelt names are read as the corpus writes them, and nothing else is: compared with every term of the corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import CorpusIndex, Document
from index.analyze import Analyzer
from index.background import Background
from index.filters import Filter
from index.segment import SegmentBuilder
from index.segments import Segments
from index.spelling import nearest_spellings, surface_of
from index.types import Sentence, Span
from qa import Chatbot
from tests.conftest import HashingEmbedder
from tests.small_rankers import ship, small_ranker

ANALYZER = Analyzer()


def segments_of(*parts: Sequence[Sequence[str]]) -> Segments:
    """Return segments whose passages hold these terms."""
    segments = {}
    for number, passages in enumerate(parts):
        builder = SegmentBuilder(2)
        for place, terms in enumerate(passages):
            vector = np.array([1, 0], dtype=np.float16)
            builder.add(100 * number + place, document=place, days=None, body=terms, title=[], vector=vector)
        segments[f"{number}"] = builder.build()
    return Segments(1, segments)


def is_one_step(left: str, right: str) -> bool:
    """Say whether one letter left out, added, changed, or two neighbours swapped, makes one word the other."""
    if left == right:
        return False
    shorter, longer = sorted((left, right), key=len)
    if len(shorter) == len(longer):
        apart = [i for i, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
        if len(apart) == 1:
            return True
        return len(apart) == 2 and apart[1] == apart[0] + 1 and left[apart[0]] == right[apart[1]] and (
            left[apart[1]] == right[apart[0]]
        )  # fmt: skip
    return len(longer) == len(shorter) + 1 and any(longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer)))


# -- terms -----------------------------------------------------------------------------------------------------------

NAME = "zarquebulon"  # no term of French news


def edits() -> st.SearchStrategy[str]:
    """Return a name with one letter left out, added, changed, or two swapped."""
    letters, places = st.sampled_from("aezq"), st.integers(0, len(NAME) - 1)
    left_out = places.map(lambda i: NAME[:i] + NAME[i + 1 :])
    added = st.tuples(st.integers(0, len(NAME)), letters).map(lambda edit: NAME[: edit[0]] + edit[1] + NAME[edit[0] :])
    changed = st.tuples(places, letters).map(lambda edit: NAME[: edit[0]] + edit[1] + NAME[edit[0] + 1 :])
    swapped = st.integers(0, len(NAME) - 2).map(lambda i: NAME[:i] + NAME[i + 1] + NAME[i] + NAME[i + 2 :])
    return st.one_of(left_out, added, changed, swapped).filter(lambda typed: typed != NAME)


@settings(max_examples=150, deadline=None)
@given(edits())
def test_a_name_is_found_one_step_away(typed: str) -> None:
    segments = segments_of([["navir", NAME], ["otan"]], [["mer"]])
    assert is_one_step(typed, NAME)
    assert nearest_spellings(segments, ["otan", typed]) == {typed: NAME}


@pytest.mark.parametrize(
    "typed", ["zrquebuln", "zarquebulonxy", "azrquebulno", "zarqeubulonx", "onzarquebul", "zarquebluno"]
)
def test_two_steps_are_too_many(typed: str) -> None:
    assert nearest_spellings(segments_of([[NAME]]), [typed]) == {}


vocabulary = st.text("zkx", min_size=3, max_size=7)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(st.lists(vocabulary, max_size=4), min_size=1, max_size=4), min_size=1, max_size=3),
    st.lists(vocabulary, max_size=4),
)
def test_the_most_frequent_neighbour_is_meant(parts: list[list[list[str]]], asked: list[str]) -> None:
    passages = [set(terms) for part in parts for terms in part]
    held = sorted(set().union(*passages))
    expected = {}
    for term in asked:
        if term in held or len(term) < 5 or Background.bundled().count(term):
            continue
        near = [other for other in held if is_one_step(term, other)]
        if near:
            expected[term] = max(near, key=lambda other: sum(other in terms for terms in passages))
    assert nearest_spellings(segments_of(*parts), asked) == expected


def test_of_equals_the_first_in_the_alphabet_is_meant() -> None:
    near = [f"zkxz{letter}xz" for letter in "qwvjhg"]
    assert nearest_spellings(segments_of([near]), ["zkxzzxz"]) == {"zkxzzxz": "zkxzgxz"}
    assert nearest_spellings(segments_of([near], [near[:1]]), ["zkxzzxz"]) == {"zkxzzxz": "zkxzqxz"}


@pytest.mark.parametrize("typed", ["zark", "zarqueb1lon", "zarque-bulon", "2022", "", "столтенберг"])
def test_short_words_numbers_and_other_alphabets_are_left_alone(typed: str) -> None:
    assert nearest_spellings(segments_of([["zarkk", NAME, "20222", "столтенбергг"]]), [typed]) == {}


@pytest.mark.parametrize("word", ["président", "navires", "Stoltenberg", "gazoduc", "élection"])
def test_words_that_french_news_know_are_left_alone(word: str) -> None:
    (term,) = ANALYZER.terms(word)
    assert Background.bundled().count(term) > 0
    neighbour = f"{term}q"
    segments = segments_of([[neighbour], [neighbour]])
    assert nearest_spellings(segments, [term]) == {}
    assert nearest_spellings(segments, [f"{neighbour}q"]) == {f"{neighbour}q": neighbour}  # which they do not know


def test_only_the_first_words_are_looked_at() -> None:
    names = [f"zkxzk{letter}x" for letter in "abcdef"]
    found = nearest_spellings(segments_of([names]), [f"{name}w" for name in names])
    assert found == {f"{name}w": name for name in names[:4]}


def test_an_empty_index_knows_no_spelling() -> None:
    assert nearest_spellings(Segments(1, {}), [NAME]) == {}
    assert nearest_spellings(segments_of([[NAME]]), []) == {}


# -- questions -------------------------------------------------------------------------------------------------------

TEXTS = {
    "a": "Le général Zorglubert a quitté la ville de Kerzavel. Il a parlé de l'Otan.",
    "b": "La récolte de cerises a doublé dans le Vaucluse. Les producteurs se disent soulagés.",
    "c": "Plus de 30 navires patrouillent en mer Baltique. C'est une première.",
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> CorpusIndex:
    made = CorpusIndex.create(tmp_path_factory.mktemp("spelling") / "index", embedder=HashingEmbedder())
    made.put([Document(name, f"{name}.txt", text, date="2022") for name, text in TEXTS.items()])
    return made


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    ship(monkeypatch, small_ranker({"cover": (0.0,)}, {}))


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(
    ("question", "understood"),
    [
        ("Qui est Zorlubert ?", "Qui est Zorglubert ?"),
        ("Qui est zorglubbert ?", "Qui est Zorglubert ?"),
        ("Qui est ZORGLUVERT ?", "Qui est Zorglubert ?"),
        ("Où est l'Zorglubetr ?", "Où est l'Zorglubert ?"),
        ("Où est l’Zorglubetr ?", "Où est l’Zorglubert ?"),
        ("Zrglubert à Kerzavl, Zorglubart", "Zorglubert à Kerzavel, Zorglubert"),
        ("Où est Zorglubert-Kerzavl ?", "Où est Zorglubert-Kerzavel ?"),
        ("Qui est Zorglubert ?", "Qui est Zorglubert ?"),
        ("Qui est Ursula ?", "Qui est Ursula ?"),
    ],
)
def test_the_question_is_written_as_the_corpus_writes_it(corpus: CorpusIndex, question: str, understood: str) -> None:
    found = corpus.search_in_full(question)
    assert found.asked.text == understood
    assert found.asked.tokens == ANALYZER.tokens(understood)
    if "orglub" in question.lower():
        assert found.hits[0].passage.document.id == "a"
        assert found.hits[0].lexical_score > 0.0
    typed = found.asked.idfs.keys()
    assert typed == {term for term, _, _ in found.asked.tokens}


@pytest.mark.usefixtures("_small")
def test_a_name_that_stands_in_a_title_only_is_spelled_rightly(tmp_path: Path) -> None:
    corpus = CorpusIndex.create(tmp_path / "index", embedder=HashingEmbedder())
    corpus.put([
        Document("a", "a", "Le premier texte parle de fleurs.", title="Zorglin"),
        Document("b", "b", "Le Zorglan est un pays."),
    ])  # fmt: skip
    found = corpus.search_in_full("Zorglin")
    assert (found.asked.text, found.hits[0].passage.document.id) == ("Zorglin", "a")


@pytest.mark.usefixtures("_small")
def test_a_name_that_no_hit_holds_is_not_shown_as_a_bare_stem(tmp_path: Path) -> None:
    made = CorpusIndex.create(tmp_path / "index", embedder=HashingEmbedder())
    made.put([
        Document("a", "a", "Les Zorglingues sont verts."),
        Document("b", "b", "Les navires sont verts."),
    ])  # fmt: skip
    (stem,) = ANALYZER.terms("Zorglingues")
    answer = made.search_in_full("Où sont les Zorglungues ?")
    assert answer.asked.text == "Où sont les Zorglingues ?"
    elsewhere = made.search_in_full("Où sont les Zorglungues ?", only=Filter.of(sources=["b"]))
    assert [hit.passage.document.id for hit in elsewhere.hits] == ["b"]
    assert f" {stem} " not in elsewhere.asked.text


@pytest.mark.usefixtures("_small")
def test_an_answer_shows_the_name_as_the_corpus_writes_it(corpus: CorpusIndex) -> None:
    answer = Chatbot(corpus, threshold=0.0).ask("Qui est le général Zorglbert ?")
    assert answer.question == "Qui est le général Zorglbert ?"
    assert answer.understood_as == "Qui est le général Zorglubert ?"
    assert answer.citations[0].document_id == "a"
    unchanged = Chatbot(corpus, threshold=0.0).ask("Qui est le général Zorglubert ?")
    assert unchanged.understood_as == unchanged.question


@pytest.mark.usefixtures("_small")
def test_the_first_hit_that_holds_a_term_says_how_it_is_written(corpus: CorpusIndex) -> None:
    hits = corpus.search("récoltes Otan navire")
    assert len(hits) == 3
    for word, written in (
        ("récoltes", "récolte"),
        ("navire", "navires"),
        ("otan", "Otan"),
        ("zorgluberts", "Zorglubert"),
    ):
        (term,) = ANALYZER.terms(word)
        assert surface_of(term, hits, ANALYZER) == written
    assert surface_of("absent", hits, ANALYZER) is None
    shouted = replace(hits[0].passage.document, text="L'OTAN.")
    sentence = Sentence(shouted, Span(0, 7))
    first = replace(hits[0], passage=replace(hits[0].passage, document=shouted, span=Span(0, 7), sentences=(sentence,)))
    assert surface_of("otan", [first, *hits], ANALYZER) == "OTAN"
    assert surface_of("otan", [*hits, first], ANALYZER) == "Otan"
