"""The tab of the documents: its parts, and which gesture does what."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.desk import Desk

__all__ = ["build_documents"]


def build_documents(desk: Desk, masthead: gr.HTML, *, indexing: dict[str, Any]) -> None:
    """Add the documents to the page being built.

    Args:
        desk: what the page works on.
        masthead: the top line, which follows the corpus.
        indexing: how many changes are made at a time.
    """
    with gr.Column(elem_id="documents"):
        files = gr.File(label="Ajouter des documents", file_count="multiple", elem_id="drop", height=180)
        outcome = gr.HTML(elem_id="outcome")
        gr.HTML(
            '<p class="hint">Un fichier de même nom remplace le précédent. Après avoir modifié des documents sur le'
            " disque, mettez l’index à jour : seul ce qui a changé est relu.</p>"
        )
        rebuild = gr.Button("Mettre l’index à jour", size="md", elem_id="rebuild")
    files.upload(
        desk.add, files, [outcome, masthead, files], show_progress_on=outcome, api_visibility="private", **indexing
    )
    rebuild.click(
        desk.rebuild, None, [outcome, masthead], show_progress_on=outcome, api_visibility="private", **indexing
    )
