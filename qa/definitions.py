"""Who somebody is and what a word means: questions of definition, answered by agreement (pure).

The phrases beside the name are read off every sentence that has it (`qa.appositions`). What most documents agree on is
the answer, in the words of the newest of them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from index.analyze import Analyzer
from index.types import Sentence, Span
from qa.appositions import Apposition, find_classes, find_long_forms, find_roles
from qa.question import fold
from qa.question_words import noun_kind
from qa.word_classes import CLASS_OF, word_list

__all__ = [
    "AGREED",
    "CAPITALISED",
    "IS_WHO",
    "QUALIFIERS",
    "SHARE",
    "Definition",
    "Found",
    "Term",
    "best_of",
    "by_what",
    "find_definitions",
    "plain_question",
    "read_term",
    "spellings_of",
    "terms_of",
    "weight_of",
]

IS_WHO = r"(?:(?:mais |et |dis-moi |au fait )?(?:qui (?:est|etait|sont|fut)(?:-ce que?)?|c'?est qui|qui c'?est))"
"""How a question asks who somebody is, folded."""
_WHO = re.compile(rf"^{IS_WHO} (?P<name>.+)$|^(?P<first>.+?),? (?:c'?est qui|qui est-ce|qui c'?est)$")
_WHAT = re.compile(
    r"^(?:que (?:signifie|veut dire|designe) |qu'?est[ -]ce qu(?:e c'est que |e |')|c'?est quoi "
    r"|(?:la )?definition d(?:e |u |'))(?P<name>.+)$"
    r"|^(?P<first>.+?),? (?:c'?est quoi|qu'?est[ -]ce que c'est|(?:ca )?(?:signifie|veut dire) quoi)$"
)
_BEFORE_NAME = re.compile(
    r"^(?:(?:le |l')?(?:sigle|acronyme|mot|terme|abreviation) )?(?:(?:un|une|le|la|les|l'|du|de la|des|d'un|d'une) ?)?"
)
_NOT_A_NAME = word_list("le la les un une des ce cet cette son sa ses leur notre votre mon ma qui que")
_MOST_WORDS = 5
QUALIFIERS = frozenset(["ancien", "ex", "nouveau", "futur"])
"""Terms before a function that do not say which it is."""

CAPITALISED = r"[A-ZÀ-ÖØ-Þ][\w’'-]+"
"""A word of a name."""
_NAME_ALONE = re.compile(rf"^{CAPITALISED}(?: (?:de |du |le |la |d'|von |van |ben )?{CAPITALISED}){{1,2}}$")
_ACRONYM_ALONE = re.compile(r"^[A-Z]{2,6}$")

_VARIANTS: Mapping[str, str] = {
    "a": "aàâäáã", "c": "cç", "e": "eéèêë", "i": "iîïí", "n": "nñ", "o": "oôöóø", "u": "uûüùú", "y": "yÿ",
}  # fmt: skip

AGREED = 2.0
"""Weight from which a wording is shared by documents, not the slip of one."""
SHARE = 0.2
"""Part of the best wording's weight that a newer wording needs to be taken instead."""


@dataclass(frozen=True, slots=True)
class Term:
    """Who or what is to be defined.

    Attributes:
        name: as typed, without articles.
        is_person: whether it was asked who, not what.
    """

    name: str
    is_person: bool


@dataclass(frozen=True, slots=True)
class Definition:
    """A phrase that says who or what something is, or the name of who holds a function.

    Attributes:
        sentence: where it stands.
        phrase: its characters in the document's text.
        weight: how much speaks for it: about the number of documents that agree, at least 0.5.
    """

    sentence: Sentence
    phrase: Span
    weight: float


# -- questions -------------------------------------------------------------------------------------------------------


def read_term(question: str) -> Term | None:
    """Return who or what a question wants defined, as in "Qui est Jens Stoltenberg ?", or None where it asks more.

    A name alone, with its capitals, asks who that is, and an acronym alone what it means.
    """
    text, folded = plain_question(question)
    for pattern, is_person in ((_WHO, True), (_WHAT, False)):
        match = pattern.match(folded)
        if match is not None:
            start, end = match.span("name" if match["name"] else "first")
            if not is_person and (article := _BEFORE_NAME.match(folded[start:end])):
                start += article.end()
            name = text[start:end].strip(" '\"«»“”")
            words = name.split()
            is_name = 0 < len(words) <= _MOST_WORDS and not _is_clause(words, is_person=is_person)
            return Term(name, is_person) if is_name else None
    if _ACRONYM_ALONE.match(text):
        return Term(text, is_person=False)
    return Term(text, is_person=True) if _NAME_ALONE.match(text) else None


