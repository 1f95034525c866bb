"""What a French sentence states that can be checked word by word: numbers with units, dates, names (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.date_values import MONTHS, WEEKDAYS
from qa.question import fold
from qa.tokens import MULTIPLES, ONE, Token, split_tokens, value_of, value_of_words
from qa.word_classes import word_list

__all__ = ["DateFact", "Facts", "NumberFact", "dimension", "read_facts"]

_MEASURES = {
    "time": "seconde minute heure jour semaine mois an siecle",
    "money": "euro dollar livre yen franc",
    "length": "km metre centimetre millimetre mile",
    "area": "km2 metre2 hectare",
    "weight": "kg gramme tonne",
    "speed": "km/h mph",
    "share": "%",
    "heat": "degre",
    "volume": "litre",
}
_DIMENSION = {unit: dimension for dimension, units in _MEASURES.items() for unit in units.split()}
_SPELLINGS = {
    **{"annee": "an", "journee": "jour", "h": "heure", "kilometre": "km", "m": "metre", "cm": "centimetre"},
    **{"mm": "millimetre", "€": "euro", "$": "dollar", "£": "livre", "kilo": "kg", "kilogramme": "kg", "°c": "degre"},
    **{"°": "degre", "pourcent": "%", "ha": "hectare", "min": "minute", "kmh": "km/h"},
}

_OVER = re.compile(r"(?:plus d[e']|au moins|pas moins d[e']|au[- ]dela d[e']|au minimum|superieure?s? a) ?$")
_UNDER = re.compile(r"(?<!pas )(?<!au )(?:moins d[e']|au plus|au maximum|inferieure?s? a) ?$")

_BETWEEN_DAYS = frozenset(("au", "et", "ou", "du", "le", *WEEKDAYS))
_PARTICLES = word_list("le la les de du des d l")
_TITLES = word_list("m mm mme mlle me mgr dr pr st ste")
_OPENERS = word_list(
    "le la les l un une des du de d au aux ce cet cette ces c son sa ses leur leurs mon ma mes notre nos votre vos"
    " il elle ils elles on je j tu nous vous y en et ou mais donc or ni car si"
    " que qu qui quoi dont ou lorsque lorsqu"
    " quand comme puisque puisqu a dans par pour sur sous chez vers avec sans depuis jusqu jusque contre entre"
    " apres avant pendant selon lors des parmi durant malgre grace outre via pres devant derriere hors d'apres ici"
    " la cela celui"
    " celle ceux celles certains certaines plusieurs quelques chaque tout toute tous toutes aucun aucune nul nulle seul"
    " seule seuls seules environ presque plus moins aussi ainsi alors enfin ensuite puis toutefois cependant pourtant"
    " neanmoins aujourd hui hier demain peu tres trop bien deux trois quatre cinq six sept huit neuf dix onze douze"
    " treize quinze vingt trente cent mille faute face afin sauf suite quant meme non oui n ne s se lui eux quel quelle"
    " quels quelles autre autres d'autres dizaine rien personne pas jamais deja encore toujours tandis pourquoi comment"
    " combien cinquante soixante quarante premier premiere monsieur madame total debut fin mi autrefois desormais"
)
_WORDLIKE = re.compile(r"(?:e|ee|es|ees|ant|ment|ie|ies|ue|ues)$")
_MONTHS = {fold(month): number for number, month in enumerate(MONTHS, start=1)}
_ANSWER_OF_YEAR = range(1000, 2200)


@dataclass(frozen=True, slots=True)
class NumberFact:
    """A number with what it counts.

    Attributes:
        value: the number; a time of day is its hours and share of an hour.
        unit: the measure, canonical ("an", "euro", "%"), or None.
        noun: terms of the noun counted where it is no measure, or empty.
        bound: ``over``, ``under`` or None.
        at: place of its first token.
        end: one past the place of its last token, unit included.
        shown: as written.
    """

    value: float
    unit: str | None
    noun: tuple[str, ...]
    bound: str | None
    at: int
    end: int
    shown: str


@dataclass(frozen=True, slots=True)
class DateFact:
    """A date or part of one; what is not said is None. ``decade`` is the first year of "les années 60"."""

    year: int | None
    month: int | None
    day: int | None
    decade: int | None
    weekday: str | None
    at: int
    shown: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What can be checked in a text.

    Attributes:
        tokens: all of it, in order.
        numbers: its numbers that are no dates.
        dates: its dates.
        names: runs of capitalised words: (first token, one past the last).
        taken: places of the tokens of numbers and dates.
        units: measures that it names, with or without a number.
    """

    tokens: tuple[Token, ...]
    numbers: tuple[NumberFact, ...]
    dates: tuple[DateFact, ...]
    names: tuple[tuple[int, int], ...]
    taken: frozenset[int]
    units: frozenset[str]


