"""Who holds a function, by what a corpus calls people: "Qui est le maire de Nice ?" (pure).

The names beside the function are read off every sentence that has it (`qa.appositions`), that of a country by its name
or by its adjective (`qa.demonyms`). Who is named so most often, and lately, holds it.
"""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace

from index.date_values import date_bounds
from index.types import Sentence, Span
from qa.appositions import LIKELY, SURE, find_roles
from qa.definitions import (
    AGREED,
    CAPITALISED,
    IS_WHO,
    QUALIFIERS,
    SHARE,
    Definition,
    Found,
    best_of,
    by_what,
    plain_question,
    terms_of,
    weight_of,
)
from qa.demonyms import NATION, with_nations
from qa.question import fold
from qa.question_words import noun_kind
from qa.word_classes import CLASS_OF

__all__ = ["Role", "find_holders", "read_role"]

_ROLE = re.compile(
    rf"^(?:{IS_WHO} (?:le |la |l')?|comment s'appelle (?:le |la |l')|quel est le nom (?:du |de la |de l')"
    r"|quel(?:le)? est (?:le |la |l'))"
    r"(?P<name>.+)$"
)
_NOUNS = {"preside": "président", "entraine": "entraîneur"}
_VERB = re.compile(rf"^(?:c'?est )?qui (?:est-ce )?(?:qui )?(?P<verb>{'|'.join(_NOUNS)}) (?P<of>(?:\S+ ?){{1,6}})$")
_PLACES = frozenset(["capitale"])
"""What places are of others, and are named by in passing: "Lima, la capitale péruvienne"."""
_MOST_WORDS_OF_A_ROLE = 9
_FORMER = frozenset(["ancien", "ex", "dechu", "defunt"])
_OF_A_STATE = "république islamique démocratique populaire fédéral confédération royaume gouvernement état"
"""What may stand between a function and the nation that it is of."""

_WITH_CAPITAL = re.compile(r"\b[A-ZÀ-ÖØ-Þ][\w-]+")
_PARTICLE = r"(?:de (?:la )?|du |des |le |la |d['’]|von (?:der )?|van (?:de[nr] )?|ben |bin |al-)"
_PERSON = re.compile(rf"(?<![\w’'-]){CAPITALISED}(?: {_PARTICLE}?{CAPITALISED}){{1,3}}")

_PLACE = re.compile(rf"(?<![\w’'-]){CAPITALISED}(?: {_PARTICLE}?{CAPITALISED}){{0,2}}")
_ONE_OF = re.compile(r"\b(?:une?|autre) $", re.IGNORECASE)
"""Before a function that more than one held or holds: "un autre président de la République, Jean Durand"."""
_YEARS = re.compile(r"\b(?:de|en|entre|jusqu['’]en|jusqu['’]à) (?:19|20)\d\d\b")
_LENGTH_OF_YEARS = 16
_HALF_LIFE = 90
"""Days after which a document says half as much of who holds a function now: a new holder is soon named more often, and
one who is only remembered never is."""


@dataclass(frozen=True, slots=True)
class Role:
    """What is asked for by its function: "secrétaire général de l'Otan", "capitale du Pérou".

    Attributes:
        name: the function.
        noun: folded, of the function of a place; None for that of a person.
    """

    name: str
    noun: str | None = None


def read_role(question: str) -> Role | None:
    """Return the function whose holder is asked for, as in "Qui est le maire de Nice ?", or None."""
    text, folded = plain_question(question)
    verb = _VERB.match(folded)
    if verb is not None:
        return Role(f"{_NOUNS[verb['verb']]} {text[verb.start('of') :]}")
    match = _ROLE.match(folded)
    if match is None:
        return None
    words = folded[match.start("name") :].split()
    bare = next((word for word in words if word not in QUALIFIERS | {"actuel", "actuelle"}), "")
    is_plain = len(words) <= _MOST_WORDS_OF_A_ROLE and not any(
        CLASS_OF.get(w, "") in ("A", "R", "S", "O") for w in words
    )
    is_told_apart = len(terms_of(folded[match.start("name") :])) > 1  # "Qui est candidat ?" asks for no function
    if not (is_plain and is_told_apart):
        return None
    name = text[match.start("name") :]
    if bare in _PLACES:
        return Role(name, noun=bare)
    return Role(name) if noun_kind(bare) == "who" else None


def find_holders(
    role: Role, sentences: Iterable[Sentence]
) -> tuple[tuple[Definition, ...], frozenset[tuple[str, str]]]:
    """Return the names of those who hold a function, the last one known first, and of others of the same kind.

    Args:
        role: the function; a former one is only sought where it is asked for.
        sentences: as `find_definitions`.

    Returns:
        the names in their sentences, and (source, lower-cased name) of those whom a document only has beside such a
        function of something else: "le président russe Vladimir Poutine" where the president of France is asked for.
    """
    wanted = [term for term in terms_of(with_nations(role.name)) if term != "actuel"]
    kind = next((term for term in wanted if term not in QUALIFIERS), "")
    found, former = [], []
    said: dict[tuple[str, str], list[_Function]] = defaultdict(list)
    for each in _functions(role, kind, sentences):
        terms = set(each.wording)
        is_former = not _FORMER.isdisjoint(terms - set(wanted)) or each.is_over
        if not is_former and _is_of(role, each, wanted):
            found.append(each)
            continue
        if is_former and (terms - _FORMER <= set(wanted) or _is_of(role, each, wanted)):
            former.append(each)
        said[each.sentence.document.source, each.written].append(each)
    holders, left = by_what(found), by_what(former)
    most = max(map(weight_of, holders.values()), default=0.0)
    least = max(most * SHARE, min(AGREED, most))
    newest = max(map(_day, (*found, *former)), default=0)

    def now(name: Hashable) -> tuple[float, float]:
        """What speaks for a name today, less what says that it is over; then what ever spoke for it."""
        held, over = (weight_of(_aged(groups.get(name, ()), newest)) for groups in (holders, left))
        return held - over, weight_of(holders[name])

    shared = [name for name, group in holders.items() if weight_of(group) >= least]
    if all(now(name)[0] <= 0.0 for name in shared):  # all have left: who came after may be named once
        shared = list(holders)
    complement, named = set(wanted) - {kind}, _names_in(role.name)
    others = {key for key, functions in said.items() if _are_of_another(functions, complement, named)}
    return tuple(best_of(holders[name]) for name in sorted(shared, key=now, reverse=True)), frozenset(others)


