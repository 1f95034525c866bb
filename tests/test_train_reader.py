"""How the reader is trained, stage by stage and the whole way from articles to readers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from qa.bundled_reader import BundledReader
from tests.small_packs import (
    FIRST_ID,
    INNER,
    WIDTH,
    base_file,
    grouped,
    laid_out,
    shrink,
)
from training import ablate_reader, export_reader, make_reader, pack_reader, reader_questions, train_reader
from training.ablate_reader import variants
from training.base_model import BaseModel
from training.corpora import half_of
from training.pack_reader import ALTERED_SOURCE
from training.reader_batches import Batch, Groups, Pieces
from training.reader_data import fold_text
from training.reader_figures import Floats, best_span, reader_figures
from training.reader_net import (
    NOWHERE,
    ReaderNet,
    read_net,
    reader_loss,
)
from training.reader_questions import SETS, ReaderQuestion, read_reader_questions
from training.train_reader import Batches, Stage

UNHURRIED = settings(deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@UNHURRIED
@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=9),
    st.integers(1, 10),
)
def test_the_best_span_is_that_of_all_spans(logits: list[tuple[int, int]], most: int) -> None:
    start, end = np.array(logits, dtype=np.float32).T
    n = len(logits)
    sums = {(i, j): start[i] + end[j] for i in range(n) for j in range(i, min(i + most, n))}
    found = best_span(start, end, most=most)
    assert sums[found] == max(sums.values())


def test_the_best_span_has_at_most_forty_pieces() -> None:
    start, end = np.zeros(60, np.float32), np.zeros(60, np.float32)
    start[3], end[42], end[43] = 5, 5, 11
    assert best_span(start, end) == (4, 43)  # 3 to 43 would be 41 pieces
    end[42] = 7
    assert best_span(start, end) == (3, 42)


def test_the_rate_rises_over_a_twentieth_and_falls_to_nearly_nothing() -> None:
    stage = Stage("essai", 200, 1, 1, 0.5)
    rates = [stage.rate_at(step) for step in range(1, 201)]
    assert rates[:3] == pytest.approx([0.05, 0.1, 0.15])
    assert rates[9] == max(rates) == 0.5
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[104] == pytest.approx(0.5 * (96 / 201) / 0.95)
    assert 0 < rates[-1] < 0.003


def test_each_question_is_asked_once_an_epoch() -> None:
    pieces, asked = laid_out([(0, [9])] * 9, [3] * 7)
    groups = grouped(pieces, asked, list(range(7)), [[7, 8]] * 7)
    batches = Batches(pieces, groups, Stage("essai", 7, 3, 2, 0.1))
    assert len(batches) == 7
    first = {start + FIRST_ID: number for number, (start, _) in enumerate(asked)}
    order = [first[int(number)] for step in range(7) for number in batches[step].ids[::2, 1]]
    epochs = [order[:7], order[7:14], order[14:]]
    assert [sorted(epoch) for epoch in epochs] == [list(range(7))] * 3
    assert len({tuple(epoch) for epoch in epochs}) == 3
    np.testing.assert_array_equal(batches[4].ids, batches[4].ids)
    same = Batches(pieces, groups.take(np.zeros(7, np.int64)), Stage("essai", 7, 3, 2, 0.1))
    shapes = {tuple(same[step].window[:, 0].tolist()) for step in range(7)}
    assert len(shapes) > 1  # near misses are drawn anew


# The whole way, from articles to readers.

NEWS = {
    name: f"{text} {close}"
    for name, text, close in (
        ("n1", "Claire Fontaine a ouvert la passerelle de bois du jardin.", "Le maire aime la passerelle du jardin."),
        ("n2", "Marc Ducom a offert un vieux bateau aux gens du village.", "Le bateau des gens du village est bleu."),
        ("n3", "Le port de Brest attend douze navires gris.", "Tous les navires gris partent de Brest."),
        ("n4", "La fin de la course arrive lundi.", "La course a trop duré."),
        ("n5", "Un chanteur, Marc Ducom, a chanté ici.", "Claire Fontaine reste."),
        ("n6", "Une usine ferme ses portes.", "Les portes sont grises."),
        ("n7", "Des moutons mangent le foin.", "Le foin manque."),
        (
            "n8",
            "Jean Secret garde un trésor de bois du jardin public.",
            "Le trésor du jardin public est à Jean Secret.",
        ),
    )
}
NEWS["n1"] += " La passerelle du jardin fut voulue par Claire Fontaine. Il pleut. Claire Fontaine a souri."
CLOSED = "n8"
QUESTIONS = {
    "news-train": [("n1", "Claire Fontaine"), ("n2", "Marc Ducom"), ("n3", "douze"), ("n4", "lundi"), ("n5", None)],
    "wiki-train": [("train-0", "1887")],
    "news-dev": [(CLOSED, "Jean Secret"), ("n1", None)],
    "news-dev-large": [("n2", "vieux bateau"), ("n3", None)],
    "piaf-dev": [("dev-1", "marbre")],
}
WIKI = {"train-0": "Le phare date de 1887. Il est haut.", "dev-1": "La statue est en marbre. Elle est vieille."}


def corpus_folders(folder: Path) -> tuple[Path, Path]:
    """Write a few articles and paragraphs as ../shared/data has them, and what search found."""
    data, runs = folder / "data", folder / "runs"
    for part in (data / "news", data / "piaf", data / "afriqa-fr", data / "text", runs):
        part.mkdir(parents=True)
    (data / "news/eval-ids.txt").write_text(f"{CLOSED}\n", encoding="utf-8")
    with gzip.open(data / "news/articles.jsonl.gz", "wt", encoding="utf-8") as lines:
        for name, text in NEWS.items():
            article = {"id": name, "title": f"Titre {name}", "heading": "", "date": "2021-03-04", "text": text}
            lines.write(json.dumps(article) + "\n")
    for name, text in WIKI.items():
        paragraphs = [{"context": text, "qas": []}]
        content = json.dumps({"data": [{"title": "Un lieu", "paragraphs": paragraphs}]})
        (data / f"piaf/{name.partition('-')[0]}.json").write_text(content, encoding="utf-8")
    (data / "afriqa-fr/essai.train.json").write_text("", encoding="utf-8")
    for name in ("commonvoice-fr", "eltec-fra"):
        with gzip.open(data / f"text/{name}.txt.gz", "wt", encoding="utf-8") as lines:
            lines.write("le port\n")
    for name in SETS:
        with (runs / f"{name}.jsonl").open("w", encoding="utf-8") as lines:
            for number, (article, answer) in enumerate(QUESTIONS[name]):
                text = (NEWS | WIKI)[article]
                start = text.index(answer) if answer else 0
                places = [(each, other.index(". ") + 2, len(other), -1.0) for each, other in NEWS.items()]
                record = {
                    "id": f"{name}-{number}",
                    "question": f"Que dit {article} de cela ?",
                    "kind": "",
                    "article": article,
                    "answer": (start, start + len(answer)) if answer else None,
                    "others": [],
                    "found": [(article, 0, 9, 1.5), *places],
                }
                lines.write(json.dumps(record) + "\n")
    return data, runs


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `training.pack_reader` makes of a few articles and a base model of 12 narrow layers."""
    folder = tmp_path_factory.mktemp("reader")
    data, runs = corpus_folders(folder)
    base = BaseModel.read(base_file(folder / "model.bin", layers=12)[0])
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(BaseModel, "bundled", lambda: base)
        monkeypatch.setattr("sys.argv", ["pack_reader", "--data", str(data), "--runs", str(runs)])
        pack_reader.main()
    return runs / "pack"


