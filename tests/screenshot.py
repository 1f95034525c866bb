"""Take the picture of the page that the README shows: ``python -m tests.screenshot`` writes docs/page.png."""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from tests.page_server import ROOT, served

QUESTION = "Combien de navires patrouillent en mer Baltique et en mer du Nord ?"
PICTURE = ROOT / "docs" / "page.png"


def main() -> int:
    with TemporaryDirectory() as folder, served(Path(folder)) as page, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 760}, reduced_motion="reduce")
        tab.goto(page.url)
        tab.locator("#question textarea").fill(QUESTION)
        tab.locator("#question textarea").press("Enter")
        tab.locator(".answer a.marker").first.click()
        tab.locator(".source.lit mark").wait_for()
        tab.evaluate("document.activeElement.blur()")
        tab.screenshot(path=PICTURE)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
