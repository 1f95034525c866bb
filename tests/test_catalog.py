"""The catalog: what is stored comes back, changes are whole, damage and rights have their own errors."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.catalog import Catalog, NewPassage, StoredSource, document_hash, field_values, text_hash
from index.database import Database
from index.errors import IndexDamagedError, IndexMismatchError, IndexMissingError, LoadError, StoreError
from index.file_records import StoredFile
from index.manifest import FORMAT_VERSION, Manifest
from index.types import Document, Span

MANIFEST = Manifest("hashing", "hashing/1", 4, "french-1")
TEXT = "L'Otan s'est réunie. 🚢 Plus de 30 navires patrouillent."
SENTENCES = [Span(0, 20), Span(21, len(TEXT))]
DOCUMENT = Document("id-1", "notes/a.txt", TEXT, "Mer", "2022-10", 0, {"auteur": "Léa", "n": [1, 2.5, None, True]})


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    Catalog.create(tmp_path / "catalog.sqlite", MANIFEST)
    return Catalog(tmp_path / "catalog.sqlite")


def put(catalog: Catalog, document: Document, *, path: str = "/notes/a.txt") -> list[int]:
    """Store a document of two sentences as two passages, the vectors of which tell them apart."""
    number = catalog.put_document(document, content_hash=document_hash(document), sentences=SENTENCES)
    catalog.put_source(document.source, document=number, path=path)
    passages = [NewPassage(n, n + 1, text_hash(f"{document.id}{n}"), vector(n)) for n in range(2)]
    return catalog.put_passages(number, passages)


def number_of(catalog: Catalog, source: str) -> int:
    found = catalog.source(source)
    assert found is not None
    return found.document


def counts(files: int, sources: int, documents: int, passages: int) -> dict[str, int]:
    return {"files": files, "sources": sources, "documents": documents, "passages": passages}


def vector(n: int) -> np.ndarray[tuple[int], np.dtype[np.float16]]:
    return np.array([n, 0.5, -1.25, 2.0], dtype=np.float16)


def test_a_new_catalog_is_empty(catalog: Catalog) -> None:
    assert catalog.manifest() == MANIFEST
    assert (catalog.counts(), catalog.is_empty(), catalog.date_range()) == (counts(0, 0, 0, 0), True, (None, None))
    assert (catalog.files.all(), catalog.files.roots(), catalog.files.problems(), catalog.check()) == ({}, [], [], [])
    assert (catalog.passage_numbers().tolist(), catalog.sources(), list(catalog.walk_documents())) == ([], [], [])


def test_documents_and_passages_come_back_as_stored(catalog: Catalog) -> None:
    with catalog.write():
        numbers = put(catalog, DOCUMENT)
    assert catalog.find_documents(["notes/a.txt", "notes/b.txt"]) == {"notes/a.txt": DOCUMENT}
    number = catalog.document_number(document_hash(DOCUMENT))
    assert number is not None
    assert catalog.source("notes/a.txt") == StoredSource("notes/a.txt", number, "/notes/a.txt", document_hash(DOCUMENT))
    assert catalog.source("notes/b.txt") is None
    assert catalog.document_number(text_hash("?")) is None
    found = catalog.passages(numbers)
    assert [found[n].text for n in numbers] == [TEXT[:20], TEXT[21:]]
    assert [found[n].first for n in numbers] == [0, 1]
    assert [[s.span for s in found[n].sentences] for n in numbers] == [[SENTENCES[0]], [SENTENCES[1]]]
    assert all(found[n].document == DOCUMENT for n in numbers)
    assert list(catalog.walk_passages()) == [(found[n], text_hash(f"id-1{place}")) for place, n in enumerate(numbers)]
    walked = [(passage, held, row.tolist()) for passage, held, row in catalog.walk_embedded(dimension=4)]
    assert walked == [(found[n], number, vector(place).tolist()) for place, n in enumerate(numbers)]
    assert list(catalog.walk_documents()) == [(DOCUMENT, document_hash(DOCUMENT))]
    stored = catalog.vectors(numbers)
    assert [stored[n].tolist() for n in numbers] == [vector(0).tolist(), vector(1).tolist()]
    assert catalog.cached_vectors([text_hash("id-11"), text_hash("?")])[text_hash("id-11")].tolist()[0] == 1.0
    assert catalog.passages([*numbers, 999]).keys() == set(numbers)
    assert (catalog.counts(), catalog.is_empty()) == (counts(0, 1, 1, 2), False)
    assert catalog.date_range() == ("2022-10-01", "2022-10-31")


def test_a_document_without_a_source_goes_with_its_passages(catalog: Catalog) -> None:
    with catalog.write():
        kept = put(catalog, DOCUMENT)
        gone = put(catalog, replace(DOCUMENT, source="b", id="b"), path="/b")
    first, second = number_of(catalog, "notes/a.txt"), number_of(catalog, "b")
    with catalog.write():
        assert catalog.delete_orphans([first, second]) == []
        catalog.forget_source("b")
        assert catalog.delete_orphans([first, second, second]) == gone
        assert catalog.delete_orphans([second, 999]) == []
    assert (catalog.passage_numbers().tolist(), catalog.check()) == (kept, [])
    assert catalog.documents_with("auteur", ["Léa"]).tolist() == [first]
    with catalog.write():
        again = put(catalog, replace(DOCUMENT, source="b", id="b"), path="/b")
    assert set(again).isdisjoint(gone)  # a number is never used again
    assert number_of(catalog, "b") != second


def test_a_document_with_two_sources_names_the_first_and_the_others(catalog: Catalog) -> None:
    with catalog.write():
        put(catalog, DOCUMENT)
        number = number_of(catalog, "notes/a.txt")
        for source in ("z.txt", "a.txt", "m.txt"):
            catalog.put_source(source, document=number, path=f"/{source}")
    expected = replace(DOCUMENT, source="a.txt", copies=("m.txt", "notes/a.txt", "z.txt"))
    assert catalog.find_documents(["z.txt", "a.txt"]) == {"z.txt": expected, "a.txt": expected}
    assert [passage.document for passage, _ in catalog.walk_passages()] == [expected, expected]
    assert catalog.sources() == ["a.txt", "m.txt", "notes/a.txt", "z.txt"]
    assert catalog.counts() == counts(0, 4, 1, 2)
    with catalog.write():
        for source in ("a.txt", "notes/a.txt"):
            catalog.forget_source(source)
        assert catalog.delete_orphans([number]) == []
    assert catalog.find_documents(["z.txt"]) == {"z.txt": replace(DOCUMENT, source="m.txt", copies=("z.txt",))}


def test_a_source_that_is_put_again_leaves_its_former_document(catalog: Catalog) -> None:
    with catalog.write():
        gone = put(catalog, DOCUMENT)
        former = number_of(catalog, "notes/a.txt")
        put(catalog, replace(DOCUMENT, title="Terre"), path="/elsewhere")
        assert catalog.delete_orphans([former]) == gone
    assert catalog.find_documents(["notes/a.txt"])["notes/a.txt"].title == "Terre"
    assert catalog.sources_of("/notes/a.txt") == {}
    assert [*catalog.sources_of("/elsewhere")] == ["notes/a.txt"]


def test_a_document_is_known_by_all_that_it_says_but_its_source() -> None:
    same = replace(DOCUMENT, source="z", copies=("y",), metadata=dict(reversed(DOCUMENT.metadata.items())))
    assert document_hash(same) == document_hash(DOCUMENT)
    others = [
        replace(DOCUMENT, id="id-2"),
        replace(DOCUMENT, text=f"{TEXT} "),
        replace(DOCUMENT, title=None),
        replace(DOCUMENT, date="2022"),
        replace(DOCUMENT, body_start=1),
        replace(DOCUMENT, metadata={"auteur": "Léa"}),
        replace(DOCUMENT, pages=(0,)),
    ]
    assert len({document_hash(document) for document in [DOCUMENT, *others]}) == 8


def test_many_numbers_are_asked_for_in_parts(catalog: Catalog) -> None:
    numbers: list[int] = []
    with catalog.write():
        for n in range(1000):
            numbers += put(catalog, replace(DOCUMENT, source=f"{n:03}", id=f"{n}"), path=f"/{n}")
    assert catalog.passages(numbers).keys() == set(numbers)
    assert [passage.number for passage, _ in catalog.walk_passages()] == numbers
    assert [passage.number for passage, _, _ in catalog.walk_embedded(dimension=4)] == numbers
    assert [document.source for document, _ in catalog.walk_documents()] == [f"{n:03}" for n in range(1000)]
    assert len(catalog.find_documents(catalog.sources())) == 1000
    with catalog.write():
        last = [number_of(catalog, f"{n:03}") for n in range(1, 1000)]
        for n in range(1, 1000):
            catalog.forget_source(f"{n:03}")
        assert catalog.delete_orphans(last) == numbers[2:]
    assert catalog.counts() == counts(0, 1, 1, 2)


def test_vectors_are_replaced_by_number(catalog: Catalog) -> None:
    with catalog.write():
        first, second = put(catalog, DOCUMENT)
        catalog.set_vectors([(second, vector(7))])
    found = catalog.vectors([first, second, 999])
    assert {number: row.tolist() for number, row in found.items()} == {
        first: vector(0).tolist(),
        second: vector(7).tolist(),
    }


# -- filters ---------------------------------------------------------------------------------------------------------


def test_the_days_of_all_documents(catalog: Catalog) -> None:
    with catalog.write():
        for date in ("2022-10", "2019-05-04", None, "2024"):
            put(catalog, replace(DOCUMENT, source=f"{date}", date=date), path=f"{date}")
    assert catalog.date_range() == ("2019-05-04", "2024-12-31")


def test_documents_of_files_folders_and_records(catalog: Catalog) -> None:
    names = ["a.txt", "a.txt.bak", "docs/a.txt", "docs/sub/b.jsonl#L1", "docs/sub/b.jsonl#x/y.txt", "docs2/c.txt"]
    with catalog.write():
        for name in names:
            put(catalog, replace(DOCUMENT, source=name, id=name), path=f"/{name}")
    of = {number_of(catalog, name): name for name in names}

    def found(*sources: str) -> list[str]:
        numbers = catalog.documents_from(sources).tolist()
        assert numbers == sorted(numbers)
        return [of[number] for number in numbers]

    assert found("a.txt") == ["a.txt"]
    assert found("docs") == names[2:5]
    assert found("docs/sub") == found("docs/sub/b.jsonl") == names[3:5]
    assert found("docs/sub/b.jsonl#x") == found("docs/sub/b.jsonl#x/y.txt") == names[4:5]
    assert found("docs2", "a.txt", "docs2/c.txt") == ["a.txt", "docs2/c.txt"]
    assert found("doc") == found("docs/") == found("") == found() == []
    with catalog.write():
        catalog.put_source("copies/z.txt", document=number_of(catalog, "a.txt"), path="/z")
    assert found("copies", "a.txt") == ["a.txt"]


def test_fields_are_compared_as_json() -> None:
    long = "é" * 101
    metadata = {"s": "1", "i": 1, "f": 1.0, "g": 1.5, "t": True, "n": None, "l": [1, "a", [2], {"x": 1}], "o": {"x": 1}}
    assert [*field_values(metadata)] == [
        ("s", '"1"'),
        ("i", "1"),
        ("f", "1"),
        ("g", "1.5"),
        ("t", "true"),
        ("n", "null"),
        ("l", "1"),
        ("l", '"a"'),
    ]
    ((_, stored),) = field_values({"long": long})
    assert stored == text_hash(f'"{long}"').hex()


def test_documents_with_a_value(catalog: Catalog) -> None:
    values = {"one": 1, "text": "1", "true": True, "null": None, "list": ["a", 1, "a"], "long": "x" * 500}
    with catalog.write():
        for name, value in values.items():
            put(catalog, replace(DOCUMENT, source=name, metadata={"f": value, "g": name}), path=name)
        put(catalog, replace(DOCUMENT, source="none", metadata={}), path="none")
    of = {number_of(catalog, name): name for name in values}

    def found(name: str, *wanted: object) -> list[str]:
        return [of[number] for number in catalog.documents_with(name, wanted).tolist()]

    assert found("f", 1) == found("f", 1.0) == ["one", "list"]
    assert found("f", "1") == ["text"]
    assert found("f", True) == ["true"]
    assert found("f", None) == ["null"]
    assert found("f", "a", "1") == ["text", "list"]
    assert found("f", "x" * 500) == ["long"]
    assert found("f", "x" * 499) == found("absent", 1) == found("f") == []


def test_files_problems_and_roots(catalog: Catalog) -> None:
    with catalog.write():
        catalog.files.put(StoredFile("/a", "a", "1"), [LoadError("a:3", "is not JSON"), LoadError("a:7", "is empty")])
        catalog.files.put(StoredFile("/b", "b", "2"), [])
        catalog.files.set_unread([LoadError("c", "Permission denied")])
        catalog.files.set_roots([("/a", "a"), ("/b", "b")])
    assert catalog.files.all() == {"/a": StoredFile("/a", "a", "1"), "/b": StoredFile("/b", "b", "2")}
    assert [str(p) for p in catalog.files.problems()] == ["a:3: is not JSON", "a:7: is empty", "c: Permission denied"]
    with catalog.write():
        catalog.files.put(StoredFile("/a", "a", "3"), [LoadError("a:4", "is a list")])
        catalog.files.forget("/b")
        catalog.files.set_unread([])
        catalog.files.set_roots([("/a", "./a")])
    assert catalog.files.all() == {"/a": StoredFile("/a", "a", "3")}
    assert [str(p) for p in catalog.files.problems()] == ["a:4: is a list"]
    assert catalog.files.roots() == [("/a", "./a")]


def test_a_file_to_be_read_again_has_no_hash(catalog: Catalog) -> None:
    with catalog.write():
        catalog.files.put(StoredFile("/a", "a", "1"), [])
        catalog.files.put(StoredFile("/b", "b", "2"), [])
        catalog.files.read_again("/a")
    assert {path: file.hash for path, file in catalog.files.all().items()} == {"/a": "", "/b": "2"}


def test_paths_that_are_not_utf_8_come_back(catalog: Catalog) -> None:
    path, other = os.fsdecode(b"/caf\xe9.txt"), os.fsdecode(b"/caf\xea.txt")
    with catalog.write():
        for each, name in ((path, "caf\\xe9.txt"), (other, "caf\\xea.txt")):
            catalog.files.put(StoredFile(each, name, "1"), [LoadError(name, "is odd")])
            put(catalog, replace(DOCUMENT, source=name, id=name), path=each)
        catalog.files.set_roots([(path, path)])
    assert catalog.files.all().keys() == {path, other}
    assert catalog.files.roots() == [(path, path)]
    assert [*catalog.sources_of(path)] == ["caf\\xe9.txt"]
    with catalog.write():
        catalog.files.read_again(path)
        catalog.files.forget(other)
    assert catalog.files.all() == {path: StoredFile(path, "caf\\xe9.txt", "")}
    assert [str(problem) for problem in catalog.files.problems()] == ["caf\\xe9.txt: is odd"]


@pytest.mark.parametrize("name", ["caf\udce9.txt", "demi\ud800", "demi\udfff.txt"])
def test_half_a_character_names_nothing(catalog: Catalog, name: str) -> None:
    with catalog.write():
        put(catalog, DOCUMENT)
    assert catalog.source(name) is None
    assert catalog.find_documents([name, "notes/a.txt"]) == {"notes/a.txt": DOCUMENT}


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), StoreError("no")], ids=repr)
def test_a_change_that_fails_leaves_nothing(catalog: Catalog, error: BaseException) -> None:
    def fail() -> None:
        with catalog.write():
            put(catalog, DOCUMENT)
            catalog.set_manifest(replace(MANIFEST, generation=1))
            raise error

    with pytest.raises(type(error)):
        fail()
    assert (catalog.counts(), catalog.manifest()) == (counts(0, 0, 0, 0), MANIFEST)
    with catalog.write():  # and the next one is not hindered
        put(catalog, DOCUMENT)
    assert catalog.counts() == counts(0, 1, 1, 2)


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
            assert (catalog.manifest().generation, catalog.counts()) == (0, counts(0, 0, 0, 0))
        assert catalog.manifest().generation == 0
    assert (catalog.manifest().generation, catalog.counts()) == (1, counts(0, 1, 1, 2))


def test_two_writers_wait_for_each_other(catalog: Catalog) -> None:
    def change(n: int) -> None:
        with catalog.write():
            put(catalog, replace(DOCUMENT, source=f"{n}", id=f"{n}"), path=f"/{n}")

    writers = [threading.Thread(target=change, args=(n,)) for n in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert catalog.counts() == counts(0, 6, 6, 12)


def test_a_removed_text_is_in_no_byte_of_the_file(catalog: Catalog, tmp_path: Path) -> None:
    secret = "Le mot de passe est zorglub. " * 500
    with catalog.write():
        put(catalog, DOCUMENT)
        put(catalog, replace(DOCUMENT, source="secret", text=secret, title="zorglub", id="zorglub"), path="/s")
    catalog.checkpoint()
    assert any(b"zorglub" in path.read_bytes() for path in tmp_path.iterdir())
    number = number_of(catalog, "secret")
    with catalog.write():
        catalog.forget_source("secret")
        assert len(catalog.delete_orphans([number])) == 2
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
        Catalog(tmp_path / "catalog.sqlite").manifest()
    assert list(tmp_path.iterdir()) == []  # and none is made by looking


def test_another_format_is_told_apart(catalog: Catalog) -> None:
    with catalog.write():
        catalog.set_manifest(replace(MANIFEST, format=FORMAT_VERSION + 1))
    with pytest.raises(IndexMismatchError, match=r"has format 3, this program has 2: build it again") as caught:
        catalog.manifest()
    assert (caught.value.found, caught.value.expected) == ("3", "2")


@pytest.mark.parametrize("value", ["", "{", "null", "[]", '"x"', "{}", '{"format": 2}', '{"format": 2, "other": 2}'])
def test_a_manifest_that_cannot_be_read_is_damage(catalog: Catalog, tmp_path: Path, value: str) -> None:
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as connection, connection:
        connection.execute("UPDATE manifest SET value = ?", (value,))
    with pytest.raises(IndexDamagedError, match=r"has no manifest that can be read .*: build it again with"):
        catalog.manifest()


def test_the_manifest_is_written_as_json(catalog: Catalog, tmp_path: Path) -> None:
    manifest = replace(MANIFEST, generation=3, embedder="modèle", sha256={"b": "2", "a": "1"})
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
        Catalog(path).manifest()


def test_damage_deep_in_the_file_is_found_by_whatever_reads_there(catalog: Catalog, tmp_path: Path) -> None:
    with catalog.write():
        for n in range(400):
            put(catalog, replace(DOCUMENT, source=f"{n}", id=f"{n}", text=TEXT * 20), path=f"/{n}")
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
        damaged.set_vectors((n, vector(1)) for n in range(800))
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
        ("DELETE FROM sources", "document 1 has no source"),
        ("UPDATE documents SET pages = x'00'", "cannot be read"),
    ],
)
def test_a_row_that_makes_no_sense_is_damage(catalog: Catalog, tmp_path: Path, statement: str, reason: str) -> None:
    with catalog.write():
        numbers = put(catalog, DOCUMENT)
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as connection, connection:
        connection.execute(statement)
    with pytest.raises(IndexDamagedError, match=reason):
        catalog.passages(numbers)


@pytest.mark.parametrize(("value", "n_bytes"), [("x'0000'", 2), ("x'00000000000000'", 7), ("zeroblob(10)", 10)])
def test_embeddings_of_a_wrong_length_are_damage(catalog: Catalog, tmp_path: Path, value: str, n_bytes: int) -> None:
    with catalog.write():
        put(catalog, DOCUMENT)
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as connection, connection:
        connection.execute(f"UPDATE passages SET vector = {value} WHERE number = 1")
    with pytest.raises(IndexDamagedError, match=rf"the embedding of passage 1 has {n_bytes} bytes, not 4 x 2"):
        list(catalog.walk_embedded(dimension=4))


def test_a_full_disk_is_no_damage(catalog: Catalog, tmp_path: Path) -> None:
    catalog._database.run("PRAGMA max_page_count = 60")  # SQLite says of this limit what it says of a full disk
    with pytest.raises(StoreError, match="database or disk is full") as caught, catalog.write():
        put(catalog, replace(DOCUMENT, text="a" * 10**6))
    assert not isinstance(caught.value, IndexDamagedError)
    assert catalog.counts() == counts(0, 0, 0, 0)
    with catalog.write():
        put(catalog, DOCUMENT)
    assert catalog.counts() == counts(0, 1, 1, 2)


def test_a_file_put_in_its_place_is_opened_anew(catalog: Catalog, tmp_path: Path) -> None:
    assert catalog.counts() == counts(0, 0, 0, 0)
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
    assert Catalog(tmp_path / "catalog.sqlite").manifest() == MANIFEST


def test_connections_are_closed(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.sqlite")
    Database.create(tmp_path / "a.sqlite", [("CREATE TABLE t (x)", ())])
    database.run("INSERT INTO t VALUES (1)")
    assert (tmp_path / "a.sqlite-wal").exists()
    database.close()
    assert not (tmp_path / "a.sqlite-wal").exists()  # SQLite deletes it with the last connection
    assert database.rows("SELECT x FROM t") == [(1,)]
