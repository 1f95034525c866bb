"""python -m index: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from index.__main__ import main
from tests.conftest import ROOT, index_rows, write_files
from tests.model_folders import save_embedder

OTAN = "Le secrétaire général de l'Otan est Jens Stoltenberg."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with documents in docs/."""
    write_files(tmp_path, {"docs/otan.txt": OTAN, "docs/char.txt": "Le char Leclerc pèse 56 tonnes."})
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def built(folder: Path) -> Path:
    assert main(["build", "docs"]) == 0
    return folder


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "index", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_build_add_remove_and_build_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(folder, {"plus/neuf.txt": "Un texte neuf."})
    for arguments, line in (
        (["build", "docs"], "generation 1: 2 added, 0 changed, 0 removed, 0 unchanged; 2 passages embedded"),
        (["build", "docs"], "generation 1: 0 added, 0 changed, 0 removed, 2 unchanged; 0 passages embedded"),
        (["add", "plus"], "generation 2: 1 added, 0 changed, 0 removed, 2 unchanged; 1 passages embedded"),
        (["remove", "docs/otan.txt"], "generation 3: 0 added, 0 changed, 1 removed, 2 unchanged; 0 passages embedded"),
        (["build", "docs", "plus"], "generation 4: 1 added, 0 changed, 0 removed, 2 unchanged; 1 passages embedded"),
    ):
        assert main(arguments) == 0
        assert capsys.readouterr() == (f"data/index: {line}\n", "")


