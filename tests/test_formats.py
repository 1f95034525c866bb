"""HTML, separated values, e-mails and archives: what is read of each, and what is told of the rest."""

from __future__ import annotations

import gzip
import io
import json
import stat
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest

from index.load import LoadedFile, SourceFile, load_file

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


def test_a_page_without_text_is_a_problem(tmp_path: Path) -> None:
    loaded = load(tmp_path / "a.html", "<html><head><script>x = 1</script></head><body></body></html>")
    assert (loaded.documents, told(loaded)) == ((), ["a.html: holds no text"])


def test_a_page_nested_very_deep_is_read_or_named(tmp_path: Path) -> None:
    loaded = load(tmp_path / "a.html", "<html><body>" + "<div>" * 20_000 + "Bonjour à tous." + "</div>" * 20_000)
    assert len(loaded.documents) + len(loaded.problems) == 1


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


def test_what_unpacks_to_too_much_is_refused_by_what_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.formats.archive.MAX_DOCUMENT_BYTES", 10_000)
    monkeypatch.setattr("index.formats.archive.MAX_STREAM_BYTES", 15_000)
    monkeypatch.setattr("index.formats.archive._PIECE_BYTES", 1_000)
    loaded = load(tmp_path / "a.zip", archive({"a.txt": b"a" * 50_000, "b.txt": "Bref.", "c.txt": b"c" * 9_000}))
    assert [document.source for document in loaded.documents] == ["a.zip#b.txt"]
    assert [line.partition(":")[0] for line in told(loaded)] == ["a.zip#a.txt", "a.zip#c.txt"]
    assert all("too large" in line for line in told(loaded))


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


@pytest.mark.parametrize("cut", [3, 30, 60, -10])
def test_a_cut_archive_is_named(tmp_path: Path, cut: int) -> None:
    loaded = load(tmp_path / "a.zip", archive({"a.txt": "Un texte. " * 20})[:cut])
    assert loaded.documents == ()
    assert len(loaded.problems) == 1


# -- files that no archive holds -------------------------------------------------------------------------------------


def test_a_sparse_file_of_two_gigabytes_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.write(b"Bonjour. " * 1_000)
        file.truncate(2 * 2**30)
    loaded = load_file(SourceFile(path, "a.txt"))
    assert loaded.documents == ()
    assert "too large" in told(loaded)[0]


def test_old_office_documents_are_named_with_what_to_do(tmp_path: Path) -> None:
    loaded = load(tmp_path / "a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert "save it as DOCX, XLSX or PPTX" in told(loaded)[0]
