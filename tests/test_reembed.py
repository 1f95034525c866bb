"""Another model for an index: every passage embedded again from the catalog, in one change or not at all."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

import app
from index import CorpusIndex, Document, Progress
from index.errors import IndexMismatchError, ModelError
from index.reembed import EmbeddingCost
from tests.conftest import ROOT, HashingEmbedder, index_rows, write_files
from tests.model_folders import save_embedder

OTAN = "Le secrétaire général de l'Otan est Jens Stoltenberg."


@pytest.fixture
def corpus(tmp_path: Path, embedder: HashingEmbedder) -> CorpusIndex:
    """An index of three files that are no longer there."""
    files = {"otan.txt": OTAN, "char.txt": "Le char Leclerc pèse 56 tonnes.", "gaz.txt": "Le gazoduc a fui en mer."}
    folder = write_files(tmp_path / "docs", files)
    corpus = CorpusIndex.build([folder], tmp_path / "index", embedder=embedder)
    shutil.rmtree(folder)
    embedder.texts.clear()
    return corpus


def vectors(corpus: CorpusIndex) -> dict[bytes, bytes]:
    """Return the embedding of each passage by the hash of its text."""
    return {row[3]: row[4] for row in index_rows(corpus.directory)["passages"]}


def test_every_passage_is_embedded_once_in_one_generation_and_no_file_is_read(corpus: CorpusIndex) -> None:
    before, other, steps = index_rows(corpus.directory), HashingEmbedder(16), list[Progress]()
    report = corpus.embed(other, progress=steps.append)
    texts = [OTAN, "Le char Leclerc pèse 56 tonnes.", "Le gazoduc a fui en mer."]
    assert sorted(other.texts) == sorted(texts)
    assert (report.generation, report.n_embedded, report.n_unchanged) == (2, 3, 3)
    assert (report.added, report.changed, report.removed, report.problems) == ((), (), (), ())
    assert steps == [Progress("vectorisation", 3, 3)]
    after, status = index_rows(corpus.directory), corpus.status()
    assert (status.embedder, status.dimension, corpus.verify()) == ("hashing-16", 16, [])
    assert {each: after[each] for each in after if each != "passages"} == {
        each: before[each] for each in before if each != "passages"
    }
    expected = other.embed_passages(texts).astype(np.float16)
    assert set(vectors(corpus).values()) == {row.tobytes() for row in expected}
    assert corpus.search("Stoltenberg")[0].passage.text == OTAN
    assert corpus.embedder is other
    assert CorpusIndex.open(corpus.directory, embedder=HashingEmbedder(16)).search("Otan")[0].passage.text == OTAN


def test_the_same_model_embeds_nothing(corpus: CorpusIndex, embedder: HashingEmbedder) -> None:
    costs: list[EmbeddingCost] = []
    assert corpus.embedding_cost() is None
    report = corpus.embed(on_cost=costs.append)
    assert (report.generation, report.n_embedded, embedder.texts, costs) == (1, 0, [], [])
    report = corpus.embed(HashingEmbedder(), on_cost=costs.append)
    assert (report.generation, report.n_embedded, costs) == (1, 0, [])


def test_no_embedding_of_the_former_model_is_found_again(corpus: CorpusIndex) -> None:
    other = HashingEmbedder(24, salt="-bis")
    corpus.embed(other)
    other.texts.clear()
    report = corpus.put([Document("copie", "copie", OTAN, metadata={"n": 1})])
    assert (report.n_embedded, other.texts) == (0, [])
    rows = {row[4] for row in index_rows(corpus.directory)["passages"] if row[3] in vectors(corpus)}
    assert HashingEmbedder().embed_passages([OTAN]).astype(np.float16).tobytes() not in rows
    assert other.embed_passages([OTAN]).astype(np.float16).tobytes() in rows


def test_adding_with_another_model_is_one_change(corpus: CorpusIndex, tmp_path: Path) -> None:
    files = write_files(tmp_path / "plus", {"neuf.txt": "Un texte neuf."})
    other, costs = HashingEmbedder(16), list[EmbeddingCost]()
    report = corpus.add([files], embedder=other, on_cost=costs.append)
    assert (report.generation, report.n_added, report.n_embedded) == (2, 1, 4)
    assert [(cost.n_passages, cost.former, cost.embedder) for cost in costs] == [(3, "hashing-24", "hashing-16")]
    assert (corpus.status().embedder, corpus.verify()) == ("hashing-16", [])
    with pytest.raises(IndexMismatchError, match=r"`python -m index embed --embedder hashing-24 --index "):
        CorpusIndex.open(corpus.directory, embedder=HashingEmbedder()).search("Otan")


def test_the_new_model_is_not_opened_a_second_time(corpus: CorpusIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    models = {"hashing-24": HashingEmbedder()}
    monkeypatch.setattr("index.corpus.open_embedder", lambda name: models[name])
    opened, other = CorpusIndex.open(corpus.directory), HashingEmbedder(16)
    assert opened.search("Stoltenberg")[0].passage.text == OTAN
    opened.embed(other)
    assert opened.search("Stoltenberg")[0].passage.text == OTAN
    assert opened.embedder is other


class Failing(HashingEmbedder):
    """Fails at the passages that a word stands in."""

    def __init__(self, word: str) -> None:
        super().__init__(16)
        self.word = word

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if any(self.word in text for text in texts):
            raise ModelError("the model failed")
        return super().embed_passages(texts)


@pytest.mark.parametrize("way", ["embed", "add", "build"])
def test_a_failing_model_leaves_the_index_as_it_was(corpus: CorpusIndex, tmp_path: Path, way: str) -> None:
    corpus.put([Document(f"d{n}", f"d{n}", f"Texte {n}.") for n in range(300)])  # more than are embedded at once
    before, failing = index_rows(corpus.directory), Failing("Texte 299")
    files = write_files(tmp_path / "plus", {"neuf.txt": "Un texte neuf."})
    change = {
        "embed": lambda: corpus.embed(failing),
        "add": lambda: corpus.add([files], embedder=failing),
        "build": lambda: CorpusIndex.build([files], corpus.directory, embedder=failing),
    }[way]
    with pytest.raises(ModelError, match="the model failed"):
        change()
    assert len(failing.texts) == 256
    assert (index_rows(corpus.directory), corpus.generation, corpus.verify()) == (before, 2, [])
    assert corpus.search("Stoltenberg")[0].passage.text == OTAN
    assert corpus.embed(HashingEmbedder(8)).generation == 3


def test_questions_are_answered_with_the_former_model_until_the_change_is_committed(corpus: CorpusIndex) -> None:
    found: list[tuple[str, str]] = []

    class Watched(HashingEmbedder):
        def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
            asking = threading.Thread(target=ask)
            asking.start()
            asking.join()
            return super().embed_passages(texts)

    def ask() -> None:
        found.append((corpus.embedder.name, corpus.search("Stoltenberg")[0].passage.text))

    corpus.embed(Watched(16))
    ask()
    assert found == [("hashing-24", OTAN), ("hashing-16", OTAN)]


KILLED = """
import os, signal, sys
from index import CorpusIndex
from tests.conftest import HashingEmbedder
class Killed(HashingEmbedder):
    def embed_passages(self, texts):
        if len(self.texts) >= 256:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().embed_passages(texts)
