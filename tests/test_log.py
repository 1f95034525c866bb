"""The log of the page: one JSON object a line, without what was asked."""

import json
import logging
import subprocess
import sys
from pathlib import Path

from gradio_client import Client

from tests.conftest import ROOT
from tests.page_server import served

START = """
import logging
from ui.log import QUESTIONS, start_log
start_log({form!r})
QUESTIONS.info("question", extra={{"outcome": "refused", "seconds": 0.5}})
logging.getLogger("sourcier").info("l'index est à jour")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("index").warning("échec", exc_info=True)
"""


def lines(form: str) -> list[str]:
    command = [sys.executable, "-c", START.format(form=form)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr.splitlines()


def test_each_line_is_an_object() -> None:
    question, told, failed = map(json.loads, lines("json"))
    assert (question["logger"], question["outcome"], question["seconds"]) == ("sourcier.questions", "refused", 0.5)
    assert (told["level"], told["message"]) == ("info", "l'index est à jour")
    assert told["time"].endswith("Z")
    assert "ZeroDivisionError" in failed["error"]


def test_people_read_messages_alone() -> None:
    first, second, *_ = lines("text")
    assert (first, second) == ("l'index est à jour", "échec")


def test_a_question_is_logged_without_its_words(tmp_path: Path) -> None:
    with served(tmp_path, "--log", "json", log=tmp_path / "log") as page:
        Client(page.url, verbose=False).predict("Qui est Jens Stoltenberg ?", api_name="/ask")
    told = [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]
    (question,) = [line for line in told if line["logger"] == "sourcier.questions"]
    assert (question["outcome"], question["generation"]) == ("answered", 1)
    assert "Stoltenberg" not in json.dumps(question)
    assert logging.getLogger("sourcier.questions").level == logging.NOTSET  # of the page's own process only
