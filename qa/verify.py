"""Is a statement supported by the sentences that it cites? Answered without a model, word by word (pure).

Strict checks come first, since fluent text is wrong there most often: numbers with their units, dates, names,
negations, words that exclude each other, who did what. Then the share of the content words that the source has, and
the longest run of words that it has not: an invented addition is such a run, a paraphrase is scattered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from index.types import Sentence
from qa.contradictions import find_negation, find_opposite, find_swap
from qa.facts import DateFact, Facts, NumberFact, dimension, read_facts
from qa.tokens import Token
from qa.types import Status
from qa.wording import LEXICAL_NEGATIONS, is_empty_word, same_word

__all__ = ["Verdict", "Verifier", "find_error", "has_every_word", "is_about", "verify_statement"]

_PARTLY = 0.6
"""Least share of content words in the source for full support; chosen on the dev half of `benchmarks/claims.jsonl`."""

_UNSUPPORTED = 0.35
"""Below this share the source is about something else."""

_RUN = 3
"""Content words in a row that the source lacks make an addition."""

_LAST_RUN = 2
"""So many at the end of a statement do, where additions stand."""

_NEGATIVE = frozenset(("ne", "n", "pas", "aucun", "aucune", "jamais", "sans", "ni"))

_BEFORE = 600
"""Characters before a cited sentence in which a name that it does not repeat may stand."""

_REMEMBERED = 4_096


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether sentences support a statement.

    Attributes:
        status: ``supported``, ``partly`` or ``unsupported``.
        reason: what is not supported, as a clause in French; None where all is.
    """

    status: Status
    reason: str | None = None


class Verifier(Protocol):
    """Says whether sentences support a statement; `verify_statement` is the default one."""

    def __call__(self, statement: str, sentences: Sequence[Sentence | str]) -> Verdict:
        """Judge one statement without its markers."""
        ...


def verify_statement(statement: str, sentences: Sequence[Sentence | str]) -> Verdict:
    """Check a French statement against the sentences that it cites.

    Args:
        statement: one statement, without markers.
        sentences: the sentences that it cites, as they are or as text. A `Sentence` lends the date of its document: a
            year or month of the statement may come from there. A name that stands only before it, or in the title,
            supports the statement in part.

    Returns:
        ``unsupported`` where the sentences say otherwise (a number, unit, date, name, negation, contrary word or role
        differs) or nothing of the kind; ``partly`` where a part is not in them; else ``supported``.
    """
    if not sentences:
        return Verdict("unsupported", "aucune source n’est citée")
    error = find_error(statement, sentences)
    if error is not None:
        return Verdict("unsupported", error)
    mine, source = _facts(statement), _source_facts(sentences)
    verdict = _cover(mine, source)
    if verdict.status == "supported" and (reason := _wrong_name(mine, source)) is not None:
        return Verdict("partly", f"{reason}, mais plus haut dans le document")
    return verdict


def find_error(statement: str, sentences: Sequence[Sentence | str]) -> str | None:
    """Return in what a statement differs from its sentences by the strict checks, as a clause in French, or None.

    Args:
        statement: as `verify_statement`.
        sentences: at least one.
    """
    documents = {each.document.date for each in sentences if not isinstance(each, str) and each.document.date}
    mine, source = _facts(statement), _source_facts(sentences)
    return (
        _wrong_number(mine, source)
        or _wrong_unit(mine, source)
        or _wrong_date(mine, source, documents)
        or (_wrong_name(mine, source) and _wrong_name(mine, _surroundings(sentences)))
        or find_negation(mine, source)
        or find_opposite(mine, source)
        or find_swap(mine, source)
    )


def is_about(statement: str, text: str) -> bool:
    """Say whether a text has enough of the content words of a statement to be about the same thing."""
    return _cover(_facts(statement), _facts(text)).status != "unsupported"


def has_every_word(statement: str, text: str) -> bool:
    """Say whether a text has each content word of a statement, in some form of it; names, numbers and dates apart."""
    mine, source = _facts(statement), _facts(text)
    known = {term for token in source.tokens for term in token.terms}
    in_names = {place for start, end in mine.names for place in range(start, end)}
    return all(_is_known(token, known) for place, token in _content(mine) if place not in in_names)


def _source_facts(sentences: Sequence[Sentence | str]) -> Facts:
    """Return the facts of all sentences together; a stop parts them, so that nothing is read across."""
    texts = [each if isinstance(each, str) else each.text for each in sentences]
    return _facts("\n".join(f"{text} ;" if len(texts) > 1 else text for text in texts))


def _surroundings(sentences: Sequence[Sentence | str]) -> Facts:
    """Return the facts of the sentences with what stands before them, where a "he" finds its name."""
    texts = []
    for each in sentences:
        if isinstance(each, str):
            texts.append(each)
            continue
        start = max(each.document.body_start, each.span.start - _BEFORE)
        texts.append(f"{each.document.title or ''} ;\n{each.document.text[start : each.span.end]} ;")
    return _facts("\n".join(texts))


_facts = lru_cache(maxsize=_REMEMBERED)(read_facts)


def _wrong_number(mine: Facts, source: Facts) -> str | None:
    for number in mine.numbers:
        found = [
            other for other in source.numbers if abs(other.value - number.value) < 1e-9 * max(1.0, abs(number.value))
        ]
        years = any(date.year == number.value for date in source.dates)
        if not found and not years:
            if number.value == 1.0:
                continue  # "un an" said of a year that the source counts otherwise: its unit is checked
            return f"le nombre « {number.shown} » n’est pas dans la source"
        if reason := _wrong_count(number, found, source):
            return reason
    return None


