"""Sentence boundaries on Sequoia (French Universal Dependencies): Sourcier, a naive pattern and pysbd.

    python -m benchmarks.splitter [--data ../shared/data] [--part test]

The gold sentences of each source are joined by one space, so that no line break helps. Two figures: over all inner
boundaries, and over those that a full stop, question mark, exclamation mark or ellipsis marks ("marked"); the others
are headings, list items and table cells, which nothing separates once joined. pysbd is needed for this table only:
``pip install pysbd``; its row is left out, with a word on it, where it is missing.
"""

from __future__ import annotations

import argparse
import importlib
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from index.split import split_sentences

Splitter = Callable[[str], list[int]]
"""Returns the ends of the sentences of a text, as offsets one past their last character."""

N_RESAMPLES = 1000
_MARKED = re.compile(r"[.!?…][\s»”\"’'\])]*\Z")
_NAIVE = re.compile(r'(?<=[.!?])\s+(?=[A-ZÀ-Ý«"])')


@dataclass(frozen=True, slots=True)
class Tally:
    """What happened around one gold sentence.

    Attributes:
        found: 1 if its end was found.
        missed: 1 if it was not.
        wrong: boundaries put inside it.
        marked: whether a stop ends it.
    """

    found: int
    missed: int
    wrong: int
    marked: bool


def read_sources(path: Path) -> dict[str, list[str]]:
    """Gold sentences of a CoNLL-U file by source: ``sent_id`` without its number."""
    sources: dict[str, list[str]] = {}
    source = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# sent_id = "):
            source = re.sub(r"_?\d+$", "", line.removeprefix("# sent_id = "))
        elif line.startswith("# text = "):
            sources.setdefault(source, []).append(line.removeprefix("# text = ").strip())
    return sources


def tally(sentences: list[str], splitter: Splitter) -> Iterator[Tally]:
    """Compare a splitter with the gold sentences of one source; the end of the source does not count."""
    text = " ".join(sentences)
    ends = set(splitter(text)) - {len(text)}
    start = 0
    for sentence in sentences:
        end = start + len(sentence)
        found = int(end in ends)
        inside = sum(1 for other in range(start + 1, end) if other in ends)
        missed = int(not found and end < len(text))
        yield Tally(found, missed, inside, bool(_MARKED.search(sentence)))
        start = end + 1


def f1(tallies: list[Tally], *, marked_only: bool) -> float:
    """Boundary F1; with ``marked_only`` the boundaries that no stop marks count neither for nor against."""
    kept = [one for one in tallies if one.marked or not marked_only]
    found = sum(one.found for one in kept)
    missed = sum(one.missed for one in kept)
    wrong = sum(one.wrong for one in tallies)
    return 2 * found / (2 * found + missed + wrong)


def interval(tallies: list[Tally], *, marked_only: bool) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the F1 over gold sentences, seed fixed."""
    generator = random.Random(0)
    scores = sorted(f1(generator.choices(tallies, k=len(tallies)), marked_only=marked_only) for _ in range(N_RESAMPLES))
    return scores[int(0.025 * N_RESAMPLES)], scores[int(0.975 * N_RESAMPLES) - 1]


def sourcier(text: str) -> list[int]:
    """Ends given by `split_sentences`."""
    return [span.end for span in split_sentences(text)]


def naive(text: str) -> list[int]:
    """Ends before white space that follows a stop and precedes a capital or an opening quote."""
    return [match.start() for match in _NAIVE.finditer(text)]


def pysbd_splitter() -> Splitter | None:
    """The ends given by pysbd for French, or None where it is not installed."""
    try:
        segmenter = importlib.import_module("pysbd").Segmenter(language="fr", clean=False, char_span=True)
    except ModuleNotFoundError:
        return None
    return lambda text: [span.start + len(span.sent.rstrip()) for span in segmenter.segment(text)]


def print_row(name: str, splitter: Splitter, sources: dict[str, list[str]]) -> None:
    """Print one row of the table."""
    began = time.perf_counter()
    tallies = [one for sentences in sources.values() for one in tally(sentences, splitter)]
    seconds = time.perf_counter() - began
    n_characters = sum(len(sentence) + 1 for sentences in sources.values() for sentence in sentences)
    cells = []
    for marked_only in (True, False):
        low, high = interval(tallies, marked_only=marked_only)
        cells.append(f"{f1(tallies, marked_only=marked_only):.4f} [{low:.4f}, {high:.4f}]")
    print(f"| {name} | {' | '.join(cells)} | {n_characters / seconds / 1e6:.2f} |")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Sentence boundary F1 on Sequoia.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder that holds ud-sequoia")
    parser.add_argument("--part", choices=["train", "dev", "test"], default="test")
    options = parser.parse_args()
    sources = read_sources(options.data / "ud-sequoia" / f"fr_sequoia-ud-{options.part}.conllu")
    n_sentences = sum(len(sentences) for sentences in sources.values())
    n_marked = sum(bool(_MARKED.search(sentence)) for sentences in sources.values() for sentence in sentences)
    print(f"Sequoia {options.part}: {n_sentences} sentences, {n_marked} marked by a stop, {len(sources)} sources\n")
    print("| splitter | F1 marked [95 %] | F1 all [95 %] | Mchar/s |\n|---|---|---|---|")
    print_row("Sourcier", sourcier, sources)
    print_row("naive pattern", naive, sources)
    pysbd = pysbd_splitter()
    if pysbd is None:
        print("\npysbd is not installed: pip install pysbd")
    else:
        print_row("pysbd", pysbd, sources)


if __name__ == "__main__":
    main()
