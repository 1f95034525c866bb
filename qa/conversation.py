"""Follow-up questions without a model: what a question leaves out is taken from the question before (pure)."""

from __future__ import annotations

import re

__all__ = ["carry_over"]

_AND = re.compile(r"^(?:et|mais|alors)\s+(?:(?:alors|donc|sinon)\s+)?", re.IGNORECASE)
_ALONE = re.compile(
    r"^(?:pourquoi|quand|où|ou|comment|combien|qui|depuis quand|à quelle heure|ah bon)\s*\??$", re.IGNORECASE
)
_INTERROGATIVE = re.compile(
    r"\b(?:qui|que|quoi|quand|où|comment|combien|pourquoi|quel|quelle|quels|quelles|lequel|laquelle|est-ce)\b|qu['’]",
    re.IGNORECASE,
)
_REFERS = re.compile(
    r"\b(?:il|elle|ils|elles|lui|leur|eux|celui-ci|celle-ci|cela|ça|ce dernier|cette dernière|celui|celle|y)\b"
    r"|\bl['’](?=a\b|ai|av|on|ann|app|org|exp|ut|a-t|est)|\b(?:son|sa|ses|leurs)\b"
    r"|-(?:t-)?(?:il|elle|ils|elles)\b",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?<!^)(?<![.!?] )\b[A-ZÀ-ÖØ-Þ][\w'’-]*(?:\s+(?:(?:de|du|des|la|le|d['’]|l['’])\s*)?[A-ZÀ-ÖØ-Þ][\w'’-]*)*"
)
_INVERTED = re.compile(r"-(?:t-)?(?:il|elle|ils|elles|on)\b", re.IGNORECASE)


def carry_over(question: str, before: str) -> str | None:
    """Return a follow-up with what it leaves out, or None where it stands by itself.

    Args:
        question: as typed.
        before: the question before it, as it was understood.
    """
    text = question.strip()
    bare = before.strip().rstrip("?!. ").strip()
    if _ALONE.match(text):
        return f"{text.rstrip('? ')} : {bare} ?"
    rest = _AND.sub("", text).rstrip("? ").strip()
    if rest != text.rstrip("? ") and rest and not _INTERROGATIVE.search(rest) and not _INVERTED.search(rest):
        return f"{bare}, {rest} ?"
    named = _names(rest)
    if named or not (_REFERS.search(text) or _AND.match(text)):
        return None
    subject = _names(bare)
    return f"{rest} ({', '.join(subject)}) ?" if subject else f"{rest} ({bare}) ?"


def _names(text: str) -> list[str]:
    """Return the names of a question, its first word left out unless it goes on as a name."""
    return list(dict.fromkeys(match.group() for match in _NAME.finditer(text)))
