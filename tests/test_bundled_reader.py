"""The reader that is shipped: what it says of invented news, as written down, and as torch says with the same weights.

The numbers are those of the files in ``qa/models/reader`` and change with them: print what `bundled` reads below.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import BertConfig

from index.split import split_sentences
from index.types import Document, Sentence
from qa.bundled_reader import BundledReader, open_session
from qa.reader import Reading, Window
from tests.conftest import ROOT
from training.export_reader import read_weights
from training.reader_net import PAD, ReaderNet

MODEL = ROOT / "qa/models/reader"
MOST, MEAN = 0.2, 0.06
"""How far log-odds may be from those written down. Floats are summed in another order by other processors before they
become whole: emulations of AVX2 and of SSE4.2 alone differ from AVX-512 by 0.10 at most, 0.005 and 0.014 on average.
"""


def window_of(title: str | None, date: str | None, text: str) -> Window:
    document = Document("d", "d", text, title=title, date=date)
    return Window(tuple(Sentence(document, span) for span in split_sentences(text)))


NEWS = {
    "fire": window_of(
        "Tournebise : la halle du marché détruite",
        "2018-11-04",
        "Un incendie a ravagé la halle du marché de Tournebise dans la nuit de samedi à dimanche. Quarante-deux "
        "pompiers ont lutté contre les flammes pendant six heures. Personne n'a été blessé.",
    ),
    "mayor": window_of(
        "Belroche : la maire ne se représentera pas",
        "2019-09-17",
        "Élue en mars 2014, Odile Ferrandon dirige la commune depuis cinq ans. La maire a annoncé mardi qu'elle ne "
        "serait pas candidate à sa succession. Elle veut se consacrer à son vignoble.",
    ),
    "bridge": window_of(
        "Le pont des Trois-Ormes fermé",
        "2020-04-28",
        "Le pont des Trois-Ormes est fermé à la circulation jusqu'au 15 juin. Des fissures ont été découvertes dans "
        "deux piles en raison de la sécheresse. Les travaux coûteront 3,5 millions d'euros.",
    ),
    "festival": window_of(
        "Douze troupes au festival de la Lanterne",
        "2017-07-12",
        "Le festival de la Lanterne s'ouvre vendredi à Saint-Evrault, au bord du lac de Morne. Douze troupes de "
        "théâtre y joueront en plein air. L'an dernier, 8.400 spectateurs avaient fait le déplacement.",
    ),
    "capitals": window_of(
        None,
        None,
        "LA SOCIETE VERDANEL FERME SON USINE DE CLAIRFONTAINE. LE DIRECTEUR, HENRI MASSOLIN, A INFORME LES SALARIES "
        "JEUDI. L'ACTIVITE SERA DEPLACEE A ROUEN.",
    ),
    "english": window_of(
        "Lighthouse sold",
        "2016-05-10",
        "The old lighthouse of Port Hallow was sold on Monday for 240,000 pounds. Its new owner, Margaret Elling, "
        "wants to open a small hotel. The lamp went out in 1987.",
    ),
}
WINDOWS = list(NEWS.values())


@dataclass(frozen=True, slots=True)
class Answer:
    """Where a question is answered: the window, the number of its sentence, the words and their probability."""

    window: str
    sentence: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Said:
    """What the reader said of a question: the log-odds of each window, and the answer, if any window holds one."""

    question: str
    answers: tuple[float, ...]
    answer: Answer | None


SAID = (
    Said(
        "Combien de pompiers ont lutté contre l'incendie de Tournebise ?",
        (1.27, -5.79, -5.55, -2.79, -5.50, -5.66),
        Answer("fire", 1, "Quarante-deux pompiers", 0.68),
    ),
    Said(
        "Qui dirige la commune de Belroche ?",
        (-5.74, 3.39, -5.78, -5.75, 0.73, -4.27),
        Answer("mayor", 0, "Odile Ferrandon", 1.00),
    ),
    Said(
        "Quand Odile Ferrandon a-t-elle été élue ?",
        (-5.72, 2.73, -5.49, -5.81, -5.23, -5.16),
        Answer("mayor", 0, "mars 2014", 0.75),
    ),
    Said(
        "Pourquoi le pont des Trois-Ormes est-il fermé ?",
        (-4.68, -5.14, 1.76, -5.30, -5.09, -5.42),
        Answer("bridge", 1, "en raison de la sécheresse", 0.84),
    ),
    Said(
        "Combien coûteront les travaux du pont des Trois-Ormes ?",
        (-5.79, -5.85, 2.96, -5.80, -5.75, -5.50),
        Answer("bridge", 2, "3,5 millions d'euros", 0.99),
    ),
    Said(
        "Jusqu'à quand le pont est-il fermé ?",
        (-5.23, -5.36, 3.36, -5.07, -4.95, -5.11),
        Answer("bridge", 0, "15 juin", 0.69),
    ),
    Said(
        "Où a lieu le festival de la Lanterne ?",
        (-3.75, -5.60, -5.65, 4.17, -4.28, -4.84),
        Answer("festival", 0, "Saint-Evrault", 0.55),
    ),
    Said(
        "Combien de spectateurs sont venus au festival l'an dernier ?",
        (-3.79, -5.74, -5.80, 1.79, -5.19, -5.19),
        Answer("festival", 2, "8.400 spectateurs", 0.63),
    ),
    Said(
        "Qui est le directeur de Verdanel ?",
        (-5.81, -3.38, -5.82, -5.81, 1.71, -5.11),
        Answer("capitals", 1, "HENRI MASSOLIN", 0.94),
    ),
    Said(
        "Où sera déplacée l'activité de l'usine de Clairfontaine ?",
        (-4.19, -5.62, -5.26, -2.20, 3.09, -5.42),
        Answer("capitals", 2, "A ROUEN", 0.71),
    ),
    Said(
        "Who bought the lighthouse of Port Hallow?",
        (-5.49, -4.98, -5.82, -5.79, -5.15, 2.57),
        Answer("english", 1, "Margaret Elling", 0.97),
    ),
    Said("Quel est le prix d'entrée du musée de la dentelle ?", (-5.82, -5.79, -1.57, -5.77, -5.53, -5.30), None),
    Said("Qui a été blessé dans l'accident du tramway de Vireval ?", (-2.82, -3.25, -5.74, -5.81, -3.84, -4.83), None),
)


class Listening:
    """Stands between the reader and onnxruntime's session, and keeps what goes in and comes out."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.heard: list[tuple[NDArray[np.int64], list[NDArray[np.float32]]]] = []

    def run(self, names: list[str], inputs: dict[str, NDArray[np.int64]]) -> list[NDArray[np.float32]]:
        found: list[NDArray[np.float32]] = self._session.run(names, inputs)
        self.heard.append((inputs["ids"], found))
        return found


