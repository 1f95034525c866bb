"""From the text that a model wrote to statements that are checked, cited and marked (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from index.split import split_sentences
from index.types import Sentence
from qa.generate import Draft, cite, escape
from qa.markers import Markers, Piece
from qa.types import Evidence, Statement
from qa.verify import Verdict, Verifier

__all__ = ["UNSUPPORTED_SIGN", "Written", "checked_draft", "read_statements", "shown_so_far"]

UNSUPPORTED_SIGN = "⚠"
"""What stands in the text after a statement that no source supports."""

_SPACE_BEFORE_STOP = re.compile(r"[ \u00a0]+([.,])")
_BULLET = re.compile(r"^(?:[-*•]|\d{1,2}[.)])\s+|^#{1,6}\s+")
_RANK = {"supported": 0, "partly": 1, "unsupported": 2}


@dataclass(frozen=True, slots=True)
class Written:
    """A statement as the model wrote it.

    Attributes:
        text: without markers.
        numbers: places of the evidence that it cites, from 1, each once; those of no evidence included.
        opens: whether it begins a paragraph or a list item.
    """

    text: str
    numbers: tuple[int, ...]
    opens: bool


def read_statements(pieces: Sequence[Piece]) -> list[Written]:
    """Cut a draft into its sentences; a marker belongs to the sentence that it stands in or after."""
    text, marks = "", list[tuple[int, int]]()
    for piece in pieces:
        if isinstance(piece, Markers):
            marks += [(len(text), number) for number in piece.numbers]
        else:
            text += piece
    found: list[Written] = []
    spans = split_sentences(text)
    for place, span in enumerate(spans):
        end = spans[place + 1].start if place + 1 < len(spans) else len(text) + 1
        numbers = tuple(dict.fromkeys(number for at, number in marks if span.start < at < end or at == span.end))
        numbers = numbers if found or not span.start else (*(n for at, n in marks if at <= span.start), *numbers)
        plain = _plain(text[span.start : span.end])
        opens = not found or "\n" in text[spans[place - 1].end : span.start]
        if any(character.isalnum() for character in plain):
            found.append(Written(plain, numbers, opens))
        elif numbers and found:
            found[-1] = replace(found[-1], numbers=tuple(dict.fromkeys((*found[-1].numbers, *numbers))))
    return found


def _plain(text: str) -> str:
    """Return a statement on one line, without the signs of lists, headings and bold, nor spaces that markers left."""
    line = _BULLET.sub("", " ".join(text.split())).replace("**", "")
    return _SPACE_BEFORE_STOP.sub(r"\1", line).strip()


def checked_draft(
    written: Sequence[Written], evidence: Sequence[Evidence], verifier: Verifier, *, drop_unsupported: bool
) -> Draft:
    """Check each statement, mend its markers, and number what is cited in the order that it is cited.

    A marker that does not support its statement is moved to the sentence that does; a citation without which the others
    support as well is dropped, as it would lower the citation precision of ALCE (Gao et al. 2023, section 3).

    Args:
        written: the statements.
        evidence: what the numbers of the markers stand for.
        verifier: says whether sentences support a statement.
        drop_unsupported: leave out the statements without support instead of marking them.
    """
    sentences = [piece.sentence for piece in evidence]
    judged = [(each, *_judged(each, sentences, verifier)) for each in written]
    kept = [each for each in judged if not (drop_unsupported and each[1].status == "unsupported")]
    order = list(dict.fromkeys(place for _, _, places in kept for place in places))
    marker_of = {place: marker for marker, place in enumerate(order, start=1)}
    text, statements = "", []
    for each, verdict, places in kept:
        markers = tuple(marker_of[place] for place in places)
        statements.append(Statement(each.text, markers, verdict.status, verdict.reason))
        sign = f" {UNSUPPORTED_SIGN}" if verdict.status == "unsupported" else ""
        shown = f"{escape(each.text)}{sign}{''.join(f' [{marker}]' for marker in markers)}"
        text += ("\n\n" if each.opens else " ") + shown if text else shown
    return Draft(text, tuple(statements), citations=cite([evidence[place] for place in order]), is_written=True)


def _judged(written: Written, sentences: Sequence[Sentence], verifier: Verifier) -> tuple[Verdict, tuple[int, ...]]:
    """Return the verdict on a statement and the places of the sentences that it is to cite, from 0."""
    cited = [number - 1 for number in written.numbers if 1 <= number <= len(sentences)]
    verdict = verifier(written.text, [sentences[place] for place in cited])
    if verdict.status == "supported":
        return verdict, _needed(written.text, cited, sentences, verifier)
    alone = [(verifier(written.text, [sentence]), place) for place, sentence in enumerate(sentences)]
    best, place = min(alone, key=lambda each: (_RANK[each[0].status], each[1] not in cited, each[1]))
    if _RANK[best.status] < _RANK[verdict.status]:
        return best, (place,)
    if verdict.status == "partly":
        return verdict, _needed(written.text, cited, sentences, verifier, status="partly")
    return verdict, ()


def _needed(
    text: str, cited: Sequence[int], sentences: Sequence[Sentence], verifier: Verifier, *, status: str = "supported"
) -> tuple[int, ...]:
    """Return the places without which the statement would be supported less, the last ones tried first."""
    kept = list(cited)
    for place in reversed(cited):
        rest = [sentences[other] for other in kept if other != place]
        if rest and _RANK[verifier(text, rest).status] <= _RANK[status]:
            kept.remove(place)
    return tuple(kept)


def shown_so_far(pieces: Sequence[Piece], evidence: Sequence[Evidence]) -> Draft:
    """Return the draft as it stands while it is being written: markers of no evidence left out, nothing checked."""
    order: list[int] = []
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += escape(piece).replace(r"\*\*", "")
            continue
        for number in piece.numbers:
            if 1 <= number <= len(evidence):
                if number - 1 not in order:
                    order.append(number - 1)
                text += f"[{order.index(number - 1) + 1}]"
    return Draft(text, (), citations=cite([evidence[place] for place in order]), is_written=True)
