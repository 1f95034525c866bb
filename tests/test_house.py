"""What keeps the house in order: who may import what, what is pinned, what may lie in the repository."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("index", "qa", "ui", "app")
"""Each may import itself and those before it."""

DOORS = {
    "docx": "index/formats/docx.py",
    "faiss": "index/vectors.py",
    "gradio": "ui/",
    "huggingface_hub": "index/embed.py",
    "ir_measures": "qa/evaluation/ranking.py",
    "matplotlib": "qa/evaluation/plot.py",
    "onnxruntime": "qa/bundled_reader.py",
    "openpyxl": "index/formats/xlsx.py",
    "pptx": "index/formats/pptx.py",
    "pypdfium2": "index/formats/pdf.py",
    "safetensors": "index/segment.py index/static_model.py",
    "sentence_transformers": "index/embed.py",
    "sqlite3": "index/database.py ui/feedback.py",
    "tokenizers": "index/static_model.py qa/bundled_reader.py",
    "trafilatura": "index/formats/html.py",
    "transformers": "qa/transformers_reader.py",
    "watchfiles": "index/watch.py",
}
"""A heavy library and the one file or folder of the product that may import it; one for each of two kinds of file."""

PICKLES = {"_pickle", "cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
PICKLE_SUFFIXES = {".bin", ".joblib", ".pickle", ".pkl", ".pt", ".pth"}
MAX_TRACKED_BYTES = 24 * 2**20
PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[0-9][0-9a-z.]*)")
SEED = "seeds/000_56afb7ba333c6065.txt"
SEED_SHA256 = "fcca53066f03d29ba5319eea4611869fba41670e63931b69f01b1440290cb012"

# Run in an interpreter of its own: what importing a package loads, opens and connects to.
WATCH = """
import json, sys
seen = []
def watch(event, arguments):
    if event in ("open", "sqlite3.connect", "socket.connect", "subprocess.Popen"):
        seen.append(str(arguments[0]))
sys.addaudithook(watch)
import {package}
print(json.dumps({{"modules": sorted(sys.modules), "seen": seen}}))
"""


def imported(code: str) -> set[str]:
    """Return the top-level name of every module that the code imports, wherever in it and by whatever way."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name for alias in aliases}
            case ast.ImportFrom(module=str(module), level=0):
                names.add(module)
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(module)), *_],
            ):
                names.add(module)
    return {name.partition(".")[0] for name in names}


def public_names(code: str) -> set[str]:
    """Return the public names that a module defines at its top level, or takes from its own package's modules."""
    names: set[str] = set()
    for node in ast.parse(code).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.ImportFrom(module=str(module), names=aliases) if module.partition(".")[0] in LAYERS:
                names |= {alias.asname or alias.name for alias in aliases}
    return {name for name in names if not name.startswith("_")}


def product_files() -> list[Path]:
    """Return every module of the product, relative to the root."""
    folders = [path.relative_to(ROOT) for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]
    return [*folders, Path("app.py")]


def tracked_files() -> list[Path]:
    """Return the files that git tracks and that are there, relative to the root."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there is no list of tracked files")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]


def pins(name: str) -> dict[str, str]:
    """Return the pinned version of each distribution that a requirements file names, by its normalised name."""
    found: dict[str, str] = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith(("#", "-r ")):
            match = PIN.fullmatch(line)
            assert match, f"{name}: {line!r} is not pinned as name==version"
            distribution = normalised(match["name"])
            assert distribution not in found, f"{name}: {distribution} stands there twice"
            found[distribution] = match["version"]
    return found


def normalised(distribution: str) -> str:
    """Return the name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def brought_by(files: list[Path]) -> dict[str, set[str]]:
    """Return each third-party module that the files import with the distributions that bring it."""
    distributions = importlib.metadata.packages_distributions()
    own = {*LAYERS, "benchmarks", "tests", "training"}
    names = set().union(*(imported((ROOT / path).read_text(encoding="utf-8")) for path in files))
    return {
        name: {normalised(distribution) for distribution in distributions.get(name, [])}
        for name in names - own - set(sys.stdlib_module_names)
    }


def undeclared(files: list[Path], declared: set[str]) -> set[str]:
    """Return the third-party modules that the files import without a requirement that brings them."""
    return {name for name, distributions in brought_by(files).items() if not distributions & declared}


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import faiss.contrib as f, os", {"faiss", "os"}),
        ("def late():\n    from qa.types import Answer", {"qa"}),
        ("import importlib\nimportlib.import_module('torch.nn')", {"importlib", "torch"}),
        ("m = __import__('pickle')", {"pickle"}),
        ("if TYPE_CHECKING:\n    from gradio import Blocks", {"gradio"}),
        ("from . import types", set()),
    ],
)
def test_the_walk_sees_every_way_to_import(code: str, names: set[str]) -> None:
    assert imported(code) == names


def test_public_names_are_definitions_and_own_imports() -> None:
    code = "from os import sep\nfrom index.types import Span as S\nclass A: ...\ndef _b(): ...\nasync_ = 1"
    assert public_names(code) == {"A", "S"}


