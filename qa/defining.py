"""Answers questions of definition from a corpus: who somebody is, how old, who holds a function, what a word means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from index.filters import Filter
from index.rank import FusionWeights
from index.results import SearchResult
from index.searchable import Searchable
from index.types import Hit, Sentence
from qa.ages import find_ages, read_age_question
from qa.asked_dates import without_dates
from qa.definitions import Definition, Term, find_definitions, read_term
from qa.demonyms import with_adjectives
from qa.holders import Role, find_holders, read_role
from qa.types import Evidence

__all__ = ["Defined", "define"]

_FEW, _MANY = 150, 600
"""Passages whose sentences are read: 60 and 200 ms on 33,483 articles. An acronym that everybody knows is rarely
written out, so many are read for one; and who holds a function now stands among many who held it."""

_LEAST = 1.0
"""Weight of a definition that is believed: one phrase that is plain, or two that may be something else."""
_ALSO = 0.4
"""Part of the first one's weight that another definition needs to be shown beside it."""
_MOST_SURE = 0.95


@dataclass(frozen=True, slots=True)
class Defined:
    """What a corpus says to a question of definition.

    Attributes:
        evidence: the sentences that define, best first; empty where none does.
        found: the search that they come from.
        others: sources with the lower-cased names of people who have another function of the same kind there: no
            answers.
    """

    evidence: tuple[Evidence, ...]
    found: SearchResult
    others: frozenset[tuple[str, str]] = frozenset()


def define(question: str, corpus: Searchable, *, only: Filter) -> Defined | None:
    """Look for the answer to a question of definition; None for any other question.

    Args:
        question: as it was understood.
        corpus: where to look.
        only: which documents may answer.

    Returns:
        the evidence; its ``score`` is how surely it answers. On 58 persons of the news the first phrase was right for
        55.
    """
    undated = without_dates(question)
    if undated != question and not (only.since or only.until):
        return None  # who it was then cannot be told from documents of any time
    question = undated
    role, term = read_role(question), read_term(question)
    if role is not None:
        found = corpus.search_in_full(with_adjectives(role.name), k=_MANY, only=only, weights=FusionWeights())
        holders, others = find_holders(role, _sentences(found.hits))
        return Defined(_believed(holders, role), found, others)
    if (aged := read_age_question(question)) is not None:
        found = corpus.search_in_full(f"{aged.name} ans âgé", k=_FEW, only=only, weights=FusionWeights())
        return Defined(_believed(find_ages(aged, _sentences(found.hits)), Term(aged.name, is_person=True)), found)
    if term is None:
        return None
    is_acronym = not term.is_person and term.name.isupper()
    for k in (_FEW, _MANY) if is_acronym else (_FEW,):
        found = corpus.search_in_full(term.name, k=k, only=only, weights=FusionWeights())
        evidence = _believed(find_definitions(term, _sentences(found.hits)), term)
        if evidence:
            break
    return Defined(evidence, found)


def _sentences(hits: Iterable[Hit]) -> Iterator[Sentence]:
    seen = set()
    for hit in hits:
        for sentence in hit.passage.sentences:
            if sentence.place not in seen:
                seen.add(sentence.place)
                yield sentence


def _believed(definitions: tuple[Definition, ...], asked: Term | Role) -> tuple[Evidence, ...]:
    """Return the definitions as evidence: the first, and others that about as many documents have."""
    if not definitions or definitions[0].weight < _LEAST:
        return ()
    first = definitions[0]
    more = [] if isinstance(asked, Role) else [d for d in definitions[1:] if d.weight >= _ALSO * first.weight]
    return tuple(Evidence(d.sentence, min(_MOST_SURE, 1.0 - 0.25 / d.weight), d.phrase) for d in [first, *more])
