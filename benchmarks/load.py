"""python -m benchmarks.load: many users at once on the page, and its memory over many questions.

Each user is a client of its own that asks as soon as it has an answer, through the endpoint that programs use. An
answer to somebody else's question is a mixed session; a client that is told that the queue is full waits a second.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gradio_client import Client
from gradio_client.exceptions import AppError

from benchmarks.measure import family_kibibytes, head
from qa.evaluation.gold import read_questions

_SEED = 8


@dataclass
class Seen:
    """What the users of a run saw.

    Attributes:
        seconds: time of each answer.
        errors: what went wrong, but for a full queue.
        n_mixed: answers to another question than the one asked.
        n_full: times that the queue was full.
    """

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    n_mixed: int = 0
    n_full: int = 0


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--index", type=Path, default=Path("data/news"))
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument(
        "--questions", type=int, default=2_000, help="asked one after the other for the memory; 0: none"
    )
    parser.add_argument("--port", type=int, default=7899)
    options = parser.parse_args()
    questions = [gold.question for gold in read_questions(options.data / "news/questions-dev-large.jsonl")]
    print(f"{head()}\n\n| what | measured | target |\n|---|---|---|")
    with page_of(options.port, "--index", str(options.index)) as (url, process):
        seen = users([url], questions, n=options.users, seconds=options.seconds)
        n, of = len(seen.seconds), f"{options.users} users, {options.seconds:.0f} s"
        print(f"| {of}: answers, errors, mixed sessions | {n}, {len(seen.errors)}, {seen.n_mixed} | –, 0, 0 |")
        print(f"| {of}: times the queue was full | {seen.n_full} | – |")
        if n > 1:
            p95 = statistics.quantiles(seen.seconds, n=20)[-1]
            print(f"| {of}: median and 95th percentile | {statistics.median(seen.seconds):.2f}, {p95:.2f} s | –, 3 s |")
        if options.questions:
            before, after = memory(url, questions, process.pid, n=options.questions)
            what = f"memory after 100 questions, and after {options.questions:,} more"
            print(f"| {what} | {before:.0f}, {after:.0f} MiB | flat |")
    for error in dict.fromkeys(seen.errors):
        print(f"\n{error}")


def users(urls: Sequence[str], questions: Sequence[str], *, n: int, seconds: float) -> Seen:
    """Let users ask at once.

    Args:
        urls: of the pages, which they are shared among.
        questions: what is asked, in an order of its own for each user.
        n: how many users there are.
        seconds: how long they ask; an answer that is begun is waited for.
    """
    seen, lock = Seen(), threading.Lock()
    clients = [Client(urls[number % len(urls)], verbose=False) for number in range(n)]
    end = time.perf_counter() + seconds

    def work(number: int) -> None:
        mine = random.Random(_SEED + number).sample(list(questions), len(questions))
        for question in mine * (1 + int(seconds)):
            start = time.perf_counter()
            if start >= end:
                return
            try:
                answer = clients[number].predict(question, api_name="/ask")
            except AppError as error:
                with lock:
                    seen.n_full += "full" in str(error)
                    seen.errors += [] if "full" in str(error) else [str(error)]
                time.sleep(1.0)
                continue
            with lock:
                seen.seconds.append(time.perf_counter() - start)
                seen.n_mixed += answer["question"] != question

    threads = [threading.Thread(target=work, args=(number,)) for number in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def memory(url: str, questions: Sequence[str], process: int, *, n: int) -> tuple[float, float]:
    """Return the mebibytes of the page after 100 questions and after ``n`` more."""
    client = Client(url, verbose=False)
    for number in range(100):
        client.predict(questions[number % len(questions)], api_name="/ask")
    before = family_kibibytes(process) / 1024
    for number in range(n):
        client.predict(questions[number % len(questions)], api_name="/ask")
    return before, family_kibibytes(process) / 1024


@contextmanager
def page_of(port: int, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve a page, and give its address and its process."""
    command = [sys.executable, "app.py", "--port", str(port), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("Sourcier: "):
            raise SystemExit(f"the page did not start: {line!r}")
        try:
            yield line.split()[1], process
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
