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
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from torch.utils.data import DataLoader, Dataset, Subset

from training.reader_batches import Batch, Groups, Pieces, group_batch
from training.reader_figures import Floats, reader_figures
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

SEED = 29
DEV = ("piaf-dev", "news-dev", "news-dev-large")
STUDENT_LAYERS = (0, 2, 4, 7, 9, 11)
_READER_HALF = 0
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
            order = np.random.default_rng([SEED, int(epoch)]).permutation(len(groups))
            chosen[epochs == epoch] = order[within[epochs == epoch]]
        draw = np.random.default_rng([SEED, 1, step])
        return group_batch(self._pieces, groups.take(chosen), draw, group=stage.group)


def main(arguments: Sequence[str] | None = None) -> None:
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
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    training = Training(options.pack, options.out, workers=options.workers, few=options.few, small=options.small)
    for name, train in training.stages(options).items():
        if options.stages and name not in options.stages:
            continue
        path = options.out / f"{name}.safetensors"
        if path.exists():
            continue
        torch.manual_seed(SEED)  # of the heads that a first reader gets, and of dropout
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
        self.pieces = Pieces(**load_file(pack / "pieces.safetensors"))
        self.questions = Groups(**load_file(pack / "questions.safetensors"))
        self.cloze = Groups(**load_file(pack / "cloze.safetensors"))
        print(f"{len(self.questions):,} questions, {len(self.cloze):,} cloze questions, {self._device}", flush=True)

    def stages(self, options: argparse.Namespace) -> dict[str, Callable[[], ReaderNet]]:
        """Return what makes each reader, in their order."""
        n = options.batch
        steps = int(len(self.questions) * options.epochs / n)
        cloze = Stage("teacher-cloze", options.cloze_steps, 2 * n, 4, 2e-4)
        student_cloze = Stage("student-cloze", options.student_cloze_steps, 2 * n, 4, 4e-4, states=True)
        real = Stage("teacher", steps, n, 5, 1e-4)
        student = replace(real, name="student", rate=2e-4, steps=int(1.5 * steps))

        half = self.questions.take(self.questions.fold == _READER_HALF)
        half_real = replace(real, name="teacher-half", steps=real.steps // 2)
        half_student = replace(student, name="half", steps=student.steps // 2)

        return {
            "teacher-cloze": lambda: self.train(
                first_net(self.pack / "first.safetensors", layers=12, dropout=0.0), self.cloze, cloze
            ),
            "teacher": lambda: self.train(self._kept("teacher-cloze", 0.1), self.questions, real),
            "student-cloze": lambda: self.train(
                shallower(self._kept("teacher-cloze", 0.0), STUDENT_LAYERS),
                self.cloze,
                student_cloze,
                teacher=self._kept("teacher-cloze", 0.0),
            ),
            "student": lambda: self.train(
                self._kept("student-cloze", 0.1), self.questions, student, teacher=self._kept("teacher", 0.0)
            ),
            "teacher-half": lambda: self.train(self._kept("teacher-cloze", 0.1), half, half_real),
            "half": lambda: self.train(
                self._kept("student-cloze", 0.1), half, half_student, teacher=self._kept("teacher-half", 0.0)
            ),
        }

    def checkpoint(self, name: str) -> Path:
        """Return the file that training of a stage goes on from, which is kept until the reader is written."""
        return self._out / f"{name}.checkpoint"

    def _kept(self, name: str, dropout: float) -> ReaderNet:
        return read_net(self._out / f"{name}.safetensors", dropout=dropout)

    def train(self, net: ReaderNet, groups: Groups, stage: Stage, *, teacher: ReaderNet | None = None) -> ReaderNet:
        """Train a reader on questions for a stage, from its last checkpoint if there is one, and return it.

        Args:
            net: what training starts from; is changed.
            groups: the questions.
            stage: how long and how fast.
            teacher: a better reader that is imitated too.
        """
        net.to(self._device).train()
        if teacher is not None:
            teacher.to(self._device).eval()
        optimizer = torch.optim.AdamW(net.parameters(), lr=stage.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
        checkpoint = self.checkpoint(stage.name)
        done = resume(net, optimizer, checkpoint)
        loader = DataLoader(
            Subset(Batches(self.pieces, groups, stage), range(done, stage.steps)),
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
        for key, groups in self.dev_sets():
            print(f"{name} {key}: {reader_figures(partial(self._read, net), self.pieces, groups)}", flush=True)

    def dev_sets(self) -> Iterator[tuple[str, Groups]]:
        """Yield the names and the questions of the sets that readers are measured on."""
        for key in DEV:
            groups = Groups(**load_file(self.pack / f"{key}.safetensors"))
            yield key, groups.take(np.arange(len(groups))[: self._few])

    def _read(self, net: ReaderNet, batch: Batch) -> tuple[Floats, Floats, Floats]:
        ids, inside, *_ = self._tensors(batch)
        with torch.no_grad(), torch.autocast(self._device.type, torch.bfloat16):
            read = net(ids, inside)
        answers, start, end = (part.float().cpu().numpy() for part in (read.answers, read.start, read.end))
        return answers, start, end


if __name__ == "__main__":
    main()
