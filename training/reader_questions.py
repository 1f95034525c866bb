"""Questions that the reader learns from or is measured on, each with the sentences that search ranks first for it.

Near misses teach the reader most: they are what it will be shown. They are found by the shipped search, over the whole
news and over the paragraphs of Wikipedia, and kept as JSON lines.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from index import CorpusIndex
from index.errors import InputError
from training.corpora import read_articles, read_lines
from training.span_data import find_answer

__all__ = ["SETS", "ReaderQuestion", "read_reader_questions", "wiki_documents"]

SETS = ("news-train", "wiki-train", "news-dev", "news-dev-large", "piaf-dev")
_N_SENTENCES = 24
_TRAIN_ONLY, _ALL = ("train",), ("train", "dev")


@dataclass(frozen=True, slots=True)
class ReaderQuestion:
    """A question, its answer, and what search found.

    Attributes:
        id: of the question in its file.
        question: as asked.
        kind: as the annotator gave it, "" where there is none.
        article: document that it is about.
        answer: code point offsets of the gold answer in that document, or None where it does not answer.
        others: documents that answer too.
        found: sentences that search ranked first, best first: document, start, end, log-odds.
    """

    id: str
    question: str
    kind: str
    article: str
    answer: tuple[int, int] | None
    others: tuple[str, ...] = ()
    found: tuple[tuple[str, int, int, float], ...] = ()


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask the questions of one set and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", choices=SETS)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("training/runs/reader"))
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{options.set}.jsonl"
    with tempfile.TemporaryDirectory() as folder:
        corpus, questions = _set(options.set, options.data, options.out, Path(folder))
        with path.with_suffix(".new").open("w", encoding="utf-8") as lines:
            for question in tqdm(questions, desc=options.set, mininterval=30):
                record = asdict(question) | {"found": _found(corpus, question.question)}
                lines.write(json.dumps(record, ensure_ascii=False) + "\n")
    path.with_suffix(".new").replace(path)


def read_reader_questions(path: Path) -> Iterator[ReaderQuestion]:
    """Yield what this command wrote."""
    for record in read_lines(path):
        answer = record["answer"]
        yield ReaderQuestion(
            **{
                **record,
                "answer": None if answer is None else (answer[0], answer[1]),
                "others": tuple(record["others"]),
                "found": tuple((name, start, end, score) for name, start, end, score in record["found"]),
            }
        )


def wiki_documents(data: Path, parts: Sequence[str]) -> tuple[list[dict[str, Any]], list[ReaderQuestion]]:
    """Return the paragraphs of PIAF (and, of the train part, of AfriQA) with the questions about the last part named.

    Every paragraph is its own document.
    """
    documents: list[dict[str, Any]] = []
    questions: list[ReaderQuestion] = []
    for part in parts:
        questions = []
        for article in json.loads((data / f"piaf/{part}.json").read_text(encoding="utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                name = f"{part}-{len(documents)}"
                documents.append({"id": name, "title": article["title"], "text": paragraph["context"]})
                for asked in paragraph["qas"]:
                    gold = asked["answers"][0]
                    questions.append(_exact(name, asked["question"], paragraph["context"], gold, str(asked["id"])))
    if tuple(parts) == _TRAIN_ONLY:
        known: dict[str, str] = {}
        for record in read_lines(next((data / "afriqa-fr").glob("*.train.json"))):
            text, gold = record["context"], record["answer_pivot"]
            if text is None:
                continue
            if text not in known:
                known[text] = f"afriqa-{len(known)}"
                documents.append({"id": known[text], "title": record["title"], "text": text})
            for start, answer in zip(gold["answer_start"], gold["text"], strict=False):
                if text[start : start + len(answer)] == answer:  # one in twenty stands elsewhere
                    first = {"answer_start": start, "text": answer}
                    question = record["question_translated"]
                    questions.append(_exact(known[text], question, text, first, f"a{record['id']}"))
                    break
    return documents, questions


def _exact(name: str, question: str, text: str, gold: Mapping[str, Any], number: str) -> ReaderQuestion:
    start = gold["answer_start"]
    return ReaderQuestion(number, question, "", name, (start, start + len(gold["text"])))


def _set(name: str, data: Path, runs: Path, folder: Path) -> tuple[CorpusIndex, list[ReaderQuestion]]:
    if name.startswith("news"):
        corpus = CorpusIndex.build([data / "news/articles.jsonl.gz"], runs / "news-index")
        return corpus, list(_news_questions(data, f"questions-{name.removeprefix('news-')}.jsonl"))
    documents, questions = wiki_documents(data, _TRAIN_ONLY if name == "wiki-train" else _ALL)
    lines = "".join(json.dumps(document) + "\n" for document in documents)
    (folder / "documents.jsonl").write_text(lines, encoding="utf-8")
    return CorpusIndex.build([folder / "documents.jsonl"], folder / "index"), questions


def _news_questions(data: Path, name: str) -> Iterator[ReaderQuestion]:
    records = read_lines(data / "news" / name)
    wanted = {record["article_id"] for record in records}
    texts = {article["id"]: article["text"] for article in read_articles(data) if article["id"] in wanted}
    for record in records:
        article, answer = record["article_id"] or record.get("related_article_id") or "", None
        if record["answer"] is not None and (start := find_answer(record, texts[article])) is not None:
            answer = (start, start + len(record["answer"]))
        others = tuple(map(str, record.get("other_articles", ())))
        yield ReaderQuestion(record["id"], record["question"], record["type"], str(article), answer, others)


def _found(corpus: CorpusIndex, question: str) -> list[tuple[str, int, int, float]]:
    try:
        ranked = corpus.search_in_full(question, k=20).ranked
    except InputError:
        return []
    assert ranked is not None
    best = (-ranked.log_odds).argsort(kind="stable")[:_N_SENTENCES]
    sentences = [(ranked.found[place].sentence, ranked.log_odds[place]) for place in best]
    return [(s.document.id, s.span.start, s.span.end, round(float(score), 3)) for s, score in sentences]


if __name__ == "__main__":
    main()
