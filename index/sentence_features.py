"""What tells whether a sentence answers a question, without a neural reader: numbers for the ranker.

Everything is computed for all sentences of the candidates at once, as matrices of terms by sentences and of word pieces
by word pieces: a sentence in its turn would take ten times as long.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.analyze import Analyzer
from index.asked import Asked, names_among
from index.rank import DIGITS, K1, B, highest_weight, ranks_of, share_of_best, share_of_weight, standard_scores
from index.soft_match import Matched, SoftMatch
from index.types import Hit, Sentence

__all__ = ["SENTENCE_FEATURES", "FoundSentence", "distinct_sentences", "sentence_rows"]

_Places = NDArray[np.int64]

_MEAN_TERMS = 14.0
"""Mean number of terms of a sentence of French news, for the length term of BM25."""

_NEAR_CHARS = 20
"""Characters between two sentences that follow one another."""

_CAPITAL_OR_NUMBER = re.compile(r"(?<=[\s'’«\"(-])[A-ZÀ-ÖØ-Þ][\w-]+|\d+(?:[.,\s]\d+)*")
_YEAR = re.compile(r"(?:19|20)\d\d")
_PRONOUN = re.compile(
    r"^[\s«\"“-]*(?:il|elle|ils|elles|ce|cela|cette|ces|celui|celle|ceux|on|son|sa|ses|leur|leurs)\b", re.I
)
_DATE_WORDS = (
    "lundi mardi mercredi jeudi vendredi samedi dimanche janvier février mars avril mai juin juillet août septembre "
    "octobre novembre décembre hier demain année mois semaine siècle heures"
)
_REASONS = (
    " car ", "parce qu", "en raison d", "à cause d", "afin d", "afin qu", "pour que ", "puisqu", "grâce à", "faute d",
    " motif", " raison", "visant à", "dans le but", "permettre", "éviter",
)  # fmt: skip
_SPEECH = ("«", '"', "“", " déclaré", " affirmé", " expliqué", " indiqué", " précisé", " assuré", " estimé", " ajouté")
_ASKS = {
    "asks_amount": re.compile(
        r"\bcombien|\bquel(?:le)?s?\b.{0,20}\b(?:nombre|montant|prix|taux|part|somme|dur[ée]e|[âa]ge|co[uû]t)", re.I
    ),
    "asks_date": re.compile(
        r"\bquand\b|\bdepuis\b|\bquel(?:le)?s? (?:jour|date|mois|ann[ée]e|heure|si[eè]cle|[ée]poque)", re.I
    ),
    "asks_who": re.compile(r"\bqui\b", re.I),
    "asks_where": re.compile(
        r"\bo[uù]\b|\bquel(?:le)?s? (?:pays|ville|r[ée]gion|lieu|endroit|d[ée]partement|commune)", re.I
    ),
    "asks_why": re.compile(r"\bpourquoi\b|\bpour quelle", re.I),
    "asks_how": re.compile(r"\bcomment\b", re.I),
}

SENTENCE_FEATURES = (
    "cover", "cover_near", "cover_passage", "cover_all", "beyond_title", "cover_share", "lexical", "lexical_share",
    "lexical_rank", "near_lexical", "rarest", "missing", "missing_near", "names", "names_near", "pairs", "tightness",
    "cosine_z", "cosine_share", "cosine_rank", "soft", "soft_share", "soft_near", "soft_missing", "passage",
    "passage_lead", "passage_rank", "place", "in_passage", "length", "n_terms", "n_capitals", "n_numbers", "n_dates",
    "is_question", "has_reason", "has_speech", "starts_with_pronoun", "n_question", "novel", *_ASKS,
)  # fmt: skip
"""The columns of the trees, in order."""


@dataclass(frozen=True, slots=True)
class FoundSentence:
    """A sentence of the hits.

    Attributes:
        sentence: the sentence.
        hit: rank of the first hit that holds it.
        place: where it stands in that hit's passage.
    """

    sentence: Sentence
    hit: int
    place: int


def distinct_sentences(hits: Sequence[Hit]) -> list[FoundSentence]:
    """Return the sentences of the hits, each once, in the order of the hits."""
    seen: set[tuple[str, int]] = set()
    found = []
    for rank, hit in enumerate(hits):
        for place, sentence in enumerate(hit.passage.sentences):
            if sentence.place not in seen:
                seen.add(sentence.place)
                found.append(FoundSentence(sentence, rank, place))
    return found


def sentence_rows(
    asked: Asked, found: Sequence[FoundSentence], hits: Sequence[Hit], *, analyzer: Analyzer, soft: SoftMatch
) -> NDArray[np.float64]:
    """Return the columns of the trees, shape ``(len(found), len(SENTENCE_FEATURES))``.

    Args:
        asked: the question.
        found: `distinct_sentences` of the hits, at least one.
        hits: best first; their ``score`` is the ranker's log-odds of the passage.
        analyzer: text to terms.
        soft: compares words by their embeddings.
    """
    terms = [analyzer.terms(each.sentence.text) for each in found]
    beside = _neighbours(found)
    columns = {
        **_by_terms(asked, terms, found, hits, beside, analyzer),
        **_by_embeddings(soft.read(asked.text, [each.sentence.text for each in found]), beside),
        **_by_place(found, hits),
        **_by_looks(asked, terms, found, analyzer),
        **{name: np.full(len(found), pattern.search(asked.text) is not None) for name, pattern in _ASKS.items()},
    }
    return np.column_stack([columns[name].astype(np.float64) for name in SENTENCE_FEATURES]).round(DIGITS)


def _by_terms(
    asked: Asked,
    terms: Sequence[Sequence[str]],
    found: Sequence[FoundSentence],
    hits: Sequence[Hit],
    beside: tuple[_Places, _Places],
    analyzer: Analyzer,
) -> dict[str, NDArray[Any]]:
    """Return how much of the question the terms of each sentence, of those beside it, of its passage and title hold."""
    weights = np.fromiter(asked.idfs.values(), dtype=np.float64)
    share = weights / (weights.sum() or 1.0)
    counts, pairs, tightness = _matches(asked, terms)
    titles = [frozenset(analyzer.terms(hit.passage.document.title or "")) for hit in hits]
    own = counts > 0
    title = np.array([[term in titles[each.hit] for each in found] for term in asked.idfs], dtype=np.bool_)
    title = title.reshape(own.shape)
    padded = np.pad(own, ((0, 0), (0, 1)))
    near = own | padded[:, beside[0]] | padded[:, beside[1]]
    passage = _by_passage(own, found)
    n_terms = np.array([len(sentence) for sentence in terms], dtype=np.float64)
    norms = K1 * (1.0 - B + B * n_terms / _MEAN_TERMS)
    lexical = share @ (counts / (counts + norms))
    cover, beyond = share @ own, np.append(lexical, 0.0)
    strongest = weights.max(initial=0.0) or 1.0
    names = names_among(asked.text, asked.tokens)
    named = np.where([term in names for term in asked.idfs], weights, 0.0)
    return {
        "cover": cover,
        "cover_near": share @ near,
        "cover_passage": share @ passage,
        "cover_all": share @ (passage | title),
        "beyond_title": share @ (own & ~title),
        "cover_share": share_of_best(cover),
        "lexical": lexical,
        "lexical_share": share_of_best(lexical),
        "lexical_rank": ranks_of(lexical),
        "near_lexical": beyond[beside[0]] + beyond[beside[1]],
        "rarest": highest_weight(weights, own) / strongest,
        "missing": highest_weight(weights, ~(own | title)) / strongest,
        "missing_near": highest_weight(weights, ~(near | title)) / strongest,
        "names": share_of_weight(named, own),
        "names_near": share_of_weight(named, near | title),
        "pairs": pairs,
        "tightness": tightness,
        "n_terms": n_terms,
        "n_question": np.full(len(found), len(weights)),
        "novel": np.array([sum(term not in asked.idfs for term in sentence) for sentence in terms]),
    }


def _matches(
    asked: Asked, terms: Sequence[Sequence[str]]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return how often each term of the question occurs in each sentence, and how the matches stand there.

    Counts, shape ``(n_terms, n)``; the share of the question's neighbouring terms that are neighbours in the sentence
    too, -1.0 where it has none; and the share of matches in the stretch that holds them; shape ``(n,)``.
    """
    number = {term: i for i, term in enumerate(asked.idfs)}
    wanted = frozenset(pairwise(term for term, _, _ in asked.tokens))
    counts = np.zeros((len(number), len(terms)))
    pairs, tightness = np.full(len(terms), -1.0), np.zeros(len(terms))
    for column, sentence in enumerate(terms):
        places = [place for place, term in enumerate(sentence) if term in number]
        for place in places:
            counts[number[sentence[place]], column] += 1.0
        if wanted:
            held = {(sentence[a], sentence[b]) for a, b in pairwise(places) if b == a + 1}
            pairs[column] = len(held & wanted) / len(wanted)
        if len(places) > 1:
            tightness[column] = len(places) / (places[-1] - places[0] + 1)
    return counts, pairs, tightness


