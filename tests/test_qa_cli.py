import json
import re
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest

from index import CorpusIndex
from qa.__main__ import main
from tests.conftest import write_files

ROOT = Path(__file__).parent.parent
FIELDS = {
    "question", "understood_as", "answered", "text", "short_answer", "confidence", "reason", "citations", "generation",
    "mode", "statements", "timings_ms", "dates", "dates_read",
}  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "index"
    CorpusIndex.build([ROOT / "seeds"], folder)
    return folder


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_json_holds_the_fields_of_the_contract(index: Path) -> None:
    done = run("-m", "qa", "ask", "Qui est le ministre ukrainien de la Défense ?", "--index", str(index), "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer.keys() == FIELDS
    assert answer["short_answer"] == "Oleksii Reznikov"
    citation = answer["citations"][0]
    assert citation.keys() == {"marker", "document_id", "source", "title", "date", "start", "end", "text", "score"}
    assert citation["date"] == "2022-10"
    text = (ROOT / "seeds/000_56afb7ba333c6065.txt").read_bytes().decode()
    assert text[citation["start"] : citation["end"]] == citation["text"]
    assert answer["statements"][0] == {
        "text": "Oleksii Reznikov", "markers": [1], "status": "supported", "reason": None
    }  # fmt: skip


RECORDS = [
    {"id": "a", "text": "Le char Leclerc pèse 56 tonnes.", "agence": "AFP", "n": 2022, "lu": True, "lieu": None},
    {"id": "b", "text": "Le char Leclerc pèse 57 tonnes.", "agence": "Reuters", "n": "2022", "lu": "true"},
    {"id": "c", "text": "Le char Leclerc pèse 58 tonnes.", "agence": ["AFP", "Belga"], "n": 2023.0, "lieu": "null"},
]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records")
    write_files(
        folder,
        {
            "docs/lignes.jsonl": "".join(json.dumps(record) + "\n" for record in RECORDS),
            "docs/sous/d.txt": "Le char Leclerc pèse 59 tonnes.",
        },
    )
    with chdir(folder):
        CorpusIndex.build(["docs"], folder / "index")
    return folder / "index"


@pytest.mark.parametrize(
    ("options", "tonnes"),
    [
        ([], [56, 57, 58, 59]),
        (["--source", "docs/lignes.jsonl"], [56, 57, 58]),
        (["--source", "docs/sous"], [59]),
        (["--source", "./docs/sous/"], [59]),
        (["--source", "docs/lignes.jsonl#b"], [57]),
        (["--source", "docs/lignes.jsonl#b", "--source", "docs/sous/d.txt"], [57, 59]),
        (["--source", "docs/absent.txt"], []),
        (["--where", "agence=AFP"], [56, 58]),
        (["--where", "agence=AFP", "--where", "agence=Reuters"], [56, 57, 58]),
        (["--where", "agence=AFP", "--where", "n=2022"], [56]),
        (["--where", "n=2022"], [56, 57]),
        (["--where", "n=2023"], [58]),
        (["--where", "lu=true"], [56, 57]),
        (["--where", "lieu=null"], [56, 58]),
        (["--where", 'n="2022"'], [57]),
        (["--where", "agence=AFP", "--source", "docs/sous"], []),
        (["--where", "agence=a=b"], []),
    ],
    ids=lambda value: " ".join(map(str, value)),
)
def test_sources_and_fields_say_what_may_be_cited(
    records: Path, options: list[str], tonnes: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    question = "Combien de tonnes pèse le char Leclerc ?"
    assert main(["ask", question, "--index", str(records), "--json", *options]) == 0
    answer = json.loads(capsys.readouterr().out)
    cited = {int(number) for citation in answer["citations"] for number in re.findall("5[6-9]", citation["text"])}
    assert cited <= set(tonnes)
    assert bool(cited) == answer["answered"] == bool(tonnes)


def test_a_person_reads_the_answer_the_quotation_and_its_place(index: Path) -> None:
    done = run("-m", "qa", "ask", "Qui est le secrétaire général de l'Otan ?", "--index", str(index))
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "Jens Stoltenberg [1]"
    assert "[1] « " in done.stdout
    assert "000_56afb7ba333c6065.txt, octobre 2022, caractères " in done.stdout


def test_asking_imports_neither_torch_nor_gradio(index: Path) -> None:
    code = (
        "import sys; from qa.__main__ import main; "
        f"main(['ask', \"Qui dirige l'Otan ?\", '--index', {str(index)!r}]); "
        "heavy = {'torch', 'gradio', 'sentence_transformers', 'transformers'} & sys.modules.keys(); "
        "sys.exit(','.join(sorted(heavy)) or 0)"
    )
    done = run("-c", code)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["ask", "Qui ?", "--index", "/nowhere"], 1, "python -m index build"),
        (["ask", "   "], 1, "vide"),
        (["ask", "Qui ?", "--since", "hier"], 1, "hier"),
        (["ask"], 2, "usage"),
        (["ask", "Qui ?", "--where", "agence"], 2, "'agence': expected FIELD=VALUE, such as author=AFP"),
        (["ask", "Qui ?", "--where", "=AFP"], 2, "expected FIELD=VALUE"),
        (["ask", "Qui ?", "--source"], 2, "usage"),
        (["evaluate", "/nowhere.jsonl"], 1, "/nowhere.jsonl"),
    ],
)
def test_failures_are_one_line_without_a_traceback(index: Path, arguments: list[str], code: int, words: str) -> None:
    where = [] if "--index" in arguments else ["--index", str(index)]
    done = run("-m", "qa", *arguments, *where)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    if code == 1:
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_reader_that_leaves_early_is_no_failure(index: Path) -> None:
    command = f"{sys.executable} -m qa ask 'Qui dirige l’Otan ?' --index {index} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
