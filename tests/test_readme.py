"""The README as its reader tries it: every example runs and prints what stands there, every link leads somewhere."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *(f"docs/decisions/{p.name}" for p in ROOT.glob("docs/decisions/*.md")),
]

# A ```text block right after a ```python block is what the code prints.
EXAMPLE = re.compile(
    r"^```(?P<language>python|console)\n(?P<code>.*?)^```\n(?:\n?```text\n(?P<shown>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\]\((?P<target>[^)#\s]+)(?:#[^)]*)?\)")


@dataclass(frozen=True)
class Example:
    """One fenced example.

    Attributes:
        language: ``python``, a script, or ``console``, commands after ``$ ``, each followed by what it prints.
        line: where it begins in the page, from 1.
        steps: ``(code, what it prints)``, one for a script, one a command for a console. ``...`` in what is printed
            stands for anything, as in doctest.
    """

    language: str
    line: int
    steps: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.language}-line-{self.line}"


def examples(page: str) -> Iterator[Example]:
    """Yield the examples of a page, in order."""
    for match in EXAMPLE.finditer(page):
        line = page.count("\n", 0, match.start()) + 1
        if match["language"] == "python":
            yield Example("python", line, ((match["code"], match["shown"] or ""),))
        else:
            yield Example("console", line, tuple(console_steps(match["code"])))


def console_steps(code: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console with what it prints."""
    before, *commands = re.split(r"^\$ ", code, flags=re.MULTILINE)
    assert not before.strip(), f"a console begins with a command, not with {before!r}"
    for command in commands:
        typed, _, shown = command.partition("\n")
        yield typed, shown


def run(language: str, code: str, folder: Path) -> str:
    """Run a script or a command in a folder and return what it prints; it has to succeed."""
    python = Path(sys.executable).parent
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{python}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-c", code] if language == "python" else ["sh", "-c", code]
    done = subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, encoding="utf-8", timeout=120
    )
    assert done.returncode == 0, f"{code}\nexit code {done.returncode}: {done.stderr}"
    return done.stdout


def difference(shown: str, printed: str) -> str:
    """Say how what is printed differs from what is shown; empty where it does not."""
    checker = doctest.OutputChecker()
    if checker.check_output(shown, printed, doctest.ELLIPSIS):
        return ""
    return checker.output_difference(doctest.Example("", shown), printed, doctest.ELLIPSIS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as a new user has it after the first start: the seeds and their index."""
    shutil.copytree(ROOT / "seeds", tmp_path / "seeds")
    run("console", "python -m index build", tmp_path)
    return tmp_path


@pytest.mark.parametrize("example", list(examples(README)), ids=str)
def test_every_example_prints_what_the_readme_shows(example: Example, folder: Path) -> None:
    for code, shown in example.steps:
        assert not (wrong := difference(shown, run(example.language, code, folder))), f"{code}\n{wrong}"


def test_the_runner_reads_scripts_and_consoles() -> None:
    page = (
        "a\n```python\nprint(1)\n```\n\n```text\n1\n```\n```console\n$ echo a\na\n$ true\n```\n```sh\nmake run\n```\n"
    )
    assert list(examples(page)) == [
        Example("python", 2, (("print(1)\n", "1\n"),)),
        Example("console", 9, (("echo a", "a\n"), ("true", ""))),
    ]


def test_the_runner_sees_a_difference_and_a_failure(tmp_path: Path) -> None:
    assert difference("a ... c\n", "a b c\n") == ""
    assert "Got:\n    b" in difference("a\n", "b\n")
    assert difference("", "b\n") != ""
    with pytest.raises(AssertionError, match="exit code 3"):
        run("console", "exit 3", tmp_path)


def test_the_readme_has_examples_of_both_kinds_and_none_is_left_to_write() -> None:
    assert {example.language for example in examples(README)} == {"python", "console"}
    assert [line for line in README.splitlines() if "FILL" in line] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_leads_to_one(page: str) -> None:
    targets = {match["target"] for match in LINK.finditer((ROOT / page).read_text(encoding="utf-8"))}
    local = {target for target in targets if not re.match(r"\w+:", target)}
    assert {target for target in local if not (ROOT / page).parent.joinpath(target).exists()} == set()
