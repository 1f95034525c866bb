"""Open the chat page: ``python app.py [--index DIR] [--embedder|--reranker|--reader NAME] [--host H] [--port P]``."""

# The libraries take seconds to import, so they wait until what is cheap to know has been said.
# ruff: noqa: PLC0415

from __future__ import annotations

import argparse
import errno
import logging
import os
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ui.log import FORMATS, start_log

if TYPE_CHECKING:
    from index import CorpusIndex, Progress
    from index.reembed import EmbeddingCost

__all__ = ["main"]

logger = logging.getLogger("sourcier")

SEEDS = "seeds/"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the page until it is interrupted.

    Returns:
        0 once stopped, 1 after a stated failure, 2 (through `argparse`) after wrong usage.
    """
    options = _parse(argv)
    start_log(options.log)
    # What is cheap to know is said before the libraries are imported, which takes seconds.
    refusal = _refusal(options.host, options.port)
    if refusal is not None:
        logger.error(refusal)
        return 1
    from index import SourcierError

    try:
        _serve(_replica(options) if options.store else _open_corpus(options.index, options.embedder), options)
    except SourcierError as error:
        logger.error("%s", error)
        return 1
    except KeyboardInterrupt:
        pass  # the usual way to stop the page
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python app.py", description="Open the chat page of Sourcier.")
    parser.add_argument("--index", type=Path, default=Path("data/index"), help="folder of the index (%(default)s)")
    parser.add_argument(
        "--store", metavar="STORE", help="shared store that the index is a replica of, and follows; visitors only ask"
    )
    parser.add_argument(
        "--embedder", metavar="NAME", help="embedding model from now on; another one embeds every passage again"
    )
    parser.add_argument("--reranker", metavar="NAME", help="model that puts the passages found in a better order")
    parser.add_argument(
        "--reader", default="bundled", metavar="NAME", help="what reads the sentences: bundled (default), none, a model"
    )
    parser.add_argument(
        "--chat-model", metavar="PROVIDER:NAME", help="language model that writes the answers, such as ollama:mistral"
    )
    parser.add_argument("--verifier", metavar="NAME", help="entailment model (NLI) that checks what it wrote too")
    parser.add_argument(
        "--auth-file", type=Path, metavar="FILE", help="only those with an account in it (`python -m ui password`)"
    )
    parser.add_argument("--read-only", action="store_true", help="visitors ask, and add or remove nothing")
    parser.add_argument(
        "--max-upload-mb", type=_megabytes, metavar="N", help="most megabytes of a file that is added (200)"
    )
    parser.add_argument(
        "--log", choices=FORMATS, default="text", help="log for people (%(default)s), or one JSON object a line"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=7860, help="port to listen on (%(default)s)")
    return parser.parse_args(argv)


def _port(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: expected 1 to 65535")
    return int(text)


def _megabytes(text: str) -> int:
    if not (text.isdecimal() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number of megabytes, at least 1")
    return int(text)


def _refusal(host: str, port: int) -> str | None:
    """Say in one line why nothing can listen there, or return None."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # As the server itself does: a port left by a server that has just ended can be taken again.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"port {port} is in use on {host}: python app.py --port {port % 65535 + 1}"
        return f"cannot listen on {host}, port {port} ({error.strerror}): python app.py --host 127.0.0.1"
    return None


def _open_corpus(directory: Path, embedder: str | None) -> CorpusIndex:
    """Open the index and bring it up to date with its files; build it from the seeds where there is none.

    An index that was made with another model than the one named, or by another release of the bundled one, is embedded
    again first.
    """
    from index import CorpusIndex, IndexMissingError
    from index.embed import open_embedder

    model = None if embedder is None else open_embedder(embedder)
    try:
        corpus = CorpusIndex.open(directory)
    except IndexMissingError:
        logger.info("no index in %s: building it from %s", directory, SEEDS)
        return CorpusIndex.build([SEEDS], directory, embedder=model, progress=_report)
    corpus.embed(model, progress=_report, on_cost=_say_cost)
    for problem in corpus.refresh(progress=_report).problems:
        logger.warning("%s", problem)
    return corpus


def _replica(options: argparse.Namespace) -> CorpusIndex:
    """Open the replica of a store, as far as it can be brought up to date.

    While the store is away, a replica that was made before answers as it is.
    """
    from index import CorpusIndex, IndexMissingError, StoreError
    from index.shared import Follower, pull

    try:
        pull(options.store, options.index, progress=_report)
    except (StoreError, IndexMissingError) as error:
        if not (options.index / "manifest.json").exists():
            raise
        logger.warning("%s; answers come from what was fetched before", error)
    options.read_only = True
    Follower(options.store, options.index)
    return CorpusIndex.open(options.index)


def _say_cost(cost: EmbeddingCost) -> None:
    logger.info("%s; until it ends, the index is as it was", cost)


def _report(step: Progress) -> None:
    """Rewrite one line of a terminal with how far the index has come; a log file is left alone."""
    if sys.stderr.isatty():
        of = f"/{step.total}" if step.total else ""
        end = "\n" if step.done == step.total else ""
        sys.stderr.write(f"\r{step.stage} {step.done}{of}{end}")
        sys.stderr.flush()


def _serve(corpus: CorpusIndex, options: argparse.Namespace) -> None:
    """Serve the page and say where, until it is interrupted."""
    # Gradio reads these when it is imported: it reports usage unless told not to, and it checks its own address with a
    # client that would ask a configured proxy for this machine.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["NO_PROXY"] = ",".join(filter(None, [os.environ.get("NO_PROXY"), "localhost", "127.0.0.1"]))
    from qa import Chatbot
    from qa.generate import open_generator
    from qa.reader import open_reader
    from qa.reranker import open_reranker
    from ui.accounts import Accounts
    from ui.desk import Desk
    from ui.page import MAX_UPLOAD_MB, build_page, launch_page

    accounts = None if options.auth_file is None else Accounts(options.auth_file)

    reranker = None if options.reranker is None else open_reranker(options.reranker)
    generator = open_generator(options.chat_model, verifier=options.verifier)
    chatbot = Chatbot(corpus, generator=generator, reranker=reranker, reader=open_reader(options.reader) or "none")
    desk = Desk(corpus, chatbot, options.index.parent / "uploads", read_only=options.read_only)
    page = build_page(desk)
    url = launch_page(
        page,
        desk,
        host=options.host,
        port=options.port,
        accounts=accounts,
        max_upload_mb=options.max_upload_mb or MAX_UPLOAD_MB,
    )
    sys.stdout.write(f"Sourcier: {url}\n")
    sys.stdout.flush()
    try:
        threading.Event().wait()
    finally:
        page.close(verbose=False)


if __name__ == "__main__":
    sys.exit(main())
