"""``/healthz``: whether the page can answer, for what watches over it; open without a login."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from index import SourcierError
from index.corpus import CorpusIndex

__all__ = ["Health", "check_of"]

PATH = "/healthz"


class Health:
    """ASGI middleware that answers ``/healthz`` itself: 200 where the check passes, 503 with the reason otherwise.

    Args:
        app: what answers everything else.
        check: returns what to tell, or raises a `SourcierError`.
    """

    def __init__(self, app: ASGIApp, *, check: Callable[[], dict[str, Any]]) -> None:
        self.app = app
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the health check, and pass everything else on."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await self.app(scope, receive, send)
            return
        try:
            told, status = await run_in_threadpool(self._check), 200
        except SourcierError as error:
            told, status = {"status": "unavailable", "reason": type(error).__name__}, 503
        await JSONResponse(told, status_code=status, headers={"Cache-Control": "no-store"})(scope, receive, send)


def check_of(corpus: CorpusIndex) -> Callable[[], dict[str, Any]]:
    """Return a check that reads the index; it tells its generation and size, and neither paths nor texts."""

    def check() -> dict[str, Any]:
        status = corpus.status()
        return {"status": "ok", "generation": status.generation, "documents": status.n_documents}

    return check
