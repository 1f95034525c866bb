"""The only door to ray: files read, split, embedded and stored on many machines at once.

A Ray Data pipeline of three stages, whose tasks run wherever there is room: *read* compares the documents of a file
with what the store holds, *embed* splits and embeds those that are new or changed, *put* writes them. Every stage may
be run again: a document is one row of the store under its source, so a task that died and is repeated changes nothing,
and a run that was cut short goes on where it was.
"""

from __future__ import annotations

import logging
import os
import socket
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.analyze import Analyzer
from index.catalog import document_hash, text_hash
from index.embed import Embedder, open_embedder
from index.errors import LoadError, ModelError, StoreError
from index.lance import About, SharedDocument, SharedStore, document_schema, from_row, mean_vector, to_row
from index.load import LoadNotes, SourceFile, hash_file, stream_documents
from index.plan import Progress, ProgressCallback
from index.prepare import prepare
from index.roots import files_to_read
from index.shared import DEFAULT_OWNER, check_makers, terms_of
from index.types import Document

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["IngestReport", "ingest"]

_READ_AT_ONCE, _EMBED_AT_ONCE, _PUT_AT_ONCE = 128, 256, 1_000
"""Documents that travel from one stage to the next together."""

_READ_CPUS = 0.5
"""Less than the stage after it asks for: Ray would make one task of both, and a large file would be embedded by one."""

_BLOCK_BYTES, _MOST_BLOCKS = 2**22, 1_000
"""Bytes of documents that a task hands on, so that others begin before a large file has been read."""

_PUT_CPUS = 0.25
"""Part of a core that a task which waits for the store asks for: with a whole one, tasks repeated after the death of a
machine may find no room while others wait for them."""

_WRITERS = 4
"""Tasks that put at once: more would wait for each other's versions."""

_AWAY_S, _PAUSE_S = 90.0, 2.0
"""How long a store may be away before the run is given up, and between two attempts."""

_CONNECT_S = 5.0
_NEW, _SAME, _PROBLEM, _WARNING, _KEPT, _PUT = "new", "same", "problem", "warning", "kept", "put"
_MEND = "pip install -r requirements-scale.txt"


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What a run changed in the store; documents are counted by source.

    Attributes:
        n_put: new or changed.
        n_removed: those that no file has any more.
        n_unchanged: those that the store held as they are.
        problems: what could not be read, and why; everything else was stored.
        warnings: what was read with a doubt.
    """

    n_put: int
    n_removed: int
    n_unchanged: int
    problems: tuple[LoadError, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Job:
    """What every task needs to know."""

    address: str
    owner: str
    about: About
    environment: Mapping[str, str]


@dataclass(slots=True)
class _Tally:
    n_put: int = 0
    seen: set[str] = field(default_factory=set)
    kept_files: list[str] = field(default_factory=list)
    n_same: int = 0
    problems: list[LoadError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def ingest(
    paths: Sequence[str | Path],
    address: str,
    *,
    cluster: str = "local",
    owner: str = DEFAULT_OWNER,
    embedder: Embedder | None = None,
    complete: bool = True,
    progress: ProgressCallback | None = None,
) -> IngestReport:
    """Read files into a shared store, on the machines of a Ray cluster.

    Args:
        paths: files and folders, which every machine must see under the same path.
        address: of the store, made if missing.
        cluster: ``local`` for the cores of this machine, or the address of a cluster: ``auto``, ``HOST:PORT``,
            ``ray://HOST:PORT``. The machines need the requirements; this package and its models travel with the job.
        owner: name of the writer; what others pushed is left alone.
        embedder: the model, opened on each machine by its name; None takes the bundled one, or that of the store.
        complete: whether documents of the same owner that are in no file are removed.
        progress: called with the number of documents stored so far.

    Raises:
        InputError: if a path does not exist, or there is nothing to read.
        ModelError: if ray is not installed, or the model cannot be opened on a machine.
        IndexMismatchError: if the store was made by another embedding model or analyzer.
        StoreError: if the store cannot be reached for a minute and a half, or the cluster not at all.
    """
    files, problems = files_to_read(paths, index=Path(os.devnull))
    tally = _Tally(problems=list(problems))
    with _connected(cluster) as ray:
        store, about = _store_for(address, embedder)
        held = store.snapshot().documents
        job = _Job(
            address, owner, about, {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        )
        for state, source, reason in _run(ray, files, job, held):
            _count(tally, state, source, reason)
            if state == _PUT and progress is not None:
                progress(Progress("indexation", tally.n_put, None))
    gone = _gone(held, tally, owner) if complete else []
    store.remove(gone)
    store.index_terms()
    return IngestReport(tally.n_put, len(gone), tally.n_same, tuple(tally.problems), tuple(tally.warnings))


def _store_for(address: str, embedder: Embedder | None) -> tuple[SharedStore, About]:
    model = embedder or open_embedder(None)
    analyzer = Analyzer()
    about = About.of(model, analyzer)
    store = SharedStore.create(address, about)
    if embedder is None and store.about.embedder != model.name:
        about = About.of(open_embedder(store.about.embedder), analyzer)
    check_makers(store, about)
    return store, about


def _run(
    ray: Any, files: Sequence[SourceFile], job: _Job, held: Mapping[str, tuple[bytes, str]]
) -> Iterator[tuple[str, str, str]]:
    """Run the pipeline; yield what became of each document, as state, source and reason."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.target_max_block_size = _BLOCK_BYTES
    known = ray.put(dict(held))
    rows = [{"path": str(file.path), "source": file.source} for file in files]
    results = (
        ray.data.from_items(rows, override_num_blocks=min(len(files), _MOST_BLOCKS))
        .map_batches(_read, batch_size=1, fn_args=(job, known), num_cpus=_READ_CPUS)
        .map_batches(_embed, batch_size=_EMBED_AT_ONCE, batch_format="pyarrow", fn_args=(job,), num_cpus=1)
        .map_batches(
            _put,
            batch_size=_PUT_AT_ONCE,
            batch_format="pyarrow",
            fn_args=(job,),
            num_cpus=_PUT_CPUS,
            compute=ray.data.TaskPoolStrategy(size=_WRITERS),
        )
    )
    try:
        for batch in results.iter_batches(batch_size=None, batch_format="pyarrow"):
            yield from zip(*(batch[name].to_pylist() for name in ("state", "source", "reason")), strict=True)
    except (ray.exceptions.RayError, ConnectionError) as error:
        raise _stated(error, ray) from error


