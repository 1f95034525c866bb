"""A block of embeddings against a brute-force scan in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from index.vectors import CODED_ROWS, VectorBlock

DIMENSION = 8
LARGE, CODED_DIMENSION = CODED_ROWS + 1_904, 64


def unit_rows(n: int, *, dimension: int = DIMENSION, seed: int = 0) -> NDArray[np.float16]:
    rows = np.random.default_rng(seed).normal(size=(n, dimension))
    unit: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit.astype(np.float16)


def queries(n: int, *, dimension: int = DIMENSION) -> NDArray[np.float32]:
    return unit_rows(n, dimension=dimension, seed=99).astype(np.float32)


@cache
def clusters() -> NDArray[np.float16]:
    """Rows around 60 centres, as the passages of a corpus lie around its subjects."""
    dice = np.random.default_rng(7)
    centres = unit_rows(60, dimension=CODED_DIMENSION, seed=3).astype(np.float64)
    noise = dice.normal(size=(LARGE, CODED_DIMENSION)) / np.sqrt(CODED_DIMENSION)
    rows = centres[dice.integers(0, 60, LARGE)] + 0.8 * noise
    unit: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit.astype(np.float16)


_SINGLE = 1e-5
"""Difference of two cosines that single precision may not show."""


@cache
def coded() -> VectorBlock:
    return VectorBlock.of(clusters())


def brute(
    rows: NDArray[np.float16], query: NDArray[np.float32], k: int, allowed: list[int] | None = None
) -> list[tuple[int, float]]:
    wanted = range(len(rows)) if allowed is None else allowed
    cosines = [(row, float(rows[row].astype(np.float64) @ query.astype(np.float64))) for row in wanted]
    return sorted(cosines, key=lambda pair: -pair[1])[:k]


def found_by(
    block: VectorBlock, query: NDArray[np.float32], k: int, *, exact: bool = True, allowed: list[int] | None = None
) -> list[tuple[int, float]]:
    only = None if allowed is None else np.array(allowed, dtype=np.int64)
    rows, cosines = block.search(query, k=k, n_candidates=None if exact else 64, allowed=only)
    return sorted(zip(rows.tolist(), cosines.tolist(), strict=True), key=lambda pair: -pair[1])


def assert_same(found: list[tuple[int, float]], expected: list[tuple[int, float]]) -> None:
    """Compare two rankings; rows that single precision cannot tell apart may stand in either order."""
    least = min((score for _, score in expected), default=0.0) + _SINGLE
    assert {row for row, score in found if score > least} == {row for row, score in expected if score > least}
    assert len({row for row, _ in found}) == len(found)
    assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=_SINGLE)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("k", [1, 7, 50, 200, 1000])
def test_search_finds_what_a_full_scan_finds(k: int, exact: bool) -> None:
    rows = unit_rows(200)
    block = VectorBlock.of(rows)
    for query in queries(5):
        assert_same(found_by(block, query, k, exact=exact), brute(rows, query, k))


def test_the_score_is_the_cosine_and_higher_is_nearer() -> None:
    rows = np.eye(DIMENSION, dtype=np.float16)
    query = np.zeros(DIMENSION, dtype=np.float32)
    query[:3] = 0.6, 0.8, 0.0
    found = found_by(VectorBlock.of(np.stack([rows[0], rows[1], -rows[1]])), query, 3)
    assert [row for row, _ in found] == [1, 0, 2]
    assert [score for _, score in found] == pytest.approx([0.8, 0.6, -0.8], abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, 59)), st.integers(1, 70), st.booleans())
def test_only_allowed_rows_are_found_and_as_many_as_there_are(allowed: set[int], k: int, exact: bool) -> None:
    rows = unit_rows(60)
    (query,) = queries(1)
    found = found_by(VectorBlock.of(rows), query, k, exact=exact, allowed=sorted(allowed))
    assert_same(found, brute(rows, query, k, sorted(allowed)))


@pytest.mark.parametrize("n_allowed", [1, 10, 300, 374, 375, 376, 5_000, LARGE])  # a 16th of the rows is 375
@pytest.mark.parametrize("exact", [True, False])
def test_few_or_many_allowed_rows_of_a_large_block_are_scanned_exactly(n_allowed: int, exact: bool) -> None:
    allowed = sorted(np.random.default_rng(n_allowed).permutation(LARGE)[:n_allowed].tolist())
    for query in queries(3, dimension=CODED_DIMENSION):
        found = found_by(coded(), query, 20, exact=exact, allowed=allowed)
        assert_same(found, brute(clusters(), query, 20, allowed))


def test_a_large_block_scanned_exactly_finds_what_a_full_scan_finds() -> None:
    for query in queries(5, dimension=CODED_DIMENSION):
        for k in (1, 40, LARGE + 1):
            assert_same(found_by(coded(), query, k), brute(clusters(), query, k))


@pytest.mark.parametrize("allowed", [None, range(90), range(0, 90, 2), [5, *range(30, 45)]], ids=str)
@pytest.mark.parametrize("k", [1, 3, 8])
def test_rows_as_near_as_the_last_one_are_given_too(k: int, allowed: Sequence[int] | None) -> None:
    rows = unit_rows(300)
    rows[20:60] = rows[20]
    query = rows[20].astype(np.float32)
    wanted = None if allowed is None else [*allowed]
    found = found_by(VectorBlock.of(rows), query, k, allowed=wanted)
    equal = [row for row in range(20, 60) if wanted is None or row in wanted]
    assert len(equal) > 8
    assert sorted(row for row, _ in found) == equal


def test_a_thousand_equal_rows_are_given_at_most() -> None:
    rows = np.repeat(unit_rows(1), 1_500, axis=0)
    found = found_by(VectorBlock.of(rows), rows[0].astype(np.float32), 5)
    assert len({row for row, _ in found}) == len(found) == 1_005


def test_codes_find_nearly_all_and_score_exactly() -> None:
    recalled, n_queries = 0, 100
    dice = np.random.default_rng(11)
    for row in dice.integers(0, LARGE, n_queries).tolist():  # questions lie near what they ask for
        query = clusters()[row].astype(np.float64) + 0.6 * dice.normal(size=CODED_DIMENSION) / 8.0
        unit = (query / np.linalg.norm(query)).astype(np.float32)
        found, expected = found_by(coded(), unit, 10, exact=False), brute(clusters(), unit, 10)
        assert len(found) == 10
        exact = dict(brute(clusters(), unit, LARGE))
        assert [score for _, score in found] == pytest.approx([exact[n] for n, _ in found], abs=1e-5)
        recalled += len({n for n, _ in found} & {n for n, _ in expected})
    assert recalled / (10 * n_queries) >= 0.93


@pytest.mark.parametrize("k", [1, 63, 64, 65, 900, LARGE, LARGE + 5])
def test_codes_give_as_many_as_are_wanted(k: int) -> None:
    (query,) = queries(1, dimension=CODED_DIMENSION)
    rows = [row for row, _ in found_by(coded(), query, k, exact=False)]
    assert len(rows) == len(set(rows)) == min(k, LARGE)


@pytest.mark.parametrize(("n", "has_codes"), [(CODED_ROWS - 1, False), (CODED_ROWS, True)])
def test_only_a_large_block_has_codes(n: int, has_codes: bool) -> None:
    assert (VectorBlock.of(unit_rows(n)).codes is not None) is has_codes


def test_the_same_rows_give_the_same_codes_and_the_same_answers() -> None:
    again, given_back = VectorBlock.of(clusters()), VectorBlock.of(clusters(), coded().codes)
    assert again.codes is not None
    assert coded().codes is not None
    assert again.codes.tobytes() == coded().codes.tobytes()  # type: ignore[union-attr]
    for query in queries(5, dimension=CODED_DIMENSION):
        expected = found_by(coded(), query, 30, exact=False)
        assert found_by(given_back, query, 30, exact=False) == found_by(again, query, 30, exact=False) == expected


def test_a_vector_of_zeros_among_the_rows_scores_0() -> None:
    rows = np.vstack([np.zeros((1, DIMENSION), np.float16), unit_rows(3)])
    (query,) = queries(1)
    assert dict(found_by(VectorBlock.of(rows), query, 9))[0] == 0.0


def test_an_empty_block_finds_nothing() -> None:
    block = VectorBlock.of(np.empty((0, DIMENSION), dtype=np.float16))
    (query,) = queries(1)
    assert found_by(block, query, 3) == found_by(block, query, 3, allowed=[]) == []


def test_cosines_of_some_rows() -> None:
    rows = unit_rows(9)
    (query,) = queries(1)
    found = VectorBlock.of(rows).cosines(query, np.array([7, 2, 2]))
    every = dict(brute(rows, query, 9))
    assert found.tolist() == pytest.approx([every[7], every[2], every[2]], abs=1e-6)


def other_codes(n: int, dimension: int) -> NDArray[np.uint8]:
    codes = VectorBlock.of(unit_rows(n, dimension=dimension)).codes
    assert codes is not None
    return codes


def flat_codes() -> NDArray[np.uint8]:
    flat = faiss.IndexFlatIP(CODED_DIMENSION)
    flat.add(clusters().astype(np.float32))
    written: NDArray[np.uint8] = faiss.serialize_index(flat)
    return written


@pytest.mark.parametrize(
    "codes",
    [
        np.empty(0, dtype=np.uint8),
        np.frombuffer(b"damaged" * 50, dtype=np.uint8),
        other_codes(CODED_ROWS, CODED_DIMENSION),
        other_codes(LARGE, 32),
        flat_codes(),
    ],
    ids=["empty", "text", "fewer rows", "other dimension", "another faiss index"],
)
def test_codes_that_are_not_those_of_the_rows_are_refused(codes: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match=r"no faiss index|codes of .* expected 6000 x 64"):
        VectorBlock.of(clusters(), codes)


@pytest.mark.parametrize("part", [0.0, 0.001, 0.3, 0.999])
def test_codes_that_are_cut_are_refused(part: float) -> None:
    codes = coded().codes
    assert codes is not None
    with pytest.raises(ValueError, match="no faiss index"):
        VectorBlock.of(clusters(), codes[: int(part * len(codes))])
