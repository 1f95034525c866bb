"""What the check of a language model's statements found: a quiet mark after each, and the reasons on demand."""

from __future__ import annotations

from collections.abc import Sequence

from qa import Statement
from ui.markup import escape

__all__ = ["SIGNS", "STATUS_WORDS", "render_checks", "render_mark"]

STATUS_WORDS = {
    "supported": "confirmé par les sources",
    "partly": "en partie seulement",
    "unsupported": "pas confirmé par les sources",
}
SIGNS = {"supported": "✓", "partly": "◐", "unsupported": "⚠"}
"""A shape for each status: colour alone would not be seen by everyone."""


def render_mark(statement: Statement) -> str:
    """Return the sign of a statement's status, with its words and its reason as a title."""
    words = STATUS_WORDS[statement.status] + (f" : {statement.reason}" if statement.reason else "")
    return (
        f'<span class="verdict {statement.status}" role="img" title="{escape(words)}" aria-label="{escape(words)}">'
        f"{SIGNS[statement.status]}</span>"
    )


def render_checks(statements: Sequence[Statement]) -> str:
    """Return how many statements have each status, which opens to all of them with the reasons; nothing for none."""
    if not statements:
        return ""
    counts = {status: sum(each.status == status for each in statements) for status in SIGNS}
    told = " · ".join(f"{SIGNS[status]} {n} {_counted(status, n)}" for status, n in counts.items() if n)
    items = "".join(f"<li>{render_mark(each)} {escape(each.text)}{_why(each)}</li>" for each in statements)
    return f'<details class="checks"><summary>Vérification : {told}</summary><ul>{items}</ul></details>'


def _counted(status: str, n: int) -> str:
    plural = "s" if n > 1 else ""
    return {
        "supported": f"phrase{plural} confirmée{plural}",
        "partly": f"phrase{plural} confirmée{plural} en partie",
        "unsupported": f"phrase{plural} non confirmée{plural}",
    }[status]


def _why(statement: Statement) -> str:
    reason = f" : {escape(statement.reason)}" if statement.reason else ""
    return "" if statement.status == "supported" else f" — {STATUS_WORDS[statement.status]}{reason}"
