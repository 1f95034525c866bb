"""The page in Chromium, as a reader uses it: asks, reads, follows the markers, adds documents."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from index import CorpusIndex
from qa.receipt_checks import check_receipt
from qa.receipts import read_receipt
from tests.page_server import SEED, START_SECONDS, Page, free_port, served
from ui.feedback import Feedback, feedback_file
from ui.sources import NEAREST

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
Browser, Tab, expect = playwright_api.Browser, playwright_api.Page, playwright_api.expect

pytestmark = pytest.mark.browser

QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHIPS = "Combien de navires patrouillent en mer Baltique et en mer du Nord ?"
UNANSWERED = "Qui a remporté la Coupe du monde 2022 ?"

# Whatever reads it as anything but text leaves a trace that `interpreted` finds.
HOSTILE = (
    '<script>window.hurt=1</script> <img src=x onerror="window.hurt=1"> [lien](javascript:window.hurt=1) **gras** '
    "`code` $$\\frac{1}{2}$$ ${window.hurt=1} {{value}} ~~barré~~ &lt;u&gt;"
)
FIND_TRACES = """() => {
    const traces = {
        script: "script", image: "img", link: "a[href^='javascript']", bold: "strong", code: "code",
        struck: "del", formula: ".katex", table: "table",
    };
    const found = Object.keys(traces).filter((name) => [...document.querySelectorAll(".message, .html-container")]
        .some((part) => part.querySelector(traces[name])));
    return window.hurt ? [...found, "run"] : found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None and os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail("REQUIRE_BROWSER=1, but no Chromium was found on PATH: apt-get install chromium")
    if path is None:
        pytest.skip("no Chromium on PATH: apt-get install chromium")
    with playwright_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield running
        running.close()


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with served(tmp_path_factory.mktemp("page")) as running:
        yield running


@pytest.fixture
def visit(browser: Browser, page: Page) -> Iterator[Callable[..., Tab]]:
    """Open the page as one more visitor; at the end, nothing went to another host and no script failed."""
    asked: list[str] = []
    failed: list[str] = []
    contexts = []

    def opened(*, width: int = 1280, height: int = 800, scheme: str = "light", locale: str = "fr-FR") -> Tab:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce", locale=locale
        )
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(15_000)
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("pageerror", lambda error: failed.append(str(error)))
        tab.goto(page.url)
        expect(tab.locator("#question textarea")).to_be_visible()
        return tab

    yield opened
    for context in contexts:
        context.close()
    hosts = {urlsplit(url).netloc for url in asked if urlsplit(url).scheme not in {"data", "blob"}}
    assert hosts == {urlsplit(page.url).netloc}
    assert failed == []


@pytest.fixture
def tab(visit: Callable[..., Tab]) -> Tab:
    return visit()


def ask(tab: Tab, question: str) -> None:
    n_before = tab.locator(".answer, .refusal").count()
    tab.locator("#question textarea").fill(question)
    tab.locator("#question textarea").press("Enter")
    expect(tab.locator(".answer, .refusal")).to_have_count(n_before + 1, timeout=20_000)


def upload(tab: Tab, *files: Path) -> None:
    tab.get_by_role("tab", name="Documents").click()
    tab.locator("#drop input[type=file]").set_input_files([str(file) for file in files])
    for file in files:
        expect(tab.locator("#outcome")).to_contain_text(file.name)
    tab.get_by_role("tab", name="Conversation").click()


def cited_sentence() -> str:
    text = SEED.read_text()
    start = text.index('"Après le sabotage')
    return text[start : text.index("a-t-il annoncé.", start) + len("a-t-il annoncé.")]


def in_view(tab: Tab, selector: str) -> bool:
    box = tab.locator(selector).bounding_box()
    size = tab.viewport_size
    return box is not None and size is not None and box["y"] >= 0 and box["y"] + box["height"] <= size["height"]


def test_a_marker_opens_the_sentence_in_its_place(tab: Tab) -> None:
    ask(tab, SHIPS)
    expect(tab.locator(".answer strong").first).to_contain_text("plus de 30")
    marker = tab.locator(".answer a.marker").first
    assert marker.get_attribute("title") == cited_sentence()
    expect(tab.locator(".source.lit")).to_have_count(0)
    marker.click()
    expect(tab.locator(".source.lit mark")).to_have_text(cited_sentence())
    expect(marker).to_contain_class("lit")
    assert in_view(tab, ".source.lit mark")
    passage = tab.locator(".source.lit .passage").text_content() or ""
    assert "Les discussions porteront également" in passage
    expect(tab.locator(".source.lit .where")).to_have_text("octobre 2022")


