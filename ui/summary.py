"""The state of the corpus: the line at the top of the page and the outcome of a change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from index import LoadError, Status, UpdateReport
from ui.markup import escape
from ui.removal import Removal
from ui.uploads import Outcome
from ui.words import count, mode_in_words, period, reason_in_words

__all__ = ["place_in_words", "render_masthead", "render_outcome", "render_removal", "render_report"]

FILE_WORDS = {"added": "ajouté", "updated": "mis à jour", "unchanged": "déjà à jour", "refused": "pas ajouté"}
FILE_SIGNS = {"added": "✓", "updated": "✓", "unchanged": "=", "refused": "✕"}

# A broken export of thousands of lines would hide the rest of the page.
MAX_PROBLEMS = 20


def render_masthead(status: Status, *, mode: str) -> str:
    """Return the top line: the name, what is indexed, what answers."""
    covered = period(status.first_date, status.last_date)
    items = [
        _fact(count(status.n_documents, "document")),
        _fact(count(status.n_passages, "passage"), minor=True),
        _fact(covered) if covered else "",
        _fact(mode_in_words(mode)),
        _fact(f"génération {status.generation}", minor=True),
    ]
    keys = '<button type="button" class="keys" aria-label="Touches du clavier" title="Touches du clavier">?</button>'
    return f'<header class="masthead"><h1>Sourcier</h1><ul class="facts">{"".join(items)}</ul>{keys}</header>'


def _fact(text: str, *, minor: bool = False) -> str:
    """Return one fact; a minor one gives way on a narrow screen."""
    return f"<li{' class=minor' if minor else ''}>{escape(text)}</li>"


def render_outcome(outcome: Outcome) -> str:
    """Return what became of each uploaded file, problems and warnings included."""
    files = "".join(
        f'<li class="{file.status}"><span class="sign" aria-hidden="true">{FILE_SIGNS[file.status]}</span>'
        f"<strong>{escape(file.name)}</strong> : {FILE_WORDS[file.status]}{_problems(file.problems)}</li>"
        for file in outcome.files
    )
    return f'<div class="outcome" role="status"><ul>{files}</ul>{_warnings(outcome.report)}</div>'


def render_report(report: UpdateReport) -> str:
    """Return what a rebuild changed."""
    changes = [
        count(report.n_added, "document") + " en plus" if report.n_added else None,
        count(report.n_changed, "document") + " mis à jour" if report.n_changed else None,
        count(report.n_removed, "document") + " en moins" if report.n_removed else None,
    ]
    said = ", ".join(change for change in changes if change)
    same = count(report.n_unchanged, "document")
    summary = f"{said} ; {same} sans changement." if said else f"Rien n’a changé : {same} à jour."
    details = _problems(report.problems) + _warnings(report)
    return f'<div class="outcome" role="status"><p>{escape(summary)}</p>{details}</div>'


def render_removal(removal: Removal, left: Sequence[str], *, with_file: bool) -> str:
    """Return what became of a document that was removed.

    Args:
        removal: what was done.
        left: names of the copies that could not be deleted from the disk.
        with_file: whether all that its file gave was removed too.
    """
    document = removal.document
    title = document.title or PurePath(document.origins[0].source).name
    said = [f"« {title} » est retiré : aucune réponse ne le citera plus."]
    if with_file and removal.n_in_file > 1:
        said = [f"{count(removal.n_in_file, 'document')} retirés : aucune réponse ne les citera plus."]
    said += [f"La copie « {path.name} » est supprimée." for path in removal.deleted if path.name not in left]
    said += [f"La copie « {name} » n’a pas pu être supprimée : supprimez-la, sinon elle reviendra." for name in left]
    return f'<div class="outcome" role="status"><p>{escape(" ".join(said))}</p></div>'


def _problems(problems: tuple[LoadError, ...]) -> str:
    if not problems:
        return ""
    lines = [
        escape(f"{place_in_words(problem.source)} : {reason_in_words(problem.reason)}")
        for problem in problems[:MAX_PROBLEMS]
    ]
    if len(problems) > MAX_PROBLEMS:
        lines.append(escape(f"et {count(len(problems) - MAX_PROBLEMS, 'autre')}"))
    return f'<ul class="problems">{"".join(f"<li>{line}</li>" for line in lines)}</ul>'


def place_in_words(source: str) -> str:
    """Name the file, and the line where one is meant: ``notes.jsonl, ligne 3``."""
    name = source.rpartition("/")[2]
    file, _, line = name.rpartition(":")
    return f"{file}, ligne {line}" if file and line.isdecimal() else name


def _warnings(report: UpdateReport) -> str:
    told = [warning.partition(": ") for warning in report.warnings[:MAX_PROBLEMS]]
    lines = [escape(f"{place_in_words(source)} : {reason_in_words(what)}") for source, _, what in told]
    return f'<ul class="problems">{"".join(f"<li>{line}</li>" for line in lines)}</ul>' if lines else ""
