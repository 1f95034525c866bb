"""What tells whether a sentence answers a question, without a neural reader: numbers for the boosted trees (pure)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, get_args

from index.rank import bm25
from qa.types import Kind, Question

__all__ = ["CHEAP_FEATURES", "FEATURES", "KINDS", "Context", "QuestionTerms", "SentenceTerms", "features"]

KINDS: tuple[Kind, ...] = get_args(Kind)

_MEAN_TERMS = 14.0
"""Mean number of terms of a sentence of French news, for the length term of BM25."""

_NUMBER = re.compile(r"\d")
_REASON = re.compile(
    r"\b(?:car|parce qu|en raison d|à cause d|afin d|afin qu|pour que|puisqu|grâce à|faute d|motif|raison|visant à|"
    r"dans le but|permettre|éviter)",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"^[\s«\"“-]*(?:il|elle|ils|elles|ce|cela|cette|ces|celui|celle|ceux|on|son|sa|ses|leur|leurs)\b", re.I
)
_CAPITAL = re.compile(r"(?<=[\s'’«\"(-])[A-ZÀ-ÖØ-Þ][\w-]+")


@dataclass(frozen=True, slots=True)
class QuestionTerms:
    """The terms of a question with their weights.

    Attributes:
        question: the question.
        idfs: inverse document frequency of each term, above 0.
        names: the terms that were written with a capital or a digit.
        pairs: neighbouring terms, in order.
        total: the sum of the idfs.
    """

    question: Question
    idfs: Mapping[str, float]
    names: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    total: float

    @classmethod
    def read(
        cls, question: Question, tokens: Sequence[tuple[str, int, int]], idfs: Mapping[str, float]
    ) -> QuestionTerms:
        """Make them from the analyzer's tokens of ``question.understood_as``."""
        text = question.understood_as
        names = frozenset(t for t, start, end in tokens if start and re.search(r"[A-ZÀ-ÖØ-Þ\d]", text[start:end]))
        pairs = frozenset(pairwise(term for term, _, _ in tokens))
        return cls(question, idfs, names, pairs, sum(idfs.values()))


@dataclass(frozen=True, slots=True)
class SentenceTerms:
    """A sentence with its terms in order."""

    text: str
    terms: Sequence[str]


@dataclass(frozen=True, slots=True)
class Context:
    """What surrounds a sentence.

    Attributes:
        before: terms of the sentence before it, empty at the start.
        after: terms of the sentence after it, empty at the end.
        title: terms of the document's title.
        passage: terms of the passage.
        position: index of the sentence in its document, from 0.
        passage_rank: rank of its passage, from 0.
        passage_score: fused score of its passage.
        best_score: fused score of the best passage.
        passage_dense: cosine of its passage.
        sentence_dense: cosine of the sentence.
    """

    before: Sequence[str]
    after: Sequence[str]
    title: frozenset[str]
    passage: frozenset[str]
    position: int
    passage_rank: int
    passage_score: float
    best_score: float
    passage_dense: float
    sentence_dense: float


CHEAP_FEATURES = (
    "cover", "cover_near", "cover_title", "cover_passage", "cover_all", "cover_beyond_title", "bm25", "bm25_rank",
    "rarest", "names", "names_all", "pairs", "tightness", "n_question", "n_terms", "length", "position",
    "passage_rank", "passage_score", "passage_share", "passage_dense", "sentence_dense", "dense_rank", "n_capitals",
    "n_numbers", "is_question", "has_reason", "starts_with_pronoun", "quoted",
    *(f"kind_{kind}" for kind in KINDS),
)  # fmt: skip
"""The columns of the first trees, in order: what is known of every sentence of the hits. ``bm25_rank`` and
``dense_rank`` compare a sentence with the others: 1.0 for the best, else the share of the best."""

FEATURES = (*CHEAP_FEATURES, "first", "answer", "answer_rank")
"""The columns of the second trees: the log-odds that the first ones gave, the probability that the sentence holds a
short answer, and that probability compared with the other sentences read closely."""


def features(asked: QuestionTerms, sentence: SentenceTerms, context: Context) -> dict[str, float]:
    """Return the cheap features of one sentence by name, but for those that compare it with others.

    Args:
        asked: the question.
        sentence: the sentence.
        context: what surrounds it.
    """
    own = set(sentence.terms)
    near = {*context.before, *own, *context.after}
    kind = asked.question.kind
    capitals = [word for word in _CAPITAL.findall(sentence.text) if word not in asked.question.understood_as]
    values = {
        "cover": _cover(asked, own),
        "cover_near": _cover(asked, near),
        "cover_title": _cover(asked, context.title),
        "cover_passage": _cover(asked, context.passage),
        "cover_all": _cover(asked, context.passage | context.title),
        "cover_beyond_title": _cover(asked, own - context.title),
        "bm25": _bm25(asked, sentence.terms),
        "rarest": _rarest(asked, own),
        "names": _share(asked.names, own),
        "names_all": _share(asked.names, context.passage | context.title),
        "pairs": _share(asked.pairs, set(pairwise(sentence.terms))),
        "tightness": _tightness(asked, sentence.terms),
        "n_question": float(len(asked.idfs)),
        "n_terms": float(len(sentence.terms)),
        "length": math.log1p(len(sentence.text)),
        "position": float(min(context.position, 20)),
        "passage_rank": float(context.passage_rank),
        "passage_score": context.passage_score,
        "passage_share": context.passage_score / context.best_score if context.best_score > 0 else 0.0,
        "passage_dense": context.passage_dense,
        "sentence_dense": context.sentence_dense,
        "n_capitals": float(min(len(capitals), 6)),
        "n_numbers": float(min(len(_NUMBER.findall(sentence.text)), 8)),
        "is_question": float(sentence.text.rstrip(' "»”').endswith("?")),
        "has_reason": float(_REASON.search(sentence.text) is not None),
        "starts_with_pronoun": float(_PRONOUN.match(sentence.text) is not None),
        "quoted": float(sentence.text[:1] in '"«“'),
    }
    return values | {f"kind_{name}": float(name == kind) for name in KINDS}


def _cover(asked: QuestionTerms, terms: Set[str]) -> float:
    """Return the share of the question's weight that the terms hold, in [0, 1]."""
    if not asked.total:
        return 0.0
    return sum([weight for term, weight in asked.idfs.items() if term in terms]) / asked.total


def _bm25(asked: QuestionTerms, terms: Sequence[str]) -> float:
    """Return the sentence's BM25 as a share of the question's weight."""
    return bm25(terms, asked.idfs, mean_terms=_MEAN_TERMS) / asked.total if asked.total else 0.0


def _rarest(asked: QuestionTerms, terms: set[str]) -> float:
    """Return how much of the weight of the question's rarest term is reached by its rarest matched one, in [0, 1]."""
    best = max(asked.idfs.values(), default=0.0)
    matched = max((weight for term, weight in asked.idfs.items() if term in terms), default=0.0)
    return matched / best if best else 0.0


def _share(wanted: frozenset[Any], held: Set[Any]) -> float:
    """Return the share of the wanted that is held, -1.0 where nothing is wanted."""
    return len(wanted & held) / len(wanted) if wanted else -1.0


def _tightness(asked: QuestionTerms, terms: Sequence[str]) -> float:
    """Return how close together the matched terms stand: matches by the length of the stretch that holds them."""
    places = [place for place, term in enumerate(terms) if term in asked.idfs]
    return len(places) / (places[-1] - places[0] + 1) if len(places) > 1 else 0.0