def plain_question(question: str) -> tuple[str, str]:
    """Return a question on one line without its mark, and the same folded, of the same length."""
    text = " ".join(question.replace("’", "'").split()).rstrip(" ?!.")
    folded = fold(text.lower())
    return (text, folded) if len(folded) == len(text) else (folded, folded)


def _is_clause(words: Sequence[str], *, is_person: bool) -> bool:
    """Say whether words are more than a name: they have a determiner, a relative pronoun or a verb."""
    folded = [fold(word.lower()) for word in words]
    if is_person and (folded[0] in _NOT_A_NAME or folded[0].startswith(("l'", "d'"))):
        return True
    if is_person and noun_kind(folded[0]) == "who" and not words[0][0].isupper():
        return True  # "Qui est ministre de la Santé ?"
    return any(CLASS_OF.get(word, "") in ("A", "R", "S", "O", "C") or "-t-" in word for word in folded)


# -- answers ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """A phrase with what it is counted by: ``what`` tells answers apart, ``wording`` their wordings."""

    sentence: Sentence
    phrase: Span
    what: Hashable
    wording: tuple[str, ...]
    weight: float


def find_definitions(term: Term, sentences: Iterable[Sentence]) -> tuple[Definition, ...]:
    """Return the phrases that define a term, best first, one for each thing that it is said to be.

    Args:
        term: who or what.
        sentences: where to look; the date of the document of each tells which is newer.
    """
    pattern = spellings_of(term)
    found = []
    for sentence in sentences:
        text, start = sentence.text, sentence.span.start
        for match in pattern.finditer(text):
            for read in _readers(term, match[0]):
                for each in read(text, Span(*match.span())):
                    terms = tuple(terms_of(text[each.span.start : each.span.end]))
                    wording = tuple(term for term in terms if term not in QUALIFIERS)[:3] or terms
                    if wording:
                        phrase = Span(start + each.span.start, start + each.span.end)
                        found.append(Found(sentence, phrase, wording[0], wording, each.weight))
    return _agreed(found)


def _readers(term: Term, written: str) -> Iterator[Callable[[str, Span], Iterator[Apposition]]]:
    if term.is_person:
        yield find_roles
    elif written.isupper() and len(written) > 1:
        yield find_long_forms
    else:
        yield find_classes


def _agreed(found: Iterable[Found]) -> tuple[Definition, ...]:
    return tuple(sorted(map(best_of, by_what(found).values()), key=lambda each: -each.weight))


def by_what(found: Iterable[Found]) -> dict[Hashable, list[Found]]:
    """Return phrases by what they say."""
    groups: dict[Hashable, list[Found]] = defaultdict(list)
    for each in found:
        groups[each.what].append(each)
    return groups


def weight_of(group: Iterable[Found]) -> float:
    """Return the weight of phrases, each document counted once."""
    by_document: dict[str, float] = {}
    for each in group:
        source = each.sentence.document.source
        by_document[source] = max(by_document.get(source, 0.0), each.weight)
    return sum(by_document.values())


def best_of(group: Sequence[Found]) -> Definition:
    """Return the newest of the wordings that enough documents share."""
    wordings: dict[tuple[str, ...], list[Found]] = defaultdict(list)
    for each in group:
        wordings[each.wording].append(each)
    weights = {wording: weight_of(each) for wording, each in wordings.items()}
    # "président" alone says less than "président de la République", however often it is written.
    full = {wording: weight for wording, weight in weights.items() if len(wording) > 1} or weights
    most = max(full.values())
    least = most if most < AGREED else max(AGREED, most * SHARE)
    shared = [each for wording, weight in full.items() if weight >= least for each in wordings[wording]]
    chosen = max(shared, key=lambda each: (each.sentence.document.date or "", weights[each.wording], each.weight))
    return Definition(chosen.sentence, chosen.phrase, weight_of(group))


def spellings_of(term: Term) -> re.Pattern[str]:
    """Return a pattern of a name in any of its spellings: accents, hyphens and apostrophes as they come."""
    first = r"(?:[A-ZÀ-Þ][\w'’-]* ){0,2}" if term.is_person and " " not in term.name else ""
    written = rf"(?<![\w'’-]){first}{''.join(map(_spellings, term.name))}(?![\w-])"
    return re.compile(written, re.IGNORECASE if term.name.islower() else 0)


def _spellings(char: str) -> str:
    if char in " -":
        return "[ -]"
    if char in "'’":
        return "['’]"
    variants = _VARIANTS.get(fold(char.lower()))
    if variants is None:
        return re.escape(char)
    return f"[{variants}{variants.upper()}]" if char.islower() else f"[{variants.upper()}]"


@cache
def _analyzer() -> Analyzer:
    return Analyzer()


def terms_of(text: str) -> list[str]:
    """Return the terms of a phrase."""
    return list(_analyzer().terms(text))
