"""What the reader adds: ``python -m benchmarks.reader --data ../shared/data --index data/news``.

Three tables. The short answer where the window around the gold sentence is given. Answers of the whole chatbot with the
reader and without, and the paired difference, for each set and for each style of questions-dev. The time that it takes.
Intervals: percentile bootstrap over questions.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from index import CorpusIndex
from index.split import split_sentences
from index.types import Document, Sentence
from qa import Chatbot
from qa.evaluation import ask_questions, compare, figure
from qa.evaluation.answers import exact_match, token_f1
from qa.evaluation.gold import read_file
from qa.evaluation.measures import verdict
from qa.evaluation.outcomes import Outcome
from qa.reader import Reader, open_reader
from qa.windows import window_around
from training.corpora import read_lines
from training.span_data import Example, read_news, read_squad

__all__ = ["main"]

_MEASURES = (
    "document_recall@1", "document_recall@5", "evidence_hit@1", "evidence_hit@3", "exact_match", "f1", "false_refusals",
    "false_answers", "auroc", "ask_ms_p50", "ask_ms_p95",
)  # fmt: skip
_LOADING = (
    "import time, qa.reader\n"
    "start = time.perf_counter()\n"
    "qa.reader.open_reader('bundled')\n"
    "print(time.perf_counter() - start)"
)
_LOADINGS = 5


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--index", type=Path, default=Path("data/news"), help="index of the news")
    parser.add_argument("--reader", default="bundled", help="the reader that is measured")
    parser.add_argument("--limit", type=int, default=None, help="ask so few questions of each set")
    options = parser.parse_args()
    reader = open_reader(options.reader)
    if reader is None:
        raise SystemExit("--reader none: expected a reader to be measured")
    _given_the_window(options.data, reader, options.limit)
    for name, corpus, questions in _sets(options.data, options.index):
        asked = read_file(questions).questions[: options.limit]
        without, with_it = (
            ask_questions(Chatbot(corpus, reader=each, remembers=False), asked) for each in ("none", reader)
        )
        _tell(f"{name}, whole chatbot", without, with_it)
        if name == "news questions-dev":
            styles = {record["question"]: record["style"] for record in read_lines(questions)}
            for style in sorted(set(styles.values())):
                _tell(f"{name}, {style}", _of(without, styles, style), _of(with_it, styles, style))
    _time(reader)


def _given_the_window(data: Path, reader: Reader, limit: int | None) -> None:
    print("\n| the window given | n | exact match | F1 |\n|---|---|---|---|")
    for name, examples in (
        ("PIAF dev", read_squad(data / "piaf/dev.json")),
        ("news questions-dev", read_news(data, "questions-dev.jsonl")),
        ("news questions-dev-large", read_news(data, "questions-dev-large.jsonl")),
    ):
        pairs = list(_short_answers(list(examples)[:limit], reader))
        exact, overlap = (figure([of(given, gold) for given, gold in pairs]) for of in (exact_match, token_f1))
        print(
            f"| {name} | {exact.n} | {exact.mean:.3f} [{exact.low:.3f}, {exact.high:.3f}] "
            f"| {overlap.mean:.3f} [{overlap.low:.3f}, {overlap.high:.3f}] |"
        )


def _short_answers(examples: Iterable[Example], reader: Reader) -> Iterator[tuple[str, str]]:
    """Yield the best span of the whole window around each gold sentence, and the gold answer."""
    for example in examples:
        if example.gold_sentence is None:
            continue
        document = Document("0", "0", example.text)
        sentences = [Sentence(document, span) for span in example.sentences]
        window = window_around(Sentence(document, example.gold_sentence), sentences)
        (said,) = reader.read(example.question, [window])
        best = said.spans[int(np.argmax(said.span_scores))]
        yield example.text[best.start : best.end], example.answer_text


def _sets(data: Path, index: Path) -> Iterator[tuple[str, CorpusIndex, Path]]:
    with TemporaryDirectory() as folder:
        corpus = CorpusIndex.create(Path(folder) / "index")
        files = [read_file(data / f"piaf/{part}.json") for part in ("dev", "train")]
        corpus.put({document.id: document for file in files for document in file.documents}.values())
        yield "PIAF dev", corpus, data / "piaf/dev.json"
    news = CorpusIndex.open(index)
    for name in ("questions-dev", "questions-dev-large"):
        yield f"news {name}", news, data / f"news/{name}.jsonl"


def _of(outcomes: Sequence[Outcome], styles: Mapping[str, str], style: str) -> list[Outcome]:
    return [outcome for outcome in outcomes if styles[outcome.question] == style]


def _tell(title: str, without: Sequence[Outcome], with_it: Sequence[Outcome]) -> None:
    print(f"\n| {title} | n | without | with the reader | difference | |\n|---|---|---|---|---|---|")
    for name, found in compare(without, with_it).items():
        if name in _MEASURES:
            print(
                f"| {name} | {found.n} | {found.before:.3f} | {found.after:.3f} | {found.difference:+.3f} "
                f"[{found.low:+.3f}, {found.high:+.3f}] | {verdict(name, found)} |",
                flush=True,
            )


def _time(reader: Reader) -> None:
    """Print how long the bundled reader takes to load in a fresh process, and to read a window."""
    loads = [
        float(subprocess.run([sys.executable, "-c", _LOADING], check=True, capture_output=True, text=True).stdout)
        for _ in range(_LOADINGS)
    ]
    text = "Le maire de Besançon a inauguré lundi une passerelle de 42 mètres au-dessus du Doubs. " * 5
    document = Document("0", "0", text)
    sentences = [Sentence(document, span) for span in split_sentences(text)]
    window = window_around(sentences[0], sentences)
    times = []
    for _ in range(50):
        begin = time.perf_counter()
        reader.read("Quelle est la longueur de la passerelle ?", [window] * 8)
        times.append(1000 * (time.perf_counter() - begin))
    print(f"\nloading, median of {_LOADINGS}: {np.median(loads):.3f} s; eight windows: {np.median(times):.0f} ms")


if __name__ == "__main__":
    main()
