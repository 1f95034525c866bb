"""python -m training.train_reader: trains the reader from what `training.pack_reader` wrote.

A reader of 12 layers learns from cloze questions, then from real ones. One of 6 layers, made of every other layer of
the first, imitates it on both (Hinton and others, 2015). Two more learn the same from one half of the real questions
only: what ranks and refuses by the reader's scores is trained with the smaller of these, on questions that it has not
seen. Each stage is kept, and a stage that stands is not done again; within a stage, training goes on from the last
checkpoint. Eight minutes on one H200, days on two cores.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file
from sklearn.metrics import roc_auc_score
from torch.utils.data import DataLoader, Dataset, Subset

from training.reader_batches import Batch, Groups, Ints, Pieces, group_batch, make_batch
from training.reader_net import (
    ReaderNet,
    first_net,
    keep,
    read_net,
    reader_loss,
    resume,
    shallower,
    write_net,
    write_small,
)

_SEED = 29
_DEV = ("piaf-dev", "news-dev", "news-dev-large")
_STUDENT_LAYERS = (0, 2, 4, 7, 9, 11)
_READER_HALF = 0
_DEV_WINDOW = 112
_DEV_READ = 12
_KEEP_EVERY = 250
"""Steps between two checkpoints."""


@dataclass(frozen=True, slots=True)
class Stage:
    """How one stage is trained.

    Attributes:
        name: of the stage, and of its file.
        steps: batches.
        questions: questions a batch.
        group: windows a question.
        rate: highest learning rate; it rises over the first twentieth and falls to nothing.
        states: whether the hidden states of the teacher are imitated.
    """

    name: str
    steps: int
    questions: int
    group: int
    rate: float
    states: bool = False

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, from 1."""
        return self.rate * min(20.0 * step / self.steps, (1.0 - step / (self.steps + 1)) / 0.95, 1.0)


class Batches(Dataset[Batch]):
    """Batch number ``i`` of a stage, the same each time it is asked for."""

    def __init__(self, pieces: Pieces, groups: Groups, stage: Stage) -> None:
        self._pieces, self._groups, self._stage = pieces, groups, stage

    def __len__(self) -> int:
        """Batches of the stage."""
        return self._stage.steps

    def __getitem__(self, step: int) -> Batch:
        """Return one batch: questions in a new order every epoch, each with near misses drawn anew."""
        stage, groups = self._stage, self._groups
        first = step * stage.questions
        places = np.arange(first, first + stage.questions)
        epochs, within = places // len(groups), places % len(groups)
        chosen = np.empty(stage.questions, dtype=np.int64)
        for epoch in np.unique(epochs):
            order = np.random.default_rng([_SEED, int(epoch)]).permutation(len(groups))
            chosen[epochs == epoch] = order[within[epochs == epoch]]
        draw = np.random.default_rng([_SEED, 1, step])
        return group_batch(self._pieces, groups.take(chosen), draw, group=stage.group)


