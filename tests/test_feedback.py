"""What visitors say of answers and citations is kept, whole, and handed out for evaluation."""

import json
import sqlite3
from pathlib import Path

import pytest

from index import InputError, StoreError
from qa import Answer, Citation
from ui.__main__ import main
from ui.feedback import Feedback, feedback_file

SENTENCE = "La mairie ferme à midi."
CITATION = Citation(1, "id", "docs/a.txt", None, None, 4, 4 + len(SENTENCE), SENTENCE, 0.9)
ANSWER = Answer(
    "Quand ferme-t-elle ?",
    "Quand ferme la mairie ?",
    True,
    "**à midi** [1]",
    "à midi",
    0.8,
    None,
    (CITATION,),
    3,
    "extractif",
)


def test_what_is_said_is_printed_with_what_it_was_said_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    index = tmp_path / "index"
    assert main(["feedback", "--index", str(index)]) == 0
    assert capsys.readouterr().out == ""
    Feedback(feedback_file(index)).add(ANSWER, "good")
    Feedback(feedback_file(index)).add(ANSWER, "unsupported", marker=1)
    assert main(["feedback", "--index", str(index)]) == 0
    answer, citation = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    said = [answer[name] for name in ("judgement", "question", "understood_as", "answer", "generation")]
    assert said == ["good", "Quand ferme-t-elle ?", "Quand ferme la mairie ?", "**à midi** [1]", 3]
    assert (answer["marker"], answer["source"]) == (None, None)
    assert (citation["marker"], citation["source"], citation["start"], citation["end"], citation["sentence"]) == (
        1, "docs/a.txt", 4, 27, SENTENCE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("judgement", "marker"), [("unsupported", 2), ("unsupported", None), ("good", 1), ("'; DROP TABLE feedback", None)]
)
def test_a_judgement_of_nothing_is_refused(tmp_path: Path, judgement: str, marker: int | None) -> None:
    feedback = Feedback(tmp_path / "said.sqlite")
    with pytest.raises(InputError):
        feedback.add(ANSWER, judgement, marker=marker)  # type: ignore[arg-type]
    assert feedback.records() == []


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "said.sqlite"
    file.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match=r"said\.sqlite"):
        Feedback(file).add(ANSWER, "bad")
    assert file.read_bytes() == b"no database at all" * 100


def test_two_visitors_at_once_are_both_kept(tmp_path: Path) -> None:
    feedback = Feedback(tmp_path / "said.sqlite")
    feedback.add(ANSWER, "good")
    with sqlite3.connect(feedback.file) as other:
        assert other.execute("SELECT count(*) FROM feedback").fetchone() == (1,)
        feedback.add(ANSWER, "bad")
    other.close()
    assert [record["judgement"] for record in feedback.records()] == ["good", "bad"]
