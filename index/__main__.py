"""python -m index build | add | remove | status | verify | repair."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from index.command import index_option, run_command
from index.corpus import CorpusIndex, Status
from index.embed import open_embedder
from index.plan import Progress, ProgressCallback
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
    build.add_argument(
        "--embedder", metavar="NAME", help="'bundled', a sentence-transformers model name, or its folder"
    )
    add = command("add", _add, "add files and folders, or bring them up to date")
    add.add_argument("paths", nargs="+", metavar="PATHS")
    remove = command("remove", _remove, "remove files, folders or single JSON lines")
    remove.add_argument("sources", nargs="+", metavar="SOURCE", help="as `status` and the citations name it")
    status = command("status", _status, "say what the index holds and what could not be read")
    status.add_argument("--json", action="store_true", help="as one JSON object")
    command("verify", _verify, "check every file and every row of the index")
    command("repair", _repair, "make the search files again from the catalog, without embedding")
    return parser


def _build(options: argparse.Namespace) -> int:
    embedder = open_embedder(options.embedder) if options.embedder else None
    with _progress_bar() as progress:
        _, report = CorpusIndex.build_with_report(options.paths, options.index, embedder=embedder, progress=progress)
    return _print_report(report, options.index)


def _add(options: argparse.Namespace) -> int:
    with _progress_bar() as progress:
        report = CorpusIndex.open(options.index).add(options.paths, progress=progress)
    _print_report(report, options.index)
    return 1 if report.problems and not report.n_added + report.n_changed else 0


def _remove(options: argparse.Namespace) -> int:
    return _print_report(CorpusIndex.open(options.index).remove(options.sources), options.index)


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


def _print_report(report: UpdateReport, index: str) -> int:
    for warning in report.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for problem in report.problems:
        print(f"not indexed: {problem}", file=sys.stderr)
    print(
        f"{index}: generation {report.generation}: {report.n_added} added, {report.n_changed} changed, "
        f"{report.n_removed} removed, {report.n_unchanged} unchanged; {report.n_embedded} passages embedded"
    )
    return 0


def _print_status(status: Status) -> None:
    dates = ""
    if status.first_date and status.last_date:
        dates = f", from {status.first_date} to {status.last_date}"
    print(f"{status.directory}: generation {status.generation}")
    print(f"{status.n_documents} documents in {status.n_files} files, {status.n_passages} passages{dates}")
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
            for bar in bars.values():
                bar.close()
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
