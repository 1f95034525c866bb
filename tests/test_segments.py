"""Segments: joined, thinned out and written anew in any order, they hold each passage once, as it was added."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import save

from index import CorpusIndex, Document, StoreError
from index.lexical import hashes_of, term_hash
from index.manifest import Manifest
from index.search import lexical_scores
from index.segment import UNDATED, Segment, SegmentBuilder, joined
from index.segments import (
    Segments,
    SegmentWriter,
    change_segments,
    damaged_files,
    day_range,
    delete_unnamed,
    load_segments,
    missing_files,
)
from tests.bm25 import bm25
from tests.conftest import HashingEmbedder, answers, index_rows, write_files

DIMENSION = 6
WORDS = ["otan", "navire", "mer", "char", "gazoduc", "usine"]
SUPPRESSED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]  # the sizes stay for all examples


@dataclass(frozen=True)
class Row:
    """A passage: all of it is told by its number."""

    number: int
    document: int
    days: tuple[int, int] | None
    body: list[str]
    title: list[str]
    vector: NDArray[np.float16]

    def put(self, builder: SegmentBuilder) -> None:
        builder.add(
            self.number, document=self.document, days=self.days, body=self.body, title=self.title, vector=self.vector
        )

    @cached_property
    def counts(self) -> dict[str, dict[int, int]]:
        """Hashes of the terms of both fields, with their counts."""
        terms = {"body": self.body, "title": self.title}
        return {name: {term_hash(term): held.count(term) for term in held} for name, held in terms.items()}


@cache
def row_of(number: int) -> Row:
    dice = np.random.default_rng(number)
    vector = dice.normal(size=DIMENSION)
    return Row(
        number,
        document=number // 2,
        days=None if number % 3 == 0 else (700_000 + number, 700_030 + number),
        body=[f"seul{number}", *dice.choice(WORDS, number % 7).tolist()],
        title=dice.choice(WORDS, number % 3).tolist(),
        vector=(vector / np.linalg.norm(vector)).astype(np.float16),
    )


def segment_of(numbers: Sequence[int]) -> Segment:
    builder = SegmentBuilder(DIMENSION)
    for number in numbers:
        row_of(number).put(builder)
    return builder.build()


def terms_of(segment: Segment, field_name: str) -> list[dict[int, int]]:
    """Return the hashes of each row's terms, with their counts."""
    postings = getattr(segment, field_name)
    found: list[dict[int, int]] = [{} for _ in range(len(segment))]
    for place, term in enumerate(postings.terms.tolist()):
        span = slice(*postings.offsets[place : place + 2].tolist())
        for row, count in zip(postings.rows[span].tolist(), postings.counts[span].tolist(), strict=True):
            found[row][term] = count
    return found


def assert_holds(parts: Sequence[Segment], numbers: set[int]) -> None:
    """Compare every row of some segments with what was added."""
    assert sorted(n for part in parts for n in part.numbers.tolist()) == sorted(numbers)
    for part in parts:
        rows = [row_of(number) for number in part.numbers.tolist()]
        assert part.documents.tolist() == [row.document for row in rows]
        assert [tuple(days) for days in part.days.tolist()] == [row.days or UNDATED for row in rows]
        assert terms_of(part, "body") == [row.counts["body"] for row in rows]
        assert terms_of(part, "title") == [row.counts["title"] for row in rows]
        assert part.body.lengths.tolist() == [len(row.body) for row in rows]
        assert part.title.lengths.tolist() == [len(row.title) for row in rows]
        assert part.vectors.rows.tolist() == [row.vector.tolist() for row in rows]


