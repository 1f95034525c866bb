"""python -m qa evaluate: its options, and what it does with them."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from index.command import (
    DEFAULT_INDEX,
    chat_model_option,
    embedder_option,
    reader_option,
    reranker_option,
    store_option,
    verifier_option,
)
from index.embed import open_embedder
from index.errors import InputError
from index.searchable import Searchable
from index.types import Document
from qa.chatbot import Chatbot
from qa.evaluation.gold import GoldQuestion, QuestionFile, read_file
from qa.evaluation.hidden import HidingCorpus
from qa.evaluation.measures import compare, figures_of
from qa.evaluation.outcomes import Outcome, ask_questions, ask_without_source, check_documents
from qa.evaluation.plot import check_plot, write_plot
from qa.evaluation.pseudo import NOTICE, pseudo_questions
from qa.evaluation.report import differences_to_dict, figures_to_dict, show_differences, show_figures
from qa.evaluation.runs import Run, check_writable, read_run, write_run
from qa.generate import open_generator
from qa.reranker import open_reranker

__all__ = ["add_options", "run"]

_N_PSEUDO = 200


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what `run` reads to a parser that has ``--index`` and ``--json``."""
    parser.set_defaults(index=None, run=run)  # an index that is named is asked, also where the file brings documents
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "questions",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="SQuAD, whose paragraphs are asked unless --index is given; or JSON lines: question, answer, article_id, "
        "and optionally answer_start, evidence, evidence_alternatives, answer_aliases, other_articles",
    )
    what.add_argument(
        "--self", dest="pseudo", action="store_true", help="ask pseudo-questions made from sentences of the index"
    )
    what.add_argument(
        "--compare", nargs=2, type=Path, metavar=("A", "B"), help="ask nothing; say how run B differs from run A"
    )
    parser.add_argument(
        "--corpus", nargs="+", type=Path, default=[], metavar="SQUAD", help="also search the paragraphs of these files"
    )
    store_option(parser)
    embedder_option(parser, "embedding model of the paragraphs, or that of the index that is named")
    reranker_option(parser)
    reader_option(parser)
    chat_model_option(parser)
    verifier_option(parser)
    parser.add_argument(
        "--without-source",
        action="store_true",
        help="ask each answerable question again with its documents hidden, as one that has no answer",
    )
    parser.add_argument("--n", type=int, help=f"pseudo-questions wanted ({_N_PSEUDO})")
    parser.add_argument("--seed", type=int, help="which sentences they are made from (0)")
    parser.add_argument("--out", type=Path, metavar="RUN.json", help="write the figures and each question's outcome")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw recall, risk by coverage and reliability")


def run(options: argparse.Namespace) -> int:
    """Compare two runs, or ask the questions and print the figures; return 0.

    Raises:
        InputError: if an option does not go with what is asked, or a file cannot be used.
    """
    _check(options)
    if options.compare:
        differences = compare(*(read_run(path).outcomes for path in options.compare))
        _print(differences_to_dict(differences) if options.json else show_differences(differences))
        return 0
    for path in filter(None, (options.out, options.plot)):
        check_writable(path)
    if options.plot:
        check_plot()
    reranker = open_reranker(options.reranker) if options.reranker else None
    generator = open_generator(options.chat_model, verifier=options.verifier)
    with _asked(options) as (corpus, questions, about):
        chatbot = Chatbot(
            corpus, generator=generator, reranker=reranker, reader=options.reader or "bundled", remembers=False
        )
        outcomes = _ask(chatbot, corpus, questions, without_source=options.without_source)
        about |= {"mode": chatbot.mode, "generation": corpus.generation}
    figures = figures_of(outcomes)
    if options.out:
        write_run(Run(about, figures, outcomes), options.out)
    if options.plot:
        write_plot(outcomes, options.plot)
    _print(figures_to_dict(figures) if options.json else show_figures(figures))
    return 0


