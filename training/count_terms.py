"""python -m training.count_terms: counts, for `index/background.py`, how common each term is in French news."""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from index.analyze import Analyzer
from training.corpora import read_open_articles

_LEAST = 4
"""Terms of fewer documents are left out: they are as rare as a term that was never seen."""


def count(articles: Iterable[Mapping[str, Any]]) -> tuple[int, Counter[str]]:
    """Return the number of articles and in how many of them each term occurs."""
    analyzer = Analyzer()
    counts: Counter[str] = Counter()
    n_documents = 0
    for article in articles:
        n_documents += 1
        counts.update(set(analyzer.terms("\n".join(article[name] or "" for name in ("title", "heading", "text")))))
    return n_documents, counts


def main() -> None:
    """Count the terms of the news articles that are not set aside for measuring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("index/models/term-counts.json"))
    options = parser.parse_args()
    n_documents, counts = count(read_open_articles(options.data))
    by_count: defaultdict[int, list[str]] = defaultdict(list)
    for term, n in counts.items():
        if n >= _LEAST:
            by_count[n].append(term)
    terms = {str(n): " ".join(sorted(by_count[n])) for n in sorted(by_count)}
    record = {"analyzer": Analyzer().version, "n_documents": n_documents, "terms": terms}
    options.out.write_text(json.dumps(record, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    print(f"{options.out}: {sum(map(len, by_count.values()))} terms of {n_documents} articles")


if __name__ == "__main__":
    main()
