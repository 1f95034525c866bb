"""The catalog: what is stored comes back, changes are whole, damage and rights have their own errors."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.catalog import Catalog, NewPassage, StoredFile, document_hash, text_hash
from index.database import Database
from index.errors import IndexDamagedError, IndexMismatchError, IndexMissingError, LoadError, StoreError
from index.manifest import FORMAT_VERSION, Manifest
from index.types import Document, Span

MANIFEST = Manifest("hashing", "hashing/1", 4, "french-1")
TEXT = "L'Otan s'est réunie. 🚢 Plus de 30 navires patrouillent."
SENTENCES = [Span(0, 20), Span(21, len(TEXT))]
DOCUMENT = Document("id-1", "notes/a.txt", TEXT, "Mer", "2022-10", 0, {"auteur": "Léa", "n": [1, 2.5, None, True]})


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    Catalog.create(tmp_path / "catalog.sqlite", MANIFEST)
    return Catalog.open(tmp_path / "catalog.sqlite")


def put(catalog: Catalog, document: Document, *, path: str = "/notes/a.txt", generation: int = 1) -> list[int]:
    """Store a document of two sentences as two passages, the vectors of which tell them apart."""
    number = catalog.put_document(document, path=path, content_hash=document_hash(document), sentences=SENTENCES)
    passages = [NewPassage(n, n + 1, 5 + n, text_hash(f"{document.id}{n}"), vector(n)) for n in range(2)]
    return catalog.put_passages(number, passages, generation=generation)


def vector(n: int) -> np.ndarray[tuple[int], np.dtype[np.float16]]:
    return np.array([n, 0.5, -1.25, 2.0], dtype=np.float16)


def test_a_new_catalog_is_empty(catalog: Catalog) -> None:
    assert catalog.manifest() == MANIFEST
    assert (catalog.counts(), catalog.mean_terms(), catalog.date_range()) == ((0, 0, 0), 0.0, (None, None))
    assert (catalog.files(), catalog.roots(), catalog.problems(), catalog.check()) == ({}, [], [], [])
    assert catalog.passage_numbers().tolist() == []


def test_documents_and_passages_come_back_as_stored(catalog: Catalog) -> None:
    with catalog.write():
        numbers = put(catalog, DOCUMENT)
    assert catalog.document(source="notes/a.txt") == DOCUMENT
    assert catalog.document(source="notes/b.txt") is None
    found = catalog.passages(numbers)
    assert [found[n].text for n in numbers] == [TEXT[:20], TEXT[21:]]
    assert [found[n].first for n in numbers] == [0, 1]
    assert [[s.span for s in found[n].sentences] for n in numbers] == [[SENTENCES[0]], [SENTENCES[1]]]
    assert all(found[n].document == DOCUMENT for n in numbers)
    assert list(catalog.walk_passages()) == [found[n] for n in numbers]
    assert list(catalog.walk_documents()) == [(DOCUMENT, document_hash(DOCUMENT))]
    stored = catalog.vectors(numbers)
    assert [stored[n].tolist() for n in numbers] == [vector(0).tolist(), vector(1).tolist()]
    assert catalog.cached_vectors([text_hash("id-11"), text_hash("?")])[text_hash("id-11")].tolist()[0] == 1.0
    assert catalog.passages([*numbers, 999]).keys() == set(numbers)
    assert (catalog.counts(), catalog.mean_terms()) == ((0, 1, 2), 5.5)
    assert catalog.date_range() == ("2022-10-01", "2022-10-31")


def test_deleting_documents_takes_their_passages_and_lists_them(catalog: Catalog) -> None:
    with catalog.write():
        kept = put(catalog, DOCUMENT)
        gone = put(catalog, replace(DOCUMENT, source="b", id="b"), path="/b")
    with catalog.write():
        number = catalog.document_number("b")
        assert number is not None
        assert catalog.delete_documents([number], generation=2) == gone
    assert catalog.passage_numbers().tolist() == kept
    added, matrix, removed = catalog.changes_since(0, dimension=4)
    assert (added, removed) == (kept, gone)
    assert matrix.tolist() == [vector(0).tolist(), vector(1).tolist()]
    assert [part if isinstance(part, list) else part.tolist() for part in catalog.changes_since(1, dimension=4)] == [
        [],
        [],
        gone,
    ]
    with catalog.write():
        catalog.forget_removals(until=2)
        again = put(catalog, replace(DOCUMENT, source="b"), path="/b", generation=3)
    assert catalog.changes_since(0, dimension=4)[2] == []
    assert set(again).isdisjoint(gone)  # a number is never used again


def test_many_numbers_are_asked_for_in_parts(catalog: Catalog) -> None:
    numbers: list[int] = []
    with catalog.write():
        for n in range(1000):
            numbers += put(catalog, replace(DOCUMENT, source=f"{n}", id=f"{n}"), path=f"/{n}")
    assert catalog.passages(numbers).keys() == set(numbers)
    assert [passage.number for passage in catalog.walk_passages()] == numbers
    assert [document.source for document, _ in catalog.walk_documents()] == [f"{n}" for n in range(1000)]
    with catalog.write():
        assert len(catalog.delete_documents(range(1, 1000), generation=2)) == 1998
    assert catalog.counts()[1:] == (1, 2)


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        (None, None, ["day", "month", "year"]),
        ("2022-10-11", "2022-10-11", ["day", "month", "year"]),
        ("2022-10-12", "2022-10-31", ["month", "year"]),
        ("2022-11-01", None, ["year"]),
        (None, "2022-09-30", ["year"]),
        ("2023-01-01", None, []),
        (None, "2021-12-31", []),
    ],
)
def test_dates_are_ranges(catalog: Catalog, since: str | None, until: str | None, found: list[str]) -> None:
    owners: dict[int, str] = {}
    with catalog.write():
        for name, date in (("day", "2022-10-11"), ("month", "2022-10"), ("year", "2022"), ("none", None)):
            owners |= dict.fromkeys(put(catalog, replace(DOCUMENT, source=name, date=date), path=name), name)
    numbers = catalog.passages_dated(since=since, until=until).tolist()
    assert numbers == sorted(numbers)
    assert sorted({owners[number] for number in numbers}) == found


def test_files_problems_and_roots(catalog: Catalog) -> None:
    with catalog.write():
        catalog.put_file(StoredFile("/a", "a", "1"), [LoadError("a:3", "is not JSON"), LoadError("a:7", "is empty")])
        catalog.put_file(StoredFile("/b", "b", "2"), [])
        catalog.set_unread([LoadError("c", "Permission denied")])
        catalog.set_roots([("/a", "a"), ("/b", "b")])
    assert catalog.files() == {"/a": StoredFile("/a", "a", "1"), "/b": StoredFile("/b", "b", "2")}
    assert [str(p) for p in catalog.problems()] == ["a:3: is not JSON", "a:7: is empty", "c: Permission denied"]
    with catalog.write():
        catalog.put_file(StoredFile("/a", "a", "3"), [LoadError("a:4", "is a list")])
        catalog.forget_file("/b")
        catalog.set_unread([])
        catalog.set_roots([("/a", "./a")])
    assert catalog.files() == {"/a": StoredFile("/a", "a", "3")}
    assert [str(p) for p in catalog.problems()] == ["a:4: is a list"]
    assert catalog.roots() == [("/a", "./a")]


def test_forgetting_a_line_makes_its_file_be_read_again(catalog: Catalog) -> None:
    with catalog.write():
        catalog.put_file(StoredFile("/a", "a", "1"), [])
        put(catalog, replace(DOCUMENT, source="a#1"), path="/a")
    with catalog.write():
        assert catalog.forget_line("a#2") is None
        assert catalog.files()["/a"].hash == "1"
        assert catalog.forget_line("a#1") == catalog.document_number("a#1")
    assert catalog.files()["/a"].hash == ""


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), StoreError("no")], ids=repr)
def test_a_change_that_fails_leaves_nothing(catalog: Catalog, error: BaseException) -> None:
    def fail() -> None:
        with catalog.write():
            put(catalog, DOCUMENT)
            catalog.set_manifest(replace(MANIFEST, generation=1))
            raise error

    with pytest.raises(type(error)):
        fail()
    assert (catalog.counts(), catalog.manifest()) == ((0, 0, 0), MANIFEST)
    with catalog.write():  # and the next one is not hindered
        put(catalog, DOCUMENT)
    assert catalog.counts() == (0, 1, 2)


def test_a_snapshot_does_not_see_what_is_committed_meanwhile(catalog: Catalog, tmp_path: Path) -> None:
    def change() -> None:
        with catalog.write():
            put(catalog, DOCUMENT)
            catalog.set_manifest(replace(MANIFEST, generation=1))

    with catalog.read():
        assert catalog.manifest().generation == 0
        writer = threading.Thread(target=change)
        writer.start()
        writer.join()
        with catalog.read():  # nests
            assert (catalog.manifest().generation, catalog.counts()) == (0, (0, 0, 0))
        assert catalog.manifest().generation == 0
    assert (catalog.manifest().generation, catalog.counts()) == (1, (0, 1, 2))


def test_two_writers_wait_for_each_other(catalog: Catalog) -> None:
    def change(n: int) -> None:
        with catalog.write():
            put(catalog, replace(DOCUMENT, source=f"{n}"), path=f"/{n}")

    writers = [threading.Thread(target=change, args=(n,)) for n in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert catalog.counts() == (0, 6, 12)


def test_a_removed_text_is_in_no_byte_of_the_file(catalog: Catalog, tmp_path: Path) -> None:
    secret = "Le mot de passe est zorglub. " * 500
    with catalog.write():
        put(catalog, DOCUMENT)
        put(catalog, replace(DOCUMENT, source="secret", text=secret, title="zorglub", id="zorglub"), path="/s")
    catalog.checkpoint()
    assert any(b"zorglub" in path.read_bytes() for path in tmp_path.iterdir())
    number = catalog.document_number("secret")
    assert number is not None
    with catalog.write():
        catalog.delete_documents([number], generation=2)
    catalog.checkpoint()
    assert [path.name for path in tmp_path.iterdir() if b"zorglub" in path.read_bytes()] == []
    assert any(b"Otan" in path.read_bytes() for path in tmp_path.iterdir())


def test_a_reader_that_stays_keeps_the_log_and_is_told_of(
    catalog: Catalog, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.database._BUSY_SECONDS", 0.0)
    catalog.close()
    ready, done = threading.Event(), threading.Event()

    def read() -> None:
        with catalog.read():
            catalog.counts()
            ready.set()
            done.wait(20)

    reader = threading.Thread(target=read)
    reader.start()
    ready.wait(20)
    with catalog.write():
        put(catalog, DOCUMENT)
    catalog.checkpoint()
    assert "is being read: what was removed stays" in caplog.text
    done.set()
    reader.join()
    caplog.clear()
    catalog.checkpoint()
    assert caplog.text == ""


def test_a_missing_file_is_no_index(tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match=r"no index in .*: build one with `python -m index build PATHS --index"):
        Catalog.open(tmp_path / "catalog.sqlite")
    assert list(tmp_path.iterdir()) == []  # and none is made by looking


def test_another_format_is_told_apart(catalog: Catalog) -> None:
    with catalog.write():
        catalog.set_manifest(replace(MANIFEST, format=FORMAT_VERSION + 1))
    with pytest.raises(IndexMismatchError, match=r"has format 2, this program has 1: build it again") as caught:
        catalog.manifest()
    assert (caught.value.found, caught.value.expected) == ("2", "1")


@pytest.mark.parametrize("value", ["", "{", "null", "[]", '"x"', "{}", '{"format": 1}', '{"format": 1, "other": 2}'])
def test_a_manifest_that_cannot_be_read_is_damage(catalog: Catalog, tmp_path: Path, value: str) -> None:
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as connection, connection:
        connection.execute("UPDATE manifest SET value = ?", (value,))
    with pytest.raises(IndexDamagedError, match=r"has no manifest that can be read .*: build it again with"):
        catalog.manifest()


def test_the_manifest_is_written_as_json(catalog: Catalog, tmp_path: Path) -> None:
    manifest = replace(MANIFEST, generation=3, lexical="lexical/3-é", sha256={"b": "2", "a": "1"})
    assert json.loads(manifest.to_json())["sha256"] == {"a": "1", "b": "2"}
    assert Manifest.from_json(manifest.to_json(), tmp_path) == manifest


@pytest.mark.parametrize(
    "content",
    [b"", b"not a database, but long enough to be taken for one" * 40, b"SQLite format 3\x00" + bytes(100)],
    ids=["empty", "text", "header only"],
)
def test_a_file_that_is_no_catalog_is_damage(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "catalog.sqlite"
    path.write_bytes(content)
    with pytest.raises(IndexDamagedError, match=r"catalog\.sqlite is damaged .*: build it again"):
        Catalog.open(path)


def test_damage_deep_in_the_file_is_found_by_whatever_reads_there(catalog: Catalog, tmp_path: Path) -> None:
    with catalog.write():
        for n in range(400):
            put(catalog, replace(DOCUMENT, source=f"{n}", text=TEXT * 20), path=f"/{n}")
    catalog.checkpoint()
    catalog.close()
    path = tmp_path / "catalog.sqlite"
    content = bytearray(path.read_bytes())
    content[len(content) // 4 : len(content) // 2] = b"\xff" * (len(content) // 2 - len(content) // 4)
    path.write_bytes(content)
    damaged = Catalog(path)
    with pytest.raises(IndexDamagedError, match="build it again"):
        list(damaged.walk_passages())
    with pytest.raises(IndexDamagedError), damaged.write():
        damaged.delete_documents(range(1, 400), generation=2)
    with pytest.raises(IndexDamagedError), damaged.read():
        list(damaged.walk_documents())


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE documents SET sentences = x'00'", "cannot be read"),
        ("UPDATE documents SET sentences = x'0500000001000000'", r"span \[5, 1\)"),
        ("UPDATE documents SET sentences = x''", "names sentences 0 to 1 of 0"),
        ("UPDATE documents SET metadata = '{'", "cannot be read"),
        ("UPDATE documents SET text = CAST(x'ff' AS TEXT)", "build it again"),
        ("UPDATE passages SET past = 9", "names sentences 0 to 9 of 2"),
        ("UPDATE passages SET document = 99", "a passage has no document"),
    ],
)
def test_a_row_that_makes_no_sense_is_damage(catalog: Catalog, tmp_path: Path, statement: str, reason: str) -> None:
    with catalog.write():
        numbers = put(catalog, DOCUMENT)
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as connection, connection:
        connection.execute(statement)
    with pytest.raises(IndexDamagedError, match=reason):
        catalog.passages(numbers)


def test_embeddings_of_a_wrong_length_are_damage(catalog: Catalog, tmp_path: Path) -> None:
    with catalog.write():
        put(catalog, DOCUMENT)
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as connection, connection:
        connection.execute("UPDATE passages SET vector = x'0000' WHERE number = 1")
    with pytest.raises(IndexDamagedError, match="the embeddings hold 5 numbers, expected 2 x 4"):
        catalog.changes_since(0, dimension=4)


def test_a_full_disk_is_no_damage(catalog: Catalog, tmp_path: Path) -> None:
    catalog._database.run("PRAGMA max_page_count = 60")  # SQLite says of this limit what it says of a full disk
    with pytest.raises(StoreError, match="database or disk is full") as caught, catalog.write():
        put(catalog, replace(DOCUMENT, text="a" * 10**6))
    assert not isinstance(caught.value, IndexDamagedError)
    assert catalog.counts() == (0, 0, 0)
    with catalog.write():
        put(catalog, DOCUMENT)
    assert catalog.counts() == (0, 1, 2)


def test_a_file_put_in_its_place_is_opened_anew(catalog: Catalog, tmp_path: Path) -> None:
    assert catalog.counts() == (0, 0, 0)
    Catalog.create(tmp_path / "other.sqlite", replace(MANIFEST, generation=8))
    (tmp_path / "other.sqlite").replace(tmp_path / "catalog.sqlite")
    assert catalog.manifest().generation == 8
    (tmp_path / "catalog.sqlite").unlink()
    with pytest.raises(IndexMissingError):
        catalog.manifest()


def test_what_a_killed_creation_left_is_not_taken_over(tmp_path: Path) -> None:
    for suffix in ("", "-wal", "-journal", "-shm"):
        (tmp_path / f"catalog.sqlite.new{suffix}").write_bytes(b"left by a process that was killed")
    Catalog.create(tmp_path / "catalog.sqlite", MANIFEST)
    assert [path.name for path in tmp_path.iterdir()] == ["catalog.sqlite"]
    assert Catalog.open(tmp_path / "catalog.sqlite").manifest() == MANIFEST


def test_connections_are_closed(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite")
    Database.create(tmp_path / "a.sqlite", [("CREATE TABLE t (x)", ())])
    database.run("INSERT INTO t VALUES (1)")
    assert (tmp_path / "a.sqlite-wal").exists()
    database.close()
    assert not (tmp_path / "a.sqlite-wal").exists()  # SQLite deletes it with the last connection
    assert database.rows("SELECT x FROM t") == [(1,)]
