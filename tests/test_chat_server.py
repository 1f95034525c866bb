"""Chat models behind real servers: one that runs a small model, and one that refuses, is slow, or cuts off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from index import CorpusIndex
from qa import Chatbot
from qa.chat_model import ChatModelGenerator, open_chat_model
from qa.types import Answer
from tests.chat_server import ScriptedServer, chat_server, free_port, save_chat_model
from tests.conftest import ROOT

QUESTION = "Qui est le ministre ukrainien de la Défense ?"
SAID = "Oleksii Reznikov est le ministre ukrainien de la Défense [1]."


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Return the processor time that a process has used, its threads included (Linux)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def chatbot_on(corpus: CorpusIndex, url: str, model: str, monkeypatch: pytest.MonkeyPatch, **options: float) -> Chatbot:
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    opened = open_chat_model(f"openai:{model}", timeout_s=options.get("timeout_s", 60.0))
    opened.max_tokens = int(options.get("max_tokens", 40))  # type: ignore[attr-defined]
    return Chatbot(corpus, generator=ChatModelGenerator(opened, name="essai", pause=lambda seconds: None))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the processor time of the server from /proc")
def test_a_real_server_streams_and_is_cancelled_and_killed(
    seed_corpus: CorpusIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extractive = Chatbot(seed_corpus).ask(QUESTION)
    with chat_server(save_chat_model(tmp_path / "model"), tmp_path / "log") as server:
        *growing, last = chatbot_on(seed_corpus, server.url, server.model, monkeypatch).stream(QUESTION)
        texts = [answer.text for answer in growing]
        assert len(set(texts)) > 20
        assert all(after.startswith(before) for before, after in pairwise(texts))
        assert last.text == extractive.text  # what random weights write proves nothing
        assert last.notice is not None
        assert last.mode.startswith("extractif · ")

        endless = chatbot_on(seed_corpus, server.url, server.model, monkeypatch, max_tokens=200_000)
        stream = endless.stream(QUESTION)
        for _ in range(5):
            next(stream)
        before = cpu_seconds(server.process)
        time.sleep(1.0)
        assert cpu_seconds(server.process) - before > 0.3  # it goes on writing
        stream.close()  # type: ignore[attr-defined]
        time.sleep(1.0)
        before = cpu_seconds(server.process)
        time.sleep(1.0)
        assert cpu_seconds(server.process) - before < 0.2

        stream = endless.stream(QUESTION)
        for _ in range(5):
            next(stream)
        server.process.kill()
        *_, last = stream
        assert last.text == extractive.text
        assert last.notice is not None
        assert "s’est interrompue" in last.notice
    refused = endless.ask(QUESTION)
    assert refused.notice == "Réponse extractive, car essai n’a pas pu répondre : le serveur est injoignable."
    assert refused.text == extractive.text


@pytest.mark.parametrize(
    ("script", "notice"),
    [
        ([(401, "Incorrect API key provided: sk-abcdefghijkl")], "clé refusée (erreur 401)"),
        ([(429, "slow down")] * 3, "erreur 429"),
        ([(429, "slow down"), [SAID]], None),
        ([(500, "oops")] * 3, "erreur 500 du serveur"),
        ([(404, "no such model")], "ne connaît pas ce modèle"),
        ([(400, "This model's maximum context length is 100 tokens")] * 6, "dépassent déjà son contexte"),
        ([(400, "This model's maximum context length is 100 tokens"), [SAID]], "Contexte trop court"),
        ([2.0], "délai dépassé"),
        ([[SAID[:20], SAID[20:]]], None),
    ],
    ids=["401", "429", "429-then-well", "500", "404", "context", "context-then-well", "slow", "well"],
)
def test_what_a_server_says_reaches_the_user(
    scripted_server: ScriptedServer,
    seed_corpus: CorpusIndex,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    script: list[object],
    notice: str | None,
) -> None:
    scripted_server.script = list(script)
    url = scripted_server.url
    answer: Answer = chatbot_on(seed_corpus, url, "m", monkeypatch, timeout_s=0.5).ask(QUESTION)
    assert (answer.notice is None) if notice is None else (notice in (answer.notice or ""))
    assert "sk-abc" not in f"{answer}{caplog.text}"
    assert answer.citations[0].text in {each.text for each in Chatbot(seed_corpus).ask(QUESTION).citations}
    if script[-1] == [SAID]:
        assert answer.text == f"{SAID[:-5]}. \\[1\\]".replace("\\[1\\]", "[1]")


def test_a_silent_model_is_stopped_at_once(
    scripted_server: ScriptedServer, seed_corpus: CorpusIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted_server.script = [20.0, [SAID]]
    url = scripted_server.url
    chatbot = chatbot_on(seed_corpus, url, "m", monkeypatch, timeout_s=30.0)
    stream = chatbot.stream(QUESTION)
    waiting = [next(stream) for _ in range(3)]
    assert [answer.text for answer in waiting] == ["", "", ""]
    start = time.perf_counter()
    stream.close()  # type: ignore[attr-defined]
    assert time.perf_counter() - start < 0.2
    deadline = time.monotonic() + 5.0
    while not scripted_server.left and time.monotonic() < deadline:
        time.sleep(0.05)
    assert scripted_server.left == [True]  # the connection was closed, not left waiting
    assert chatbot.ask(QUESTION).notice is None


def test_the_command_line_names_a_server_and_falls_back(seed_corpus: CorpusIndex) -> None:
    environment = os.environ | {"OPENAI_BASE_URL": f"http://127.0.0.1:{free_port()}/v1", "OPENAI_API_KEY": "none"}
    command = [
        sys.executable,
        "-m",
        "qa",
        "ask",
        QUESTION,
        "--index",
        str(seed_corpus.directory),
        "--chat-model",
        "openai:m",
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    first = done.stdout.splitlines()[0]
    assert first == (
        "Réponse extractive, car modèle de langage openai:m n’a pas pu répondre : le serveur est injoignable."
    )
    assert "Oleksii Reznikov" in done.stdout
    wrong = subprocess.run([*command[:-1], "m"], cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    assert wrong.returncode == 1
    assert "expected provider:name" in wrong.stderr


def test_the_command_line_prints_what_was_written_and_what_is_in_doubt(
    scripted_server: ScriptedServer, seed_corpus: CorpusIndex
) -> None:
    scripted_server.script = [[SAID, " Il est âgé de 93 ans [1]."]] * 2
    url = scripted_server.url
    environment = os.environ | {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "sk-of-a-test"}
    command = [sys.executable, "-m", "qa", "ask", QUESTION, "--index", str(seed_corpus.directory)]
    command += ["--chat-model", "openai:m"]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, encoding="utf-8")
    assert done.stdout.splitlines()[:3] == [
        "Oleksii Reznikov est le ministre ukrainien de la Défense. [1]",
        "Il est âgé de 93 ans.",
        "    ⚠ pas confirmé par les sources : le nombre « 93 ans » n’est pas dans la source",
    ]
    assert "modèle de langage openai:m · " in done.stdout
    assert scripted_server.keys == ["Bearer sk-of-a-test"]
    assert "sk-of" not in done.stdout + done.stderr
    as_json = subprocess.run(
        [*command, "--json"], cwd=ROOT, env=environment, check=True, capture_output=True, encoding="utf-8"
    )
    answer = json.loads(as_json.stdout)
    assert [each["status"] for each in answer["statements"]] == ["supported", "unsupported"]
    assert answer["timings_ms"]["verify"] < 200.0
    assert answer["text"] == "Oleksii Reznikov est le ministre ukrainien de la Défense. [1] Il est âgé de 93 ans. ⚠"
