"""The Documents tab: what is listed, searched, removed and served, without a browser and then in one."""

# The fixtures of the browser are those of the other tests of the page.
# ruff: noqa: F401, F811

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from index import CorpusIndex, Document, Progress, Span
from index.listing import DateCounts
from qa import Chatbot
from tests.conftest import HashingEmbedder, write_files
from tests.page_server import SEED, Page
from tests.test_app import HOSTILE, Seen, inside
from tests.test_browser import (
    FIND_TRACES,
    SHIPS,
    Tab,
    ask,
    browser,
    cited_sentence,
    expect,
    in_view,
    page,
    tab,
    upload,
    visit,
)
from ui.desk import Desk
from ui.document_routes import document_routes, original_address
from ui.listing import PAGE, View
from ui.progress import Reading, render_progress
from ui.shelf import Shelf
from ui.timeline import render_timeline
from ui.whole import MAX_SHOWN, citation_check, render_whole

JSONL = "".join(
    json.dumps({"text": f"Le train {n} part à {n} heures.", "id": f"t{n}", "date": f"2021-0{n}-11"}) + "\n"
    for n in (1, 3)
)


@pytest.fixture
def shelf(tmp_path: Path, embedder: HashingEmbedder, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """A corpus of four documents in three files, with sources as relative as people give them."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path, {"docs/a.txt": "La boulangerie ouvre à sept heures.\n", "docs/trains.jsonl": JSONL})
    (tmp_path / "docs" / "image.txt").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" * 40)
    (tmp_path / "docs" / "b.txt").write_text(" date 2021-03 \nLe phare s'allume à la nuit.\n")
    corpus = CorpusIndex.build(["docs"], "data/index", embedder=embedder)
    return Shelf(Desk(corpus, Chatbot(corpus, reader="none"), tmp_path / "data" / "uploads"))


def received(folder: Path, name: str, content: str) -> str:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content)
    return str(folder / name)


def add(shelf: Shelf, *files: str) -> list[str]:
    return [str(shown[0]) for shown in shelf.add(list(files), None)]


def number_of(shelf: Shelf, search: str) -> int:
    (document,) = shelf.desk.corpus.listing.documents(search=search).documents
    return document.number


def titles(html: str) -> list[str]:
    return [unescape(part.split("</h3>")[0].partition(">")[2]) for part in html.split("<h3")[1:]]


def taken_out(shelf: Shelf, search: str, *, with_file: bool = False) -> str:
    outcome, *_ = shelf.remove(json.dumps({"removed": number_of(shelf, search), "with_file": with_file}), None)
    return Seen(str(outcome)).text


# -- list and picture -------------------------------------------------------------------------------------------------


def test_the_list_says_what_each_document_is(shelf: Shelf) -> None:
    html, _, view, *_ = shelf.show(None)
    assert titles(html) == ["trains.jsonl#t3", "trains.jsonl#t1", "b.txt", "a.txt"]
    assert "mars 2021 · 44 caractères · 1 passage · à jour" in Seen(html).text
    assert "sans date · 36 caractères · 1 passage · à jour" in Seen(html).text
    assert "Sans date (1)" in Seen(html).text
    assert "Illisibles (1)" in Seen(html).text
    assert view == View()


def test_a_file_that_changed_or_went_is_told(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "docs" / "a.txt").write_text("La boulangerie ouvre à huit heures.\n")
    (tmp_path / "docs" / "b.txt").unlink()
    html, *_ = shelf.show(None)
    assert [Seen(entry).text.split(" · ")[-1].split("LireTexte")[0] for entry in html.split("<li")[1:]] == [
        "à jour",
        "à jour",
        "fichier absent du disque",
        "modifié sur le disque depuis",
    ]
    assert "Fichier d’origine" not in html


def test_gestures_change_what_is_shown(shelf: Shelf) -> None:
    html, _, view, *_ = shelf.search("TRAIN", "oldest", None)
    assert titles(html) == ["trains.jsonl#t1", "trains.jsonl#t3"]
    html, times, view, *_ = shelf.turn('{"during": "2021-03"}', view)
    assert titles(html) == ["trains.jsonl#t3"]
    assert Seen(times).all("bar")[1]["aria-pressed"] == "true"
    html, _, view, *_ = shelf.turn('{"during": "2021-03"}', view)
    assert titles(html) == ["trains.jsonl#t1", "trains.jsonl#t3"]
    html, _, view, *_ = shelf.turn('{"kind": "unread"}', replace(view, search=""))
    assert titles(html) == ["image.txt"]
    assert "ce format n’est pas lu" in Seen(html).text
    html, _, view, *_ = shelf.turn('{"kind": "undated"}', view)
    assert titles(html) == ["a.txt"]


@pytest.mark.parametrize(
    "said",
    [
        *("", "{", "[]", "null", '{"page": -1}', '{"page": 1e400}', '{"kind": "x"}', '{"during": 3}', "[" * 100_000),
        *(json.dumps({"page": 2**70}), json.dumps({"removing": "x"}), json.dumps({"during": "x" * 99})),
    ],
)
def test_what_cannot_be_asked_changes_nothing(shelf: Shelf, said: str) -> None:
    assert shelf.turn(said, View(search="train")) == shelf.show(View(search="train"))
    before = shelf.desk.corpus.generation
    assert "rien n’a été retiré" in Seen(str(shelf.remove(said, None)[0])).text
    assert shelf.desk.corpus.generation == before


def test_pages_and_one_that_is_gone(shelf: Shelf) -> None:
    shelf.desk.corpus.put([Document(str(n), f"note-{n:02d}", f"La note {n}.") for n in range(PAGE + 3)])
    html, _, view, *_ = shelf.turn('{"page": 1}', View(search="note"))
    assert titles(html) == ["note-02", "note-01", "note-00"]
    assert f"{PAGE + 1} à {PAGE + 3} sur {PAGE + 3}" in Seen(html).text
    assert [(step["data-page"], "disabled" in step) for step in Seen(html).all("turn")] == [("0", False), ("2", True)]
    shelf.desk.corpus.remove([f"note-{n:02d}" for n in range(3)])
    html, _, view, *_ = shelf.show(view)
    assert len(titles(html)) == PAGE
    assert view.page == 0
    assert "ajouté par un programme" in html


def test_hostile_titles_and_names_are_only_text(shelf: Shelf) -> None:
    shelf.desk.corpus.put([Document("x", f"{HOSTILE}.txt", "Un texte.", f"{HOSTILE}\u202egnp", "2021-03")])
    number = number_of(shelf, "window.hurt")
    html, times, _, *_ = shelf.turn(json.dumps({"removing": number}), None)
    seen = Seen(html + times)
    assert set(seen.tags) == {"div", "button", "p", "span", "ol", "li", "h2", "h3", "a", "strong"}
    assert titles(html)[0] == f"{HOSTILE}\u202egnp"
    names = {"class", "type", "role", "title", "href", "target", "rel", "tabindex", "style"}
    assert {name for _, attributes in seen.elements for name in attributes} <= names | {
        *("aria-label", "aria-pressed", "aria-hidden"),
        *("data-source", "data-number", "data-kind", "data-during"),
    }
    assert "Retirer ce document ?" in seen.text


def test_the_picture_has_a_bar_a_month_and_gaps_between() -> None:
    counts = DateCounts("month", (("2021-11", 2), ("2022-02", 8)), 1, 3)
    html = render_timeline(counts, during="2022-02", scope="")
    bars = Seen(html).all("bar")
    assert [bar["aria-label"] for bar in bars] == ["novembre 2021 : 2 documents", "février 2022 : 8 documents"]
    assert [bar["style"] for bar in bars] == ["--share:0.2500", "--share:1.0000"]
    assert [(bar["aria-pressed"], bar["tabindex"]) for bar in bars] == [("false", "-1"), ("true", "0")]
    gaps = [gap["title"] for gap in Seen(html).all("none")]
    assert gaps == ["décembre 2021 : aucun document", "janvier 2022 : aucun document"]
    assert "novembre 2021 → février 2022 · 2 mois sans document" in Seen(html).text
    assert Seen(html).text.endswith("nov. 2021févr. 2022")
    long = render_timeline(DateCounts("month", (("2019-11", 2), ("2022-02", 8)), 0, 0), during="", scope="")
    assert Seen(long).text.endswith("26 mois sans document202020212022")
    years = render_timeline(DateCounts("year", (("1899", 2), ("1902", 8)), 0, 0), during="", scope="")
    assert Seen(years).text == "Documents par an, 1899 → 1902 · 2 ans sans document18991901"
    decades = render_timeline(DateCounts("decade", (("189", 1), ("191", 1)), 0, 0), during="191", scope="191")
    assert Seen(decades).text.startswith("Documents par décennie, années 1890 → années 1910 · 1 décennie sans document")
    assert Seen(decades).text.endswith("Toutes les années18901910")
    assert render_timeline(DateCounts("month", (), 0, 3), during="", scope="") == ""


def test_longer_times_open_on_their_months(shelf: Shelf) -> None:
    shelf.desk.corpus.put([Document("x", "vieux", "Un vieux texte.", date="1890-05")])
    _, times, _, *_ = shelf.show(None)
    assert [bar["data-during"] for bar in Seen(times).all("bar")] == ["1890", "2021"]
    html, times, view, *_ = shelf.turn('{"during": "2021"}', None)
    assert len(titles(html)) == 3
    assert [bar["data-during"] for bar in Seen(times).all("bar")] == ["2021-01", "2021-03"]
    html, times, view, *_ = shelf.turn('{"during": "2021-01"}', view)
    assert titles(html) == ["trains.jsonl#t1"]
    html, times, view, *_ = shelf.turn('{"during": ""}', view)
    assert (view.during, view.scope) == ("", "")
    assert len(titles(html)) == 5


# -- changes ----------------------------------------------------------------------------------------------------------


def test_each_uploaded_file_is_told_as_it_goes(shelf: Shelf, tmp_path: Path) -> None:
    files = [received(tmp_path / "in", name, f"Le fichier {name}.") for name in ("un.txt", "deux.txt")]
    said = add(shelf, *files)
    assert Seen(said[0]).text == "○un.txt : en attente○deux.txt : en attenteEn cours…"
    assert Seen(said[-1]).text == "✓un.txt : ajouté✓deux.txt : ajouté"
    reading = Reading(("un.txt", "deux.txt"))
    for step in (Progress("lecture", 0, 2, "data/uploads/deux.txt"), Progress("lecture", 1, 2, "data/uploads/un.txt")):
        reading = reading.after(step)
    assert Seen(render_progress(reading)).text == "…un.txt : lecture✓deux.txt : luLecture : 1 sur 2"
    html, *_ = shelf.show(None)
    assert {"un.txt", "deux.txt"} == set(titles(html)[:2])


def test_a_failed_upload_says_so_and_the_list_stays(shelf: Shelf) -> None:
    assert Seen(add(shelf)[-1]).text.startswith("Aucun fichier n’a été reçu")


def test_an_update_is_told(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "docs" / "c.txt").write_text("Le marché est le jeudi.\n")
    *_, last = shelf.rebuild(None)
    assert "1 document en plus" in Seen(str(last[0])).text
    assert "c.txt" in titles(str(last[2]))


def test_an_open_page_follows_what_others_do(shelf: Shelf) -> None:
    masthead, _, _, _, generation = shelf.follow(None, None)
    assert generation == shelf.desk.corpus.generation
    assert "4 documents" in Seen(str(masthead)).text
    assert not any(isinstance(value, str) for value in shelf.follow(shelf.desk.corpus.generation, None))
    shelf.desk.corpus.put([Document("x", "neuf", "Un texte neuf.")])
    masthead, html, *_, seen = shelf.follow(shelf.desk.corpus.generation - 1, None)
    assert "5 documents" in Seen(str(masthead)).text
    assert titles(str(html))[0] == "neuf"
    assert seen == shelf.desk.corpus.generation


def test_removing_an_upload_deletes_its_copy(shelf: Shelf, tmp_path: Path) -> None:
    add(shelf, received(tmp_path / "in", "secret.txt", "Le code du coffre est quatre-vingt-douze."))
    html, *_ = shelf.turn(json.dumps({"removing": number_of(shelf, "secret.txt")}), None)
    assert "« secret.txt », sera supprimée du disque" in Seen(html).text
    assert (tmp_path / "data" / "uploads" / "secret.txt").exists()
    assert "est retiré" in taken_out(shelf, "secret.txt")
    assert not (tmp_path / "data" / "uploads" / "secret.txt").exists()
    assert shelf.desk.corpus.listing.documents(search="secret").total == 0
    assert "coffre" not in " ".join(hit.passage.text for hit in shelf.desk.corpus.search("code du coffre"))
    assert shelf.desk.corpus.refresh().n_added == 0


def test_removing_leaves_files_elsewhere_alone(shelf: Shelf, tmp_path: Path) -> None:
    html, *_ = shelf.turn(json.dumps({"removing": number_of(shelf, "a.txt")}), None)
    assert "Rien n’est effacé ailleurs : docs/a.txt reste sur le disque." in Seen(html).text
    assert "revient dès que l’index est mis à jour" in Seen(html).text
    taken_out(shelf, "a.txt")
    assert (tmp_path / "docs" / "a.txt").exists()
    assert shelf.desk.corpus.listing.documents(search="a.txt").total == 0


def test_removing_one_record_of_an_upload_leaves_the_others(shelf: Shelf, tmp_path: Path) -> None:
    lines = JSONL.replace("train", "bus")
    add(shelf, received(tmp_path / "in", "bus.jsonl", lines))
    taken_out(shelf, "bus.jsonl#t1")
    assert (tmp_path / "data" / "uploads" / "bus.jsonl").read_text() == lines
    assert shelf.desk.corpus.listing.documents(search="bus.jsonl").total == 1
    taken_out(shelf, "bus.jsonl#t3")
    assert not (tmp_path / "data" / "uploads" / "bus.jsonl").exists()


def test_all_of_an_upload_can_be_removed_at_once(shelf: Shelf, tmp_path: Path) -> None:
    add(shelf, received(tmp_path / "in", "bus.jsonl", JSONL.replace("train", "bus")))
    html, *_ = shelf.turn(json.dumps({"removing": number_of(shelf, "bus.jsonl#t1")}), None)
    assert "Retirer les 2 documents de ce fichier" in Seen(html).text
    assert "2 documents retirés" in taken_out(shelf, "bus.jsonl#t1", with_file=True)
    assert not (tmp_path / "data" / "uploads" / "bus.jsonl").exists()
    assert shelf.desk.corpus.listing.documents(search="bus.jsonl").total == 0
    html, *_ = shelf.turn(json.dumps({"removing": number_of(shelf, "trains.jsonl#t1")}), None)
    assert "de ce fichier" not in Seen(html).text
    taken_out(shelf, "trains.jsonl#t1", with_file=True)
    assert (tmp_path / "docs" / "trains.jsonl").exists()
    assert shelf.desk.corpus.listing.documents(search="trains.jsonl").total == 1


def test_nothing_of_an_upload_stays_where_it_was_received(shelf: Shelf, tmp_path: Path) -> None:
    good, bad = received(tmp_path / "in", "un.txt", "Un texte."), received(tmp_path / "in", "vide.txt", " ")
    add(shelf, good, bad)
    assert list((tmp_path / "in").iterdir()) == []


def test_who_may_only_read_is_offered_no_removal(shelf: Shelf) -> None:
    reader = Shelf(replace(shelf.desk, read_only=True))
    html, *_ = reader.turn(json.dumps({"removing": number_of(shelf, "a.txt")}), None)
    assert len(titles(html)) == 4
    assert "Retirer" not in Seen(html).text
    assert "Retirer" in Seen(shelf.show(None)[0]).text


def test_a_copy_goes_with_all_its_names_and_the_file_elsewhere_stays(shelf: Shelf, tmp_path: Path) -> None:
    add(shelf, received(tmp_path / "in", "z.txt", (tmp_path / "docs" / "a.txt").read_text()))
    assert "Le même texte : a.txt" in Seen(shelf.show(None)[0]).text
    taken_out(shelf, "docs/a.txt")
    assert (tmp_path / "docs" / "a.txt").exists()
    assert not (tmp_path / "data" / "uploads" / "z.txt").exists()
    assert not shelf.desk.corpus.search("boulangerie", k=50, sources=["docs/a.txt"])


def test_a_folder_linked_into_the_uploads_is_elsewhere(shelf: Shelf, tmp_path: Path) -> None:
    write_files(tmp_path / "loin", {"loin.txt": "Un texte qui est rangé ailleurs."})
    (tmp_path / "data" / "uploads").mkdir()
    (tmp_path / "data" / "uploads" / "lien").symlink_to(tmp_path / "loin", target_is_directory=True)
    add(shelf, received(tmp_path / "in", "un.txt", "Un texte."))
    taken_out(shelf, "loin.txt")
    assert (tmp_path / "loin" / "loin.txt").exists()


def test_a_document_that_is_gone_already_is_told(shelf: Shelf) -> None:
    assert "n’est plus dans l’index" in Seen(str(shelf.remove('{"removed": 999, "with_file": false}', None)[0])).text


# -- whole documents and files ----------------------------------------------------------------------------------------


class Guarded(Starlette):
    """The part of Gradio's application that the routes ask who is there; the real one is in the tests in Chromium."""

    auth: Any = None
    auth_dependency: Any = None
    cookie_id = "of-this-server"

    def __init__(self, routes: list[Route]) -> None:
        super().__init__(routes=routes)
        self.tokens: dict[str, str] = {}


@pytest.fixture
def served_app(shelf: Shelf) -> Guarded:
    return Guarded(document_routes(shelf.desk.corpus))


@pytest.fixture
def http(served_app: Guarded) -> TestClient:
    return TestClient(served_app)


def test_the_file_that_was_read_is_sent_to_be_saved(http: TestClient, tmp_path: Path) -> None:
    answer = http.get("/documents/original?source=docs/b.txt")
    assert answer.status_code == 200
    assert answer.content == (tmp_path / "docs" / "b.txt").read_bytes()
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''b.txt"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "source",
    [
        *(
            "",
            "/etc/passwd",
            "../../../../etc/passwd",
            "docs/../docs/a.txt",
            "./docs/a.txt",
            "docs",
            "docs/",
            "docs//a.txt",
        ),
        *(
            "docs/a.txt\x00",
            "docs/secret.txt",
            "file:///etc/passwd",
            "docs\\a.txt",
            "%2e%2e/secret.txt",
            "docs/image.txt",
        ),
        *(
            "data/index/catalog.sqlite",
            "docs/a.txt#",
            "DOCS/A.TXT",
            "docs/a.txt/../secret.txt",
            "\ud800",
            "~/x",
            "docs/*",
        ),
    ],
)
@pytest.mark.parametrize("route", ["original", "text", "whole"])
def test_no_path_leads_to_a_file(http: TestClient, tmp_path: Path, source: str, route: str) -> None:
    (tmp_path / "docs" / "secret.txt").write_text("Le code est 92.")
    for written in (quote(source, safe="", errors="surrogatepass"), quote(source, safe="/.", errors="surrogatepass")):
        answer = http.get(f"/documents/{route}?source={written}")
        assert answer.status_code == 404
        assert "pas dans l’index" in answer.text
    absolute = http.get(f"/documents/{route}", params={"source": str(tmp_path / "docs" / "a.txt")})
    assert absolute.status_code == 404


