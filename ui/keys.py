"""The keys of the page, as a list that ? opens."""

from __future__ import annotations

__all__ = ["KEYS"]

_KEYS = (
    ("Entrée", "poser la question"),
    ("Maj + Entrée", "aller à la ligne"),
    ("/", "aller à la question"),
    ("Alt + →", "citation suivante"),
    ("Alt + ←", "citation précédente"),
    ("Échap", "fermer"),
    ("?", "montrer ces touches"),
)

KEYS = (
    '<dialog id="keys" aria-labelledby="keys-title"><h2 id="keys-title">Touches du clavier</h2><dl>'
    + "".join(f"<dt><kbd>{key}</kbd></dt><dd>{does}</dd>" for key, does in _KEYS)
    + '</dl><button type="button">Fermer</button></dialog>'
)
"""A dialog, closed; and what opens it, for those who do not know the key, stands in the top line."""
