"""What axe-core finds on each tab, light and dark, wide and narrow: nothing serious; nothing leaves the screen."""

# The fixtures of the browser are those of the other tests of the page.
# ruff: noqa: F401, F811

from __future__ import annotations

import pytest

from tests.page_server import Page
from tests.test_browser import SHIPS, UNANSWERED, Browser, browser, expect, page

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_serious_is_found(browser: Browser, page: Page, scheme: str, width: int) -> None:
    # The checker is put into the page, which its own policy would not let in.
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 800}, locale="fr-FR", bypass_csp=True
    )
    tab = context.new_page()
    found: list[str] = []

    def look(state: str) -> None:
        tab.wait_for_timeout(400)  # colours fade in
        for fault in axe.Axe().run(tab).response["violations"]:
            if fault["impact"] in ("serious", "critical"):
                found.append(f"{state}: {fault['id']}: {fault['nodes'][0]['html'][:200]}")
        if (wide := tab.evaluate("document.documentElement.scrollWidth")) > width:
            found.append(f"{state}: {wide} px wide")

    tab.goto(page.url)
    expect(tab.locator("#masthead h1")).to_be_visible()
    look("empty")
    for question, shown in ((SHIPS, ".answer"), (UNANSWERED, ".refusal")):
        tab.locator("#question textarea").fill(question)
        tab.locator("#question textarea").press("Enter")
        expect(tab.locator(shown).last).to_be_visible(timeout=30_000)
        look(shown)
    tab.get_by_role("tab", name="Documents").click()
    expect(tab.locator(".entry").first).to_be_visible()
    look("documents")
    context.close()
    assert found == []


def test_the_checker_would_find_something(browser: Browser) -> None:
    tab = browser.new_page()
    tab.set_content(
        '<html lang="fr"><body><img src="data:,"><p style="color:#ccc;background:#fff">pâle</p></body></html>'
    )
    faults = {fault["id"] for fault in axe.Axe().run(tab).response["violations"]}
    tab.close()
    assert {"image-alt", "color-contrast"} <= faults
