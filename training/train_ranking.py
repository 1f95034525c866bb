"""python -m training.train_ranking: trains what ranks passages and sentences, and the confidence.

Asks training questions of three kinds of corpus (the whole news, small corpora of a few articles, and Wikipedia
paragraphs), every other one again with the article that answers left out. Models follow one another: trees over the
candidates of a search, trees over the sentences of the best of them (both in index/models/ranker.json), then, once with
the reader and once without, trees over the sentences that are read and a logistic regression over their ranking (in
qa/models). Each learns from what the ones before give for questions that they were not fitted to; the reader is one
that `training.train_reader` trained on the other half of the questions.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from index import CorpusIndex, Document, Hit, Passage, Sentence, Span
from index.analyze import Analyzer
from index.asked import Asked, read_asked
from index.embed import StaticEmbedder
from index.filters import Filter
from index.passage_features import PASSAGE_FEATURES
from index.rank import FusionWeights
from index.ranker import N_READ, RankedSentences
from index.search import N_CANDIDATES, find_candidates, rows_of_candidates
from index.sentence_features import SENTENCE_FEATURES, distinct_sentences, sentence_rows
from index.trees import BoostedTrees
from qa.bundled_reader import BundledReader
from qa.confidence import CLOSE_CONFIDENCE, READ_CONFIDENCE, confidence_features
from qa.evidence import READ_CLOSELY, read_sentences
from qa.features import CLOSE_FEATURES, READ_FEATURES, close_rows, read_rows
from qa.question import read_question
from qa.span import find_short_answer
from qa.types import Question
from training.boosting import RANKING, YES_OR_NO, Settings, fit, tree_record
from training.corpora import half_of, piaf_corpus, read_lines, small_corpora
from training.train_embedding import train_model

_SEED = 20
_FOLDS = 3
_RANKER_HALF = 1
_ANALYZER = Analyzer()
_SENTENCE_WEIGHTS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_WRITTEN_WEIGHT = 3.0
"""How much a question that was written to have no answer counts for the confidence beside others: those whose article
is hidden are many and easier. On held-out questions the AUROC of the written ones rises from 0.858 to 0.871, that of
the others falls from 0.831 to 0.830."""
_PASSAGE_TREES, _SENTENCE_TREES, _EVIDENCE_TREES = 300, 250, 150

Rows = NDArray[np.float64]


@dataclass(slots=True)
class Asking:
    """One question asked of a corpus, and what is learnt of it on the way.

    Attributes:
        question: the question.
        asked: the question as it is searched.
        corpus: what is asked.
        article: the document that it is about; questions about one article stay in one fold.
        answer: where the answer stands in that document, or None where the corpus has none.
        is_written: whether it was written as a question that its article does not answer.
        numbers: passage numbers of the candidates, shape ``(n,)``.
        candidates: their `PASSAGE_FEATURES`, shape ``(n, n_features)``.
        fitting: 2 for each that holds the answer, 1 for others of the document, else 0; shape ``(n,)``.
        best: passage numbers of those whose sentences are read, best first.
        sentences: the text of every sentence of these.
        rows: their `SENTENCE_FEATURES`.
        answers: 1.0 for each that holds the answer.
        in_passage: which of these each passage read holds, best passage first.
        close: `CLOSE_FEATURES` of the sentences read closely without a reader.
        close_answers: 1.0 for each of them that holds the answer.
        read: `READ_FEATURES` of the sentences that the reader read.
        read_answers: 1.0 for each of them that holds the answer.
    """

    question: Question
    asked: Asked
    corpus: CorpusIndex
    article: str
    answer: Span | None
    is_written: bool
    numbers: NDArray[np.int64]
    candidates: Rows
    fitting: NDArray[np.int64]
    best: tuple[int, ...] = ()
    sentences: tuple[str, ...] = ()
    rows: Rows = field(default_factory=lambda: np.empty((0, len(SENTENCE_FEATURES))))
    answers: Rows = field(default_factory=lambda: np.empty(0))
    in_passage: tuple[NDArray[np.int64], ...] = ()
    close: Rows = field(default_factory=lambda: np.empty((0, len(CLOSE_FEATURES))))
    close_answers: Rows = field(default_factory=lambda: np.empty(0))
    read: Rows = field(default_factory=lambda: np.empty((0, len(READ_FEATURES))))
    read_answers: Rows = field(default_factory=lambda: np.empty(0))


def main() -> None:
    """Train the models and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=Path, default=Path("training/runs"), help="where what takes long is kept")
    parser.add_argument("--out", type=Path, default=Path(), help="root of the project that gets the models")
    parser.add_argument("--questions", type=int, default=4_500, help="questions asked of the whole news")
    parser.add_argument("--small", type=int, default=80, help="small corpora of news")
    parser.add_argument("--piaf", type=int, default=3_000, help="questions asked of the PIAF paragraphs")
    parser.add_argument("--reader", type=Path, default=Path("training/models/half-reader"), help="folder of the reader")
    options = parser.parse_args()
    reader = BundledReader.open(options.reader)
    corpus, embedder = _half_trained(options.data, options.runs)
    news = read_lines(options.data / "news/questions-train.jsonl")
    news = [record for record in news if half_of(record["article_id"]) == _RANKER_HALF]
    random.Random(_SEED).shuffle(news)
    with tempfile.TemporaryDirectory() as folder:
        rest, place = news[options.questions :], Path(folder)
        few = small_corpora(options.data, rest, place, n_corpora=options.small, embedder=embedder)
        piaf = piaf_corpus(options.data, place, n_questions=options.piaf, half=_RANKER_HALF, embedder=embedder)
        sets: list[tuple[CorpusIndex, Sequence[Mapping[str, Any]]]] = [(corpus, news[: options.questions]), *few, piaf]
        asked = [asking for corpus, records in sets for asking in _ask_all(corpus, records)]
        models = _train(asked, reader)
    for path, record in models.items():
        _write(options.out / path, record)


