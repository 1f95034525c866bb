"""Boosted decision trees as plain data: reads the JSON that training writes and evaluates it with numpy alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError

__all__ = ["BoostedTrees", "checking", "read_model"]

_LEAF = -1
_ARRAYS = ("feature", "threshold", "left", "right", "value")


@dataclass(frozen=True, slots=True)
class BoostedTrees:
    """A sum of regression trees over named features, read as log-odds.

    The nodes of all trees lie in one array: node ``i`` sends a row to ``left[i]`` if its ``feature[i]`` is at most
    ``threshold[i]``, else to ``right[i]``. A leaf sends every row to itself, and holds a ``value``.

    Attributes:
        names: the features, in the order of the columns.
        depth: steps from a root to its farthest leaf.
    """

    names: tuple[str, ...]
    depth: int
    _roots: NDArray[np.int64]
    _feature: NDArray[np.int64]
    _threshold: NDArray[np.float64]
    _left: NDArray[np.int64]
    _right: NDArray[np.int64]
    _value: NDArray[np.float64]

    @classmethod
    def from_record(cls, record: Mapping[str, Any], *, names: Sequence[str]) -> BoostedTrees:
        """Read ``{"features": [...], "trees": [{"feature", "threshold", "left", "right", "value"}, …]}``.

        Raises:
            ModelError: if it was trained on other features than ``names``.
        """
        if list(names) != record["features"]:
            raise ModelError("a model was trained on other features than these: train it again (training/README.md)")
        trees = record["trees"]
        column = {name: np.array([*chain.from_iterable(tree[name] for tree in trees)]) for name in _ARRAYS}
        sizes = [len(tree["feature"]) for tree in trees]
        roots = np.cumsum([0, *sizes[:-1]])
        itself, begin = np.arange(sum(sizes)), np.repeat(roots, sizes)
        leaf = column["feature"] == _LEAF
        return cls(
            tuple(record["features"]),
            int(record["depth"]),
            roots,
            np.where(leaf, 0, column["feature"]),
            column["threshold"].astype(np.float64),
            np.where(leaf, itself, begin + column["left"]),
            np.where(leaf, itself, begin + column["right"]),
            column["value"].astype(np.float64),
        )

    def log_odds(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log-odds of each row.

        Args:
            rows: shape ``(n, len(names))``.

        Returns:
            Shape ``(n,)``.
        """
        cells = np.ascontiguousarray(rows).ravel()
        first_cells = np.repeat(np.arange(len(rows)) * rows.shape[1], len(self._roots))
        node = np.tile(self._roots, len(rows))
        for _ in range(self.depth):
            goes_left = cells.take(first_cells + self._feature.take(node)) <= self._threshold.take(node)
            node = np.where(goes_left, self._left.take(node), self._right.take(node))
        scores: NDArray[np.float64] = self._value.take(node).reshape(len(rows), len(self._roots)).sum(axis=1)
        return scores


def read_model(path: Path) -> dict[str, Any]:
    """Return the JSON of a model that is shipped.

    Raises:
        ModelError: if it cannot be read.
    """
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: {error}; expected a shipped model, install Sourcier again") from error
    return record


@contextmanager
def checking(path: Path) -> Iterator[None]:
    """Turn what a model of another shape makes raise into a ModelError that names its file."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelError(f"{path}: {error!r}; expected a shipped model, install Sourcier again") from error
