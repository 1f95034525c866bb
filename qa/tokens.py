"""The words, numbers and stops of a French text, and the value of what says a number (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from index.analyze import Analyzer
from qa.question import fold
from qa.word_classes import word_list

__all__ = ["MULTIPLES", "ONE", "Token", "split_tokens", "value_of", "value_of_words"]

_SPACES = " \u00a0\u2009\u202f"
_TOKEN = re.compile(
    rf"(?P<time>(?<![\d.,])\d{{1,2}}[{_SPACES}]?[hH](?:[{_SPACES}]?\d\d)?(?!\w))"
    rf"|(?P<ordinal>\d+(?:ers?|[èe]res?|[eè]mes?|es?|nde?s?)(?!\w))"
    rf"|(?P<number>\d{{1,3}}(?:[{_SPACES}.]\d{{3}})+(?:,\d+)?(?!\d)|\d+(?:[.,]\d+)?)"
    r"|(?P<word>[^\W_]+(?:[-\u2010\u2011][^\W\d_][^\W_]*)*|km/h|°[CF]?|[%€$£])"
    r"|(?P<stop>[.!?…;:()«»“”\"]|,|\s[-–—]\s)"
)
_GROUPING = re.compile(rf"[{_SPACES}.](?=\d{{3}}(?!\d))")

_SMALL = {
    **{"zero": 0, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "neuf": 9, "dix": 10},
    **{"onze": 11, "douze": 12, "treize": 13, "quatorze": 14, "quinze": 15, "seize": 16, "vingt": 20, "vingts": 20},
    **{"trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60, "septante": 70, "huitante": 80, "nonante": 90},
    **{"dizaine": 10, "douzaine": 12, "quinzaine": 15, "vingtaine": 20, "trentaine": 30, "quarantaine": 40},
    **{"cinquantaine": 50, "soixantaine": 60, "un": 1, "une": 1},
    **{"deuxieme": 2, "troisieme": 3, "quatrieme": 4, "cinquieme": 5, "sixieme": 6, "septieme": 7, "huitieme": 8},
    **{"neuvieme": 9, "dixieme": 10, "second": 2, "seconde": 2},
}
MULTIPLES = {
    **{"cent": 100, "cents": 100, "centaine": 100, "mille": 1_000, "millier": 1_000},
    **{"million": 1_000_000, "millions": 1_000_000, "milliard": 10**9, "milliards": 10**9},
}
ONE = word_list("un une")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or stop of a text.

    Attributes:
        text: as written.
        folded: lower case, without accents.
        terms: what the analyzer makes of it; empty for a stop word, a number or punctuation.
        kind: ``word``, ``number``, ``ordinal``, ``time`` or ``stop``.
        first: whether a sentence begins with it.
    """

    text: str
    folded: str
    terms: tuple[str, ...]
    kind: str
    first: bool

    @property
    def is_capital(self) -> bool:
        """Whether it is a word that begins with a capital letter."""
        return self.kind == "word" and self.text[0].isupper()


@cache
def _analyzer() -> Analyzer:
    return Analyzer()


def split_tokens(text: str) -> Iterator[Token]:
    """Yield the words, numbers and stops of a text, in order; white space and other signs are left out."""
    terms = _analyzer().terms
    first = True
    for match in _TOKEN.finditer(text):
        kind, written = match.lastgroup or "", match.group()
        folded = fold(written.lower())
        found = tuple(terms(written)) if kind == "word" and written[0].isalpha() else ()
        yield Token(written, folded, found, kind, first)
        first = kind == "stop" and (first or written in '.!?…;:«“"')


def value_of(token: Token) -> float | None:
    """Return the number that a token says by itself, or None."""
    match token.kind:
        case "number":
            return float(_GROUPING.sub("", token.text).replace(",", "."))
        case "ordinal":
            return float(re.sub(r"\D", "", token.text))
        case "time":
            hours, _, minutes = token.folded.partition("h")
            return int(hours) + int(minutes.strip() or 0) / 60.0
    parts = token.folded.split("-")
    if token.kind != "word" or not all(part in _SMALL or part in MULTIPLES or part == "et" for part in parts):
        return None
    return value_of_words([part for part in parts if part != "et"])


def value_of_words(words: Sequence[str]) -> float | None:
    """Return the value of number words in a row: "quatre vingt dix sept" is 97, "deux cent mille" 200,000."""
    if len(words) > 1 and words[0] in ONE and words[1].endswith("aine"):
        words = words[1:]  # "une dizaine"
    total, current = 0, 0
    for word in words:
        if word in _SMALL:
            value = _SMALL[word]
            current = current - 4 + 80 if value == 20 and current % 10 == 4 and current < 10 else current + value
        else:
            factor = MULTIPLES[word]
            current = max(current, 1) * factor
            if factor >= 1000:
                total, current = total + current, 0
    return float(total + current) if words else None
