"""Readers: models that read a question and a window of sentences together, and say whether and where it answers.

The only door to onnxruntime, tokenizers and transformers, all imported when a reader is opened. The bundled reader runs
through onnxruntime without torch, one window at a time on every processor: nothing is padded, and what is said of a
window does not depend on those read beside it.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from index.date_values import format_date, parse_date
from index.embed import check_unicode, finite_rows, resolve_model, stated_failures
from index.errors import InputError, ModelError
from index.types import Document, Sentence, Span

__all__ = [
    "READER_FORMAT",
    "BundledReader",
    "Reader",
    "Reading",
    "TransformersReader",
    "Window",
    "heading",
    "open_reader",
    "open_session",
]

READER_FORMAT = 1
"""Version of a reader's folder: to be raised whenever its files or what its model is given change."""

UNREAD = -20.0
"""Log-odds of a sentence of which nothing was read: one in half a billion."""

_ROLE = "reader"
_MODELS = "models/reader"
_FILES = ("config.json", "model.onnx", "tokenizer.json")
_SETTINGS = ("format", "n_pieces", "question", "heading", "window")
_SPECIAL = {"<s>": 0, "<pad>": 1, "</s>": 2}
_BEGIN, _SEPARATOR = 0, 2
_MEND = "install Sourcier again, or make the reader: python -m training.export_reader"

_LONGEST_SPAN = 40
"""Most word pieces of a span."""

_MOST_CHARACTERS = 32
"""Characters for each piece that may be read: what lies further on is not cut into pieces at all."""

_PAIRS = {"(": ")", ")": "(", "[": "]", "]": "[", "«": "»", "»": "«", "“": "”", "”": "“"}
_INITIAL = re.compile(r"(?:\b[A-ZÀ-Þ]|\.\w+)\.$")
"""A point that ends an initial or a short form of several, as in ``Washington D.C.``."""

_BATCH = 8
_LENGTH = 512  # pieces that a transformer reads where it declares no fewer

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive sentences of one document, in its order, at least one: what is read at once."""

    sentences: tuple[Sentence, ...]

    def __post_init__(self) -> None:
        if not self.sentences:
            raise InputError("window: found no sentence, expected at least one")

    @property
    def document(self) -> Document:
        """The document of its sentences."""
        return self.sentences[0].document

    @property
    def span(self) -> Span:
        """From the start of its first sentence to the end of its last."""
        return Span(self.sentences[0].span.start, self.sentences[-1].span.end)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader says of a window.

    Attributes:
        answers: log-odds that the window answers the question.
        sentences: log-odds that each sentence holds the answer: `answers`, plus the logarithm of the share of the
            probability of the answer's start that lies in it; -20 for a sentence of which nothing was read.
        spans: the likeliest answer within each sentence, in the document's text; empty, at the start of the sentence,
            where nothing of it was read.
        span_scores: probability of each of them if the window answers, that of its start times that of its end, in
            [0, 1]; 0 where nothing was read.
    """

    answers: float
    sentences: tuple[float, ...]
    spans: tuple[Span, ...]
    span_scores: tuple[float, ...]


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


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The word pieces of a window that are read.

    Attributes:
        places: first character of each in the document and the one after its last, shape ``(n, 2)``.
        owners: number of the sentence of each within the window, never falling, ``(n,)``.
    """

    places: Ints
    owners: Ints


@dataclass(frozen=True, slots=True)
class _Row:
    """A window as the bundled model is given it: ``<s> question </s> heading </s> window </s>``."""

    ids: Ints
    first: int
    pieces: _Pieces


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
        """Return what each window says, in the order given; see `Reader.read`."""
        _check_texts(question, windows)
        with stated_failures(f"{_ROLE} {self._name}"):
            rows = self._rows(question, windows)
            if len(rows) < 2:
                return list(map(self._read, windows, rows))
            with ThreadPoolExecutor(max_workers=min(_n_cores(), len(rows))) as pool:
                return list(pool.map(self._read, windows, rows))

    def _read(self, window: Window, row: _Row) -> Reading:
        answers, start, end = map(finite_rows, self._session.run(["answers", "start", "end"], {"ids": row.ids}))
        inside = slice(row.first, row.first + len(row.pieces.owners))
        return _reading(window, float(answers[0]), start[inside], end[inside], row.pieces)

    def _rows(self, question: str, windows: Sequence[Window]) -> list[_Row]:
        lengths = self._lengths
        asked = self._encode([question], lengths["question"])[question].ids
        headings = self._encode((heading(window.document) for window in windows), lengths["heading"])
        texts = (sentence.text for window in windows for sentence in window.sentences)
        encoded = self._encode(texts, lengths["window"])
        rows = []
        for window in windows:
            told = headings[heading(window.document)].ids
            before = [_BEGIN, *asked, _SEPARATOR, *told, _SEPARATOR]
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
        short = [text[: most * _MOST_CHARACTERS] for text in distinct]
        found = self._tokenizer.encode_batch(short, add_special_tokens=False)
        return {
            text: _Encoded(each.ids[:most], each.offsets[:most]) for text, each in zip(distinct, found, strict=True)
        }


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A text as word pieces: their numbers, and first and last character of each."""

    ids: list[int]
    offsets: list[tuple[int, int]]


