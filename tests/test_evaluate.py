import json
from pathlib import Path

import pytest

from index import CorpusIndex, LoadError
from qa import Chatbot
from qa.evaluate import evaluate, exact_match, read_questions, token_f1

ARTICLES = [
    {"id": "a", "text": "Le pont de Gassin a été fermé mardi. Il mesure 42 mètres de long, selon la mairie."},
    {"id": "b", "text": "La récolte de cerises a doublé dans le Vaucluse. Les producteurs se disent soulagés."},
]


@pytest.mark.parametrize(
    ("given", "gold", "exact", "f1"),
    [
        ("Jens Stoltenberg", "jens stoltenberg", 1.0, 1.0),
        ("le 9 juin", "9 juin", 1.0, 1.0),
        ("l'Otan", "Otan", 1.0, 1.0),
        ("Élysée", "elysee", 1.0, 1.0),
        ("plus de 30 navires", "30 navires", 0.0, 0.8),  # "de" is dropped: 2 shared of 3 and of 2
        ("Paris", "Lyon", 0.0, 0.0),
        ("", "Lyon", 0.0, 0.0),
    ],
)
def test_answers_are_compared_as_a_french_reader_would(given: str, gold: str, exact: float, f1: float) -> None:
    assert exact_match(given, gold) == exact
    assert token_f1(given, gold) == pytest.approx(f1)


def write(path: Path, records: list[dict[str, object]]) -> Path:
    path.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
    return path


def test_figures_are_those_of_a_count_by_hand(tmp_path: Path) -> None:
    write(tmp_path / "articles.jsonl", [dict(article) for article in ARTICLES])
    corpus = CorpusIndex.build([tmp_path / "articles.jsonl"], tmp_path / "index")
    start = ARTICLES[0]["text"].index("42 mètres")
    questions = read_questions(
        write(
            tmp_path / "questions.jsonl",
            [
                {"question": "Quelle est la longueur du pont de Gassin ?", "answer": "42 mètres", "article_id": "a",
                 "answer_start": start},
                {"question": "récolte cerises Vaucluse", "answer": "absent", "article_id": "a", "evidence": [[0, 5]]},
                {"question": "Qui préside le Portugal ?", "answer": None, "article_id": None},
            ],
        )
    )  # fmt: skip
    figures = evaluate(Chatbot(corpus), corpus, questions)
    assert figures["document_recall@1"].n == 2
    assert figures["document_recall@1"].mean == 0.5
    assert figures["document_recall@5"].mean == pytest.approx(1.0, abs=0.5)
    assert figures["false_answers"].n == 1
    assert figures["false_answers"].mean == 0.0
    assert figures["passage_recall@1"].low <= 0.5 <= figures["passage_recall@1"].high


@pytest.mark.parametrize("content", ["{broken", '{"question": "Qui ?"}', ""])
def test_a_file_without_questions_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(content)
    with pytest.raises(Exception, match=r"questions\.jsonl") as caught:
        read_questions(path)
    assert caught.type.__mro__[1].__name__ in {"SourcierError"} or issubclass(caught.type, LoadError)