def _half_trained(data: Path, runs: Path) -> tuple[CorpusIndex, StaticEmbedder]:
    """Return an index of the news by an embedding that has not seen the questions of the ranker's half."""
    folder = runs / "half-embedding"
    if not (folder / "model.safetensors").exists():
        train_model(data, folder, halves=frozenset({1 - _RANKER_HALF}))
    embedder = StaticEmbedder.open(folder, name="half-trained")
    return CorpusIndex.build([data / "news/articles.jsonl.gz"], runs / "news", embedder=embedder), embedder


def _train(asked: Sequence[Asking], reader: BundledReader) -> dict[str, dict[str, Any]]:
    """Return what each file of the project is to hold."""
    folds = np.array([zlib.crc32(asking.article.encode()) % _FOLDS for asking in asked])
    candidates = [asking.candidates for asking in asked]
    scores = _held_out(candidates, [a.fitting for a in asked], folds, RANKING, _PASSAGE_TREES, PASSAGE_FEATURES)
    _tell_passages("candidates, fused", asked, [asking.candidates[:, 0] for asking in asked])
    _tell_passages("candidates, held out", asked, scores)
    for asking, given in zip(tqdm(asked, desc="sentences", mininterval=20), scores, strict=True):
        _read(asking, given)
    rows, answers = [asking.rows for asking in asked], [asking.answers for asking in asked]
    first = _held_out(rows, answers, folds, YES_OR_NO, _SENTENCE_TREES, SENTENCE_FEATURES)
    weight = _sentence_weight(asked, scores, first)
    _tell_evidence("sentences, held out", answers, first)
    for asking, given, log_odds in zip(tqdm(asked, desc="reading", mininterval=20), scores, first, strict=True):
        _read_closely(asking, log_odds)
        _read_windows(asking, given, log_odds, reader)
    ranker = {
        "passages": tree_record(fit(candidates, [a.fitting for a in asked], RANKING, _PASSAGE_TREES), PASSAGE_FEATURES),
        "sentences": tree_record(fit(rows, answers, YES_OR_NO, _SENTENCE_TREES), SENTENCE_FEATURES),
        "sentence_weight": weight,
    }
    close = _train_evidence("read closely", asked, [(a.close, a.close_answers) for a in asked], folds, CLOSE_FEATURES)
    read = _train_evidence("read by the reader", asked, [(a.read, a.read_answers) for a in asked], folds, READ_FEATURES)
    return {
        "index/models/ranker.json": ranker,
        "qa/models/evidence.json": close[0],
        "qa/models/confidence.json": close[1],
        "qa/models/evidence-reader.json": read[0],
        "qa/models/confidence-reader.json": read[1],
    }


