"""Boosted trees: fitted by LightGBM, written as the plain arrays that `index.trees` reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

__all__ = ["RANKING", "YES_OR_NO", "Settings", "fit", "tree_record"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the trees are fitted to.

    Attributes:
        objective: LightGBM's name of it.
        more: its own settings.
    """

    objective: str
    more: Mapping[str, Any]


RANKING = Settings("lambdarank", {"label_gain": [0, 1, 3], "lambdarank_truncation_level": 12})
"""Rows of a question are put in order; labels 0, 1 and 2."""

YES_OR_NO = Settings("binary", {})

_SHARED = {
    "learning_rate": 0.05,
    "num_leaves": 24,
    "max_depth": 7,  # index.trees takes one step of all rows and trees for each level
    "min_data_in_leaf": 60,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "seed": 20,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


def fit(
    rows: Sequence[NDArray[np.float64]], labels: Sequence[NDArray[Any]], settings: Settings, n_trees: int
) -> lightgbm.Booster:
    """Fit trees to the rows of several questions."""
    pairs = [(r, label) for r, label in zip(rows, labels, strict=True) if len(r)]
    groups = [len(r) for r, _ in pairs] if settings.objective == "lambdarank" else None
    data = lightgbm.Dataset(
        np.concatenate([r for r, _ in pairs]), np.concatenate([label for _, label in pairs]), group=groups
    )
    return lightgbm.train({**_SHARED, "objective": settings.objective, **settings.more}, data, num_boost_round=n_trees)


def tree_record(model: lightgbm.Booster, names: Sequence[str]) -> dict[str, Any]:
    """Return the trees as arrays; the shape that `index.trees` reads."""
    trees, depth = [], 0
    for tree in model.dump_model()["tree_info"]:
        arrays: dict[str, list[Any]] = {"feature": [], "threshold": [], "left": [], "right": [], "value": []}
        depth = max(depth, _flatten(tree["tree_structure"], arrays)[1])
        trees.append(arrays)
    return {"features": list(names), "depth": depth, "trees": trees}


def _flatten(node: Mapping[str, Any], arrays: dict[str, list[Any]]) -> tuple[int, int]:
    """Append a node and what hangs below it; return its place and its height."""
    place = len(arrays["feature"])
    for values in arrays.values():
        values.append(0)
    if "leaf_value" in node:
        arrays["feature"][place], arrays["value"][place] = -1, round(node["leaf_value"], 6)
        return place, 0
    arrays["feature"][place], arrays["threshold"][place] = node["split_feature"], float(f"{node['threshold']:.7g}")
    left, left_height = _flatten(node["left_child"], arrays)
    right, right_height = _flatten(node["right_child"], arrays)
    arrays["left"][place], arrays["right"][place] = left, right
    return place, 1 + max(left_height, right_height)
