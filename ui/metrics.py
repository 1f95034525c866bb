"""``/metrics``: how the page is used and how fast it is, in the text format of Prometheus; no question, no name."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from index import SourcierError
from index.corpus import CorpusIndex

__all__ = ["Metrics", "MetricsPage"]

PATH = "/metrics"
_BOUNDS = (0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds: upper bounds of the buckets, each of which counts all that is below it."""

_OUTCOMES = ("answered", "refused", "failed")


class Metrics:
    """Counts questions by what became of them, and the seconds that they took. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcomes = dict.fromkeys(_OUTCOMES, 0)
        self._buckets = [0] * (len(_BOUNDS) + 1)
        self._seconds = 0.0

    def add(self, outcome: str, seconds: float) -> None:
        """Count a question.

        Args:
            outcome: ``answered``, ``refused`` or ``failed``.
            seconds: from the question to the whole answer.
        """
        with self._lock:
            self._outcomes[outcome] += 1
            self._buckets[bisect_left(_BOUNDS, seconds)] += 1
            self._seconds += seconds

    def lines(self) -> Iterator[str]:
        """Yield the counts as Prometheus reads them."""
        with self._lock:
            outcomes, buckets, seconds = dict(self._outcomes), list(self._buckets), self._seconds
        yield "# HELP sourcier_questions_total Questions asked on the page and through its endpoints."
        yield "# TYPE sourcier_questions_total counter"
        for outcome, n in outcomes.items():
            yield f'sourcier_questions_total{{outcome="{outcome}"}} {n}'
        yield "# HELP sourcier_answer_seconds Seconds from a question to its whole answer."
        yield "# TYPE sourcier_answer_seconds histogram"
        below = 0
        for bound, n in zip(_BOUNDS, buckets, strict=False):
            below += n
            yield f'sourcier_answer_seconds_bucket{{le="{bound}"}} {below}'
        yield f'sourcier_answer_seconds_bucket{{le="+Inf"}} {sum(buckets)}'
        yield f"sourcier_answer_seconds_sum {seconds:.6f}"
        yield f"sourcier_answer_seconds_count {sum(buckets)}"


def _gauges(corpus: CorpusIndex) -> Iterator[str]:
    status = corpus.status()
    for name, value, text in (
        ("generation", status.generation, "Generation of the index in force."),
        ("documents", status.n_documents, "Documents of different content."),
        ("passages", status.n_passages, "Passages of those."),
        ("index_bytes", status.n_bytes, "Size of the index on disk."),
        ("unreadable", len(status.problems), "Files and records that could not be read."),
    ):
        yield f"# HELP sourcier_{name} {text}"
        yield f"# TYPE sourcier_{name} gauge"
        yield f"sourcier_{name} {value}"


class MetricsPage:
    """ASGI middleware that answers ``/metrics`` itself; 503 while the index cannot be read.

    Args:
        app: what answers everything else.
        metrics: what is counted.
        corpus: what is asked.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, corpus: CorpusIndex) -> None:
        self.app = app
        self._tell: Callable[[], list[str]] = lambda: [*metrics.lines(), *_gauges(corpus)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the metrics, and pass everything else on."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await self.app(scope, receive, send)
            return
        try:
            text, status = "\n".join(await run_in_threadpool(self._tell)) + "\n", 200
        except SourcierError as error:
            text, status = f"# {type(error).__name__}\n", 503
        kind = "text/plain; version=0.0.4; charset=utf-8"
        await PlainTextResponse(text, status_code=status, media_type=kind)(scope, receive, send)
