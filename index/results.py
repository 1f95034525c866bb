"""A whole search, in reading order: read the question, find passages, rank them, read the best, rank again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from index.analyze import Analyzer
from index.asked import Asked, read_asked
from index.catalog import Catalog
from index.embed import Embedder, StaticEmbedder
from index.filters import Filter
from index.rank import FusionWeights
from index.ranker import N_READ, RankedSentences, Ranker
from index.search import check_k, reorder, search_passages
from index.segments import Segments
from index.soft_match import SoftMatch
from index.types import Hit

__all__ = ["SearchResult", "search_in_full"]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found, and what it knew of the question, all of one generation.

    Attributes:
        hits: passages, best first.
        generation: generation of the index that was searched.
        asked: the question as it was searched; words that the corpus does not hold are spelled as the nearest that it
            does.
        ranked: the sentences of the best hits, or None where the hits were put in another order since.
        soft: compares words by their embeddings.
    """

    hits: tuple[Hit, ...]
    generation: int
    asked: Asked
    ranked: RankedSentences | None
    soft: SoftMatch

    def of_generation(self, generation: int) -> SearchResult:
        """Return the result as that of another generation: of the store that an index was made from."""
        return replace(self, generation=generation)

    def with_hits(self, hits: Sequence[Hit]) -> SearchResult:
        """Return the result with other hits, or the same in another order."""
        return replace(self, hits=tuple(hits), ranked=None)


def search_in_full(
    catalog: Catalog,
    segments: Segments,
    text: str,
    *,
    analyzer: Analyzer,
    embedder: Embedder,
    k: int,
    only: Filter,
    weights: FusionWeights | None,
) -> SearchResult:
    """Search one generation.

    Args:
        catalog: read at the generation of ``segments``.
        segments: what is searched.
        text: the question.
        analyzer: the analyzer that the index was made with.
        embedder: the model that it was made with.
        k: passages wanted, at least 1.
        only: which documents may be found.
        weights: order by fused scores alone, with these weights; None for the learned ranker.

    Raises:
        InputError: if ``k < 1``.
    """
    check_k(k)
    ranker = Ranker.bundled() if weights is None else None
    asked = read_asked(text, segments, analyzer=analyzer, embedder=embedder)
    fusion, depth = weights or FusionWeights(), max(k, N_READ) if ranker else k
    hits = search_passages(catalog, segments, asked, k=depth, only=only, weights=fusion, ranker=ranker)
    asked, ranked = asked.spelled_as_in(hits, analyzer), None
    soft = embedder.soft_match if isinstance(embedder, StaticEmbedder) else _bundled_soft_match()
    if ranker is not None:
        read = hits[:N_READ]
        ranked = ranker.rank_sentences(asked, read, analyzer=analyzer, soft=soft)
        hits = reorder(hits, ranker.final_scores(read, ranked))
    return SearchResult(tuple(hits[:k]), segments.generation, asked, ranked, soft)


@lru_cache(maxsize=1)
def _bundled_soft_match() -> SoftMatch:
    """Return the words of the bundled model, for an index that another model made: the ranker was trained on them."""
    return StaticEmbedder.bundled().soft_match
