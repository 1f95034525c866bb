"""HTML, separated values, e-mails and archives: what is read of each, and what is told of the rest."""

from __future__ import annotations

import gzip
import io
import json
import logging
import os
import re
import stat
import subprocess
import sys
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest

from index.load import LoadedFile, SourceFile, load_file

ROOT = Path(__file__).resolve().parent.parent

ARTICLE = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Le pont de Gassin</title>
<meta name="author" content="Anne Petit"><meta property="article:published_time" content="2022-10-11T08:00:00">
<script>var pont = 1;</script></head><body><nav><a href="/">Accueil</a></nav><article><h1>Le pont de Gassin</h1>
<p>Le pont de Gassin a rouvert lundi. La mairie l'a annoncé dans un communiqué publié ce matin.</p>
<p>Il était fermé depuis trois mois pour des travaux de réparation des piles et du tablier.</p>
<table><tr><th>Année</th><th>Passages</th></tr><tr><td>2021</td><td>1 200</td></tr></table>
</article><footer>Mentions légales</footer></body></html>"""
ARTICLE_TEXT = """Le pont de Gassin

Le pont de Gassin a rouvert lundi. La mairie l'a annoncé dans un communiqué publié ce matin.

Il était fermé depuis trois mois pour des travaux de réparation des piles et du tablier.

Année | Passages

