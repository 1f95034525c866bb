"""The reader that comes with Sourcier, in 8 bits: the only door to onnxruntime, and to tokenizers on this side.

Both are imported when it is opened. It runs without torch, one window at a time on every processor: nothing is padded,
and what is said of a window does not depend on those read beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from index.cores import n_cores
from index.date_values import format_date, parse_date
from index.embed import finite_rows, stated_failures
from index.errors import ModelError
from qa.readings import MOST_CHARACTERS, Ints, Pieces, Reading, Window, check_texts, reading_of

__all__ = ["READER_FORMAT", "BundledReader", "heading", "open_session"]

READER_FORMAT = 1
"""Version of a reader's folder: to be raised whenever its files or what its model is given change."""

_ROLE = "reader"
_MODELS = "models/reader"
_FILES = ("config.json", "model.onnx", "tokenizer.json")
_SETTINGS = ("format", "n_pieces", "question", "heading", "window")
_SPECIAL = {"<s>": 0, "<pad>": 1, "</s>": 2}
_BEGIN, _SEPARATOR = 0, 2
_MEND = "install Sourcier again, or make the reader: python -m training.make_reader"


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A text as word pieces: their numbers, and first and last character of each."""

    ids: list[int]
    offsets: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Row:
    """A window as the bundled model is given it: ``<s> question </s> heading </s> window </s>``."""

    ids: Ints
    first: int
    pieces: Pieces


class BundledReader:
    """The reader that comes with Sourcier, or another of its make, run by onnxruntime.

    Args:
        session: runs the model.
        tokenizer: cuts texts into pieces.
        lengths: most pieces of ``question``, ``heading`` and ``window``.
        name: shown to the user.
    """

    def __init__(self, session: Any, tokenizer: Any, *, lengths: Mapping[str, int], name: str) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._lengths = lengths
        self._name = name

    @classmethod
    @cache
    def bundled(cls) -> BundledReader:
        """Open the French reader that comes with Sourcier, once: it is some 60 MiB of memory.

        Raises:
            ModelError: if its files are missing or damaged.
        """
        return cls.open(Path(str(files("qa").joinpath(_MODELS))), name="bundled")

    @classmethod
    def open(cls, folder: Path, *, name: str | None = None) -> BundledReader:
        """Open a folder that ``training.export_reader`` wrote.

        Args:
            folder: holds ``config.json``, ``model.onnx`` and ``tokenizer.json``.
            name: shown to the user; the folder where not given.

        Raises:
            ModelError: if a file is missing or damaged, is of another format, or does not fit the others.
        """
        missing = [file for file in _FILES if not (folder / file).is_file()]
        if missing:
            raise ModelError(f"{_ROLE} {folder}: found no {', '.join(missing)}; {_MEND}")
        settings = _settings(folder / "config.json")
        tokenizer = _tokenizer(folder / "tokenizer.json", settings["n_pieces"])
        return cls(open_session(folder / "model.onnx"), tokenizer, lengths=settings, name=name or str(folder))

    @property
    def name(self) -> str:
        """The model as shown to the user."""
        return self._name

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        """Return what each window says, in the order given; see `qa.reader.Reader.read`."""
        check_texts(question, windows)
        with stated_failures(f"{_ROLE} {self._name}"):
            rows = self._rows(question, windows)
            if len(rows) < 2:
                return list(map(self._read, windows, rows))
            with ThreadPoolExecutor(max_workers=min(n_cores(), len(rows))) as pool:
                return list(pool.map(self._read, windows, rows))

    def _read(self, window: Window, row: _Row) -> Reading:
        answers, start, end = map(finite_rows, self._session.run(["answers", "start", "end"], {"ids": row.ids}))
        inside = slice(row.first, row.first + len(row.pieces.owners))
        return reading_of(window, float(answers[0]), start[inside], end[inside], row.pieces)

    def _rows(self, question: str, windows: Sequence[Window]) -> list[_Row]:
        lengths = self._lengths
        asked = self._encode([question], lengths["question"])[question].ids
        told = [heading(window.document.title, window.document.date) for window in windows]
        headings = self._encode(told, lengths["heading"])
        texts = (sentence.text for window in windows for sentence in window.sentences)
        encoded = self._encode(texts, lengths["window"])
        rows = []
        for window, title in zip(windows, told, strict=True):
            before = [_BEGIN, *asked, _SEPARATOR, *headings[title].ids, _SEPARATOR]
            sentences = [encoded[sentence.text] for sentence in window.sentences]
            kept = _kept([len(each.ids) for each in sentences], lengths["window"])
            held = list(chain.from_iterable(sentences[number].ids for number in kept))
            rows.append(
                _Row(
                    np.array([*before, *held, _SEPARATOR], dtype=np.int64),
                    len(before),
                    _joined(window, sentences, kept),
                )
            )
        return rows

    def _encode(self, texts: Iterable[str], most: int) -> dict[str, _Encoded]:
        """Return the first pieces of each text, at most so many."""
        distinct = list(dict.fromkeys(texts))
        short = [text[: most * MOST_CHARACTERS] for text in distinct]
        found = self._tokenizer.encode_batch(short, add_special_tokens=False)
        return {
            text: _Encoded(each.ids[:most], each.offsets[:most]) for text, each in zip(distinct, found, strict=True)
        }


def heading(title: object, date: object) -> str:
    """Return what the bundled reader is told of a document, in training too: its title and its day in words."""
    day = parse_date(date)
    return f"{title or ''} {format_date(day) if day else ''}".strip()


def open_session(path: Path) -> Any:
    """Return the session of onnxruntime that runs a model, each call on the thread that makes it.

    Windows are read on as many threads as there are processors. Two threads a window are slower for two windows and
    more, and the threads of onnxruntime spin between calls.

    Raises:
        ModelError: if the model is damaged or has other inputs and outputs than a reader.
    """
    import onnxruntime  # noqa: PLC0415 - lazy: 0.15 s

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: warnings would go to the user's terminal
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions have no root of theirs
        reason = " ".join(str(error).split())
        raise ModelError(f"{_ROLE} {path.parent}: model.onnx cannot be read ({reason}); {_MEND}") from error
    found = [each.name for each in (*session.get_inputs(), *session.get_outputs())]
    if found != ["ids", "answers", "start", "end"]:
        raise ModelError(
            f"{_ROLE} {path.parent}: found a model of {', '.join(found)}, expected ids, answers, start, end; {_MEND}"
        )
    return session


def _settings(path: Path) -> dict[str, int]:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ModelError(f"{_ROLE} {path.parent}: config.json cannot be read ({error}); {_MEND}") from error
    found = settings.get("format") if isinstance(settings, dict) else None
    if found != READER_FORMAT:
        raise ModelError(f"{_ROLE} {path.parent}: found format {found}, expected {READER_FORMAT}; {_MEND}")
    wrong = [name for name in _SETTINGS if type(settings.get(name)) is not int or settings[name] < 1]
    if wrong:
        raise ModelError(
            f"{_ROLE} {path.parent}: found {', '.join(f'{name} {settings.get(name)!r}' for name in wrong)} in "
            f"config.json, expected whole numbers of 1 or more; {_MEND}"
        )
    return {name: settings[name] for name in _SETTINGS}


def _tokenizer(path: Path, n_pieces: int) -> Any:
    from tokenizers import Tokenizer  # noqa: PLC0415 - lazy

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception on a damaged file
        raise ModelError(f"{_ROLE} {path.parent}: tokenizer.json cannot be read ({error}); {_MEND}") from error
    special = {piece: tokenizer.token_to_id(piece) for piece in _SPECIAL}
    size = tokenizer.get_vocab_size()
    if special != _SPECIAL or size != n_pieces:
        raise ModelError(
            f"{_ROLE} {path.parent}: found a tokenizer of {size:,} pieces with {special}, "
            f"expected one of {n_pieces:,} with {_SPECIAL}; {_MEND}"
        )
    return tokenizer


def _kept(lengths: Sequence[int], most: int) -> range:
    """Return which sentences of a window are read: all, or those around its middle that have few enough pieces.

    The one in the middle, the first of two such, is always among them.
    """
    first, last, middle = 0, len(lengths), (len(lengths) - 1) // 2
    while last - first > 1 and sum(lengths[first:last]) > most:
        if last - 1 - middle >= middle - first:
            last -= 1
        else:
            first += 1
    return range(first, last)


def _joined(window: Window, sentences: Sequence[_Encoded], kept: range) -> Pieces:
    places = [
        (window.sentences[number].span.start + start, window.sentences[number].span.start + end)
        for number in kept
        for start, end in sentences[number].offsets
    ]
    owners = np.repeat(np.array(kept), [len(sentences[number].ids) for number in kept])
    return Pieces(np.array(places, dtype=np.int64).reshape(-1, 2), owners)
