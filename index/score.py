"""Questions and texts to scores: cross-encoders and late-interaction models of sentence-transformers, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from index.embed import TRANSFORMER_BATCH, check_unicode, finite_rows, load_model, resolve_model, stated_failures
from index.errors import ModelError
from index.model_files import ModelKind

__all__ = ["PairScorer", "SentenceTransformerScorer"]

_ROLE = "reranker"


class PairScorer(Protocol):
    """Says how well each of some texts answers a question."""

    @property
    def name(self) -> str:
        """The model as shown to the user: a folder or a hub name."""
        ...

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one score a text, shape ``(len(texts),)``, finite; higher is better, the range is the model's own.

        Raises:
            InputError: if a text is not valid Unicode.
            ModelError: if the model fails.
        """
        ...


class SentenceTransformerScorer:
    """A cross-encoder, which reads question and text as one, or a late-interaction model, which compares their tokens.

    Texts longer than the model reads are cut where the model says, and the prompts that it declares are used.
    """

    def __init__(self, score: Callable[[str, list[str]], Any], *, name: str) -> None:
        self._score = score
        self._name = name

    @classmethod
    def open(cls, name: str) -> SentenceTransformerScorer:
        """Open a model by folder or by hub name; only a hub name that is not yet on this machine is downloaded.

        Args:
            name: a folder, ``organisation/model``, or ``model`` of the organisation cross-encoder.

        Raises:
            ModelError: if there is no such model, the hub is out of reach, it is of another kind, or cannot be loaded.
        """
        place = resolve_model(name, _ROLE, organisation="cross-encoder")
        kind = place.kind
        if kind is ModelKind.LATE_INTERACTION:
            return cls(_late_interaction(load_model("MultiVectorEncoder", place)), name=place.name)
        if kind is ModelKind.EMBEDDING:
            raise ModelError(
                f"{place}: found {kind.value}, expected a cross-encoder or a late-interaction model; "
                "give it to `python -m index embed --embedder`"
            )
        model = load_model("CrossEncoder", place)
        if model.num_labels != 1:
            raise ModelError(f"{place}: found {model.num_labels} scores a text, expected 1; name another model")
        return cls(_cross_encoder(model), name=place.name)

    @property
    def name(self) -> str:
        """The hub name of the model, or its folder as an absolute path."""
        return self._name

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one score a text, shape ``(len(texts),)``; see `PairScorer.scores`."""
        if not texts:
            return np.zeros(0, dtype=np.float32)
        check_unicode([question, *texts])
        with stated_failures(f"{_ROLE} {self._name}"):
            return finite_rows(self._score(question, list(texts))).reshape(len(texts))


def _cross_encoder(model: Any) -> Callable[[str, list[str]], Any]:
    def score(question: str, texts: list[str]) -> Any:
        pairs = [(question, text) for text in texts]
        return model.predict(pairs, batch_size=TRANSFORMER_BATCH, show_progress_bar=False)

    return score


def _late_interaction(model: Any) -> Callable[[str, list[str]], Any]:
    def score(question: str, texts: list[str]) -> Any:
        asked = model.encode_query([question], show_progress_bar=False)
        read = model.encode_document(texts, batch_size=TRANSFORMER_BATCH, show_progress_bar=False)
        return model.similarity(asked, read)[0].cpu().numpy()

    return score