def test_a_file_that_is_no_more_what_was_read_is_not_sent(http: TestClient, tmp_path: Path) -> None:
    file, secret = tmp_path / "docs" / "a.txt", tmp_path / "secret.txt"
    original = file.read_bytes()
    secret.write_text("Le code est 92.")
    address = "/documents/original?source=docs/a.txt"
    file.write_bytes(original + b"!")
    assert http.get(address).status_code == 410
    file.unlink()
    assert http.get(address).status_code == 410
    file.symlink_to(secret)
    assert "92" not in http.get(address).text
    file.unlink()
    os.mkfifo(file)
    assert http.get(address).status_code == 410
    file.unlink()
    file.write_bytes(original)
    assert http.get(address).content == original


def test_a_record_is_saved_as_text(http: TestClient, shelf: Shelf) -> None:
    assert http.get("/documents/original?source=docs/trains.jsonl%23t1").status_code == 404
    answer = http.get("/documents/text?source=docs/trains.jsonl%23t1")
    assert answer.text == shelf.desk.corpus.document("docs/trains.jsonl#t1").text
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''trains.jsonl%23t1.txt"
    file = shelf.desk.corpus.listing.file_of("docs/trains.jsonl#t1")
    assert original_address("docs/trains.jsonl#t1", file) is None