@pytest.fixture(scope="module")
def listening() -> Listening:
    return Listening(open_session(MODEL / "model.onnx"))


@pytest.fixture(scope="module")
def readings(listening: Listening) -> dict[str, dict[str, Reading]]:
    """What the reader says of each window about each question."""
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    reader = BundledReader(listening, tokenizer, lengths=json.loads((MODEL / "config.json").read_text()), name="heard")
    return {said.question: dict(zip(NEWS, reader.read(said.question, WINDOWS), strict=True)) for said in SAID}


def rebuilt() -> ReaderNet:
    """Return a torch module with the weights that stand in the graph."""
    weights = read_weights(onnx.load(MODEL / "model.onnx"))
    n_pieces, width = weights["body.embeddings.word_embeddings.weight"].shape
    net = ReaderNet(
        BertConfig(
            vocab_size=n_pieces,
            hidden_size=width,
            intermediate_size=len(weights["body.encoder.layer.0.intermediate.dense.bias"]),
            num_hidden_layers=sum(name.endswith("attention.self.query.bias") for name in weights),
            num_attention_heads=12,
            max_position_embeddings=len(weights["body.embeddings.position_embeddings.weight"]),
            pad_token_id=PAD,
        )
    )
    net.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return net.eval()


@pytest.mark.parametrize("said", SAID, ids=lambda said: said.question)
def test_says_what_is_written_down(readings: dict[str, dict[str, Reading]], said: Said) -> None:
    odds = np.array([reading.answers for reading in readings[said.question].values()])
    assert odds == pytest.approx(said.answers, abs=MOST)
    assert np.abs(odds - said.answers).mean() < MEAN


@pytest.mark.parametrize("said", [said for said in SAID if said.answer], ids=lambda said: said.question)
def test_finds_the_window_the_sentence_and_the_words(readings: dict[str, dict[str, Reading]], said: Said) -> None:
    assert said.answer is not None
    found = readings[said.question]
    assert max(found, key=lambda name: found[name].answers) == said.answer.window
    reading, window = found[said.answer.window], NEWS[said.answer.window]
    assert int(np.argmax(reading.sentences)) == said.answer.sentence
    span = reading.spans[said.answer.sentence]
    assert window.document.text[span.start : span.end] == said.answer.text
    assert reading.span_scores[said.answer.sentence] == pytest.approx(said.answer.score, abs=0.1)


def test_no_window_answers_what_none_holds(readings: dict[str, dict[str, Reading]]) -> None:
    answering = [
        found[said.answer.window].answers for said in SAID if said.answer for found in [readings[said.question]]
    ]
    refused = [max(r.answers for r in readings[said.question].values()) for said in SAID if said.answer is None]
    assert len(refused) == 2
    assert max(refused) < 0 < min(answering)


def test_the_graph_says_what_torch_says_with_its_weights(
    listening: Listening, readings: dict[str, dict[str, Reading]]
) -> None:
    heard = listening.heard
    assert len(heard) == len(readings) * len(NEWS)
    net, differences, odds = rebuilt(), [], []
    for ids, found in heard:
        with torch.inference_mode():
            said = net(torch.from_numpy(ids)[None], torch.ones(1, len(ids), dtype=torch.bool))
        wanted = [said.answers.numpy(), said.start[0].numpy(), said.end[0].numpy()]
        differences.append([np.abs(ours - theirs).mean() for ours, theirs in zip(found, wanted, strict=True)])
        odds.append(float(said.answers))
    # What is left is that states become whole numbers of 8 bits between the matrices.
    assert np.mean(differences, axis=0) == pytest.approx([0, 0, 0], abs=0.1)
    assert np.std(odds) > 2
