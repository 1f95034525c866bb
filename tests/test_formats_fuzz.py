"""Damaged files of every format: each gives valid documents or a stated problem, never another error, never a hang.

The mutations are the same in every run. SOURCIER_LONG=1 tries 10,000 a format.
"""

import contextlib
import io
import json
import logging
import os
import random
import re
import resource
import signal
import zipfile
from collections.abc import Iterator
from email.message import EmailMessage
from functools import cache
from pathlib import Path

import pytest

from index.dates import date_bounds
from index.errors import LoadError
from index.formats.notes import LoadNotes
from index.formats.pdf import load_pdf
from index.load import SourceFile, stream_documents
from index.types import Document
from tests.test_formats_office import SAMPLES, TEXT_SHOWN, Loader, sample_pdf, unzipped, zipped

logger = logging.getLogger(__name__)

LONG = os.environ.get("SOURCIER_LONG") == "1"
N_MUTATIONS = 10_000 if LONG else 150
MAX_SECONDS = 20
MAX_GROWTH = 2**30

OFFICE: dict[str, Loader] = {"pdf": load_pdf, **{name: loader for name, (loader, _, _) in SAMPLES.items()}}
PROSE = f"{TEXT_SHOWN}\n\nLe 11 octobre 2022, l'Otan a dit que « tout va bien ». Fin.\n"
ROWS = [
    ["id", "text", "date", "title"],
    ["a", PROSE.replace("\n", " "), "2022-10-11", "Un"],
    ["b", '"Deux", dit-il', "", ""],
]
NUMBERS = (b"0", b"-1", b"99999999999999999999", b"2147483648", b"1e999")
PIECES = (
    b"\0",
    b"\xff\xfe",
    b"<",
    b"&x;",
    b"<!--",
    b"]]>",
    b'"',
    b"\xed\xa0\x80",
    b"\r",
    b"\x1a",
    b"\n\n",
    b"{" * 200,
    b"<b>" * 300,
)


def sample_mail() -> bytes:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "L'été", "Zoé <z@example.org>", "Paul <p@example.org>"
    mail["Date"] = "Tue, 11 Oct 2022 12:00:00 +0200"
    mail.set_content(PROSE)
    mail.add_alternative(sample_html().decode(), subtype="html")
    mail.add_attachment(PROSE.encode(), maintype="text", subtype="plain", filename="a.txt")
    return mail.as_bytes()


def sample_html() -> bytes:
    body = f"<h1>Un</h1><p>{PROSE}</p><ul><li>un<li>deux</ul><table><tr><td>a<td>b</table><script>x()</script>"
    head = (
        '<meta charset="utf-8"><title>Titre</title><meta name="author" content="Zoé"><meta name="date" content="2022">'
    )
    return f'<!DOCTYPE html><html lang="fr"><head>{head}</head><body>{body}&eacute;</body></html>'.encode()


def sample_tar() -> bytes:
    import tarfile

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in (("a.txt", PROSE.encode()), ("d/b.html", sample_html())):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def separated(separator: str) -> bytes:
    quoted = (
        '"' + cell.replace('"', '""') + '"' if set(cell) & {'"', ",", ";", "\t"} else cell
        for row in ROWS
        for cell in row
    )
    cells = list(quoted)
    return "\r\n".join(separator.join(cells[n : n + 4]) for n in range(0, len(cells), 4)).encode()


