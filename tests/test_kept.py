"""A conversation as a browser keeps it: the same answers again, and nothing from what is damaged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import CorpusIndex, InputError
from qa import Answer, Chatbot, Statement, answer_to_dict
from qa.output import answer_from_dict
from qa.relative_dates import DateNote
from qa.types import DateRange
from ui.desk import Desk, Talk
from ui.feedback import Feedback, feedback_file
from ui.kept import KeptAnswer
from ui.kept import answers_of as kept_answers_of
from ui.kept import record_of as kept_record_of
from ui.wanted import Wanted, source_choices

QUESTIONS = ("Quand a lieu Steadfast Noon ?", "Et qui l'a annoncé ?", "Qui a gagné la Coupe du monde ?", "Bonjour")


def record_of(answers: Sequence[Answer]) -> str:
    return kept_record_of([KeptAnswer(answer, True) for answer in answers], user=None)


def answers_of(kept: object) -> list[Answer]:
    return [each.answer for each in kept_answers_of(kept, user=None)]


@pytest.fixture(scope="module")
def answers(seed_corpus: CorpusIndex) -> list[Answer]:
    talk = Chatbot(seed_corpus).conversation()
    return [talk.ask(question) for question in QUESTIONS]


def test_answers_are_the_same_again(answers: list[Answer]) -> None:
    written = replace(
        answers[0],
        is_written=True,
        notice="Contexte trop court",
        dates=DateRange("2022-10-01", None),
        dates_read="depuis octobre",
        statements=(Statement("Il a lieu.", (1, 2), "partly", "la date manque"),),
    )
    noted = replace(answers[0].citations[0], page=3, date_notes=(DateNote(2, 7, "lundi", "10 octobre 2022"),))
    given_ = [*answers, written, replace(answers[0], citations=(noted,))]
    assert answers_of(record_of(given_)) == [replace(answer, timings_ms={}) for answer in given_]


def test_the_last_turns_are_kept_within_a_bound(answers: list[Answer]) -> None:
    many = [replace(answers[0], question=str(number)) for number in range(50)]
    assert [answer.question for answer in answers_of(record_of(many))] == [str(number) for number in range(20, 50)]
    long = [replace(answers[0], question=str(number), text="x" * 400_000) for number in range(5)]
    assert [answer.question for answer in answers_of(record_of(long))] == ["3", "4"]
    assert record_of([replace(answers[0], text="x" * 2_000_000)]) == record_of([])
    assert answers_of(record_of([])) == []


def test_the_conversation_goes_on(seed_corpus: CorpusIndex, answers: list[Answer]) -> None:
    chatbot = Chatbot(seed_corpus)
    follow_up = "Et qui l'a annoncé ?"
    resumed = chatbot.conversation(answers_of(record_of(answers[:1])))
    assert resumed.ask(follow_up).understood_as == answers[1].understood_as != follow_up
    assert chatbot.conversation().ask(follow_up).understood_as == follow_up


@pytest.mark.parametrize(
    "kept",
    [
        None,
        "",
        7,
        [],
        {},
        "[]",
        "null",
        "{",
        '{"format": 2, "turns": []}',
        '{"format": 1}',
        "[" * 100_000,
        "x" * 2_000_000,
    ],
)
def test_anything_else_is_no_conversation(kept: object) -> None:
    assert answers_of(kept) == []


@given(
    field=st.sampled_from(["question", "answered", "confidence", "citations", "statements", "generation", "dates"]),
    value=st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2),
)
def test_a_field_of_another_kind_is_refused_or_read_as_it_is(field: str, value: Any) -> None:
    record = answer_to_dict(Answer("q", "q", True, "t", None, 0.5, None, (), 1, "m"))
    damaged = record | {field: value}
    try:
        answer = answer_from_dict(json.loads(json.dumps(damaged)))
    except InputError:
        assert (
            answers_of(json.dumps({"format": 1, "user": None, "turns": [{"answer": damaged, "is_written": False}]}))
            == []
        )
        return
    assert answer.question in ["q", value]
    assert isinstance(answer.answered, bool)
    assert 0.0 <= answer.confidence <= 1.0


def test_a_citation_must_be_as_long_as_its_text(answers: list[Answer]) -> None:
    record = json.loads(json.dumps(answer_to_dict(answers[0])))
    record["citations"][0]["end"] += 1
    with pytest.raises(InputError, match="expected the JSON of `qa ask --json`"):
        answer_from_dict(record)


def test_what_was_forged_or_comes_from_before_is_not_vouched_for(answers: list[Answer]) -> None:
    kept = kept_record_of([KeptAnswer(answers[0], True), KeptAnswer(answers[1], False)], user=None)
    assert [each.is_own for each in kept_answers_of(kept, user=None)] == [True, False]
    for change in ({"text": "Tout est faux."}, {"confidence": 0.99}):
        record = json.loads(kept)
        record["turns"][0]["answer"] |= change
        assert [each.is_own for each in kept_answers_of(json.dumps(record), user=None)] == [False, False]
    for seal in (None, "", 7, [], "é", "0" * 64):
        record["turns"][1]["seal"] = seal
        assert not kept_answers_of(json.dumps(record), user=None)[1].is_own


def test_an_answer_from_elsewhere_is_not_judged(
    seed_corpus: CorpusIndex, answers: list[Answer], tmp_path: Path
) -> None:
    desk = Desk(seed_corpus, Chatbot(seed_corpus), tmp_path)
    talk = Talk(desk.bot.conversation(), answers=(answers[0],), foreign=frozenset([0]))
    with pytest.raises(gr.Error, match="d’une autre visite"):
        desk.judge('{"turn": 1, "judgement": "good"}', talk)
    assert Feedback(feedback_file(seed_corpus.directory)).records() == []


def test_another_user_of_the_browser_begins_anew(answers: list[Answer]) -> None:
    kept = kept_record_of([KeptAnswer(answers[0], True)], user="anne")
    assert len(kept_answers_of(kept, user="anne")) == 1
    assert kept_answers_of(kept, user="paul") == kept_answers_of(kept, user=None) == []


def test_filters_are_read_as_people_write_them(seed_corpus: CorpusIndex) -> None:
    wanted = Wanted.read("mars 2022", " 15/03/2022 ", ["seeds"], 99, False)
    assert wanted == Wanted("2022-03", "2022-03-15", ("seeds",), 8, False)
    assert Wanted.read("", None, None, None, True) == Wanted()
    with pytest.raises(InputError, match="« demain » n’est pas une date"):
        Wanted.read("demain", "", [], 3, True)
    assert source_choices(seed_corpus) == seed_corpus.sources()


def test_no_more_sentences_are_cited_than_wanted(seed_corpus: CorpusIndex) -> None:
    chatbot = Chatbot(seed_corpus)
    for question in QUESTIONS[:1]:
        cited = chatbot.ask(question, n_citations=8).citations
        assert chatbot.ask(question, n_citations=1).citations == cited[:1]
    with pytest.raises(InputError, match="n_citations 0"):
        chatbot.ask(QUESTIONS[0], n_citations=0)
