"""python -m training.pack_reader: makes all that the reader is trained from, in a few files that travel well.

Word pieces of the news and of the paragraphs of Wikipedia, questions with their near misses, cloze questions made from
the news, the vocabulary, and the first weights: what `training.train_reader` needs on a machine without the data.
"""

from __future__ import annotations

import argparse
import gzip
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tqdm import tqdm

from index.embed import StaticEmbedder
from index.types import Span
from training.altered_questions import altered_groups
from training.base_model import BaseModel, french_tokenizer
from training.cloze import cloze_questions
from training.corpora import read_articles
from training.reader_batches import Groups, Ints
from training.reader_data import PiecesWriter, fold_text, make_groups
from training.reader_questions import SETS, ReaderQuestion, read_reader_questions, wiki_documents

PIECES = "pieces.safetensors"
"""File of a pack that is written last."""

_SEED = 23
_PIECES = 24_000
_N_NEAR = 14
_N_NEAR_CLOZE = 4
_SIMILAR = 6
_DEV_FOUND = 24
_ALTERED = 0.5
ALTERED_SOURCE = 10
"""Added to the number of the set that an altered question is from."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=Path, default=Path("training/runs/reader"))
    parser.add_argument("--articles", type=int, default=None, help="take so few, for a trial")
    options = parser.parse_args(arguments)
    out = options.runs / "pack"
    out.mkdir(parents=True, exist_ok=True)
    base = BaseModel.bundled()
    closed = frozenset((options.data / "news/eval-ids.txt").read_text(encoding="utf-8").split())
    articles = list(read_articles(options.data))[: options.articles]
    open_articles = [article for article in articles if article["id"] not in closed]
    documents, _ = wiki_documents(options.data, ("train",))
    if not (out / "tokenizer.json").exists():
        texts = _vocabulary_texts(open_articles, documents, options.data)
        french_tokenizer(base, texts, n_pieces=_PIECES).save(str(out / "tokenizer.json"))
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    _write_first(base, tokenizer, out / "first.safetensors")
    draw = random.Random(_SEED)
    writer = PiecesWriter(tokenizer)
    writer.add_documents(open_articles)
    writer.add_documents(documents)
    sets = {name: list(read_reader_questions(options.runs / f"{name}.jsonl")) for name in SETS}
    trained = [_train_groups(writer, sets[name], draw, closed, source) for source, name in enumerate(SETS[:2])]
    trained += [_altered_groups(writer, sets[name], draw, closed, source) for source, name in enumerate(SETS[:2])]
    save_file(_joined(trained).arrays(), out / "questions.safetensors")
    save_file(_cloze_groups(writer, open_articles, draw).arrays(), out / "cloze.safetensors")
    _add_dev_documents(writer, sets, articles, options.data)
    for name in SETS[2:]:
        save_file(_dev_groups(writer, sets[name]).arrays(), out / f"{name}.safetensors")
    pieces = writer.pieces()
    save_file(pieces.arrays(), out / "pieces.new")
    (out / "pieces.new").replace(out / PIECES)  # the last file, which tells that the others stand
    print(f"{len(pieces.flat):,} word pieces, {len(pieces.sentences):,} sentences, {len(pieces.titles):,} documents")


def _vocabulary_texts(
    articles: Iterable[Mapping[str, str]], documents: Iterable[Mapping[str, str]], data: Path
) -> Iterator[str]:
    for article in articles:
        yield f"{article['title']} {article['heading']} {article['text']}"
    for document in documents:
        yield f"{document['title']} {document['text']}"
    for name in ("commonvoice-fr", "eltec-fra"):
        with gzip.open(data / f"text/{name}.txt.gz", "rt", encoding="utf-8") as lines:
            yield from lines


def _write_first(base: BaseModel, tokenizer: Tokenizer, path: Path) -> None:
    save_file({name: np.ascontiguousarray(value) for name, value in base.weights_for(tokenizer).items()}, path)


def _train_groups(
    writer: PiecesWriter, questions: Sequence[ReaderQuestion], draw: random.Random, closed: frozenset[str], source: int
) -> Groups:
    return make_groups(writer, questions, draw, closed=closed, n_near=_N_NEAR, source=source)


def _altered_groups(
    writer: PiecesWriter, questions: Sequence[ReaderQuestion], draw: random.Random, closed: frozenset[str], source: int
) -> Groups:
    """Alter so large a share of the questions as keeps most of those that are asked answerable."""
    some = [question for question in questions if draw.random() < _ALTERED]
    number = ALTERED_SOURCE + source
    return altered_groups(writer, some, draw, closed=closed, n_near=_N_NEAR, source=number)


def _cloze_groups(writer: PiecesWriter, articles: Sequence[Mapping[str, str]], draw: random.Random) -> Groups:
    """Ask cloze questions of each article; what does not answer is taken from it and from those like it."""
    similar = _similar(articles)
    asked, gold, answers, near = [], [], [], []
    for place, article in enumerate(tqdm(articles, desc="cloze", mininterval=20)):
        name, text = article["id"], article["text"]
        spans, first = writer.spans(name), writer.first_sentence(name)
        for cloze in cloze_questions(article["title"], article["heading"], text, spans, draw):
            found = writer.answer_pieces(name, cloze.answer)
            if found is None:
                continue
            words = fold_text(text[cloze.answer.start : cloze.answer.end])
            own = [n for n, span in enumerate(spans) if words not in fold_text(text[span.start : span.end])]
            far = [first + n for n in own if abs(n - cloze.sentence) > 1 and n != cloze.source]
            misses = draw.sample(far, min(_N_NEAR_CLOZE // 2, len(far)))
            for other in draw.sample(similar[place].tolist(), _SIMILAR):
                if len(misses) < _N_NEAR_CLOZE and words not in fold_text(articles[other]["text"]):
                    strange = articles[other]["id"]
                    misses.append(writer.first_sentence(strange) + draw.randrange(len(writer.spans(strange))))
            asked.append(writer.add_questions([cloze.question]))
            gold.append(found[0])
            answers.append(found[1])
            near.append((misses + [-1] * _N_NEAR_CLOZE)[:_N_NEAR_CLOZE])
    n = len(gold)
    return Groups(*_arrays(asked, gold, answers, near), np.zeros(n, np.int64), np.full(n, len(SETS)))


def _arrays(
    asked: Sequence[Any], gold: Sequence[Any], answers: Sequence[Any], near: Sequence[Any]
) -> tuple[Ints, Ints, Ints, Ints]:
    whole = [np.array(values, dtype=np.int64) for values in (asked, gold, answers, near)]
    return whole[0], whole[1], whole[2], whole[3]


def _similar(articles: Sequence[Mapping[str, str]]) -> Ints:
    """Return the numbers of the articles whose title and lead are most like each one's, shape ``(n, 6)``."""
    headings = [f"{article['title']} {article['heading']}" for article in articles]
    vectors = StaticEmbedder.bundled().embed_passages(headings)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    found: Ints = index.search(vectors, _SIMILAR + 1)[1][:, 1:]
    return found