def test_who_may_not_see_the_page_gets_no_document(http: TestClient, served_app: Guarded) -> None:
    served_app.auth = {"ada": "secret"}
    assert http.get("/documents/original?source=docs/a.txt").status_code == 401
    cookie = f"access-token-{served_app.cookie_id}"
    http.cookies.set(cookie, "guess")
    assert http.get("/documents/whole?source=docs/a.txt").status_code == 401
    served_app.tokens["known"] = "ada"
    http.cookies.set(cookie, "known")
    assert http.get("/documents/whole?source=docs/a.txt").status_code == 200


def test_the_whole_document_has_its_sentence_marked(http: TestClient, shelf: Shelf) -> None:
    text = shelf.desk.corpus.document("docs/b.txt").text
    start = text.index("phare")
    asked = {"source": "docs/b.txt", "start": start, "end": start + 5, "check": citation_check("phare")}
    html = http.get("/documents/whole", params=asked).text
    assert inside(html, "mark") == "phare"
    assert Seen(html[html.index('<div class="passage">') :]).text == text[text.index("Le phare") :].replace("\n", "")
    moved = http.get("/documents/whole", params=asked | {"start": start + 1, "end": start + 6}).text
    assert "<mark>" not in moved
    assert "n’y est plus à sa place" in Seen(moved).text
    for wrong in ({"start": "x"}, {"end": 10**6}, {"start": -3}, {"start": 9, "end": 2}):
        assert http.get("/documents/whole", params=asked | wrong).status_code == 200


