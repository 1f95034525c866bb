"""Texts to vectors: the only door to sentence-transformers.

The bundled model is static and read by `index.static_model`, without torch. Any other sentence-transformers model is
taken by folder or by hub name; the library is imported when such a model is opened, never when this module is.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from index.errors import InputError, ModelError
from index.model_files import LocalModel, ModelKind, fingerprint_of, has_weights
from index.soft_match import SoftMatch
from index.static_model import StaticModel

__all__ = [
    "BUNDLED_MODEL",
    "TRANSFORMER_BATCH",
    "Embedder",
    "SentenceTransformerEmbedder",
    "StaticEmbedder",
    "check_unicode",
    "finite_rows",
    "load_model",
    "open_embedder",
    "resolve_model",
    "stated_failures",
    "unit_rows",
]

logger = logging.getLogger(__name__)

BUNDLED_MODEL = Path(__file__).parent / "models" / "sourcier-static-fr"

# Part of every fingerprint: raised when the same model files would give other vectors.
_RECIPE = "float32-unit-1"
_ROLE = "embedding model"
TRANSFORMER_BATCH = 32
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
    """A static model: no torch, no truncation, questions and passages alike."""

    def __init__(self, model: StaticModel, folder: Path, *, name: str) -> None:
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
        return cls(StaticModel.open(folder), folder, name=name or str(folder))

    @property
    def name(self) -> str:
        """The model as shown to the user."""
        return self._name

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return int(self._model.vectors.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """Name of the folder and a hash of its files."""
        return fingerprint_of(self._folder, recipe=_RECIPE)

    @cached_property
    def soft_match(self) -> SoftMatch:
        """Compares words by the vectors of this model."""
        return SoftMatch(self._model.tokenizer, self._model.vectors)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row a text, shape ``(len(texts), dimension)``; see `Embedder.embed_passages`."""
        check_unicode(texts)
        return unit_rows(self._model.means(texts))

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
        place = resolve_model(name, _ROLE)
        kind = place.kind
        if kind in (ModelKind.CROSS_ENCODER, ModelKind.LATE_INTERACTION):
            raise ModelError(f"{place}: found {kind.value}, expected an embedding model; give it to --reranker")
        return cls(load_model("SentenceTransformer", place), place.folder, name=place.name)

    @property
    def name(self) -> str:
        """The hub name of the model, or its folder as an absolute path."""
        return self._name

    @cached_property
    def dimension(self) -> int:
        """Length of every vector."""
        declared = self._model.get_embedding_dimension()
        return int(declared) if declared else self._encode(self._model.encode_query, ["dimension"]).shape[1]

    @cached_property
    def fingerprint(self) -> str:
        """Name of the model and a hash of its files."""
        return fingerprint_of(self._folder, recipe=_RECIPE)

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
        given = list(texts)
        with stated_failures(f"{_ROLE} {self._name}"):
            return unit_rows(finite_rows(encode(given, batch_size=TRANSFORMER_BATCH, show_progress_bar=False)))


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


def load_model(loader: str, place: LocalModel) -> Any:
    """Load a model with a class of sentence-transformers.

    Raises:
        ModelError: if it cannot be loaded.
    """
    expected = f"{place}: expected a sentence-transformers model"
    if not has_weights(place.folder):
        raise ModelError(f"{expected}, found no *.safetensors in {place.folder}; save or download the model as such")
    _silence_telemetry()
    logger.info("loading %s", place)
    with _no_bars():
        import sentence_transformers  # noqa: PLC0415 - lazy: 5 s, and imports torch

        try:
            model = getattr(sentence_transformers, loader)(str(place.folder), local_files_only=True)
        except Exception as error:  # the loaders of each architecture raise what they like
            raise ModelError(f"{expected}, which could not be loaded: {error}") from error
    # Half precision costs digits, and a processor is slower with it.
    return model.float()


@contextmanager
def _no_bars() -> Iterator[None]:
    """Keep transformers from drawing a bar for the fraction of a second in which it reads weights."""
    from huggingface_hub.utils.tqdm import (  # noqa: PLC0415 - lazy: 0.5 s
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    if are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


@contextmanager
def stated_failures(model: str) -> Iterator[None]:
    """Turn what a model raises while it runs into a ModelError."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # memory, a device, or the model's own code: each raises what it likes
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ModelError(f"{model} failed ({reason}); name another model, or free memory") from error


def finite_rows(values: Any) -> NDArray[np.float32]:
    """Return values as float32.

    Raises:
        ModelError: if one is no number, which would stay in an index for ever.
    """
    array: NDArray[np.float32] = np.asarray(values, dtype=np.float32)
    if not np.isfinite(array).all():
        raise ModelError("the model gave values that are no finite numbers: its weights are damaged; download it again")
    return array


def _silence_telemetry() -> None:
    # Read by huggingface_hub, which both libraries import, at its import.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def resolve_model(name: str, role: str, *, organisation: str = "sentence-transformers") -> LocalModel:
    """Return where a model lies: the folder named, the one of the local cache, or one downloaded now."""
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        folder = folder.absolute()
        return LocalModel(folder, str(folder), role)
    if not _HUB_NAME.fullmatch(name) or folder.exists():
        raise ModelError(f"{role} {name!r}: expected a folder or a hub name such as organisation/model, found neither")
    repository = name if "/" in name else f"{organisation}/{name}"
    return LocalModel(_cached(repository) or _download(repository, role), name, role)


def _cached(repository: str) -> Path | None:
    """Return the newest snapshot of the local cache, or None where it holds no weights."""
    _silence_telemetry()
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - lazy: 0.5 s
    from huggingface_hub.errors import LocalEntryNotFoundError  # noqa: PLC0415

    try:
        folder = Path(snapshot_download(repository, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    return folder if has_weights(folder) else None


def _download(repository: str, role: str) -> Path:
    """Fetch a model that the user named, after asking the hub once and briefly whether it is there."""
    from huggingface_hub import HfApi, snapshot_download  # noqa: PLC0415
    from huggingface_hub.errors import RepositoryNotFoundError  # noqa: PLC0415

    try:
        HfApi().model_info(repository, timeout=_HUB_TIMEOUT_S)
        logger.warning("downloading %s %s from the model hub", role, repository)
        return Path(snapshot_download(repository, allow_patterns=_HUB_FILES, ignore_patterns=_HUB_FILES_LEFT))
    except RepositoryNotFoundError as error:
        raise ModelError(f"{role} {repository}: there is no such folder, and no such model on the hub") from error
    except Exception as error:  # httpx, OSError and hub errors, as the way of failing decides
        raise ModelError(
            f"{role} {repository}: there is no such folder, it is not in the local cache, and the hub is out "
            f"of reach ({type(error).__name__}); give the folder of the model, or connect once"
        ) from error
