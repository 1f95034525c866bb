"""python -m benchmarks.passages: how long a passage should be, and how much of it the next one repeats.

Cuts the articles of the training questions in several ways, finds passages by BM25 and by the embedding, and counts how
often one that holds the answer comes first or among the first five. A longer passage holds the answer more easily, so
the words that a reader of the first five has to go through are given too.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from index.analyze import Analyzer
from index.asked import corpus_idfs
from index.embed import StaticEmbedder
from index.search import lexical_scores
from index.segments import Segments, SegmentWriter
from index.split import split_passages, split_sentences
from training.corpora import half_of, read_articles, read_lines

_WAYS = ((60, 1), (90, 1), (120, 0), (120, 1), (120, 2), (160, 1), (220, 1))
_SEED = 20


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=Path, default=Path("training/runs"), help="as `training.train_ranking` left it")
    parser.add_argument("--questions", type=int, default=1_500)
    options = parser.parse_args()
    records = [r for r in read_lines(options.data / "news/questions-train.jsonl") if r["answer"]]
    records = [record for record in records if half_of(record["article_id"]) == 1]
    sample = random.Random(_SEED).sample(records, options.questions)
    wanted = {record["article_id"] for record in records}
    articles = {article["id"]: article for article in read_articles(options.data) if article["id"] in wanted}
    embedder = StaticEmbedder.open(options.runs / "half-embedding", name="half-trained")
    print(f"n = {len(sample)} questions over {len(articles)} articles; a passage that holds the answer\n")
    print("| words, sentences repeated | passages | words in five | BM25 R@1 / R@5 | embedding R@1 / R@5 |")
    print("|---|---|---|---|---|")
    for n_words, overlap in _WAYS:
        print(_row(sample, articles, embedder, n_words, overlap), flush=True)


def _row(
    sample: Sequence[Mapping[str, Any]],
    articles: Mapping[str, Mapping[str, Any]],
    embedder: StaticEmbedder,
    n_words: int,
    overlap: int,
) -> str:
    analyzer = Analyzer()
    spans: list[tuple[str, int, int]] = []
    for name, article in articles.items():
        sentences = split_sentences(article["text"])
        for first, past in split_passages(article["text"], sentences, n_words=n_words, overlap=overlap):
            spans.append((name, sentences[first].start, sentences[past - 1].end))
    texts = [articles[name]["text"][start:end] for name, start, end in spans]
    titles = [articles[name]["title"] for name, _, _ in spans]
    matrix = embedder.embed_passages([f"{title}\n{text}" for title, text in zip(titles, texts, strict=True)])
    writer = SegmentWriter(None, generation=1, dimension=embedder.dimension)
    for i, (text, title, vector) in enumerate(zip(texts, titles, matrix.astype(np.float16), strict=True)):
        body, heading = analyzer.terms(text), analyzer.terms(title)
        writer.builder_for(i).add(i, document=i, days=None, body=body, title=heading, vector=vector)
    writer.write_rest()
    segments = Segments(1, {name: each.segment for name, each in writer.written.items()})
    counts = np.zeros(4)
    for record in sample:
        idfs = corpus_idfs(segments, analyzer.terms(record["question"]))
        scores = np.concatenate(lexical_scores(segments, idfs, title_weight=0.5))
        by_words = np.argsort(-scores, kind="stable")[:5].tolist()
        near = np.argsort(-(matrix @ embedder.embed_question(record["question"])), kind="stable")[:5].tolist()
        for column, found in ((0, by_words), (2, near)):
            holds = [_holds(record, *spans[number]) for number in found]
            counts[column] += bool(holds and holds[0])
            counts[column + 1] += any(holds)
    r = counts / len(sample)
    words = 5 * np.mean([len(text.split()) for text in texts])
    return (
        f"| {n_words}, {overlap} | {len(spans):,} | {words:.0f} | {r[0]:.3f} / {r[1]:.3f} | {r[2]:.3f} / {r[3]:.3f} |"
    )


def _holds(record: Mapping[str, Any], name: str, start: int, end: int) -> bool:
    place = int(record["answer_start"])
    return name == record["article_id"] and start <= place and place + len(record["answer"]) <= end


if __name__ == "__main__":
    main()