def read_facts(text: str) -> Facts:
    """Read the numbers, dates and names of a French text of one or several sentences."""
    tokens = tuple(split_tokens(text))
    dates, taken = _dates(tokens)
    numbers = tuple(_numbers(tokens, taken))
    taken = taken | {place for number in numbers for place in range(number.at, number.end)}
    units = frozenset(unit for at in range(len(tokens)) if (unit := _unit(tokens, at)[0]) is not None)
    return Facts(tokens, numbers, dates, tuple(_names(tokens)), frozenset(taken), units)


def dimension(unit: str) -> str:
    """Return what a measure measures: time, money, length and so on."""
    return _DIMENSION[unit]


def _numbers(tokens: Sequence[Token], taken: set[int]) -> Iterator[NumberFact]:
    at = 0
    while at < len(tokens):
        value = None if at in taken else value_of(tokens[at])
        if value is None:
            at += 1
            continue
        end = at + 1
        words = [tokens[at].folded]
        while end < len(tokens) and tokens[end].kind == "word" and tokens[at].kind in ("number", "word"):
            word = tokens[end].folded
            if word == "et" and tokens[at].kind == "word" and _continues_with_one(tokens, end + 1):
                end += 1  # "vingt et un"
                word = tokens[end].folded
                further: float | None = 1.0
            else:
                further = value_of(tokens[end]) if word not in ONE else None
            if tokens[at].kind == "number":
                if word not in MULTIPLES:
                    break
                value *= MULTIPLES[word]
            elif further is None:
                break
            else:
                words.append(word)
                joined = value_of_words([part for each in words for part in each.split("-") if part != "et"])
                value = further if joined is None else joined
            end += 1
        unit, past = _unit_after(tokens, end)
        if value == 1.0 and words[0] in ONE and end == at + 1 and unit is None:
            at += 1  # an article
            continue
        noun = () if unit else _noun_after(tokens, end)
        if tokens[at].kind == "time":
            unit, past, noun = "heure", end, ()
        if tokens[at].kind == "ordinal":
            unit, past = None, end
        shown = " ".join(token.text for token in tokens[at:past])
        yield NumberFact(value, unit, noun, _bound(tokens, at), at, past, shown)
        at = past


def _continues_with_one(tokens: Sequence[Token], at: int) -> bool:
    return at < len(tokens) and tokens[at].folded in (*ONE, "onze")


def _unit_after(tokens: Sequence[Token], at: int) -> tuple[str | None, int]:
    """Return the measure that follows a number, over a "de" or "d'", and one past its last token."""
    start = at + 1 if at < len(tokens) and tokens[at].folded in ("de", "d") else at
    unit, past = _unit(tokens, start)
    return (unit, past) if unit else (None, at)


def _unit(tokens: Sequence[Token], at: int) -> tuple[str | None, int]:
    if at >= len(tokens) or tokens[at].kind != "word":
        return None, at
    word = tokens[at].folded
    if tokens[at].text in ("M", "H"):
        return None, at
    word = _SPELLINGS.get(word, word)
    if word not in _DIMENSION and word.endswith("s"):
        word = _SPELLINGS.get(word[:-1], word[:-1])
    follows = tokens[at + 1].folded if at + 1 < len(tokens) else ""
    if word == "pour" and follows == "cent":
        return "%", at + 2
    if word in ("km", "metre") and follows.startswith("carre"):
        return f"{word}2", at + 2
    return (word, at + 1) if word in _DIMENSION else (None, at)


def _noun_after(tokens: Sequence[Token], at: int) -> tuple[str, ...]:
    for token in tokens[at : at + 3]:
        if token.kind != "word":
            return ()
        if token.terms:
            return token.terms
    return ()


def _bound(tokens: Sequence[Token], at: int) -> str | None:
    before = " ".join(token.folded for token in tokens[max(0, at - 4) : at]).replace("d ", "d'") + " "
    if _OVER.search(before):
        return "over"
    return "under" if _UNDER.search(before) else None


