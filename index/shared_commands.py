"""python -m index push | pull | optimize: an index and the store that it shares with others."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Callable

__all__ = ["shared_commands"]

_KEEP_MINUTES = 60

Command = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def shared_commands(command: Command) -> None:
    """Add the commands to a parser.

    Args:
        command: adds one, by its name, what runs it and what it is for.
    """
    push = command("push", _push, "make a shared store hold what this index holds; embeddings are copied")
    pull = command("pull", _pull, "make this index hold what a shared store holds; embeddings are copied")
    optimize = command("optimize", _optimize, "join the small files of a shared store, and delete its former versions")
    for sub in (push, pull, optimize):
        sub.add_argument("store", metavar="STORE", help="a folder, or s3://bucket/prefix (AWS_ENDPOINT_URL, AWS_…)")
    push.add_argument(
        "--owner", default="main", metavar="NAME", help="name of this writer: what others pushed is left alone (main)"
    )
    optimize.add_argument(
        "--keep-minutes",
        type=float,
        default=_KEEP_MINUTES,
        metavar="N",
        help=f"versions of the last minutes stay for those who read them ({_KEEP_MINUTES}); 0: nobody reads now",
    )


def _push(options: argparse.Namespace) -> int:
    from index.corpus import CorpusIndex  # noqa: PLC0415 - here and below: lancedb is wanted by these commands only
    from index.shared import push  # noqa: PLC0415

    report = push(CorpusIndex.open(options.index), options.store, owner=options.owner)
    print(f"{options.store}: {report.n_put} put, {report.n_removed} removed, {report.n_unchanged} unchanged")
    return 0


def _pull(options: argparse.Namespace) -> int:
    from index.shared import pull  # noqa: PLC0415

    report = pull(options.store, options.index)
    print(
        f"{options.index}: generation {report.generation}: {report.n_added} added, {report.n_changed} changed, "
        f"{report.n_removed} removed, {report.n_unchanged} unchanged; {report.n_embedded} passages embedded"
    )
    return 0


def _optimize(options: argparse.Namespace) -> int:
    from index.lance import SharedStore  # noqa: PLC0415

    store = SharedStore.open(options.store)
    store.optimize(keep=datetime.timedelta(minutes=options.keep_minutes))
    print(f"{options.store}: optimized")
    return 0
