"""Rerankers: the order that the scores of a model give, against the libraries and sums done by hand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from index import CorpusIndex, Document, Hit, Passage, Span
from index.errors import InputError, ModelError
from index.score import SentenceTransformerScorer
from index.types import Sentence
from qa import Chatbot
from qa.__main__ import main
from qa.evidence import EvidenceRanker
from qa.reranker import ModelReranker, open_reranker
from tests.conftest import ROOT
from tests.model_folders import save_bert, save_cross_encoder, save_embedder, save_late_interaction

QUESTION = "Combien de navires compte le port ?"
TEXTS = [
    "Le port de Brest compte trois navires.",
    "Le char pese 56 tonnes.",
    "Le port de Kiel en compte deux.",
    "mot " * 200,
    "",
]


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_cross_encoder(tmp_path_factory.mktemp("cross"))


@pytest.fixture(scope="module")
def late_interaction(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = save_late_interaction(tmp_path_factory.mktemp("late"))
    path = folder / "config_sentence_transformers.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["prompts"] = {"query": "question : ", "document": "texte : "}
    path.write_text(json.dumps(settings), encoding="utf-8")
    return folder


@pytest.fixture(params=["cross_encoder", "late_interaction"])
def model(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


class CountingScorer:
    """Scores a text by how often the letter e stands in it, and remembers what it was asked."""

    name = "counting"

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append((question, list(texts)))
        return np.array([text.count("e") for text in texts], dtype=np.float32)


def hits_of(*texts: str, title: str | None = None) -> list[Hit]:
    """Return hits whose scores fall from 0.9 by tenths."""
    hits = []
    for number, text in enumerate(texts):
        document, span = Document(f"d{number}", f"d{number}", text, title=title), Span(0, len(text))
        passage = Passage(number, document, 0, span, (Sentence(document, span),))
        hits.append(Hit(passage, 0.9 - number / 10, float(number), number / 100))
    return hits


class TestOrder:
    def test_follows_the_scores_and_hands_those_of_search_out_again(self) -> None:
        hits = hits_of("e", "eee", "", "ee")
        found = ModelReranker(CountingScorer()).rerank("Où ?", hits)
        assert [hit.passage for hit in found] == [hits[place].passage for place in (1, 3, 0, 2)]
        assert [hit.score for hit in found] == [hit.score for hit in hits]
        assert [(hit.lexical_score, hit.dense_score) for hit in found] == [(1, 0.01), (3, 0.03), (0, 0.0), (2, 0.02)]

    def test_of_equal_scores_is_that_of_search(self) -> None:
        hits = hits_of("e a", "a e", "ee", "e")
        found = ModelReranker(CountingScorer()).rerank("Où ?", hits)
        assert [hit.passage.number for hit in found] == [2, 0, 1, 3]

    def test_of_nothing_is_nothing(self) -> None:
        scorer = CountingScorer()
        assert ModelReranker(scorer).rerank("Où ?", ()) == ()
        assert scorer.asked == []

    def test_the_title_stands_before_the_text(self) -> None:
        scorer = CountingScorer()
        ModelReranker(scorer).rerank("Où ?", hits_of("Le port.", title="Brest"))
        assert scorer.asked == [("Où ?", ["Brest\nLe port."])]


class TestCache:
    def test_a_pair_is_scored_once(self) -> None:
        scorer = CountingScorer()
        reranker = ModelReranker(scorer)
        first = reranker.rerank("Où ?", hits_of("e", "ee"))
        assert reranker.rerank("Où ?", hits_of("e", "ee")) == first
        reranker.rerank("Où ?", hits_of("ee", "eee", "eee"))
        reranker.rerank("Qui ?", hits_of("e"))
        assert scorer.asked == [("Où ?", ["e", "ee"]), ("Où ?", ["eee"]), ("Qui ?", ["e"])]

    def test_what_was_not_asked_for_longest_is_forgotten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("qa.reranker._CACHED", 2)
        scorer = CountingScorer()
        reranker = ModelReranker(scorer)
        for text in ("a", "b", "a", "c", "a", "b"):
            reranker.rerank("Où ?", hits_of(text))
        assert [texts for _, texts in scorer.asked] == [["a"], ["b"], ["c"], ["b"]]
        found = reranker.rerank("Où ?", hits_of("e", "eee", "ee"))  # more at once than are kept
        assert [hit.passage.number for hit in found] == [1, 2, 0]


class TestModels:
    def test_a_cross_encoder_gives_the_scores_of_its_library(self, cross_encoder: Path) -> None:
        from sentence_transformers import CrossEncoder

        library = CrossEncoder(str(cross_encoder), local_files_only=True)
        alone = [float(library.predict((QUESTION, text))) for text in TEXTS]
        assert len(set(alone)) == len(TEXTS)
        scores = SentenceTransformerScorer.open(str(cross_encoder)).scores(QUESTION, TEXTS)
        assert (scores.dtype, scores.shape) == (np.float32, (len(TEXTS),))
        np.testing.assert_allclose(scores, alone, atol=1e-5)

    def test_one_that_transformers_saved_is_taken_too(self, tmp_path: Path, cross_encoder: Path) -> None:
        plain = save_bert(tmp_path / "plain", n_labels=1)
        saved = SentenceTransformerScorer.open(str(cross_encoder))
        np.testing.assert_allclose(
            SentenceTransformerScorer.open(str(plain)).scores(QUESTION, TEXTS),
            saved.scores(QUESTION, TEXTS),
            atol=1e-5,
        )

    def test_late_interaction_sums_the_best_cosine_of_each_token(self, late_interaction: Path) -> None:
        from sentence_transformers import MultiVectorEncoder

        library = MultiVectorEncoder(str(late_interaction), local_files_only=True)
        asked = library.encode(f"question : {QUESTION}", task="query", prompt="", convert_to_numpy=True)
        expected = []
        for text in TEXTS:
            read = library.encode(f"texte : {text}", task="document", prompt="", convert_to_numpy=True)
            expected.append(float((asked @ read.T).max(axis=1).sum()))
        assert len(set(expected)) == len(TEXTS)
        scores = SentenceTransformerScorer.open(str(late_interaction)).scores(QUESTION, TEXTS)
        np.testing.assert_allclose(scores, expected, atol=1e-4)

    def test_many_texts_have_the_scores_that_they_have_alone(self, model: Path) -> None:
        scorer = SentenceTransformerScorer.open(str(model))
        texts = [f"Texte {number}. {'mot ' * (number % 7)}" for number in range(70)]
        alone = [float(scorer.scores(QUESTION, [text])[0]) for text in texts]
        np.testing.assert_allclose(scorer.scores(QUESTION, texts), alone, atol=1e-4)
        assert scorer.scores(QUESTION, []).shape == (0,)

    def test_the_hits_of_a_real_model_come_in_the_order_of_its_scores(self, model: Path) -> None:
        reranker = open_reranker(str(model))
        assert reranker.name == str(model)
        scores = SentenceTransformerScorer.open(str(model)).scores(QUESTION, TEXTS)
        found = reranker.rerank(QUESTION, hits_of(*TEXTS))
        assert [hit.passage.number for hit in found] == np.argsort(-scores, kind="stable").tolist()

    def test_half_a_character_is_refused(self, model: Path) -> None:
        scorer = SentenceTransformerScorer.open(str(model))
        with pytest.raises(InputError, match="lone surrogate"):
            scorer.scores("ah\ud800", TEXTS)

    def test_weights_that_are_no_numbers_are_an_error(self, cross_encoder: Path, tmp_path: Path) -> None:
        folder = Path(shutil.copytree(cross_encoder, tmp_path / "model"))
        weights = load_file(folder / "model.safetensors")
        weights["classifier.bias"] = np.full_like(weights["classifier.bias"], np.nan)
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(ModelError, match="no finite numbers"):
            open_reranker(str(folder)).rerank(QUESTION, hits_of(*TEXTS))

    def test_what_a_model_raises_is_stated(self) -> None:
        def score(_: str, __: list[str]) -> Any:
            raise RuntimeError("not enough\n memory")

        scorer = SentenceTransformerScorer(score, name="large")
        with pytest.raises(ModelError, match=r"^reranker large failed \(not enough memory\); name another model"):
            scorer.scores(QUESTION, TEXTS)


class TestRefused:
    @pytest.mark.parametrize("name", ["no/such/folder", "", "un modèle", __file__])
    def test_a_name_that_cannot_be_a_model(self, name: str) -> None:
        with pytest.raises(ModelError, match=r"^reranker '.*': expected a folder or a hub name"):
            open_reranker(name)

    def test_an_embedding_model(self, tmp_path: Path) -> None:
        folder = save_embedder(tmp_path)
        with pytest.raises(
            ModelError, match="found an embedding model, expected a cross-encoder or a late-interaction"
        ):
            open_reranker(str(folder))

    def test_a_model_of_several_scores(self, tmp_path: Path) -> None:
        folder = save_bert(tmp_path / "model", n_labels=3)
        with pytest.raises(ModelError, match="found 3 scores a text, expected 1"):
            open_reranker(str(folder))

    def test_a_folder_without_safetensors(self, cross_encoder: Path, tmp_path: Path) -> None:
        folder = Path(shutil.copytree(cross_encoder, tmp_path / "model"))
        (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
        with pytest.raises(ModelError, match=r"found no \*\.safetensors in "):
            open_reranker(str(folder))

    @pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json", "modules.json"])
    def test_a_damaged_file(self, model: Path, tmp_path: Path, file: str) -> None:
        folder = Path(shutil.copytree(model, tmp_path / "model"))
        (folder / file).write_bytes((folder / file).read_bytes()[:40])
        with pytest.raises(ModelError, match=r"^reranker .*(could not be loaded|cannot be read)"):
            open_reranker(str(folder))

    def test_a_hub_name_where_there_is_no_network(self, tmp_path: Path) -> None:
        code = (
            "import socket\n"
            "def refuse(*_, **__): raise socket.gaierror('no network')\n"
            "socket.socket.connect = socket.getaddrinfo = refuse\n"
            "from qa.reranker import open_reranker\n"
            "from index.errors import ModelError\n"
            "try: open_reranker('modele')\n"
            "except ModelError as error: print(error)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"HF_HOME": str(tmp_path)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.startswith("reranker cross-encoder/modele: there is no such folder"), done.stderr
        assert "the hub is out of reach" in done.stdout


class TestChatbot:
    def test_the_evidence_is_ranked_in_the_new_order(
        self, seed_corpus: CorpusIndex, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ranked: list[tuple[Hit, ...]] = []
        rank = EvidenceRanker.rank

        def watched(self: EvidenceRanker, question: Any, found: Any, **options: Any) -> Any:
            ranked.append(found.hits)
            return rank(self, question, found, **options)

        monkeypatch.setattr(EvidenceRanker, "rank", watched)
        question, scorer = "Qui a doublé sa présence en mer Baltique ?", CountingScorer()
        plain = Chatbot(seed_corpus).ask(question)
        answer = Chatbot(seed_corpus, reranker=ModelReranker(scorer)).ask(question)
        before, after = ranked
        assert len(before) > 1
        assert {hit.passage.number for hit in before} == {hit.passage.number for hit in after}
        counts = [hit.passage.text.count("e") for hit in after]
        assert counts == sorted(counts, reverse=True) != [hit.passage.text.count("e") for hit in before]
        assert [asked for asked, _ in scorer.asked] == [question]
        assert (plain.mode, answer.mode) == (
            "extractif · modèle embarqué · lecteur embarqué",
            "extractif · modèle embarqué · reclassement counting · lecteur embarqué",
        )
        assert answer.timings_ms.keys() - plain.timings_ms.keys() == {"rerank"}

    def test_the_same_question_has_the_same_answer(self, seed_corpus: CorpusIndex, model: Path) -> None:
        chatbot = Chatbot(seed_corpus, reranker=open_reranker(str(model)))
        first, again = chatbot.ask(QUESTION), chatbot.ask(QUESTION)
        anew = Chatbot(seed_corpus, reranker=open_reranker(str(model))).ask(QUESTION)
        for other in (again, anew):
            assert (other.text, other.citations, other.confidence) == (first.text, first.citations, first.confidence)


class TestCommand:
    def test_ask_says_which_reranker(
        self, seed_corpus: CorpusIndex, cross_encoder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        question = "Qui est le secrétaire général de l'Otan ?"
        arguments = ["ask", question, "--index", str(seed_corpus.directory), "--json"]
        assert main([*arguments, "--reranker", str(cross_encoder)]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer["mode"] == f"extractif · modèle embarqué · reclassement {cross_encoder} · lecteur embarqué"
        assert answer["short_answer"] == "Jens Stoltenberg"

    def test_a_missing_model_is_one_line(self, seed_corpus: CorpusIndex, capsys: pytest.CaptureFixture[str]) -> None:
        arguments = ["ask", "Qui ?", "--index", str(seed_corpus.directory), "--reranker", "/nowhere/model"]
        assert main(arguments) == 1
        assert capsys.readouterr() == (
            "",
            "error: reranker '/nowhere/model': expected a folder or a hub name such as organisation/model, "
            "found neither\n",
        )

    def test_loading_draws_no_bar(self, seed_corpus: CorpusIndex, cross_encoder: Path) -> None:
        arguments = ["ask", "Qui ?", "--index", str(seed_corpus.directory), "--reranker", str(cross_encoder)]
        done = subprocess.run(
            [sys.executable, "-m", "qa", *arguments],
            cwd=ROOT,
            env=os.environ | {"HF_HUB_OFFLINE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
