"""What an index was last given of files and folders that are followed, compared with what is there now.

A path is looked at once it is quiet: its inode, size and time of modification have stayed the same for a while. The
paths of one burst are compared and indexed together.
"""

from __future__ import annotations

import logging
import math
import os
import stat
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from index.corpus import CorpusIndex
from index.errors import IndexLockedError, InputError
from index.load import find_files
from index.roots import absolute_path, is_inside
from index.update import UpdateReport
from index.watched import Root, Roots, Signature, folder_of, mode_of, signature_of

__all__ = ["Following"]

logger = logging.getLogger(__name__)

_Step = Callable[[], UpdateReport | None]

_MANY = 1000
"""Paths told of in one burst above which everything is looked at: as cheap, and the queue of the system, 16,384 on
Linux, may have overflowed, which watchfiles 1.3 does not tell."""

_PATIENCE = 10
"""Quiet times that a burst may last before the files that are quiet themselves are taken."""

_IDLE_SHARE = 10
"""A look at everything is not repeated before ten times as long as it took."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """What is known of a path to look at: its signature, and since when it has had it."""

    signature: Signature | None
    since: float


class Following:
    """What the index was last given of the paths, and what is to be looked at."""

    def __init__(
        self,
        corpus: CorpusIndex,
        paths: Sequence[str | Path],
        *,
        on_report: Callable[[UpdateReport], None],
        quiet_seconds: float,
    ) -> None:
        self._corpus = corpus
        self._on_report = on_report
        self._quiet_seconds = quiet_seconds
        self._roots = Roots(paths, index=corpus.directory)
        self._known: dict[str, Signature] = {}
        self._pending: dict[str, _Pending] = {}
        self._burst_began = 0.0
        self._n_told = 0
        self._looked, self._look_took, self._is_look_wanted = -math.inf, 0.0, False
        self._is_started, self._is_locked = False, False

    # -- roots --------------------------------------------------------------------------------------------------

    def start(self) -> bool:
        """Bring the index up to date, unless that is done; say whether it was possible, or the index is locked."""
        if self._is_started:
            return True
        on_record = {absolute_path(given) for given in self._corpus.status().roots}
        for root in self._roots:
            if root.path not in on_record:
                find_files([root.given])  # raises where there is nothing
        listed = self._roots.listed(root.path for root in self._roots)
        filled = [root for root in self._roots if any(is_inside(path, root.path) for path in listed)]
        new = [root.given for root in filled if root.path not in on_record]
        steps: list[_Step] = [lambda: self._corpus.add(new)] if new else []
        for root in self._roots:
            root.folder, root.is_away = folder_of(root.path), root not in filled and root.path in on_record
        if any(root.is_away and root.folder for root in self._roots):
            logger.warning("what has gone meanwhile is not removed: an empty folder may be a drive that is not there")
        else:
            steps.append(self._refresh)
        self._is_started = self._run(steps, tell_always=True)
        self._known = listed
        for root in self._roots:
            if root.is_away:
                root.folder = None
                root.say_away()
        return self._is_started

    def folders(self) -> list[str]:
        """Return the folders that are there; a single file is looked at at every tick instead.

        An editor that renames a new file over it would take the notifications away with the old one.
        """
        return [root.path for root in self._roots if root.folder]

    def roots_changed(self) -> bool:
        """Say whether a folder has gone, come or been replaced, and have it looked at."""
        has_changed = False
        for root in self._roots:
            folder = folder_of(root.path)
            if folder == root.folder:
                continue
            if folder is None or self._is_emptied(root):
                if root.folder is not None:
                    root.folder, has_changed = None, True
                    root.say_away()
                continue
            logger.info("%s is there", root.given)
            root.folder, has_changed = folder, True
            if root.is_away:  # what the index holds of it is not known here
                root.is_away = self._is_started = False
            else:
                self._put(root.path, signature_of(root.path))
        return has_changed

    def _is_emptied(self, root: Root) -> bool:
        """Say whether nothing is left in a folder whose documents are indexed, as where a drive was mounted."""
        is_indexed = root.is_away or any(is_inside(path, root.path) for path in self._known)
        return is_indexed and not self._roots.listed([root.path])

    # -- what is to be looked at --------------------------------------------------------------------------------

    def note(self, told: set[str]) -> None:
        """Remember paths that something happened to, and single files that have changed."""
        self._n_told += len(told)
        if self._n_told > _MANY:
            self.look_soon()
        else:
            for path in filter(self._roots.is_followed, told):
                self._put(path, signature_of(path))
        for root in self._roots:
            is_file = stat.S_ISREG(mode_of(root.path)) or root.path in self._known
            if is_file and (signature := signature_of(root.path)) != self._known.get(root.path):
                self._put(root.path, signature)

    def look_soon(self) -> None:
        """Have everything looked at."""
        self._is_look_wanted = True

    def look(self, seconds: float) -> None:
        """Compare all that is there with what the index was given, unless that was done in the last ``seconds``."""
        now = time.monotonic()
        if now - self._looked < max(0.0 if self._is_look_wanted else seconds, _IDLE_SHARE * self._look_took):
            return
        self._is_look_wanted = False
        roots = [root.path for root in self._roots if root.folder]
        found = self._roots.listed(roots)
        for path, signature in found.items():
            if self._known.get(path) != signature:
                self._put(path, signature)
        for path in self._known.keys() - found.keys():
            if (root := self._roots.of(path)) and root.folder:
                self._put(path, None)
        self._looked, self._look_took, self._n_told = time.monotonic(), time.monotonic() - now, 0

    def _put(self, path: str, signature: Signature | None) -> None:
        now, former = time.monotonic(), self._pending.get(path)
        if not self._pending:
            self._burst_began = now
        if former is None or former.signature != signature:
            self._pending[path] = _Pending(signature, now)

    # -- what is done -------------------------------------------------------------------------------------------

    def take(self) -> None:
        """Index what is quiet."""
        ready = self._ready()
        changed, gone = self._compared(ready)
        steps: list[_Step] = [lambda: self._add(changed)] if changed else []
        steps += [lambda: self._remove(gone)] if gone else []
        for path in ready:
            del self._pending[path]
        if not self._run(steps):
            self._pending = ready | self._pending

    def _ready(self) -> dict[str, _Pending]:
        """Return what to look at now: all once nothing happens any more, or what is quiet in a burst without end."""
        for path in self._pending:
            self._put(path, signature_of(path))
        now = time.monotonic()
        quiet = {path: p for path, p in self._pending.items() if now - p.since >= self._quiet_seconds}
        is_over = len(quiet) == len(self._pending)
        if is_over:
            self._n_told = 0
        return quiet if is_over or now - self._burst_began >= _PATIENCE * self._quiet_seconds else {}

    def _compared(self, paths: Collection[str]) -> tuple[dict[str, Signature], set[str]]:
        """Return the files below paths that are new or have changed, and those that are gone."""
        there: dict[str, Signature] = {}
        missing: set[str] = set()
        for path in paths:
            root, mode = self._roots.of(path), mode_of(path)
            if root is None or root.folder != folder_of(root.path):
                continue  # it goes away in this moment
            if root.folder is None and not (path in self._known or stat.S_ISREG(mode)):
                continue  # away: its documents are kept
            if stat.S_ISDIR(mode):
                if not any(above in paths and stat.S_ISDIR(mode_of(above)) for above in _parents(path)):
                    below = self._roots.listed([path])
                    there |= below
                    missing |= {known for known in self._known if is_inside(known, path) and known not in below}
            elif signature := signature_of(path) if stat.S_ISREG(mode) else None:
                there[path] = signature
            else:
                missing.add(path)
        changed = {path: signature for path, signature in there.items() if self._is_news(path, signature)}
        gone = {k for k in self._known if missing and (k in missing or not missing.isdisjoint(_parents(k)))}
        return changed, gone - there.keys()

    def _is_news(self, path: str, signature: Signature) -> bool:
        """Say whether a file has changed or is new, and no link to one that is indexed under another name."""
        if path in self._known or os.path.realpath(path) == path:
            return self._known.get(path) != signature
        return not any(
            os.path.realpath(known) == os.path.realpath(path)
            for known, other in self._known.items()
            if other[0] == signature[0]
        )

    def _add(self, changed: dict[str, Signature]) -> UpdateReport | None:
        report = None
        try:
            report = self._corpus.add([self._roots.given(path) for path in sorted(changed)])
        except InputError as error:
            if not all(map(os.path.lexists, changed)):  # one has gone in this moment
                for path in changed:
                    self._put(path, signature_of(path))
                return None
            logger.warning("%s", error)
        self._known |= changed  # what could not be read is read again once it changes
        return report

    def _remove(self, gone: set[str]) -> UpdateReport | None:
        """Remove files, those of a folder that is gone as one; what the index does not hold is left out."""
        sources = sorted({self._roots.highest_missing(path) for path in gone})
        reports = []
        try:
            reports = [self._corpus.remove(sources)]
        except InputError:
            for source in sources:
                with suppress(InputError):
                    reports.append(self._corpus.remove([source]))
        for path in gone:
            del self._known[path]
        return _merged(reports) if reports else None

    def _refresh(self) -> UpdateReport | None:
        try:
            return self._corpus.refresh()
        except InputError as error:  # nothing would be left
            logger.warning("%s", error)
            return None

    def _run(self, steps: Sequence[_Step], *, tell_always: bool = False) -> bool:
        """Change the index and tell what was done; say whether it was possible, or the index is locked."""
        reports: list[UpdateReport] = []
        try:
            for step in steps:
                reports += [report for report in [step()] if report is not None]
            self._is_locked = False
        except IndexLockedError as error:
            if not self._is_locked:
                logger.warning("%s; the changes are kept", error)
            self._is_locked = True
        if reports and (tell_always or any(map(_says_something, reports))):
            self._on_report(_merged(reports))
        return not self._is_locked


def _parents(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _says_something(report: UpdateReport) -> bool:
    return bool(report.n_added + report.n_changed + report.n_removed or report.problems or report.warnings)


def _merged(reports: Sequence[UpdateReport]) -> UpdateReport:
    """Return several changes, one after the other, as one."""
    if len(reports) == 1:
        return reports[0]
    earlier = sum(report.n_added + report.n_changed for report in reports[:-1])
    return replace(
        reports[-1],
        added=tuple(source for report in reports for source in report.added),
        changed=tuple(source for report in reports for source in report.changed),
        removed=tuple(source for report in reports for source in report.removed),
        n_unchanged=max(0, reports[-1].n_unchanged - earlier),
        n_embedded=sum(report.n_embedded for report in reports),
        problems=tuple({str(problem): problem for report in reports for problem in report.problems}.values()),
        warnings=tuple(dict.fromkeys(warning for report in reports for warning in report.warnings)),
    )