def assert_scored_as_by_hand(segments: Segments, numbers: set[int]) -> None:
    idfs = {"otan": 2.0, "navire": 0.5, "usine": 1.0, "absent": 9.0} | {f"seul{max(numbers, default=0)}": 7.0}
    mean = sum(len(row_of(n).body) for n in numbers) / len(numbers) if numbers else 1.0
    assert segments.mean_terms == pytest.approx(mean if numbers else 0.0)
    given_scores = np.concatenate([np.empty(0), *lexical_scores(segments, idfs, title_weight=0.25)])
    assert dict(zip(segments.numbers.tolist(), given_scores.tolist(), strict=True)) == pytest.approx(
        {
            n: bm25(row_of(n).body, idfs, mean_terms=mean) + 0.25 * bm25(row_of(n).title, idfs, mean_terms=mean)
            for n in numbers
        }
    )
    counts = {term: sum(term in row_of(n).body for n in numbers) for term in idfs}
    assert segments.document_frequencies([*idfs]) == counts


@dataclass
class Written:
    """The segments of an index folder, changed as an update changes them."""

    directory: Path
    manifest: Manifest = field(default_factory=lambda: Manifest("hashing", "hashing/1", DIMENSION, "french"))
    segments: Segments = field(default_factory=lambda: Segments(0, {}))
    numbers: set[int] = field(default_factory=set)
    last: int = 0

    def change(self, n_added: int, removed: set[int]) -> None:
        manifest = replace(self.manifest, generation=self.manifest.generation + 1)
        writer = SegmentWriter(self.directory, generation=manifest.generation, dimension=DIMENSION)
        added = range(self.last + 1, self.last + 1 + n_added)
        for number in added:
            row_of(number).put(writer.builder_for(row_of(number).document))
        self.manifest, self.segments = change_segments(writer, manifest, self.segments, removed=sorted(removed))
        delete_unnamed(self.directory, self.manifest)
        self.last += n_added
        self.numbers = (self.numbers | {*added}) - removed

    def files(self) -> dict[str, bytes]:
        held = self.directory.rglob("*.segment")
        return {path.relative_to(self.directory).as_posix(): path.read_bytes() for path in held}

    def check(self) -> None:
        assert self.segments.generation == self.manifest.generation
        assert_holds([*self.segments.parts.values()], self.numbers)
        assert_scored_as_by_hand(self.segments, self.numbers)
        sums = {name: hashlib.sha256(content).hexdigest() for name, content in self.files().items()}
        assert sums == self.manifest.sha256
        assert self.manifest.sha256.keys() == self.segments.parts.keys()
        assert damaged_files(self.directory, sums) == missing_files(self.directory, sums) == []
        assert_holds([*load_segments(self.directory, self.manifest, None).parts.values()], self.numbers)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    make_tiny(monkeypatch)


def make_tiny(patch: pytest.MonkeyPatch) -> None:
    """Take sizes a thousand times smaller: at most 64 rows, 16 where a build writes, large from 8 and full from 32."""
    patch.setattr("index.segments.MAX_ROWS", 64)
    patch.setattr("index.segments.FULL_ROWS", 16)
    patch.setattr("index.segments._LARGE_CLASS", 1)
    patch.setattr("index.segments._FULL", 2)
    patch.setattr("index.segments._MOST", {1: 4})
    patch.setattr("index.vectors.CODED_ROWS", 24)


# -- any sequence of changes -----------------------------------------------------------------------------------------

changes = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 3), st.integers(10, 90)), st.lists(st.integers(0, 200), max_size=6), st.booleans()
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.usefixtures("tiny")
@settings(max_examples=40, deadline=None, suppress_health_check=SUPPRESSED)
@given(sequence=changes)
def test_no_passage_is_lost_or_doubled(
    tmp_path_factory: pytest.TempPathFactory, sequence: list[tuple[int, list[int], bool]]
) -> None:
    index = Written(tmp_path_factory.mktemp("written"))
    for n_added, picks, whole_run in sequence:
        held = sorted(index.numbers)
        removed = {held[pick % len(held)] for pick in picks if held} | {10**6}  # one that was never there
        if whole_run and held and picks:
            removed |= {*held[picks[0] % len(held) :][:40]}
        index.change(n_added, removed)
        index.check()
        sizes = [len(part) for part in index.segments.parts.values()]
        assert max(sizes, default=0) <= 64
        assert len([size for size in sizes if size < 8]) <= 7
        assert len([size for size in sizes if 8 <= size < 32]) <= 3


