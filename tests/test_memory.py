"""Answers remembered: the same bytes, of this generation and these options only."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from index import CorpusIndex
from qa import Answer, Chatbot
from qa.evaluation.hidden import HidingCorpus
from qa.memory import AnswerMemory
from qa.reader import Reader, Reading, Window, open_reader
from tests.conftest import write_files

QUESTION = "Quand le pont de Brest a-t-il été fermé ?"
TODAY = datetime.date(2024, 5, 1)


class CountingReader:
    """The bundled reader, and how often it was asked."""

    name = "bundled"

    def __init__(self) -> None:
        reader = open_reader("bundled")
        assert reader is not None
        self._reader: Reader = reader
        self.n_asked = 0

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        self.n_asked += 1
        return self._reader.read(question, windows)


@pytest.fixture
def corpus(tmp_path: Path) -> CorpusIndex:
    text = "Le pont de Recouvrance, à Brest, a été fermé le 12 mai. Il rouvre en juin."
    folder = write_files(tmp_path / "docs", {"a.txt": f"date 2023-05 \n{text}"})
    return CorpusIndex.build([folder], tmp_path / "index")


def test_the_same_question_is_not_read_twice(corpus: CorpusIndex) -> None:
    reader = CountingReader()
    chatbot = Chatbot(corpus, reader=reader, today=TODAY)
    first = chatbot.ask(QUESTION)
    n_asked = reader.n_asked
    assert n_asked
    again = chatbot.ask(QUESTION)
    assert reader.n_asked == n_asked
    assert again.timings_ms == {"remembered": 0.0}
    assert replace(again, timings_ms={}) == replace(first, timings_ms={})
    assert replace(Chatbot(corpus, today=TODAY).ask(QUESTION), timings_ms={}) == replace(first, timings_ms={})


def test_other_options_and_changes_are_asked_anew(corpus: CorpusIndex, tmp_path: Path) -> None:
    chatbot = Chatbot(corpus, today=TODAY)
    assert "12 mai" in (chatbot.ask(QUESTION).short_answer or "")
    for options in (
        {"since": "2024"},
        {"sources": ["elsewhere"]},
        {"where": {"date": "2021"}},
        {"n_citations": 1},
        {"read_dates": False},
    ):
        assert "remembered" not in chatbot.ask(QUESTION, **options).timings_ms  # type: ignore[arg-type]
    assert not chatbot.ask(QUESTION, since="2024").answered
    write_files(tmp_path / "docs", {"a.txt": "date 2023-05 \nLe pont de Recouvrance, à Brest, a été fermé le 3 avril."})
    corpus.refresh()
    changed = chatbot.ask(QUESTION)
    assert "3 avril" in (changed.short_answer or "")
    assert changed.generation == corpus.generation


def test_what_is_hidden_is_not_remembered(corpus: CorpusIndex, tmp_path: Path) -> None:
    hidden = HidingCorpus.open(tmp_path / "index")
    chatbot = Chatbot(hidden, today=TODAY)
    assert chatbot.ask(QUESTION).answered
    (document,) = corpus.find_documents(corpus.sources()).values()
    with hidden.hiding({document.id}):
        assert not chatbot.ask(QUESTION).answered
    reader = CountingReader()
    forgetful = Chatbot(corpus, reader=reader, today=TODAY, remembers=False)
    forgetful.ask(QUESTION)
    n_asked = reader.n_asked
    forgetful.ask(QUESTION)
    assert reader.n_asked == 2 * n_asked


def test_the_answer_used_longest_ago_is_forgotten() -> None:
    answer = Answer("q", "q", True, "t", None, 0.5, None, (), 1, "m")
    memory = AnswerMemory(2)
    memory.put("a", answer)
    memory.put("b", answer)
    assert memory.get("a") == answer
    memory.put("c", answer)
    assert [memory.get(key) for key in "abc"] == [answer, None, answer]
    threads = [threading.Thread(target=lambda: [memory.put(i, answer) for i in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(memory.get(i) is not None for i in range(500)) == 2
