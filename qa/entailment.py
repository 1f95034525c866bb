"""Statements checked by an entailment model (NLI) that the user names, after the strict checks of `qa.verify`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from index.embed import check_unicode, finite_rows, load_model, resolve_model, stated_failures
from index.errors import ModelError
from index.types import Sentence
from qa.verify import Verdict, find_error

__all__ = ["EntailmentVerifier", "open_verifier"]

_ROLE = "entailment model"
_LIKELY = 0.5

Scores = Callable[[str, str], tuple[float, float]]


class EntailmentVerifier:
    """Judges as `verify_statement`, with a model in the place of the share of content words.

    A paraphrase in other words is supported, and a contradiction that no rule knows is seen. What the strict checks
    find stands: such models overlook numbers and names.

    Args:
        scores: (premise, statement) to the probabilities that it entails and that it contradicts it, each in [0, 1].
    """

    def __init__(self, scores: Scores) -> None:
        self._scores = scores

    def __call__(self, statement: str, sentences: Sequence[Sentence | str]) -> Verdict:
        """Judge one statement without its markers; see `verify_statement`."""
        if not sentences:
            return Verdict("unsupported", "aucune source n’est citée")
        error = find_error(statement, sentences)
        if error is not None:
            return Verdict("unsupported", error)
        premise = " ".join(each if isinstance(each, str) else each.text for each in sentences)
        entails, contradicts = self._scores(premise, statement)
        if entails >= _LIKELY:
            return Verdict("supported")
        if contradicts >= _LIKELY:
            return Verdict("unsupported", f"la source dit le contraire, selon le modèle ({100 * contradicts:.0f} %)")
        return Verdict("partly", f"la source ne suffit pas, selon le modèle ({100 * entails:.0f} %)")


def open_verifier(name: str) -> EntailmentVerifier:
    """Open an entailment model; importing sentence-transformers takes seconds.

    Args:
        name: folder or hub name of a CrossEncoder whose labels name entailment and contradiction.

    Raises:
        ModelError: if there is no such model, it cannot be loaded, or its labels are others.
    """
    place = resolve_model(name, _ROLE, organisation="cross-encoder")
    model = load_model("CrossEncoder", place)
    labels = [str(label).casefold() for _, label in sorted(model.config.id2label.items())]
    if {"entailment", "contradiction"} - set(labels):
        found = ", ".join(labels)
        raise ModelError(
            f"{place}: found the labels {found}, expected entailment and contradiction; name another model"
        )
    entails, contradicts = labels.index("entailment"), labels.index("contradiction")

    def scores(premise: str, statement: str) -> tuple[float, float]:
        check_unicode([premise, statement])
        with stated_failures(f"{_ROLE} {place.name}"):
            found = model.predict([(premise, statement)], apply_softmax=True, show_progress_bar=False)
            shares = finite_rows(found).reshape(len(labels))
        return float(shares[entails]), float(shares[contradicts])

    return EntailmentVerifier(scores)
