"""Models small enough to be made by a test: a BERT of one layer with random weights, saved as the hub has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_PIECES = [
    *"abcdefghijklmnopqrstuvwxyz0123456789.,:?'-",
    *(f"##{each}" for each in "abcdefghijklmnopqrstuvwxyz0123456789"),
]
_WIDTH, _INNER, _LENGTH = 16, 32, 64


def save_bert(folder: Path, *, n_labels: int | None = None, seed: int = 0) -> Path:
    """Write a BERT in the layout of transformers, and return its folder.

    Args:
        folder: made if missing.
        n_labels: scores of its head; None for a model without one.
        seed: of the weights.
    """
    folder.mkdir(parents=True)
    _save_tokenizer(folder)
    config = {
        "architectures": ["BertForSequenceClassification" if n_labels else "BertModel"],
        "model_type": "bert",
        "vocab_size": len(_SPECIAL) + len(_PIECES),
        "hidden_size": _WIDTH,
        "intermediate_size": _INNER,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": _LENGTH,
        "type_vocab_size": 2,
        "id2label": {str(number): f"LABEL_{number}" for number in range(n_labels or 2)},
        "label2id": {f"LABEL_{number}": number for number in range(n_labels or 2)},
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    weights = _weights(np.random.default_rng(seed))
    if n_labels:
        weights = {f"bert.{name}": array for name, array in weights.items()}
        weights["classifier.weight"] = np.random.default_rng(seed + 1).normal(size=(n_labels, _WIDTH))
        weights["classifier.bias"] = np.zeros(n_labels)
    save_file(
        {name: array.astype(np.float32) for name, array in weights.items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    return folder


def save_cross_encoder(folder: Path, *, seed: int = 0) -> Path:
    """Write a cross-encoder as sentence-transformers saves it."""
    from sentence_transformers import CrossEncoder

    return _saved(CrossEncoder(str(save_bert(folder / "bert", n_labels=1, seed=seed))), folder / "model")


def save_late_interaction(folder: Path, *, seed: int = 0) -> Path:
    """Write a late-interaction model as sentence-transformers saves it."""
    import torch
    from sentence_transformers import MultiVectorEncoder

    torch.manual_seed(seed)  # of the projection, which sentence-transformers makes up
    return _saved(MultiVectorEncoder(str(save_bert(folder / "bert", seed=seed))), folder / "model")


def save_embedder(folder: Path, *, prompts: dict[str, str] | None = None, seed: int = 0) -> Path:
    """Write an embedding model with prompts as sentence-transformers saves it; its vectors are not of unit length."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(save_bert(folder / "bert", seed=seed)), prompts=prompts)
    return _saved(model, folder / "model")


def _saved(model: Any, folder: Path) -> Path:
    model.save_pretrained(str(folder), create_model_card=False)
    return folder


def _save_tokenizer(folder: Path) -> None:
    vocabulary = {piece: number for number, piece in enumerate([*_SPECIAL, *_PIECES])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": _LENGTH}
    settings |= dict(zip(names, _SPECIAL, strict=True))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")


def _weights(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the weights of a BERT of one layer, by the names of transformers, large enough that texts differ."""
    layer, shapes = (
        "encoder.layer.0.",
        {
            "embeddings.word_embeddings": (len(_SPECIAL) + len(_PIECES), _WIDTH),
            "embeddings.position_embeddings": (_LENGTH, _WIDTH),
            "embeddings.token_type_embeddings": (2, _WIDTH),
        },
    )
    weights = {f"{name}.weight": rng.normal(size=shape) for name, shape in shapes.items()}
    for name, shape in {
        f"{layer}attention.self.query": (_WIDTH, _WIDTH),
        f"{layer}attention.self.key": (_WIDTH, _WIDTH),
        f"{layer}attention.self.value": (_WIDTH, _WIDTH),
        f"{layer}attention.output.dense": (_WIDTH, _WIDTH),
        f"{layer}intermediate.dense": (_INNER, _WIDTH),
        f"{layer}output.dense": (_WIDTH, _INNER),
        "pooler.dense": (_WIDTH, _WIDTH),
    }.items():
        weights |= {f"{name}.weight": rng.normal(size=shape) / 4.0, f"{name}.bias": rng.normal(size=shape[0]) / 4.0}
    for name in ("embeddings.LayerNorm", f"{layer}attention.output.LayerNorm", f"{layer}output.LayerNorm"):
        weights |= {f"{name}.weight": np.ones(_WIDTH), f"{name}.bias": np.zeros(_WIDTH)}
    return weights