def _add_dev_documents(
    writer: PiecesWriter,
    sets: Mapping[str, Sequence[ReaderQuestion]],
    articles: Sequence[Mapping[str, Any]],
    data: Path,
) -> None:
    wanted = {name for key in SETS[2:4] for q in sets[key] for name in (q.article, *(each[0] for each in q.found))}
    writer.add_documents(article for article in articles if article["id"] in wanted and not writer.holds(article["id"]))
    documents, _ = wiki_documents(data, ("train", "dev"))
    writer.add_documents(document for document in documents if not writer.holds(document["id"]))


def _dev_groups(writer: PiecesWriter, questions: Sequence[ReaderQuestion]) -> Groups:
    """Return groups whose `near` is what search found, best first, what answers included."""
    asked, gold, answers, near = [], [], [], []
    for question in questions:
        found = None
        if question.answer is not None and writer.holds(question.article):
            found = writer.answer_pieces(question.article, Span(*question.answer))
        places = [writer.sentence_at(name, start) for name, start, _, _ in question.found[:_DEV_FOUND]]
        held = [place for place in places if place is not None]
        asked.append(writer.add_questions([question.question]))
        gold.append(found[0] if found else -1)
        answers.append(found[1] if found else (-1, -1))
        near.append((held + [-1] * _DEV_FOUND)[:_DEV_FOUND])
    n = len(gold)
    return Groups(*_arrays(asked, gold, answers, near), np.zeros(n, np.int64), np.zeros(n, np.int64))


def _joined(parts: Sequence[Groups]) -> Groups:
    arrays = [part.arrays() for part in parts if len(part)]
    return Groups(**{name: np.concatenate([each[name] for each in arrays]) for name in arrays[0]})


if __name__ == "__main__":
    main()
