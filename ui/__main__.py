"""python -m ui feedback."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from index.command import index_option, run_command
from ui.feedback import Feedback, feedback_file


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0 when done, 1 after a stated failure, 2 on wrong usage."""
    return run_command(_parser(), arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ui", description="What visitors of the page said.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    feedback = commands.add_parser(
        "feedback",
        parents=[index_option()],
        help="print the judgements of answers and citations, one JSON object a line",
    )
    feedback.set_defaults(run=_feedback)
    return parser


def _feedback(options: argparse.Namespace) -> int:
    for record in Feedback(feedback_file(Path(options.index))).records():
        print(json.dumps(record, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
