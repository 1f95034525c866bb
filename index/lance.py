"""The only door to lancedb: the documents of a corpus in a table on a shared store, a folder or an S3 API.

One row a source, with the document, the embeddings of its passages and the hash of the text of each. LanceDB commits
every change as a new version of the table, and lets many processes read and write it at once.
"""

from __future__ import annotations

import datetime
import json
import os
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.analyze import Analyzer
from index.embed import Embedder
from index.errors import IndexMismatchError, IndexMissingError, ModelError, StoreError
from index.filters import Filter
from index.segments import day_range
from index.types import Document

__all__ = [
    "SHARED_FORMAT",
    "About",
    "Contents",
    "SharedDocument",
    "SharedStore",
    "Snapshot",
    "document_schema",
    "from_row",
    "mean_vector",
    "to_row",
]

SHARED_FORMAT = 2
"""Raised whenever the columns or their meaning change."""

_DOCUMENTS, _ABOUT = "documents", "about"
_TERMS, _MEAN = "terms", "mean"
_READ_AT_ONCE = 200
_PROBES, _REFINED = 32, 10
"""Parts of an index of embeddings that a search looks at, and how many times as many as asked it compares exactly."""

INDEXED_FROM = 65_536
"""Documents up to which every mean embedding is compared: 32 MiB."""

_ATTEMPTS, _FIRST_PAUSE_S = 6, 0.2
_MEND = "pip install -r requirements-scale.txt"


@dataclass(frozen=True, slots=True)
class About:
    """What the embeddings of a store were made by.

    Attributes:
        embedder: name of the embedding model.
        fingerprint: its fingerprint.
        dimension: length of an embedding.
        analyzer: version of the analyzer and splitter that cut the passages.
        format: version of the columns.
    """

    embedder: str
    fingerprint: str
    dimension: int
    analyzer: str
    format: int = SHARED_FORMAT

    @classmethod
    def of(cls, model: Embedder, analyzer: Analyzer) -> About:
        """Return what a store is made by with a model and an analyzer."""
        return cls(model.name, model.fingerprint, model.dimension, analyzer.version)


@dataclass(frozen=True, slots=True)
class SharedDocument:
    """A document as the store holds it.

    Attributes:
        document: with its source.
        hash: of its content.
        owner: which writer's it is.
        vectors: embedding of each passage, float16 as bytes, by the hash of the text that was embedded.
        terms: of its title and text, parted by spaces, by which the store finds it.
    """

    document: Document
    hash: bytes
    owner: str
    vectors: Mapping[bytes, bytes] = field(default_factory=dict)
    terms: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a store held at one version.

    Attributes:
        version: grows with every change.
        documents: hash of the content and owner of each source.
    """

    version: int
    documents: Mapping[str, tuple[bytes, str]]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a store held at one version, in numbers.

    Attributes:
        version: grows with every change.
        n_documents: by source.
        n_passages: of those, equal ones of a document once.
        first_date: first day that a document's date covers, ISO, or None.
        last_date: last such day, or None.
    """

    version: int
    n_documents: int
    n_passages: int
    first_date: str | None
    last_date: str | None


