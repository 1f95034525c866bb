"""python -m benchmarks.fusion: how much the title and the embedding should count, on training questions.

Searches once for each weight of the title, then re-weighs the cosine of what was found. Asks training questions that
the embedding in use was not trained on (`training.train_ranking` leaves it, with an index); the dev sets stay for the
figures that are reported.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import numpy as np

from index import CorpusIndex
from index.embed import StaticEmbedder
from index.rank import FusionWeights
from training.corpora import half_of

_TITLES = (0.0, 0.25, 0.5, 1.0)
_DENSE = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
_SEED = 20


def main() -> None:
    """Print document recall@1 and MRR@10 of each pair of weights as a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=Path, default=Path("training/runs"), help="as `training.train_ranking` left it")
    parser.add_argument("--questions", type=int, default=600)
    options = parser.parse_args()
    lines = (options.data / "news/questions-train.jsonl").read_text(encoding="utf-8").splitlines()
    records = [record for record in map(json.loads, lines) if record["answer"] and half_of(record["article_id"]) == 1]
    sample = random.Random(_SEED).sample(records, options.questions)
    embedder = StaticEmbedder.open(options.runs / "half-embedding", name="half-trained")
    corpus = CorpusIndex.open(options.runs / "news", embedder=embedder)
    print(f"n = {len(sample)} questions of questions-train.jsonl; document R@1 / MRR@10\n")
    print("| title weight | " + " | ".join(f"dense {weight}" for weight in _DENSE) + " |")
    print("|---" * (len(_DENSE) + 1) + "|")
    for title in _TITLES:
        ranks = _ranks(corpus, sample, title)
        cells = [f"{np.mean(rank == 1):.3f} / {np.mean(np.where(rank <= 10, 1 / rank, 0)):.3f}" for rank in ranks]
        print(f"| {title} | " + " | ".join(cells) + " |", flush=True)


def _ranks(corpus: CorpusIndex, sample: list[dict[str, str]], title: float) -> list[np.ndarray]:
    """Return, for each weight of the cosine, the rank of the right document for each question, 1,000 if not found."""
    ranks: list[list[int]] = [[] for _ in _DENSE]
    for record in sample:
        weights = FusionWeights(title=title, dense=1.0)
        hits = corpus.search(record["question"], k=60, weights=weights)
        for column, dense in enumerate(_DENSE):
            scores = [hit.score - hit.dense_score * (1.0 - dense) for hit in hits]
            order = [hits[i] for i in np.argsort(scores)[::-1]]
            documents = list(dict.fromkeys(hit.passage.document.id for hit in order))
            found = documents.index(record["article_id"]) + 1 if record["article_id"] in documents else 1_000
            ranks[column].append(found)
    return [np.array(column) for column in ranks]


if __name__ == "__main__":
    main()
