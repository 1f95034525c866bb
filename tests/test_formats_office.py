"""Office formats on small real files: text, title, date, author and pages in full, and what is refused."""

import datetime
import gzip
import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping

import pytest

from index.decode import ByteStream
from index.errors import LoadError
from index.formats.docx import load_docx
from index.formats.epub import load_epub
from index.formats.notes import LoadNotes
from index.formats.odt import load_odt
from index.formats.office import MAX_MEMBERS, dublin_core, zip_format
from index.formats.pdf import load_pdf
from index.formats.pptx import load_pptx
from index.formats.xlsx import load_xlsx
from index.types import Document

Loader = Callable[[str, ByteStream, LoadNotes], Iterator[Document]]

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
TEXT_SHOWN = "L’été, à Noël : « cœur » €."


def read(loader: Loader, data: bytes, notes: LoadNotes | None = None) -> Document:
    (document,) = loader("d/a.x", io.BufferedReader(io.BytesIO(data)), notes or LoadNotes())
    return document


def refusal(loader: Loader, data: bytes) -> str:
    with pytest.raises(LoadError) as caught:
        read(loader, data)
    assert caught.value.source == "d/a.x"
    return caught.value.reason


def zipped(members: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def replaced(data: bytes, name: str, old: bytes, new: bytes) -> bytes:
    """Return a zip with some bytes of one member replaced."""
    members = unzipped(data)
    assert old in members[name]
    members[name] = members[name].replace(old, new)
    return zipped(members)


def declared(data: bytes, member: str, size: int, checksum: int | None = None) -> bytes:
    """Return a zip in which a member declares another size, and another checksum."""
    changed = bytearray(data)
    for magic, fields, name in ((b"PK\x03\x04", 14, 30), (b"PK\x01\x02", 16, 46)):
        at = data.index(magic)
        while data[at + name : at + name + len(member)] != member.encode():
            at = data.index(magic, at + 1)
        struct.pack_into("<I", changed, at + fields + 8, size)
        if checksum is not None:
            struct.pack_into("<I", changed, at + fields, checksum)
    return bytes(changed)


# ---------------------------------------------------------------------------------------------------------------- PDF


def rc4(key: bytes, data: bytes) -> bytes:
    box, j = list(range(256)), 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)


def shown(*lines: str) -> bytes:
    """Return the content of a page that shows lines one below the other."""
    escaped = (line.encode("cp1252").replace(b"(", b"\\(").replace(b")", b"\\)") for line in lines)
    return b"BT /F1 12 Tf 14 TL 50 800 Td " + b" ".join(b"(" + line + b") Tj T*" for line in escaped) + b" ET"


