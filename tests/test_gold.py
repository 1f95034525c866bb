"""Questions with known answers: SQuAD and JSON lines, told apart by content, and what is said of broken ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from index import CorpusIndex, InputError, LoadError
from qa.evaluation import read_questions
from qa.evaluation.gold import read_file
from qa.evaluation.outcomes import check_documents

CONTEXT = "Le phare date de 1882. Il domine la baie."
SQUAD = {
    "version": "2.0",
    "data": [
        {
            "title": "Phare",
            "paragraphs": [
                {
                    "context": CONTEXT,
                    "qas": [
                        {"id": "1", "question": "De quand date le phare ?", "is_impossible": False,
                         "answers": [{"text": "1882", "answer_start": 17}, {"text": "de 1882", "answer_start": 14},
                                     {"text": "1882", "answer_start": 17}]},
                        {"id": "2", "question": "Qui garde le phare ?", "is_impossible": True, "answers": [],
                         "plausible_answers": [{"text": "Il", "answer_start": 23}]},
                        {"id": "3", "question": "Que domine le phare ?",
                         "answers": [{"text": "la baie", "answer_start": 3}]},
                    ],
                },
                {"context": "Un autre paragraphe.", "qas": []},
            ],
        },
        {"title": "Encore", "paragraphs": [{"context": CONTEXT, "qas": []}]},
    ],
}  # fmt: skip


def test_squad_is_known_by_content_and_each_paragraph_is_a_document(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps(SQUAD), encoding="utf-8")
    found = read_file(path)
    assert [(document.text, document.title) for document in found.documents] == [
        (CONTEXT, "Phare"),
        ("Un autre paragraphe.", "Phare"),
    ]
    lighthouse = found.documents[0].id
    first, second, third = found.questions
    assert (first.answers, first.evidence) == (("1882", "de 1882"), ((17, 21), (14, 21)))
    assert (first.documents, first.document) == (frozenset([lighthouse]), lighthouse)
    assert all(CONTEXT[a:b] in first.answers for a, b in first.evidence)
    assert (second.is_answerable, second.documents, second.answers) == (False, frozenset(), ())
    assert (third.answers, third.evidence) == (("la baie",), ())
    assert len(found.notes) == 1
    assert "1 questions" in found.notes[0]
    assert "Que domine le phare ?" in found.notes[0]


def test_the_paragraph_is_found_in_an_index_of_the_user_by_its_text(tmp_path: Path) -> None:
    (tmp_path / "squad.json").write_text(json.dumps(SQUAD), encoding="utf-8")
    (tmp_path / "phare.txt").write_text(CONTEXT, encoding="utf-8")
    corpus = CorpusIndex.build([tmp_path / "phare.txt"], tmp_path / "index")
    questions = read_questions(tmp_path / "squad.json")
    check_documents(corpus, questions)
    assert corpus.search("phare", k=1)[0].passage.document.id == questions[0].document


def test_lines_give_every_span_and_document_that_suffices(tmp_path: Path) -> None:
    record = {
        "question": "Quand ?", "answer": "2024", "answer_aliases": ["en 2024"], "article_id": 7, "answer_start": 3,
        "evidence": [[0, 5]], "evidence_alternatives": [[9, 12]], "other_articles": ["8"],
    }  # fmt: skip
    spoken = {"question": "Où ?\u2028", "answer": "là", "article_id": "7", "answer_start": 3}
    path = tmp_path / "questions.jsonl"
    lines = [json.dumps(record), json.dumps(spoken, ensure_ascii=False), json.dumps({"question": "?", "answer": None})]
    path.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    full, short, unanswerable = read_questions(path)
    assert full.documents == {"7", "8"}
    assert full.document == "7"
    assert full.evidence == ((0, 5), (9, 12))
    assert full.answers == ("2024", "en 2024")
    assert (short.question, short.evidence) == ("Où ?\u2028", ((3, 5),))
    assert not unanswerable.is_answerable


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        ("{broken", LoadError, r"questions\.jsonl:1"),
        ('{"question": "Qui ?", "answer": null}\n{"question": "Qui ?"}', LoadError, r"questions\.jsonl:2"),
        ("[1]", LoadError, r"questions\.jsonl:1"),
        ("", InputError, r"questions\.jsonl holds no question"),
        ('{"data": [{"paragraphs": [{"qas": []}]}]}', LoadError, r"article 1.*context"),
        ('{"data": [{"paragraphs": 3}]}', LoadError, "article 1"),
        ('{"data": [{"paragraphs": [{"context": "a", "qas": [{"question": "Q", "answers": []}]}]}]}', LoadError,
         "'Q' has no answer and is not marked is_impossible"),
        ('{"data": []}', InputError, "holds no question"),
    ],
)  # fmt: skip
def test_a_file_without_questions_is_named(tmp_path: Path, content: str, error: type[Exception], words: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(content)
    with pytest.raises(error, match=words):
        read_questions(path)
