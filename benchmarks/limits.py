"""python -m benchmarks.limits: what each stage of a question takes, and what this machine could do at the most.

The most that it could do is measured beside it: bytes read from memory in a second, and multiplications in 8 bits, as
onnxruntime multiplies matrices of the reader's own size on as many threads.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from benchmarks.measure import head
from index import CorpusIndex
from index.cores import n_cores
from qa import Chatbot
from qa.bundled_reader import BundledReader
from qa.evaluation.gold import read_questions
from qa.reader import Window

_REPEATS = 5
_BYTES = 2**28
_PIECES, _WIDTH, _INNER, _LAYERS = 160, 384, 1_536, 6
"""Of a window of the reader: pieces, its width, that of its inner layers, and layers."""

_PER_PIECE = _LAYERS * (4 * _WIDTH * _WIDTH + 2 * _WIDTH * _INNER)
"""Multiplications of weights that one piece takes; those among the pieces themselves come on top, a tenth."""


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--index", type=Path, default=Path("data/news"))
    parser.add_argument("--questions", type=int, default=100)
    options = parser.parse_args()
    corpus = CorpusIndex.open(options.index)
    questions = [gold.question for gold in read_questions(options.data / "news/questions-dev.jsonl")][
        : options.questions
    ]
    bandwidth, products = _bandwidth(), _products()
    print(f"{head()}\n\nmemory: {bandwidth / 1e9:.1f} GB/s; products in 8 bits: {products / 1e9:.0f} G/s\n")
    print("| stage | median ms | work | at the most | of that |\n|---|---|---|---|---|")
    stages = _stages(corpus, questions)
    for name, milliseconds in stages.items():
        print(f"| {name} | {milliseconds:.1f} | | | |")
    n_passages, dimension = corpus.status().n_passages, corpus.status().dimension
    scan, n_bytes = _nearest(corpus, questions), n_passages * dimension * 2
    least = 1e3 * n_bytes / bandwidth
    compared = f"| {scan:.1f} | {n_bytes / 1e6:.0f} MB | {least:.1f} ms | {least / scan:.2f} |"
    print(f"| nearest embeddings, all compared {compared}")
    reading, n_pieces = _reading(corpus, questions)
    least = 1e3 * n_pieces * _PER_PIECE / products
    work = f"{n_pieces} pieces, {n_pieces * _PER_PIECE / 1e9:.1f} G products"
    print(f"| reader, twelve windows | {reading:.1f} | {work} | {least:.1f} ms | {least / reading:.2f} |")


def _stages(corpus: CorpusIndex, questions: list[str]) -> dict[str, float]:
    """Return the median milliseconds of each stage that an answer tells of."""
    chatbot = Chatbot(corpus, remembers=False)
    chatbot.ask(questions[0])
    timings = [chatbot.ask(question).timings_ms for question in questions]
    names = dict.fromkeys(name for each in timings for name in each)
    return {name: statistics.median([each.get(name, 0.0) for each in timings]) for name in names}


def _nearest(corpus: CorpusIndex, questions: list[str]) -> float:
    """Return the median milliseconds in which every embedding is compared with a question's: a filter asks for all."""
    vectors = [corpus.embedder.embed_question(question) for question in questions]
    corpus.nearest(vectors[0], since="1900")
    return statistics.median([_milliseconds(partial(corpus.nearest, vector, since="1900")) for vector in vectors])


def _reading(corpus: CorpusIndex, questions: list[str]) -> tuple[float, int]:
    """Return the median milliseconds of twelve windows, and how many pieces the middle one of the questions has."""
    reader = BundledReader.bundled()
    seen = []
    for question in questions:
        windows = [Window(hit.passage.sentences[:3]) for hit in corpus.search(question, k=12)]
        n_pieces = sum(len(row.ids) for row in reader._rows(question, windows))
        seen.append((_milliseconds(partial(reader.read, question, windows)), n_pieces))
    return statistics.median([each[0] for each in seen]), int(statistics.median([each[1] for each in seen]))


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - start)


def _bandwidth() -> float:
    """Return how many bytes a second one thread reads from memory."""
    block = np.ones(_BYTES // 8, dtype=np.float64)
    return max(_BYTES / (1e-3 * _milliseconds(block.sum)) for _ in range(_REPEATS))


def _products() -> float:
    """Return how many products of 8 bits a second onnxruntime makes, a matrix of the reader's size on each core."""
    import onnxruntime  # noqa: PLC0415 - as the package itself does

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(_multiplication().SerializeToString(), options)
    given = {"a": np.random.default_rng(0).integers(0, 255, (_PIECES, _WIDTH), dtype=np.uint8)}
    n, rounds = n_cores(), 200

    def work(_: int) -> None:
        for _ in range(rounds):
            session.run(None, given)

    def all_cores() -> None:
        with ThreadPoolExecutor(max_workers=n) as pool:
            list(pool.map(work, range(n)))

    best = min(_milliseconds(all_cores) for _ in range(_REPEATS))
    return n * rounds * _PIECES * _WIDTH * _INNER / (1e-3 * best)


def _multiplication() -> Any:
    weights = np.random.default_rng(0).integers(-127, 127, (_WIDTH, _INNER), dtype=np.int8)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b"], ["c"])],
        "product",
        [helper.make_tensor_value_info("a", TensorProto.UINT8, [_PIECES, _WIDTH])],
        [helper.make_tensor_value_info("c", TensorProto.INT32, [_PIECES, _INNER])],
        [onnx.numpy_helper.from_array(weights, "b")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


if __name__ == "__main__":
    main()
