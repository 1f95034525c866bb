"""python -m benchmarks.growth: what building, changing, opening and searching cost as the index grows.

Each step runs in a fresh process. Plots are drawn by matplotlib (`pip install -r requirements-dev.txt`).

- build: `python -m index build` of one JSON lines file into an empty folder, whole command; memory of all its processes
- again: the same command when nothing has changed
- change: an index opened once; one text file added, and one document of the build removed, the time of each call alone
- open: from `CorpusIndex.open` to the first hits, the import of `index` before it left out
- search: `CorpusIndex.search` of every question, k = 10, after ten others; memory of the process afterwards
- recall@10: of `CorpusIndex.nearest` against all embeddings of the catalog multiplied by the question's
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import disk_mebibytes, head, measured, memory_kibibytes, run
from benchmarks.vary_news import N_ARTICLES, RULE, vary
from index import CorpusIndex
from training.corpora import read_lines

_SIZES = (1_000, 10_000, 100_000, 300_000, 1_000_000)
_SHORT_SIZES = (1_000, 3_000)
_PASSAGES_OF_AN_ARTICLE = 3.68
_PASSAGES_OF_A_VARIED_ONE = 3.63
_QUESTIONS = ("news/questions-dev.jsonl", "news/questions-dev-large.jsonl")
_K = 10
_BATCH = 64
_SAME_COSINE = 1e-5
"""Rounding of a product of 256 float32."""

_ROWS: tuple[tuple[str, str, str], ...] = (
    ("documents", "documents", "{:,.0f}"),
    ("passages", "passages", "{:,.0f}"),
    ("full build, s", "build_s", "{:,.1f}"),
    ("peak memory of the build, all processes, MiB", "build_mib", "{:,.0f}"),
    ("building again, nothing changed, s", "again_s", "{:.2f}"),
    ("index on disk, MiB", "disk_mib", "{:,.0f}"),
    ("one document added, ms", "add_ms", "{:,.0f}"),
    ("one document removed, ms", "remove_ms", "{:,.0f}"),
    ("open and first search, ms", "open_ms", "{:,.0f}"),
    ("search, median, ms", "p50_ms", "{:.1f}"),
    ("search, 95th percentile, ms", "p95_ms", "{:.1f}"),
    ("memory while serving, MiB", "serve_mib", "{:,.0f}"),
    ("of which not backed by a file, MiB", "anonymous_mib", "{:,.0f}"),
    ("nearest, median, ms", "nearest_ms", "{:.1f}"),
    ("recall@10 of nearest against exact search", "recall", "{:.3f}"),
)
_PLOTS: tuple[tuple[str, tuple[tuple[str, str, float], ...]], ...] = (
    (
        "seconds",
        (("full build", "build_s", 1.0), ("nothing changed", "again_s", 1.0), ("open, first search", "open_ms", 1e-3)),
    ),
    (
        "milliseconds",
        (
            ("one added", "add_ms", 1.0),
            ("one removed", "remove_ms", 1.0),
            ("search, median", "p50_ms", 1.0),
            ("search, 95 %", "p95_ms", 1.0),
        ),
    ),
    ("MiB", (("build, peak", "build_mib", 1.0), ("serving", "serve_mib", 1.0), ("on disk", "disk_mib", 1.0))),
)


def main() -> None:
    """Measure, print a Markdown table and draw the plot; or run one step, in the process made for it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--sizes", type=int, nargs="+", metavar="N", help="passages, about; default 1 k to 1 M")
    parser.add_argument("--short", action="store_true", help="1 k and 3 k only, and no plot unless named")
    parser.add_argument("--runs", type=int, default=5, help="documents added and removed; the median is given")
    parser.add_argument("--plot", type=Path, help="default benchmarks/growth.png")
    parser.add_argument("--folder", type=Path, help="where the corpora and indexes are made, 4 GiB for 1 M passages")
    parser.add_argument("--step", choices=_STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--index", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        print(json.dumps(_STEPS[options.step](options)))
        return
    sizes = sorted(options.sizes or (_SHORT_SIZES if options.short else _SIZES))
    plot = options.plot or (None if options.short else Path("benchmarks/growth.png"))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        results = _measure(options, sizes, Path(folder))
    print(f"{head()}\n{results[0]['embedder']} · {RULE}; {results[0]['n_questions']} questions\n")
    print(_table(results))
    if plot is not None:
        _draw(results, plot)


def _measure(options: argparse.Namespace, sizes: Sequence[int], folder: Path) -> list[dict[str, Any]]:
    """Measure each size, smallest first; each result is told on stderr as soon as it is there."""
    corpora = [folder / f"{size}.jsonl" for size in sizes]
    _write_corpora(options.data, dict(zip(corpora, map(_n_documents, sizes), strict=True)))
    results = []
    for corpus in corpora:
        index = corpus.with_suffix("")
        build = ["-m", "index", "build", str(corpus), "--index", str(index)]
        seconds, mebibytes = run(build)
        result = {"build_s": seconds, "build_mib": mebibytes, "disk_mib": disk_mebibytes(index)}
        result["again_s"] = statistics.median(run(build)[0] for _ in range(min(3, options.runs)))
        for step in _STEPS:
            common = ["--data", str(options.data), "--runs", str(options.runs), "--index", str(index)]
            result |= measured(["-m", "benchmarks.growth", "--step", step, *common])
        results.append(result)
        print(json.dumps(result), file=sys.stderr, flush=True)
        _delete(index, corpus)
    return results


def _n_documents(n_passages: int) -> int:
    """Return about how many documents have a number of passages."""
    of_articles = N_ARTICLES * _PASSAGES_OF_AN_ARTICLE
    if n_passages <= of_articles:
        return max(1, round(n_passages / _PASSAGES_OF_AN_ARTICLE))
    return N_ARTICLES + round((n_passages - of_articles) / _PASSAGES_OF_A_VARIED_ONE)


def _write_corpora(data: Path, n_documents: dict[Path, int]) -> None:
    """Write corpora of several sizes at once; each is the beginning of the larger ones."""
    with ExitStack() as stack:
        files = {path: stack.enter_context(path.open("w", encoding="utf-8")) for path in n_documents}
        for number, document in enumerate(vary(data, n_documents=max(n_documents.values()))):
            line = json.dumps(document, ensure_ascii=False) + "\n"
            for path, file in files.items():
                if number < n_documents[path]:
                    file.write(line)


def _delete(index: Path, corpus: Path) -> None:
    for path in sorted(index.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    corpus.unlink()


# -- steps, each in a process of its own --------------------------------------------------------------------------


def _serve(options: argparse.Namespace) -> dict[str, Any]:
    questions = _questions(options.data)
    start = time.perf_counter()
    corpus = CorpusIndex.open(options.index)
    corpus.search(questions[0], k=_K)
    open_ms = 1000 * (time.perf_counter() - start)
    for question in questions[1:11]:
        corpus.search(question, k=_K)
    times = sorted(_milliseconds(corpus.search, question, k=_K) for question in questions)
    status = corpus.status()
    return {
        "documents": status.n_documents,
        "passages": status.n_passages,
        "embedder": f"{status.embedder}, {status.dimension} dimensions",
        "n_questions": len(questions),
        "open_ms": open_ms,
        "p50_ms": statistics.median(times),
        "p95_ms": times[int(0.95 * len(times))],
        "serve_mib": memory_kibibytes("self", "Rss") / 1024,
        "anonymous_mib": memory_kibibytes("self", "Anonymous") / 1024,
    }


def _change(options: argparse.Namespace) -> dict[str, Any]:
    corpus = CorpusIndex.open(options.index)
    built = corpus.sources()
    added, removed = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.runs):
            path = Path(folder, f"ajout-{number}.txt")
            path.write_text(f"Le pont de Gassin a rouvert ; {number} personnes étaient là.", encoding="utf-8")
            added.append(_milliseconds(corpus.add, [path]))
            removed.append(_milliseconds(corpus.remove, [built[number * len(built) // options.runs]]))
    return {"add_ms": statistics.median(added), "remove_ms": statistics.median(removed)}


def _recall(options: argparse.Namespace) -> dict[str, Any]:
    """Compare what `nearest` finds with all there is; a passage as near as the tenth counts, whichever it is."""
    corpus = CorpusIndex.open(options.index)
    numbers, embeddings = _embeddings(options.index)
    places = {number: place for place, number in enumerate(numbers.tolist())}
    queries = np.stack([corpus.embedder.embed_question(question) for question in _questions(options.data)])
    times, shares = [], []
    for first in range(0, len(queries), _BATCH):
        batch = queries[first : first + _BATCH]
        for vector, cosines in zip(batch, batch @ embeddings.T, strict=True):
            start = time.perf_counter()
            hits = corpus.nearest(vector, k=_K)
            times.append(1000 * (time.perf_counter() - start))
            k = min(_K, len(cosines))
            least = np.partition(cosines, -k)[-k] - _SAME_COSINE
            shares.append(sum(cosines[places[hit.passage.number]] >= least for hit in hits) / k)
    return {"nearest_ms": statistics.median(times), "recall": statistics.fmean(shares)}


_STEPS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "serve": _serve,
    "recall": _recall,
    "change": _change,
}


def _embeddings(index: Path) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the number of every passage and its embedding, shape ``(n, dimension)``, as the catalog has them."""
    catalog = (index / "catalog.sqlite").resolve()
    with closing(sqlite3.connect(f"{catalog.as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT number, vector FROM passages ORDER BY number").fetchall()
    matrix = np.frombuffer(b"".join(row[1] for row in rows), dtype=np.float16).reshape(len(rows), -1)
    return np.array([row[0] for row in rows], dtype=np.int64), matrix.astype(np.float32)


def _questions(data: Path) -> list[str]:
    return [str(record["question"]) for name in _QUESTIONS for record in read_lines(data / name)]


def _milliseconds(call: Callable[..., object], *arguments: object, **options: object) -> float:
    start = time.perf_counter()
    call(*arguments, **options)
    return 1000 * (time.perf_counter() - start)


# -- results ------------------------------------------------------------------------------------------------------


def _table(results: Sequence[dict[str, Any]]) -> str:
    """Return a Markdown table, a column a size."""
    lines = ["| about | " + " | ".join(_short(result["passages"]) for result in results) + " |"]
    lines.append("|---" * (len(results) + 1) + "|")
    for what, key, form in _ROWS:
        lines.append(f"| {what} | " + " | ".join(form.format(result[key]) for result in results) + " |")
    return "\n".join(lines)


def _short(n_passages: int) -> str:
    """Return a number of passages to two digits: 10 k, 1.2 M."""
    rounded = float(f"{n_passages:.2g}")
    return f"{rounded / 1e6:g} M" if rounded >= 1e6 else f"{rounded / 1e3:g} k"


def _draw(results: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw what grows against the number of passages, both logarithmic."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    from matplotlib.figure import Figure  # noqa: PLC0415 - only the plot needs it

    figure = Figure(figsize=(12, 4), layout="constrained")
    passages = [result["passages"] for result in results]
    for axes, (unit, lines) in zip(figure.subplots(1, len(_PLOTS)), _PLOTS, strict=True):
        for label, key, factor in lines:
            axes.loglog(passages, [factor * result[key] for result in results], marker="o", label=label)
        axes.set(xlabel="passages", ylabel=unit)
        axes.grid(visible=True, which="both", alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
