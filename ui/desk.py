"""What each gesture of the page does, and what it shows."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import gradio as gr

from index import CorpusIndex, SourcierError
from qa import Answer, Chatbot, Conversation
from qa.receipts import make_receipt
from qa.suggestions import follow_up_questions, suggested_questions
from ui.answers import render_answer, render_error, render_further, render_question
from ui.feedback import Feedback, feedback_file
from ui.kept import KeptAnswer, answers_of, record_of
from ui.log import QUESTIONS
from ui.metrics import Metrics
from ui.sources import render_panel, render_sources
from ui.summary import render_masthead
from ui.wanted import Wanted
from ui.words import error_in_words

__all__ = ["Desk", "Talk"]


N_FURTHER = 2
"""Questions offered below an answer: each costs the time of one or two answers, after the answer is shown."""


@dataclass(frozen=True, slots=True)
class Talk:
    """What one visitor has said and seen.

    Attributes:
        conversation: the chatbot's memory of the visitor's questions.
        messages: what the conversation shows.
        sections: the source sections of its answers, in the same order.
        answers: the answers themselves, in the same order; None for a question that failed.
        questions: what was asked, as typed, in the same order.
        foreign: places of answers that this page did not give since it was started: from before, or forged.
    """

    conversation: Conversation
    messages: tuple[dict[str, str], ...] = ()
    sections: tuple[str, ...] = ()
    answers: tuple[Answer | None, ...] = ()
    questions: tuple[str, ...] = ()
    foreign: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Desk:
    """What the gestures of the page work on.

    Attributes:
        corpus: what is asked.
        bot: who answers from it.
        uploads: where uploads are kept.
        read_only: whether visitors may only ask: they add, remove and rebuild nothing.
        metrics: counts what is asked.
    """

    corpus: CorpusIndex
    bot: Chatbot
    uploads: Path
    read_only: bool = False
    metrics: Metrics = field(default_factory=Metrics)

    @property
    def writes(self) -> bool:
        """Whether a language model writes the answers, which takes long enough to be stopped."""
        return self.bot.writes

    def masthead(self) -> str:
        """Return the top line as the corpus stands now."""
        return render_masthead(self.corpus.status(), mode=self.bot.mode)

    def examples(self, known: Sequence[str]) -> list[str]:
        """Return questions to begin with: those of ``known`` that the corpus answers, then others made from it."""
        quoting = self.bot.quoting()
        answered = [question for question in known if quoting.ask(question).answered]
        missing = len(known) - len(answered)
        return [*answered, *(suggested_questions(self.bot, n=missing) if missing else ())]

    def ask(  # noqa: PLR0917 - Gradio gives the fields of the page in their order
        self,
        typed: str,
        talk: Talk | None,
        since: str,
        until: str,
        sources: list[str] | None,
        n_citations: float,
        read_dates: bool,
        event: gr.EventData,
    ) -> Iterator[tuple[object, ...]]:
        """Show a question at once, then its answer as it is written: (messages, panel, question box, talk, masthead).

        Args:
            typed: what stands in the question box; a button that was clicked asks its own text.
            talk: what the visitor has said and seen.
            since: first date of documents, as typed.
            until: last date, as typed.
            sources: files, folders or records chosen.
            n_citations: most sentences cited.
            read_dates: whether dates in the question ask for documents of then.
            event: what was clicked or submitted.
        """
        question = event.target.value if isinstance(event.target, gr.Button) else typed
        talk = talk or Talk(self.bot.conversation())
        if not question.strip():
            yield tuple(gr.skip() for _ in range(5))
            return
        asked = (*talk.messages, {"role": "user", "content": render_question(question)})
        yield list(asked), gr.skip(), "", gr.skip(), gr.skip()
        filters = since, until, sources, n_citations, read_dates
        for answer, message, section in self._answers(question, talk, filters):
            messages = (*asked, {"role": "assistant", "content": message})
            sections, answers = (*talk.sections, section), (*talk.answers, answer)
            told = Talk(talk.conversation, messages, sections, answers, (*talk.questions, question), talk.foreign)
            yield list(messages), render_panel(list(told.sections)), gr.skip(), told, gr.skip()
        yield *(gr.skip() for _ in range(4)), self.masthead()

    def offer(self, talk: Talk | None) -> str:
        """Return questions to ask next, to be clicked; nothing after a refusal or a failure."""
        answer = talk.answers[-1] if talk and talk.answers else None
        if answer is None or not answer.answered:
            return ""
        try:
            return render_further(follow_up_questions(self.bot, answer, n=N_FURTHER))
        except SourcierError:  # the answer itself was given: what fails now is said at the next question
            return ""

    def keep(self, talk: Talk | None, request: gr.Request) -> str:
        """Return the conversation as the visitor's browser keeps it."""
        answers = enumerate(talk.answers) if talk else ()
        kept = [KeptAnswer(answer, place not in talk.foreign) for place, answer in answers if talk and answer]
        return record_of(kept, user=request.username)

    def resume(self, kept: object, request: gr.Request) -> tuple[object, ...]:
        """Show the conversation that the visitor's browser kept: (messages, panel, talk)."""
        found = answers_of(kept, user=request.username)
        if not found:
            return gr.skip(), gr.skip(), gr.skip()
        answers = tuple(each.answer for each in found)
        messages: list[dict[str, str]] = []
        for turn, answer in enumerate(answers, start=1):
            messages.append({"role": "user", "content": render_question(answer.question)})
            messages.append({"role": "assistant", "content": render_answer(answer, turn)})
        sections = tuple(render_sources(answer, turn, corpus=self.corpus) for turn, answer in enumerate(answers, 1))
        questions = tuple(answer.question for answer in answers)
        foreign = frozenset(place for place, each in enumerate(found) if not each.is_own)
        talk = Talk(self.bot.conversation(answers), tuple(messages), sections, answers, questions, foreign)
        return messages, render_panel(list(sections)), talk

    def _answers(
        self, question: str, talk: Talk, filters: Sequence[object]
    ) -> Iterator[tuple[Answer | None, str, str]]:
        """Yield the answer so far, as a message and a section of sources; a failure is one too."""
        turn, start = len(talk.sections) + 1, time.perf_counter()
        answer: Answer | None = None
        try:
            for answer in talk.conversation.stream(question, **Wanted.read(*filters).options):
                yield answer, render_answer(answer, turn), render_sources(answer, turn, corpus=self.corpus)
        except SourcierError as error:
            answer = None
            yield None, render_error(error), ""
        self.count(answer, time.perf_counter() - start)

    def count(self, answer: Answer | None, seconds: float) -> None:
        """Count a question that took some seconds, and log it; ``answer`` is None where it failed."""
        outcome = "failed" if answer is None else "answered" if answer.answered else "refused"
        self.metrics.add(outcome, seconds)
        told = {"outcome": outcome, "seconds": round(seconds, 4), "generation": answer.generation if answer else None}
        QUESTIONS.info("question", extra=told)

    def undo(self, talk: Talk | None) -> tuple[object, ...]:
        """Take the last turn back: (messages, panel, question box with its question, talk)."""
        if talk is None or not talk.answers:
            return tuple(gr.skip() for _ in range(4))
        if talk.answers[-1] is not None:  # a question that failed was not remembered
            talk.conversation.forget()
        before = replace(
            talk,
            messages=talk.messages[:-2],
            sections=talk.sections[:-1],
            answers=talk.answers[:-1],
            questions=talk.questions[:-1],
            foreign=talk.foreign - {len(talk.answers) - 1},
        )
        return list(before.messages), render_panel(list(before.sections)), talk.questions[-1], before

    def retry(self, talk: Talk | None) -> tuple[object, ...]:
        """Take the last turn back to ask it again: (question box with its question, talk)."""
        _, _, question, before = self.undo(talk)
        return question, before

    def judge(self, said: str, talk: Talk | None) -> None:
        """Keep what a visitor says of an answer or a citation.

        Args:
            said: JSON from the page: ``turn`` from 1, ``judgement`` and, of a citation, its ``marker``.
            talk: what the visitor has said and seen.

        Raises:
            gr.Error: in one line, where nothing could be kept.
        """
        try:
            record = json.loads(said)
            answer = talk.answers[record["turn"] - 1] if talk and record["turn"] >= 1 else None
            judgement, marker = record["judgement"], record.get("marker")
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            raise gr.Error("Cet avis ne se lit pas : rien n’a été gardé.", print_exception=False) from error
        if talk and answer is not None and record["turn"] - 1 in talk.foreign:
            raise gr.Error("Cette réponse vient d’une autre visite : rien n’a été gardé.", print_exception=False)
        if answer is None:
            raise gr.Error("Cette réponse n’est plus là : rien n’a été gardé.", print_exception=False)
        try:
            Feedback(feedback_file(self.corpus.directory)).add(answer, judgement, marker=marker)
        except SourcierError as error:
            raise gr.Error(error_in_words(error), print_exception=False) from error

    def export(self, talk: Talk | None, form: str) -> tuple[str, str]:
        """Return the conversation as a receipt: the name of the file and its text, both empty where nothing was asked.

        Args:
            talk: what the visitor has said and seen.
            form: ``md``, ``html`` or ``json``.
        """
        answers = [answer for answer in talk.answers if answer is not None] if talk else []
        if not answers:
            return "", ""
        receipt = make_receipt(answers, self.corpus)
        text = {"md": receipt.to_markdown, "html": receipt.to_html, "json": receipt.to_json}[form]()
        return f"sourcier.{form}", text