2021 | 1 200"""


def load(path: Path, data: bytes | str) -> LoadedFile:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return load_file(SourceFile(path, path.name))


def archive(members: dict[str, bytes | str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return data.getvalue()


def told(loaded: LoadedFile) -> list[str]:
    return [str(problem) for problem in loaded.problems]


# -- HTML ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["page.html", "page.txt", "page", "page.html.gz"])
def test_a_page_gives_its_main_text_title_date_and_author(tmp_path: Path, name: str) -> None:
    data = ARTICLE.encode()
    loaded = load(tmp_path / name, gzip.compress(data) if name.endswith(".gz") else data)
    (document,) = loaded.documents
    assert document.text == ARTICLE_TEXT
    assert (document.title, document.date) == ("Le pont de Gassin", "2022-10-11")
    assert document.metadata == {"author": "Anne Petit"}
    assert (loaded.problems, loaded.warnings) == ((), ())


def test_a_page_says_its_own_encoding(tmp_path: Path) -> None:
    data = ARTICLE.replace('charset="utf-8"', 'charset="windows-1252"').encode("cp1252")
    assert load(tmp_path / "a.html", data).documents[0].text == ARTICLE_TEXT


@pytest.mark.parametrize(
    ("head", "encoding", "warning"),
    [
        ('<meta charset="ISO-8859-1">', "cp1252", ""),  # as browsers read it
        ('<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-15">', "iso8859-15", ""),
        ('<meta charset="macintosh">', "mac_roman", ""),
        ('<meta charset="utf-8">', "utf-16", ""),
        ('<meta charset="utf-8">', "cp1252", "a.html: is not UTF-8, read as cp1252"),
        ('<meta charset="koi8-r">', "utf-8-sig", ""),
        ('<meta charset="ISO-8859-1">', "utf-8", ""),  # saved again
        ('<meta charset="klingon">', "cp1252", "a.html: is not UTF-8, read as cp1252"),
        ("", "utf-8", ""),
    ],
)
def test_the_mark_of_a_page_goes_before_what_it_says(tmp_path: Path, head: str, encoding: str, warning: str) -> None:
    page = f"<html><head>{head}</head><body><p>L'été à Noël, « cœur », 3 €.</p></body></html>"
    loaded = load(tmp_path / "a.html", page.encode(encoding))
    assert [document.text for document in loaded.documents] == ["L'été à Noël, « cœur », 3 €."]
    assert [line.startswith(warning) for line in loaded.warnings] == [True] * bool(warning)


def test_dates_in_the_prose_are_not_the_date_of_a_page(tmp_path: Path) -> None:
    page = re.sub(r"<meta property.*?>", "", ARTICLE).replace("lundi", "le 3 mars 1999")
    assert load(tmp_path / "a.html", page).documents[0].date is None


def test_a_page_of_tables_and_lists_is_read_row_by_row(tmp_path: Path) -> None:
    table = "<table><tr><th>Pays<th>Prix<tr><td><p>La</p><p>Norvège</p><td>30<tr><td><td></table>"
    hidden = '<p hidden>Caché.</p><p style="color: red; display:none">Caché.</p><template>Caché.</template>'
    loaded = load(tmp_path / "a.html", f"<html><body><h1>Prix</h1>{table}<ul><li>Un<li>Deux</ul>{hidden}</body></html>")
    assert loaded.documents[0].text == "Prix\n\nPays | Prix\n\nLa Norvège | 30\n\nUn\n\nDeux"


def test_a_page_without_a_main_text_is_taken_as_a_whole_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.formats.html._MAX_TAGS_SEARCHED", 10)
    loaded = load(tmp_path / "a.html", ARTICLE)
    assert loaded.documents[0].text == f"Accueil\n\n{ARTICLE_TEXT}\n\nMentions légales"
    assert loaded.warnings == ("a.html: no main text was found; all that the page shows was taken",)


def test_a_page_is_read_in_silence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    level = logging.getLogger("trafilatura").level
    load(tmp_path / "a.html", "<html><body></body></html>")
    load(tmp_path / "b.html", "<")
    assert (capfd.readouterr(), caplog.messages) == (("", ""), [])
    assert logging.getLogger("trafilatura").level == level


def test_a_page_without_text_is_a_problem(tmp_path: Path) -> None:
    loaded = load(tmp_path / "a.html", "<html><head><script>x = 1</script></head><body></body></html>")
    assert (loaded.documents, told(loaded)) == ((), ["a.html: holds no text"])


@pytest.mark.parametrize("depth", [200, 600])
def test_a_page_nested_deep_is_read_to_its_end(tmp_path: Path, depth: int) -> None:
    loaded = load(tmp_path / "a.html", "<html><body>" + "<div>" * depth + "Bonjour à tous." + "</div>" * depth)
    assert [document.text for document in loaded.documents] == ["Bonjour à tous."]


def test_a_page_nested_too_deep_is_refused_and_not_cut(tmp_path: Path) -> None:
    loaded = load(tmp_path / "a.html", "<html><body>Avant." + "<div>" * 20_000 + "Bonjour à tous.")
    assert told(loaded) == ["a.html: has tags more than 2,000 deep, which is not read; save it as text"]


# -- separated values ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_column_of_texts_gives_a_document_a_row(tmp_path: Path, delimiter: str) -> None:
    rows = [
        ["id", "Titre", "date", "Texte", "theme"],
        ["a1", "Un", "2022-10-11", '"Le port, à Brest ; dit-on,\nest ouvert."', "mer"],
        ["", "Deux", "hier", "Un autre.", ""],
        ["a3", "Vide", "", "", ""],
    ]
    loaded = load(tmp_path / "t.csv", "\n".join(delimiter.join(row) for row in rows))
    first, second = loaded.documents
    assert (first.source, first.id, first.title, first.date) == ("t.csv#a1", "a1", "Un", "2022-10-11")
    assert (first.text, first.metadata) == ("Le port, à Brest ; dit-on,\nest ouvert.", {"theme": "mer"})
    assert (second.source, second.metadata, second.date) == ("t.csv#L4", {"date": "hier"}, None)
    assert told(loaded) == ['t.csv:5: has no "text"']


@pytest.mark.parametrize("name", ["text", "TEXTE", "Content", "contenu", "body", " Corps "])
def test_any_name_of_the_column_of_texts_is_known(tmp_path: Path, name: str) -> None:
    data = f'\ufeff"{name}";n\r\n"Il dit ""oui"", puis : non.";1\r\n\r\n;\r\nDeux, trois;2;trop\r\n'.encode("utf-16")
    loaded = load(tmp_path / "t.CSV", data)
    assert [(each.source, each.text, each.metadata) for each in loaded.documents] == [
        ("t.CSV#L2", 'Il dit "oui", puis : non.', {"n": "1"}),
        ("t.CSV#L5", "Deux, trois", {"n": "2"}),
    ]
    assert loaded.warnings == ("t.CSV:5: has more cells than the first row (2); the rest was left out",)
    assert loaded.problems == ()


def test_a_long_cell_is_read(tmp_path: Path) -> None:
    text = "Une phrase. " * 20_000
    assert load(tmp_path / "t.tsv", f"id\ttexte\n1\t{text}\n").documents[0].text == text


def test_another_table_is_one_document_as_decoded(tmp_path: Path) -> None:
    text = "ville;habitants\r\nBrest;139 000\r\nÉvian;9 000\r\n"
    (document,) = load(tmp_path / "t.csv", text).documents
    assert (document.text, document.source) == (text, "t.csv")


# -- e-mails ---------------------------------------------------------------------------------------------------------


def mail(*, html: bool = False) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "Réunion à l'école"
    message["From"] = "Anne Petit <anne@example.org>"
    message["Date"] = "Tue, 11 Oct 2022 08:00:00 +0200"
    if html:
        message.set_content(ARTICLE, subtype="html")
    else:
        message.set_content("La réunion a lieu mardi.\nÀ demain.\n")
    return message


def test_a_message_gives_its_text_subject_date_and_sender(tmp_path: Path) -> None:
    (document,) = load(tmp_path / "a.eml", mail().as_bytes()).documents
    assert document.text == "La réunion a lieu mardi.\nÀ demain.\n"
    assert (document.title, document.date) == ("Réunion à l'école", "2022-10-11")
    assert document.metadata == {"author": "Anne Petit <anne@example.org>"}


def test_a_message_of_html_gives_the_text_of_the_page(tmp_path: Path) -> None:
    assert load(tmp_path / "a.eml", mail(html=True).as_bytes()).documents[0].text == ARTICLE_TEXT


def test_attachments_are_documents_of_their_own(tmp_path: Path) -> None:
    message = mail()
    message.add_attachment(b"Un texte joint.", maintype="text", subtype="plain", filename="joint.txt")
    message.add_attachment(b"\x89PNG\r\n\x1a\n", maintype="image", subtype="png", filename="photo.png")
    loaded = load(tmp_path / "a.eml", message.as_bytes())
    assert [(each.source, each.text) for each in loaded.documents][1:] == [("a.eml#joint.txt", "Un texte joint.")]
    assert len(loaded.problems) == 1
    assert told(loaded)[0].startswith("a.eml#photo.png: is a binary file (PNG image)")


def test_a_message_in_several_parts_is_one_text(tmp_path: Path) -> None:
    data = """From: a@b
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: multipart/alternative; boundary=y