class SharedStore:
    """A store that is there. Safe to use from several threads and processes.

    Args:
        address: a folder, or ``s3://bucket/prefix``; an S3 API other than Amazon's is named by AWS_ENDPOINT_URL.
        database: what lancedb connected.
        about: what it was made by.
    """

    def __init__(self, address: str, database: Any, about: About) -> None:
        self.address = address
        self.about = about
        self._database = database

    @classmethod
    def open(cls, address: str) -> SharedStore:
        """Open a store.

        Raises:
            ModelError: if lancedb is not installed.
            IndexMissingError: if there is none at that address.
            IndexMismatchError: if it has another format.
            StoreError: if it cannot be reached.
        """
        database = _connect(address)
        with _reached(address):
            if _ABOUT not in database.table_names(limit=100):
                raise IndexMissingError(
                    f"there is no store at {address}: `python -m index push {address} --index DIR` makes one"
                )
            record = json.loads(database.open_table(_ABOUT).to_arrow()["record"][0].as_py())
        if record.get("format") != SHARED_FORMAT:
            raise IndexMismatchError(
                f"the store at {address} has format {record.get('format')}, this program has {SHARED_FORMAT}: push an "
                "index to another address",
                found=str(record.get("format")),
                expected=str(SHARED_FORMAT),
            )
        return cls(address, database, About(**record))

    @classmethod
    def create(cls, address: str, about: About) -> SharedStore:
        """Make an empty store, or open the one that is there.

        Raises:
            ModelError: if lancedb is not installed.
            StoreError: if it cannot be reached or written.
        """
        import pyarrow as pa  # noqa: PLC0415 - lazy: comes with lancedb

        database = _connect(address)
        with _reached(address):
            # The table of documents first: a store that has been begun only is none yet.
            database.create_table(_DOCUMENTS, schema=document_schema(about.dimension), exist_ok=True)
            record = pa.table({"record": [json.dumps(asdict(about), sort_keys=True)]})
            if _ABOUT not in database.table_names(limit=100):
                database.create_table(_ABOUT, data=record, exist_ok=True)
        return cls.open(address)

    def version(self) -> int:
        """Return the version in force, which every change raises."""
        with _reached(self.address):
            return int(self._table().version)

    def snapshot(self) -> Snapshot:
        """Return what the store holds now: some hundred bytes a document are read."""
        with _reached(self.address):
            table = self._table()
            version = int(table.version)
            table.checkout(version)
            rows = table.search().select(["source", "hash", "owner"]).limit(None).to_arrow()
        columns = (rows[name].to_pylist() for name in ("source", "hash", "owner"))
        return Snapshot(version, {source: (hash_, owner) for source, hash_, owner in zip(*columns, strict=True)})

    def newest(self, n: int) -> list[str]:
        """Return the sources of the documents of the latest dates, at most ``n``.

        Raises:
            StoreError: if the store cannot be reached.
        """
        with _reached(self.address):
            rows = self._table().search().select(["source", "last_day"]).limit(None).to_arrow()
        return list(rows.sort_by([("last_day", "descending"), ("source", "ascending")])["source"].to_pylist()[:n])

    def tell(self) -> Contents:
        """Return what the store holds now, in numbers: twelve bytes a document are read.

        Raises:
            StoreError: if the store cannot be reached.
        """
        import pyarrow.compute as pc  # noqa: PLC0415 - lazy: comes with lancedb

        with _reached(self.address):
            table = self._table()
            version = int(table.version)
            table.checkout(version)
            rows = table.search().select(["n_passages", "first_day", "last_day"]).limit(None).to_arrow()
        first, last = pc.min(rows["first_day"]).as_py(), pc.max(rows["last_day"]).as_py()
        days = [None if day is None else datetime.date.fromordinal(day).isoformat() for day in (first, last)]
        return Contents(version, rows.num_rows, pc.sum(rows["n_passages"]).as_py() or 0, *days)

    def read(self, sources: Sequence[str], *, version: int) -> Iterator[SharedDocument]:
        """Yield documents as they were at a version; a source that was not there is left out.

        Raises:
            StoreError: if the version has been cleaned up, or the store cannot be reached.
        """
        with _reached(self.address):
            table = self._table()
            table.checkout(version)
            for first in range(0, len(sources), _READ_AT_ONCE):
                wanted = f"source IN ({', '.join(map(_quoted, sources[first : first + _READ_AT_ONCE]))})"
                rows = table.search().where(wanted).limit(None).to_arrow()
                yield from (from_row(row, self.about.dimension) for row in rows.to_pylist())

    def put(self, documents: Sequence[SharedDocument]) -> None:
        """Add documents, or replace those of the same sources, in one version.

        Raises:
            StoreError: if it cannot be written.
        """
        import pyarrow as pa  # noqa: PLC0415 - lazy: comes with lancedb

        dimension = self.about.dimension
        rows = [to_row(each, dimension) for each in documents]
        self.put_rows(pa.Table.from_pylist(rows, schema=document_schema(dimension)))

    def put_rows(self, rows: Any) -> None:
        """Do as `put` with a `pyarrow.Table` of `document_schema`, no two rows of the same source."""
        with _reached(self.address):
            _again(
                lambda: (
                    self._table()
                    .merge_insert("source")
                    .when_matched_update_all()
                    .when_not_matched_insert_all()
                    .execute(rows)
                )
            )

    def remove(self, sources: Sequence[str]) -> None:
        """Remove sources; their text is in the files of former versions until `optimize`.

        Raises:
            StoreError: if it cannot be written.
        """
        with _reached(self.address):
            for first in range(0, len(sources), _READ_AT_ONCE):
                gone = f"source IN ({', '.join(map(_quoted, sources[first : first + _READ_AT_ONCE]))})"
                _again(lambda gone=gone: self._table().delete(gone))

    def find(
        self, terms: Sequence[str], vector: NDArray[np.float32], *, k: int, only: Filter, version: int
    ) -> list[str]:
        """Return the sources of documents that may answer: by their terms, and by the mean of their embeddings.

        Args:
            terms: of the question.
            vector: its embedding, shape ``(dimension,)``.
            k: most documents of each kind, at least 1.
            only: which may be found; its metadata fields are left to the caller.
            version: which is asked.

        Raises:
            StoreError: if the store cannot be reached.
        """
        condition = _condition(only)
        found: dict[str, None] = {}
        with _reached(self.address):
            table = self._table()
            table.checkout(version)
            searches = []
            if terms and _is_indexed(table, _TERMS):
                searches.append(table.search(" ".join(terms), query_type="fts").select(["source", "_score"]))
            if vector.any():
                near = table.search(vector, vector_column_name=_MEAN).distance_type("cosine")
                # Where there is an index: what its codes choose is compared exactly.
                searches.append(near.nprobes(_PROBES).refine_factor(_REFINED).select(["source", "_distance"]))
            for search in searches:
                rows = (search.where(condition, prefilter=True) if condition else search).limit(k).to_arrow()
                found |= dict.fromkeys(rows["source"].to_pylist())
        return list(found)

    def index_terms(self) -> None:
        """Make the index of terms that `find` needs, if there are documents and none was made.

        What is put later is found without; `optimize` takes it in.

        Raises:
            StoreError: if it cannot be written.
        """
        from lancedb.index import FTS  # noqa: PLC0415 - lazy: nobody else pays for it

        config = FTS(
            base_tokenizer="whitespace", stem=False, lower_case=False, remove_stop_words=False, ascii_folding=False,
            with_position=False,
        )  # fmt: skip
        with _reached(self.address):
            table = self._table()
            if table.count_rows() and not _is_indexed(table, _TERMS):
                _again(lambda: self._table().create_index(_TERMS, config=config))

    def optimize(self, *, keep: datetime.timedelta, indexed_from: int = INDEXED_FROM) -> None:
        """Join small files, bring the indexes up to date, and delete the versions older than ``keep``.

        What was removed before is gone for good then.

        Args:
            keep: at least as long as a process may take to read a version; zero where nobody reads.
            indexed_from: documents from which their mean embeddings get an index; fewer are all compared.

        Raises:
            StoreError: if it cannot be written.
        """
        from lancedb.index import IvfPq  # noqa: PLC0415 - lazy: nobody else pays for it

        self.index_terms()
        with _reached(self.address), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="optimize\\(cleanup_older_than=0\\)")  # asked for, and said above
            table = self._table()
            if table.count_rows() >= indexed_from and not _is_indexed(table, _MEAN):
                _again(lambda: self._table().create_index(_MEAN, config=IvfPq(distance_type="cosine")))
            _again(lambda: self._table().optimize(cleanup_older_than=keep, delete_unverified=not keep))

    def _table(self) -> Any:
        return self._database.open_table(_DOCUMENTS)


