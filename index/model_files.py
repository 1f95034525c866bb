"""The folder of a model: which files it holds, what kind of model they are, and a name that changes with them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from index.errors import ModelError

__all__ = ["LocalModel", "ModelKind", "fingerprint_of", "has_weights", "kind_of"]


class ModelKind(Enum):
    """What the files of a model declare it to be; the value is how messages call it."""

    EMBEDDING = "an embedding model"
    CROSS_ENCODER = "a cross-encoder"
    LATE_INTERACTION = "a late-interaction model"
    GENERATIVE = "a generative model"
    """Loaded as either an embedding model or a cross-encoder, as its author says."""


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model on this machine.

    Attributes:
        folder: where its files lie.
        name: its hub name, or its folder as an absolute path: what is written down means the same from anywhere.
        role: what the user wants of it, for messages.
    """

    folder: Path
    name: str
    role: str

    def __str__(self) -> str:
        return f"{self.role} {self.name}"

    @property
    def kind(self) -> ModelKind:
        """What its files declare it to be.

        Raises:
            ModelError: if they cannot be read.
        """
        try:
            return kind_of(self.folder)
        except (ValueError, OSError) as error:
            raise ModelError(f"{self}: its files cannot be read ({error}); save or download it again") from error


def kind_of(folder: Path) -> ModelKind:
    """Return what a model is, by what sentence-transformers, PyLate, ColBERT and transformers write beside the weights.

    A model that declares nothing is an embedding model: sentence-transformers takes the mean of its tokens.

    Args:
        folder: folder of the model.

    Raises:
        ValueError: if a file that declares it is not a JSON object.
    """
    declared = _read(folder / "config_sentence_transformers.json")
    architecture = str(next(iter(_read(folder / "config.json").get("architectures") or ()), ""))
    kind = str(declared.get("model_type"))
    if kind in ("MultiVectorEncoder", "ColBERT") or "query_prefix" in declared or architecture == "HF_ColBERT":
        return ModelKind.LATE_INTERACTION
    if kind == "CrossEncoder":
        return ModelKind.CROSS_ENCODER
    if not (folder / "modules.json").is_file():
        if architecture.endswith("ForSequenceClassification"):
            return ModelKind.CROSS_ENCODER
        if architecture.endswith("ForCausalLM"):
            return ModelKind.GENERATIVE
    return ModelKind.EMBEDDING


def has_weights(folder: Path) -> bool:
    """Say whether the folder holds weights as safetensors, the only format that is read: the others are pickles."""
    return any(folder.rglob("*.safetensors"))


def fingerprint_of(folder: Path, *, recipe: str) -> str:
    """Hash the names and contents of the files of a model, whatever the folder that holds them.

    Documentation is left out: a word changed in a model card changes no vector.

    Args:
        folder: folder of the model.
        recipe: part of the hash: raised when the same files would give other vectors.
    """
    digest = hashlib.sha256(recipe.encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md"):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"sha256:{digest.hexdigest()[:32]}"


def _read(path: Path) -> dict[str, Any]:
    """Read a JSON object; an empty one where there is no file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} holds no JSON object")
    return value
