"""Loaders on real files: what is read, under which source, and what is told of the rest."""

import codecs
import gzip
import hashlib
import json
import os
import socket
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.errors import InputError
from index.load import LoadedFile, SourceFile, find_files, hash_file, load_file

FRENCH = "L’été, à Noël : « cœur » €\r\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one, so that sources can be relative."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(path: Path, data: bytes) -> LoadedFile:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return load_file(SourceFile(path, path.name))


def load_lines(path: Path, *lines: object) -> LoadedFile:
    texts = (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    return load(path, "\n".join(texts).encode())


def reasons(loaded: LoadedFile) -> list[str]:
    return [str(problem) for problem in loaded.problems]


class TestFindFiles:
    def test_folder_is_walked_in_sorted_order_without_hidden_files(self, folder: Path) -> None:
        for name in ["b.txt", "a/2.txt", "a/10.txt", "a.txt", ".git/config", ".DS_Store", "Thumbs.db", "a/.x/y.txt"]:
            (folder / "seeds" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "seeds" / name).write_text("x")
        files, problems = find_files(["./seeds/"])
        assert [file.source for file in files] == ["seeds/a/10.txt", "seeds/a/2.txt", "seeds/a.txt", "seeds/b.txt"]
        assert [file.path for file in files] == [folder / file.source for file in files]
        assert problems == []

    def test_hidden_file_that_is_named_is_listed(self, folder: Path) -> None:
        (folder / ".notes").write_text("x")
        assert [file.source for file in find_files([".notes"])[0]] == [".notes"]

    def test_file_reached_twice_is_listed_once_under_its_first_name(self, folder: Path) -> None:
        (folder / "d").mkdir()
        (folder / "d/a.txt").write_text("x")
        (folder / "d/b.txt").symlink_to("a.txt")
        (folder / "e").symlink_to("d")
        files, problems = find_files(["d/a.txt", "d", folder / "d", "e"])
        assert [file.source for file in files] == ["d/a.txt"]
        assert problems == []

    def test_link_to_a_folder_is_followed(self, folder: Path) -> None:
        (folder / "elsewhere").mkdir()
        (folder / "elsewhere/a.txt").write_text("x")
        (folder / "d").mkdir()
        (folder / "d/link").symlink_to("../elsewhere")
        assert [file.source for file in find_files(["d"])[0]] == ["d/link/a.txt"]

    def test_loops_and_dead_links_are_problems(self, folder: Path) -> None:
        (folder / "d").mkdir()
        (folder / "d/a.txt").write_text("x")
        (folder / "d/up").symlink_to("..")
        (folder / "d/self").symlink_to("self")
        (folder / "d/dead").symlink_to("nowhere")
        files, problems = find_files(["d"])
        assert [file.source for file in files] == ["d/a.txt"]
        assert [problem.source for problem in problems] == ["d/dead", "d/self", "d/up"]
        assert "loop" in problems[2].reason

    def test_pipes_and_sockets_are_problems_and_nothing_waits_for_them(self, folder: Path) -> None:
        os.mkfifo(folder / "pipe.txt")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("sock")
            files, problems = find_files(["."])
        assert files == []
        assert [str(problem) for problem in problems] == [
            "pipe.txt: is a named pipe, which is not read",
            "sock: is a socket, which is not read",
        ]
        assert "a named pipe" in reasons(load_file(SourceFile(folder / "pipe.txt", "pipe.txt")))[0]

    @pytest.mark.parametrize("path", ["nowhere", "a.txt/x", "", "nul\0l", "x" * 5000])
    def test_path_that_does_not_exist(self, folder: Path, path: str) -> None:
        (folder / "a.txt").write_text("x")
        with pytest.raises(InputError, match=r"no such file or folder|empty path"):
            find_files(["a.txt", path])

    def test_names_that_are_not_utf8_or_hold_controls_are_shown_escaped(self, folder: Path) -> None:
        try:
            Path(os.fsdecode(b"caf\xe9.txt")).write_text("un")
        except OSError:
            pytest.skip("this file system takes UTF-8 names only")
        Path("deux\nlignes.txt").write_text("deux")
        Path("été.txt").write_text("trois")
        files, _ = find_files(["."])
        assert [file.source for file in files] == [r"caf\xe9.txt", r"deux\nlignes.txt", "été.txt"]
        assert [load_file(file).documents[0].text for file in files] == ["un", "deux", "trois"]

    def test_folder_without_permission_is_a_problem(self, folder: Path) -> None:
        if os.geteuid() == 0:
            pytest.skip("root may read everything")
        (folder / "d/closed").mkdir(parents=True)
        (folder / "d/z.txt").write_text("x")
        (folder / "d/closed").chmod(0)
        try:
            files, problems = find_files(["d"])
        finally:
            (folder / "d/closed").chmod(stat.S_IRWXU)
        assert [file.source for file in files] == ["d/z.txt"]
        assert [problem.source for problem in problems] == ["d/closed"]
        assert "chmod" in problems[0].reason


class TestBytes:
    def test_hash_is_sha256_of_the_bytes(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"abc" * 100_000)
        assert hash_file(tmp_path / "a") == hashlib.sha256(b"abc" * 100_000).hexdigest()

    def test_file_that_is_gone_or_closed_is_named(self, tmp_path: Path) -> None:
        assert reasons(load_file(SourceFile(tmp_path / "a.txt", "a.txt"))) == [
            "a.txt: cannot be read (No such file or directory)"
        ]
        if os.geteuid() == 0:
            pytest.skip("root may read everything")
        (tmp_path / "a.txt").write_text("x")
        (tmp_path / "a.txt").chmod(0)
        assert "permission denied" in reasons(load_file(SourceFile(tmp_path / "a.txt", "a.txt")))[0]

    @pytest.mark.parametrize(
        ("data", "text"),
        [
            (FRENCH.encode(), FRENCH),
            (codecs.BOM_UTF8 + FRENCH.encode(), "\ufeff" + FRENCH),
            (FRENCH.encode("utf-16"), FRENCH),
            (codecs.BOM_UTF16_BE + FRENCH.encode("utf-16-be"), FRENCH),
            (FRENCH.encode("utf-32"), FRENCH),
            (gzip.compress(FRENCH.encode()), FRENCH),
            (gzip.compress(FRENCH.encode("utf-16")), FRENCH),
        ],
    )
    def test_encodings_without_a_doubt(self, tmp_path: Path, data: bytes, text: str) -> None:
        loaded = load(tmp_path / "a", data)
        assert [document.text for document in loaded.documents] == [text]
        assert loaded.warnings == ()

    @pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
    def test_cp1252_is_read_with_a_warning(self, tmp_path: Path, name: str) -> None:
        text = FRENCH.strip() if name == "a.txt" else json.dumps({"text": FRENCH.strip()}, ensure_ascii=False)
        loaded = load(tmp_path / name, text.encode("cp1252"))
        assert loaded.documents[0].text == FRENCH.strip()
        assert len(loaded.warnings) == 1
        assert "cp1252" in loaded.warnings[0]

    def test_bytes_that_cp1252_leaves_undefined_are_kept(self, tmp_path: Path) -> None:
        data = "L'été à Noël, déjà\xa0: ".encode("cp1252") + b"\x81 \x8d \x8f \x90 \x9d."
        assert load(tmp_path / "a", data).documents[0].text == "L'été à Noël, déjà\xa0: \x81 \x8d \x8f \x90 \x9d."

    def test_one_broken_byte_does_not_spoil_utf8(self, tmp_path: Path) -> None:
        loaded = load(tmp_path / "a", "été à Noël ".encode() + b"caf\xe9")
        assert loaded.documents[0].text == "été à Noël café"
        assert "broken bytes" in loaded.warnings[0]

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"%PDF-1.7\n", "PDF"),
            (b"PK\x03\x04", "damaged archive"),
            (b"\x89PNG\r\n\x1a\n", "PNG"),
            (b"\x7fELF\x02", "ELF"),
            (b"abc\x00def", "binary file"),
            (b"a" * 10_000 + b"\x00", "null bytes"),
            (b"\x01\x02\x03\x04abcdef", "binary file"),
            (FRENCH.encode("utf-16-le"), "binary file"),
            (codecs.BOM_UTF16_LE + b"abc", "UTF-16"),
            (gzip.compress(gzip.compress(b"text")), "gzip inside gzip"),
            (gzip.compress(b"text" * 1000)[:-12], "gzip"),
            (b"\x1f\x8bnot really", "gzip"),
            (b"{\\rtf1 a}", "RTF"),
            (b"", "empty"),
            (b" \r\n\t", "empty"),
            (codecs.BOM_UTF8 + b" ", "empty"),
            (gzip.compress(b""), "empty"),
        ],
    )
    @pytest.mark.parametrize("name", ["a.txt", "a.md", "a.json", "a"])
    def test_what_is_not_text_is_one_problem(self, tmp_path: Path, name: str, data: bytes, reason: str) -> None:
        loaded = load(tmp_path / name, data)
        assert loaded.documents == ()
        assert len(loaded.problems) == 1
        assert loaded.problems[0].source == name
        assert reason in loaded.problems[0].reason

    def test_too_large_a_document_is_refused_also_compressed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("index.decode.MAX_DOCUMENT_BYTES", 100)
        monkeypatch.setattr("index.formats.records.MAX_DOCUMENT_BYTES", 100)
        assert load(tmp_path / "a.txt", b"a" * 100).problems == ()
        assert "too large" in reasons(load(tmp_path / "a.txt", b"a" * 101))[0]
        assert "too large" in reasons(load(tmp_path / "a.txt.gz", gzip.compress(b"a" * 10_000)))[0]
        loaded = load(tmp_path / "a.jsonl.gz", gzip.compress(b'{"text": "un"}\n' + b"a" * 10_000))
        assert [document.text for document in loaded.documents] == ["un"]
        assert "a.jsonl.gz:2: too large" in reasons(loaded)[0]


