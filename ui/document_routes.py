"""What the page serves of documents beside the conversation: whole texts, and the files that they came from.

A visitor names a source, never a path: the catalog says which file it came from, and only the very bytes that were
indexed are sent, as something to save and not to open in the page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from inspect import isawaitable
from pathlib import PurePath
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from index import CorpusIndex, Document, InputError, Span
from index.file_records import StoredFile
from ui.originals import open_original
from ui.uploads import safe_name
from ui.whole import render_whole

__all__ = ["document_routes", "original_address", "text_address"]

WHOLE, TEXT, ORIGINAL = "/documents/whole", "/documents/text", "/documents/original"

UNKNOWN = "Ce document n’est pas dans l’index."
SIGN_IN = "Connectez-vous d’abord."
NO_FILE = "Ce document n’a pas de fichier à lui : enregistrez son texte."
OTHER_FILE = "Le fichier n’est plus là, ou il a changé depuis qu’il a été lu : mettez l’index à jour."

# What is sent is kept nowhere: a document that is removed is not to live on in a cache.
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def document_routes(corpus: CorpusIndex) -> list[Route]:
    """Return the routes for the documents of a corpus, each with ``?source=``."""

    def whole(request: Request) -> Response:
        asked = request.query_params
        document = _document(corpus, asked.get("source"))
        if document is None:
            return HTMLResponse(f'<h2 id="whole-title">{UNKNOWN}</h2>', 404, HEADERS)
        cited = _span(asked.get("start"), asked.get("end"), len(document.text))
        return HTMLResponse(render_whole(document, cited=cited, check=asked.get("check")), headers=HEADERS)

    def text(request: Request) -> Response:
        document = _document(corpus, request.query_params.get("source"))
        if document is None:
            return PlainTextResponse(UNKNOWN, 404, HEADERS)
        name = PurePath(document.source).name
        data = document.text.encode("utf-8", "replace")
        return _saved(name if name.endswith(".txt") else f"{name}.txt", iter([data]), len(data))

    def original(request: Request) -> Response:
        source = request.query_params.get("source", "")
        if _document(corpus, source) is None:
            return PlainTextResponse(UNKNOWN, 404, HEADERS)
        file = corpus.listing.file_of(source)
        if file is None or file.source != source:
            return PlainTextResponse(NO_FILE, 404, HEADERS)
        found = open_original(file)
        if found is None:
            return PlainTextResponse(OTHER_FILE, 410, HEADERS)
        return _saved(found.name, found.pieces(), found.n_bytes)

    served = ((WHOLE, whole), (TEXT, text), (ORIGINAL, original))
    return [Route(path, _signed_in(endpoint), methods=["GET"]) for path, endpoint in served]


def original_address(source: str, file: StoredFile | None) -> str | None:
    """Return where the page offers the file of a source, None where the source is but a part of its file."""
    return f"{ORIGINAL[1:]}?source={_quoted(source)}" if file is not None and file.source == source else None


def text_address(source: str) -> str:
    """Return where the page offers the text of a source."""
    return f"{TEXT[1:]}?source={_quoted(source)}"


def _quoted(source: str) -> str:
    return quote(source, safe="", errors="replace")


def _signed_in(endpoint: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Answer only those to whom Gradio 6.31 would show the page: it guards its own routes, not others."""

    async def guarded(request: Request) -> Response:
        app = request.app
        if app.auth_dependency is not None:
            user = app.auth_dependency(request)
            user = await user if isawaitable(user) else user
        else:
            cookies = (request.cookies.get(f"access-token-{kind}{app.cookie_id}") for kind in ("", "unsecure-"))
            user = next((app.tokens[cookie] for cookie in cookies if cookie in app.tokens), None)
        if user is None and not (app.auth is None and app.auth_dependency is None):
            return PlainTextResponse(SIGN_IN, 401, HEADERS)
        return await run_in_threadpool(endpoint, request)

    return guarded


def _document(corpus: CorpusIndex, source: str | None) -> Document | None:
    try:
        return corpus.document(source or "")
    except InputError:
        return None


def _span(start: str | None, end: str | None, length: int) -> Span | None:
    """Return the range asked for, None where it is none of the text."""
    try:
        span = Span(int(start or ""), int(end or ""))
    except (ValueError, InputError):
        return None
    return span if span.end <= length else None


def _saved(name: str, pieces: Iterator[bytes], n_bytes: int) -> Response:
    """Return bytes that a browser saves under a name, and takes for nothing that it could run."""
    try:
        kept = safe_name(name)
    except InputError:
        kept = "document"
    headers = HEADERS | {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(kept, safe='')}",
        "Content-Length": str(n_bytes),
    }
    return StreamingResponse(pieces, headers=headers, media_type="application/octet-stream")
