"""What may happen to an index: processes killed at any moment, damaged files, several at once, no rights, a full disk.

SOURCIER_LONG=1 kills some two hundred processes instead of twenty.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import pkgutil
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

import faiss  # noqa: F401 - here so that the processes started below have it loaded
import filelock  # noqa: F401
import pytest

from index import (
    CorpusIndex,
    IndexDamagedError,
    IndexLockedError,
    IndexMissingError,
    InputError,
    SourcierError,
    StoreError,
)
from index.lexical import term_hash
from index.types import Document
from index.worker import _Process
from tests.conftest import ROOT, HashingEmbedder, answers, index_rows, write_files

LONG = bool(os.environ.get("SOURCIER_LONG"))
N_KILLED = 100 if LONG else 15
PATIENCE_S = 60

# The server process imports this module once; each process below is forked from it in milliseconds.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.test_faults"])

QUESTIONS = ("navires de l'Otan", "char Leclerc", "un texte neuf", "gazoduc")
TABLES = ("files", "problems", "sources", "documents", "fields", "passages")

Rows = dict[str, list[tuple[Any, ...]]]


# -- what the processes do -------------------------------------------------------------------------------------------


def first(docs: Path, directory: Path) -> None:
    CorpusIndex.build([docs / "texts"], directory, embedder=HashingEmbedder())


def build(docs: Path, directory: Path) -> None:
    CorpusIndex.build([docs / "texts", docs / "more"], directory, embedder=HashingEmbedder())


def add(docs: Path, directory: Path) -> None:
    CorpusIndex.open(directory, embedder=HashingEmbedder()).add([docs / "more"])


def remove(docs: Path, directory: Path) -> None:
    with suppress(InputError):  # a second try, after a kill, may find it removed
        CorpusIndex.open(directory, embedder=HashingEmbedder()).remove([str(docs / "texts" / "otan.txt")])


def anew(docs: Path, directory: Path) -> None:
    CorpusIndex.build([docs / "texts"], directory, embedder=HashingEmbedder())


def work(ready: Connection, action: Callable[[Path, Path], None], docs: Path, directory: Path, n_steps: int) -> None:
    """Do an action, and die at its ``n_steps``-th line of the package where that is above 0."""
    ready.send("ready")
    if n_steps:
        sys.settrace(_dies_after(n_steps))
    action(docs, directory)


def _dies_after(n_steps: int) -> Callable[..., Any]:
    left = n_steps
    package = str(ROOT / "index")

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.startswith(package):
            return None
        left -= event == "line"
        if not left:
            os.kill(os.getpid(), 9)
        return trace

    return trace


def count_steps(done: Connection, action: Callable[[Path, Path], None], docs: Path, directory: Path) -> None:
    """Do an action, and send how many lines of the package it ran."""
    n, package = 0, str(ROOT / "index")

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal n
        n += event == "line"
        return trace if frame.f_code.co_filename.startswith(package) else None

    sys.settrace(trace)
    action(docs, directory)
    sys.settrace(None)
    done.send(n)


def start(target: Callable[..., None], *arguments: Any) -> tuple[Any, Connection]:
    """Start a process with its end of a pipe as first argument; return it and the other end."""
    here, there = PROCESSES.Pipe()
    process = PROCESSES.Process(target=target, args=(there, *arguments))
    process.start()
    there.close()
    return process, here


def receive(pipe: Connection) -> Any:
    assert pipe.poll(PATIENCE_S), "the process says nothing"
    return pipe.recv()


# -- killed at any moment --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders texts/ and more/, and an index of texts/ in former/."""
    folder = tmp_path_factory.mktemp("faults")
    write_files(
        folder,
        {
            "texts/otan.txt": "Plus de 30 navires de l'Otan patrouillent. Ils surveillent la mer Baltique.",
            "texts/char.txt": "Le char Leclerc pèse 56 tonnes.",
            "texts/lignes.jsonl": '{"id": 1, "text": "Le gazoduc a été saboté."}\n{"id": 2, "text": "Un texte."}\n',
            "more/neuf.txt": "Un texte neuf sur un gazoduc neuf.",
            "more/long.txt": "\n".join(f"Phrase {n} du texte long, avec {'mots ' * 20}." for n in range(60)),
        },
    )
    first(folder, folder / "former")
    CorpusIndex.open(folder / "former")._catalog.close()
    return folder