def _connect(address: str) -> Any:
    try:
        import lancedb  # noqa: PLC0415 - lazy: nobody else pays for it
    except ImportError as error:
        raise ModelError(f"a shared store wants lancedb, which is not installed: {_MEND}") from error
    options = {}
    if address.startswith("s3://"):
        endpoint = os.environ.get("AWS_ENDPOINT_URL")
        options = {"region": os.environ.get("AWS_REGION", os.environ.get("AWS_DEFAULT_REGION", "us-east-1"))}
        if endpoint:
            options |= {"endpoint": endpoint, "allow_http": str(endpoint.startswith("http://")).lower()}
    with _reached(address):
        return lancedb.connect(address, storage_options=options or None)


@contextmanager
def _reached(address: str) -> Iterator[None]:
    """State what lancedb raises: its errors are those of Python and of Rust, without a root of their own."""
    try:
        yield
    except (IndexMissingError, IndexMismatchError):
        raise
    except (OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise StoreError(
            f"the store at {address} cannot be used ({reason}): check the address, the rights and AWS_ENDPOINT_URL"
        ) from error


def _again(change: Any) -> None:
    """Make a change that another writer's may cross, some times."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            change()
            return
        except (OSError, RuntimeError, ValueError) as error:
            if attempt == _ATTEMPTS or "conflict" not in str(error).lower():
                raise
            time.sleep(_FIRST_PAUSE_S * 2 ** (attempt - 1))


def _is_indexed(table: Any, column: str) -> bool:
    return any(column in index.columns for index in table.list_indices())


def _condition(only: Filter) -> str:
    """Return a filter in SQL, without its metadata fields."""
    parts = []
    if only.since:
        parts.append(f"last_day >= {only.first_day}")
    if only.until:
        parts.append(f"first_day <= {only.last_day}")
    if only.sources:
        own = ", ".join(map(_quoted, only.sources))
        below = [f"starts_with(source, {_quoted(f'{name}{mark}')})" for name in only.sources for mark in "/#"]
        parts.append(f"(source IN ({own}) OR {' OR '.join(below)})")
    return " AND ".join(parts)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def document_schema(dimension: int) -> Any:
    """Return the columns of a store, a `pyarrow.Schema`.

    Args:
        dimension: length of an embedding.
    """
    import pyarrow as pa  # noqa: PLC0415 - lazy: comes with lancedb

    return pa.schema(
        [
            pa.field("source", pa.string(), nullable=False),
            pa.field("owner", pa.string(), nullable=False),
            pa.field("hash", pa.binary(), nullable=False),
            pa.field("id", pa.string(), nullable=False),
            pa.field("title", pa.string()),
            pa.field("date", pa.string()),
            pa.field("body_start", pa.int64(), nullable=False),
            pa.field("metadata", pa.string(), nullable=False),
            pa.field("pages", pa.list_(pa.int64()), nullable=False),
            pa.field("text", pa.large_string(), nullable=False),
            pa.field("passages", pa.list_(pa.binary()), nullable=False),
            pa.field("vectors", pa.large_binary(), nullable=False),
            pa.field(_TERMS, pa.large_string(), nullable=False),
            pa.field(_MEAN, pa.list_(pa.float16(), dimension), nullable=False),
            pa.field("n_passages", pa.int32(), nullable=False),
            pa.field("first_day", pa.int32()),
            pa.field("last_day", pa.int32()),
        ]
    )


def to_row(shared: SharedDocument, dimension: int) -> dict[str, Any]:
    """Return a document as a row of `document_schema`."""
    document = shared.document
    first_day, last_day = day_range(document) or (None, None)
    return {
        "source": document.source,
        "owner": shared.owner,
        "hash": shared.hash,
        "id": document.id,
        "title": document.title,
        "date": document.date,
        "body_start": document.body_start,
        "metadata": json.dumps(dict(document.metadata), ensure_ascii=False, sort_keys=True),
        "pages": list(document.pages),
        "text": document.text,
        "passages": list(shared.vectors),
        "vectors": b"".join(shared.vectors.values()),
        _TERMS: shared.terms,
        _MEAN: mean_vector(shared.vectors.values(), dimension),
        "n_passages": len(shared.vectors),
        "first_day": first_day,
        "last_day": last_day,
    }


def mean_vector(vectors: Iterable[bytes], dimension: int) -> Sequence[np.float16]:
    """Return the mean of embeddings, of unit length; zeros where there are none."""
    rows = np.frombuffer(b"".join(vectors), dtype=np.float16).reshape(-1, dimension).astype(np.float32)
    mean = rows.sum(axis=0)
    norm = float(np.linalg.norm(mean))
    return list((mean / norm if norm else mean).astype(np.float16))


def from_row(row: Mapping[str, Any], dimension: int) -> SharedDocument:
    """Take back what `to_row` gave."""
    document = Document(
        id=row["id"],
        source=row["source"],
        text=row["text"],
        title=row["title"],
        date=row["date"],
        body_start=row["body_start"],
        metadata=json.loads(row["metadata"]),
        pages=tuple(row["pages"]),
    )
    size = 2 * dimension
    vectors = {hash_: row["vectors"][size * place : size * (place + 1)] for place, hash_ in enumerate(row["passages"])}
    return SharedDocument(document, row["hash"], row["owner"], vectors, row[_TERMS])