def test_a_whole_document_is_only_text_with_its_pages() -> None:
    text = f"Première page. {HOSTILE}\n\nSeconde page."
    document = Document("x", f"{HOSTILE}.pdf", text, HOSTILE, "2021-03", pages=(0, text.index("Seconde")))
    html = render_whole(document, cited=Span(0, 14), check=citation_check("Première page."))
    assert set(Seen(html).tags) == {"h2", "p", "div", "span", "mark"}
    assert inside(html, "h2") == HOSTILE
    assert inside(html, "mark") == "Première page."
    assert Seen(html).text.endswith("page 2Seconde page.")


def test_of_a_very_long_document_what_is_near_is_shown() -> None:
    text = "mot " * MAX_SHOWN
    place = Span(3 * MAX_SHOWN, 3 * MAX_SHOWN + 3)
    html = render_whole(Document("x", "long.txt", text), cited=place, check=citation_check("mot"))
    assert inside(html, "mark") == "mot"
    assert len(Seen(html[html.index('<div class="passage">') :]).text) == MAX_SHOWN
    assert "une partie est montrée" in Seen(html).text


# -- in Chromium ------------------------------------------------------------------------------------------------------


def open_documents(tab: Tab) -> None:
    tab.get_by_role("tab", name="Documents").click()
    expect(tab.locator(".entry").first).to_be_visible()


