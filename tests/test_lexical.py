"""The lexical index against BM25 written by hand, and its generations against each other."""

from __future__ import annotations

import math
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import InputError, StoreError
from index.lexical import LexicalEntry, LexicalIndex

K1, B = 1.2, 0.75  # tantivy's constants

WORDS = ["otan", "ukraine", "navire", "baltique", "ministre", "defense", "général"]
ENTRIES = [
    LexicalEntry(1, ["otan", "ukraine", "otan"], ["otan"], (100, 130)),
    LexicalEntry(2, ["navire", "baltique"], ["ukraine"], (131, 131)),
    LexicalEntry(5, ["ukraine"], [], None),
    LexicalEntry(9, ["ministre", "defense", "ukraine", "otan", "navire"], ["ministre", "otan"], (90, 100)),
]


def scores(entries: Sequence[LexicalEntry], terms: Sequence[str], title_boost: float) -> dict[int, float]:
    """BM25 of every entry with at least one term (Robertson and Zaragoza 2009, with Lucene's idf)."""
    total: dict[int, float] = {}
    for boost, texts in ((1.0, [e.body for e in entries]), (title_boost, [e.title for e in entries])):
        mean = sum(map(len, texts)) / len(texts)
        for term in set(terms):
            held = sum(term in text for text in texts)
            idf = math.log(1 + (len(texts) - held + 0.5) / (held + 0.5))
            for entry, text in zip(entries, texts, strict=True):
                if n := Counter(text)[term]:
                    norm = K1 * (1 - B + B * len(text) / mean)
                    total[entry.passage] = total.get(entry.passage, 0.0) + boost * idf * n * (K1 + 1) / (n + norm)
    return total


def found(index: LexicalIndex, terms: Sequence[str], **options: object) -> dict[int, float]:
    hits = index.search(terms, k=100, title_boost=0.5, **options)  # type: ignore[arg-type]
    assert [score for _, score in hits] == sorted((score for _, score in hits), reverse=True)
    return dict(hits)


entries = st.lists(
    st.builds(
        lambda body, title, days: (body, title, days),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=30),
        st.lists(st.sampled_from(WORDS), max_size=4),
        st.none() | st.tuples(st.integers(1, 50), st.integers(0, 9)).map(lambda pair: (pair[0], sum(pair))),
    ),
    min_size=1,
    max_size=12,
).map(lambda rows: [LexicalEntry(3 * n + 1, body, title, days) for n, (body, title, days) in enumerate(rows)])


@settings(max_examples=40, deadline=None)
@given(
    entries, st.lists(st.sampled_from([*WORDS, "absent"]), min_size=1, max_size=5), st.sampled_from([0.25, 1.0, 2.0])
)
def test_search_gives_bm25_over_text_and_title(held: list[LexicalEntry], terms: list[str], boost: float) -> None:
    hits = LexicalIndex.write(None, held, removed=[]).search(terms, k=100, title_boost=boost)
    expected = scores(held, terms, boost)
    assert dict(hits) == pytest.approx(expected, rel=1e-4)
    assert [score for _, score in hits] == sorted((score for _, score in hits), reverse=True)


def test_a_repeated_term_counts_once() -> None:
    index = LexicalIndex.write(None, ENTRIES, removed=[])
    assert found(index, ["otan", "otan", "otan"]) == found(index, ["otan"])


def test_only_the_best_are_returned() -> None:
    index = LexicalIndex.write(None, ENTRIES, removed=[])
    expected = sorted(scores(ENTRIES, ["otan", "ukraine"], 0.5).items(), key=lambda pair: -pair[1])
    assert [n for n, _ in index.search(["otan", "ukraine"], k=2, title_boost=0.5)] == [n for n, _ in expected[:2]]


def test_more_than_there_are_may_be_asked_for() -> None:
    assert len(LexicalIndex.write(None, ENTRIES, removed=[]).search(["otan"], k=10**15, title_boost=0.5)) == 2


@settings(max_examples=40, deadline=None)
@given(entries, st.none() | st.integers(0, 60), st.none() | st.integers(0, 60))
def test_days_keep_what_overlaps_them(held: list[LexicalEntry], since: int | None, until: int | None) -> None:
    index = LexicalIndex.write(None, held, removed=[])
    everything, within = found(index, WORDS), found(index, WORDS, days=(since, until))
    expected = {
        entry.passage
        for entry in held
        if entry.days is not None
        and (since is None or entry.days[1] >= since)
        and (until is None or entry.days[0] <= until)
    }
    assert within == pytest.approx({n: score for n, score in everything.items() if n in expected})


def test_a_term_is_matched_whole() -> None:
    held = [
        LexicalEntry(1, ["aujourd'hui", "l-otan", "50%"], [], None),
        LexicalEntry(2, ["hui", "otan", "50"], [], None),
    ]
    index = LexicalIndex.write(None, held, removed=[])
    for term, passage in (("aujourd'hui", 1), ("l-otan", 1), ("50%", 1), ("otan", 2), ("hui", 2)):
        assert list(found(index, [term])) == [passage]


