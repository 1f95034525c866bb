"""python -m benchmarks.page: how soon the page is there, and the answer after a question is sent, in Chromium.

Times are taken in the browser: from the key that sends the question to the frame that shows the answer.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.measure import head
from qa.evaluation.gold import read_questions

_PORT = 7898
_N = 20
_SEEDS = (
    "Qui est le secrétaire général de l'Otan ?",
    "Combien de navires patrouillent en mer Baltique et en mer du Nord ?",
    "Comment s'appelle l'exercice de dissuasion ?",
    "De quoi l'Ukraine a-t-elle un besoin urgent ?",
    "Qui est le ministre ukrainien de la Défense ?",
    "Quand les ministres de la Défense se réunissent-ils ?",
    "Qui a estimé que les bombardements sont un signe de faiblesse ?",
    "Quels pays ont annoncé la fourniture de systèmes de défense anti-aérienne ?",
    "Qui dirige le groupe de contact pour l'Ukraine ?",
    "Qui participera au dîner de travail des ministres ?",
    "De quoi les alliés veulent-ils augmenter les stocks ?",
    "Quand l'Otan va-t-elle mener son exercice ?",
    "Qu'est-ce qui a été saboté ?",
    "Quelle arme la Russie menace-t-elle d'utiliser ?",
    "Quelle guerre ne peut être gagnée selon Jens Stoltenberg ?",
    "Sur quoi porteront les discussions ?",
    "Qui perd la bataille sur le terrain ?",
    "Quel jour ont eu lieu les bombardements ?",
    "Qu'est-ce que l'Otan surveille de près ?",
    "Qui a remporté la Coupe du monde 2022 ?",
)

# Resolves with the milliseconds from now to the frame in which one more answer is shown.
_ANSWERED = """() => new Promise((resolve) => {
    const shown = () => document.querySelectorAll(".answer, .refusal").length;
    const before = shown(), start = performance.now();
    document.querySelector("#question .submit-button").click();
    const look = () => shown() > before ? resolve(performance.now() - start) : requestAnimationFrame(look);
    look();
})"""


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--index", type=Path, default=Path("data/news"), help="index of all news articles")
    options = parser.parse_args()
    news = [gold.question for gold in read_questions(options.data / "news/questions-dev.jsonl")]
    print(f"{head()}\n\n| what | median | slowest | target |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, index, questions, target in (
            ("`seeds/`", Path(folder, "index"), _SEEDS, 300),
            (str(options.index), options.index, news[:: len(news) // _N][:_N], 500),
        ):
            with _served(index):
                pass  # the first start makes the index, and warms the files
            with _browsing() as tab:
                begin = time.perf_counter()
                with _served(index) as url:
                    tab.goto(url)
                    tab.locator("#question textarea").wait_for()
                    ready = time.perf_counter() - begin
                    times = [_ask(tab, question) for question in questions]
            print(f"| {name}: page usable after a warm start | {ready:.1f} s | – | 3 s |")
            row = f"{statistics.median(times):.0f} ms | {max(times):.0f} ms | {target} ms"
            print(f"| {name}: answer shown, n = {len(times)} | {row} |", flush=True)


def _ask(tab: Page, question: str) -> float:
    tab.locator("#question textarea").fill(question)
    milliseconds: float = tab.evaluate(_ANSWERED)
    tab.wait_for_timeout(1_000)  # what follows the answer is over
    return milliseconds


@contextmanager
def _served(index: Path) -> Iterator[str]:
    command = [sys.executable, "app.py", "--index", str(index), "--port", str(_PORT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("Sourcier: "):
            raise SystemExit(f"the page did not start: {line!r}")
        try:
            yield line.split()[1]
        finally:
            process.terminate()


@contextmanager
def _browsing() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce", locale="fr-FR")
        browser.close()


def _chromium() -> str:
    names: Sequence[str] = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        raise SystemExit("no Chromium on PATH: apt-get install chromium")
    return path


if __name__ == "__main__":
    main()