def _train_evidence(
    name: str,
    asked: Sequence[Asking],
    given: Sequence[tuple[Rows, Rows]],
    folds: NDArray[np.int64],
    features: Sequence[str],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the trees over the sentences read, and the regression over their ranking by held-out trees."""
    rows, answers = [each[0] for each in given], [each[1] for each in given]
    scores = _held_out(rows, answers, folds, YES_OR_NO, _EVIDENCE_TREES, features)
    _tell_evidence(f"{name}, held out", answers, scores)
    trees = tree_record(fit(rows, answers, YES_OR_NO, _EVIDENCE_TREES), features)
    names = READ_CONFIDENCE if features is READ_FEATURES else CLOSE_CONFIDENCE
    return trees, _confidence(asked, given, scores, names, features)


# -- what is learnt from ---------------------------------------------------------------------------------------------


def _ask_all(corpus: CorpusIndex, records: Sequence[Mapping[str, Any]]) -> Iterator[Asking]:
    """Ask each question; every other answerable one again without its article, as unanswerable."""
    for number, record in enumerate(tqdm(records, desc="candidates", mininterval=20)):
        for without in (False, True) if record["answer"] is not None and number % 2 == 0 else (False,):
            asking = _ask(corpus, record, without=without)
            if asking is not None:
                yield asking


def _ask(corpus: CorpusIndex, record: Mapping[str, Any], *, without: bool) -> Asking | None:
    question = read_question(record["question"])
    text, article = question.understood_as, str(record["article_id"])
    answer = None
    if record["answer"] is not None and not without:
        start = int(record["answer_start"])
        answer = Span(start, start + len(record["answer"]))
    with corpus._store.reading() as segments:
        asked = read_asked(text, segments, analyzer=corpus.analyzer, embedder=corpus.embedder)
        allowed = Filter().rows(corpus._catalog, segments)
        found = find_candidates(segments, asked, depth=N_CANDIDATES, allowed=allowed, weights=FusionWeights())
        passages = corpus._catalog.passages(segments.numbers[found.rows].tolist())
        held = [passages[number] for number in segments.numbers[found.rows].tolist()]
        if without:
            about = np.array([passage.document.id == article for passage in held], dtype=np.bool_)
            found, held = found.without(about), [p for p, out in zip(held, about, strict=True) if not out]
        if not len(found.rows):
            return None
        rows = rows_of_candidates(segments, asked, found)
        fitting = np.array([_fit_of(passage, article, answer) for passage in held])
        is_written, numbers = record["answer"] is None, segments.numbers[found.rows]
        return Asking(question, asked, corpus, article, answer, is_written, numbers, rows, fitting)


def _fit_of(passage: Passage, article: str, answer: Span | None) -> int:
    if answer is None or passage.document.id != article:
        return 0
    return 2 if passage.span.overlaps(answer) else 1


def _read(asking: Asking, scores: Rows) -> None:
    """Take the sentences of the best candidates, and what is known of each before it is read closely."""
    best = np.argsort(-scores, kind="stable")[:N_READ]
    asking.best = tuple(asking.numbers[best].tolist())
    hits = _hits(asking, scores[best])
    found = distinct_sentences(hits)
    embedder = asking.corpus.embedder
    assert isinstance(embedder, StaticEmbedder)
    asking.rows = sentence_rows(asking.asked, found, hits, analyzer=_ANALYZER, soft=embedder.soft_match)
    asking.sentences = tuple(each.sentence.text for each in found)
    asking.answers = np.array([float(_answers(asking, each.sentence)) for each in found])
    places = {(each.sentence.document.id, each.sentence.span.start): i for i, each in enumerate(found)}
    asking.in_passage = tuple(
        np.array([places[hit.passage.document.id, s.span.start] for s in hit.passage.sentences]) for hit in hits
    )


def _hits(asking: Asking, scores: Rows) -> list[Hit]:
    """Return the passages that are read, best first."""
    with asking.corpus._catalog.read():
        passages = asking.corpus._catalog.passages(list(asking.best))
    return [Hit(passages[number], float(score), 0.0, 0.0) for number, score in zip(asking.best, scores, strict=True)]


def _answers(asking: Asking, sentence: Sentence) -> bool:
    """Say whether a sentence holds the answer, at its place in its own document."""
    return (
        asking.answer is not None and sentence.document.id == asking.article and sentence.span.overlaps(asking.answer)
    )


def _read_closely(asking: Asking, log_odds: Rows) -> None:
    places = np.argsort(-log_odds, kind="stable")[:READ_CLOSELY]
    answers = []
    for place in places:
        text = asking.sentences[place]
        sentence = Sentence(Document("", "", text), Span(0, len(text)))
        answers.append(find_short_answer(asking.question, sentence, analyzer=_ANALYZER))
    asking.close = close_rows(asking.question.kind, asking.rows[places], log_odds[places], answers)
    asking.close_answers = asking.answers[places]


def _read_windows(asking: Asking, scores: Rows, log_odds: Rows, reader: BundledReader) -> None:
    hits = _hits(asking, np.sort(scores)[::-1][: len(asking.best)])
    ranked = RankedSentences(tuple(distinct_sentences(hits)), asking.rows, log_odds)
    if not ranked.found:
        return
    readings = read_sentences(reader, asking.question, ranked, hits)
    places = np.array(list(readings))
    asking.read = read_rows(asking.question.kind, asking.rows[places], log_odds[places], list(readings.values()))
    asking.read_answers = asking.answers[places]


# -- fitting ---------------------------------------------------------------------------------------------------------


def _held_out(
    rows: Sequence[Rows],
    labels: Sequence[NDArray[Any]],
    folds: NDArray[np.int64],
    settings: Settings,
    n_trees: int,
    names: Sequence[str],
) -> list[Rows]:
    """Return the scores of each question's rows by trees that were not fitted to its fold."""
    scores: list[Rows] = [np.empty(0)] * len(rows)
    for fold in range(_FOLDS):
        inside = np.flatnonzero(folds != fold).tolist()
        model = fit([rows[i] for i in inside], [labels[i] for i in inside], settings, n_trees)
        trees = BoostedTrees.from_record(tree_record(model, names), names=names)
        for i in np.flatnonzero(folds == fold).tolist():
            scores[i] = trees.log_odds(rows[i])
    return scores


def _sentence_weight(asked: Sequence[Asking], scores: Sequence[Rows], log_odds: Sequence[Rows]) -> float:
    """Return how much the best sentence counts beside the passage's own score, by MRR of the passage that answers."""

    def reciprocal_rank(weight: float) -> float:
        ranks = []
        for asking, given, first in zip(asked, scores, log_odds, strict=True):
            if not (asking.fitting == 2).any():
                continue
            best = np.argsort(-given, kind="stable")[:N_READ]
            total = given[best] + weight * np.array([first[places].max() for places in asking.in_passage])
            holds = np.flatnonzero(asking.fitting[best][np.argsort(-total, kind="stable")] == 2)
            ranks.append(1.0 / (1 + holds[0]) if len(holds) else 0.0)
        return float(np.mean(ranks))

    reached = {weight: reciprocal_rank(weight) for weight in (0.0, *_SENTENCE_WEIGHTS)}
    print("passage MRR by weight of the best sentence:", {w: round(v, 4) for w, v in reached.items()}, flush=True)
    return max(_SENTENCE_WEIGHTS, key=lambda weight: reached[weight])


def _confidence(
    asked: Sequence[Asking],
    given: Sequence[tuple[Rows, Rows]],
    scores: Sequence[Rows],
    names: Sequence[str],
    features: Sequence[str],
) -> dict[str, Any]:
    kept = [i for i, (rows, _) in enumerate(given) if len(rows)]
    orders = {i: np.argsort(-scores[i], kind="stable") for i in kept}
    columns = [confidence_features(names, features, given[i][0][orders[i]], scores[i][orders[i]]) for i in kept]
    right = [given[i][1][orders[i][0]] for i in kept]
    answerable = np.array([asked[i].answer is not None for i in kept])
    scaler = StandardScaler().fit(columns)
    emphasis = [_WRITTEN_WEIGHT if asked[i].is_written else 1.0 for i in kept]
    model = LogisticRegression(C=1.0, max_iter=1_000).fit(scaler.transform(columns), right, sample_weight=emphasis)
    # The emphasis makes answers seem rarer than they are: the log-odds are fitted once more without it.
    log_odds = model.decision_function(scaler.transform(columns))
    calibrated = LogisticRegression(C=1e6).fit(log_odds[:, None], right)
    slope, offset = float(calibrated.coef_[0, 0]), float(calibrated.intercept_[0])
    threshold = _equal_error(calibrated.predict_proba(log_odds[:, None])[:, 1], answerable)
    weights = model.coef_[0] / scaler.scale_
    bias = float(model.intercept_[0] - (weights * scaler.mean_).sum())
    return {
        "weights": {name: round(float(w) * slope, 6) for name, w in zip(names, weights, strict=True)},
        "bias": round(bias * slope + offset, 6),
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


# -- what was reached ------------------------------------------------------------------------------------------------


def _tell_passages(name: str, asked: Sequence[Asking], scores: Sequence[Rows]) -> None:
    def share(wanted: int, depth: int) -> float:
        reached = [
            (a.fitting[np.argsort(-s, kind="stable")[:depth]] >= wanted).any()
            for a, s in zip(asked, scores, strict=True)
            if a.answer is not None
        ]
        return float(np.mean(reached))

    print(f"{name}: document first {share(1, 1):.3f}, passage first {share(2, 1):.3f}, in 24 {share(2, 24):.3f}")


def _tell_evidence(name: str, answers: Sequence[Rows], scores: Sequence[Rows]) -> None:
    held: Callable[[int], bool] = lambda i: bool(answers[i].any())  # noqa: E731
    right = [answers[i][np.argmax(scores[i])] for i in range(len(answers)) if held(i)]
    print(f"{name}: of {len(right)} questions whose sentences hold the answer, first {np.mean(right):.3f}", flush=True)


def _write(path: Path, record: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(record, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path}: {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
