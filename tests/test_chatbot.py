from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import CorpusIndex, InputError
from index.errors import ModelError
from qa import Answer, Chatbot
from qa.reader import Reading, Window

SEED = Path(__file__).parent.parent / "seeds" / "000_56afb7ba333c6065.txt"


@pytest.fixture(scope="module")
def chatbot(tmp_path_factory: pytest.TempPathFactory) -> Chatbot:
    return Chatbot(CorpusIndex.build([SEED.parent], tmp_path_factory.mktemp("seeds") / "index"))


QUESTIONS = [
    ("Qui est le secrétaire général de l'Otan ?", "Jens Stoltenberg", "secrétaire général de l'Otan, Jens Stoltenberg"),
    ("Combien de navires patrouillent en mer Baltique et en mer du Nord ?", "plus de 30", "avec plus de 30 navires"),
    ("Comment s'appelle l'exercice de dissuasion ?", "Steadfast Noon", "un exercice de dissuasion"),
    ("Qui est le ministre ukrainien de la Défense ?", "Oleksii Reznikov", "Oleksii Reznikov, participera"),
    ("De quoi l'Ukraine a-t-elle un besoin urgent ?", None, "systèmes de défense anti-aérienne"),
    ("Pourquoi l'Otan augmente-t-elle ses stocks de munitions ?", None, '"longue guerre"'),
]

WITHOUT_ACCENTS = str.maketrans("éèêàâîïôûùçÉÀ", "eeeaaiiouucEA")


@pytest.mark.parametrize(("question", "short", "proof"), QUESTIONS)
@pytest.mark.parametrize("typed", ["as is", "without accents", "typographic apostrophe"])
def test_the_seed_document_answers(chatbot: Chatbot, question: str, short: str | None, proof: str, typed: str) -> None:
    if typed == "without accents":
        question = question.translate(WITHOUT_ACCENTS)
    elif typed == "typographic apostrophe":
        question = question.replace("'", "’")
    answer = chatbot.ask(question)
    assert answer.answered
    assert proof in answer.citations[0].text
    if short is not None:
        assert short in (answer.short_answer or "")
    check_citations(answer)


def check_citations(answer: Answer) -> None:
    text = SEED.read_bytes().decode()
    for citation in answer.citations:
        assert text[citation.start : citation.end] == citation.text
        assert f"[{citation.marker}]" in answer.text or not answer.answered


@pytest.mark.parametrize("question", ["Qui a remporté la Coupe du monde 2022 ?", "Combien coûte un char Leclerc ?"])
def test_what_the_corpus_does_not_say_is_refused_with_the_nearest_sentences(chatbot: Chatbot, question: str) -> None:
    answer = chatbot.ask(question)
    assert not answer.answered
    assert answer.short_answer is None
    assert answer.statements == ()
    assert answer.reason == answer.text
    check_citations(answer)


def test_the_same_question_gives_the_same_bytes(chatbot: Chatbot) -> None:
    first, second = (chatbot.ask("Qui est le secrétaire général de l'Otan ?") for _ in range(2))
    assert (first.text, first.citations, first.confidence) == (second.text, second.citations, second.confidence)


def test_a_filter_leaves_out_documents_of_other_dates(chatbot: Chatbot) -> None:
    question = "Qui est le secrétaire général de l'Otan ?"
    assert chatbot.ask(question, since="2022-10", until="2022-10").answered
    later = chatbot.ask(question, since="2022-11")
    assert not later.answered
    assert later.citations == ()


def test_a_conversation_carries_the_subject_over_and_leaks_into_no_other(chatbot: Chatbot) -> None:
    talk, other = chatbot.conversation(), chatbot.conversation()
    talk.ask("Quand a lieu Steadfast Noon ?")
    assert "Steadfast Noon" in talk.ask("Et qui l'a annoncé ?").understood_as
    assert "Steadfast" not in other.ask("Et qui l'a annoncé ?").understood_as


@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
def test_an_empty_question_is_refused(chatbot: Chatbot, question: str) -> None:
    with pytest.raises(InputError, match="vide"):
        chatbot.ask(question)


def test_a_question_of_ten_thousand_characters_is_refused(chatbot: Chatbot) -> None:
    with pytest.raises(InputError, match="10000"):
        chatbot.ask("x" * 10_000)


