"""Receipts as they are read: Markdown, and one HTML page that needs nothing else."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from index.date_values import format_date
from qa.generate import escape

if TYPE_CHECKING:
    from qa.receipts import Receipt, ReceiptCitation, ReceiptTurn

__all__ = ["to_html", "to_markdown"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1917; --paper: #fff; --quiet: #57534e; --line: #d6d3d1; --mark: #0f766e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #f5f5f4; --paper: #1c1917; --quiet: #a8a29e; --line: #44403c; --mark: #5eead4 }
}
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.6 system-ui, sans-serif; color: var(--ink);
  background: var(--paper) }
h1 { font-size: 1.3rem } h2 { font-size: 1.1rem; margin-top: 2.5rem }
blockquote { margin: 0 0 .3rem; padding-left: .8rem; border-left: 3px solid var(--mark) }
li { margin-bottom: 1rem; overflow-wrap: anywhere } small, footer { color: var(--quiet) }
code { font-size: .8em } section { border-top: 1px solid var(--line) }
@media print { body { margin: 0; max-width: none } li, section { break-inside: avoid } }
""".strip()

_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+!|<>~$])")
_PROMISE = "Chaque citation peut être vérifiée : python -m qa verify FICHIER"


def to_markdown(receipt: Receipt) -> str:
    """Return what is read of a receipt, as Markdown."""
    lines = ["# Réponses de Sourcier", "", escape(_PROMISE), ""]
    for turn in receipt.turns:
        lines += [f"## {escape(_line(turn.question))}", ""]
        if turn.understood_as != turn.question:
            lines += [f"Question comprise : {escape(_line(turn.understood_as))}", ""]
        lines += [turn.text, ""]
        for cited in turn.citations:
            lines += [f"{cited.marker}. « {escape(_line(cited.text))} »  ", f"   {escape(_place(cited))}", ""]
        lines += [f"*{escape(_footer(turn))}*", ""]
    return "\n".join(lines)


def to_html(receipt: Receipt) -> str:
    """Return what is read of a receipt, as a page without scripts, images or links; no document's markup is in it."""
    parts = [
        '<!DOCTYPE html>\n<html lang="fr"><head><meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Réponses de Sourcier</title>',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>Réponses de Sourcier</h1><p><small>{_text(_PROMISE)}</small></p>",
        *(part for turn in receipt.turns for part in _section(turn)),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _section(turn: ReceiptTurn) -> Iterator[str]:
    yield f"<section><h2>{_text(_line(turn.question))}</h2>"
    if turn.understood_as != turn.question:
        yield f"<p><small>Question comprise : {_text(_line(turn.understood_as))}</small></p>"
    for paragraph in turn.text.split("\n\n"):
        yield f"<p>{_from_markdown(paragraph)}</p>"
    yield "<ol>"
    for cited in turn.citations:
        hashed = f"<br><code>SHA-256 {_text(cited.document_sha256)}</code>" if cited.document_sha256 else ""
        yield (
            f'<li value="{cited.marker}"><blockquote>{_text(cited.text)}</blockquote>'
            f"<small>{_text(_place(cited))}{hashed}</small></li>"
        )
    yield f"</ol><footer><small>{_text(_footer(turn))}</small></footer></section>"


def _from_markdown(text: str) -> str:
    """Return the little Markdown that answers are written in as HTML: bold, and escaped characters."""
    parts = [_text(_ESCAPED.sub(r"\1", part)) for part in _BOLD.split(text)]
    return "".join(f"<strong>{part}</strong>" if number % 2 else part for number, part in enumerate(parts))


def _text(text: str) -> str:
    return html.escape(text)


def _line(text: str) -> str:
    return " ".join(text.split())


def _place(cited: ReceiptCitation) -> str:
    """Say where a quotation stands."""
    parts = [
        _line(cited.title) if cited.title else None,
        _line(cited.source),
        format_date(cited.date) if cited.date else None,
        f"page {cited.page}" if cited.page else None,
        f"caractères {cited.start} à {cited.end}",
    ]
    return " · ".join(part for part in parts if part)


def _footer(turn: ReceiptTurn) -> str:
    """Say how surely and from what the answer was given."""
    said = f"confiance {turn.confidence:.2f}" if turn.answered else "sans réponse"
    return f"{said} · {turn.mode} · génération {turn.generation}"
