"""Encodings other than UTF-8: French texts, short and long, and those that are not Western."""

from pathlib import Path

import pytest

from index.decode import decode
from index.load import SourceFile, load_file

SHORT = (
    "C'est l'été.",
    "Où êtes-vous ? Là-bas, déjà.",
    "« Voilà », dit-il à sa sœur.",
    "Le garçon a reçu la clé.",
    "À Noël, la forêt gèle.",
    "L’hôtel de Besançon coûte 30 € la nuit…",
    "Élève sérieux, près du maïs.",
    "Je suis prêt.",
    "Un œuf, deux bœufs ; 5 °C.",
)
LONG = " ".join(SHORT * 40)
PLAINER = str.maketrans({"’": "'", "œ": "oe", "…": "...", "€": "euros", "À": "A"})


def written(text: str, encoding: str) -> tuple[str, bytes]:
    """Return a text as people write it in an encoding, and its bytes."""
    try:
        return text, text.encode(encoding)
    except UnicodeEncodeError:
        plainer = "".join(char if char.encode(encoding, "ignore") else char.translate(PLAINER) for char in text)
        return plainer, plainer.encode(encoding)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "iso8859-15", "mac_roman", "cp850", "cp437"])
@pytest.mark.parametrize("text", [*SHORT, LONG], ids=range(len(SHORT) + 1))
def test_french_texts_are_read_in_the_encoding_that_they_were_written_in(text: str, encoding: str) -> None:
    expected, data = written(text, encoding)
    found, warning = decode(data, is_whole=True)
    assert found == expected
    assert warning is not None
    shown = {"latin-1": "cp1252", "iso8859-15": "", "cp437": "cp850"}.get(encoding, encoding)
    assert f"read as {shown}" in warning


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Die Straße ist schön, und die Häuser sind groß. Grüße aus München.", "cp1252"),
        ("El niño comió en la cafetería. ¿Dónde está el camión?", "cp1252"),
        ("A educação é um direito de todos. Não há razão para dúvidas.", "cp1252"),
        ("På svenska är å en bokstav; hör här, kära vänner.", "cp1252"),
        ("Москва является столицей России. В городе живёт более двенадцати миллионов человек.", "cp1251"),
        ("Москва является столицей России. В городе живёт более двенадцати миллионов человек.", "koi8_r"),
        ("Η Αθήνα είναι η πρωτεύουσα της Ελλάδας. Στην πόλη ζουν πολλοί άνθρωποι.", "cp1253"),
        ("東京は日本の首都です。多くの人が住んでいて、毎年たくさんの観光客が訪れます。", "shift_jis"),
        ("北京是中国的首都，每年有很多人来旅游。", "gb18030"),
    ],
)
def test_other_languages(text: str, encoding: str) -> None:
    found, warning = decode(text.encode(encoding), is_whole=True)
    assert found == text
    assert warning is not None


def test_in_doubt_it_is_cp1252() -> None:
    assert decode("Oui … non.".encode("cp1252"))[0] == "Oui … non."  # "à" in cp850
    assert decode("1 ½ tasse".encode("cp1252"))[0] == "1 ½ tasse"  # "œ" in Latin-9
    assert decode("c½ur".encode("cp1252")) == (
        "cœur",
        "is not UTF-8, read as iso8859-15 (Latin-9, Western Europe); if accents look wrong, save the file as UTF-8",
    )


def test_the_lines_of_a_file_are_read_each_in_its_encoding(tmp_path: Path) -> None:
    lines = [("L'été à Noël", "cp1252"), ("Il gèle déjà, l'été est passé", "mac_roman"), ("L'œuvre, 3 €", "utf-8")]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(f'{{"text": "{text}"}}'.encode(name) for text, name in lines))
    loaded = load_file(SourceFile(tmp_path / "a.jsonl", "a.jsonl"))
    assert [document.text for document in loaded.documents] == [text for text, _ in lines]
    assert [line.partition("(")[0] for line in loaded.warnings] == [
        "a.jsonl:1: is not UTF-8, read as cp1252 ",
        "a.jsonl:2: is not UTF-8, read as mac_roman ",
    ]


def test_every_byte_can_be_read() -> None:
    assert len(decode(bytes(range(256)), is_whole=True)[0]) == 256
