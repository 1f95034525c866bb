"""The tab of the documents: its parts, and which gesture does what."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.desk import Desk
from ui.shelf import Shelf

__all__ = ["build_documents"]

ORDERS = [("Derniers ajoutés", "added"), ("Plus récents", "newest"), ("Plus anciens", "oldest")]

HINT = (
    '<p class="hint">Un dossier ou une archive zip se dépose aussi. Un fichier de même nom remplace le précédent. Après'
    " avoir modifié des documents sur le disque, mettez l’index à jour : seul ce qui a changé est relu."
    ' <button type="button" class="link folder">Ajouter un dossier…</button></p>'
)

READ_ONLY = (
    '<p class="hint">Cette page est en lecture seule : les documents se cherchent et se lisent, mais ne s’ajoutent'
    " ni ne se retirent ici.</p>"
)

# Run in the page once the list is drawn again.
SETTLED = "() => window.sourcierDocuments.settled()"

# Searching a list is short: it does not wait for answers being written.
LOOKING: dict[str, Any] = {"concurrency_limit": 2, "concurrency_id": "looking"}


def build_documents(desk: Desk, masthead: gr.HTML, clock: gr.Timer, *, indexing: dict[str, Any]) -> None:
    """Add the tab of the documents to the page being built.

    Args:
        desk: what the page works on.
        masthead: the top line, which follows the corpus.
        clock: tells when to look for what others have changed.
        indexing: how many changes are made at a time.
    """
    shelf = Shelf(desk)
    with gr.Tab("Documents") as tab, gr.Column(elem_id="documents"):
        view, seen = gr.State(), gr.State()
        changes = not desk.read_only
        files = gr.File(
            label="Ajouter des documents", file_count="multiple", elem_id="drop", height=180, visible=changes
        )
        outcome = gr.HTML(elem_id="outcome")
        with gr.Row(elem_id="upkeep"):
            gr.HTML(HINT if changes else READ_ONLY)
            rebuild = gr.Button("Mettre l’index à jour", size="md", min_width=0, elem_id="rebuild", visible=changes)
        timeline = gr.HTML(elem_id="times")
        with gr.Row(elem_id="finding"):
            typed = gr.Textbox(
                label="Chercher un document",
                show_label=False,
                placeholder="Chercher dans les titres et les noms de fichiers…",
                elem_id="search",
                max_lines=1,
                scale=4,
            )
            order = gr.Dropdown(
                ORDERS, value="added", label="Ordre", show_label=False, elem_id="order", filterable=False, scale=1
            )
        listing = gr.HTML(elem_id="listing")
        # Hidden by the style sheet: what a click on the list or on the picture asks.
        turned = gr.Textbox(elem_id="turned", label="Demande")
        removed = gr.Textbox(elem_id="removed", label="Retrait")
    shown = [listing, timeline, view, seen]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    tab.select(shelf.show, view, shown, **quiet, **LOOKING).then(None, js=SETTLED)
    gr.on(
        [typed.change, order.input],
        shelf.search,
        [typed, order, view],
        shown,
        trigger_mode="always_last",
        **quiet,
        **LOOKING,
    )
    turned.change(shelf.turn, [turned, view], shown, **quiet, **LOOKING).then(None, js=SETTLED)
    clock.tick(shelf.follow, [seen, view], [masthead, *shown], **quiet, **LOOKING)
    if desk.read_only:  # no endpoint changes anything then
        return
    removed.change(shelf.remove, [removed, view], [outcome, masthead, *shown], **quiet, **indexing).then(
        None, js=SETTLED
    )
    files.upload(shelf.add, [files, view], [outcome, files, masthead, *shown], **quiet, **indexing)
    rebuild.click(shelf.rebuild, view, [outcome, masthead, *shown], **quiet, **indexing)
