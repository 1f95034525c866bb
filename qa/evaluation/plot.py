"""The only door to matplotlib: recall by rank, what abstaining buys, and how far the confidence can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from index.errors import InputError
from qa.evaluation.outcomes import Outcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["calibration", "check_plot", "recall_curve", "risk_coverage", "write_plot"]

_DEPTH = 20
_BINS = 10
_INK = {"documents": "#1b5e8c", "passages": "#c8641a"}


def check_plot() -> None:
    """See to it that plots can be drawn.

    Raises:
        InputError: if matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: PLC0415 - half a second, wanted for a plot only
    except ImportError as error:
        raise InputError(
            "--plot draws with matplotlib, which is not installed: "
            "python -m pip install -r requirements.txt -c constraints.txt"
        ) from error
    matplotlib.use("agg")


def recall_curve(ranks: Sequence[int | None]) -> NDArray[np.float64]:
    """Return the share of questions whose rank is at most 1, 2, … 20, shape ``(20,)``."""
    reached = np.array([np.inf if rank is None else rank for rank in ranks])
    return np.array([float(np.mean(reached <= depth)) for depth in range(1, _DEPTH + 1)])


def risk_coverage(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how many answers are wrong where only the surest are given (El-Yaniv and Wiener, JMLR 11, 2010).

    Args:
        confidence: of each question, shape ``(n,)``.
        right: whether its first citation is right; False for a question without an answer.

    Returns:
        Rows of share answered and share of those wrong, shape ``(m, 2)``, by falling confidence; questions of equal
        confidence are given or withheld together.
    """
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~right[order])
    n_given = np.arange(1, len(order) + 1)
    last: NDArray[np.bool_] = np.append(np.diff(confidence[order]) != 0.0, True)
    curve: NDArray[np.float64] = np.column_stack([n_given / len(order), wrong / n_given])
    return curve[last]


def calibration(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the mean confidence, the share that is right and the count of each tenth of the scale that has any."""
    place = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    rows = [
        (confidence[place == i].mean(), right[place == i].mean(), np.count_nonzero(place == i))
        for i in np.unique(place)
    ]
    return np.array(rows, dtype=np.float64)


def write_plot(outcomes: Sequence[Outcome], path: Path) -> None:
    """Draw a run in three panels.

    Args:
        outcomes: of one run, at least one.
        path: the file, in the format that its ending names.

    Raises:
        InputError: if the file cannot be written.
    """
    check_plot()
    from matplotlib.figure import Figure  # noqa: PLC0415

    canvas = Figure(figsize=(13, 4.2), layout="constrained")
    recall, risk, reliability = canvas.subplots(1, 3)
    confidence = np.array([outcome.confidence for outcome in outcomes])
    right = np.array([outcome.is_answerable and outcome.evidence_rank == 1 for outcome in outcomes])
    _draw_recall(recall, [outcome for outcome in outcomes if outcome.is_answerable])
    _draw_risk(risk, risk_coverage(confidence, right), given=float(np.mean([o.answered for o in outcomes])))
    _draw_calibration(reliability, calibration(confidence, right))
    for axes in (recall, risk, reliability):
        axes.set_ylim(0.0, 1.02)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    try:
        canvas.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be written: {error}") from error


def _draw_recall(axes: Axes, outcomes: Sequence[Outcome]) -> None:
    located = [outcome for outcome in outcomes if "passage_recall@1" in outcome.values]
    curves = {
        "documents": [outcome.document_rank for outcome in outcomes],
        "passages": [outcome.passage_rank for outcome in located],
    }
    for name, ranks in curves.items():
        if ranks:
            axes.plot(
                range(1, _DEPTH + 1),
                recall_curve(ranks),
                "o-",
                ms=3,
                color=_INK[name],
                label=f"{name}, n = {len(ranks)}",
            )
    axes.set(title="Recall at k", xlabel="k", ylabel="share of questions", xticks=[1, 5, 10, 15, 20])
    if outcomes:
        axes.legend(loc="lower right", frameon=False)


def _draw_risk(axes: Axes, curve: NDArray[np.float64], *, given: float) -> None:
    axes.plot(curve[:, 0], curve[:, 1], color=_INK["documents"])
    axes.axvline(given, color="grey", linestyle="--", linewidth=1, label=f"answered now: {given:.2f}")
    axes.set(title="Risk by coverage", xlabel="share of questions answered", ylabel="share of those wrong")
    axes.set_xlim(0.0, 1.02)
    axes.legend(loc="upper left", frameon=False)


def _draw_calibration(axes: Axes, rows: NDArray[np.float64]) -> None:
    axes.plot([0.0, 1.0], [0.0, 1.0], color="grey", linestyle="--", linewidth=1, label="as sure as right")
    axes.plot(rows[:, 0], rows[:, 1], "o-", color=_INK["documents"])
    for mean, share, count in rows:
        axes.annotate(f"{count:.0f}", (mean, share), textcoords="offset points", xytext=(5, -11), fontsize=8)
    axes.set(
        title="Reliability (figures: questions)", xlabel="confidence", ylabel="share with the right sentence first"
    )
    axes.set_xlim(0.0, 1.02)
    axes.legend(loc="upper left", frameon=False)
