"""Forty hostile documents, indexed, asked about and listed in the real page: nothing runs, nothing leaves."""

# The fixtures of the browser are those of the other tests of the page.
# ruff: noqa: F401, F811

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from index import CorpusIndex
from tests.page_server import Page, served
from tests.test_browser import FIND_TRACES, Browser, Tab, ask, browser, expect, visit

pytestmark = pytest.mark.browser

RUNS = "window.hurt=1"
PAYLOADS = (
    f"<script>{RUNS}</script>",
    f"<img src=x onerror={RUNS}>",
    f"<svg onload={RUNS}></svg>",
    f"<svg><script>{RUNS}</script></svg>",
    f"<svg><animate onbegin={RUNS} attributeName=x dur=1s>",
    f"<iframe srcdoc='<script>parent.{RUNS}</script>'></iframe>",
    f"<a href='javascript:{RUNS}'>lien</a>",
    f"[lien](javascript:{RUNS})",
    f"![image](x' onerror='{RUNS})",
    f"<body onload={RUNS}>",
    f"<details open ontoggle={RUNS}>",
    f"<input autofocus onfocus={RUNS}>",
    f"<video><source onerror={RUNS}></video>",
    "<style>@import 'http://exemple.invalid/x.css';</style>",
    "<link rel=stylesheet href=http://exemple.invalid/y.css>",
    "<img src=http://exemple.invalid/pixel.png>",
    "![pixel](http://exemple.invalid/pixel.png)",
    "<meta http-equiv=refresh content='0;url=http://exemple.invalid/'>",
    "<base href=http://exemple.invalid/>",
    "<form action=http://exemple.invalid/><button>envoyer</button></form>",
    f"<math><mtext><mglyph><style><img src=x onerror={RUNS}>",
    f"<noscript><p title='</noscript><img src=x onerror={RUNS}>'>",
    f"</textarea><script>{RUNS}</script>",
    f"</mark></article><script>{RUNS}</script>",
    f"--><script>{RUNS}</script>",
    f"<<script>script>{RUNS}<</script>/script>",
    f"&lt;script&gt;{RUNS}&lt;/script&gt;",
    f"&#60;img src=x onerror={RUNS}&#62;",
    f"\\u003cscript\\u003e{RUNS}\\u003c/script\\u003e",
    f"${{{RUNS}}} {{{{{RUNS}}}}} <%= {RUNS} %>",
    f"$$\\href{{javascript:{RUNS}}}{{x}}$$",
    "```html\n<b>gras</b>\n```",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "**gras** ~~barré~~ `code` # titre",
    "=HYPERLINK(\"http://exemple.invalid/\")",
    "=cmd|'/c calc'!A1",
    "\x1b[31mrouge\x1b[0m \x07",
    "\u202egnp.exe\u202c \u200b\ufeff\u2066x\u2069",
    "[1] [99] [0] [-1]",
    "../../../../etc/passwd",
)  # fmt: skip
PUT = """(html) => {
    const part = document.createRange().createContextualFragment(`<div class="message">${html}</div>`);
    document.body.append(part);
}"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("hostile")
    documents = folder / "documents"
    documents.mkdir()
    records = [
        {
            "id": f"<b>{number}</b>",
            "title": f"Coffre {number} {payload}",
            "text": f"Le code du coffre {number} est {payload} 77{number:02}, dit le gardien.",
        }
        for number, payload in enumerate(PAYLOADS)
    ]
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (documents / "coffres '\"<img src=x onerror=window.hurt=1>.jsonl").write_text(lines, encoding="utf-8")
    (documents / "long.txt").write_text("Le mot " + "a" * 10_000_000, encoding="utf-8")
    with zipfile.ZipFile(documents / "glissade.zip", "w") as archive:
        archive.writestr("../../evade.txt", "Le fichier évadé du zip a été lu.")
    CorpusIndex.build([documents], folder / "data" / "index")
    assert not (folder / "evade.txt").exists()
    assert not (documents.parent.parent / "evade.txt").exists()
    with served(folder) as running:
        yield running


def test_there_are_forty() -> None:
    assert len(set(PAYLOADS)) == 40


def test_nothing_runs_in_answers_sources_and_lists(visit: Callable[..., Tab]) -> None:
    tab = visit()
    dialogs: list[str] = []
    tab.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    n_answered = 0
    for number in range(len(PAYLOADS)):
        ask(tab, f"Quel est le code du coffre {number} ?")
        n_answered += f"77{number:02}" in (tab.locator("#proof").text_content() or "")
        assert tab.evaluate(FIND_TRACES) in ([], ["bold"]), PAYLOADS[number]  # the short answer is bold
    assert n_answered >= len(PAYLOADS) // 2
    tab.get_by_role("tab", name="Documents").click()
    expect(tab.locator(".entry").first).to_be_visible()
    assert tab.evaluate("window.hurt") is None
    assert dialogs == []
    assert tab.url.startswith("http://127.0.0.1")


def test_a_file_outside_is_never_served(page: Page) -> None:
    secret = page.index.parent.parent / "secret.txt"
    secret.write_text("rien pour vous", encoding="utf-8")
    for path in (
        f"gradio_api/file={secret}",
        f"file={secret}",
        "gradio_api/file=/etc/passwd",
        "documents/original?source=../secret.txt",
        f"documents/original?source={secret}",
        f"documents/whole?source={secret}",
        "documents/text?source=%2e%2e%2fsecret.txt",
    ):
        answer = httpx.get(f"{page.url}{path}")
        assert answer.status_code in (403, 404), path
        assert "rien pour vous" not in answer.text
        assert "root:" not in answer.text


def test_the_traces_would_be_seen_in_an_unsafe_page(browser: Browser) -> None:
    tab = browser.new_page()
    seen = set()
    for number, payload in enumerate(PAYLOADS):
        if "http-equiv" in payload:
            continue  # it would lead away from the page that is looked at
        tab.goto("about:blank")
        tab.evaluate(PUT, payload)
        tab.wait_for_timeout(20)
        if tab.evaluate(FIND_TRACES):
            seen.add(number)
    tab.close()
    assert len(seen) >= 12
    assert {0, 1} <= seen