def test_the_keyboard_reaches_a_marker_and_opens_it(tab: Tab) -> None:
    ask(tab, SHIPS)
    expect(tab.locator("#question textarea")).to_be_focused()
    for _ in range(20):
        tab.keyboard.press("Shift+Tab")
        if tab.evaluate("document.activeElement.matches('a.marker')"):
            break
    tab.keyboard.press("Enter")
    expect(tab.locator(".source.lit mark")).to_be_visible()
    expect(tab.locator(".source.lit")).to_be_focused()


def test_a_marker_of_an_older_answer_shows_its_own_source(tab: Tab) -> None:
    ask(tab, SHIPS)
    ask(tab, "Qui est le ministre ukrainien de la Défense ?")
    expect(tab.locator("#source-1-1")).to_be_hidden()
    expect(tab.locator("#source-2-1")).to_be_visible()
    tab.locator(".answer").first.locator("a.marker").first.click()
    expect(tab.locator("#source-1-1 mark")).to_have_text(cited_sentence())
    expect(tab.locator("#source-2-1")).to_be_hidden()


def test_the_examples_are_answered(tab: Tab) -> None:
    examples = tab.locator("#examples button")
    expect(examples).to_have_count(4)
    examples.nth(1).click()
    expect(tab.locator(".question")).to_have_text(SHIPS)
    expect(tab.locator(".answer a.marker").first).to_be_visible()
    expect(examples.first).to_be_hidden()


def test_a_refusal_is_no_answer(tab: Tab) -> None:
    ask(tab, UNANSWERED)
    expect(tab.locator(".refusal")).to_contain_text("Sans réponse")
    expect(tab.locator(".refusal a.marker, .refusal strong, .refusal blockquote")).to_have_count(0)
    expect(tab.locator(".sources.nearest .warning")).to_have_text(NEAREST)
    highlight = tab.locator(".sources.nearest mark").first
    assert highlight.evaluate("e => getComputedStyle(e).backgroundColor") == "rgba(0, 0, 0, 0)"


def test_an_uploaded_document_answers_at_once(tab: Tab, tmp_path: Path) -> None:
    ask(tab, SHIPS)
    facts = tab.locator(".facts li").first
    n_before = int((facts.text_content() or "").split()[0])
    note = tmp_path / "phare.txt"
    note.write_text("Le phare de Kermorvan a été construit en 1849 par Léonce Reynaud.\n")
    lines = tmp_path / "lignes.jsonl"
    lines.write_text('{"text": "Le marché de Brest ouvre le jeudi.", "title": "Marchés"}\n{"text": \n')
    upload(tab, note, lines)
    expect(tab.locator("#outcome .added")).to_have_count(2)
    assert "lignes.jsonl, ligne 2" in (tab.locator("#outcome").text_content() or "")
    expect(facts).to_have_text(f"{n_before + 2} documents")
    ask(tab, "Qui a construit le phare de Kermorvan ?")
    tab.locator(".answer").last.locator("a.marker").first.click()
    expect(tab.locator(".source.lit mark")).to_have_text(note.read_text().strip())
    expect(tab.locator(".source.lit h3")).to_have_text("phare.txt")


def test_the_update_button_reads_what_changed_on_disk(tab: Tab, page: Page, tmp_path: Path) -> None:
    file = tmp_path / "gare.txt"
    file.write_text("La gare de Morlaix a ouvert en 1865.\n")
    upload(tab, file)
    (page.uploads / "pont.txt").write_text("Le pont de Recouvrance a été inauguré en 1954.\n")
    tab.get_by_role("tab", name="Documents").click()
    tab.locator("#rebuild").click()
    expect(tab.locator("#outcome .outcome")).to_contain_text("1 document en plus")
    tab.locator("#rebuild").click()
    expect(tab.locator("#outcome .outcome")).to_contain_text("Rien n’a changé")


