"""Splits and analyses documents in other processes, so that a build uses every core.

One JSON line in, a list of documents as ``[text, title, body_start]``; one JSON line out, what `prepare` gives for
each. It ends with its standard input, that is with the process that started it, however that ends. Lines of JSON rather
than the standard library's pools: those pickle, and run the caller's main module again.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import Any, Generic, TypeVar

from index.analyze import Analyzer
from index.cores import n_cores
from index.errors import StoreError
from index.prepare import PreparedDocument, PreparedPassage, embedded_text, prepare
from index.types import Document, Span

__all__ = ["Preparing", "Workers", "main"]

_Item = TypeVar("_Item")

_ALONE = 512
"""Documents that are prepared here before other processes are started, which takes them half a second."""

_MAX_WORKERS = 4
"""More would wait for the one process that embeds and stores."""


class Preparing(Generic[_Item]):
    """Prepares batch after batch, here while they are few, then in other processes. To be closed.

    Args:
        analyzer: text to terms.
        document_of: the document of an item of a batch.
    """

    def __init__(self, analyzer: Analyzer, document_of: Callable[[_Item], Document]) -> None:
        self._analyzer = analyzer
        self._document_of = document_of
        self._workers: Workers | None = None
        self._waiting: deque[tuple[list[_Item], Future[list[PreparedDocument]]]] = deque()
        self._n_here = 0

    def submit(self, batch: list[_Item]) -> Iterator[tuple[list[_Item], list[PreparedDocument]]]:
        """Take a batch, and yield those that are ready to be stored, in the order in which they came.

        Raises:
            StoreError: if a process has died.
        """
        documents = [self._document_of(item) for item in batch]
        if self._workers is None and self._n_here < _ALONE:
            self._n_here += len(batch)
            yield batch, [prepare(document, self._analyzer) for document in documents]
            return
        if self._workers is None:
            self._workers = Workers(self._analyzer)
        self._waiting.append((batch, self._workers.submit(documents)))
        while len(self._waiting) > self._workers.n_batches:
            items, prepared = self._waiting.popleft()
            yield items, prepared.result()

    def rest(self) -> Iterator[tuple[list[_Item], list[PreparedDocument]]]:
        """Yield what is still being prepared, in order."""
        while self._waiting:
            items, prepared = self._waiting.popleft()
            yield items, prepared.result()

    def close(self) -> None:
        """End the other processes."""
        if self._workers is not None:
            self._workers.close()


class Workers:
    """Processes that prepare documents. To be closed.

    Args:
        analyzer: the analyzer in force; the processes must have the same version.
    """

    def __init__(self, analyzer: Analyzer) -> None:
        n_workers = min(n_cores(), _MAX_WORKERS)
        self._processes = [_Process(analyzer.version) for _ in range(n_workers)]
        self._next = cycle(self._processes)

    @property
    def n_batches(self) -> int:
        """How many batches keep every process busy."""
        return 2 * len(self._processes)

    def submit(self, documents: Sequence[Document]) -> Future[list[PreparedDocument]]:
        """Begin to prepare some documents; the result raises StoreError where a process has died."""
        return next(self._next).submit(documents)

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.close()


class _Process:
    """One process, and the thread that speaks to it."""

    def __init__(self, version: str) -> None:
        paths = [str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from index.worker import main; main()", version],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._thread = ThreadPoolExecutor(max_workers=1)

    def submit(self, documents: Sequence[Document]) -> Future[list[PreparedDocument]]:
        return self._thread.submit(self._prepare, documents)

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):  # it has ended before it took what was written
                    stream.close()
        self._process.wait()

    def _prepare(self, documents: Sequence[Document]) -> list[PreparedDocument]:
        request = json.dumps([(each.text, each.title, each.body_start) for each in documents], ensure_ascii=False)
        reply = b""
        if self._process.stdin is not None and self._process.stdout is not None:
            try:
                self._process.stdin.write(request.encode() + b"\n")
                self._process.stdin.flush()
                reply = self._process.stdout.readline()
            except BrokenPipeError:
                pass
        if not reply.endswith(b"\n"):
            code = self._process.poll()
            raise StoreError(
                f"a process that prepares documents has ended (exit code {code}): the index is as it was; check free "
                "memory, then try again"
            )
        return [_read(each, document) for each, document in zip(json.loads(reply), documents, strict=True)]


def _written(prepared: PreparedDocument) -> Any:
    passages = [(each.first, each.past, " ".join(each.terms)) for each in prepared.passages]
    return [(span.start, span.end) for span in prepared.sentences], passages, " ".join(prepared.title)


def _read(record: Any, document: Document) -> PreparedDocument:
    spans, passages, title = record
    sentences = [Span(start, end) for start, end in spans]
    return PreparedDocument(
        sentences,
        [
            PreparedPassage(
                first,
                past,
                embedded_text(document, document.text[sentences[first].start : sentences[past - 1].end]),
                terms.split(),
            )
            for first, past, terms in passages
        ],
        title.split(),
    )


def main() -> None:
    """Answer requests until there are no more: what runs in such a process, with the analyzer's version as argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; who asked decides
    analyzer = Analyzer()
    if sys.argv[1:] != [analyzer.version]:
        sys.exit(f"this is analyzer {analyzer.version}, asked for was {sys.argv[1:]}")
    for line in sys.stdin.buffer:
        documents = [
            Document("", "", text, title, body_start=body_start) for text, title, body_start in json.loads(line)
        ]
        reply = json.dumps([_written(prepare(each, analyzer)) for each in documents], ensure_ascii=False)
        sys.stdout.buffer.write(reply.encode() + b"\n")
        sys.stdout.buffer.flush()
