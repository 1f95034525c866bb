"""A shared store on a folder and on an S3 API that really runs: pushed to, followed, removed from, cut off."""

from __future__ import annotations

import datetime
import itertools
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import ClassVar

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from benchmarks.s3_server import BUCKET, S3
from index import CorpusIndex, Document, IndexMismatchError, IndexMissingError, StoreError
from qa import Chatbot
from tests.conftest import ROOT, HashingEmbedder, write_files
from tests.page_server import free_port, served

pytest.importorskip("lancedb", reason="lancedb is not installed: pip install -r requirements-scale.txt")

from index.lance import SharedStore
from index.shared import Follower, pull, push

pytestmark = [
    pytest.mark.scale,
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),  # of moto and boto3, which are no part of the product
]

SECRET = "Le mot de passe du grenier est tournesol."


@pytest.fixture(params=["folder", "s3"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "store")
    request.getfixturevalue("s3")
    return f"s3://{BUCKET}/{tmp_path.name}"


@pytest.fixture
def corpus(tmp_path: Path) -> CorpusIndex:
    folder = write_files(
        tmp_path / "docs",
        {
            "a.txt": f"date 2022-10 \n{SECRET} Il est à Brest.",
            "b.txt": "Le phare de l'île d'Ouessant date de 1863.\nÉté.",
        },
    )
    return CorpusIndex.build([folder], tmp_path / "index")


def texts(corpus: CorpusIndex) -> dict[str, str]:
    return {source: document.text for source, document in corpus.find_documents(corpus.sources()).items()}


def test_a_replica_is_the_same_index(corpus: CorpusIndex, address: str, tmp_path: Path) -> None:
    assert push(corpus, address).n_put == 2
    report = pull(address, tmp_path / "replica")
    assert (report.n_added, report.n_removed) == (2, 0)
    replica = CorpusIndex.open(tmp_path / "replica")
    assert texts(replica) == texts(corpus)
    assert replica.verify() == []
    question = "Quel est le mot de passe du grenier ?"
    hits, own = replica.search(question), corpus.search(question)
    assert [(hit.passage.span, hit.score, hit.dense_score) for hit in hits] == [
        (hit.passage.span, hit.score, hit.dense_score) for hit in own
    ]
    answer = Chatbot(replica).ask(question)
    citation = answer.citations[0]
    assert "tournesol" in (answer.short_answer or "")
    assert replica.document(citation.source).text[citation.start : citation.end] == citation.text
    assert push(corpus, address).n_put == 0
    assert pull(address, tmp_path / "replica").generation == report.generation


def test_embeddings_are_copied_and_none_is_made(tmp_path: Path) -> None:
    model = HashingEmbedder()
    corpus = CorpusIndex.create(tmp_path / "index", embedder=model)
    corpus.put([Document(str(n), f"{n}.txt", f"Le navire numéro {n} quitte le port de Brest.") for n in range(20)])
    push(corpus, str(tmp_path / "store"))
    model.texts.clear()
    pull(str(tmp_path / "store"), tmp_path / "replica", embedder=model)
    assert model.texts == []
    replica = CorpusIndex.open(tmp_path / "replica", embedder=model)
    vector = model.embed_question("navire numéro 7")
    assert [hit.dense_score for hit in replica.nearest(vector)] == [hit.dense_score for hit in corpus.nearest(vector)]
    with pytest.raises(IndexMismatchError, match="push to another address"):
        pull(str(tmp_path / "store"), tmp_path / "other", embedder=HashingEmbedder(salt="b"))


def test_changes_and_removals_arrive_and_the_text_is_gone(corpus: CorpusIndex, address: str, tmp_path: Path) -> None:
    push(corpus, address)
    pull(address, tmp_path / "replica")
    (tmp_path / "docs" / "a.txt").unlink()
    write_files(tmp_path / "docs", {"b.txt": "Le phare d'Ouessant est éteint.", "c.txt": "Un troisième."})
    corpus.refresh()
    report = push(corpus, address)
    assert (report.n_put, report.n_removed) == (2, 1)
    replica = CorpusIndex.open(tmp_path / "replica")
    generation = replica.generation
    pulled = pull(address, tmp_path / "replica")
    assert (pulled.n_added, pulled.n_changed, pulled.n_removed) == (1, 1, 1)
    assert replica.generation == generation + 1  # one change, never half of it
    assert texts(replica) == texts(corpus)
    SharedStore.open(address).optimize(keep=datetime.timedelta(0))
    assert texts(CorpusIndex.open(tmp_path / "replica")) == texts(corpus)
    if not address.startswith("s3://"):
        held = b"".join(path.read_bytes() for path in Path(address).rglob("*") if path.is_file())
        assert b"tournesol" not in held
        assert b"Ouessant" in held


def test_writers_keep_to_their_own(corpus: CorpusIndex, address: str, tmp_path: Path) -> None:
    other = CorpusIndex.build([write_files(tmp_path / "more", {"d.txt": "Le port de Lorient."})], tmp_path / "second")
    errors: list[Exception] = []

    def work(index: CorpusIndex, owner: str) -> None:
        try:
            push(index, address, owner=owner)
        except StoreError as error:
            errors.append(error)

    push(corpus, address, owner="first")
    threads = [threading.Thread(target=work, args=pair) for pair in ((corpus, "first"), (other, "second"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    pull(address, tmp_path / "replica")
    assert texts(CorpusIndex.open(tmp_path / "replica")) == texts(corpus) | texts(other)
    with pytest.raises(StoreError, match="by another writer"):
        push(other, address, owner="third")


def test_no_store_and_no_server_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(IndexMissingError, match="python -m index push"):
        pull(str(tmp_path / "nothing"), tmp_path / "replica")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with pytest.raises(StoreError, match="check the address"):
        pull("s3://nowhere/corpus", tmp_path / "replica")


def test_a_writer_killed_in_the_middle_loses_nothing_acknowledged(corpus: CorpusIndex, tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    push(corpus, store)
    many = write_files(tmp_path / "many", {f"{n}.txt": f"Le navire {n} quitte Brest." for n in range(3_000)})
    CorpusIndex.build([many], tmp_path / "big")
    command = [sys.executable, "-m", "index", "push", store, "--index", str(tmp_path / "big"), "--owner", "big"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as writer:
        end = time.monotonic() + 60.0
        while len(SharedStore.open(store).snapshot().documents) < 1_000 and writer.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.02)
        writer.kill()
    held = SharedStore.open(store).snapshot().documents
    assert set(texts(corpus)) <= set(held)
    assert (len(held) - 2) % 1_000 == 0  # whole versions only
    push(CorpusIndex.open(tmp_path / "big"), store, owner="big")
    pull(store, tmp_path / "replica")
    assert len(CorpusIndex.open(tmp_path / "replica").sources()) == 3_002


def test_a_follower_sees_changes_and_outlives_an_outage(corpus: CorpusIndex, s3: S3, tmp_path: Path) -> None:
    address = f"s3://{BUCKET}/{tmp_path.name}"
    push(corpus, address)
    pull(address, tmp_path / "replica")
    replica = CorpusIndex.open(tmp_path / "replica")
    follower = Follower(address, tmp_path / "replica", seconds=0.2)
    try:
        write_files(tmp_path / "docs", {"c.txt": "La frégate Surcouf est à quai."})
        corpus.refresh()
        push(corpus, address)
        wait_for(lambda: len(replica.sources()) == 3)
        s3.pause()
        for _ in range(3):  # the replica answers while the store is away
            assert Chatbot(replica).ask("Où est la frégate Surcouf ?").answered
            time.sleep(0.5)
        s3.resume()
        write_files(tmp_path / "docs", {"d.txt": "Le sous-marin est en mer."})
        corpus.refresh()
        push(corpus, address)
        wait_for(lambda: len(replica.sources()) == 4)
    finally:
        s3.resume()
        follower.close()


def test_two_pages_answer_alike_and_eight_clients_outlive_one(corpus: CorpusIndex, s3: S3, tmp_path: Path) -> None:
    address, question = f"s3://{BUCKET}/{tmp_path.name}", "Quel est le mot de passe du grenier ?"
    push(corpus, address)
    with served(tmp_path / "one", "--store", address) as one, served(tmp_path / "two", "--store", address) as two:
        first, second = (Client(page.url, verbose=False) for page in (one, two))
        answers = [client.predict(question, api_name="/ask") for client in (first, second)]
        for answer in answers:
            answer.pop("timings_ms")
        assert answers[0] == answers[1]
        write_files(tmp_path / "docs", {"c.txt": "La frégate Surcouf est à quai à Toulon."})
        corpus.refresh()
        push(corpus, address)
        for client in (first, second):
            wait_for(lambda client=client: client.predict(api_name="/status")["n_documents"] == 3)  # type: ignore[misc]
        clients = [Asking([one.url, two.url]) for _ in range(8)]
        wait_for(lambda: all(client.n_right >= 2 for client in clients), 60.0)
        one.process.kill()
        before = [client.n_right for client in clients]
        wait_for(lambda: all(each.n_right >= n + 2 for each, n in zip(clients, before, strict=True)), 60.0)
        for client in clients:
            client.end()
        assert [client.wrong for client in clients] == [[]] * 8
        assert all(client.n_lost <= 1 for client in clients)
        with pytest.raises(AppError):  # visitors of a page over a store only ask
            second.predict([], api_name="/add")


class Asking:
    """A client that asks without pause, and goes on to the next page where one is gone, as a balancer does."""

    ANSWERS: ClassVar[dict[str, str]] = {
        "Quel est le mot de passe du grenier ?": "tournesol",
        "De quand date le phare d'Ouessant ?": "1863",
        "Où est la frégate Surcouf ?": "Toulon",
    }

    def __init__(self, urls: list[str]) -> None:
        self.n_right, self.n_lost, self.wrong = 0, 0, list[str]()
        self._pages = [Client(url, verbose=False) for url in urls]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join(30.0)
        assert not self._thread.is_alive()

    def _ask(self) -> None:
        for question, words in itertools.cycle(self.ANSWERS.items()):
            if self._ended.is_set():
                return
            try:
                answer = self._pages[0].predict(question, api_name="/ask")
            except Exception:  # noqa: BLE001 - whatever a client says of a server that has died
                self._pages, self.n_lost = self._pages[1:], self.n_lost + 1
                continue
            if words in answer["citations"][0]["text"]:
                self.n_right += 1
            else:
                self.wrong.append(f"{question}: {answer['text']}")


def wait_for(condition, seconds: float = 30.0) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)
