"""CorpusIndex: what each change does, counted; what is wrong with an index, named and mended."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import asdict, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index import (
    CorpusIndex,
    Document,
    IndexDamagedError,
    IndexMismatchError,
    IndexMissingError,
    InputError,
    Progress,
    UpdateReport,
)
from index.analyze import Analyzer
from index.rank import FusionWeights
from tests.conftest import HashingEmbedder, answers, index_rows, write_files

OTAN = "Le secrétaire général de l'Otan est Jens Stoltenberg. Plus de 30 navires patrouillent en mer Baltique."
CHAR = "Le char Leclerc pèse 56 tonnes. Il est fabriqué à Roanne."
LINES = [
    {"id": "a1", "text": "La centrale de Zaporijia est occupée.", "title": "Énergie", "date": "2022-09-05"},
    {"id": "a2", "text": "Le gazoduc Nord Stream a été saboté.", "title": "Gaz", "date": "2022-09-27"},
    {"text": "Une ligne sans nom parle de fromage.", "date": "2023"},
]


def json_lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    files = {"otan.txt": OTAN, "char.txt": CHAR, "lignes.jsonl": json_lines(LINES)}
    return write_files(tmp_path / "docs", files)


@pytest.fixture
def corpus(docs: Path, tmp_path: Path, embedder: HashingEmbedder) -> CorpusIndex:
    corpus = CorpusIndex.build([docs], tmp_path / "index", embedder=embedder)
    embedder.texts.clear()
    return corpus


def counts(report: UpdateReport) -> tuple[int, int, int, int, int]:
    """Added, changed, removed, unchanged, embedded."""
    return report.n_added, report.n_changed, report.n_removed, report.n_unchanged, report.n_embedded


def sources(corpus: CorpusIndex) -> list[str]:
    return [row[0] for row in index_rows(corpus.directory)["sources"]]


def names_of(corpus: CorpusIndex, docs: Path) -> list[str]:
    return [source.removeprefix(f"{docs.as_posix()}/") for source in sources(corpus)]


def assert_like_fresh(corpus: CorpusIndex, paths: list[Path], *, tables: tuple[str, ...] = ()) -> None:
    """Compare an index with one built at once of the same paths: every row, and what is found."""
    fresh = CorpusIndex.build(paths, corpus.directory.with_name("fresh"), embedder=HashingEmbedder())
    rows, expected = index_rows(corpus.directory), index_rows(fresh.directory)
    for table in tables or ("files", "problems", "sources", "documents", "fields", "passages"):
        assert rows[table] == expected[table]
    for question in ("navires de l'Otan", "char Leclerc", "sabotage du gazoduc", "fromage", "édition"):
        assert answers(corpus, question) == answers(fresh, question)
    assert corpus.verify() == []
    shutil.rmtree(fresh.directory)


def files_holding(directory: Path, *texts: str) -> list[str]:
    """Return every file of the index, logs included, in which one of the texts stands in plain."""
    held = [(path, path.read_bytes()) for path in directory.rglob("*") if path.is_file()]
    return [path.name for path, content in held if any(text.encode() in content for text in texts)]


# -- building and changing -------------------------------------------------------------------------------------------


def test_build_counts_and_finds(docs: Path, tmp_path: Path, embedder: HashingEmbedder) -> None:
    corpus, report = CorpusIndex.build_with_report([docs], tmp_path / "index", embedder=embedder)
    assert (counts(report), report.generation) == ((5, 0, 0, 0, 5), 1)
    assert (report.problems, report.warnings) == ((), ())
    assert names_of(corpus, docs) == [
        "char.txt",
        "lignes.jsonl#L3",
        "lignes.jsonl#a1",
        "lignes.jsonl#a2",
        "otan.txt",
    ]
    status = corpus.status()
    assert (status.n_files, status.n_sources, status.n_documents, status.n_passages) == (3, 5, 5, 5)
    assert status.generation == 1
    assert (status.first_date, status.last_date) == ("2022-09-05", "2023-12-31")
    assert (status.embedder, status.dimension, status.roots) == ("hashing-24", 24, (docs.as_posix(),))
    best = corpus.search("Qui est le secrétaire général de l'Otan ?")[0].passage
    assert (best.text, best.document.source) == (OTAN, f"{docs.as_posix()}/otan.txt")
    assert [s.text for s in best.sentences] == [
        "Le secrétaire général de l'Otan est Jens Stoltenberg.",
        "Plus de 30 navires patrouillent en mer Baltique.",
    ]
    assert corpus.verify() == []


def test_building_again_embeds_nothing_and_keeps_the_generation(
    corpus: CorpusIndex, docs: Path, embedder: HashingEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(path for path in corpus.directory.rglob("*") if path.name != "manifest.json")
    monkeypatch.setattr("index.plan.stream_documents", lambda file, _: pytest.fail(f"{file} is read again"))
    again, report = CorpusIndex.build_with_report([docs], corpus.directory, embedder=embedder)
    assert (counts(report), report.generation, embedder.texts) == ((0, 0, 0, 5, 0), 1, [])
    assert sorted(path for path in corpus.directory.rglob("*") if path.name != "manifest.json") == before
    assert again.generation == 1


def test_touching_a_file_is_no_change(corpus: CorpusIndex, docs: Path) -> None:
    os.utime(docs / "otan.txt", (0, 0))
    (docs / "char.txt").write_text(CHAR, encoding="utf-8")
    assert (counts(corpus.update([docs])), corpus.generation) == ((0, 0, 0, 5, 0), 1)


def test_one_sentence_changed_embeds_only_its_passage(tmp_path: Path, embedder: HashingEmbedder) -> None:
    sentences = [f"La phrase numéro {n} parle de {'mots ' * 50}du chapitre {n}." for n in range(12)]
    docs = write_files(tmp_path / "docs", {"long.txt": "\n".join(sentences), "court.txt": OTAN})
    corpus = CorpusIndex.build([docs], tmp_path / "index", embedder=embedder)
    n_passages = len(embedder.texts)
    assert n_passages > 6
    embedder.texts.clear()
    write_files(docs, {"long.txt": "\n".join([*sentences[:-1], sentences[-1].replace("mots", "vers")])})
    report = corpus.update([docs])
    assert counts(report) == (0, 1, 0, 1, 1)
    assert len(embedder.texts) == 1
    assert "vers du chapitre 11" in embedder.texts[0]
    assert_like_fresh(corpus, [docs])


def test_a_renamed_file_embeds_nothing(corpus: CorpusIndex, docs: Path, embedder: HashingEmbedder) -> None:
    (docs / "otan.txt").rename(docs / "alliance.txt")
    report = corpus.update([docs])
    assert (counts(report), report.generation, embedder.texts) == ((1, 0, 1, 4, 0), 2, [])
    assert corpus.search("Stoltenberg")[0].passage.document.source.endswith("alliance.txt")
    assert_like_fresh(corpus, [docs])


def test_the_same_text_twice_is_embedded_once(corpus: CorpusIndex, docs: Path, embedder: HashingEmbedder) -> None:
    write_files(docs, {"copie.txt": OTAN, "neuf/1.txt": "Un texte neuf.", "neuf/2.txt": "Un texte neuf."})
    assert counts(corpus.add([docs])) == (3, 0, 0, 5, 1)
    assert embedder.texts == ["Un texte neuf."]
    (hit,) = [h for h in corpus.search("Stoltenberg") if "Stoltenberg" in h.passage.text]
    assert (hit.passage.document.source, hit.passage.document.copies) == (
        f"{docs.as_posix()}/copie.txt",
        (f"{docs.as_posix()}/otan.txt",),
    )


def test_json_lines_change_one_by_one(corpus: CorpusIndex, docs: Path, embedder: HashingEmbedder) -> None:
    changed = [
        LINES[0] | {"date": "2022-09-06"},  # the text stays: nothing to embed
        LINES[1] | {"text": "Le gazoduc a fui."},
        {"id": "a4", "text": "Une ligne de plus."},
    ]
    write_files(docs, {"lignes.jsonl": json_lines(changed)})
    report = corpus.update([docs])
    assert counts(report) == (1, 2, 1, 2, 2)
    assert sorted(embedder.texts) == ["Gaz\nLe gazoduc a fui.", "Une ligne de plus."]
    assert corpus.document(f"{docs.as_posix()}/lignes.jsonl#a1").date == "2022-09-06"
    assert_like_fresh(corpus, [docs])


def test_a_changed_title_is_embedded_with_its_passage(
    corpus: CorpusIndex, docs: Path, embedder: HashingEmbedder
) -> None:
    write_files(docs, {"lignes.jsonl": json_lines([LINES[0] | {"title": "Atome"}, *LINES[1:]])})
    assert counts(corpus.update([docs])) == (0, 1, 0, 4, 1)
    assert embedder.texts == ["Atome\nLa centrale de Zaporijia est occupée."]
    assert corpus.search("atome")[0].passage.document.title == "Atome"


def test_build_removes_what_is_not_named_any_more(corpus: CorpusIndex, docs: Path, tmp_path: Path) -> None:
    report = corpus.update([docs / "char.txt"])
    assert (counts(report), names_of(corpus, docs)) == ((0, 0, 4, 1, 0), ["char.txt"])
    assert corpus.status().roots == ((docs / "char.txt").as_posix(),)
    assert_like_fresh(corpus, [docs / "char.txt"])


def test_add_touches_no_other_file(corpus: CorpusIndex, docs: Path, tmp_path: Path) -> None:
    more = write_files(tmp_path / "more", {"plus.txt": "Un texte de plus."})
    (docs / "otan.txt").unlink()
    write_files(docs, {"char.txt": "Tout autre chose."})
    assert counts(corpus.add([more])) == (1, 0, 0, 5, 1)
    assert corpus.search("Stoltenberg")[0].passage.text == OTAN
    assert counts(corpus.add([more])) == (0, 0, 0, 6, 0)
    assert counts(corpus.add([docs / "char.txt"])) == (0, 1, 0, 5, 1)
    assert corpus.status().roots == (docs.as_posix(), more.as_posix())  # the file lies in a folder that is one
    write_files(docs, {".cache/a.txt": "Un texte que nul ne voit."})
    corpus.add([docs / ".cache"])
    assert corpus.status().roots[2:] == ((docs / ".cache").as_posix(),)


def test_refresh_follows_everything_that_was_built_or_added(corpus: CorpusIndex, docs: Path, tmp_path: Path) -> None:
    more = write_files(tmp_path / "more", {"plus.txt": "Un texte de plus.", "seul.txt": "Un texte seul."})
    corpus.add([more])
    corpus.add([write_files(tmp_path, {"fichier.txt": "Un fichier nommé."}) / "fichier.txt"])
    assert counts(corpus.refresh()) == (0, 0, 0, 8, 0)
    (docs / "otan.txt").unlink()
    (more / "seul.txt").unlink()
    (tmp_path / "fichier.txt").unlink()
    write_files(more, {"plus.txt": "Un texte changé.", "neuf.txt": "Un texte neuf."})
    assert counts(corpus.refresh()) == (1, 1, 3, 4, 2)
    assert_like_fresh(corpus, [docs, more])


def test_refresh_names_new_files_as_build_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_files(tmp_path / "docs", {"a.txt": OTAN, "sous/b.txt": CHAR}))
    corpus = CorpusIndex.build(["."], "../index", embedder=HashingEmbedder())
    assert sources(corpus.open(tmp_path / "index")) == ["a.txt", "sous/b.txt"]
    write_files(tmp_path / "docs", {"sous/c.txt": "Un texte neuf."})
    monkeypatch.chdir(tmp_path)
    corpus = CorpusIndex.open("index", embedder=HashingEmbedder())
    assert counts(corpus.refresh()) == (1, 0, 0, 2, 1)
    assert sources(corpus) == ["a.txt", "sous/b.txt", "sous/c.txt"]


def test_a_folder_that_is_away_keeps_its_documents(corpus: CorpusIndex, docs: Path, tmp_path: Path) -> None:
    more = write_files(tmp_path / "more", {"plus.txt": "Un texte de plus."})
    corpus.add([more])
    docs.rename(tmp_path / "away")
    write_files(more, {"plus.txt": "Un texte changé."})
    report = corpus.refresh()
    assert counts(report) == (0, 1, 0, 5, 1)
    assert [str(problem) for problem in report.problems] == [
        f"{docs.as_posix()}: the folder is not there; its documents are kept until `remove`"
    ]
    assert corpus.status().problems[0].source == docs.as_posix()
    assert corpus.search("Stoltenberg")[0].passage.text == OTAN
    (tmp_path / "away").rename(docs)
    assert counts(corpus.refresh()) == (0, 0, 0, 6, 0)
    assert corpus.status().problems == ()


def test_refresh_does_not_empty_an_index(corpus: CorpusIndex, docs: Path) -> None:
    for path in docs.iterdir():
        path.unlink()
    with pytest.raises(InputError, match=r"no document could be read: the index is left as it was"):
        corpus.refresh()
    assert (corpus.status().n_documents, corpus.generation, corpus.verify()) == (5, 1, [])


# -- removing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "gone", "left"),
    [
        (["otan.txt"], 1, ["char.txt", "lignes.jsonl#L3", "lignes.jsonl#a1", "lignes.jsonl#a2"]),
        (["lignes.jsonl#a2"], 1, ["char.txt", "lignes.jsonl#L3", "lignes.jsonl#a1", "otan.txt"]),
        (["lignes.jsonl"], 3, ["char.txt", "otan.txt"]),
        (["lignes.jsonl#a2", "lignes.jsonl#a2"], 1, ["char.txt", "lignes.jsonl#L3", "lignes.jsonl#a1", "otan.txt"]),
        (["lignes.jsonl#a2", "lignes.jsonl", "otan.txt"], 4, ["char.txt"]),
        ([""], 5, []),
    ],
    ids=["file", "line", "file of lines", "the same line twice", "overlapping", "folder"],
)
def test_remove_takes_a_line_a_file_or_a_folder(
    corpus: CorpusIndex, docs: Path, names: list[str], gone: int, left: list[str]
) -> None:
    report = corpus.remove([f"{docs.as_posix()}/{name}" for name in names])
    assert (counts(report), report.generation) == ((0, 0, gone, 5 - gone, 0), 2)
    assert (names_of(corpus, docs), corpus.verify()) == (left, [])
    assert {h.passage.document.source.removeprefix(f"{docs}/") for h in corpus.search("otan", k=9)} == set(left)


def test_remove_takes_paths_as_well_as_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docs = write_files(tmp_path / "docs", {"a.txt": OTAN, "b.txt": CHAR, "sous/c.txt": "Autre chose."})
    monkeypatch.chdir(tmp_path)
    corpus = CorpusIndex.build(["docs"], tmp_path / "index", embedder=HashingEmbedder())
    monkeypatch.chdir(docs)
    assert counts(corpus.remove(["docs/a.txt"])) == (0, 0, 1, 2, 0)  # its source
    assert counts(corpus.remove(["b.txt"])) == (0, 0, 1, 1, 0)  # a path from here
    assert counts(corpus.remove([str(docs / "sous")])) == (0, 0, 1, 0, 0)
    assert (sources(corpus), corpus.status().roots) == ([], ("docs",))


def test_a_removed_folder_is_no_root_any_more(corpus: CorpusIndex, docs: Path, tmp_path: Path) -> None:
    corpus.add([write_files(tmp_path / "more", {"plus.txt": "Un texte de plus."})])
    corpus.remove([f"{docs.as_posix()}/"])
    assert corpus.status().roots == ((tmp_path / "more").as_posix(),)
    assert counts(corpus.refresh()) == (0, 0, 0, 1, 0)


def test_a_removed_line_comes_back_when_its_folder_is_built(corpus: CorpusIndex, docs: Path) -> None:
    corpus.remove([f"{docs.as_posix()}/lignes.jsonl#a2"])
    assert counts(corpus.refresh()) == (1, 0, 0, 4, 1)
    assert_like_fresh(corpus, [docs])


@pytest.mark.parametrize("name", ["absent.txt", "lignes.jsonl#a9", "ota", "/", "", "lignes.jsonl#"])
def test_removing_what_is_not_there_is_refused(corpus: CorpusIndex, docs: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"the index holds no .*: name a file, .* `python -m index status` says"):
        corpus.remove([f"{docs.as_posix()}/char.txt", name])
    assert (corpus.status().n_documents, corpus.generation) == (5, 1)  # all or nothing


def test_after_remove_no_file_holds_the_text(corpus: CorpusIndex, docs: Path) -> None:
    secrets = ["Stoltenberg", "stoltenberg", "navires patrouillent", "Nord Stream", "saboté", "Gaz"]
    assert files_holding(corpus.directory, "Stoltenberg", "Nord Stream") == ["catalog.sqlite"]
    corpus.remove([f"{docs.as_posix()}/otan.txt", f"{docs.as_posix()}/lignes.jsonl#a2"])
    assert files_holding(corpus.directory, *secrets) == []
    for question in ("Stoltenberg", "navires en mer Baltique", "gazoduc Nord Stream saboté"):
        texts = [hit.passage.text for hit in corpus.search(question, k=50)]
        assert len(texts) == 3
        assert not [text for text in texts if re.search("Stoltenberg|gazoduc", text)]
    terms = corpus.analyzer.terms("Stoltenberg gazoduc")
    with corpus._store.reading() as segments:  # nor do the search files know its words; see test_segments.py
        assert segments.document_frequencies([*terms, "char"]) == {terms[0]: 0, terms[1]: 0, "char": 1}
        assert sorted(segments.numbers.tolist()) == corpus._catalog.passage_numbers().tolist()
    assert files_holding(corpus.directory, "Leclerc") == ["catalog.sqlite"]


def test_a_text_that_changed_is_gone_too(corpus: CorpusIndex, docs: Path) -> None:
    write_files(docs, {"otan.txt": "Rien à signaler."})
    corpus.update([docs])
    assert files_holding(corpus.directory, "Stoltenberg", "navires patrouillent") == []


# -- names and folders -----------------------------------------------------------------------------------------------


def test_one_file_reached_two_ways_is_one_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docs = write_files(tmp_path / "docs", {"a.txt": OTAN})
    write_files(tmp_path / "other", {"x.txt": CHAR})
    monkeypatch.chdir(tmp_path)
    corpus = CorpusIndex.build(["docs"], tmp_path / "index", embedder=HashingEmbedder())
    for way in ("./docs", docs, "other/../docs", "docs/a.txt", docs / ".." / "docs" / "a.txt"):
        assert counts(corpus.add([way])) == (0, 0, 0, 1, 0)
    assert sources(corpus) == ["docs/a.txt"]


def test_two_folders_of_one_name_keep_their_files_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (write_files(tmp_path / name / "docs", {"a.txt": name}) for name in ("un", "deux"))
    monkeypatch.chdir(tmp_path / "un")
    corpus = CorpusIndex.build(["docs"], tmp_path / "index", embedder=HashingEmbedder())
    monkeypatch.chdir(tmp_path / "deux")
    assert counts(corpus.add(["docs"])) == (1, 0, 0, 1, 1)
    assert sources(corpus) == [f"{second.as_posix()}/a.txt", "docs/a.txt"]
    assert (corpus.document("docs/a.txt").text, corpus.document(f"{second}/a.txt").text) == ("un", "deux")
    assert first.exists()


def test_a_name_taken_by_a_line_of_another_file_is_a_problem(tmp_path: Path) -> None:
    docs = write_files(tmp_path / "docs", {"a.jsonl": json_lines(LINES), "a.jsonl#a1": "Un fichier au nom étrange."})
    corpus, report = CorpusIndex.build_with_report([docs], tmp_path / "index", embedder=HashingEmbedder())
    assert report.n_added == 3
    assert "another file has a document of this name; rename the file" in str(report.problems[0])
    assert (corpus.verify(), len(corpus.status().problems)) == ([], 1)
    (docs / "a.jsonl#a1").rename(docs / "a.txt")
    assert counts(corpus.refresh()) == (1, 0, 0, 3, 1)
    assert corpus.status().problems == ()


def test_an_index_inside_its_own_folder_is_not_read(tmp_path: Path, embedder: HashingEmbedder) -> None:
    docs = write_files(tmp_path / "docs", {"a.txt": OTAN})
    corpus, report = CorpusIndex.build_with_report([docs], docs / "index", embedder=embedder)
    assert (counts(report), report.problems) == ((1, 0, 0, 0, 1), ())
    for report in (corpus.update([docs]), corpus.refresh(), corpus.add([docs])):
        assert (counts(report), report.problems) == ((0, 0, 0, 1, 0), ())


@pytest.mark.parametrize("paths", [["absent"], ["docs", "absent"], [""], ["empty"], []])
def test_nothing_to_read_leaves_the_index_as_it_was(
    corpus: CorpusIndex, tmp_path: Path, paths: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    for change in (corpus.update, corpus.add):
        with pytest.raises(InputError):
            change(paths)
    assert (corpus.status().n_documents, corpus.generation, corpus.verify()) == (5, 1, [])


def test_a_first_build_that_fails_leaves_no_index(tmp_path: Path, embedder: HashingEmbedder) -> None:
    docs = write_files(tmp_path / "docs", {})
    docs.mkdir()
    (docs / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(InputError, match=r"no document could be read \(.*image.png"):
        CorpusIndex.build([docs], tmp_path / "index", embedder=embedder)
    with pytest.raises(IndexMissingError, match=r"was never finished: `python -m index build PATHS"):
        CorpusIndex.open(tmp_path / "index")
    write_files(docs, {"a.txt": OTAN})
    assert CorpusIndex.build([docs], tmp_path / "index", embedder=HashingEmbedder(8)).status().dimension == 8


def test_what_cannot_be_read_is_kept_named_and_read_later(corpus: CorpusIndex, docs: Path) -> None:
    (docs / "otan.txt").unlink()
    os.mkfifo(docs / "otan.txt")
    (docs / "lien.txt").symlink_to(docs / "absent")
    report = corpus.add([docs])
    assert sorted(problem.source.rpartition("/")[2] for problem in report.problems) == ["lien.txt", "otan.txt"]
    assert [p.source for p in corpus.status().problems] == [f"{docs.as_posix()}/{n}" for n in ("lien.txt", "otan.txt")]
    (docs / "lien.txt").unlink()
    (docs / "otan.txt").unlink()
    (docs / "otan.txt").write_text(OTAN, encoding="utf-8")
    report = corpus.update([docs])
    assert (counts(report), report.problems, corpus.status().problems) == ((0, 0, 0, 5, 0), (), ())


def test_a_file_that_becomes_unreadable_text_loses_its_documents(corpus: CorpusIndex, docs: Path) -> None:
    (docs / "otan.txt").write_bytes(bytes(range(256)) * 20)
    report = corpus.update([docs])
    assert counts(report) == (0, 0, 1, 4, 0)
    assert [p.source for p in report.problems] == [f"{docs.as_posix()}/otan.txt"]
    assert [p.source for p in corpus.status().problems] == [f"{docs.as_posix()}/otan.txt"]
    assert [str(p) for p in asdict(corpus.status())["problems"]] == [str(p) for p in report.problems]  # can be copied


def test_progress_is_told(docs: Path, tmp_path: Path, embedder: HashingEmbedder) -> None:
    steps: list[Progress] = []
    CorpusIndex.build([docs], tmp_path / "index", embedder=embedder, progress=steps.append)
    assert [(s.stage, s.done, s.total) for s in steps] == [
        *(("lecture", n, 3) for n in range(3)),
        ("indexation", 5, None),
    ]


def test_an_error_of_the_model_leaves_the_former_index(corpus: CorpusIndex, docs: Path, tmp_path: Path) -> None:
    class Broken(HashingEmbedder):
        def embed_passages(self, texts: Any) -> Any:
            raise InputError("the model does not want to")

    before = index_rows(corpus.directory)
    write_files(docs, {"neuf.txt": "Un texte neuf.", "otan.txt": "Un texte changé."})
    with pytest.raises(InputError, match="does not want to"):
        CorpusIndex.open(corpus.directory, embedder=Broken()).add([docs])
    assert (index_rows(corpus.directory), corpus.verify()) == (before, [])
    assert len(list((corpus.directory / "segments").iterdir())) == 1  # what was begun is swept up
    assert corpus.search("Stoltenberg")[0].passage.text == OTAN


# -- the same document from two sources ------------------------------------------------------------------------------


def test_the_same_text_in_two_files_is_one_document_with_two_sources(tmp_path: Path, embedder: HashingEmbedder) -> None:
    docs = write_files(tmp_path / "docs", {"b.txt": OTAN, "a.txt": OTAN, "sous/c.txt": OTAN, "char.txt": CHAR})
    corpus, report = CorpusIndex.build_with_report([docs], tmp_path / "index", embedder=embedder)
    assert counts(report) == (4, 0, 0, 0, 2)  # counted by source, embedded once
    status = corpus.status()
    assert (status.n_files, status.n_sources, status.n_documents, status.n_passages) == (4, 4, 2, 2)
    a, b, c = (f"{docs.as_posix()}/{name}" for name in ("a.txt", "b.txt", "sous/c.txt"))
    (hit, _) = corpus.search("Stoltenberg", k=9)
    assert (hit.passage.text, hit.passage.document.source, hit.passage.document.copies) == (OTAN, a, (b, c))
    assert [corpus.document(source) for source in (a, b, c)] == [hit.passage.document] * 3
    assert (corpus.sources(), corpus.verify()) == ([a, b, f"{docs.as_posix()}/char.txt", c], [])

    assert counts(corpus.remove([a])) == (0, 0, 1, 3, 0)  # one of them: the document stays, under the next name
    assert (corpus.document(b).copies, corpus.document(b).source) == ((c,), b)
    assert corpus.search("Stoltenberg", k=9)[0].passage.number == hit.passage.number
    assert files_holding(corpus.directory, a) == []
    assert counts(corpus.remove([f"{docs.as_posix()}/sous", b])) == (0, 0, 2, 1, 0)  # the last of them
    assert files_holding(corpus.directory, "Stoltenberg") == []
    assert [h.passage.text for h in corpus.search("Stoltenberg", k=9)] == [CHAR]
    assert (corpus.status().n_documents, corpus.verify()) == (1, [])


def test_the_order_of_adding_makes_no_difference(tmp_path: Path) -> None:
    docs = write_files(tmp_path / "docs", {"a.txt": OTAN, "b.txt": OTAN, "c.txt": OTAN, "char.txt": CHAR})
    expected = CorpusIndex.build([docs], tmp_path / "all", embedder=HashingEmbedder())
    for order in ("abc", "cab", "bca", "cba"):
        corpus = CorpusIndex.create(tmp_path / order, embedder=HashingEmbedder())
        corpus.add([docs / "char.txt"])
        for name in order:
            corpus.add([docs / f"{name}.txt"])
        corpus.update([docs])  # names files as the folder does
        for table in ("sources", "documents", "fields", "passages"):
            assert index_rows(corpus.directory)[table] == index_rows(expected.directory)[table]
        assert answers(corpus, "Stoltenberg") == answers(expected, "Stoltenberg")
        assert corpus.document(f"{docs.as_posix()}/c.txt") == expected.document(f"{docs.as_posix()}/c.txt")


@pytest.mark.parametrize("field", [{"title": "Autre"}, {"date": "2022"}, {"auteur": "AFP"}, {"id": "x"}], ids=str)
def test_the_same_text_that_says_something_else_is_another_document(tmp_path: Path, field: dict[str, str]) -> None:
    records = [{"text": OTAN}, {"text": OTAN}, {"text": OTAN} | field]
    docs = write_files(tmp_path / "docs", {"a.jsonl": json_lines(records)})
    corpus = CorpusIndex.build([docs], tmp_path / "index", embedder=HashingEmbedder())
    assert (corpus.status().n_documents, corpus.status().n_sources) == (2, 3)
    hits = corpus.search("Stoltenberg", k=9)
    last = "x" if field.get("id") else "L3"
    assert sorted((h.passage.document.source.partition("#")[2], len(h.passage.document.copies)) for h in hits) == [
        ("L1", 1),
        (last, 0),
    ]


def test_a_copy_that_changes_leaves_the_document_to_the_other(corpus: CorpusIndex, docs: Path) -> None:
    write_files(docs, {"copie.txt": OTAN})
    corpus.update([docs])
    number = corpus.search("Stoltenberg")[0].passage.number
    write_files(docs, {"copie.txt": f"{OTAN} Et autre chose."})
    assert counts(corpus.update([docs])) == (0, 1, 0, 5, 1)
    assert corpus.document(f"{docs.as_posix()}/otan.txt").copies == ()
    assert number in [hit.passage.number for hit in corpus.search("Stoltenberg")]
    write_files(docs, {"copie.txt": OTAN})
    assert counts(corpus.update([docs])) == (0, 1, 0, 5, 0)
    assert_like_fresh(corpus, [docs])


@pytest.mark.parametrize("name", ["alliance.txt", "a.txt", "zone/otan.txt"])
def test_a_renamed_file_keeps_its_passages(
    corpus: CorpusIndex, docs: Path, embedder: HashingEmbedder, name: str
) -> None:
    segments = {path.name for path in (corpus.directory / "segments").iterdir()}
    numbers = corpus._catalog.passage_numbers().tolist()
    (docs / name).parent.mkdir(exist_ok=True)
    (docs / "otan.txt").rename(docs / name)
    assert counts(corpus.refresh()) == (1, 0, 1, 4, 0)
    assert (corpus._catalog.passage_numbers().tolist(), embedder.texts) == (numbers, [])
    assert {path.name for path in (corpus.directory / "segments").iterdir()} == segments  # nothing is written anew
    assert corpus.search("Stoltenberg")[0].passage.document.source == f"{docs.as_posix()}/{name}"
    assert_like_fresh(corpus, [docs])


# -- documents given directly ----------------------------------------------------------------------------------------

NOTE = Document("n1", "notes/1", "La piscine municipale ferme lundi.", "Avis", "2024-05", metadata={"ville": "Évian"})


def test_an_empty_index_is_made_filled_and_opened_again(tmp_path: Path, embedder: HashingEmbedder) -> None:
    corpus = CorpusIndex.create(tmp_path / "index", embedder=embedder)
    assert (corpus.generation, corpus.status().n_documents, corpus.verify()) == (1, 0, [])
    assert (corpus.search("piscine"), corpus.sources(), corpus.find_documents(["a"])) == ([], [], {})
    report = corpus.put([NOTE, replace(NOTE, source="notes/2"), Document("n3", "autre", CHAR)])
    assert (counts(report), report.generation) == ((3, 0, 0, 0, 2), 2)
    again = CorpusIndex.create(tmp_path / "index", embedder=HashingEmbedder())
    assert (again.generation, again.sources()) == (2, ["autre", "notes/1", "notes/2"])
    assert again.find_documents(["notes/2", "autre", "absent"]) == {
        "notes/2": replace(NOTE, copies=("notes/2",)),
        "autre": Document("n3", "autre", CHAR),
    }
    assert again.document("notes/1") == replace(NOTE, copies=("notes/2",))
    assert again.search("piscine")[0].passage.text == NOTE.text
    with pytest.raises(IndexMismatchError, match="built with embedding model hashing-24"):
        CorpusIndex.create(tmp_path / "index", embedder=HashingEmbedder(8)).put([NOTE])


def test_put_again_costs_nothing_and_replaces_by_source(corpus: CorpusIndex, embedder: HashingEmbedder) -> None:
    corpus.put([NOTE])
    files = {path: path.read_bytes() for path in corpus.directory.rglob("*.segment")}
    embedder.texts.clear()
    report = corpus.put([NOTE])
    assert (counts(report), report.generation, embedder.texts) == ((0, 0, 0, 6, 0), 2, [])
    assert {path: path.read_bytes() for path in corpus.directory.rglob("*.segment")} == files
    changed = replace(NOTE, text="La piscine rouvre mardi.", metadata={})
    report = corpus.put([replace(NOTE, text="D'abord autre chose."), changed])  # of several, the last one counts
    assert (counts(report), report.changed) == ((0, 1, 0, 5, 1), ("notes/1",))
    assert corpus.document("notes/1") == changed
    assert files_holding(corpus.directory, "ferme lundi", "abord autre chose") == []
    assert counts(corpus.put([])) == (0, 0, 0, 6, 0)
    assert corpus.verify() == []


def test_refresh_keeps_what_was_put_and_build_removes_it(corpus: CorpusIndex, docs: Path) -> None:
    corpus.put([NOTE])
    assert counts(corpus.refresh()) == (0, 0, 0, 6, 0)
    assert counts(corpus.add([docs])) == (0, 0, 0, 6, 0)
    report = corpus.update([docs])
    assert (counts(report), report.removed) == ((0, 0, 1, 5, 0), ("notes/1",))
    assert_like_fresh(corpus, [docs])


def test_what_was_put_is_removed_by_its_source_alone(corpus: CorpusIndex, docs: Path) -> None:
    folder = f"{docs.as_posix()}/"
    corpus.put([NOTE, replace(NOTE, source=f"{docs.as_posix()}", id="n2"), replace(NOTE, source=folder, id="n3")])
    assert counts(corpus.remove([docs.as_posix()])) == (0, 0, 1, 7, 0)  # it is called like the folder; it is not it
    assert counts(corpus.remove([folder, "notes/1"])) == (0, 0, 2, 5, 0)
    assert files_holding(corpus.directory, "piscine") == []
    with pytest.raises(InputError, match="holds no 'notes/1'"):
        corpus.remove(["notes/1"])


def test_a_document_put_in_the_place_of_a_file_gives_it_back(corpus: CorpusIndex, docs: Path) -> None:
    name = f"{docs.as_posix()}/otan.txt"
    assert counts(corpus.put([replace(NOTE, source=name)])) == (0, 1, 0, 4, 1)
    assert corpus.document(name).text == NOTE.text
    report = corpus.refresh()
    assert counts(report) == (0, 0, 0, 5, 0)
    assert [str(problem) for problem in report.problems] == [
        f"{name}: another file has a document of this name; rename the file"
    ]
    preview = CorpusIndex.preview_build([docs], corpus.directory)
    report = corpus.update([docs])  # build equals the paths given
    assert (report.added, report.removed, report.problems) == ((name,), (name,), ())
    assert told(preview) == told(report)
    assert_like_fresh(corpus, [docs])


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "demi \ud800"},
        {"title": "demi \ud800"},
        {"source": "demi \ud800"},
        {"metadata": {"a": "\udfff"}},
        {"metadata": {"a": {1, 2}}},
        {"metadata": {1: "a", "b": "c"}},
        {"date": "hier"},
    ],
    ids=ascii,
)
def test_what_cannot_be_stored_is_refused_and_changes_nothing(corpus: CorpusIndex, wrong: dict[str, Any]) -> None:
    before = index_rows(corpus.directory)
    with pytest.raises(InputError, match=r"cannot be stored|date 'hier'"):
        corpus.put([NOTE, replace(NOTE, **({"source": "notes/2"} | wrong))])
    assert (index_rows(corpus.directory), corpus.generation, corpus.verify()) == (before, 1, [])


def test_the_nearest_passages_are_those_of_a_full_scan(corpus: CorpusIndex, embedder: HashingEmbedder) -> None:
    passages = [hit.passage for hit in corpus.search("otan", k=9)]
    matrix = corpus.vectors(passages)
    stored = embedder.embed_passages(
        [f"{p.document.title}\n{p.text}" if p.document.title else p.text for p in passages]
    ).astype(np.float16)
    assert matrix.tolist() == stored.astype(np.float32).tolist()
    query = embedder.embed_question("le gazoduc Nord Stream")
    expected = sorted(
        ((float(row.astype(np.float64) @ query), p.document.source) for row, p in zip(stored, passages, strict=True)),
        key=lambda pair: (-round(pair[0], 9), pair[1]),
    )
    for k in (1, 3, 5, 99):
        hits = corpus.nearest(query, k=k)
        assert [hit.passage.document.source for hit in hits] == [source for _, source in expected[:k]]
        assert [hit.score for hit in hits] == pytest.approx([cosine for cosine, _ in expected[:k]])
        assert [hit.dense_score for hit in hits] == pytest.approx([hit.score for hit in hits])
        assert {hit.lexical_score for hit in hits} == {0.0}
    assert corpus.nearest(np.zeros(24, dtype=np.float32)) == []
    assert corpus.vectors([]).shape == (0, 24)


def test_a_wrong_vector_or_a_passage_that_is_gone_is_refused(corpus: CorpusIndex, docs: Path) -> None:
    query = corpus.embedder.embed_question("otan")
    for vector, k, words in ((query[:5], 3, "shape"), (query[None], 3, "shape"), (query, 0, "k = 0")):
        with pytest.raises(InputError, match=words):
            corpus.nearest(vector, k=k)
    passages = [hit.passage for hit in corpus.search("otan", k=9)]
    corpus.remove([f"{docs.as_posix()}/otan.txt"])
    with pytest.raises(InputError, match=r"otan\.txt is not in the index any more"):
        corpus.vectors(passages)


def test_equal_passages_are_ordered_by_source(tmp_path: Path) -> None:
    names = [f"d/{n:02}" for n in range(60)]
    documents = [Document(name, name, OTAN, metadata={"n": name}) for name in names]  # one embedding, one score
    at_once = CorpusIndex.create(tmp_path / "once", embedder=HashingEmbedder())
    at_once.put(documents)
    one_by_one = CorpusIndex.create(tmp_path / "one", embedder=HashingEmbedder())
    for place in np.random.default_rng(1).permutation(60).tolist():
        one_by_one.put([documents[place]])
    query = HashingEmbedder().embed_question("Otan")
    for corpus in (at_once, one_by_one):
        for k in (1, 7, 50):
            assert [hit.passage.document.source for hit in corpus.nearest(query, k=k)] == names[:k]
            assert [hit.passage.document.source for hit in corpus.search("Otan", k=k)] == names[:k]
            assert [hit.passage.document.source for hit in corpus.search("zorglub navires", k=k)] == names[:k]


# -- dry runs --------------------------------------------------------------------------------------------------------


def told(report: UpdateReport) -> dict[str, Any]:
    """Return what a preview can know of a change."""
    told = asdict(report)
    del told["n_embedded"], told["generation"]
    return told | {"problems": [str(problem) for problem in report.problems]}


def bytes_of(directory: Path) -> dict[Path, bytes]:
    """Return every file, without those that SQLite keeps while the catalog is open."""
    held = [path for path in directory.rglob("*") if path.is_file() and not path.name.startswith("catalog.sqlite-")]
    return {path: path.read_bytes() for path in held}


def muddle(docs: Path) -> None:
    """Add, change, remove and rename files, and put what cannot be read among them."""
    (docs / "char.txt").unlink()
    (docs / "otan.txt").rename(docs / "alliance.txt")
    records = [LINES[0] | {"date": "2022-09-06"}, {"id": "a4", "text": "Une ligne de plus."}]
    write_files(docs, {"lignes.jsonl": json_lines(records) + "{\n", "neuf/a.txt": CHAR, "neuf/b.txt": CHAR})
    (docs / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (docs / "ancien.txt").write_bytes("L’été à Évian.".encode("cp1252"))
    (docs / "lien.txt").symlink_to(docs / "absent")


def test_a_preview_of_a_build_says_what_the_build_does(corpus: CorpusIndex, docs: Path) -> None:
    corpus.put([NOTE])
    muddle(docs)
    before = bytes_of(corpus.directory)
    preview = CorpusIndex.preview_build([docs], corpus.directory)
    assert (bytes_of(corpus.directory), corpus.generation, preview.n_embedded) == (before, 2, 0)
    _, report = CorpusIndex.build_with_report([docs], corpus.directory, embedder=HashingEmbedder())
    assert told(preview) == told(report)
    assert counts(report)[:4] == (5, 1, 5, 0)
    assert (len(report.problems), len(report.warnings)) == (3, 1)


def test_a_preview_of_a_first_build_makes_nothing(docs: Path, tmp_path: Path) -> None:
    muddle(docs)
    preview = CorpusIndex.preview_build([docs], tmp_path / "data" / "index")
    assert not (tmp_path / "data").exists()
    _, report = CorpusIndex.build_with_report([docs], tmp_path / "data" / "index", embedder=HashingEmbedder())
    assert told(preview) == told(report)
    assert counts(report)[:4] == (6, 0, 0, 0)


def test_a_preview_of_a_build_of_a_damaged_index_begins_with_nothing(corpus: CorpusIndex, docs: Path) -> None:
    corpus._catalog.close()
    (corpus.directory / "catalog.sqlite").write_bytes(b"damaged" * 99)
    before = bytes_of(corpus.directory)
    preview = CorpusIndex.preview_build([docs], corpus.directory)
    assert bytes_of(corpus.directory) == before
    _, report = CorpusIndex.build_with_report([docs], corpus.directory, embedder=HashingEmbedder())
    assert told(preview) == told(report)


def test_a_preview_of_a_build_by_another_analyzer_is_as_the_build(
    corpus: CorpusIndex, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Next(Analyzer):
        version = "next-1"

    monkeypatch.setattr("index.corpus.Analyzer", Next)
    muddle(docs)
    before = bytes_of(corpus.directory)
    preview = CorpusIndex.preview_build([docs], corpus.directory)
    assert bytes_of(corpus.directory) == before
    _, report = CorpusIndex.build_with_report([docs], corpus.directory, embedder=HashingEmbedder())
    assert told(preview) == told(report)


def test_a_preview_of_add_says_what_add_does(corpus: CorpusIndex, docs: Path, tmp_path: Path) -> None:
    muddle(docs)
    more = write_files(tmp_path / "more", {"plus.txt": "Un texte de plus.", "char.txt": CHAR})
    before = bytes_of(corpus.directory)
    preview = corpus.add([docs, more], dry_run=True)
    assert (bytes_of(corpus.directory), corpus.generation, corpus.status().problems) == (before, 1, ())
    report = corpus.add([docs, more])
    assert told(preview) == told(report)
    assert counts(report)[:4] == (7, 1, 2, 2)


@pytest.mark.parametrize(
    "names", [["otan.txt"], ["lignes.jsonl#a2", "char.txt"], ["lignes.jsonl", "lignes.jsonl#a1"], [""]]
)
def test_a_preview_of_remove_says_what_remove_does(corpus: CorpusIndex, docs: Path, names: list[str]) -> None:
    before = bytes_of(corpus.directory)
    wanted = [f"{docs.as_posix()}/{name}" for name in names]
    preview = corpus.remove(wanted, dry_run=True)
    assert (bytes_of(corpus.directory), corpus.generation) == (before, 1)
    assert told(preview) == told(corpus.remove(wanted))


def test_a_preview_refuses_what_the_change_refuses(corpus: CorpusIndex, docs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    before = bytes_of(corpus.directory)
    for run, words in (
        (lambda: corpus.remove(["absent.txt"], dry_run=True), "holds no 'absent.txt'"),
        (lambda: corpus.add([tmp_path / "absent"], dry_run=True), "no such file"),
        (lambda: CorpusIndex.preview_build([tmp_path / "absent"], corpus.directory), "no such file"),
        (lambda: CorpusIndex.preview_build([folder], corpus.directory), r"no document could be read \(.*image\.png"),
        (lambda: CorpusIndex.preview_build([folder], tmp_path / "new"), r"no document could be read \(.*image\.png"),
    ):
        with pytest.raises(InputError, match=words):
            run()
    assert (bytes_of(corpus.directory), (tmp_path / "new").exists()) == (before, False)


# -- names that are not UTF-8, and clocks ----------------------------------------------------------------------------

LATIN = os.fsdecode(b"caf\xe9")
E_GRAVE = os.fsdecode(b"\xe0")


def latin_files(folder: Path) -> Path:
    """Write files as a former system did: names in latin-1. A third one is named as the first may be shown."""
    (folder / LATIN).mkdir(parents=True)
    (folder / f"{LATIN}.txt").write_text(OTAN, encoding="utf-8")
    (folder / "caf\\xe9.txt").write_text("Un nom qui se lit presque pareil.", encoding="utf-8")
    (folder / LATIN / f"{E_GRAVE}.jsonl").write_text(json_lines(LINES), encoding="utf-8")
    return folder


def test_names_that_are_not_utf_8_can_be_built_changed_and_removed(tmp_path: Path) -> None:
    docs = latin_files(tmp_path / "docs")
    corpus, report = CorpusIndex.build_with_report([docs], tmp_path / "index", embedder=HashingEmbedder())
    assert (counts(report), report.problems, corpus.verify()) == ((5, 0, 0, 0, 5), (), [])
    assert len(set(corpus.sources())) == 5
    assert corpus.document(f"{docs.as_posix()}/caf\\xe9.txt").text == OTAN
    assert corpus.document(f"{docs.as_posix()}/caf\\\\xe9.txt").text == "Un nom qui se lit presque pareil."
    folder = f"{docs.as_posix()}/caf\\xe9/"
    for shown in (folder, str(docs / LATIN), f"{docs.as_posix()}/./caf\\xe9"):
        assert len(corpus.search("fromage", sources=[shown])) == 3
    assert len(corpus.search("centrale", sources=[f"{folder}\\xe0.jsonl#a1"])) == 1
    assert len(corpus.search("centrale", sources=[f"{docs / LATIN}/{E_GRAVE}.jsonl#a1"])) == 1
    assert counts(corpus.refresh()) == (0, 0, 0, 5, 0)
    (docs / LATIN / os.fsdecode(b"neuf\xe9.txt")).write_text("Un texte neuf.", encoding="utf-8")
    (docs / f"{LATIN}.txt").rename(docs / os.fsdecode(b"th\xe9.txt"))
    report = corpus.refresh()
    assert (counts(report), sorted(name.rpartition("/")[2] for name in report.added)) == (
        (2, 0, 1, 4, 1),
        ["neuf\\xe9.txt", "th\\xe9.txt"],
    )
    source = next(name for name in corpus.sources() if "th" in name.rpartition("/")[2])
    assert source == f"{docs.as_posix()}/th\\xe9.txt"
    assert [h.passage.text for h in corpus.search("Stoltenberg", sources=[source])] == [OTAN]
    by_path = str(docs / os.fsdecode(b"th\xe9.txt"))
    assert [h.passage.text for h in corpus.search("Stoltenberg", sources=[by_path])] == [OTAN]
    assert counts(corpus.remove([by_path])) == (0, 0, 1, 5, 0)
    assert files_holding(corpus.directory, "Stoltenberg") == []
    assert counts(corpus.remove([f"{docs.as_posix()}/caf\\xe9"])) == (0, 0, 4, 1, 0)  # the folder, as it is shown
    assert_like_fresh(corpus, [docs / "caf\\xe9.txt"], tables=("documents", "passages"))


def test_a_root_that_is_not_utf_8_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    latin_files(tmp_path / LATIN)
    corpus = CorpusIndex.build([LATIN], tmp_path / "index", embedder=HashingEmbedder())
    assert corpus.status().roots == ("caf\\xe9",)
    assert all(source.startswith("caf\\xe9/") for source in corpus.sources())
    json.dumps(corpus.status().to_dict(), ensure_ascii=False).encode()
    (tmp_path / LATIN / "neuf.txt").write_text("Un texte neuf.", encoding="utf-8")
    assert corpus.refresh().added == ("caf\\xe9/neuf.txt",)
    (tmp_path / LATIN).rename(tmp_path / "away")
    (problem,) = corpus.refresh().problems
    assert str(problem) == "caf\\xe9: the folder is not there; its documents are kept until `remove`"
    (tmp_path / "away").rename(tmp_path / LATIN)
    assert counts(corpus.update([LATIN])) == (0, 0, 0, 6, 0)
    assert counts(corpus.remove([LATIN])) == (0, 0, 6, 0, 0)
    assert (corpus.status().roots, corpus.verify()) == ((), [])


def test_two_folders_of_one_name_that_is_not_utf_8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("un", "deux"):
        (tmp_path / name / LATIN).mkdir(parents=True)
        (tmp_path / name / LATIN / f"{LATIN}.txt").write_text(name, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "un")
    corpus = CorpusIndex.build([LATIN], tmp_path / "index", embedder=HashingEmbedder())
    monkeypatch.chdir(tmp_path / "deux")
    assert counts(corpus.add([LATIN])) == (1, 0, 0, 1, 1)
    assert corpus.sources() == [f"{tmp_path.as_posix()}/deux/caf\\xe9/caf\\xe9.txt", "caf\\xe9/caf\\xe9.txt"]


@pytest.mark.parametrize("name", ["demi\ud800", f"{LATIN}.txt", "demi\ud800#x"])
def test_half_a_character_names_nothing(corpus: CorpusIndex, name: str) -> None:
    assert corpus.find_documents([name]) == {}
    for use in (lambda: corpus.document(name), lambda: corpus.remove([name])):
        with pytest.raises(InputError, match="the index holds no"):
            use()


def test_a_clock_that_goes_back_changes_nothing(
    corpus: CorpusIndex, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Earlier(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Earlier:
            return cls(1971, 1, 1, tzinfo=tz)

    monkeypatch.setattr("index.lock.datetime", Earlier)
    monkeypatch.setattr("time.time", lambda: 3.0)
    before = {path: path.read_bytes() for path in corpus.directory.rglob("*.segment")}
    for path in [corpus.directory, *corpus.directory.rglob("*")]:
        os.utime(path, (4e9, 4e9))  # the index was written in the future
    write_files(docs, {"otan.txt": OTAN.replace("30", "40"), "neuf.txt": "Un texte neuf."})
    for path in docs.iterdir():
        os.utime(path, (5.0, 5.0))  # and the files long ago: what changed is known by content
    assert counts(corpus.refresh()) == (1, 1, 0, 4, 2)
    assert corpus.generation == 2
    assert before.items() - {path: path.read_bytes() for path in corpus.directory.rglob("*.segment")}.items()
    reopened = CorpusIndex.open(corpus.directory, embedder=HashingEmbedder())
    assert answers(reopened, "Otan") == answers(corpus, "Otan")
    assert "40 navires" in reopened.search("navires")[0].passage.text
    assert_like_fresh(corpus, [docs])


# -- dates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        ("2022-09", None, ["L3", "a1", "a2"]),
        ("2022-09-06", "2022-12", ["a2"]),
        (None, "2022-09-05", ["a1"]),
        ("2023-06", "2023-06", ["L3"]),
        ("2024", None, []),
        ("2023", "2022", []),
    ],
)
def test_dates_filter_both_indexes(corpus: CorpusIndex, since: str | None, until: str | None, found: list[str]) -> None:
    hits = corpus.search("gazoduc", k=50, since=since, until=until)
    assert sorted(hit.passage.document.source.partition("#")[2] for hit in hits) == found
    fused = FusionWeights()
    everything = {hit.passage.number: hit for hit in corpus.search("gazoduc", k=50, weights=fused)}
    narrowed = corpus.search("gazoduc", k=50, since=since, until=until, weights=fused)
    assert all(everything[hit.passage.number] == hit for hit in narrowed)  # a filter changes no score


@pytest.mark.parametrize(
    ("question", "options"),
    [
        ("", {}),
        (" \n", {}),
        ("x" * 2001, {}),
        ("otan", {"k": 0}),
        ("otan", {"since": "hier"}),
        ("otan", {"until": "2022-13"}),
    ],
)
def test_a_wrong_question_is_refused(corpus: CorpusIndex, question: str, options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        corpus.search(question, **options)
    assert corpus.search("otan")


def test_half_a_character_is_refused(seed_corpus: CorpusIndex) -> None:
    with pytest.raises(InputError, match="lone surrogate"):
        seed_corpus.search("demi \ud800")


def test_k_may_be_more_than_there_are(corpus: CorpusIndex) -> None:
    assert len(corpus.search("otan", k=10**15)) == 5
    assert len(corpus.search("otan", k=2)) == 2


# -- other models, analyzers, formats --------------------------------------------------------------------------------


def test_another_model_is_refused_then_built_with(corpus: CorpusIndex, docs: Path) -> None:
    other = HashingEmbedder(16)
    opened = CorpusIndex.open(corpus.directory, embedder=other)
    for use in (
        lambda: opened.search("otan"),
        lambda: opened.add([docs]),
        lambda: opened.remove([str(docs)]),
        opened.refresh,
        lambda: opened.embedder,
    ):
        with pytest.raises(
            IndexMismatchError, match=r"built with embedding model hashing-24 .*`python -m index build"
        ) as e:
            use()
        assert (e.value.found, e.value.expected) == ("hashing-24/1", "hashing-16/1")
    assert other.texts == []
    rebuilt, report = CorpusIndex.build_with_report([docs], corpus.directory, embedder=other)
    assert (counts(report), report.generation, len(other.texts)) == ((0, 0, 0, 5, 5), 2, 5)
    status = rebuilt.status()
    assert (status.embedder, status.dimension, rebuilt.verify()) == ("hashing-16", 16, [])
    assert rebuilt.search("Stoltenberg")[0].passage.text == OTAN
    with pytest.raises(IndexMismatchError):
        corpus.search("otan")


def test_another_model_of_the_same_dimension_reuses_no_embedding(corpus: CorpusIndex, docs: Path) -> None:
    other = HashingEmbedder(24, salt="-bis")
    _, report = CorpusIndex.build_with_report([docs], corpus.directory, embedder=other)
    assert counts(report) == (0, 0, 0, 5, 5)
    fresh = CorpusIndex.build([docs], corpus.directory.with_name("fresh"), embedder=HashingEmbedder(24, salt="-bis"))
    assert index_rows(corpus.directory) == index_rows(fresh.directory)


def test_a_file_unreadable_when_the_model_changes_is_dropped(corpus: CorpusIndex, docs: Path) -> None:
    (docs / "otan.txt").unlink()
    os.mkfifo(docs / "otan.txt")
    changed, report = CorpusIndex.build_with_report([docs], corpus.directory, embedder=HashingEmbedder(16))
    assert counts(report) == (0, 0, 1, 4, 5)
    assert changed.verify() == []


def test_a_model_that_moved_is_found_under_its_new_name(
    corpus: CorpusIndex, docs: Path, embedder: HashingEmbedder
) -> None:
    embedder.name = "elsewhere"
    _, report = CorpusIndex.build_with_report([docs], corpus.directory, embedder=embedder)
    assert (counts(report), report.generation) == ((0, 0, 0, 5, 0), 1)
    assert corpus.status().embedder == "elsewhere"


def test_an_open_index_follows_a_build_with_another_model(
    corpus: CorpusIndex, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = {"hashing-24": HashingEmbedder(), "hashing-16": HashingEmbedder(16)}
    monkeypatch.setattr("index.corpus.open_embedder", lambda name: models[name])
    page = CorpusIndex.open(corpus.directory)
    assert page.search("Stoltenberg")[0].passage.text == OTAN
    CorpusIndex.build([docs], corpus.directory, embedder=HashingEmbedder(16))
    assert page.search("Stoltenberg")[0].passage.text == OTAN
    assert page.embedder is models["hashing-16"]


def test_another_analyzer_is_refused_and_repaired(
    corpus: CorpusIndex, docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedder: HashingEmbedder
) -> None:
    class Letters(Analyzer):
        """A next version, of other terms: words are cut after their first four letters, and short ones are dropped."""

        version = "letters-1"

        def terms(self, text: str) -> list[str]:
            return [word[:4] for word in re.findall(r"\w{4,}", text.lower())]

    with monkeypatch.context() as patch:
        patch.setattr("index.corpus.Analyzer", Letters)
        with pytest.raises(
            IndexMismatchError, match=r"made by analyzer .*letters-1: `python -m index repair"
        ) as caught:
            CorpusIndex.open(corpus.directory, embedder=embedder)
        assert caught.value.expected == "letters-1"
        fresh = CorpusIndex.build([docs], tmp_path / "fresh", embedder=HashingEmbedder())
        CorpusIndex.repair(corpus.directory)
        repaired = CorpusIndex.open(corpus.directory, embedder=embedder)
        assert index_rows(repaired.directory) == index_rows(fresh.directory)
        assert answers(repaired, "navires secrets") == answers(fresh, "navires secrets")
        assert (repaired.verify(), repaired.generation, embedder.texts) == ([], 1, [])
    for use in (lambda: corpus.search("otan"), lambda: corpus.add([docs])):  # opened before, by the former program
        with pytest.raises(IndexMismatchError, match="made by analyzer letters-1"):
            use()
    _, report = CorpusIndex.build_with_report([docs], corpus.directory, embedder=embedder)  # build mends it by itself
    assert (counts(report), embedder.texts) == ((0, 0, 0, 5, 0), [])
    assert_like_fresh(corpus, [docs])


def test_another_format_is_built_anew(corpus: CorpusIndex, docs: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_files(corpus.directory, {"notes.txt": "Un fichier qui n'est pas à nous."})
    write_files(corpus.directory.with_name("index.old"), {"a.txt": "Une copie."})
    with closing(sqlite3.connect(corpus.directory / "catalog.sqlite")) as connection, connection:
        connection.execute("""UPDATE manifest SET value = replace(value, '"format": 2', '"format": 99')""")
    for use in (
        lambda: CorpusIndex.open(corpus.directory),
        lambda: CorpusIndex.repair(corpus.directory),
        corpus.verify,
    ):
        with pytest.raises(IndexMismatchError, match="has format 99, this program has 2: build it again"):
            use()
    rebuilt, report = CorpusIndex.build_with_report([docs], corpus.directory, embedder=HashingEmbedder())
    assert counts(report) == (5, 0, 0, 0, 5)
    assert "it is built anew" in caplog.text
    assert (rebuilt.verify(), rebuilt.search("Stoltenberg")[0].passage.text) == ([], OTAN)
    assert corpus.search("Stoltenberg")[0].passage.text == OTAN  # who had the former one open sees the new
    assert (corpus.directory / "notes.txt").exists()
    assert corpus.directory.with_name("index.old").joinpath("a.txt").exists()
    assert sorted(path.name for path in corpus.directory.iterdir() if not path.name.startswith("catalog.sqlite-")) == [
        "catalog.sqlite",
        "manifest.json",
        "notes.txt",
        "segments",
        "writer.lock",
    ]


@pytest.mark.parametrize("damage", ["cut", "zeros", "text", "empty", "no manifest", "deep"])
def test_a_damaged_catalog_is_named_and_built_anew(docs: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "index"
    write_files(docs, {f"{n}.txt": f"Texte {n}. {OTAN * 9}" for n in range(30)})
    CorpusIndex.build([docs], folder, embedder=HashingEmbedder())._catalog.close()
    path = folder / "catalog.sqlite"
    content = bytearray(path.read_bytes())
    if damage == "no manifest":
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("DELETE FROM manifest")
    elif damage == "deep":
        content[len(content) // 4 :] = b"\xff" * (len(content) - len(content) // 4)
        path.write_bytes(content)
    else:
        half, zeros = bytes(content[: len(content) // 2]), bytes(len(content))
        path.write_bytes({"cut": half, "zeros": zeros, "text": b"abc" * 999, "empty": b""}[damage])
    with pytest.raises(IndexDamagedError, match="python -m index build PATHS --index"):
        CorpusIndex.open(folder, embedder=HashingEmbedder()).search("otan")
    write_files(docs, {"otan.txt": "Rien de nouveau."})
    rebuilt, report = CorpusIndex.build_with_report([docs], folder, embedder=HashingEmbedder())
    assert counts(report) == (35, 0, 0, 0, report.n_embedded)
    assert_like_fresh(rebuilt, [docs])


def test_building_anew_that_fails_leaves_all_as_it_was(corpus: CorpusIndex, docs: Path, tmp_path: Path) -> None:
    corpus._catalog.close()
    (corpus.directory / "catalog.sqlite").write_bytes(b"damaged" * 99)
    before = {path: path.read_bytes() for path in corpus.directory.rglob("*") if path.is_file()}
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(InputError, match="no document could be read"):
        CorpusIndex.build([empty], corpus.directory, embedder=HashingEmbedder())
    assert {path: path.read_bytes() for path in corpus.directory.rglob("*") if path.is_file()} == before


def test_building_anew_keeps_the_model(corpus: CorpusIndex, docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def opened(name: str | None) -> HashingEmbedder:
        asked.append(name)
        return HashingEmbedder()

    monkeypatch.setattr("index.corpus.open_embedder", opened)
    corpus._catalog.close()
    (corpus.directory / "catalog.sqlite").write_bytes(b"damaged" * 99)
    assert CorpusIndex.build([docs], corpus.directory).status().embedder == "hashing-24"
    assert asked == ["hashing-24"]


# -- verify and repair -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "lines"),
    [
        ("UPDATE documents SET text = replace(text, '30', '80')", ["document .*otan.txt: .* `remove`", "passage"]),
        ("UPDATE documents SET title = 'Faux' WHERE title = 'Gaz'", ["document .*#a2: .* `remove`", "passage .*#a2"]),
        ("UPDATE passages SET vector = zeroblob(48) WHERE number = 2", ["passage 2 has other numbers in its emb"]),
        ("DELETE FROM passages WHERE number = 2", ["segment entry 2 has no passage"]),
        ("INSERT INTO passages SELECT 99, document, first, past, hash, vector FROM passages LIMIT 1",
         ["passage 99 is in no segment"]),
        ("DELETE FROM sources WHERE source LIKE '%otan.txt'", ["the catalog of .* is damaged .*document .* no source"]),
        ("UPDATE documents SET date = '2021' WHERE title = 'Gaz'", ["document .*#a2: .* `remove`"]),
        ("UPDATE documents SET sentences = x''", ["the catalog of .* is damaged .*names sentences"]),
    ],
    ids=["text", "title", "embedding", "no passage", "no entry", "no source", "date", "spans"],
)  # fmt: skip
def test_verify_names_a_row_that_is_not_what_was_read(corpus: CorpusIndex, statement: str, lines: list[str]) -> None:
    assert corpus.verify() == []
    with closing(sqlite3.connect(corpus.directory / "catalog.sqlite")) as connection, connection:
        connection.execute(statement)
    wrong = CorpusIndex.open(corpus.directory, embedder=HashingEmbedder()).verify()
    assert len(wrong) == len(lines), wrong
    assert all(re.search(expected, line) for expected, line in zip(lines, wrong, strict=True)), wrong


def test_remove_and_build_mend_a_faulty_row(corpus: CorpusIndex, docs: Path) -> None:
    with closing(sqlite3.connect(corpus.directory / "catalog.sqlite")) as connection, connection:
        connection.execute("UPDATE documents SET text = replace(text, '30', '80')")
    corpus.remove([f"{docs.as_posix()}/otan.txt"])
    assert counts(corpus.update([docs])) == (1, 0, 0, 4, 1)
    assert_like_fresh(corpus, [docs])


def test_repair_makes_the_search_files_again_without_embedding(corpus: CorpusIndex, embedder: HashingEmbedder) -> None:
    before, rows = answers(corpus, "navires de l'Otan"), index_rows(corpus.directory)
    former = {path for path in corpus.directory.rglob("*") if path.is_file() and path.parent != corpus.directory}
    repaired = CorpusIndex.repair(corpus.directory)
    assert not [path for path in former if path.exists()]
    assert (repaired.verify(), repaired.generation, embedder.texts) == ([], 1, [])
    assert index_rows(corpus.directory) == rows
    assert answers(CorpusIndex.open(corpus.directory, embedder=embedder), "navires de l'Otan") == before
    assert answers(corpus, "navires de l'Otan") == before


def test_missing_index(tmp_path: Path) -> None:
    for use in (CorpusIndex.open, CorpusIndex.repair):
        with pytest.raises(IndexMissingError, match=r"no index in .*: build one with `python -m index build"):
            use(tmp_path / "absent")
    assert list(tmp_path.iterdir()) == []


def test_the_manifest_beside_the_catalog_is_that_of_the_catalog(corpus: CorpusIndex, docs: Path) -> None:
    for change in (lambda: None, lambda: corpus.remove([str(docs / "otan.txt")]), lambda: corpus.add([docs])):
        change()
        record = json.loads((corpus.directory / "manifest.json").read_text(encoding="utf-8"))
        assert record == json.loads(corpus._catalog.manifest().to_json())
        named = {*record["sha256"]}
        held = {p.relative_to(corpus.directory).as_posix() for p in corpus.directory.glob("*/**/*") if p.is_file()}
        assert named == {name for name in held if not name.endswith(".lock")}


# -- any sequence of changes -----------------------------------------------------------------------------------------

TEXTS = [OTAN, CHAR, "Une première édition.", "Une seconde édition. Elle est plus longue.", "Le gazoduc. " * 40]
names = st.sampled_from(["a.txt", "b.txt", "sous/c.txt", "d.jsonl"])
contents = st.lists(st.integers(0, len(TEXTS) - 1), min_size=1, max_size=3)
SLOW = [HealthCheck.too_slow]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), names, contents),
        st.tuples(st.just("delete"), names, st.none()),
        st.tuples(st.just("rename"), names, names),
        st.tuples(st.just("add"), names, st.none()),
        st.tuples(st.just("remove"), names, st.none()),
        st.tuples(st.just("refresh"), st.none(), st.none()),
        st.tuples(st.just("repair"), st.none(), st.none()),
        st.tuples(st.just("reopen"), st.none(), st.none()),
    ),
    min_size=2,
    max_size=10,
)


def content_of(name: str, picks: list[int]) -> str:
    if name.endswith(".jsonl"):
        return json_lines([{"id": str(n), "text": TEXTS[n], "title": f"Titre {n}", "date": "2022"} for n in picks])
    return "\n".join(TEXTS[n] for n in picks)


@pytest.mark.parametrize("size", ["small", "large"])
@settings(max_examples=200 if os.environ.get("SOURCIER_LONG") else 20, deadline=None, suppress_health_check=SLOW)
@given(sequence=steps)
def test_any_sequence_of_changes_equals_a_fresh_build(
    tmp_path_factory: pytest.TempPathFactory, size: str, sequence: list[tuple[str, Any, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("sequence")
    docs = write_files(folder / "docs", {"fixe.txt": "Un texte qui reste.", "autre.txt": "Un autre qui reste."})
    with pytest.MonkeyPatch.context() as patch:
        if size == "large":  # many segments, large ones with codes, as those of a large index are
            patch.setattr("index.segments.MAX_ROWS", 8)
            patch.setattr("index.segments.FULL_ROWS", 3)
            patch.setattr("index.segments._JOINED", 2)
            patch.setattr("index.segments._LARGE_CLASS", 1)
            patch.setattr("index.segments._FULL", 2)
            patch.setattr("index.segments._MOST", {1: 2})
            patch.setattr("index.vectors.CODED_ROWS", 3)
            patch.setattr("index.search.EXACT_ROWS", 3)
        corpus = CorpusIndex.build([docs], folder / "index", embedder=HashingEmbedder())
        for action, name, detail in sequence:
            corpus = carry_out(corpus, docs, action, name, detail)
            assert corpus.verify() == []
        corpus.update([docs])
        assert_like_fresh(
            corpus, [docs], tables=("files", "roots", "problems", "sources", "documents", "fields", "passages")
        )


def carry_out(corpus: CorpusIndex, docs: Path, action: str, name: str | None, detail: Any) -> CorpusIndex:
    """Do one step; return the index, opened again where the step says so."""
    path = docs / (name or "")
    if action == "write":
        write_files(docs, {path.relative_to(docs).as_posix(): content_of(path.name, detail)})
    elif action == "delete":
        path.unlink(missing_ok=True)
    elif action == "rename" and path.exists() and not (docs / detail).exists():
        (docs / detail).parent.mkdir(exist_ok=True)
        path.rename(docs / detail)
    elif action == "add" and path.exists():
        corpus.add([path])
    elif action == "remove" and any(source.startswith(str(path)) for source in sources(corpus)):
        corpus.remove([str(path)])
        assert files_holding(corpus.directory, str(path)) == []
    elif action == "refresh":
        corpus.refresh()
    elif action == "repair":
        CorpusIndex.repair(corpus.directory)
    elif action == "reopen":
        return CorpusIndex.open(corpus.directory, embedder=HashingEmbedder())
    return corpus
