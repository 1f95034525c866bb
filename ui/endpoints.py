"""The page's endpoints for programs: /ask, /search, /add and /status of gradio_client."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import api

from index import InputError, SourcierError
from qa.agreement import MAX_CITATIONS
from qa.output import answer_to_dict, hit_to_dict
from ui.desk import Desk
from ui.uploads import Outcome, add_uploads, discard

__all__ = ["add_endpoints"]


def add_endpoints(desk: Desk, *, answering: dict[str, Any], indexing: dict[str, Any]) -> None:
    """Add the endpoints to the page being built; they share nothing with a visitor's conversation.

    Args:
        desk: what the page works on.
        answering: how many questions are answered at a time.
        indexing: how many changes are made at a time.
    """

    def ask(  # noqa: PLR0917 - programs may give them by place
        question: str,
        since: str | None = None,
        until: str | None = None,
        sources: list[str] | None = None,
        where: dict[str, Any] | None = None,
        read_dates: bool = True,
        n_citations: int = MAX_CITATIONS,
    ) -> dict[str, Any]:
        start, answer = time.perf_counter(), None
        try:
            with _stated():
                answer = desk.bot.ask(
                    question,
                    since=since,
                    until=until,
                    sources=sources or (),
                    where=where,
                    read_dates=read_dates,
                    n_citations=n_citations,
                )
                return answer_to_dict(answer)
        finally:
            desk.count(answer, time.perf_counter() - start)

    def search(
        question: str,
        k: int = 10,
        since: str | None = None,
        until: str | None = None,
        sources: list[str] | None = None,
        where: dict[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        with _stated():
            hits = desk.bot.search(question, k=k, since=since, until=until, sources=sources or (), where=where)
            return [hit_to_dict(hit) for hit in hits]

    def status() -> dict[str, Any]:
        with _stated():
            return desk.corpus.status().to_dict()

    def add(files: list[str] | None) -> dict[str, Any]:
        received = [Path(file) for file in files or ()]
        try:
            with _stated():
                if desk.read_only:
                    raise InputError("this page is read-only: add documents with `python -m index add`")
                return _outcome(add_uploads(received, corpus=desk.corpus, folder=desk.uploads))
        finally:
            discard(received)

    api(ask, api_name="ask", **answering)
    api(search, api_name="search", **answering)
    api(status, api_name="status", **answering)
    # A real File component, although nobody sees it: it takes only what was uploaded, never a path of this machine.
    files = gr.File(file_count="multiple", visible=False)
    gr.Button(visible=False).click(add, files, gr.JSON(visible=False), api_name="add", **indexing)


@contextmanager
def _stated() -> Iterator[None]:
    """Turn a stated failure into the one line that a client receives."""
    try:
        yield
    except SourcierError as error:
        raise gr.Error(str(error), print_exception=False) from error


def _outcome(outcome: Outcome) -> dict[str, Any]:
    report = outcome.report
    return {
        "files": [
            {"name": file.name, "status": file.status, "problems": [problem.to_dict() for problem in file.problems]}
            for file in outcome.files
        ],
        "n_added": report.n_added,
        "n_changed": report.n_changed,
        "n_removed": report.n_removed,
        "n_unchanged": report.n_unchanged,
        "problems": [problem.to_dict() for problem in report.problems],
        "warnings": list(report.warnings),
        "generation": report.generation,
    }