def test_a_date_that_was_read_can_be_left(tab: Tab) -> None:
    question = "Qui est le secrétaire général de l'Otan en octobre 2022 ?"
    ask(tab, question)
    tab.locator("button.chip.undated").click()
    expect(tab.locator(".answer")).to_have_count(2)
    expect(tab.locator(".question").last).to_have_text(question)
    expect(tab.locator("button.chip.undated")).to_have_count(1)
    expect(tab.locator("#read-dates input")).not_to_be_checked()


def test_a_reading_can_be_edited_and_a_turn_taken_back(tab: Tab) -> None:
    ask(tab, "Qui est le secrétaire général de l'Otan ?")
    ask(tab, "Combien de navires a-t-il annoncés ?")
    expect(tab.locator(".reading")).to_have_text("Combien de navires Jens Stoltenberg a-t-il annoncés ?")
    tab.locator("button.chip.edit").click()
    expect(tab.locator("#question textarea")).to_have_value("Combien de navires Jens Stoltenberg a-t-il annoncés ?")
    tab.locator("#undo").click()
    expect(tab.locator(".question")).to_have_count(1)
    expect(tab.locator("#question textarea")).to_have_value("Combien de navires a-t-il annoncés ?")


def test_a_conversation_is_exported_and_its_citations_hold(tab: Tab, page: Page, tmp_path: Path) -> None:
    ask(tab, SHIPS)
    for form in ("md", "html", "json"):
        with tab.expect_download() as download:
            tab.locator(f"#export-{form}").click()
        file = tmp_path / download.value.suggested_filename
        download.value.save_as(file)
        checks = check_receipt(read_receipt(file.read_text(encoding="utf-8")), CorpusIndex.open(page.index))
        assert [check.outcome for check in checks] == ["holds"]
        assert checks[0].turn.question == SHIPS


def test_two_visitors_never_see_each_other(visit: Callable[..., Tab]) -> None:
    first, second = visit(), visit()
    ask(first, SHIPS)
    ask(second, "Qui est le ministre ukrainien de la Défense ?")
    ask(first, "Comment s'appelle l'exercice de dissuasion ?")
    assert first.locator(".question").all_text_contents() == [SHIPS, "Comment s'appelle l'exercice de dissuasion ?"]
    assert second.locator(".question").all_text_contents() == ["Qui est le ministre ukrainien de la Défense ?"]
    assert "Reznikov" not in (first.locator("#messages").text_content() or "")
    second.locator("#renew").click()
    expect(second.locator(".question")).to_have_count(0)
    expect(second.locator(".sources")).to_have_count(0)
    expect(first.locator(".question")).to_have_count(2)


