"""Trees against a walk through each, one row and one step at a time; the models that are shipped are such trees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import ModelError
from index.passage_features import PASSAGE_FEATURES
from index.sentence_features import SENTENCE_FEATURES
from index.trees import BoostedTrees, read_model
from qa.features import CLOSE_FEATURES, READ_FEATURES
from tests.small_rankers import LEAF, stump, write_record

ROOT = Path(__file__).parent.parent
SHIPPED = {
    "passages": ("index/models/ranker.json", PASSAGE_FEATURES),
    "sentences": ("index/models/ranker.json", SENTENCE_FEATURES),
    "evidence": ("qa/models/evidence.json", CLOSE_FEATURES),
    "evidence read": ("qa/models/evidence-reader.json", READ_FEATURES),
}


def walk(tree: dict[str, list[Any]], row: list[float]) -> float:
    """An independent evaluation: one row, one tree, one step at a time."""
    node = 0
    while tree["feature"][node] != -1:
        goes_left = row[tree["feature"][node]] <= tree["threshold"][node]
        node = tree["left"][node] if goes_left else tree["right"][node]
    return float(tree["value"][node])


def test_sums_the_leaves_that_a_row_reaches() -> None:
    record = {"features": ["a", "b"], "depth": 1, "trees": [stump(0, 0.5, -1, 2), {**LEAF, "value": [0.25]}]}
    trees = BoostedTrees.from_record(record, names=("a", "b"))
    rows = np.array([[0.5, 9.0], [0.6, 9.0]])
    assert trees.log_odds(rows).tolist() == [-0.75, 2.25]
    assert trees.log_odds(np.empty((0, 2))).tolist() == []
    assert (trees.names, trees.depth) == (("a", "b"), 1)


@st.composite
def trees_of(draw: st.DrawFn, n_features: int = 3) -> dict[str, list[Any]]:
    """Return a tree of any shape, at most three steps deep, its nodes numbered from the root."""
    tree: dict[str, list[Any]] = {"feature": [], "threshold": [], "left": [], "right": [], "value": []}

    def grow(steps: int) -> int:
        node = len(tree["feature"])
        leaf = not steps or draw(st.booleans())
        for name, value in (
            ("feature", -1 if leaf else draw(st.integers(0, n_features - 1))),
            ("threshold", 0 if leaf else draw(st.integers(-2, 2)) / 2),
            ("left", 0),
            ("right", 0),
            ("value", draw(st.integers(-9, 9)) / 4 if leaf else 0.0),
        ):
            tree[name].append(value)
        if not leaf:
            tree["left"][node] = grow(steps - 1)
            tree["right"][node] = grow(steps - 1)
        return node

    grow(3)
    return tree


values = st.integers(-3, 3).map(lambda n: n / 2)  # on the thresholds, between and beyond them


@given(
    st.lists(trees_of(), min_size=1, max_size=5), st.lists(st.tuples(values, values, values), min_size=1, max_size=6)
)
def test_trees_of_any_shape_equal_a_walk(trees: list[dict[str, list[Any]]], rows: list[tuple[float, ...]]) -> None:
    record = {"features": ["a", "b", "c"], "depth": 3, "trees": trees}
    read = BoostedTrees.from_record(json.loads(json.dumps(record)), names=["a", "b", "c"])
    expected = [sum(walk(tree, [*row]) for tree in trees) for row in rows]
    assert read.log_odds(np.array(rows)).tolist() == expected
    across = np.asfortranarray(np.array(rows))  # rows need not lie together in memory
    assert read.log_odds(across).tolist() == expected


@pytest.mark.parametrize("name", [*SHIPPED])
def test_the_shipped_trees_equal_a_walk_through_each(name: str) -> None:
    path, names = SHIPPED[name]
    record = read_model(ROOT / path)
    record = record.get(name, record)
    trees = BoostedTrees.from_record(record, names=names)
    thresholds = sorted({each for tree in record["trees"] for each in tree["threshold"]})
    rows = np.random.default_rng(3).choice(thresholds, (40, len(names)))
    rows[20:] += np.random.default_rng(4).normal(size=(20, len(names)))
    expected = [sum(walk(tree, row) for tree in record["trees"]) for row in rows.tolist()]
    assert trees.log_odds(rows) == pytest.approx(expected, abs=1e-9)
    assert len(set(expected)) > 20  # the rows are told apart


@pytest.mark.parametrize("names", [["b", "a"], ["a"], ["a", "b", "c"], [], ["a", "B"]])
def test_a_model_of_other_features_is_refused(names: list[str]) -> None:
    record = {"features": ["a", "b"], "depth": 1, "trees": [stump(0, 0.5, -1, 2)]}
    with pytest.raises(ModelError, match=r"other features.*train it again \(training/README\.md\)"):
        BoostedTrees.from_record(record, names=names)


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_model(write_record(tmp_path / "model.json", {"é": [1, 2.5]})) == {"é": [1, 2.5]}


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff", b"[1,"])
def test_a_model_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "absent.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"absent\.json: .*install Sourcier again"):
        read_model(path)
