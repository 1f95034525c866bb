"""LlamaIndex: its BM25 retriever, or a vector index; cited as its `CitationQueryEngine` cuts what was retrieved.

Nodes of 1,024 tokens (its default splitter); the engine shows its sources cut into 512 tokens with 20 in common. The
first of these is taken as the citation: which of them a language model would cite cannot be known without one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.peers.adapters.models import model_path
from benchmarks.peers.protocol import Record, Reply, Unsupported, serve

_K = 20


class LlamaIndex:
    """What both have in common: nodes, and how they are cited."""

    def __init__(self) -> None:
        from llama_index.core.node_parser import SentenceSplitter  # noqa: PLC0415 - counted in the cold start

        self._nodes_of = SentenceSplitter()
        self._sources_of = SentenceSplitter(chunk_size=512, chunk_overlap=20)

    def reply(self, question: str, found: Any) -> Reply:
        """As `Peer`: places count in title and text."""
        hits = [_place(each.node.metadata, each.node.start_char_idx, len(each.node.text)) for each in found]
        if not found:
            return Reply([], [])
        first = found[0].node
        shown = self._sources_of.split_text(first.text)[0]
        return Reply(hits, [_place(first.metadata, first.start_char_idx, len(shown))])

    def _split(self, records: Sequence[Record]) -> list[Any]:
        return list(self._nodes_of.get_nodes_from_documents(list(map(_document, records))))


class Bm25(LlamaIndex):
    """`BM25Retriever` for French; it cannot be changed."""

    def about(self) -> dict[str, str]:
        """As `Peer`."""
        name = "llama-index-retrievers-bm25"
        return {
            "version": f"{name} {version(name)}",
            "settings": 'language "fr", Snowball stemmer, nodes of 1,024 tokens',
        }

    def build(self, records: Sequence[Record], store: Path) -> None:
        """As `Peer`."""
        import Stemmer  # noqa: PLC0415 - only this peer needs it
        from llama_index.retrievers.bm25 import BM25Retriever  # noqa: PLC0415 - counted in the build

        self._retriever = BM25Retriever.from_defaults(
            nodes=self._split(records), similarity_top_k=_K, stemmer=Stemmer.Stemmer("french"), language="fr"
        )
        self._retriever.persist(str(store / "bm25"))

    def open(self, store: Path) -> None:
        """As `Peer`."""
        from llama_index.retrievers.bm25 import BM25Retriever  # noqa: PLC0415 - counted in the cold start

        self._retriever = BM25Retriever.from_persist_dir(str(store / "bm25"))

    def answer(self, question: str) -> Any:
        """As `Peer`."""
        return self._retriever.retrieve(question)

    def add(self, record: Record) -> None:
        """As `Peer`."""
        raise Unsupported("only by building anew")

    def delete(self, name: str) -> None:
        """As `Peer`."""
        raise Unsupported("only by building anew")

    def save(self, store: Path) -> None:
        """As `Peer`."""
        raise Unsupported("only by building anew")

    def names(self) -> set[str]:
        """As `Peer`."""
        raise Unsupported("it does not tell what it holds")


class Vectors(LlamaIndex):
    """`VectorStoreIndex` with its own store."""

    def __init__(self, model: str) -> None:
        super().__init__()
        from llama_index.core import Settings  # noqa: PLC0415 - counted in the cold start

        self._model = model
        Settings.embed_model = _static_model() if model == "ours" else _hub_model()

    def about(self) -> dict[str, str]:
        """As `Peer`."""
        name = "llama-index-core"
        settings = f"VectorStoreIndex, nodes of 1,024 tokens, {self._model}"
        return {"version": f"{name} {version(name)}", "settings": settings}

    def build(self, records: Sequence[Record], store: Path) -> None:
        """As `Peer`."""
        from llama_index.core import VectorStoreIndex  # noqa: PLC0415 - counted in the build

        self._use(VectorStoreIndex.from_documents(list(map(_document, records))))
        self.save(store)

    def open(self, store: Path) -> None:
        """As `Peer`."""
        from llama_index.core import StorageContext, load_index_from_storage  # noqa: PLC0415 - in the cold start

        self._use(load_index_from_storage(StorageContext.from_defaults(persist_dir=str(store / "index"))))

    def answer(self, question: str) -> Any:
        """As `Peer`."""
        return self._retriever.retrieve(question)

    def add(self, record: Record) -> None:
        """As `Peer`."""
        self._index.insert(_document(record))

    def delete(self, name: str) -> None:
        """As `Peer`."""
        self._index.delete_ref_doc(name, delete_from_docstore=True)

    def save(self, store: Path) -> None:
        """As `Peer`."""
        self._index.storage_context.persist(str(store / "index"))

    def names(self) -> set[str]:
        """As `Peer`."""
        return set(self._index.ref_doc_info)

    def _use(self, index: Any) -> None:
        self._index, self._retriever = index, index.as_retriever(similarity_top_k=_K)


def _hub_model() -> Any:
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding  # noqa: PLC0415 - counted in the cold start

    return HuggingFaceEmbedding(model_name=model_path("minilm"))


def _static_model() -> Any:
    """Return our model as its "custom embeddings" are made: `HuggingFaceEmbedding` refuses one without a length."""
    from llama_index.core.embeddings import BaseEmbedding  # noqa: PLC0415 - counted in the cold start
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - likewise

    model = SentenceTransformer(model_path("ours"))

    class Static(BaseEmbedding):  # type: ignore[misc]  # typed in the peer's environment only
        def _get_query_embedding(self, query: str) -> list[float]:
            return self._get_text_embeddings([query])[0]

        def _get_text_embedding(self, text: str) -> list[float]:
            return self._get_text_embeddings([text])[0]

        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            vectors: list[list[float]] = model.encode(texts, normalize_embeddings=True).tolist()
            return vectors

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    return Static(embed_batch_size=256)


def _document(record: Record) -> Any:
    from llama_index.core import Document  # noqa: PLC0415 - each peer loads only what it needs

    hidden = ["record", "shift"]  # of no use to an embedding
    return Document(
        text=record.full_text,
        doc_id=record.id,
        metadata={"record": record.id, "shift": record.shift},
        excluded_embed_metadata_keys=hidden,
        excluded_llm_metadata_keys=hidden,
    )


def _place(metadata: dict[str, Any], start: int | None, length: int) -> tuple[str, int, int]:
    begin = (start or 0) - metadata["shift"]
    return metadata["record"], max(0, begin), max(0, begin + length)


if __name__ == "__main__":
    serve(Bm25() if sys.argv[1] == "bm25" else Vectors(sys.argv[1]))