def rows_of(directory: Path) -> Rows:
    rows = index_rows(directory)
    return {table: rows[table] for table in TABLES}


def state_of(directory: Path) -> tuple[Rows, list[Any]]:
    corpus = CorpusIndex.open(directory, embedder=HashingEmbedder())
    assert corpus.verify() == []
    return rows_of(directory), [answers(corpus, question) for question in QUESTIONS]


def found_in(directory: Path, *, none_yet: type[StoreError] | None) -> tuple[Rows, list[Any]] | None:
    """Return the state of an index, None where the error says that there is none yet."""
    try:
        return state_of(directory)
    except StoreError as error:
        if none_yet is None or not isinstance(error, none_yet):
            raise
        return None


EXPECTED_WITHOUT_INDEX: dict[Callable[[Path, Path], None], type[StoreError]] = {
    first: IndexMissingError,
    anew: IndexDamagedError,
}


def is_swept(directory: Path) -> bool:
    names = {path.name for path in directory.iterdir()} - {"catalog.sqlite-wal", "catalog.sqlite-shm"}
    named = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))["sha256"]
    held = {path.relative_to(directory).as_posix() for path in (directory / "segments").iterdir()}
    return names == {"catalog.sqlite", "manifest.json", "segments", "writer.lock"} and held == named.keys()


