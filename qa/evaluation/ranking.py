"""The only door to ir_measures: how high the wanted documents or passages rank."""

from __future__ import annotations

from collections.abc import Sequence, Set

__all__ = ["DEPTHS", "RANKING_MEASURES", "rank_of", "ranking_values"]

DEPTHS = (1, 5, 20)
RANKING_MEASURES = (*(f"recall@{depth}" for depth in DEPTHS), "mrr@10", "ndcg@10")


def ranking_values(wanted: Sequence[Set[str]], ranked: Sequence[Sequence[str]]) -> list[dict[str, float]]:
    """Return `RANKING_MEASURES` for each question, each in [0, 1].

    ``recall@k`` is 1.0 where at least one wanted item is among the first k (ir_measures calls it Success), as one that
    answers is enough; ``mrr@10`` is 1 / rank of the first within ten, else 0.0; ``ndcg@10`` counts every wanted item
    alike (Järvelin and Kekäläinen, ACM TOIS 20, 2002).

    Args:
        wanted: ids that answer each question, at least one each.
        ranked: ids found for it, best first, each once.
    """
    from ir_measures import RR, Qrel, ScoredDoc, Success, iter_calc, nDCG  # noqa: PLC0415 - only evaluation needs it

    measures = dict(zip((*(Success @ depth for depth in DEPTHS), RR @ 10, nDCG @ 10), RANKING_MEASURES, strict=True))
    judged = [Qrel(str(number), name, 1) for number, names in enumerate(wanted) for name in sorted(names)]
    scored = [
        ScoredDoc(str(number), name, -float(place))
        for number, names in enumerate(ranked)
        for place, name in enumerate(names)
    ]
    values: list[dict[str, float]] = [dict.fromkeys(RANKING_MEASURES, 0.0) for _ in wanted]
    for found in iter_calc(list(measures), judged, scored):
        values[int(found.query_id)][measures[found.measure]] = float(found.value)
    return values


def rank_of(wanted: Set[str], ranked: Sequence[str]) -> int | None:
    """Return the rank, from 1, of the first wanted id; None where there is none."""
    return next((place for place, name in enumerate(ranked, start=1) if name in wanted), None)
