"""Does a citation stand in its document, and does it support a statement?"""

from __future__ import annotations

from dataclasses import dataclass

from index.searchable import Searchable
from index.types import Sentence, Span
from qa.verify import Verdict, verify_statement

__all__ = ["CitationCheck", "check_citation"]


@dataclass(frozen=True, slots=True)
class CitationCheck:
    """What came of checking a citation.

    Attributes:
        stands: whether the text stands in the document at these offsets.
        found_at: where else the text stands first, or None where it stands nowhere or at the place given.
        verdict: whether it supports the statement; None where no statement was given or it does not stand.
    """

    stands: bool
    found_at: int | None = None
    verdict: Verdict | None = None


def check_citation(
    corpus: Searchable, source: str, start: int, end: int, text: str, *, statement: str | None = None
) -> CitationCheck:
    """Check a citation against the document as the index has it now.

    Args:
        corpus: the index.
        source: source of the document.
        start: first character in code points.
        end: one past the last.
        text: the words cited.
        statement: what they are to support, or None.

    Raises:
        InputError: if the index has no such document, or the offsets are none.
    """
    span = Span(start, end)
    document = corpus.document(source)
    if document.text[start:end] != text or not text:
        elsewhere = document.text.find(text) if text else -1
        return CitationCheck(False, None if elsewhere < 0 else elsewhere)
    verdict = None if statement is None else verify_statement(statement, [Sentence(document, span)])
    return CitationCheck(True, None, verdict)
