"""The page itself: its parts, and which gesture does what."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from index import InputError
from ui.desk import Desk
from ui.endpoints import add_endpoints
from ui.policy import OnlyThisHost
from ui.sources import render_panel

__all__ = ["EXAMPLES", "build_page", "launch_page"]

HERE = Path(__file__).parent

EXAMPLES = (
    "Qui est le secrétaire général de l’Otan ?",
    "Combien de navires patrouillent en mer Baltique et en mer du Nord ?",
    "Comment s’appelle l’exercice de dissuasion ?",
    "De quoi l’Ukraine a-t-elle un besoin urgent ?",
)

# Fonts of the reader's own system: the page loads nothing from another host.
THEME = gr.themes.Base(
    font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"], primary_hue="teal", neutral_hue="stone"
)

# Gradio speaks the browser's language, and its French takes uploading for downloading: its words here are ours.
GRADIO_WORDS = {
    "upload_text.drop_file": "Déposez vos fichiers ici",
    "upload_text.click_to_upload": "Cliquez pour les choisir",
    "common.or": "ou",
    "common.error": "Erreur",
    "file.uploading": "Envoi…",
}
LANGUAGES = ("en", "fr")

# Two answers at a time: searching and reading keep a core busy, and the smallest machine meant has two.
ANSWERING: dict[str, Any] = {"concurrency_limit": 2, "concurrency_id": "answering"}
# One change at a time: an index has one writer, and the next one waits for its turn instead of being refused.
INDEXING: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "indexing"}

WELCOME = (
    '<div class="welcome"><h2>Que voulez-vous savoir ?</h2>'
    "<p>Chaque réponse cite la phrase qui la prouve, à sa place dans le document.</p></div>"
)

# Run in the page once an answer is shown.
READY_FOR_NEXT = "() => window.sourcier.readyForNext()"

EXPORTS = {"md": "Markdown", "html": "HTML", "json": "JSON"}
# Run in the page with the name and the text of a receipt.
SAVE = "(name, text) => window.sourcier.save(name, text)"


def build_page(desk: Desk) -> gr.Blocks:
    """Build the page over an open corpus; nothing is served yet."""
    page: gr.Blocks
    with gr.Blocks(title="Sourcier", fill_width=True, analytics_enabled=False) as page:
        add_endpoints(desk, answering=ANSWERING, indexing=INDEXING)  # first, so that their names are theirs
        masthead = gr.HTML(desk.masthead(), elem_id="masthead")
        with gr.Tabs(elem_id="views"):
            with gr.Tab("Conversation"):
                _build_conversation(desk, masthead)
            with gr.Tab("Documents"):
                _build_documents(desk, masthead)
        page.load(desk.masthead, None, masthead, show_progress="hidden", api_visibility="private")
    return page


def launch_page(page: gr.Blocks, *, host: str, port: int) -> str:
    """Serve the page in the background and return its address.

    Raises:
        InputError: if nothing can listen there.
    """
    script = (HERE / "page.js").read_text(encoding="utf-8")
    style = (HERE / "page.css").read_text(encoding="utf-8")
    try:
        _, url, _ = page.launch(
            server_name=host,
            server_port=port,
            quiet=True,
            prevent_thread_lock=True,
            share=False,
            ssr_mode=False,
            footer_links=[],
            theme=THEME,
            css=style,
            head=f"<script>{script}</script>",
            i18n=gr.I18n(**dict.fromkeys(LANGUAGES, GRADIO_WORDS)),
            app_kwargs={"middleware": [Middleware(OnlyThisHost)]},
        )
    except OSError as error:
        raise InputError(f"cannot listen on {host}, port {port}: python app.py --port {port + 1}") from error
    return str(url)


def _build_conversation(desk: Desk, masthead: gr.HTML) -> None:
    talk = gr.State()
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
                examples = [gr.Button(text, size="sm", min_width=0) for text in desk.answerable(EXAMPLES)]
            with gr.Row(elem_id="tools"):
                read_dates = gr.Checkbox(
                    True, label="Dates de la question", container=False, min_width=0, elem_id="read-dates"
                )
                renew = gr.Button("Nouvelle conversation", size="sm", min_width=0, elem_id="renew")
                undo = gr.Button("Annuler", size="sm", min_width=0, elem_id="undo")
                exports = {
                    form: gr.Button(f"↓ {name}", size="sm", min_width=0, elem_id=f"export-{form}")
                    for form, name in EXPORTS.items()
                }
            exported = [gr.Textbox(visible=False), gr.Textbox(visible=False)]
        with gr.Column(scale=2, min_width=300, elem_id="proof"):
            panel = gr.HTML(render_panel([]))
    # One listener for every way to ask, so that a visitor's questions are answered one after the other.
    gr.on(
        [question.submit, *(example.click for example in examples)],
        desk.ask,
        [question, talk, read_dates],
        [messages, panel, question, talk, masthead],
        show_progress="hidden",
        trigger_mode="once",
        api_visibility="private",
        **ANSWERING,
    ).then(None, js=READY_FOR_NEXT)
    renew.click(
        lambda: ([], render_panel([]), None),
        None,
        [messages, panel, talk],
        show_progress="hidden",
        api_visibility="private",
        **ANSWERING,
    ).then(None, js=READY_FOR_NEXT)

    undo.click(
        desk.undo,
        talk,
        [messages, panel, question, talk],
        show_progress="hidden",
        api_visibility="private",
        **ANSWERING,
    ).then(None, js=READY_FOR_NEXT)
    for form, button in exports.items():
        button.click(
            partial(desk.export, form=form),
            talk,
            exported,
            show_progress="hidden",
            api_visibility="private",
            **ANSWERING,
        ).then(None, exported, js=SAVE)


def _build_documents(desk: Desk, masthead: gr.HTML) -> None:
    with gr.Column(elem_id="documents"):
        files = gr.File(label="Ajouter des documents", file_count="multiple", elem_id="drop", height=180)
        outcome = gr.HTML(elem_id="outcome")
        gr.HTML(
            '<p class="hint">Un fichier de même nom remplace le précédent. Après avoir modifié des documents sur le'
            " disque, mettez l’index à jour : seul ce qui a changé est relu.</p>"
        )
        rebuild = gr.Button("Mettre l’index à jour", size="md", elem_id="rebuild")
    files.upload(
        desk.add, files, [outcome, masthead, files], show_progress_on=outcome, api_visibility="private", **INDEXING
    )
    rebuild.click(
        desk.rebuild, None, [outcome, masthead], show_progress_on=outcome, api_visibility="private", **INDEXING
    )
