"""Files that are made to do harm, or that no one meant: refused by a clear line, in bounded time and memory."""

from __future__ import annotations

import gzip
import io
import json
import os
import struct
import subprocess
import sys
import time
import unicodedata
import warnings
import zipfile
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import CorpusIndex
from index.load import LoadedFile, SourceFile, find_files, load_file
from index.split import split_sentences

ROOT = Path(__file__).resolve().parent.parent
LONG = os.environ.get("SOURCIER_LONG") == "1"
MIB = 2**20

# Run in an interpreter of its own, whose memory is its own: prints what was told, the seconds and the most memory.
MEASURED = """
import json, sys, time
from pathlib import Path
from index.load import SourceFile, load_file
start = time.perf_counter()
loaded = load_file(SourceFile(Path(sys.argv[1]), "a"))
print(json.dumps({
    "documents": [len(document.text) for document in loaded.documents],
    "problems": [str(problem) for problem in loaded.problems],
    "seconds": time.perf_counter() - start,
    "mib": int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024,
}))
"""


def load(path: Path, data: bytes) -> LoadedFile:
    path.write_bytes(data)
    return load_file(SourceFile(path, path.name))


def told(loaded: LoadedFile) -> list[str]:
    return [str(problem) for problem in loaded.problems]


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return data.getvalue()


def refused(path: Path, *, seconds: float, mib: int) -> str:
    """Load a file in a process of its own, and return the one line that it is refused with."""
    if not Path("/proc/self/status").exists():
        pytest.skip("this system does not say how much memory a program took")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    code = [sys.executable, "-c", MEASURED, str(path)]
    run = subprocess.run(code, env=environment, capture_output=True, text=True, check=True, timeout=60)
    measured = json.loads(run.stdout)
    assert run.stderr == ""
    assert measured["documents"] == []
    assert len(measured["problems"]) == 1
    assert measured["seconds"] < seconds
    assert measured["mib"] < mib
    return str(measured["problems"][0])


# -- large files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "size"), [("a.txt", 2 * 2**30), ("a.md", 3 * 2**30), ("a.csv", 2 * 2**30)])
def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path, name: str, size: int) -> None:
    with (tmp_path / name).open("wb") as file:
        file.write(b"Bonjour. " * 1_000)
        file.truncate(size)  # sparse: takes up no room
    assert refused(tmp_path / name, seconds=2, mib=300).startswith("a: too large; a document may have 256 MiB")


def test_a_line_of_three_gigabytes_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.jsonl").open("wb") as file:
        file.write(b'{"text": "' + b"a" * 10_000)
        file.truncate(3 * 2**30)
    assert refused(tmp_path / "a.jsonl", seconds=10, mib=700).startswith("a:1: too large from here on")


@pytest.mark.parametrize("size", [20, *([200] if LONG else [])])
def test_a_long_line_is_read_and_split(tmp_path: Path, size: int) -> None:
    sentence = b"Le port de Brest a rouvert lundi. "
    data = sentence * (size * MIB // len(sentence))
    start = time.perf_counter()
    (document,) = load(tmp_path / "a.txt", data).documents
    assert document.text == data.decode()
    sentences = split_sentences(document.text)
    assert time.perf_counter() - start < 2 * size
    assert len(sentences) == len(data) // len(sentence)
    assert document.text[sentences[-1].start : sentences[-1].end] == sentence.decode().strip()


# -- archives --------------------------------------------------------------------------------------------------------


def test_an_archive_of_a_gigabyte_of_zeros_is_refused_at_once(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file, file.open("a.txt", "w") as member:
        for _ in range(1024):
            member.write(bytes(MIB))
    (tmp_path / "a.zip").write_bytes(data.getvalue())
    assert refused(tmp_path / "a.zip", seconds=3, mib=150).startswith("a#a.txt: too large;")


def test_what_comes_out_is_counted_and_not_what_is_declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("archive", "nested"):
        monkeypatch.setattr(f"index.formats.{module}.MAX_DOCUMENT_BYTES", 10_000)
    monkeypatch.setattr("index.formats.nested.MAX_STREAM_BYTES", 25_000)
    monkeypatch.setattr("index.formats.nested._PIECE_BYTES", 1_000)
    inner = archive({"x.txt": b"x" * 9_000, "y.txt": b"y" * 9_000})
    members = {"a.txt": b"a" * 50_000, "b.txt.gz": gzip.compress(b"b" * 50_000), "c.zip": inner, "d.txt": b"Apres."}
    loaded = load(tmp_path / "a.zip", archive(members))
    assert [document.source for document in loaded.documents] == ["a.zip#c.zip#x.txt"]
    assert told(loaded)[0].startswith("a.zip#a.txt: too large;")
    assert told(loaded)[1].startswith("a.zip#b.txt.gz: too large;")
    assert told(loaded)[2].startswith("a.zip#c.zip#y.txt: makes more than 0 GiB with what was unpacked before it")
    assert len(told(loaded)) == 3  # what follows is not named one by one


def test_a_member_that_declares_less_than_it_holds_is_damaged(tmp_path: Path) -> None:
    data = bytearray(archive({"a.txt": b"Un texte. " * 1_000, "b.txt": b"Juste."}))
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 20)
    loaded = load(tmp_path / "a.zip", bytes(data))
    assert [document.text for document in loaded.documents] == ["Juste."]
    assert [line.partition(" (")[0] for line in told(loaded)] == ["a.zip#a.txt: is damaged in its archive"]


def overlapping(n_members: int, size: int) -> bytes:
    """Return an archive whose members are all the same bytes."""
    content = b"a " * (size // 2)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(content) + packer.flush()
    sizes = (zlib.crc32(content), len(packed), size, 5)
    data = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 33, *sizes, 0) + b"a.txt" + packed
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 8, 0, 33, *sizes, 0, 0, 0, 0, 0, 0)
    directory = (entry + b"a.txt") * n_members
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, n_members, n_members, len(directory), len(data), 0)
    return data + directory + end


