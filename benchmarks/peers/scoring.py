"""The rules by which a reply is judged; the same for every system.

A hit or a citation is a range of characters of a document. Nothing is matched by its wording where ranges are known.

- documents: those of the hits, each at its first hit. ``document_recall@k``: one that answers is among the first k.
- evidence: a hit holds it where it overlaps a gold sentence. ``evidence_recall@k``: one of the first k hits does.
- source: the first citation is right where it overlaps a gold sentence, or where it lies in another document that
  answers and holds a right answer's words. A question that is refused has no right source.
- a system without an answer of its own cites its first hit, whole; ``cited_characters`` says how much there is to read.
- ``false_answers``: of the questions that no document answers, those that were not refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.peers.protocol import Record
from qa.evaluation.answers import holds_answer
from qa.evaluation.gold import GoldQuestion

__all__ = ["DEPTHS", "judge"]

DEPTHS = (1, 5, 20)


def judge(gold: GoldQuestion, reply: Mapping[str, Any], records: Mapping[str, Record]) -> dict[str, float]:
    """Return what one reply adds to each measure.

    Args:
        gold: the question.
        reply: ``answered``, and ``hits`` and ``cited`` as ``(document, start, end)``, best first.
        records: the documents by id.
    """
    if not gold.is_answerable:
        return {"false_answers": float(reply["answered"])}
    documents = list(dict.fromkeys(name for name, _, _ in reply["hits"]))
    values = {f"document_recall@{k}": float(bool(gold.documents & set(documents[:k]))) for k in DEPTHS}
    if gold.evidence:
        values |= {f"evidence_recall@{k}": float(any(_holds(gold, *h) for h in reply["hits"][:k])) for k in DEPTHS}
    right = bool(reply["answered"] and reply["cited"]) and _is_right(gold, reply["cited"][0], records)
    values["source_right"] = float(right)
    values["false_refusals"] = float(not reply["answered"])
    if reply["answered"] and reply["cited"]:
        _, start, end = reply["cited"][0]
        values |= {"source_right_answered": float(right), "cited_characters": float(end - start)}
    return values


def _holds(gold: GoldQuestion, document: str, start: int, end: int) -> bool:
    return document == gold.document and any(a < end and start < b for a, b in gold.evidence)


def _is_right(gold: GoldQuestion, cited: Sequence[Any], records: Mapping[str, Record]) -> bool:
    document, start, end = cited
    if _holds(gold, document, start, end):
        return True
    text = records[document].text[start:end]
    return document in gold.documents and any(holds_answer(text, right) for right in gold.answers)
