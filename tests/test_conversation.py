"""Follow-ups are written out with what they leave out; what stands by itself is left as it is."""

from __future__ import annotations

import pytest

from index import CorpusIndex
from qa import Chatbot
from qa.conversation import Turn, carry_over
from qa.question import read_question
from tests.conversations import HELD_BACK, WRITTEN_WITH
from tests.news_conversations import NEWS_CONVERSATIONS


def understood(question: str, short_answer: str | None, follow_up: str) -> str | None:
    return carry_over(follow_up, Turn(question, read_question(question).kind, short_answer))


@pytest.mark.parametrize(("question", "short_answer", "follow_up", "wanted"), WRITTEN_WITH)
def test_what_is_left_out_is_carried_over(
    question: str, short_answer: str | None, follow_up: str, wanted: str | None
) -> None:
    assert understood(question, short_answer, follow_up) == wanted


def test_most_of_what_was_held_back_is_understood() -> None:
    right = 0
    for question, short_answer, follow_up, held, not_held in HELD_BACK:
        found = understood(question, short_answer, follow_up)
        if held is None or found is None:
            right += held is None and found is None
        else:
            right += all(each in found for each in held) and not any(each in found for each in not_held)
    assert right / len(HELD_BACK) >= 0.85


def test_conversations_on_the_news_are_understood() -> None:
    right = n = 0
    for question, short_answer, follow_ups in NEWS_CONVERSATIONS:
        before = Turn(question, read_question(question).kind, short_answer)
        for follow_up, held, not_held, answer in follow_ups:
            found = carry_over(follow_up, before)
            text = (found or follow_up).lower()
            n += 1
            if held is None:
                right += found is None
            else:
                right += all(each.lower() in text for each in held) and not any(
                    each.lower() in text for each in not_held
                )
            before = Turn(found or follow_up, read_question(found or follow_up).kind, answer)
    assert (len(NEWS_CONVERSATIONS), n) == (60, 109)
    assert right / n >= 0.85


@pytest.mark.parametrize(
    "question",
    [
        "Qui a gagné le Tour de France 2019 ?",
        "Combien coûte un litre de lait ?",
        "Où est né Victor Hugo ?",
        "Et combien de députés compte le Parlement européen ?",
        "Quand Emmanuel Macron a-t-il été élu ?",
        "Y a-t-il de l'eau sur Mars ?",
        "Faut-il vacciner les enfants ?",
        "prix de l'essence en 2018",
        "Quelle est la capitale de l'Australie ?",
    ],
)
@pytest.mark.parametrize("before", ["Qui dirige l'Otan ?", "Combien de navires patrouillent en mer du Nord ?"])
def test_a_question_that_stands_by_itself_is_left_as_it_is(question: str, before: str) -> None:
    assert understood(before, "Jens Stoltenberg", question) is None


@pytest.mark.parametrize("follow_up", ["", "?", "Et ?", "...", "Merci", "😀", "Et " * 500, "l'" * 900, "-il " * 400])
def test_any_text_is_read(follow_up: str) -> None:
    assert understood("Qui dirige l'Otan ?", "Jens Stoltenberg", follow_up) is None or follow_up.startswith("Et ")


def test_typographic_apostrophes_and_lack_of_capitals_are_read() -> None:
    assert understood("Qui dirige l’Otan ?", "Jens Stoltenberg", "quand l’a-t-il annoncé") == (
        "Quand Jens Stoltenberg l'a-t-il annoncé, à propos de « Qui dirige l'Otan » ?"
    )


def test_a_conversation_remembers_its_own_turns_only(seed_corpus: CorpusIndex) -> None:
    chatbot = Chatbot(seed_corpus, reader="none")
    one, other = chatbot.conversation(), chatbot.conversation()
    one.ask("Qui est le secrétaire général de l'Otan ?")
    assert other.ask("Quand a-t-il parlé ?").understood_as == "Quand a-t-il parlé ?"
    assert one.ask("Quand a-t-il parlé ?").understood_as == "Quand Jens Stoltenberg a-t-il parlé ?"


def test_the_reading_of_the_user_goes_before_ours_and_is_built_upon(seed_corpus: CorpusIndex) -> None:
    talk = Chatbot(seed_corpus, reader="none").conversation()
    talk.ask("Qui est le secrétaire général de l'Otan ?")
    mine = "Combien de navires patrouillent en mer Baltique ?"
    assert talk.ask("Et les navires ?", understood_as=mine).understood_as == mine
    assert talk.ask("Et en mer du Nord ?").understood_as == "Combien de navires patrouillent en mer du Nord ?"


def test_a_turn_can_be_forgotten(seed_corpus: CorpusIndex) -> None:
    talk = Chatbot(seed_corpus, reader="none").conversation()
    talk.ask("Qui est le secrétaire général de l'Otan ?")
    talk.ask("Comment s'appelle l'exercice de dissuasion ?")
    talk.forget()
    assert talk.ask("Quand a-t-il parlé ?").understood_as == "Quand Jens Stoltenberg a-t-il parlé ?"
    talk.forget()
    talk.forget()
    talk.forget()
    assert talk.ask("Quand a-t-il parlé ?").understood_as == "Quand a-t-il parlé ?"
