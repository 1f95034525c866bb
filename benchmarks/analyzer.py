"""python -m benchmarks.analyzer: what each choice of the French analyzer is worth, by BM25 alone.

    python -m benchmarks.analyzer [--data ../shared/data]             # the choices, on training questions
    python -m benchmarks.analyzer --dev                               # the analyzer as it is, where we only measure
    python -m benchmarks.analyzer --inflections                       # do the forms of a word share a term?
    python -m benchmarks.analyzer --speed                             # passages a second of one core, on the news

Each row switches one choice of `index.analyze` and asks the same questions: those of PIAF's training part over its
1,518 passages, and the answerable ones of questions-train.jsonl over their articles and 5,000 others, in passages with
the title in front, an article counting by its best passage. Differences are paired, question by question.

simplemma is needed for its rows and for the inflections: ``pip install simplemma``; the rows are left out, with a word
on it, where it is missing.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.analyzer_choices import OURS, ROWS, Switched, lemmatizer, without_accents
from index.analyze import Analyzer
from index.rank import K1, B
from index.split import split_passages, split_sentences

_N_OTHERS = 5_000
_RESAMPLES = 1_000
_SEED = 20
_DEPTH = 10
_MIN_COUNT = 10
_NO_LEMMAS = "simplemma is not installed: pip install simplemma"
_STEMS = ("untrimmed", "snowball", "folded snowball")


@dataclass(frozen=True, slots=True)
class Task:
    """Questions over documents.

    Attributes:
        name: what it is called in the table.
        passages: the texts, those of one document side by side.
        starts: first passage of each document, shape ``(n_documents,)``.
        questions: as asked.
        gold: numbers of the documents that answer each.
    """

    name: str
    passages: list[str]
    starts: NDArray[np.int64]
    questions: list[str]
    gold: list[list[int]]


class Bm25:
    """An inverted index in memory; the same BM25 as `index.rank`."""

    def __init__(self, passages: Sequence[str], analyzer: Analyzer) -> None:
        numbers: dict[str, int] = {}
        tokens: list[NDArray[np.int64]] = []
        for passage in passages:
            found = [numbers.setdefault(term, len(numbers)) for term in analyzer.terms(passage)]
            tokens.append(np.array(found, dtype=np.int64))
        lengths = np.array([len(each) for each in tokens], dtype=np.float64)
        owners = np.repeat(np.arange(len(passages)), lengths.astype(np.int64))
        keys, counts = np.unique(np.concatenate(tokens) * len(passages) + owners, return_counts=True)
        terms, self._postings = keys // len(passages), keys % len(passages)
        self._bounds = np.searchsorted(terms, np.arange(len(numbers) + 1))
        n_holding = np.diff(self._bounds)
        idfs = np.log1p((len(passages) - n_holding + 0.5) / (n_holding + 0.5))
        norms = K1 * (1.0 - B + B * lengths / lengths.mean())
        self._weights = idfs[terms] * counts * (K1 + 1.0) / (counts + norms[self._postings])
        self._numbers = numbers
        self._n_passages = len(passages)

    def scores(self, terms: Sequence[str]) -> NDArray[np.float64]:
        """Return the score of every passage, shape ``(n_passages,)``."""
        scores = np.zeros(self._n_passages)
        for term in dict.fromkeys(terms):
            if (number := self._numbers.get(term)) is not None:
                part = slice(self._bounds[number], self._bounds[number + 1])
                scores[self._postings[part]] += self._weights[part]
        return scores


def ranks(task: Task, analyzer: Analyzer, *, accents: Sequence[bool]) -> list[NDArray[np.int64]]:
    """Return the rank of the best right document for each question, from 1, ties counted against it.

    Args:
        task: what is asked.
        analyzer: text to terms.
        accents: for each result, whether the questions keep their accents.
    """
    bm25 = Bm25(task.passages, analyzer)
    found = []
    for kept in accents:
        column = []
        for question, gold in zip(task.questions, task.gold, strict=True):
            scores = bm25.scores(analyzer.terms(question if kept else without_accents(question)))
            documents = np.maximum.reduceat(scores, task.starts)
            best = documents[gold].max()
            column.append(
                int((documents > best).sum() + (documents == best).sum() - (documents[gold] == best).sum()) + 1
            )
        found.append(np.array(column))
    return found


def reciprocal(rank: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the reciprocal rank at depth 10 of each question."""
    return np.where(rank <= _DEPTH, 1.0 / rank, 0.0)


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of a mean; the same resamples for each n, so that rows pair."""
    generator = np.random.default_rng(_SEED)
    means = [values[generator.integers(len(values), size=len(values))].mean() for _ in range(_RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def piaf(data: Path, part: str) -> Task:
    """The questions of one part of PIAF over the passages of both."""
    passages: list[str] = []
    questions: list[str] = []
    gold: list[list[int]] = []
    for name in ("train", "dev"):
        for article in json.loads((data / "piaf" / f"{name}.json").read_text(encoding="utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                if name == part:
                    questions += [each["question"] for each in paragraph["qas"]]
                    gold += [[len(passages)]] * len(paragraph["qas"])
                passages.append(paragraph["context"])
    return Task(f"PIAF {part}", passages, np.arange(len(passages)), questions, gold)


def news(data: Path, part: str, *, whole: bool) -> Task:
    """The answerable questions of one part over their articles and 5,000 others, or over all articles."""
    lines = (data / "news" / f"questions-{part}.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [record for record in map(json.loads, lines) if record["answer"] is not None]
    with gzip.open(data / "news" / "articles.jsonl.gz", "rt", encoding="utf-8") as file:
        articles: list[dict[str, Any]] = [json.loads(line) for line in file]
    needed = {record["article_id"] for record in asked}
    others = [article["id"] for article in articles if article["id"] not in needed]
    kept = needed.union(others if whole else random.Random(_SEED).sample(others, _N_OTHERS))
    passages: list[str] = []
    starts: list[int] = []
    numbers: dict[str, int] = {}
    for article in articles:
        if article["id"] in kept:
            numbers[article["id"]] = len(starts)
            starts.append(len(passages))
            text, sentences = article["text"], split_sentences(article["text"])
            for first, past in split_passages(text, sentences):
                passages.append(f"{article['title']}\n{text[sentences[first].start : sentences[past - 1].end]}")
    gold = [[numbers[each] for each in (record["article_id"], *record.get("other_articles", ()))] for record in asked]
    return Task(f"news {part}", passages, np.array(starts), [record["question"] for record in asked], gold)


def _figure(values: NDArray[np.float64]) -> str:
    low, high = interval(values)
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}]"


def _difference(values: NDArray[np.float64], ours: NDArray[np.float64]) -> str:
    low, high = interval(values - ours)
    return f"{(values - ours).mean():+.4f} [{low:+.4f}, {high:+.4f}]"


def compare(task: Task, names: Sequence[str], lemmatize: Callable[[str], str] | None) -> None:
    """Print the table of one set: each choice against ours."""
    print(
        f"\n{task.name}: {len(task.questions)} questions, {len(task.starts)} documents, {len(task.passages)} passages\n"
    )
    print("| analyzer | R@1 | MRR@10 | difference | typed without accents: MRR@10 | difference |")
    print("|---|---|---|---|---|---|")
    ours: list[NDArray[np.float64]] = []
    for name in ("ours", *names):
        typed, plain = ranks(task, Switched(ROWS[name], lemmatize), accents=(True, False))
        values = [reciprocal(typed), reciprocal(plain)]
        ours = ours or values
        cells = [_figure((typed == 1).astype(np.float64))]
        for mine, base in zip(values, ours, strict=True):
            cells += [_figure(mine), "" if name == "ours" else _difference(mine, base)]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def measure(task: Task) -> None:
    """Print the row of one set that is only measured."""
    (rank,) = ranks(task, Analyzer(), accents=(True,))
    cells = [_figure((rank <= depth).astype(np.float64)) for depth in (1, 5, 20)]
    print(f"| {task.name} | {len(rank)} | {' | '.join(cells)} | {_figure(reciprocal(rank))} |", flush=True)


def inflections(task: Task, lemmatize: Callable[[str], str]) -> None:
    """Print how often two forms of a word have one term, and two words of one term have one lemma.

    The words are those of at least three letters found ten times or more; pairs weigh the same. Words of one family
    ("national", "nationalité") have two lemmas, so that the second figure is a lower bound.
    """
    counts = Counter(word for text in task.passages for word in re.findall(r"[^\W\d_]{3,}", text.lower()))
    lemmas = {word: lemmatize(word) for word, count in counts.items() if count >= _MIN_COUNT}
    print(f"\n{len(lemmas)} words of {task.name}\n")
    print("| analyzer | pairs of one lemma with one term | pairs of one term with one lemma |\n|---|---|---|")
    for name in ("ours", *(name for name, choices in ROWS.items() if choices.stem in _STEMS)):
        analyzer = Switched(ROWS[name], lemmatize)
        terms = {word: found[0] for word in lemmas if len(found := analyzer.terms(word)) == 1}
        both = _n_pairs([(lemmas[word], term) for word, term in terms.items()])
        one_lemma, one_term = _n_pairs([lemmas[word] for word in terms]), _n_pairs(list(terms.values()))
        print(f"| {name} | {both / one_lemma:.3f} | {both / one_term:.3f} |", flush=True)


def _n_pairs(labels: Sequence[object]) -> int:
    return sum(count * (count - 1) // 2 for count in Counter(labels).values())


def speed(passages: Sequence[str]) -> None:
    """Print how many passages one core analyses in a second, by its own time: with nothing remembered, then again."""
    analyzer = Analyzer()
    for name in ("nothing remembered", "the same again"):
        began = time.process_time()
        for passage in passages:
            analyzer.terms(passage)
        seconds = time.process_time() - began
        print(f"{name}: {len(passages)} passages, {len(passages) / seconds:,.0f} a second")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="What each choice of the analyzer is worth, by BM25 alone.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of piaf and news")
    parser.add_argument("--dev", action="store_true", help="only the analyzer as it is, on the sets only measured")
    parser.add_argument("--inflections", action="store_true", help="only whether the forms of a word share a term")
    parser.add_argument("--speed", action="store_true", help="only passages a second")
    options = parser.parse_args()
    if options.speed:
        speed(news(options.data, "dev", whole=True).passages)
        return
    lemmatize = lemmatizer()
    if options.inflections:
        if lemmatize is None:
            raise SystemExit(_NO_LEMMAS)
        inflections(news(options.data, "train", whole=False), lemmatize)
        return
    if options.dev:
        print("| set | questions | R@1 | R@5 | R@20 | MRR@10 |\n|---|---|---|---|---|---|")
        measure(piaf(options.data, "dev"))
        measure(news(options.data, "dev", whole=True))
        measure(news(options.data, "dev-large", whole=True))
        return
    if lemmatize is None:
        print(_NO_LEMMAS)
    names = [name for name in ROWS if name != "ours" and (lemmatize or not ROWS[name].stem.startswith("lemma"))]
    for task in (piaf(options.data, "train"), news(options.data, "train", whole=False)):
        _same_terms(task.passages[::50])
        compare(task, names, lemmatize)


def _same_terms(passages: Sequence[str]) -> None:
    """Raise where the switches, all as they are in the product, do not give the terms of the product."""
    product, switched = Analyzer(), Switched(OURS, None)
    for passage in passages:
        if product.terms(passage) != switched.terms(passage):
            raise SystemExit(f"the switches give other terms than index.analyze for {passage[:80]!r}")


if __name__ == "__main__":
    main()
