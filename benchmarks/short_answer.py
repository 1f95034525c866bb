"""The short answer given the right sentence: ``python -m benchmarks.short_answer --data ../shared/data``.

Each question is asked of the sentence that holds its gold answer. Exact match and token F1 as in SQuAD (Rajpurkar et
al., 2016), French articles and "de" removed; where no short answer is given, the whole sentence counts as the answer.
The baseline is the whole sentence, always. Intervals: percentile bootstrap over questions, 1,000 draws.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index.analyze import Analyzer
from index.types import Document, Sentence
from qa.evaluation import figure
from qa.question import read_question
from qa.span import find_short_answer
from training.span_data import Example, f1, normalise_answer, read_news, read_squad

__all__ = ["main"]


@dataclass(frozen=True, slots=True)
class _Result:
    """One question: its annotated and read kinds, the two measures, the baseline's F1 and whether it got a span."""

    annotated: str
    kind: str
    exact: float
    overlap: float
    baseline: float
    is_short: bool


def main() -> None:
    """Print a table for each set of questions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with news/ and piaf/")
    parser.add_argument("--show", type=int, default=0, help="print so many wrong answers of each set")
    data = parser.parse_args().data
    show = parser.parse_args().show
    for name in ("questions-dev-large", "questions-dev"):
        _report(f"news {name}", read_news(data, f"{name}.jsonl"), show)
    _report("PIAF dev", read_squad(data / "piaf/dev.json"), show)


def _report(title: str, examples: Iterable[Example], show: int) -> None:
    analyzer = Analyzer()
    results: list[_Result] = []
    seconds = 0.0
    skipped = 0
    for example in examples:
        gold = example.gold_sentence
        if gold is None:
            skipped += example.answer is not None
            continue
        question = read_question(example.question)
        sentence = Sentence(Document(id="0", source="0", text=example.text), gold)
        began = time.perf_counter()
        found = find_short_answer(question, sentence, analyzer=analyzer)
        seconds += time.perf_counter() - began
        text = sentence.text if found is None else example.text[found.span.start : found.span.end]
        wanted = normalise_answer(example.answer_text)
        words = normalise_answer(text)
        results.append(
            _Result(
                annotated=example.kind,
                kind=question.kind,
                exact=float(words == wanted),
                overlap=f1(words, wanted),
                baseline=f1(normalise_answer(sentence.text), wanted),
                is_short=found is not None,
            )
        )
        if show > 0 and words != wanted:
            show -= 1
            score = None if found is None else round(found.score, 2)
            print(
                f"  {question.kind} {question.focus} {question.text}\n"
                f"    {example.answer_text!r} found {text!r} {score}"
            )
    print(f"\n{title}: {len(results)} questions, {skipped} not in one sentence, {1e3 * seconds / len(results):.2f} ms")
    print("kind          n   exact match           F1                    F1 of the sentence   short   exact of short")
    for kind in ["all", *sorted({result.annotated or result.kind for result in results})]:
        chosen = [result for result in results if kind in ("all", result.annotated or result.kind)]
        exact = _interval([result.exact for result in chosen])
        overlap = _interval([result.overlap for result in chosen])
        baseline = np.mean([result.baseline for result in chosen])
        short = np.mean([result.is_short for result in chosen])
        hits = sum(result.exact for result in chosen if result.is_short) / max(1, sum(r.is_short for r in chosen))
        print(
            f"{kind:10} {len(chosen):4}   {exact}   {overlap}   {baseline:.3f}                {short:.2f}    {hits:.3f}"
        )


def _interval(values: list[float]) -> str:
    found = figure(values)
    return f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"


if __name__ == "__main__":
    main()
