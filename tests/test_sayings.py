"""Who says what: questions that ask for somebody's words, and texts that attribute them."""

from pathlib import Path

import pytest

from index import CorpusIndex, Document, Sentence, Span
from index.split import split_sentences
from qa import Chatbot
from qa.sayings import Saying, find_sayings, is_by, read_saying_question

SEED = next(Path("seeds").glob("*.txt"))
TALK = (
    'Le maire de Nice, Jean Martin, a annoncé lundi la fermeture du port. "Le port est dangereux. Il sera fermé '
    'dès demain", a-t-il expliqué. La ministre des Transports Anne Durand a dénoncé cette fermeture. Elle estime que '
    '"le port doit rester ouvert". Selon Paul Petit, le port est sûr. Un proche de Jean Martin a déclaré que rien '
    "n'était décidé. Le port a été construit en 1863."
)


def sentences(text: str) -> list[Sentence]:
    document = Document("1", "a.txt", text)
    return [Sentence(document, span) for span in split_sentences(text)]


def said_by(text: str, speaker: str) -> list[str]:
    return [saying.sentence.text for saying in find_sayings(sentences(text)) if is_by(saying, speaker)]


@pytest.mark.parametrize(
    ("question", "speaker", "topic"),
    [
        ("Que dit Stoltenberg de la Russie ?", "Stoltenberg", "Russie"),
        ("que pense macron des retraites", "macron", "retraites"),
        ("Que dit le secrétaire général de l'Otan du sabotage ?", "secrétaire général de l'Otan", "sabotage"),
        ("Qu’a déclaré Anne Hidalgo sur les trottinettes ?", "Anne Hidalgo", "trottinettes"),
        ("Que Macron a-t-il déclaré sur les retraites ?", "Macron", "retraites"),
        ("Que pense Dominique de Villepin de la guerre ?", "Dominique de Villepin", "guerre"),
        ("Qu'est-ce que Macron a dit de la Russie ?", "Macron", "Russie"),
        ("Quelle est la position de Marine Le Pen sur l'euro ?", "Marine Le Pen", "euro"),
        ("Que dit le maire de Nice des attentats ?", "maire de Nice", "attentats"),
        ("Que dit le ministre de la grève ?", "ministre", "grève"),
        ("Que dit le ministre de l'Intérieur ?", "ministre de l'Intérieur", ""),
        ("Qu'a annoncé le secrétaire général ?", "secrétaire général", ""),
    ],
)
def test_a_question_for_words_is_read(question: str, speaker: str, topic: str) -> None:
    asked = read_saying_question(question)
    assert asked is not None
    assert (asked.speaker, asked.topic) == (speaker, topic)


@pytest.mark.parametrize(
    "question",
    [
        "Que signifie DGSI ?",
        "Que dit-il de la guerre ?",
        "Qui a dit que le port serait fermé ?",
        "Quand a-t-il parlé ?",
        "Que propose le maire ?",
        "Que dit la loi sur le voile ?",
        "Que dit le rapport de la Cour des comptes ?",
        "",
    ],
)
def test_other_questions_are_not(question: str) -> None:
    assert read_saying_question(question) is None


def test_names_functions_pronouns_and_long_quotations_are_attributed() -> None:
    assert said_by(TALK, "Jean Martin") == [
        "Le maire de Nice, Jean Martin, a annoncé lundi la fermeture du port.",
        '"Le port est dangereux.',
        'Il sera fermé dès demain", a-t-il expliqué.',
    ]
    assert said_by(TALK, "maire de Nice") == said_by(TALK, "Martin") == said_by(TALK, "Jean Martin")
    assert said_by(TALK, "Anne Durand") == [
        "La ministre des Transports Anne Durand a dénoncé cette fermeture.",
        'Elle estime que "le port doit rester ouvert".',
    ]
    assert said_by(TALK, "Petit") == ["Selon Paul Petit, le port est sûr."]
    assert said_by(TALK, "Jean Durand") == []


def test_a_pronoun_is_who_spoke_last_and_not_who_was_named_last() -> None:
    text = (
        "Jean Martin a annoncé une grève. Paul Petit a dénoncé la grève. Luc Morel participera à la réunion, "
        "a-t-il indiqué."
    )
    assert said_by(text, "Paul Petit")[-1] == "Luc Morel participera à la réunion, a-t-il indiqué."
    assert said_by(text, "Jean Martin") == ["Jean Martin a annoncé une grève."]
    assert said_by(text, "Luc Morel") == []


def test_words_are_the_quotation_within_the_sentence() -> None:
    text = 'Le port "est fermé", a dit Jean Martin.'
    (saying,) = find_sayings(sentences(text))
    assert saying.words is not None
    assert text[saying.words.start : saying.words.end] == "est fermé"
    assert saying.is_attributed


def test_a_mark_that_is_left_open_swallows_nothing() -> None:
    text = 'Le film "Les Ports sort en mai.\nLe port est beau. "Il est à nous", a dit Jean Martin.'
    assert said_by(text, "Jean Martin") == ['"Il est à nous", a dit Jean Martin.']


def test_nothing_is_said_in_nothing() -> None:
    assert find_sayings([]) == ()
    assert not is_by(Saying(sentences("A.")[0], frozenset(), None, is_attributed=True), "A")


def test_the_sentences_of_a_document_are_asked_for_and_cited(tmp_path: Path) -> None:
    chatbot = Chatbot(CorpusIndex.build([SEED], tmp_path / "index"))
    answer = chatbot.ask("Que dit Jens Stoltenberg du sabotage ?")
    assert answer.answered
    assert answer.citations[0].text.startswith('"Après le sabotage des pipelines Nord Stream')
    assert answer.short_answer is not None
    assert answer.short_answer.startswith("Après le sabotage")
    text = chatbot.corpus.document(answer.citations[0].source).text
    assert all(text[each.start : each.end] == each.text for each in answer.citations)
    assert "arme nucléaire" in " ".join(
        c.text for c in chatbot.ask("Que dit Stoltenberg de l'arme nucléaire ?").citations
    )


def test_the_words_of_others_are_no_answer(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        'Jean Martin a réagi à la fermeture du port. "Le port doit rester ouvert", a répondu Anne Durand.', "utf-8"
    )
    chatbot = Chatbot(CorpusIndex.build([tmp_path / "a.txt"], tmp_path / "index"))
    answer = chatbot.ask("Que dit Anne Durand du port ?")
    assert answer.short_answer == "Le port doit rester ouvert"
    assert answer.citations[0].start == 44
    spans = [Span(c.start, c.end) for c in chatbot.ask("Que dit Jean Martin du port ?").citations if c.score >= 0.5]
    assert Span(44, 96) not in spans
