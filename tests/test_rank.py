"""Scores against arithmetic by hand: BM25, the fusion, and how rare a term is."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import CorpusIndex
from index.background import Background
from index.rank import K1, FusionWeights, fuse, length_norms, ranks_of
from tests.bm25 import bm25
from tests.conftest import answers

IDFS = {"otan": 2.0, "mer": 0.5}


@pytest.mark.parametrize(
    ("terms", "mean", "expected"),
    [
        ([], 10.0, 0.0),
        (["autre", "mot"], 2.0, 0.0),
        # one occurrence in a text of the mean length: the norm is k1 = 0.9, so idf * 1.9 / 1.9
        (["otan", "x", "y", "z"], 4.0, 2.0),
        # twice: the idf times 2 * 1.9 over 2 and the norm
        (["otan", "otan"], 2.0, 7.6 / 2.9),
        # half the mean length: the norm is 0.9 * (0.6 + 0.4 * 0.5) = 0.72
        (["otan", "mer"], 4.0, 2.0 * 1.9 / 1.72 + 0.5 * 1.9 / 1.72),
    ],
)
def test_bm25_by_hand(terms: Sequence[str], mean: float, expected: float) -> None:
    assert bm25(terms, IDFS, mean_terms=mean) == pytest.approx(expected)


@given(st.lists(st.sampled_from(["otan", "mer", "autre"]), max_size=60), st.floats(1.0, 500.0))
def test_no_bm25_reaches_the_bound_that_shares_are_taken_of(terms: list[str], mean: float) -> None:
    bound = sum(IDFS.values()) * (K1 + 1.0)
    assert 0.0 <= bm25(terms, IDFS, mean_terms=mean) < bound


@given(st.integers(1, 40), st.integers(1, 40))
def test_one_more_occurrence_counts_and_one_more_other_word_costs(n: int, rest: int) -> None:
    score = bm25(["otan"] * n + ["x"] * rest, IDFS, mean_terms=20.0)
    assert bm25(["otan"] * (n + 1) + ["x"] * (rest - 1), IDFS, mean_terms=20.0) > score
    assert bm25(["otan"] * n + ["x"] * (rest + 1), IDFS, mean_terms=20.0) < score


@pytest.mark.parametrize(
    ("lexical", "dense", "best", "expected"),
    [
        ([1.9, 0.0, 3.8], [0.5, -1.0, 0.0], 3.8, [0.5 + 0.15, -0.3, 1.0]),
        ([0.0, 0.0], [0.8, 0.0], 0.0, [0.24, 0.0]),
        ([], [], 3.8, []),
    ],
)
def test_the_fused_score_is_the_share_of_bm25_and_the_weighted_cosine(
    lexical: list[float], dense: list[float], best: float, expected: list[float]
) -> None:
    fused = fuse(np.array(lexical), np.array(dense), best=best, weights=FusionWeights(dense=0.3))
    assert fused.tolist() == pytest.approx(expected)


@given(st.lists(st.integers(0, 400), max_size=8), st.floats(1.0, 300.0))
def test_the_norms_are_those_of_bm25(lengths: list[int], mean: float) -> None:
    norms = length_norms(np.array(lengths, dtype=np.uint32), mean_terms=mean)
    for length, norm in zip(lengths, norms.tolist(), strict=True):
        once = bm25(["otan"] + ["x"] * (length - 1), {"otan": 1.0}, mean_terms=mean) if length else None
        assert norm == pytest.approx(0.9 * (0.6 + 0.4 * length / mean))
        assert once is None or once == pytest.approx(1.9 / (1.0 + norm))


@pytest.mark.parametrize(
    ("values", "ranks"),
    [
        ([], []),
        ([0.3], [0]),
        ([0.5, 0.9, 0.5, 0.1], [1, 0, 1, 3]),
        ([0.0, -0.0, 0.0], [0, 0, 0]),
        # What differs by less than a millionth may be the same sum in another order.
        ([0.1 + 0.2, 0.3, 0.3 - 1e-9, 0.3 - 1e-5], [0, 0, 0, 3]),
    ],
)
def test_equal_values_rank_alike(values: list[float], ranks: list[int]) -> None:
    assert ranks_of(np.array(values)).tolist() == ranks


@given(st.lists(st.integers(-6, 6), max_size=30))
def test_a_rank_is_the_number_of_higher_values(values: list[int]) -> None:
    expected = [sum(other > value for other in values) for value in values]
    assert ranks_of(np.array(values, dtype=np.float64) / 8).tolist() == expected


def test_a_search_is_scored_as_by_hand(seed_corpus: CorpusIndex) -> None:
    question = "Combien de navires patrouillent en mer Baltique ?"
    analyzer, weights = seed_corpus.analyzer, FusionWeights()
    idfs = seed_corpus.idfs(analyzer.terms(question))
    hits = seed_corpus.search(question, k=50, weights=weights)
    texts = {hit.passage.number: analyzer.terms(hit.passage.text) for hit in hits}
    assert len(texts) == seed_corpus.status().n_passages  # every passage is a candidate, so the mean is that of all
    mean = sum(map(len, texts.values())) / len(texts)
    vector = seed_corpus.embedder.embed_question(question)
    for hit in hits:
        score = 0.0
        for term, idf in idfs.items():
            terms = texts[hit.passage.number]
            n, norm = terms.count(term), 0.9 * (1 - 0.4 + 0.4 * len(terms) / mean)
            score += idf * n * 1.9 / (n + norm)
        titles = analyzer.terms(hit.passage.document.title or "")
        score += weights.title * bm25(titles, idfs, mean_terms=mean)
        assert hit.lexical_score == pytest.approx(score)
        passage = seed_corpus.embedder.embed_passages([hit.passage.text])[0]
        assert hit.dense_score == pytest.approx(float(passage @ vector), abs=2e-3)  # stored in half precision
        share = score / (1.9 * sum(idfs.values()))
        assert hit.score == pytest.approx(share + weights.dense * hit.dense_score)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_weights_change_the_order(seed_corpus: CorpusIndex) -> None:
    question = "Combien de navires patrouillent en mer Baltique ?"
    words_only = seed_corpus.search(question, k=50, weights=replace(FusionWeights(), dense=0.0))
    vectors_only = seed_corpus.search(question, k=50, weights=replace(FusionWeights(), dense=1e6))
    assert [h.lexical_score for h in words_only] == sorted((h.lexical_score for h in words_only), reverse=True)
    assert [h.dense_score for h in vectors_only] == sorted((h.dense_score for h in vectors_only), reverse=True)
    assert answers(seed_corpus, question) == answers(seed_corpus, question)


def test_the_idf_counts_both_corpora() -> None:
    background = Background(1000, {"otan": 40})
    assert background.idf("otan") == pytest.approx(math.log(1 + (1000 - 40 + 0.5) / 40.5))
    assert background.idf("otan", count=3, n_documents=10) == pytest.approx(math.log(1 + (1010 - 43 + 0.5) / 43.5))
    assert background.idf("inconnu") == pytest.approx(math.log(1 + 1000.5 / 0.5))
    assert background.idfs(["otan", "inconnu"]) == {
        "otan": background.idf("otan"),
        "inconnu": background.idf("inconnu"),
    }


def test_the_idfs_of_a_corpus_count_its_passages(seed_corpus: CorpusIndex) -> None:
    passages = [hit.passage for hit in seed_corpus.search("otan", k=100)]
    for word in ("otan", "baltique", "zorglub"):
        (term,) = seed_corpus.analyzer.terms(word)
        held = sum(term in seed_corpus.analyzer.terms(passage.text) for passage in passages)
        expected = Background.bundled().idf(term, count=held, n_documents=len(passages))
        assert seed_corpus.idfs([term]) == pytest.approx({term: expected})


def test_the_shipped_counts_are_read_as_written() -> None:
    record = json.loads(files("index").joinpath("models/term-counts.json").read_text(encoding="utf-8"))
    background = Background.bundled()
    assert background.n_documents == record["n_documents"] > 10_000
    for n, terms in list(record["terms"].items())[:5]:
        assert {background.count(term) for term in terms.split()} == {int(n)}
    assert background.count("zorglubzorglub") == 0
