"""Filters inside the search against documents picked by hand."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import CorpusIndex, Document, Hit, InputError
from index.filters import Filter
from index.rank import FusionWeights
from tests.conftest import HashingEmbedder

LONG = "une valeur très longue, " * 20
DATES = [None, "2021", "2022", "2022-03", "2022-03-15", "2022-10", "2022-10-01", "2022-12-31", "2023-01"]
VALUES = [
    "AFP",
    "1",
    1,
    1.0,
    2.5,
    True,
    False,
    None,
    LONG,
    LONG + "!",
    "",
    ["AFP", 1],
    [None, LONG],
    [],
    {"a": 1},
    [["AFP"]],
]
FILES = ["a.txt", "docs/a.txt", "docs/a.txt2", "docs/sub/b.jsonl", "docs2/c.txt", "lot.zip", "été/d.txt", "c#/e.txt"]
RECORDS = ["", "#L1", "#L10", "#x/y.txt", "#x/z/t.txt", "#été"]
NAMES = [f"{file}{record}" for file in FILES for record in RECORDS]
N_DOCUMENTS = 36  # fewer than are compared in any case, so that every passage is a candidate
QUESTION = "navires de l'Otan"


def build_documents() -> list[tuple[Document, tuple[str, ...]]]:
    """Return documents with all their sources: any mixture of the above, the same each time."""
    dice = np.random.default_rng(5)
    names = dice.permutation(NAMES).tolist()

    def any_of(values: list[Any]) -> Any:
        return values[dice.integers(len(values))]

    documents = []
    for n in range(N_DOCUMENTS):
        metadata = {name: any_of(VALUES) for name in ("auteur", "n", "clé.avec 'signes\"") if dice.random() < 0.7}
        sources = tuple(sorted(names.pop() for _ in range(1 + n % 4 // 3)))  # every fourth has two
        text = f"Le navire numéro {n} de l'Otan est en mer. {'Il y reste. ' * (n % 5)}"
        documents.append((Document(f"{n}", sources[0], text, date=any_of(DATES), metadata=metadata), sources))
    return documents


DOCUMENTS = build_documents()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> CorpusIndex:
    """The documents in several segments."""
    corpus = CorpusIndex.create(tmp_path_factory.mktemp("filters") / "index", embedder=HashingEmbedder())
    copies = [
        Document(document.id, source, document.text, date=document.date, metadata=document.metadata)
        for document, sources in DOCUMENTS
        for source in sources
    ]
    for first, last in ((0, 3), (3, 20), (20, len(copies))):
        corpus.put(copies[first:last])
    assert (corpus.status().n_documents, corpus.status().n_sources) == (N_DOCUMENTS, len(copies))
    return corpus


# -- what passes, by hand --------------------------------------------------------------------------------------------


def days(date: str) -> tuple[str, str]:
    """First and last day of an ISO date, as text that compares as dates do."""
    if len(date) == 4:
        return f"{date}-01-01", f"{date}-12-31"
    if len(date) == 7:
        year, month = map(int, date.split("-"))
        return f"{date}-01", f"{date}-{calendar.monthrange(year, month)[1]}"
    return date, date


def is_within(document: Document, since: str | None, until: str | None) -> bool:
    if document.date is None:
        return not (since or until)
    first, last = days(document.date)
    return (since is None or last >= days(since)[0]) and (until is None or first <= days(until)[1])


def comes_from(sources: tuple[str, ...], wanted: list[str]) -> bool:
    names = [name.removeprefix("./").rstrip("/") for name in wanted]
    return any(source == name or source.startswith((f"{name}/", f"{name}#")) for source in sources for name in names)


def same(held: Any, wanted: Any) -> bool:
    """Compare as JSON does: true is not 1, and 1.0 is 1."""
    return isinstance(held, bool) == isinstance(wanted, bool) and type(held) is not dict and held == wanted


def has(metadata: Mapping[str, Any], name: str, wanted: Any) -> bool:
    if name not in metadata:
        return False
    held = metadata[name] if isinstance(metadata[name], list) else [metadata[name]]
    return any(same(one, other) for one in held for other in (wanted if isinstance(wanted, list) else [wanted]))


def expected(options: dict[str, Any]) -> set[str]:
    """Return the ids of the documents that pass."""
    sources, where = options.get("sources") or [], options.get("where") or {}
    return {
        document.id
        for document, held in DOCUMENTS
        if is_within(document, options.get("since"), options.get("until"))
        and (not sources or comes_from(held, sources))
        and all(has(document.metadata, name, wanted) for name, wanted in where.items())
    }


def ids(hits: list[Hit]) -> set[str]:
    return {hit.passage.document.id for hit in hits}


scalars = [value for value in VALUES if not isinstance(value, (list, dict))]
dates = st.none() | st.sampled_from([date for date in DATES if date] + ["2022-03-16", "2020", "2024"])
folders = [
    "docs",
    "docs/",
    "docs/sub",
    "docs/sub/b.jsonl#x",
    "lot.zip#x",
    "./a.txt",
    "./docs",
    "été",
    "c#",
    "absent",
    "doc",
]
fields = st.sampled_from(["auteur", "n", "clé.avec 'signes\"", "absent"])
filters = st.fixed_dictionaries(
    {},
    optional={
        "since": dates,
        "until": dates,
        "sources": st.lists(st.sampled_from([*NAMES, *FILES, *folders]), max_size=4),
        "where": st.dictionaries(
            fields, st.sampled_from(scalars) | st.lists(st.sampled_from(scalars), max_size=3), max_size=2
        ),
    },
)


@settings(max_examples=150, deadline=None)
@given(options=filters, k=st.integers(1, 40))
def test_a_search_finds_the_best_of_those_that_pass(corpus: CorpusIndex, options: dict[str, Any], k: int) -> None:
    passing = expected(options)
    weights = FusionWeights()
    everything = [hit for hit in corpus.search(QUESTION, k=1000, weights=weights) if hit.passage.document.id in passing]
    assert corpus.search(QUESTION, k=k, weights=weights, **options) == everything[:k]
    ranked = corpus.search(QUESTION, k=k, **options)  # by what they are among those that pass
    assert len(ranked) == min(k, len(everything))
    assert ids(corpus.search(QUESTION, k=1000, **options)) == passing


@settings(max_examples=100, deadline=None)
@given(options=filters, k=st.integers(1, 40))
def test_the_nearest_are_the_nearest_of_those_that_pass(corpus: CorpusIndex, options: dict[str, Any], k: int) -> None:
    vector = HashingEmbedder().embed_question("la mer du navire")
    passing = expected(options)
    everything = [hit for hit in corpus.nearest(vector, k=1000) if hit.passage.document.id in passing]
    assert ids(everything) == passing
    assert corpus.nearest(vector, k=k, **options) == everything[:k]


@pytest.mark.parametrize(
    ("options", "n"),
    [
        ({"since": "2022-10"}, None),
        ({"sources": ["lot.zip#x/y.txt"]}, 1),
        ({"sources": ["docs/sub/b.jsonl#L1"]}, 1),
        ({"sources": ["docs"], "where": {"auteur": ["AFP", 1]}, "until": "2022"}, None),
        ({"where": {"n": LONG}}, None),
        ({"where": {"n": None}}, None),
    ],
    ids=str,
)
def test_the_filters_above_are_not_empty(corpus: CorpusIndex, options: dict[str, Any], n: int | None) -> None:
    found = ids(corpus.search(QUESTION, k=100, **options))
    assert found == expected(options) != set()
    assert n is None or len(found) == n


# -- many passages ---------------------------------------------------------------------------------------------------


def test_as_many_as_are_wanted_are_found_among_many_others(tmp_path: Path) -> None:
    """The few that pass stand far behind 300 others, in the order of terms and in that of embeddings."""
    others = [Document(f"o{n}", f"autres/{n}", f"Otan navires Otan {n}.", date="2020") for n in range(300)]
    rare = [
        Document(f"r{n}", f"rares/{n}", f"Un long texte qui cite l'Otan {'et autre chose ' * 9}{n}.", date="2023",
                 metadata={"lot": n % 2})
        for n in range(30)
    ]  # fmt: skip
    corpus = CorpusIndex.create(tmp_path / "index", embedder=HashingEmbedder())
    corpus.put([*others, *rare])
    assert not [hit for hit in corpus.search("Otan navires", k=200) if hit.passage.document.id.startswith("r")]
    vector = HashingEmbedder().embed_question("Otan navires")
    for options, n in (
        ({"since": "2021"}, 30),
        ({"sources": ["rares"]}, 30),
        ({"where": {"lot": 1}}, 15),
        ({"where": {"lot": [0, 1]}, "since": "2021"}, 30),
    ):
        for k in (1, 10, 30, 99):
            found = [corpus.search("Otan navires", k=k, **options), corpus.nearest(vector, k=k, **options)]  # type: ignore[arg-type]
            assert [len(hits) for hits in found] == [min(k, n)] * 2
            assert all(document.startswith("r") for hits in found for document in ids(hits))


# -- how values are taken --------------------------------------------------------------------------------------------


def test_a_filter_that_asks_for_nothing_is_empty(corpus: CorpusIndex) -> None:
    for nothing in (Filter(), Filter.of(), Filter.of(since="", until=None, sources=[], where={})):
        assert nothing.is_empty
    assert not Filter.of(where={"auteur": []}).is_empty
    assert corpus.search(QUESTION, where={"auteur": []}) == []  # one of no values: none


def test_a_set_and_a_tuple_are_lists_of_values(corpus: CorpusIndex) -> None:
    wanted = ids(corpus.search(QUESTION, k=99, where={"auteur": ["AFP", 2.5]}))
    assert wanted == ids(corpus.search(QUESTION, k=99, where={"auteur": ("AFP", 2.5)}))
    assert (
        wanted
        == ids(corpus.search(QUESTION, k=99, where={"auteur": {"AFP", 2.5}}))
        == expected({"where": {"auteur": ["AFP", 2.5]}})
    )


def test_a_source_given_directly_may_look_like_an_address(tmp_path: Path) -> None:
    corpus = CorpusIndex.create(tmp_path / "index", embedder=HashingEmbedder())
    names = ["https://exemple.fr/a", "https://exemple.fr/a?b=./c/#d", "https://exemple.fr/ab"]
    corpus.put([Document(name, name, f"Texte de {name}") for name in names])
    for name in names:
        assert ids(corpus.search("texte", sources=[name])) == {name}
    assert ids(corpus.search("texte", sources=["https://exemple.fr"])) == {*names}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"since": "hier"}, "date 'hier'"),
        ({"until": "2022-13"}, "date '2022-13'"),
        ({"since": "2022-02-30"}, "date '2022-02-30'"),
        ({"sources": "docs"}, "sources 'docs': expected a list"),
        ({"where": {"a": {"b": 1}}}, r"field 'a': found {'b': 1}, expected a string"),
        ({"where": {"a": {}}}, r"field 'a': found {}, expected"),
        ({"where": {"a": [1, []]}}, r"field 'a': found \[\], expected"),
        ({"where": {"a": [1, [2]]}}, r"field 'a': found \[2\], expected"),
        ({"where": {"a": b""}}, r"field 'a': found b'', expected"),
        ({"where": {"a": "demi\ud800"}}, r"field 'a': found 'demi\\ud800', expected"),
        ({"where": {"a": ["x" * 200 + "\udc00"]}}, "field 'a': found .* expected"),
        ({"where": {"demi\ud800": 1}}, r"field 'demi\\ud800'"),
    ],
    ids=str,
)
def test_a_value_that_cannot_be_compared_is_refused(corpus: CorpusIndex, options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        corpus.search(QUESTION, **options)
    with pytest.raises(InputError, match=words):
        corpus.nearest(HashingEmbedder().embed_question("mer"), **options)


@pytest.mark.parametrize("source", ["", "demi\ud800", "caf\udce9.txt", "a.txt#demi\ud800", "#", "/", "."])
def test_a_source_that_cannot_be_finds_nothing(corpus: CorpusIndex, source: str) -> None:
    assert corpus.search(QUESTION, sources=[source]) == []
