"""The tables and the plot of the results that are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.phases import CLIENTS

__all__ = ["write_report"]

_QUALITY = (
    ("document_recall@1", "document first"),
    ("document_recall@5", "among 5"),
    ("document_recall@20", "among 20"),
    ("evidence_recall@1", "evidence in the first hit"),
    ("source_right", "source right"),
    ("source_right_answered", "source right, of those answered"),
    ("cited_characters", "characters cited, median"),
    ("false_answers", "false answers"),
    ("false_refusals", "false refusals"),
)
_COSTS = (
    ("build_s", "build, s", "{:.1f}"),
    ("build_mib", "build, MiB", "{:.0f}"),
    ("disk_mib", "disk, MiB", "{:.1f}"),
    ("cold_s", "cold start to first answer, s", "{:.2f}"),
    ("ask_ms_p50", "question, median ms", "{:.1f}"),
    ("ask_ms_p95", "question, 95th percentile ms", "{:.1f}"),
    ("ask_mib", "asking, MiB", "{:.0f}"),
)
_HEAD = """# Side by side with peers

    python -m benchmarks.peers --data ../shared/data                  # every peer; makes their environments
    python -m benchmarks.peers --data ../shared/data --short          # 300 articles, 30 questions

Written by that command from `results/`. Each peer runs in an environment of its own, through its public calls, with the
settings of its own tutorial: see its adapter. In every phase the systems take turns. *minilm* is all-MiniLM-L6-v2, what
can be had without a network; *our model* is the static one that Sourcier bundles, given to the peer. Brackets are
bootstrap 95 % intervals. A peer without answers of its own cites its first hit, and never refuses. The rules of judging
stand in `scoring.py`, the phases in `phases.py`. Times are of one machine with two cores: compare their ratios only.
"""


def write_report(results: Path, report: Path) -> None:
    """Write the tables of every result file, and the plot beside the report.

    Args:
        results: folder of the JSON files that the runs left.
        report: Markdown file to write.
    """
    parts = [_HEAD]
    for path in sorted(results.glob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        systems = list(found["systems"].values())
        parts += [
            f"## {found['corpus']}: {found['documents']:,} documents, {found['questions']} questions\n",
            f"{found['head']}\n",
            _of_other_runs(systems, found["head"]),
            f"![The right document first, over the seconds of a build and the milliseconds of a question]"
            f"({_plot(found['corpus'], systems, report.parent).name})\n",
            _table([label for _, label in _QUALITY], [(each["system"], _qualities(each)) for each in systems]),
            _table(_cost_labels(), [(each["system"], _costs(each)) for each in systems]),
            _changes(systems),
            _ratios(systems),
            _abouts(systems),
        ]
    report.write_text("\n".join(parts), encoding="utf-8")


def _of_other_runs(systems: Sequence[Mapping[str, Any]], head: str) -> str:
    """Say which rows were measured at another time: their seconds are not to be compared with the others'."""
    others: dict[str, list[str]] = {}
    for each in systems:
        if each.get("head", head) != head:
            others.setdefault(each["head"], []).append(each["system"])
    return "".join(f"Of another run ({when}): {'; '.join(names)}.\n" for when, names in others.items())


