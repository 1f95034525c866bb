"""LangChain's view of a corpus: `CorpusRetriever`, whose documents say where their characters stand in the source."""

from __future__ import annotations

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from index.corpus import CorpusIndex
from qa.output import hit_to_dict

__all__ = ["CorpusRetriever"]


class CorpusRetriever(BaseRetriever):
    """Retrieves passages of a corpus for a LangChain chain.

    Attributes:
        corpus: the index to search.
        k: passages wanted, at least 1.
        since: ISO date of any precision; only documents dated then or later, or None.
        until: ISO date; only documents dated then or earlier, or None.
    """

    corpus: CorpusIndex
    k: int = 10
    since: str | None = None
    until: str | None = None

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        """Return the passages that fit best; ``metadata`` holds source, start, end and score among others."""
        hits = self.corpus.search(query, k=self.k, since=self.since, until=self.until)
        found = []
        for hit in hits:
            metadata = hit_to_dict(hit)
            found.append(Document(page_content=metadata.pop("text"), metadata=metadata))
        return found
