"""A run on disk: its figures and one line a question, as JSON, to be read again and compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from index.errors import InputError, LoadError
from qa.evaluation.figures import Figure
from qa.evaluation.outcomes import Outcome

__all__ = ["RUN_FORMAT", "Run", "check_writable", "read_run", "write_run"]

RUN_FORMAT = 1
"""Version of the file: to be raised whenever the meaning of a field changes."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of `evaluate`.

    Attributes:
        about: what was asked of what: JSON values by name, for a reader; nothing is computed from it.
        figures: by name, in the order they are shown.
        outcomes: one a question, in the order they were asked.
    """

    about: Mapping[str, Any]
    figures: Mapping[str, Figure]
    outcomes: Sequence[Outcome]


def check_writable(path: Path) -> None:
    """See to it that a file can be written, before hours are spent on what it shall hold.

    Raises:
        InputError: if its folder is missing, or it is a folder itself.
    """
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise InputError(f"{path} cannot be written: expected a file name in a folder that exists")


def write_run(run: Run, path: Path) -> None:
    """Write a run, one question a line.

    Raises:
        InputError: if the file cannot be written.
    """
    figures = {name: asdict(figure) for name, figure in run.figures.items()}
    head = {"format": RUN_FORMAT, "about": dict(run.about), "figures": figures}
    lines = ",\n".join(json.dumps(asdict(outcome), ensure_ascii=False) for outcome in run.outcomes)
    text = json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}") + f',\n "questions": [\n{lines}\n]\n}}\n'
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def read_run(path: Path) -> Run:
    """Read a run that `write_run` wrote.

    Raises:
        LoadError: if it cannot be read, or was written in another format.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] != RUN_FORMAT:
            raise ValueError(f"found format {record['format']}, expected {RUN_FORMAT}")
        figures = {name: Figure(**figure) for name, figure in record["figures"].items()}
        outcomes = [_outcome(entry) for entry in record["questions"]]
    except (OSError, AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise LoadError(str(path), f"expected a run written by `evaluate --out` ({error!r})") from error
    return Run(record["about"], figures, outcomes)


def _outcome(entry: Mapping[str, Any]) -> Outcome:
    known = {name: entry[name] for name in (field.name for field in fields(Outcome))}
    return Outcome(**{**known, "answers": tuple(known["answers"])})
