"""python -m training.ablate_reader: what each kind of training data is worth to the reader.

Trains one reader of 6 layers after another, each with as many windows as the others and without one kind of data, and
prints how it differs from the one that has them all. There is no teacher, so that only the data differ. Readers are
kept: the same command goes on after an interruption.

With ``--spans`` each question comes with the window that answers it and no other: that is enough to learn where an
answer stands, and can be done on two cores. Which of several windows answers takes a hundred times as many to learn,
and a graphics card: there, leave it out and give more ``--steps``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from index.cores import n_cores
from qa.bundled_reader import open_session
from qa.evaluation.figures import Difference, Figure, area_difference, area_figure, difference, figure
from training.export_reader import write_reader
from training.pack_reader import ALTERED_SOURCE
from training.reader_batches import Batch, Groups
from training.reader_figures import Floats, ReaderFigures, reader_figures
from training.reader_net import NOWHERE, PAD, ReaderNet, first_net, read_net, shallower, write_net
from training.reader_questions import SETS
from training.train_reader import SEED, STUDENT_LAYERS, Stage, Training

_NEWS, _WIKI = (SETS.index(name) for name in ("news-train", "wiki-train"))
_CLOZE = "cloze"
_EVERYTHING = "everything"
_WITHOUT_CLOZE = "without-cloze"


def main() -> None:
    """Train what is not there yet and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", type=Path, default=Path("training/runs/reader/pack"))
    parser.add_argument("--out", type=Path, default=Path("training/runs/reader/ablation"))
    parser.add_argument("--cloze-steps", type=int, default=200)
    parser.add_argument("--steps", type=int, default=220)
    parser.add_argument("--batch", type=int, default=32, help="questions a batch")
    parser.add_argument("--group", type=int, default=5, help="windows a question")
    parser.add_argument("--rate", type=float, default=2e-4, help="highest learning rate")
    parser.add_argument("--spans", action="store_true", help="only where answers stand")
    parser.add_argument(
        "--only", nargs="*", default=None, help="these readers, so that several commands run side by side"
    )
    parser.add_argument("--few", type=int, default=None, help="measure with so few questions")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    training = Training(options.pack, options.out, workers=0, few=options.few)
    stage = Stage("", options.steps, options.batch, 1 if options.spans else options.group, options.rate)
    first = options.out / f"{_CLOZE}.safetensors"
    if not first.exists():
        cloze = replace(stage, name=_CLOZE, steps=options.cloze_steps)
        write_net(training.train(_first(options.pack), training.cloze, cloze), first)
    found: dict[str, dict[str, ReaderFigures]] = {}
    questions = training.questions
    if options.spans:
        questions = questions.take(questions.gold >= 0)
    for name, groups in variants(questions, spans=options.spans).items():
        if options.only and name not in options.only:
            continue
        path = options.out / f"{name}.safetensors"
        if not path.exists():
            net = _first(options.pack) if name == _WITHOUT_CLOZE else read_net(first, dropout=0.1)
            torch.manual_seed(SEED)  # of dropout
            write_net(training.train(net, groups, replace(stage, name=name)), path)
        found[name] = _figures(training, path, options.pack / "tokenizer.json", only_gold=options.spans)
        _tell(name, len(groups), found[name], found.get(_EVERYTHING))


def variants(questions: Groups, *, spans: bool = False) -> Mapping[str, Groups]:
    """Return the questions that each reader learns from, by the name of what is left out.

    Args:
        questions: all of them.
        spans: leave out only what can tell where answers stand.
    """
    is_altered = questions.source >= ALTERED_SOURCE
    kind = questions.source % ALTERED_SOURCE
    found = {
        _EVERYTHING: questions,
        _WITHOUT_CLOZE: questions,
        "without-news": questions.take(kind != _NEWS),
        "without-wikipedia": questions.take(kind != _WIKI),
    }
    return (
        found
        if spans
        else found
        | {
            "without-altered": questions.take(~is_altered),
            "without-unanswerable": questions.take(questions.gold >= 0),
            "without-near-misses": replace(questions, near=np.full_like(questions.near, -1)),
        }
    )


def _first(pack: Path) -> ReaderNet:
    torch.manual_seed(SEED)
    return shallower(first_net(pack / "first.safetensors", layers=12, dropout=0.1), STUDENT_LAYERS)


def _figures(training: Training, path: Path, tokenizer: Path, *, only_gold: bool) -> dict[str, ReaderFigures]:
    """Return what a reader reaches on each set once it is in 8 bits, as the product runs it; kept beside it."""
    kept = {key: path.with_suffix(f".{key}") for key, _ in training.dev_sets()}
    if not all(file.exists() for file in kept.values()):
        net = read_net(path)
        weights = {name: value.numpy() for name, value in net.state_dict().items()}
        with TemporaryDirectory() as folder:
            write_reader(weights, tokenizer, Path(folder), n_heads=net.config.num_attention_heads)
            session = open_session(Path(folder) / "model.onnx")
        with ThreadPoolExecutor(n_cores()) as pool:
            read = partial(_read, session, pool)
            for key, groups in training.dev_sets():
                figures = reader_figures(read, training.pieces, groups, only_gold=only_gold)
                save_file({field.name: getattr(figures, field.name) for field in fields(figures)}, kept[key])
    return {key: ReaderFigures(**load_file(file)) for key, file in kept.items()}


def _read(session: Any, pool: ThreadPoolExecutor, batch: Batch) -> tuple[Floats, Floats, Floats]:
    lengths = (batch.ids != PAD).sum(axis=1)
    rows = [ids[:length] for ids, length in zip(batch.ids, lengths, strict=True)]
    said = list(pool.map(lambda row: session.run(["answers", "start", "end"], {"ids": row}), rows))
    start, end = (np.full(batch.ids.shape, NOWHERE, dtype=np.float32) for _ in range(2))
    for row, (length, (_, first, last)) in enumerate(zip(lengths, said, strict=True)):
        start[row, :length], end[row, :length] = first, last
    start[~batch.inside] = end[~batch.inside] = NOWHERE
    return np.array([answers[0] for answers, _, _ in said]), start, end


def _tell(
    name: str, n_questions: int, found: Mapping[str, ReaderFigures], whole: Mapping[str, ReaderFigures] | None
) -> None:
    for key, figures in found.items():
        cells = _cells(figures, None if whole is None or whole is found else whole[key])
        print(f"| {name}, {n_questions:,} | {key} | {' | '.join(cells)} |", flush=True)


def _cells(found: ReaderFigures, whole: ReaderFigures | None) -> Iterator[str]:
    """Yield each measure with its interval, or how it differs from that of the reader that had everything."""
    for measure in ("exact", "overlap", "first") if len(found.first) else ("exact", "overlap"):
        values = getattr(found, measure).tolist()
        yield _cell(figure(values), None if whole is None else difference(getattr(whole, measure).tolist(), values))
    if found.auroc is None:
        yield "–"
        return
    sides = [(each.best[each.known].tolist(), each.best[~each.known].tolist()) for each in (found, whole or found)]
    yield _cell(area_figure(*sides[0]), None if whole is None else area_difference(sides[1], sides[0]))


def _cell(figure: Figure, difference: Difference | None) -> str:
    if difference is None:
        return f"{figure.mean:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
    mark = "" if difference.low <= 0 <= difference.high else "**"
    return (
        f"{figure.mean:.3f}, {mark}{difference.difference:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]{mark}"
    )


if __name__ == "__main__":
    main()
