"""A static embedding model, read without any of the libraries that such models are trained with.

The vector of a text is the mean of the vectors of its word pieces (Reimers, sentence-transformers' StaticEmbedding;
Tulkens and van Dongen, model2vec). The only door to tokenizers on this side, imported when a model is opened.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError

__all__ = ["StaticModel"]

_FILES = ("config.json", "model.safetensors", "tokenizer.json")
_BATCH = 256
"""Texts averaged at once: the vectors of all their pieces are copied, about 50 MiB at 200 pieces a text."""


class StaticModel:
    """Word pieces and their vectors.

    Args:
        tokenizer: cuts texts into pieces.
        vectors: of the pieces, float32, shape ``(n_pieces, dimension)``.
    """

    def __init__(self, tokenizer: Any, vectors: NDArray[np.float32]) -> None:
        self.tokenizer = tokenizer
        self.vectors = vectors
        self._unknown = _unknown_piece(tokenizer)

    @classmethod
    def open(cls, folder: Path) -> StaticModel:
        """Open a folder in the layout of model2vec.

        Args:
            folder: holds ``config.json``, ``model.safetensors`` and ``tokenizer.json``.

        Raises:
            ModelError: if a file is missing or damaged.
        """
        missing = [file for file in _FILES if not (folder / file).is_file()]
        if missing:
            raise ModelError(
                f"embedding model {folder}: found no {', '.join(missing)}; "
                "install Sourcier again, or train the model: python -m training.train_embedding"
            )
        from safetensors.numpy import load_file  # noqa: PLC0415 - lazy
        from tokenizers import Tokenizer  # noqa: PLC0415 - lazy

        try:
            json.loads((folder / "config.json").read_text(encoding="utf-8"))  # says nothing that is needed here
            vectors = load_file(folder / "model.safetensors")["embeddings"]
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            if vectors.ndim != 2 or len(vectors) != tokenizer.get_vocab_size():
                raise ValueError(f"vectors of shape {vectors.shape} for {tokenizer.get_vocab_size():,} word pieces")
            tokenizer.no_truncation()
            tokenizer.no_padding()
        except Exception as error:  # tokenizers and safetensors raise bare Exception on a damaged file
            raise ModelError(f"embedding model {folder} cannot be read: {error}; install Sourcier again") from error
        return cls(tokenizer, np.asarray(vectors, dtype=np.float32))

    def means(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the mean of the pieces of each text, zeros where none is known, ``(len(texts), dimension)``."""
        rows = np.zeros((len(texts), self.vectors.shape[1]), dtype=np.float32)
        for first in range(0, len(texts), _BATCH):
            encoded = self.tokenizer.encode_batch_fast(list(texts[first : first + _BATCH]), add_special_tokens=False)
            by_length: dict[int, list[int]] = defaultdict(list)
            pieces = [[piece for piece in each.ids if piece != self._unknown] for each in encoded]
            for place, ids in enumerate(pieces):
                by_length[len(ids)].append(place)
            by_length.pop(0, None)
            for places in by_length.values():
                rows[[first + place for place in places]] = self.vectors[
                    np.array([pieces[place] for place in places])
                ].mean(axis=1)
        return rows


def _unknown_piece(tokenizer: Any) -> int | None:
    unknown = getattr(tokenizer.model, "unk_token", None)
    number: int | None = tokenizer.token_to_id(unknown) if unknown else None
    return number
