"""Texts to vectors: the only door to model2vec and sentence-transformers.

The bundled model is static: the vector of a text is the mean of the vectors of its word pieces, so it runs
through model2vec without torch. Any other sentence-transformers model is taken by folder or by hub name.
Both libraries are imported when a model is opened, never when this module is.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from index.errors import InputError, ModelError

__all__ = ["BUNDLED_MODEL", "Embedder", "SentenceTransformerEmbedder", "StaticEmbedder", "open_embedder"]

logger = logging.getLogger(__name__)

BUNDLED_MODEL = Path(__file__).parent / "models" / "sourcier-static-fr"

# Part of every fingerprint: raised when the same model files would give other vectors.
_RECIPE = "float32-unit-1"
_STATIC_FILES = ("config.json", "model.safetensors", "tokenizer.json")
# Texts that model2vec averages at once: it copies the vectors of all their pieces, about 50 MiB at 200 pieces a text.
_STATIC_BATCH = 256
_TRANSFORMER_BATCH = 32
# A hub that does not answer within this many seconds is taken as out of reach.
_HUB_TIMEOUT_S = 5.0
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
# Weights come as safetensors only: the other formats of the hub are pickles or exports for other runtimes.
_HUB_FILES = ["*.json", "*.safetensors", "*.txt", "*.model"]
_HUB_FILES_LEFT = ["onnx/*", "openvino/*"]


class Embedder(Protocol):
    """Turns texts into vectors whose inner product is their cosine."""

    @property
    def name(self) -> str:
        """The model as shown to the user: ``bundled``, a folder or a hub name."""
        ...

    @property
    def dimension(self) -> int:
        """Length of every vector, at least 1."""
        ...

    @property
    def fingerprint(self) -> str:
        """A name that changes whenever the vectors would; it does not depend on where the model lies."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row a text, shape ``(len(texts), dimension)``, of unit length or all zeros.

        A row is all zeros where the model knows no part of the text.

        Raises:
            InputError: if a text is not valid Unicode.
        """
        ...

    def embed_question(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a question, shape ``(dimension,)``, of unit length or all zeros.

        Raises:
            InputError: if the text is not valid Unicode.
        """
        ...