@contextmanager
def _connected(cluster: str) -> Iterator[Any]:
    """Give ray, connected to a cluster, or started on this machine for the length of the run.

    Raises:
        ModelError: if ray is not installed.
        StoreError: if the cluster cannot be reached.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray  # noqa: PLC0415 - lazy: nobody else pays for it
        import ray.data  # noqa: PLC0415 - likewise
    except ImportError as error:
        raise ModelError(f"--ray wants ray, which is not installed: {_MEND}") from error
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)  # what is to be said of a run is said by its report
    _check_reachable(cluster)
    options: dict[str, Any] = {"include_dashboard": False} if cluster == "local" else {}
    package = Path(__file__).resolve().parent
    try:
        with warnings.catch_warnings():
            # Ray starts its processes by a fork and an exec at once, which leaves lancedb's threads alone.
            warnings.filterwarnings("ignore", message="lancedb fork support")
            ray.init(
                address=cluster,
                log_to_driver=False,
                logging_level=logging.ERROR,
                runtime_env={"py_modules": [str(package)]},
                **options,
            )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise _no_cluster(cluster, error) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_reachable(cluster: str) -> None:
    """Refuse an address where nobody listens: ray would try for ever."""
    host, _, port = cluster.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()
    except OSError as error:
        raise _no_cluster(cluster, error) from error


def _no_cluster(cluster: str, error: Exception) -> StoreError:
    return StoreError(f"no Ray cluster at {cluster} ({error}): start one with `ray start --head`, or use --ray local")


def _stated(error: Exception, ray: Any) -> Exception:
    """Return the error that a task raised on purpose, or one that says that the run failed."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ray.exceptions.RayTaskError) and isinstance(cause.cause, (StoreError, ModelError)):
            return type(cause.cause)(*cause.cause.args)
        if isinstance(cause, (StoreError, ModelError)):
            return cause
        cause = cause.__cause__
    reason = " ".join(str(error).split())[-300:]
    return StoreError(f"the run was given up ({reason}): what was stored stays; the same command goes on from there")


# -- tasks: each may run on any machine, and again -------------------------------------------------------------------


def _read(batch: Mapping[str, Any], job: _Job, known: Any) -> Iterator[pa.Table]:
    """Read one file; yield its documents that are new or changed, and what is to be said of the others."""
    import ray  # noqa: PLC0415 - lazy: as above

    held = _held(known) if isinstance(known, ray.ObjectRef) else known
    file = SourceFile(Path(str(batch["path"][0])), str(batch["source"][0]))
    rows: list[dict[str, Any]] = []
    try:
        hash_file(file.path)
    except LoadError as error:  # for now: what is stored of it stays
        yield _table([_told(job, _PROBLEM, file.source, error.reason), _told(job, _KEPT, file.source)], job)
        return
    notes = LoadNotes()
    for document in stream_documents(file, notes):
        rows.append(_compared(document, job, held))
        if len(rows) >= _READ_AT_ONCE:
            yield _table(rows, job)
            rows = []
    rows += [_told(job, _PROBLEM, problem.source, problem.reason) for problem in notes.problems]
    rows += [_told(job, _WARNING, file.source, warning) for warning in notes.warnings]
    yield _table(rows, job)


@lru_cache(maxsize=2)
def _held(reference: Any) -> Mapping[str, tuple[bytes, str]]:
    import ray  # noqa: PLC0415 - lazy: as above

    held: Mapping[str, tuple[bytes, str]] = ray.get(reference)
    return held


