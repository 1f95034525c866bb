"""python -m benchmarks.vary_news OUT --documents N: any number of news documents, made of the 33,483 articles.

The rule, the same on every machine. The first 33,483 documents are the articles as they are. After them, copy c of
article a takes its even sentences from a and its odd ones from the article that stands c places after a in the order
of length, among those of the same year (years of few articles are taken together): the pair (a, c) is unique, so two
documents share single sentences and never two in a row. Names, dates and numbers are replaced throughout a document,
each always by the same: a name by one drawn from all those in the articles of that year, as often as it occurs there,
with its parts (who is Étienne Guyot once is M. Guyot afterwards); a number by one drawn in the same way from those of
as many characters; a day and a month by any others; years stay. New names are coined from the halves of two others at
the rate at which the articles themselves bring new words (Heaps' law, V = K n^b, fitted on half of the articles and
all of them), and may be drawn again by later documents.
"""

from __future__ import annotations

import argparse
import gzip
import io
import itertools
import json
import math
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from index.split import split_passages, split_sentences
from training.corpora import read_articles

__all__ = ["N_ARTICLES", "RULE", "vary", "write"]

N_ARTICLES = 33_483
"""Articles of the news: documents up to this number are not varied."""

RULE = "news articles, from the 33,484th document on varied by benchmarks/vary_news.py"

_SEED = 21
_SMALL_YEAR = 2000
_SLOTS_KEPT = re.compile(r"(?:19|20)\d\d")
_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
_UPPER, _LOWER = "A-ZÀ-ÖØ-Þ", "a-zß-öø-ÿœ"
_NAME_WORD = rf"[{_UPPER}][{_LOWER}{_UPPER}]+(?:-[{_UPPER}][{_LOWER}]+)*"
_SLOT = re.compile(
    rf"(?P<name>(?<!\w){_NAME_WORD}(?: (?:de |du |des |la |le |von |van |ben )?{_NAME_WORD})*)"
    rf"|(?P<day>\d\d?)(?P<er>er)? (?P<month>{'|'.join(_MONTHS)})\b"
    rf"|(?P<number>\d+(?:[.,]\d+)*)"
)
_WORD = re.compile(r"\w+")
_TITLE = re.compile(r"\b(?:MM?|Dr|Me|St)\.\Z")
_OPENS_A_SENTENCE = frozenset('.!?…»«"“:-–—')


@dataclass(frozen=True, slots=True)
class _Article:
    """An article: its fields and its sentences."""

    fields: dict[str, Any]
    sentences: tuple[str, ...]


@dataclass(slots=True)
class _Year:
    """Articles of one year, shortest first, and what occurs in them, as often as it does.

    Attributes:
        articles: shortest first.
        names: by their number of words.
        numbers: by their number of characters.
    """

    articles: list[_Article]
    names: dict[int, list[str]] = field(default_factory=dict)
    numbers: dict[int, list[str]] = field(default_factory=dict)