def test_the_number_of_segments_grows_with_the_logarithm_of_the_changes(tmp_path: Path) -> None:
    index = Written(tmp_path)
    for n in range(1, 601):
        index.change(1, set())
        assert len(index.segments.parts) <= 7 * (1 + math.floor(math.log(n, 8)))
    index.check()
    assert sorted(len(part) for part in index.segments.parts.values()) == [8, 8, 8, 64, 512]  # 600 is 1130 in base 8


def test_eight_of_a_size_are_joined(tmp_path: Path) -> None:
    index = Written(tmp_path)
    index.change(100, set())
    (large,) = index.files().items()
    for _ in range(7):
        index.change(1, set())
    assert sorted(len(part) for part in index.segments.parts.values()) == [1] * 7 + [100]
    index.change(1, set())
    assert sorted(len(part) for part in index.segments.parts.values()) == [8, 100]
    assert large in index.files().items()
    index.check()


@pytest.mark.usefixtures("tiny")
def test_many_large_ones_are_joined_into_full_ones(tmp_path: Path) -> None:
    index = Written(tmp_path)
    for _ in range(3):
        index.change(12, set())
    assert [len(part) for part in index.segments.parts.values()] == [12, 12, 12]
    index.change(12, set())
    assert [len(part) for part in index.segments.parts.values()] == [48]
    (full,) = index.files().items()
    index.change(100, set())  # six full segments of a build and a rest of 4, in one change
    assert sorted(len(part) for part in index.segments.parts.values()) == [3, 33, 48, 64]
    assert full in index.files().items()
    index.check()


def test_a_removal_writes_only_those_anew_that_hold_it(tmp_path: Path) -> None:
    index = Written(tmp_path)
    for n_added in (100, 70, 20, 3):
        index.change(n_added, set())
    before = index.files()
    of = {number: name for name, part in index.segments.parts.items() for number in part.numbers.tolist()}
    index.change(0, {5, 60, 180})
    kept = {name: content for name, content in before.items() if name not in {of[5], of[60], of[180]}}
    assert len(kept) == 2
    assert kept.items() <= index.files().items()
    assert len(index.files()) == 4
    index.change(0, {191, 192, 193})  # the whole of the smallest
    assert len(index.files()) == 3
    index.check()
    before = index.files()
    index.change(0, {5, 60, 10**9})  # what is gone already costs nothing
    assert index.files() == before
    index.change(0, index.numbers)
    assert (index.files(), len(index.segments)) == ({}, 0)
    index.check()


def test_what_is_taken_away_while_nothing_is_written_is_kept_in_memory() -> None:
    manifest = Manifest("hashing", "hashing/1", DIMENSION, "french", generation=1)
    writer = SegmentWriter(None, generation=1, dimension=DIMENSION)
    for number in range(5):
        row_of(number).put(writer.builder_for(row_of(number).document))
    after, segments = change_segments(writer, manifest, Segments(0, {}), removed=[])
    assert [*after.sha256.values()] == [""]
    assert_holds([*segments.parts.values()], {*range(5)})


# -- one segment -----------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, 60), min_size=1), st.sets(st.integers(0, 60)))
def test_a_segment_comes_back_from_its_bytes_and_without_some(numbers: set[int], removed: set[int]) -> None:
    segment = segment_of(sorted(numbers))
    again = Segment.from_bytes(segment.to_bytes())
    assert_holds([again], numbers)
    assert again.to_bytes() == segment.to_bytes()
    rest = again.without(np.array(sorted(removed), dtype=np.int64))
    assert (rest is again) == numbers.isdisjoint(removed)
    assert_holds([rest], numbers - removed)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sets(st.integers(0, 20), min_size=1), min_size=1, max_size=5))
