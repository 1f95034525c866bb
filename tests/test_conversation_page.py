"""The conversation in Chromium: found again after a reload, filtered, gone on with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.test_browser import SHIPS, UNANSWERED, Browser, Tab, ask, browser, cited_sentence, expect, page, visit

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
