"""The systems that are compared, and the environment of each."""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SYSTEMS", "System", "install"]

_HERE = Path(__file__).parent
_OWN = "sourcier"


@dataclass(frozen=True, slots=True)
class System:
    """One row of the tables.

    Attributes:
        name: as the tables and ``--peers`` call it.
        environment: name of its requirements file and of its virtual environment; "sourcier" runs in our own.
        module: its adapter, in `benchmarks.peers.adapters`.
        arguments: what the adapter is started with.
        embeds: the model that it embeds with: "minilm", "ours", or None.
        abstains: whether it can say that the documents do not answer.
    """

    name: str
    environment: str
    module: str
    arguments: tuple[str, ...] = ()
    embeds: str | None = None
    abstains: bool = False

    def command(self, environments: Path) -> list[str]:
        """Return what starts the adapter."""
        module = f"benchmarks.peers.adapters.{self.module}"
        return [str(self.python(environments)), "-m", module, *self.arguments]

    def python(self, environments: Path) -> Path:
        """Return the interpreter of its environment, made or not."""
        return Path(sys.executable) if self.environment == _OWN else environments / self.environment / "bin" / "python"

    def is_installed(self, environments: Path) -> bool:
        """Whether its environment is complete."""
        return self.environment == _OWN or _done(environments / self.environment).exists()


SYSTEMS = (
    System("sourcier", _OWN, "sourcier", ("chatbot",), "ours", abstains=True),
    System("sourcier, search only", _OWN, "sourcier", ("search",), "ours"),
    System("bm25s", "bm25", "bare_bm25", ("bm25s",)),
    System("rank-bm25", "bm25", "bare_bm25", ("rank-bm25",)),
    System("langchain, minilm", "langchain", "langchain_tutorial", ("minilm",), "minilm"),
    System("langchain, our model", "langchain", "langchain_tutorial", ("ours",), "ours"),
    System("txtai hybrid, minilm", "txtai", "txtai_hybrid", ("minilm",), "minilm"),
    System("txtai hybrid, our model", "txtai", "txtai_hybrid", ("ours",), "ours"),
    System("haystack bm25", "haystack", "haystack_pipelines"),
    System("llamaindex bm25", "llamaindex", "llama_index_engines", ("bm25",)),
    System("llamaindex, minilm", "llamaindex", "llama_index_engines", ("minilm",), "minilm"),
    System("llamaindex, our model", "llamaindex", "llama_index_engines", ("ours",), "ours"),
)
"""Sourcier first; then bare engines, then each framework."""


def install(system: System, environments: Path) -> None:
    """Make the environment of a system from its requirements file, unless it is complete.

    Raises:
        SystemExit: if pip fails.
    """
    if system.is_installed(environments):
        return
    folder = environments / system.environment
    venv.create(folder, with_pip=True)
    requirements = _HERE / f"requirements-{system.environment}.txt"
    command = [str(system.python(environments)), "-m", "pip", "install", "--quiet", "-r", str(requirements)]
    print(f"installing {requirements.name} in {folder}", file=sys.stderr)
    if code := subprocess.run(command, check=False).returncode:
        raise SystemExit(f"pip install -r {requirements} failed with {code}: see its message above")
    _done(folder).touch()


def _done(folder: Path) -> Path:
    return folder / "complete"
