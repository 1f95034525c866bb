"""The tab of the conversation: its parts, and which gesture does what."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from qa.agreement import MAX_CITATIONS
from ui.desk import Desk
from ui.sources import render_panel
from ui.wanted import MOST_CITATIONS, source_choices

__all__ = ["EXAMPLES", "build_conversation"]

EXAMPLES = (
    "Qui est le secrétaire général de l’Otan ?",
    "Combien de navires patrouillent en mer Baltique et en mer du Nord ?",
    "Comment s’appelle l’exercice de dissuasion ?",
    "De quoi l’Ukraine a-t-elle un besoin urgent ?",
)

WELCOME = (
    '<div class="welcome"><h2>Que voulez-vous savoir ?</h2>'
    "<p>Chaque réponse cite la phrase qui la prouve, à sa place dans le document.</p></div>"
)

# Run in the page once an answer is shown.
READY_FOR_NEXT = "() => window.sourcier.readyForNext()"

# Run in the page with what a visitor said, once it is kept.
KEPT = "(said) => window.sourcier.kept(said)"

EXPORTS = {"md": "Markdown", "html": "HTML", "json": "JSON"}
# Run in the page with the name and the text of a receipt.
SAVE = "(name, text) => window.sourcier.save(name, text)"


def build_conversation(page: gr.Blocks, desk: Desk, masthead: gr.HTML, *, answering: dict[str, Any]) -> None:
    """Add the conversation and its sources to the page being built.

    Args:
        page: what is being built.
        desk: what the page works on.
        masthead: the top line, which follows the corpus.
        answering: how many questions are answered at a time.
    """
    talk = gr.State()
    # In the visitor's own browser; the secret is none: it only has to be the same after a restart.
    kept = gr.BrowserState("", storage_key="sourcier-conversation", secret="sourcier")
    with gr.Row(elem_id="conversation"):
        with gr.Column(scale=3, min_width=300, elem_id="talk"):
            messages = gr.Chatbot(
                elem_id="messages",
                show_label=False,
                label="Conversation",
                layout="panel",
                buttons=[],
                feedback_options=None,
                latex_delimiters=[],
                autoscroll=False,
                placeholder=WELCOME,
            )
            further = gr.HTML(elem_id="further")
            question = gr.Textbox(
                elem_id="question",
                label="Question",
                show_label=False,
                placeholder="Posez une question sur vos documents…",
                submit_btn="⏎",
                max_lines=4,
                autofocus=True,
            )
            with gr.Row(elem_id="examples"):
                examples = [gr.Button(text, size="sm", min_width=0) for text in desk.examples(EXAMPLES)]
            filters = _filters(desk)
            with gr.Row(elem_id="tools"):
                read_dates = gr.Checkbox(
                    True, label="Dates de la question", container=False, min_width=0, elem_id="read-dates"
                )
                renew = gr.Button("Nouvelle conversation", size="sm", min_width=0, elem_id="renew")
                stop = gr.Button("Arrêter", size="sm", min_width=0, elem_id="stop", visible=desk.writes)
                retry = gr.Button("Réessayer", size="sm", min_width=0, elem_id="retry")
                undo = gr.Button("Annuler", size="sm", min_width=0, elem_id="undo")
                exports = {
                    form: gr.Button(f"↓ {name}", size="sm", min_width=0, elem_id=f"export-{form}")
                    for form, name in EXPORTS.items()
                }
            said = gr.Textbox(elem_id="said", label="Avis")  # hidden by the style sheet
            exported = [gr.Textbox(visible=False), gr.Textbox(visible=False)]
        with gr.Column(scale=2, min_width=300, elem_id="proof"):
            panel = gr.HTML(render_panel([]))
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", **answering}
    # One listener for every way to ask, so that a visitor's questions are answered one after the other.
    asking = gr.on(
        [question.submit, *(example.click for example in examples)],
        desk.ask,
        [question, talk, *filters, read_dates],
        [messages, panel, question, talk, masthead],
        trigger_mode="always_last",  # a question sent while one is answered waits for it
        **quiet,
    )
    asking.then(None, js=READY_FOR_NEXT)
    # The answer so far stays on the screen; the conversation does not remember a turn that was cut off.
    stop.click(None, cancels=[asking], js="() => window.sourcier.stopped()")
    renewed = renew.click(lambda: ([], render_panel([]), None), None, [messages, panel, talk], **quiet)
    undone = undo.click(desk.undo, talk, [messages, panel, question, talk], **quiet)
    retry.click(desk.retry, talk, [question, talk], **quiet).then(None, js="() => window.sourcier.submit()")
    for change in (renewed, undone):
        change.then(None, js=READY_FOR_NEXT)
    for change in (asking, renewed, undone):  # apart from the answer: the next question need not wait for them
        change.then(desk.keep, talk, kept, **quiet)
        change.then(desk.offer, talk, further, **quiet)
    resumed = page.load(desk.resume, kept, [messages, panel, talk], **quiet)
    resumed.then(desk.offer, talk, further, **quiet)
    said.change(desk.judge, [said, talk], None, **quiet).success(None, said, js=KEPT)
    for form, button in exports.items():
        button.click(partial(desk.export, form=form), talk, exported, **quiet).then(None, exported, js=SAVE)


def _filters(desk: Desk) -> list[gr.components.Component]:
    """Add the fields that `ui.wanted.Wanted` reads, but the last, folded away until they are wanted."""
    with gr.Accordion("Filtres", open=False, elem_id="filters"):
        with gr.Row():
            since = gr.Textbox(label="Documents depuis", placeholder="mars 2022", min_width=140)
            until = gr.Textbox(label="Jusqu’à", placeholder="mars 2022", min_width=140)
            n_citations = gr.Slider(
                1, MOST_CITATIONS, MAX_CITATIONS, step=1, label="Sources citées au plus", min_width=160
            )
        sources = gr.Dropdown(
            source_choices(desk.corpus),
            multiselect=True,
            allow_custom_value=True,
            label="Fichiers et dossiers",
            info="Tous, si rien n’est choisi",
        )
    return [since, until, sources, n_citations]
