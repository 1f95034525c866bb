"""What the benchmarks of speed share: a command timed in a fresh process, its memory, and the head of a result."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

__all__ = ["disk_mebibytes", "family_kibibytes", "head", "measured", "memory_kibibytes", "run"]

_SAMPLE_SECONDS = 0.1


def run(arguments: Sequence[str]) -> tuple[float, float]:
    """Run a Python command; return its wall time in seconds and the peak memory of all its processes in MiB.

    The memory is the largest sum of the proportional set sizes of the process and its descendants, sampled ten times
    a second, and at least the resident peak of the largest one, as the system counted it.

    Raises:
        SystemExit: if the command fails.
    """
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors: list[bytes] = []
    peak, done = _Peak(process.pid), threading.Event()
    threads = [
        threading.Thread(target=peak.follow, args=(done,)),
        threading.Thread(target=lambda: errors.append(process.stderr.read() if process.stderr else b"")),
    ]
    for thread in threads:
        thread.start()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    done.set()
    for thread in threads:
        thread.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.stderr:
        process.stderr.close()
    if process.returncode:
        raise SystemExit(f"python {' '.join(arguments)} failed with {process.returncode}:\n{errors[0].decode()}")
    return seconds, max(peak.kibibytes, usage.ru_maxrss) / 1024


def measured(arguments: Sequence[str]) -> dict[str, Any]:
    """Run a Python command that prints one JSON object, and return it.

    Raises:
        SystemExit: if the command fails.
    """
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"python {' '.join(arguments)} failed with {done.returncode}:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class _Peak:
    """The most memory that a process and its descendants held together, in KiB."""

    def __init__(self, process: int) -> None:
        self.kibibytes = 0
        self._process = process

    def follow(self, done: threading.Event) -> None:
        """Sample until told to stop."""
        while not done.wait(_SAMPLE_SECONDS):
            self.kibibytes = max(self.kibibytes, family_kibibytes(self._process))


def family_kibibytes(process: int) -> int:
    """Return the memory of a process and its descendants together, what is shared divided by those who share it."""
    return sum(memory_kibibytes(each, "Pss") for each in _family(process))


def memory_kibibytes(process: int | str, name: str) -> int:
    """Return one line of the memory map of a process, 0 where the system keeps none or the process has ended.

    Args:
        process: its number, or "self".
        name: ``Pss`` (what is shared is divided by those who share it), ``Rss``, ``Anonymous`` (not backed by a file).
    """
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
    return 0


def _family(process: int) -> list[int]:
    """Return a process and all its descendants."""
    found, waiting = [], [process]
    while waiting:
        found.append(waiting.pop())
        with suppress(OSError):  # it has ended
            for path in Path(f"/proc/{found[-1]}/task").glob("*/children"):
                waiting += map(int, path.read_text(encoding="ascii").split())
    return found


def disk_mebibytes(folder: Path) -> float:
    """Return the size of a folder's files in MiB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def head() -> str:
    """Return the head of a result: date, commit, hardware, version of Python."""
    found = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(found, capture_output=True, text=True, check=True).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    hardware = f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.machine()}"
    return f"{date.today()} · commit {commit} · {hardware} · Python {platform.python_version()}"
