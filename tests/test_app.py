"""The page without a browser: its texts, its sources, its uploads, its endpoints and its command."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from hypothesis import example, given
from hypothesis import strategies as st

from index import CorpusIndex, Document, IndexLockedError, InputError, LoadError, UpdateReport
from qa import Answer, Chatbot, Citation, Statement, answer_to_dict
from qa.types import DateRange
from tests.page_server import ROOT, SEED, Page, free_port, served
from ui.answers import render_answer, render_error, render_question
from ui.markup import escape, escape_lines
from ui.sources import NEAREST, REACH, passage_around, render_panel, render_sources
from ui.summary import render_outcome, render_report
from ui.uploads import add_uploads, safe_name
from ui.words import count, date_in_words, error_in_words, period

HOSTILE = (
    '<script>window.hurt=1</script> <img src=x onerror="window.hurt=1"> [x](javascript:window.hurt=1) **gras** `code` '
    "$$\\frac{1}{2}$$ ${window.hurt=1} {{value}} | a | b | ~~barré~~ &lt;b&gt; </div></section>"
)


class Seen(HTMLParser):
    """What a browser would make of a piece of HTML: its elements, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, css_class: str) -> list[dict[str, str | None]]:
        return [attributes for _, attributes in self.elements if attributes.get("class") == css_class]

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]


def inside(html: str, tag: str) -> str:
    """Return the text of the one element of that name."""
    start = html.index(">", html.index(f"<{tag}")) + 1
    return Seen(html[start : html.index(f"</{tag}>", start)]).text


# -- texts ------------------------------------------------------------------------------------------------------------


# Python drops control characters and unassigned ones from references; browsers do not.
@example(HOSTILE)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]) | st.just("\n")))
def test_escaped_text_is_text_only_and_the_same(text: str) -> None:
    seen = Seen(f"<p>{escape(text)}</p>")
    assert seen.tags == ["p"]
    assert seen.text == text


@given(st.text())
def test_escaped_text_holds_nothing_that_could_be_syntax(text: str) -> None:
    left = escape(text)
    while "&#" in left:
        before, _, rest = left.partition("&#")
        number, _, rest = rest.partition(";")
        assert number.isdecimal()
        left = before + rest
    assert not set(left) & set("<>&\"'`*_[](){}$|~#\\!:/.-+=\n\t")


def test_a_lone_surrogate_reaches_no_encoder() -> None:
    assert escape("a\ud800b").encode() == b"a&#55296;b"


def test_lines_never_end_an_html_block() -> None:
    html = escape_lines("un\n\n\n    deux")
    assert "\n" not in html
    assert html == "un<br><br><br>    deux"


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("2022", "2022"),
        ("2022-10", "octobre 2022"),
        ("2022-08-01", "1er août 2022"),
        ("2022-10-11", "11 octobre 2022"),
        ("2022-13", "2022-13"),
        ("hier", "hier"),
        ("2022-10-11T08:00", "2022-10-11T08:00"),
    ],
)
def test_dates_in_words(date: str, words: str) -> None:
    assert date_in_words(date) == words


def test_counts_and_periods() -> None:
    assert count(33483, "document") == "33\u202f483 documents"
    assert count(1, "passage") == "1 passage"
    assert count(0, "passage") == "0 passage"
    assert period("2022-10-01", "2022-10-31") == "octobre 2022"
    assert period("2011-01-01", "2020-03-31") == "2011 → 2020"
    assert period("2022-02-01", "2022-10-31") == "février 2022 → octobre 2022"
    assert period("2022-01-01", "2022-12-31") == "2022"
    assert period("2022-10-11", "2022-10-11") == "11 octobre 2022"
    assert period(None, None) is None


def test_an_error_says_what_is_safe() -> None:
    said = error_in_words(IndexLockedError("held by process 12", holder="process 12"))
    assert said.startswith("Un autre programme écrit dans l’index. Rien n’a été modifié")
    assert "held by process 12" in said


