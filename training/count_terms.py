"""python -m training.count_terms: counts, for `index/background.py`, how common each term is in French news."""

from __future__ import annotations

import argparse
import gzip
import json
from collections import Counter, defaultdict
from pathlib import Path

from index.analyze import Analyzer

_LEAST = 4
"""Terms of fewer documents are left out: they are as rare as a term that was never seen."""


def count(articles: Path, without: set[str]) -> tuple[int, Counter[str]]:
    """Return the number of articles and in how many of them each term occurs."""
    analyzer = Analyzer()
    counts: Counter[str] = Counter()
    n_documents = 0
    with gzip.open(articles, "rt", encoding="utf-8") as lines:
        for line in lines:
            article = json.loads(line)
            if article["id"] in without:
                continue
            n_documents += 1
            text = "\n".join(article[name] or "" for name in ("title", "heading", "text"))
            counts.update(set(analyzer.terms(text)))
    return n_documents, counts


def main() -> None:
    """Count the terms of the news articles that are not set aside for measuring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("index/models/term-counts.json"))
    options = parser.parse_args()
    without = set((options.data / "news/eval-ids.txt").read_text(encoding="utf-8").split())
    n_documents, counts = count(options.data / "news/articles.jsonl.gz", without)
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
