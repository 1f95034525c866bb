"""Phrases beside a name or a word that say who or what it is (pure).

French texts define in passing: "le secrétaire général de l'Otan, Jens Stoltenberg", "Patrick Kanner, ancien ministre",
"la Direction générale de la sécurité intérieure (DGSI)", "la dexaméthasone est un corticoïde".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.types import Span
from qa.question import fold
from qa.question_words import PRENOMINAL, noun_kind
from qa.word_classes import CLASS_OF, word_list

__all__ = ["LIKELY", "SURE", "Apposition", "find_classes", "find_long_forms", "find_roles"]

_PIECE = re.compile(r"[\w'’-]+|[^\w\s]")
_WORD = r"[^\W_][\w'’-]*"
_CAPITAL = r"[A-ZÀ-ÖØ-Þ][\w'’-]*"
_DETERMINERS = word_list("le la l les son sa leur un une du au des")
_LINK = re.compile(r",? $")
_BEHIND = re.compile(r"^, (?:le |la |l['’]|un |une |son |sa )?(?=\w)")
_IS = re.compile(
    r"^ (?:est|était|fut|reste|est devenue?)(?: (?:aussi|également|ainsi|donc|en fait|actuellement))? "
    r"(?:le |la |l['’]|un |une )"
)
_IS_A = re.compile(r"^(?:,| \(| est| désigne| sont) (?P<det>un |une |des |l['’]une? des )")
_PHRASE = re.compile(r"[^,.;:!?«»\"“”()\[\]\n]+")
_ENDS = re.compile(
    r"\s(?:qui|que|qu['’]|dont|où|a|ont|est|sont|était|avait|s['’]est|n['’]a|ne|se|et (?:a|qui|dont))\b.*$"
)
_MOST_BACK = 14
_LONGEST = 110
_IN_FRONT = re.compile(rf"{_WORD}(?: (?:{_WORD}|&)){{1,9}}(?=\s*[,(«\"“]*\s*$)")
_OPENS_LONG = re.compile(r"(?: \(|, (?:pour |ou )?)[«\"“]? ?(?=\w)")
_CLOSES = re.compile(r"\s*[)»\"”]")
_ELIDED = re.compile(r"^[ld]['’]", re.IGNORECASE)
_SMALL_WORDS = word_list("de du des la le les l d et en à au aux pour sur un une of the and for")
_ANOTHER = re.compile(rf"^{_WORD} (?:{_CAPITAL} ){{1,2}}{_CAPITAL}$")
"""A role with a name of its own: in "l'ami Eddy Mitchell, Johnny Hallyday" it is not that of the second."""

SURE, LIKELY = 1.0, 0.5
"""Weights of a phrase that is set off or complete by its form, and of one that may be something else."""


@dataclass(frozen=True, slots=True)
class Apposition:
    """A phrase that says who or what a name is.

    Attributes:
        span: its characters in the text that was read, without its article.
        weight: `SURE` or `LIKELY`.
    """

    span: Span
    weight: float


def find_roles(text: str, name: Span, *, noun: str | None = None) -> Iterator[Apposition]:
    """Yield what a sentence says that somebody is: the phrases before and behind the name.

    Args:
        text: the sentence.
        name: whose.
        noun: folded; phrases that begin with it are read, as of a thing, instead of those that a person may be.
    """
    yield from _role_before(text, name.start, noun)
    for pattern in (_IS, _BEHIND):
        opening = pattern.match(text[name.end :])
        if opening is not None:
            begin = name.end + opening.end()
            words = _PIECE.findall(text[begin : begin + 80])
            head = next((word for word in words if fold(word.lower()) not in PRENOMINAL), "")
            if head and _is_role(fold(head.lower()), noun):
                yield from _phrase(text, begin, SURE)


def _role_before(text: str, start: int, noun: str | None) -> Iterator[Apposition]:
    """Read "le secrétaire général de l'Otan, " backwards from a name."""
    link = _LINK.search(text, max(0, start - 2), start)
    if link is None:
        return
    is_set_off = link[0].startswith(",")
    pieces = list(_PIECE.finditer(text, 0, link.start()))[-_MOST_BACK:]
    heads = []
    for place in range(len(pieces) - 1, -1, -1):
        written = pieces[place][0].lower().replace("’", "'")
        word = fold(written)
        if not word[:1].isalnum() or CLASS_OF.get(written, "") in ("A", "V", "S", "R", "O", "C"):
            break
        is_opened = "'" in word or (place > 0 and _opens(pieces[place - 1][0]))
        if is_opened and _is_role(word.rpartition("'")[2], noun):
            heads.append(place)
    if not heads:
        return
    # "le porte-parole du ministre, X" is the spokesman, "le porte-parole du ministre X" speaks for X.
    place = heads[-1] if is_set_off else heads[0]
    begin = pieces[place].end() - len(_unelided(pieces[place][0]))
    is_bare = pieces[place].end() == link.start()
    while place > 0 and fold(_unelided(pieces[place - 1][0]).lower()) in PRENOMINAL - _DETERMINERS:
        place -= 1
        begin = pieces[place].end() - len(_unelided(pieces[place][0]))
    is_whole = is_set_off or is_bare or " d" in text[begin:start]
    yield from _apposition(text, begin, link.start(), SURE if is_whole else LIKELY)


def _is_role(folded: str, noun: str | None) -> bool:
    """Say whether a noun names what one person is, or is the one that is looked for."""
    if noun is not None:
        return folded == noun
    is_one = folded == "fils" or not folded.endswith(("s", "x"))
    return is_one and folded not in PRENOMINAL and noun_kind(folded) == "who"


def _opens(word: str) -> bool:
    return fold(_unelided(word).lower()) in _DETERMINERS | PRENOMINAL or word.lower() in ("de", "à")


def _unelided(word: str) -> str:
    """Return a word without what is elided before it: "ancien" of "L'ancien"."""
    return re.split("['’]", word)[-1]


def find_long_forms(text: str, name: Span) -> Iterator[Apposition]:
    """Yield the words that an acronym stands for: "Direction générale de la sécurité intérieure (DGSI)"."""
    letters = [letter for letter in fold(text[name.start : name.end].lower()) if letter.isalnum()]
    if _CLOSES.match(text, name.end) and (before := _IN_FRONT.search(text[: name.start])):
        pieces = list(_PIECE.finditer(text, before.start(), before.end()))
        for place in range(len(pieces) - 1, -1, -1):
            if _spells(pieces[place:], letters):
                elided = _ELIDED.match(pieces[place][0])
                begin = pieces[place].start() + (elided.end() if elided else 0)
                yield from _apposition(text, begin, pieces[-1].end(), SURE)
                return
    opened = _OPENS_LONG.match(text, name.end)
    if opened and (phrase := _PHRASE.match(text, opened.end())):
        pieces = list(_PIECE.finditer(text, opened.end(), phrase.end()))
        for last in range(len(pieces), 1, -1):
            if _spells(pieces[:last], letters):
                yield from _apposition(text, pieces[0].start(), pieces[last - 1].end(), SURE)
                return


def _spells(pieces: Sequence[re.Match[str]], letters: Sequence[str]) -> bool:
    """Say whether the initials of words spell an acronym, with or without those of small ones."""
    written = _ELIDED.sub("", fold(" ".join(piece[0] for piece in pieces).lower()))
    words = [part for part in re.split("['’ -]", written) if part]
    if not words or not letters or words[0][0] != letters[0] or words[0] in _SMALL_WORDS:
        return False
    full = [word[0] for word in words if word not in _SMALL_WORDS]
    return full == list(letters) or [word[0] for word in words] == list(letters)


def find_classes(text: str, name: Span) -> Iterator[Apposition]:
    """Yield what a sentence says that a thing is: " est un corticoïde", ", une molécule"."""
    if opening := _IS_A.match(text[name.end :]):
        yield from _phrase(text, name.end + opening.start("det"), LIKELY)


def _phrase(text: str, begin: int, weight: float) -> Iterator[Apposition]:
    """Read a phrase up to the next mark or verb."""
    match = _PHRASE.match(text, begin)
    if match is not None:
        yield from _apposition(text, begin, begin + len(_ENDS.sub("", match[0])), weight)


def _apposition(text: str, begin: int, end: int, weight: float) -> Iterator[Apposition]:
    end = begin + len(text[begin:end].rstrip(" -–—"))
    last = text[begin:end].rpartition(" ")[2].lower()
    is_cut = last.endswith(("'", "’")) or CLASS_OF.get(last, "") in ("P", "B", "D", "C")
    # "l'épouse de Carlos Ghosn" says who somebody else is, and nobody is "garde à vue".
    if is_cut or _ANOTHER.match(text[begin:end]) or text.startswith("garde à vue", begin):
        return
    if 0 < end - begin <= _LONGEST:
        yield Apposition(Span(begin, end), weight)
