"""python -m qa ask | verify | calibrate | mcp | evaluate."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from index.command import (
    chat_model_option,
    index_option,
    reader_option,
    reranker_option,
    run_command,
    store_option,
    verifier_option,
)
from index.corpus import CorpusIndex
from index.dates import format_date
from index.searchable import Searchable
from qa.chatbot import Chatbot
from qa.evaluation.calibrate_command import add_calibrate_options
from qa.evaluation.command import add_options
from qa.generate import open_generator
from qa.output import answer_to_dict
from qa.receipt_command import add_verify_options, check_export_path, write_receipt
from qa.receipts import make_receipt
from qa.reranker import open_reranker
from qa.several import split_questions
from qa.types import Answer


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0 when done (a refusal is an answer), 1 after a stated failure, 2 on wrong usage."""
    return run_command(_parser(), arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m qa", description="Ask your documents.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    ask = commands.add_parser("ask", parents=[_common()], help="answer a question, with the sentences that prove it")
    ask.add_argument("question")
    ask.add_argument("--since", metavar="DATE", help="only documents dated then or later, such as 2022 or 2022-01")
    ask.add_argument("--until", metavar="DATE", help="only documents dated then or earlier")
    ask.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="SOURCE",
        help="only this file, folder or record, as citations name it; may be given several times",
    )
    ask.add_argument(
        "--where",
        action="append",
        type=_field,
        default=[],
        metavar="FIELD=VALUE",
        help="only documents with this value in a metadata field; several values of one field are alternatives",
    )
    ask.add_argument(
        "--export",
        type=check_export_path,
        metavar="FILE",
        help="write a receipt, whose citations `python -m qa verify` checks later: .json, .md or .html",
    )
    store_option(ask)
    reranker_option(ask)
    reader_option(ask)
    chat_model_option(ask)
    verifier_option(ask)
    ask.set_defaults(run=_ask)

    receipt = commands.add_parser("verify", parents=[_common()], help="say which citations of a receipt still hold")
    add_verify_options(receipt)

    calibrate = commands.add_parser(
        "calibrate", parents=[_common()], help="measure on the index how sure an answer must be"
    )
    add_calibrate_options(calibrate)

    mcp = commands.add_parser("mcp", parents=[_common()], help="serve search, ask and verify_citation to an assistant")
    reader_option(mcp)
    mcp.set_defaults(run=_mcp)

    evaluate = commands.add_parser(
        "evaluate", parents=[_common()], help="measure answers to questions with known answers, or compare two runs"
    )
    add_options(evaluate)
    return parser


def _common() -> argparse.ArgumentParser:
    """Return the options of all commands; each has its own, so that none changes a default of another."""
    common = index_option()
    common.add_argument("--json", action="store_true", help="print one JSON object")
    return common


def _field(text: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if not (field and equals):
        raise argparse.ArgumentTypeError(f"{text!r}: expected FIELD=VALUE, such as author=AFP")
    return field, value


def _readings(value: str) -> list[Any]:
    """Return a value as text, and as the number, true, false or null that it may stand for."""
    try:
        read = json.loads(value)
    except (ValueError, RecursionError):
        return [value]
    return [value] if isinstance(read, (list, dict)) else [value, read]


def _ask(options: argparse.Namespace) -> int:
    corpus = CorpusIndex.open(options.index) if options.store is None else _open_store(options.store)
    reranker = None if options.reranker is None else open_reranker(options.reranker)
    generator = open_generator(options.chat_model, verifier=options.verifier)
    chatbot = Chatbot(corpus, generator=generator, reranker=reranker, reader=options.reader or "bundled")
    where: dict[str, list[Any]] = {}
    for field, value in options.where:
        where.setdefault(field, []).extend(_readings(value))
    answer = chatbot.ask(
        options.question, since=options.since, until=options.until, sources=options.source, where=where
    )
    if options.export is not None:
        write_receipt(make_receipt([answer], corpus), options.export)
    if options.json:
        print(json.dumps(answer_to_dict(answer), ensure_ascii=False, indent=2))
    else:
        _print_answer(answer)
    return 0


def _open_store(address: str) -> Searchable:
    from index.store_index import StoreIndex  # noqa: PLC0415 - lancedb is wanted by this option only

    return StoreIndex(address)


def _mcp(options: argparse.Namespace) -> int:
    """Speak the Model Context Protocol over standard input and output until the assistant closes them."""
    from qa.mcp_server import make_server  # noqa: PLC0415 - a second to import, for this command only

    make_server(Chatbot(CorpusIndex.open(options.index), reader=options.reader or "bundled")).run("stdio")
    return 0


def _print_answer(answer: Answer) -> None:
    """Print an answer as plain text: the short answer, the quotations, then where each stands."""
    if answer.notice is not None:
        print(f"{answer.notice}\n")
    if not answer.answered:
        print(answer.text)
    elif answer.is_written:
        _print_statements(answer)
    elif len(split_questions(answer.understood_as)) > 1:
        print("\n".join(_without_quotations(answer.text)))
    elif answer.short_answer is not None:
        print(f"{answer.short_answer} [1]")
    for citation in answer.citations:
        print(f"\n[{citation.marker}] « {' '.join(citation.text.split())} »")
        date = f", {format_date(citation.date)}" if citation.date else ""
        title = f"{citation.title} — " if citation.title else ""
        page = f", page {citation.page}" if citation.page else ""
        print(f"    {title}{citation.source}{date}{page}, caractères {citation.start} à {citation.end}")
        for note in citation.date_notes:
            print(f"    « {note.text} » : {note.meaning}")
    print(f"\nconfiance {answer.confidence:.2f} · {answer.mode} · génération {answer.generation}")


def _without_quotations(text: str) -> Iterator[str]:
    """Yield the lines of an answer as plain text; the quotations are left out, as they follow with their places."""
    for line in text.split("\n\n"):
        if not line.startswith("«"):
            plain = re.sub(r"^\*([^*].*)\*$|\*\*", lambda match: match[1] or "", line)
            yield re.sub(r"\\(?=[^\w\s])", "", plain)


def _print_statements(answer: Answer) -> None:
    """Print what a language model wrote, and what is not supported of it with the reason."""
    for statement in answer.statements:
        print(" ".join([statement.text, *(f"[{marker}]" for marker in statement.markers)]))
        if statement.status != "supported":
            doubt = "en partie seulement" if statement.status == "partly" else "pas confirmé par les sources"
            print(f"    ⚠ {doubt} : {statement.reason}")


if __name__ == "__main__":
    sys.exit(main())