def packed(pack: Path, name: str) -> tuple[Groups, Pieces, Tokenizer]:
    pieces = Pieces(**load_file(pack / "pieces.safetensors"))
    return Groups(**load_file(pack / f"{name}.safetensors")), pieces, Tokenizer.from_file(str(pack / "tokenizer.json"))


def text_at(pieces: Pieces, tokenizer: Tokenizer, place: NDArray[Any]) -> str:
    text: str = tokenizer.decode(pieces.flat[place[0] : place.sum()].tolist())
    return text.strip()


def test_questions_are_read_as_they_were_written(pack: Path) -> None:
    first = next(read_reader_questions(pack.parent / "news-train.jsonl"))
    places = [(name, text.index(". ") + 2, len(text), -1.0) for name, text in NEWS.items()]
    question = "Que dit n1 de cela ?"
    assert first == ReaderQuestion("news-train-0", question, "", "n1", (0, 15), (), (("n1", 0, 9, 1.5), *places))
    assert [each.answer for each in read_reader_questions(pack.parent / "news-dev.jsonl")][1] is None


def test_the_pack_holds_each_answer_and_shows_no_closed_article(pack: Path) -> None:
    groups, pieces, tokenizer = packed(pack, "questions")
    expected = [answer for name in SETS[:2] for _, answer in QUESTIONS[name]]
    assert [text_at(pieces, tokenizer, place) if place[0] >= 0 else None for place in groups.answer] == expected
    assert groups.source.tolist() == [0] * 5 + [1]
    closed = [number for number, place in enumerate(pieces.sentences) if "Secret" in text_at(pieces, tokenizer, place)]
    assert closed
    assert not np.isin(closed, groups.near).any()
    assert {text_at(pieces, tokenizer, place) for place in groups.questions[0]} >= {
        "Que dit n1 de cela ?",
        "que dit n1 de cela",
    }


