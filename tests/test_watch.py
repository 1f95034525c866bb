"""watch: an index follows its files; each burst of changes once, and nothing is lost that may come back."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import watchfiles
from hypothesis import given, settings
from hypothesis import strategies as st

from index import CorpusIndex, IndexLockedError, InputError, UpdateReport
from index import following as following_module
from index.following import Following
from index.watch import watch
from index.watched import Roots
from tests.conftest import ROOT, HashingEmbedder, write_files

OTAN = "Le commun : l'Otan siège à Bruxelles."
CHAR = "Le commun : le char Leclerc pèse 56 tonnes."
GAZ = "Le commun : le gazoduc a été saboté."

DEADLINE_SECONDS = 30.0
QUIET_SECONDS = 0.2


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two documents in the current one."""
    monkeypatch.chdir(tmp_path)
    return write_files(tmp_path / "docs", {"otan.txt": OTAN, "char.txt": CHAR})


@pytest.fixture
def corpus(docs: Path, tmp_path: Path, embedder: HashingEmbedder) -> CorpusIndex:
    return CorpusIndex.build(["docs"], tmp_path / "index", embedder=embedder)


def texts(corpus: CorpusIndex) -> dict[str, str]:
    """Return what the index holds, as a search says it: the text of each document by its source."""
    found = (hit.passage.document for hit in corpus.search("commun", k=100))
    return {document.source: document.text for document in found}


def counts(report: UpdateReport) -> tuple[int, int, int]:
    return report.n_added, report.n_changed, report.n_removed


def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.02)


class Watched:
    """A watch that runs in a thread, and what it has told."""

    def __init__(self) -> None:
        self.reports: list[UpdateReport] = []
        self.stop = threading.Event()
        self.error: BaseException | None = None

    def counts(self) -> list[tuple[int, int, int]]:
        """Added, changed and removed of each burst; the report of the start is left out."""
        return [counts(report) for report in self.reports[1:]]


@contextmanager
def watching(corpus: CorpusIndex, *paths: str | Path, **options: Any) -> Iterator[Watched]:
    """Watch until the block ends; the block begins once the start is done."""
    watched = Watched()

    def run() -> None:
        try:
            wanted = {"quiet_seconds": QUIET_SECONDS, **options}
            watch(corpus, paths or ["docs"], stop=watched.stop, on_report=watched.reports.append, **wanted)
        except BaseException as error:  # noqa: BLE001 - raised again where the test sees it
            watched.error = error

    thread = threading.Thread(target=run)
    thread.start()
    try:
        until(lambda: watched.reports or watched.error)
        yield watched
    finally:
        watched.stop.set()
        thread.join(DEADLINE_SECONDS)
    assert not thread.is_alive()
    if watched.error is not None:
        raise watched.error


# -- real files, real notifications ----------------------------------------------------------------------------------


def test_the_start_brings_the_index_up_to_date(corpus: CorpusIndex, docs: Path, tmp_path: Path) -> None:
    (docs / "otan.txt").unlink()
    write_files(tmp_path, {"docs/char.txt": f"{CHAR} Neuf.", "docs/gaz.txt": GAZ, "plus/vin.txt": "Un vin commun."})
    with watching(corpus, "docs", "plus") as watched:
        assert counts(watched.reports[0]) == (2, 1, 1)
        assert watched.reports[0].n_unchanged == 0
    assert texts(corpus) == {
        "docs/char.txt": f"{CHAR} Neuf.",
        "docs/gaz.txt": GAZ,
        "plus/vin.txt": "Un vin commun.",
    }


def test_a_burst_is_one_change(corpus: CorpusIndex, docs: Path) -> None:
    with watching(corpus) as watched:
        write_files(docs, {f"sous/{n}.txt": f"Le commun numéro {n}." for n in range(20)})
        until(watched.counts)
        assert watched.counts() == [(20, 0, 0)]
        assert corpus.generation == 2
        assert corpus.status().n_documents == 22


