"""The vector index against a brute-force scan in numpy."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from index.errors import InputError, StoreError
from index.vectors import VectorIndex

DIMENSION = 8


def unit_rows(n: int, seed: int = 0) -> NDArray[np.float16]:
    rows = np.random.default_rng(seed).normal(size=(n, DIMENSION))
    unit: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit.astype(np.float16)


def brute(
    held: dict[int, NDArray[np.float16]], query: NDArray[np.float32], k: int, allowed: set[int] | None = None
) -> list[tuple[int, float]]:
    cosines = [
        (number, float(row.astype(np.float32) @ query))
        for number, row in held.items()
        if allowed is None or number in allowed
    ]
    return sorted(cosines, key=lambda pair: -pair[1])[:k]


def assert_same(found: list[tuple[int, float]], expected: list[tuple[int, float]]) -> None:
    assert [number for number, _ in found] == [number for number, _ in expected]
    assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-5)


def index_of(held: dict[int, NDArray[np.float16]]) -> VectorIndex:
    empty = VectorIndex(DIMENSION)
    return empty.changed(added=list(held), vectors=np.stack(list(held.values())), removed=[])


@pytest.mark.parametrize("k", [1, 7, 50, 1000])
def test_search_finds_what_a_full_scan_finds(k: int) -> None:
    held = dict(zip(range(100, 300), unit_rows(200), strict=True))
    for query in unit_rows(5, seed=1).astype(np.float32):
        assert_same(index_of(held).search(query, k=k), brute(held, query, k))


def test_the_score_is_the_cosine_and_higher_is_nearer() -> None:
    rows = np.eye(DIMENSION, dtype=np.float16)
    query = np.zeros(DIMENSION, dtype=np.float32)
    query[:3] = 0.6, 0.8, 0.0
    found = index_of({10: rows[0], 11: rows[1], 12: -rows[1]}).search(query, k=3)
    assert [number for number, _ in found] == [11, 10, 12]
    assert [score for _, score in found] == pytest.approx([0.8, 0.6, -0.8], abs=1e-6)


def test_an_equal_score_is_ordered_by_number() -> None:
    row = unit_rows(1)[0]
    assert [n for n, _ in index_of({9: row, 3: row, 5: row}).search(row.astype(np.float32), k=3)] == [3, 5, 9]


@pytest.mark.parametrize("allowed", [[], [5], [3, 5, 8], list(range(40)), [1000]])
def test_only_allowed_passages_are_found(allowed: list[int]) -> None:
    held = dict(zip(range(30), unit_rows(30), strict=True))
    index = index_of(held).compacted().changed(added=[30, 31], vectors=unit_rows(2, seed=5), removed=[5, 6])
    held |= dict(zip([30, 31], unit_rows(2, seed=5), strict=True))
    del held[5], held[6]
    query = unit_rows(1, seed=2)[0].astype(np.float32)
    found = index.search(query, k=10, allowed=np.array(allowed, dtype=np.int64))
    assert_same(found, brute(held, query, 10, set(allowed)))


operations = st.lists(
    st.tuples(st.lists(st.integers(0, 30), max_size=4), st.integers(0, 6), st.booleans(), st.booleans()), max_size=8
)


@settings(max_examples=40, deadline=None)
@given(operations)
def test_any_changes_equal_a_dictionary(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple]) -> None:  # type: ignore[type-arg]
    held: dict[int, NDArray[np.float16]] = {}
    index = VectorIndex(DIMENSION)
    for step, (removed, n_added, compact, reload) in enumerate(steps):
        added = list(range(1000 * step + 100, 1000 * step + 100 + n_added))
        removed_now = [*removed, *list(held)[: len(removed)]]  # some absent, some present
        rows = unit_rows(n_added, seed=step)
        index = index.changed(added=added, vectors=rows, removed=removed_now)
        held = {n: row for n, row in held.items() if n not in removed_now} | dict(zip(added, rows, strict=True))
        if compact:
            index = index.compacted()
        if reload:
            path = tmp_path_factory.mktemp("vectors") / "snapshot.faiss"
            index.save(path)
            index = VectorIndex.load(path)
        assert len(index) == len(held)
        assert index.numbers().tolist() == sorted(held)
        query = unit_rows(1, seed=99)[0].astype(np.float32)
        assert_same(index.search(query, k=5), brute(held, query, 5))
        stored = index.embeddings(sorted(held))
        assert stored.tolist() == [held[number].astype(np.float32).tolist() for number in sorted(held)]


def test_a_change_leaves_the_former_index_as_it_was() -> None:
    held = dict(zip(range(6), unit_rows(6), strict=True))
    query = unit_rows(1, seed=3)[0].astype(np.float32)
    before = index_of(held).compacted()
    former = before.search(query, k=10)
    after = before.changed(added=[6], vectors=unit_rows(1, seed=4), removed=[0, 1])
    after.compacted()
    after.changed(added=[7], vectors=unit_rows(1, seed=5), removed=[6])
    assert before.search(query, k=10) == former
    assert after.numbers().tolist() == [2, 3, 4, 5, 6]


def test_drift_counts_what_changed_since_the_snapshot() -> None:
    index = index_of(dict(zip(range(6), unit_rows(6), strict=True))).compacted()
    assert index.drift == (6, 0, 0)
    index = index.changed(added=[6, 7], vectors=unit_rows(2), removed=[0])
    assert index.drift == (6, 2, 1)
    index = index.changed(added=[], vectors=unit_rows(0), removed=[0, 6, 999])  # again, from the delta, and absent
    assert index.drift == (6, 1, 1)
    assert index.compacted().drift == (6, 0, 0)


def test_a_vector_of_zeros_says_nothing() -> None:
    assert index_of({1: unit_rows(1)[0]}).search(np.zeros(DIMENSION, dtype=np.float32), k=3) == []


def test_an_empty_index_finds_nothing(tmp_path: Path) -> None:
    empty = VectorIndex(DIMENSION)
    empty.save(tmp_path / "empty.faiss")
    for index in (empty, empty.compacted(), VectorIndex.load(tmp_path / "empty.faiss")):
        assert len(index) == 0
        assert index.search(unit_rows(1)[0].astype(np.float32), k=3) == []
        assert index.numbers().tolist() == []


@pytest.mark.parametrize(("k", "dimension"), [(0, DIMENSION), (-1, DIMENSION), (3, DIMENSION + 1), (3, 0)])
def test_a_wrong_query_is_refused(k: int, dimension: int) -> None:
    with pytest.raises(InputError, match=r"expected k >= 1 and shape \(8,\)"):
        index_of({1: unit_rows(1)[0]}).search(np.ones(dimension, dtype=np.float32), k=k)


@pytest.mark.parametrize("kept", [0, 3, 50, -1])
def test_a_cut_snapshot_is_refused(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "snapshot.faiss"
    index_of(dict(zip(range(6), unit_rows(6), strict=True))).save(path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(StoreError, match=r"snapshot.faiss is no vector snapshot.*repair"):
        VectorIndex.load(path)


def test_another_faiss_index_is_refused(tmp_path: Path) -> None:
    flat = faiss.IndexFlatIP(DIMENSION)
    flat.add(unit_rows(3).astype(np.float32))
    faiss.write_index(flat, str(tmp_path / "flat.faiss"))
    with pytest.raises(StoreError, match=r"another faiss index.*repair"):
        VectorIndex.load(tmp_path / "flat.faiss")


def test_a_missing_folder_is_a_stated_failure(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be written.*disk space"):
        index_of({1: unit_rows(1)[0]}).save(tmp_path / "gone" / "snapshot.faiss")