def test_cloze_questions_have_their_answers_and_near_misses_without_them(pack: Path) -> None:
    groups, pieces, tokenizer = packed(pack, "cloze")
    documents = {
        int(number): " ".join(text_at(pieces, tokenizer, each) for each in pieces.sentences[pieces.document == number])
        for number in np.unique(pieces.document)
    }
    assert {documents[number][:8] for number in pieces.document[groups.gold].tolist()} == {"Claire F", "Le port "}
    for gold, answer, near in zip(groups.gold, groups.answer, groups.near, strict=True):
        words = fold_text(text_at(pieces, tokenizer, answer))
        assert words in fold_text(text_at(pieces, tokenizer, pieces.sentences[gold]))
        texts = [text_at(pieces, tokenizer, pieces.sentences[number]) for number in near if number >= 0]
        assert texts
        assert all(words not in fold_text(text) for text in texts)
        others = {number for number in pieces.document[near[near >= 0]].tolist() if number != pieces.document[gold]}
        assert all(words not in fold_text(documents[number]) for number in others)
        assert not any("Secret" in documents[number] for number in {*others, int(pieces.document[gold])})


def test_what_search_found_is_kept_in_its_order_for_the_questions_set_aside(pack: Path) -> None:
    groups, pieces, tokenizer = packed(pack, "news-dev")
    assert [text_at(pieces, tokenizer, place) if place[0] >= 0 else None for place in groups.answer] == [
        "Jean Secret",
        None,
    ]
    held = groups.near[0][groups.near[0] >= 0]
    seconds = [text[text.index(". ") + 2 :].split(". ")[0].rstrip(".") + "." for text in NEWS.values()]
    found = [text_at(pieces, tokenizer, pieces.sentences[number]) for number in held]
    assert found == ["Jean Secret garde un trésor de bois du jardin public.", *seconds]
    assert held[0] == groups.gold[0]


def run_training(monkeypatch: pytest.MonkeyPatch, pack: Path, out: Path, *options: str) -> None:
    steps = ["--cloze-steps", "2", "--student-cloze-steps", "1", "--epochs", "1", "--batch", "2"]
    paths = ["--pack", str(pack), "--out", str(out), "--small", str(out / "small")]
    monkeypatch.setattr("sys.argv", ["train_reader", *paths, *steps, *options])
    (out / "small").mkdir(parents=True, exist_ok=True)
    train_reader.main()


def test_readers_are_trained_in_stages_and_none_twice(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shrink(monkeypatch, width=WIDTH, inner=INNER)
    out = tmp_path / "nets"
    folds: dict[str, list[int]] = {}
    whole = train_reader.Training.train

    def recorded(self: Any, net: ReaderNet, groups: Groups, stage: Stage, **options: Any) -> ReaderNet:
        folds[stage.name] = groups.fold.tolist()
        return whole(self, net, groups, stage, **options)

    with monkeypatch.context() as patched:
        patched.setattr(train_reader.Training, "train", recorded)
        run_training(patched, pack, out)
    articles = [article for name in SETS[:2] for article, _ in QUESTIONS[name]]
    assert folds["teacher"] == folds["student"] == [half_of(article) for article in articles]
    assert folds["teacher-half"] == folds["half"] == [0] * folds["teacher"].count(0)
    assert 0 < len(folds["half"]) < len(articles)
    stages = ("teacher-cloze", "teacher", "student-cloze", "student", "teacher-half", "half")
    written = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    assert written.keys() == {f"{stage}.safetensors" for stage in stages}
    assert len(set(written.values())) == 6
    depths = {stage: len(read_net(out / f"{stage}.safetensors").body.encoder.layer) for stage in stages}
    assert depths == {stage: 12 if stage.startswith("teacher") else 6 for stage in stages}
    small = {path.name for path in (out / "small").iterdir()}
    shallow = ("student-cloze", "student", "half")
    assert small == {f"{stage}{part}.safetensors" for stage in shallow for part in ("", "-words")}
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" answers")[0] for line in lines if "pieces/s" in line] == [
        "teacher-cloze 2/2",
        "teacher 3/3",
        "student-cloze 1/1",
        "student 4/4",
        "teacher-half 1/1",
        "half 2/2",
    ]
    told_of = [line.split(":")[0] for line in lines if "gold window" in line]
    assert told_of == [
        f"{stage} {name}" for stage in ("teacher", "student", "teacher-half", "half") for name in train_reader.DEV
    ]
    assert not any("nan" in line for line in lines)

    (out / "half.safetensors").unlink()
    times = {path: path.stat().st_mtime_ns for path in out.iterdir() if path.is_file()}
    run_training(monkeypatch, pack, out)
    again = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in again if "pieces/s" in line] == ["half"]
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())
    assert (out / "half.safetensors").read_bytes() == written["half.safetensors"]


