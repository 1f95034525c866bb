"""The network of the reader, its loss and its files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file
from torch.nn import functional

from tests.small_packs import (
    shrink,
    small_net,
)
from training.reader_net import (
    Read,
    ReaderNet,
    keep,
    read_net,
    read_small,
    reader_loss,
    resume,
    shallower,
    write_net,
    write_small,
)


@pytest.fixture
def small_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the readers that files are read into as small as `small_net`."""
    shrink(monkeypatch, width=8, inner=12)


def softmax(rows: NDArray[Any]) -> NDArray[Any]:
    powers = np.exp(rows - rows.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def sigmoid(value: NDArray[Any]) -> NDArray[Any]:
    return 1 / (1 + np.exp(-value))


def said(seed: int, *, n: int = 6, length: int = 5) -> Read:
    draw = np.random.default_rng(seed)
    shapes = ((n,), (n, length), (n, length), (n, length, 3))
    return Read(*(torch.from_numpy(draw.normal(0, 2, shape)) for shape in shapes))


ANSWERS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
START, END = (2, -1, -1, -1, 0, -1), (3, -1, -1, -1, 4, -1)


def loss_of(read: Read, answers: Sequence[float] = ANSWERS, **options: Any) -> dict[str, float]:
    start, end = (
        torch.tensor([p if a else -1 for p, a in zip(places, answers, strict=True)]) for places in (START, END)
    )
    loss = reader_loss(read, torch.tensor(answers, dtype=torch.float64), start, end, group=2, **options)
    parts = {name: float(getattr(loss, name)) for name in ("answers", "group", "span", "taught")}
    assert float(loss.total) == pytest.approx(sum(parts.values()))
    return parts


def cross_entropy(odds: NDArray[Any], wanted: NDArray[Any]) -> float:
    return float(-(wanted * np.log(sigmoid(odds)) + (1 - wanted) * np.log(1 - sigmoid(odds))).mean())


def test_the_loss_is_that_of_arithmetic() -> None:
    read = said(1)
    odds, start, end = (part.numpy() for part in (read.answers, read.start, read.end))
    parts = loss_of(read)
    assert parts["answers"] == pytest.approx(cross_entropy(odds, np.array([0.98 if a else 0.02 for a in ANSWERS])))
    rows = softmax(odds.reshape(3, 2))
    assert parts["group"] == pytest.approx(-(math.log(rows[0, 0]) + math.log(rows[2, 0])) / 2)
    first, last = softmax(start), softmax(end)
    found = [math.log(share) for share in (first[0, 2], first[4, 0], last[0, 3], last[4, 4])]
    assert parts["span"] == pytest.approx(-sum(found) / 4)
    assert parts["taught"] == 0


def test_without_an_answer_only_the_windows_count() -> None:
    parts = loss_of(said(2), (0.0,) * 6)
    assert (parts["group"], parts["span"]) == (0, 0)
    assert parts["answers"] == pytest.approx(cross_entropy(said(2).answers.numpy(), np.full(6, 0.02)))


def test_a_teacher_is_imitated_where_it_sees_an_answer() -> None:
    read, teacher = said(3), said(4)
    mine, wanted = (part.answers.numpy() for part in (read, teacher))
    expected = cross_entropy(mine, sigmoid(wanted))

    def divergence(student: NDArray[Any], better: NDArray[Any]) -> float:
        p, q = softmax(better), softmax(student)
        return float((p * np.log(p / q)).sum(axis=-1).mean())

    expected += divergence(mine.reshape(3, 2), wanted.reshape(3, 2))
    sure = sigmoid(wanted) > 0.1
    assert 0 < sure.sum() < 6
    for name in ("start", "end"):
        expected += divergence(getattr(read, name).numpy()[sure], getattr(teacher, name).numpy()[sure])
    parts = loss_of(read, teacher=teacher)
    assert parts["taught"] == pytest.approx(expected)
    assert {name: parts[name] for name in ("answers", "group", "span")} == pytest.approx(
        {name: loss_of(read)[name] for name in ("answers", "group", "span")}
    )
    a, b = read.states.float().numpy(), teacher.states.float().numpy()
    cosines = (a * b).sum(-1) / np.sqrt((a * a).sum(-1) * (b * b).sum(-1))
    inside = np.random.default_rng(5).random((6, 5)) < 0.5
    shown_states = loss_of(read, teacher=teacher, states=True, inside=torch.from_numpy(inside))["taught"]
    assert shown_states == pytest.approx(expected + 2 * (1 - cosines[inside].mean()), rel=1e-5)
    assert loss_of(read, teacher=teacher, states=True)["taught"] == pytest.approx(
        expected + 2 * (1 - cosines.mean()), rel=1e-5
    )


def test_a_reader_that_says_what_its_teacher_says_has_the_least_to_learn() -> None:
    teacher = said(6)
    taught = loss_of(teacher, teacher=teacher, states=True)["taught"]
    odds = sigmoid(teacher.answers.numpy())
    assert taught == pytest.approx(-(odds * np.log(odds) + (1 - odds) * np.log(1 - odds)).mean(), abs=1e-6)


def test_padding_changes_nothing_and_nothing_is_found_outside_the_window() -> None:
    net = small_net().eval()
    ids = torch.tensor([[0, 5, 2, 7, 2, 9, 8, 6, 2]])
    inside = torch.tensor([[False] * 5 + [True] * 3 + [False]])
    alone = net(ids, inside)
    longer = net(functional.pad(ids, (0, 4), value=1), functional.pad(inside, (0, 4)))
    torch.testing.assert_close(longer.answers, alone.answers)
    torch.testing.assert_close(longer.start[:, :9], alone.start)
    assert (alone.start[~inside] == -10_000).all()
    assert (alone.end[~inside] == -10_000).all()
    assert (alone.start[inside] > -100).all()
    assert alone.answers.shape == (1,)


@pytest.mark.usefixtures("small_sizes")
def test_a_shallower_reader_has_the_chosen_layers_in_order() -> None:
    net = small_net(layers=5)
    with torch.no_grad():
        for number, layer in enumerate(net.body.encoder.layer):
            for parameter in layer.parameters():
                parameter.fill_(number + 0.5)
    small = shallower(net, (0, 3, 4))
    assert [
        {float(v) for p in layer.parameters() for v in p.detach().unique()} for layer in small.body.encoder.layer
    ] == [
        {0.5},
        {3.5},
        {4.5},
    ]
    shared = {name: value for name, value in net.state_dict().items() if ".layer." not in name}
    assert len(shared) > 8
    for name, value in shared.items():
        assert torch.equal(small.state_dict()[name], value)
    with torch.no_grad():
        for parameter in small.parameters():
            parameter.add_(1)
    assert float(net.body.encoder.layer[3].output.dense.bias.detach()[0]) == 3.5


@pytest.mark.usefixtures("small_sizes")
def test_a_written_reader_is_read_as_it_was(tmp_path: Path) -> None:
    net = small_net(layers=3)
    write_net(net, tmp_path / "net.safetensors")
    again = read_net(tmp_path / "net.safetensors", dropout=0.25)
    assert again.state_dict().keys() == net.state_dict().keys()
    for name, value in net.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)
    assert again.config.hidden_dropout_prob == again.config.attention_probs_dropout_prob == 0.25
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