def test_removed_passages_are_not_found_nor_counted(tmp_path: Path) -> None:
    LexicalIndex.write(tmp_path / "1", ENTRIES, removed=[])
    index = LexicalIndex.write(tmp_path / "2", [], base=tmp_path / "1", removed=[1, 5, 777])
    assert index.numbers() == [2, 9]
    assert len(index) == 2
    assert set(found(index, ["ukraine", "otan"])) == {2, 9}
    rest = [entry for entry in ENTRIES if entry.passage in (2, 9)]
    assert {word: index.document_frequency(word) for word in WORDS} == {
        word: sum(word in entry.body for entry in rest) for word in WORDS
    }


def test_generations_that_share_segments_do_not_disturb_each_other(tmp_path: Path) -> None:
    first = LexicalIndex.write(tmp_path / "1", ENTRIES, removed=[])
    former = found(first, WORDS)
    second = LexicalIndex.write(
        tmp_path / "2", [LexicalEntry(20, ["otan"], [], None)], base=tmp_path / "1", removed=[1]
    )
    other = LexicalIndex.write(tmp_path / "other", [], base=tmp_path / "1", removed=[2, 5])
    third = LexicalIndex.write(
        tmp_path / "3", [LexicalEntry(21, ["otan"], [], None)], base=tmp_path / "2", removed=[20]
    )
    assert next((tmp_path / "1").glob("*.idx")).stat().st_nlink > 1  # they do share
    for index, folder, numbers in (
        (first, "1", [1, 2, 5, 9]),
        (second, "2", [2, 5, 9, 20]),
        (other, "other", [1, 9]),
        (third, "3", [2, 5, 9, 21]),
    ):
        assert index.numbers() == numbers
        assert LexicalIndex.open(tmp_path / folder).numbers() == numbers
    assert found(first, WORDS) == found(LexicalIndex.open(tmp_path / "1"), WORDS) == former
    shutil.rmtree(tmp_path / "1")
    shutil.rmtree(tmp_path / "2")
    assert found(first, WORDS) == former  # what was open stays readable
    assert LexicalIndex.open(tmp_path / "3").numbers() == [2, 5, 9, 21]


def test_many_generations_stay_one_index(tmp_path: Path) -> None:
    LexicalIndex.write(tmp_path / "0", [], removed=[])
    for n in range(1, 30):  # enough for tantivy to merge segments
        base, entry = tmp_path / str(n - 1), LexicalEntry(n, [WORDS[n % 7], "otan"], [], None)
        index = LexicalIndex.write(tmp_path / str(n), [entry], base=base, removed=[n - 5] if n % 4 == 0 else [])
        shutil.rmtree(base)
    expected = sorted(set(range(1, 30)) - {n - 5 for n in range(8, 30, 4)})
    assert index.numbers() == LexicalIndex.open(tmp_path / "29").numbers() == expected
    assert index.document_frequency("otan") == len(expected)


def test_an_empty_index_finds_nothing(tmp_path: Path) -> None:
    for index in (LexicalIndex.write(tmp_path / "1", [], removed=[]), LexicalIndex.open(tmp_path / "1")):
        assert (index.search(["otan"], k=5, title_boost=1.0), index.numbers(), len(index)) == ([], [], 0)
        assert index.document_frequency("otan") == 0


def test_no_term_finds_nothing() -> None:
    assert LexicalIndex.write(None, ENTRIES, removed=[]).search([], k=5, title_boost=1.0) == []


@pytest.mark.parametrize("k", [0, -3])
def test_fewer_than_one_passage_is_refused(k: int) -> None:
    with pytest.raises(InputError, match=f"k = {k}: expected at least 1"):
        LexicalIndex.write(None, ENTRIES, removed=[]).search(["otan"], k=k, title_boost=1.0)


def test_a_folder_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"is no lexical index.*repair"):
        LexicalIndex.open(tmp_path)
    with pytest.raises(StoreError, match=r"is no lexical index.*repair"):
        LexicalIndex.open(tmp_path / "absent")


def test_a_folder_that_exists_is_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        LexicalIndex.write(tmp_path, ENTRIES, removed=[])
    with pytest.raises(StoreError, match="cannot be written"):
        LexicalIndex.write(tmp_path / "2", ENTRIES, base=tmp_path / "absent", removed=[])


def test_a_failure_of_who_gives_the_passages_is_his_and_ends_all_writing(tmp_path: Path) -> None:
    def broken() -> Iterator[LexicalEntry]:
        yield from ENTRIES
        raise ValueError("not the disk")

    for n in range(20):
        folder = tmp_path / str(n)
        with pytest.raises(ValueError, match="not the disk") as held:
            LexicalIndex.write(folder, broken(), removed=[])
        before = sorted(folder.iterdir())
        time.sleep(0.02)
        assert sorted(folder.iterdir()) == before, held  # no thread goes on there, though the error is still held
