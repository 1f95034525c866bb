"""Uploaded files: kept beside the index under safe names, then added to the corpus."""

from __future__ import annotations

import filecmp
import shutil
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from index import CorpusIndex, InputError, LoadError, Progress, UpdateReport

__all__ = ["FileOutcome", "Outcome", "add_uploads", "discard", "safe_name"]

# Most file systems take 255 bytes; the difference leaves room for the names that writers put aside.
MAX_NAME_BYTES = 200


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one uploaded file.

    Attributes:
        name: its name among the uploads.
        status: ``added``; ``updated`` where a file of that name was replaced; ``unchanged`` where it was the same;
            ``refused`` where nothing of it could be read, in which case the former file of that name is back.
        problems: what could not be read, the whole file or some of its lines.
    """

    name: str
    status: Literal["added", "updated", "unchanged", "refused"]
    problems: tuple[LoadError, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an upload: one entry a file, in the order given, and what the index says of the change."""

    files: tuple[FileOutcome, ...]
    report: UpdateReport


def safe_name(name: str) -> str:
    """Return a name that stays in its folder, is visible and holds no control or direction character.

    Raises:
        InputError: if nothing is left of the name, or it is longer than `MAX_NAME_BYTES` in UTF-8.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    kept = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip().lstrip(".").strip()
    if not kept or len(kept.encode()) > MAX_NAME_BYTES:
        raise InputError(f"Le nom de fichier {name!r} ne peut pas être gardé : il en faut 1 à {MAX_NAME_BYTES} octets.")
    return kept


def add_uploads(
    files: Sequence[Path],
    *,
    corpus: CorpusIndex,
    folder: Path,
    progress: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Keep uploaded files in a folder and add the folder to the corpus; a file of a known name is its new version.

    Args:
        files: the files as received; their names are made safe.
        corpus: the corpus that takes them.
        folder: where they are kept; made if missing.
        progress: called as the corpus goes on.

    Raises:
        InputError: if no file is given, a name cannot be kept, or two files have the same one.
        SourcierError: if the corpus cannot be changed; the folder is then as it was.
    """
    targets = _targets(files, folder)
    folder.mkdir(parents=True, exist_ok=True)
    # Beside the folder, on the same file system, so that moving in and back is a rename.
    with TemporaryDirectory(prefix=".uploads-", dir=folder.parent) as aside:
        former = _put(targets, Path(aside))
        try:
            report = corpus.add([folder], progress=progress)
        except BaseException:
            _restore(targets, former)
            raise
        outcomes = tuple(_outcome(target, former, corpus, report) for target in targets)
        refused = [target for target, outcome in zip(targets, outcomes, strict=True) if outcome.status == "refused"]
        _restore(refused, former)
    if refused:
        report = replace(report, generation=_forget(refused, former, corpus=corpus, folder=folder))
    return Outcome(outcomes, report)


def discard(files: Iterable[Path]) -> None:
    """Delete files as they were received: a document that is removed later is not to live on among them."""
    for file in files:
        file.unlink(missing_ok=True)


def _targets(files: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Map where each file will be kept to where it is now."""
    if not files:
        raise InputError("Aucun fichier n’a été reçu : choisissez-en au moins un.")
    targets: dict[Path, Path] = {}
    for file in files:
        target = folder / safe_name(file.name)
        if target in targets:
            raise InputError(f"Deux fichiers s’appellent {target.name} : renommez l’un des deux, puis ajoutez-les.")
        targets[target] = file
    return targets


def _put(targets: dict[Path, Path], aside: Path) -> dict[Path, Path]:
    """Put each file in its place, whole or not at all; return where the former file of each place is now."""
    former: dict[Path, Path] = {}
    for target, file in targets.items():
        incoming = aside / f"new-{target.name}"
        shutil.copyfile(file, incoming)
        if target.exists():
            former[target] = target.replace(aside / f"old-{target.name}")
        incoming.replace(target)
    return former


def _restore(targets: Iterable[Path], former: dict[Path, Path]) -> None:
    for target in targets:
        if target in former:
            former[target].replace(target)
        else:
            target.unlink()


def _forget(refused: Sequence[Path], former: dict[Path, Path], *, corpus: CorpusIndex, folder: Path) -> int:
    """Bring the corpus back to the files that were there before, and return its generation."""
    new = [str(target) for target in refused if target not in former]
    report = corpus.remove(new) if new else None
    if report is None or len(new) < len(refused):
        report = corpus.add([folder])
    return report.generation


def _outcome(target: Path, former: dict[Path, Path], corpus: CorpusIndex, report: UpdateReport) -> FileOutcome:
    # The report tells what this change read; the status also tells what an unchanged file was found to lack before.
    told = {(problem.source, problem.reason): problem for problem in (*corpus.status().problems, *report.problems)}
    problems = tuple(problem for problem in told.values() if _place(problem.source, target) is not None)
    whole = any(_place(problem.source, target) == "" for problem in problems)
    if whole or (problems and target not in former and report.n_added == 0):
        return FileOutcome(target.name, "refused", problems)
    if target not in former:
        return FileOutcome(target.name, "added", problems)
    same = filecmp.cmp(former[target], target, shallow=False)
    return FileOutcome(target.name, "unchanged" if same else "updated", problems)


def _place(source: str, target: Path) -> str | None:
    """Return which part of a file a problem is about, ``:3`` or ``[3]``, empty for all of it; None for another file."""
    path, file = str(Path(source).absolute()), str(target.absolute())
    rest = path.removeprefix(file)
    return rest if path.startswith(file) and rest[:1] in ("", ":", "[") else None