class TestText:
    def test_header_is_date_and_stays_in_the_text(self, tmp_path: Path) -> None:
        document = load(tmp_path / "a.txt", " date 2022-10 L’Otan.".encode()).documents[0]
        assert (document.text, document.date, document.title) == (" date 2022-10 L’Otan.", "2022-10", None)
        assert document.text[document.body_start :] == "L’Otan."

    def test_prose_begins_after_the_byte_order_mark(self, tmp_path: Path) -> None:
        document = load(tmp_path / "a.txt", codecs.BOM_UTF8 + b"Bonjour.").documents[0]
        assert document.text[document.body_start :] == "Bonjour."

    def test_text_that_looks_like_json_stays_text(self, tmp_path: Path) -> None:
        assert load(tmp_path / "a.txt", b'{"text": "a"}').documents[0].text == '{"text": "a"}'

    def test_id_depends_on_the_text_alone(self, tmp_path: Path) -> None:
        ids = [load(tmp_path / name, data).documents[0].id for name, data in [("a", b"x"), ("a", b"y"), ("b", b"x")]]
        assert ids[0] == ids[2] != ids[1]
        assert ids[0] == hashlib.blake2b(b"x", digest_size=16).hexdigest()

    @given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
    @example("a\r\nb\rc\n\x85d\u2028e")
    @example("\ufeffa")
    def test_text_is_the_file_as_decoded(self, text: str) -> None:
        with TemporaryDirectory() as name:
            path = Path(name) / "a"
            path.write_bytes(text.encode())
            with path.open(encoding="utf-8", newline="") as file:
                expected = file.read()
            loaded = load_file(SourceFile(path, "a"))
        if loaded.documents:
            assert [document.text for document in loaded.documents] == [expected]
            assert (loaded.problems, loaded.warnings) == ((), ())
        else:
            assert expected.strip("\ufeff").strip() == "" or loaded.problems[0].reason.startswith("is a")

    @given(st.binary(max_size=300), st.sampled_from(["a", "a.md", "a.jsonl", "a.json", "a.txt.gz"]))
    def test_no_bytes_raise_and_every_text_can_be_written(self, data: bytes, name: str) -> None:
        with TemporaryDirectory() as folder:
            loaded = load(Path(folder) / name, data)
        assert loaded.documents or loaded.problems
        assert all(document.text.encode() for document in loaded.documents)