def test_add_change_and_remove(corpus: CorpusIndex, docs: Path) -> None:
    with watching(corpus) as watched:
        write_files(docs, {"gaz.txt": GAZ, "otan.txt": f"{OTAN} Neuf."})
        (docs / "char.txt").unlink()
        until(watched.counts)
        assert watched.counts() == [(1, 1, 1)]
    assert texts(corpus) == {"docs/gaz.txt": GAZ, "docs/otan.txt": f"{OTAN} Neuf."}


def test_an_editor_that_writes_aside_and_renames_makes_one_change(corpus: CorpusIndex, docs: Path) -> None:
    with watching(corpus) as watched:
        write_files(docs, {"otan.txt~": "Le commun de côté."})
        (docs / "otan.txt~").replace(docs / "otan.txt")
        until(watched.counts)
        assert watched.counts() == [(0, 1, 0)]
    assert texts(corpus) == {"docs/char.txt": CHAR, "docs/otan.txt": "Le commun de côté."}


def test_a_folder_is_renamed_without_embedding_again(
    corpus: CorpusIndex, docs: Path, embedder: HashingEmbedder
) -> None:
    write_files(docs, {"a/gaz.txt": GAZ, "a/b/vin.txt": "Un vin commun."})
    with watching(corpus) as watched:
        embedder.texts.clear()
        (docs / "a").rename(docs / "z")
        until(lambda: "docs/z/gaz.txt" in texts(corpus) and "docs/a/gaz.txt" not in texts(corpus))
        until(watched.counts)
        assert watched.counts() == [(2, 0, 2)]
        assert embedder.texts == []
        write_files(docs, {"z/b/neuf.txt": "Du commun neuf."})  # the renamed folder is followed
        until(lambda: len(watched.counts()) == 2)
    assert sorted(texts(corpus)) == [
        "docs/char.txt",
        "docs/otan.txt",
        "docs/z/b/neuf.txt",
        "docs/z/b/vin.txt",
        "docs/z/gaz.txt",
    ]


