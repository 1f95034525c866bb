"""The words of a sentence, their classes, and the names, quantities, dates and quotations among them.

Classes come from closed lists of French function words, from capitals and from digits: enough to say where a short
answer may begin and end, without a tagger.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from qa.word_classes import CLASS_OF, word_list

__all__ = ["Chunk", "Token", "find_chunks", "read_tokens"]

_TOKEN = re.compile(
    r"""
      \d{1,2}\s?[hH](?:\s?\d{2})?(?!\w)                   # 20h, 3h20, 20 h 30
    | \d+(?:[.,\u00a0\u202f ]\d{3})+(?:,\d+)?(?!\d)       # 9.000, 1 200, 1 200,5
    | \d+(?:[.,]\d+)?(?:er|ère|re|e|ème|nd|nde)?(?!\w)    # 12, 12,5, 1er, 3e
    | (?:MM?|Dr|Pr|Me|St)\.(?=\s)                         # M. Guyot
    | (?:[A-ZÉ]\.-?)+(?=\W)                               # J.-C., L. Martin
    | [Aa]ujourd['’]hui
    | (?:\w{1,2}|jusqu|lorsqu|puisqu|quelqu|presqu)['’](?=\w)
    | \w+(?:[-.'’/]\w+)*
    | °[CF]?(?!\w)
    | [^\w\s]
    """,
    re.VERBOSE | re.IGNORECASE,
)
_INVERSION = re.compile(r".+-(?:t-)?(?:il|elle|on|ils|elles|je|nous|vous)$")
_OPENING = {"«": "»", '"': '"', "“": "”"}
_SENTENCE_OPENERS = frozenset(".:?!…q-–—(")
_QUOTES = frozenset('«»"“”')
_PARTICLES = word_list("de d' du des la le l' van von ben bin al el di da del der den dos y & et")
_LOOSE_PARTICLES = frozenset(("et", "le", "la", "l'", "des"))
_MODIFIERS = word_list(
    "plus moins près environ quelque quelques au à jusqu' presque de d' la les le une un des entre quasi seulement"
)
_STRONG_MODIFIERS = word_list("plus moins près environ quelque jusqu' presque entre quasi au")
_COLLECTIVES = re.compile(r"^(?:millions?|milliards?|\w+aines?|milliers?|moitié|tiers|quart)$")
_SYMBOLS = frozenset("%€$£°")
_DATE_OPENERS = word_list("fin début mi")
_POINTERS = word_list("le la l' ce cet cette")
_PERIODS = word_list(
    "semaine mois année an été automne hiver printemps week-end jour matin soir nuit siècle trimestre décennie"
)
_RELATIVES = word_list("prochain prochaine dernier dernière passé passée suivant suivante précédent précédente")
_DAY_PARTS = word_list("matin soir")
_YEAR = re.compile(r"^(?:1\d|20)\d\d$")
_CLOCK = re.compile(r"^\d{1,2}\s?[hH]")


@dataclass(frozen=True, slots=True)
class Token:
    """One word or punctuation mark of a sentence.

    Attributes:
        start: first character in the sentence.
        end: one past the last character in the sentence.
        word: lower-cased, with straight apostrophes, accents kept.
        tag: one letter or mark: D article, B contracted article, P preposition, C conjunction, S subordinator,
            R relative, O pronoun, A auxiliary, V adverb, ``#`` number, M month, J day, T title, I inverted verb,
            N capitalised word, w other word, ``q`` quotation mark, ``%`` symbol of a unit, else the mark itself.
    """

    start: int
    end: int
    word: str
    tag: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Tokens ``first`` to ``last``, both included: a ``name``, ``amount``, ``date``, ``clock`` or ``quote``."""

    first: int
    last: int
    type: str


def read_tokens(text: str) -> list[Token]:
    """Return the words and marks of a sentence in order; white space belongs to none."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        raw = match.group()
        word = raw.lower().replace("’", "'")
        tag = _tag(raw, word)
        if tag == "D" and raw.istitle() and tokens and tokens[-1].tag not in _SENTENCE_OPENERS:
            tag = "N"  # "Marine Le Pen", "à La Rochelle": inside a sentence a capital article belongs to a name
        tokens.append(Token(match.start(), match.end(), word, tag))
    return tokens


def _tag(raw: str, word: str) -> str:
    known = CLASS_OF.get(word.removeprefix("mi-"))
    if known is not None:
        return known
    first = raw[0]
    if first.isdigit():
        return "#"
    if first.isalpha():
        if _INVERSION.match(word):
            return "I"
        return "N" if first.isupper() else "w"
    if raw in _QUOTES:
        return "q"
    return "%" if first in _SYMBOLS else raw


def find_chunks(tokens: list[Token]) -> list[Chunk]:
    """Return the names, amounts, dates, clock times and quotations; a quotation may hold the others."""
    return [*_names(tokens), *_amounts(tokens), *_dates(tokens), *_quotes(tokens)]


def _names(tokens: list[Token]) -> list[Chunk]:
    chunks = []
    i = 0
    while i < len(tokens):
        if tokens[i].tag != "N":
            i += 1
            continue
        last = _name_end(tokens, i)
        chunks.append(Chunk(i, last, "name"))
        i = last + 1
    return chunks


def _name_end(tokens: list[Token], first: int) -> int:
    """Return the last token of the name that begins at ``first``: capitals, and particles between two capitals."""
    last = first
    while last + 1 < len(tokens):
        if tokens[last + 1].tag == "N":
            last += 1
            continue
        step = last + 1
        while step < len(tokens) and step - last <= 2 and tokens[step].word in _PARTICLES:
            step += 1
        if step == last + 1 or step >= len(tokens) or tokens[step].tag != "N":
            return last
        if tokens[last + 1].word in _LOOSE_PARTICLES or tokens[last + 1].word == "y":
            return last
        last = step
    return last


def _amounts(tokens: list[Token]) -> list[Chunk]:
    chunks = []
    i = 0
    while i < len(tokens):
        if tokens[i].tag != "#" or _CLOCK.match(tokens[i].word):
            i += 1
            continue
        last = _amount_end(tokens, i)
        chunks.append(Chunk(_amount_start(tokens, i), last, "amount"))
        i = last + 1
    return chunks


def _amount_start(tokens: list[Token], first: int) -> int:
    """Return where the modifiers of a number begin: "plus de", "près de", "environ", "une" before "dizaine"."""
    start = first
    while start > 0 and tokens[start - 1].word in _MODIFIERS and first - start < 3:
        start -= 1
    while start < first and tokens[start].word not in _STRONG_MODIFIERS:
        if (
            tokens[start].word in ("un", "une", "la", "le")
            and _COLLECTIVES.match(tokens[first].word)
            and start == first - 1
        ):
            break
        start += 1
    return start


def _amount_end(tokens: list[Token], first: int) -> int:
    """Return where a number ends: with its collective, its unit and its symbol."""
    n = len(tokens)
    last = first
    while last + 1 < n and tokens[last + 1].tag == "#":
        last += 1
    if last + 1 < n and tokens[last + 1].tag == "%":
        return last + 1
    linked = last + 1 < n and tokens[last + 1].word in ("de", "d'") and bool(_COLLECTIVES.match(tokens[last].word))
    unit = last + 2 if linked else last + 1
    if unit < n and tokens[unit].tag == "w":
        return unit
    return last


def _dates(tokens: list[Token]) -> list[Chunk]:
    chunks = []
    i = 0
    while i < len(tokens):
        last = _date_end(tokens, i)
        if last is None:
            i += 1
            continue
        is_clock = bool(_CLOCK.match(tokens[i].word))
        chunks.append(Chunk(i, last, "clock" if is_clock else "date"))
        i = last + 1
    return chunks


def _date_end(tokens: list[Token], first: int) -> int | None:
    """Return the last token of the date or clock time that begins here, or None: "12 octobre 2022", "fin mars"."""
    tags = [token.tag for token in tokens[first : first + 5]]
    words = [token.word for token in tokens[first : first + 5]]
    if _CLOCK.match(words[0]):
        return first + (2 if words[1:2] == ["du"] and words[2:3] and words[2] in _DAY_PARTS else 0)
    if _YEAR.match(words[0]):
        return first
    length = _relative_length(words) or _calendar_length(tags, words)
    return first + length - 1 if length else None


def _relative_length(words: list[str]) -> int:
    """Return how many words say a period relative to now, "la semaine prochaine" or "cet été", 0 where none do."""
    if len(words) < 2 or words[0] not in _POINTERS or words[1] not in _PERIODS:
        return 0
    if len(words) > 2 and words[2] in _RELATIVES:
        return 3
    return 2 if words[0].startswith("c") else 0


def _calendar_length(tags: list[str], words: list[str]) -> int:
    """Return how many words say a day or a month, with its year, 0 where none do."""
    length = 1 if tags[0] == "J" else 0
    if words[length : length + 1] and words[length] in _DATE_OPENERS:
        length += 1
    if tags[length : length + 2] == ["#", "M"]:
        length += 2
    elif tags[length : length + 1] == ["M"] or (tags[length : length + 1] == ["#"] and length == 1 and tags[0] == "J"):
        length += 1
    elif tags[0] != "J":
        return 0
    if length < len(words) and (_YEAR.match(words[length]) or words[length] in _RELATIVES):
        length += 1
    return length


def _quotes(tokens: list[Token]) -> list[Chunk]:
    """Return what stands between quotation marks, the marks left out."""
    chunks = []
    opened: int | None = None
    for i, token in enumerate(tokens):
        if token.tag != "q":
            continue
        if opened is not None and (token.word in "»”" or token.word == '"'):
            if i > opened + 1:
                chunks.append(Chunk(opened + 1, i - 1, "quote"))
            opened = None
        elif token.word in _OPENING:
            opened = i
    return chunks