def search(tab: Tab, words: str) -> None:
    tab.locator("#search input").fill(words)


def test_documents_are_found_by_word_and_by_month(tab: Tab, tmp_path: Path) -> None:
    name = "été <img src=x onerror=hurt=1>.jsonl"
    (tmp_path / name).write_text(JSONL.replace("Le train", f"{json.dumps(HOSTILE)[1:-1]} Le train"))
    open_documents(tab)
    tab.locator("#drop input[type=file]").set_input_files(str(tmp_path / name))
    expect(tab.locator("#outcome .added")).to_have_count(1)
    search(tab, "ETE jsonl")
    expect(tab.locator(".entry")).to_have_count(2)
    search(tab, "")
    expect(tab.locator(".result")).not_to_have_text("2 documents")
    tab.get_by_role("button", name="janvier 2021 : 1 document").focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Enter")
    expect(tab.locator(".result .chip")).to_have_text("mars 2021 ✕")
    expect(tab.locator(".entry h3")).to_contain_text(["#t3"])
    expect(tab.get_by_role("button", name="mars 2021 : 1 document")).to_be_focused()
    tab.locator(".result .chip").click()
    expect(tab.locator(".result .chip")).to_have_count(0)
    assert set(tab.evaluate(FIND_TRACES)) <= {"bold"}