# -- answers ----------------------------------------------------------------------------------------------------------


def answer(text: str, *citations: Citation, **changes: Any) -> Answer:
    plain = Answer("Combien ?", "Combien ?", True, text, None, 0.9, None, citations, 3, "extractif · bundled model")
    return replace(plain, **changes)


def citation(marker: int = 1, *, text: str = "Il y en a 30.", source: str = "a.txt", start: int = 0) -> Citation:
    return Citation(marker, "id", source, None, "2022-10", start, start + len(text), text, 0.9)


def test_a_marker_leads_to_its_source_and_shows_its_sentence() -> None:
    html = render_answer(answer("**30** [1]\n\n« Il y en a 30. » [1]", citation()), 4)
    seen = Seen(html)
    markers = seen.all("marker")
    assert [m["href"] for m in markers] == ["#source-4-1", "#source-4-1"]
    assert {m["title"] for m in markers} == {"Il y en a 30."}
    assert inside(html, "strong") == "30"
    assert inside(html, "blockquote") == "« Il y en a 30. » 1"
    assert seen.text.startswith("30 1« Il y en a 30. » 1Confiance élevée")


def test_escaped_markdown_is_shown_as_it_is_and_makes_no_marker() -> None:
    html = render_answer(
        answer("**2 \\* 3** [1]\n\n« voir \\[1\\] et \\_a\\_ \\\\ \\*\\*b\\*\\* » [1] [7]", citation()), 1
    )
    assert inside(html, "strong") == "2 * 3"
    assert inside(html, "blockquote") == "« voir [1] et _a_ \\ **b** » 1 [7]"
    assert len(Seen(html).all("marker")) == 2


def test_hostile_text_is_only_text() -> None:
    hurt = citation(text=HOSTILE, source=f"{HOSTILE}.txt")
    html = render_answer(answer(HOSTILE, hurt, understood_as=HOSTILE), 1) + render_question(HOSTILE)
    assert set(Seen(html).tags) <= {"div", "p", "strong", "a", "button", "span"}
    assert not [attributes for _, attributes in Seen(html).elements if {"onerror", "src"} & set(attributes)]
    assert inside(render_question(HOSTILE), "div") == HOSTILE


def test_a_refusal_quotes_nothing() -> None:
    html = render_answer(answer("Les documents ne le disent pas.", citation(), answered=False, confidence=0.1), 2)
    seen = Seen(html)
    assert not seen.all("marker")
    assert not {"strong", "blockquote"} & set(seen.tags)
    assert [a["href"] for a in seen.all("show")] == ["#sources-2"]
    assert "Confiance" not in seen.text


def test_each_statement_of_a_model_has_a_mark_and_the_reasons_can_be_opened() -> None:
    said = (
        Statement("Il y en a 30 (trente).", (1,), "supported"),
        Statement("Ils sont 80.", (), "unsupported", "80 n’est pas dans la source"),
        Statement("Ils viennent de Brest.", (1,), "partly", "Brest <b> manque"),
    )
    text = "Il y en a 30 \\(trente\\). [1] Ils sont 80. ⚠\n\nIls viennent de Brest. [1]"
    html = render_answer(answer(text, citation(), statements=said, is_written=True), 1)
    seen = Seen(html)
    marks = [attributes["class"] for _, attributes in seen.elements if "verdict " in (attributes.get("class") or "")]
    assert marks == [f"verdict {each.status}" for each in said] * 2
    assert "Il y en a 30 (trente). 1 ✓ Ils sont 80. ⚠ Ils viennent de Brest. 1 ◐" in " ".join(seen.text.split())
    assert (
        "Vérification : ✓ 1 phrase confirmée · ◐ 1 phrase confirmée en partie · ⚠ 1 phrase non confirmée" in seen.text
    )
    assert "⚠ Ils sont 80. — pas confirmé par les sources : 80 n’est pas dans la source" in seen.text
    assert "<b>" not in html
    assert "✓" not in render_answer(answer(text, citation(), statements=said), 1)  # quoted, not written


