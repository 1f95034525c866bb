"""watch: keeps an index equal to files and folders while these change.

What the system tells of a change says only where to look (following.py does), so nothing depends on the kind or the
order of notifications, and one that is lost is made up for by the next look at everything.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from index.corpus import CorpusIndex
from index.errors import InputError
from index.following import Following
from index.update import UpdateReport

__all__ = ["watch"]

logger = logging.getLogger(__name__)


def watch(
    corpus: CorpusIndex,
    paths: Sequence[str | Path],
    *,
    on_report: Callable[[UpdateReport], None],
    stop: threading.Event | None = None,
    quiet_seconds: float = 1.0,
    rescan_seconds: float = 300.0,
    force_polling: bool = False,
) -> None:
    """Bring an index up to date with files and folders, and then follow them until told to stop.

    The changes of a burst are indexed together once nothing more happens: renames, editors that write aside and files
    that are written bit by bit are read when they are done. A folder among ``paths`` that is no longer there, or in
    whose place there is an empty one, as where a drive was mounted, keeps its documents until it is back. The folder of
    the index may lie below them. Where another process is writing to the index, the changes are kept and tried again.

    Args:
        corpus: the index; all that it was built from is brought up to date at the start.
        paths: files and folders, followed under the names that they have here.
        on_report: called with what was done, first for the start, then for each burst that changed the index or held
            something that cannot be read.
        stop: ends the call once set; None leaves that to KeyboardInterrupt, which ends it without an error too.
        quiet_seconds: how long nothing must happen before what happened is indexed, above 0.
        rescan_seconds: how often everything is looked at for what no notification told, by name, size and time.
        force_polling: use no notifications, which network and virtual drives do not send, but look at everything again
            and again, at most a tenth of the time.

    Raises:
        InputError: if a path does not exist and the index does not know it.
        IndexMismatchError: if the index was built with another embedding model.
        StoreError: if the index cannot be written.
    """
    if quiet_seconds <= 0:
        raise InputError(f"quiet_seconds {quiet_seconds}: expected more than 0")
    stop, tick = stop or threading.Event(), quiet_seconds / 2
    following = Following(corpus, paths, on_report=on_report, quiet_seconds=quiet_seconds)
    try:
        while not stop.is_set():
            if following.start():
                notifier = _Notifier(following.folders(), stop=stop, seconds=tick, is_off=force_polling)
                force_polling = _follow(following, notifier, rescan_seconds)
            else:
                stop.wait(tick)
    except KeyboardInterrupt:
        logger.info("interrupted: no longer watching")


def _follow(following: Following, notifier: _Notifier, rescan_seconds: float) -> bool:
    """Follow until a folder goes or comes back; return whether notifications are of no use."""
    following.look_soon()  # for what happened before the notifier began
    for told in notifier.ticks():
        if following.roots_changed():
            break
        following.note(told)
        following.look(0.0 if notifier.is_off else rescan_seconds)
        following.take()
    return notifier.is_off


class _Notifier:
    """What the system tells of changes below folders: the only door to watchfiles.

    Attributes:
        is_off: whether there are no notifications, by wish or because the system has no more to give.
    """

    def __init__(self, folders: Sequence[str], *, stop: threading.Event, seconds: float, is_off: bool) -> None:
        self.is_off = is_off
        self._folders = folders
        self._stop = stop
        self._seconds = seconds

    def ticks(self) -> Iterator[set[str]]:
        """Yield the paths told, once begun and then at every tick, until stopped; ends where they break off."""
        try:
            if self._folders and not self.is_off:
                yield from self._told()
                return
        except OSError as error:
            logger.warning("no notifications of changes (%s)", error)
            self.is_off = all(map(os.path.isdir, self._folders))  # else one has gone in this moment
        except RuntimeError as error:  # watchfiles 1.3: WatchfilesRustInternalError; a file name is not UTF-8, say
            logger.warning("the notifications of changes broke off (%s): everything is looked at", error)
        while not self._stop.wait(self._seconds):
            yield set()
            if self._folders and not self.is_off:
                return

    def _told(self) -> Iterator[set[str]]:
        import watchfiles  # noqa: PLC0415 - only who watches needs it

        milliseconds = max(1, round(1000 * self._seconds))
        for changes in watchfiles.watch(
            *self._folders,
            watch_filter=None,  # where a filter leaves nothing, there is no tick
            debounce=milliseconds,
            step=min(50, milliseconds),
            stop_event=self._stop,
            rust_timeout=milliseconds,
            yield_on_timeout=True,
            ignore_permission_denied=True,
        ):
            yield {path for _, path in changes}
