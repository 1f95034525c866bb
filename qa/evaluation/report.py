"""Figures and differences as text: aligned lines for people, plain values for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from qa.evaluation.figures import Difference, Figure
from qa.evaluation.measures import FALLING, verdict

__all__ = ["differences_to_dict", "figures_to_dict", "show_differences", "show_figures"]

_VERDICTS = ("better", "worse", "no difference shown")
_TIMES_NOTICE = "note: times also differ by what else the machine did; compare those of runs made side by side"


def show_figures(figures: Mapping[str, Figure]) -> str:
    """Return one line a measure: ``document_recall@1   0.735 [0.710, 0.760] (n = 1220)``."""
    width = max(map(len, figures), default=0)
    return "\n".join(
        f"{name:{width}} {found.mean:9.3f} {_interval(found.low, found.high)} (n = {found.n})"
        for name, found in figures.items()
    )


def show_differences(differences: Mapping[str, Difference]) -> str:
    """Return one line a measure: what it was, what it is, the difference with its interval, p and the verdict."""
    width = max(map(len, differences), default=0)
    lines = [
        f"{name:{width}} {found.before:9.3f} → {found.after:9.3f}  {found.difference:+9.3f} "
        f"{_interval(found.low, found.high, sign='+')} p = {found.p:.4f} (n = {found.n})  {verdict(name, found)}"
        for name, found in differences.items()
    ]
    told = {word: [name for name in differences if verdict(name, differences[name]) == word] for word in _VERDICTS}
    lines += [f"{word}: {', '.join(names)}" for word, names in told.items() if names]
    if any("_ms_" in name for name in differences):
        lines.append(_TIMES_NOTICE)
    return "\n".join(lines)


def figures_to_dict(figures: Mapping[str, Figure]) -> dict[str, Any]:
    """Return ``n``, ``mean``, ``low`` and ``high`` of each measure."""
    return {name: asdict(found) for name, found in figures.items()}


def differences_to_dict(differences: Mapping[str, Difference]) -> dict[str, Any]:
    """Return the fields of each `Difference`, whether lower is better, and the verdict."""
    return {
        name: {**asdict(found), "lower_is_better": name in FALLING, "verdict": verdict(name, found)}
        for name, found in differences.items()
    }


def _interval(low: float, high: float, *, sign: str = "") -> str:
    return f"[{low:{sign}.3f}, {high:{sign}.3f}]"