class TransformersReader:
    """Any model for extractive questions of transformers; windows longer than it reads are cut at their end.

    The log-odds that a window answers are the logits of its best span less those of no answer, at the first piece
    (Devlin and others, "BERT: Pre-training of deep bidirectional transformers", 2019, section 4.3).
    """

    def __init__(self, model: Any, tokenizer: Any, *, name: str) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._name = name

    @classmethod
    def open(cls, name: str) -> TransformersReader:
        """Open a model by folder or by hub name; only a hub name that is not yet on this machine is downloaded.

        Args:
            name: a folder, ``organisation/model``, or ``model`` of the organisation deepset.

        Raises:
            ModelError: if there is no such model, the hub is out of reach, it is of another kind, or cannot be loaded.
        """
        place = resolve_model(name, _ROLE, organisation="deepset")
        expected = f"{place}: expected a model of transformers for extractive questions"
        import transformers  # noqa: PLC0415 - lazy: seconds, and imports torch

        with _no_bars(transformers):
            try:
                config = transformers.AutoConfig.from_pretrained(place.folder, local_files_only=True)
                _check_kind(config.architectures or (), expected)
                tokenizer = transformers.AutoTokenizer.from_pretrained(place.folder, local_files_only=True)
                model = transformers.AutoModelForQuestionAnswering.from_pretrained(
                    place.folder, local_files_only=True, use_safetensors=True
                )
            except ModelError:
                raise
            except Exception as error:  # the loaders of each architecture raise what they like
                raise ModelError(
                    f"{expected}, which could not be loaded: {error}; download or save it again"
                ) from error
        if not tokenizer.is_fast:
            raise ModelError(f"{expected} with a fast tokenizer, found {type(tokenizer).__name__}; name another model")
        return cls(model.float().eval().requires_grad_(False), tokenizer, name=place.name)

    @property
    def name(self) -> str:
        """The hub name of the model, or its folder as an absolute path."""
        return self._name

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        """Return what each window says, in the order given; see `Reader.read`."""
        _check_texts(question, windows)
        order = sorted(range(len(windows)), key=lambda number: len(windows[number].span))
        readings: dict[int, Reading] = {}
        with stated_failures(f"{_ROLE} {self._name}"):
            asked = self._cut(question)
            for first in range(0, len(order), _BATCH):
                batch = order[first : first + _BATCH]
                readings |= zip(batch, self._read(asked, [windows[number] for number in batch]), strict=True)
        return [readings[number] for number in range(len(windows))]

    @property
    def _most(self) -> int:
        declared = getattr(self._model.config, "max_position_embeddings", None) or _LENGTH
        return int(min(self._tokenizer.model_max_length, declared, _LENGTH))

    def _cut(self, question: str) -> str:
        """Return as much of a question as leaves two thirds of the model's length to windows."""
        short = question[: self._most * _MOST_CHARACTERS]
        # Without verbose=False transformers warns of the length on the user's terminal.
        given = self._tokenizer(short, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        places = given["offset_mapping"]
        most = self._most // 3
        return short[: places[most - 1][1]] if len(places) > most else short

    def _read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        texts = [window.document.text[window.span.start : window.span.end] for window in windows]
        given = self._tokenizer(
            [question] * len(texts),
            texts,
            truncation="only_second",
            max_length=self._most,
            padding=True,
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        offsets = given.pop("offset_mapping").numpy()
        said = self._model(**given)
        starts, ends = (finite_rows(logits.float().cpu()) for logits in (said.start_logits, said.end_logits))
        readings = []
        for number, window in enumerate(windows):
            second = np.array([part == 1 for part in given.sequence_ids(number)])
            kept, pieces = _owned(window, offsets[number] + window.span.start, second)
            start, end = starts[number], ends[number]
            best = _best_ends(start[kept], end[kept], pieces.owners)[1].max(initial=-np.inf)
            answers = float(best - start[0] - end[0]) if len(kept) else UNREAD
            readings.append(_reading(window, answers, start[kept], end[kept], pieces))
        return readings


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


def heading(document: Document) -> str:
    """Return what the bundled reader is told of a document: its title and its day in words, as it was trained."""
    day = parse_date(document.date)
    return f"{document.title or ''} {format_date(day) if day else ''}".strip()


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


def _check_kind(architectures: Sequence[str], expected: str) -> None:
    # Transformers gives a model of another kind a head of random numbers, and only warns.
    if not any(name.endswith("ForQuestionAnswering") for name in architectures):
        raise ModelError(f"{expected}, found {', '.join(architectures) or 'no architecture'}; name another model")


@contextmanager
def _no_bars(transformers: Any) -> Iterator[None]:
    """Keep transformers from drawing a bar while it reads weights."""
    logging = transformers.utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _n_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check_texts(question: str, windows: Sequence[Window]) -> None:
    titles = (window.document.title or "" for window in windows)
    check_unicode([question, *titles, *(each.text for window in windows for each in window.sentences)])


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


def _joined(window: Window, sentences: Sequence[_Encoded], kept: range) -> _Pieces:
    places = [
        (window.sentences[number].span.start + start, window.sentences[number].span.start + end)
        for number in kept
        for start, end in sentences[number].offsets
    ]
    owners = np.repeat(np.array(kept), [len(sentences[number].ids) for number in kept])
    return _Pieces(np.array(places, dtype=np.int64).reshape(-1, 2), owners)


def _owned(window: Window, places: Ints, inside: NDArray[np.bool_]) -> tuple[Ints, _Pieces]:
    """Return which pieces lie in a sentence of the window, and those pieces, each within its sentence.

    A piece that begins with the space before a sentence is of that sentence.
    """
    starts, ends = np.array([(each.span.start, each.span.end) for each in window.sentences]).T
    owners = np.searchsorted(starts, places[:, 1] - 1, side="right") - 1
    kept = np.flatnonzero(inside & (owners >= 0) & (places[:, 1] <= ends[owners]) & (places[:, 0] < places[:, 1]))
    places, owners = places[kept], owners[kept]
    return kept, _Pieces(np.stack([np.maximum(places[:, 0], starts[owners]), places[:, 1]], axis=1), owners)


def _reading(
    window: Window, answers: float, start: NDArray[np.float32], end: NDArray[np.float32], pieces: _Pieces
) -> Reading:
    """Return what logits of the first and the last piece, shape ``(n_pieces,)`` each, say of every sentence."""
    starts = _log_shares(start)
    ends, best = _best_ends(starts, _log_shares(end), pieces.owners)
    odds, spans, scores = [], [], []
    for number, sentence in enumerate(window.sentences):
        own = np.flatnonzero(pieces.owners == number)
        if not len(own):
            odds.append(UNREAD)
            spans.append(Span(sentence.span.start, sentence.span.start))
            scores.append(0.0)
            continue
        first = own[best[own].argmax()]
        odds.append(answers + float(np.logaddexp.reduce(starts[own])))
        place = Span(int(pieces.places[first, 0]), int(pieces.places[ends[first], 1]))
        spans.append(_trimmed(sentence.document.text, _with_marks(sentence, place)))
        scores.append(float(np.exp(best[first])))
    return Reading(answers, tuple(odds), tuple(spans), tuple(scores))


def _log_shares(logits: NDArray[np.float32]) -> Floats:
    """Return the logarithm of the softmax."""
    shares: Floats = logits - np.logaddexp.reduce(logits.astype(np.float64))
    return shares


def _best_ends(starts: Floats, ends: Floats, owners: Ints) -> tuple[Ints, Floats]:
    """Return the best last piece for each first piece, in its sentence and within `_LONGEST_SPAN`, and their sums."""
    sums = starts[:, None] + _ahead(ends, -np.inf)
    same = owners[:, None] == _ahead(owners, -1)
    sums[~same] = -np.inf
    places = np.arange(len(owners))
    reach = sums.argmax(axis=1)
    return places + reach, sums[places, reach]


def _ahead(values: NDArray[Any], beyond: float) -> NDArray[Any]:
    """Return each value with those after it, shape ``(n, _LONGEST_SPAN)``, and so many of another beyond the last."""
    padded = np.pad(values, (0, _LONGEST_SPAN), constant_values=beyond)
    return sliding_window_view(padded, _LONGEST_SPAN)[:-1]


def _with_marks(sentence: Sentence, span: Span) -> Span:
    """Return a span with the combining marks that follow it: a tokenizer leaves them out of the letter's piece."""
    text, end = sentence.document.text, span.end
    while end < sentence.span.end and unicodedata.combining(text[end]):
        end += 1
    return Span(span.start, end)


def _trimmed(text: str, span: Span) -> Span:
    """Return a span without the spaces, the points and commas, and the lone quotation marks and brackets at its ends.

    Where nothing else is in it, only the spaces go.
    """
    start, end = span.start, span.end
    while start < end and _is_edge(text[start:end], 0):
        start += 1
    while start < end and _is_edge(text[start:end], -1):
        end -= 1
    if start < end:
        return _trimmed(text, Span(start, end)) if (start, end) != (span.start, span.end) else span
    held = text[span.start : span.end]
    start = span.start + len(held) - len(held.lstrip())
    return Span(start, max(start, span.start + len(held.rstrip())))


def _is_edge(text: str, place: int) -> bool:
    """Say whether the first or the last character does not belong to what is between."""
    character = text[place]
    if character.isspace() or character in ",;:!?…":
        return True
    if character == ".":
        return not (place == -1 and _INITIAL.search(text))
    if character in "'’":
        return place == 0
    if character == '"':
        return text.count(character) % 2 == 1
    partner = _PAIRS.get(character)
    return partner is not None and text.count(character) > text.count(partner)