def test_status_as_text_and_as_json(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(built, {"docs/lignes.jsonl": '{"text": "Un.", "date": "2022-10-03"}\n{"text": \n{"texte": "Deux."}\n'})
    main(["build", "docs"])
    capsys.readouterr()
    assert main(["status", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    size = record.pop("n_bytes")
    assert 10_000 < size < 1_000_000
    assert record == {
        "directory": "data/index",
        "generation": 2,
        "n_files": 3,
        "n_sources": 3,
        "n_documents": 3,
        "n_passages": 3,
        "first_date": "2022-10-03",
        "last_date": "2022-10-03",
        "embedder": "bundled",
        "dimension": 256,
        "roots": ["docs"],
        "problems": [
            {"source": "docs/lignes.jsonl:2", "reason": "is not JSON (Expecting value at character 11)"},
            {"source": "docs/lignes.jsonl:3", "reason": 'has no "text"'},
        ],
    }
    assert main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "data/index: generation 2",
        "3 documents in 3 files, 3 passages, from 2022-10-03 to 2022-10-03",
    ]
    assert lines[3:] == [
        "built from: docs",
        "not indexed: docs/lignes.jsonl:2: is not JSON (Expecting value at character 11)",
        'not indexed: docs/lignes.jsonl:3: has no "text"',
    ]


def test_status_tells_documents_from_their_sources(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(built, {"docs/copie.txt": OTAN, "docs/autre.txt": OTAN})
    main(["build", "docs"])
    capsys.readouterr()
    assert main(["status"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "2 documents (4 sources) in 4 files, 2 passages"
    assert main(["status", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["n_files"], record["n_sources"], record["n_documents"], record["n_passages"]) == (4, 4, 2, 2)


def files_of(folder: Path) -> dict[Path, bytes]:
    held = [path for path in (folder / "data").rglob("*") if path.is_file() and "sqlite-" not in path.name]
    return {path: path.read_bytes() for path in held}


def test_a_dry_run_says_what_would_be_done_and_does_nothing(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(built, {"docs/neuf.txt": "Un texte neuf.", "docs/char.txt": "Le char est neuf.", "plus/a.txt": "Plus."})
    (built / "docs/otan.txt").unlink()
    (built / "docs/image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4)
    before = files_of(built)
    assert before
    capsys.readouterr()
    for arguments, marks, figures, n_problems in (
        (["build", "docs"], ["+ docs/neuf.txt", "~ docs/char.txt", "- docs/otan.txt"], "1, 1 changed, 1 removed, 0", 1),
        (["add", "plus", "docs/char.txt"], ["+ plus/a.txt", "~ docs/char.txt"], "1, 1 changed, 0 removed, 1", 0),
        (["add", "docs/char.txt", "--index", "data/index"], ["~ docs/char.txt"], "0, 1 changed, 0 removed, 1", 0),
        (["remove", "docs"], ["- docs/char.txt", "- docs/otan.txt"], "0, 0 changed, 2 removed, 0", 0),
    ):
        assert main([*arguments, "--dry-run"]) == 0
        out, err = capsys.readouterr()
        *lines, last = out.splitlines()
        assert lines == marks
        added, _, rest = figures.partition(",")
        assert last == f"data/index: nothing was changed: {added} would be added,{rest} stay"
        assert err.count("not indexed: docs/image.png: ") == err.count("\n") == n_problems
    assert files_of(built) == before
    assert main(["status"]) == 0
    assert "generation 1\n2 documents in 2 files" in capsys.readouterr().out


def test_a_dry_run_of_a_first_build_makes_no_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "docs", "--dry-run"]) == 0
    assert capsys.readouterr() == (
        "+ docs/char.txt\n+ docs/otan.txt\n"
        "data/index: nothing was changed: 2 would be added, 0 changed, 0 removed, 0 stay\n",
        "",
    )
    assert not (folder / "data").exists()


def test_names_that_are_not_utf_8_are_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b"caf\xe9")
    (folder / name).mkdir()
    (folder / name / f"{name}.txt").write_text(OTAN, encoding="utf-8")
    assert main(["build", name, "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("+ caf\\xe9/caf\\xe9.txt\n")
    assert main(["build", name]) == 0
    capsys.readouterr()
    assert main(["status"]) == 0
    assert capsys.readouterr().out.splitlines()[3] == "built from: caf\\xe9"
    status = run("status", "--json", cwd=folder)
    assert (status.returncode, json.loads(status.stdout)["roots"]) == (0, ["caf\\xe9"])
    removed = run("remove", f"{name}/{name}.txt", cwd=folder)
    assert (removed.returncode, removed.stderr) == (0, "")
    assert "1 removed" in removed.stdout
    absent = run("remove", f"{name}/{name}.txt", cwd=folder)
    assert (absent.returncode, absent.stdout) == (1, "")
    assert absent.stderr.startswith("error: the index holds no 'caf")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_embedder(tmp_path_factory.mktemp("model"), prompts={"query": "question : ", "document": "passage : "})


COST = (
    "data/index: 2 passages are to be embedded again with {model}, instead of bundled: about 1 s on this machine "
    "(measured on 2)"
)


def test_embed_changes_the_model_without_reading_a_file(
    built: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (built / "docs/otan.txt").unlink()
    write_files(built, {"docs/neuf.txt": "Un texte neuf."})
    before = files_of(built)
    capsys.readouterr()
    assert main(["embed", "--embedder", str(model), "--dry-run"]) == 0
    out, _ = capsys.readouterr()
    assert out == f"data/index: nothing was changed: {COST.split(': ', 1)[1].format(model=model)}\n"
    assert files_of(built) == before
    assert main(["embed", "--embedder", str(model)]) == 0
    out, err = capsys.readouterr()
    assert out == f"data/index: generation 2: 2 passages embedded with {model}\n"
    said = err.splitlines()[-1]
    assert said == COST.format(model=model) + "; until it ends, the index is as it was, and Ctrl-C leaves it so"
    rows = index_rows(built / "data/index")
    assert [len(row[4]) for row in rows["passages"]] == [2 * 16, 2 * 16]
    assert len(rows["sources"]) == 2
    assert main(["embed", "--embedder", str(model)]) == 0
    assert capsys.readouterr().out == f"data/index: generation 2: 0 passages embedded with {model}\n"
    assert main(["embed", "--dry-run"]) == 0
    assert "nothing was changed: the index has the embeddings of this model already" in capsys.readouterr().out
    assert main(["verify"]) == 0


@pytest.mark.parametrize(
    ("arguments", "figures"),
    [
        (["build", "docs"], "1 added, 0 changed, 0 removed, 2 unchanged; 3 passages embedded"),
        (["add", "docs/neuf.txt"], "1 added, 0 changed, 0 removed, 2 unchanged; 3 passages embedded"),
    ],
    ids=["build", "add"],
)
def test_build_and_add_change_the_model_in_the_same_generation(
    built: Path, model: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], figures: str
) -> None:
    write_files(built, {"docs/neuf.txt": "Un texte neuf."})
    capsys.readouterr()
    assert main([*arguments, "--embedder", str(model)]) == 0
    out, err = capsys.readouterr()
    assert out == f"data/index: generation 2: {figures}\n"
    assert COST.format(model=model) in err
    assert main([*arguments, "--embedder", str(model)]) == 0
    out, err = capsys.readouterr()
    assert out.endswith("0 passages embedded\n")
    assert "are to be embedded" not in err
    assert main(["status", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["embedder"], record["dimension"], record["generation"]) == (str(model), 16, 2)


@pytest.mark.parametrize("command", ["build", "add", "embed"])
def test_a_missing_model_leaves_the_index_as_it_was(
    built: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    before = files_of(built)
    capsys.readouterr()
    paths = [] if command == "embed" else ["docs"]
    assert main([command, *paths, "--embedder", "/nowhere/model"]) == 1
    assert capsys.readouterr() == (
        "",
        "error: embedding model '/nowhere/model': expected a folder or a hub name such as organisation/model, "
        "found neither\n",
    )
    assert files_of(built) == before


def test_verify_and_repair(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["verify"]) == 0
    assert capsys.readouterr() == ("data/index: sound\n", "")
    next((built / "data/index/segments").iterdir()).write_bytes(b"damaged")
    assert main(["verify"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    first, last = err.splitlines()
    assert first.startswith("segments/1-")
    assert "has SHA-256" in first
    assert last.startswith("error: 1 faults")
    assert last.endswith("`python -m index repair --index data/index` makes search files again")
    assert main(["repair"]) == 0
    assert capsys.readouterr().out == "data/index: search files made again for 2 passages\n"
    assert main(["verify"]) == 0


def test_a_broken_line_is_named_with_its_number_and_the_others_are_indexed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(folder, {"lignes.jsonl": '{"text": "Un."}\n\n{"text": "Deux.\n[1]\n{"text": "Trois."}\n'})
    assert main(["build", "lignes.jsonl"]) == 0
    out, err = capsys.readouterr()
    assert "2 added" in out
    assert [line.partition(" is ")[0] for line in err.splitlines()] == [
        "not indexed: lignes.jsonl:3:",
        "not indexed: lignes.jsonl:4:",
    ]


def test_cp1252_is_read_with_a_warning(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "docs/ancien.txt").write_bytes("L’été à Évian coûte 3 €.".encode("cp1252"))
    assert main(["build", "docs"]) == 0
    out, err = capsys.readouterr()
    assert "3 added" in out
    (line,) = err.splitlines()
    assert line.startswith("warning: docs/ancien.txt: ")
    assert "cp1252" in line
    catalog = (folder / "data/index/catalog.sqlite").read_bytes()
    assert "L’été à Évian coûte 3 €.".encode() in catalog


def test_a_binary_file_is_named_and_left_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "docs/image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4)
    assert main(["build", "docs"]) == 0
    out, err = capsys.readouterr()
    assert "2 added" in out
    (line,) = err.splitlines()
    assert line.startswith("not indexed: docs/image.png: ")


def test_adding_nothing_but_what_cannot_be_read_has_failed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "docs"]) == 0
    (folder / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4)
    assert main(["add", "image.png"]) == 1
    (folder / "note.txt").write_text("La piscine ferme lundi.")
    assert main(["add", "image.png", "note.txt"]) == 0
    assert "1 added" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["build", "absent"], "absent: no such file or folder"),
        (["build", "docs", "absent"], "absent: no such file or folder"),
        (["build", "empty"], "nothing to read in empty"),
        (["build", "docs/image.png"], "no document could be read (docs/image.png"),
        (["build", "docs", "--embedder", "no such model"], "embedding model 'no such model': expected a folder or"),
        (["build", "docs", "--index", "docs/otan.txt"], "docs/otan.txt cannot be made"),
        (["build", "docs", "--index", "docs/otan.txt/index"], "cannot"),
        (["add", "docs"], "no index in data/index: build one with `python -m index build PATHS --index data/index`"),
        (["remove", "docs"], "no index in data/index: build one with"),
        (["status"], "no index in data/index: build one with"),
        (["verify", "--index", "elsewhere"], "no index in elsewhere: build one with"),
        (["repair"], "no index in data/index: build one with"),
        (["embed", "--embedder", "bundled"], "no index in data/index: build one with"),
        (["add", "docs", "--dry-run"], "no index in data/index: build one with"),
        (["remove", "docs", "--dry-run"], "no index in data/index: build one with"),
        (["build", "docs/image.png", "--dry-run"], "no document could be read (docs/image.png"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_stated_failure_is_one_line_and_exit_code_1(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    (folder / "empty").mkdir()
    (folder / "docs/image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4)
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert out == ""
    assert line.startswith("error: ")
    assert words in line


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "absent"],
        ["add", "absent", "--dry-run"],
        ["remove", "absent.txt"],
        ["remove", "absent.txt", "--dry-run"],
        ["build", "empty"],
        ["build", "empty", "--dry-run"],
    ],
    ids=" ".join,
)
def test_a_failure_leaves_the_index_as_it_was(
    built: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    (built / "empty").mkdir()
    assert main(arguments) == 1
    capsys.readouterr()
    assert main(["build", "docs"]) == 0
    assert "generation 1: 0 added, 0 changed, 0 removed, 2 unchanged" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["add"],
        ["remove"],
        ["watch"],
        ["status", "--dry-run"],
        ["build", "--unknown"],
        ["status", "--json", "extra"],
    ],
)
def test_wrong_usage_ends_with_2(folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m index" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["build", "add", "remove", "watch", "embed", "status", "verify", "repair"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert "--index DIR" in out
    assert ("--dry-run" in out) == (command in ("build", "add", "remove", "embed"))
    assert ("--embedder NAME" in out) == (command in ("build", "add", "embed"))
    assert ("--poll" in out) == (command == "watch")


def test_as_a_process_there_is_no_traceback_and_what_was_mended_is_said(built: Path) -> None:
    failed = run("build", "absent", cwd=built)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr == "error: absent: no such file or folder; check the path\n"
    (built / "data/index/catalog.sqlite").write_bytes(b"damaged" * 99)
    status = run("status", cwd=built)
    assert status.returncode == 1
    assert status.stderr.startswith(
        "error: the catalog data/index/catalog.sqlite is damaged (file is not a database): "
    )
    assert status.stderr.count("\n") == 1
    mended = run("build", "docs", cwd=built)
    assert mended.returncode == 0
    assert "generation 1: 2 added" in mended.stdout
    (line,) = mended.stderr.splitlines()
    assert line.startswith("warning: the catalog data/index/catalog.sqlite is damaged")
    assert line.endswith("; it is built anew")


def test_ctrl_c_leaves_the_index_as_it_was(built: Path) -> None:
    write_files(built, {f"docs/{n}.txt": f"Texte {n}. " * 2000 for n in range(300)})
    process = subprocess.Popen(
        [sys.executable, "-m", "index", "build", "docs"],
        cwd=built,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    holder = built / "data/index/writer.txt"
    patience = time.monotonic() + 60
    while not holder.exists() and time.monotonic() < patience:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "interrupted: the index is as it was before\n")
    assert json.loads(run("status", "--json", cwd=built).stdout)["n_documents"] == 2
    assert run("verify", cwd=built).stdout == "data/index: sound\n"