--y
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

L'=E9t=E9, 3 =80.
--y
Content-Type: text/html

<p>Autrement.</p>
--y--
--x
Content-Type: image/png
Content-Disposition: inline
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--x
Content-Type: text/html; charset=utf-8

<p>La suite.</p>
--x
Content-Type: application/pgp-signature; name=signature.asc

abc
--x--
"""
    loaded = load(tmp_path / "a.eml", data)
    assert [document.text for document in loaded.documents] == ["L'été, 3 €.\n\nLa suite."]
    assert (loaded.problems, loaded.warnings) == ((), ())


def test_an_empty_plain_part_leaves_the_page(tmp_path: Path) -> None:
    message = EmailMessage()
    message.set_content("\n")
    message.add_alternative("<p>La page.</p>", subtype="html")
    assert [each.text for each in load(tmp_path / "a.eml", message.as_bytes()).documents] == ["La page."]


def test_a_forwarded_message_and_an_archive_in_it_are_read(tmp_path: Path) -> None:
    forwarded = mail()
    forwarded.add_attachment(archive({"d/a.txt": "Au fond."}), maintype="application", subtype="zip", filename="a.zip")
    message = EmailMessage()
    message["Subject"] = "Voir"
    message.set_content("Ci-joint.\n")
    message.add_attachment(forwarded)
    loaded = load(tmp_path / "a.eml", message.as_bytes())
    assert [(each.source, each.title, each.text) for each in loaded.documents] == [
        ("a.eml", "Voir", "Ci-joint.\n"),
        ("a.eml#1.eml", "Réunion à l'école", "La réunion a lieu mardi.\nÀ demain.\n"),
        ("a.eml#1.eml#a.zip#d/a.txt", None, "Au fond."),
    ]
    assert loaded.problems == ()


@pytest.mark.parametrize(("charset", "warning"), [("klingon", "read as cp1252"), ("utf-8", "read as cp1252")])
def test_a_message_that_is_not_in_the_encoding_that_it_says(tmp_path: Path, charset: str, warning: str) -> None:
    data = f"Subject: x\nContent-Type: text/plain; charset={charset}\n\n".encode() + "L'été à Noël".encode("cp1252")
    loaded = load(tmp_path / "a.eml", data)
    assert [document.text for document in loaded.documents] == ["L'été à Noël"]
    assert [warning in line for line in loaded.warnings] == [True]


def test_long_headers_are_cut_and_take_no_time(tmp_path: Path) -> None:
    loaded = load(tmp_path / "a.eml", b"From: " + b"a," * 100_000 + b"\nSubject: Titre\nDate: jamais\n\nBonjour\n")
    (document,) = loaded.documents
    assert (document.text, document.title, document.date) == ("Bonjour\n", "Titre", None)
    assert len(document.metadata["author"]) < 10_000


# -- archives --------------------------------------------------------------------------------------------------------


def test_members_are_read_by_their_own_formats_in_the_order_of_their_names(tmp_path: Path) -> None:
    members: dict[str, bytes | str] = {
        "z/note.txt": " date 2022-10 Une note.",
        "b.jsonl": json.dumps({"id": "x", "text": "Une ligne."}),
        "a/page.html": ARTICLE,
        "__MACOSX/a": "x",
        ".cache/a.txt": "x",
        "image.png": b"\x89PNG\r\n\x1a\n" + bytes(99),
        "in.zip": archive({"deep.txt": "Au fond."}),
    }
    loaded = load(tmp_path / "a.zip", archive(members))
    assert [(each.source, each.text) for each in loaded.documents] == [
        ("a.zip#a/page.html", ARTICLE_TEXT),
        ("a.zip#b.jsonl#x", "Une ligne."),
        ("a.zip#in.zip#deep.txt", "Au fond."),
        ("a.zip#z/note.txt", " date 2022-10 Une note."),
    ]
    assert len(loaded.problems) == 1
    assert "a.zip#image.png: is a binary file (PNG image)" in told(loaded)[0]


@pytest.mark.parametrize("name", ["../../etc/passwd.txt", "/etc/passwd.txt", "..\\a.txt", "C:\\a.txt"])
def test_names_that_lead_elsewhere_are_only_names(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (document,) = load(folder / "a.zip", archive({name: "Un texte."})).documents
    assert (document.source, document.text) == (f"a.zip#{name}", "Un texte.")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "folder"]


def test_a_nest_of_archives_ends(tmp_path: Path) -> None:
    data: bytes = archive({"fond.txt": "Au fond."})
    for _ in range(50):
        data = archive({"in.zip": data, "a.txt": "Ici."})
    loaded = load(tmp_path / "a.zip", data)
    assert [each.source.count("in.zip") for each in loaded.documents] == [0, 1, 2]
    assert len(loaded.problems) == 1
    assert "deep" in told(loaded)[0]


def test_links_encrypted_and_damaged_members_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        link = zipfile.ZipInfo("lien.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
        file.writestr("clef.txt", "secret")
        file.writestr("faux.txt", "MARQUE du texte")
        file.writestr("juste.txt", "Un texte juste.")
    content = bytearray(data.getvalue())
    content[content.index(b"MARQUE")] ^= 1  # its sum is wrong now
    place = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 1)  # the entry of clef.txt in the directory
    content[place + 8] |= 1  # encrypted
    loaded = load(tmp_path / "a.zip", bytes(content))
    assert [document.text for document in loaded.documents] == ["Un texte juste."]
    assert [line.partition(" is ")[0] for line in told(loaded)] == [
        "a.zip#clef.txt:",
        "a.zip#faux.txt:",
        "a.zip#lien.txt:",
    ]


def test_two_members_of_one_name_are_two_documents(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("a.txt", "Un.")
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("a.txt", "Deux.")
    loaded = load(tmp_path / "a.zip", data.getvalue())
    assert [document.source for document in loaded.documents] == ["a.zip#a.txt", "a.zip#a.txt@2"]


def test_a_name_that_would_be_taken_for_what_lies_in_another_member_is_told_apart(tmp_path: Path) -> None:
    members: dict[str, bytes | str] = {
        "a.jsonl": '{"id": "x", "text": "Un."}',
        "a.jsonl#x": "Deux.",
        "C#.txt": "Trois.",
    }
    loaded = load(tmp_path / "a.zip", archive(members))
    assert [(each.source, each.text) for each in loaded.documents] == [
        ("a.zip#C#.txt", "Trois."),
        ("a.zip#a.jsonl#x", "Un."),
        ("a.zip#a.jsonl%23x", "Deux."),
    ]


@pytest.mark.parametrize(
    ("raw", "name"), [(b"caf\x82.txt", "café.txt"), ("café.txt".encode(), "café.txt"), (b"a\x07b.txt", "a•b.txt")]
)
def test_names_of_old_archives_are_read_as_dos_wrote_them_or_as_utf8(tmp_path: Path, raw: bytes, name: str) -> None:
    data = archive({"x" * len(raw): "Un texte."}).replace(b"x" * len(raw), raw)
    (document,) = load(tmp_path / "a.zip", data).documents
    assert document.source == f"a.zip#{name}".replace("•", r"\x07")


def test_gzip_in_an_archive_is_unpacked_once(tmp_path: Path) -> None:
    once = gzip.compress(b"Un texte.")
    loaded = load(tmp_path / "a.zip", archive({"a.txt.gz": once, "b.gz": gzip.compress(once), "c.gz": once[:-9]}))
    assert [(each.source, each.text) for each in loaded.documents] == [("a.zip#a.txt.gz", "Un texte.")]
    assert [line.partition(": is ")[0] for line in told(loaded)] == ["a.zip#b.gz", "a.zip#c.gz"]
    assert "gzip inside gzip" in told(loaded)[0]
    assert "cut off gzip" in told(loaded)[1]


def test_another_document_format_that_is_a_zip_is_named(tmp_path: Path) -> None:
    data = archive({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<x>un</x>"})
    loaded = load(tmp_path / "a.ods", data)
    assert loaded.documents == ()
    assert told(loaded)[0].startswith(
        "a.ods: is a document of the kind application/vnd.oasis.opendocument.spreadsheet,"
    )


@pytest.mark.parametrize("cut", [3, 30, 60, -10])
def test_a_cut_archive_is_named(tmp_path: Path, cut: int) -> None:
    loaded = load(tmp_path / "a.zip", archive({"a.txt": "Un texte. " * 20})[:cut])
    assert loaded.documents == ()
    assert len(loaded.problems) == 1


# -- which loader ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data", [mail().as_bytes(), b"Return-Path: <a@b>\nReceived: by c\n id 3\n" + mail().as_bytes()], ids=["", "path"]
)
def test_a_message_is_known_by_its_fields(tmp_path: Path, data: bytes) -> None:
    assert load(tmp_path / "note.txt", data).documents[0].title == "Réunion à l'école"


@pytest.mark.parametrize(
    "text",
    [
        "From: Anne\nDate: mardi\n\nUne note.",
        "Message-ID: 3\nUne note.",
        "date: 2022\n\nFrom: Anne\nMIME-Version: 1.0",
        "<p>Un paragraphe.",
        "Le code <html> est court.",
        "<!-- " + "--><!-- " * 500,
    ],
)
def test_a_text_that_looks_like_something_else_stays_text(tmp_path: Path, text: str) -> None:
    (document,) = load(tmp_path / "note.txt", text).documents
    assert (document.text, document.metadata) == (text, {})


@pytest.mark.parametrize(
    "start", ["<HTML>", "<!-- un --><!-- deux -->\n<!DOCTYPE html>", '<?xml version="1.0"?>\n<html>']
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_page_is_known_by_its_start(tmp_path: Path, start: str, encoding: str) -> None:
    page = f"{start}<body><p>L'été à Noël.</p></body></html>"
    loaded = load(tmp_path / "page.txt", page.encode(encoding))
    assert [document.text for document in loaded.documents] == ["L'été à Noël."]
    assert (loaded.problems, loaded.warnings) == ((), ())


def test_reading_a_text_imports_no_library_of_a_format(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("L'été.", encoding="utf-8")
    (tmp_path / "a.jsonl").write_text('{"text": "L\'été."}', encoding="utf-8")
    code = """
import sys
from pathlib import Path
import index
from index.load import SourceFile, load_file
texts = [load_file(SourceFile(Path(name), name)).documents[0].text for name in ("a.txt", "a.jsonl")]
libraries = {"trafilatura", "lxml", "docx", "pptx", "openpyxl", "pypdfium2", "charset_normalizer", "email.parser"}
print(texts, sorted(libraries & set(sys.modules)))
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert (run.stdout, run.stderr) == ('["L\'été.", "L\'été."] []\n', "")


# -- files that no archive holds -------------------------------------------------------------------------------------


def test_old_office_documents_are_named_with_what_to_do(tmp_path: Path) -> None:
    loaded = load(tmp_path / "a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert told(loaded) == ["a.doc: is an old office document (DOC, XLS, PPT); save it as DOCX, XLSX or PPTX"]
