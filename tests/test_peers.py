"""The comparison with peers: how a reply is judged, what is written, and a short run of our own adapter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.peers.corpora import Corpus
from benchmarks.peers.phases import Measurement
from benchmarks.peers.protocol import Record
from benchmarks.peers.report import write_report
from benchmarks.peers.scoring import judge
from benchmarks.peers.systems import SYSTEMS
from qa.evaluation.gold import GoldQuestion

TEXT = "Le pont de Gassin a rouvert mardi. Il a coûté trois millions d'euros."
RECORDS = {"a": Record("a", TEXT, "Le pont"), "b": Record("b", "Le bac de Kerity relie deux villages.", "Le bac")}
GOLD = GoldQuestion("Quand le pont a-t-il rouvert ?", frozenset(["a"]), ((0, 34),), ("mardi",), "a")
NONE = GoldQuestion("Qui a gagné le Tour d'Italie ?", frozenset(), (), (), None)
BEST, OTHER = ["a", 0, 34], ["b", 0, 37]


def said(hits: list[Any], cited: list[Any], *, answered: bool = True) -> dict[str, Any]:
    return {"hits": hits, "cited": cited, "answered": answered}


def test_a_reply_is_judged_by_places() -> None:
    right = judge(GOLD, said([BEST, OTHER], [BEST]), RECORDS)
    assert (right["document_recall@1"], right["evidence_recall@1"], right["source_right"]) == (1.0, 1.0, 1.0)
    assert right["cited_characters"] == 34
    second = judge(GOLD, said([OTHER, BEST], [OTHER]), RECORDS)
    assert (second["document_recall@1"], second["document_recall@5"], second["source_right"]) == (0.0, 1.0, 0.0)
    beside = judge(GOLD, said([["a", 35, 70]], [["a", 35, 70]]), RECORDS)
    assert (beside["document_recall@1"], beside["evidence_recall@1"], beside["source_right"]) == (1.0, 0.0, 0.0)


def test_a_refusal_has_no_right_source_and_is_right_where_nothing_answers() -> None:
    refused = judge(GOLD, said([BEST], [BEST], answered=False), RECORDS)
    assert (refused["source_right"], refused["false_refusals"]) == (0.0, 1.0)
    assert "source_right_answered" not in refused
    assert judge(NONE, said([BEST], [BEST]), RECORDS) == {"false_answers": 1.0}
    assert judge(NONE, said([BEST], [BEST], answered=False), RECORDS) == {"false_answers": 0.0}


def test_every_system_has_its_adapter_and_its_requirements() -> None:
    folder = Path(__file__).parent.parent / "benchmarks" / "peers"
    for system in SYSTEMS:
        assert (folder / "adapters" / f"{system.module}.py").exists(), system.name
        own = system.environment == "sourcier"
        assert own or (folder / f"requirements-{system.environment}.txt").exists(), system.name
    pins = [line for path in folder.glob("requirements-*.txt") for line in path.read_text(encoding="utf-8").split()]
    assert pins
    assert all("==" in pin for pin in pins)


def test_our_own_adapter_runs_through_every_phase(tmp_path: Path) -> None:
    ours = next(system for system in SYSTEMS if system.name == "sourcier, search only")
    corpus = Corpus("essai", list(RECORDS.values()), [GOLD, NONE])
    run = Measurement(corpus, [ours], environments=tmp_path, folder=tmp_path, n_rounds=1, client_seconds=0.2, n_kills=1)
    run.run()
    result = run.results[ours.name]
    assert "failed" not in result
    assert result["figures"]["document_recall@1"][1] == 1.0
    assert (result["change"]["new_found"], result["change"]["still_found"]) == (True, False)
    assert result["kill"] == {"opened": 1, "kept": 1, "killed": 1}
    results = tmp_path / "results"
    results.mkdir()
    whole = {"head": "ici", "corpus": "essai", "documents": 2, "questions": 2, "systems": run.results}
    (results / "essai.json").write_text(json.dumps(whole), encoding="utf-8")
    write_report(results, tmp_path / "README.md")
    assert "| sourcier, search only | 1.00 [1.00, 1.00] (n = 1) |" in (tmp_path / "README.md").read_text(
        encoding="utf-8"
    )


def test_a_peer_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    broken = next(system for system in SYSTEMS if system.name == "bm25s")
    (tmp_path / "bm25" / "bin").mkdir(parents=True)
    (tmp_path / "bm25" / "bin" / "python").symlink_to("/bin/false")
    run = Measurement(
        Corpus("essai", list(RECORDS.values()), [GOLD]), [broken],
        environments=tmp_path, folder=tmp_path / "x", n_rounds=1, client_seconds=0, n_kills=0,
    )  # fmt: skip
    (tmp_path / "x").mkdir()
    run.run()
    assert "build" in run.results["bm25s"]["failed"]
