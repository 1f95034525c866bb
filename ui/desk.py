"""What each gesture of the page does, and what it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from index import CorpusIndex, Progress, SourcierError
from qa import Chatbot, Conversation
from ui.answers import render_answer, render_error, render_question
from ui.sources import render_panel, render_sources
from ui.summary import render_masthead, render_outcome, render_report
from ui.uploads import add_uploads

__all__ = ["Desk", "Talk"]

# Gradio recognises the parameter that reports progress by this default value.
PROGRESS = gr.Progress()


@dataclass(frozen=True, slots=True)
class Talk:
    """What one visitor has said and seen.

    Attributes:
        conversation: the chatbot's memory of the visitor's questions.
        messages: what the conversation shows.
        sections: the source sections of its answers, in the same order.
    """

    conversation: Conversation
    messages: tuple[dict[str, str], ...] = ()
    sections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """What the gestures of the page work on: the corpus, who answers from it, and where uploads are kept."""

    corpus: CorpusIndex
    bot: Chatbot
    uploads: Path

    def masthead(self) -> str:
        """Return the top line as the corpus stands now."""
        return render_masthead(self.corpus.status(), mode=self.bot.mode)

    def answerable(self, questions: Sequence[str]) -> list[str]:
        """Return the questions that the corpus answers."""
        return [question for question in questions if self.bot.ask(question).answered]

    def ask(self, typed: str, talk: Talk | None, event: gr.EventData) -> Iterator[tuple[object, ...]]:
        """Show a question at once, then its answer: (messages, panel, question box, talk, masthead)."""
        question = event.target.value if isinstance(event.target, gr.Button) else typed
        talk = talk or Talk(self.bot.conversation())
        if not question.strip():
            yield tuple(gr.skip() for _ in range(5))
            return
        asked = (*talk.messages, {"role": "user", "content": render_question(question)})
        yield list(asked), gr.skip(), "", gr.skip(), gr.skip()
        message, section = self._answer(question, talk)
        sections = (*talk.sections, section)
        messages = (*asked, {"role": "assistant", "content": message})
        talk = Talk(talk.conversation, messages, sections)
        yield list(messages), render_panel(list(sections)), gr.skip(), talk, self.masthead()

    def _answer(self, question: str, talk: Talk) -> tuple[str, str]:
        turn = len(talk.sections) + 1
        try:
            answer = talk.conversation.ask(question)
            return render_answer(answer, turn), render_sources(answer, turn, corpus=self.corpus)
        except SourcierError as error:
            return render_error(error), ""

    def add(self, files: list[str] | None, progress: gr.Progress = PROGRESS) -> tuple[str, str, None]:
        """Add uploaded files: (outcome, masthead, the emptied drop zone)."""
        try:
            outcome = add_uploads(
                [Path(file) for file in files or ()],
                corpus=self.corpus,
                folder=self.uploads,
                progress=_shown_in(progress),
            )
            said = render_outcome(outcome)
        except SourcierError as error:
            said = render_error(error)
        return said, self.masthead(), None

    def rebuild(self, progress: gr.Progress = PROGRESS) -> tuple[str, str]:
        """Bring the index up to date with its folders and files: (outcome, masthead)."""
        try:
            said = render_report(self.corpus.refresh(progress=_shown_in(progress)))
        except SourcierError as error:
            said = render_error(error)
        return said, self.masthead()


def _shown_in(progress: gr.Progress = PROGRESS) -> Callable[[Progress], None]:
    def show(step: Progress) -> None:
        share = step.done / step.total if step.total else None
        progress(share, desc=f"{step.stage.capitalize()} : {step.done}")

    return show