@pytest.mark.parametrize("action", [first, build, add, remove, anew], ids=lambda action: action.__name__)
def test_a_process_killed_at_any_moment_leaves_the_former_index_or_the_new(
    docs: Path, tmp_path: Path, action: Callable[[Path, Path], None]
) -> None:
    def prepare(directory: Path) -> None:
        if action is not first:
            shutil.copytree(docs / "former", directory)
        if action is anew:
            (directory / "catalog.sqlite").write_bytes(b"damaged" * 99)

    prepare(tmp_path / "done")
    process, pipe = start(count_steps, action, docs, tmp_path / "done")
    n_steps = receive(pipe)
    process.join()
    prepare(tmp_path / "timed")
    begun = time.monotonic()
    action(docs, tmp_path / "timed")
    seconds = time.monotonic() - begun
    former = None if action in (first, anew) else state_of(docs / "former")
    new = state_of(tmp_path / "done")
    assert former != new
    dice = random.Random(action.__name__)
    for n in range(N_KILLED // 5):
        directory = tmp_path / f"killed-{n}"
        prepare(directory)
        # By turns at a line of Python and at a moment, which may lie inside SQLite, faiss or the kernel.
        line = dice.randint(1, n_steps) if n % 2 else 0
        process, pipe = start(work, action, docs, directory, line)
        assert receive(pipe) == "ready"
        if not line:
            time.sleep(dice.uniform(0.0, 1.2 * seconds))
            process.kill()
        process.join(PATIENCE_S)
        pipe.close()
        assert found_in(directory, none_yet=EXPECTED_WITHOUT_INDEX.get(action)) in (former, new)
        action(docs, directory)  # the same command again
        assert state_of(directory) == new
        assert is_swept(directory)


def test_a_killed_removal_leaves_no_text_once_the_index_is_opened_and_written(docs: Path, tmp_path: Path) -> None:
    shutil.copytree(docs / "former", tmp_path / "index")
    process, pipe = start(_dies_after_its_commit, docs, tmp_path / "index")
    process.join(PATIENCE_S)
    pipe.close()
    corpus = CorpusIndex.open(tmp_path / "index", embedder=HashingEmbedder())
    assert corpus.generation == 2
    assert corpus.update([docs / "texts" / "char.txt"]).n_removed == 2
    (term,) = corpus.analyzer.terms("navires")
    traces = (b"navires", term_hash(term).to_bytes(8, "little"))
    held = [p for p in (tmp_path / "index").rglob("*") if p.is_file() and any(t in p.read_bytes() for t in traces)]
    assert held == []


def _dies_after_its_commit(ready: Connection, docs: Path, directory: Path) -> None:
    import index.store

    index.store.Store._sweep = lambda *_: os.kill(os.getpid(), 9)  # type: ignore[method-assign]
    remove(docs, directory)


# -- acknowledged before the end -------------------------------------------------------------------------------------


def one_of_many(corpus: CorpusIndex, n: int) -> None:
    """Do the ``n``-th of many changes: put a document, or one more source of it, or remove what was put before."""
    if n % 4 == 3:
        corpus.remove([f"d/{n - 2}"])
    else:
        number = n - 1 if n % 4 == 2 else n
        corpus.put([Document(f"{number}", f"d/{n}", f"Le navire {number} de l'Otan.", title=f"Titre {number % 3}")])


def change_on_and_on(pipe: Connection, directory: Path, n_changes: int) -> None:
    """Do one change after the other, and tell of each that has returned."""
    corpus = CorpusIndex.open(directory, embedder=HashingEmbedder())
    for n in range(n_changes):
        one_of_many(corpus, n)
        pipe.send(n)


def test_what_was_acknowledged_before_a_kill_is_there(tmp_path: Path) -> None:
    n_changes, dice = 60, random.Random(3)
    states = [CorpusIndex.create(tmp_path / "expected", embedder=HashingEmbedder())]
    CorpusIndex.create(tmp_path / "timed", embedder=HashingEmbedder())
    process, pipe = start(change_on_and_on, tmp_path / "timed", n_changes)
    begun = time.monotonic()
    process.join(PATIENCE_S)
    seconds = time.monotonic() - begun
    expected = [rows_of(tmp_path / "expected")]  # after as many changes
    for n in range(n_changes):
        one_of_many(states[0], n)
        expected.append(rows_of(tmp_path / "expected"))
    for n in range(100 if LONG else 5):
        directory = tmp_path / f"killed-{n}"
        CorpusIndex.create(directory, embedder=HashingEmbedder())
        process, pipe = start(change_on_and_on, directory, n_changes)
        time.sleep(dice.uniform(0.02, 0.9 * seconds))
        process.kill()
        process.join(PATIENCE_S)
        n_told = 0
        with suppress(EOFError):
            while pipe.poll():
                n_told = pipe.recv() + 1
        pipe.close()
        corpus = CorpusIndex.open(directory, embedder=HashingEmbedder())
        assert corpus.verify() == []
        n_done = corpus.generation - 1
        assert n_told <= n_done <= n_told + 1
        assert rows_of(directory) == expected[n_done]
        for later in range(n_done, n_changes):
            one_of_many(corpus, later)
        assert (rows_of(directory), corpus.verify(), is_swept(directory)) == (expected[-1], [], True)


# -- damaged segments ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def several(docs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of texts/ and more/ in three segments."""
    directory = tmp_path_factory.mktemp("several") / "index"
    first(docs, directory)
    corpus = CorpusIndex.open(directory, embedder=HashingEmbedder())
    corpus.add([docs / "more" / "long.txt"])
    corpus.add([docs / "more" / "neuf.txt"])
    corpus._catalog.close()
    assert len(segment_files(directory)) == 3
    return directory


def segment_files(directory: Path) -> list[Path]:
    return sorted((directory / "segments").iterdir())


def damage(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == "deleted":
        path.unlink()
    elif how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "emptied":
        path.write_bytes(b"")
    elif how == "zeros":
        path.write_bytes(bytes(len(content)))
    else:
        content[len(content) // 2] ^= 0x10
        path.write_bytes(content)


@pytest.mark.parametrize("how", ["deleted", "cut", "emptied", "zeros", "flipped"])
def test_damaged_segments_are_made_again_without_embedding(several: Path, tmp_path: Path, how: str) -> None:
    expected = state_of(several)
    for n, names in enumerate([[0], [1], [2], [0, 2]]):
        directory = tmp_path / str(n)
        shutil.copytree(several, directory)
        paths = [segment_files(directory)[name] for name in names]
        for path in paths:
            damage(path, how)
        model = HashingEmbedder()
        corpus = CorpusIndex.open(directory, embedder=model)
        assert [line.split()[0] for line in corpus.verify()] == [f"segments/{path.name}" for path in paths]
        assert [answers(corpus, question) for question in QUESTIONS] == expected[1]
        assert model.texts == []
        assert (state_of(directory), is_swept(directory)) == (expected, True)


def test_any_flipped_bit_of_a_segment_is_found(several: Path, tmp_path: Path) -> None:
    shutil.copytree(several, tmp_path / "index")
    corpus = CorpusIndex.open(tmp_path / "index", embedder=HashingEmbedder())
    dice = random.Random(2)
    for path in segment_files(tmp_path / "index"):
        content = path.read_bytes()
        for _ in range(200 if LONG else 20):
            flipped = bytearray(content)
            flipped[dice.randrange(len(flipped))] ^= 1 << dice.randrange(8)
            path.write_bytes(flipped)
            (line,) = corpus.verify()
            assert line.startswith(f"segments/{path.name} has SHA-256 ")
        path.write_bytes(content)
    assert corpus.verify() == []


def test_a_damaged_catalog_is_never_searched_as_if_it_were_whole(several: Path, tmp_path: Path) -> None:
    """Bits flipped anywhere: `verify` finds it, or every row is as it was; nothing but a StoreError is raised."""
    expected = state_of(several)
    content, dice = (several / "catalog.sqlite").read_bytes(), random.Random(4)
    shutil.copytree(several, tmp_path / "index")
    n_found = 0
    for n in range(200 if LONG else 30):
        flipped = bytearray(content)
        if n % 5:
            flipped[dice.randrange(len(flipped))] ^= 1 << dice.randrange(8)
        else:
            del flipped[dice.randrange(len(flipped)) :]
        (tmp_path / "index" / "catalog.sqlite").write_bytes(flipped)
        try:
            wrong = CorpusIndex.open(tmp_path / "index", embedder=HashingEmbedder()).verify()
        except StoreError:
            n_found += 1
            continue
        if wrong:
            n_found += 1
        else:
            assert rows_of(tmp_path / "index") == expected[0]
    assert n_found > (20 if LONG else 3)


def test_a_lost_folder_is_made_again_by_the_next_change(docs: Path, tmp_path: Path) -> None:
    shutil.copytree(docs / "former", tmp_path / "index")
    corpus = CorpusIndex.open(tmp_path / "index", embedder=HashingEmbedder())
    before = answers(corpus, QUESTIONS[0])
    shutil.rmtree(tmp_path / "index" / "segments")
    assert answers(corpus, QUESTIONS[0]) == before  # what is loaded serves on
    corpus.add([docs / "more"])
    build(docs, tmp_path / "fresh")
    assert state_of(tmp_path / "index") == state_of(tmp_path / "fresh")


# -- errors in the middle of a change --------------------------------------------------------------------------------


def fail_with(error: BaseException, after: int) -> Callable[..., Any]:
    """Return what can be put in the place of a function, and raises at its call number ``after``."""
    left = after

    def fail(real: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise error
        return real(*arguments, **options)

    return fail


PLACES = [
    "index.segments._write",
    "index.segments.SegmentBuilder.add",
    "index.segments.joined",
    "index.catalog.Catalog.put_passages",
    "index.catalog.Catalog.put_source",
    "index.catalog.Catalog.delete_orphans",
    "index.catalog.Catalog.set_manifest",
    "index.file_records.FileRecords.put",
    "index.file_records.FileRecords.set_roots",
    "index.worker.prepare",
    "index.update.change_segments",
    "tests.conftest.HashingEmbedder.embed_passages",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("error", [MemoryError(), KeyboardInterrupt(), StoreError("no")], ids=repr)
def test_an_error_in_the_middle_of_a_change_leaves_all_as_it_was(
    several: Path, docs: Path, tmp_path: Path, place: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(several, tmp_path / "index")
    corpus = CorpusIndex.open(tmp_path / "index", embedder=HashingEmbedder())
    before, files = state_of(tmp_path / "index"), {p.name: p.read_bytes() for p in segment_files(tmp_path / "index")}
    texts = write_files(tmp_path / "texts", {"a.txt": "Le texte d'un navire neuf."})
    paths = [docs / "texts" / "lignes.jsonl", docs / "more", texts]
    module, _, name = place.rpartition(".")
    owner = pkgutil.resolve_name(module)
    real, fail = getattr(owner, name), fail_with(error, 0)
    with monkeypatch.context() as patch:
        patch.setattr("index.segments._JOINED", 2)  # so that there is something to join
        patch.setattr(owner, name, lambda *arguments, **options: fail(real, *arguments, **options))
        with pytest.raises(type(error)):
            corpus.update(paths)
    assert (state_of(tmp_path / "index"), is_swept(tmp_path / "index")) == (before, True)
    assert {p.name: p.read_bytes() for p in segment_files(tmp_path / "index")} == files
    assert [answers(corpus, question) for question in QUESTIONS] == before[1]
    corpus.update(paths)
    CorpusIndex.build(paths, tmp_path / "fresh", embedder=HashingEmbedder())
    assert state_of(tmp_path / "index") == state_of(tmp_path / "fresh")


# -- two writers -----------------------------------------------------------------------------------------------------


def hold(pipe: Connection, directory: Path) -> None:
    """Begin a change, and end it when told."""
    corpus = CorpusIndex.open(directory, embedder=HashingEmbedder())
    with corpus._store.writing():
        pipe.send(os.getpid())
        pipe.recv()


def test_a_second_writer_is_told_who_holds_the_index(
    docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(docs / "former", tmp_path / "index")
    before = state_of(tmp_path / "index")
    process, pipe = start(hold, tmp_path / "index")
    holder = receive(pipe)
    monkeypatch.setattr("index.store._WRITER_WAIT_SECONDS", 0.3)
    corpus = CorpusIndex.open(tmp_path / "index", embedder=HashingEmbedder())
    begun = time.monotonic()
    with pytest.raises(IndexLockedError, match=rf"is being written by process {holder} .*: wait until") as caught:
        corpus.add([docs / "more"])
    assert time.monotonic() - begun >= 0.3
    assert str(holder) in caught.value.holder
    assert answers(corpus, QUESTIONS[0]) == before[1][0]  # reading does not wait
    monkeypatch.setattr("index.store._WRITER_WAIT_SECONDS", 30.0)
    threading.Timer(0.3, pipe.send, args=["end"]).start()
    assert corpus.add([docs / "more"]).n_added == 2
    process.join(PATIENCE_S)


def test_the_lock_of_a_killed_writer_is_free(docs: Path, tmp_path: Path) -> None:
    shutil.copytree(docs / "former", tmp_path / "index")
    process, pipe = start(hold, tmp_path / "index")
    receive(pipe)
    process.kill()
    process.join(PATIENCE_S)
    assert (tmp_path / "index" / "writer.txt").exists()
    add(docs, tmp_path / "index")
    assert is_swept(tmp_path / "index")


def add_one(pipe: Connection, directory: Path, folder: Path) -> None:
    pipe.send("ready")
    pipe.recv()
    CorpusIndex.open(directory, embedder=HashingEmbedder()).add([folder])


def test_what_several_add_at_once_is_all_there(docs: Path, tmp_path: Path) -> None:
    shutil.copytree(docs / "former", tmp_path / "index")
    folders = [write_files(tmp_path / f"folder-{n}", {"a.txt": f"Le texte du dossier {n}."}) for n in range(4)]
    started = [start(add_one, tmp_path / "index", folder) for folder in folders]
    for _, pipe in started:
        receive(pipe)
    for _, pipe in started:
        pipe.send("go")
    for process, _ in started:
        process.join(PATIENCE_S)
        assert process.exitcode == 0
    corpus = CorpusIndex.open(tmp_path / "index", embedder=HashingEmbedder())
    status = corpus.status()
    assert (status.generation, status.n_documents, len(status.roots)) == (5, 8, 5)
    assert corpus.refresh().n_unchanged == 8  # no folder was forgotten
    assert corpus.verify() == []


def test_threads_of_one_process_change_in_turn(docs: Path, tmp_path: Path) -> None:
    shutil.copytree(docs / "former", tmp_path / "index")
    corpus = CorpusIndex.open(tmp_path / "index", embedder=HashingEmbedder())
    folders = [write_files(tmp_path / f"folder-{n}", {"a.txt": f"Le texte du dossier {n}."}) for n in range(4)]
    threads = [threading.Thread(target=corpus.add, args=([folder],)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (corpus.generation, corpus.status().n_documents, corpus.verify()) == (5, 8, [])


# -- readers during changes ------------------------------------------------------------------------------------------

N_CHANGES = 60 if LONG else 12
PARTS = 4


def edition(docs: Path, n: int) -> None:
    """Write files that all carry the number of the edition, one of them twice."""
    write_files(docs, {f"{part}.txt": f"Partie {part} de l'édition numéro{n}." for part in range(PARTS)})
    write_files(docs, {"lignes.jsonl": f'{{"text": "Ligne de l\'édition numéro{n}."}}\n'})


def seen(corpus: CorpusIndex) -> tuple[int, list[str]]:
    """Search everything; return the generation and the editions that the hits say they belong to."""
    found = corpus.search_in_full("édition partie ligne", k=50)
    return found.generation, [hit.passage.text.rpartition("numéro")[2].rstrip(".") for hit in found.hits]


def watch(pipe: Connection, directory: Path) -> None:
    """Search until told to end, with an index that stays open and with one opened each time; send what was seen."""
    pipe.send("ready")
    corpus = CorpusIndex.open(directory, embedder=HashingEmbedder())
    found = []
    while not pipe.poll():
        found.append(seen(corpus))
        found.append(seen(CorpusIndex.open(directory, embedder=HashingEmbedder())))
    pipe.send([*found, seen(corpus)])


def assert_whole(found: list[tuple[int, list[str]]], n_changes: int) -> None:
    """Generation ``g`` is edition ``g``, whole, and time does not run backwards."""
    assert [editions for _, editions in found] == [[str(generation)] * (PARTS + 1) for generation, _ in found]
    generations = [generation for generation, _ in found]
    assert generations == sorted(generations)
    assert generations[-1] == n_changes
    assert len(set(generations)) > 2  # it did look meanwhile


def test_a_reader_in_another_process_sees_only_whole_generations(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    edition(docs, 1)
    corpus = CorpusIndex.build([docs], tmp_path / "index", embedder=HashingEmbedder())
    process, pipe = start(watch, tmp_path / "index")
    receive(pipe)
    for n in range(2, N_CHANGES + 1):
        edition(docs, n)
        corpus.update([docs])
    pipe.send("end")
    assert_whole(receive(pipe), N_CHANGES)
    process.join(PATIENCE_S)


def test_a_reader_in_a_thread_sees_only_whole_generations(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    edition(docs, 1)
    corpus = CorpusIndex.build([docs], tmp_path / "index", embedder=HashingEmbedder())
    found: list[list[tuple[int, list[str]]]] = [[], []]
    end = threading.Event()

    def look(seen_here: list[tuple[int, list[str]]]) -> None:
        while not end.is_set():
            seen_here.append(seen(corpus))
        seen_here.append(seen(corpus))

    readers = [threading.Thread(target=look, args=(seen_here,)) for seen_here in found]
    for reader in readers:
        reader.start()
    try:
        for n in range(2, N_CHANGES + 1):
            edition(docs, n)
            corpus.update([docs])
    finally:
        end.set()
        for reader in readers:
            reader.join()
    for seen_here in found:
        assert_whole(seen_here, N_CHANGES)


def test_status_and_verify_hold_during_changes(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    edition(docs, 1)
    corpus = CorpusIndex.build([docs], tmp_path / "index", embedder=HashingEmbedder())
    wrong: list[Any] = []
    end = threading.Event()

    def look() -> None:
        other = CorpusIndex.open(tmp_path / "index", embedder=HashingEmbedder())
        while not end.is_set():
            wrong.extend(other.verify())
            status = other.status()
            wrong.extend([] if (status.n_documents, status.n_files) == (PARTS + 1, PARTS + 1) else [status])

    reader = threading.Thread(target=look)
    reader.start()
    for n in range(2, N_CHANGES // 2 + 2):
        edition(docs, n)
        corpus.update([docs])
    end.set()
    reader.join()
    assert wrong == []


def look(pipe: Connection, directory: Path) -> None:
    """Search until told to end, as `watch` does; send the answers unlike the first, and how many there were."""
    corpus = CorpusIndex.open(directory, embedder=HashingEmbedder())
    expected = answers(corpus, QUESTIONS[0])
    pipe.send("ready")
    others, n = [], 0
    while not pipe.poll():
        opened = CorpusIndex.open(directory, embedder=HashingEmbedder())
        others += [found for each in (corpus, opened) if (found := answers(each, QUESTIONS[0])) != expected]
        n += 1
    pipe.send((others, n))


def test_a_reader_during_rebuilds_finds_the_same(docs: Path, tmp_path: Path) -> None:
    shutil.copytree(docs / "former", tmp_path / "index")
    process, pipe = start(look, tmp_path / "index")
    receive(pipe)
    for _ in range(30 if LONG else 8):
        CorpusIndex.repair(tmp_path / "index")
        corpus = CorpusIndex.open(tmp_path / "index", embedder=HashingEmbedder())
        with corpus._store.building_anew() as aside:
            CorpusIndex.build([docs / "texts"], aside, embedder=HashingEmbedder())._catalog.close()
    pipe.send("end")
    others, n = receive(pipe)
    process.join(PATIENCE_S)
    assert others == []
    assert n > 3


# -- the processes that prepare documents ----------------------------------------------------------------------------


def many_texts(folder: Path) -> Path:
    return write_files(folder, {f"{n}.txt": f"Le texte numéro {n} dit navire{n}." for n in range(600)})


def test_documents_prepared_by_other_processes_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docs = many_texts(tmp_path / "docs")
    CorpusIndex.build([docs], tmp_path / "here", embedder=HashingEmbedder())
    monkeypatch.setattr("index.worker._ALONE", 0)
    CorpusIndex.build([docs], tmp_path / "there", embedder=HashingEmbedder())
    assert state_of(tmp_path / "there") == state_of(tmp_path / "here")


def test_a_process_that_prepares_and_dies_is_a_stated_failure(
    docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(docs / "former", tmp_path / "index")
    before = state_of(tmp_path / "index")
    corpus = CorpusIndex.open(tmp_path / "index", embedder=HashingEmbedder())
    with monkeypatch.context() as patch:
        patch.setattr("index.worker._ALONE", 0)
        patch.setattr("sys.executable", shutil.which("false"))
        with pytest.raises(StoreError, match=r"a process that prepares documents has ended \(exit code"):
            corpus.add([many_texts(tmp_path / "many")])
    assert (state_of(tmp_path / "index"), is_swept(tmp_path / "index")) == (before, True)


def test_a_process_that_had_died_before_it_was_asked_is_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", shutil.which("false"))
    process = _Process("fr-1")
    process._process.wait()
    with pytest.raises(StoreError, match=r"has ended \(exit code 1\): the index is as it was"):
        process.submit([Document("a", "a", "Un texte.")]).result()
    process.close()


def build_with_others(pipe: Connection, folder: Path, directory: Path) -> None:
    import index.worker

    index.worker._ALONE = 0
    real = index.worker.Workers

    def told(*arguments: Any) -> Any:
        made = real(*arguments)
        pipe.send([each._process.pid for each in made._processes])
        return made

    index.worker.Workers = told  # type: ignore[assignment, misc]
    CorpusIndex.build([folder], directory, embedder=HashingEmbedder())


def test_the_processes_of_a_killed_build_end_with_it(tmp_path: Path) -> None:
    process, pipe = start(build_with_others, many_texts(tmp_path / "docs"), tmp_path / "index")
    pids = receive(pipe)
    process.kill()
    process.join(PATIENCE_S)
    patience = time.monotonic() + PATIENCE_S
    while time.monotonic() < patience and any(map(is_running, pids)):
        time.sleep(0.05)
    assert [pid for pid in pids if is_running(pid)] == []
    with pytest.raises(IndexMissingError):
        CorpusIndex.open(tmp_path / "index")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# -- no rights, no space ---------------------------------------------------------------------------------------------

READ_ONLY = """
import os, sys
from pathlib import Path
from index import CorpusIndex, StoreError
from tests.conftest import HashingEmbedder, answers

index, warm, question = sys.argv[1:]
answers(CorpusIndex.open(warm, embedder=HashingEmbedder()), question)  # loads all that comes from files
if os.getuid() == 0:
    os.setuid(65534)  # for root, every folder can be written
assert not os.access(index, os.W_OK) and not os.access(Path(index, "catalog.sqlite"), os.W_OK)
corpus = CorpusIndex.open(index, embedder=HashingEmbedder())
print(answers(corpus, question))
print(corpus.verify(), corpus.status().n_documents)
for change in (lambda: corpus.add([Path(index).parent / "docs"]), lambda: CorpusIndex.repair(index)):
    try:
        change()
    except StoreError as error:
        print("cannot be written" in str(error))
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, which those of pytest are not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    shutil.rmtree(folder)


@pytest.mark.parametrize("state", ["sound", "damaged"])
def test_an_index_that_cannot_be_written_is_searched(docs: Path, open_folder: Path, state: str) -> None:
    shutil.copytree(docs / "former", open_folder / "index")
    shutil.copytree(docs / "former", open_folder / "warm")
    write_files(open_folder / "docs", {"a.txt": "Un texte."})
    expected = answers(CorpusIndex.open(docs / "former", embedder=HashingEmbedder()), QUESTIONS[0])
    wrong: list[str] = []
    if state == "damaged":
        damage(next((open_folder / "index" / "segments").iterdir()), "flipped")
        wrong = CorpusIndex.open(open_folder / "index").verify()
    for leftover in (open_folder / "index").glob("catalog.sqlite-*"):
        leftover.unlink()
    for path in [open_folder / "index", *(open_folder / "index").rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = sorted((open_folder / "index").rglob("*"))
    run = subprocess.run(
        [sys.executable, "-c", READ_ONLY, open_folder / "index", open_folder / "warm", QUESTIONS[0]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == [str(expected), f"{wrong} 4", "True", "True"]
    assert sorted((open_folder / "index").rglob("*")) == before
    if state == "sound":
        assert run.stderr == ""
    else:
        assert "the segment files are made again in memory" in run.stderr


def change_within(pipe: Connection, action: Callable[[Path, Path], None], docs: Path, directory: Path, n: int) -> None:
    """Do an action in a process that can write no file beyond ``n`` bytes; send how it ended."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (n, n))
    try:
        action(docs, directory)
    except SourcierError as error:
        pipe.send((isinstance(error, StoreError) and not isinstance(error, IndexDamagedError), str(error)))
    else:
        pipe.send(None)


@pytest.mark.parametrize("limit", [0, 100, 5_000, 33_000, 60_000, 80_000])
@pytest.mark.parametrize("action", [build, remove], ids=lambda action: action.__name__)
def test_a_disk_that_fills_up_is_a_stated_failure(
    docs: Path, tmp_path: Path, action: Callable[[Path, Path], None], limit: int
) -> None:
    shutil.copytree(docs / "former", tmp_path / "index")
    before = state_of(tmp_path / "index")
    CorpusIndex.open(tmp_path / "index")._catalog.close()
    process, pipe = start(change_within, action, docs, tmp_path / "index", limit)
    outcome = receive(pipe)
    process.join(PATIENCE_S)
    if outcome is not None:
        is_stated, message = outcome
        assert is_stated, message
        assert "disk space" in message
        assert state_of(tmp_path / "index") == before
    action(docs, tmp_path / "index")
    assert is_swept(tmp_path / "index")
    assert CorpusIndex.open(tmp_path / "index", embedder=HashingEmbedder()).verify() == []


# A file system of so many bytes: its ballast leaves the kibibytes given to the change, then goes.
FULL_DISK = """
import os, sys
from pathlib import Path
from index import IndexDamagedError, StoreError
from tests import test_faults as faults

docs, mount, action, n_left = Path(sys.argv[1]), Path(sys.argv[2]), getattr(faults, sys.argv[3]), int(sys.argv[4])
index = mount / "index"
faults.shutil.copytree(docs / "former", index)
before = faults.state_of(index)
faults.CorpusIndex.open(index)._catalog.close()
disk = os.statvfs(mount)
(mount / "ballast").write_bytes(bytes(max(0, disk.f_bavail * disk.f_frsize - 1024 * n_left)))
try:
    action(docs, index)
    print("done")
except StoreError as error:
    assert not isinstance(error, IndexDamagedError), error
    assert "disk space" in str(error), error
    assert faults.state_of(index) == before
    print("stated")
(mount / "ballast").unlink()
action(docs, index)
faults.state_of(index)
assert faults.is_swept(index)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one mebibyte, where the machine lets us have one."""
    mount = tmp_path / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount]
    made = subprocess.run(command, capture_output=True, text=True, check=False) if shutil.which("mount") else None
    if made is None or made.returncode:
        pytest.skip("no file system can be mounted here")
    yield mount
    subprocess.run(["umount", mount], check=True)


@pytest.mark.parametrize("action", ["build", "add", "remove"])
def test_a_small_disk_that_fills_up_is_a_stated_failure(docs: Path, small_disk: Path, action: str) -> None:
    outcomes = []
    for n_left in (0, 4, 12, 40, 120, 400):
        run = subprocess.run(
            [sys.executable, "-c", FULL_DISK, docs, small_disk, action, str(n_left)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, (n_left, run.stderr)
        outcomes.append(run.stdout.strip())
        shutil.rmtree(small_disk / "index")
    assert outcomes == sorted(outcomes, reverse=True)  # "stated" until there is room enough
    assert (outcomes[0], outcomes[-1]) == ("stated", "done")