def _by_embeddings(matched: Matched, beside: tuple[_Places, _Places]) -> dict[str, NDArray[Any]]:
    padded = np.pad(matched.best, ((0, 0), (0, 1)))
    near = np.maximum(matched.best, np.maximum(padded[:, beside[0]], padded[:, beside[1]]))
    soft, cosines = matched.weights @ matched.best, matched.cosines
    return {
        "cosine_z": standard_scores(cosines, among=cosines),
        "cosine_share": share_of_best(cosines),
        "cosine_rank": ranks_of(cosines),
        "soft": soft,
        "soft_share": share_of_best(soft),
        "soft_near": matched.weights @ near,
        "soft_missing": matched.best.min(axis=0, initial=1.0),
    }


def _by_place(found: Sequence[FoundSentence], hits: Sequence[Hit]) -> dict[str, NDArray[Any]]:
    scores = np.array([hit.score for hit in hits])
    rank = np.array([each.hit for each in found])
    return {
        "passage": scores[rank],
        "passage_lead": scores[rank] - scores.max(),
        "passage_rank": ranks_of(scores)[rank],
        "place": np.array([min(hits[each.hit].passage.first + each.place, 40) for each in found]),
        "in_passage": np.array([each.place for each in found]),
        "length": np.log1p([len(each.sentence.text) for each in found]),
    }