@pytest.mark.parametrize("path", product_files(), ids=str)
def test_imports_go_from_the_page_to_questions_to_the_index(path: Path) -> None:
    layer = LAYERS.index(path.with_suffix("").parts[0])
    above = {*LAYERS[layer + 1 :], "benchmarks", "tests", "training"}
    assert not imported((ROOT / path).read_text(encoding="utf-8")) & above


@pytest.mark.parametrize(("library", "door"), DOORS.items())
def test_each_heavy_library_has_one_door(library: str, door: str) -> None:
    users = {p.as_posix() for p in product_files() if library in imported((ROOT / p).read_text(encoding="utf-8"))}
    assert users, f"nothing imports {library}: its door {door} and its requirement have no reason"
    assert {user for user in users if not user.startswith(tuple(door.split()))} == set()
    assert [each for each in door.split() if not any(user.startswith(each) for user in users)] == []


@pytest.mark.parametrize("package", ["index", "qa"])
def test_the_names_of_a_package_are_sorted_and_complete(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__all__ == sorted(module.__all__)
    assert set(module.__all__) == public_names((ROOT / package / "__init__.py").read_text(encoding="utf-8"))
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


@pytest.mark.parametrize(("package", "names"), [("index", {"CorpusIndex"}), ("qa", {"Answer", "Chatbot"})])
def test_the_promised_names_are_there(package: str, names: set[str]) -> None:
    assert names <= set(importlib.import_module(package).__all__)


@pytest.mark.parametrize("package", ["index", "qa"])
def test_importing_a_package_is_light(package: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", WATCH.format(package=package)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    watched = json.loads(run.stdout)
    heavy = {*DOORS, "langchain", "langchain_core", "model2vec", "torch"} - {"sqlite3"}
    assert package in watched["modules"]
    assert heavy & set(watched["modules"]) == set()
    inside = [name for name in watched["seen"] if (ROOT / name).is_relative_to(ROOT) and ".venv" not in name]
    assert any(name.endswith((".py", ".pyc")) for name in inside)  # the watch does see files
    assert [name for name in inside if not Path(name).name.endswith((".py", ".pyc")) and ".pyc." not in name] == []


def test_nothing_is_pickled() -> None:
    for path in tracked_files():
        assert path.suffix not in PICKLE_SUFFIXES, f"{path}: weights are kept as safetensors or plain text"
        if path.suffix == ".py":
            code = (ROOT / path).read_text(encoding="utf-8")
            assert not imported(code) & PICKLES, path
            options = {keyword.arg for node in ast.walk(ast.parse(code)) for keyword in getattr(node, "keywords", [])}
            assert "allow_pickle" not in options, path


def test_no_tracked_file_is_large() -> None:
    large = {path: size for path in tracked_files() if (size := (ROOT / path).stat().st_size) > MAX_TRACKED_BYTES}
    assert large == {}


def test_the_seed_document_is_kept_byte_for_byte() -> None:
    assert hashlib.sha256((ROOT / SEED).read_bytes()).hexdigest() == SEED_SHA256


def test_every_requirement_is_pinned_and_locked() -> None:
    locked = pins("constraints.txt")
    for name in (
        "requirements.txt",
        "requirements-dev.txt",
        "requirements-chat.txt",
        "requirements-scale.txt",
        "requirements-training.txt",
    ):
        assert pins(name), name
        assert {pin: version for pin, version in pins(name).items() if locked.get(pin) != version} == {}


def test_the_tests_run_on_the_pinned_releases() -> None:
    pinned = pins("requirements.txt")
    installed = {name: importlib.metadata.version(name).partition("+")[0] for name in pinned}
    assert installed == pinned


def test_the_product_imports_only_what_it_requires() -> None:
    assert undeclared(product_files(), {*pins("requirements.txt"), *pins("requirements-scale.txt")}) == set()


def test_the_product_uses_all_that_it_requires() -> None:
    used = set().union(*brought_by(product_files()).values())
    # The release that sentence-transformers runs on, and a part of lxml that trafilatura does not ask for by itself.
    assert set(pins("requirements.txt")) - used == {"torch", "lxml-html-clean"}


def test_tests_and_training_import_only_what_is_required() -> None:
    # Benchmarks are left out: each says in its head which peers it wants beside Sourcier.
    files = [p.relative_to(ROOT) for each in ("tests", "training") for p in (ROOT / each).rglob("*.py")]
    required = {
        pin for each in ("requirements.txt", "requirements-dev.txt", "requirements-scale.txt") for pin in pins(each)
    }
    assert undeclared(files, required) == set()


def test_every_dependency_has_its_reason_in_the_readme() -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Dependencies\n")[2].partition("\n## ")[0]
    reasons = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", section, re.MULTILINE))
    assert {normalised(name) for name in reasons} == set(pins("requirements.txt"))
    assert [name for name, reason in reasons.items() if not reason.strip()] == []


def test_ci_and_the_workflow_run_the_commands_of_the_readme() -> None:
    script = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert script[-2:] == ["make check", "REQUIRE_BROWSER=1 make test"]
    assert "- run: .ci/run" in (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(command in readme for command in ("make run", "make test", "make check"))