def test_segments_are_joined_row_after_row(groups: list[set[int]]) -> None:
    shifted = [sorted(100 * place + n for n in group) for place, group in enumerate(groups)]
    whole = joined([segment_of(numbers) for numbers in shifted])
    assert whole.numbers.tolist() == [n for numbers in shifted for n in numbers]
    assert_holds([whole], {n for numbers in shifted for n in numbers})


@pytest.mark.parametrize("n", [4_095, 4_096])
def test_a_large_segment_keeps_its_codes(n: int) -> None:
    segment = segment_of(range(n))
    again = Segment.from_bytes(segment.to_bytes())
    codes = [None if held.vectors.codes is None else held.vectors.codes.tobytes() for held in (segment, again)]
    assert codes[0] == codes[1]
    assert (codes[0] is None) == (n == 4_095)
    query = row_of(7).vector.astype(np.float32)
    for exact in (True, False):
        rows, cosines = again.vectors.search(query, k=5, n_candidates=None if exact else 64)
        assert (rows[np.argmax(cosines)], round(float(cosines.max()), 2)) == (7, 1.0)


def test_no_word_is_in_a_segment() -> None:
    data = segment_of(range(50)).to_bytes()
    assert hashes_of(["seul7"]).tobytes() in data
    assert [word for word in (*WORDS, "seul") if word.encode() in data] == []


def damaged_by(data: bytes, how: str) -> bytes:
    arrays = {"numbers": np.arange(3), "vectors": np.zeros((3, DIMENSION), np.float16)}
    wrong_shape = segment_of(range(3))
    return {
        "empty": b"",
        "one byte": data[:1],
        "half": data[: len(data) // 2],
        "last byte": data[:-1],
        "more": data + b"x",
        "text": b"not a segment at all, but long enough to be one" * 40,
        "zeros": bytes(len(data)),
        "other arrays": save(arrays),
        "flat vectors": wrong_shape.to_bytes().replace(
            f"[3,{DIMENSION}]".encode(), f"[{3 * DIMENSION}]  ".encode()[:5]
        ),
    }[how]


@pytest.mark.parametrize(
    "how", ["empty", "one byte", "half", "last byte", "more", "text", "zeros", "other arrays", "flat vectors"]
)
def test_bytes_that_are_no_segment_are_refused(how: str) -> None:
    data = segment_of(range(40)).to_bytes()
    with pytest.raises(StoreError, match=r"is no segment \("):
        Segment.from_bytes(damaged_by(data, how))


def test_codes_of_other_rows_are_refused() -> None:
    large = segment_of(range(4_096))
    fewer = segment_of(range(4_200))
    with pytest.raises(StoreError, match=r"is no segment \(codes of 4200 x 6, expected 4096 x 6"):
        Segment.from_bytes(replace(large, vectors=replace(large.vectors, _coded=fewer.vectors._coded)).to_bytes())


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 1_500), st.integers(1, 255))
def test_a_flipped_header_is_refused_or_read_and_nothing_else(place: int, bits: int) -> None:
    data = bytearray(segment_of(range(9)).to_bytes())
    data[place % len(data)] ^= bits
    with suppress(StoreError):
        Segment.from_bytes(bytes(data))


# -- files -----------------------------------------------------------------------------------------------------------


def test_a_damaged_or_missing_file_is_named(tmp_path: Path) -> None:
    index = Written(tmp_path)
    for n_added in (70, 9, 1):
        index.change(n_added, set())
    first, second, third = index.files()
    (tmp_path / first).write_bytes((tmp_path / first).read_bytes()[:-1])
    (tmp_path / second).unlink()
    found = damaged_files(tmp_path, index.manifest.sha256)
    assert sorted(line.split()[0] for line in found) == sorted([first, second])
    assert f"{second} is missing" in found
    assert any(line.startswith(f"{first} has SHA-256 ") for line in found)
    assert missing_files(tmp_path, index.manifest.sha256) == [second]
    with pytest.raises(StoreError, match="is missing") as caught:
        load_segments(tmp_path, index.manifest, None)
    assert third not in str(caught.value)
    assert load_segments(tmp_path, index.manifest, index.segments).parts == index.segments.parts  # held already


