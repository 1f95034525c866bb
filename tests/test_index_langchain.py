"""LangChain's side of an index: its own standard suites, its in-memory store and record manager as references."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings
from langchain_core.indexing import InMemoryRecordManager, aindex, index
from langchain_core.vectorstores import InMemoryVectorStore, VectorStore
from langchain_core.vectorstores.utils import maximal_marginal_relevance
from langchain_tests.integration_tests import EmbeddingsIntegrationTests, VectorStoreIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests
from numpy.typing import NDArray

from index import CorpusIndex, IndexMismatchError, InputError, ModelError, StoreError
from index.embed import StaticEmbedder
from index.langchain import CorpusRecordManager, CorpusVectorStore, LangChainEmbedder, SourcierEmbeddings
from tests.conftest import HashingEmbedder, write_files

ROOT = Path(__file__).resolve().parent.parent
HALF = 2e-3
"""Most by which a cosine may differ when the index keeps vectors in half precision."""

TOWNS = [
    Document(
        f"{town} compte {number} navires.", id=str(number), metadata={"lang": lang, "n": number, "tags": [lang, "mer"]}
    )
    for number, (town, lang) in enumerate(
        [("Brest", "fr"), ("Toulon", "fr"), ("Kiel", "de"), ("Gdansk", "pl"), ("Odessa", "uk"), ("Hambourg", "de")]
    )
]


class WordEmbeddings(Embeddings):
    """Hashed words, as the tests of the index have them, for LangChain; lengths other than one, as some models give."""

    def __init__(self, dimension: int = 24, scale: float = 3.0) -> None:
        self.model = HashingEmbedder(dimension)
        self.scale = scale

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        rows: list[list[float]] = (self.model.embed_passages(texts) * self.scale).tolist()
        return rows

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


@pytest.fixture
def store(tmp_path: Path) -> CorpusVectorStore:
    return CorpusVectorStore.open(tmp_path / "index", WordEmbeddings())


@pytest.fixture
def towns(store: CorpusVectorStore) -> CorpusVectorStore:
    store.add_documents(TOWNS)
    return store


def in_memory(documents: list[Document]) -> InMemoryVectorStore:
    reference = InMemoryVectorStore(WordEmbeddings())
    reference.add_documents(documents)
    return reference


def ids(documents: list[Document]) -> list[str | None]:
    return [document.id for document in documents]


# -- the standard suites --------------------------------------------------------------------------------------------


class TestStandardVectorStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, tmp_path: Path) -> VectorStore:
        return CorpusVectorStore.open(tmp_path / "index", self.get_embeddings())


class TestStandardEmbeddings(EmbeddingsUnitTests):
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return SourcierEmbeddings


class TestStandardEmbeddingsIntegration(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return SourcierEmbeddings


# -- embeddings -----------------------------------------------------------------------------------------------------


def test_the_embeddings_are_those_of_the_bundled_model() -> None:
    texts = ["Qui est le secrétaire général de l'Otan ?", "trois navires"]
    bundled = StaticEmbedder.bundled()
    assert SourcierEmbeddings().embed_documents(texts) == bundled.embed_passages(texts).tolist()
    assert SourcierEmbeddings().embed_query(texts[0]) == bundled.embed_question(texts[0]).tolist()


class TestLangChainEmbedder:
    def test_vectors_are_those_of_the_model_at_unit_length(self) -> None:
        texts = ["trois navires", "Brest", "☃"]
        embedder = LangChainEmbedder(WordEmbeddings(16))
        rows = embedder.embed_passages(texts)
        assert (rows.dtype, embedder.dimension) == (np.float32, 16)
        np.testing.assert_allclose(rows, HashingEmbedder(16).embed_passages(texts), atol=1e-6)
        assert not rows[2].any()
        np.testing.assert_array_equal(embedder.embed_question(texts[0]), rows[0])
        assert embedder.embed_passages([]).shape == (0, 16)

    def test_the_fingerprint_tells_models_apart_but_not_roundings(self) -> None:
        class Rounded(WordEmbeddings):
            def embed_documents(self, texts: list[str]) -> list[list[float]]:
                return np.asarray(super().embed_documents(texts), np.float16).tolist()

        Rounded.__name__ = "WordEmbeddings"
        one = LangChainEmbedder(WordEmbeddings()).fingerprint
        assert {LangChainEmbedder(WordEmbeddings()).fingerprint, LangChainEmbedder(Rounded()).fingerprint} == {one}
        others = [
            WordEmbeddings(25),
            WordEmbeddings(scale=-3.0),
            DeterministicFakeEmbedding(size=24),
            DeterministicFakeEmbedding(size=25),
        ]
        assert len({one, *(LangChainEmbedder(other).fingerprint for other in others)}) == 5
        assert LangChainEmbedder(WordEmbeddings(), fingerprint="words/2").fingerprint == "words/2"

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (
                lambda texts: [[1.0, 0.0]] * (len(texts) - 1),
                r"found vectors of shape \(7, 2\), expected \(8, dimension\)",
            ),
            (lambda texts: [[1.0, float("nan")]] * len(texts), "found a vector with NaN or infinity"),
            (lambda texts: [[]] * len(texts), r"shape \(8, 0\)"),
            (lambda texts: [[1.0], [1.0, 2.0]] * (len(texts) // 2), "failed: .*inhomogeneous"),
            (lambda _: 1 / 0, "embedding model langchain:Broken failed: division by zero"),
        ],
    )
    def test_a_model_that_fails_is_named(self, answer: Callable[[list[str]], Any], message: str) -> None:
        class Broken(WordEmbeddings):
            def embed_documents(self, texts: list[str]) -> Any:
                return answer(texts)

        with pytest.raises(ModelError, match=message):
            _ = LangChainEmbedder(Broken()).dimension

    def test_a_question_of_another_dimension_is_refused(self) -> None:
        class Torn(WordEmbeddings):
            def embed_query(self, text: str) -> list[float]:
                return [1.0, 2.0]

        with pytest.raises(ModelError, match=r"shape \(1, 2\), expected \(1, 24\)"):
            LangChainEmbedder(Torn()).embed_question("Brest")

    def test_a_lone_surrogate_is_refused(self) -> None:
        with pytest.raises(InputError, match=r"text 1: found the lone surrogate .* at character 2"):
            LangChainEmbedder(WordEmbeddings()).embed_passages(["bon", "ah\ud800"])

    def test_a_store_opens_with_its_own_model_only(self, tmp_path: Path) -> None:
        CorpusVectorStore.open(tmp_path, WordEmbeddings()).add_texts(["Brest"])
        assert ids(CorpusVectorStore.open(tmp_path, WordEmbeddings()).similarity_search("Brest")) != []
        with pytest.raises(IndexMismatchError):
            CorpusVectorStore.open(tmp_path, DeterministicFakeEmbedding(size=24)).similarity_search("Brest")


def test_the_model_of_a_store_comes_back_as_langchain_knows_it(tmp_path: Path) -> None:
    given_model, bundled = WordEmbeddings(), SourcierEmbeddings()
    assert CorpusVectorStore.open(tmp_path / "a", given_model).embeddings is given_model
    ours = CorpusVectorStore.open(tmp_path / "b", bundled)
    assert ours.corpus.embedder is bundled.embedder
    assert ours.embeddings.embed_query("navire") == bundled.embed_query("navire")
    default = CorpusVectorStore.open(tmp_path / "c")
    assert default.embeddings.embed_query("navire") == bundled.embed_query("navire")


# -- documents in and out -------------------------------------------------------------------------------------------

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.dictionaries(NAMES | st.sampled_from(["title", "date", "source", "id"]), JSON, max_size=4)
BODIES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [" date 2022-10 Trois navires.", "date 2022-10", "Un. Deux. Trois.", "\ufeffBrest"]
)
# Ids that are one inside the other as files and folders are, and that a path would change.
IDS = st.sampled_from(["a", "a/", "a/b", "a#1", "a/b#1", "./a", "A", "a\n", " a", "é", "e\u0301", "%", "a*", ".."])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=st.dictionaries(IDS, st.tuples(BODIES, FIELDS), min_size=1, max_size=5), data=st.data())
def test_a_document_comes_back_as_it_was_added_until_it_alone_is_deleted(
    tmp_path_factory: pytest.TempPathFactory, documents: dict[str, tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    store = CorpusVectorStore.open(tmp_path_factory.mktemp("round") / "index", WordEmbeddings())
    added = {id_: Document(text, id=id_, metadata=fields) for id_, (text, fields) in documents.items()}
    assert store.add_documents(list(added.values())) == list(added)
    assert store.get_by_ids(list(added)) == list(added.values())
    gone = data.draw(st.lists(st.sampled_from([*added, "absent", "a/c"]), unique=True))
    assert store.delete(gone) is True
    kept = {id_: document for id_, document in added.items() if id_ not in gone}
    assert store.get_by_ids(list(added)) == list(kept.values())
    again = CorpusVectorStore.open(store.corpus.directory, WordEmbeddings())
    found = again.similarity_search("Brest", k=50)
    assert {document.id for document in found} <= kept.keys()
    assert all(document == kept[str(document.id)] for document in found)


def test_of_two_documents_with_one_id_the_last_counts_in_the_order_of_langchain(store: CorpusVectorStore) -> None:
    both = [Document("Brest", id="1", metadata={"n": 1}), Document("Toulon", id="1", metadata={"n": 2})]
    assert store.add_documents(both) == in_memory([]).add_documents(both) == ["1", "1"]
    assert store.get_by_ids(["1", "1", "2"]) == [both[1]]
    assert ids(store.similarity_search("Brest Toulon")) == ["1"]


def test_an_unchanged_document_is_not_embedded_again(store: CorpusVectorStore) -> None:
    store.add_documents(TOWNS)
    model = store.embeddings.model
    model.texts.clear()
    generation = store.corpus.generation
    store.add_documents(TOWNS)
    assert (model.texts, store.corpus.generation) == ([], generation)


def test_texts_come_from_any_iterable_and_ids_are_made_where_missing(store: CorpusVectorStore) -> None:
    texts = ["Brest", "Toulon", "Kiel"]
    named = store.add_texts((text for text in texts), [{"n": n} for n in range(3)], ids=["x", None, "z"])
    assert (named[0], named[2], len(set(named))) == ("x", "z", 3)
    expected = [
        Document(text, id=id_, metadata={"n": n}) for n, (text, id_) in enumerate(zip(texts, named, strict=True))
    ]
    assert store.get_by_ids(named) == expected
    assert store.add_texts([]) == store.add_documents([]) == []


def test_lists_of_different_lengths_are_refused_as_the_contract_says(store: CorpusVectorStore) -> None:
    for wrong in (
        lambda: store.add_texts(["a", "b"], [{}]),
        lambda: store.add_texts(["a", "b"], ids=["1"]),
        lambda: store.add_documents(TOWNS, ids=[]),
    ):
        with pytest.raises(ValueError, match="expected one for each") as caught:
            wrong()
        assert isinstance(caught.value, InputError)
        assert isinstance(caught.value, InputError)
    assert store.similarity_search("a") == []


@pytest.mark.parametrize(
    "metadata", [{"a": {1, 2}}, {"a": float("inf")}, {"a": (1, 2)}, {"a": {1: 2}}, {"a": "\ud800"}, {"a": b"x"}]
)
def test_metadata_that_would_not_come_back_are_refused_and_nothing_is_stored(
    towns: CorpusVectorStore, metadata: dict[str, Any]
) -> None:
    generation = towns.corpus.generation
    with pytest.raises(InputError, match="metadata of document 'x'"):
        towns.add_documents([Document("Lorient", id="w"), Document("Lorient", id="x", metadata=metadata)])
    assert towns.corpus.generation == generation
    assert towns.get_by_ids(["w", "x"]) == []


def test_a_text_or_an_id_that_is_no_unicode_is_refused(towns: CorpusVectorStore) -> None:
    for text, id_ in (("\ud800", "x"), ("x", "\ud800")):
        with pytest.raises(InputError, match="lone surrogate"):
            towns.add_texts([text], ids=[id_])


def test_what_a_caller_does_to_a_document_stays_with_the_caller(towns: CorpusVectorStore) -> None:
    for found in (towns.get_by_ids(["1"]), towns.similarity_search("Toulon", k=1)):
        found[0].metadata["tags"].append("score")
    assert towns.get_by_ids(["1"]) == towns.similarity_search("Toulon", k=1) == [TOWNS[1]]


def test_everything_is_deleted_where_no_ids_are_given(towns: CorpusVectorStore) -> None:
    assert towns.delete([]) is True
    assert len(towns.similarity_search("navires", k=10)) == len(TOWNS)
    assert towns.delete() is True
    assert towns.similarity_search("navires", k=10) == towns.get_by_ids(["1"]) == []
    assert towns.delete(None) is True


# -- searching ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 3, 6, 50])
def test_scores_and_order_are_those_of_the_store_in_memory(towns: CorpusVectorStore, k: int) -> None:
    for question in ("navires de Toulon", "Kiel compte 2 navires.", "Odessa"):
        found = towns.similarity_search_with_score(question, k=k)
        expected = {
            str(document.id): score for document, score in in_memory(TOWNS).similarity_search_with_score(question, k=50)
        }
        assert [score for _, score in found] == pytest.approx(sorted(expected.values(), reverse=True)[:k], abs=HALF)
        assert [score for _, score in found] == pytest.approx([expected[str(d.id)] for d, _ in found], abs=HALF)
        assert [document for document, _ in found] == [TOWNS[int(str(document.id))] for document, _ in found]
        vector = WordEmbeddings().embed_query(question)
        assert towns.similarity_search(question, k=k) == [document for document, _ in found]
        assert towns.similarity_search_by_vector(vector, k=k) == [document for document, _ in found]
        assert towns.similarity_search_with_score_by_vector(vector, k=k) == found


FILTERS: list[tuple[dict[str, Any], Callable[[dict[str, Any]], bool]]] = [
    ({"filter": {"lang": "de"}}, lambda m: m["lang"] == "de"),
    ({"filter": {"lang": ["de", "pl"]}}, lambda m: m["lang"] in {"de", "pl"}),
    ({"filter": {"lang": "de", "n": 5}}, lambda m: m["lang"] == "de" and m["n"] == 5),
    ({"filter": {"n": [0, 1], "lang": ["fr", "uk"]}}, lambda m: m["n"] in {0, 1}),
    ({"filter": {"tags": "uk"}}, lambda m: "uk" in m["tags"]),
    ({"filter": {"lang": "it"}}, lambda _: False),
    ({"filter": {"colour": "red"}}, lambda _: False),
    ({"filter": {}}, lambda _: True),
    ({"source": "3"}, lambda m: m["n"] == 3),
    ({"source": ["3", "5", "absent"], "filter": {"lang": "de"}}, lambda m: m["n"] == 5),
]


@pytest.mark.parametrize(("options", "wanted"), FILTERS)
def test_filters_leave_what_a_predicate_leaves_on_every_road(
    towns: CorpusVectorStore, options: dict[str, Any], wanted: Callable[[dict[str, Any]], bool]
) -> None:
    question, vector = "navires", WordEmbeddings().embed_query("navires")
    expected = {document.id for document in TOWNS if wanted(document.metadata)}
    for found in (
        towns.similarity_search(question, k=6, **options),
        towns.similarity_search(question, k=6, hybrid=True, **options),
        towns.similarity_search_by_vector(vector, k=6, **options),
        [document for document, _ in towns.similarity_search_with_score(question, k=6, **options)],
        [document for document, _ in towns.similarity_search_with_relevance_scores(question, k=6, **options)],
        towns.max_marginal_relevance_search(question, k=6, **options),
        towns.max_marginal_relevance_search_by_vector(vector, k=6, **options),
        towns.as_retriever(search_kwargs={"k": 6, **options}).invoke(question),
    ):
        assert {document.id for document in found} == expected
        assert len(found) == len(expected)


def test_a_filter_leaves_k_documents_however_many_others_lie_nearer(store: CorpusVectorStore) -> None:
    store.add_texts(["navires en mer"] * 300, [{"far": False}] * 300)
    store.add_texts(["un port au loin", "la mer"], [{"far": True}] * 2, ids=["x", "y"])
    assert set(ids(store.similarity_search("navires en mer", k=2, filter={"far": True}))) == {"x", "y"}


def test_dates_are_read_from_metadata_and_from_the_header(store: CorpusVectorStore) -> None:
    store.add_texts(
        ["Brest en fête.", " date 2022-10 Toulon en fête.", "Kiel en fête.", " date 2022-10 Odessa en fête."],
        [{"date": "11 octobre 2021"}, {}, {}, {"date": "2023-05"}],
        ids=["2021", "2022", "never", "2023"],
    )

    def found(**period: str) -> set[str | None]:
        return set(ids(store.similarity_search("fête", k=9, **period)))

    assert found() == {"2021", "2022", "never", "2023"}
    assert found(since="2022") == {"2022", "2023"}
    assert found(until="2021-10-11") == {"2021"}
    assert found(since="2022-01", until="2022-12-31") == {"2022"}
    store.add_texts([" date 2022-10 "], ids=["bare"])  # nothing but its header: found by it, not lost
    assert "bare" in found(since="2022-10", until="2022-10")
    assert store.get_by_ids(["2022"]) == [Document(" date 2022-10 Toulon en fête.", id="2022")]


def test_a_title_is_embedded_and_searched_with_the_text(store: CorpusVectorStore) -> None:
    documents = [
        Document("Trois navires.", id="titled", metadata={"title": "Kiel"}),
        Document("Trois navires.", id="blank", metadata={"title": " "}),
        Document("Trois navires.", id="odd", metadata={"title": ["Kiel"]}),
    ]
    store.add_documents(documents)
    embedded = [Document("Kiel\nTrois navires.", id="titled"), *documents[1:]]
    expected = in_memory(embedded).similarity_search_with_score("Kiel", k=3)
    found = store.similarity_search_with_score("Kiel", k=3)
    assert found[0] == (documents[0], pytest.approx(expected[0][1], abs=HALF))
    assert [score for _, score in found[1:]] == pytest.approx([score for _, score in expected[1:]], abs=HALF)
    assert store.similarity_search("Kiel", k=1, hybrid=True) == [documents[0]]


def test_a_long_document_counts_once_and_its_best_passage_decides(store: CorpusVectorStore) -> None:
    long = "Brest compte trois navires au port. " * 400 + "La pluie tombe sur Toulon ce matin. " * 40
    short = ["navires au large", "un navire", "la mer du Nord"]
    store.add_texts([long, *short], ids=["long", "a", "b", "c"])
    assert store.corpus.status().n_passages > 20
    found = store.similarity_search_with_score("Brest compte trois navires au port.", k=4)
    assert len(found) == 4
    assert {document.id for document, _ in found} == {"long", "a", "b", "c"}
    assert found[0][0].page_content == long
    assert found[0][1] == pytest.approx(1.0, abs=0.02)
    assert store.similarity_search("pluie sur Toulon ce matin", k=1)[0].id == "long"
    assert len(store.max_marginal_relevance_search("trois navires", k=4, fetch_k=4)) == 4
    assert len(store.similarity_search("trois navires", k=4, hybrid=True)) == 4


def test_a_search_embeds_its_question_once_and_a_given_vector_never(tmp_path: Path) -> None:
    class Counting(WordEmbeddings):
        def embed_query(self, text: str) -> list[float]:
            asked.append(text)
            return super().embed_query(text)

    asked: list[str] = []
    store = CorpusVectorStore.open(tmp_path / "index", Counting())
    store.add_documents(TOWNS)
    for search in (
        store.similarity_search,
        store.similarity_search_with_score,
        store.similarity_search_with_relevance_scores,
        store.max_marginal_relevance_search,
        partial(store.similarity_search, hybrid=True),
    ):
        search("Toulon")
        assert asked == ["Toulon"]
        asked.clear()
    store.similarity_search_by_vector([1.0] * 24)
    store.max_marginal_relevance_search_by_vector([1.0] * 24)
    assert asked == []


def test_hybrid_search_finds_what_the_index_finds(towns: CorpusVectorStore) -> None:
    for question in ("Toulon", "navires de Kiel", "mer"):
        expected = [hit.passage.document.source for hit in towns.corpus.search(question, k=3)]
        assert ids(towns.similarity_search(question, k=3, hybrid=True)) == expected
        retriever = towns.as_retriever(search_kwargs={"k": 3, "hybrid": True})
        assert ids(retriever.invoke(question)) == expected


def test_hybrid_search_finds_a_name_that_the_model_does_not_know(tmp_path: Path) -> None:
    class Blind(WordEmbeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [[1.0, 0.0] for _ in texts]

    blind = CorpusVectorStore.open(tmp_path / "index", Blind())
    blind.add_documents(TOWNS)
    for town in ("Brest", "Kiel", "Odessa"):
        assert town in blind.similarity_search(town, k=1, hybrid=True)[0].page_content
        assert town in blind.max_marginal_relevance_search(town, k=1, fetch_k=1, hybrid=True)[0].page_content


@pytest.mark.parametrize("lambda_mult", [0.0, 0.25, 0.5, 0.9, 1.0])
@pytest.mark.parametrize(("k", "fetch_k"), [(1, 20), (4, 20), (10, 8), (30, 60)])
def test_marginal_relevance_chooses_as_langchain_does(tmp_path: Path, lambda_mult: float, k: int, fetch_k: int) -> None:
    model = DeterministicFakeEmbedding(size=6)
    store = CorpusVectorStore.open(tmp_path / "index", model)
    store.add_texts([f"texte {n}" for n in range(40)], ids=[str(n) for n in range(40)])
    for question in ("un", "deux"):
        vector = np.array(model.embed_query(question), np.float32)
        hits = store.corpus.nearest(vector / np.linalg.norm(vector), k=fetch_k)
        rows: Any = store.corpus.vectors([hit.passage for hit in hits])
        chosen = maximal_marginal_relevance(vector, rows, lambda_mult, k)
        expected = [hits[row].passage.document.source for row in chosen]
        options = {"k": k, "fetch_k": fetch_k, "lambda_mult": lambda_mult}
        assert ids(store.max_marginal_relevance_search(question, **options)) == expected
        assert ids(store.max_marginal_relevance_search_by_vector(vector.tolist(), **options)) == expected
        retriever = store.as_retriever(search_type="mmr", search_kwargs=options)
        assert ids(retriever.invoke(question)) == expected


def test_relevance_is_the_cosine_between_0_and_1(tmp_path: Path) -> None:
    model = DeterministicFakeEmbedding(size=6)
    store = CorpusVectorStore.open(tmp_path / "index", model)
    store.add_texts([f"texte {n}" for n in range(30)])
    scored = store.similarity_search_with_score("texte 7", k=30)
    relevant = store.similarity_search_with_relevance_scores("texte 7", k=30)
    assert min(score for _, score in scored) < 0
    assert relevant[0][1] == pytest.approx(1.0, abs=HALF)
    for (one, cosine), (other, relevance) in zip(scored, relevant, strict=True):
        assert (one, relevance) == (other, min(1.0, max(0.0, cosine)))
    threshold = {"k": 30, "score_threshold": 0.5}
    expected = [document for document, cosine in scored if cosine >= 0.5]
    assert 1 < len(expected) < 30
    retriever = store.as_retriever(search_type="similarity_score_threshold", search_kwargs=threshold)
    assert retriever.invoke("texte 7") == expected
    assert asyncio.run(retriever.ainvoke("texte 7")) == expected


def test_the_awaited_methods_do_the_same(tmp_path: Path) -> None:
    async def scenario(store: CorpusVectorStore) -> None:
        assert await store.aadd_documents(TOWNS) == ids(TOWNS)
        assert await store.aadd_texts(iter(["Brest"]), [{"n": 9}], ids=["9"]) == ["9"]
        vector = WordEmbeddings().embed_query("Toulon")
        assert await store.aget_by_ids(["2", "9"]) == [TOWNS[2], Document("Brest", id="9", metadata={"n": 9})]
        assert await store.asimilarity_search("Toulon", k=2) == store.similarity_search("Toulon", k=2)
        hybrid = await store.asimilarity_search("Toulon", k=2, hybrid=True)
        assert hybrid == store.similarity_search("Toulon", k=2, hybrid=True)
        scored = store.similarity_search_with_score("Toulon", k=2)
        assert await store.asimilarity_search_with_score("Toulon", k=2) == scored
        relevant = store.similarity_search_with_relevance_scores("Toulon", k=2)
        assert await store.asimilarity_search_with_relevance_scores("Toulon", k=2) == relevant
        assert await store.asimilarity_search_by_vector(vector, k=2) == [document for document, _ in scored]
        diverse = store.max_marginal_relevance_search("Toulon", k=2)
        assert await store.amax_marginal_relevance_search("Toulon", k=2) == diverse
        assert await store.amax_marginal_relevance_search_by_vector(vector, k=2) == diverse
        for search_type in ("similarity", "mmr"):
            retriever = store.as_retriever(search_type=search_type, search_kwargs={"k": 2})
            assert await retriever.ainvoke("Toulon") == retriever.invoke("Toulon")
        assert await store.adelete(["1"]) is True
        assert store.get_by_ids(["1"]) == []

    asyncio.run(scenario(CorpusVectorStore.open(tmp_path / "index", WordEmbeddings())))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filters": {"lang": "fr"}}, "unknown search option 'filters': expected one of filter, since, until, source"),
        ({"filter": lambda document: True}, "filter is function: expected a dict"),
        ({"filter": {"n": {"$gt": 3}}}, r"filter on 'n': found \{'\$gt': 3\}"),
        ({"since": "demain"}, "demain"),
        ({"k": 0}, "k = 0"),
    ],
)
def test_an_option_that_cannot_be_used_is_named_on_every_road(
    towns: CorpusVectorStore, options: dict[str, Any], message: str
) -> None:
    for search in (
        lambda: towns.similarity_search("Brest", **options),
        lambda: towns.similarity_search("Brest", hybrid=True, **options),
        lambda: towns.similarity_search_with_score("Brest", **options),
        lambda: towns.similarity_search_by_vector([1.0] * 24, **options),
    ):
        with pytest.raises(InputError, match=message):
            search()


def test_a_fused_score_is_never_sold_as_a_cosine(towns: CorpusVectorStore) -> None:
    for search in (towns.similarity_search_with_score, towns.similarity_search_with_relevance_scores):
        with pytest.raises(InputError, match="unknown search option 'hybrid'"):
            search("Brest", hybrid=True)


@pytest.mark.parametrize("vector", [[1.0] * 23, [], [float("nan")] * 24, [[1.0] * 24]])
def test_a_vector_of_another_model_is_refused(towns: CorpusVectorStore, vector: Any) -> None:
    for search in (towns.similarity_search_by_vector, towns.max_marginal_relevance_search_by_vector):
        with pytest.raises(InputError, match=r"expected \(24,\), of finite numbers"):
            search(vector)


# -- deleting -------------------------------------------------------------------------------------------------------


def test_a_deleted_document_is_found_by_no_road(towns: CorpusVectorStore) -> None:
    towns.add_texts(["Zanzibar compte 7 navires."], ids=["z"])
    towns.delete(["z"])
    question, vector = "Zanzibar compte 7 navires.", WordEmbeddings().embed_query("Zanzibar compte 7 navires.")
    again = CorpusVectorStore.open(towns.corpus.directory, WordEmbeddings())
    for store in (towns, again):
        roads: list[list[Document]] = [
            store.get_by_ids(["z"]),
            store.similarity_search(question, k=20),
            store.similarity_search(question, k=20, hybrid=True),
            store.similarity_search(question, k=20, source="z"),
            store.similarity_search_by_vector(vector, k=20),
            [document for document, _ in store.similarity_search_with_score(question, k=20)],
            [document for document, _ in store.similarity_search_with_relevance_scores(question, k=20)],
            store.max_marginal_relevance_search(question, k=20),
            store.max_marginal_relevance_search_by_vector(vector, k=20),
            asyncio.run(store.asimilarity_search(question, k=20)),
            asyncio.run(store.as_retriever(search_kwargs={"k": 20}).ainvoke(question)),
        ]
        assert all(document.id != "z" for road in roads for document in road)
        assert all(hit.passage.document.source != "z" for hit in store.corpus.search(question, k=20))
    files = [path for path in towns.corpus.directory.rglob("*") if path.is_file()]
    assert [path for path in files if b"Zanzibar" in path.read_bytes() or b"zanzibar" in path.read_bytes()] == []


def test_threads_add_delete_and_search_at_once(store: CorpusVectorStore) -> None:
    def work(number: int) -> list[str | None]:
        store.add_texts([f"Le navire {number} est au port."] * 2, ids=[f"{number}a", f"{number}b"])
        found = store.similarity_search(f"navire {number}", k=20)
        store.delete([f"{number}b", "shared"])
        return ids(found)

    store.add_texts(["Le port."], ids=["shared"])
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, range(8)))
    assert all({f"{number}a", f"{number}b"} <= set(found) for number, found in enumerate(results))
    assert set(ids(store.similarity_search("navire", k=50))) == {f"{number}a" for number in range(8)}


def test_searches_go_on_while_documents_are_replaced_and_deleted(store: CorpusVectorStore) -> None:
    names = [str(number) for number in range(12)]

    def write(_: int) -> None:
        for version in range(8):
            store.add_texts([f"Le navire {version}."] * len(names), ids=names)
            store.delete(names[::2])

    def read(_: int) -> list[int]:
        questions = [f"navire {number}" for number in range(24)]
        return [len(store.max_marginal_relevance_search(question, k=4, fetch_k=12)) for question in questions]

    store.add_texts(["Le port."] * len(names), ids=names)
    with ThreadPoolExecutor(4) as pool:
        writers, readers = pool.map(write, range(2)), pool.map(read, range(2))
        assert {count for counts in readers for count in counts} == {4}
        assert len(list(writers)) == 2


# -- on disk --------------------------------------------------------------------------------------------------------

REOPEN = """
import json, sys
from index.langchain import CorpusRecordManager, CorpusVectorStore
store = CorpusVectorStore.open(sys.argv[1])
found = store.similarity_search_with_score("navires de Toulon", k=3, filter={"lang": ["fr", "de"]})
records = CorpusRecordManager("towns", sys.argv[2]).list_keys()
print(json.dumps([[document.id, document.page_content, document.metadata, score] for document, score in found]))
print(json.dumps(records))
print("torch" in sys.modules)
"""


def test_a_new_process_finds_the_same(tmp_path: Path) -> None:
    store = CorpusVectorStore.from_documents(TOWNS, SourcierEmbeddings(), directory=tmp_path / "index")
    records = CorpusRecordManager("towns", tmp_path / "index" / "records.sqlite")
    records.create_schema()
    records.update(["x", "y"])
    command = [sys.executable, "-c", REOPEN, str(tmp_path / "index"), str(tmp_path / "index" / "records.sqlite")]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    found = store.similarity_search_with_score("navires de Toulon", k=3, filter={"lang": ["fr", "de"]})
    assert json.loads(printed[0]) == [[d.id, d.page_content, d.metadata, score] for d, score in found]
    assert printed[1:] == ['["x", "y"]', "False"]


def test_nothing_is_pickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("pickled")

    for name in ("dump", "dumps", "load", "loads", "Pickler", "Unpickler", "_Pickler", "_Unpickler"):
        monkeypatch.setattr(sys.modules["pickle"], name, refuse)
    CorpusVectorStore.from_documents(TOWNS, WordEmbeddings(), directory=tmp_path / "index")
    again = CorpusVectorStore.open(tmp_path / "index", WordEmbeddings())
    assert len(again.similarity_search("navires", k=6)) == 6
    assert CorpusIndex.open(tmp_path / "index", embedder=LangChainEmbedder(WordEmbeddings())).verify() == []


def test_a_store_without_a_folder_lives_as_long_as_its_index() -> None:
    store = CorpusVectorStore.from_texts(["Brest", "Toulon"], WordEmbeddings(), ids=["1", "2"])
    folder, corpus = store.corpus.directory, store.corpus
    assert ids(store.similarity_search("Toulon", k=1)) == ["2"]
    del store
    gc.collect()
    assert corpus.search("Toulon", k=1)[0].passage.document.source == "2"
    del corpus
    gc.collect()
    assert not folder.exists()


def test_an_index_of_files_is_searched_and_added_to(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            "in/a.txt": " date 2022-10 Brest compte trois navires.",
            "in/b.jsonl": '{"id": "7", "text": "Kiel en compte deux.", "title": "Kiel", "lang": "de"}',
        },
    )
    CorpusIndex.build([tmp_path / "in"], tmp_path / "index", embedder=LangChainEmbedder(WordEmbeddings()))
    store = CorpusVectorStore.open(tmp_path / "index", WordEmbeddings())
    store.add_texts(["Toulon en compte un."], [{"lang": "fr"}], ids=["t"])
    found = {document.id: document for document in store.similarity_search("navires", k=9)}
    text, record = f"{(tmp_path / 'in').as_posix()}/a.txt", f"{(tmp_path / 'in').as_posix()}/b.jsonl#7"
    assert found == {
        text: Document(
            " date 2022-10 Brest compte trois navires.", id=text, metadata={"source": text, "date": "2022-10"}
        ),
        record: Document("Kiel en compte deux.", id=record, metadata={"source": record, "title": "Kiel", "lang": "de"}),
        "t": Document("Toulon en compte un.", id="t", metadata={"lang": "fr"}),
    }
    assert set(ids(store.similarity_search("navires", k=9, source=str(tmp_path / "in")))) == {text, record}


# -- langchain_core.indexing.index ----------------------------------------------------------------------------------


def versions(*texts: str, source: str) -> list[Document]:
    return [Document(text, metadata={"source": source}) for text in texts]


LOADS = [
    [*versions("Brest", "Toulon", source="fr"), *versions("Kiel", source="de")],
    [*versions("Brest", "Lorient", source="fr")],
    [*versions("Brest", "Lorient", source="fr"), *versions("Hambourg", "Hambourg", "Kiel", source="de")],
    [],
    [*versions("Lorient", source="de")],
]


@pytest.fixture
def records(tmp_path: Path) -> CorpusRecordManager:
    manager = CorpusRecordManager("towns", tmp_path / "index" / "records.sqlite")
    manager.create_schema()
    return manager


def contents(store: CorpusVectorStore | InMemoryVectorStore) -> set[tuple[str | None, str, str]]:
    found = store.similarity_search("Brest", k=100)
    return {(document.id, document.page_content, document.metadata["source"]) for document in found}


@pytest.mark.parametrize("cleanup", [None, "incremental", "full", "scoped_full"])
@pytest.mark.parametrize("batch_size", [2, 100])
@pytest.mark.parametrize("awaited", [False, True])
def test_indexing_does_what_it_does_in_memory(
    store: CorpusVectorStore, records: CorpusRecordManager, cleanup: Any, batch_size: int, awaited: bool
) -> None:
    reference, reference_records = InMemoryVectorStore(WordEmbeddings()), InMemoryRecordManager("towns")
    options = {"cleanup": cleanup, "source_id_key": "source", "batch_size": batch_size, "key_encoder": "blake2b"}

    def run(load: list[Document], manager: Any, target: Any) -> Any:
        if awaited:
            return asyncio.run(aindex(load, manager, target, **options))
        return index(load, manager, target, **options)

    for load in LOADS:
        assert run(load, records, store) == run(load, reference_records, reference)
        assert contents(store) == contents(reference)
        assert sorted(records.list_keys()) == sorted(reference_records.list_keys())
        time.sleep(0.002)  # the reference tells two runs apart by the clock only


def test_indexing_again_after_the_clock_went_back_cleans_up_all_the_same(
    store: CorpusVectorStore, records: CorpusRecordManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"cleanup": "full", "source_id_key": "source", "key_encoder": "blake2b"}
    monkeypatch.setattr("time.time", lambda: 2_000.0)
    index(LOADS[0], records, store, **options)
    monkeypatch.setattr("time.time", lambda: 1_000.0)
    assert index(LOADS[1], records, store, **options)["num_deleted"] == 2
    assert {text for _, text, _ in contents(store)} == {"Brest", "Lorient"}


# -- the record manager ---------------------------------------------------------------------------------------------

KEYS = st.lists(st.sampled_from("abcdef"), max_size=5)
GROUPS = st.sampled_from(["x", "y", "z", None])
STEPS = st.one_of(
    st.tuples(st.just("update"), KEYS.flatmap(lambda keys: st.tuples(
        st.just(keys), st.none() | st.lists(GROUPS, min_size=len(keys), max_size=len(keys)))
    )),
    st.tuples(st.just("delete"), KEYS),
)  # fmt: skip


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=12))
def test_records_are_those_of_the_manager_in_memory(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Any]]
) -> None:
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", clock)
        path = tmp_path_factory.mktemp("records") / "records.sqlite"
        ours, reference = CorpusRecordManager("n", path), InMemoryRecordManager("n")
        ours.create_schema()
        for moment, (what, argument) in enumerate(steps, start=1):
            clock.now = float(moment)
            for manager in (ours, reference):
                if what == "update":
                    manager.update(argument[0], group_ids=argument[1], time_at_least=clock.now)
                else:
                    manager.delete_keys(argument)
        again = CorpusRecordManager("n", path)
        for manager in (ours, again):
            assert manager.exists(list("fedcba")) == reference.exists(list("fedcba"))
            assert manager.list_keys() == reference.list_keys()
            for group in ("x", "y", "z"):
                assert manager.list_keys(group_ids=[group]) == reference.list_keys(group_ids=[group])


def test_every_condition_means_what_it_means_in_memory(
    records: CorpusRecordManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, clock = InMemoryRecordManager("towns"), Clock()
    monkeypatch.setattr("time.time", clock)
    for keys, groups in (("bd", ["x", None]), ("ca", ["y", "x"]), ("eb", ["y", "y"]), ("f", None)):
        clock.now += 1.0
        records.update(list(keys), group_ids=groups)
        reference.update(list(keys), group_ids=groups)
    times: list[float | None] = [None, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    groups_of_interest: list[Any] = [None, [], ["x"], ["x", "y"], ["absent"], [None], ["x", None]]
    for before, after, groups, limit in product(times, times, groups_of_interest, [None, 0, 1, 3]):
        query: dict[str, Any] = {"before": before, "after": after, "group_ids": groups, "limit": limit}
        assert records.list_keys(**query) == reference.list_keys(**query), query


def test_the_time_never_goes_back(records: CorpusRecordManager, monkeypatch: pytest.MonkeyPatch) -> None:
    path = records._path
    times = []
    for now in (1_000.0, 1_000.0, 10.0, 999.0, 1_001.0, 0.0):
        monkeypatch.setattr("time.time", lambda now=now: now)
        times.append(CorpusRecordManager("another process", path).get_time())
        times.append(records.get_time())
    assert all(earlier < later for earlier, later in pairwise(times))
    assert times[8:] == pytest.approx([1_001.0] * 4, abs=1e-6)
    assert times[0] == 1_000.0


def test_the_time_is_that_of_the_clock(records: CorpusRecordManager) -> None:
    before = time.time()
    assert before <= records.get_time() <= time.time()


def test_what_the_contract_refuses_changes_nothing(records: CorpusRecordManager) -> None:
    records.update(["a"], group_ids=["x"])
    for options in ({"group_ids": ["x"]}, {"group_ids": ["x"] * 3}, {"time_at_least": time.time() + 3600}):
        with pytest.raises(ValueError, match="expected") as caught:
            records.update(["a", "b"], **options)
        assert isinstance(caught.value, InputError)
    assert records.list_keys(group_ids=["x"]) == records.list_keys() == ["a"]


def test_namespaces_share_a_file_and_nothing_else(records: CorpusRecordManager) -> None:
    other = CorpusRecordManager("other", records._path)
    other.create_schema()
    records.update(["a", "b"])
    other.update(["a", "c"])
    other.delete_keys(["a"])
    assert (records.list_keys(), other.list_keys()) == (["a", "b"], ["c"])
    assert (records.exists(["a", "c"]), other.exists(["a", "c"])) == ([True, False], [False, True])


def test_thousands_of_keys_and_groups_fit_in_one_call(records: CorpusRecordManager) -> None:
    keys = [f"key {n}" for n in range(5_000)]
    records.update(keys, group_ids=[f"group {n}" for n in range(5_000)])
    assert records.exists([*keys, "absent"]) == [True] * 5_000 + [False]
    assert records.list_keys(group_ids=[f"group {n}" for n in range(4_000)], limit=3_500) == keys[:3_500]
    records.delete_keys(keys[:4_999])
    assert records.list_keys() == ["key 4999"]


def test_threads_record_at_once(records: CorpusRecordManager) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: records.update([f"{n}"], time_at_least=records.get_time()), range(24)))
    assert sorted(records.list_keys(), key=int) == [f"{n}" for n in range(24)]


def test_the_awaited_methods_of_the_records_do_the_same(tmp_path: Path) -> None:
    async def scenario(manager: CorpusRecordManager) -> None:
        await manager.acreate_schema()
        start = await manager.aget_time()
        await manager.aupdate(["a", "b"], group_ids=["x", None], time_at_least=start)
        assert await manager.aexists(["a", "c"]) == [True, False]
        assert await manager.alist_keys(after=start, group_ids=["x"], limit=1) == ["a"]
        assert await manager.alist_keys(before=start) == []
        await manager.adelete_keys(["a"])
        assert await manager.alist_keys() == ["b"]

    asyncio.run(scenario(CorpusRecordManager("n", tmp_path / "deep" / "er" / "records.sqlite")))


def faulty(folder: Path) -> Iterator[tuple[Path, str]]:
    yield folder / "absent.sqlite", r"no records in .*absent\.sqlite: call create_schema\(\) first"
    for name, data in (("text", b"not a database, " * 500), ("empty", b"")):
        path = folder / name
        path.write_bytes(data)
        yield path, f"{name} is damaged, or no file of a CorpusRecordManager"


def test_a_file_that_is_missing_or_another_is_named(tmp_path: Path) -> None:
    for path, message in faulty(tmp_path):
        manager = CorpusRecordManager("n", path)
        for call in (
            manager.get_time,
            manager.list_keys,
            lambda m=manager: m.update(["a"]),
            lambda m=manager: m.exists(["a"]),
        ):
            with pytest.raises(StoreError, match=message):
                call()
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be made"):
        CorpusRecordManager("n", tmp_path / "file" / "records.sqlite").create_schema()


def test_the_vectors_of_a_store_are_those_of_its_model(towns: CorpusVectorStore) -> None:
    hits = towns.corpus.nearest(HashingEmbedder().embed_question("Toulon"), k=6)
    rows: NDArray[np.float32] = towns.corpus.vectors([hit.passage for hit in hits])
    expected = HashingEmbedder().embed_passages([hit.passage.document.text for hit in hits])
    np.testing.assert_allclose(rows, expected, atol=HALF)
