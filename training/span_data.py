"""Reads questions with answers and the sentences that hold them, for training and measuring the short answer."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.analyze import Analyzer
from index.split import split_sentences
from index.types import Span
from training.corpora import read_articles, read_lines

__all__ = [
    "Example",
    "distractors",
    "f1",
    "find_answer",
    "fold",
    "normalise_answer",
    "read_news",
    "read_squad",
    "read_training",
]

_ARTICLES = re.compile(r"\b(?:le|la|les|un|une|des|du|de)\b|\b(?:l|d)['’]")
_PUNCTUATION = re.compile(r"[^\w\s]")


@dataclass(frozen=True, slots=True)
class Example:
    """A question on one text.

    Attributes:
        group: what the text belongs to; folds keep a group together.
        question: as asked.
        text: the text of the article or passage.
        answer: the gold span in the text, or None where the text does not answer.
        sentences: the sentences of the text.
        kind: the kind that the annotator gave, "" where there is none.
    """

    group: str
    question: str
    text: str
    answer: Span | None
    sentences: list[Span]
    kind: str

    @property
    def gold_sentence(self) -> Span | None:
        """The sentence that holds the whole answer, or None."""
        if self.answer is None:
            return None
        for span in self.sentences:
            if span.start <= self.answer.start and self.answer.end <= span.end:
                return span
        return None

    @property
    def answer_text(self) -> str:
        """The gold words, empty where there are none."""
        return "" if self.answer is None else self.text[self.answer.start : self.answer.end]


def read_news(data: Path, name: str) -> Iterator[Example]:
    """Yield the questions of a file of the news folder that are about one article, in the order of the file."""
    rows = [row for row in read_lines(data / "news" / name) if row["article_id"] is not None]
    wanted = {row["article_id"] for row in rows}
    texts = {article["id"]: article["text"] for article in read_articles(data) if article["id"] in wanted}
    split = {name: split_sentences(text) for name, text in texts.items()}
    for row in rows:
        name = row["article_id"]
        start = find_answer(row, texts[name])
        answer = None if start is None else Span(start, start + len(row["answer"]))
        yield Example(name, row["question"], texts[name], answer, split[name], row["type"])


def find_answer(row: dict[str, Any], text: str) -> int | None:
    """Return where the answer of a record stands in its article: as given, else in the evidence, else anywhere."""
    answer = row["answer"]
    if not isinstance(answer, str):
        return None
    start = row.get("answer_start")
    if isinstance(start, int):
        return start
    evidence = row["evidence"]
    for first, last in evidence if isinstance(evidence, list) else []:
        found = text.find(answer, first, last)
        if found >= 0:
            return found
    found = text.find(answer)
    return found if found >= 0 else None


def read_squad(path: Path) -> Iterator[Example]:
    """Yield the questions of a file in the SQuAD 1.1 format, in the order of the file."""
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            text = paragraph["context"]
            sentences = split_sentences(text)
            for row in paragraph["qas"]:
                gold = row["answers"][0]
                start = gold["answer_start"]
                span = Span(start, start + len(gold["text"]))
                yield Example(article["title"], row["question"], text, span, sentences, "")


def normalise_answer(text: str) -> list[str]:
    """Return the words of an answer as SQuAD compares them, with French articles removed.

    Lower case, without articles and "de", then without punctuation (Rajpurkar et al., SQuAD, 2016, evaluation script).
    """
    bare = _ARTICLES.sub(" ", text.lower())
    return _PUNCTUATION.sub(" ", bare).split()


def fold(group: str) -> int:
    """Return the fold of a group of examples, 0 to 9."""
    return sum(group.encode()) % 10


def read_training(data: Path, *, held_out: int | None) -> Iterator[Example]:
    """Yield the examples to train on: both training files, less one fold where asked."""
    news = read_news(data, "questions-train.jsonl")
    for source in (news, read_squad(data / "piaf/train.json")):
        for example in source:
            if held_out is None or fold(example.group) != held_out:
                yield example


def distractors(example: Example, *, analyzer: Analyzer) -> list[Span]:
    """Return the sentences without the answer's words that share most terms with the question, closest first."""
    asked = set(analyzer.terms(example.question))
    answer = example.answer_text.lower()
    scored = []
    for number, span in enumerate(example.sentences):
        text = example.text[span.start : span.end]
        if answer and answer in text.lower():
            continue
        scored.append((-len(asked.intersection(analyzer.terms(text))), number))
    return [example.sentences[number] for _, number in sorted(scored)]


def f1(found: list[str], wanted: list[str]) -> float:
    """Return the token F1 of two bags of words, in [0, 1]; 1 where both are empty."""
    if not found or not wanted:
        return float(found == wanted)
    common = sum((Counter(found) & Counter(wanted)).values())
    return 2 * common / (len(found) + len(wanted))
