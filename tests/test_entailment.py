"""An entailment model after the strict checks: what each decides, and a model file that is really read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from index import InputError, ModelError
from qa import Verdict
from qa.entailment import EntailmentVerifier, open_verifier
from qa.generate import ExtractiveGenerator, open_generator
from tests.model_folders import save_bert, save_cross_encoder

SOURCE = "Le port de Brest compte trois navires."


@pytest.mark.parametrize(
    ("statement", "scores", "verdict"),
    [
        ("Il abrite une petite flotte.", (0.9, 0.0), Verdict("supported")),
        (
            "Il abrite une petite flotte.",
            (0.1, 0.8),
            Verdict("unsupported", "la source dit le contraire, selon le modèle (80 %)"),
        ),
        (
            "Il abrite une petite flotte.",
            (0.2, 0.1),
            Verdict("partly", "la source ne suffit pas, selon le modèle (20 %)"),
        ),
        (
            "Le port compte quatre navires.",
            (1.0, 0.0),
            Verdict("unsupported", "le nombre « quatre » n’est pas dans la source"),
        ),
    ],
)
def test_the_model_decides_what_the_strict_checks_leave(
    statement: str, scores: tuple[float, float], verdict: Verdict
) -> None:
    assert EntailmentVerifier(lambda premise, said: scores)(statement, [SOURCE]) == verdict


def test_a_model_of_three_labels_is_read(tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder

    folder = save_bert(tmp_path / "nli", n_labels=3)
    path = folder / "config.json"
    labels = {"0": "contradiction", "1": "entailment", "2": "neutral"}
    config = json.loads(path.read_text(encoding="utf-8"))
    config |= {"id2label": labels, "label2id": {label: int(number) for number, label in labels.items()}}
    path.write_text(json.dumps(config), encoding="utf-8")
    statement = "Le port compte trois navires."
    verdict = open_verifier(str(folder))(statement, [SOURCE])
    logits = CrossEncoder(str(folder), local_files_only=True).predict([(SOURCE, statement)])[0]
    shares = np.exp(logits) / np.exp(logits).sum()
    if shares[1] >= 0.5:
        assert verdict == Verdict("supported")
    else:
        assert verdict.status == ("unsupported" if shares[0] >= 0.5 else "partly")
        assert f"({100 * shares[0 if shares[0] >= 0.5 else 1]:.0f} %)" in (verdict.reason or "")


def test_a_reranker_is_no_entailment_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected entailment and contradiction"):
        open_verifier(str(save_cross_encoder(tmp_path)))


def test_quotations_take_no_verifier() -> None:
    assert isinstance(open_generator(None), ExtractiveGenerator)
    with pytest.raises(InputError, match="--chat-model only"):
        open_generator(None, verifier="x")
