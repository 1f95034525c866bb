"""The conversation in Chromium: found again after a reload, filtered, gone on with."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.page_server import Page
from tests.test_browser import SHIPS, UNANSWERED, Browser, Tab, ask, browser, cited_sentence, expect, page, visit
from ui.feedback import Feedback, feedback_file

__all__ = ["Browser", "browser", "page", "visit"]

pytestmark = pytest.mark.browser

MINISTER = "Qui est le ministre ukrainien de la Défense ?"
KEY = "sourcier-conversation"


def test_a_conversation_is_found_again_after_a_reload(visit: Callable[..., Tab]) -> None:
    tab = visit()
    ask(tab, SHIPS)
    ask(tab, UNANSWERED)
    expect(tab.locator("#further")).to_be_empty()
    tab.wait_for_function(f"(localStorage.getItem({KEY!r}) || '').length > 400")
    tab.reload()
    expect(tab.locator(".question")).to_have_text([SHIPS, UNANSWERED])
    tab.locator(".answer a.marker").first.click()
    expect(tab.locator(".source.lit mark")).to_have_text(cited_sentence())
    ask(tab, "Qui l’a annoncé ?")  # the conversation goes on
    expect(tab.locator(".reading")).to_be_visible()
    tab.locator("#renew").click()
    expect(tab.locator(".question")).to_have_count(0)
    tab.wait_for_function(f"(localStorage.getItem({KEY!r}) || '').length < 200")
    tab.reload()
    expect(tab.locator(".welcome")).to_be_visible()
    expect(tab.locator(".question")).to_have_count(0)


def test_what_was_damaged_in_the_browser_is_left_out(visit: Callable[..., Tab]) -> None:
    tab = visit()
    tab.evaluate(f"localStorage.setItem({KEY!r}, 'not what was kept')")
    tab.reload()
    expect(tab.locator(".welcome")).to_be_visible()
    ask(tab, SHIPS)
    tab.wait_for_function(f"(localStorage.getItem({KEY!r}) || '').length > 400")


def test_questions_are_offered_and_asked_with_a_click(visit: Callable[..., Tab]) -> None:
    tab = visit()
    ask(tab, SHIPS)
    chips = tab.locator("#further button.chip.ask")
    expect(chips.last).to_have_text("De quoi parle ce document ?")
    chips.last.click()
    expect(tab.locator(".question")).to_have_count(2)
    expect(tab.locator(".answer blockquote").nth(1)).to_be_visible()


def test_filters_are_kept_to_and_can_be_wrong(visit: Callable[..., Tab]) -> None:
    tab = visit()
    tab.get_by_role("button", name="Filtres").click()
    since, until = tab.get_by_label("Documents depuis"), tab.get_by_label("Jusqu’à")
    since.fill("novembre 2022")
    ask(tab, SHIPS)
    expect(tab.locator(".refusal")).to_have_count(1)
    expect(tab.locator(".refusal .dates")).to_contain_text("novembre 2022 – …")
    since.fill("01/10/2022")
    until.fill("2022")
    ask(tab, SHIPS)
    expect(tab.locator(".answer .dates").last).to_contain_text("1er octobre 2022 – 2022")
    until.fill("hier soir")
    tab.locator("#question textarea").fill(SHIPS)
    tab.locator("#question textarea").press("Enter")
    expect(tab.locator(".failure")).to_contain_text("« hier soir » n’est pas une date")
    expect(tab.locator(".question")).to_have_count(3)


def test_an_answer_is_copied_with_its_sources(visit: Callable[..., Tab]) -> None:
    tab = visit()
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(tab, SHIPS)
    tab.get_by_role("button", name="Copier avec les sources").click()
    expect(tab.get_by_role("button", name="Copié")).to_be_visible()
    copied = tab.evaluate("navigator.clipboard.readText()").split("\n\n")
    assert copied[0] == "plus de 30 navires [1]"
    assert copied[-1].startswith(f"[1] « {cited_sentence()} » (")


# The page's own words as they stand on it, without what documents and questions say.
OWN_WORDS = """() => {
    const theirs = "script, style, textarea, .question, .passage, mark, blockquote, .about, .reading, .further,"
        + " #examples, .answer > p:not([class]), .answer strong, .source h3, .outcome strong";
    const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const words = [...document.querySelectorAll("[aria-label], [placeholder]")]
        .flatMap((element) => [element.ariaLabel, element.getAttribute("placeholder")]);
    while (nodes.nextNode()) {
        if (!nodes.currentNode.parentElement.closest(theirs)) words.push(nodes.currentNode.data.trim());
    }
    return words.filter(Boolean);
}"""
FRENCH = re.compile(
    r"[éèêàçû’]|\b(?:le|la|les|des|une?|du|vous|sans|pas|sur|ne|vos|qui|est|ce|et|par)\b", re.IGNORECASE
)


def test_the_page_speaks_english_to_other_browsers(visit: Callable[..., Tab]) -> None:
    tab = visit(locale="en-GB")
    expect(tab.locator(".welcome h2")).to_have_text("What would you like to know?")
    ask(tab, SHIPS)
    ask(tab, UNANSWERED)
    expect(tab.locator(".refusal .sorry")).to_have_text("No answer")
    expect(tab.locator(".answer strong").first).to_contain_text("plus de 30")  # documents stay as they are
    tab.get_by_role("button", name="Keyboard").click()
    tab.keyboard.press("Escape")
    tab.get_by_role("tab", name="Documents").click()
    expect(tab.locator("#rebuild")).to_have_text("Update the index")
    tab.locator("button.remove").first.click()
    expect(tab.locator(".confirm strong")).to_have_text("Remove this document?")
    assert [words for words in tab.evaluate(OWN_WORDS) if FRENCH.search(words)] == []
    assert tab.evaluate("document.documentElement.lang") == "en"
    french = visit()
    expect(french.locator(".welcome h2")).to_have_text("Que voulez-vous savoir ?")
    assert [words for words in french.evaluate(OWN_WORDS) if FRENCH.search(words)]


def test_the_keys_are_shown_by_a_key_but_not_while_typing(visit: Callable[..., Tab]) -> None:
    tab = visit()
    tab.locator("#question textarea").fill("Qui")
    tab.keyboard.press("?")
    expect(tab.locator("#question textarea")).to_have_value("Qui?")
    expect(tab.locator("#keys")).to_be_hidden()
    tab.locator("#question textarea").blur()
    tab.keyboard.press("?")
    expect(tab.locator("#keys")).to_be_visible()
    tab.keyboard.press("Escape")
    expect(tab.locator("#keys")).to_be_hidden()


def test_a_refusal_is_judged(visit: Callable[..., Tab], page: Page) -> None:
    tab = visit()
    ask(tab, UNANSWERED)
    tab.get_by_role("button", name="La réponse y est").click()
    expect(tab.get_by_role("button", name="La réponse y est")).to_have_attribute("aria-pressed", "true")
    said = Feedback(feedback_file(page.index)).records()[-1]
    assert (said["question"], said["judgement"], said["answered"]) == (UNANSWERED, "bad", False)