def test_every_open_session_answers_from_what_another_adds_and_removes(
    visit: Callable[..., Tab], page: Page, tmp_path: Path
) -> None:
    question = "Qui a peint le plafond du théâtre de Morlaix ?"
    reader, writer = visit(), visit()
    ask(reader, question)
    expect(reader.locator(".refusal")).to_have_count(1)
    facts = reader.locator(".facts li").first.text_content()
    note = tmp_path / "theatre.txt"
    note.write_text("Le plafond du théâtre de Morlaix a été peint par Éloi Kerbrat en 1888.\n")
    upload(writer, note)
    ask(reader, question)
    expect(reader.locator(".answer strong")).to_contain_text("Éloi Kerbrat")
    expect(reader.locator(".facts li").first).not_to_have_text(facts or "")
    open_documents(writer)
    search(writer, "theatre")
    expect(writer.locator(".entry")).to_have_count(1)
    writer.locator(".entry .remove").click()
    expect(writer.locator(".confirm")).to_contain_text("« theatre.txt », sera supprimée du disque")
    expect(writer.locator(".confirm .keep")).to_be_focused()
    writer.keyboard.press("Enter")
    expect(writer.locator(".entry .remove")).to_be_focused()
    assert (page.uploads / "theatre.txt").exists()
    writer.locator(".entry .remove").click()
    writer.locator(".confirm .removed").click()
    expect(writer.locator("#outcome")).to_contain_text("aucune réponse ne le citera plus")
    expect(writer.locator(".entry")).to_have_count(0)
    assert not (page.uploads / "theatre.txt").exists()
    ask(reader, question)
    expect(reader.locator(".refusal")).to_have_count(2)
    expect(reader.locator(".facts li").first).to_have_text(facts or "")