def test_a_hostile_document_and_question_stay_text(tab: Tab, tmp_path: Path) -> None:
    sentence = f"Le mot de passe du grenier est tournesol {HOSTILE}"
    file = tmp_path / "<img src=x onerror=hurt=1>.txt"
    file.write_text(f"Premier paragraphe {HOSTILE}\n\n{sentence}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    tab.get_by_role("tab", name="Documents").click()
    tab.locator("#drop input[type=file]").set_input_files(str(file))
    expect(tab.locator("#outcome .added")).to_have_count(1)
    tab.get_by_role("tab", name="Conversation").click()
    ask(tab, "Quel est le mot de passe du grenier ?")
    shown = " ".join(tab.locator("#proof mark").all_text_contents())
    assert "<script>window.hurt=1</script>" in shown
    assert "$$\\frac{1}{2}$$ ${window.hurt=1} {{value}}" in shown
    ask(tab, f"Et {HOSTILE} ?")
    assert tab.locator(".question").last.text_content() == f"Et {HOSTILE} ?"
    tab.wait_for_timeout(300)  # an image that fails to load, and a formula, come after the text
    assert set(tab.evaluate(FIND_TRACES)) <= {"bold"}
    assert "gras" not in tab.locator(".message strong, .html-container strong").all_text_contents()


def test_the_traces_are_found_where_nothing_is_escaped(browser: Browser) -> None:
    port = free_port()
    program = (
        "import gradio as gr\n"
        f"text = 'Du texte, puis ' + {HOSTILE!r} + '\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |\\n'\n"
        "with gr.Blocks(analytics_enabled=False) as page:\n"
        "    gr.Chatbot([{'role': 'assistant', 'content': text}], sanitize_html=False)\n"
        "    gr.HTML(text)\n"
        f"page.launch(server_port={port}, quiet=True, prevent_thread_lock=True)\n"
        "print('ready', flush=True)\n"
        "input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as unsafe:
        patience = threading.Timer(START_SECONDS, unsafe.kill)
        patience.start()
        assert unsafe.stdout is not None
        assert unsafe.stdout.readline() == "ready\n"
        patience.cancel()
        tab = browser.new_page()
        tab.goto(f"http://127.0.0.1:{port}/")
        expect(tab.locator(".message .katex").first).to_be_attached()
        tab.wait_for_timeout(300)
        traces = set(tab.evaluate(FIND_TRACES))
        tab.close()
        unsafe.kill()
    assert traces == {"script", "image", "link", "bold", "code", "struck", "formula", "table", "run"}


def test_a_narrow_screen_never_scrolls_sideways(visit: Callable[..., Tab]) -> None:
    tab = visit(width=360, height=740)

    def overflow() -> int:
        width: int = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return width

    assert overflow() == 0
    ask(tab, SHIPS)
    assert overflow() == 0
    expect(tab.locator("#proof")).to_be_hidden()
    tab.locator(".answer a.marker").first.click()
    expect(tab.locator(".source.lit mark")).to_be_visible()
    assert in_view(tab, ".source.lit mark")
    assert overflow() == 0
    tab.get_by_role("button", name="Fermer les sources").click()
    expect(tab.locator("#proof")).to_be_hidden()
    ask(tab, UNANSWERED)
    tab.locator(".refusal a.show").click()
    expect(tab.locator(".sources.nearest .warning")).to_be_visible()
    tab.keyboard.press("Escape")
    expect(tab.locator("#proof")).to_be_hidden()
    tab.get_by_role("tab", name="Documents").click()
    assert overflow() == 0


def test_the_page_speaks_french_and_follows_the_system(visit: Callable[..., Tab]) -> None:
    dark, light = visit(scheme="dark"), visit(scheme="light")
    background = "getComputedStyle(document.querySelector('.gradio-container')).backgroundColor"
    assert dark.evaluate(background) == "rgb(21, 24, 26)"
    assert light.evaluate(background) == "rgb(250, 248, 244)"
    assert dark.evaluate("document.documentElement.lang") == "fr"
    dark.get_by_role("tab", name="Documents").click()
    expect(dark.locator("#drop")).to_contain_text("Déposez vos fichiers ici")
    assert "Drop" not in (dark.locator("body").text_content() or "")


def test_what_is_said_of_an_answer_and_a_citation_is_kept(tab: Tab, page: Page) -> None:
    ask(tab, SHIPS)
    tab.get_by_role("button", name="Mauvaise réponse").click()
    expect(tab.get_by_role("button", name="Mauvaise réponse")).to_have_attribute("aria-pressed", "true")
    tab.locator(".answer a.marker").first.click()
    fault = tab.locator(".source.lit button.judge")
    fault.click()
    expect(fault).to_have_attribute("aria-pressed", "true")
    said = Feedback(feedback_file(page.index)).records()
    assert [(one["judgement"], one["question"], one["sentence"]) for one in said] == [
        ("bad", SHIPS, None),
        ("unsupported", SHIPS, cited_sentence()),
    ]


def test_an_answer_is_asked_again(tab: Tab) -> None:
    ask(tab, UNANSWERED)
    ask(tab, SHIPS)
    tab.locator("#retry").click()
    expect(tab.locator("#question textarea")).to_have_value("")
    expect(tab.locator(".question")).to_have_text([UNANSWERED, SHIPS])
    expect(tab.locator(".answer, .refusal")).to_have_count(2)


def test_keys_walk_through_the_citations(tab: Tab) -> None:
    ask(tab, UNANSWERED)
    cards = tab.locator(".source")
    assert cards.count() >= 2
    for key, lit in (("ArrowRight", 0), ("ArrowRight", 1), ("ArrowLeft", 0), ("ArrowLeft", cards.count() - 1)):
        tab.keyboard.press(f"Alt+{key}")
        expect(cards.nth(lit)).to_contain_class("lit")
        expect(tab.locator(".steps .place")).to_have_text(f"{lit + 1} / {cards.count()}")
    tab.evaluate("document.activeElement.blur()")
    tab.keyboard.press("/")
    expect(tab.locator("#question textarea")).to_be_focused()