def pdf(*pages: bytes, info: str = "", password: str | None = None) -> bytes:
    """Return a PDF of some pages' contents, encrypted as PDF 1.4 section 3.5 says (40-bit RC4) with a password."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    trailer, key = b"", b""
    if password is not None:
        pad = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
        user = (password.encode() + pad)[:32]
        owner = rc4(hashlib.md5(b"owner" + pad[:27]).digest()[:5], user)
        id_ = b"0123456789abcdef"
        key = hashlib.md5(user + owner + struct.pack("<i", -4) + id_).digest()[:5]
        trailer = b"/ID [<%s> <%s>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % tuple(
            part.hex().encode() for part in (id_, id_, owner, rc4(key, pad))
        )
    for page in pages:
        number = len(objects) + 2
        content = (
            rc4(hashlib.md5(key + struct.pack("<IB", number, 0)[:3] + b"\0\0").digest()[:10], page) if key else page
        )
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % number
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    objects.append(b"<< " + info.encode("cp1252") + b" >>")
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    n_objects = len(objects) + 1
    return (
        data
        + b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R /Info %d 0 R %s >>\n"
        % (
            *(n_objects, table, n_objects, n_objects - 1),
            trailer,
        )
        + b"startxref\n%d\n%%%%EOF\n" % len(data)
    )


def sample_pdf() -> bytes:
    return pdf(
        shown(TEXT_SHOWN, "Le gouver-", "nement siège à Saint-", "Denis (Seine)."),
        b"10 10 100 100 re f",
        shown("Le débat continue et"),
        shown("se termine. Fin."),
        info="/Title (Un  titre) /Author (Zoé) /CreationDate (D:20221011120000+02'00')",
    )


class TestPdf:
    def test_text_properties_and_pages(self) -> None:
        document = read(load_pdf, sample_pdf())
        first = f"{TEXT_SHOWN}\nLe gouvernement siège à Saint-Denis (Seine)."
        assert document.text == f"{first}\n\n\n\nLe débat continue et\nse termine. Fin."
        assert (document.title, document.date, document.metadata) == ("Un titre", "2022-10-11", {"author": "Zoé"})
        third = document.text.index("Le débat")
        assert document.pages == (0, len(first) + 2, third, document.text.index("se termine"))
        places = {"été": 1, "Saint-Denis": 1, "Le débat": 3, "continue et": 3, "se termine": 4, "Fin.": 4}
        assert {word: document.page_at(document.text.index(word)) for word in places} == places

    @pytest.mark.parametrize(
        ("lines", "text"),
        [
            (("un porte-", "parole"), "un porteparole"),
            (("Jean-", "Paul"), "Jean-Paul"),
            (("l'OTAN-", "Russie"), "l'OTAN-Russie"),
            (("il dit -", "puis part"), "il dit -\npuis part"),
        ],
    )
    def test_only_lower_case_halves_are_joined(self, lines: tuple[str, str], text: str) -> None:
        assert read(load_pdf, pdf(shown(*lines))).text == text

    @pytest.mark.parametrize(
        ("info", "date"),
        [
            ("/CreationDate (D:2022)", "2022"),
            ("/CreationDate (D:202210)", "2022-10"),
            ("/ModDate (D:20221011)", "2022-10-11"),
            ("/CreationDate (2022-10-11T08:00:00Z)", "2022-10-11"),
            ("/CreationDate (20221011080000)", "2022-10-11"),
            ("", None),
        ],
    )
    def test_dates_of_the_document_information(self, info: str, date: str | None) -> None:
        assert read(load_pdf, pdf(shown("Texte."), info=info)).date == date

    def test_date_that_is_none_is_kept_as_metadata(self) -> None:
        notes = LoadNotes()
        document = read(load_pdf, pdf(shown("Texte."), info="/CreationDate (D:20221399)"), notes)
        assert (document.date, document.metadata) == (None, {"date": "2022-13-99"})
        assert notes.warnings == ["d/a.x: the date is not understood; kept as metadata"]

    def test_scanned_is_told_from_empty(self) -> None:
        reason = "has no text, only pictures of pages (scanned); run text recognition (OCR) on it"
        assert refusal(load_pdf, pdf(b"10 10 100 100 re f")) == reason

    def test_password(self) -> None:
        import pypdfium2

        data = pdf(shown("Le secret."), password="ouvre-toi")
        with pypdfium2.PdfDocument(data, password="ouvre-toi") as opened:  # the encryption of the sample is right
            page = opened[0]
            assert page.get_textpage().get_text_bounded() == "Le secret."
        assert refusal(load_pdf, data) == "is protected by a password; save it without one"
        assert read(load_pdf, pdf(shown("Lisible."), password="")).text == "Lisible."

    def test_pages_that_are_counted_and_not_there(self) -> None:
        data = sample_pdf().replace(b"/Count 4", b"/Count 90000")
        assert read(load_pdf, data) == read(load_pdf, sample_pdf())
        assert refusal(load_pdf, data.replace(b"90000", b"900000")) == "has more than 100000 pages; split it"

    @pytest.mark.parametrize("size", [0, 9, 300])
    def test_damaged(self, size: int) -> None:
        assert refusal(load_pdf, sample_pdf()[:size]).startswith("is a damaged or cut off PDF file (PdfiumError ")


# --------------------------------------------------------------------------------------------------------------- DOCX


def sample_docx() -> bytes:
    import docx

    document = docx.Document()
    document.core_properties.title = "Le rapport"
    document.core_properties.author = "Zoé Noël"
    document.core_properties.created = datetime.datetime(2022, 10, 11, 9, 30)
    document.core_properties.modified = datetime.datetime(2023, 1, 1)
    document.add_heading("Première partie", level=1)
    document.add_paragraph(TEXT_SHOWN)
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip((c for row in table.rows for c in row.cells), ["Pays", "Navires", "", "30"], strict=True):
        cell.text = text
    document.add_paragraph("Après\tle tableau\nsur deux lignes.")
    document.sections[0].header.paragraphs[0].text = "En-tête"
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


DOCX_TEXT = f"Première partie\n{TEXT_SHOWN}\nPays | Navires\n| 30\nAprès\tle tableau\nsur deux lignes."


def with_body(data: bytes, xml: str) -> bytes:
    """Return a Word document with more at the end of its body."""
    return replaced(data, "word/document.xml", b"<w:sectPr", xml.encode() + b"<w:sectPr")


class TestDocx:
    def test_text_in_order_and_properties(self) -> None:
        document = read(load_docx, sample_docx())
        assert document.text == DOCX_TEXT
        assert (document.title, document.date, document.pages) == ("Le rapport", "2022-10-11", ())
        assert document.metadata == {"author": "Zoé Noël"}

    def test_changed_date_stands_in_and_no_properties_are_made_up(self) -> None:
        data = sample_docx()
        created = b'<dcterms:created xsi:type="dcterms:W3CDTF">2022-10-11T09:30:00Z</dcterms:created>'
        assert read(load_docx, replaced(data, "docProps/core.xml", created, b"")).date == "2023-01-01"
        members = unzipped(data)
        members["docProps/core.xml"] = b"<cp:coreProperties xmlns:cp='x'/>"
        document = read(load_docx, zipped(members))
        assert (document.title, document.date, document.metadata) == (None, None, {})

    def test_content_controls_insertions_text_boxes_and_footnotes(self) -> None:
        xml = (
            "<w:sdt><w:sdtContent><w:p><w:r><w:t>Contrôle.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
            "<w:p><w:r><w:t>Repris : </w:t></w:r><w:ins><w:r><w:t>Ajouté</w:t></w:r></w:ins>"
            "<w:del><w:r><w:tab/><w:delText>Ôté</w:delText></w:r></w:del>"
            "<w:moveFrom><w:r><w:t>Ailleurs</w:t></w:r></w:moveFrom>"
            '<w:r><w:t>.</w:t><w:footnoteReference w:id="2"/></w:r></w:p>'
            '<w:p><w:r><x:AlternateContent xmlns:x="x"><x:Choice><w:pict><w:txbxContent><w:p><w:r><w:t>Boîte.</w:t>'
            "</w:r></w:p></w:txbxContent></w:pict></x:Choice><x:Fallback><w:txbxContent><w:p><w:r><w:t>Boîte.</w:t></w:r></w:p>"
            "</w:txbxContent></x:Fallback></x:AlternateContent><w:t>Autour.</w:t></w:r></w:p>"
        )
        members = unzipped(with_body(sample_docx(), xml))
        members["word/footnotes.xml"] = (
            f'<w:footnotes xmlns:w="{WORD}"><w:footnote w:id="2"><w:p><w:r><w:t>Note de bas.</w:t></w:r></w:p>'
            "</w:footnote></w:footnotes>"
        ).encode()
        document = read(load_docx, zipped(members))
        assert document.text == f"{DOCX_TEXT}\nContrôle.\nRepris : Ajouté.\nNote de bas.\nAutour.\nBoîte."

    def test_document_with_macros_and_gzip(self) -> None:
        main = b"wordprocessingml.document.main+xml"
        data = replaced(sample_docx(), "[Content_Types].xml", b"application/vnd.openxmlformats-officedocument." + main,
                        b"application/vnd.ms-word.document.macroEnabled.main+xml")  # fmt: skip
        with gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(data))) as stream:
            assert zip_format(stream) == "docx"
            assert [document.text for document in load_docx("d/a.x", stream, LoadNotes())] == [DOCX_TEXT]

    def test_pictures_are_not_read(self) -> None:
        data = zipped({**unzipped(sample_docx()), "word/media/image1.png": b"x"})
        assert read(load_docx, declared(data, "word/media/image1.png", 2**32 - 2)).text == DOCX_TEXT


# --------------------------------------------------------------------------------------------------------------- PPTX


def sample_pptx() -> bytes:
    import pptx

    deck = pptx.Presentation()
    deck.core_properties.title = "L'exposé"
    deck.core_properties.author = "Zoé"
    deck.core_properties.created = datetime.datetime(2021, 3, 4)
    first = deck.slides.add_slide(deck.slide_layouts[1])
    first.shapes.title.text = "Titre"
    first.placeholders[1].text = f"{TEXT_SHOWN}\nDeuxième\vligne"
    first.notes_slide.notes_text_frame.text = "À dire."
    deck.slides.add_slide(deck.slide_layouts[6])
    third = deck.slides.add_slide(deck.slide_layouts[6])
    table = third.shapes.add_table(2, 2, 0, 0, 100, 100).table
    for n, text in enumerate(["Pays", "Navires", "Norvège", "30"]):
        table.cell(n // 2, n % 2).text = text
    group = third.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, 9, 9).text_frame.text = "Dans un groupe"
    stream = io.BytesIO()
    deck.save(stream)
    return stream.getvalue()


class TestPptx:
    def test_slides_are_pages(self) -> None:
        document = read(load_pptx, sample_pptx())
        first = f"Titre\n{TEXT_SHOWN}\nDeuxième\nligne\nÀ dire."
        assert document.text == f"{first}\n\n\n\nPays | Navires\nNorvège | 30\nDans un groupe"
        assert (document.title, document.date, document.metadata) == ("L'exposé", "2021-03-04", {"author": "Zoé"})
        assert document.pages == (0, len(first) + 2, len(first) + 4)
        assert [document.page_at(document.text.index(word)) for word in ("été", "À dire", "Pays", "groupe")] == [
            1,
            1,
            3,
            3,
        ]

    def test_show_is_read_as_a_presentation(self) -> None:
        data = replaced(
            sample_pptx(), "[Content_Types].xml", b"presentationml.presentation.main", b"presentationml.slideshow.main"
        )
        assert read(load_pptx, data).text.startswith("Titre\n")


# --------------------------------------------------------------------------------------------------------------- XLSX


def sample_xlsx() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.properties.title = "Les comptes"
    book.properties.creator = "Zoé"
    book.properties.created = datetime.datetime(2020, 5, 1)
    sheet = book.active
    sheet.title = "Dépenses"
    sheet.append(["Date", "Montant", "Payé", None])
    sheet.append([datetime.date(2022, 10, 11), 12.0, True])
    sheet.append([])
    sheet.append([datetime.datetime(2022, 10, 11, 8, 30), 0.1 + 0.2, "deux\nlignes"])
    sheet.append([datetime.time(9, 5), 1e20, "=1+1"])
    book.create_sheet("Vide")
    last = book.create_sheet("Recettes")
    last["C3"] = 1234567
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


XLSX_TEXT = (
    "Dépenses\nDate | Montant | Payé\n2022-10-11 | 12 | TRUE\n2022-10-11 08:30:00 | 0.3 | deux lignes\n"
    "09:05:00 | 1e+20\n\nRecettes\n|  | 1234567"
)


class TestXlsx:
    def test_sheets_rows_and_values(self) -> None:
        document = read(load_xlsx, sample_xlsx())
        assert document.text == XLSX_TEXT
        assert (document.title, document.date, document.metadata) == ("Les comptes", "2020-05-01", {"author": "Zoé"})

    def test_row_numbers_that_no_sheet_has(self) -> None:
        data = replaced(sample_xlsx(), "xl/worksheets/sheet3.xml", b'<row r="3"', b'<row r="99999999999999"')
        assert refusal(load_xlsx, data) == "has a sheet with more than 1048576 rows, which no XLSX file has"

    def test_cells_that_openpyxl_would_make_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("index.formats.xlsx._MAX_CELLS", 16_384)
        data = replaced(sample_xlsx(), "xl/worksheets/sheet3.xml", b'r="C3"', b'r="XFD3"')
        assert read(load_xlsx, data).text.endswith("Recettes\n" + " | ".join([""] * 16_383 + ["1234567"]).strip())
        monkeypatch.setattr("index.formats.xlsx._MAX_CELLS", 16_383)
        assert refusal(load_xlsx, data) == "has a sheet with more than 16383 cells; split it"

    def test_declared_size_is_not_believed(self) -> None:
        data = replaced(
            sample_xlsx(), "xl/worksheets/sheet3.xml", b'<dimension ref="C3:C3"', b'<dimension ref="A1:XFD1048576"'
        )
        assert read(load_xlsx, data).text == XLSX_TEXT


# ---------------------------------------------------------------------------------------------------------------- ODT

ODF = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"'
)


def sample_odt() -> bytes:
    content = f"""<?xml version="1.0" encoding="UTF-8"?>