@dataclass(frozen=True, slots=True)
class _Function(Found):
    """A name beside a function.

    Attributes:
        written: the name in small letters.
        is_over: whether the years are told for which it was held.
        is_one_of: whether more than one hold or held it, as in "un autre président".
        named: terms of the names in the function: "Nice" in "maire de Nice".
    """

    written: str
    is_over: bool
    is_one_of: bool
    named: frozenset[str]


def _functions(role: Role, kind: str, sentences: Iterable[Sentence]) -> Iterator[_Function]:
    """Yield the names that stand beside a function of the same noun."""
    for sentence in sentences:
        text, start = sentence.text, sentence.span.start
        for name in _names(text, is_place=role.noun is not None):
            written = text[name.start : name.end].lower()
            for each in find_roles(text, name, noun=role.noun):
                phrase = text[each.span.start : each.span.end]
                terms = terms_of(with_nations(phrase))
                if next((term for term in terms if term not in QUALIFIERS), None) != kind:
                    continue
                weight = each.weight
                if role.noun is not None:  # "dans la capitale japonaise, Jean Durand a parlé" names no place
                    weight = SURE if each.span.start >= name.end else LIKELY
                elif any(term.startswith(NATION) for term in terms):  # "le président turc Jean Durand" needs no "de"
                    weight = SURE
                yield _Function(
                    sentence,
                    Span(start + name.start, start + name.end),
                    fold(written),
                    tuple(terms),
                    weight,
                    written,
                    is_over=_is_dated(text, each.span),
                    is_one_of=_ONE_OF.search(text[: each.span.start]) is not None,
                    named=_names_in(phrase),
                )


def _aged(group: Iterable[Found], newest: int) -> Iterator[Found]:
    """Yield phrases with less weight the older their documents are beside the newest of all."""
    for each in group:
        yield replace(each, weight=each.weight * 0.5 ** ((newest - _day(each)) / _HALF_LIFE))


def _day(found: Found) -> int:
    """Return the number of the last day that the date of a document stands for; 0 where it has none."""
    date = found.sentence.document.date
    return datetime.date.fromisoformat(date_bounds(date)[1]).toordinal() if date else 0


def _is_dated(text: str, phrase: Span) -> bool:
    """Say whether a function was held for some years, as in "président de 1995 à 2007"; not since one."""
    behind = text[phrase.start : phrase.end + _LENGTH_OF_YEARS]
    return bool(_YEARS.search(behind))


def _is_of(role: Role, function: _Function, wanted: Sequence[str]) -> bool:
    """Say whether a function is the one wanted; of a nation, not of something that has the nation in its name.

    "le président de la République turque" is the president of Turkey, "le président de la Fédération turque de
    football" is not, and neither is "un président turc". A place is nothing more: no "capitale française du parapluie".
    """
    terms = function.wording
    if function.is_one_of or not set(wanted) <= set(terms):
        return False
    if role.noun is not None and not set(terms) - QUALIFIERS <= set(wanted):
        return False
    nations = [terms.index(term) for term in wanted if term.startswith(NATION)]
    return all(set(terms[1:place]) <= {*wanted, *QUALIFIERS, *terms_of(_OF_A_STATE)} for place in nations)


def _are_of_another(functions: Iterable[_Function], wanted: Set[str], named: Set[str]) -> bool:
    """Say whether what a document says that somebody is, is that of another place, body or person.

    "l'avocat de Jean Durand" may be "l'avocat du mari d'Anne Durand"; "le président de la région Bretagne" is not that
    of the region Alsace, nor the French minister the German one.

    Args:
        functions: all that it says.
        wanted: the terms of the function asked for, without its noun.
        named: those of its names.
    """
    nations = {term for term in named if term.startswith(NATION)}
    told = []
    for function in functions:
        theirs = {term for term in function.named if term.startswith(NATION)}
        if nations and theirs and nations.isdisjoint(theirs):
            return True
        terms = set(function.wording[1:]) - QUALIFIERS
        if terms:
            told.append(named.isdisjoint(function.named) if named and function.named else terms.isdisjoint(wanted))
    return bool(told) and all(told)


def _names_in(phrase: str) -> frozenset[str]:
    """Return the terms of the names in a function, and the words of its nations."""
    terms = terms_of(with_nations(phrase))
    written = {term for word in _WITH_CAPITAL.findall(phrase) for term in terms_of(with_nations(word))}
    return frozenset(term for term in terms if term in written or term.startswith(NATION))


def _names(text: str, *, is_place: bool) -> Iterator[Span]:
    """Yield what may be the name of a person or a place; of "Lyon Gérard Collomb" also the last two words."""
    for match in (_PLACE if is_place else _PERSON).finditer(text):
        first, _, rest = match[0].partition(" ")
        if fold(first.lower()) not in CLASS_OF and first != rest:  # "Pour Jean Durand" at the beginning of a sentence
            yield Span(*match.span())
        if (" " in rest or is_place) and rest[:1].isupper():
            yield Span(match.start() + len(first) + 1, match.end())
