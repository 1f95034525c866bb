"""Learns the weights of the short answer: ``python -m training.train_span --data ../shared/data``.

Conditional logistic regression (McFadden, 1974): within each sentence, the probability of a span is a softmax of linear
scores over all its spans and the choice of no answer. A kind of question has its own weights, drawn towards weights
that all kinds share by an L2 penalty on both, so that rare kinds learn from frequent ones.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

from qa.span import MODEL_FORMAT
from training.span_data import read_training
from training.span_rows import Block, Collector, Vocabulary

__all__ = ["main"]

_MIN_COUNT = 80
_SHARED_PENALTY = 1.0
_KIND_PENALTY = 3.0
_ITERATIONS = 180
_MIN_HUNDREDTHS = 4
# Chosen on a held-out fold: below, the best span's F1 does not clearly beat the whole sentence's.
_LEAST_NAMED = 0.03
_LEAST = {"what": 0.15, "other": 0.2, "how": 0.1, "why": 0.3, "yes_no": 0.45, "definition": 0.5}

Floats = NDArray[np.float64]


def main() -> None:
    """Train on the questions of ``--data`` and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with news/ and piaf/")
    parser.add_argument("--out", type=Path, default=Path("qa/models/span.json"), help="where the model goes")
    parser.add_argument("--held-out", type=int, default=None, help="leave out fold N of 10 (to choose settings)")
    options = parser.parse_args()
    began = time.perf_counter()
    collector = Collector()
    collector.add_all(read_training(options.data, held_out=options.held_out))
    print(f"features {time.perf_counter() - began:.0f} s, {len(collector.vocabulary.ids)} of them")
    model = _fit(collector.blocks, collector.vocabulary)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(model, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    options.out.write_text(text + "\n", encoding="utf-8")
    print(f"{options.out}: {len(text) / 1e6:.2f} MB in {time.perf_counter() - began:.0f} s")


@dataclass
class _Problem:
    """One kind's matrices, ready for the optimiser."""

    starts: csr_matrix
    ends: csr_matrix
    spans: csr_matrix
    first: NDArray[np.int32]
    last: NDArray[np.int32]
    group: NDArray[np.int32]
    gold: NDArray[np.int32]
    offset: NDArray[np.float32]

    def loss(self, weights: Floats, none: float) -> tuple[float, Floats, float]:
        """Return the negative log-likelihood, its gradient by weight and by the score of no answer."""
        w = weights.astype(np.float32)
        scores = (self.starts @ w)[self.first] + (self.ends @ w)[self.last] + self.spans @ w
        scores = (scores + self.offset).astype(np.float64)
        n_groups = len(self.gold)
        bounds = np.searchsorted(self.group, np.arange(n_groups))
        top = np.maximum(np.maximum.reduceat(scores, bounds), none)
        mass = np.exp(scores - top[self.group])
        none_mass = np.exp(none - top)
        total = np.add.reduceat(mass, bounds) + none_mass
        answered = self.gold >= 0
        chosen = np.where(answered, scores[np.maximum(self.gold, 0)], none)
        value = float(np.sum(np.log(total) + top - chosen))
        residual = mass / total[self.group]
        residual[self.gold[answered]] -= 1.0
        gradient = self._gradient(residual.astype(np.float32))
        return value, gradient, float(np.sum(none_mass / total) - np.sum(~answered))

    def _gradient(self, residual: NDArray[np.float32]) -> Floats:
        by_start = np.bincount(self.first, residual, minlength=self.starts.shape[0]).astype(np.float32)
        by_end = np.bincount(self.last, residual, minlength=self.ends.shape[0]).astype(np.float32)
        total = self.starts.T @ by_start + self.ends.T @ by_end + self.spans.T @ residual
        return np.asarray(total, dtype=np.float64)


def _fit(blocks: dict[str, Block], vocabulary: Vocabulary) -> dict[str, object]:
    names, kept = _frequent(blocks, vocabulary)
    n = len(names)
    kinds = sorted(blocks)
    problems = [_problem(blocks[kind], kept, n) for kind in kinds]
    print(
        f"{n} features kept, {sum(len(problem.gold) for problem in problems)} sentences, "
        f"{sum(len(problem.first) for problem in problems)} spans"
    )

    def objective(flat: Floats) -> tuple[float, Floats]:
        table = flat.reshape(len(kinds) + 1, n + 1)
        gradient = np.empty_like(table)
        gradient[0] = 2 * _SHARED_PENALTY * table[0]
        value = _SHARED_PENALTY * float(np.sum(table[0] ** 2))
        for k, problem in enumerate(problems, start=1):
            both = table[0] + table[k]
            loss, by_weight, by_none = problem.loss(both[:n], float(both[n]))
            step = np.append(by_weight, by_none)
            gradient[k] = step + 2 * _KIND_PENALTY * table[k]
            gradient[0] += step
            value += loss + _KIND_PENALTY * float(np.sum(table[k] ** 2))
        return value, gradient.ravel()

    start = np.zeros((len(kinds) + 1) * (n + 1))
    result = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": _ITERATIONS, "maxcor": 12})
    print(f"loss {result.fun:.0f} after {result.nit} iterations")
    table = result.x.reshape(len(kinds) + 1, n + 1)
    return _stored(names, kinds, table[0] + table[1:])


def _stored(names: list[str], kinds: list[str], table: Floats) -> dict[str, object]:
    """Return the model as it is written: whole hundredths, kinds in columns, features of little weight left out."""
    hundredths = np.rint(table * 100).astype(int)
    rows = hundredths[:, :-1].T
    return {
        "format": MODEL_FORMAT,
        "kinds": kinds,
        "none": hundredths[:, -1].tolist(),
        "least": {kind: _LEAST.get(kind, _LEAST_NAMED) for kind in kinds},
        "features": {
            name: row.tolist() for name, row in zip(names, rows, strict=True) if np.abs(row).max() >= _MIN_HUNDREDTHS
        },
    }


def _frequent(blocks: dict[str, Block], vocabulary: Vocabulary) -> tuple[list[str], NDArray[np.int64]]:
    """Return the names of the features that occur often enough, and the new number of each old one, or -1."""
    counts = np.zeros(len(vocabulary.ids), dtype=np.int64)
    for block in blocks.values():
        for rows in (block.starts, block.ends, block.spans):
            counts += np.bincount(np.frombuffer(rows.indexes, dtype=np.int32), minlength=len(counts))
    frequent = counts >= _MIN_COUNT
    kept = np.where(frequent, np.cumsum(frequent) - 1, -1)
    return [name for name, number in vocabulary.ids.items() if frequent[number]], kept


def _problem(block: Block, kept: NDArray[np.int64], n: int) -> _Problem:
    return _Problem(
        starts=block.starts.matrix(kept, n),
        ends=block.ends.matrix(kept, n),
        spans=block.spans.matrix(kept, n),
        first=np.frombuffer(block.first, dtype=np.int32),
        last=np.frombuffer(block.last, dtype=np.int32),
        group=np.frombuffer(block.group, dtype=np.int32),
        gold=np.frombuffer(block.gold, dtype=np.int32),
        offset=np.frombuffer(block.offset, dtype=np.float32),
    )


if __name__ == "__main__":
    main()
