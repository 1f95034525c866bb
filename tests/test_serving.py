"""A page served to others: accounts, reading only, the health check, headers, and the tools for assistants."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from mcp import StdioServerParameters
from mcp.client import Client as McpClient
from mcp.client.stdio import stdio_client

from benchmarks.load import users
from index import CorpusIndex, InputError
from tests.page_server import ROOT, SEED, Page, served
from ui.__main__ import main
from ui.accounts import Accounts, set_password

NAME, PASSWORD = "anne", "quatre mots au hasard"
QUESTION = "Combien de navires patrouillent en mer Baltique et en mer du Nord ?"


@pytest.fixture
def accounts(tmp_path: Path) -> Path:
    path = tmp_path / "accounts"
    set_password(path, NAME, PASSWORD)
    return path


class TestAccounts:
    def test_a_password_opens_its_own_account_only(self, accounts: Path) -> None:
        set_password(accounts, "paul", "un autre mot de passe")
        found = Accounts(accounts)
        assert found.allows(NAME, PASSWORD)
        assert not found.allows("paul", PASSWORD)
        assert not found.allows(NAME, PASSWORD + " ")
        assert not found.allows("personne", PASSWORD)
        assert not found.allows("", "")

    def test_the_file_has_no_password_and_no_other_reader(self, accounts: Path) -> None:
        assert PASSWORD not in accounts.read_text(encoding="utf-8")
        assert accounts.stat().st_mode & 0o077 == 0
        accounts.chmod(0o644)
        with pytest.raises(InputError, match="chmod 600"):
            Accounts(accounts)

    def test_a_password_is_changed(self, accounts: Path) -> None:
        set_password(accounts, NAME, "tout à fait autre")
        assert not Accounts(accounts).allows(NAME, PASSWORD)
        assert Accounts(accounts).allows(NAME, "tout à fait autre")

    @pytest.mark.parametrize("text", ["", "# rien\n", "anne\n", "anne:secret\n", "anne:$argon2id$v=19\n"])
    def test_a_damaged_file_is_refused(self, accounts: Path, text: str) -> None:
        accounts.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="ui password"):
            Accounts(accounts)

    def test_a_name_given_twice_is_refused(self, accounts: Path) -> None:
        accounts.write_text(accounts.read_text(encoding="utf-8") * 2, encoding="utf-8")
        with pytest.raises(InputError, match="line 2"):
            Accounts(accounts)

    @pytest.mark.parametrize(
        ("name", "password"), [("a b", PASSWORD), ("a:b", PASSWORD), ("", PASSWORD), ("a", "court")]
    )
    def test_what_is_not_fit_is_refused(self, tmp_path: Path, name: str, password: str) -> None:
        with pytest.raises(InputError, match="expected"):
            set_password(tmp_path / "accounts", name, password)

    def test_the_command_reads_a_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        lines = tmp_path / "line"
        lines.write_text(f"{PASSWORD}\n", encoding="utf-8")
        with lines.open(encoding="utf-8") as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            assert main(["password", NAME, "--file", str(tmp_path / "accounts")]) == 0
        assert PASSWORD not in capsys.readouterr().out
        assert Accounts(tmp_path / "accounts").allows(NAME, PASSWORD)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("guarded")
    set_password(folder / "accounts", NAME, PASSWORD)
    with served(folder, "--auth-file", str(folder / "accounts"), "--read-only") as page:
        yield page


class TestPage:
    def test_health_is_told_without_a_login_and_without_paths(self, guarded: Page) -> None:
        answer = httpx.get(f"{guarded.url}healthz")
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok", "generation": 1, "documents": 1}

    def test_metrics_count_questions_and_tell_no_words(self, guarded: Page) -> None:
        def counts() -> dict[str, float]:
            lines = httpx.get(f"{guarded.url}metrics").text.splitlines()
            return {name: float(value) for name, value in (line.split() for line in lines if line[0] != "#")}

        before = counts()
        client = Client(guarded.url, auth=(NAME, PASSWORD), verbose=False)
        client.predict("Qui est le secrétaire général de l'Otan ?", api_name="/ask")
        client.predict("Qui a remporté la Coupe du monde 2022 ?", api_name="/ask")
        with pytest.raises(AppError):
            client.predict(" ", api_name="/ask")
        after = counts()
        for outcome in ("answered", "refused", "failed"):
            name = f'sourcier_questions_total{{outcome="{outcome}"}}'
            assert after[name] == before[name] + 1
        assert after["sourcier_answer_seconds_count"] == after['sourcier_answer_seconds_bucket{le="+Inf"}']
        assert 0.0 < after["sourcier_answer_seconds_sum"] - before["sourcier_answer_seconds_sum"] < 60.0
        assert (after["sourcier_generation"], after["sourcier_documents"]) == (1.0, 1.0)
        assert "navires" not in httpx.get(f"{guarded.url}metrics").text

    def test_headers_keep_the_page_to_itself(self, guarded: Page) -> None:
        headers = httpx.get(guarded.url).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"

    def test_nothing_is_answered_without_an_account(self, guarded: Page) -> None:
        for path in ("gradio_api/info", f"documents/original?source={SEED.name}"):
            assert httpx.get(f"{guarded.url}{path}").status_code == 401
        wrong = httpx.post(f"{guarded.url}login", data={"username": NAME, "password": "faux mot de passe"})
        assert wrong.status_code == 400

    def test_who_has_one_asks_and_changes_nothing(self, guarded: Page) -> None:
        client = Client(guarded.url, auth=(NAME, PASSWORD), verbose=False)
        assert client.predict(QUESTION, api_name="/ask")["short_answer"] == "plus de 30 navires"
        with pytest.raises(AppError, match="read-only"):
            client.predict([handle_file(str(SEED))], api_name="/add")
        assert client.predict(api_name="/status")["generation"] == 1

    def test_who_has_one_saves_files_and_reads_whole_documents(self, guarded: Page) -> None:
        asked = {"source": f"seeds/{SEED.name}"}
        with httpx.Client(base_url=guarded.url) as client:
            assert client.get("documents/whole", params=asked).status_code == 401
            client.post("login", data={"username": NAME, "password": PASSWORD})
            assert client.get("documents/original", params=asked).content == SEED.read_bytes()
            assert "signe de faiblesse" in client.get("documents/whole", params=asked).text
            client.cookies = httpx.Cookies(dict.fromkeys(client.cookies, "forged"))
            assert client.get("documents/original", params=asked).status_code == 401


def test_a_damaged_index_is_told_as_unwell(tmp_path: Path) -> None:
    with served(tmp_path) as page:
        (page.index / "catalog.sqlite").write_bytes(b"no catalog" * 1000)
        for path in page.index.glob("catalog.sqlite-*"):
            path.unlink()
        answer = httpx.get(f"{page.url}healthz")
        assert answer.status_code == 503
        assert answer.json()["status"] == "unavailable"
        assert str(tmp_path) not in answer.text


def test_an_assistant_searches_asks_and_verifies(tmp_path: Path) -> None:
    index = tmp_path / "index"
    corpus = CorpusIndex.build([SEED], index)
    source = corpus.sources()[0]

    async def talk() -> dict[str, object]:
        server = StdioServerParameters(
            command=sys.executable, args=["-m", "qa", "mcp", "--index", str(index)], cwd=str(ROOT)
        )
        async with McpClient(stdio_client(server)) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            asked = json.loads((await client.call_tool("ask", {"question": QUESTION})).content[0].text)
            found = (await client.call_tool("search", {"question": "Nord Stream", "k": 2})).content
            cited = asked["citations"][0]
            place = {name: cited[name] for name in ("source", "start", "end", "text")}
            right = await client.call_tool("verify_citation", place | {"statement": "Plus de 30 navires sont là."})
            wrong = await client.call_tool("verify_citation", place | {"start": cited["start"] + 1})
            none = await client.call_tool("verify_citation", place | {"source": "nulle part"})
        return {
            "tools": tools,
            "short": asked["short_answer"],
            "source": cited["source"],
            "n_found": len(found),
            "right": json.loads(right.content[0].text),
            "wrong": json.loads(wrong.content[0].text),
            "error": none.is_error,
        }

    said = asyncio.run(talk())
    assert said["tools"] == {"ask", "search", "verify_citation"}
    assert (said["short"], said["source"]) == ("plus de 30 navires", source)
    assert said["n_found"] == 2
    assert said["right"]["stands"]
    assert said["right"]["verdict"]["status"] != "unsupported"
    assert not said["wrong"]["stands"]
    assert said["error"]


def test_users_at_once_get_their_own_answers(tmp_path: Path) -> None:
    questions = [QUESTION, "Qui est Jens Stoltenberg ?", "Qui a remporté la Coupe du monde 2022 ?", "bonjour"]
    with served(tmp_path) as page:
        seen = users([page.url], questions, n=8, seconds=4.0)
    assert (seen.errors, seen.n_mixed) == ([], 0)
    assert len(seen.seconds) >= 8