@settings(max_examples=60, deadline=None)
@given(question=st.text(min_size=1, max_size=300))
def test_any_text_is_answered_refused_or_an_input_error(chatbot: Chatbot, question: str) -> None:
    try:
        answer = chatbot.ask(question)
    except InputError:
        return
    check_citations(answer)


@pytest.mark.parametrize(
    "question",
    [
        "et ou la",
        "AND OR NOT (",
        '+title:* ^2 "',
        "Кто такой Столтенберг?",
        "誰",
        "\x00\x07Otan",
        "🙂" * 20,
        "[.*+?^${}",
    ],
)
def test_odd_questions_are_answered_or_refused(chatbot: Chatbot, question: str) -> None:
    check_citations(chatbot.ask(question))


def test_passages_are_in_the_order_of_the_evidence(chatbot: Chatbot) -> None:
    question = "Combien de navires patrouillent en mer Baltique et en mer du Nord ?"
    hits, answer = chatbot.search(question), chatbot.ask(question)
    spans = [hit.passage.span for hit in hits]
    assert sorted(spans) == sorted(hit.passage.span for hit in chatbot._corpus.search(question, k=20))
    first = answer.citations[0]
    assert spans[0].start <= first.start < first.end <= spans[0].end
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert chatbot.search(question, k=1) == hits[:1]
    with pytest.raises(InputError, match="k"):
        chatbot.search(question, k=0)


def test_without_a_reader_none_is_loaded_and_the_mode_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.bundled_reader.BundledReader.open", lambda *_, **__: pytest.fail("a reader was opened"))
    corpus = CorpusIndex.build([SEED.parent], tmp_path / "index")
    answer = Chatbot(corpus, reader="none").ask("Qui est le secrétaire général de l'Otan ?")
    assert answer.short_answer == "Jens Stoltenberg"
    assert answer.mode == "extractif · modèle embarqué · sans lecteur"
    assert Chatbot(corpus).mode.endswith(" · lecteur embarqué")  # said before it is opened


class Sure:
    """A reader that finds the answer in the sentences that hold some words."""

    name = "sure"

    def __init__(self, words: str) -> None:
        self.words = words
        self.asked: list[tuple[str, int]] = []

    def read(self, question: str, windows: Sequence[Window]) -> list[Reading]:
        self.asked.append((question, len(windows)))
        readings = []
        for window in windows:
            odds = tuple(5.0 if self.words in sentence.text else -5.0 for sentence in window.sentences)
            spans = tuple(sentence.span for sentence in window.sentences)
            readings.append(Reading(max(odds), odds, spans, (1.0,) * len(odds)))
        return readings


def test_a_reader_of_ones_own_is_asked(tmp_path: Path) -> None:
    reader = Sure("Baltique")
    corpus = CorpusIndex.build([SEED.parent], tmp_path / "index")
    answer = Chatbot(corpus, reader=reader).ask("Combien de navires patrouillent ?")
    assert "Baltique" in answer.citations[0].text
    assert answer.short_answer == " ".join(answer.citations[0].text.split())
    assert answer.mode == "extractif · modèle embarqué · lecteur sure"
    assert reader.asked == [("Combien de navires patrouillent ?", 4)]  # four more are not read: one is sure


def test_the_passage_of_the_first_evidence_comes_first(tmp_path: Path) -> None:
    question = "Combien de navires patrouillent ?"
    corpus = CorpusIndex.build([SEED.parent], tmp_path / "index")
    by_search = Chatbot(corpus, reader="none").search(question)
    first = set()
    for wanted in by_search:
        chatbot = Chatbot(corpus, reader=Sure(wanted.passage.sentences[0].text))
        found, cited = chatbot.search(question), chatbot.ask(question).citations[0]
        assert found[0].passage.span.start <= cited.start < cited.end <= found[0].passage.span.end
        assert {hit.passage.span for hit in found} == {hit.passage.span for hit in by_search}
        first.add(found[0].passage.span)
    assert len(first) > 1  # not the order of search each time


def test_a_missing_reader_is_a_stated_error(tmp_path: Path) -> None:
    corpus = CorpusIndex.build([SEED.parent], tmp_path / "index")
    with pytest.raises(ModelError, match="nulle-part"):
        Chatbot(corpus, reader="/nulle-part").ask("Qui ?")
