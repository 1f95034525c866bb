"""python -m benchmarks.peers: Sourcier beside what people would use instead, on the same corpus, questions and cores.

Each peer runs in a virtual environment of its own, made under data/peers/ from benchmarks/peers/requirements-NAME.txt.
Results are kept in benchmarks/peers/results/, one small file a corpus; tables and plots are drawn from them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import head
from benchmarks.peers.corpora import read_corpus
from benchmarks.peers.phases import Measurement
from benchmarks.peers.report import write_report
from benchmarks.peers.systems import SYSTEMS, System, install

_HERE = Path(__file__).parent
_CORPORA = ("piaf", "news-2000")
_SHORT_CORPORA = ("news-300",)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, keep the results, draw tables and plots."""
    options = _options(arguments)
    systems = _chosen(options.peers)
    for system in systems:
        if options.no_install and not system.is_installed(options.environments):
            print(f"{system.name} is left out: its environment is not made", file=sys.stderr)
        elif not options.no_install:
            install(system, options.environments)
    systems = [system for system in systems if system.is_installed(options.environments)]
    options.results.mkdir(parents=True, exist_ok=True)
    for name in options.corpora or (_SHORT_CORPORA if options.short else _CORPORA):
        _measure(name, systems, options)
    write_report(options.results, options.report)
    print(f"{options.report} is written")


def _measure(name: str, systems: Sequence[System], options: argparse.Namespace) -> None:
    corpus = read_corpus(name, options.data, n_questions=options.questions or (30 if options.short else None))
    with tempfile.TemporaryDirectory() as folder:
        run = Measurement(
            corpus,
            systems,
            environments=options.environments,
            folder=Path(folder),
            n_rounds=1 if options.short else 3,
            client_seconds=1.0 if options.short else 3.0,
            n_kills=1 if options.short else options.kills,
        )
        run.run()
    path = options.results / f"{name}.json"
    kept = json.loads(path.read_text(encoding="utf-8"))["systems"] if path.exists() else {}
    about = {"head": head(), "corpus": name, "documents": len(corpus.records), "questions": len(corpus.questions)}
    for result in run.results.values():
        result["head"] = about["head"]
    whole = {**about, "systems": kept | run.results}
    path.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _chosen(names: Sequence[str]) -> list[System]:
    """Return the systems whose names begin with one of those given; all where none is given.

    Raises:
        SystemExit: if a name is no system's.
    """
    for name in names:
        if not any(system.name.startswith(name) for system in SYSTEMS):
            raise SystemExit(f"--peers {name}: expected the beginning of {', '.join(each.name for each in SYSTEMS)}")
    return [system for system in SYSTEMS if not names or system.name.startswith(tuple(names))]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--short", action="store_true", help="300 articles, 30 questions, one round, one kill")
    parser.add_argument("--peers", nargs="+", default=[], metavar="NAME", help="only systems that begin so")
    parser.add_argument("--corpora", nargs="+", default=[], metavar="NAME", help="piaf, news, news-N")
    parser.add_argument("--questions", type=int, help="questions asked, spread evenly; all by default")
    parser.add_argument("--kills", type=int, default=5, help="processes killed while writing, a system (5)")
    parser.add_argument("--no-install", action="store_true", help="leave out peers whose environment is not made")
    parser.add_argument("--environments", type=Path, default=Path("data/peers"))
    parser.add_argument("--results", type=Path, default=_HERE / "results")
    parser.add_argument("--report", type=Path, default=_HERE / "README.md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