def _by_looks(
    asked: Asked, terms: Sequence[Sequence[str]], found: Sequence[FoundSentence], analyzer: Analyzer
) -> dict[str, NDArray[Any]]:
    """Return what the words of the sentences show, whatever they mean: names, numbers and dates not in the question."""
    dates = frozenset(analyzer.terms(_DATE_WORDS)).difference(asked.idfs)
    rows = []
    for each, sentence in zip(found, terms, strict=True):
        text = each.sentence.text
        lower = text.lower()
        seen = [match for match in _CAPITAL_OR_NUMBER.findall(text) if match not in asked.text]
        numbers = [match for match in seen if match[0].isdigit()]
        years = sum(_YEAR.fullmatch(number) is not None for number in numbers)
        rows.append(
            (
                min(len(seen) - len(numbers), 8),
                min(len(numbers), 8),
                min(sum(term in dates for term in sentence) + years, 8),
                text.rstrip(' "»”').endswith("?"),
                any(words in lower for words in _REASONS),
                any(words in lower for words in _SPEECH),
                _PRONOUN.match(text) is not None,
            )
        )
    names = "n_capitals", "n_numbers", "n_dates", "is_question", "has_reason", "has_speech", "starts_with_pronoun"
    return dict(zip(names, np.array(rows, dtype=np.float64).T, strict=True))


def _neighbours(found: Sequence[FoundSentence]) -> tuple[_Places, _Places]:
    """Return where the sentence before and after each stands, ``len(found)`` where it is not among them."""
    order = sorted(range(len(found)), key=lambda i: found[i].sentence.place)
    before, after = np.full(len(found), len(found)), np.full(len(found), len(found))
    for left, right in pairwise(order):
        a, b = found[left].sentence, found[right].sentence
        if a.document.source == b.document.source and b.span.start - a.span.end < _NEAR_CHARS:
            before[right], after[left] = left, right
    return before, after


def _by_passage(own: NDArray[np.bool_], found: Sequence[FoundSentence]) -> NDArray[np.bool_]:
    """Return which terms the passage of each sentence holds, repeated sentences left out."""
    rank = np.array([each.hit for each in found])
    starts = np.flatnonzero(np.append(True, rank[1:] != rank[:-1]))
    held: NDArray[np.bool_] = np.logical_or.reduceat(own, starts, axis=1)[:, np.searchsorted(rank[starts], rank)]
    return held
