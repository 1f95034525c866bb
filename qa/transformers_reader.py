"""Any other reader: the only door to transformers, imported when such a reader is opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embed import finite_rows, resolve_model, stated_failures
from index.errors import ModelError
from qa.readings import MOST_CHARACTERS, UNREAD, Ints, Pieces, Reading, Window, best_ends, check_texts, reading_of

__all__ = ["TransformersReader"]

_ROLE = "reader"
_BATCH = 8
_LENGTH = 512  # pieces that a model reads where it declares no fewer


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
        """Return what each window says, in the order given; see `qa.reader.Reader.read`."""
        check_texts(question, windows)
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
        short = question[: self._most * MOST_CHARACTERS]
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
            best = best_ends(start[kept], end[kept], pieces.owners)[1].max(initial=-np.inf)
            answers = float(best - start[0] - end[0]) if len(kept) else UNREAD
            readings.append(reading_of(window, answers, start[kept], end[kept], pieces))
        return readings


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


def _owned(window: Window, places: Ints, inside: NDArray[np.bool_]) -> tuple[Ints, Pieces]:
    """Return which pieces lie in a sentence of the window, and those pieces, each within its sentence.

    A piece that begins with the space before a sentence is of that sentence.
    """
    starts, ends = np.array([(each.span.start, each.span.end) for each in window.sentences]).T
    owners = np.searchsorted(starts, places[:, 1] - 1, side="right") - 1
    kept = np.flatnonzero(inside & (owners >= 0) & (places[:, 1] <= ends[owners]) & (places[:, 0] < places[:, 1]))
    places, owners = places[kept], owners[kept]
    return kept, Pieces(np.stack([np.maximum(places[:, 0], starts[owners]), places[:, 1]], axis=1), owners)