def test_what_the_manifest_does_not_name_is_deleted(tmp_path: Path) -> None:
    index = Written(tmp_path)
    index.change(3, set())
    named = index.files()
    (tmp_path / "segments" / "9-left.segment").write_bytes(b"left by a process that was killed")
    delete_unnamed(tmp_path, index.manifest)
    assert index.files() == named


def test_a_folder_that_cannot_be_written_is_a_stated_failure(tmp_path: Path) -> None:
    (tmp_path / "segments").write_text("a file where the folder should be")
    index = Written(tmp_path)
    with pytest.raises(StoreError, match=r"\.segment cannot be written .*disk space"):
        index.change(3, set())


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (None, None),
        ("2022", (date(2022, 1, 1), date(2022, 12, 31))),
        ("2024-02", (date(2024, 2, 1), date(2024, 2, 29))),
        ("1500-01-01", (date(1500, 1, 1), date(1500, 1, 1))),
        ("2099-12", (date(2099, 12, 1), date(2099, 12, 31))),
    ],
)
def test_days_are_ordinals(written: str | None, expected: tuple[date, date] | None) -> None:
    found = day_range(Document("a", "a", "Un texte.", date=written))
    assert found == (expected and (expected[0].toordinal(), expected[1].toordinal()))


# -- an index --------------------------------------------------------------------------------------------------------


def subject(n: int) -> str:
    return f"Le zorglub{n:03} de type kriptal{n:03} passe par vazumel{n:03}."


def traces(corpus: CorpusIndex, n: int) -> dict[str, bytes]:
    """Return what only the document of one subject has: words, hashes of terms, its embedding."""
    words = [f"zorglub{n:03}", f"kriptal{n:03}", f"vazumel{n:03}", f"Titrol{n:03}"]
    found = {f"text {word}": word.encode() for word in words}
    for word in words:
        (term,) = corpus.analyzer.terms(word)
        found[f"hash {word}"] = term_hash(term).to_bytes(8, "little")
    vector = HashingEmbedder().embed_passages([f"Titrol{n:03}\n{subject(n)}"])[0]
    return found | {"embedding": vector.astype(np.float16).tobytes()}


def files_with(directory: Path, needle: bytes) -> set[str]:
    held = [path for path in directory.rglob("*") if path.is_file()]
    return {path.suffix for path in held if needle in path.read_bytes()}


