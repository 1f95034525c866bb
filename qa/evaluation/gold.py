"""Questions with known answers: read from JSON lines, or from SQuAD files whose paragraphs are the documents."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import InputError, LoadError
from index.formats.extracted import text_id
from index.types import Document

__all__ = ["GoldQuestion", "QuestionFile", "read_file", "read_questions"]

_EXPECTED = "expected SQuAD, or JSON lines with question, answer and article_id"


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question and what answers it.

    Attributes:
        question: as asked.
        documents: ids of the documents that answer; empty where none does.
        evidence: spans of the text of ``document``, each of which answers; empty where not known.
        answers: short answers that count as right; empty where the question is unanswerable.
        document: id of the document whose text the evidence counts in, or None.
        has_short_answer: False where ``answers`` is the whole sentence wanted, which no short answer is held against.
    """

    question: str
    documents: frozenset[str]
    evidence: tuple[tuple[int, int], ...]
    answers: tuple[str, ...]
    document: str | None
    has_short_answer: bool = True

    @property
    def is_answerable(self) -> bool:
        """Whether the documents answer it."""
        return bool(self.answers)


@dataclass(frozen=True, slots=True)
class QuestionFile:
    """What a file of questions holds.

    Attributes:
        questions: in the order of the file.
        documents: each paragraph of a SQuAD file, the same text once; empty for JSON lines.
        notes: what was read otherwise than it stands there, one sentence each.
    """

    questions: tuple[GoldQuestion, ...]
    documents: tuple[Document, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_squad(self) -> bool:
        """Whether the file brings its documents."""
        return bool(self.documents)


def read_questions(path: Path) -> list[GoldQuestion]:
    """Return the questions of a file; arguments and errors as `read_file`."""
    return list(read_file(path).questions)


def read_file(path: Path) -> QuestionFile:
    """Read questions, told apart by content: SQuAD 1.1 or 2.0, or JSON lines.

    A line holds ``question``, ``answer`` (null where unanswerable) and ``article_id``, and optionally ``evidence``,
    ``evidence_alternatives``, ``answer_start``, ``answer_aliases``, ``yesno``, ``other_articles``.

    Args:
        path: a file in UTF-8.

    Raises:
        LoadError: if it cannot be read.
        InputError: if it holds no question.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(str(path), f"{_EXPECTED} ({error})") from error
    whole = _as_squad(text)
    found = QuestionFile(_read_lines(path, text)) if whole is None else _read_squad(path, whole)
    if not found.questions:
        raise InputError(f"{path} holds no question: {_EXPECTED}")
    return found


def _as_squad(text: str) -> Mapping[str, Any] | None:
    """Return the object of a SQuAD file, or None where the text is something else."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return whole if isinstance(whole, dict) and isinstance(whole.get("data"), list) else None


def _read_lines(path: Path, text: str) -> tuple[GoldQuestion, ...]:
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found.append(_from_record(json.loads(line)))
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise LoadError(f"{path}:{number}", f"{_EXPECTED} ({error!r})") from error
    return tuple(found)


def _from_record(record: Mapping[str, Any]) -> GoldQuestion:
    if record["answer"] is None:
        return GoldQuestion(str(record["question"]), frozenset(), (), (), None)
    article = str(record["article_id"])
    evidence = [(int(a), int(b)) for a, b in (*record.get("evidence", ()), *record.get("evidence_alternatives", ()))]
    if not evidence and record.get("answer_start") is not None:
        start = int(record["answer_start"])
        evidence = [(start, start + len(record["answer"]))]
    return GoldQuestion(
        str(record["question"]),
        frozenset([article, *map(str, record.get("other_articles", ()))]),
        tuple(evidence),
        (str(record["answer"]), *map(str, record.get("answer_aliases", ())), *_as_list(record.get("yesno"))),
        article,
    )


def _as_list(label: Any) -> list[str]:
    return [] if label is None else [str(label)]


def _read_squad(path: Path, whole: Mapping[str, Any]) -> QuestionFile:
    documents: dict[str, Document] = {}
    questions: list[GoldQuestion] = []
    misplaced: list[str] = []
    for part, article in enumerate(whole["data"], start=1):
        try:
            title = article.get("title") or None
            for paragraph in article["paragraphs"]:
                text = paragraph["context"]
                source = f"{path}#{title or part}/{len(documents) + 1}"
                document = documents.setdefault(text_id(text), Document(text_id(text), source, text, title))
                questions.extend(_from_entry(document, entry, misplaced) for entry in paragraph.get("qas", ()))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise LoadError(f"{path}: article {part}", f"expected SQuAD 1.1 or 2.0 ({error!r})") from error
    notes = (_misplaced_note(path, misplaced),) if misplaced else ()
    return QuestionFile(tuple(questions), tuple(documents.values()), notes)


def _misplaced_note(path: Path, questions: Sequence[str]) -> str:
    return (
        f"{path}: {len(questions)} questions whose answer does not stand where answer_start says, such as "
        f"{questions[0]!r}: no passage or sentence is judged by it"
    )


def _from_entry(document: Document, entry: Mapping[str, Any], misplaced: list[str]) -> GoldQuestion:
    """Read one question of a paragraph; those whose answer does not stand where it should are added to a list."""
    question = str(entry["question"])
    if entry.get("is_impossible"):
        return GoldQuestion(question, frozenset(), (), (), None)
    spans = {(int(found["answer_start"]), str(found["text"])): None for found in entry["answers"]}
    if not spans:
        raise ValueError(f"{question!r} has no answer and is not marked is_impossible")
    evidence = [(at, at + len(text)) for at, text in spans if document.text.startswith(text, at)]
    if len(evidence) < len(spans):
        misplaced.append(question)
    answers = tuple(dict.fromkeys(text for _, text in spans))
    return GoldQuestion(question, frozenset([document.id]), tuple(evidence), answers, document.id)
