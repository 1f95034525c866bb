"""Documents looked through: each page and each count against a plain walk over what was put in."""

import unicodedata
from pathlib import Path

import pytest

from index import CorpusIndex, Document, InputError
from index.listing import MAX_SEARCH_CHARS
from tests.conftest import HashingEmbedder, write_files

DATES = (
    "2022-10-11",
    "2022-10",
    "2022",
    "2022-12-31",
    "2023-01-01",
    None,
    "2022-10-12",
    None,
)
TITLES = (
    "Élections à Nîmes",
    "Le marché de Brest",
    "ÉCONOMIE : l’œuvre",
    None,
    "Cœur [de] ville",
    "100 % *bio*",
    "a^b",
    "?",
)


def given() -> list[Document]:
    return [
        Document(str(n), f"presse/n{n}.txt", f"Le texte {n}. Une suite." * (n + 1), title, date)
        for n, (title, date) in enumerate(zip(TITLES, DATES, strict=True))
    ]


@pytest.fixture
def corpus(tmp_path: Path, embedder: HashingEmbedder) -> CorpusIndex:
    corpus = CorpusIndex.create(tmp_path / "index", embedder=embedder)
    corpus.put(given())
    return corpus


def plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))


def sources(corpus: CorpusIndex, **asked: object) -> list[str]:
    page = corpus.listing.documents(**{"n": 100, **asked})  # type: ignore[arg-type]
    assert page.total == len(page.documents)
    return [document.origins[0].source for document in page.documents]


def test_each_document_is_described(corpus: CorpusIndex) -> None:
    listed = {d.origins[0].source: d for d in corpus.listing.documents(n=100).documents}
    for document in given():
        found = listed[document.source]
        assert (found.title, found.date, found.n_characters) == (document.title, document.date, len(document.text))
        assert (found.origins[0].file, found.origins[0].n_siblings) == (None, 0)
        hits = {hit.passage.span for hit in corpus.search(f"texte {document.id}", k=50, sources=[document.source])}
        assert found.n_passages == len(hits)


@pytest.mark.parametrize(
    "search",
    ["", "nimes", "MARCHÉ", "économie", "oeuvre", "œuvre", "[de]", "%", "*", "^", "?", "n3", "presse n1", "de x"],
)
def test_a_search_finds_every_word_in_title_or_source(corpus: CorpusIndex, search: str) -> None:
    expected = {
        document.source
        for document in given()
        if all(plain(word) in plain(document.title or "") or plain(word) in document.source for word in search.split())
    }
    assert set(sources(corpus, search=search)) == expected
    assert expected or search in {"oeuvre", "de x"}


def test_pages_follow_each_other_without_gap(corpus: CorpusIndex) -> None:
    for order in ("added", "newest", "oldest"):
        pages = [corpus.listing.documents(order=order, first=first, n=3) for first in (0, 3, 6, 9)]
        assert [page.total for page in pages] == [8, 8, 8, 8]
        seen = [document.origins[0].source for page in pages for document in page.documents]
        assert seen == sources(corpus, order=order)
        assert len(set(seen)) == 8


def test_orders(corpus: CorpusIndex) -> None:
    assert sources(corpus, order="added") == [f"presse/n{n}.txt" for n in (7, 6, 5, 4, 3, 2, 1, 0)]
    assert sources(corpus, order="oldest")[:3] == [f"presse/n{n}.txt" for n in (2, 1, 0)]
    assert sources(corpus, order="newest") == [f"presse/n{n}.txt" for n in (4, 3, 6, 0, 1, 2, 7, 5)]


def test_times(corpus: CorpusIndex) -> None:
    counts = corpus.listing.date_counts()
    assert (counts.unit, counts.counts) == ("month", (("2022-10", 3), ("2022-12", 1), ("2023-01", 1)))
    assert (counts.n_wider, counts.n_undated) == (1, 2)
    assert set(sources(corpus, during="2022-10")) == {"presse/n0.txt", "presse/n1.txt", "presse/n6.txt"}
    assert len(sources(corpus, during="2022")) == 5
    assert sources(corpus, when="undated") == ["presse/n7.txt", "presse/n5.txt"]
    assert sources(corpus, when="wider") == ["presse/n2.txt"]
    assert sources(corpus, when="wider", unit="year") == []
    assert corpus.listing.date_counts("2023").counts == (("2023-01", 1),)


def test_a_long_time_is_counted_in_longer_units(corpus: CorpusIndex) -> None:
    corpus.put([Document("old", "vieux.txt", "Un vieux texte.", date="1850-03")])
    counts = corpus.listing.date_counts()
    assert (counts.unit, counts.counts) == ("year", (("1850", 1), ("2022", 5), ("2023", 1)))
    assert counts.n_wider == 0
    assert corpus.listing.date_counts("1850").counts == (("1850-03", 1),)
    corpus.put([Document("older", "antique.txt", "Un texte antique.", date="1512")])
    counts = corpus.listing.date_counts()
    assert counts.unit == "decade"
    assert counts.counts == (("151", 1), ("185", 1), ("202", 6))


def test_files_are_told_with_what_else_they_gave(tmp_path: Path, embedder: HashingEmbedder) -> None:
    folder = write_files(
        tmp_path / "docs",
        {"a.jsonl": '{"text": "Un.", "id": "x"}\n{"text": "Deux."}\n{"text": \n', "b.txt": "Trois.", "c.txt": "Trois."},
    )
    corpus = CorpusIndex.build([folder], tmp_path / "index", embedder=embedder)
    listed = corpus.listing.documents(search="a.jsonl#x").documents
    (origin,) = listed[0].origins
    assert (origin.source, origin.n_siblings) == (f"{folder}/a.jsonl#x", 1)
    assert origin.file is not None
    assert (origin.file.path, origin.file.source) == (str(folder / "a.jsonl"), f"{folder}/a.jsonl")
    assert corpus.listing.file_of(origin.source) == origin.file
    (both,) = corpus.listing.documents(search="b.txt").documents
    assert [place.source for place in both.origins] == [f"{folder}/b.txt", f"{folder}/c.txt"]
    problems, total = corpus.listing.problems()
    assert [problem.source for problem in problems] == [f"{folder}/a.jsonl:3"]
    assert total == 1
    assert corpus.listing.problems(search="b.txt") == ([], 0)


@pytest.mark.parametrize("source", ["", "absent.txt", "../../etc/passwd", "presse", "n0.txt\x00", "\ud800"])
def test_what_is_no_source_has_no_file(corpus: CorpusIndex, source: str) -> None:
    assert corpus.listing.file_of(source) is None


@pytest.mark.parametrize(
    "wrong", [{"n": 0}, {"first": -1}, {"order": "title"}, {"when": "never"}, {"unit": "day"}, {"search": "a" * 201}]
)
def test_wrong_values_are_named(corpus: CorpusIndex, wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        corpus.listing.documents(**wrong)  # type: ignore[arg-type]
    assert MAX_SEARCH_CHARS == 200