class TestMarkdown:
    def test_front_matter_gives_title_and_date(self, tmp_path: Path) -> None:
        text = '---\r\ntitle: "Mer Baltique"\r\ntags:\r\n  - otan\r\ndate: 2022-10-11\r\n---\r\n\r\n# Autre\r\n'
        document = load(tmp_path / "a.md", text.encode()).documents[0]
        assert (document.title, document.date, document.text) == ("Mer Baltique", "2022-10-11", text)
        assert document.text[document.body_start :] == "# Autre\r\n"

    @pytest.mark.parametrize(
        ("text", "title"),
        [
            ("Avant.\n\n# Le *titre* #\n\n# Second\n", "Le *titre*"),
            ("```\n# commentaire\n```\n# Titre", "Titre"),
            ("## Sous-titre\n#hashtag\n", None),
            ("\ufeff# Titre\n", "Titre"),
        ],
    )
    def test_title_is_the_first_heading(self, tmp_path: Path, text: str, title: str | None) -> None:
        assert load(tmp_path / "a.md", text.encode()).documents[0].title == title

    def test_rules_around_prose_are_no_front_matter(self, tmp_path: Path) -> None:
        document = load(tmp_path / "a.md", b"---\nUne phrase.\n---\nSuite.\n").documents[0]
        assert document.body_start == 0

    def test_date_that_is_not_understood_is_kept(self, tmp_path: Path) -> None:
        loaded = load(tmp_path / "a.md", b"---\ndate: un jour\n---\nTexte.\n")
        assert loaded.documents[0].metadata == {"date": "un jour"}
        assert len(loaded.warnings) == 1