CorpusIndex.open(sys.argv[1], embedder=HashingEmbedder()).embed(Killed(16))
"""


def test_a_process_killed_in_the_middle_leaves_the_former_index(corpus: CorpusIndex) -> None:
    corpus.put([Document(f"d{n}", f"d{n}", f"Texte {n}.") for n in range(600)])
    before, environment = index_rows(corpus.directory), os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", KILLED, str(corpus.directory)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    opened = CorpusIndex.open(corpus.directory, embedder=HashingEmbedder())
    assert (index_rows(opened.directory), opened.generation, opened.verify()) == (before, 2, [])
    assert opened.embed(HashingEmbedder(16)).n_embedded == 603


class Slow(HashingEmbedder):
    """Takes half a second a passage, by the clock of the test, and ten more the first time."""

    def __init__(self, clock: list[float]) -> None:
        super().__init__(16)
        self.clock = clock

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.clock[0] += 0.5 * len(texts) + (0.0 if self.texts else 10.0)
        return super().embed_passages(texts)


@pytest.mark.parametrize(("n_more", "n_sampled"), [(0, 3), (97, 16)])
def test_the_cost_is_measured_on_a_sample(
    corpus: CorpusIndex, monkeypatch: pytest.MonkeyPatch, n_more: int, n_sampled: int
) -> None:
    corpus.put([Document(f"d{n}", f"d{n}", f"Texte {n}.") for n in range(n_more)])
    clock, n_passages = [0.0], 3 + n_more
    monkeypatch.setattr("index.reembed.time", SimpleNamespace(perf_counter=lambda: clock[0]))
    slow, before = Slow(clock), index_rows(corpus.directory)
    cost = corpus.embedding_cost(slow)
    assert cost == EmbeddingCost("hashing-16", "hashing-24", n_passages, n_sampled, n_passages / 2)
    assert len(set(slow.texts)) == n_sampled
    assert index_rows(corpus.directory) == before


def test_an_index_without_passages_costs_nothing(tmp_path: Path, embedder: HashingEmbedder) -> None:
    empty = CorpusIndex.create(tmp_path / "index", embedder=embedder)
    assert empty.embedding_cost(HashingEmbedder(16)) == EmbeddingCost("hashing-16", "hashing-24", 0, 0, 0.0)
    assert empty.embed(HashingEmbedder(16)).n_embedded == 0
    assert empty.status().embedder == "hashing-16"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.02, "about 1 s"),
        (59.4, "about 59 s"),
        (59.6, "about 1 min 0 s"),
        (312.0, "5 min 12 s"),
        (7510.0, "2 h 5 min"),
    ],
)
def test_the_cost_is_told_in_words(seconds: float, words: str) -> None:
    said = str(EmbeddingCost("org/modèle", "bundled", 126_323, 64, seconds))
    assert said.startswith("126,323 passages are to be embedded again with org/modèle, instead of bundled: about ")
    assert words in said
    assert said.endswith(" on this machine (measured on 64)")
    assert "with bundled, whose files have changed:" in str(EmbeddingCost("bundled", "bundled", 1, 1, 1.0))


def test_the_next_release_of_a_model_is_taken_by_its_name(corpus: CorpusIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    class Next(HashingEmbedder):
        def __init__(self) -> None:
            super().__init__(24)
            self.fingerprint = "hashing-24/2"

    monkeypatch.setattr("index.corpus.open_embedder", lambda name: {"hashing-24": Next()}[name])
    opened, costs = CorpusIndex.open(corpus.directory), list[EmbeddingCost]()
    with pytest.raises(IndexMismatchError, match="`python -m index embed --embedder hashing-24"):
        opened.search("Otan")
    assert opened.embed(on_cost=costs.append).n_embedded == 3
    assert "whose files have changed" in str(costs[0])
    assert opened.search("Stoltenberg")[0].passage.text == OTAN


def test_the_page_changes_the_model_when_it_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(write_files(tmp_path, {"seeds/otan.txt": OTAN}))
    caplog.set_level(logging.INFO, logger="sourcier")
    folder, index = save_embedder(tmp_path / "own"), Path("data/index")
    assert app._open_corpus(index, None).status().embedder == "bundled"
    caplog.clear()
    assert app._open_corpus(index, str(folder)).status().embedder == str(folder)
    (said,) = [record.getMessage() for record in caplog.records if record.name == "sourcier"]
    assert said.startswith(f"1 passages are to be embedded again with {folder}, instead of bundled: about ")
    caplog.clear()
    assert app._open_corpus(index, None).status().generation == 2
    assert caplog.records == []
