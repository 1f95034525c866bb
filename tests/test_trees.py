import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import ModelError
from qa.features import FEATURES
from qa.trees import BoostedTrees

MODEL = Path(__file__).parent.parent / "qa" / "models" / "evidence.json"


def walk(tree: dict[str, list[Any]], row: list[float]) -> float:
    """An independent evaluation: one row, one tree, one step at a time."""
    node = 0
    while tree["feature"][node] != -1:
        goes_left = row[tree["feature"][node]] <= tree["threshold"][node]
        node = tree["left"][node] if goes_left else tree["right"][node]
    return float(tree["value"][node])


STUMP = {"feature": [0, -1, -1], "threshold": [0.5, 0, 0], "left": [1, 0, 0], "right": [2, 0, 0], "value": [0, -1, 2]}
LEAF = {"feature": [-1], "threshold": [0], "left": [0], "right": [0], "value": [0.25]}


def test_sums_the_leaves_that_a_row_reaches() -> None:
    trees = BoostedTrees.from_record({"features": ["a", "b"], "depth": 1, "trees": [STUMP, LEAF]})
    rows = np.array([[0.5, 9.0], [0.6, 9.0]])
    assert trees.log_odds(rows).tolist() == [-0.75, 2.25]


@given(st.lists(st.lists(st.floats(-5, 5), min_size=len(FEATURES), max_size=len(FEATURES)), min_size=1, max_size=5))
def test_the_shipped_trees_equal_a_walk_through_each(rows: list[list[float]]) -> None:
    record = json.loads(MODEL.read_text(encoding="utf-8"))
    expected = [sum(walk(tree, row) for tree in record["trees"]) for row in rows]
    assert BoostedTrees.from_record(record).log_odds(np.array(rows)) == pytest.approx(expected)


def test_a_model_of_other_features_is_refused() -> None:
    with pytest.raises(ModelError, match="other features"):
        BoostedTrees.bundled("evidence.json", names=["cover"])


def test_a_missing_model_is_named() -> None:
    with pytest.raises(ModelError, match=r"absent\.json"):
        BoostedTrees.bundled("absent.json", names=FEATURES)
