"""python -m qa evaluate as its user meets it: one command on a file, runs kept and compared, plots, clear refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index import CorpusIndex, InputError, LoadError
from qa.__main__ import main
from qa.evaluation.plot import calibration, recall_curve, risk_coverage, write_plot
from qa.evaluation.runs import read_run
from tests.conftest import ROOT

PARAGRAPHS = {
    "Pont": ("Le pont de Gassin a été fermé mardi. Il mesure 42 mètres de long, selon la mairie.", "42 mètres",
             "Quelle est la longueur du pont de Gassin ?"),
    "Cerises": ("La récolte de cerises a doublé dans le Vaucluse. Les producteurs se disent soulagés.", "Vaucluse",
                "Où la récolte de cerises a-t-elle doublé ?"),
    "Phare": ("Le phare de la pointe date de 1882. Un gardien y a vécu jusqu'en 1985.", "1882",
              "De quand date le phare de la pointe ?"),
}  # fmt: skip


def squad(path: Path, *titles: str, unanswerable: str | None = None) -> Path:
    data = []
    for title in titles:
        text, answer, question = PARAGRAPHS[title]
        entry: dict[str, Any] = {
            "question": question,
            "answers": [{"text": answer, "answer_start": text.index(answer)}],
        }
        data.append({"title": title, "paragraphs": [{"context": text, "qas": [entry]}]})
    if unanswerable:
        data[0]["paragraphs"][0]["qas"].append({"question": unanswerable, "is_impossible": True, "answers": []})
    path.write_text(json.dumps({"version": "2.0", "data": data}), encoding="utf-8")
    return path


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[str, str]:
    assert main(["evaluate", *map(str, arguments)]) == 0
    return capsys.readouterr()


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["evaluate", *map(str, arguments)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err


def test_a_squad_file_is_all_that_is_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = squad(tmp_path / "dev.json", "Pont", "Cerises", unanswerable="Qui préside le Portugal ?")
    figures = json.loads(printed(capsys, path, "--json")[0])
    assert figures["document_recall@1"] == {"n": 2, "mean": 1.0, "low": 1.0, "high": 1.0}
    assert figures["passage_ndcg@10"]["mean"] == 1.0
    assert figures["false_answers"]["n"] == 1
    assert figures["auroc"]["n"] == 3
    assert {"ask_ms_p50", "ask_ms_p95", "search_ms_p50", "search_ms_p95", "exact_match", "f1"} <= figures.keys()
    lines = printed(capsys, path)[0].splitlines()
    assert lines[0].split() == ["document_recall@1", "1.000", "[1.000,", "1.000]", "(n", "=", "2)"]
    assert len({line.index("[") for line in lines[:10]}) == 1


def test_further_paragraphs_are_searched_and_not_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked, further = squad(tmp_path / "dev.json", "Pont"), squad(tmp_path / "train.json", "Cerises", "Phare")
    # To search, a paragraph that repeats the question is nearer than the one that answers; the reader is not taken in.
    record = json.loads(further.read_text(encoding="utf-8"))
    record["data"][0]["paragraphs"][0]["context"] = PARAGRAPHS["Pont"][2]
    record["data"][0]["paragraphs"][0]["qas"] = []
    further.write_text(json.dumps(record), encoding="utf-8")
    reached = {}
    for reader in ("none", "bundled"):
        for corpus in ((), ("--corpus", further, asked)):
            found = json.loads(printed(capsys, asked, *corpus, "--reader", reader, "--json")[0])
            reached[reader, len(corpus)] = (found["document_mrr@10"]["n"], found["document_mrr@10"]["mean"])
    assert reached == {("none", 0): (1, 1.0), ("none", 3): (1, 0.5), ("bundled", 0): (1, 1.0), ("bundled", 3): (1, 1.0)}


def test_an_index_that_is_named_is_asked_and_must_hold_the_paragraphs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = squad(tmp_path / "dev.json", "Pont")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/pont.txt").write_text(PARAGRAPHS["Pont"][0], encoding="utf-8")
    CorpusIndex.build([tmp_path / "docs"], tmp_path / "index")
    figures = json.loads(printed(capsys, path, "--index", tmp_path / "index", "--json")[0])
    assert figures["passage_recall@1"]["mean"] == 1.0
    both = squad(tmp_path / "both.json", "Pont", "Phare")
    assert "lacks 1 of the 2 documents" in refused(capsys, both, "--index", tmp_path / "index")


def test_each_question_is_asked_again_without_its_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = squad(tmp_path / "dev.json", "Pont", "Cerises", "Phare", unanswerable="Qui préside le Portugal ?")
    printed(capsys, path, "--without-source", "--out", tmp_path / "run.json")
    run = read_run(tmp_path / "run.json")
    assert [each.without_source for each in run.outcomes] == [False] * 4 + [True] * 3
    assert run.figures["false_answers_without_source"].n == 3
    assert run.figures["auroc_without_source"].n == 6
    assert run.figures["auroc"].n == 4
    assert run.figures["ask_ms_p50"].n == 4


def test_a_run_says_what_came_of_each_question(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = squad(tmp_path / "dev.json", "Pont", "Cerises")
    shown = json.loads(printed(capsys, path, "--json", "--out", tmp_path / "run.json")[0])
    text = (tmp_path / "run.json").read_text(encoding="utf-8")
    record = json.loads(text)
    assert record["figures"] == shown
    assert record["about"]["questions"] == str(path)
    assert [line for line in text.splitlines() if "Gassin" in line] == [
        line for line in text.splitlines() if json.dumps(PARAGRAPHS["Pont"][2], ensure_ascii=False) in line
    ]
    first = record["questions"][0]
    assert (first["question"], first["answers"]) == (PARAGRAPHS["Pont"][2], ["42 mètres"])
    assert (first["document_rank"], first["passage_rank"]) == (1, 1)
    assert first["values"]["document_mrr@10"] == 1.0
    assert read_run(tmp_path / "run.json").outcomes[0].answers == ("42 mètres",)


def test_two_runs_are_compared_without_asking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = squad(tmp_path / "dev.json", "Pont", "Cerises")
    printed(capsys, path, "--out", tmp_path / "a.json")
    record = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    for question in record["questions"]:
        question["values"]["document_recall@1"] = 0.0
    (tmp_path / "b.json").write_text(json.dumps(record), encoding="utf-8")
    found = json.loads(printed(capsys, "--compare", tmp_path / "a.json", tmp_path / "b.json", "--json")[0])
    assert found["document_recall@1"]["difference"] == -1.0
    assert found["document_recall@1"]["verdict"] == "worse"
    assert found["document_recall@5"]["verdict"] == "no difference shown"
    shown = printed(capsys, "--compare", tmp_path / "b.json", tmp_path / "a.json")[0]
    assert "\nbetter: document_recall@1\n" in shown
    printed(capsys, squad(tmp_path / "other.json", "Phare"), "--out", tmp_path / "c.json")
    assert "the runs asked different questions: 0 shared, 2 only in the first, 1 only in the second" in refused(
        capsys, "--compare", tmp_path / "a.json", tmp_path / "c.json"
    )
    assert "expected a run written by `evaluate --out`" in refused(capsys, "--compare", path, tmp_path / "c.json")


def test_a_folder_without_labels_is_asked_pseudo_questions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    CorpusIndex.build([ROOT / "seeds"], tmp_path / "index")
    out, err = printed(capsys, "--self", "--n", 8, "--index", tmp_path / "index", "--out", tmp_path / "a.json")
    assert out.splitlines()[0].endswith("(n = 8)")
    assert err.startswith("note: these are pseudo-questions")
    assert "share words with the text" in err
    assert read_run(tmp_path / "a.json").about["seed"] == 0
    _, err = printed(capsys, "--self", "--n", 500, "--index", tmp_path / "index", "--json")
    assert ", 500 were wanted" in err


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        {"format": 0, "about": {}, "figures": {}, "questions": []},
        {"format": 1, "questions": [{}], "figures": {}},
    ],
)
def test_a_file_that_is_no_run_is_named(tmp_path: Path, value: object) -> None:
    path = tmp_path / "run.json"
    path.write_text("" if value is None else json.dumps(value))
    with pytest.raises(LoadError, match=r"run\.json: expected a run written by `evaluate --out`"):
        read_run(path)


def test_what_cannot_be_written_or_read_is_said_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = squad(tmp_path / "dev.json", "Pont")
    lines = tmp_path / "questions.jsonl"
    lines.write_text('{"question": "Qui ?", "answer": null}')
    assert "cannot be written" in refused(capsys, path, "--out", tmp_path / "none" / "a.json")
    assert "cannot be written" in refused(capsys, path, "--plot", tmp_path)
    assert "expected a SQuAD file" in refused(capsys, path, "--corpus", lines)
    assert "--corpus goes with a SQuAD file" in refused(capsys, lines, "--corpus", path)
    assert "--corpus goes with a SQuAD file" in refused(capsys, "--self", "--corpus", path)
    assert "--n, --seed: expected with --self only" in refused(capsys, path, "--n", 3, "--seed", 0)
    assert "--seed, --out: expected nothing beside" in refused(
        capsys, "--compare", path, path, "--seed", 1, "--out", "a"
    )
    assert "n = 0: expected at least 1" in refused(capsys, "--self", "--n", 0, "--index", built(tmp_path))
    assert "no index in" in refused(capsys, lines, "--index", tmp_path / "nowhere")


def built(folder: Path) -> Path:
    CorpusIndex.build([ROOT / "seeds"], folder / "index")
    return folder / "index"


@pytest.mark.parametrize("arguments", [[], ["--self", "--compare", "a", "b"], ["file", "--self"], ["--compare", "a"]])
def test_what_is_asked_is_one_thing(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", *arguments])
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


# -- plots --------------------------------------------------------------------------------------------------------


def test_the_curves_are_counts_by_hand() -> None:
    assert recall_curve([1, 3, None, 25]).tolist() == [0.25, 0.25] + [0.5] * 18
    confidence, right = np.array([0.9, 0.4, 0.4, 0.1]), np.array([True, False, True, False])
    assert risk_coverage(confidence, right).tolist() == [[0.25, 0.0], [0.75, 1 / 3], [1.0, 0.5]]
    confidence = np.array([1.0, 0.95, 0.41, 0.49, 0.0])
    assert calibration(confidence, np.array([True, False, True, True, False])) == pytest.approx(
        np.array([[0.0, 0.0, 1.0], [0.45, 1.0, 2.0], [0.975, 0.5, 2.0]])
    )


def test_a_plot_is_an_image_of_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = squad(tmp_path / "dev.json", "Pont", "Cerises", unanswerable="Qui préside le Portugal ?")
    printed(capsys, path, "--plot", tmp_path / "run.png", "--out", tmp_path / "run.json")
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match=r"run\.none cannot be written"):
        write_plot(read_run(tmp_path / "run.json").outcomes, tmp_path / "run.none")


def test_without_matplotlib_the_command_that_brings_it_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = refused(capsys, squad(tmp_path / "dev.json", "Pont"), "--plot", tmp_path / "run.png")
    assert "python -m pip install -r requirements.txt" in said


def test_what_only_evaluation_needs_is_not_loaded_before() -> None:
    code = "import qa.__main__, sys; print({'ir_measures', 'matplotlib', 'scipy', 'tqdm'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
