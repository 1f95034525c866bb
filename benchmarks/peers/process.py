"""An adapter as a process: commands in, replies out, its memory watched, killed where asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any, Self

from benchmarks.measure import family_kibibytes

__all__ = ["Adapter", "PeerFailed"]

_ROOT = Path(__file__).parents[2]
_SAMPLE_SECONDS = 0.1
_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
}


class PeerFailed(Exception):  # noqa: N818 - a result of the run, told in the tables
    """A peer raised, or its process ended; the message is the peer's own."""


class Adapter:
    """A running adapter; a context manager that ends it."""

    def __init__(self, command: Sequence[str]) -> None:
        self._errors: IO[bytes] = TemporaryFile()  # noqa: SIM115 - closed by `kill`
        self._process = subprocess.Popen(
            command,
            cwd=_ROOT,
            env=os.environ | _OFFLINE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._done = threading.Event()
        self._peak = 0
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def peak_mebibytes(self) -> float:
        """Most memory so far of the process and its descendants together, what is shared divided by who shares it."""
        return self._peak / 1024

    def do(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Send a command and return its reply.

        Raises:
            PeerFailed: if the peer raised or its process ended.
        """
        self.send(name, **arguments)
        return self.receive()

    def send(self, name: str, **arguments: Any) -> None:
        """Send a command without waiting for its reply."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": name, **arguments}, ensure_ascii=False) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise PeerFailed(self._last_words()) from error

    def receive(self) -> dict[str, Any]:
        """Return the next reply; errors as `do`."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise PeerFailed(self._last_words())
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise PeerFailed(reply["error"])
        return reply

    def kill(self) -> None:
        """End the process at once, as a power cut would, and let go of all that belongs to it."""
        self._done.set()
        self._process.kill()
        self._process.wait()
        self._watcher.join()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                _close(stream)

    def _watch(self) -> None:
        while not self._done.wait(_SAMPLE_SECONDS):
            self._peak = max(self._peak, family_kibibytes(self._process.pid))

    def _last_words(self) -> str:
        """Return how the process ended: by a signal, or with the last line that it wrote to its standard error."""
        code = self._process.wait()
        if code < 0:
            return f"ended by {signal.Signals(-code).name}"
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return (lines or [f"ended with {code}"])[-1][:300]


def _close(stream: IO[Any]) -> None:
    try:
        stream.close()
    except BrokenPipeError:
        return  # what was not yet sent to a process that has ended is of no use to it