def main() -> None:
    """Train what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", type=Path, default=Path("training/runs/reader/pack"))
    parser.add_argument("--out", type=Path, default=Path("training/runs/reader/nets"))
    parser.add_argument("--small", type=Path, default=None, help="write each reader of 6 layers here too, in 8 bits")
    parser.add_argument("--cloze-steps", type=int, default=1_200)
    parser.add_argument("--student-cloze-steps", type=int, default=800)
    parser.add_argument("--epochs", type=float, default=4.0, help="times that each real question is asked")
    parser.add_argument("--batch", type=int, default=64, help="real questions a batch; twice as many cloze questions")
    parser.add_argument("--stages", nargs="*", default=None, help="only these")
    parser.add_argument("--few", type=int, default=None, help="measure with so few questions")
    parser.add_argument("--workers", type=int, default=0, help="processes that put batches together")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    training = Training(options.pack, options.out, workers=options.workers, few=options.few, small=options.small)
    for name, train in training.stages(options).items():
        if options.stages and name not in options.stages:
            continue
        path = options.out / f"{name}.safetensors"
        if path.exists():
            continue
        torch.manual_seed(_SEED)  # of the heads that a first reader gets, and of dropout
        net = train()
        write_net(net, path)
        training.checkpoint(name).unlink(missing_ok=True)
        if options.small and not name.startswith("teacher"):
            write_small(net, options.small, name)
        if not name.endswith("cloze"):
            training.tell(name, net)


class Training:
    """What all stages share.

    Args:
        pack: folder that `training.pack_reader` wrote.
        out: folder for the readers.
        workers: processes that put batches together.
        few: measure with so few questions of each set.
        small: folder that also gets each reader of 6 layers in 8 bits, at each checkpoint too, since a machine that is
            only lent may go before a stage ends.
    """

    def __init__(
        self, pack: Path, out: Path, *, workers: int, few: int | None = None, small: Path | None = None
    ) -> None:
        self.pack, self._out, self._workers, self._few, self._small = pack, out, workers, few, small
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._pieces = Pieces(**load_file(pack / "pieces.safetensors"))
        self._questions = Groups(**load_file(pack / "questions.safetensors"))
        self._cloze = Groups(**load_file(pack / "cloze.safetensors"))
        print(f"{len(self._questions):,} questions, {len(self._cloze):,} cloze questions, {self._device}", flush=True)

    def stages(self, options: argparse.Namespace) -> dict[str, Callable[[], ReaderNet]]:
        """Return what makes each reader, in their order."""
        n = options.batch
        steps = int(len(self._questions) * options.epochs / n)
        cloze = Stage("teacher-cloze", options.cloze_steps, 2 * n, 4, 2e-4)
        student_cloze = Stage("student-cloze", options.student_cloze_steps, 2 * n, 4, 4e-4, states=True)
        real = Stage("teacher", steps, n, 5, 1e-4)
        student = replace(real, name="student", rate=2e-4, steps=int(1.5 * steps))

        half = self._questions.take(self._questions.fold == _READER_HALF)
        half_real = replace(real, name="teacher-half", steps=real.steps // 2)
        half_student = replace(student, name="half", steps=student.steps // 2)

        return {
            "teacher-cloze": lambda: self._train(
                first_net(self.pack / "first.safetensors", layers=12, dropout=0.0), self._cloze, cloze
            ),
            "teacher": lambda: self._train(self._kept("teacher-cloze", 0.1), self._questions, real),
            "student-cloze": lambda: self._train(
                shallower(self._kept("teacher-cloze", 0.0), _STUDENT_LAYERS),
                self._cloze,
                student_cloze,
                teacher=self._kept("teacher-cloze", 0.0),
            ),
            "student": lambda: self._train(
                self._kept("student-cloze", 0.1), self._questions, student, teacher=self._kept("teacher", 0.0)
            ),
            "teacher-half": lambda: self._train(self._kept("teacher-cloze", 0.1), half, half_real),
            "half": lambda: self._train(
                self._kept("student-cloze", 0.1), half, half_student, teacher=self._kept("teacher-half", 0.0)
            ),
        }

    def checkpoint(self, name: str) -> Path:
        """Return the file that training of a stage goes on from, which is kept until the reader is written."""
        return self._out / f"{name}.checkpoint"

    def _kept(self, name: str, dropout: float) -> ReaderNet:
        return read_net(self._out / f"{name}.safetensors", dropout=dropout)

    def _train(self, net: ReaderNet, groups: Groups, stage: Stage, *, teacher: ReaderNet | None = None) -> ReaderNet:
        net.to(self._device).train()
        if teacher is not None:
            teacher.to(self._device).eval()
        optimizer = torch.optim.AdamW(net.parameters(), lr=stage.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
        checkpoint = self.checkpoint(stage.name)
        done = resume(net, optimizer, checkpoint)
        loader = DataLoader(
            Subset(Batches(self._pieces, groups, stage), range(done, stage.steps)),
            batch_size=None,
            num_workers=self._workers,
            prefetch_factor=8 if self._workers else None,
        )
        begin, pieces = time.monotonic(), 0
        for step, batch in enumerate(loader, start=done + 1):
            for parameters in optimizer.param_groups:
                parameters["lr"] = stage.rate_at(step)
            ids, inside, answers, start, end = self._tensors(batch)
            with torch.autocast(self._device.type, torch.bfloat16):
                read = net(ids, inside)
                told = None
                if teacher is not None:
                    with torch.no_grad():
                        told = teacher(ids, inside)
            loss = reader_loss(
                read, answers, start, end, group=stage.group, teacher=told, states=stage.states, inside=inside
            )
            loss.total.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            pieces += ids.numel()
            if step % 50 == 0 or step == stage.steps:
                spent = time.monotonic() - begin
                parts = " ".join(f"{field.name} {getattr(loss, field.name).item():.3f}" for field in fields(loss))
                print(f"{stage.name} {step}/{stage.steps} {parts}, {pieces / spent:,.0f} pieces/s", flush=True)
            if step % _KEEP_EVERY == 0:
                keep(net, optimizer, checkpoint, step)
                if self._small is not None and not stage.name.startswith("teacher"):
                    write_small(net, self._small, f"{stage.name}-so-far")
        return net

    def _tensors(self, batch: Batch) -> Sequence[torch.Tensor]:
        parts = (batch.ids, batch.inside, batch.answers, batch.start, batch.end)
        return [torch.as_tensor(part).to(self._device, non_blocking=True) for part in parts]

    def tell(self, name: str, net: ReaderNet) -> None:
        """Print what a reader reaches alone on the questions set aside."""
        net.eval()
        for key in _DEV:
            groups = Groups(**load_file(self.pack / f"{key}.safetensors"))
            groups = groups.take(np.arange(len(groups))[: self._few])
            print(f"{name} {key}: {self._figures(net, groups)}", flush=True)

    def _figures(self, net: ReaderNet, groups: Groups) -> str:
        held = np.flatnonzero(groups.gold >= 0)
        draw = np.random.default_rng(_SEED)
        gold = make_batch(
            self._pieces, groups.questions[held, 0], groups.gold[held], groups.answer[held], draw, most=_DEV_WINDOW
        )
        exact, overlap, odds_gold = [], [], []
        for part in _parts(gold, 256):
            odds, start, end = self._read(net, part)
            found = np.array([best_span(s, e) for s, e in zip(start, end, strict=True)])
            exact += ((found[:, 0] == part.start) & (found[:, 1] == part.end)).tolist()
            overlap += [_overlap(f, (s, e)) for f, s, e in zip(found, part.start, part.end, strict=True)]
            odds_gold += odds.tolist()
        near = groups.near[:, :_DEV_READ]
        rows, columns = np.nonzero(near >= 0)
        scores = np.full(near.shape, -20.0)
        for i in range(0, len(rows), 512):
            row, centres = rows[i : i + 512], near[rows[i : i + 512], columns[i : i + 512]]
            nothing = np.full((len(row), 2), -1)
            window = make_batch(self._pieces, groups.questions[row, 0], centres, nothing, draw, most=_DEV_WINDOW)
            odds, start, _ = self._read(net, window)
            scores[row, columns[i : i + 512]] = odds + self._share(window, centres, start)
        best = scores.max(axis=1)
        first = near[held, scores[held].argmax(axis=1)] == groups.gold[held]
        known = groups.gold >= 0
        refused = f", AUROC {roc_auc_score(known, best):.3f}" if not known.all() else ""
        return (
            f"gold window: exact {np.mean(exact):.3f} piece F1 {np.mean(overlap):.3f}; first of {_DEV_READ} sentences "
            f"{np.mean(first):.3f}{refused}; answers {np.mean(np.array(odds_gold) > 0):.3f}"
        )

    def _share(self, window: Batch, near: Ints, start: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the logarithm of the share of the starts that lies in the sentence that each window is about."""
        shift = self._pieces.sentences[near, 0] - window.window[:, 0] + window.window[:, 1]
        place = np.arange(start.shape[1])
        own = (place >= shift[:, None]) & (place < (shift + self._pieces.sentences[near, 1])[:, None])
        odds = np.exp(start - start.max(axis=1, keepdims=True))
        share: NDArray[np.float64] = np.log(np.maximum((odds * own).sum(axis=1) / odds.sum(axis=1), 1e-9))
        return share

    def _read(self, net: ReaderNet, batch: Batch) -> tuple[NDArray[np.float32], ...]:
        ids, inside, *_ = self._tensors(batch)
        with torch.no_grad(), torch.autocast(self._device.type, torch.bfloat16):
            read = net(ids, inside)
        return tuple(part.float().cpu().numpy() for part in (read.answers, read.start, read.end))


def best_span(start: NDArray[np.float32], end: NDArray[np.float32], *, most: int = 40) -> tuple[int, int]:
    """Return the first and last place of the span with the highest sum of logits, at most 40 pieces long."""
    total = start[:, None] + end[None, :]
    place = np.arange(len(start))
    far = place[None, :] - place[:, None]
    total[(far < 0) | (far >= most)] = -np.inf
    first, last = np.unravel_index(int(total.argmax()), total.shape)
    return int(first), int(last)


def _overlap(found: NDArray[np.int64], wanted: tuple[int, int]) -> float:
    common = min(found[1], wanted[1]) - max(found[0], wanted[0]) + 1
    whole = (found[1] - found[0] + 1) + (wanted[1] - wanted[0] + 1)
    return max(0.0, float(2 * common / whole))


def _parts(batch: Batch, size: int) -> Iterator[Batch]:
    for i in range(0, len(batch.ids), size):
        rows = slice(i, i + size)
        yield Batch(
            batch.ids[rows],
            batch.inside[rows],
            batch.answers[rows],
            batch.start[rows],
            batch.end[rows],
            batch.window[rows],
        )


if __name__ == "__main__":
    main()