def test_dates_that_were_read_are_shown_and_can_be_left() -> None:
    said = answer("Rien.", dates=DateRange("2022-10-01", None), dates_read="depuis <octobre>")
    shown = unescape(render_answer(said, 1))
    assert "Documents datés : 1er octobre 2022 – …" in shown
    assert "depuis <octobre> ✕</button>" in shown
    assert "&#60;octobre" in render_answer(said, 1)
    assert "✕" not in render_answer(answer("Rien.", dates=DateRange("2022-10-01", None)), 1)


def test_a_notice_is_shown_as_text() -> None:
    shown = render_answer(answer("Rien.", notice="Le modèle <b> ne répond pas"), 1)
    assert '<p class="notice">Le modèle &#60;b&#62; ne répond pas</p>' in shown


def test_how_a_question_was_understood_is_shown_when_it_differs() -> None:
    assert "Compris comme" not in render_answer(answer("30", citation()), 1)
    html = render_answer(answer("30", citation(), understood_as="Combien de navires ?"), 1)
    assert "Compris comme : Combien de navires ?" in Seen(html).text


# -- sources ----------------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(["mot", "long" * 60, "\n", "\n\n", "été", "İ", "🙂"])


@given(st.lists(WORDS, min_size=1, max_size=40).map(" ".join), st.data())
def test_the_passage_holds_the_sentence_and_cuts_no_word(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    body = data.draw(st.integers(0, len(text)))
    shown = passage_around(Document("id", "a.txt", text, body_start=body), start, end)
    assert min(body, start) <= shown.start <= start
    assert end <= shown.end <= len(text)
    assert start - shown.start <= REACH
    assert shown.end - end <= REACH
    if body < shown.start < start:
        assert text[shown.start - 1].isspace()
    if end < shown.end < len(text):
        assert text[shown.end].isspace()


def test_the_passage_takes_paragraphs_before_words_within_reach() -> None:
    words = "mot " * 200
    text = f"{words}\n\nUn paragraphe.\n\nLa phrase. Sa suite.\n\n{words}"
    start = text.index("La phrase.")
    near = passage_around(Document("id", "a.txt", text), start, start + 10)
    assert text[near.start : near.end].strip() == "Un paragraphe.\n\nLa phrase. Sa suite."
    far = passage_around(Document("id", "a.txt", words), 400, 403)
    assert (far.start, far.end) == (0, 800)
    middle = passage_around(Document("id", "a.txt", words * 3), 1200, 1203)
    assert (middle.start, middle.end) == (1200 - REACH + 4, 1203 + REACH - 4)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> CorpusIndex:
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "docs").mkdir()
    (folder / "docs" / "seed.txt").write_bytes(SEED.read_bytes())
    (folder / "docs" / "hostile.txt").write_text(f"Le mot de passe du grenier est tournesol. {HOSTILE} Fin du texte.\n")
    return CorpusIndex.build([folder / "docs"], folder / "index")


def test_the_sentence_is_highlighted_in_its_place(corpus: CorpusIndex) -> None:
    said = Chatbot(corpus).ask("Combien de navires patrouillent en mer Baltique et en mer du Nord ?")
    html = render_sources(said, 1, corpus=corpus)
    first = said.citations[0]
    assert inside(html, "mark") == SEED.read_text()[first.start : first.end]
    passage = html[html.index('<div class="passage">') :]
    assert "La protection des infrastructures essentielles en question" in Seen(passage).text
    assert "octobre 2022" in Seen(html).text
    assert Seen(html).all("source")[0]["id"] == "source-1-1"


def test_the_header_of_a_file_is_not_shown(corpus: CorpusIndex) -> None:
    said = Chatbot(corpus).ask("Qui est le secrétaire général de l'Otan ?")
    html = render_sources(said, 1, corpus=corpus)
    assert "date 2022-10" not in Seen(html).text