@pytest.mark.usefixtures("small_sizes")
def test_eight_bits_change_no_number_by_more_than_half_a_step_of_its_row(tmp_path: Path) -> None:
    net = small_net(layers=2)
    with torch.no_grad():
        words = net.body.embeddings.word_embeddings.weight
        words[4] *= 1_000  # a row with a scale of its own
        words[5] = 0
    write_small(net, tmp_path, "small")
    again = read_small(tmp_path, "small", dropout=0.25).state_dict()
    assert again.keys() == net.state_dict().keys()
    changed = 0
    for name, value in net.state_dict().items():
        if value.ndim == 2:
            step = value.abs().amax(dim=1, keepdim=True) / 127
            assert ((again[name] - value).abs() <= step * 0.5001).all(), name
            changed += int((again[name] != value).sum())
        else:
            assert torch.equal(again[name], value), name
    assert changed > 100
    files = {path.name: load_file(path) for path in tmp_path.iterdir()}
    assert files.keys() == {"small.safetensors", "small-words.safetensors"}
    whole = files["small.safetensors"] | files["small-words.safetensors"]
    assert {v.dtype for n, v in whole.items() if v.ndim == 2 and not n.endswith(".scale")} == {np.dtype(np.int8)}
    assert all("word_embeddings" in name for name in files["small-words.safetensors"])


def trained(net: ReaderNet, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        draw = torch.Generator().manual_seed(step)
        ids = torch.randint(2, 20, (4, 8), generator=draw)
        read = net(ids, torch.ones_like(ids, dtype=torch.bool))
        place = torch.tensor([1, -1, 2, -1])
        reader_loss(read, torch.tensor([1.0, 0, 1, 0]), place, place, group=2).total.backward()
        optimizer.step()
        optimizer.zero_grad()


def adam(net: ReaderNet) -> torch.optim.Optimizer:
    return torch.optim.AdamW(net.parameters(), lr=0.01, betas=(0.9, 0.98), weight_decay=0.01, fused=True)


def test_training_goes_on_exactly_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "net.checkpoint"
    whole = small_net()
    trained(whole, adam(whole), range(7))
    stopped = small_net()
    optimizer = adam(stopped)
    assert resume(stopped, optimizer, path) == 0
    trained(stopped, optimizer, range(4))
    keep(stopped, optimizer, path, 4)
    other = small_net(seed=9)
    optimizer = adam(other)
    assert resume(other, optimizer, path) == 4
    assert torch.equal(other.span.weight, stopped.span.weight)
    trained(other, optimizer, range(4, 7))
    assert not torch.equal(other.span.weight, stopped.span.weight)
    for name, value in whole.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name
    assert [each.name for each in tmp_path.iterdir()] == ["net.checkpoint"]