def test_members_that_overlap_are_refused(tmp_path: Path) -> None:
    assert [each.text for each in load(tmp_path / "one.zip", overlapping(1, 100)).documents] == ["a " * 50]
    (tmp_path / "a.zip").write_bytes(overlapping(1_000, 100 * MIB))
    assert "members overlap" in refused(tmp_path / "a.zip", seconds=2, mib=150)


@pytest.mark.parametrize("n_members", [30_000, 1_000_000])
def test_too_many_members_are_refused_before_they_take_up_memory(tmp_path: Path, n_members: int) -> None:
    (tmp_path / "a.zip").write_bytes(overlapping(1, 100)[:-22])
    with (tmp_path / "a.zip").open("ab") as file:
        for number in range(n_members):
            name = f"{number:08}".encode()
            file.write(
                struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, 8, 0, 0, 0, 0, 0, number) + name
            )
        start = 30 + 5 + len(overlapping(1, 100)) - 22 - 30 - 5 - 51
        file.write(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 30_000, 30_000, file.tell() - start, start, 0))
    assert refused(tmp_path / "a.zip", seconds=5, mib=200).startswith(("a: holds more than", "a: is a"))


def test_members_are_counted_over_the_whole_nest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.formats.archive._MAX_MEMBERS", 4)
    inner = archive({"a.txt": b"Un.", "b.txt": b"Deux."})
    loaded = load(tmp_path / "a.zip", archive({"x.zip": inner, "y.zip": inner}))
    assert [document.text for document in loaded.documents] == ["Un.", "Deux."]
    assert [line.partition(",")[0] for line in told(loaded)] == ["a.zip#y.zip: holds more than 4 files"]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_without_a_bound_are_not_read(tmp_path: Path, method: int) -> None:
    loaded = load(tmp_path / "a.zip", archive({"a.txt": b"a " * MIB}, method))
    assert [line.partition(",")[0] for line in told(loaded)] == [
        "a.zip#a.txt: is compressed in another way than deflate"
    ]


def test_an_archive_nested_fifty_deep_ends(tmp_path: Path) -> None:
    data = archive({"a.txt": b"Au fond."})
    for depth in range(50):
        data = archive({"in.zip": data, "a.txt": f"{depth}".encode()})
    loaded = load(tmp_path / "a.zip", data)
    assert [document.source for document in loaded.documents] == [
        "a.zip#a.txt",
        "a.zip#in.zip#a.txt",
        "a.zip#in.zip#in.zip#a.txt",
    ]
    assert told(loaded) == [
        "a.zip#in.zip#in.zip#in.zip: is an archive nested more than 3 deep, which is not read; unpack it"
    ]


def test_an_archive_that_holds_itself_many_times_ends(tmp_path: Path) -> None:
    data = archive({"a.txt": b"Au fond."})
    for _ in range(5):  # what a quine does without end: each level holds the one below ten times
        data = archive({f"{number}.zip": data for number in range(10)}, zipfile.ZIP_STORED)
    start = time.perf_counter()
    loaded = load(tmp_path / "a.zip", data)
    assert time.perf_counter() - start < 20
    assert loaded.documents == ()
    assert len(told(loaded)) == 1
    assert "holds more than" in told(loaded)[0]


@pytest.mark.parametrize("cut", [3, 30, 60, -10])
def test_a_cut_archive_is_named(tmp_path: Path, cut: int) -> None:
    loaded = load(tmp_path / "a.zip", archive({"a.txt": b"Un texte. " * 20})[:cut])
    assert loaded.documents == ()
    assert len(loaded.problems) == 1


