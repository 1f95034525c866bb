"""What the tests of the index share: a small embedding model, folders of documents, the rows of an index."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.s3_server import S3, running
from index import CorpusIndex, Hit
from tests.chat_server import ScriptedServer

ROOT = Path(__file__).resolve().parent.parent


class HashingEmbedder:
    """An embedding model without parameters: hashed bag of words with signs (Weinberger et al. 2009), unit length.

    The same on every machine, and it remembers what it was asked to embed.
    """

    def __init__(self, dimension: int = 24, *, salt: str = "") -> None:
        self.name = f"hashing-{dimension}{salt}"
        self.dimension = dimension
        self.fingerprint = f"{self.name}/1"
        self.texts: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts += texts
        return np.stack([self._vector(text) for text in texts]) if texts else np.empty((0, self.dimension), np.float32)

    def embed_question(self, text: str) -> NDArray[np.float32]:
        return self._vector(text)

    def _vector(self, text: str) -> NDArray[np.float32]:
        vector = np.zeros(self.dimension, dtype=np.float32)
        for word in re.findall(r"\w+", text.lower()):
            digest = hashlib.blake2b((self.name + word).encode(), digest_size=8).digest()
            vector[int.from_bytes(digest[:4], "big") % self.dimension] += 1.0 if digest[4] % 2 else -1.0
        length = float(np.linalg.norm(vector))
        return vector / np.float32(length) if length else vector


def write_files(folder: Path, files: dict[str, str]) -> Path:
    """Write text files, by their path in the folder, and return the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def index_rows(directory: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that the catalog says, without the numbers that tell the order of changes."""
    statements = {
        "files": "SELECT path, source, hash FROM files ORDER BY path",
        "roots": "SELECT path, given FROM roots ORDER BY path",
        "problems": "SELECT path, source, reason FROM problems ORDER BY source, reason",
        "sources": "SELECT source, path, hash FROM sources JOIN documents ON documents.number = document "
        "ORDER BY source",
        "documents": "SELECT hash, id, title, date, first_day, last_day, body_start, metadata, pages, sentences, text "
        "FROM documents ORDER BY hash",
        "fields": "SELECT hash, name, value FROM fields JOIN documents ON documents.number = document "
        "ORDER BY hash, name, value",
        "passages": "SELECT documents.hash, first, past, passages.hash, vector FROM passages "
        "JOIN documents ON documents.number = document ORDER BY documents.hash, first, past",
    }
    with closing(
        sqlite3.connect(f"{(directory.absolute() / 'catalog.sqlite').as_uri()}?mode=ro", uri=True)
    ) as connection:
        return {table: connection.execute(statement).fetchall() for table, statement in statements.items()}


def answers(corpus: CorpusIndex, question: str, **options: Any) -> list[tuple[str, int, int, float, float, float]]:
    """Return the hits of a search as plain values: source, span, scores to 6 digits."""
    return [plain(hit) for hit in corpus.search(question, k=50, **options)]


def plain(hit: Hit) -> tuple[str, int, int, float, float, float]:
    span, scores = hit.passage.span, (hit.score, hit.lexical_score, hit.dense_score)
    first, second, third = (round(score, 6) for score in scores)
    return hit.passage.document.source, span.start, span.end, first, second, third


@pytest.fixture
def embedder() -> HashingEmbedder:
    return HashingEmbedder()


@pytest.fixture
def scripted_server() -> Iterator[ScriptedServer]:
    """Serve a script, which the test writes, until the test ends."""
    with ScriptedServer() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def seed_corpus(tmp_path_factory: pytest.TempPathFactory) -> CorpusIndex:
    """The index of seeds/ with the bundled model; not to be changed."""
    return CorpusIndex.build([ROOT / "seeds"], tmp_path_factory.mktemp("seeds") / "index")


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    """Run an S3 API for the tests of a module."""
    pytest.importorskip("moto.server", reason="moto is not installed: pip install -r requirements-dev.txt")
    with running() as server:
        yield server
