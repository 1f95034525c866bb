"""Postings against BM25 in pure Python, cut into segments, joined and thinned out in every way."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.lexical import MAX_ROWS, Postings, PostingsBuilder, hashes_of, term_hash
from index.rank import length_norms
from tests.bm25 import bm25

WORDS = ["otan", "ukraine", "navire", "baltique", "ministre", "defense", "général"]
IDFS = {"otan": 1.5, "ukraine": 0.25, "navire": 3.0, "général": 2.0, "absent": 4.0}

texts = st.lists(st.sampled_from(WORDS), max_size=30)
corpora = st.lists(texts, min_size=1, max_size=14)


def postings_of(rows: Sequence[Sequence[str]]) -> Postings:
    builder = PostingsBuilder()
    for terms in rows:
        builder.add(terms)
    return builder.build()


def scores(postings: Postings, idfs: dict[str, float], *, mean: float) -> list[float]:
    """Return the sum of the impacts of each row."""
    norms = length_norms(postings.lengths, mean_terms=mean)
    rows, impacts = postings.impacts(hashes_of(idfs), np.array([*idfs.values()]), norms)
    total = [0.0] * len(postings.lengths)
    for row, impact in zip(rows.tolist(), impacts.tolist(), strict=True):
        total[row] += impact
    return total


def same_arrays(left: Postings, right: Postings) -> bool:
    """Say whether two sets of postings are alike to the last bit."""
    pairs = zip(left.arrays("x").values(), right.arrays("x").values(), strict=True)
    return all(a.dtype == b.dtype and a.tolist() == b.tolist() for a, b in pairs)


@settings(max_examples=60, deadline=None)
@given(corpora, st.floats(0.5, 40.0))
def test_the_impacts_of_a_row_sum_up_to_its_bm25(rows: list[list[str]], mean: float) -> None:
    assert scores(postings_of(rows), IDFS, mean=mean) == pytest.approx(
        [bm25(terms, IDFS, mean_terms=mean) for terms in rows], rel=1e-12
    )


@settings(max_examples=60, deadline=None)
@given(corpora)
def test_the_arrays_say_which_rows_hold_each_term_and_how_often(rows: list[list[str]]) -> None:
    found = postings_of(rows)
    expected = {
        term_hash(word): [(n, terms.count(word)) for n, terms in enumerate(rows) if word in terms] for word in WORDS
    }
    spans = [slice(*pair) for pair in zip(found.offsets[:-1].tolist(), found.offsets[1:].tolist(), strict=True)]
    held = [list(zip(found.rows[s].tolist(), found.counts[s].tolist(), strict=True)) for s in spans]
    assert dict(zip(found.terms.tolist(), held, strict=True)) == {h: pairs for h, pairs in expected.items() if pairs}
    assert found.terms.tolist() == sorted(found.terms.tolist())
    assert found.lengths.tolist() == [len(terms) for terms in rows]
    counts = found.counts_of(hashes_of([*WORDS, "absent"]))
    assert counts.tolist() == [sum(word in terms for terms in rows) for word in [*WORDS, "absent"]]


cuts = st.lists(st.booleans(), min_size=14, max_size=14)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(texts, st.booleans()), min_size=1, max_size=14), cuts, cuts, st.booleans())
def test_cut_thinned_out_and_joined_in_any_way_it_is_the_same(
    rows: list[tuple[list[str], bool]], first_cuts: list[bool], second_cuts: list[bool], thin_first: bool
) -> None:
    parts, kept = [], []
    for n, (terms, stays) in enumerate(rows):  # any partition into parts
        if not n or first_cuts[n]:
            parts.append(PostingsBuilder())
            kept.append(np.empty(0, dtype=np.bool_))
        parts[-1].add(terms)
        kept[-1] = np.append(kept[-1], stays)
    built = [part.build() for part in parts]
    if thin_first:
        built = [part.kept(stays) for part, stays in zip(built, kept, strict=True)]
    groups: list[list[Postings]] = []
    for n, part in enumerate(built):  # any grouping of these
        if not n or second_cuts[n]:
            groups.append([])
        groups[-1].append(part)
    joined = Postings.joined([Postings.joined(group) for group in groups])
    if not thin_first:
        joined = joined.kept(np.concatenate(kept))
    rest = [terms for terms, stays in rows if stays]
    assert same_arrays(joined, postings_of(rest))
    assert scores(joined, IDFS, mean=9.0) == pytest.approx([bm25(terms, IDFS, mean_terms=9.0) for terms in rest])


@pytest.mark.parametrize(("n", "kept"), [(1, 1), (254, 254), (255, 255), (256, 255), (5_000, 255)])
def test_a_count_is_kept_up_to_255(n: int, kept: int) -> None:
    found = postings_of([["otan"] * n, ["otan"]])
    assert (found.counts.tolist(), found.lengths.tolist()) == ([kept, 1], [n, 1])
    # By hand: idf 2, a text of n terms where the mean is 100; k1 = 0.9, b = 0.4.
    norm = 0.9 * (0.6 + 0.4 * n / 100)
    assert scores(found, {"otan": 2.0}, mean=100.0)[0] == pytest.approx(2.0 * kept * 1.9 / (kept + norm))


def test_a_term_that_occurs_nowhere_gives_nothing() -> None:
    found = postings_of([["otan", "ukraine"], ["navire"]])
    unknown = {f"inconnu{n}": 5.0 for n in range(200)}  # before, between and after the hashes that are there
    assert scores(found, unknown | {"navire": 2.0}, mean=2.0) == pytest.approx(
        [0.0, bm25(["navire"], {"navire": 2.0}, mean_terms=2.0)]
    )
    assert found.counts_of(hashes_of(unknown)).tolist() == [0] * 200
    rows, impacts = found.impacts(hashes_of([]), np.empty(0), np.ones(2))
    assert (rows.tolist(), impacts.tolist()) == ([], [])


@pytest.mark.parametrize("rows", [[], [[]], [[], [], []]], ids=str)
def test_rows_without_terms_are_rows(rows: list[list[str]]) -> None:
    found = postings_of(rows)
    assert found.lengths.tolist() == [0] * len(rows)
    assert (found.terms.tolist(), found.offsets.tolist()) == ([], [0])
    assert scores(found, IDFS, mean=1.0) == [0.0] * len(rows)
    assert same_arrays(Postings.joined([found, found]), postings_of([*rows, *rows]))
    assert same_arrays(found.kept(np.zeros(len(rows), dtype=np.bool_)), postings_of([]))


def test_the_last_row_that_fits_is_found() -> None:
    rows: list[list[str]] = [[]] * MAX_ROWS
    rows[0], rows[-1] = ["otan"], ["navire", "otan"]
    found = postings_of(rows)
    assert (found.rows.tolist(), found.lengths[-1]) in (([0, 65_535, 65_535], 2), ([65_535, 0, 65_535], 2))
    halves = Postings.joined([postings_of(rows[:100]), postings_of(rows[100:])])
    assert same_arrays(halves, found)


def test_terms_are_known_by_the_start_of_their_blake2b() -> None:
    digest = hashlib.blake2b("général".encode(), digest_size=8).digest()
    assert hashes_of(["général"]).tobytes() == digest  # little-endian, as it lies in a file
    assert len({term_hash(f"mot{n}") for n in range(100_000)}) == 100_000


def test_half_a_character_is_a_term_like_any_other() -> None:
    found = postings_of([["demi\ud800", "otan"], ["demi\udfff"], ["demi"]])
    counts = found.counts_of(hashes_of(["demi\ud800", "demi\udfff", "demi", "\ud800"]))
    assert counts.tolist() == [1, 1, 1, 0]


@settings(max_examples=40, deadline=None)
@given(corpora, corpora)
def test_the_arrays_of_two_fields_come_back_by_name(body: list[list[str]], title: list[list[str]]) -> None:
    held = postings_of(body).arrays("body") | postings_of(title).arrays("title")
    assert same_arrays(Postings.from_arrays(held, "body"), postings_of(body))
    assert same_arrays(Postings.from_arrays(held, "title"), postings_of(title))
    assert Counter(name.partition(".")[0] for name in held) == {"body": 5, "title": 5}


def test_an_array_that_is_missing_is_named() -> None:
    held = postings_of([["otan"]]).arrays("body")
    del held["body.rows"]
    with pytest.raises(KeyError, match=r"body\.rows"):
        Postings.from_arrays(held, "body")
