"""Readers: models that read a question and a window of sentences together, and say whether and where it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from index.types import Span
from qa.bundled_reader import BundledReader
from qa.readings import Reading, Window
from qa.transformers_reader import TransformersReader

__all__ = ["Reader", "Reading", "Readings", "RememberingReader", "Window", "open_reader"]


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


Readings = dict[tuple[str, str, Span], Reading]
"""What was read: by the question, the source of the document and the span of the window."""


class RememberingReader:
    """A reader that reads each window once for each question.

    Args:
        reader: reads what is not known.
        known: what was read before; gets what is read.
    """

    def __init__(self, reader: Reader, known: Readings) -> None:
        self._reader = reader
        self._known = known

    @property
    def name(self) -> str:
        """That of the reader."""
        return self._reader.name

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        """Return what each window says; see `Reader.read`."""
        keys = [(question, window.document.source, window.span) for window in windows]
        new = {key: window for key, window in zip(keys, windows, strict=True) if key not in self._known}
        if new:
            self._known.update(zip(new, self._reader.read(question, list(new.values())), strict=True))
        return [self._known[key] for key in keys]


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