<office:document-content {ODF}><office:body><office:text>
<text:tracked-changes><text:p>Effacé</text:p></text:tracked-changes>
<text:h text:outline-level="1">Première partie</text:h>
<text:p>{TEXT_SHOWN}<text:s text:c="2"/>Un
 <text:span>mot</text:span><text:tab/>puis<text:line-break/>fin<text:note><text:note-citation>1</text:note-citation>
<text:note-body><text:p>La note.</text:p></text:note-body></text:note>.</text:p>
<text:list><text:list-item><text:p>un</text:p></text:list-item><text:list-item><text:p>deux</text:p></text:list-item></text:list>
<table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>Pays</text:p></table:table-cell>
<table:table-cell><text:p>Navires</text:p></table:table-cell></table:table-row></table:table-header-rows>
<table:table-row table:number-rows-repeated="1000000"><table:table-cell><text:p>Norvège</text:p></table:table-cell>
<table:table-cell><text:p>30</text:p></table:table-cell></table:table-row></table:table>
<text:section><text:p><draw:frame><draw:text-box><text:p>Boîte.</text:p></draw:text-box></draw:frame>Dernière.</text:p></text:section>
</office:text></office:body></office:document-content>"""
    about = f"""<office:document-meta {ODF}><office:meta><dc:title>Le rapport</dc:title><dc:creator>Paul</dc:creator>