def test_a_folder_is_deleted_as_one(
    corpus: CorpusIndex, docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    remove = corpus.remove
    monkeypatch.setattr(corpus, "remove", lambda sources: (asked.append(sources), remove(sources))[1])
    write_files(docs, {"a/gaz.txt": GAZ, "a/b/vin.txt": "Un vin commun.", "ab.txt": "Le commun reste."})
    with watching(corpus) as watched:
        (docs / "a").rename(tmp_path / "ailleurs")
        until(watched.counts)
        assert watched.counts() == [(0, 0, 2)]
    assert asked == [[str(docs / "a")]]
    assert sorted(texts(corpus)) == ["docs/ab.txt", "docs/char.txt", "docs/otan.txt"]


def test_the_index_and_hidden_files_below_the_folder_trigger_nothing(
    docs: Path, embedder: HashingEmbedder, caplog: pytest.LogCaptureFixture
) -> None:
    corpus = CorpusIndex.build(["docs"], "docs/index", embedder=embedder)
    with watching(corpus) as watched:
        write_files(docs, {".git/config": "Le commun caché.", "Thumbs.db": "Le commun du système.", "gaz.txt": GAZ})
        until(watched.counts)
        write_files(docs, {".vin.txt.swp": "Le commun de l'éditeur.", "vin.txt": "Un vin commun."})
        until(lambda: len(watched.counts()) == 2)
        assert watched.counts() == [(1, 0, 0), (1, 0, 0)]
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert sorted(texts(corpus)) == ["docs/char.txt", "docs/gaz.txt", "docs/otan.txt", "docs/vin.txt"]


def test_only_what_a_build_reads_below_a_folder_is_followed(docs: Path) -> None:
    roots = Roots(["docs", "docs/.notes"], index=docs / "index")
    for root in roots:
        root.folder = (0, 0)
    paths = [
        "a.txt",
        "d/a.txt",
        "index.txt",
        ".notes/a.txt",
        ".git/a",
        "d/.a.swp",
        "d/Thumbs.db",
        "index/catalog",
        "index",
    ]
    followed = [path for path in paths if roots.is_followed(str(docs / path))]
    assert followed == ["a.txt", "d/a.txt", "index.txt", ".notes/a.txt"]
    assert not roots.is_followed(str(docs.parent / "docs2/a.txt"))


def test_a_folder_that_vanishes_keeps_its_documents_until_it_is_back(
    corpus: CorpusIndex, docs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_files(tmp_path, {"plus/vin.txt": "Un vin commun."})
    with watching(corpus, "docs", "plus") as watched:
        docs.rename(tmp_path / "ailleurs")
        until(lambda: "docs is not there" in caplog.text)
        write_files(tmp_path, {"plus/gaz.txt": GAZ})  # the others are still followed
        until(watched.counts)
        assert watched.counts() == [(1, 0, 0)]
        assert sorted(texts(corpus)) == ["docs/char.txt", "docs/otan.txt", "plus/gaz.txt", "plus/vin.txt"]
        write_files(tmp_path, {"ailleurs/otan.txt": f"{OTAN} Neuf."})
        (tmp_path / "ailleurs/char.txt").unlink()
        (tmp_path / "ailleurs").rename(docs)
        until(lambda: len(watched.counts()) == 2)
        assert watched.counts()[1] == (0, 1, 1)
    assert texts(corpus)["docs/otan.txt"] == f"{OTAN} Neuf."


def test_an_empty_folder_in_the_place_of_the_former_one_is_a_drive_that_is_not_there(
    corpus: CorpusIndex, docs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with watching(corpus) as watched:
        docs.rename(tmp_path / "drive")
        docs.mkdir()
        until(lambda: "docs is not there" in caplog.text)
        assert sorted(texts(corpus)) == ["docs/char.txt", "docs/otan.txt"]
        docs.rmdir()
        write_files(tmp_path, {"drive/gaz.txt": GAZ})
        (tmp_path / "drive").rename(docs)
        until(watched.counts)
        assert watched.counts() == [(1, 0, 0)]
    assert sorted(texts(corpus)) == ["docs/char.txt", "docs/gaz.txt", "docs/otan.txt"]


@pytest.mark.parametrize("is_empty", [False, True])
def test_a_folder_that_is_not_there_at_the_start_is_picked_up(
    corpus: CorpusIndex, docs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, is_empty: bool
) -> None:
    write_files(tmp_path, {"plus/vin.txt": "Un vin commun."})
    docs.rename(tmp_path / "drive")
    if is_empty:
        docs.mkdir()
    with watching(corpus, "docs", "plus") as watched:
        assert counts(watched.reports[0]) == (1, 0, 0)
        assert "docs is not there" in caplog.text
        assert sorted(texts(corpus)) == ["docs/char.txt", "docs/otan.txt", "plus/vin.txt"]
        (tmp_path / "drive/char.txt").unlink()
        if is_empty:
            docs.rmdir()
        (tmp_path / "drive").rename(docs)
        until(watched.counts)
        assert watched.counts() == [(0, 0, 1)]
    assert sorted(texts(corpus)) == ["docs/otan.txt", "plus/vin.txt"]


def test_a_single_file_is_replaced_deleted_and_made_again(corpus: CorpusIndex, docs: Path, tmp_path: Path) -> None:
    write_files(tmp_path, {"seul.txt": "Le commun seul.", "autre.txt": "Le commun d'un autre."})
    with watching(corpus, "seul.txt") as watched:
        (tmp_path / "autre.txt").replace(tmp_path / "seul.txt")
        until(lambda: texts(corpus).get("seul.txt") == "Le commun d'un autre.")
        (tmp_path / "seul.txt").unlink()
        until(lambda: "seul.txt" not in texts(corpus))
        write_files(tmp_path, {"seul.txt": "Le commun revenu."})
        until(lambda: len(watched.counts()) == 3)
        assert texts(corpus)["seul.txt"] == "Le commun revenu."
        assert watched.counts() == [(0, 1, 0), (0, 0, 1), (1, 0, 0)]


def test_a_single_file_that_is_not_there_at_the_start_is_picked_up(corpus: CorpusIndex, tmp_path: Path) -> None:
    write_files(tmp_path, {"seul.txt": "Le commun seul."})
    corpus.add(["seul.txt"])
    (tmp_path / "seul.txt").unlink()
    with watching(corpus, "seul.txt") as watched:
        assert counts(watched.reports[0]) == (0, 0, 1)
        write_files(tmp_path, {"seul.txt": "Le commun revenu."})
        until(watched.counts)
        assert watched.counts() == [(1, 0, 0)]
    assert texts(corpus)["seul.txt"] == "Le commun revenu."


def test_a_folder_becomes_a_file(corpus: CorpusIndex, docs: Path, tmp_path: Path) -> None:
    write_files(docs, {"a/gaz.txt": GAZ, "a/b/vin.txt": "Un vin commun."})
    with watching(corpus) as watched:
        (docs / "a").rename(tmp_path / "ailleurs")
        write_files(docs, {"a": "Le commun en un fichier."})
        until(watched.counts)
        assert watched.counts() == [(1, 0, 2)]
    assert sorted(texts(corpus)) == ["docs/a", "docs/char.txt", "docs/otan.txt"]


def test_what_cannot_be_read_is_told_once(corpus: CorpusIndex, docs: Path) -> None:
    with watching(corpus) as watched:
        (docs / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
        until(lambda: len(watched.reports) == 2)
        assert [problem.source for problem in watched.reports[1].problems] == ["docs/image.png"]
        write_files(docs, {"gaz.txt": GAZ})
        until(lambda: len(watched.reports) == 3)
        assert counts(watched.reports[2]) == (1, 0, 0)
        (docs / "image.png").unlink()
        write_files(docs, {"vin.txt": "Un vin commun."})
        until(lambda: len(watched.reports) == 4)
    assert corpus.status().problems == ()


def test_a_link_to_a_file_that_is_indexed_is_no_second_document(corpus: CorpusIndex, docs: Path) -> None:
    with watching(corpus) as watched:
        (docs / "lien.txt").symlink_to("otan.txt")
        write_files(docs, {"a/gaz.txt": GAZ})
        (docs / "a/lien.txt").symlink_to("../char.txt")
        until(watched.counts)
        write_files(docs, {"otan.txt": f"{OTAN} Neuf."})
        until(lambda: len(watched.counts()) == 2)
        assert watched.counts() == [(1, 0, 0), (0, 1, 0)]
    assert sorted(texts(corpus)) == ["docs/a/gaz.txt", "docs/char.txt", "docs/otan.txt"]


def test_a_locked_index_is_tried_again(
    corpus: CorpusIndex, docs: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    free, n_tries = threading.Event(), []
    add, refresh = corpus.add, corpus.refresh

    def guarded(call: Callable[..., UpdateReport]) -> Callable[..., UpdateReport]:
        def run(*arguments: Any) -> UpdateReport:
            n_tries.append(call)
            if not free.is_set():
                raise IndexLockedError("the index is being written by process 1", holder="process 1")
            return call(*arguments)

        return run

    monkeypatch.setattr(corpus, "add", guarded(add))
    monkeypatch.setattr(corpus, "refresh", guarded(refresh))
    threading.Thread(target=lambda: (until(lambda: len(n_tries) > 2), free.set())).start()
    with watching(corpus) as watched:
        assert len(n_tries) > 2
        n_tries.clear()
        free.clear()
        write_files(docs, {"gaz.txt": GAZ})
        until(lambda: len(n_tries) > 2)
        assert watched.counts() == []
        free.set()
        until(watched.counts)
        assert watched.counts() == [(1, 0, 0)]
    assert [record.levelno for record in caplog.records if "process 1" in record.message] == [logging.WARNING] * 2


def test_interrupting_ends_it_cleanly(corpus: CorpusIndex, tmp_path: Path) -> None:
    code = (
        "from index import CorpusIndex\nfrom index.watch import watch\nfrom tests.conftest import HashingEmbedder\n"
        "corpus = CorpusIndex.open('index', embedder=HashingEmbedder())\n"
        "watch(corpus, ['docs'], on_report=lambda report: print(report.n_unchanged, flush=True))\nprint('done')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "2\n"
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=DEADLINE_SECONDS)
    assert (rest, errors, process.returncode) == ("done\n", "", 0)


def test_what_does_not_exist_and_is_unknown_is_refused(corpus: CorpusIndex) -> None:
    with pytest.raises(InputError, match="nulle-part: no such file"):
        watch(corpus, ["nulle-part"], on_report=lambda _: None)
    with pytest.raises(InputError, match="quiet_seconds 0"):
        watch(corpus, ["docs"], on_report=lambda _: None, quiet_seconds=0)


# -- without notifications, or with too many -------------------------------------------------------------------------


def silent(*paths: str, stop_event: threading.Event, **_: Any) -> Iterator[set[tuple[Any, str]]]:
    """Notifications that never come."""
    while not stop_event.wait(0.05):
        yield set()


def exhausted(*paths: str, **_: Any) -> Iterator[set[tuple[Any, str]]]:
    raise OSError("OS file watch limit reached.")


def broken_once(real: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    calls: list[int] = []

    def notifications(*paths: str, **options: Any) -> Iterator[Any]:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("Unable to decode path to string")
        return real(*paths, **options)

    return notifications


@pytest.mark.parametrize(
    ("notifications", "options"),
    [
        (silent, {"rescan_seconds": 0.3}),
        (exhausted, {"force_polling": True}),
        (exhausted, {}),
        (broken_once(watchfiles.watch), {}),
    ],
    ids=["lost", "polling", "exhausted", "broken off"],
)
def test_changes_are_found_without_notifications(
    corpus: CorpusIndex,
    docs: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    notifications: Any,
    options: dict[str, Any],
) -> None:
    monkeypatch.setattr(watchfiles, "watch", notifications)
    with watching(corpus, **options) as watched:
        write_files(docs, {"sous/gaz.txt": GAZ, "otan.txt": f"{OTAN} Neuf."})
        (docs / "char.txt").unlink()
        until(watched.counts)
        assert watched.counts() == [(1, 1, 1)]
    assert texts(corpus) == {"docs/sous/gaz.txt": GAZ, "docs/otan.txt": f"{OTAN} Neuf."}
    n_warnings = int(notifications is not silent and not options)
    assert [record.levelno for record in caplog.records].count(logging.WARNING) == n_warnings


def test_what_changes_before_the_notifications_begin_is_found(
    corpus: CorpusIndex, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*paths: str, **options: Any) -> Iterator[set[tuple[Any, str]]]:
        write_files(docs, {"gaz.txt": GAZ})
        yield from silent(*paths, **options)

    monkeypatch.setattr(watchfiles, "watch", late)
    with watching(corpus) as watched:
        until(watched.counts)
        assert watched.counts() == [(1, 0, 0)]


def test_a_burst_that_may_have_overflowed_has_everything_looked_at(
    corpus: CorpusIndex, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overflowing(*paths: str, stop_event: threading.Event, **_: Any) -> Iterator[set[tuple[Any, str]]]:
        yield set()  # after it, everything is looked at for the first time
        write_files(docs, {"gaz.txt": GAZ})
        while not stop_event.wait(0.05):  # what changed is not among what is told
            yield {(1, str(docs / f"{n}.tmp")) for n in range(6)}

    monkeypatch.setattr(watchfiles, "watch", overflowing)
    monkeypatch.setattr(following_module, "_MANY", 5)
    with watching(corpus) as watched:
        until(watched.counts)
        assert watched.counts() == [(1, 0, 0)]


# -- when a path is taken: hand arithmetic on a clock that the test sets ----------------------------------------------


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(following_module, "time", clock)
    return clock


def begun(corpus: CorpusIndex, quiet_seconds: float = 1.0) -> tuple[Following, list[tuple[int, int, int]]]:
    """Return a following that has started, and the list that its reports will be counted in."""
    told: list[tuple[int, int, int]] = []
    following = Following(
        corpus, ["docs"], on_report=lambda report: told.append(counts(report)), quiet_seconds=quiet_seconds
    )
    assert following.start()
    told.clear()
    return following, told


def test_a_file_is_taken_when_it_has_been_quiet(corpus: CorpusIndex, docs: Path, clock: Clock) -> None:
    following, told = begun(corpus)
    path = docs / "gaz.txt"
    for n in range(5):  # written on every 0.9 s
        path.write_text(GAZ * (n + 1))
        following.note({str(path)} if n == 0 else set())  # nothing is told of the later writes
        following.take()
        clock.now += 0.9
        following.take()
    assert told == []
    clock.now += 0.2
    following.take()
    assert told == [(1, 0, 0)]
    assert texts(corpus)["docs/gaz.txt"] == GAZ * 5


def test_a_file_without_end_does_not_hold_up_the_others(corpus: CorpusIndex, docs: Path, clock: Clock) -> None:
    following, told = begun(corpus)
    write_files(docs, {"gaz.txt": GAZ})
    following.note({str(docs / "gaz.txt")})
    journal = docs / "journal.txt"
    taken_at = []
    for n in range(24):  # a line every half second
        journal.write_text("Une ligne.\n" * (n + 1))
        following.note({str(journal)})
        following.take()
        taken_at += [n / 2] if told and not taken_at else []
        clock.now += 0.5
    assert (told, taken_at) == ([(1, 0, 0)], [10.0])


def test_a_folder_that_vanishes_between_two_looks_keeps_its_documents(
    corpus: CorpusIndex, docs: Path, tmp_path: Path, clock: Clock
) -> None:
    following, told = begun(corpus)
    (docs / "otan.txt").unlink()
    following.note({str(docs / "otan.txt")})
    docs.rename(tmp_path / "ailleurs")
    clock.now += 2.0
    following.take()
    clock.now += 2.0
    following.take()
    assert told == []
    assert sorted(texts(corpus)) == ["docs/char.txt", "docs/otan.txt"]


# -- the property: what is followed is what a build would give --------------------------------------------------------

NAMES = ["a.txt", "b.txt", "d/a.txt", "d/b.txt", "d/e/a.txt"]
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(NAMES), st.integers(1, 3)),
        st.tuples(st.just("delete"), st.sampled_from([*NAMES, "d", "d/e"]), st.just(0)),
        st.tuples(st.just("rename"), st.sampled_from([*NAMES, "d", "d/e"]), st.integers(0, 5)),
    ),
    max_size=6,
)


def act(folder: Path, action: str, name: str, n: int) -> set[str]:
    """Do one thing to a folder; return the paths that the system would tell of."""
    path = folder / name
    if action == "write":
        if any(parent.is_file() for parent in path.parents) or path.is_dir():
            return set()
        new = next((parent for parent in reversed(path.parents) if not parent.exists()), path)
        write_files(folder, {name: f"Le commun {n} de {name}."})
        return {str(new)}
    target = folder / f"../trash-{time.monotonic_ns()}" if action == "delete" else folder / f"r{n}-{path.name}"
    if not path.exists() or target.exists():
        return set()
    path.rename(target)
    return {str(path)} if action == "delete" else {str(path), str(target)}


@settings(max_examples=15, deadline=None)
@given(st.lists(ACTIONS, min_size=1, max_size=3))
def test_what_is_followed_is_what_a_build_would_give(bursts: list[list[tuple[str, str, int]]]) -> None:
    with TemporaryDirectory() as given:
        folder = write_files(Path(given) / "docs", {"a.txt": "Le commun.", "reste.txt": "Le commun reste."})
        corpus = CorpusIndex.build([folder], Path(given) / "index", embedder=HashingEmbedder())
        following = Following(corpus, [folder], on_report=lambda _: None, quiet_seconds=1e-9)
        assert following.start()
        for burst in bursts:
            for action in burst:
                following.note(act(folder, *action))
            following.take()
        fresh = CorpusIndex.build([folder], Path(given) / "fresh", embedder=HashingEmbedder())
        assert texts(corpus) == texts(fresh)
        assert corpus.verify() == []
        followed, built = corpus.status(), fresh.status()
        assert (followed.n_files, followed.n_documents) == (built.n_files, built.n_documents)