def test_a_stage_that_was_cut_short_ends_as_if_it_had_not_been(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch, width=WIDTH, inner=INNER)
    monkeypatch.setattr(train_reader, "_KEEP_EVERY", 1)
    only = ("--stages", "teacher-cloze", "--cloze-steps", "3")
    run_training(monkeypatch, pack, tmp_path / "whole", *only)
    expected = (tmp_path / "whole/teacher-cloze.safetensors").read_bytes()
    out = tmp_path / "cut"
    calls = []

    def counted(*parts: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return reader_loss(*parts, **options)

    def full(*_: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(train_reader, "reader_loss", counted)
    with pytest.raises(KeyboardInterrupt):
        run_training(monkeypatch, pack, out, *only)
    with monkeypatch.context() as patched:
        patched.setattr(train_reader, "write_net", full)
        with pytest.raises(OSError, match="No space left"):
            run_training(monkeypatch, pack, out, *only)
    assert len(calls) == 2 + 2
    run_training(monkeypatch, pack, out, *only)
    assert len(calls) == 2 + 2
    assert {path.name for path in out.iterdir()} == {"small", "teacher-cloze.safetensors"}
    assert (out / "teacher-cloze.safetensors").read_bytes() == expected


def test_each_step_is_taken_at_the_rate_of_its_stage(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch, width=WIDTH, inner=INNER)
    written = {}
    for first, second in ((0.0, 0.0), (0.0, 1e-3), (1e-3, 0.0)):
        rates = {1: first, 2: second}
        monkeypatch.setattr(Stage, "rate_at", lambda _, step, rates=rates: rates[step])
        out = tmp_path / f"{first}-{second}"
        run_training(monkeypatch, pack, out, "--stages", "teacher-cloze")
        written[first, second] = (out / "teacher-cloze.safetensors").read_bytes()
    assert len(set(written.values())) == 3
    monkeypatch.setattr(Stage, "rate_at", lambda *_: 0.0)
    run_training(monkeypatch, pack, tmp_path / "one", "--stages", "teacher-cloze", "--cloze-steps", "1")
    assert (tmp_path / "one/teacher-cloze.safetensors").read_bytes() == written[0.0, 0.0]


# What a reader reaches, what each kind of data is worth, and all of it by one command.


def test_a_reader_that_knows_the_answers_has_the_best_figures(pack: Path) -> None:
    groups, pieces, _ = packed(pack, "news-dev")
    gold = {int(pieces.sentences[number, 0]): place for number, place in zip(groups.gold, groups.answer, strict=True)}

    def told(batch: Batch, *, right: bool) -> tuple[Floats, Floats, Floats]:
        start, end = (np.full(batch.ids.shape, NOWHERE, np.float32) for _ in range(2))
        answers = np.full(len(batch.ids), -3.0, np.float32)
        for row, (begin, place) in enumerate(batch.window.tolist()):
            first, length = gold.get(begin, (-1, 0))
            start[row, place], end[row, place] = 1.0, 1.0
            if first >= 0 and begin <= first and right:
                answers[row], start[row, place + first - begin] = 3.0, 9.0
                end[row, place + first - begin + length - 1] = 9.0
        return answers, start, end

    knows = reader_figures(partial(told, right=True), pieces, groups)
    assert (knows.exact.tolist(), knows.overlap.tolist(), knows.first.tolist()) == ([True], [1.0], [True])
    assert (knows.known.tolist(), knows.auroc, knows.answers.tolist()) == ([True, False], 1.0, [3.0])
    assert str(knows) == (
        "gold window: exact 1.000 piece F1 1.000; first of 12 sentences 1.000, AUROC 1.000; answers 1.000"
    )
    guesses = reader_figures(partial(told, right=False), pieces, groups)
    assert not guesses.exact.any()
    assert guesses.overlap[0] < 1.0
    assert guesses.auroc == 0.5
    all_known = reader_figures(partial(told, right=True), pieces, groups.take(groups.gold >= 0))
    assert all_known.auroc is None
    assert "AUROC" not in str(all_known)


def test_each_reader_of_the_ablation_lacks_one_kind_of_question() -> None:
    pieces, asked = laid_out([(0, [9])] * 9, [3] * 5)
    groups = grouped(pieces, asked, [0, 1, -1, -1, -1], [[7, 8]] * 5)
    groups.source = np.array([0, 1, 0, ALTERED_SOURCE, ALTERED_SOURCE + 1])
    kept = variants(groups)
    numbers = {
        name: [asked.index(tuple(place)) for place in each.questions[:, 0].tolist()] for name, each in kept.items()
    }
    assert numbers == {
        "everything": [0, 1, 2, 3, 4],
        "without-cloze": [0, 1, 2, 3, 4],
        "without-news": [1, 4],
        "without-wikipedia": [0, 2, 3],
        "without-altered": [0, 1, 2],
        "without-unanswerable": [0, 1],
        "without-near-misses": [0, 1, 2, 3, 4],
    }
    assert (kept["without-near-misses"].near == -1).all()
    assert (groups.near >= 0).all()


def test_the_ablation_goes_on_where_it_stopped_and_tells_the_differences(
    pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shrink(monkeypatch, width=WIDTH, inner=INNER)
    steps = ["--cloze-steps", "1", "--steps", "2", "--batch", "2", "--group", "2"]
    only = ["--only", "everything", "without-cloze", "without-news"]
    monkeypatch.setattr("sys.argv", ["ablate", "--pack", str(pack), "--out", str(tmp_path), *steps, *only])
    ablate_reader.main()
    lines = capsys.readouterr().out.splitlines()
    trained = [line.split(" answers")[0] for line in lines if "pieces/s" in line]
    assert trained == ["cloze 1/1", "everything 2/2", "without-cloze 2/2", "without-news 2/2"]
    rows = [line.split(" | ") for line in lines if line.startswith("|")]
    assert [(row[0], row[1]) for row in rows] == [
        (f"| {name}", key)
        for name in ("everything, 6", "without-cloze, 6", "without-news, 1")
        for key in ("piaf-dev", "news-dev", "news-dev-large")
    ]
    assert all(("[" in cell) or cell == "– |" for row in rows for cell in row[2:])
    assert ["+" in row[3] or "-" in row[3] for row in rows] == [False] * 3 + [True] * 6
    readers = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    (tmp_path / "without-news.safetensors").unlink()
    for path in tmp_path.glob("without-news.*"):
        path.unlink()
    ablate_reader.main()
    again = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in again if "pieces/s" in line] == ["without-news"]
    assert [line for line in again if line.startswith("|")] == [line for line in lines if line.startswith("|")]
    kept = {path: time for path, time in readers.items() if not path.name.startswith("without-news")}
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())


def test_one_command_goes_from_the_data_to_both_readers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shrink(monkeypatch, width=WIDTH, inner=INNER)
    data, runs = corpus_folders(tmp_path)
    base = BaseModel.read(base_file(tmp_path / "model.bin", layers=12)[0])
    monkeypatch.setattr(BaseModel, "bundled", lambda: base)
    (runs / "news-dev.jsonl").rename(tmp_path / "asked.jsonl")
    asked = []

    def ask(arguments: Sequence[str]) -> None:
        asked.append(arguments[0])
        (tmp_path / "asked.jsonl").rename(runs / f"{arguments[0]}.jsonl")

    monkeypatch.setattr(reader_questions, "main", ask)
    monkeypatch.setattr(export_reader, "_compare", lambda *_: "compared")  # one window has no correlation
    paths = ["--data", str(data), "--runs", str(runs), "--out", str(tmp_path / "out")]
    steps = ["--cloze-steps", "2", "--student-cloze-steps", "1", "--epochs", "1", "--batch", "2"]
    make_reader.main([*paths, *steps])
    assert asked == ["news-dev"]
    folders = [tmp_path / "out" / name for name in ("qa/models/reader", "training/models/half-reader")]
    models = [(folder / "model.onnx").read_bytes() for folder in folders]
    assert models[0] != models[1]
    assert [BundledReader.open(folder).name for folder in folders] == [str(folder) for folder in folders]
    first = capsys.readouterr().out
    assert "half 2/2" in first
    assert first.count("compared") == 2
    packed_at = (runs / "pack/pieces.safetensors").stat().st_mtime_ns
    make_reader.main([*paths, *steps])
    assert asked == ["news-dev"]
    assert (runs / "pack/pieces.safetensors").stat().st_mtime_ns == packed_at
    assert "pieces/s" not in capsys.readouterr().out
    assert [(folder / "model.onnx").read_bytes() for folder in folders] == models
