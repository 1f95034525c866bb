"""A conversation with a chatbot: it remembers its own turns, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from index.filters import Filter
from qa.agreement import MAX_CITATIONS
from qa.conversation import Turn
from qa.question import read_question
from qa.several import split_questions
from qa.small_talk import is_talk
from qa.types import Answer

if TYPE_CHECKING:
    from qa.chatbot import Chatbot

__all__ = ["Conversation", "turn_of"]

_REMEMBERED = 4
"""Questions of a conversation that a language model is told to understand the next one."""


class Conversation:
    """Questions that follow one another: what one leaves out is carried over from the turn before."""

    def __init__(self, chatbot: Chatbot, *, answers: Sequence[Answer] = ()) -> None:
        self._chatbot = chatbot
        self._turns: tuple[Turn, ...] = ()
        self._last_cited: str | None = None
        for answer in answers:
            self._remember(answer)

    def ask(
        self,
        question: str,
        *,
        since: str | None = None,
        until: str | None = None,
        sources: Sequence[str] = (),
        where: Mapping[str, Any] | None = None,
        read_dates: bool = True,
        understood_as: str | None = None,
        n_citations: int = MAX_CITATIONS,
    ) -> Answer:
        """Answer the next question; `Answer.understood_as` shows how it was read. Otherwise as `Chatbot.ask`.

        Args:
            question: as `Chatbot.ask`.
            since: as `Chatbot.ask`.
            until: as `Chatbot.ask`.
            sources: as `Chatbot.ask`.
            where: as `Chatbot.ask`.
            read_dates: as `Chatbot.ask`.
            understood_as: the question with what it leaves out, by the user's own reading; None reads it from the turns
                before.
            n_citations: as `Chatbot.ask`.
        """
        *_, answer = self.stream(
            question,
            since=since,
            until=until,
            sources=sources,
            where=where,
            read_dates=read_dates,
            understood_as=understood_as,
            n_citations=n_citations,
        )
        return answer

    def stream(
        self,
        question: str,
        *,
        since: str | None = None,
        until: str | None = None,
        sources: Sequence[str] = (),
        where: Mapping[str, Any] | None = None,
        read_dates: bool = True,
        understood_as: str | None = None,
        n_citations: int = MAX_CITATIONS,
    ) -> Iterator[Answer]:
        """Answer the next question, and show the answer while it is written; a turn that is cut off is not remembered.

        Arguments and errors as `ask`, answers as `Chatbot.stream`.
        """
        only = Filter.of(since=since, until=until, sources=sources, where=where)
        answer = None
        for answer in self._chatbot.stream_turn(
            question,
            understood_as=understood_as,
            only=only,
            read_dates=read_dates,
            before=self._turns,
            last_cited=self._last_cited,
            n_citations=n_citations,
        ):
            yield answer
        if answer is not None:
            self._remember(answer)

    def _remember(self, answer: Answer) -> None:
        if not is_talk(answer.question):
            self._turns = (*self._turns[-_REMEMBERED + 1 :], turn_of(answer))
            if answer.citations:
                self._last_cited = answer.citations[0].source

    def forget(self) -> None:
        """Forget the last turn, as if it had not been asked; nothing where there is none."""
        self._turns = self._turns[:-1]


def turn_of(answer: Answer) -> Turn:
    """Return what a conversation remembers of an answer: of several questions, the last one."""
    last = split_questions(answer.understood_as)[-1]
    return Turn(last, read_question(last).kind, answer.short_answer)
