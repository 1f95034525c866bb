"""python -m qa calibrate: how sure an answer must be on one's own documents."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from index.command import reader_option
from qa.calibration import calibration_file, calibration_of, write_calibration
from qa.chatbot import Chatbot
from qa.evaluation.hidden import HidingCorpus
from qa.evaluation.pseudo import pseudo_questions

__all__ = ["add_calibrate_options"]

_N = 200
_RATE = 0.05


def add_calibrate_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command, which has those of every command already."""
    parser.add_argument(
        "--false-answers",
        type=float,
        default=_RATE,
        metavar="RATE",
        help="share of unanswerable questions that may be answered (%(default)s)",
    )
    parser.add_argument("--n", type=int, default=_N, help="questions made from the index (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="which sentences they are made from (%(default)s)")
    reader_option(parser)
    parser.set_defaults(run=_calibrate)


def _calibrate(options: argparse.Namespace) -> int:
    from tqdm import tqdm  # noqa: PLC0415 - not wanted by the other commands

    corpus = HidingCorpus.open(options.index)
    questions = pseudo_questions(corpus, n=options.n, seed=options.seed)
    chatbot = Chatbot(corpus, reader=options.reader or "bundled", threshold=0.0, remembers=False)
    hidden, shown = [], []
    for gold in tqdm(questions, file=sys.stderr, leave=False, disable=None, unit="question"):
        shown.append(chatbot.ask(gold.question, read_dates=False).confidence)
        with corpus.hiding(gold.documents):
            hidden.append(chatbot.ask(gold.question, read_dates=False).confidence)
    calibration = calibration_of(
        hidden, shown, rate=options.false_answers, mode=chatbot.mode, generation=corpus.generation
    )
    path = calibration_file(corpus.directory)
    write_calibration(calibration, path)
    if options.json:
        print(json.dumps(asdict(calibration), ensure_ascii=False, indent=2))
    else:
        print(
            f"{path}: answers need a confidence of {calibration.threshold:.2f}; of {calibration.n} questions made from"
            f" the index, {calibration.rate:.0%} reach it with their document hidden, and"
            f" {calibration.false_refusals:.0%} do not with it"
        )
    return 0