class _Names:
    """Coins new names as often as the articles bring new words.

    Attributes:
        n_coined: names coined up to now.
    """

    def __init__(self, articles: Sequence[_Article], chance: random.Random) -> None:
        self._chance = chance
        self._words: set[str] = set()
        half = 0
        for number, article in enumerate(articles):
            if number == len(articles) // 2:
                half = len(self._words)
            self._words.update(_WORD.findall(" ".join(article.sentences).lower()))
        self._n_real, self._n_articles = len(self._words), len(articles)
        self._exponent = math.log(len(self._words) / half) / math.log(len(articles) / (len(articles) // 2))
        self.n_coined = 0

    def due(self, document: int) -> float:
        """Return how many names should have been coined up to a document, counted from 0."""
        growth: float = ((document + 1) / self._n_articles) ** self._exponent
        return self._n_real * (growth - 1.0)

    def coin(self, left: str, right: str) -> str | None:
        """Return a word of the first half of one word and the second half of another, None if it is not new."""
        word = left[: 1 + (len(left) + 1) // 2] + right[len(right) // 2 :].lower()
        if word.lower() in self._words:
            return None
        self._words.add(word.lower())
        self.n_coined += 1
        return word


class _Cast:
    """What stands for each name, date and number of one document."""

    def __init__(self, year: _Year, coiner: _Names, document: int, chance: random.Random) -> None:
        self._year = year
        self._coiner = coiner
        self._n_due = coiner.due(document)
        self._chance = chance
        self._taken: dict[str, str] = {}

    def play(self, text: str) -> str:
        """Return a text with its slots filled anew."""
        return _SLOT.sub(self._fill, text)

    def _fill(self, match: re.Match[str]) -> str:
        found = match[0]
        if found in self._taken:
            return self._taken[found]
        if match["name"]:
            if _is_opening(match.string, match.start()):
                return found
            filled = self._name(found)
        elif match["day"]:
            filled = f"{2 + int(27 * self._chance.random())} {_MONTHS[int(12 * self._chance.random())]}"
        elif _SLOTS_KEPT.fullmatch(found):
            return found
        else:
            filled = self._draw(self._year.numbers.get(len(found)) or [found])
        self._taken[found] = filled
        return filled

    def _name(self, name: str) -> str:
        words = name.split(" ")
        pool = self._year.names.get(len(words)) or [name]
        drawn = self._draw(pool)
        head, _, last = drawn.rpartition(" ")
        if words[-1] in self._taken:
            last = self._taken[words[-1]]
        elif self._coiner.n_coined < self._n_due:
            last = self._coiner.coin(last, self._draw(pool).rpartition(" ")[2]) or last
            drawn = f"{head} {last}" if head else last
            pool.append(drawn)
        self._taken.setdefault(words[-1], last)
        return f"{head} {last}" if head else last

    def _draw(self, pool: list[str]) -> str:
        return pool[int(len(pool) * self._chance.random())]


def vary(data: Path, *, n_documents: int) -> Iterator[dict[str, Any]]:
    """Yield the first documents of the endless corpus, each with ``id, date, title, heading, text``.

    Args:
        data: the shared data folder, which holds ``news/articles.jsonl.gz``.
        n_documents: at least 0; up to `N_ARTICLES` they are the articles themselves.

    Raises:
        SystemExit: if more are asked for than there are pairs of articles in the smallest year.
    """
    articles: list[dict[str, Any]] = []
    for article in itertools.islice(read_articles(data), n_documents):
        articles.append(article)
        yield article
    if n_documents > len(articles):
        yield from _varied(articles, n_documents=n_documents)


def _varied(articles: Sequence[dict[str, Any]], *, n_documents: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(_SEED)
    cut = [_Article(article, _sentences(article["text"])) for article in articles]
    years = _years(cut)
    place = {article.fields["id"]: (year, rank) for year in years for rank, article in enumerate(year.articles)}
    coiner = _Names(cut, chance)
    n_copies = min(len(year.articles) for year in years) - 1
    if n_documents > len(cut) * (1 + n_copies):
        raise SystemExit(f"{n_documents} documents: expected at most {len(cut) * (1 + n_copies)}")
    for number in range(len(cut), n_documents):
        copy, article = number // len(cut), cut[number % len(cut)]
        year, rank = place[article.fields["id"]]
        other = year.articles[(rank + copy) % len(year.articles)]
        cast = _Cast(year, coiner, number, chance)
        pairs = zip(article.sentences, other.sentences, strict=False)
        text = " ".join(mine if at % 2 == 0 else theirs for at, (mine, theirs) in enumerate(pairs))
        yield {
            "id": f"{article.fields['id']}-{copy}",
            "date": article.fields["date"],
            "title": cast.play(article.fields["title"]),
            "heading": cast.play(other.fields["heading"]),
            "text": cast.play(text),
        }


def _sentences(text: str) -> tuple[str, ...]:
    return tuple(text[span.start : span.end] for span in split_sentences(text))


def _years(articles: Sequence[_Article]) -> list[_Year]:
    """Return the articles by year, shortest first; a year of few articles is joined to the next one."""
    years: list[_Year] = []
    waiting: list[_Article] = []
    by_year = sorted(articles, key=lambda article: str(article.fields["date"])[:4])
    for _, group in itertools.groupby(by_year, key=lambda article: str(article.fields["date"])[:4]):
        waiting += group
        if len(waiting) >= _SMALL_YEAR:
            years.append(_Year(sorted(waiting, key=lambda article: (len(article.sentences), article.fields["id"]))))
            waiting = []
    for year in years:
        for article in year.articles:
            for match in _SLOT.finditer(" ".join(article.sentences)):
                if match["name"] and not _is_opening(match.string, match.start()):
                    year.names.setdefault(match[0].count(" ") + 1, []).append(match[0])
                elif match["number"] and not _SLOTS_KEPT.fullmatch(match[0]):
                    year.numbers.setdefault(len(match[0]), []).append(match[0])
    return years


def _is_opening(text: str, at: int) -> bool:
    """Say whether a word begins a sentence or a quotation, so that its capital says nothing."""
    before = text[max(0, at - 5) : at].rstrip()
    return not before or (before[-1] in _OPENS_A_SENTENCE and not _TITLE.search(before))


def write(data: Path, path: Path, *, n_documents: int) -> None:
    """Write documents as JSON lines, compressed where the name ends in ``.gz``; one document is held at a time."""
    with path.open("wb") as raw:
        stream = gzip.GzipFile("", "wb", 1, raw, mtime=0) if path.suffix == ".gz" else raw
        with io.TextIOWrapper(stream, encoding="utf-8", write_through=False) as lines:
            for document in vary(data, n_documents=n_documents):
                lines.write(json.dumps(document, ensure_ascii=False) + "\n")


def main() -> None:
    """Write a corpus and print what was made."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, help="a .jsonl or .jsonl.gz file")
    parser.add_argument("--documents", type=int, default=300_000)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--count", action="store_true", help="count passages, characters and words too")
    options = parser.parse_args()
    start = time.perf_counter()
    write(options.data, options.out, n_documents=options.documents)
    print(f"{options.documents} documents, {options.out.stat().st_size >> 20} MiB, {time.perf_counter() - start:.0f} s")
    if options.count:
        print(_count(options.out))


def _count(path: Path) -> str:
    """Return what a corpus holds: passages, characters, words, different words."""
    n_passages = n_characters = n_words = 0
    seen: set[str] = set()
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            text = json.loads(line)["text"]
            words = _WORD.findall(text.lower())
            seen.update(words)
            n_passages += len(split_passages(text, split_sentences(text)))
            n_characters, n_words = n_characters + len(text), n_words + len(words)
    return f"{n_passages} passages, {n_characters} characters, {n_words} words, {len(seen)} different"


if __name__ == "__main__":
    main()