def test_a_hostile_document_is_shown_as_text(corpus: CorpusIndex) -> None:
    document = corpus.document(next(h.passage.document.source for h in corpus.search("mot de passe du grenier", k=1)))
    hurt = Citation(1, "id", document.source, HOSTILE, HOSTILE, 0, 41, document.text[:41], 0.9)
    html = render_sources(answer("tournesol [1]", hurt, question=HOSTILE), 1, corpus=corpus)
    seen = Seen(html)
    assert set(seen.tags) == {"section", "p", "article", "header", "span", "div", "h3", "mark", "button", "br", "a"}
    assert HOSTILE in seen.text
    assert not [attributes for _, attributes in seen.elements if {"onerror", "src"} & set(attributes)]


def test_a_document_that_changed_since_shows_the_sentence_alone(corpus: CorpusIndex) -> None:
    other = citation(text="Une phrase d’avant.", source=corpus.search("grenier", k=1)[0].passage.document.source)
    gone = citation(2, text="Une phrase d’avant.", source="absent.txt")
    html = render_sources(answer("x [1] [2]", other, gone), 1, corpus=corpus)
    assert html.count("Le document a changé depuis") == 2
    assert inside(html, "mark") == "Une phrase d’avant."


def test_nearest_sentences_are_announced_as_no_answer(corpus: CorpusIndex) -> None:
    said = Chatbot(corpus).ask("Qui a remporté la Coupe du monde 2022 ?")
    assert not said.answered
    html = render_sources(said, 1, corpus=corpus)
    assert Seen(html).all("sources nearest")
    assert inside(html, "h3") == (NEAREST if said.citations else "")


def test_the_panel_keeps_the_sources_of_every_answer() -> None:
    panel = Seen(render_panel(['<section id="sources-1"></section>', '<section id="sources-2"></section>']))
    assert [a["id"] for tag, a in panel.elements if tag == "section"] == ["sources-1", "sources-2"]


# -- uploads ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("note.txt", "note.txt"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        (".bashrc", "bashrc"),
        ("a\x00b\n\u202ec.txt", "abc.txt"),
        ("e\u0301te\u0301.md", "été.md"),
        ("Rapport d’octobre (1).txt", "Rapport d’octobre (1).txt"),
    ],
)
def test_names_stay_in_their_folder(name: str, kept: str) -> None:
    assert safe_name(name) == kept


@pytest.mark.parametrize("name", ["", "..", "...", "/", "\u200b", "a" * 201])
def test_a_name_of_which_nothing_is_left_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="Le nom de fichier"):
        safe_name(name)


@given(st.text())
def test_no_name_leaves_the_folder(name: str) -> None:
    try:
        kept = safe_name(name)
    except InputError:
        return
    assert Path("uploads", kept).parent == Path("uploads")
    assert kept not in {".", ".."}
    assert not kept.startswith(".")
    assert safe_name(kept) == kept


@pytest.fixture
def small(tmp_path: Path) -> CorpusIndex:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("La boulangerie ouvre à sept heures.\n")
    return CorpusIndex.build([tmp_path / "docs"], tmp_path / "index")