def _compared(document: Document, job: _Job, held: Mapping[str, tuple[bytes, str]]) -> dict[str, Any]:
    hash_ = document_hash(document)
    known, whose = held.get(document.source, (b"", job.owner))
    if whose != job.owner:
        return _told(job, _PROBLEM, document.source, f"is in the store by another writer ({whose}); remove it from one")
    if known == hash_:
        return _told(job, _SAME, document.source)
    return to_row(SharedDocument(document, hash_, job.owner), job.about.dimension) | {"state": _NEW, "reason": ""}


def _embed(table: pa.Table, job: _Job) -> pa.Table:
    """Split and embed the documents of a table, with models that are opened once a process."""
    rows = table.to_pylist()
    documents = [from_row(row, job.about.dimension) if row["state"] == _NEW else None for row in rows]
    analyzer, model = _models(job)
    prepared = [None if each is None else prepare(each.document, analyzer).passages for each in documents]
    texts = list(dict.fromkeys(passage.text for each in prepared if each for passage in each))
    vectors: Iterable[Any] = model.embed_passages(texts).astype(np.float16) if texts else []
    made = {text: vector.tobytes() for text, vector in zip(texts, vectors, strict=True)}
    for row, passages in zip(rows, prepared, strict=True):
        own = {text_hash(passage.text): made[passage.text] for passage in passages or ()}
        row["passages"], row["vectors"] = list(own), b"".join(own.values())
        row["mean"] = mean_vector(own.values(), job.about.dimension)
    for row, each in zip(rows, documents, strict=True):
        if each is not None:
            row["terms"] = terms_of(each.document, analyzer)
    return _table(rows, job)


def _models(job: _Job) -> tuple[Analyzer, Embedder]:
    """Return the models of a process.

    Raises:
        ModelError: if those of this machine are not those of the store.
    """
    analyzer, model = _opened(job.about.embedder)
    found = model.fingerprint, analyzer.version
    if found != (job.about.fingerprint, job.about.analyzer):
        raise ModelError(
            f"a machine of the cluster has {found}, expected {(job.about.fingerprint, job.about.analyzer)}: install "
            "the same release and model on all"
        )
    return analyzer, model


@lru_cache(maxsize=1)
def _opened(embedder: str) -> tuple[Analyzer, Embedder]:
    return Analyzer(), open_embedder(embedder)


def _put(table: pa.Table, job: _Job) -> pa.Table:
    """Store the documents of a table, in one version; say so of each, and pass on what is told of the others."""
    import pyarrow as pa  # noqa: PLC0415 - lazy: comes with lancedb

    told = [row for row in table.select(["state", "source", "reason"]).to_pylist() if row["state"] != _NEW]
    new = table.filter(pa.compute.equal(table["state"], _NEW)).drop_columns(["state", "reason"])
    if new.num_rows:
        _put_once_it_is_there(new.cast(document_schema(job.about.dimension)), job)
    told += [{"state": _PUT, "source": source, "reason": ""} for source in new["source"].to_pylist()]
    return pa.Table.from_pylist(told, schema=pa.schema([(name, pa.string()) for name in ("state", "source", "reason")]))


def _put_once_it_is_there(rows: pa.Table, job: _Job) -> None:
    """Store rows, and try again while the store is away; to store them twice changes nothing.

    Raises:
        StoreError: if it is away for `_AWAY_S`.
    """
    os.environ.update(job.environment)
    end = time.monotonic() + _AWAY_S
    while True:
        try:
            SharedStore.open(job.address).put_rows(rows)
        except StoreError:
            if time.monotonic() > end:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def _told(job: _Job, state: str, source: str, reason: str = "") -> dict[str, Any]:
    """Return a row that holds no document."""
    return to_row(SharedDocument(Document("", source, ""), b"", ""), job.about.dimension) | {
        "state": state,
        "reason": reason,
    }


def _table(rows: Sequence[Mapping[str, Any]], job: _Job) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - lazy: comes with lancedb

    schema = document_schema(job.about.dimension)
    for name in ("state", "reason"):
        schema = schema.append(pa.field(name, pa.string(), nullable=False))
    return pa.Table.from_pylist(list(rows), schema=schema)


# -- what became of it -----------------------------------------------------------------------------------------------


def _count(tally: _Tally, state: str, source: str, reason: str) -> None:
    match state:
        case "put":
            tally.n_put += 1
            tally.seen.add(source)
        case "same":
            tally.n_same += 1
            tally.seen.add(source)
        case "problem":
            tally.problems.append(LoadError(source, reason))
        case "warning":
            tally.warnings.append(reason)
        case "kept":
            tally.kept_files.append(source)


def _gone(held: Mapping[str, tuple[bytes, str]], tally: _Tally, owner: str) -> list[str]:
    """Return the sources of a writer that no file has any more; those of files that could not be opened stay."""
    kept = tuple(f"{file}#" for file in tally.kept_files)
    return [
        source
        for source, (_, whose) in held.items()
        if whose == owner
        and source not in tally.seen
        and source not in tally.kept_files
        and not source.startswith(kept or "\0")
    ]
