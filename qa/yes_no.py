"""Whether a sentence says yes or no to a question, by its negations and its words (pure).

It is said only where the sentence states it, and left to the sentence elsewhere. Given the sentence that answers, of
the 381 yes-or-no questions of the news training data, "non" was right in 133 of 136 where it was said, "oui" in 2 of 2.
These questions are worded otherwise than their sentences, and three in four are answered by no.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

from index.analyze import Analyzer
from qa.question import fold
from qa.verify import has_every_word, is_about
from qa.word_classes import CLASS_OF

__all__ = ["Reply", "stated_reply"]

Reply = Literal["Oui", "Non"]

_DENIES = re.compile(r"(?<![\w'])n(?:'|e )(?!\w+ que )|\b(?:pas|jamais|aucune?|ni|rien|non)\b")
"""Words that deny, in text without accents; "ne" with "que" one word behind it only limits."""

_CONTRARY = re.compile(r"\b(?:faux|fausse|impossible|dement\w*|refus\w*|interdi\w*|exclu\w*|rejet\w*|contrair\w*)\b")
"""Words that deny without "ne"."""

_STATED, _AROUND = 0.7, 0.7
"""Share of the question's words with which a sentence states it, and what a word counts that stands around it: of the
training questions above, such a sentence said yes in 5 of 5; with a share of 0.6, in 14 of 18."""

_INVERTED = re.compile(
    r"(?P<verb>\w+)-(?:t-)?(?:il|elle|ils|elles|on)\b|\best-ce qu(?:e |').*?\b(?:a|ont|est|sont|va|vont)(?= )",
    re.IGNORECASE,
)

_OPENS = re.compile(r"^\W*(oui|non)\b")


def stated_reply(question: str, proof: str, *, sentence: str, around: str = "") -> Reply | None:
    """Return what a sentence says to a yes-or-no question, or None where it says neither plainly.

    Args:
        question: with its subject and names, as it was understood.
        proof: the words of the sentence that answer, or all of it.
        sentence: the whole sentence; one that is about something else says neither.
        around: the title and what stands before the sentence: who "il" is.
    """
    asked, said, statement = _plain(question), _plain(proof), question.rstrip("?! ")
    if _DENIES.search(asked):
        return None  # "N'a-t-il pas …": what yes and no stand for is not plain
    if opened := _OPENS.match(said):
        return "Oui" if opened[1] == "oui" else "Non"
    denies, is_contrary = bool(_DENIES.search(said)), bool(_CONTRARY.search(said))
    if is_contrary and _CONTRARY.search(asked):
        is_contrary = False  # "refusé" asked and "refusé" said
    if denies or is_contrary:
        return "Non" if denies != is_contrary and is_about(statement, sentence) else None
    if has_every_word(statement, proof):
        return "Oui"
    whole = _plain(sentence)
    is_denied = bool(_DENIES.search(whole)) or bool(_CONTRARY.search(whole)) != bool(_CONTRARY.search(asked))
    return "Oui" if not is_denied and _share_of_words(statement, sentence, around) >= _STATED else None


def _share_of_words(statement: str, sentence: str, around: str) -> float:
    """Return the share of a statement's words that a sentence has, those that only stand around it counting less."""
    asked, own, near = (set(_analyzer().terms(text)) for text in (statement, sentence, around))
    if not set(_predicate(statement)) & own:
        return 0.0  # "va-t-elle annuler l'exercice" is not stated where an exercise is only mentioned
    return sum(1.0 if term in own else _AROUND if term in near else 0.0 for term in asked) / max(1, len(asked))


def _predicate(statement: str) -> list[str]:
    """Return the terms of the word that is asked after: the verb, or what follows an auxiliary."""
    match = _INVERTED.search(statement.replace("’", "'"))
    if match is None:
        return []
    is_auxiliary = match["verb"] is None or CLASS_OF.get(match["verb"].lower(), "") == "A"
    rest = statement[match.end() :] if is_auxiliary else match["verb"]
    return _analyzer().terms(rest)[:1]


@cache
def _analyzer() -> Analyzer:
    return Analyzer()


def _plain(text: str) -> str:
    return fold(text.lower().replace("’", "'"))
