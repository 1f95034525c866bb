"""The reader as a torch module, its loss, and its weights in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file as load_arrays
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional
from transformers import BertConfig, BertModel

from training.base_model import unpack

__all__ = [
    "NOWHERE",
    "PAD",
    "Loss",
    "Read",
    "ReaderNet",
    "first_net",
    "keep",
    "read_net",
    "read_small",
    "reader_loss",
    "resume",
    "shallower",
    "write_net",
    "write_small",
]

PAD = 1
NOWHERE = -1e4
"""Logit of a piece that is not of the window."""

_SMOOTHING = 0.02


@dataclass(frozen=True, slots=True)
class Read:
    """What the reader says of some windows.

    Attributes:
        answers: log-odds that each answers, shape ``(n,)``.
        start: logits of the first piece of the answer, ``(n, length)``; -10,000 outside the window.
        end: the same of its last piece.
        states: the last hidden states, ``(n, length, width)``.
    """

    answers: torch.Tensor
    start: torch.Tensor
    end: torch.Tensor
    states: torch.Tensor


class ReaderNet(nn.Module):
    """A BERT with two heads: whether the window answers, from the first state, and where, from that of each piece."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.body = BertModel(config, add_pooling_layer=False)
        self.answers = nn.Sequential(
            nn.Linear(config.hidden_size, config.hidden_size), nn.Tanh(), nn.Linear(config.hidden_size, 1)
        )
        self.span = nn.Linear(config.hidden_size, 2)

    def forward(self, ids: torch.Tensor, inside: torch.Tensor) -> Read:
        """Read windows: pieces padded with those of `PAD`, and which of them are of the window itself."""
        states = self.body(ids, attention_mask=(ids != PAD).long()).last_hidden_state
        start, end = self.span(states).float().masked_fill(~inside[..., None], NOWHERE).unbind(-1)
        return Read(self.answers(states[:, 0]).squeeze(-1).float(), start, end, states)


@dataclass(frozen=True, slots=True)
class Loss:
    """The parts of the loss, each the mean over what it counts.

    Attributes:
        answers: cross-entropy of whether each window answers.
        group: of which window of a question answers.
        span: of the first and the last piece, a mean of both.
        taught: divergence from the teacher, 0 without one.
    """

    answers: torch.Tensor
    group: torch.Tensor
    span: torch.Tensor
    taught: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """What is minimised."""
        return self.answers + self.group + self.span + self.taught


def reader_loss(
    read: Read,
    answers: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    *,
    group: int,
    teacher: Read | None = None,
    states: bool = False,
    inside: torch.Tensor | None = None,
) -> Loss:
    """Return the loss of a batch in which every ``group`` windows are of one question.

    Args:
        read: what the reader said.
        answers: 1.0 for each window that answers, shape ``(n,)``.
        start: place of the first piece of the answer, or -1, ``(n,)``.
        end: place of the last.
        group: windows a question.
        teacher: what a better reader said, whose odds are imitated (Hinton and others, 2015).
        states: imitate its hidden states too.
        inside: which pieces are of the window, for ``states``.
    """
    smooth = answers * (1 - 2 * _SMOOTHING) + _SMOOTHING
    alone = functional.binary_cross_entropy_with_logits(read.answers, smooth)
    rows = read.answers.view(-1, group)
    held = answers.view(-1, group).sum(dim=1) > 0
    share = functional.log_softmax(rows, dim=1)
    zero = read.answers.sum() * 0
    among = -(share * answers.view(-1, group)).sum(dim=1)[held].mean() if held.any() else zero
    right = answers > 0
    where = zero
    if right.any():
        where = functional.cross_entropy(read.start[right], start[right])
        where = (where + functional.cross_entropy(read.end[right], end[right])) / 2
    taught = zero
    if teacher is not None:
        odds = torch.sigmoid(teacher.answers)
        taught = functional.binary_cross_entropy_with_logits(read.answers, odds) + _divergence(
            rows, teacher.answers.view(-1, group)
        )
        told = odds > 0.1
        if told.any():
            taught = taught + (
                _divergence(read.start[told], teacher.start[told]) + _divergence(read.end[told], teacher.end[told])
            )
        if states:
            cosine = functional.cosine_similarity(read.states.float(), teacher.states.float(), dim=-1)
            kept = inside if inside is not None else torch.ones_like(cosine, dtype=torch.bool)
            taught = taught + 2 * (1 - cosine[kept].mean())
    return Loss(alone, among, where, taught)


