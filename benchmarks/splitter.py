"""Sentence boundaries on Sequoia (French Universal Dependencies) and on news: Sourcier, a naive pattern and pysbd.

    python -m benchmarks.splitter [--data ../shared/data]

The gold sentences of each source of Sequoia are joined by one space, so that no line break helps. Two figures: over
all inner boundaries, and over those that a full stop, question mark, exclamation mark or ellipsis marks ("marked"); the
others are headings, list items and table cells, which nothing separates once joined.

The boundaries on news were annotated in excerpts of 60 articles chosen by the kinds of difficulty that they show, not
by what a splitter makes of them; news_boundaries.json holds their offsets and the rule. A splitter reads the whole
article; the boundaries of the excerpt count.

pysbd is needed for these tables only: ``pip install pysbd``; its row is left out, with a word on it, where it is
missing.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import json
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
    """What happened around one gold sentence, or in one excerpt.

    Attributes:
        found: boundaries found.
        missed: boundaries not found.
        wrong: boundaries put where there is none.
        marked: whether stops mark the boundaries.
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


def tally_source(sentences: list[str], splitter: Splitter) -> Iterator[Tally]:
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


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Part of an article with its boundaries.

    Attributes:
        text: the whole article.
        start: where the excerpt begins, in code points.
        end: one past its last character.
        boundaries: where its sentences end, in the coordinates of the article.
    """

    text: str
    start: int
    end: int
    boundaries: frozenset[int]


def read_excerpts(boundaries: Path, articles: Path) -> list[Excerpt]:
    """The excerpts of news_boundaries.json, with the texts of their articles."""
    records = json.loads(boundaries.read_text(encoding="utf-8"))["excerpts"]
    wanted = {record["article"] for record in records}
    texts: dict[str, str] = {}
    with gzip.open(articles, "rt", encoding="utf-8") as lines:
        for article in map(json.loads, lines):
            if article["id"] in wanted:
                texts[article["id"]] = article["text"]
    return [
        Excerpt(texts[record["article"]], record["start"], record["end"], frozenset(record["boundaries"]))
        for record in records
    ]


def tally_excerpt(excerpt: Excerpt, splitter: Splitter) -> Tally:
    """Compare a splitter with the boundaries of an excerpt; the end of the article does not count."""
    end = min(excerpt.end, len(excerpt.text.rstrip()) - 1)
    ends = {found for found in splitter(excerpt.text) if excerpt.start < found <= end}
    gold = excerpt.boundaries
    return Tally(len(gold & ends), len(gold - ends), len(ends - gold), marked=True)


def f1(tallies: list[Tally], *, marked_only: bool) -> float:
    """Boundary F1; with ``marked_only`` the boundaries that no stop marks count neither for nor against."""
    kept = [one for one in tallies if one.marked or not marked_only]
    found = sum(one.found for one in kept)
    missed = sum(one.missed for one in kept)
    wrong = sum(one.wrong for one in tallies)
    return 2 * found / (2 * found + missed + wrong)


def interval(tallies: list[Tally], *, marked_only: bool) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the F1 over gold sentences or excerpts, seed fixed."""
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


def print_sequoia(part: str, path: Path, splitters: dict[str, Splitter]) -> None:
    """Print the table of one part of Sequoia."""
    sources = read_sources(path)
    n_sentences = sum(len(sentences) for sentences in sources.values())
    n_marked = sum(bool(_MARKED.search(sentence)) for sentences in sources.values() for sentence in sentences)
    n_characters = sum(len(sentence) + 1 for sentences in sources.values() for sentence in sentences)
    print(f"\nSequoia {part}: {n_sentences} sentences, {n_marked} marked by a stop, {len(sources)} sources\n")
    print("| splitter | F1 marked [95 %] | F1 all [95 %] | Mchar/s |\n|---|---|---|---|")
    for name, splitter in splitters.items():
        began = time.perf_counter()
        tallies = [one for sentences in sources.values() for one in tally_source(sentences, splitter)]
        seconds = time.perf_counter() - began
        cells = f"{_cell(tallies, marked_only=True)} | {_cell(tallies, marked_only=False)}"
        print(f"| {name} | {cells} | {n_characters / seconds / 1e6:.2f} |", flush=True)


def print_news(excerpts: list[Excerpt], splitters: dict[str, Splitter]) -> None:
    """Print the table of the news."""
    n_boundaries = sum(len(excerpt.boundaries) for excerpt in excerpts)
    print(f"\nNews: {n_boundaries} boundaries in {len(excerpts)} excerpts\n")
    print("| splitter | F1 [95 %] | missed | wrong |\n|---|---|---|---|")
    for name, splitter in splitters.items():
        tallies = [tally_excerpt(excerpt, splitter) for excerpt in excerpts]
        missed, wrong = sum(one.missed for one in tallies), sum(one.wrong for one in tallies)
        print(f"| {name} | {_cell(tallies, marked_only=True)} | {missed} | {wrong} |", flush=True)


def _cell(tallies: list[Tally], *, marked_only: bool) -> str:
    low, high = interval(tallies, marked_only=marked_only)
    return f"{f1(tallies, marked_only=marked_only):.4f} [{low:.4f}, {high:.4f}]"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Sentence boundary F1 on Sequoia and on news.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of ud-sequoia and news")
    options = parser.parse_args()
    splitters: dict[str, Splitter] = {"Sourcier": sourcier, "naive pattern": naive}
    pysbd = pysbd_splitter()
    if pysbd is None:
        print("pysbd is not installed: pip install pysbd")
    else:
        splitters["pysbd"] = pysbd
    for part in ("test", "dev"):
        print_sequoia(part, options.data / "ud-sequoia" / f"fr_sequoia-ud-{part}.conllu", splitters)
    boundaries = Path(__file__).parent / "news_boundaries.json"
    print_news(read_excerpts(boundaries, options.data / "news" / "articles.jsonl.gz"), splitters)


if __name__ == "__main__":
    main()
