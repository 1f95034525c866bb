"""python -m training.train_evidence: trains the evidence ranker and the confidence on questions with known answers.

Asks training questions of three kinds of corpus (the whole news, small corpora of a few articles, and Wikipedia
paragraphs) and labels each sentence of the hits by whether it holds the answer. Fits boosted trees to all of them,
boosted trees to those that the first ones choose (LightGBM), then a logistic regression to whether the first sentence
is right, each on the scores of questions that the trees before it were not fitted to, unanswerable ones among them. All
three are written as plain JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from index import CorpusIndex, Document, Sentence, Span
from index.analyze import Analyzer
from index.corpus import SearchResult
from index.embed import StaticEmbedder
from qa.chatbot import N_HITS
from qa.confidence import CONFIDENCE_FEATURES, confidence_features
from qa.evidence import READ_CLOSELY, Candidate, EvidenceRanker, cheap_rows, full_rows
from qa.features import CHEAP_FEATURES, FEATURES
from qa.question import read_question
from qa.span import find_short_answer
from qa.trees import BoostedTrees
from qa.types import Question
from training.corpora import half_of, piaf_corpus, read_lines, small_corpora
from training.train_embedding import train_model

_SEED = 20
_FOLDS = 5
_RANKER_HALF = 1
_ANALYZER = Analyzer()

Rows = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Table:
    """One question asked of a corpus.

    Attributes:
        question: the question.
        sentences: every sentence of the hits.
        cheap: their features, shape ``(n, len(CHEAP_FEATURES))``.
        labels: 1.0 for each that holds the answer, shape ``(n,)``.
        article: what it is about; questions about one article stay in one fold.
    """

    question: Question
    sentences: tuple[str, ...]
    cheap: NDArray[np.float64]
    labels: NDArray[np.float64]
    article: str


def main() -> None:
    """Train the three models and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=Path, default=Path("training/runs"), help="where what takes long is kept")
    parser.add_argument("--out", type=Path, default=Path("qa/models"))
    parser.add_argument("--questions", type=int, default=3_000, help="questions asked of the whole news")
    parser.add_argument("--small", type=int, default=100, help="small corpora of news")
    parser.add_argument("--piaf", type=int, default=2_000, help="questions asked of the PIAF paragraphs")
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    corpus, embedder = _half_trained(options.data, options.runs)
    news = read_lines(options.data / "news/questions-train.jsonl")
    news = [record for record in news if half_of(record["article_id"]) == _RANKER_HALF]
    random.Random(_SEED).shuffle(news)
    with tempfile.TemporaryDirectory() as folder:
        rest, place = news[options.questions :], Path(folder)
        few = small_corpora(options.data, rest, place, n_corpora=options.small, embedder=embedder)
        piaf = piaf_corpus(options.data, place, n_questions=options.piaf, half=_RANKER_HALF, embedder=embedder)
        sets: list[tuple[CorpusIndex, Sequence[Mapping[str, Any]]]] = [(corpus, news[: options.questions]), *few, piaf]
        with tqdm(total=sum(len(questions) for _, questions in sets), unit="question", mininterval=10) as bar:
            tables = [table for corpus, questions in sets for table in _tables(corpus, questions, bar)]
    print(f"{len(tables)} questions, {sum(len(table.cheap) for table in tables)} sentences")
    folds = [zlib.crc32(table.article.encode()) % _FOLDS for table in tables]
    cheap, labels = [table.cheap for table in tables], [table.labels for table in tables]
    first = _held_out(cheap, labels, folds, CHEAP_FEATURES)
    places = [np.argsort(-scores, kind="stable")[:READ_CLOSELY] for scores in first]
    rows = [_read_closely(*part) for part in zip(tables, first, places, strict=True)]
    labels_closely = [table.labels[place] for table, place in zip(tables, places, strict=True)]
    second = _held_out(rows, labels_closely, folds, FEATURES)
    _report(tables, labels_closely, second)
    _write(options.out / "first.json", _record(_fit(cheap, labels), CHEAP_FEATURES))
    _write(options.out / "evidence.json", _record(_fit(rows, labels_closely), FEATURES))
    _write(options.out / "confidence.json", _confidence(tables, rows, labels_closely, second))


def _held_out(
    rows: Sequence[Rows], labels: Sequence[Rows], folds: Sequence[int], names: Sequence[str]
) -> list[NDArray[np.float64]]:
    """Return the log-odds of each question's sentences by trees that were not fitted to its fold."""
    scores: list[NDArray[np.float64]] = [np.empty(0)] * len(rows)
    for fold in range(_FOLDS):
        inside = [i for i, other in enumerate(folds) if other != fold]
        model = _fit([rows[i] for i in inside], [labels[i] for i in inside])
        trees = BoostedTrees.from_record(_record(model, names))
        for i, other in enumerate(folds):
            if other == fold:
                scores[i] = trees.log_odds(rows[i])
    return scores


def _read_closely(table: Table, first: Rows, places: NDArray[np.intp]) -> Rows:
    answers = []
    for place in places:
        text = table.sentences[place]
        sentence = Sentence(Document("", "", text), Span(0, len(text)))
        answers.append(find_short_answer(table.question, sentence, analyzer=_ANALYZER))
    return full_rows(table.cheap[places], first[places], answers)


