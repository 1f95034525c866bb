"""The tools of a corpus for assistants that speak the Model Context Protocol: search, ask, verify_citation."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from mcp.server import MCPServer

from qa.chatbot import Chatbot
from qa.citation_check import check_citation
from qa.output import answer_to_dict, hit_to_dict

__all__ = ["make_server"]

_INSTRUCTIONS = (
    "Answers from a folder of documents, in French first. Each answer carries the exact sentences that prove it; cite "
    "them by source and offsets. Where `answered` is false the documents do not say: do not answer from elsewhere."
)


def make_server(chatbot: Chatbot) -> MCPServer:
    """Return a server with the three tools, which has not started; the assistant is told of errors."""
    server = MCPServer("sourcier", title="Sourcier", instructions=_INSTRUCTIONS)

    @server.tool()
    def ask(question: str, since: str | None = None, until: str | None = None) -> dict[str, Any]:
        """Answer a question in plain French from the documents, with the sentences that prove the answer.

        Args:
            question: the question, 1 to 2,000 characters.
            since: only documents dated then or later, such as 2022 or 2022-10.
            until: only documents dated then or earlier.
        """
        return answer_to_dict(chatbot.ask(question, since=since, until=until))

    @server.tool()
    def search(question: str, k: int = 10, since: str | None = None, until: str | None = None) -> list[dict[str, Any]]:
        """Return the passages of the documents that fit a question best, best first.

        Args:
            question: the question or some words of it.
            k: passages wanted, at least 1.
            since: only documents dated then or later, such as 2022 or 2022-10.
            until: only documents dated then or earlier.
        """
        return [hit_to_dict(hit) for hit in chatbot.search(question, k=k, since=since, until=until)]

    @server.tool()
    def verify_citation(source: str, start: int, end: int, text: str, statement: str | None = None) -> dict[str, Any]:
        """Say whether a quotation stands in its document at its place, and whether it supports a statement.

        Args:
            source: source of the document, as citations name it.
            start: first character of the quotation in the document, in code points.
            end: one past its last character.
            text: the quotation.
            statement: what it is said to prove; left out to check the quotation only.
        """
        return asdict(check_citation(chatbot.corpus, source, start, end, text, statement=statement))

    return server