def _plot(corpus: str, systems: Sequence[Mapping[str, Any]], folder: Path) -> Path:
    """Draw how often each system has the right document first, over what it costs to build and to ask."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only the plot needs it

    figure = Figure(figsize=(12, 4.5), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for axis, name, label in zip(axes, ("build_s", "ask_ms_p50"), ("build, s", "question, median ms"), strict=True):
        for system in systems:
            figures = system.get("figures", {})
            cost = _cost(system, name)
            if cost is None or "document_recall@1" not in figures:
                continue
            _, value, low, high = figures["document_recall@1"]
            is_own = system["system"].startswith("sourcier")
            color = "tab:blue" if is_own else "tab:gray"
            axis.errorbar(cost, value, yerr=[[value - low], [high - value]], fmt="o", color=color, capsize=2)
            axis.annotate(
                system["system"], (cost, value), xytext=(5, 4), textcoords="offset points", fontsize=8, color=color
            )
        axis.set(xscale="log", xlabel=label)
        axis.grid(alpha=0.3)
        axis.margins(x=0.25)
    axes[0].set_ylabel("right document first")
    path = folder / f"{corpus}.png"
    figure.savefig(path, dpi=90, metadata={"Software": None})
    return path


def _table(labels: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    lines = [f"| system | {' | '.join(labels)} |", f"|{'---|' * (len(labels) + 1)}"]
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in rows]
    return "\n".join(lines) + "\n"


def _qualities(result: Mapping[str, Any]) -> list[str]:
    return [_figure(result.get("figures", {}).get(name), name) for name, _ in _QUALITY]


def _figure(found: Sequence[float] | None, name: str) -> str:
    if found is None:
        return "–"
    n, value, low, high = found
    if name == "cited_characters":
        return f"{value:.0f}"
    return f"{value:.2f} [{low:.2f}, {high:.2f}] (n = {n})"


def _cost_labels() -> list[str]:
    return [*(label for _, label, _ in _COSTS), *(f"{n} clients, questions/s" for n in CLIENTS)]


def _costs(result: Mapping[str, Any]) -> list[str]:
    clients = result.get("clients", {})
    cells = []
    for name, _, form in _COSTS:
        value = _cost(result, name)
        cells.append("–" if value is None else form.format(value))
    return cells + [f"{clients[str(n)]:.1f}" if str(n) in clients else "–" for n in CLIENTS]


def _changes(systems: Sequence[Mapping[str, Any]]) -> str:
    labels = ["add one, saved, ms", "found at once", "delete one, saved, ms", "gone", "killed while writing"]
    return _table(labels, [(each["system"], _change(each)) for each in systems])


def _change(result: Mapping[str, Any]) -> list[str]:
    change, kill = result.get("change"), result.get("kill")
    if change is None or "unsupported" in change:
        reason = result.get("failed", {}).get("change", "–") if change is None else change["unsupported"]
        return [reason, "–", "–", "–", "–"]
    killed = (
        "–" if kill is None else f"{kill['opened']} of {kill['killed']} opened, {kill['kept']} with all that was saved"
    )
    return [
        f"{change['add_ms'] + change['add_save_ms']:.0f}",
        _yes(change["new_found"]),
        f"{change['delete_ms'] + change['delete_save_ms']:.0f}",
        _yes(not change["still_found"]),
        killed,
    ]


_HYBRID = "txtai"
_FRAMEWORKS = ("langchain", "txtai", "haystack", "llamaindex")
_COMPARED = (
    ("build, s", "build_s", "langchain, minilm", "at least 50 times faster"),
    ("build, s", "build_s", f"{_HYBRID} hybrid, our model", "no slower"),
    ("cold start to first answer, s", "cold_s", "", "at least 5 times faster than any"),
    ("cold start to first answer, s", "cold_s", _FRAMEWORKS, "–"),
    ("question, median ms", "ask_ms_p50", _HYBRID, "faster than any hybrid"),
    ("memory while asking, MiB", "ask_mib", "", "below any"),
    ("memory while asking, MiB", "ask_mib", _FRAMEWORKS, "–"),
)
"""What is measured, against which peers (the best of those whose name begins so), and what is aimed at."""


def _ratios(systems: Sequence[Mapping[str, Any]]) -> str:
    """Return how the costs of the chatbot, and of its search alone, stand to those of the best peer."""
    rows = []
    for label, name, peer, aim in _COMPARED:
        others = [
            (value, each["system"])
            for each in systems
            if each["system"].startswith(peer) and not each["system"].startswith("sourcier")
            if (value := _cost(each, name))
        ]
        ours = [_cost(each, name) for each in systems if each["system"].startswith("sourcier")]
        if not others or not all(ours):
            continue
        best, whose = min(others)
        cells = [f"{value:.3g}, {_times(best / value)}" for value in ours if value]
        rows.append((f"{label}: {whose}", [f"{best:.3g}", *cells, aim]))
    return _table(["that peer", "sourcier", "sourcier, search only", "aim"], rows)


def _times(ratio: float) -> str:
    return f"{ratio:.2g} times better" if ratio >= 1.0 else f"{1.0 / ratio:.2g} times worse"


def _cost(result: Mapping[str, Any], name: str) -> float | None:
    figures = result.get("figures", {})
    value = result.get(name, figures[name][1] if name in figures else None)
    return None if value is None else float(value)


def _yes(said: bool) -> str:
    return "yes" if said else "no"


def _abouts(systems: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        f"- {each['system']}: {each['about']['version']}; {each['about']['settings']}"
        for each in systems
        if "about" in each
    ]
    lines += [
        f"- {each['system']} failed in {phase}: {reason}"
        for each in systems
        for phase, reason in each.get("failed", {}).items()
    ]
    return "\n".join(lines) + "\n"
