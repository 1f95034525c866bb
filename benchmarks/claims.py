"""How well wrong claims are caught: ``python -m benchmarks.claims --data ../shared/data [--half dev|test]``.

``claims.jsonl`` holds French claims about sentences of the news corpus, each with the id of the article and the place
of its sentence: true paraphrases, and the same corrupted in a stated way. The rules of `qa.verify` were written on
the dev half; the test half is what is reported. Beside them the trivial judge: the share of the claim's content words
that the sentence has, with the threshold that is best on the dev half. Last, without an author: sentences against
themselves, and with one number changed at random. Intervals: Wilson, 95 %.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

from benchmarks.measure import head
from index.analyze import Analyzer
from index.split import split_sentences
from qa.verify import verify_statement
from training.corpora import read_lines

__all__ = ["main"]

_CLAIMS = Path(__file__).with_name("claims.jsonl")
_KINDS = ("number", "unit", "date", "name", "negation", "roles", "addition")
_SEED, _N_ARTICLES, _N_FIRST = 11, 600, 6
_NUMBER = re.compile(r"(?<![\d.,])\d+(?![\d.,]*\d)")
_STRICT = ("number", "date", "name")


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim with the sentence that it is about, and what was done to it (``true`` for nothing)."""

    text: str
    source: str
    kind: str
    half: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with news/articles.jsonl.gz")
    parser.add_argument("--half", choices=("dev", "test"), default="test")
    options = parser.parse_args(arguments)
    claims = list(_read(options.data / "news" / "articles.jsonl.gz"))
    chosen = [claim for claim in claims if claim.half == options.half]
    threshold = _best_threshold([claim for claim in claims if claim.half == "dev"])
    start = time.perf_counter()
    for claim in chosen:
        _flagged(claim)
    milliseconds = 1000.0 * (time.perf_counter() - start) / len(chosen)
    judges: dict[str, Callable[[Claim], bool]] = {
        "sourcier": _flagged,
        f"words, {threshold:.2f}": lambda claim: _share(claim) < threshold,
    }
    print(f"{head()} · {len(chosen)} claims, {options.half} half\n")
    print(f"| flagged | n | {' | '.join(judges)} |\n|---|---|{'---|' * len(judges)}")
    wrong = [claim for claim in chosen if claim.kind != "true"]
    rows = {kind: [claim for claim in wrong if claim.kind == kind] for kind in _KINDS}
    rows["numbers, dates, names"] = [claim for claim in wrong if claim.kind in _STRICT]
    rows["all corrupted"] = wrong
    rows["true: false alarms"] = [claim for claim in chosen if claim.kind == "true"]
    for name, row in rows.items():
        rates = (_rate([judge(each) for each in row]) for judge in judges.values())
        print(f"| {name} | {len(row)} | {' | '.join(rates)} |")
    print(f"\n{milliseconds:.2f} ms a claim, read for the first time")
    same, changed = _mechanical(options.data / "news" / "articles.jsonl.gz")
    print(f"\nsentences against themselves, flagged: {_rate(same)}, n = {len(same)}")
    print(f"one number of the sentence changed, flagged: {_rate(changed)}, n = {len(changed)}")
    return 0


def _mechanical(articles: Path) -> tuple[list[bool], list[bool]]:
    """Return what is flagged of sentences against themselves, and of the same with one of their numbers changed."""
    chance = random.Random(_SEED)
    with gzip.open(articles, "rt", encoding="utf-8") as lines:
        texts = chance.sample([json.loads(line)["text"] for line in lines], _N_ARTICLES)
    same, changed = [], []
    for text in texts:
        for span in split_sentences(text)[:_N_FIRST]:
            source = text[span.start : span.end]
            same.append(_flagged(Claim(source, source, "true", "")))
            if numbers := list(_NUMBER.finditer(source)):
                number = chance.choice(numbers)
                other = str(int(number.group()) + chance.choice((1, 2, 10)))
                claim = source[: number.start()] + other + source[number.end() :]
                changed.append(_flagged(Claim(claim, source, "number", "")))
    return same, changed


def _read(articles: Path) -> Iterator[Claim]:
    records = list(read_lines(_CLAIMS))
    wanted = {record["article_id"] for record in records}
    with gzip.open(articles, "rt", encoding="utf-8") as lines:
        read = (json.loads(line) for line in lines)
        texts = {article["id"]: article["text"] for article in read if article["id"] in wanted}
    for record in records:
        source = texts[record["article_id"]][record["start"] : record["end"]]
        yield Claim(record["claim"], source, record["kind"], record["half"])


def _flagged(claim: Claim) -> bool:
    return verify_statement(claim.text, [claim.source]).status != "supported"


_analyzer = Analyzer()


def _share(claim: Claim) -> float:
    mine, known = _analyzer.terms(claim.text), set(_analyzer.terms(claim.source))
    return sum(term in known for term in mine) / len(mine) if mine else 1.0


def _best_threshold(claims: Sequence[Claim]) -> float:
    """Return the share that tells most claims of the dev half right."""
    candidates = sorted({_share(claim) for claim in claims})
    return max(candidates, key=lambda share: sum((_share(each) < share) == (each.kind != "true") for each in claims))


def _rate(flags: Sequence[bool]) -> str:
    """Return a share with its Wilson interval (Wilson, 1927)."""
    n, z = len(flags), 1.96
    share = sum(flags) / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return f"{share:.3f} ({max(0.0, middle - half):.3f} to {min(1.0, middle + half):.3f})"


if __name__ == "__main__":
    raise SystemExit(main())
