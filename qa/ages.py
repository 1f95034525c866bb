"""How old somebody is: "Quel âge a Carlos Ghosn ?", by what texts say beside the name (pure).

Any sentence with an age and the name looks like an answer, and most are about somebody else's. An age is only read
where it is said of the name itself: "Carlos Ghosn, 66 ans", "à 66 ans, Carlos Ghosn". Ages of different days that come
from about one year of birth say the same; the newest of them is the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from index.types import Sentence, Span
from qa.definitions import Definition, Term, plain_question, spellings_of

__all__ = ["AgeQuestion", "find_ages", "read_age_question"]

_ASKED = tuple(
    re.compile(pattern)
    for pattern in (
        r"^quel age (?:avait|a) (?P<name>.+)$",
        r"^quel age (?P<name>.+) (?:avait|a)-t-(?:il|elle)$",
        r"^quel (?:est|etait) l'age (?:de (?:la )?|d'|du )(?P<name>.+)$",
        r"^(?P<name>.+?),? (?:avait|a) quel age$",
    )
)
_TITLE = re.compile(r"^(?:(?:le|la|l'|un|une|monsieur|madame|m\.|mme|president|presidente|reine|roi|pape) ?)+")
_PARTICLES = frozenset(["de", "du", "la", "le", "ben", "von", "van", "der", "al"])
_MOST_WORDS = 4

_AGE = r"(?P<age>\d{1,3}) ans"
_AGED = rf"(?:âgée? (?:aujourd['’]hui |alors )?d(?:e |['’]))?{_AGE}"
_ENDS = r"(?=\W*$|\s*[,.;:)\]»\"]| (?:et|est|a|ont|sera|était|qui|avait)\b)"
_NOW = r"(?:aujourd['’]hui |actuellement |alors |désormais )?"
_BEHIND = re.compile(
    rf"^(?:,|,? \(|,? qui (?:a|avait|est|était)| (?:a|avait|est|était)) ?{_NOW}{_AGED}{_ENDS}"
    r"|^,? (?:qui )?(?:a fêté|fête|fêtait|fêtera|célèbre|célébrait|vient de fêter|souffle|soufflera) (?:\S+ ){0,3}?ses "
    r"(?P<years>\d{1,3}) (?:ans|bougies)"
)
_DIED = re.compile(
    r"^(?:,[^.]{0,80},)? (?:(?:est|était) |s['’]est )?(?:mort|décédé|éteint|disparu|mourait|meurt|décède)e?\b"
    rf"[^.;]{{0,80}}? à (?:l['’]âge de )?{_AGE}"
)
_BEFORE = re.compile(
    rf"(?:\bà (?:seulement |tout juste |l['’]âge de )?|\bâgée? d(?:e |['’])(?:seulement )?){_AGE}, "
    r"(?:(?:le|la|l['’]|son|sa) ?(?:\S+ ){0,6}?)?$",
    re.IGNORECASE,
)
_YEARS = " ans"
_OLDEST = 122
"""The oldest age that anybody reached (Jeanne Calment, 1997)."""
_APART = 1
"""Years between two estimates of one year of birth: the birthday may have been or not."""


@dataclass(frozen=True, slots=True)
class AgeQuestion:
    """Whose age is asked for: the name as typed, without title or article."""

    name: str


def read_age_question(question: str) -> AgeQuestion | None:
    """Return whose age a question asks for, or None where it asks something else, or the age of a certain time."""
    text, folded = plain_question(question)
    match = next(filter(None, (pattern.match(folded) for pattern in _ASKED)), None)
    if match is None:
        return None
    start, end = match.span("name")
    title = _TITLE.match(match["name"])
    name = text[start + (title.end() if title else 0) : end].strip()
    words = name.split()
    if not 0 < len(words) <= _MOST_WORDS:
        return None
    is_name = all(word[0].isupper() or word in _PARTICLES for word in words) or (name.islower() and len(words) > 1)
    return AgeQuestion(name) if is_name and words[-1].lower() not in _PARTICLES else None


@dataclass(frozen=True, slots=True)
class _Age:
    """An age where it stands, "66 ans".

    Attributes:
        sentence: that tells it.
        span: its characters in the document's text.
        years: how many.
    """

    sentence: Sentence
    span: Span
    years: int

    @property
    def born(self) -> int:
        """Year of birth, about; years before the document where that has no date."""
        date = self.sentence.document.date
        return (int(date[:4]) if date else 0) - self.years


def find_ages(asked: AgeQuestion, sentences: Iterable[Sentence]) -> tuple[Definition, ...]:
    """Return the age as the newest document has it that agrees with most of the others; empty where none says it.

    Args:
        asked: whose age.
        sentences: where to look; the dates of their documents tell in which year an age was that.
    """
    pattern = spellings_of(Term(asked.name, is_person=True))
    found = [age for sentence in sentences for age in _ages_of(pattern, sentence)]
    if not found:
        return ()

    def agreeing(age: _Age) -> list[_Age]:
        return [other for other in found if abs(other.born - age.born) <= _APART]

    def n_documents(age: _Age) -> int:
        return len({other.sentence.document.source for other in agreeing(age)})

    first = max(found, key=n_documents)
    newest = max(agreeing(first), key=lambda age: age.sentence.document.date or "")
    return (Definition(newest.sentence, newest.span, float(n_documents(first))),)


def _ages_of(name: re.Pattern[str], sentence: Sentence) -> Iterator[_Age]:
    """Yield the ages that a sentence tells of a name."""
    text = sentence.text
    for match in name.finditer(text):
        behind = text[match.end() :]
        for read, offset in (
            (_BEHIND.match(behind) or _DIED.match(behind), match.end()),
            (_BEFORE.search(text[: match.start()]), 0),
        ):
            if read is None:
                continue
            group = "age" if read.groupdict()["age"] else "years"
            start, years = sentence.span.start + offset + read.start(group), int(read[group])
            length = len(read[group]) + (len(_YEARS) if read.string.startswith(_YEARS, read.end(group)) else 0)
            if 0 < years <= _OLDEST:
                yield _Age(sentence, Span(start, start + length), years)
