"""python -m benchmarks.shared: an index pushed to a shared store and pulled from it, and how soon a change is seen.

With --pages, eight clients ask one page and two pages over the store in the folder, a minute each. With --ray,
documents are also read into the store on a Ray cluster of this machine's cores.

The store is a folder, and the S3 API of moto's server on this machine: without a network, and with its memory as disk.
"""

from __future__ import annotations

import argparse
import datetime
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.load import page_of, users
from benchmarks.measure import disk_mebibytes, head
from benchmarks.s3_server import BUCKET, running
from index import CorpusIndex, Document
from index.lance import SharedStore
from index.ray_ingest import ingest
from index.shared import Follower, pull, push
from qa.evaluation.gold import read_questions


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, default=Path("data/news"))
    parser.add_argument(
        "--ray", type=Path, metavar="PATH", help="files to read on a cluster, such as articles.jsonl.gz"
    )
    parser.add_argument("--pages", type=Path, metavar="QUESTIONS", help="also ask pages over the store these questions")
    options = parser.parse_args()
    corpus = CorpusIndex.open(options.index)
    status = corpus.status()
    print(f"{head()}\n\n{status.n_documents:,} documents, {status.n_passages:,} passages\n")
    print("| what | folder | S3 API on this machine |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, running():
        bucket = f"s3://{BUCKET}/news"
        columns = [_measure(corpus, str(Path(folder, "store")), Path(folder, "a"))]
        columns.append(_measure(corpus, bucket, Path(folder, "b")))
        if options.ray is not None:
            for column, address in zip(columns, (str(Path(folder, "ray")), f"{bucket}-ray"), strict=True):
                column.update(_by_ray(options.ray, address))
        if options.pages is not None:
            questions = [gold.question for gold in read_questions(options.pages)]
            for n in (1, 2):
                columns[0] |= _asked(str(Path(folder, "store")), Path(folder), questions, n_pages=n)
    for name in dict.fromkeys(name for column in columns for name in column):
        print(f"| {name} | {' | '.join(column.get(name, '–') for column in columns)} |")


def _measure(corpus: CorpusIndex, address: str, folder: Path) -> dict[str, str]:
    found = {
        "push of everything": _seconds(lambda: push(corpus, address)),
        "push, nothing changed": _seconds(lambda: push(corpus, address)),
        "first pull of a replica": _seconds(lambda: pull(address, folder / "replica")),
        "pull, nothing changed": _seconds(lambda: pull(address, folder / "replica")),
    }
    if not address.startswith("s3://"):
        found["store on disk"] = f"{disk_mebibytes(Path(address)):.0f} MiB"
        found["replica on disk"] = f"{disk_mebibytes(folder / 'replica'):.0f} MiB"
    else:
        found |= {"store on disk": "–", "replica on disk": "–"}
    other = CorpusIndex.create(folder / "other")
    follower = Follower(address, folder / "replica", seconds=1.0)
    replica = CorpusIndex.open(folder / "replica")
    other.put([Document("new", "new.txt", "Le phare de la Jument, à Ouessant, est à vendre.")])
    generation = replica.generation
    push(other, address, owner="other")
    start = time.perf_counter()
    while replica.generation == generation:
        time.sleep(0.01)
    found["a document pushed until a replica that looks each second finds it"] = f"{time.perf_counter() - start:.2f} s"
    follower.close()
    store = SharedStore.open(address)
    found["optimize"] = _seconds(lambda: store.optimize(keep=datetime.timedelta(0)))
    return found


def _asked(address: str, folder: Path, questions: Sequence[str], *, n_pages: int) -> dict[str, str]:
    """Let eight clients ask pages over a store, each with a replica of its own."""
    with ExitStack() as stack:
        urls = []
        for number in range(n_pages):
            options = ("--store", address, "--index", str(folder / f"page-{number}"))
            urls.append(stack.enter_context(page_of(7_880 + number, *options))[0])
        seen = users(urls, questions, n=8, seconds=60.0)
    p50, p95 = statistics.median(seen.seconds), statistics.quantiles(seen.seconds, n=20)[-1]
    told = (
        f"{len(seen.seconds) / 60.0:.1f}/s, {p50:.1f} and {p95:.1f} s; {len(seen.errors)} errors, {seen.n_mixed} mixed"
    )
    return {f"eight clients, {n_pages} page(s): answers, median and 95th percentile": told}


def _by_ray(files: Path, address: str) -> dict[str, str]:
    return {
        name: _seconds(lambda: ingest([files], address))
        for name in ("read by Ray on the cores of this machine", "read by Ray again, nothing changed")
    }


def _seconds(work: Callable[[], object]) -> str:
    start = time.perf_counter()
    work()
    return f"{time.perf_counter() - start:.1f} s"


if __name__ == "__main__":
    main()
