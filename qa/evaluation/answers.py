"""Compares short answers as a French reader would: without case, accents, punctuation and articles."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

__all__ = ["exact_match", "holds_answer", "token_f1"]

_ARTICLES = re.compile(r"\b(?:le|la|les|un|une|des|du|de|l|d)\b")


def exact_match(given: str, gold: str) -> float:
    """Return 1.0 if two answers are the same but for case, accents, punctuation and French articles, else 0.0."""
    return float(_normal(given) == _normal(gold))


def token_f1(given: str, gold: str) -> float:
    """Return the F1 of the words of two answers, normalised as in `exact_match` (Rajpurkar et al. 2016)."""
    mine, theirs = _normal(given).split(), _normal(gold).split()
    shared = sum((Counter(mine) & Counter(theirs)).values())
    if not shared:
        return float(mine == theirs)
    precision, recall = shared / len(mine), shared / len(theirs)
    return 2.0 * precision * recall / (precision + recall)


def holds_answer(text: str, gold: str) -> bool:
    """Say whether the words of an answer stand in a text, in a row, both normalised; never for an answer of none."""
    words = _normal(gold)
    return bool(words) and f" {words} " in f" {_normal(text)} "


def _normal(text: str) -> str:
    folded = unicodedata.normalize("NFD", text.casefold())
    bare = "".join(c if c.isalnum() else " " for c in folded if not unicodedata.combining(c))
    return " ".join(_ARTICLES.sub(" ", bare).split())
