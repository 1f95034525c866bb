"""What reads questions and sentences by rules raises on no text: lone accents, marks and capitals in any order."""

from hypothesis import given
from hypothesis import strategies as st

from index import Document, Sentence, Span
from qa.ages import AgeQuestion, find_ages, read_age_question
from qa.definitions import Term, find_definitions, read_term
from qa.holders import Role, find_holders, read_role
from qa.sayings import find_sayings, is_by, read_saying_question
from qa.topics import read_topic_request
from qa.word_classes import word_list
from qa.yes_no import stated_reply

PIECES = st.sampled_from(
    [*sorted(word_list("le la l' maire de Nice Jean Martin a déclaré ONU est un Selon pour M. Mme des du d' sur")),
     *("Qui est", "Qui préside", "Quel âge a", "Quoi de neuf sur", "42 ans", "président", "français", "la France"),
     "Que dit", "a-t-il ajouté", *",\"«»()’-éİß\u0301\u200d", "..", "e\u0301", ""]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=14).flatmap(lambda pieces: st.sampled_from([" ".join(pieces), "".join(pieces)]))


@given(TEXTS, TEXTS)
def test_no_text_breaks_the_rules(question: str, text: str) -> None:
    asked = read_saying_question(question)
    document = Document("1", "1", f"{text} {question}.", title=question)
    sentences = [Sentence(document, Span(0, len(document.text)))]
    for saying in find_sayings(sentences):
        is_by(saying, asked.speaker if asked else text)
    for term in (read_term(question), Term("ONU", is_person=False), Term("Jean Martin", is_person=True)):
        for found in () if term is None else find_definitions(term, sentences):
            assert found.phrase.end <= len(document.text)
    for role in (read_role(question), Role("maire de Nice"), Role("président de la France")):
        if role is not None:
            find_holders(role, sentences)
    for age in (read_age_question(question), AgeQuestion("Jean Martin")):
        if age is not None:
            find_ages(age, sentences)
    read_topic_request(question)
    stated_reply(question, text, sentence=text, around=question)


def test_a_lone_accent_before_a_name() -> None:
    document = Document("1", "1", "Le père \u0301 , Jean Martin, est venu.")
    find_holders(Role("père de Luc"), [Sentence(document, Span(0, len(document.text)))])
