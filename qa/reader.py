"""Readers: models that read a question and a window of sentences together, and say whether and where it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from qa.bundled_reader import BundledReader
from qa.readings import Reading, Window
from qa.transformers_reader import TransformersReader

__all__ = ["Reader", "Reading", "Window", "open_reader"]


class Reader(Protocol):
    """Reads windows for the answer to a question."""

    @property
    def name(self) -> str:
        """The model as shown to the user: ``bundled``, a folder or a hub name."""
        ...

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        """Return what each window says, in the order given; the same for the same question and window.

        Raises:
            InputError: if a text is not valid Unicode.
            ModelError: if the model fails.
        """
        ...


def open_reader(name: str) -> Reader | None:
    """Open the reader that the user chose.

    Args:
        name: ``none``, ``bundled``, or a folder or a hub name of a model of transformers for extractive questions.

    Returns:
        the reader, or None for ``none``.

    Raises:
        ModelError: if the model cannot be found or loaded.
    """
    if name == "none":
        return None
    return BundledReader.bundled() if name == "bundled" else TransformersReader.open(name)
