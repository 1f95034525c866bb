"""The page in Chromium while a language model writes: text as it comes, marks of the check, stop."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.chat_server import ScriptedServer
from tests.page_server import served
from tests.test_browser import Browser, browser, expect

__all__ = ["browser"]

pytestmark = pytest.mark.browser

QUESTION = "Qui est le ministre ukrainien de la Défense ?"
SAID = "Oleksii Reznikov est le ministre ukrainien de la Défense [1]."


def test_what_a_model_writes_is_shown_as_it_comes_marked_and_stopped(
    browser: Browser, scripted_server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", scripted_server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with served(tmp_path, "--chat-model", "openai:m") as page:
        context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="fr-FR", reduced_motion="reduce")
        tab = context.new_page()
        tab.set_default_timeout(15_000)
        tab.goto(page.url)
        box = tab.locator("#question textarea")

        scripted_server.script = [[SAID, 1.5, " Il a 93 ans [1]."]]
        box.fill(QUESTION)
        box.press("Enter")
        message = tab.locator(".bot .answer")
        expect(message.locator("a.marker").first).to_be_visible()  # before the second sentence comes
        assert "93" not in (message.text_content() or "")
        expect(message.locator("p .verdict")).to_have_count(2)
        classes = [mark.get_attribute("class") for mark in message.locator("p .verdict").all()]
        assert classes == ["verdict supported", "verdict unsupported"]
        assert {
            mark.evaluate("mark => getComputedStyle(mark).opacity") for mark in message.locator("p .verdict").all()
        } == {"1"}
        assert "93 ans" in (message.locator("p .verdict.unsupported").get_attribute("title") or "")
        reasons = message.locator("details.checks")
        expect(reasons.locator("li").first).to_be_hidden()
        reasons.locator("summary").focus()
        tab.keyboard.press("Enter")
        expect(reasons.locator("li").nth(1)).to_contain_text("le nombre « 93 ans » n’est pas dans la source")

        scripted_server.script = [30.0]
        scripted_server.left.clear()
        box.fill(QUESTION)
        box.press("Enter")
        expect(tab.locator(".bot .waiting")).to_be_visible()
        tab.locator("#stop").click()
        deadline = time.monotonic() + 10.0
        while not scripted_server.left and time.monotonic() < deadline:
            time.sleep(0.1)
        assert scripted_server.left == [True]  # the request ended although the model had sent nothing

        scripted_server.script = [[QUESTION], [SAID]]  # a follow-up is read by the model first
        box.fill(QUESTION)
        box.press("Enter")
        expect(tab.locator(".bot .answer").last.locator("p .verdict.supported")).to_have_count(1)
        context.close()
