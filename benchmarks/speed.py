"""python -m benchmarks.speed: time and memory of building, changing and asking, on the seed and on French news.

Each figure is taken in a fresh process, so that nothing is warm that a user would find cold.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.measure import disk_mebibytes, head, run

_QUESTION = "Qui est le secrétaire général de l'Otan ?"


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=int, default=5, help="runs of each short command; the median is given")
    options = parser.parse_args()
    rows: list[tuple[str, str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        seeds, news = Path(folder, "seeds"), Path(folder, "news")
        run(["-m", "index", "build", "--index", str(seeds)])
        cold = [run(["-m", "qa", "ask", _QUESTION, "--index", str(seeds)])[0] for _ in range(options.runs)]
        rows.append(("`python -m qa ask`, cold, `seeds/`", f"{statistics.median(cold):.2f} s", "1.0 s"))
        page = [_page(seeds) for _ in range(options.runs)]
        rows.append(("`python app.py` until the page answers, `seeds/`", f"{statistics.median(page):.1f} s", "8 s"))
        rows += _news(options, news, Path(folder))
    print(f"{head()}\n")
    print("| what | measured | target |\n|---|---|---|")
    for what, measured, target in rows:
        print(f"| {what} | {measured} | {target} |")


def _news(options: argparse.Namespace, index: Path, folder: Path) -> list[tuple[str, str, str]]:
    articles = options.data / "news/articles.jsonl.gz"
    build = ["-m", "index", "build", str(articles), "--index", str(index)]
    seconds, mebibytes = run(build)
    again = statistics.median(run(build)[0] for _ in range(options.runs))
    cold = statistics.median(run(["-m", "qa", "ask", _QUESTION, "--index", str(index)])[0] for _ in range(options.runs))
    added = folder / "ajout.txt"
    times = []
    for number in range(options.runs):
        added.write_text(f"Le pont de Gassin a rouvert ; {number} personnes étaient là.", encoding="utf-8")
        times.append(run(["-m", "index", "add", str(added), "--index", str(index)])[0])
    code = _ASK.format(questions=options.data / "news/questions-dev.jsonl", index=index)
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    asked = json.loads(done.stdout)
    return [
        ("news (33,483 articles, 66.8 M characters): full build", f"{seconds:.0f} s", "60 s"),
        ("news: peak memory of the build, all processes", f"{mebibytes:.0f} MiB", "1,536 MiB"),
        ("news: building again, nothing changed", f"{again:.1f} s", "3 s"),
        ("news: `python -m index add` of one article, whole command", f"{statistics.median(times):.2f} s", "1 s"),
        (f"news: a question, median of {asked['n']}", f"{asked['p50']:.0f} ms", "90 ms"),
        (f"news: a question, 95th percentile of {asked['n']}", f"{asked['p95']:.0f} ms", "200 ms"),
        ("news: `python -m qa ask`, cold", f"{cold:.2f} s", "1.5 s"),
        ("news: memory while asking", f"{asked['mebibytes']:.0f} MiB", "600 MiB"),
        ("news: index on disk", f"{disk_mebibytes(index):.0f} MiB", "–"),
    ]


_ASK = """
import json, resource, time
from index import CorpusIndex
from qa import Chatbot
chatbot = Chatbot(CorpusIndex.open("{index}"), remembers=False)
questions = [json.loads(line)["question"] for line in open("{questions}", encoding="utf-8")]
chatbot.ask(questions[0])
times = []
for question in questions:
    start = time.perf_counter()
    chatbot.ask(question)
    times.append(1000 * (time.perf_counter() - start))
times.sort()
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
p50, p95 = times[len(times) // 2], times[int(0.95 * len(times))]
print(json.dumps(dict(n=len(times), p50=p50, p95=p95, mebibytes=memory)))
"""


def _page(index: Path) -> float:
    """Return the seconds from starting the page until it answers."""
    port = 17_860
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py", "--index", str(index), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
                    return time.perf_counter() - start
            except urllib.error.URLError:
                time.sleep(0.05)
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