@pytest.mark.parametrize("size", ["real sizes", "tiny segments"])
def test_nothing_of_what_was_removed_is_left_in_any_file(
    tmp_path: Path, size: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if size == "tiny segments":
        make_tiny(monkeypatch)
    documents = [Document(f"{n}", f"d{n % 4}/{n}", subject(n), title=f"Titrol{n:03}") for n in range(90)]
    corpus = CorpusIndex.create(tmp_path / "index", embedder=HashingEmbedder())
    corpus.put(documents[:70])
    for document in documents[70:]:
        corpus.put([document])
    gone = [3, 69, 71, 89]
    for n in gone:  # the search below does find what is there
        kinds = {what: files_with(tmp_path, needle) for what, needle in traces(corpus, n).items()}
        assert {what for what, suffixes in kinds.items() if ".segment" in suffixes} == {
            what for what in kinds if not what.startswith("text")
        }
        assert [what for what, suffixes in kinds.items() if what.startswith("text") and suffixes != {".sqlite"}] == []
    names = {path.name for path in (corpus.directory / "segments").iterdir()}
    assert len(names) > 3
    corpus.remove([documents[n].source for n in gone])
    for n in gone:
        assert [what for what, needle in traces(corpus, n).items() if files_with(tmp_path, needle)] == []
    for n in (4, 70, 88):
        assert [what for what, needle in traces(corpus, n).items() if not files_with(tmp_path, needle)] == []
    assert names & {path.name for path in (corpus.directory / "segments").iterdir()}  # some stay as they are
    changed = [replace(documents[n], text="Autre chose.", title=None) for n in (4, 70)]
    corpus.put(changed)
    for n in (4, 70):
        assert [what for what, needle in traces(corpus, n).items() if files_with(tmp_path, needle)] == []
    assert corpus.verify() == []


@pytest.mark.usefixtures("tiny")
@settings(max_examples=12, deadline=None, suppress_health_check=SUPPRESSED)
@given(sequence=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 30), st.booleans()), min_size=1, max_size=6))
def test_an_index_cut_in_any_way_is_searched_as_one_built_at_once(
    tmp_path_factory: pytest.TempPathFactory, sequence: list[tuple[int, int, bool]]
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    held: dict[str, Document] = {}
    corpus = CorpusIndex.create(folder / "index", embedder=HashingEmbedder())
    for first, n, removes in sequence:
        sources = [f"d/{number % 60}" for number in range(first, first + n)]
        if removes:
            if there := [source for source in sources if source in held]:
                corpus.remove(there)
                held = {source: document for source, document in held.items() if source not in there}
        else:
            documents = [
                Document(source, source, f"{subject(int(source[2:]) % 50)} {OTAN}", date="2022") for source in sources
            ]
            corpus.put(documents)
            held |= {document.source: document for document in documents}
        assert corpus.verify() == []
    fresh = CorpusIndex.create(folder / "fresh", embedder=HashingEmbedder())
    fresh.put(held.values())
    assert index_rows(corpus.directory) == index_rows(fresh.directory)
    for question in ("zorglub007 de l'Otan", "navires en mer", "vazumel012 kriptal030"):
        assert answers(corpus, question) == answers(fresh, question)
        vector = HashingEmbedder().embed_question(question)
        nearest = [[(h.passage.document.source, h.score) for h in c.nearest(vector, k=7)] for c in (corpus, fresh)]
        assert nearest[0] == nearest[1]


OTAN = "Plus de 30 navires de l'Otan patrouillent en mer Baltique."


def write_texts(folder: Path, n: int) -> Path:
    return write_files(folder, {f"{number}.txt": f"{subject(number)} {OTAN}" for number in range(n)})


def test_a_removal_leaves_the_other_files_of_an_index_as_they_were(tmp_path: Path) -> None:
    docs = write_texts(tmp_path / "docs", 80)
    corpus = CorpusIndex.build([docs], tmp_path / "index", embedder=HashingEmbedder())
    more = write_texts(tmp_path / "more", 12)
    write_files(more, {f"{n}.txt": f"{subject(n + 500)}" for n in range(12)})
    corpus.add([more])
    files = {path.name: path.read_bytes() for path in (corpus.directory / "segments").iterdir()}
    assert len(files) == 2
    corpus.remove([(more / "3.txt").as_posix()])
    after = {path.name: path.read_bytes() for path in (corpus.directory / "segments").iterdir()}
    (kept,) = files.keys() & after.keys()
    assert (len(after), after[kept]) == (2, files[kept])
    assert len(files[kept]) == max(map(len, files.values()))  # the large one stays


def test_a_document_is_not_cut_in_two_by_a_full_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.segments.FULL_ROWS", 5)
    writer = SegmentWriter(None, generation=1, dimension=DIMENSION)
    for number in range(20):  # two passages a document
        row_of(number).put(writer.builder_for(row_of(number).document))
    writer.write_rest()
    parts = [written.segment for written in writer.written.values()]
    assert [len(part) for part in parts] == [6, 6, 6, 2]
    documents = [set(part.documents.tolist()) for part in parts]
    assert sum(map(len, documents)) == len(set().union(*documents)) == 10
