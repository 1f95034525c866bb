"""Whether the citations of a receipt still hold, against the index and against the files themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from index.corpus import CorpusIndex
from index.decode import read_text
from index.errors import LoadError
from index.types import Document
from qa.receipts import Receipt, ReceiptCitation, ReceiptTurn, document_hash

__all__ = ["CitationCheck", "Outcome", "check_receipt"]

Outcome = Literal["holds", "moved", "changed", "gone"]

_MOST_SEARCHED = 500
"""Characters of a quotation that are searched for."""


@dataclass(frozen=True, slots=True)
class CitationCheck:
    """What became of one citation.

    Attributes:
        turn: the question and answer that it is of.
        citation: the citation.
        outcome: ``holds`` where the document has the quotation at its place; ``moved`` where it has it elsewhere, or
            another document has it; ``changed`` where the document no longer has it; ``gone`` where there is no such
            document and no other has it.
        same_document: whether the text of the document is the one that was cited; None without a hash or a document.
        source: where the quotation stands now, or None where it stands nowhere.
        start: its first character there, or None.
        in_file: whether the file on the disk has the quotation there; None where it is not a plain text file that the
            index reads as it is, or is out of reach.
    """

    turn: ReceiptTurn
    citation: ReceiptCitation
    outcome: Outcome
    same_document: bool | None
    source: str | None
    start: int | None
    in_file: bool | None

    @property
    def holds(self) -> bool:
        """Whether the words that were cited still stand in the corpus, and in the file where that was looked at."""
        return self.outcome in ("holds", "moved") and self.in_file is not False


def check_receipt(receipt: Receipt, corpus: CorpusIndex) -> list[CitationCheck]:
    """Look up every citation, in the order of the receipt.

    Args:
        receipt: what to check.
        corpus: the index as it is now.
    """
    cited = [(turn, citation) for turn in receipt.turns for citation in turn.citations]
    documents = corpus.find_documents(sorted({citation.source for _, citation in cited}))
    return [_check(turn, citation, documents.get(citation.source), corpus) for turn, citation in cited]


def _check(turn: ReceiptTurn, citation: ReceiptCitation, known: Document | None, corpus: CorpusIndex) -> CitationCheck:
    same = None
    if known is not None and citation.document_sha256 is not None:
        same = document_hash(known) == citation.document_sha256
    if known is not None and known.text[citation.start : citation.end] == citation.text:
        stands = _in_file(known, citation.start, citation)
        return CitationCheck(turn, citation, "holds", same, known.source, citation.start, stands)
    for document in _likely(known, citation, corpus):
        start = document.text.find(citation.text) if citation.text.strip() else -1
        if start >= 0:
            stands = _in_file(document, start, citation)
            return CitationCheck(turn, citation, "moved", same, document.source, start, stands)
    return CitationCheck(turn, citation, "gone" if known is None else "changed", same, None, None, None)


def _likely(known: Document | None, citation: ReceiptCitation, corpus: CorpusIndex) -> Iterator[Document]:
    """Yield the documents that may hold a quotation now: its own, then those that search finds for its words."""
    if known is not None:
        yield known
    seen = {citation.source}
    words = " ".join(citation.text.split())[:_MOST_SEARCHED]
    for hit in corpus.search(words, k=10) if any(map(str.isalnum, words)) else ():
        document = hit.passage.document
        if document.source not in seen:
            seen.add(document.source)
            yield document


def _in_file(document: Document, start: int, citation: ReceiptCitation) -> bool | None:
    """Say whether the file has the quotation at its place, where it is plain text, which the index reads as it is."""
    path = Path(document.source)
    if path.suffix.lower() not in (".txt", ".md") or not path.is_file():
        return None
    try:
        with path.open("rb") as stream:
            text, _ = read_text(document.source, stream)
    except (LoadError, OSError):
        return False
    return text[start : start + len(citation.text)] == citation.text
