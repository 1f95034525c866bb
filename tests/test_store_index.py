"""A shared store that is asked where it lies: the same contract as an index, on a folder and on an S3 API."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.s3_server import BUCKET
from index import CorpusIndex, Document, IndexMismatchError, IndexMissingError, InputError
from index.filters import Filter
from index.searchable import Searchable
from qa import Chatbot
from qa.__main__ import main as ask_main
from tests.conftest import HashingEmbedder, write_files

pytest.importorskip("lancedb", reason="lancedb is not installed: pip install -r requirements-scale.txt")

from index.lance import SharedStore
from index.shared import push
from index.store_index import StoreIndex

pytestmark = [
    pytest.mark.scale,
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),  # of moto and boto3, which are no part of the product
]

SECRET = "Le mot de passe du grenier est tournesol. Il est à Brest."
Kept = Callable[[CorpusIndex], Searchable]


@pytest.fixture(params=["index", "store", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """Where documents lie: in their index, or in a store that it was pushed to."""
    if request.param == "index":
        return lambda corpus: corpus
    address = str(tmp_path / "store")
    if request.param == "s3":
        request.getfixturevalue("s3")
        address = f"s3://{BUCKET}/{tmp_path.name}"

    def pushed(corpus: CorpusIndex) -> StoreIndex:
        push(corpus, address)
        return StoreIndex(address, embedder=corpus.embedder)

    return pushed


@pytest.fixture
def corpus(tmp_path: Path) -> CorpusIndex:
    folder = write_files(
        tmp_path / "docs",
        {
            "a.txt": f"date 2022-10 \n{SECRET}",
            "deep/b.txt": "date 2019-03-04 \nLe phare de l'île d'Ouessant date de 1863. Jean Martin a déclaré que "
            "le phare était beau.",
            "c.txt": "Un texte sans date sur les marées. Été.",
        },
    )
    lines = [{"id": str(n), "text": f"Le navire {n} quitte Brest.", "port": "Brest"} for n in range(30)]
    (folder / "d.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return CorpusIndex.build([folder], tmp_path / "index")


def found(corpus: Searchable, question: str, **only: object) -> list[str]:
    hits = corpus.search_in_full(question, k=50, only=Filter.of(**only)).hits  # type: ignore[arg-type]
    return [Path(hit.passage.document.source).name for hit in hits]


class TestBothDoTheSame:
    def test_search_finds_it_first_with_exact_places(self, corpus: CorpusIndex, kept: Kept) -> None:
        asked = kept(corpus)
        (first, *_) = asked.search_in_full("mot de passe du grenier", k=5).hits
        assert first.passage.document.text[first.passage.span.start : first.passage.span.end] == SECRET
        assert found(asked, "mot de passe du grenier")[0] == "a.txt"
        assert found(asked, "Ouéssant phare")[0] == "b.txt"

    def test_filters_apply(self, corpus: CorpusIndex, kept: Kept, tmp_path: Path) -> None:
        asked = kept(corpus)
        assert set(found(asked, "Brest phare marées", since="2020")) == {"a.txt"}
        assert set(found(asked, "Brest phare marées", until="2019")) == {"b.txt"}
        assert set(found(asked, "Brest phare marées", since="2019-03", until="2022-10-15")) == {"a.txt", "b.txt"}
        assert set(found(asked, "phare Brest", sources=[str(tmp_path / "docs" / "deep")])) == {"b.txt"}
        assert found(asked, "navire", sources=[str(tmp_path / "docs" / "d.jsonl#7")]) == ["d.jsonl#7"]
        assert all(name.startswith("d.jsonl") for name in found(asked, "navire Brest", where={"port": "Brest"}))
        assert found(asked, "navire", since="2030") == []

    def test_answers_cite_the_same_characters(self, corpus: CorpusIndex, kept: Kept) -> None:
        asked = kept(corpus)
        for question in ("Quel est le mot de passe du grenier ?", "Que dit Jean Martin du phare ?"):
            own, answer = Chatbot(corpus).ask(question), Chatbot(asked).ask(question)
            assert answer.answered
            assert [(c.source, c.start, c.end) for c in answer.citations] == [
                (c.source, c.start, c.end) for c in own.citations
            ]
            for cited in answer.citations:
                assert asked.document(cited.source).text[cited.start : cited.end] == cited.text
            assert answer.generation == asked.generation

    def test_a_change_is_seen_and_what_is_removed_is_gone(
        self, corpus: CorpusIndex, kept: Kept, tmp_path: Path
    ) -> None:
        before = kept(corpus).generation
        (tmp_path / "docs" / "a.txt").unlink()
        write_files(tmp_path / "docs", {"e.txt": "La frégate Surcouf est à quai à Toulon."})
        corpus.refresh()
        asked = kept(corpus)
        assert asked.generation > before
        assert found(asked, "frégate Surcouf")[0] == "e.txt"
        assert "a.txt" not in found(asked, "mot de passe du grenier")
        with pytest.raises(InputError):
            asked.document(str(tmp_path / "docs" / "a.txt"))

    def test_what_it_holds_is_told(self, corpus: CorpusIndex, kept: Kept) -> None:
        asked = kept(corpus)
        status, own = asked.status(), corpus.status()
        assert (status.n_sources, status.n_documents, status.n_passages) == (33, 33, own.n_passages)
        assert (status.first_date, status.last_date) == ("2019-03-04", "2022-10-31")
        assert asked.sources() == corpus.sources()
        assert [Path(document.source).name for document in asked.newest_documents(2)] == ["a.txt", "b.txt"]
        assert asked.idfs(["phare"])["phare"] > 0.0

    @pytest.mark.parametrize("question", ["", "  ", "x" * 2_001])
    def test_bad_questions_are_refused(self, corpus: CorpusIndex, kept: Kept, question: str) -> None:
        with pytest.raises(InputError):
            kept(corpus).search_in_full(question)


def test_nothing_is_embedded_but_the_question(tmp_path: Path) -> None:
    model = HashingEmbedder()
    corpus = CorpusIndex.create(tmp_path / "index", embedder=model)
    corpus.put([Document(str(n), f"{n}.txt", f"Le navire numéro {n} quitte le port de Brest.") for n in range(20)])
    push(corpus, str(tmp_path / "store"))
    asked = StoreIndex(str(tmp_path / "store"), embedder=model)
    model.texts.clear()
    assert asked.search("navire numéro 7")[0].passage.document.source == "7.txt"
    assert model.texts == []
    with pytest.raises(IndexMismatchError):
        StoreIndex(str(tmp_path / "store"), embedder=HashingEmbedder(salt="b"))


def test_an_empty_store_and_none(tmp_path: Path) -> None:
    push(CorpusIndex.create(tmp_path / "index"), str(tmp_path / "store"))
    assert StoreIndex(str(tmp_path / "store")).search("navire") == []
    assert not Chatbot(StoreIndex(str(tmp_path / "store"))).ask("Où est le navire ?").answered
    with pytest.raises(IndexMissingError):
        StoreIndex(str(tmp_path / "nowhere"))


def test_what_was_put_after_the_terms_were_indexed_is_found(corpus: CorpusIndex, tmp_path: Path) -> None:
    address = str(tmp_path / "store")
    push(corpus, address)
    other = CorpusIndex.create(tmp_path / "other")
    other.put([Document("x", "x.txt", "Le xylophone de Zoé est à Quimper.")])
    push(other, address, owner="other")
    asked = StoreIndex(address)
    assert found(asked, "xylophone")[0] == "x.txt"
    version = SharedStore.open(address).version()
    assert asked.search_in_full("xylophone").generation == version


def test_the_commands_ask_a_store(corpus: CorpusIndex, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    address = str(tmp_path / "store")
    push(corpus, address)
    assert ask_main(["ask", "Quel est le mot de passe du grenier ?", "--store", address, "--json"]) == 0
    assert "tournesol" in json.loads(capsys.readouterr().out)["short_answer"]
    questions = tmp_path / "questions.jsonl"
    (record,) = [corpus.document(source) for source in corpus.sources() if source.endswith("a.txt")]
    questions.write_text(
        json.dumps({"question": "mot de passe du grenier", "answer": "tournesol", "article_id": record.id}),
        encoding="utf-8",
    )
    assert ask_main(["evaluate", str(questions), "--store", address, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["document_recall@1"]["mean"] == 1.0
    assert ask_main(["evaluate", str(questions), "--store", address, "--without-source"]) == 1


def test_many_documents_are_found_by_an_index_of_their_embeddings(tmp_path: Path) -> None:
    model = HashingEmbedder()
    corpus = CorpusIndex.create(tmp_path / "index", embedder=model)
    corpus.put([Document(str(n), f"{n}.txt", f"Le navire numéro {n} quitte le port de Brest.") for n in range(300)])
    address = str(tmp_path / "store")
    push(corpus, address)
    store = SharedStore.open(address)
    vector, only = model.embed_question("navire numéro 77"), Filter()
    exact = store.find([], vector, k=20, only=only, version=store.version())
    store.optimize(keep=datetime.timedelta(0), indexed_from=256)
    store.optimize(keep=datetime.timedelta(0), indexed_from=256)  # and once there, it is kept up to date
    found = store.find([], vector, k=20, only=only, version=store.version())
    assert len(set(found) & set(exact)) >= 15
    assert StoreIndex(address, embedder=model).search("navire numéro 77")[0].passage.document.source == "77.txt"