def _divergence(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    wanted = functional.log_softmax(teacher, dim=-1)
    return functional.kl_div(functional.log_softmax(student, dim=-1), wanted, log_target=True, reduction="batchmean")


def first_net(path: Path, *, layers: int, dropout: float) -> ReaderNet:
    """Return a reader whose body has the weights that `training.pack_reader` wrote, and whose heads are drawn."""
    weights = {name: torch.from_numpy(_plain(value)) for name, value in load_arrays(path).items()}
    words, positions = weights["embeddings.word_embeddings.weight"], weights["embeddings.position_embeddings.weight"]
    net = ReaderNet(_config(len(words), len(positions), layers, dropout))
    net.body.load_state_dict(weights)
    return net


def _plain(value: NDArray[Any]) -> NDArray[Any]:
    return unpack(value) if value.dtype == np.uint8 else value.copy()


def _config(n_pieces: int, positions: int, layers: int, dropout: float) -> BertConfig:
    config = BertConfig(
        vocab_size=n_pieces,
        hidden_size=384,
        num_hidden_layers=layers,
        num_attention_heads=12,
        intermediate_size=1_536,
        max_position_embeddings=positions,
        pad_token_id=PAD,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    config._attn_implementation = "sdpa"
    return config


def shallower(net: ReaderNet, kept: Sequence[int]) -> ReaderNet:
    """Return a reader of some of the layers of another."""
    config = _config(
        net.config.vocab_size, net.config.max_position_embeddings, len(kept), net.config.hidden_dropout_prob
    )
    small = ReaderNet(config)
    weights = {}
    places = {str(number): str(place) for place, number in enumerate(kept)}
    for name, value in net.state_dict().items():
        start, in_layer, rest = name.partition("encoder.layer.")
        number, _, part = rest.partition(".")
        if not in_layer:
            weights[name] = value.detach().clone()
        elif number in places:
            weights[f"{start}{in_layer}{places[number]}.{part}"] = value.detach().clone()
    small.load_state_dict(weights)
    return small


def write_net(net: ReaderNet, path: Path) -> None:
    """Write the weights, aside first."""
    _write({name: value.detach().cpu().contiguous() for name, value in net.state_dict().items()}, path)


def read_net(path: Path, *, dropout: float = 0.0) -> ReaderNet:
    """Read what `write_net` wrote."""
    return _net_of(load_file(path), dropout)


def keep(net: ReaderNet, optimizer: torch.optim.Optimizer, path: Path, step: int) -> None:
    """Write what training goes on from after a step, aside first: the weights and the moments of the optimizer."""
    held = {f"net.{name}": value.detach().cpu().contiguous() for name, value in net.state_dict().items()}
    for place, value in enumerate(net.parameters()):
        for name, moment in optimizer.state[value].items():
            held[f"moment.{place}.{name}"] = moment.detach().cpu().clone()
    held["step"] = torch.tensor(step)
    _write(held, path)


def resume(net: ReaderNet, optimizer: torch.optim.Optimizer, path: Path) -> int:
    """Take up what `keep` wrote, if anything, and return the steps done."""
    if not path.exists():
        return 0
    held = load_file(path)
    net.load_state_dict({name.removeprefix("net."): value for name, value in held.items() if name.startswith("net.")})
    for place, value in enumerate(net.parameters()):
        start = f"moment.{place}."
        moments = {name.removeprefix(start): moment for name, moment in held.items() if name.startswith(start)}
        # A fused optimizer counts its steps on the device (torch 2.13), as it keeps its moments.
        optimizer.state[value] = {name: moment.to(value.device) for name, moment in moments.items()}
    return int(held["step"])


def write_small(net: ReaderNet, folder: Path, name: str) -> None:
    """Write matrices in 8 bits, each row with its scale, in two files that are each under 16 MiB."""
    whole: dict[str, torch.Tensor] = {}
    for key, held in net.state_dict().items():
        value = held.detach().float().cpu()
        if value.ndim == 2:
            scale = value.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / 127
            whole[key] = (value / scale).round().to(torch.int8)
            whole[f"{key}.scale"] = scale
        else:
            whole[key] = value.contiguous()
    words = {key: value for key, value in whole.items() if "word_embeddings" in key}
    save_file(words, folder / f"{name}-words.safetensors")
    save_file({key: value for key, value in whole.items() if key not in words}, folder / f"{name}.safetensors")


def read_small(folder: Path, name: str, *, dropout: float = 0.0) -> ReaderNet:
    """Read what `write_small` wrote."""
    whole = load_file(folder / f"{name}.safetensors") | load_file(folder / f"{name}-words.safetensors")
    weights = {
        key: value.float() * whole[f"{key}.scale"] if value.dtype == torch.int8 else value
        for key, value in whole.items()
        if not key.endswith(".scale")
    }
    return _net_of(weights, dropout)


def _net_of(weights: Mapping[str, torch.Tensor], dropout: float) -> ReaderNet:
    """Return the reader that some weights are of, by the names of its state."""
    layers = 1 + max(int(name.split(".")[3]) for name in weights if name.startswith("body.encoder.layer."))
    words = weights["body.embeddings.word_embeddings.weight"]
    positions = weights["body.embeddings.position_embeddings.weight"]
    net = ReaderNet(_config(len(words), len(positions), layers, dropout))
    net.load_state_dict(weights)
    return net


def _write(tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Write a file aside, then rename it."""
    aside = path.with_suffix(".new")
    save_file(tensors, aside)
    aside.replace(path)
