"""Trains the bundled static embedding model from the shared data, in minutes on two cores.

python -m training.train_embedding --data ../shared/data --out index/models/sourcier-static-fr
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, disable_progress_bars
from model2vec.persistence import save_pretrained
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from index.split import split_passages, split_sentences
from training.corpora import half_of, read_lines, read_open_articles

_SEED = 20221019
_UNKNOWN = "[UNK]"
_DIMENSION = 256
# Vectors and tokenizer of 16,000 pieces fill 15.9 MiB.
_PIECES = 16_000
# A batch is also the number of negatives of each pair: large batches, as in the static-retrieval-mrl recipe of
# sentence-transformers. Its rate of 0.2 starts from random vectors and would wash out those of `first_vectors`.
_BATCH = 2048
_LEARNING_RATE = 0.06
_SENTENCES_A_PASSAGE = 2
# Questions are a twentieth of the pairs, and the only ones worded as users ask.
_QUESTION_REPEATS = 4
_PASSAGES_COUNTED = 100_000

Pair = tuple[str, str]


def article_pairs(article: dict[str, Any], draw: random.Random, *, n_sentences: int) -> Iterator[Pair]:
    """Yield what belongs together in one article: title, lead or sentence, and a passage without it.

    Args:
        article: with ``title``, ``heading`` (the lead, empty in one of eight) and ``text``.
        draw: source of chance.
        n_sentences: sentences drawn from each passage.
    """
    text, title, lead = article["text"], article["title"], article["heading"]
    sentences = split_sentences(text)
    for number, (first, end) in enumerate(split_passages(text, sentences)):
        spans = sentences[first:end]
        passage = text[spans[0].start : spans[-1].end]
        if number == 0 or draw.random() < 0.5:
            yield title, passage
            if lead:
                yield lead, passage
        for out in draw.sample(range(len(spans)), min(n_sentences, len(spans) - 1)):
            rest = " ".join(text[span.start : span.end] for place, span in enumerate(spans) if place != out)
            # Passages are indexed with the title of their document in front: half of the pairs look so.
            yield text[spans[out].start : spans[out].end], f"{title}. {rest}" if draw.random() < 0.5 else rest
    if lead:
        yield title, lead


def question_pairs(data: Path, articles: Iterable[dict[str, Any]], *, halves: frozenset[int]) -> Iterator[Pair]:
    """Yield the training questions of some `half_of` the articles, each with the passage that answers it."""
    by_id = {article["id"]: article for article in articles}
    for asked in read_lines(data / "news/questions-train.jsonl"):
        article = by_id.get(asked["article_id"])
        if article is not None and asked["answer"] is not None and half_of(article["id"]) in halves:
            passage = _passage_around(article["text"], asked["answer_start"])
            yield asked["question"], f"{article['title']}. {passage}"
    for article in json.loads((data / "piaf" / "train.json").read_text(encoding="utf-8"))["data"]:
        if half_of(article["title"]) in halves:
            for paragraph in article["paragraphs"]:
                for asked in paragraph["qas"]:
                    yield asked["question"], paragraph["context"]
    with next((data / "afriqa-fr").glob("*.train.json")).open(encoding="utf-8") as lines:
        for asked in map(json.loads, lines):
            if asked["context"] is not None:
                yield asked["question_translated"], asked["context"]


def _passage_around(text: str, position: int) -> str:
    sentences = split_sentences(text)
    for first, end in split_passages(text, sentences):
        if sentences[first].start <= position < sentences[end - 1].end:
            return text[sentences[first].start : sentences[end - 1].end]
    raise ValueError(f"no passage holds character {position} of a text of {len(text)}")


def bare_letters() -> list[normalizers.Normalizer]:
    """Return the steps that make letters lower-cased, without accents and ligatures."""
    return [
        normalizers.NFKD(),
        normalizers.StripAccents(),
        normalizers.Lowercase(),
        normalizers.Replace("œ", "oe"),
        normalizers.Replace("æ", "ae"),
    ]


def train_tokenizer(texts: Iterable[str], *, n_pieces: int) -> Tokenizer:
    """Learn word pieces from texts, lower-cased, without accents; what is neither letter nor digit separates words."""
    tokenizer = Tokenizer(models.WordPiece(unk_token=_UNKNOWN, max_input_chars_per_word=64))
    tokenizer.normalizer = normalizers.Sequence(bare_letters())
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[^\p{L}\p{N}]+"), behavior="removed")
    trainer = trainers.WordPieceTrainer(
        vocab_size=n_pieces, min_frequency=5, limit_alphabet=200, special_tokens=[_UNKNOWN], show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def first_vectors(tokenizer: Tokenizer, passages: Sequence[str]) -> NDArray[np.float32]:
    """Return random directions of length IDF: before any training, cosines are those of projected TF-IDF vectors.

    A random projection keeps inner products (Johnson and Lindenstrauss, 1984). IDF is ``log(n / (1 + df))``, at least
    0.1 so that no piece is lost.
    """
    frequencies = np.zeros(tokenizer.get_vocab_size())
    for encoding in tokenizer.encode_batch_fast(list(passages), add_special_tokens=False):
        frequencies[np.unique(encoding.ids)] += 1
    idf = np.maximum(np.log(len(passages) / (1 + frequencies)), 0.1)
    directions = np.random.default_rng(_SEED).standard_normal((len(idf), _DIMENSION)) / np.sqrt(_DIMENSION)
    vectors: NDArray[np.float32] = (directions * idf[:, None]).astype(np.float32)
    return vectors


def train(tokenizer: Tokenizer, vectors: NDArray[np.float32], pairs: Sequence[Pair]) -> NDArray[np.float32]:
    """Pull the sides of each pair together, and away from the rest of the batch; return the vectors of the pieces."""
    disable_progress_bars()
    embedding = StaticEmbedding(tokenizer, embedding_weights=vectors)
    model = SentenceTransformer(modules=[embedding], device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=folder,
            num_train_epochs=1,
            per_device_train_batch_size=_BATCH,
            learning_rate=_LEARNING_RATE,
            warmup_steps=0.1,  # a share of the steps
            dataloader_drop_last=True,
            logging_steps=20,
            save_strategy="no",
            report_to="none",
            seed=_SEED,
            use_cpu=True,
        )
        questions, passages = zip(*pairs, strict=True)
        SentenceTransformerTrainer(
            model=model,
            args=arguments,
            train_dataset=Dataset.from_dict({"anchor": questions, "positive": passages}),
            loss=MultipleNegativesRankingLoss(model),
        ).train()
    trained: NDArray[np.float32] = embedding.embedding.weight.detach().numpy()
    return trained


def save(folder: Path, tokenizer: Tokenizer, vectors: NDArray[np.float32]) -> None:
    """Write the model in the layout of model2vec, which sentence-transformers reads too.

    In single precision: both libraries compute in the precision of the file, and half of it costs three digits and
    makes sentence-transformers divide zero by zero on a text without a known piece. The unknown piece gets a vector of
    zeros: model2vec skips it, sentence-transformers does not.
    """
    vectors = vectors.copy()
    vectors[tokenizer.token_to_id(_UNKNOWN)] = 0
    config: Any = {"model_type": "model2vec", "normalize": True, "max_length": None}
    save_pretrained(folder, vectors, tokenizer, config, create_model_card=False)


def train_model(data: Path, out: Path, *, halves: frozenset[int]) -> None:
    """Train on the news and on the questions of some halves of the articles, and write the model."""
    draw = random.Random(_SEED)
    articles = list(read_open_articles(data))
    pairs = [pair for article in articles for pair in article_pairs(article, draw, n_sentences=_SENTENCES_A_PASSAGE)]
    pairs += list(question_pairs(data, articles, halves=halves)) * _QUESTION_REPEATS
    draw.shuffle(pairs)
    texts = [f"{article['title']} {article['heading']} {article['text']}" for article in articles]
    tokenizer = train_tokenizer(texts, n_pieces=_PIECES)
    print(f"{len(pairs):,} pairs, {tokenizer.get_vocab_size():,} word pieces", flush=True)
    vectors = first_vectors(tokenizer, [passage for _, passage in pairs[:_PASSAGES_COUNTED]])
    save(out, tokenizer, train(tokenizer, vectors, pairs))


def main() -> None:
    """Train on all questions and write the model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder of the shared data")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model")
    options = parser.parse_args()
    train_model(options.data, options.out, halves=frozenset({0, 1}))


if __name__ == "__main__":
    main()