@pytest.mark.parametrize("name", ["a.txt.gz", "a.html.gz", "a.eml.gz", "a.csv.gz", "a.zip.gz", "a.pdf.gz"])
@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_corrupt_gzip_is_named(tmp_path: Path, name: str, damage: str) -> None:
    noise = "".join(f"{number * 7919 % 10_007} " for number in range(30_000)).encode()
    data = bytearray(gzip.compress({"a.zip.gz": archive({"a.txt": noise})}.get(name, noise)))
    if damage == "cut":
        del data[len(data) // 2 :]
    else:
        data[-6] ^= 1  # of its checksum
    loaded = load(tmp_path / name, bytes(data))
    assert loaded.documents == ()
    assert [line.partition(" (")[0] for line in told(loaded)] == [f"{name}: is damaged or cut off gzip"]


# -- names -----------------------------------------------------------------------------------------------------------


def test_names_that_are_printed_alike_do_not_collide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    raw = [b"caf\xe9.txt", rb"caf\xe9.txt", "a\u0085.txt".encode(), b"a\x85.txt", b"b\n.txt", rb"b\n.txt"]
    try:
        for number, name in enumerate(raw):
            Path(os.fsdecode(name)).write_text(f"{number}")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    files, problems = find_files(["."])
    assert {file.source: load_file(file).documents[0].text for file in files} == {
        r"caf\xe9.txt": "0",
        r"caf\\xe9.txt": "1",
        r"a\u0085.txt": "2",
        r"a\x85.txt": "3",
        r"b\n.txt": "4",
        r"b\\n.txt": "5",
    }
    assert sorted(os.fsencode(file.path.name) for file in files) == sorted(raw)
    assert problems == []


def test_composed_and_decomposed_names_are_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for form in ("NFC", "NFD"):
        Path(unicodedata.normalize(form, "été.txt")).write_text(form)
    files, _ = find_files(["."])
    if len(files) == 1:
        pytest.skip("this file system takes them for one")
    assert {file.source for file in files} == {unicodedata.normalize(form, "été.txt") for form in ("NFC", "NFD")}


def test_decomposed_text_is_kept_and_found_by_a_composed_question(tmp_path: Path) -> None:
    text = unicodedata.normalize("NFD", "Le préfet a rouvert l'école élémentaire de Gassin.")
    path = tmp_path / unicodedata.normalize("NFD", "école.txt")
    path.write_text(text, encoding="utf-8")
    corpus = CorpusIndex.build([path], tmp_path / "index")
    hit = corpus.search(unicodedata.normalize("NFC", "école élémentaire"), k=1)[0]
    assert hit.passage.document.text == text
    assert hit.lexical_score > 0


# -- anything --------------------------------------------------------------------------------------------------------


STARTS = (
    b"",
    b"PK\x03\x04",
    b"%PDF-1.4\n",
    b"<html>",
    b"From: a\nMIME-Version: 1.0\n",
    b"\x1f\x8b\x08\x00",
    b"\xff\xfe",
    b"texte;n\n",
)


@settings(deadline=None)
@given(
    st.sampled_from(STARTS), st.binary(max_size=300), st.sampled_from(["html", "csv", "eml", "zip", "txt.gz", "docx"])
)
def test_no_bytes_are_a_fault_of_the_program(start: bytes, data: bytes, suffix: str) -> None:
    with TemporaryDirectory() as folder:
        loaded = load(Path(folder) / f"a.{suffix}", start + data)
    assert loaded.documents or loaded.problems
    assert not any("fault of this program" in line for line in told(loaded))
    assert all(document.text.encode() and document.text.strip() for document in loaded.documents)


MEMBERS = {
    "a.jsonl": b'{"id": "x", "text": "Un."}\n{"id": "x", "text": "Deux."}',
    "a.zip": archive({"b": b"Trois.", "b#c": b"Quatre."}),
    **dict.fromkeys(["a.jsonl#x", "a.jsonl%23x", "a.jsonl#x@L2", "a.zip#b", "a.zip#b#c"], b"Cinq."),
    **dict.fromkeys(["a\n", r"a\n", "a\n@2", r"a\n@2", "#", "a"], b"Six."),
}


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(sorted(MEMBERS)), min_size=1, max_size=9))
def test_no_two_members_share_a_source(names: list[str]) -> None:
    data = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(data, "w") as file:
        warnings.simplefilter("ignore")  # two members of one name
        for name in names:
            file.writestr(name, MEMBERS[name])
    with TemporaryDirectory() as folder:
        loaded = load(Path(folder) / "f.zip", data.getvalue())
    sources = [document.source for document in loaded.documents]
    assert len(set(sources)) == len(sources)
    assert all(source.isprintable() for source in sources)
    assert len(sources) == len(names) + sum(name in ("a.jsonl", "a.zip") for name in names)
    assert loaded.problems == ()


def test_the_reason_of_a_damaged_member_is_short(tmp_path: Path) -> None:
    data = bytearray(archive({"a" * 250 + ".txt": b"Le conseil siege."}))
    data[data.index(b"aaaa")] = ord("b")  # the name before the content no longer is that of the directory
    (problem,) = load(tmp_path / "a.zip", bytes(data)).problems
    assert "damaged" in problem.reason
    assert len(problem.reason) < 250
