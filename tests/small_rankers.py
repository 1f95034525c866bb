"""Rankers small enough to be read: one split for each feature, and what they say told row by row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from index.passage_features import PASSAGE_FEATURES
from index.ranker import Ranker
from index.sentence_features import SENTENCE_FEATURES
from index.trees import BoostedTrees

LEAF = {"feature": [-1], "threshold": [0], "left": [0], "right": [0], "value": [0.0]}


def stump(column: int, threshold: float, low: float, high: float) -> dict[str, list[Any]]:
    """Return the tree that says ``low`` where a column is at most ``threshold``, else ``high``."""
    return {
        "feature": [column, -1, -1],
        "threshold": [threshold, 0, 0],
        "left": [1, 0, 0],
        "right": [2, 0, 0],
        "value": [0.0, low, high],
    }


def stumps_record(names: Sequence[str], steps: dict[str, Sequence[float]] | None = None) -> dict[str, Any]:
    """Return trees as training writes them: a step of 1 up at each threshold given, by feature.

    Without steps, each feature has three of its own, of a height of its own, so that every column counts.
    """
    if steps is None:
        trees = [
            stump(column, threshold, 0.0, round(0.31 + 0.07 * column + 0.013 * number, 3))
            for column in range(len(names))
            for number, threshold in enumerate((0.1, 0.45, 1.3))
        ]
    else:
        trees = [stump(names.index(name), each, 0.0, 1.0) for name, given in steps.items() for each in given]
    return {"features": [*names], "depth": 1, "trees": trees or [LEAF]}


def small_record(
    passages: dict[str, Sequence[float]] | None = None,
    sentences: dict[str, Sequence[float]] | None = None,
    *,
    sentence_weight: float = 0.5,
) -> dict[str, Any]:
    """Return a ranker as training writes it; see `stumps_record`."""
    return {
        "passages": stumps_record(PASSAGE_FEATURES, passages),
        "sentences": stumps_record(SENTENCE_FEATURES, sentences),
        "sentence_weight": sentence_weight,
    }


def small_ranker(
    passages: dict[str, Sequence[float]] | None = None,
    sentences: dict[str, Sequence[float]] | None = None,
    *,
    sentence_weight: float = 0.5,
) -> Ranker:
    """Return a ranker of such trees."""
    record = small_record(passages, sentences, sentence_weight=sentence_weight)
    return Ranker(
        BoostedTrees.from_record(record["passages"], names=PASSAGE_FEATURES),
        BoostedTrees.from_record(record["sentences"], names=SENTENCE_FEATURES),
        sentence_weight=sentence_weight,
    )


def ship(patch: pytest.MonkeyPatch, ranker: Ranker) -> Ranker:
    """Have searches rank by this ranker in place of the one that is shipped."""
    patch.setattr(Ranker, "bundled", classmethod(lambda _: ranker))
    return ranker


def write_record(path: Path, record: Any) -> Path:
    """Write JSON and return its path."""
    path.write_text(json.dumps(record), encoding="utf-8")
    return path