def _dates(tokens: Sequence[Token]) -> tuple[tuple[DateFact, ...], set[int]]:
    """Return the dates of a text and the places of the tokens that they are made of."""
    found: list[DateFact] = []
    taken: set[int] = set()
    for at, token in enumerate(tokens):
        if token.folded in WEEKDAYS or token.folded.removesuffix("s") in WEEKDAYS:
            found.append(DateFact(None, None, None, None, token.folded.removesuffix("s"), at, token.text))
            taken.add(at)
        elif (month := _MONTHS.get(token.folded)) is not None:
            found += _around_month(tokens, at, month, taken)
        elif token.kind == "number" and token.text.isdecimal() and at not in taken:
            found += _year_or_decade(tokens, at, taken)
    return tuple(found), taken


def _around_month(tokens: Sequence[Token], at: int, month: int, taken: set[int]) -> Iterator[DateFact]:
    """Yield the days and the year that stand around the name of a month."""
    following = at + 1
    while following < len(tokens) and tokens[following].folded in ("de", "l", "annee"):
        following += 1
    year = _year(tokens[following]) if following < len(tokens) else None
    if year is not None:
        taken.add(following)
    taken.add(at)
    days: list[int | None] = []
    place = at - 1
    while place >= 0 and (day := _day(tokens[place])) is not None:
        days.append(day)
        taken.add(place)
        place -= 1
        while place >= 0 and (
            tokens[place].folded in ("au", "et", "ou", "du", "le") or tokens[place].folded in WEEKDAYS
        ):
            place -= 1
    shown = " ".join(token.text for token in tokens[max(place + 1, 0) : (following + 1 if year else at + 1)])
    for day in days or [None]:
        yield DateFact(year, month, day, None, None, at, shown)


def _year_or_decade(tokens: Sequence[Token], at: int, taken: set[int]) -> Iterator[DateFact]:
    value = int(tokens[at].text)
    if at and tokens[at - 1].folded == "annees" and value % 10 == 0:
        decade = value if value >= 1000 else (2000 if value < 30 else 1900) + value
        taken.update((at - 1, at))
        yield DateFact(None, None, None, decade, None, at, f"années {tokens[at].text}")
    elif value in _ANSWER_OF_YEAR and len(tokens[at].text) == 4 and not _counts(tokens, at):
        taken.add(at)
        yield DateFact(value, None, None, None, None, at, tokens[at].text)


def _counts(tokens: Sequence[Token], at: int) -> bool:
    """Say whether a number of four figures counts things: a measure or a plural noun follows."""
    if _unit_after(tokens, at + 1)[0] is not None:
        return True
    follows = tokens[at + 1] if at + 1 < len(tokens) else None
    return (
        follows is not None and bool(follows.terms) and follows.folded.endswith(("s", "x")) and follows.text.islower()
    )


def _year(token: Token) -> int | None:
    is_year = token.kind == "number" and len(token.text) == 4 and token.text.isdecimal()
    return int(token.text) if is_year and int(token.text) in _ANSWER_OF_YEAR else None


def _day(token: Token) -> int | None:
    if token.kind not in ("number", "ordinal") or not (digits := re.sub(r"\D", "", token.text)):
        return None
    return int(digits) if len(digits) <= 2 and 1 <= int(digits) <= 31 else None


def _names(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Yield runs of capitalised words; the first word of a sentence only where it looks like no other word."""
    at = 0
    while at < len(tokens):
        if not _is_name(tokens, at):
            at += 1
            continue
        end = at + 1
        while end < len(tokens) and tokens[end].is_capital and not tokens[end].first and _is_name(tokens, end):
            end += 1
        yield at, end
        at = end


def _is_name(tokens: Sequence[Token], at: int) -> bool:
    token = tokens[at]
    if not token.is_capital or token.folded in _TITLES or token.folded in WEEKDAYS or token.folded in _MONTHS:
        return False
    if value_of(token) is not None:
        return False
    if not token.first:
        return token.folded not in _OPENERS or (token.folded in _PARTICLES and at > 0 and _is_name(tokens, at - 1))
    if token.folded in _OPENERS or not token.terms:
        return False
    follows = tokens[at + 1] if at + 1 < len(tokens) else None
    if follows is not None and follows.is_capital:
        return True
    return token.text.isupper() or not _WORDLIKE.search(token.folded)
