"""python -m index push | pull | optimize, and --store of the others: an index and the store that it shares."""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Callable

from index.embed import open_embedder
from index.errors import InputError
from index.plan import ProgressCallback

__all__ = ["ingest_on_cluster", "push_to_store", "ray_option", "shared_commands", "store_options"]

_KEEP_MINUTES = 60
_STORE = "a folder, or s3://bucket/prefix (AWS_ENDPOINT_URL, AWS_…)"

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
        sub.add_argument("store", metavar="STORE", help=_STORE)
    _owner_option(push)
    optimize.add_argument(
        "--keep-minutes",
        type=float,
        default=_KEEP_MINUTES,
        metavar="N",
        help=f"versions of the last minutes stay for those who read them ({_KEEP_MINUTES}); 0: nobody reads now",
    )


def store_options(parser: argparse.ArgumentParser) -> None:
    """Let a command that changes an index take ``--store`` and ``--owner``: what it changed is pushed."""
    parser.add_argument("--store", metavar="STORE", help=f"push the index there afterwards: {_STORE}")
    _owner_option(parser)


def ray_option(parser: argparse.ArgumentParser) -> None:
    """Let a command take ``--ray``: the files are read on a cluster, into the store and into no index."""
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="read the files on a Ray cluster, into --store and into no index: local, auto, HOST:PORT, ray://HOST:PORT",
    )


def _owner_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--owner", default="main", metavar="NAME", help="name of this writer: what others pushed is left alone (main)"
    )


def push_to_store(options: argparse.Namespace) -> int:
    """Push the index to the store that was named, if one was; return 0."""
    return 0 if options.store is None else _push(options)


def ingest_on_cluster(options: argparse.Namespace, *, complete: bool, progress: ProgressCallback) -> int:
    """Read files into the store on a cluster; return 1 where nothing could be read.

    Raises:
        InputError: if no store was named.
    """
    if options.store is None:
        raise InputError(f"--ray {options.ray}: expected with --store STORE, which the documents go into")
    if options.dry_run:
        raise InputError(f"--ray {options.ray}: --dry-run needs an index to compare with; leave one of them out")
    from index.ray_ingest import ingest  # noqa: PLC0415 - ray and lancedb are wanted by this command only

    report = ingest(
        options.paths,
        options.store,
        cluster=options.ray,
        owner=options.owner,
        embedder=None if options.embedder is None else open_embedder(options.embedder),
        complete=complete,
        progress=progress,
    )
    for line in (*report.warnings, *map(str, report.problems)):
        print(line, file=sys.stderr)
    print(
        f"{options.store}: {report.n_put} put, {report.n_removed} removed, {report.n_unchanged} unchanged, "
        f"{len(report.problems)} not read"
    )
    return 1 if report.problems and not report.n_put + report.n_unchanged else 0


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
