"""python -m qa verify: says which citations of a receipt still hold; and where ask writes one."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from index.corpus import CorpusIndex
from index.decode import reason_of
from index.errors import InputError
from qa.receipt_checks import CitationCheck, check_receipt
from qa.receipts import Receipt, read_receipt

__all__ = ["add_verify_options", "check_export_path", "verify", "write_receipt"]

_FORMS: Mapping[str, Callable[[Receipt], str]] = {
    ".json": Receipt.to_json,
    ".md": Receipt.to_markdown,
    ".html": Receipt.to_html,
}


def add_verify_options(parser: argparse.ArgumentParser) -> None:
    """Let a command take a receipt."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a receipt in JSON, Markdown or HTML")
    parser.set_defaults(run=verify)


def check_export_path(path: str) -> Path:
    """Return where a receipt is to be written, of a form that its name says.

    Raises:
        argparse.ArgumentTypeError: if its name ends otherwise.
    """
    if Path(path).suffix.lower() not in _FORMS:
        raise argparse.ArgumentTypeError(f"{path!r}: expected a name that ends in {', '.join(_FORMS)}")
    return Path(path)


def write_receipt(receipt: Receipt, path: Path) -> None:
    """Write a receipt in the form that the name of the file says.

    Raises:
        InputError: if the file cannot be written.
    """
    try:
        path.write_text(_FORMS[path.suffix.lower()](receipt), encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"{path}: {reason_of(error)}; choose another name") from error


def verify(options: argparse.Namespace) -> int:
    """Check a receipt and say of each citation what became of it; return 0 where all hold, else 1."""
    try:
        text = options.file.read_bytes().decode()
    except OSError as error:
        raise InputError(f"{options.file}: {reason_of(error)}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{options.file}: not a receipt ({error}); expected UTF-8") from error
    checks = check_receipt(read_receipt(text), CorpusIndex.open(options.index))
    if options.json:
        print(json.dumps([_record(check) for check in checks], ensure_ascii=False, indent=2))
    else:
        for check in checks:
            print(_line(check))
        print(f"{sum(check.holds for check in checks)} citation(s) sur {len(checks)} tiennent")
    return 0 if all(check.holds for check in checks) else 1


def _record(check: CitationCheck) -> dict[str, Any]:
    return {
        "question": check.turn.question,
        "citation": asdict(check.citation),
        "outcome": check.outcome,
        "holds": check.holds,
        "same_document": check.same_document,
        "source": check.source,
        "start": check.start,
        "in_file": check.in_file,
    }


def _line(check: CitationCheck) -> str:
    cited = check.citation
    said = {
        "holds": "tient",
        "moved": f"déplacée : {check.source}, caractère {check.start}",
        "changed": "changée : le document n’a plus ces mots",
        "gone": "disparue : le document n’est plus dans l’index",
    }[check.outcome]
    notes = []
    if check.outcome == "holds" and check.same_document is False:
        notes.append("le reste du document a changé")
    if check.in_file is False:
        notes.append("le fichier n’a plus ces mots à cette place")
    note = f" ({', '.join(notes)})" if notes else ""
    return f"[{cited.marker}] {said}{note} — {cited.source} : « {' '.join(cited.text.split())[:80]} »"
