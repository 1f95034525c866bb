"""Where a statement says the contrary of its source, or gives one's part to another (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa.facts import Facts
from qa.tokens import Token
from qa.word_classes import word_list
from qa.wording import LEXICAL_NEGATIONS, OPPOSITES, same_word

__all__ = ["find_negation", "find_opposite", "find_swap"]

_NE = word_list("ne n")
_DENIES = word_list("pas jamais aucun aucune rien ni guere nullement nul nulle sans")
_WITH_NE = word_list("plus personne")
_NO_DENIAL = ("tard", "cess", "manqu", "hesit", "ignor", "oubli")
"""How verbs begin that a negation turns into its contrary: "ne pas tarder" is to do it at once."""

_REACH = 7
"""Tokens after "ne" in which what it denies stands."""

_NEAR = 3
"""Small words between a name or number and the content word next to it."""

_DENIED = 4
"""Content words that a denial reaches."""

_DETERMINERS = word_list("le la les l un une son sa ses leur leurs ce cet cette ces au aux")
_OBLIQUE = word_list(
    "de d du des selon apres dans en sur lors chez pour avec depuis vers sous contre entre rapporte indique souligne"
    " precise assure sans malgre pendant sein"
)


@dataclass(frozen=True, slots=True)
class _Denial:
    """A negation and the terms that it denies, nearest first."""

    grammatical: bool
    scope: tuple[str, ...]


def find_negation(statement: Facts, source: Facts) -> str | None:
    """Return what one of the two denies and the other does not, as a clause in French, or None."""
    mine, theirs = list(_denials(statement.tokens)), list(_denials(source.tokens))
    denied = {term for denial in theirs for term in denial.scope}
    source_terms = _terms(source)
    for denial in mine:
        if not denial.grammatical:
            continue
        shared = [term for term in denial.scope if _within(term, source_terms)]
        if not theirs or (shared and not any(_within(term, denied) for term in shared)):
            return "la négation n’est pas dans la source"
    denied = {term for denial in mine for term in denial.scope}
    own_terms = _terms(statement)
    for denial in theirs:
        if not denial.scope or (mine and not denial.grammatical):
            continue
        nearest = denial.scope[:2] if denial.grammatical else denial.scope[1:2]
        shared = [term for term in nearest if _within(term, own_terms)]
        if nearest and len(shared) == len(nearest) and not any(_within(term, denied) for term in denial.scope):
            return "la source porte une négation que la phrase n’a pas"
    return None


def find_opposite(statement: Facts, source: Facts) -> str | None:
    """Return the word of the statement whose contrary stands in the source, as a clause in French, or None."""
    mine, theirs = _words(statement), _words(source)
    for pair in OPPOSITES:
        for one, other in (pair, pair[::-1]):
            said, instead = mine & one, theirs & other
            if said and instead and not theirs & one and not mine & other:
                return f"« {min(said)} » au lieu de « {min(instead)} »"
    return None


def find_swap(statement: Facts, source: Facts) -> str | None:
    """Return whose part the statement gives to another, as a clause in French, or None.

    Two rules: what stands beside a name or number in the source stands beside another one in the statement; or two
    persons or things change sides of the same verb in the same voice.
    """
    return _misplaced(statement, source) or _reversed(statement, source)


def _words(facts: Facts) -> set[str]:
    return {token.folded for token in facts.tokens if token.kind == "word"}


def _terms(facts: Facts) -> set[str]:
    return {term for token in facts.tokens for term in token.terms}


def _within(term: str, terms: set[str]) -> bool:
    return term in terms or any(same_word(term, other) for other in terms)


def _denials(tokens: Sequence[Token]) -> Iterator[_Denial]:
    for at, token in enumerate(tokens):
        word = token.folded
        if token.kind != "word":
            continue
        start = next((back for back in range(at, max(-1, at - 5), -1) if tokens[back].folded in _NE), None)
        follows = tokens[at + 1].folded if at + 1 < len(tokens) else ""
        if word in _DENIES and not (word == "pas" and follows in ("moins", "seulement")):
            begin = at if start is None else start
            if tokens[min(at + 1, len(tokens) - 1)].folded.startswith(_NO_DENIAL):
                continue
            yield _Denial(True, _scope(tokens, begin))
        elif word in _WITH_NE and start is not None:
            yield _Denial(True, _scope(tokens, start))
        elif word.startswith(LEXICAL_NEGATIONS):
            yield _Denial(False, (*token.terms, *_scope(tokens, at)))


def _scope(tokens: Sequence[Token], begin: int) -> tuple[str, ...]:
    scope: list[str] = []
    for token in tokens[begin + 1 : begin + 1 + _REACH + _DENIED]:
        if token.kind == "stop" and token.text.strip() not in ("“", "”", "«", "»", '"', ","):
            break
        if token.folded not in _DENIES:
            scope += token.terms
    return tuple(scope[:_DENIED])


@dataclass(frozen=True, slots=True)
class _Anchor:
    kind: str
    key: str
    start: int
    end: int


def _anchors(facts: Facts) -> list[_Anchor]:
    names = [_Anchor("name", facts.tokens[end - 1].folded, start, end) for start, end in facts.names]
    numbers = [_Anchor("number", f"{number.value:g}", number.at, number.end) for number in facts.numbers]
    return names + numbers


def _beside(facts: Facts, anchor: _Anchor, in_names: set[int]) -> Iterator[str]:
    """Yield the content words next to an anchor with their side, over small words; over a comma to the right only."""
    before, after = range(anchor.start - 1, -1, -1), range(anchor.end, len(facts.tokens))
    for side, places in (("left", before), ("right", after)):
        for step, place in enumerate(places):
            token = facts.tokens[place]
            if step > _NEAR or (token.kind == "stop" and (token.text.strip() != "," or side == "left")):
                break
            if token.folded in _DETERMINERS and side == "right" and facts.tokens[place - 1].kind == "stop":
                break
            if place in in_names or place in facts.taken:
                if anchor.kind == "number" and place in in_names:
                    yield f"{side} {token.folded}"
                break
            if token.terms:
                yield f"{side} {token.terms[0]}"
                break


def _slots(facts: Facts) -> tuple[dict[tuple[str, str], set[str]], list[tuple[_Anchor, set[str]]]]:
    in_names = {place for start, end in facts.names for place in range(start, end)}
    slots: dict[tuple[str, str], set[str]] = {}
    beside = []
    for anchor in _anchors(facts):
        near = set(_beside(facts, anchor, in_names))
        beside.append((anchor, near))
        for term in near:
            slots.setdefault((anchor.kind, term), set()).add(anchor.key)
    return slots, beside


def _misplaced(statement: Facts, source: Facts) -> str | None:
    theirs, places = _slots(source)
    known = {(anchor.kind, anchor.key) for anchor, _ in places}
    mine = {(anchor.kind, anchor.key) for anchor in _anchors(statement)}
    stays, beside = _slots(statement)
    for anchor, near in beside:
        if (anchor.kind, anchor.key) not in known:
            continue
        own = next((terms for each, terms in places if (each.kind, each.key) == (anchor.kind, anchor.key)), set())
        for term in sorted(near - own):
            others = theirs.get((anchor.kind, term), set()) - stays.get((anchor.kind, term), set())
            if any((anchor.kind, key) in mine for key in others):
                shown = " ".join(token.text for token in statement.tokens[anchor.start : anchor.end])
                return f"« {shown} » est mis à la place d’un autre"
    return None


def _parties(facts: Facts) -> list[tuple[str, int]]:
    """Return the names and the nouns with a determiner that may be subject or object: (key, place)."""
    parties = []
    ends = dict(facts.names)
    for place, token in enumerate(facts.tokens):
        before = facts.tokens[place - 1] if place else None
        if place in ends:
            if before is None or before.folded not in _OBLIQUE:
                parties.append((facts.tokens[ends[place] - 1].folded, place))
        elif token.terms and before is not None and before.folded in _DETERMINERS and place not in facts.taken:
            earlier = facts.tokens[place - 2].folded if place > 1 else ""
            if earlier not in _OBLIQUE:
                parties.append((token.terms[0], place))
    return parties


def _reversed(statement: Facts, source: Facts) -> str | None:
    mine, theirs = dict(_parties(statement)), dict(_parties(source))
    shared = sorted(mine.keys() & theirs.keys(), key=lambda key: mine[key])
    for first, one in enumerate(shared):
        for other in shared[first + 1 :]:
            mine_at, theirs_at = (mine[one], mine[other]), (theirs[other], theirs[one])
            if theirs_at[0] < theirs_at[1] and _same_verb(statement, source, mine_at, theirs_at):
                left, right = (statement.tokens[place].text for place in mine_at)
                return f"les rôles de « {left} » et « {right} » sont inversés"
    return None


def _same_verb(statement: Facts, source: Facts, mine: tuple[int, int], theirs: tuple[int, int]) -> bool:
    between, there = _between(statement, mine), _between(source, theirs)
    passive = [
        any(token.folded == "par" for token in facts.tokens[place[0] : place[1]])
        for facts, place in ((statement, mine), (source, theirs))
    ]
    return bool(between & there) and passive[0] == passive[1]


def _between(facts: Facts, places: tuple[int, int]) -> set[str]:
    """Return the content words between two places of one clause, names and dates left out; none over a stop."""
    tokens = facts.tokens[places[0] + 1 : places[1]]
    if any(token.kind == "stop" for token in tokens):
        return set()
    in_names = {place for start, end in facts.names for place in range(start, end)}
    skipped = in_names | facts.taken
    return {
        term for place in range(places[0] + 1, places[1]) if place not in skipped for term in facts.tokens[place].terms
    }