@cache
def samples() -> dict[str, bytes]:
    """Return a valid file of each format, by its extension."""
    records = [{"id": "a", "text": PROSE, "date": "2022-10", "title": "Un", "k": [1, {"x": 2.5}]}, {"text": "é\ud7ff"}]
    front = "---\ntitle: Un\ndate: 2022-10-11\nauthor: Zoé\n---\n"
    office = {name: sample() for name, (_, sample, _) in SAMPLES.items()}
    return {
        "pdf": sample_pdf(),
        **office,
        "jsonl": "\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode(),
        "json": json.dumps(records).encode(),
        "md": f"{front}# Titre\n\n{PROSE}\n```\n# code\n```\n| a | b |\n|---|---|\n| 1 | 2 |\n".encode(),
        "txt": f" date 2022-10-11 \n{PROSE}".encode(),
        "html": sample_html(),
        "csv": separated(","),
        "tsv": separated("\t"),
        "eml": sample_mail(),
        "mbox": b"\n\n".join(b"From z Tue Oct 11 12:00:00 2022\n" + mail for mail in (sample_mail(), sample_mail())),
        "zip": zipped({"a.txt": PROSE, "d/b.html": sample_html(), "c.docx": office["docx"]}),
        "tar.gz": sample_tar(),
    }  # fmt: skip


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return bytes that differ in one to four places, or are cut off."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        at, other = (chance.randrange(len(changed) + 1) for _ in range(2))
        size = min(1 << chance.randrange(12), len(changed))
        match chance.randrange(7):
            case 0 if changed:
                changed[min(at, len(changed) - 1)] ^= 1 << chance.randrange(8)
            case 1:
                del changed[at:]
            case 2:
                changed[at:at] = changed[other : other + size]
            case 3:
                changed[at : at + size] = changed[other : other + size]
            case 4:
                del changed[at : at + size]
            case 5:
                changed[at:at] = chance.choice(PIECES)
            case _:
                numbers = list(re.finditer(rb"\d+", changed[at : at + 400]))
                if numbers:
                    number = chance.choice(numbers)
                    changed[at + number.start() : at + number.end()] = chance.choice(NUMBERS)
    return bytes(changed)


def variant(name: str, number: int) -> bytes:
    """Return the mutation of that number of a format's sample: of the file, or in one member of a container."""
    chance = random.Random(f"{name}:{number}")
    data = samples()[name]
    if not data.startswith(b"PK") or chance.random() < 0.3:
        return mutated(data, chance)
    members = unzipped(data)
    markup = [member for member in members if not member.endswith((".jpeg", ".bin"))]
    telling = [
        member for member in markup if re.search(r"sheet|slide\d|document\.|content|xhtml|opf|rels|core|docx", member)
    ]
    member = chance.choice(telling if telling and chance.random() < 0.7 else markup)
    members[member] = mutated(members[member], chance)
    return zipped(members, zipfile.ZIP_STORED)


class HangError(BaseException):
    """No Exception, so that no loader takes it for an error of its own."""


@contextlib.contextmanager
def limited(what: str) -> Iterator[None]:
    """Fail where something takes too long."""

    def stop(*_: object) -> None:
        raise HangError(f"{what}: more than {MAX_SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(MAX_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def fault(document: Document) -> str | None:
    """Say what is wrong with a document, or None."""
    document.text.encode()
    document.source.encode()
    json.dumps(dict(document.metadata), allow_nan=False).encode()
    if document.date is not None:
        date_bounds(document.date)
    pages = list(document.pages)
    if pages and (pages[0] != 0 or sorted(set(pages)) != pages or pages[-1] > len(document.text)):
        return f"pages {pages} of a text of {len(document.text)}"
    if not document.text.strip():
        return "no text"
    if document.title is not None and not document.title.strip():
        return "an empty title"
    return None


def documents_of(name: str, number: int, data: bytes, path: Path) -> tuple[list[Document], list[str]]:
    """Return the documents and the problems of a file: four in five of an office format by its loader itself."""
    notes = LoadNotes()
    documents: list[Document] = []
    if name in OFFICE and number % 5:
        try:
            documents += OFFICE[name]("f", io.BufferedReader(io.BytesIO(data)), notes)
        except LoadError as error:
            notes.problems.append(error)
    else:
        path.write_bytes(data)
        documents += stream_documents(SourceFile(path, path.name), notes)
    return documents, [str(problem) for problem in notes.problems]


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("name", OFFICE)
def test_valid_sample_is_read(name: str, tmp_path: Path) -> None:
    documents, problems = documents_of(name, 1, samples()[name], tmp_path / f"a.{name}")
    assert ([fault(document) for document in documents], problems) == ([None], [])


@pytest.mark.parametrize("name", samples())
def test_damaged_files(name: str, tmp_path: Path) -> None:
    before, n_documents, n_refused = peak_bytes(), 0, 0
    for number in range(N_MUTATIONS):
        data = variant(name, number)
        what = f"{name} {number}"
        with limited(what):
            documents, problems = documents_of(name, number, data, tmp_path / f"a.{name}")
            assert [(what, wrong) for document in documents if (wrong := fault(document))] == []
        assert documents or problems, what
        assert all(problem.isprintable() and len(problem) < 600 for problem in problems), (what, problems)
        n_documents += bool(documents)
        n_refused += bool(problems)
    assert peak_bytes() - before < MAX_GROWTH
    logger.info("%s: %d damaged files, %d gave documents, %d a problem", name, N_MUTATIONS, n_documents, n_refused)
