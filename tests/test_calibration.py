"""How sure an answer must be, measured on the index itself and kept beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import CorpusIndex, Document, InputError
from qa import Chatbot
from qa.calibration import Calibration, calibration_file, calibration_of, read_calibration, write_calibration

ROOT = Path(__file__).parent.parent
MODE = "extractif · modèle embarqué · sans lecteur"
CONFIDENCES = st.lists(st.floats(0.0, 1.0), min_size=19, max_size=60)


@given(CONFIDENCES, st.floats(0.05, 0.9))
def test_no_larger_share_of_the_hidden_is_answered(hidden: list[float], rate: float) -> None:
    found = calibration_of(hidden, hidden, rate=rate, mode=MODE, generation=1)
    reached = sum(confidence >= found.threshold for confidence in hidden)
    if found.threshold < 1.0:
        assert reached / len(hidden) <= rate
    assert found.false_refusals == pytest.approx(1 - reached / len(hidden), abs=1e-3)


@pytest.mark.parametrize(("n", "rate"), [(10, 0.05), (18, 0.05), (100, 0.0), (100, 1.0), (100, -1.0)])
def test_a_rate_that_cannot_be_measured_is_refused(n: int, rate: float) -> None:
    with pytest.raises(InputError, match="expected"):
        calibration_of([0.5] * n, [0.5] * n, rate=rate, mode=MODE, generation=1)


def test_each_mode_has_its_own(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    one, other = Calibration(MODE, 0.4, 0.05, 100, 0.2, 1), Calibration("autre", 0.6, 0.1, 50, 0.3, 2)
    for calibration in (one, other, one):
        write_calibration(calibration, path)
    assert read_calibration(path, mode=MODE) == one
    assert read_calibration(path, mode="autre") == other
    assert read_calibration(path, mode="encore un autre") is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1, "modes": {"m": {"threshold": 1}}}'])
def test_a_damaged_file_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="qa calibrate"):
        read_calibration(path, mode="m")


def test_the_command_measures_and_the_chatbot_obeys(tmp_path: Path) -> None:
    index = tmp_path / "index"
    corpus = CorpusIndex.create(index)
    corpus.put(
        Document(str(n), f"{n}.txt", f"Le navire Belem {n} a quitté le port de Brest le {n} mai 2021 avec {n} marins.")
        for n in range(1, 29)
    )
    done = subprocess.run(
        [sys.executable, "-m", "qa", "calibrate", "--index", str(index), "--reader", "none", "--n", "25", "--json"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    said = json.loads(done.stdout)
    kept = read_calibration(calibration_file(index), mode=MODE)
    assert kept is not None
    assert (said["threshold"], said["n"], said["rate"]) == (kept.threshold, 25, 0.05)
    # Whatever was measured: a threshold that nothing reaches refuses, one that all reach answers.
    question = "Quand le navire Belem 7 a-t-il quitté le port de Brest ?"
    for threshold, answered in ((1.0, False), (0.0, True)):
        write_calibration(Calibration(MODE, threshold, 0.05, 25, 0.0, 1), calibration_file(index))
        assert Chatbot(corpus, reader="none").ask(question).answered is answered
