"""LangChain's view of a corpus: a retriever, and a chatbot as a Runnable whose message carries citations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.content import Citation as CitationBlock
from langchain_core.messages.content import create_citation, create_text_block
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableConfig, RunnableSerializable

from index.corpus import CorpusIndex
from index.errors import InputError
from qa.chatbot import Chatbot
from qa.output import hit_to_dict
from qa.types import Answer, Citation

__all__ = ["ChatbotRunnable", "CorpusRetriever", "answer_to_message"]

_MARKER = re.compile(r"(?<!\\)\[(\d+)\]")
"""As answers write it; what a document has of that kind is escaped there."""


class CorpusRetriever(BaseRetriever):
    """Retrieves passages of a corpus for a LangChain chain.

    Attributes:
        corpus: the index to search.
        k: passages wanted, at least 1; a call may ask for another number, ``invoke(query, k=3)``.
        since: ISO date of any precision; only documents dated then or later, or None.
        until: ISO date; only documents dated then or earlier, or None.
    """

    corpus: CorpusIndex
    k: int = 10
    since: str | None = None
    until: str | None = None

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        """Return the passages that fit best; ``metadata`` holds source, start, end and score among others."""
        hits = self.corpus.search(query, k=self.k if k is None else k, since=self.since, until=self.until)
        found = []
        for hit in hits:
            metadata = hit_to_dict(hit)
            found.append(Document(page_content=metadata.pop("text"), metadata=metadata))
        return found


class ChatbotRunnable(RunnableSerializable[str | Sequence[BaseMessage], AIMessage]):
    """A chatbot as a part of a chain: a question, or messages of which the last one asks, to an AIMessage.

    Attributes:
        chatbot: who answers. Each call stands by itself; the questions of earlier messages say what a follow-up means.
    """

    chatbot: Chatbot
    model_config = {"arbitrary_types_allowed": True}  # noqa: RUF012 - as pydantic wants it

    def invoke(
        self,
        input: str | Sequence[BaseMessage],  # noqa: A002 - the name is LangChain's
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Answer; ``kwargs`` are the filters of `Chatbot.ask`. See `answer_to_message` for what the message holds.

        Raises:
            InputError: as `Chatbot.ask`, and if the last message is none of a user.
        """
        return self._call_with_config(lambda asked: answer_to_message(self._ask(asked, kwargs)), input, config)

    def _ask(self, asked: str | Sequence[BaseMessage], filters: Mapping[str, Any]) -> Answer:
        if isinstance(asked, str):
            return self.chatbot.ask(asked, **filters)
        questions = [str(message.text) for message in asked if message.type == "human"]
        if not questions or asked[-1].type != "human":
            raise InputError("the last message: expected a question, that is, a message of type human")
        return self.chatbot.ask_after(questions[-1], before=questions[:-1], **filters)


def answer_to_message(answer: Answer) -> AIMessage:
    """Return an answer as a message with one text block, whose annotations are LangChain's citations.

    ``start_index`` and ``end_index`` of a citation bound its marker in the text of the block, as LangChain has it;
    where the cited sentence stands in its document is in ``extras``: ``document_id``, ``source``, ``date``, ``start``,
    ``end``, ``marker``, ``score``.
    ``response_metadata`` holds what else the answer says: ``answered, mode, confidence, notice, statements``.
    """
    by_marker = {citation.marker: citation for citation in answer.citations}
    # The nearest sentences of a refusal prove nothing, and no marker points to them.
    annotations = [_citation_block(by_marker[marker], *place) for marker, *place in _places(answer.text, by_marker)]
    block = create_text_block(answer.text, annotations=list(annotations))
    statements = [
        {"text": each.text, "markers": list(each.markers), "status": each.status, "reason": each.reason}
        for each in answer.statements
    ]
    return AIMessage(
        content_blocks=[block],
        response_metadata={
            "answered": answer.answered,
            "mode": answer.mode,
            "confidence": answer.confidence,
            "notice": answer.notice,
            "understood_as": answer.understood_as,
            "statements": statements,
        },
    )


def _citation_block(citation: Citation, start: int, end: int) -> CitationBlock:
    return create_citation(
        title=citation.title,
        start_index=start,
        end_index=end,
        cited_text=citation.text,
        document_id=citation.document_id,
        source=citation.source,
        date=citation.date,
        start=citation.start,
        end=citation.end,
        marker=citation.marker,
        score=citation.score,
    )


def _places(text: str, known: Mapping[int, Citation]) -> Iterator[tuple[int, int, int]]:
    """Yield each marker of an answer's text as (number, start, end); an escaped bracket begins none."""
    for match in _MARKER.finditer(text):
        if int(match[1]) in known:
            yield int(match[1]), match.start(), match.end()