def test_a_citation_opens_its_whole_document_and_its_file(tab: Tab, tmp_path: Path) -> None:
    ask(tab, SHIPS)
    tab.locator(".answer a.marker").first.click()
    tab.locator(".source.lit .whole").click()
    shown = tab.locator("dialog[open]")
    expect(shown.locator("mark")).to_have_text(cited_sentence())
    assert in_view(tab, "dialog[open] mark")
    assert "un signe de faiblesse" in (shown.text_content() or "")
    tab.keyboard.press("Escape")
    expect(shown).to_have_count(0)
    expect(tab.locator("#proof")).to_contain_class("open")
    with tab.expect_download() as download:
        tab.locator(".source.lit .file").click()
    download.value.save_as(tmp_path / "saved")
    assert download.value.suggested_filename == SEED.name
    assert (tmp_path / "saved").read_bytes() == SEED.read_bytes()


def test_a_folder_is_added_with_the_names_of_its_folders(visit: Callable[..., Tab], tmp_path: Path) -> None:
    tab = visit(width=360, height=740)
    write_files(
        tmp_path / "notes", {"un.txt": "Un.", "sous/un.txt": "Un autre.", ".cache/x.txt": "Caché.", "sous/.y": "Caché."}
    )
    open_documents(tab)
    with tab.expect_file_chooser() as chooser:
        tab.get_by_role("button", name="Ajouter un dossier…").click()
    chooser.value.set_files(str(tmp_path / "notes"))
    expect(tab.locator("#outcome .added")).to_have_count(2)
    assert sorted(tab.locator("#outcome strong").all_text_contents()) == ["notes - sous - un.txt", "notes - un.txt"]
    assert tab.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
