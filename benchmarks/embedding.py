"""Measures how well embeddings alone find the right document: R@1, R@5 and MRR@10.

python -m benchmarks.embedding --data ../shared/data [--model NAME]... [--news]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.embed import Embedder, open_embedder
from qa.evaluation import Figure, figure
from training.corpora import read_articles, read_lines

_WORDS_A_PASSAGE = 110
_DEPTH = 10


@dataclass(frozen=True, slots=True)
class Task:
    """Questions over a corpus: each question is asked of all passages.

    Attributes:
        name: as printed.
        passages: the texts that are embedded.
        documents: the document of each passage.
        questions: the texts that are asked.
        wanted: the documents that answer each question.
    """

    name: str
    passages: Sequence[str]
    documents: Sequence[str]
    questions: Sequence[str]
    wanted: Sequence[frozenset[str]]


def piaf(data: Path) -> Task:
    """PIAF dev: 1,220 questions over the 1,518 contexts of train and dev; a context is a document."""
    contexts: dict[str, None] = {}
    questions: list[str] = []
    wanted: list[frozenset[str]] = []
    for part in ("train", "dev"):
        for article in json.loads((data / "piaf" / f"{part}.json").read_text(encoding="utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                contexts[paragraph["context"]] = None
                if part == "dev":
                    questions.extend(question["question"] for question in paragraph["qas"])
                    wanted.extend([frozenset([paragraph["context"]])] * len(paragraph["qas"]))
    return Task("PIAF dev", list(contexts), list(contexts), questions, wanted)


def news(data: Path) -> list[Task]:
    """The answerable news questions over every article, cut into passages with the title in front."""
    passages: list[str] = []
    documents: list[str] = []
    for article in read_articles(data):
        for passage in _cut(f"{article['heading']} {article['text']}"):
            passages.append(f"{article['title']}. {passage}")
            documents.append(article["id"])
    tasks = []
    for name in ("questions-dev", "questions-dev-large"):
        asked = [question for question in read_lines(data / "news" / f"{name}.jsonl") if question["answer"] is not None]
        wanted = [frozenset([question["article_id"], *question.get("other_articles", [])]) for question in asked]
        tasks.append(Task(f"news {name}", passages, documents, [question["question"] for question in asked], wanted))
    return tasks


def reciprocal_ranks(embedder: Embedder, task: Task, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return 1 / rank of the first right document of each question, 0 beyond rank 10.

    A document ranks where the best of its passages does.
    """
    ranks = np.zeros(len(task.questions))
    for row, (question, wanted) in enumerate(zip(task.questions, task.wanted, strict=True)):
        scores = vectors @ embedder.embed_question(question)
        seen: dict[str, None] = {}
        for passage in np.argsort(-scores, kind="stable"):
            seen[task.documents[passage]] = None
            if task.documents[passage] in wanted:
                ranks[row] = 1 / len(seen)
                break
            if len(seen) == _DEPTH:
                break
    return ranks


def summary(ranks: NDArray[np.float64]) -> dict[str, Figure]:
    """Return each measure over the questions."""
    measures = {"R@1": ranks == 1, "R@5": ranks >= 1 / 5, "MRR@10": ranks}
    return {name: figure(values.astype(float)) for name, values in measures.items()}


def _cut(text: str) -> Iterator[str]:
    words = text.split()
    for start in range(0, len(words), _WORDS_A_PASSAGE):
        yield " ".join(words[start : start + _WORDS_A_PASSAGE])


def _measure(embedder: Embedder, tasks: Sequence[Task]) -> None:
    """Print one line a task; tasks over the same passages embed them once."""
    passages: Sequence[str] = []
    for task in tasks:
        if task.passages is not passages:
            passages = task.passages
            start = time.perf_counter()
            vectors = embedder.embed_passages(passages)
            speed = len(passages) / (time.perf_counter() - start)
        figures = " | ".join(
            f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"
            for found in summary(reciprocal_ranks(embedder, task, vectors)).values()
        )
        print(f"| {embedder.name} | {task.name} | {len(task.questions)} | {figures} | {speed:,.0f} |", flush=True)


def main() -> None:
    """Print a Markdown table of every model on every task."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder of the shared data")
    parser.add_argument("--model", action="append", help="bundled (default), a folder or a hub name; may be repeated")
    parser.add_argument("--news", action="store_true", help="also the news questions, over about 110,000 passages")
    options = parser.parse_args()
    tasks = [piaf(options.data), *(news(options.data) if options.news else [])]
    print("| model | task | n | R@1 | R@5 | MRR@10 | passages/s |\n|---|---|---|---|---|---|---|")
    for name in options.model or ["bundled"]:
        _measure(open_embedder(name), tasks)


if __name__ == "__main__":
    main()
