"""Readers: what the model is given, and what its logits become, against the training code, torch and sums by hand."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import numpy_helper

from index.errors import InputError, ModelError
from index.split import split_sentences
from index.types import Document, Sentence, Span
from qa.bundled_reader import BundledReader, heading
from qa.reader import Reader, Window, open_reader
from qa.readings import UNREAD, Pieces, reading_of
from qa.transformers_reader import TransformersReader
from tests.conftest import ROOT
from tests.model_folders import save_bert
from tests.small_readers import (
    LENGTHS,
    save_question_answering,
    save_reader,
    small_net,
    small_tokenizer,
    telling_reader,
)

QUESTION = "Combien de navires compte le port ?"
TEXTS = [
    "Le port de Brest compte trois navires. Les autres sont partis. Il pleut.",
    "Le char pèse 56 tonnes.",
    "La ville de Kiel en compte deux, dit le maire. « Deux de trop », répond le port.",
    "mot " * 40,
    "12\u202f500\u202f€ : la somme 😀 de l’İstanbul. Zoe\u0301 l’a dit.",
]


def window_of(text: str, *, title: str | None = None, date: str | None = None) -> Window:
    """Return the sentences of a text as one window."""
    document = Document("d", "d", text, title=title, date=date)
    return Window(tuple(Sentence(document, span) for span in split_sentences(text)))


def window_cut(*texts: str) -> Window:
    """Return texts as the sentences of one window, a space between."""
    document, sentences, start = Document("d", "d", " ".join(texts)), [], 0
    for text in texts:
        sentences.append(Sentence(document, Span(start, start + len(text))))
        start += len(text) + 1
    return Window(tuple(sentences))


WINDOWS = [window_of(text, title="Le port", date="2019-02-13") for text in TEXTS]


def pieces_of(window: Window) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    """Return the pieces of a window, the sentence of each and its characters in the document, sentence by sentence."""
    tokenizer, ids, owners, places = small_tokenizer(), [], [], []
    for number, sentence in enumerate(window.sentences):
        encoding = tokenizer.encode(sentence.text, add_special_tokens=False)
        ids += encoding.ids
        owners += [number] * len(encoding.ids)
        places += [(sentence.span.start + start, sentence.span.start + end) for start, end in encoding.offsets]
    return ids, owners, places


def ids_of(question: str, window: Window) -> tuple[list[int], int]:
    """Return what the model is given, and where the window begins in it."""
    tokenizer = small_tokenizer()
    asked, told = (
        tokenizer.encode(text, add_special_tokens=False).ids
        for text in (question, heading(window.document.title, window.document.date))
    )
    before = [0, *asked[:40], 2, *told[:28], 2]
    return [*before, *pieces_of(window)[0], 2], len(before)


def telling(first: int, start: Any, end: Any, *, answers: float = 0.0) -> Any:
    """Return what a model says that has these logits in the window, which begins at a place, and others outside."""

    def say(ids: NDArray[np.int64]) -> tuple[float, NDArray[Any], NDArray[Any]]:
        rows = np.full((2, len(ids)), 50.0)
        rows[:, first : first + len(start)] = start, end
        return answers, rows[0], rows[1]

    return telling_reader(say)[0]


def read_span(window: Window, wanted: str) -> str:
    """Return the text of the span that is read where the logits point at the pieces that some characters lie in."""
    _, owners, places = pieces_of(window)
    low = window.document.text.index(wanted)
    held = [n for n, (start, end) in enumerate(places) if start < low + len(wanted) and end > low]
    start, end = np.zeros(len(owners)), np.zeros(len(owners))
    start[held[0]] = end[held[-1]] = 30.0
    (reading,) = telling(ids_of(QUESTION, window)[1], start, end).read(QUESTION, [window])
    span = reading.spans[owners[held[0]]]
    return window.document.text[span.start : span.end]


def span_of(text: str, sentence: Span, low: int, high: int, *, n: int | None = None) -> Span:
    """Return the span that is read where the logits point at a range of characters, each a piece of its own.

    Args:
        text: of the document.
        sentence: the only one of the window.
        low: first character.
        high: the one after the last.
        n: characters read of the sentence; all where not given.
    """
    read = range(sentence.start, sentence.start + n if n else sentence.end)
    places = np.array([(place, place + 1) for place in read])
    start, end = np.zeros((2, len(places)), np.float32)
    start[low - sentence.start] = end[high - 1 - sentence.start] = 60.0
    window = Window((Sentence(Document("d", "d", text), sentence),))
    return reading_of(window, 0.0, start, end, Pieces(places, np.zeros(len(places), np.int64))).spans[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_reader(tmp_path_factory.mktemp("small") / "reader")


@pytest.fixture(scope="module")
def bundled(folder: Path) -> BundledReader:
    return BundledReader.open(folder)


@pytest.fixture(scope="module")
def answering_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_question_answering(tmp_path_factory.mktemp("answering") / "model")


@pytest.fixture(scope="module")
def answering(answering_folder: Path) -> TransformersReader:
    return TransformersReader.open(str(answering_folder))


@pytest.fixture(params=["bundled", "answering"])
def reader(request: pytest.FixtureRequest) -> Reader:
    chosen: Reader = request.getfixturevalue(request.param)
    return chosen


class TestContract:
    def test_no_window_is_no_reading(self, reader: Reader) -> None:
        assert reader.read(QUESTION, []) == []

    def test_there_is_one_reading_a_window_in_the_order_given(self, reader: Reader) -> None:
        alone = [reader.read(QUESTION, [window])[0] for window in WINDOWS]
        assert len({reading.answers for reading in alone}) == len(WINDOWS)
        backwards = reader.read(QUESTION, WINDOWS[::-1])[::-1]
        assert [r.answers for r in backwards] == pytest.approx([r.answers for r in alone], abs=1e-4)
        assert [r.spans for r in backwards] == [r.spans for r in alone]

    def test_the_same_question_has_the_same_readings(self, reader: Reader) -> None:
        assert reader.read(QUESTION, WINDOWS) == reader.read(QUESTION, WINDOWS)

    def test_a_span_lies_in_its_sentence_and_begins_and_ends_with_a_character_of_it(self, reader: Reader) -> None:
        for window, reading in zip(WINDOWS, reader.read(QUESTION, WINDOWS), strict=True):
            assert len(reading.spans) == len(reading.sentences) == len(reading.span_scores) == len(window.sentences)
            for sentence, span in zip(window.sentences, reading.spans, strict=True):
                text = window.document.text[span.start : span.end]
                assert sentence.span.start <= span.start <= span.end <= sentence.span.end
                assert text == text.strip()

    def test_the_shares_of_the_sentences_sum_to_the_window(self, reader: Reader) -> None:
        for reading in reader.read(QUESTION, WINDOWS):
            read = [math.exp(each - reading.answers) for each in reading.sentences if each > UNREAD]
            assert sum(read) == pytest.approx(1.0, abs=1e-4)

    def test_a_question_of_ten_thousand_characters_is_cut(self, reader: Reader) -> None:
        long = "navires " * 1_250
        first, other = (reader.read(text, WINDOWS[:2]) for text in (long, f"{long} et des mots"))
        assert first == other
        assert all(span_score > 0 for reading in first for span_score in reading.span_scores[:1])

    def test_a_lone_surrogate_is_refused(self, reader: Reader) -> None:
        with pytest.raises(InputError, match="lone surrogate"):
            reader.read("Où \ud800 ?", WINDOWS)
        with pytest.raises(InputError, match="lone surrogate"):
            reader.read(QUESTION, [window_of("Le port \ud800.")])

    def test_a_window_holds_a_sentence(self) -> None:
        with pytest.raises(InputError, match="found no sentence"):
            Window(())


class TestGiven:
    def test_the_model_is_given_what_it_was_trained_on(self) -> None:
        from training.reader_batches import make_batch
        from training.reader_data import PiecesWriter

        text = "Le port de Brest compte trois navires. Les autres sont partis. Il pleut."
        writer = PiecesWriter(small_tokenizer())
        writer.add_documents([{"id": "d", "text": text, "title": "Le port", "date": "2019-02-13"}])
        asked = np.array(writer.add_questions([QUESTION]))
        centre, none = np.array([1]), np.array([[-1, -1]])
        batch = make_batch(writer.pieces(), asked, centre, none, np.random.default_rng(2), most=160)
        inner = batch.ids[0][batch.inside[0]].tolist()
        reader, session = telling_reader(lambda ids: (0.0, np.zeros(len(ids)), np.zeros(len(ids))))
        window = window_of(text, title="Le port", date="2019-02-13")
        for low in range(3):
            for high in range(low + 1, 4):
                reader.read(QUESTION, [Window(window.sentences[low:high])])
        assert len(inner) > len(pieces_of(Window(window.sentences[1:2]))[0])
        assert batch.ids[0].tolist() in session.given

    @pytest.mark.parametrize(
        ("title", "date"), [("Le port", "2019-02-13"), (None, "2019-02"), ("Le port", None), (None, None), ("", "hier")]
    )
    def test_the_heading_is_that_of_training(self, title: str | None, date: str | None) -> None:
        from training.reader_data import heading as trained

        document = Document("d", "d", "Il pleut.", title=title, date=date)
        assert heading(document.title, document.date) == trained(title, date)

    def test_a_long_question_and_a_long_title_are_cut(self) -> None:
        reader, session = telling_reader(lambda ids: (0.0, np.zeros(len(ids)), np.zeros(len(ids))))
        window = window_of("Il pleut.", title="navires " * 60)
        reader.read("port " * 2_000, [window])
        wanted, first = ids_of("port " * 60, window)
        assert session.given == [wanted]
        assert first == 1 + 40 + 1 + 28 + 1


class TestCut:
    """A window of more pieces than the model reads."""

    WORDS = "navires " * 59 + "navires."

    def test_sentences_at_the_ends_are_left_out(self) -> None:
        window = window_cut(self.WORDS, self.WORDS, "Le port de Brest compte.", self.WORDS, self.WORDS)
        assert len(pieces_of(window)[0]) > 160
        first = ids_of(QUESTION, window)[1]
        middle = pieces_of(Window(window.sentences[1:4]))[0]
        assert len(middle) <= 160
        reader, session = telling_reader(lambda ids: (1.0, np.zeros(len(ids)), np.zeros(len(ids))))
        (reading,) = reader.read(QUESTION, [window])
        assert session.given[0][first:-1] == middle
        for number in (0, 4):
            start = window.sentences[number].span.start
            assert (reading.sentences[number], reading.spans[number]) == (UNREAD, Span(start, start))
            assert reading.span_scores[number] == 0.0
        sizes = [len(pieces_of(Window((sentence,)))[0]) for sentence in window.sentences[1:4]]
        assert reading.sentences[1:4] == pytest.approx([1 + math.log(size / len(middle)) for size in sizes])

    def test_a_sentence_that_is_too_long_alone_is_cut_at_its_end(self) -> None:
        window = window_cut("Il pleut.", "navires " * 3_000 + "fin.", "Il neige.")
        first = ids_of(QUESTION, window)[1]
        reader, session = telling_reader(lambda ids: (0.0, np.zeros(len(ids)), np.zeros(len(ids))))
        (reading,) = reader.read(QUESTION, [window])
        assert session.given[0][first:-1] == pieces_of(Window(window.sentences[1:2]))[0][:160]
        assert (reading.sentences[0], reading.sentences[2]) == (UNREAD, UNREAD)
        assert reading.sentences[1] == pytest.approx(0.0)

    def test_the_first_of_two_is_kept(self) -> None:
        window = window_cut("navires " * 100, "port " * 100)
        reader, session = telling_reader(lambda ids: (0.0, np.zeros(len(ids)), np.zeros(len(ids))))
        reader.read(QUESTION, [window])
        assert session.given[0][ids_of(QUESTION, window)[1] : -1] == pieces_of(Window(window.sentences[:1]))[0]

    def test_a_sentence_without_pieces_is_not_read(self) -> None:
        window = window_cut("", "Il pleut.")
        reader, _ = telling_reader(lambda ids: (2.0, np.zeros(len(ids)), np.zeros(len(ids))))
        (reading,) = reader.read(QUESTION, [window])
        assert reading.sentences == (UNREAD, pytest.approx(2.0))
        assert reading.spans[0] == Span(0, 0)
        assert reader.read(QUESTION, [window_cut("")])[0].sentences == (UNREAD,)


class TestSpans:
    @pytest.mark.parametrize(
        ("text", "answer"),
        [
            ("Le port de Brest compte trois navires.", "trois navires"),
            ("Il a dit 😀😀 𝕏yz puis rien.", "𝕏yz"),
            ("De l’İstanbul à İzmir.", "İzmir"),
            ("L’œuvre de Zoe\u0301 Barre\u0301 finit.", "Zoe\u0301 Barre\u0301"),
            ("Il coûte 12\u202f500\u202f€ environ.", "12\u202f500\u202f€"),
            ("Il coûte\u00a0: 12\u202f500\u202f€…", "12\u202f500\u202f€"),
            ("  \n Deux   mots\t ici.", "Deux   mots"),
            ("La ½ ﬁn du ﬁlm.", "½ ﬁn"),
        ],
    )
    def test_the_characters_are_those_of_the_document(self, text: str, answer: str) -> None:
        document = Document("d", "d", f"😀 İci. {text} Fin.")
        start = document.text.index(text)
        before, after = (
            Sentence(document, Span(0, 6)),
            Sentence(document, Span(start + len(text) + 1, len(document.text))),
        )
        window = Window((before, Sentence(document, Span(start, start + len(text))), after))
        assert read_span(window, answer) == answer

    @pytest.mark.parametrize(
        ("text", "pointed", "answer"),
        [
            ("Il est à Brest, en France.", "Brest,", "Brest"),
            ("Il est à Brest.", "Brest.", "Brest"),
            ("Il dit « trois navires » hier.", "« trois navires »", "« trois navires »"),
            ("Il dit « trois navires » hier.", "« trois navires", "trois navires"),
            ("Il dit « trois navires », puis part.", "trois navires »,", "trois navires"),
            ("Le port (Brest) compte.", "(Brest)", "(Brest)"),
            ("Le port (à Brest) compte.", "Brest)", "Brest"),
            ("Le port (à Brest) compte.", "(à Brest", "à Brest"),
            ('Il dit "oui" hier.', '"oui', "oui"),
            ('Il dit "oui" hier.', '"oui"', '"oui"'),
            ("À Washington D.C. il pleut.", "Washington D.C.", "Washington D.C."),
            ("En 52 av. J.-C. il pleut.", "52 av. J.-C.", "52 av. J.-C."),
            ("Il fait -5 degrés.", "-5 degrés.", "-5 degrés"),
            ("De l'Otan, dit-on.", "'Otan", "Otan"),
            ("Il dit : … puis rien.", "…", "…"),
        ],
    )
    def test_marks_at_the_ends_that_do_not_belong_are_left_out(self, text: str, pointed: str, answer: str) -> None:
        assert read_span(window_cut(text), pointed) == answer

    @pytest.mark.parametrize(
        ("text", "pointed", "answer"),
        [
            ("Les Brestois votent.", "resto", "Brestois"),
            ("Les Brestois votent.", "ois vo", "Brestois votent"),
            ("Les Brestois votent.", "Brestois", "Brestois"),
            ("Il part à 14h30.", "h3", "14h30"),
            ("Zoe\u0301e Barre\u0301e dort.", "Barre", "Barre\u0301e"),
            ("C’est l’Otan.", "tan", "Otan"),
            ("L'aujourd'hui compte.", "jour", "aujourd"),
            ("Le porte-avions part.", "avi", "avions"),
            ("Un prix (3,5 tonnes).", "5", "3,5"),
            ("Un prix (3,5 tonnes).", "3,", "3,5"),
            ("Ils sont 12\u202f500, ou 8.", "500,", "12\u202f500"),
            ("Ils sont 12, 500 ou 8.", "12,", "12"),
            ("Il vit au 8.Il dort.", "8.", "8"),
        ],
    )
    def test_words_and_numbers_are_whole(self, text: str, pointed: str, answer: str) -> None:
        low = text.index(pointed)
        span = span_of(text, Span(0, len(text)), low, low + len(pointed))
        assert text[span.start : span.end] == answer

    def test_where_no_space_parts_words_the_span_is_that_of_the_model(self) -> None:
        assert span_of("船有三艘。", Span(0, 5), 2, 3) == Span(2, 3)
        assert span_of("เรือสามลำ", Span(0, 9), 4, 7) == Span(4, 7)

    def test_a_word_of_a_million_letters_is_whole(self) -> None:
        assert span_of("a" * 10**6, Span(0, 10**6), 500, 501, n=600) == Span(0, 10**6)

    @given(data=st.data())
    def test_no_span_ends_inside_a_word(self, data: st.DataObject) -> None:
        text = data.draw(st.text(st.sampled_from("aé1B .,'’-«»(\u0301\u202f"), min_size=1, max_size=30))
        first, low, high, last = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=4, max_size=4)))
        assume(low < high)
        span = span_of(text, Span(first, last), low, high)
        assert first <= span.start <= span.end <= last
        assert not {text[place] for place in range(span.start, low)} & set(" '’-«»(")  # only words are added
        assert not {text[place] for place in range(high, span.end)} & set(" '’-«»(")
        for place in (span.start, span.end):
            if first < place < last and span.start < span.end:
                assert not (text[place - 1].isalnum() and text[place].isalnum())

    def test_odds_and_scores_are_those_done_by_hand(self) -> None:
        window = window_cut("ab", "c")  # pieces: ▁a b | ▁c
        assert [len(pieces_of(Window((each,)))[0]) for each in window.sentences] == [2, 1]
        start, end = np.log([0.5, 0.2, 0.3]), np.log([0.1, 0.6, 0.3])
        first = ids_of(QUESTION, window)[1]
        (reading,) = telling(first, start + 7, end - 2, answers=-1.5).read(QUESTION, [window])
        assert reading.answers == -1.5
        assert reading.sentences == pytest.approx((-1.5 + math.log(0.7), -1.5 + math.log(0.3)), abs=1e-5)
        assert reading.spans == (Span(0, 2), Span(3, 4))
        assert reading.span_scores == pytest.approx((0.5 * 0.6, 0.3 * 0.3), abs=1e-6)

    def test_a_span_ends_in_the_sentence_that_it_begins_in(self) -> None:
        window = window_cut("ab", "c")
        start, end = np.log([0.9, 0.05, 0.05]), np.log([0.02, 0.08, 0.9])
        (reading,) = telling(ids_of(QUESTION, window)[1], start, end).read(QUESTION, [window])
        assert reading.spans == (Span(0, 2), Span(3, 4))
        assert reading.span_scores == pytest.approx((0.9 * 0.08, 0.05 * 0.9), abs=1e-6)

    def test_a_span_has_forty_pieces_at_most(self) -> None:
        window = window_cut("navires " * 49 + "navires")
        start, end = np.zeros(50), np.zeros(50)
        start[0], end[39], end[40] = 30.0, 10.0, 20.0
        (reading,) = telling(ids_of(QUESTION, window)[1], start, end).read(QUESTION, [window])
        assert reading.spans == (Span(0, 40 * 8 - 1),)

    @pytest.mark.parametrize("seed", range(5))
    def test_the_best_of_all_spans_is_found(self, seed: int) -> None:
        draw = np.random.default_rng(seed)
        window = window_cut("port " * 30 + "a", "navires " * 55 + "b", "c d e")
        _, owners, places = pieces_of(window)
        n = len(owners)
        start, end = draw.normal(size=n) * 3, draw.normal(size=n) * 3
        (reading,) = telling(ids_of(QUESTION, window)[1], start, end).read(QUESTION, [window])
        starts, ends = np.exp(start) / np.exp(start).sum(), np.exp(end) / np.exp(end).sum()
        for number in range(3):
            score, i, j = max(
                (starts[i] * ends[j], i, j)
                for i in range(n)
                for j in range(i, min(i + 40, n))
                if owners[i] == owners[j] == number
            )
            assert reading.span_scores[number] == pytest.approx(score, rel=1e-5)
            assert reading.spans[number].end == places[j][1]
            assert window.document.text[: reading.spans[number].start].rstrip() == (
                window.document.text[: places[i][0]].rstrip()
            )


class TestBundled:
    def test_says_what_the_network_says(self, bundled: BundledReader) -> None:
        import torch

        net, readings = small_net(), bundled.read(QUESTION, WINDOWS)
        wanted = []
        for window, reading in zip(WINDOWS, readings, strict=True):
            ids, first = ids_of(QUESTION, window)
            inside = torch.zeros(1, len(ids), dtype=torch.bool)
            inside[0, first:-1] = True
            with torch.inference_mode():
                said = net(torch.tensor([ids]), inside)
            wanted.append(float(said.answers))
            assert reading.answers == pytest.approx(float(said.answers), abs=0.03)
            starts = torch.softmax(said.start[0, first:-1], 0).numpy()
            owners = np.array(pieces_of(window)[1])
            shares = [starts[owners == number].sum() for number in range(len(window.sentences))]
            assert [math.exp(each - reading.answers) for each in reading.sentences] == pytest.approx(shares, abs=0.02)
        assert np.std(wanted) > 0.15

    def test_a_window_is_read_alike_whatever_is_read_beside_it(self, bundled: BundledReader) -> None:
        beside = bundled.read(QUESTION, WINDOWS)
        assert [bundled.read(QUESTION, [window])[0] for window in WINDOWS] == beside

    def test_several_threads_may_ask(self, bundled: BundledReader) -> None:
        wanted = bundled.read(QUESTION, WINDOWS)
        with ThreadPoolExecutor(4) as pool:
            assert all(each == wanted for each in pool.map(lambda _: bundled.read(QUESTION, WINDOWS), range(12)))

    def test_no_two_neighbouring_weights_overflow_sixteen_bits(self, folder: Path) -> None:
        arrays = [numpy_helper.to_array(each) for each in onnx.load(folder / "model.onnx").graph.initializer]
        matrices = [array.astype(int) for array in arrays if array.dtype == np.int8 and array.ndim == 2]
        sums = [np.abs(matrix[0::2] + matrix[1::2]).max() for matrix in matrices if len(matrix) in (16, 32)]
        assert len(sums) == 2 * 4
        assert 255 * max(sums) <= 2**15 - 1

    def test_its_name_is_its_folder(self, bundled: BundledReader, folder: Path) -> None:
        assert bundled.name == str(folder)

    def test_what_the_model_raises_is_stated(self) -> None:
        def fail(_: NDArray[np.int64]) -> Any:
            raise RuntimeError("not enough\n memory")

        with pytest.raises(ModelError, match=r"^reader telling failed \(not enough memory\)"):
            telling_reader(fail)[0].read(QUESTION, WINDOWS)

    def test_numbers_that_are_none_are_refused(self) -> None:
        reader, _ = telling_reader(lambda ids: (math.nan, np.zeros(len(ids)), np.zeros(len(ids))))
        with pytest.raises(ModelError, match="no finite numbers"):
            reader.read(QUESTION, WINDOWS)


class TestFiles:
    @pytest.mark.parametrize("file", ["config.json", "model.onnx", "tokenizer.json"])
    def test_a_missing_file(self, folder: Path, tmp_path: Path, file: str) -> None:
        copy = Path(shutil.copytree(folder, tmp_path / "reader"))
        (copy / file).unlink()
        with pytest.raises(ModelError, match=rf"^reader .*: found no {file}; install .* training\.make_reader$"):
            BundledReader.open(copy)

    @pytest.mark.parametrize("file", ["config.json", "model.onnx", "tokenizer.json"])
    @pytest.mark.parametrize("kept", [0, 40, 0.5])
    def test_a_damaged_file(self, folder: Path, tmp_path: Path, file: str, kept: float) -> None:
        copy = Path(shutil.copytree(folder, tmp_path / "reader"))
        content = (copy / file).read_bytes()
        (copy / file).write_bytes(content[: int(kept * len(content)) if 0 < kept < 1 else int(kept)])
        with pytest.raises(ModelError, match=rf"^reader .*: {file} cannot be read \(.*training\.make_reader$"):
            BundledReader.open(copy)

    @pytest.mark.parametrize(
        ("change", "found"),
        [
            ({"format": 2}, "found format 2, expected 1"),
            ({"format": None}, "found format None, expected 1"),
            ({"window": 0}, "found window 0 in config.json, expected whole numbers of 1 or more"),
            ({"question": "40"}, "found question '40' in config.json"),
            ({"n_pieces": 24_000}, r"found a tokenizer of \d+ pieces with .*, expected one of 24,000"),
        ],
    )
    def test_settings_that_do_not_fit(self, folder: Path, tmp_path: Path, change: dict[str, Any], found: str) -> None:
        copy = Path(shutil.copytree(folder, tmp_path / "reader"))
        settings = json.loads((copy / "config.json").read_text(encoding="utf-8"))
        assert {name: settings[name] for name in LENGTHS} == LENGTHS
        (copy / "config.json").write_text(json.dumps(settings | change), encoding="utf-8")
        with pytest.raises(ModelError, match=rf"^reader .*: {found}"):
            BundledReader.open(copy)

    def test_a_tokenizer_whose_special_pieces_are_others(self, folder: Path, tmp_path: Path) -> None:
        copy = Path(shutil.copytree(folder, tmp_path / "reader"))
        path = copy / "tokenizer.json"
        path.write_text(path.read_text(encoding="utf-8").replace("</s>", "[SEP]"), encoding="utf-8")
        with pytest.raises(ModelError, match=r"found a tokenizer of .*'</s>': None"):
            BundledReader.open(copy)

    def test_a_model_of_other_outputs(self, folder: Path, tmp_path: Path) -> None:
        copy = Path(shutil.copytree(folder, tmp_path / "reader"))
        model = onnx.load(copy / "model.onnx")
        del model.graph.output[2]
        onnx.save(model, copy / "model.onnx")
        with pytest.raises(ModelError, match="found a model of ids, answers, start, expected ids, answers, start, end"):
            BundledReader.open(copy)


class TestTransformers:
    def test_says_what_the_model_says_of_each_window_alone(
        self, answering: TransformersReader, answering_folder: Path
    ) -> None:
        import torch
        from transformers import AutoModelForQuestionAnswering, AutoTokenizer

        model = AutoModelForQuestionAnswering.from_pretrained(answering_folder).eval()
        tokenizer = AutoTokenizer.from_pretrained(answering_folder)
        window = window_cut("le port a 3", "navires", "et 2")
        given = tokenizer("combien ?", window.document.text, return_tensors="pt", return_offsets_mapping=True)
        offsets, second = given.pop("offset_mapping")[0].tolist(), [part == 1 for part in given.sequence_ids(0)]
        with torch.inference_mode():
            said = model(**given)
        start, end = said.start_logits[0].numpy(), said.end_logits[0].numpy()
        owners = [
            next((n for n, s in enumerate(window.sentences) if inside and s.span.start < high <= s.span.end), -1)
            for (_, high), inside in zip(offsets, second, strict=True)
        ]
        (reading, _) = answering.read("combien ?", [window, WINDOWS[0]])
        held = [n for n, owner in enumerate(owners) if owner >= 0]
        sums = {(i, j): start[i] + end[j] for i in held for j in held if i <= j and owners[i] == owners[j]}
        assert reading.answers == pytest.approx(max(sums.values()) - start[0] - end[0], abs=1e-4)
        shares = np.exp(start[held]) / np.exp(start[held]).sum()
        for number in range(3):
            i, j = max((pair for pair in sums if owners[pair[0]] == number), key=sums.__getitem__)
            low = window.document.text.rfind(" ", 0, offsets[i][0]) + 1
            assert reading.spans[number] == Span(low, f"{window.document.text} ".index(" ", offsets[j][1]))
            share = sum(each for each, place in zip(shares, held, strict=True) if owners[place] == number)
            assert reading.sentences[number] - reading.answers == pytest.approx(math.log(share), abs=1e-4)

    def test_what_is_beyond_the_length_of_the_model_is_not_read(self, answering: TransformersReader) -> None:
        window = window_cut("le port", "compte " * 30, "trois navires")
        (reading,) = answering.read("ou ?", [window])
        start = window.sentences[2].span.start
        assert (reading.sentences[2], reading.spans[2]) == (UNREAD, Span(start, start))
        assert min(reading.sentences[:2]) > UNREAD

    def test_offsets_count_from_the_document(self, answering: TransformersReader) -> None:
        document = Document("d", "d", "😀 hors de la fenetre. le port. le char.")
        window = Window((Sentence(document, Span(23, 31)), Sentence(document, Span(32, 40))))
        (reading,) = answering.read("ou ?", [window])
        for sentence, span in zip(window.sentences, reading.spans, strict=True):
            assert sentence.span.start <= span.start < span.end <= sentence.span.end

    @pytest.mark.parametrize("name", ["no/such/folder", "", "un modèle", __file__])
    def test_a_name_that_cannot_be_a_model(self, name: str) -> None:
        with pytest.raises(ModelError, match=r"^reader '.*': expected a folder or a hub name"):
            open_reader(name)

    def test_a_model_of_another_kind(self, tmp_path: Path) -> None:
        folder = save_bert(tmp_path / "model")
        with pytest.raises(
            ModelError, match="expected a model of transformers for extractive questions, found BertModel"
        ):
            open_reader(str(folder))

    def test_a_folder_without_safetensors(self, answering_folder: Path, tmp_path: Path) -> None:
        folder = Path(shutil.copytree(answering_folder, tmp_path / "model"))
        (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
        with pytest.raises(ModelError, match="could not be loaded"):
            open_reader(str(folder))

    @pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json"])
    def test_a_damaged_file(self, answering_folder: Path, tmp_path: Path, file: str) -> None:
        folder = Path(shutil.copytree(answering_folder, tmp_path / "model"))
        (folder / file).write_bytes((folder / file).read_bytes()[:40])
        with pytest.raises(ModelError, match=r"^reader .*could not be loaded"):
            open_reader(str(folder))


class TestOpening:
    def test_none_is_no_reader(self) -> None:
        assert open_reader("none") is None

    def test_a_folder_is_a_model_of_transformers(self, answering_folder: Path) -> None:
        reader = open_reader(str(answering_folder))
        assert isinstance(reader, TransformersReader)
        assert reader.name == str(answering_folder)

    def test_the_bundled_reader_is_opened_once(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("qa.bundled_reader.files", lambda _: folder.parent)
        monkeypatch.setattr("qa.bundled_reader._MODELS", folder.name)
        BundledReader.bundled.cache_clear()
        try:
            reader = open_reader("bundled")
            assert reader is open_reader("bundled")
            assert reader is not None
            assert reader.name == "bundled"
        finally:
            BundledReader.bundled.cache_clear()

    def test_importing_the_module_is_light(self) -> None:
        code = (
            "import sys, qa.reader; print(*{'onnxruntime', 'tokenizers', 'torch', 'transformers'} & set(sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
        assert done.stdout.split() == []