def _half_trained(data: Path, runs: Path) -> tuple[CorpusIndex, StaticEmbedder]:
    """Return an index of the news by an embedding that has not seen the questions of the ranker's half."""
    folder = runs / "half-embedding"
    if not (folder / "model.safetensors").exists():
        train_model(data, folder, halves=frozenset({1 - _RANKER_HALF}))
    embedder = StaticEmbedder.open(folder, name="half-trained")
    return CorpusIndex.build([data / "news/articles.jsonl.gz"], runs / "news", embedder=embedder), embedder


def _tables(corpus: CorpusIndex, records: Sequence[Mapping[str, Any]], bar: tqdm[None]) -> Iterator[Table]:
    """Ask each question; every other answerable one is asked again without its article, as unanswerable."""
    ranker = EvidenceRanker(corpus.analyzer)
    for number, record in enumerate(records):
        question = read_question(record["question"])
        found = corpus.search_in_full(question.understood_as, k=2 * N_HITS)
        yield from _table(ranker, record, question, replace(found, hits=found.hits[:N_HITS]))
        if record["answer"] is not None and number % 2 == 0:
            others = tuple(hit for hit in found.hits if hit.passage.document.id != record["article_id"])
            without = replace(found, hits=others[:N_HITS])
            yield from _table(ranker, {**record, "answer": None}, question, without)
        bar.update()


def _table(
    ranker: EvidenceRanker, record: Mapping[str, Any], question: Question, found: SearchResult
) -> Iterator[Table]:
    candidates = ranker.candidates(question, found)
    if candidates:
        labels = np.array([_answers(record, candidate) for candidate in candidates], dtype=np.float64)
        texts = tuple(candidate.sentence.text for candidate in candidates)
        yield Table(question, texts, cheap_rows(candidates), labels, str(record["article_id"]))


def _answers(record: Mapping[str, Any], candidate: Candidate) -> bool:
    """Say whether a sentence holds the answer, at its place in its own document."""
    sentence = candidate.sentence
    if record["answer"] is None or sentence.document.id != record["article_id"]:
        return False
    start = int(record["answer_start"])
    return sentence.span.overlaps(Span(start, start + len(record["answer"])))


def _fit(rows: Sequence[Rows], labels: Sequence[Rows]) -> lightgbm.Booster:
    settings = {
        "objective": "binary",
        "learning_rate": 0.06,
        "num_leaves": 24,
        "min_data_in_leaf": 60,
        "feature_fraction": 0.7,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "seed": _SEED,
        "deterministic": True,
        "num_threads": 2,
        "verbose": -1,
    }
    return lightgbm.train(settings, lightgbm.Dataset(np.concatenate(rows), np.concatenate(labels)), num_boost_round=200)


def _record(model: lightgbm.Booster, names: Sequence[str]) -> dict[str, Any]:
    """Return the trees as arrays; the shape that `qa.trees` reads."""
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


def _confidence(
    tables: Sequence[Table], rows: Sequence[Rows], labels: Sequence[Rows], scores: Sequence[Rows]
) -> dict[str, Any]:
    orders = [np.argsort(-score, kind="stable") for score in scores]
    columns = [
        confidence_features(row[order], score[order]) for row, order, score in zip(rows, orders, scores, strict=True)
    ]
    right = [label[order[0]] for label, order in zip(labels, orders, strict=True)]
    answerable = [bool(table.labels.any()) for table in tables]
    scaler = StandardScaler().fit(columns)
    model = LogisticRegression(C=1.0, max_iter=1_000).fit(scaler.transform(columns), right)
    probabilities = model.predict_proba(scaler.transform(columns))[:, 1]
    threshold = _equal_error(probabilities, np.array(answerable))
    weights = model.coef_[0] / scaler.scale_
    return {
        "weights": {name: round(float(w), 6) for name, w in zip(CONFIDENCE_FEATURES, weights, strict=True)},
        "bias": round(float(model.intercept_[0] - (weights * scaler.mean_).sum()), 6),
        "threshold": round(threshold, 4),
    }


def _equal_error(probabilities: Rows, answerable: NDArray[np.bool_]) -> float:
    """Return the threshold at which as large a share of unanswerable questions is answered as of others refused."""
    steps = np.linspace(0.0, 1.0, 1_001)
    answered = np.array([np.mean(probabilities[~answerable] >= step) for step in steps])
    refused = np.array([np.mean(probabilities[answerable] < step) for step in steps])
    best = int(np.argmin(np.abs(answered - refused)))
    print(f"threshold {steps[best]:.3f}: false answers {answered[best]:.3f}, false refusals {refused[best]:.3f}")
    return float(steps[best])


def _report(tables: Sequence[Table], labels: Sequence[Rows], scores: Sequence[Rows]) -> None:
    asked = [i for i, table in enumerate(tables) if table.labels.any()]
    reached = np.mean([labels[i].any() for i in asked])
    right = np.mean([labels[i][np.argmax(scores[i])] for i in asked])
    print(
        f"of {len(asked)} questions whose hits hold the answer, held out: read closely {reached:.3f}, first {right:.3f}"
    )


def _write(path: Path, record: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(record, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path}: {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
