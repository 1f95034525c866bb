"""The list of documents: one entry a document, the filters above it, the pages below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from index import LoadError
from index.listing import ListedDocument, Order, When
from ui.document_routes import original_address, text_address
from ui.markup import escape
from ui.originals import FileState, state_of
from ui.removal import Removal
from ui.summary import place_in_words
from ui.timeline import period_in_words
from ui.words import count, date_in_words, grouped, reason_in_words

__all__ = ["PAGE", "Found", "View", "render_listing"]

PAGE = 25
"""Entries shown at a time."""

STATE_WORDS: dict[FileState, str] = {
    "same": "à jour",
    "changed": "modifié sur le disque depuis",
    "missing": "fichier absent du disque",
    "unchecked": "gros fichier, non vérifié",
}
GIVEN = "ajouté par un programme"
KIND_WORDS: dict[str | None, str] = {
    None: "Tous",
    "undated": "Sans date",
    "wider": "Date imprécise",
    "unread": "Illisibles",
}


@dataclass(frozen=True, slots=True)
class View:
    """What one visitor looks at.

    Attributes:
        search: what was typed.
        during: the period chosen, the beginning of an ISO day; empty for all.
        scope: the longer period that the picture of the times is confined to.
        kind: all documents, some by their date, or what could not be read.
        order: what comes first.
        page: from 0.
        removing: number of the document that is about to be removed.
    """

    search: str = ""
    during: str = ""
    scope: str = ""
    kind: When | Literal["unread"] = None
    order: Order = "added"
    page: int = 0
    removing: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What the corpus holds for a view: a page of documents, or of problems where these are looked at.

    Attributes:
        documents: of the page.
        problems: of the page.
        total: all that pass the filters.
        n_of: how many entries there are of each other kind.
        removal: what the removal that is about to be confirmed comes to.
    """

    documents: Sequence[ListedDocument]
    problems: Sequence[LoadError]
    total: int
    n_of: dict[str, int]
    removal: Removal | None = None


def render_listing(view: View, found: Found, *, read_only: bool) -> str:
    """Return the list of a view, with what leads to its neighbours.

    Args:
        view: what the visitor looks at.
        found: what the corpus holds for it.
        read_only: whether visitors may not remove documents.
    """
    entries = [_entry(document, found.removal, read_only=read_only) for document in found.documents]
    entries += [_problem(problem) for problem in found.problems]
    body = f'<ol class="entries">{"".join(entries)}</ol>' if entries else f'<p class="empty">{_nothing(view)}</p>'
    heading = '<h2 class="unseen">Liste des documents</h2>'
    return f'<div class="listing">{heading}{_kinds(view, found)}{_result(view, found)}{body}{_pages(view, found)}</div>'


def _kinds(view: View, found: Found) -> str:
    chips: list[tuple[str | None, str]] = [(None, KIND_WORDS[None])]
    chips += [(kind, f"{KIND_WORDS[kind]} ({n})") for kind, n in found.n_of.items() if n or view.kind == kind]
    if len(chips) == 1:
        return ""
    buttons = "".join(
        f'<button type="button" class="chip" data-kind="{kind or ""}" aria-pressed="{str(view.kind == kind).lower()}">'
        f"{escape(text)}</button>"
        for kind, text in chips
    )
    return f'<div class="kinds" role="group" aria-label="Choix des documents">{buttons}</div>'


def _result(view: View, found: Found) -> str:
    words = count(found.total, "document")
    if view.kind == "unread":
        words = f"{count(found.total, 'problème')} de lecture"
    chip = ""
    if view.during and view.kind != "unread":
        period = escape(period_in_words(view.during))
        wider = view.scope if view.during != view.scope else ""
        chip = (
            f' <button type="button" class="chip" data-during="{escape(wider)}"'
            f' aria-label="Ne plus filtrer : {period}">{period} ✕</button>'
        )
    return f'<p class="result" role="status">{escape(words)}{chip}</p>'


