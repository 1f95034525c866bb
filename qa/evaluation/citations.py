"""Citation recall and precision of answers that a language model wrote (Gao et al. 2023, "ALCE", section 3).

The judge is `qa.verify.verify_statement`, not the NLI model of the paper: the figures say what the word by word check
sees, and compare systems that it judges alike.
"""

from __future__ import annotations

from qa.types import Answer
from qa.verify import verify_statement

__all__ = ["citation_values"]


def citation_values(answer: Answer) -> dict[str, float]:
    """Return ``citation_recall`` and ``citation_precision`` of a written answer; empty for one that quotes.

    Recall is the share of statements that all their citations together support. Precision is the share of citations
    that are relevant: their statement is supported, and they support it alone or it is not supported without them.
    An answer without a citation has no precision.
    """
    if not answer.is_written:
        return {}
    text_of = {citation.marker: citation.text for citation in answer.citations}
    recalled, relevant = [], []
    for statement in answer.statements:
        cited = [text_of[marker] for marker in statement.markers]
        supported = _is_supported(statement.text, cited)
        recalled.append(supported)
        for place, text in enumerate(cited):
            rest = cited[:place] + cited[place + 1 :]
            needed = _is_supported(statement.text, [text]) or not _is_supported(statement.text, rest)
            relevant.append(supported and needed)
    values = {"citation_recall": sum(recalled) / len(recalled)}
    return values | ({"citation_precision": sum(relevant) / len(relevant)} if relevant else {})


def _is_supported(text: str, cited: list[str]) -> bool:
    return bool(cited) and verify_statement(text, cited).status == "supported"