<meta:initial-creator>Zoé</meta:initial-creator><dc:date>2023-01-01T10:00:00.123456789</dc:date>
<meta:creation-date>2022-10-11T10:00:00.123456789</meta:creation-date></office:meta></office:document-meta>"""
    return zipped({
        "mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content, "meta.xml": about,
        "META-INF/manifest.xml": "<manifest/>",
    })  # fmt: skip


class TestOdt:
    def test_text_in_order_and_properties(self) -> None:
        document = read(load_odt, sample_odt())
        assert document.text == (
            f"Première partie\n{TEXT_SHOWN}  Un mot\tpuis\nfin.\nLa note.\nun\ndeux\nPays | Navires\nNorvège | 30\n"
            "Dernière.\nBoîte."
        )
        assert (document.title, document.date, document.metadata) == ("Le rapport", "2022-10-11", {"author": "Zoé"})

    def test_password(self) -> None:
        data = replaced(sample_odt(), "META-INF/manifest.xml", b"<manifest/>", b"<m:encryption-data/>")
        assert refusal(load_odt, data) == "is protected by a password; save it without one"

    def test_without_content(self) -> None:
        assert refusal(load_odt, zipped({"mimetype": "x"})).startswith("is a damaged or cut off ODT file (KeyError ")


# --------------------------------------------------------------------------------------------------------------- EPUB


def sample_epub() -> bytes:
    package = """<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Le livre</dc:title><dc:creator>Zoé</dc:creator>
