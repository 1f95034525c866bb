"""What an adapter and the driver say to each other: one JSON object a line, one reply a line.

Standard library only: this module runs in the environment of every peer. What a peer prints goes to its standard error.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, NoReturn, Protocol, TextIO

__all__ = ["Peer", "Piece", "Record", "Reply", "Unsupported", "serve"]

Piece = tuple[str, int, int]
"""A document's id and a half-open range of code points of its text."""


@dataclass(frozen=True, slots=True)
class Record:
    """One document as every system gets it.

    Attributes:
        id: unique in the corpus.
        text: what offsets count in.
        title: its title; may be empty.
        date: ISO 8601, or None.
    """

    id: str
    text: str
    title: str = ""
    date: str | None = None

    @property
    def full_text(self) -> str:
        """Title, line break, text: what a peer without a field for titles indexes."""
        return f"{self.title}\n{self.text}" if self.title else self.text

    @property
    def shift(self) -> int:
        """Where the text begins in `full_text`."""
        return len(self.full_text) - len(self.text)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a system gives for one question.

    Attributes:
        hits: what it found, best first.
        cited: what it shows the user as its source or sources, the first one first.
        answered: False where it said that the documents do not answer.
    """

    hits: Sequence[Piece]
    cited: Sequence[Piece]
    answered: bool = True


class Unsupported(Exception):  # noqa: N818 - not an error of the run: the peer has no such call
    """The peer has no public call for what was asked; the message says so in a few words."""


class Peer(Protocol):
    """One system under measurement."""

    def about(self) -> dict[str, str]:
        """Return its version and settings, in words."""

    def build(self, records: Sequence[Record], store: Path) -> None:
        """Index the records and leave them on disk in an empty folder."""

    def open(self, store: Path) -> None:
        """Open what `build` or `save` left."""

    def answer(self, question: str) -> Any:
        """Do all that its user waits for; only this is timed."""

    def reply(self, question: str, found: Any) -> Reply:
        """Say where what `answer` gave lies in the documents."""

    def add(self, record: Record) -> None:
        """Add one document, so that the next question finds it."""

    def delete(self, name: str) -> None:
        """Delete one document, so that no question finds it."""

    def save(self, store: Path) -> None:
        """Leave on disk what was added and deleted; nothing where each change is on disk already."""

    def names(self) -> set[str]:
        """Return the ids of the documents held."""


def serve(peer: Peer) -> None:
    """Answer commands from standard input until it ends; an error is sent as ``{"error": …}``."""
    with _own_output() as output:
        for line in sys.stdin:
            command = json.loads(line)
            name = command.pop("do")
            try:
                done = _COMMANDS[name](peer, output, **command)
            except Unsupported as error:
                done = {"unsupported": str(error)}
            except Exception as error:  # noqa: BLE001 - whatever the peer raised is what the run reports of it
                done = {"error": f"{type(error).__name__}: {error}"[:300]}
            _send(output, done)


@contextlib.contextmanager
def _own_output() -> Iterator[TextIO]:
    """Keep standard output for replies; what libraries print goes to standard error."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as output:
        os.dup2(2, 1)
        yield output


def _send(output: TextIO, reply: dict[str, Any]) -> None:
    output.write(json.dumps(reply, ensure_ascii=False) + "\n")
    output.flush()


def _about(peer: Peer, _: TextIO) -> dict[str, Any]:
    return dict(peer.about())


def _build(peer: Peer, _: TextIO, *, documents: str, store: str) -> dict[str, Any]:
    with Path(documents).open(encoding="utf-8") as lines:
        records = [Record(**json.loads(line)) for line in lines]
    start = time.perf_counter()
    peer.build(records, Path(store))
    return {"seconds": time.perf_counter() - start}


def _open(peer: Peer, _: TextIO, *, store: str) -> dict[str, Any]:
    peer.open(Path(store))
    return {}


def _ask(peer: Peer, _: TextIO, *, question: str) -> dict[str, Any]:
    start = time.perf_counter()
    found = peer.answer(question)
    milliseconds = 1_000 * (time.perf_counter() - start)
    reply = peer.reply(question, found)
    return {"ms": milliseconds, "answered": reply.answered, "hits": list(reply.hits), "cited": list(reply.cited)}


def _change(peer: Peer, _: TextIO, *, store: str, record: dict[str, Any], delete: str) -> dict[str, Any]:
    """Add one document and delete another; times in milliseconds, those of saving apart."""
    steps: dict[str, Callable[[], None]] = {
        "add_ms": lambda: peer.add(Record(**record)),
        "add_save_ms": lambda: peer.save(Path(store)),
        "delete_ms": lambda: peer.delete(delete),
        "delete_save_ms": lambda: peer.save(Path(store)),
    }
    times = {}
    for name, act in steps.items():
        start = time.perf_counter()
        act()
        times[name] = 1_000 * (time.perf_counter() - start)
    return times


def _clients(peer: Peer, _: TextIO, *, questions: list[str], n: int, seconds: float) -> dict[str, Any]:
    """Let n threads ask, each the next question as soon as it has an answer; return questions a second."""
    end = time.perf_counter() + seconds

    def ask(first: int) -> int:
        for done in count():
            if time.perf_counter() >= end:
                return done
            peer.answer(questions[(first + done * n) % len(questions)])
        return _never()

    start = time.perf_counter()
    with ThreadPoolExecutor(n) as pool:
        asked = sum(pool.map(ask, range(n)))
    return {"per_second": asked / (time.perf_counter() - start)}


def _never() -> NoReturn:
    raise RuntimeError("an endless count has ended")


def _write(peer: Peer, output: TextIO, *, store: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    """Add and save one record after the other, telling each that is saved: to be killed in the middle."""
    for record in records:
        peer.add(Record(**record))
        peer.save(Path(store))
        _send(output, {"saved": record["id"]})
    return {"done": True}


def _names(peer: Peer, _: TextIO) -> dict[str, Any]:
    return {"names": sorted(peer.names())}


_COMMANDS: dict[str, Callable[..., dict[str, Any]]] = {
    "about": _about,
    "build": _build,
    "open": _open,
    "ask": _ask,
    "change": _change,
    "clients": _clients,
    "write": _write,
    "names": _names,
}
