"""Markers such as ``[1]`` in text that arrives in pieces, wherever it is cut (pure).

Models write them in many ways: ``[1]``, ``[1, 2]``, ``[1-3]``, ``［1］``, ``【1】``, ``【1†source】``, ``[^1]``.
Inside code they are text: between runs of as many backticks, where a single or double run also ends with its
paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["MarkerParser", "Markers", "Piece", "joined", "parse_markers"]

_LONGEST = 60
"""Characters of a marker at most; so much is held back before it is known to be none."""

_WIDEST = 30
"""Numbers that one range may stand for."""

_SEPARATOR = r"\s*(?:[,;，、]|-|–|—|‑|et|and)\s*"
_MARKER = re.compile(rf"[\[［【]\s*\^?\d{{1,3}}(?:{_SEPARATOR}\d{{1,3}})*\s*(?:†[^\]］】\n]*)?[\]］】]")
_BEGUN = re.compile(r"[\[［【][\s\d,;，、–—‑^etand-]*(?:†[^\]］】\n]*)?\Z")
_NUMBERS = re.compile(r"(\d+)\s*[-–—‑]\s*(\d+)|(\d+)")
_SPECIAL = re.compile(r"[\[［【`]")
_BLANK_LINE = "\n\n"


@dataclass(frozen=True, slots=True)
class Markers:
    """The numbers that stood in one pair of brackets, in order, each once."""

    numbers: tuple[int, ...]


Piece = str | Markers


class MarkerParser:
    """Parses a text that comes in pieces; what may still become a marker is held back until it is known."""

    def __init__(self) -> None:
        self._held = ""
        self._code = ""  # the run of backticks that opened the code in which the text stands

    def feed(self, text: str) -> list[Piece]:
        """Take the next characters and return what is settled by them, in order."""
        self._held += text
        return self._settled(final=False)

    def close(self) -> list[Piece]:
        """Return what was held back: nothing follows."""
        return self._settled(final=True)

    def _settled(self, *, final: bool) -> list[Piece]:
        pieces: list[Piece] = []
        while self._held:
            n_before = len(self._held)
            piece = self._in_code(final=final) if self._code else self._in_prose(final=final)
            if piece:
                _append(pieces, piece)
            if len(self._held) == n_before:
                break
        return pieces

    def _take(self, length: int) -> str:
        taken, self._held = self._held[:length], self._held[length:]
        return taken

    def _in_prose(self, *, final: bool) -> Piece:  # noqa: PLR0911 - one return a case
        special = _SPECIAL.search(self._held)
        if special is None:
            return self._take(len(self._held))
        if special.start():
            return self._take(special.start())
        if special.group() == "`":
            run = len(self._held) - len(self._held.lstrip("`"))
            if run == len(self._held) and not final:
                return ""  # the run may go on
            self._code = "`" * run
            return self._take(run)
        marker = _MARKER.match(self._held)
        if marker and marker.end() <= _LONGEST:
            self._take(marker.end())
            return Markers(_numbers(marker.group()))
        if not final and len(self._held) < _LONGEST and _BEGUN.match(self._held):
            return ""
        return self._take(1)

    def _in_code(self, *, final: bool) -> Piece:
        """Take the code up to its closing run, or to the blank line that ends an unclosed span."""
        closing = next((run for run in re.finditer("`+", self._held) if len(run.group()) == len(self._code)), None)
        blank = self._held.find(_BLANK_LINE) if len(self._code) < 3 else -1
        if blank >= 0 and (closing is None or blank < closing.start()):
            self._code = ""
            return self._take(blank)
        if closing is None:
            # A run at the end may go on, and a line break may be the first of a blank line.
            settled = self._held if final else self._held.rstrip("`\n")
            return self._take(len(settled))
        if closing.end() == len(self._held) and not final:
            return self._take(closing.start())
        self._code = ""
        return self._take(closing.end())


def parse_markers(text: str) -> list[Piece]:
    """Parse a whole text: its pieces in order, no two texts side by side."""
    parser = MarkerParser()
    pieces: list[Piece] = []
    for piece in (*parser.feed(text), *parser.close()):
        _append(pieces, piece)
    return pieces


def joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Return the pieces with texts side by side made one."""
    found: list[Piece] = []
    for piece in pieces:
        _append(found, piece)
    return found


def _append(pieces: list[Piece], piece: Piece) -> None:
    if isinstance(piece, str) and pieces and isinstance(pieces[-1], str):
        pieces[-1] += piece
    else:
        pieces.append(piece)


def _numbers(marker: str) -> tuple[int, ...]:
    found: list[int] = []
    for first, last, single in _NUMBERS.findall(marker.partition("†")[0]):
        if single:
            found.append(int(single))
        else:
            low, high = int(first), int(last)
            found += range(low, high + 1) if low <= high < low + _WIDEST else (low, high)
    return tuple(dict.fromkeys(found))
