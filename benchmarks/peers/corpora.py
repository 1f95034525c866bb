"""The corpora: PIAF, the news or a stated part of it, and the few articles that come with the tests."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.peers.protocol import Record
from qa.evaluation.gold import GoldQuestion, read_file, read_questions

__all__ = ["Corpus", "read_corpus"]

_SEED = 10


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents and questions about them.

    Attributes:
        name: as on the command line.
        records: the documents.
        questions: answerable ones whose document is among the records, and unanswerable ones.
    """

    name: str
    records: Sequence[Record]
    questions: Sequence[GoldQuestion]

    def write(self, path: Path) -> None:
        """Write the documents as JSON lines, one `Record` each."""
        with path.open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(asdict(record), ensure_ascii=False) + "\n" for record in self.records)


def read_corpus(name: str, data: Path, *, n_questions: int | None = None) -> Corpus:
    """Read a corpus by its name.

    Args:
        name: ``piaf``: the 1,518 passages of PIAF and the questions of its dev part. ``news``: all 33,483 articles and
            questions-dev. ``news-N``: N of the articles, those that questions-dev names among them, the others drawn
            with a fixed seed; N is raised to the number of those named.
        data: folder of the shared data.
        n_questions: answerable ones to keep, spread evenly; None keeps all.
    """
    records, questions = _piaf(data) if name == "piaf" else _news(data, name)
    if n_questions is not None:
        questions = questions[:: max(1, len(questions) // n_questions)][:n_questions]
    return Corpus(name, records, questions)


def _piaf(data: Path) -> tuple[list[Record], list[GoldQuestion]]:
    dev = read_file(data / "piaf/dev.json")
    documents = {each.id: each for each in (*dev.documents, *read_file(data / "piaf/train.json").documents)}
    return [Record(each.id, each.text, each.title or "") for each in documents.values()], list(dev.questions)


def _news(data: Path, name: str) -> tuple[list[Record], list[GoldQuestion]]:
    path = data / "news/questions-dev.jsonl"
    questions = read_questions(path)
    with gzip.open(data / "news/articles.jsonl.gz", "rt", encoding="utf-8") as lines:
        articles = {str(each["id"]): each for each in map(json.loads, lines)}
    kept = list(articles)
    if name != "news":
        named = _named(path) & articles.keys()
        others = [each for each in articles if each not in named]
        random.Random(_SEED).shuffle(others)
        chosen = named | set(others[: max(0, int(name.removeprefix("news-")) - len(named))])
        kept = [each for each in articles if each in chosen]
    records = [
        Record(each, articles[each]["text"], articles[each].get("title") or "", articles[each].get("date"))
        for each in kept
    ]
    return records, questions


def _named(path: Path) -> set[str]:
    """Return the ids of all articles that a file of questions names, also those near to an unanswerable one."""
    named = set()
    for question in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        fields = (question.get("article_id"), question.get("related_article_id"), *question.get("other_articles", ()))
        named |= {str(each) for each in fields if each is not None}
    return named