def _nothing(view: View) -> str:
    if view.kind == "unread":
        return "Tout a pu être lu."
    if view.search or view.during or view.kind:
        return "Aucun document ne correspond. Cherchez un mot du titre ou du nom du fichier, ou retirez un filtre."
    return "Il n’y a pas encore de document : déposez-en ci-dessus, et posez votre question aussitôt."


def _entry(document: ListedDocument, removal: Removal | None, *, read_only: bool) -> str:
    first = document.origins[0]
    name = PurePath(first.source).name
    about = [name] if document.title else []
    about += [date_in_words(document.date)] if document.date else ["sans date"]
    about += [count(document.n_characters, "caractère"), count(document.n_passages, "passage")]
    others = [PurePath(origin.source).name for origin in document.origins[1:]]
    also = f'<p class="where">{escape("Le même texte : " + ", ".join(others))}</p>' if others else ""
    source, number = escape(first.source), document.number
    original = original_address(first.source, first.file)
    state = state_of(first.file) if first.file else None
    file = (
        f'<a href="{original}" target="_blank" rel="noopener">Fichier d’origine</a>'
        if original and state in ("same", "unchecked")
        else f'<a href="{text_address(first.source)}" target="_blank" rel="noopener">Texte (.txt)</a>'
    )
    remove = "" if read_only else f'<button type="button" class="remove" data-number="{number}">Retirer…</button>'
    tools = f'<button type="button" class="whole" data-source="{source}">Lire</button>{file}{remove}'
    is_going = removal is not None and removal.document.number == number and not read_only
    return (
        f'<li class="entry"><h3 title="{source}">{escape(document.title or name)}</h3>'
        f'<p class="where">{escape(" · ".join(about))} · '
        f'<span class="state {state or "given"}">{STATE_WORDS[state] if state else GIVEN}</span></p>{also}'
        f"{_confirmation(removal) if removal and is_going else f'<div class=tools>{tools}</div>'}</li>"
    )


def _confirmation(removal: Removal) -> str:
    """Return what a removal comes to, and the choice; nothing has happened yet."""
    told = ["Il ne servira plus à aucune réponse."]
    if removal.deleted:
        names = ", ".join(f"« {path.name} »" for path in removal.deleted)
        told.append(f"La copie envoyée depuis cette page, {names}, sera supprimée du disque.")
    if removal.kept:
        told.append(f"Rien n’est effacé ailleurs : {', '.join(removal.kept)} reste sur le disque.")
    if removal.returns:
        told.append(
            "Le document revient dès que l’index est mis à jour, tant que ce fichier est dans un dossier suivi."
        )
    number = removal.document.number
    whole = ""
    if removal.n_in_file > 1:
        words = escape(f"Retirer les {count(removal.n_in_file, 'document')} de ce fichier")
        whole = f'<button type="button" class="removed" data-number="{number}" data-with-file="true">{words}</button>'
    return (
        '<div class="confirm" role="group" aria-label="Confirmer le retrait"><p><strong>Retirer ce document ?</strong> '
        f'{escape(" ".join(told))}</p><div class="tools">'
        f'<button type="button" class="removed" data-number="{number}">Retirer</button>'
        f'<button type="button" class="keep" data-number="{number}">Garder</button>{whole}</div></div>'
    )


def _problem(problem: LoadError) -> str:
    return (
        f'<li class="entry unread"><h3 title="{escape(problem.source)}">{escape(place_in_words(problem.source))}</h3>'
        f'<p class="where">{escape(reason_in_words(problem.reason))}</p></li>'
    )


def _pages(view: View, found: Found) -> str:
    if found.total <= PAGE:
        return ""
    first = view.page * PAGE
    last = min(first + PAGE, found.total)
    steps = [
        f'<button type="button" class="turn" data-page="{page}"{"" if possible else " disabled"}>{text}</button>'
        for page, possible, text in (
            (view.page - 1, view.page > 0, "‹ Précédents"),
            (view.page + 1, last < found.total, "Suivants ›"),
        )
    ]
    return (
        f'<nav class="pages" aria-label="Pages de la liste">{steps[0]}'
        f"<span>{escape(f'{grouped(first + 1)} à {grouped(last)} sur {grouped(found.total)}')}</span>{steps[1]}</nav>"
    )