class TestJsonLines:
    @pytest.mark.parametrize("name", ["a.jsonl", "a.JSONL", "a.ndjson", "a.jsonl.gz", "a.json"])
    def test_fields(self, tmp_path: Path, name: str) -> None:
        lines = [
            {"id": "x1", "title": "Titre", "date": "11/10/2022", "text": "Un\r\ndeux. 😀", "theme": ["a", {"b": None}]},
            {"text": "Sans rien"},
            {"id": 7, "text": "Numéro", "title": None, "date": None},
        ]
        data = "\n\n".join(json.dumps(line) for line in lines).encode()
        loaded = load(tmp_path / name, gzip.compress(data) if name.endswith(".gz") else data)
        assert (loaded.problems, loaded.warnings) == ((), ())
        first, second, third = loaded.documents
        assert (first.id, first.source, first.title, first.date) == ("x1", f"{name}#x1", "Titre", "2022-10-11")
        assert (first.text, first.body_start) == ("Un\r\ndeux. 😀", 0)
        assert first.metadata == {"theme": ["a", {"b": None}]}
        assert (second.source, second.title, second.date, second.metadata) == (f"{name}#L3", None, None, {})
        assert second.id == hashlib.blake2b(b"Sans rien", digest_size=16).hexdigest()
        assert (third.id, third.source, third.metadata) == ("7", f"{name}#7", {})

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ('{"text": "a"', "is not JSON"),
            ("not json", "is not JSON"),
            ("[]", "is a list"),
            ('"text"', "is a string"),
            ("null", "is null"),
            ("{}", 'has no "text"'),
            ('{"text": null}', '"text" is null'),
            ('{"text": 3}', '"text" is a number'),
            ('{"text": " \\n"}', '"text" is empty'),
            ('{"text": "a", "id": true}', '"id" is true or false'),
            ('{"text": "a", "id": [1]}', '"id" is a list'),
            ('{"text": "a", "x": NaN}', "NaN"),
            ('{"text": "a", "x": -Infinity}', "-Infinity"),
            ('{"text": "a", "x": 1e999}', "too large"),
            ('{"text": "a", "x": ' + "9" * 5000 + "}", "4300 digits"),
            ('{"text": "a\\ud800"}', "surrogate"),
            ('{"text": "a", "\\uDC00": 1}', "surrogate"),
            ('{"text": "a", "x": ' + "[" * 200 + "]" * 200 + "}", "nested"),
            ('{"text": "a", "x": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested"),
        ],
    )
    def test_broken_line_is_named_and_the_others_are_read(self, tmp_path: Path, line: str, reason: str) -> None:
        loaded = load_lines(tmp_path / "a.jsonl", {"text": "un"}, "", line, {"text": "deux"})
        assert [document.text for document in loaded.documents] == ["un", "deux"]
        assert [problem.source for problem in loaded.problems] == ["a.jsonl:3"]
        assert reason in loaded.problems[0].reason

    def test_odd_numbers_are_kept(self, tmp_path: Path) -> None:
        loaded = load_lines(tmp_path / "a.jsonl", '{"text": "\\ud83d\\ude00", "big": ' + "9" * 400 + "}")
        assert loaded.documents[0].text == "😀"
        assert loaded.documents[0].metadata == {"big": int("9" * 400)}

    def test_repeated_ids_lose_nothing(self, tmp_path: Path) -> None:
        lines = [{"id": id_, "text": text} for id_, text in [("x", "a"), ("x", "b"), ("x@L2", "c"), ("x", "d")]]
        loaded = load_lines(tmp_path / "a.jsonl", *lines)
        assert [document.source.partition("#")[2] for document in loaded.documents] == ["x", "x@L2", "x@L2@L3", "x@L4"]
        assert [document.text for document in loaded.documents] == ["a", "b", "c", "d"]
        assert len(loaded.warnings) == 1
        assert loaded.warnings[0].startswith("a.jsonl:2: ")
        assert "2 more" in loaded.warnings[0]

    def test_doubtful_fields_are_kept_with_a_warning(self, tmp_path: Path) -> None:
        loaded = load_lines(
            tmp_path / "a.jsonl", '{"text": "a", "date": "un jour", "title": 3}', '{"text": "b", "k": 1, "k": 2}'
        )
        assert [document.metadata for document in loaded.documents] == [{"date": "un jour", "title": 3}, {"k": 2}]
        assert [document.title for document in loaded.documents] == [None, None]
        assert [warning.partition(": ")[0] for warning in loaded.warnings] == ["a.jsonl:1", "a.jsonl:1", "a.jsonl:2"]

    def test_id_with_controls_is_shown_escaped(self, tmp_path: Path) -> None:
        document = load_lines(tmp_path / "a.jsonl", '{"text": "a", "id": "x\\ny"}').documents[0]
        assert (document.id, document.source) == ("x\ny", r"a.jsonl#x\ny")

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_byte_order_mark(self, tmp_path: Path, encoding: str) -> None:
        loaded = load(tmp_path / "a.jsonl", '{"text": "été"}\r\n{"text": "hiver"}\r\n'.encode(encoding))
        assert [document.text for document in loaded.documents] == ["été", "hiver"]
        assert loaded.problems == ()

    def test_lines_before_the_end_of_a_cut_gzip_are_read(self, tmp_path: Path) -> None:
        noise = [hashlib.sha256(bytes([n])).hexdigest() for n in range(200)]
        data = gzip.compress("\n".join(json.dumps({"text": text}) for text in noise).encode())
        loaded = load(tmp_path / "a.jsonl.gz", data[: len(data) // 2])
        assert [document.text for document in loaded.documents] == noise[: len(loaded.documents)]
        assert loaded.documents
        assert "gzip" in loaded.problems[-1].reason

    def test_empty_file_is_a_problem(self, tmp_path: Path) -> None:
        assert reasons(load(tmp_path / "a.jsonl", b"\n \n")) == ["a.jsonl: is empty"]


class TestJson:
    def test_array_and_object(self, tmp_path: Path) -> None:
        loaded = load(tmp_path / "a.json", b'[{"text": "un"},\n {"id": "x", "text": "deux"}, 3]')
        assert [(document.source, document.text) for document in loaded.documents] == [
            ("a.json#1", "un"),
            ("a.json#x", "deux"),
        ]
        assert [problem.source for problem in loaded.problems] == ["a.json[3]"]
        assert load(tmp_path / "b.json", b'{\n"text": "un"\n}').documents[0].text == "un"

    @pytest.mark.parametrize("data", [b"3", b'{"a": ', b"[]", b'{"a": 1}', b"texte"])
    def test_other_json_is_a_problem(self, tmp_path: Path, data: bytes) -> None:
        loaded = load(tmp_path / "a.json", data)
        assert loaded.documents == ()
        assert len(loaded.problems) == 1
