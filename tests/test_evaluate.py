"""Outcomes and figures against counts by hand; hidden documents; two runs compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from index import CorpusIndex, Hit, InputError
from qa import Answer, Chatbot, Citation
from qa.evaluation import Outcome, compare, evaluate, exact_match, figure, figures_of, read_questions, token_f1
from qa.evaluation.answers import holds_answer
from qa.evaluation.hidden import HidingCorpus
from qa.evaluation.measures import verdict
from qa.evaluation.outcomes import ask_questions, ask_without_source, check_documents
from qa.evaluation.report import show_differences, show_figures

ARTICLES = [
    {"id": "a", "text": "Le pont de Gassin a été fermé mardi. Il mesure 42 mètres de long, selon la mairie."},
    {"id": "b", "text": "La récolte de cerises a doublé dans le Vaucluse. Les producteurs se disent soulagés."},
    {"id": "c", "text": "La récolte de cerises fait défaut dans la Drôme. Les vergers ont gelé en avril."},
]


def write(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> HidingCorpus:
    folder = tmp_path_factory.mktemp("evaluate")
    CorpusIndex.build([write(folder / "articles.jsonl", [dict(article) for article in ARTICLES])], folder / "index")
    return HidingCorpus.open(folder / "index")


def outcome(**changes: Any) -> Outcome:
    plain = Outcome("Qui ?", ("Guyot",), "a", False, True, "Guyot", 0.5, 1, 1, 1, 10.0, 2.0, {"f1": 1.0})
    return replace(plain, **changes)


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


@pytest.mark.parametrize(
    ("text", "gold", "held"),
    [
        ("Elle a été élue en 2022.", "2022", True),
        ("Elle a été élue en 2022.", "22", False),
        ("À l'Élysée, mardi", "elysee mardi", True),
        ("Le pont", "le", False),  # nothing but an article says nothing
    ],
)
def test_a_sentence_holds_an_answer_by_whole_words(text: str, gold: str, held: bool) -> None:
    assert holds_answer(text, gold) is held


# -- outcomes -----------------------------------------------------------------------------------------------------


def questions_of(folder: Path) -> Path:
    start = ARTICLES[0]["text"].index("42 mètres")
    return write(
        folder / "questions.jsonl",
        [
            {"question": "Quelle est la longueur du pont de Gassin ?", "answer": "42 mètres", "article_id": "a",
             "answer_start": start},
            {"question": "récolte cerises Vaucluse", "answer": "absent", "article_id": "a", "evidence": [[0, 5]]},
            {"question": "Où la récolte de cerises a-t-elle doublé ?", "answer": "Vaucluse", "article_id": "c",
             "other_articles": ["b"]},
            {"question": "Qui préside le Portugal ?", "answer": None, "article_id": None},
        ],
    )  # fmt: skip


class ScriptedChatbot:
    """Gives the answers it was made with, by question, so that figures can be counted by hand."""

    def __init__(
        self, corpus: CorpusIndex, answers: dict[str, tuple[bool, str | None, float, list[tuple[str, int, int]]]]
    ) -> None:
        self.corpus = corpus
        self.answers = answers
        self.asked: list[str] = []

    def search(self, question: str, *, k: int) -> list[Hit]:
        return self.corpus.search(question, k=k)

    def ask(self, question: str) -> Answer:
        self.asked.append(question)
        answered, short, confidence, places = self.answers[question]
        texts = {article["id"]: article["text"] for article in ARTICLES}
        citations = tuple(
            Citation(number, document, document, None, None, start, end, texts[document][start:end], 0.5)
            for number, (document, start, end) in enumerate(places, start=1)
        )
        return Answer(
            question, question, answered, "", short, confidence, None, citations, 1, "scripted", (), {"search": 4.0}
        )


def test_figures_are_those_of_a_count_by_hand(corpus: HidingCorpus, tmp_path: Path) -> None:
    questions = read_questions(questions_of(tmp_path))
    chatbot = ScriptedChatbot(
        corpus,
        {
            # The second citation overlaps the evidence, the first does not hold the answer.
            questions[0].question: (True, "42", 0.9, [("a", 0, 36), ("a", 37, 83)]),
            questions[1].question: (False, None, 0.3, [("b", 0, 48)]),
            # No span is known: the words of the answer in another document that answers are right.
            questions[2].question: (True, None, 0.6, [("b", 0, 48)]),
            questions[3].question: (True, "Lyon", 0.3, [("c", 0, 5)]),
        },
    )
    done: list[int] = []
    outcomes = ask_questions(chatbot, questions, progress=done.append)
    assert done == [0, 1, 2, 3]
    assert chatbot.asked == [questions[0].question, *(question.question for question in questions)]
    # Each article is one passage: the bridge comes first for its question and last for the harvest.
    assert [each.document_rank for each in outcomes] == [1, 3, 1, None]
    assert [each.passage_rank for each in outcomes] == [1, 3, None, None]
    assert [each.evidence_rank for each in outcomes] == [2, None, 1, None]
    assert [each.given for each in outcomes] == ["42", None, ARTICLES[1]["text"][:48], "Lyon"]
    figures = figures_of(outcomes)
    assert {name: (found.n, round(found.mean, 3)) for name, found in figures.items() if not name.startswith("ask")} == {
        "document_recall@1": (3, 0.667),
        "document_recall@5": (3, 1.0),
        "document_recall@20": (3, 1.0),
        "document_mrr@10": (3, 0.778),
        "document_ndcg@10": (3, 0.833),  # 1, 1 / log2(4), and 1 for b and c in the first two places
        "passage_recall@1": (2, 0.5),
        "passage_recall@5": (2, 1.0),
        "passage_recall@20": (2, 1.0),
        "passage_mrr@10": (2, 0.667),
        "passage_ndcg@10": (2, 0.75),
        "evidence_hit@1": (3, 0.333),
        "evidence_hit@3": (3, 0.667),
        "evidence_hit@1_answered": (2, 0.5),
        "evidence_hit@1_surest_half": (1, 0.0),  # 0.9 is surer than 0.6, and its first citation is wrong
        "first_document_right_answered": (2, 1.0),
        "exact_match": (3, 0.0),
        "f1": (3, round((2 / 3 + 0.0 + 2 * (1 / 6) / (1 / 6 + 1)) / 3, 3)),  # the sentence has 6 words without articles
        "false_refusals": (3, 0.333),
        "false_answers": (1, 1.0),
        "auroc": (4, 0.833),  # 0.9 and 0.6 above 0.3, and one tie
        "search_ms_p50": (4, 4.0),
        "search_ms_p95": (4, 4.0),
    }


def test_the_order_of_the_reranker_is_the_one_that_is_judged(corpus: HidingCorpus, tmp_path: Path) -> None:
    class Backwards:
        name = "backwards"

        def rerank(self, question: str, hits: Sequence[Hit]) -> tuple[Hit, ...]:
            return tuple(reversed(hits))

    questions = read_questions(questions_of(tmp_path))
    outcomes = ask_questions(Chatbot(corpus, reranker=Backwards(), reader="none"), questions)
    assert [each.document_rank for each in outcomes[:2]] == [len(corpus.search(questions[0].question)), 1]


def test_the_chatbot_is_asked_and_its_time_measured(corpus: HidingCorpus, tmp_path: Path) -> None:
    figures = evaluate(Chatbot(corpus), read_questions(questions_of(tmp_path)))
    assert figures["evidence_hit@3"].mean >= 1 / 3  # the length of the bridge stands in a sentence of its own
    assert figures["ask_ms_p95"].mean >= figures["ask_ms_p50"].mean > figures["search_ms_p50"].mean > 0.0


def test_what_no_question_says_is_left_out() -> None:
    answerable = [outcome(ask_ms=float(time), search_ms=1.0) for time in range(1, 102)]
    figures = figures_of(answerable)
    assert figures.keys() == {"f1", "ask_ms_p50", "ask_ms_p95", "search_ms_p50", "search_ms_p95"}
    assert (figures["ask_ms_p50"].mean, figures["ask_ms_p95"].mean) == (51.0, 96.0)
    hidden = outcome(without_source=True, confidence=0.7, ask_ms=9_000.0, values={"false_answers_without_source": 1.0})
    both = figures_of([*answerable, hidden])
    assert both["auroc_without_source"].mean == 0.0
    assert both["ask_ms_p95"] == figures["ask_ms_p95"]  # those that were hidden are not timed
    assert "auroc" not in both


def test_documents_that_the_index_lacks_are_no_misses(corpus: HidingCorpus, tmp_path: Path) -> None:
    record = {"question": "Qui ?", "answer": "Guyot", "article_id": "z"}
    questions = read_questions(write(tmp_path / "questions.jsonl", [record, {**record, "article_id": "a"}]))
    with pytest.raises(InputError, match="lacks 1 of the 2 documents that answer the questions, such as z"):
        check_documents(corpus, questions)


# -- hidden documents ---------------------------------------------------------------------------------------------


def test_hidden_documents_are_not_found_and_the_others_keep_their_order(tmp_path: Path) -> None:
    texts = [f"La récolte numéro {number} de cerises a doublé." for number in range(60)]
    path = write(tmp_path / "a.jsonl", [{"id": str(number), "text": text} for number, text in enumerate(texts)])
    CorpusIndex.build([path], tmp_path / "index")
    corpus = HidingCorpus.open(tmp_path / "index")
    everything = [hit.passage.document.id for hit in corpus.search("récolte de cerises", k=60)]
    hidden = frozenset(everything[:25])
    with corpus.hiding(hidden):
        found = [hit.passage.document.id for hit in corpus.search("récolte de cerises", k=10)]
        assert len(corpus.search("récolte de cerises", k=60)) == 35
    assert found == everything[25:35]
    assert [hit.passage.document.id for hit in corpus.search("récolte de cerises", k=60)] == everything


def test_without_its_source_a_question_has_no_answer(corpus: HidingCorpus, tmp_path: Path) -> None:
    questions = read_questions(questions_of(tmp_path))
    outcomes = ask_without_source(Chatbot(corpus), corpus, questions)
    assert [each.question for each in outcomes] == [question.question for question in questions[:3]]
    assert all(each.without_source and not each.is_answerable and each.evidence_rank is None for each in outcomes)
    assert all(each.given is None or "42" not in each.given for each in outcomes)
    assert [dict(each.values) for each in outcomes] == [
        {"false_answers_without_source": float(each.answered)} for each in outcomes
    ]


# -- two runs -----------------------------------------------------------------------------------------------------


def test_runs_are_compared_question_by_question_in_any_order() -> None:
    before = [outcome(question=f"Q{n}", values={"f1": n % 2 / 1.0, "false_refusals": 1.0}) for n in range(40)]
    after = [replace(each, values={"f1": 1.0, "false_refusals": 0.0}) for each in reversed(before)]
    found = compare(before, after)
    assert (found["f1"].n, found["f1"].before, found["f1"].after) == (40, 0.5, 1.0)
    assert verdict("f1", found["f1"]) == verdict("false_refusals", found["false_refusals"]) == "better"
    assert verdict("false_refusals", compare(after, before)["false_refusals"]) == "worse"
    assert verdict("ask_ms_p50", found["ask_ms_p50"]) == "no difference shown"
    *_, better, unchanged, notice = show_differences(found).splitlines()
    assert better == "better: f1, false_refusals"
    assert unchanged.startswith("no difference shown: ask_ms_p50")
    assert notice.startswith("note: times also differ by what else the machine did")


def test_a_value_that_one_run_lacks_is_left_out_of_the_difference() -> None:
    before = [
        outcome(question="Q1", values={"f1": 0.0}),
        outcome(question="Q2", values={"evidence_hit@1_answered": 1.0}),
    ]
    after = [outcome(question="Q1", values={"f1": 1.0}), outcome(question="Q2", values={"f1": 1.0})]
    found = compare(before, after)
    assert found["f1"].n == 1
    assert "evidence_hit@1_answered" not in found


def test_runs_of_other_questions_are_refused() -> None:
    same, other = outcome(question="Q1"), outcome(question="Q2")
    with pytest.raises(InputError, match="1 shared, 1 only in the first, 0 only in the second"):
        compare([same, other], [same])
    with pytest.raises(InputError, match="1 shared, 0 only in the first, 1 only in the second"):
        compare([same], [same, same])
    with pytest.raises(InputError, match="0 shared"):
        compare([same], [replace(same, document="b")])


def test_figures_are_aligned_lines() -> None:
    shown = show_figures({"f1": figure([0.0, 1.0]), "ask_ms_p50": figure([1_234.5])})
    assert shown.splitlines() == [
        "f1             0.500 [0.000, 1.000] (n = 2)",
        "ask_ms_p50  1234.500 [1234.500, 1234.500] (n = 1)",
    ]
