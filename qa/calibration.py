"""How sure an answer must be on one's own documents: measured on questions made from them, and kept beside the index.

Questions are made from sentences of the index and asked with the document that they were made from hidden: what is then
answered is answered falsely. The threshold is the confidence that a stated share of them reaches, as in conformal
prediction (Vovk et al., "Algorithmic Learning in a Random World", 2005): the rate holds for questions like these.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from index.errors import InputError

__all__ = ["Calibration", "calibration_file", "calibration_of", "read_calibration", "write_calibration"]

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured on an index.

    Attributes:
        mode: the models that were in use, as `Answer.mode`; the threshold holds for these only.
        threshold: least confidence of an answer, in [0, 1].
        rate: the share of false answers that was asked for, in (0, 1).
        n: questions that were asked with their document hidden.
        false_refusals: share of the same questions that are refused with their document, in [0, 1].
        generation: generation of the index that was asked.
    """

    mode: str
    threshold: float
    rate: float
    n: int
    false_refusals: float
    generation: int


def calibration_of(
    hidden: Sequence[float], shown: Sequence[float], *, rate: float, mode: str, generation: int
) -> Calibration:
    """Return the calibration that confidences give.

    Args:
        hidden: confidences of questions asked with their document hidden.
        shown: those of the same questions with it.
        rate: share of false answers wanted.
        mode: as `Calibration`.
        generation: as `Calibration`.

    Raises:
        InputError: if the rate is not in (0, 1), or too small for so few questions.
    """
    if not 0.0 < rate < 1.0:
        raise InputError(f"rate {rate}: expected more than 0 and less than 1, such as 0.05")
    n = len(hidden)
    allowed = math.floor(rate * (n + 1)) - 1
    if allowed < 0:
        raise InputError(
            f"a rate of {rate} needs at least {math.ceil(1 / rate) - 1} questions, found {n}: expected a higher rate, "
            "or an index with more prose"
        )
    ordered = sorted(hidden, reverse=True)
    threshold = min(1.0, math.nextafter(ordered[allowed], math.inf))
    refused = sum(confidence < threshold for confidence in shown) / len(shown)
    return Calibration(mode, threshold, rate, n, round(refused, 4), generation)


def calibration_file(index: Path) -> Path:
    """Return where the calibrations of an index are kept: beside its folder, so that a rebuild leaves them alone."""
    return index.with_name(f"{index.name}-calibration.json")


def write_calibration(calibration: Calibration, path: Path) -> None:
    """Keep a calibration in the place of the one of the same mode."""
    known = _read(path)
    known[calibration.mode] = asdict(calibration)
    path.write_text(json.dumps({"format": _FORMAT, "modes": known}, ensure_ascii=False, indent=2), encoding="utf-8")


def read_calibration(path: Path, *, mode: str) -> Calibration | None:
    """Return the calibration of a mode, or None where none was made.

    Raises:
        InputError: if the file is none.
    """
    record = _read(path).get(mode)
    try:
        return None if record is None else Calibration(**record)
    except TypeError as error:
        raise _unreadable(path, error) from error


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        return dict(value["modes"]) if value["format"] == _FORMAT else {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path}: no calibration that can be read ({error}): delete the file, or run `python -m qa calibrate` again"
    )