def received(folder: Path, name: str, content: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def test_an_upload_is_added_then_updated_then_unchanged(small: CorpusIndex, tmp_path: Path) -> None:
    uploads = tmp_path / "data" / "uploads"

    def add(content: bytes) -> str:
        file = received(tmp_path / "in", "note.txt", content)
        return add_uploads([file], corpus=small, folder=uploads).files[0].status

    assert add("Le trésor est sous le chêne.\n".encode()) == "added"
    assert small.search("trésor chêne", k=1)[0].passage.document.source == str(uploads / "note.txt")
    assert add("Le trésor est sous le hêtre.\n".encode()) == "updated"
    assert small.document(str(uploads / "note.txt")).text == "Le trésor est sous le hêtre.\n"
    assert add("Le trésor est sous le hêtre.\n".encode()) == "unchanged"
    assert [file.name for file in uploads.iterdir()] == ["note.txt"]
    assert small.status().n_documents == 2


def test_a_file_that_cannot_be_read_leaves_the_former_one(small: CorpusIndex, tmp_path: Path) -> None:
    uploads = tmp_path / "uploads"
    good = "Le trésor est sous le chêne.\n".encode()
    add_uploads([received(tmp_path / "in", "note.txt", good)], corpus=small, folder=uploads)
    files = [
        received(tmp_path / "in", "note.txt", b"\x7fELF\x00\x01\x02\x00" * 40),
        received(tmp_path / "in", "image.txt", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" * 40),
        received(tmp_path / "in", "lignes.jsonl", b'{"text": "Une ligne qui se lit bien."}\n{"text": \n'),
    ]
    outcome = add_uploads(files, corpus=small, folder=uploads)
    assert [file.status for file in outcome.files] == ["refused", "refused", "added"]
    assert (uploads / "note.txt").read_bytes() == good
    assert not (uploads / "image.txt").exists()
    assert small.document(str(uploads / "note.txt")).text.encode() == good
    html = render_outcome(outcome)
    assert "lignes.jsonl, ligne 2 : ce n’est pas du JSON valide" in Seen(html).text
    assert Seen(html).text.count("pas ajouté") == 2


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", b'{"text": \n', "a.jsonl, ligne 1 : ce n’est pas du JSON valide"),
        ("a.jsonl", b'{"title": "Sans texte"}\n', "a.jsonl, ligne 1 : il manque un champ « text »"),
        ("a.txt", bytes(range(256)) * 4, "a.txt : ce format n’est pas lu"),
        ("a.txt", b"%PDF-1.7\n", "a.txt : le fichier est abîmé ou incomplet"),
        ("a.txt", b" \n", "a.txt : il n’y a pas de texte"),
        (
            "a.txt",
            "Le café crème est à la carte depuis l’été.".encode("cp1252"),
            "a.txt : lu comme du texte de Windows",
        ),
        ("a.jsonl.gz", b"\x1f\x8b\x08\x00abc", "a.jsonl.gz : l’archive est abîmée"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_french(
    small: CorpusIndex, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    n_before = small.status().n_documents
    outcome = add_uploads([received(tmp_path / "in", name, content)], corpus=small, folder=tmp_path / "uploads")
    assert words in Seen(render_outcome(outcome)).text
    kept = [file.name for file in (tmp_path / "uploads").iterdir()]
    assert kept == ([] if outcome.files[0].status == "refused" else [name])
    assert small.status().generation == outcome.report.generation
    assert small.status().n_documents - n_before == ("Windows" in words)


def test_two_files_of_one_name_are_refused_together(small: CorpusIndex, tmp_path: Path) -> None:
    files = [received(tmp_path / "in", "note.txt", b"Un."), received(tmp_path / "two", "note.txt", b"Deux.")]
    with pytest.raises(InputError, match=r"Deux fichiers s’appellent note\.txt"):
        add_uploads(files, corpus=small, folder=tmp_path / "uploads")
    assert not (tmp_path / "uploads").exists()


def test_no_file_is_refused(small: CorpusIndex, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Aucun fichier"):
        add_uploads([], corpus=small, folder=tmp_path / "uploads")


def test_a_change_that_fails_leaves_the_uploads_as_they_were(
    small: CorpusIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = tmp_path / "uploads"
    add_uploads([received(tmp_path / "in", "old.txt", b"Avant.\n")], corpus=small, folder=uploads)

    def locked(*_: object, **__: object) -> UpdateReport:
        raise IndexLockedError("held by process 12", holder="process 12")

    monkeypatch.setattr(small, "add", locked)
    files = [received(tmp_path / "in", "old.txt", b"Apres.\n"), received(tmp_path / "in", "new.txt", b"Neuf.\n")]
    with pytest.raises(IndexLockedError):
        add_uploads(files, corpus=small, folder=uploads)
    assert {file.name: file.read_bytes() for file in uploads.iterdir()} == {"old.txt": b"Avant.\n"}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".uploads")] == []


def test_a_rebuild_is_told_in_numbers() -> None:
    problems = tuple(LoadError(f"docs/a.jsonl:{n}", "broken JSON") for n in range(1, 30))
    html = render_report(
        UpdateReport(("a", "b"), ("c",), (), 7, 9, problems, ("docs/b.txt: is not UTF-8, read as cp1252",), 5)
    )
    text = Seen(html).text
    assert text.startswith("2 documents en plus, 1 document mis à jour ; 7 documents sans changement.")
    assert "a.jsonl, ligne 20 : broken JSON" in text
    assert "et 9 autres" in text
    assert "b.txt : lu comme du texte de Windows" in text


# -- the page, served -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with served(tmp_path_factory.mktemp("page")) as running:
        yield running


@pytest.fixture(scope="module")
def client(page: Page) -> Iterator[Client]:
    client = Client(page.url, verbose=False)
    yield client
    client.close()


def test_ask_answers_as_the_library_does(page: Page, client: Client) -> None:
    said = client.predict("Combien de navires patrouillent en mer Baltique et en mer du Nord ?", api_name="/ask")
    own = answer_to_dict(Chatbot(CorpusIndex.open(page.index)).ask(said["question"]))
    assert {k: v for k, v in said.items() if k != "timings_ms"} == json.loads(
        json.dumps({k: v for k, v in own.items() if k != "timings_ms"})
    )
    assert said["short_answer"].startswith("plus de 30")
    cited = said["citations"][0]
    assert SEED.read_text()[cited["start"] : cited["end"]] == cited["text"]


def test_ask_takes_dates(client: Client) -> None:
    question = "Comment s'appelle l'exercice de dissuasion ?"
    assert client.predict(question, "2022-10", "2022-10", api_name="/ask")["answered"]
    assert not client.predict(question, since="2023", api_name="/ask")["answered"]


def test_ask_and_search_take_sources_fields_and_the_choice_of_reading_dates(client: Client) -> None:
    question = "Comment s'appelle l'exercice de dissuasion en octobre 2022 ?"
    assert client.predict(question, api_name="/ask")["dates_read"] == "en octobre 2022"
    assert client.predict(question, read_dates=False, api_name="/ask")["dates_read"] is None
    assert not client.predict(question, sources=["ailleurs.txt"], api_name="/ask")["answered"]
    assert client.predict("Nord Stream", sources=["ailleurs.txt"], api_name="/search") == []
    assert client.predict("Nord Stream", where={"auteur": "personne"}, api_name="/search") == []
    assert client.predict("Nord Stream", since="2023", api_name="/search") == []
    assert client.predict("Nord Stream", until="2023", api_name="/search") != []


def test_search_gives_the_order_of_the_chatbot(page: Page, client: Client) -> None:
    hits = client.predict("Qui a annoncé des livraisons d'armes ?", 4, api_name="/search")
    own = Chatbot(CorpusIndex.open(page.index)).search("Qui a annoncé des livraisons d'armes ?", k=4)
    assert [hit["start"] for hit in hits] == [hit.passage.span.start for hit in own]


def test_a_stated_failure_reaches_the_client_as_one_line(client: Client) -> None:
    with pytest.raises(AppError) as caught:
        client.predict("", api_name="/ask")
    assert "\n" not in str(caught.value)
    assert "question" in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_search_gives_hits_with_offsets(client: Client) -> None:
    hits = client.predict("sabotage Nord Stream", 2, api_name="/search")
    assert 1 <= len(hits) <= 2
    assert "sabotage des pipelines Nord Stream" in hits[0]["text"]
    assert SEED.read_text()[hits[0]["start"] : hits[0]["end"]] == hits[0]["text"]


def test_add_takes_files_and_answers_from_them(page: Page, client: Client, tmp_path: Path) -> None:
    before = client.predict(api_name="/status")
    note = received(
        tmp_path, "phare.txt", "Le phare de Kermorvan a été construit en 1849 par Léonce Reynaud.\n".encode()
    )
    report = client.predict([handle_file(note)], api_name="/add")
    assert [(file["name"], file["status"]) for file in report["files"]] == [("phare.txt", "added")]
    assert (page.uploads / "phare.txt").read_bytes() == note.read_bytes()
    after = client.predict(api_name="/status")
    assert after["n_documents"] == before["n_documents"] + 1
    assert after["generation"] == report["generation"] == before["generation"] + 1
    said = client.predict("Qui a construit le phare de Kermorvan ?", api_name="/ask")
    assert said["citations"][0]["source"].endswith("uploads/phare.txt")


def test_add_takes_no_path_of_the_server(page: Page, client: Client, tmp_path: Path) -> None:
    secret = received(tmp_path, "secret.txt", b"Le code du coffre est quatre-vingt-douze.\n")
    # As written by hand: the client would upload the file instead of naming it.
    call = f"{page.url}gradio_api/call/add"
    named = {"path": str(secret), "meta": {"_type": "gradio.FileData"}}
    body = json.dumps({"data": [[named]]}).encode()
    with urlopen(Request(call, body, {"Content-Type": "application/json"})) as response:
        event = json.load(response)["event_id"]
    with urlopen(f"{call}/{event}") as response:
        assert b"event: error" in response.read()
    assert not (page.uploads / "secret.txt").exists()
    assert "coffre" not in json.dumps(client.predict("code du coffre", 3, api_name="/search"))


def test_nothing_else_is_offered_to_programs(client: Client) -> None:
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {"/ask", "/search", "/add", "/status"}


# -- the command ------------------------------------------------------------------------------------------------------


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "importtime", "app.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def said_on_stderr(result: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in result.stderr.splitlines() if not line.startswith("import time:")]


def test_a_port_in_use_is_said_before_anything_is_loaded(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = run("--port", str(port), "--index", str(tmp_path / "index"))
    assert result.returncode == 1
    assert said_on_stderr(result) == [f"port {port} is in use on 127.0.0.1: python app.py --port {port + 1}"]
    assert "gradio" not in result.stderr
    assert not (tmp_path / "index").exists()


def test_a_host_that_is_not_ours_is_said_in_one_line() -> None:
    result = run("--host", "192.0.2.1", "--port", str(free_port()))
    assert result.returncode == 1
    assert len(said_on_stderr(result)) == 1
    assert "192.0.2.1" in said_on_stderr(result)[0]


@pytest.mark.parametrize("arguments", [("--port", "0"), ("--port", "x"), ("--nonsense",)])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert "usage: python app.py" in result.stderr


def test_an_index_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    CorpusIndex.build([SEED], folder)
    for file in folder.iterdir():
        if file.suffix == ".sqlite":
            file.write_bytes(b"not a database at all" * 500)
    result = run("--port", str(free_port()), "--index", str(folder))
    assert result.returncode == 1
    assert len(said_on_stderr(result)) == 1
    assert "python -m index" in said_on_stderr(result)[0]


def test_ctrl_c_ends_quietly(tmp_path: Path) -> None:
    with served(tmp_path) as running:
        pass
    assert running.process.returncode == 0


def test_a_changed_file_is_brought_up_to_date_at_start(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.txt").write_text("La mairie ferme à midi.\n")
    CorpusIndex.build([docs], tmp_path / "data" / "index")
    (docs / "a.txt").write_text("La mairie ferme à seize heures.\n")
    with served(tmp_path) as running:
        client = Client(running.url, verbose=False)
        hits = client.predict("À quelle heure ferme la mairie ?", 1, api_name="/search")
        client.close()
    assert hits[0]["text"].strip() == "La mairie ferme à seize heures."


def test_render_error_is_one_message() -> None:
    html = render_error(InputError("empty question"))
    assert Seen(html).elements[0] == ("div", {"class": "failure", "role": "alert"})
    assert "\n" not in html
