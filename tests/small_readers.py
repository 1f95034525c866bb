"""Readers small enough to be made by a test: two layers of random weights, and one that says what it is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa.bundled_reader import BundledReader
from tests.model_folders import save_bert
from training.base_model import BaseModel, french_tokenizer
from training.export_reader import write_reader
from training.reader_net import PAD, ReaderNet

LENGTHS = {"question": 40, "heading": 28, "window": 160}

_N_HEADS, _POSITIONS = 2, 256
_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789éèêàùçœïôİ.,:;!?'\"()-%€"
_WORDS = ("▁le", "▁la", "▁de", "▁les", "▁des", "▁port", "▁navires", "▁compte", "▁Brest", "ville", "tion", "ment", "😀")


def small_tokenizer() -> Any:
    """Return a tokenizer that reads texts as the real one does, in smaller pieces."""
    special = [(piece, 0.0) for piece in ("<s>", "<pad>", "</s>", "<unk>")]
    pieces = [*_WORDS, "▁", *_CHARACTERS, *(f"▁{each}" for each in _CHARACTERS)]
    scored = [*special, *((piece, -2.0 - number / 50) for number, piece in enumerate(pieces))]
    return french_tokenizer(BaseModel(tuple(scored), {}), [], n_pieces=len(scored))


def small_net(*, seed: int = 4) -> ReaderNet:
    """Return a reader of two layers; its weights are small, so that eight bits change little, yet windows differ."""
    from transformers import BertConfig

    net = ReaderNet(
        BertConfig(
            vocab_size=small_tokenizer().get_vocab_size(),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=_N_HEADS,
            max_position_embeddings=_POSITIONS,
            pad_token_id=PAD,
        )
    )
    _draw_weights(net, 0.3, seed)
    return net.eval()


def save_reader(folder: Path, *, seed: int = 4) -> Path:
    """Write a folder as `training.export_reader` does, and return it."""
    aside = folder.with_name(f"{folder.name}-tokenizer.json")
    small_tokenizer().save(str(aside))
    weights = {name: value.numpy() for name, value in small_net(seed=seed).state_dict().items()}
    write_reader(weights, aside, folder, n_heads=_N_HEADS)
    return folder


def save_question_answering(folder: Path, *, seed: int = 0) -> Path:
    """Write a model for extractive questions as transformers saves it; it reads 64 pieces."""
    from transformers import BertConfig, BertForQuestionAnswering

    save_bert(folder)
    (folder / "model.safetensors").unlink()
    model = BertForQuestionAnswering(BertConfig.from_pretrained(folder))
    _draw_weights(model, 0.5, seed)
    model.save_pretrained(folder)
    return folder


def _draw_weights(net: Any, deviation: float, seed: int) -> None:
    import torch

    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if "LayerNorm" not in name:
                parameter.normal_(0, deviation, generator=draw)


Said = Callable[[NDArray[np.int64]], tuple[float, NDArray[Any], NDArray[Any]]]


class TellingSession:
    """Stands where onnxruntime's session does: says what a function of the pieces says, and keeps what it was given."""

    def __init__(self, say: Said) -> None:
        self._say = say
        self.given: list[list[int]] = []

    def run(self, _: list[str], inputs: dict[str, NDArray[np.int64]]) -> list[NDArray[np.float32]]:
        self.given.append(inputs["ids"].tolist())
        answers, start, end = self._say(inputs["ids"])
        return [np.array([answers], np.float32), np.asarray(start, np.float32), np.asarray(end, np.float32)]


def telling_reader(say: Said) -> tuple[BundledReader, TellingSession]:
    """Return a reader whose model says what a function of the pieces says, and what keeps what the model is given."""
    session = TellingSession(say)
    return BundledReader(session, small_tokenizer(), lengths=LENGTHS, name="telling"), session
