"""The real page, in its own process, for the tests that use it as people and programs do."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
SEED = next((ROOT / "seeds").glob("*.txt"))
# Far above what a start takes, for a machine that is busy with other things.
START_SECONDS = 120


@dataclass(frozen=True)
class Page:
    url: str
    index: Path
    uploads: Path
    process: subprocess.Popen[str]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(folder: Path, *options: str, log: Path | None = None) -> Iterator[Page]:
    """Serve the page over an index of seeds/ that it builds in a folder, and stop it as Ctrl-C does."""
    index = folder / "data" / "index"
    with (
        nullcontext() if log is None else log.open("w", encoding="utf-8") as errors,
        subprocess.Popen(
            [sys.executable, "app.py", "--index", str(index), "--port", str(free_port()), *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        patience = threading.Timer(START_SECONDS, process.kill)
        patience.start()
        assert process.stdout is not None
        line = process.stdout.readline()
        patience.cancel()
        assert line.startswith("Sourcier: http"), f"the page did not start: {line!r}"
        try:
            yield Page(line.split()[1], index, folder / "data" / "uploads", process)
        finally:
            process.send_signal(2)
            process.wait(30)
