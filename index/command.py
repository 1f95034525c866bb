"""What the commands of both packages share: the index they work on, and how a run ends."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from index.errors import SourcierError

__all__ = [
    "DEFAULT_INDEX",
    "chat_model_option",
    "embedder_option",
    "index_option",
    "reader_option",
    "reranker_option",
    "run_command",
    "store_option",
    "verifier_option",
]

DEFAULT_INDEX = "data/index"


def index_option() -> argparse.ArgumentParser:
    """Return a parser with ``--index``, to be a parent of each command's."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--index", default=DEFAULT_INDEX, metavar="DIR", help=f"folder of the index ({DEFAULT_INDEX})")
    return parser


def store_option(parser: argparse.ArgumentParser) -> None:
    """Let a command take ``--store``: a shared store that is asked where it lies, in the place of an index."""
    parser.add_argument(
        "--store",
        metavar="STORE",
        help="ask a shared store where it lies, and no index: a folder, or s3://bucket/prefix",
    )


def embedder_option(parser: argparse.ArgumentParser, what: str = "embedding model") -> None:
    """Let a command take ``--embedder``.

    Args:
        parser: parser of the command.
        what: what the model is for, as the help says it.
    """
    parser.add_argument(
        "--embedder",
        metavar="NAME",
        help=f"{what}: 'bundled', a sentence-transformers model by hub name, or its folder",
    )


def reranker_option(parser: argparse.ArgumentParser) -> None:
    """Let a command take ``--reranker``: the name that `qa.reranker.open_reranker` opens, None where not given."""
    parser.add_argument(
        "--reranker",
        metavar="NAME",
        help="put the passages found in the order of a sentence-transformers CrossEncoder or MultiVectorEncoder: its "
        "hub name, or its folder",
    )


def reader_option(parser: argparse.ArgumentParser) -> None:
    """Let a command take ``--reader``: the name that `qa.reader.open_reader` opens, None where not given."""
    parser.add_argument(
        "--reader",
        metavar="NAME",
        help="what reads the best sentences for the answer: 'bundled' (the default), 'none', or a model of "
        "transformers for extractive questions: its hub name, or its folder",
    )


def chat_model_option(parser: argparse.ArgumentParser) -> None:
    """Let a command take ``--chat-model``: what `qa.chat_model.open_chat_model` opens, None where not given."""
    parser.add_argument(
        "--chat-model",
        metavar="PROVIDER:NAME",
        help="let a language model write the answers, each statement checked: 'ollama:NAME', 'openai:NAME' with "
        "OPENAI_BASE_URL for a server of one's own, or any other of LangChain's; keys are read from the environment",
    )


def verifier_option(parser: argparse.ArgumentParser) -> None:
    """Let a command take ``--verifier``: the name that `qa.entailment.open_verifier` opens, None where not given."""
    parser.add_argument(
        "--verifier",
        metavar="NAME",
        help="check what a language model wrote with an entailment model (NLI) too: a CrossEncoder of three labels by "
        "its hub name, or its folder",
    )


def run_command(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> int:
    """Run the command that ``options.run`` is, and return its exit code.

    Returns:
        What the command returns; 1 after a stated failure, told in one line on stderr; 130 once interrupted. Wrong
        usage ends the process with 2.
    """
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.ERROR, format="warning: %(message)s")
    logging.getLogger("index").setLevel(logging.WARNING)  # what was mended without being asked
    try:
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except SourcierError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # who read the output, `head` say, has left; what is still buffered goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("interrupted: the index is as it was before", file=sys.stderr)
        return 130
