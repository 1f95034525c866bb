"""python -m ui feedback | password."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from getpass import getpass
from pathlib import Path

from index.command import index_option, run_command
from index.errors import InputError
from ui.accounts import set_password
from ui.feedback import Feedback, feedback_file


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0 when done, 1 after a stated failure, 2 on wrong usage."""
    return run_command(_parser(), arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ui", description="What visitors of the page said, and who they may be."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    feedback = commands.add_parser(
        "feedback",
        parents=[index_option()],
        help="print the judgements of answers and citations, one JSON object a line",
    )
    feedback.set_defaults(run=_feedback)
    password = commands.add_parser("password", help="add an account of the page, or change its password")
    password.add_argument("name", help="of the account")
    password.add_argument("--file", type=Path, required=True, metavar="FILE", help="what `app.py --auth-file` is given")
    password.set_defaults(run=_password)
    return parser


def _feedback(options: argparse.Namespace) -> int:
    for record in Feedback(feedback_file(Path(options.index))).records():
        print(json.dumps(record, ensure_ascii=False))
    return 0


def _password(options: argparse.Namespace) -> int:
    """Ask for the password twice, without showing it; one line of a pipe does as well."""
    if sys.stdin.isatty():
        password = getpass("Password: ")
        if getpass("Again: ") != password:
            raise InputError("the two passwords differ: nothing was changed")
    else:
        password = sys.stdin.readline().rstrip("\n")
    set_password(options.file, options.name, password)
    print(f"{options.file}: {options.name} can sign in")
    return 0


if __name__ == "__main__":
    sys.exit(main())
