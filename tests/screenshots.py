"""Take pictures of the page in each of its states: ``make screenshots`` writes docs/page.png and docs/pages/."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.chat_server import ScriptedServer
from tests.page_server import ROOT, served

SHIPS = "Combien de navires patrouillent en mer Baltique et en mer du Nord ?"
DATED = "Qui est le secrétaire général de l’Otan en octobre 2022 ?"
UNANSWERED = "Qui a remporté la Coupe du monde 2022 ?"
WRITTEN = "Oleksii Reznikov est le ministre ukrainien de la Défense [1]. Il a 93 ans [1]."
PICTURES = ROOT / "docs" / "pages"


def ask(tab: Page, question: str) -> None:
    before = tab.locator(".answer, .refusal").count()
    tab.locator("#question textarea").fill(question)
    tab.locator("#question textarea").press("Enter")
    tab.locator(".answer, .refusal").nth(before).wait_for()


def answered(tab: Page) -> None:
    ask(tab, SHIPS)
    tab.locator(".answer a.marker").first.click()
    tab.locator(".source.lit mark").wait_for()
    tab.locator("#further .chip").last.wait_for()
    tab.evaluate("document.activeElement.blur()")


def documents(tab: Page) -> Locator:
    tab.get_by_role("tab", name="Documents").click()
    entry = tab.locator("button.remove").first
    entry.wait_for()
    return entry


def refused(tab: Page) -> None:
    ask(tab, UNANSWERED)
    tab.locator(".refusal a.show").click()


def followed(tab: Page) -> None:
    ask(tab, DATED)
    ask(tab, "Combien de navires a-t-il annoncés ?")


def whole(tab: Page) -> None:
    answered(tab)
    tab.locator("button.whole:visible").first.click()
    tab.locator("dialog.whole-document mark").wait_for()


def filters(tab: Page) -> None:
    tab.get_by_role("button", name="Filtres").click()
    tab.get_by_label("Documents depuis").fill("octobre 2022")


def keys(tab: Page) -> None:
    tab.locator("button.keys").click()


def added(tab: Page) -> None:
    documents(tab)
    with TemporaryDirectory() as folder:
        good, bad = Path(folder, "brest.txt"), Path(folder, "abîmé.pdf")
        good.write_text("date 2023-05 \nLe pont de Recouvrance, à Brest, rouvre le 12 mai.\n", encoding="utf-8")
        bad.write_bytes(b"%PDF-1.4 cut off")
        tab.locator("#drop input[type=file]").set_input_files([str(good), str(bad)])
        tab.locator("#outcome .added").wait_for()


def removing(tab: Page) -> None:
    documents(tab).click()
    tab.locator(".confirm").wait_for()


def empty(tab: Page) -> None:
    documents(tab)
    while tab.locator("button.remove").count():
        n_left = tab.locator("button.remove").count()
        tab.locator("button.remove").first.click()
        tab.locator("button.removed").first.click()
        tab.wait_for_function(f"document.querySelectorAll('button.remove').length < {n_left}")


# Each begins with a new visit; the last ones change the corpus.
STATES: tuple[tuple[str, str, Callable[[Page], object], dict[str, object]], ...] = (
    ("welcome", "A first visit: questions that the documents answer", lambda tab: None, {}),
    ("answer", "An answer, and the sentence that proves it", answered, {}),
    ("dark", "The same where the system is dark", answered, {"color_scheme": "dark"}),
    ("phone", "360 pixels wide: the source slides up", answered, {"viewport": {"width": 360, "height": 740}}),
    ("english", "In a browser that does not ask for French", answered, {"locale": "en-GB"}),
    ("refusal", "What the documents do not say, and the nearest sentences", refused, {}),
    ("follow-up", "Dates read from a question, and a follow-up as it was understood", followed, {}),
    ("whole", "The whole document at the sentence", whole, {}),
    ("filters", "Dates, sources, and how many are cited", filters, {}),
    ("keys", "The keys", keys, {}),
    ("documents", "Documents, and when they are of", documents, {}),
    ("added", "What became of each file", added, {}),
    ("removing", "Before a document is removed", removing, {}),
    ("empty", "No document yet", empty, {}),
)


@contextmanager
def visited(browser: Browser, url: str, options: dict[str, object]) -> Iterator[Page]:
    usual: dict[str, object] = {
        "viewport": {"width": 1280, "height": 800},
        "locale": "fr-FR",
        "reduced_motion": "reduce",
    }
    context = browser.new_context(**usual | options)  # type: ignore[arg-type]
    tab = context.new_page()
    tab.goto(url)
    tab.locator("#question textarea").wait_for()
    yield tab
    context.close()


def main() -> int:
    PICTURES.mkdir(parents=True, exist_ok=True)
    lines = ["# The page, state by state", "", "    make screenshots", ""]
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with served(Path(folder, "plain")) as page:
            for name, what, reach, options in STATES:
                with visited(browser, page.url, options) as tab:
                    reach(tab)
                    tab.wait_for_timeout(300)
                    tab.screenshot(path=PICTURES / f"{name}.png")
                lines += [f"## {what}", "", f"![{what}]({name}.png)", ""]
        with ScriptedServer() as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            os.environ.update({"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "none"})
            server.script = [[WRITTEN]]
            with (
                served(Path(folder, "written"), "--chat-model", "openai:m") as page,
                visited(browser, page.url, {}) as tab,
            ):
                ask(tab, "Qui est le ministre ukrainien de la Défense ?")
                tab.locator("details.checks summary").click()
                tab.screenshot(path=PICTURES / "written.png")
            server.shutdown()
        what = "Written by a language model, each statement checked"
        lines += [f"## {what}", "", f"![{what}](written.png)", ""]
        browser.close()
    shutil.copy(PICTURES / "answer.png", ROOT / "docs" / "page.png")
    (PICTURES / "README.md").write_text("\n".join(lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
