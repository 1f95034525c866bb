"""Corpora to ask training questions of: small ones of a few news articles, and the paragraphs of PIAF."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from index import CorpusIndex
from index.embed import Embedder

__all__ = ["half_of", "piaf_corpus", "read_articles", "read_lines", "read_open_articles", "small_corpora"]

_SEED = 21
_MAX_ARTICLES = 12
_N_STRANGERS = 6
"""Questions about other articles asked of a small corpus, which cannot answer them."""

Questions = list[Mapping[str, Any]]


def half_of(article: str) -> int:
    """Return 0 or 1, the half that an article belongs to by its id or title.

    The ranker learns how far to trust the embedding, so it must not learn that from questions which the embedding was
    trained on: it is trained on one half with an embedding trained on the other.
    """
    return zlib.crc32(article.encode()) % 2


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def small_corpora(
    data: Path, questions: Sequence[Mapping[str, Any]], folder: Path, *, n_corpora: int, embedder: Embedder
) -> Iterator[tuple[CorpusIndex, Questions]]:
    """Make corpora of 1 to 12 articles, each with the questions about them and some about other articles."""
    chance = random.Random(_SEED)
    by_article: dict[str, Questions] = {}
    for question in questions:
        by_article.setdefault(str(question["article_id"]), []).append(question)
    articles = {article["id"]: article for article in read_articles(data) if article["id"] in by_article}
    order = sorted(articles)
    chance.shuffle(order)
    for number in range(n_corpora):
        chosen = [order.pop() for _ in range(chance.randint(1, _MAX_ARTICLES)) if order]
        corpus = _build(folder / f"small-{number}", [articles[article] for article in chosen], embedder)
        strangers = chance.sample(order, min(_N_STRANGERS, len(order)))
        asked: Questions = [question for article in chosen for question in by_article[article]]
        asked += [{**by_article[article][0], "answer": None} for article in strangers]
        yield corpus, asked


def piaf_corpus(
    data: Path, folder: Path, *, n_questions: int, half: int, embedder: Embedder
) -> tuple[CorpusIndex, Questions]:
    """Make a corpus of the training paragraphs of PIAF, each its own document, with some questions of one half."""
    content = json.loads((data / "piaf/train.json").read_text(encoding="utf-8"))
    documents: list[Mapping[str, Any]] = []
    questions: Questions = []
    for article in content["data"]:
        for paragraph in article["paragraphs"]:
            name = f"piaf-{len(documents)}"
            documents.append({"id": name, "title": article.get("title"), "text": paragraph["context"]})
            for entry in paragraph["qas"] if half_of(article["title"]) == half else ():
                answer = entry["answers"][0]
                record = {"question": entry["question"], "article_id": name}
                questions.append(record | {"answer": answer["text"], "answer_start": answer["answer_start"]})
    random.Random(_SEED).shuffle(questions)
    return _build(folder / "piaf", documents, embedder), questions[:n_questions]


def read_articles(data: Path) -> Iterator[dict[str, Any]]:
    """Yield every news article."""
    with gzip.open(data / "news/articles.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def read_open_articles(data: Path) -> Iterator[dict[str, Any]]:
    """Yield the news articles that may be trained on: those not set aside for questions."""
    held_out = set((data / "news/eval-ids.txt").read_text(encoding="utf-8").split())
    return (article for article in read_articles(data) if article["id"] not in held_out)


def _build(folder: Path, documents: Sequence[Mapping[str, Any]], embedder: Embedder) -> CorpusIndex:
    folder.mkdir()
    lines = "".join(json.dumps(document) + "\n" for document in documents)
    (folder / "documents.jsonl").write_text(lines, encoding="utf-8")
    return CorpusIndex.build([folder / "documents.jsonl"], folder / "index", embedder=embedder)
