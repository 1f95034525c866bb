"""The word pieces of the reader, and their first vectors out of an English model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from index.embed import StaticEmbedder
from training.train_embedding import bare_letters

__all__ = ["CLS", "MASK", "PAD", "SEP", "first_embeddings", "train_vocabulary"]

PAD, UNK, CLS, SEP, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
_N_NEIGHBOURS = 10
_TEMPERATURE = 0.1


def train_vocabulary(texts: Iterable[str], *, n_pieces: int) -> Tokenizer:
    """Learn word pieces, lower-cased and without accents, so that a question typed in haste reads the same.

    Marks stand alone; curly apostrophes and quotation marks are read as straight ones. Offsets are those of the text.
    """
    tokenizer = Tokenizer(models.WordPiece(unk_token=UNK, max_input_chars_per_word=64))
    tokenizer.normalizer = normalizers.Sequence(
        [
            *bare_letters(),
            normalizers.Replace(Regex("[’ʼ‘]"), "'"),
            normalizers.Replace(Regex("[“”«»]"), '"'),
            normalizers.Replace(Regex("[–—‑]"), "-"),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=n_pieces,
        min_frequency=5,
        limit_alphabet=200,
        special_tokens=[PAD, UNK, CLS, SEP, MASK],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def first_embeddings(
    tokenizer: Tokenizer, source: Tokenizer, vectors: NDArray[np.float32], embedder: StaticEmbedder
) -> NDArray[np.float32]:
    """Return a vector for each piece: that of the same piece in the source, else a mean of those of its neighbours.

    Neighbours are pieces that both vocabularies hold and that lie nearest in the static embedding, weighed by a
    softmax of their cosines (FOCUS: Dobler and de Melo, 2023).

    Args:
        tokenizer: of the reader.
        source: of the model that the vectors are taken from.
        vectors: of the source, shape ``(n_source, dimension)``.
        embedder: the French static embedding.
    """
    pieces = _in_order(tokenizer)
    known = source.get_vocab()
    shared = np.array([number for number, piece in enumerate(pieces) if piece in known])
    held = vectors[[known[pieces[number]] for number in shared]]
    places = embedder.embed_passages([piece.removeprefix("##") for piece in pieces])
    first = np.zeros((len(pieces), vectors.shape[1]), dtype=np.float32)
    for begin in range(0, len(pieces), 1_000):
        cosines = places[begin : begin + 1_000] @ places[shared].T
        nearest = np.argpartition(-cosines, _N_NEIGHBOURS, axis=1)[:, :_N_NEIGHBOURS]
        weights = np.exp(np.take_along_axis(cosines, nearest, axis=1) / _TEMPERATURE)
        weights /= weights.sum(axis=1, keepdims=True)
        first[begin : begin + 1_000] = np.einsum("nk,nkd->nd", weights, held[nearest])
    first[shared] = held
    return first


def _in_order(tokenizer: Tokenizer) -> Sequence[str]:
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=vocabulary.__getitem__)
