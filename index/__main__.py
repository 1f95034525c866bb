"""python -m index build | add | remove | watch | embed | status | verify | repair | push | pull | optimize."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from index.command import embedder_option, index_option, run_command
from index.corpus import CorpusIndex, Status
from index.embed import Embedder, open_embedder
from index.plan import Progress, ProgressCallback
from index.reembed import EmbeddingCost
from index.shared_commands import ingest_on_cluster, push_to_store, ray_option, shared_commands, store_options
from index.update import UpdateReport

DEFAULT_PATHS = ("seeds/",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0 when done, 1 after a stated failure, 2 on wrong usage."""
    return run_command(_parser(), arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m index", description="Build and keep the index of your documents.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    common = index_option()

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, parents=[common], help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    build = command("build", _build, "make the index equal to the given files and folders; only changes are processed")
    build.add_argument(
        "paths", nargs="*", default=list(DEFAULT_PATHS), metavar="PATHS", help="files and folders (seeds/)"
    )
    add = command("add", _add, "add files and folders, or bring them up to date")
    add.add_argument("paths", nargs="+", metavar="PATHS")
    remove = command("remove", _remove, "remove files, folders, members of an archive or single records")
    remove.add_argument("sources", nargs="+", metavar="SOURCE", help="as `status` and the citations name it")
    for changing in (build, add, remove):
        changing.add_argument(
            "--dry-run", action="store_true", help="only print what would be added (+), changed (~) and removed (-)"
        )
        store_options(changing)
    for reading in (build, add):
        ray_option(reading)
    watch = command("watch", _watch, "follow files and folders, and bring the index up to date as they change")
    watch.add_argument("paths", nargs="+", metavar="PATHS")
    watch.add_argument("--poll", action="store_true", help="look again and again, for drives that notify of nothing")
    embed = command("embed", _embed, "embed every passage again with another model; no file is read")
    for embedding in (build, add, embed):
        embedder_option(embedding, "embedding model; another one than before embeds every passage again")
    embed.add_argument("--dry-run", action="store_true", help="only say what it would cost")
    status = command("status", _status, "say what the index holds and what could not be read")
    status.add_argument("--json", action="store_true", help="as one JSON object")
    command("verify", _verify, "check every file and every row of the index")
    command("repair", _repair, "make the search files again from the catalog, without embedding")
    shared_commands(command)
    return parser


def _build(options: argparse.Namespace) -> int:
    if options.ray is not None:
        with _progress_bar() as progress:
            return ingest_on_cluster(options, complete=True, progress=progress)
    if options.dry_run:
        with _progress_bar() as progress:
            report = CorpusIndex.preview_build(options.paths, options.index, progress=progress)
        _print_preview(report, options.index)
        return 0
    embedder = _embedder(options)
    with _progress_bar() as progress:
        _, report = CorpusIndex.build_with_report(
            options.paths, options.index, embedder=embedder, progress=progress, on_cost=_cost_of(options.index)
        )
    _print_report(report, options.index)
    return push_to_store(options)


def _add(options: argparse.Namespace) -> int:
    if options.ray is not None:
        with _progress_bar() as progress:
            return ingest_on_cluster(options, complete=False, progress=progress)
    corpus, embedder = CorpusIndex.open(options.index), None if options.dry_run else _embedder(options)
    with _progress_bar() as progress:
        report = corpus.add(
            options.paths,
            embedder=embedder,
            progress=progress,
            on_cost=_cost_of(options.index),
            dry_run=options.dry_run,
        )
    (_print_preview if options.dry_run else _print_report)(report, options.index)
    if not options.dry_run:
        push_to_store(options)
    return 1 if report.problems and not report.n_added + report.n_changed else 0


def _remove(options: argparse.Namespace) -> int:
    report = CorpusIndex.open(options.index).remove(options.sources, dry_run=options.dry_run)
    (_print_preview if options.dry_run else _print_report)(report, options.index)
    return 0 if options.dry_run else push_to_store(options)


def _watch(options: argparse.Namespace) -> int:
    from index.watch import watch  # noqa: PLC0415 - only this command needs watchfiles

    corpus = CorpusIndex.create(options.index)
    print(f"{options.index}: following {', '.join(options.paths)}; Ctrl-C ends it", file=sys.stderr)
    watch(
        corpus,
        options.paths,
        on_report=lambda report: _print_report(report, options.index),
        force_polling=options.poll,
    )
    return 0


def _embed(options: argparse.Namespace) -> int:
    corpus, embedder = CorpusIndex.open(options.index), _embedder(options)
    if options.dry_run:
        cost = corpus.embedding_cost(embedder)
        print(f"{options.index}: nothing was changed: {cost or 'the index has the embeddings of this model already'}")
        return 0
    with _progress_bar() as progress:
        report = corpus.embed(embedder, progress=progress, on_cost=_cost_of(options.index))
    print(
        f"{options.index}: generation {report.generation}: {report.n_embedded} passages embedded with "
        f"{corpus.status().embedder}"
    )
    return 0


def _embedder(options: argparse.Namespace) -> Embedder | None:
    return None if options.embedder is None else open_embedder(options.embedder)


def _cost_of(index: str) -> Callable[[EmbeddingCost], None]:
    def say(cost: EmbeddingCost) -> None:
        print(f"{index}: {cost}; until it ends, the index is as it was, and Ctrl-C leaves it so", file=sys.stderr)

    return say


def _status(options: argparse.Namespace) -> int:
    status = CorpusIndex.open(options.index).status()
    if options.json:
        print(json.dumps(status.to_dict(), ensure_ascii=False, indent=2))
    else:
        _print_status(status)
    return 0


def _verify(options: argparse.Namespace) -> int:
    wrong = CorpusIndex.open(options.index).verify()
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong:
        mend = f"`python -m index repair --index {options.index}` makes search files again"
        print(f"error: {len(wrong)} faults; where the line names no other way, {mend}", file=sys.stderr)
        return 1
    print(f"{options.index}: sound")
    return 0


def _repair(options: argparse.Namespace) -> int:
    corpus = CorpusIndex.repair(options.index)
    print(f"{options.index}: search files made again for {corpus.status().n_passages} passages")
    return 0


def _print_preview(report: UpdateReport, index: str) -> None:
    for mark, sources in (("+", report.added), ("~", report.changed), ("-", report.removed)):
        for source in sources:
            print(f"{mark} {source}")
    _print_problems(report)
    print(
        f"{index}: nothing was changed: {report.n_added} would be added, {report.n_changed} changed, "
        f"{report.n_removed} removed, {report.n_unchanged} stay"
    )


def _print_problems(report: UpdateReport) -> None:
    for warning in report.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for problem in report.problems:
        print(f"not indexed: {problem}", file=sys.stderr)


def _print_report(report: UpdateReport, index: str) -> None:
    _print_problems(report)
    print(
        f"{index}: generation {report.generation}: {report.n_added} added, {report.n_changed} changed, "
        f"{report.n_removed} removed, {report.n_unchanged} unchanged; {report.n_embedded} passages embedded"
    )


def _print_status(status: Status) -> None:
    dates = ""
    if status.first_date and status.last_date:
        dates = f", from {status.first_date} to {status.last_date}"
    print(f"{status.directory}: generation {status.generation}")
    twice = f" ({status.n_sources} sources)" if status.n_sources != status.n_documents else ""
    print(f"{status.n_documents} documents{twice} in {status.n_files} files, {status.n_passages} passages{dates}")
    print(
        f"embedding model: {status.embedder} ({status.dimension} dimensions); {status.n_bytes / 2**20:.1f} MiB on disk"
    )
    print(f"built from: {', '.join(status.roots)}")
    for problem in status.problems:
        print(f"not indexed: {problem}")


@contextmanager
def _progress_bar() -> Iterator[ProgressCallback]:
    from tqdm import tqdm  # noqa: PLC0415 - only long commands draw a bar

    bars: dict[str, tqdm[None]] = {}

    def show(progress: Progress) -> None:
        if progress.stage not in bars:
            bars[progress.stage] = tqdm(desc=progress.stage, unit="", file=sys.stderr, leave=False, disable=None)
        bar = bars[progress.stage]
        bar.total = progress.total
        bar.update(progress.done - bar.n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()


if __name__ == "__main__":
    sys.exit(main())
