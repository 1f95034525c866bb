"""Receipts: what is exported can be checked later, and what was changed by hand is found."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import CorpusIndex, InputError
from qa import Chatbot
from qa.__main__ import main
from qa.receipt_checks import check_receipt
from qa.receipts import Receipt, ReceiptCitation, ReceiptTurn, make_receipt, read_receipt
from tests.conftest import write_files

QUESTION = "Combien pèse le char Leclerc ?"
TEXTS = {
    "chars/leclerc.txt": " date 2022-10 Un communiqué.\nLe char Leclerc pèse 56 tonnes. Il roule à 70 km/h.\n",
    "chars/autre.txt": "Le musée de Saumur ouvre à dix heures. Il a reçu mille visiteurs.\n",
}
FORMS = ("json", "md", "html")


@pytest.fixture
def corpus(tmp_path: Path) -> CorpusIndex:
    write_files(tmp_path, TEXTS)
    with chdir(tmp_path):
        return CorpusIndex.build(["chars"], tmp_path / "index")


def answered(corpus: CorpusIndex) -> Receipt:
    answer = Chatbot(corpus, reader="none", threshold=0.0).ask(QUESTION)
    assert answer.citations[0].text == "Le char Leclerc pèse 56 tonnes."
    return make_receipt([replace(answer, citations=answer.citations[:1])], corpus)


def written(receipt: Receipt, form: str) -> str:
    return {"json": receipt.to_json, "md": receipt.to_markdown, "html": receipt.to_html}[form]()


def test_holds_what_was_shown_and_the_hash_of_the_document(corpus: CorpusIndex) -> None:
    (turn,) = answered(corpus).turns
    (cited,) = turn.citations
    text = TEXTS["chars/leclerc.txt"]
    assert (turn.question, turn.generation) == (QUESTION, 1)
    assert text[cited.start : cited.end] == cited.text
    assert (cited.source, cited.date) == ("chars/leclerc.txt", "2022-10")
    assert cited.document_sha256 == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("form", FORMS)
def test_is_read_back_as_it_was(corpus: CorpusIndex, form: str) -> None:
    receipt = answered(corpus)
    assert read_receipt(written(receipt, form)) == receipt
    assert read_receipt("\ufeff" + written(receipt, form).replace("\n", "\r\n")) == receipt


def outcomes(receipt: Receipt, corpus: CorpusIndex, folder: Path) -> list[tuple[str, bool, str | None, bool | None]]:
    with chdir(folder):
        checks = check_receipt(receipt, corpus)
    return [(check.outcome, check.holds, check.source, check.in_file) for check in checks]


def test_holds_while_nothing_changes(corpus: CorpusIndex, tmp_path: Path) -> None:
    assert outcomes(answered(corpus), corpus, tmp_path) == [("holds", True, "chars/leclerc.txt", True)]


@pytest.mark.parametrize(
    ("files", "outcome"),
    [
        # The document grew before the quotation: the words stand further on.
        (
            {"chars/leclerc.txt": "Mise à jour. " + TEXTS["chars/leclerc.txt"]},
            ("moved", True, "chars/leclerc.txt", True),
        ),
        ({"chars/leclerc.txt": "Le char Leclerc pèse 57 tonnes."}, ("changed", False, None, None)),
        ({"chars/leclerc.txt": None}, ("gone", False, None, None)),
        (
            {"chars/leclerc.txt": None, "chars/neuf.txt": TEXTS["chars/leclerc.txt"] + "Fin.\n"},
            ("moved", True, "chars/neuf.txt", True),
        ),
    ],
)
def test_says_what_became_of_a_citation(
    corpus: CorpusIndex,
    tmp_path: Path,
    files: dict[str, str | None],
    outcome: tuple[str, bool, str | None, bool | None],
) -> None:
    receipt = answered(corpus)
    for name, text in files.items():
        if text is None:
            (tmp_path / name).unlink()
        else:
            write_files(tmp_path, {name: text})
    with chdir(tmp_path):
        corpus = CorpusIndex.build(["chars"], tmp_path / "index")
    assert outcomes(receipt, corpus, tmp_path) == [outcome]


def test_a_file_changed_behind_the_index_is_found(corpus: CorpusIndex, tmp_path: Path) -> None:
    receipt = answered(corpus)
    write_files(tmp_path, {"chars/leclerc.txt": TEXTS["chars/leclerc.txt"].replace("56", "57")})
    assert outcomes(receipt, corpus, tmp_path) == [("holds", False, "chars/leclerc.txt", False)]


def test_a_document_changed_elsewhere_is_told(corpus: CorpusIndex, tmp_path: Path) -> None:
    receipt = answered(corpus)
    write_files(tmp_path, {"chars/leclerc.txt": TEXTS["chars/leclerc.txt"] + "Fin.\n"})
    with chdir(tmp_path):
        (check,) = check_receipt(receipt, CorpusIndex.build(["chars"], tmp_path / "index"))
    assert (check.outcome, check.same_document, check.holds) == ("holds", False, True)
    assert check_receipt(receipt, corpus)[0].same_document is False


@pytest.mark.parametrize("form", ["md", "html"])
def test_words_changed_in_what_is_read_are_found(corpus: CorpusIndex, form: str) -> None:
    shown = written(answered(corpus), form)
    changed = shown.replace("56 tonnes", "65 tonnes")
    assert changed != shown
    with pytest.raises(InputError, match=r"line \d+ is not as it was exported"):
        read_receipt(changed)


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (lambda cited: replace(cited, text=cited.text.replace("56", "65")), "changed"),
        (lambda cited: replace(cited, start=cited.start + 3, end=cited.end + 3), "moved"),
        (lambda cited: replace(cited, source="chars/autre.txt"), "moved"),
    ],
)
def test_a_record_changed_by_hand_is_found(corpus: CorpusIndex, change: object, outcome: str) -> None:
    assert callable(change)
    receipt = answered(corpus)
    (turn,) = receipt.turns
    forged = Receipt((replace(turn, citations=(change(turn.citations[0]),)),))
    assert [check.outcome for check in check_receipt(read_receipt(forged.to_json()), corpus)] == [outcome]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "neither JSON nor Markdown"),
        ("bonjour", "neither JSON nor Markdown"),
        ("[" * 100_000, "neither JSON nor Markdown"),
        ("[]", "another kind of file"),
        ('{"kind": "sourcier-receipt", "format": 99, "turns": []}', "found format 99, expected 1"),
        ('{"kind": "sourcier-receipt", "format": 1}', "damaged"),
        ('{"kind": "sourcier-receipt", "format": 1, "turns": [{"question": 3, "citations": []}]}', "damaged"),
        ("<!-- sourcier-receipt AAA -->", "cannot be read"),
    ],
)
def test_another_file_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_receipt(text)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(
    ["a\r\nb", "**a** \\[b\\]", "--"]
)
citations = st.builds(
    ReceiptCitation,
    marker=st.integers(1, 9),
    document_id=texts,
    source=texts,
    title=st.none() | texts,
    date=st.none() | st.sampled_from(["2022", "2022-10", "2022-10-11"]),
    page=st.none() | st.integers(1, 99),
    start=st.integers(0, 10**6),
    end=st.integers(0, 10**6),
    text=texts,
    document_sha256=st.none() | st.just("ab" * 32),
)
receipts = st.builds(
    Receipt,
    turns=st.lists(
        st.builds(
            ReceiptTurn,
            question=texts,
            understood_as=texts,
            answered=st.booleans(),
            text=texts,
            short_answer=st.none() | texts,
            confidence=st.floats(0, 1),
            reason=st.none() | texts,
            mode=texts,
            generation=st.integers(0, 10**6),
            citations=st.lists(citations, max_size=2).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(receipts, st.sampled_from(FORMS))
def test_any_receipt_is_read_back(receipt: Receipt, form: str) -> None:
    assert read_receipt(written(receipt, form)) == receipt


HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(1)">--><b>[lien](javascript:alert(1))'


def test_the_page_holds_no_markup_of_a_document() -> None:
    cited = ReceiptCitation(1, HOSTILE, HOSTILE, HOSTILE, None, None, 0, 9, HOSTILE, None)
    turn = ReceiptTurn(HOSTILE, HOSTILE + "?", True, HOSTILE, HOSTILE, 0.5, None, HOSTILE, 1, (cited,))
    page = Receipt((turn,)).to_html()
    tags = set(re.findall(r"<\s*/?\s*([a-zA-Z]+)", page))
    assert tags <= {
        "html", "head", "meta", "title", "style", "body", "h", "p", "small", "section", "blockquote", "ol", "li",
        "footer", "strong", "br", "code", "DOCTYPE",
    }  # fmt: skip
    assert "default-src 'none'" in page
    assert page.count("-->") == 1


@pytest.mark.parametrize("form", FORMS)
def test_ask_exports_and_verify_checks(
    corpus: CorpusIndex, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    index, file = ["--index", str(tmp_path / "index")], str(tmp_path / f"reçu.{form}")
    with chdir(tmp_path):
        assert main(["ask", QUESTION, "--reader", "none", "--export", file, *index]) == 0
        capsys.readouterr()
        assert main(["verify", file, *index]) == 0
        assert "[1] tient — chars/leclerc.txt" in capsys.readouterr().out
        assert main(["verify", file, "--json", *index]) == 0
        checks = json.loads(capsys.readouterr().out)
        assert checks[0]["outcome"] == "holds"
        assert checks[0]["citation"]["text"] == "Le char Leclerc pèse 56 tonnes."
        corpus.remove(["chars/leclerc.txt"])
        assert main(["verify", file, *index]) == 1
        assert "disparue" in capsys.readouterr().out


def test_verify_names_a_file_that_is_missing(
    corpus: CorpusIndex, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert corpus.generation == 1
    assert main(["verify", str(tmp_path / "absent.json"), "--index", str(tmp_path / "index")]) == 1
    assert "absent.json" in capsys.readouterr().err


def test_export_wants_a_form_that_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["ask", QUESTION, "--export", "reçu.docx"])
    assert stopped.value.code == 2
    assert "expected a name that ends in .json, .md, .html" in capsys.readouterr().err
