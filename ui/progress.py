"""How far a change of the corpus has come, file by file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath

from index import Progress
from ui.markup import escape
from ui.words import grouped

__all__ = ["Reading", "render_progress"]

# A folder of thousands of files would hide the rest of the page.
MAX_FILES = 100


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a change is.

    Attributes:
        names: the files that are shown one by one, in their order.
        now: name of the file that is being read, None where none is.
        read: those that were read before.
        step: what was told last.
    """

    names: tuple[str, ...]
    now: str | None = None
    read: frozenset[str] = frozenset()
    step: Progress | None = None

    def after(self, step: Progress) -> Reading:
        """Return where the change is after one more step."""
        now = PurePath(step.source).name if step.source else None
        return replace(self, now=now, read=self.read | {self.now} if self.now else self.read, step=step)


def render_progress(reading: Reading) -> str:
    """Return the files with their states, and the step of the whole."""
    files = "".join(_file(name, reading) for name in reading.names[:MAX_FILES])
    more = len(reading.names) - MAX_FILES
    if more > 0:
        files += f"<li>{escape(f'et {grouped(more)} de plus')}</li>"
    listed = f"<ul>{files}</ul>" if files else ""
    step = reading.step
    said = "En cours…"
    if step is not None:
        of = f" sur {grouped(step.total)}" if step.total else ""
        said = f"{step.stage.capitalize()} : {grouped(step.done)}{of}"
    return f'<div class="outcome" role="status" aria-busy="true">{listed}<p class="step-now">{escape(said)}</p></div>'


def _file(name: str, reading: Reading) -> str:
    if name == reading.now:
        state, sign, words = "reading", "…", "lecture"
    elif name in reading.read:
        state, sign, words = "read", "✓", "lu"
    else:
        state, sign, words = "waiting", "○", "en attente"
    return (
        f'<li class="{state}"><span class="sign" aria-hidden="true">{sign}</span><strong>{escape(name)}</strong>'
        f" : {words}</li>"
    )