def _wrong_count(number: NumberFact, found: Sequence[NumberFact], source: Facts) -> str | None:
    """Return how a number that the source has counts something else there."""
    units = {other.unit for other in found}
    if found and number.unit and number.unit not in units and any(units):
        there = next(other.shown for other in found if other.unit)
        return f"l’unité diffère : « {number.shown} » au lieu de « {there} »"
    if found and number.unit is None and number.noun and any(units):
        known = {term for token in source.tokens for term in token.terms}
        if not any(same_word(term, other) for term in number.noun for other in known):
            return f"« {number.shown} » compte autre chose dans la source : « {found[0].shown} »"
    bounds = {other.bound for other in found}
    if number.bound and found and number.bound not in bounds and ({"over", "under"} & bounds):
        return f"« {number.shown} » : la comparaison est inversée"
    if found and number.noun:
        nouns = {other.noun for other in found}
        elsewhere = {other.noun for other in source.numbers if other not in found}
        if number.noun not in nouns and number.noun in elsewhere:
            return f"« {number.shown} » compte autre chose dans la source"
    return None


def _wrong_unit(mine: Facts, source: Facts) -> str | None:
    for unit in sorted(mine.units - source.units):
        others = {other for other in source.units if dimension(other) == dimension(unit)} - mine.units
        if others:
            return f"l’unité diffère : « {unit} » au lieu de « {min(others)} »"
    return None


def _wrong_date(mine: Facts, source: Facts, documents: Iterable[str]) -> str | None:
    known = [*source.dates, *(_of_document(date) for date in documents)]
    for date in mine.dates:
        if not _is_dated(date, known, source):
            return f"la date « {date.shown} » n’est pas dans la source"
    return None


def _of_document(date: str) -> DateFact:
    year, month, day = (*(int(part) for part in date.split("-")), None, None)[:3]
    return DateFact(year, month, day, None, None, -1, date)


def _is_dated(date: DateFact, known: Sequence[DateFact], source: Facts) -> bool:
    if date.weekday is not None:
        return any(other.weekday == date.weekday for other in known)
    if date.decade is not None:
        return any(other.decade == date.decade for other in known)
    years = {other.year for other in known if other.year is not None}
    if date.month is None:
        return date.year in years or any(number.value == date.year for number in source.numbers)
    same = [other for other in known if other.month == date.month and (date.day is None or other.day == date.day)]
    if not same:
        return False
    if date.year is None:
        return True
    return any(other.year == date.year for other in same) or (
        date.year in years and any(other.year is None for other in same)
    )


def _wrong_name(mine: Facts, source: Facts) -> str | None:
    parts = {part for token in source.tokens for part in token.folded.replace("‑", "-").split("-")}
    whole = {token.folded for token in source.tokens}
    lower = {token.folded for token in source.tokens if token.kind == "word" and token.text.islower()}
    pairs = {(source.tokens[at].folded, source.tokens[at + 1].folded) for at in range(len(source.tokens) - 1)}
    firsts = {source.tokens[at].folded for start, end in source.names for at in range(start, end - 1)}
    for start, end in mine.names:
        shown = " ".join(token.text for token in mine.tokens[start:end])
        for token in mine.tokens[start:end]:
            known = token.folded in whole or all(part in parts for part in token.folded.split("-"))
            if not known and not _is_derived(token.folded, lower, parts):
                return f"le nom « {shown} » n’est pas dans la source"
        for at in range(start, end - 1):
            pair = (mine.tokens[at].folded, mine.tokens[at + 1].folded)
            if pair not in pairs and pair[0] in firsts and pair[0] in whole and not mine.tokens[at].first:
                return f"le nom « {shown} » ne s’y lit pas ainsi"
    return None


def _is_derived(name: str, lower: set[str], parts: set[str]) -> bool:
    """Say whether the source has the adjective of a name ("turque" for "Turquie"), or the name without its plural."""
    if name.rstrip("s") in parts or f"{name}s" in parts:
        return True
    stem = name[: max(4, len(name) - 3)]
    return len(name) >= 5 and any(word.startswith(stem) for word in lower)


def _cover(mine: Facts, source: Facts) -> Verdict:
    known = {term for token in source.tokens for term in token.terms}
    in_names = {place for start, end in mine.names for place in range(start, end)}
    denies = any(token.folded in _NEGATIVE for token in source.tokens)
    n_found = n_words = n_names = 0
    run: list[str] = []
    longest: list[str] = []
    for place, token in _content(mine):
        if place in in_names:
            n_names += 1
            run = []
            continue
        if denies and token.folded.startswith(LEXICAL_NEGATIONS):
            continue  # "refuser" for "ne pas vouloir"; what it denies is compared by itself
        n_words += 1
        if _is_known(token, known):
            n_found += 1
            run = []
        else:
            run = [*run, token.text]
            longest = max(longest, run, key=len)
    share = n_found / n_words if n_words else 1.0
    if n_words and (n_found + n_names) / (n_words + n_names) < _UNSUPPORTED:
        return Verdict("unsupported", "la source ne dit rien de tel")
    if len(longest) >= _RUN or len(run) >= _LAST_RUN or (share < _PARTLY and n_words - n_found > 1):
        return Verdict("partly", f"la source ne dit pas « {' '.join(longest)} »")
    return Verdict("supported")


def _content(facts: Facts) -> Iterator[tuple[int, Token]]:
    """Yield the content words with their places, those of numbers and dates left out."""
    for place, token in enumerate(facts.tokens):
        if place not in facts.taken and token.terms and len(token.text) > 1 and not is_empty_word(token.folded):
            yield place, token


def _is_known(token: Token, known: set[str]) -> bool:
    return all(term in known or any(same_word(term, other) for other in known) for term in token.terms)
