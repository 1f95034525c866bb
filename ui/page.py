"""The page itself: its parts, and which gesture does what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from index import InputError
from ui.accounts import Accounts
from ui.conversation_tab import build_conversation
from ui.desk import Desk
from ui.document_routes import document_routes
from ui.documents_tab import build_documents
from ui.endpoints import add_endpoints
from ui.health import Health, check_of
from ui.keys import KEYS
from ui.metrics import MetricsPage
from ui.policy import OnlyThisHost

__all__ = ["MAX_UPLOAD_MB", "build_page", "launch_page"]

HERE = Path(__file__).parent

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
    "login.login": "Connexion",
    "login.username": "Nom",
    "login.password": "Mot de passe",
    "login.enter_username": "Votre nom",
    "login.enter_password": "Votre mot de passe",
    "login.incorrect_credentials": "Ce nom et ce mot de passe ne vont pas ensemble.",
}
LANGUAGES = ("en", "fr")

# Two answers at a time: searching and reading keep a core busy, and the smallest machine meant has two.
ANSWERING: dict[str, Any] = {"concurrency_limit": 2, "concurrency_id": "answering"}
# One change at a time: an index has one writer, and the next one waits for its turn instead of being refused.
INDEXING: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "indexing"}

# A question waits for at most this many others; one more is told to come back.
MAX_QUEUE = 64
MAX_UPLOAD_MB = 200

# How soon an open page tells of documents that others added or removed; answers use them at once.
FOLLOW_SECONDS = 15


def build_page(desk: Desk) -> gr.Blocks:
    """Build the page over an open corpus; nothing is served yet."""
    page: gr.Blocks
    with gr.Blocks(title="Sourcier", fill_width=True, analytics_enabled=False) as page:
        add_endpoints(desk, answering=ANSWERING, indexing=INDEXING)  # first, so that their names are theirs
        masthead = gr.HTML(desk.masthead(), elem_id="masthead")
        clock = gr.Timer(FOLLOW_SECONDS)  # outside the tabs: Gradio 6.31 starts what is in one when it is first opened
        with gr.Tabs(elem_id="views"):
            with gr.Tab("Conversation"):
                build_conversation(page, desk, masthead, answering=ANSWERING)
            build_documents(desk, masthead, clock, indexing=INDEXING)
        gr.HTML(KEYS, elem_id="help")
        page.load(desk.masthead, None, masthead, show_progress="hidden", api_visibility="private")
    page.queue(max_size=MAX_QUEUE)
    return page


def launch_page(
    page: gr.Blocks,
    desk: Desk,
    *,
    host: str,
    port: int,
    accounts: Accounts | None = None,
    max_upload_mb: int = MAX_UPLOAD_MB,
) -> str:
    """Serve the page in the background and return its address.

    Args:
        page: the page.
        desk: what it works on; its documents, health and metrics are served beside it.
        host: where to listen.
        port: likewise.
        accounts: who may use the page; None lets everybody.
        max_upload_mb: most megabytes of a file that is added.

    Raises:
        InputError: if nothing can listen there.
    """
    script, style = _joined("page.js", "documents.js", "english.js"), _joined("page.css", "documents.css")
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
            auth=None if accounts is None else accounts.allows,
            auth_message="Connectez-vous pour poser vos questions.",
            max_file_size=f"{max_upload_mb}mb",
            app_kwargs={
                "middleware": [
                    Middleware(OnlyThisHost),
                    Middleware(Health, check=check_of(desk.corpus)),
                    Middleware(MetricsPage, metrics=desk.metrics, corpus=desk.corpus),
                ],
                "routes": document_routes(desk.corpus),
            },
        )
    except OSError as error:
        raise InputError(f"cannot listen on {host}, port {port}: python app.py --port {port + 1}") from error
    return str(url)


def _joined(*names: str) -> str:
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in names)
