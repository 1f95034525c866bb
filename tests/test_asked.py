"""A question as it is searched: its terms, how rare they are counted by hand, and how it is written in the end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import Hit, InputError
from index.analyze import Analyzer
from index.asked import Asked, corpus_idfs, read_asked
from index.background import Background
from index.embed import StaticEmbedder
from index.segment import SegmentBuilder
from index.segments import Segments
from index.types import Document, Passage, Sentence, Span
from tests.conftest import HashingEmbedder

ANALYZER = Analyzer()
TEXTS = ["Le navire de l'Otan.", "Deux navires en mer, un navire au port.", "Zorglubert arrive.", "La mer."]


def segments_of(*groups: Sequence[str], title: str = "") -> Segments:
    parts, number = {}, 0
    for group in groups:
        builder = SegmentBuilder(2)
        for text in group:
            vector = np.zeros(2, dtype=np.float16)
            terms = ANALYZER.terms(text)
            builder.add(number, document=number, days=None, body=terms, title=ANALYZER.terms(title), vector=vector)
            number += 1
        parts[f"{len(parts)}"] = builder.build()
    return Segments(1, parts)


def idf_by_hand(word: str, n_held: int, n_passages: int) -> float:
    (term,) = ANALYZER.terms(word)
    held = Background.bundled().count(term) + n_held
    n = Background.bundled().n_documents + n_passages
    return math.log(1.0 + (n - held + 0.5) / (held + 0.5))


@pytest.mark.parametrize("groups", [(TEXTS,), (TEXTS[:1], TEXTS[1:]), tuple([text] for text in TEXTS)])
def test_a_term_is_as_rare_as_its_passages_and_the_news_together(groups: tuple[list[str], ...]) -> None:
    segments = segments_of(*groups)
    asked = read_asked("Quel navire ? L'Otan, les navires...", segments, analyzer=ANALYZER, embedder=HashingEmbedder())
    assert asked.idfs == pytest.approx({"navir": idf_by_hand("navire", 2, 4), "otan": idf_by_hand("otan", 1, 4)})
    terms = ["navir", "zorglubert", "navir", "brouillard", "absolumentrien"]
    words = {"navir": 2, "zorglubert": 1, "brouillard": 0, "absolumentrien": 0}
    assert corpus_idfs(segments, terms) == pytest.approx({
        term: math.log(1.0 + (n - held + 0.5) / (held + 0.5))
        for term, count in words.items()
        for held, n in [(Background.bundled().count(term) + count, Background.bundled().n_documents + 4)]
    })  # fmt: skip


def test_titles_make_no_term_more_common() -> None:
    plain, titled = segments_of(TEXTS), segments_of(TEXTS, title="Le navire de l'Otan")
    assert corpus_idfs(plain, ["navir", "otan"]) == corpus_idfs(titled, ["navir", "otan"])


def test_what_is_asked_is_kept_as_it_was_typed() -> None:
    embedder = HashingEmbedder()
    asked = read_asked("Où est  l’Otan ?", segments_of(TEXTS), analyzer=ANALYZER, embedder=embedder)
    assert asked.text == "Où est  l’Otan ?"
    assert asked.tokens == [("otan", 10, 14)]
    assert asked.vector.tolist() == embedder.embed_question("Où est  l’Otan ?").tolist()
    assert asked.respelled == frozenset()
    again = asked.spelled_as_in([hit_of("L'OTAN")], ANALYZER)
    assert (again.text, again.tokens) == (asked.text, asked.tokens)


@pytest.mark.parametrize("text", ["", " ", "?!", "le et de", "🤖", "\x00", "l'", "’"])
def test_a_question_may_have_no_terms(text: str) -> None:
    asked = read_asked(text, segments_of(TEXTS), analyzer=ANALYZER, embedder=HashingEmbedder())
    assert (asked.tokens, asked.idfs, asked.text) == ([], {}, text)


def test_half_a_character_is_refused_by_the_bundled_model() -> None:
    with pytest.raises(InputError, match="lone surrogate"):
        read_asked("navire \ud83d", segments_of(TEXTS), analyzer=ANALYZER, embedder=StaticEmbedder.bundled())


def test_an_unknown_name_is_read_as_the_one_that_the_corpus_holds() -> None:
    asked = read_asked(
        "Où est Zorglubrt, le navire ?", segments_of(TEXTS), analyzer=ANALYZER, embedder=HashingEmbedder()
    )
    assert asked.text == "Où est Zorglubrt, le navire ?"  # as it was typed, until hits say how it is written
    assert asked.tokens == [("zorglubert", 7, 16), ("navir", 21, 27)]
    assert asked.respelled == {"zorglubert"}
    assert asked.idfs == pytest.approx({
        "zorglubert": idf_by_hand("Zorglubert", 1, 4), "navir": idf_by_hand("navire", 2, 4)
    })  # fmt: skip


# -- written as the hits write it ------------------------------------------------------------------------------------


def hit_of(text: str) -> Hit:
    document = Document(text, text, text)
    span = Span(0, len(text))
    return Hit(Passage(0, document, 0, span, (Sentence(document, span),)), 1.0, 0.0, 0.0)


def asked_for(text: str, meant: dict[str, str]) -> Asked:
    """Return a question some of whose words are read as terms of the corpus."""
    tokens = [(meant.get(text[start:end], term), start, end) for term, start, end in ANALYZER.tokens(text)]
    vector = np.zeros(2, dtype=np.float32)
    return Asked(text, tokens, {term: 1.0 for term, _, _ in tokens}, vector, frozenset(meant.values()))


@pytest.mark.parametrize(
    ("text", "meant", "hits", "written"),
    [
        ("Où est Oslu ?", {"Oslu": "oslo"}, ["À Brest.", "À OSLO, oui.", "Oslo."], "Où est OSLO ?"),
        ("Oslu", {"Oslu": "oslo"}, ["Oslo"], "Oslo"),
        ("De Oslu à Brestt, à Oslu", {"Oslu": "oslo", "Brestt": "brest"}, ["Brest", "Oslo"], "De Oslo à Brest, à Oslo"),
        ("l'Oslu l’Oslu", {"Oslu": "oslo"}, ["d'Oslo"], "l'Oslo l’Oslo"),
        ("mer-Oslu-mer", {"Oslu": "oslo"}, ["Saint-Oslo"], "mer-Oslo-mer"),
        ("la recolt", {"recolt": "recolt"}, ["Une récolte"], "la récolte"),
        ("Brest et la mer", {}, ["brest"], "Brest et la mer"),
    ],
)
def test_words_are_written_as_the_first_hit_that_holds_them(
    text: str, meant: dict[str, str], hits: list[str], written: str
) -> None:
    asked = asked_for(text, meant).spelled_as_in([hit_of(each) for each in hits], ANALYZER)
    assert asked.text == written
    assert list(asked.tokens) == ANALYZER.tokens(written)


fill = st.sampled_from([" ", ", ", " l'", " d’", "-", " (", ") ", " : ", "\n", "…"])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["Oslu", "Brestt", "mer", "Paris"]), fill), min_size=1, max_size=8))
def test_nothing_but_the_words_meant_is_changed(parts: list[tuple[str, str]]) -> None:
    text = "".join(word + after for word, after in parts)
    meant = {"Oslu": "oslo", "Brestt": "brest"}
    asked = asked_for(text, meant).spelled_as_in([hit_of("Vers Brest et Oslo-Nord.")], ANALYZER)
    assert asked.text == text.replace("Oslu", "Oslo").replace("Brestt", "Brest")
    assert replace(asked, text=text, tokens=[]).idfs == asked_for(text, meant).idfs
