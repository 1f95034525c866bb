"""The only door to LangChain's chat models: answers written by one, each statement checked against its sources."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.exceptions import ContextOverflowError
from langchain_core.language_models import BaseChatModel

from index.errors import InputError, ModelError
from qa.chat_failures import ChatModelError, failure_of
from qa.draft import checked_draft, read_statements, shown_so_far
from qa.generate import Draft, ExtractiveGenerator
from qa.markers import MarkerParser, Markers, Piece, joined
from qa.prompt import NO_ANSWER, answer_messages, is_instruction, rewrite_messages
from qa.streaming import stream_pieces
from qa.types import Citation, Evidence, Question
from qa.verify import Verifier, verify_statement

__all__ = ["ChatModelGenerator", "open_chat_model"]

logger = logging.getLogger(__name__)

_TIMEOUT_S = 60.0
_ATTEMPTS = 3
_FIRST_PAUSE_S = 1.0
_FEWEST = 3
"""Evidence sentences below which a context is no longer cut."""

_LONGEST_QUESTION = 400
_TERMINATORS = (".", "!", "?", "…", "»", '"', "”", "]", "】", "］", ":", "`", ")")


@dataclass(slots=True)
class _Reply:
    """What came of a reply so far."""

    pieces: list[Piece]
    ended: str | None = None
    """Why the server ended it, as it says: ``stop``, ``length`` …; None where it does not say."""


class ChatModelGenerator:
    """Writes answers with a chat model of LangChain, and checks each statement of them.

    Where the model fails, the extractive answer takes its place and the draft's ``notice`` says why.

    Args:
        model: any chat model.
        name: what the user is told; None takes the model's own name.
        n_evidence: sentences shown to the model, at least 1.
        drop_unsupported: leave out the statements that nothing supports; by default they are shown and marked.
        verifier: says whether sentences support a statement; `qa.entailment.open_verifier` gives one with a model.
        pause: waits some seconds between attempts.
    """

    def __init__(
        self,
        model: BaseChatModel,
        *,
        name: str | None = None,
        n_evidence: int = 12,
        drop_unsupported: bool = False,
        verifier: Verifier = verify_statement,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        if n_evidence < 1:
            raise InputError(f"n_evidence {n_evidence}: expected 1 or more")
        self._model = model
        self.name = name or f"modèle de langage {_name_of(model)}"
        self.n_evidence = n_evidence
        self._drop_unsupported = drop_unsupported
        self._verifier = verifier
        self._pause = pause

    def generate(self, question: Question, evidence: Sequence[Evidence], citations: Sequence[Citation]) -> Draft:
        """Return the last draft of `stream`; the citations are those of the draft."""
        *_, last = self.stream(question, evidence, citations)
        return last

    def stream(
        self, question: Question, evidence: Sequence[Evidence], citations: Sequence[Citation]
    ) -> Iterator[Draft]:
        """Yield the draft as it is written, then the checked one. Closing the iterator ends the request.

        Args:
            question: as it was understood.
            evidence: at least one piece, best first; as many as ``n_evidence`` are shown to the model.
            citations: those of the extractive answer, which takes the place of one that the model could not write.
        """
        shown = [piece for piece in evidence if not is_instruction(piece.sentence.text)][: self.n_evidence]
        try:
            if not shown:
                raise ChatModelError(
                    "les phrases trouvées lui sont adressées comme des consignes et ne lui sont pas montrées"
                )
            yield from self._written(question, shown)
        except ChatModelError as failure:
            logger.warning("%s: %s; the extractive answer is given", self.name, failure.detail or failure)
            notice = f"Réponse extractive, car {self.name} n’a pas pu répondre : {failure}."
            extractive = ExtractiveGenerator()
            draft = extractive.generate(question, evidence[: len(citations)], citations)
            yield replace(draft, notice=notice, written_by=extractive.name)

    def rewrite(self, question: str, before: Sequence[str]) -> Iterator[str | None]:
        """Yield None while the model is silent, last a follow-up as a question that stands by itself.

        That is None too where the model fails or says too much. Closing the iterator ends the request.

        Args:
            question: as typed.
            before: the questions before it as they were understood, oldest first, at least one.
        """
        reply = ""
        try:
            with closing(self._chunks(rewrite_messages(question, before))) as chunks:
                for text, _ in chunks:
                    reply += text
                    yield None
        except (ChatModelError, _TooLongError) as failure:
            detail = getattr(failure, "detail", None) or failure
            logger.warning("%s: the question is understood without it: %s", self.name, detail)
            yield None
            return
        lines = [line.strip() for line in reply.splitlines() if line.strip()]
        fits = len(lines) == 1 and len(lines[0]) <= _LONGEST_QUESTION and "<" not in lines[0]
        yield lines[0].strip('«»"“” ').removeprefix("Question :").strip() or None if fits else None

    def _written(self, question: Question, evidence: Sequence[Evidence]) -> Iterator[Draft]:
        """Yield drafts from as much of the evidence as fits the model's context."""
        shown = list(evidence)
        while True:
            try:
                reply = _Reply([])
                for _ in self._pieces(answer_messages(question, shown), reply):
                    yield shown_so_far(reply.pieces, shown)
                break
            except _TooLongError as error:
                if len(shown) <= _FEWEST:
                    raise ChatModelError(
                        "la question et trois phrases dépassent déjà son contexte", str(error)
                    ) from error
                shown = shown[: max(_FEWEST, len(shown) // 2)]
        yield self._checked(reply, shown, len(evidence))

    def _checked(self, reply: _Reply, shown: Sequence[Evidence], n_found: int) -> Draft:
        written = read_statements(reply.pieces)
        text = "".join(piece for piece in reply.pieces if isinstance(piece, str)).strip()
        notices = []
        if len(shown) < n_found:
            notices.append(f"Contexte trop court : le modèle a lu {len(shown)} phrases sur {n_found}.")
        if not any(character.isalnum() for character in text):
            raise ChatModelError("sa réponse est vide")
        if NO_ANSWER.casefold() in text.casefold():
            raise ChatModelError("il juge que les phrases trouvées ne répondent pas")
        if reply.ended == "length":
            notices.append("Le modèle s’est arrêté à sa longueur maximale : sa dernière phrase est laissée de côté.")
            written = written if _is_ended(reply) else written[:-1]
        elif reply.ended is None and not _is_ended(reply):
            raise ChatModelError("sa réponse s’est interrompue au milieu d’une phrase")
        if not any(1 <= number <= len(shown) for each in written for number in each.numbers):
            raise ChatModelError("sa réponse ne cite aucune des phrases")
        start = time.perf_counter()
        draft = checked_draft(written, shown, self._verifier, drop_unsupported=self._drop_unsupported)
        verify_ms = 1000.0 * (time.perf_counter() - start)
        if all(statement.status == "unsupported" for statement in draft.statements):
            raise ChatModelError("les phrases ne confirment rien de ce qu’il a écrit")
        return replace(draft, notice=" ".join(notices) or None, verify_ms=verify_ms)

    def _pieces(self, messages: Sequence[tuple[str, str]], reply: _Reply) -> Iterator[None]:
        """Fill a reply with text and markers, and yield after each piece and each silence."""
        parser = MarkerParser()
        with closing(self._chunks(messages)) as chunks:
            for text, ended in chunks:
                reply.ended = ended or reply.ended
                reply.pieces = joined((*reply.pieces, *parser.feed(text)))
                yield  # while it is silent too: whoever reads on may stop
        reply.pieces = joined((*reply.pieces, *parser.close()))
        yield

    def _chunks(self, messages: Sequence[tuple[str, str]]) -> Generator[tuple[str, str | None], None, None]:
        """Yield what the model sends: (text, why it ended or None), now and then nothing while it is silent.

        Asks again after a refusal that may pass.

        Raises:
            ChatModelError: if it fails for good, or after it began to write.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            begun = False
            try:
                with closing(stream_pieces(self._model, messages)) as stream:
                    for chunk in stream:
                        if chunk is None:
                            yield "", None
                            continue
                        begun = begun or bool(chunk.text)
                        yield str(chunk.text), _ended(chunk.response_metadata)
                return
            except ContextOverflowError as error:
                raise _TooLongError(str(error)) from error
            except Exception as error:  # each provider's client raises errors of its own tree
                failure = failure_of(error)
                if failure.too_long:
                    raise _TooLongError(str(error)) from error
                if begun:
                    raise ChatModelError(f"sa réponse s’est interrompue ({failure})", failure.detail) from error
                if not failure.passing or attempt == _ATTEMPTS:
                    raise failure from error
                self._pause(failure.retry_after or _FIRST_PAUSE_S * 2 ** (attempt - 1))


class _TooLongError(ModelError):
    """The messages do not fit the model's context."""


def _is_ended(reply: _Reply) -> bool:
    """Say whether a reply ends as a sentence does."""
    last = next((piece for piece in reversed(reply.pieces) if isinstance(piece, Markers) or piece.strip()), "")
    return isinstance(last, Markers) or last.rstrip().endswith(_TERMINATORS)


def _ended(metadata: dict[str, Any]) -> str | None:
    reason = metadata.get("finish_reason") or metadata.get("done_reason") or metadata.get("stop_reason")
    return {"max_tokens": "length"}.get(str(reason), str(reason)) if reason else None


def _name_of(model: BaseChatModel) -> str:
    named = getattr(model, "model_name", None) or getattr(model, "model", None)
    return named if isinstance(named, str) else type(model).__name__


def open_chat_model(name: str, *, timeout_s: float = _TIMEOUT_S) -> BaseChatModel:
    """Open a chat model by LangChain's name of it.

    Keys come from the environment alone. ``openai:NAME`` asks the server of ``OPENAI_BASE_URL`` where it is set; such a
    server may want no key.

    Args:
        name: ``provider:name``, such as ``ollama:mistral`` or ``openai:gpt-4o-mini``.
        timeout_s: seconds without an answer after which a request is given up.

    Raises:
        InputError: if the name has no provider.
        ModelError: if the provider's package is missing, or its key.
    """
    from langchain.chat_models import init_chat_model  # noqa: PLC0415 - a second to import, wanted by name only

    provider, colon, model = name.partition(":")
    if not (provider and colon and model):
        raise InputError(f"--chat-model {name!r}: expected provider:name, such as ollama:mistral or openai:gpt-4o-mini")
    options: dict[str, Any] = {"temperature": 0.0}
    if provider == "ollama":
        options["client_kwargs"] = {"timeout": timeout_s}
    else:
        options |= {"timeout": timeout_s, "max_retries": 0}  # `_chunks` asks again by itself, and says so
    local = provider == "openai" and (os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_BASE"))
    if local and not os.environ.get("OPENAI_API_KEY"):
        options["api_key"] = "none"
    try:
        opened: BaseChatModel = init_chat_model(f"{provider}:{model}", **options)
        return opened
    except ImportError as error:
        raise ModelError(
            f"--chat-model {name}: its package is missing ({error}): "
            f"pip install -r requirements-chat.txt, or langchain-{provider}"
        ) from error
    except Exception as error:  # each provider has its own way to refuse
        first = str(error).strip().partition("\n")[0]
        said = first or type(error).__name__
        raise ModelError(f"--chat-model {name}: {said}; is its key set in the environment?") from error