def _check(options: argparse.Namespace) -> None:
    """Refuse the options that would be of no effect, so that nobody takes them to have had one."""
    of_pseudo = {"--n": options.n, "--seed": options.seed}
    of_asking = {
        "--corpus": options.corpus or None, "--without-source": options.without_source or None, "--out": options.out,
        "--plot": options.plot, "--index": options.index, "--store": options.store, "--embedder": options.embedder,
        "--reranker": options.reranker, "--reader": options.reader, "--chat-model": options.chat_model,
        "--verifier": options.verifier,
    }  # fmt: skip
    if options.compare and (given := [name for name, value in (of_pseudo | of_asking).items() if value is not None]):
        raise InputError(f"{', '.join(given)}: expected nothing beside the two runs, as --compare asks no question")
    if options.store and (options.pseudo or options.without_source or options.index):
        raise InputError("--store: expected without --index, --self and --without-source, which need an index")
    if not options.pseudo and (given := [name for name, value in of_pseudo.items() if value is not None]):
        raise InputError(f"{', '.join(given)}: expected with --self only, as a file's questions are all asked")


@contextmanager
def _asked(options: argparse.Namespace) -> Iterator[tuple[Searchable, Sequence[GoldQuestion], dict[str, object]]]:
    """Yield the index that is asked, the questions, and what a reader of the run should know of them."""
    embedder = open_embedder(options.embedder) if options.embedder else None
    if options.pseudo:
        if options.corpus:
            raise InputError("--corpus goes with a SQuAD file: --self asks an index")
        corpus = HidingCorpus.open(options.index or DEFAULT_INDEX, embedder=embedder)
        n, seed = _N_PSEUDO if options.n is None else options.n, options.seed or 0
        questions = pseudo_questions(corpus, n=n, seed=seed)
        _note(NOTICE)
        if len(questions) < n:
            _note(f"the index gives {len(questions)} pseudo-questions, {n} were wanted")
        yield corpus, questions, {"questions": "pseudo", "notice": NOTICE, "seed": seed}
        return
    asked = read_file(options.questions)
    further = _further(asked, options)
    for note in asked.notes:
        _note(note)
    about: dict[str, object] = {"questions": str(options.questions), "corpus": [str(path) for path in options.corpus]}
    if asked.is_squad and not (options.index or options.store):
        with tempfile.TemporaryDirectory() as folder:
            corpus = HidingCorpus.create(Path(folder) / "index", embedder=embedder)
            corpus.put(_distinct([asked, *further]))
            yield corpus, asked.questions, about
        return
    if options.store:
        from index.store_index import StoreIndex  # noqa: PLC0415 - lancedb is wanted by this option only

        yield StoreIndex(options.store, embedder=embedder), asked.questions, about
        return
    corpus = HidingCorpus.open(options.index or DEFAULT_INDEX, embedder=embedder)
    check_documents(corpus, asked.questions)
    yield corpus, asked.questions, about


def _further(asked: QuestionFile, options: argparse.Namespace) -> list[QuestionFile]:
    """Read the files of ``--corpus``."""
    if options.corpus and (options.index or not asked.is_squad):
        raise InputError("--corpus goes with a SQuAD file and without --index: an index holds its documents already")
    further = [read_file(path) for path in options.corpus]
    for path, file in zip(options.corpus, further, strict=True):
        if not file.is_squad:
            raise InputError(f"--corpus {path}: expected a SQuAD file, whose paragraphs can be searched")
    return further


def _distinct(files: Iterable[QuestionFile]) -> list[Document]:
    """Return the paragraphs of all files, the same text once."""
    return list({document.id: document for file in files for document in reversed(file.documents)}.values())


def _ask(
    chatbot: Chatbot,
    corpus: Searchable,
    questions: Sequence[GoldQuestion],
    *,
    without_source: bool,
) -> list[Outcome]:
    from tqdm import tqdm  # noqa: PLC0415 - not wanted by the other commands

    again = [question for question in questions if question.is_answerable] if without_source else []
    n = len(questions)
    with tqdm(total=n + len(again), file=sys.stderr, leave=False, disable=None, unit="question") as bar:
        outcomes = ask_questions(chatbot, questions, progress=lambda done: bar.update(done - bar.n))
        if isinstance(corpus, HidingCorpus):
            outcomes += ask_without_source(chatbot, corpus, again, progress=lambda done: bar.update(n + done - bar.n))
    return outcomes


def _print(found: object) -> None:
    print(found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, indent=2))


def _note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)