class StaticEmbedder:
    """A static model run by model2vec: no torch, no truncation, questions and passages alike."""

    def __init__(self, model: Any, folder: Path, *, name: str) -> None:
        self._model = model
        self._folder = folder
        self._name = name

    @classmethod
    def bundled(cls) -> StaticEmbedder:
        """Open the French model that comes with Sourcier.

        Raises:
            ModelError: if its files are missing or damaged.
        """
        return cls.open(BUNDLED_MODEL, name="bundled")

    @classmethod
    def open(cls, folder: Path, *, name: str | None = None) -> StaticEmbedder:
        """Open a folder in the layout of model2vec.

        Args:
            folder: holds ``config.json``, ``model.safetensors`` and ``tokenizer.json``.
            name: shown to the user; the folder where not given.

        Raises:
            ModelError: if a file is missing or damaged.
        """
        missing = [file for file in _STATIC_FILES if not (folder / file).is_file()]
        if missing:
            raise ModelError(
                f"embedding model {folder}: found no {', '.join(missing)}; "
                "install Sourcier again, or train the model: python -m training.train_embedding"
            )
        _silence_telemetry()
        from model2vec import StaticModel  # noqa: PLC0415 - lazy: 0.2 s

        try:
            model = StaticModel.from_pretrained(folder, max_length=None, force_download=False)
        except Exception as error:  # tokenizers and safetensors raise bare Exception on a damaged file
            raise ModelError(f"embedding model {folder} cannot be read: {error}; install Sourcier again") from error
        # model2vec 0.10 averages in the precision of the file; half precision would cost 3 digits.
        model.embedding = np.asarray(model.embedding, dtype=np.float32)
        return cls(model, folder, name=name or str(folder))

    @property
    def name(self) -> str:
        """The model as shown to the user."""
        return self._name

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return int(self._model.dim)

    @cached_property
    def fingerprint(self) -> str:
        """Name of the folder and a hash of its files."""
        return _fingerprint(self._folder)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row a text, shape ``(len(texts), dimension)``; see `Embedder.embed_passages`."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        check_unicode(texts)
        # Threads of joblib would only compete with those of the tokenizer.
        rows = self._model.encode(list(texts), max_length=None, batch_size=_STATIC_BATCH, use_multiprocessing=False)
        return unit_rows(rows)

    def embed_question(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a question, shape ``(dimension,)``; see `Embedder.embed_question`."""
        vector: NDArray[np.float32] = self.embed_passages([text])[0]
        return vector


class SentenceTransformerEmbedder:
    """Any sentence-transformers model; texts longer than the model reads are cut where the model says.

    The prompts that the model declares for queries and for documents are used.
    """

    def __init__(self, model: Any, folder: Path, *, name: str) -> None:
        self._model = model
        self._folder = folder
        self._name = name

    @classmethod
    def open(cls, name: str) -> SentenceTransformerEmbedder:
        """Open a model by folder or by hub name; only a hub name that is not yet on this machine is downloaded.

        Args:
            name: a folder, ``organisation/model``, or ``model`` of the organisation sentence-transformers.

        Raises:
            ModelError: if there is no such model, the hub is out of reach, or the model cannot be loaded.
        """
        folder = _resolve(name)
        _silence_telemetry()
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - lazy: 5 s, and imports torch

        logger.info("loading embedding model %s", name)
        try:
            model = SentenceTransformer(str(folder), local_files_only=True)
        except Exception as error:  # the loaders of each architecture raise what they like
            raise ModelError(
                f"embedding model {name}: expected a sentence-transformers model, which could not be loaded: {error}"
            ) from error
        # Half precision costs digits, and a processor is slower with it.
        return cls(model.float(), folder, name=name)

    @property
    def name(self) -> str:
        """The model as the user named it."""
        return self._name

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return int(self._model.get_embedding_dimension())

    @cached_property
    def fingerprint(self) -> str:
        """Name of the model and a hash of its files."""
        return _fingerprint(self._folder)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row a text, shape ``(len(texts), dimension)``; see `Embedder.embed_passages`."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return self._encode(self._model.encode_document, texts)

    def embed_question(self, text: str) -> NDArray[np.float32]:
        """Return the vector of a question, shape ``(dimension,)``; see `Embedder.embed_question`."""
        vector: NDArray[np.float32] = self._encode(self._model.encode_query, [text])[0]
        return vector

    def _encode(self, encode: Any, texts: Sequence[str]) -> NDArray[np.float32]:
        check_unicode(texts)
        return unit_rows(encode(list(texts), batch_size=_TRANSFORMER_BATCH, show_progress_bar=False))


def open_embedder(name: str | None = None) -> Embedder:
    """Open the embedding model that the user chose.

    Args:
        name: None or ``bundled`` for the bundled model, else a folder or a hub name of a sentence-transformers model.

    Raises:
        ModelError: if the model cannot be found or loaded.
    """
    if name is None or name == "bundled":
        return StaticEmbedder.bundled()
    return SentenceTransformerEmbedder.open(name)


def unit_rows(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Return rows as float32, each divided by its length; a row of zeros stays as it is."""
    rows = np.asarray(rows, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return unit


def check_unicode(texts: Sequence[str]) -> None:
    """Refuse lone surrogates, which JSON can carry and no tokenizer can read.

    Raises:
        InputError: naming the text and the character.
    """
    for number, text in enumerate(texts):
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InputError(
                f"text {number}: found the lone surrogate {text[error.start]!r} at character {error.start}, "
                "expected valid Unicode"
            ) from error


def _fingerprint(folder: Path) -> str:
    """Hash the names and contents of the files of a model, whatever the folder that holds them.

    Documentation is left out: a word changed in a model card changes no vector.
    """
    digest = hashlib.sha256(_RECIPE.encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md"):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"sha256:{digest.hexdigest()[:32]}"


def _silence_telemetry() -> None:
    # Read by huggingface_hub, which both libraries import, at its import.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def _resolve(name: str) -> Path:
    """Return the folder of a model: the one named, the one of the local cache, or one downloaded now."""
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        return folder
    if not _HUB_NAME.fullmatch(name) or folder.exists():
        raise ModelError(f"embedding model {name!r}: expected a folder or a hub name such as organisation/model")
    repository = name if "/" in name else f"sentence-transformers/{name}"
    return _cached(repository) or _download(repository)


def _cached(repository: str) -> Path | None:
    """Return the newest snapshot of the local cache, or None where it holds no weights."""
    _silence_telemetry()
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - lazy: 0.5 s
    from huggingface_hub.errors import LocalEntryNotFoundError  # noqa: PLC0415

    try:
        folder = Path(snapshot_download(repository, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    return folder if any(folder.rglob("*.safetensors")) else None


def _download(repository: str) -> Path:
    """Fetch a model that the user named, after asking the hub once and briefly whether it is there."""
    from huggingface_hub import HfApi, snapshot_download  # noqa: PLC0415
    from huggingface_hub.errors import RepositoryNotFoundError  # noqa: PLC0415

    try:
        HfApi().model_info(repository, timeout=_HUB_TIMEOUT_S)
        logger.warning("downloading embedding model %s from the model hub", repository)
        return Path(snapshot_download(repository, allow_patterns=_HUB_FILES, ignore_patterns=_HUB_FILES_LEFT))
    except RepositoryNotFoundError as error:
        raise ModelError(
            f"embedding model {repository}: there is no such folder, and no such model on the hub"
        ) from error
    except Exception as error:  # httpx, OSError and hub errors, as the way of failing decides
        raise ModelError(
            f"embedding model {repository}: there is no such folder, it is not in the local cache, and the hub is out "
            f"of reach ({type(error).__name__}); give the folder of the model, or connect once"
        ) from error
