"""What is measured of each system on one corpus; the systems take turns in each phase.

- build: a fresh process from its start to an index on disk; memory of all its processes.
- rounds: in each, every system in turn starts anew, opens its index and answers (the cold start), then answers its
  share of the questions, so that slow and fast minutes of the machine fall on all.
- clients: 1, 8 and 32 threads that ask without pause, in the last round.
- change: on a copy of the index, one document added and one that answers deleted, each saved; then the question that
  it answered is asked again.
- kill: on a small index, documents are added and saved one by one until the process is killed; then it is opened anew.
"""

from __future__ import annotations

import random
import shutil
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.measure import disk_mebibytes
from benchmarks.peers.corpora import Corpus
from benchmarks.peers.process import Adapter, PeerFailed
from benchmarks.peers.protocol import Record
from benchmarks.peers.scoring import judge
from benchmarks.peers.systems import System
from qa.evaluation.figures import figure

__all__ = ["CLIENTS", "Measurement"]

CLIENTS = (1, 8, 32)
_QUANTILES = {"ask_ms_p50": 0.5, "ask_ms_p95": 0.95, "cited_characters": 0.5}
_N_KILL = 200
_KILL_SECONDS = (0.0, 0.4)
_SEED = 10

Result = dict[str, Any]


class Measurement:
    """One run over a corpus; `results` holds one object a system, figures as ``[n, value, low, high]``.

    Args:
        corpus: documents and questions.
        systems: in the order in which they take turns.
        environments: folder of the virtual environments.
        folder: an empty folder for indexes.
        n_rounds: processes that share the questions, at least 1.
        client_seconds: how long each number of clients asks; 0 leaves throughput out.
        n_kills: processes that are killed while they write; 0 leaves it out.
    """

    def __init__(
        self,
        corpus: Corpus,
        systems: Sequence[System],
        *,
        environments: Path,
        folder: Path,
        n_rounds: int,
        client_seconds: float,
        n_kills: int,
    ) -> None:
        self._corpus, self._systems = corpus, list(systems)
        self._environments, self._folder = environments, folder
        self._n_rounds, self._client_seconds, self._n_kills = n_rounds, client_seconds, n_kills
        self._records = {record.id: record for record in corpus.records}
        self._values: dict[str, dict[str, list[float]]] = {system.name: {} for system in systems}
        self.results: dict[str, Result] = {system.name: {"system": system.name} for system in systems}

    def run(self) -> None:
        """Measure all; what fails is told in the result of its system, and the others go on."""
        documents = self._folder / "documents.jsonl"
        self._corpus.write(documents)
        for system in list(self._systems):
            if not self._try(system, "build", lambda s: self._build(s, documents)):
                self._systems.remove(system)
        for number in range(self._n_rounds):
            for system in self._systems:
                self._try(system, f"round {number + 1}", lambda s, n=number: self._round(s, n))
        for system in self._systems:
            self._try(system, "change", self._change)
            if self._n_kills:
                self._try(system, "kill", self._kills)
        for name, values in self._values.items():
            self.results[name]["figures"] = {each: _figure(each, found) for each, found in sorted(values.items())}

    def _try(self, system: System, phase: str, act: Any) -> bool:
        start = time.perf_counter()
        failed = None
        try:
            act(system)
        except PeerFailed as error:
            failed = str(error)
            self.results[system.name].setdefault("failed", {})[phase] = failed
        seconds = time.perf_counter() - start
        note = f": {failed}" if failed else ""
        print(f"{self._corpus.name} · {system.name} · {phase} · {seconds:.1f} s{note}", file=sys.stderr, flush=True)
        return failed is None

    def _store(self, system: System) -> Path:
        return self._folder / system.name.replace(" ", "-").replace(",", "")

    def _adapter(self, system: System) -> Adapter:
        return Adapter(system.command(self._environments))

    def _add(self, system: System, **values: float) -> None:
        for name, value in values.items():
            self._values[system.name].setdefault(name, []).append(value)

    def _build(self, system: System, documents: Path) -> None:
        store = self._store(system)
        store.mkdir()
        result = self.results[system.name]
        start = time.perf_counter()
        with self._adapter(system) as adapter:
            built = adapter.do("build", documents=str(documents), store=str(store))
            result["build_s"] = time.perf_counter() - start
            result["build_call_s"] = built["seconds"]
            result["build_mib"] = adapter.peak_mebibytes
            result["about"] = adapter.do("about")
        result["disk_mib"] = disk_mebibytes(store)

    def _round(self, system: System, number: int) -> None:
        questions = self._corpus.questions
        start = time.perf_counter()
        with self._adapter(system) as adapter:
            adapter.do("open", store=str(self._store(system)))
            adapter.do("ask", question=questions[0].question)
            self._add(system, cold_s=time.perf_counter() - start)
            for gold in questions[number :: self._n_rounds]:
                reply = adapter.do("ask", question=gold.question)
                self._add(system, **judge(gold, reply, self._records), ask_ms_p50=reply["ms"], ask_ms_p95=reply["ms"])
            self._add(system, ask_mib=adapter.peak_mebibytes)
            if self._client_seconds and number == self._n_rounds - 1:
                self.results[system.name]["clients"] = self._clients(adapter)

    def _clients(self, adapter: Adapter) -> dict[str, float]:
        texts = [gold.question for gold in self._corpus.questions]
        seconds = self._client_seconds
        return {str(n): adapter.do("clients", questions=texts, n=n, seconds=seconds)["per_second"] for n in CLIENTS}

    def _change(self, system: System) -> None:
        """Add and delete on a copy; the document deleted is one that was found for a question."""
        copy = self._folder / "change"
        shutil.copytree(self._store(system), copy)
        added = Record("ajout", "Le pont de Gassin a rouvert mardi ; douze personnes étaient là.", "Gassin")
        result = self.results[system.name]
        try:
            with self._adapter(system) as adapter:
                adapter.do("open", store=str(copy))
                question, document = self._found(adapter)
                result["change"] = adapter.do("change", store=str(copy), record=asdict(added), delete=document)
                if "unsupported" not in result["change"]:
                    again = adapter.do("ask", question=question)
                    result["change"]["still_found"] = document in {name for name, _, _ in again["hits"]}
                    new = adapter.do("ask", question="Quand le pont de Gassin a-t-il rouvert ?")
                    result["change"]["new_found"] = bool(new["hits"]) and new["hits"][0][0] == added.id
        finally:
            shutil.rmtree(copy)

    def _found(self, adapter: Adapter) -> tuple[str, str]:
        """Return a question and the first document found for it."""
        question = next(gold.question for gold in self._corpus.questions if gold.is_answerable)
        return question, adapter.do("ask", question=question)["hits"][0][0]

    def _kills(self, system: System) -> None:
        if "unsupported" in self.results[system.name].get("change", {}):
            return
        chance = random.Random(_SEED)
        base, store = self._folder / "kill-base", self._folder / "kill"
        outcomes = {"opened": 0, "kept": 0, "killed": 0}
        try:
            before = self._corpus.records[:_N_KILL]
            Corpus("kill", before, ()).write(self._folder / "kill.jsonl")
            base.mkdir()
            with self._adapter(system) as adapter:
                adapter.do("build", documents=str(self._folder / "kill.jsonl"), store=str(base))
            for _ in range(self._n_kills):
                shutil.copytree(base, store)
                saved = self._killed(system, store, chance.uniform(*_KILL_SECONDS))
                outcomes["killed"] += 1
                names = self._names(system, store)
                outcomes["opened"] += names is not None
                outcomes["kept"] += names is not None and ({record.id for record in before} | saved) <= names
                shutil.rmtree(store)
        finally:
            shutil.rmtree(base, ignore_errors=True)
            shutil.rmtree(store, ignore_errors=True)
        self.results[system.name]["kill"] = outcomes

    def _killed(self, system: System, store: Path, seconds: float) -> set[str]:
        """Add and save documents until killed, some time after the first; return those acknowledged before."""
        further = [
            asdict(Record(f"ajout-{number}", f"Le {number}e essai a été écrit pendant une coupure de courant."))
            for number in range(1_000)
        ]
        with self._adapter(system) as adapter:
            adapter.do("open", store=str(store))
            adapter.send("write", store=str(store), records=further)
            saved = {adapter.receive()["saved"]}
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                if (name := adapter.receive().get("saved")) is None:
                    break
                saved.add(name)
            time.sleep(statistics.fmean(_KILL_SECONDS) * seconds)  # most likely in the middle of a write
        return saved

    def _names(self, system: System, store: Path) -> set[str] | None:
        """Return the documents that a fresh process finds in an index, or None where it cannot open it."""
        try:
            with self._adapter(system) as adapter:
                adapter.do("open", store=str(store))
                return set(adapter.do("names")["names"])
        except PeerFailed:
            return None


def _figure(name: str, values: Sequence[float]) -> list[float]:
    found = figure(values, quantile=_QUANTILES.get(name))
    return [found.n, *(round(value, 4) for value in (found.mean, found.low, found.high))]