<dc:creator>Paul</dc:creator><dc:date>2019-04</dc:date></metadata>
<manifest><item id="b" href="deux.xhtml" media-type="application/xhtml+xml"/>
<item id="a" href="un%20.xhtml" media-type="application/xhtml+xml"/><item id="i" href="i.png" media-type="image/png"/>
<item id="n" href="nav.xhtml" media-type="application/xhtml+xml"/></manifest>
<spine><itemref idref="a"/><itemref idref="i"/><itemref idref="b"/><itemref idref="none"/></spine></package>"""
    one = f"""<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title/><style>p {{}}</style></head><body><h1>Un</h1>
<p>{TEXT_SHOWN} <em>Ici</em>&nbsp;&eacute;t&eacute; &amp; A&lt;B<br/>suite</p><script>x()</script>
<table><tr><th>Pays</th><th>Navires</th></tr><tr><td><p>Nor</p><p>vège</p></td><td>30</td></tr></table>
<pre>a  b
c</pre>Hors<div>Dans</div>après</body></html>"""
    return zipped({
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OEBPS/p.opf"/></rootfiles></container>',
        "OEBPS/p.opf": package, "OEBPS/un .xhtml": one, "OEBPS/deux.xhtml": "<html><body><p>Mal <b>formé<p>Deux</body>",
        "OEBPS/nav.xhtml": "<html><body>Sommaire</body></html>",
    })  # fmt: skip


class TestEpub:
    def test_chapters_in_the_order_of_the_spine(self) -> None:
        document = read(load_epub, sample_epub())
        assert document.text == (
            f"Un\n{TEXT_SHOWN} Ici\xa0été & A<B\nsuite\nPays | Navires\nNor vège | 30\na  b\nc\nHors\nDans\naprès"
            "\n\nMal formé\nDeux"
        )
        assert (document.title, document.date, document.metadata) == ("Le livre", "2019-04", {"author": "Zoé, Paul"})

    def test_chapter_that_is_missing_is_a_problem_and_the_others_are_read(self) -> None:
        members = unzipped(sample_epub())
        del members["OEBPS/un .xhtml"]
        notes = LoadNotes()
        assert read(load_epub, zipped(members), notes).text == "Mal formé\nDeux"
        assert [str(problem) for problem in notes.problems] == [
            "d/a.x#OEBPS/un .xhtml: is listed as a chapter and is not in the book"
        ]

    def test_protected_chapters(self) -> None:
        members = unzipped(sample_epub())
        members["META-INF/encryption.xml"] = b'<e><CipherReference URI="OEBPS/deux.xhtml"/></e>'
        assert refusal(load_epub, zipped(members)).startswith("is protected by a password or a licence (DRM)")
        members["META-INF/encryption.xml"] = b'<e><CipherReference URI="OEBPS/font.otf"/></e>'
        assert read(load_epub, zipped(members)).title == "Le livre"


# ------------------------------------------------------------------------------------------------- what all have alike

SAMPLES: dict[str, tuple[Loader, Callable[[], bytes], str]] = {
    "docx": (load_docx, sample_docx, "word/document.xml"),
    "pptx": (load_pptx, sample_pptx, "ppt/slides/slide1.xml"),
    "xlsx": (load_xlsx, sample_xlsx, "xl/worksheets/sheet1.xml"),
    "odt": (load_odt, sample_odt, "content.xml"),
    "epub": (load_epub, sample_epub, "OEBPS/un .xhtml"),
}


@pytest.mark.parametrize("name", SAMPLES)
class TestContainer:
    def test_format_is_known_by_content(self, name: str) -> None:
        stream = io.BufferedReader(io.BytesIO(SAMPLES[name][1]()))
        assert (zip_format(stream), stream.tell()) == (name, 0)

    def test_cut_off(self, name: str) -> None:
        loader, sample, _ = SAMPLES[name]
        data = sample()
        for size in (0, 10, len(data) // 2, len(data) - 10):
            assert f"is a damaged or cut off {name.upper()} file (" in refusal(loader, data[:size])

    def test_damaged_member(self, name: str) -> None:
        loader, sample, member = SAMPLES[name]
        data = sample()
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            info = archive.getinfo(member)
        middle = info.header_offset + 30 + len(member) + info.compress_size // 2
        assert "is a damaged" in refusal(loader, data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :])

    def test_password_flag(self, name: str) -> None:
        loader, sample, _ = SAMPLES[name]
        data = bytearray(sample())
        data[data.index(b"PK\x01\x02") + 8] |= 1
        assert refusal(loader, bytes(data)) == "is protected by a password; save it without one"

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
    def test_entities_are_refused(self, name: str, encoding: str) -> None:
        loader, sample, member = SAMPLES[name]
        members = unzipped(sample())
        text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><x>&a;</x>'
        members[member] = text.encode(encoding)
        assert "refused as unsafe" in refusal(loader, zipped(members))

    def test_lying_sizes(self, name: str) -> None:
        """A member that unpacks to more than it declares, its checksum that of what it declares."""
        loader, sample, member = SAMPLES[name]
        members = unzipped(sample())
        shown_size = len(members[member])
        members[member] += b" " * 2**20
        data = declared(zipped(members), member, shown_size, zlib.crc32(members[member][:shown_size]))
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert len(archive.read(member)) == shown_size  # zipfile itself sees nothing wrong
        assert "has not the size and checksum that it declares" in refusal(loader, data)

    def test_too_much_to_unpack(self, name: str) -> None:
        loader, sample, member = SAMPLES[name]
        assert "decompressed, the most for" in refusal(loader, declared(sample(), member, 257 * 2**20))

    def test_too_many_tags(self, name: str) -> None:
        loader, sample, member = SAMPLES[name]
        n_tags = 17_000_000 if name in {"xlsx", "epub"} else 4_200_000
        data = zipped({**unzipped(sample()), member: b"<x>" + b"<a>" * n_tags})
        assert "tags, the most for" in refusal(loader, data)

    def test_nested_too_deep(self, name: str) -> None:
        loader, sample, member = SAMPLES[name]
        members = unzipped(sample())
        members[member] = b"<x>" * 100_000 + b"</x>" * 100_000
        rest = {"epub": "Mal formé\nDeux", "xlsx": XLSX_TEXT.partition("\n\n")[2]}  # one chapter, one sheet is lost
        if name in rest:
            assert read(loader, zipped(members)).text == rest[name]
        else:
            assert "is a damaged" in refusal(loader, zipped(members))

    def test_too_many_members(self, name: str) -> None:
        loader, sample, _ = SAMPLES[name]
        data = zipped({**unzipped(sample()), **{f"m/{n}": b"" for n in range(MAX_MEMBERS)}})
        assert f"more than {MAX_MEMBERS} members" in refusal(loader, data)
        assert zip_format(io.BufferedReader(io.BytesIO(data))) is None

    def test_other_compression(self, name: str) -> None:
        loader, sample, _ = SAMPLES[name]
        assert "is compressed in a way" in refusal(loader, zipped(unzipped(sample()), zipfile.ZIP_BZIP2))


@pytest.mark.parametrize("loader", [load_docx, load_pptx, load_xlsx])
def test_encrypted_office_package(loader: Loader) -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000) + "EncryptedPackage".encode("utf-16-le")
    assert refusal(loader, data) == "is protected by a password; save it without one"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        zipped({}),
        zipped({"a.txt": "word/"}),
        zipped({"word/a.txt": "x"}),
        zipped({"mimetype": "x/y"}),
    ],
)
def test_other_archives_are_no_office_format(data: bytes) -> None:
    assert zip_format(io.BufferedReader(io.BytesIO(data))) is None


def test_backslashes_in_names() -> None:
    members = {name.replace("/", "\\"): content for name, content in unzipped(sample_docx()).items()}
    assert zip_format(io.BufferedReader(io.BytesIO(zipped(members)))) == "docx"
    assert read(load_docx, zipped(members)).text == DOCX_TEXT


def test_dublin_core_prefers_the_first_name() -> None:
    about = dublin_core(
        b"<m><title> A\n B </title><date/><modified>2020</modified><date>2021</date></m>", ("date", "modified")
    )
    assert (about.title, about.author, about.date) == ("A B", None, "2021")
