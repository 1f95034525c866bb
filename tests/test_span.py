"""The short answer inside a sentence: candidates against hand-marked ones, answers against what a reader would say."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.analyze import Analyzer
from index.errors import ModelError
from index.types import Document, Sentence, Span
from qa import span as span_module
from qa.candidates import find_chunks, read_tokens
from qa.question import read_question
from qa.span import answer_probability, find_short_answer
from qa.span_features import read_view, spans

ANALYZER = Analyzer()
BEFORE = "Préambule étranger. "


def sentence_of(text: str) -> Sentence:
    """The sentence, placed behind another one so that wrong coordinates show."""
    document = Document(id="1", source="essai.txt", text=BEFORE + text + " Suite.")
    return Sentence(document, Span(len(BEFORE), len(BEFORE) + len(text)))


def answer(question: str, text: str) -> str | None:
    sentence = sentence_of(text)
    found = find_short_answer(read_question(question), sentence, analyzer=ANALYZER)
    return None if found is None else sentence.document.text[found.span.start : found.span.end]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("le président François de Rugy est parti", {("name", "François de Rugy")}),
        (
            "selon Jean-Pierre Le Goff et Anna van der Berg",
            {("name", "Jean-Pierre Le Goff"), ("name", "Anna van der Berg")},
        ),
        ("avec plus de 30 navires gris", {("amount", "plus de 30 navires")}),
        ("près de 4 millions de touristes", {("amount", "près de 4 millions de touristes")}),
        ("une amende de 9.000 euros", {("amount", "9.000 euros")}),
        ("une hausse de 12,5 % en tout", {("amount", "12,5 %")}),
        ("une dizaine de blessés", {("amount", "une dizaine de blessés")}),
        ("il fait 38 °C ici", {("amount", "38 °C")}),
        ("le mardi 12 octobre", {("amount", "12"), ("date", "mardi 12 octobre")}),
        ("depuis fin mars", {("date", "fin mars")}),
        ("depuis la mi-mars 2020", {("amount", "2020"), ("date", "mi-mars 2020")}),
        ("il part la semaine prochaine", {("date", "la semaine prochaine")}),
        ("il revient cet été en train", {("date", "cet été")}),
        ("à 3h20 précises", {("clock", "3h20")}),
        ("vers 3h20 du matin", {("clock", "3h20 du matin")}),
        ('baptisé "le grand large" hier', {("quote", "le grand large"), ("date", "hier")}),
        ("dit « oui » et “non”", {("quote", "oui"), ("quote", "non")}),
    ],
)
def test_chunks(text: str, expected: set[tuple[str, str]]) -> None:
    tokens = read_tokens(text)
    found = {(chunk.type, text[tokens[chunk.first].start : tokens[chunk.last].end]) for chunk in find_chunks(tokens)}
    assert found == expected


RARE = ("3h20", "aujourd'hui", "a-t-il", "M.", "J.-C.", "été", "İ", "ﬁn", "plus", "une", "dizaine", "\u00a0", "…", "😀")
WORDS = st.sampled_from(
    ["Jean", "de", "L’", "l'", "30", "1 200", "12,5", "%", "°", "«", "»", '"', "(", ")", ",", "mardi", "mars", "2022"]
).flatmap(lambda word: st.sampled_from([word, *RARE]))
TEXTS = st.lists(st.tuples(WORDS, st.sampled_from([" ", "", "  "])), max_size=25).map(
    lambda parts: "".join(map("".join, parts))
)


@given(TEXTS)
def test_tokens_cover_everything_but_white_space(text: str) -> None:
    tokens = read_tokens(text)
    ends = [0, *(token.end for token in tokens)]
    starts = [*(token.start for token in tokens), len(text)]
    assert all(not text[end:start].strip() for end, start in zip(ends, starts, strict=True))
    assert all(token.start < token.end for token in tokens)


@given(TEXTS, st.sampled_from(["Qui dort ?", "Combien de navires ?", "Quand ?", "Pourquoi ?", "Quel Jean ?", "phare"]))
def test_answers_lie_inside_the_sentence_without_marks_around(text: str, asked: str) -> None:
    sentence = sentence_of(text)
    question = read_question(asked)
    found = find_short_answer(question, sentence, analyzer=ANALYZER)
    assert 0 <= answer_probability(question, sentence, analyzer=ANALYZER) <= 1
    if found is None:
        return
    assert sentence.span.start <= found.span.start < found.span.end <= sentence.span.end
    words = sentence.document.text[found.span.start : found.span.end]
    assert words == words.strip(' \u00a0,;:«»"()…')
    assert 0 <= found.score <= 1


@given(TEXTS)
def test_candidates_say_something_that_the_question_does_not(text: str) -> None:
    question = read_question("Quel Jean a vu mardi des navires ?")
    asked = set(ANALYZER.terms(question.understood_as))
    view = read_view(question, text, analyzer=ANALYZER)
    for first, last in spans(question, view):
        words = text[view.tokens[first].start : view.tokens[last].end]
        assert not set(ANALYZER.terms(words)) <= asked or not words.strip()


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        (
            "Qui est la directrice du musée de la Mer ?",
            "« Nous rouvrons samedi », a déclaré la directrice du musée de la Mer, Hélène Le Bihan.",
            "Hélène Le Bihan",
        ),
        ("Qui a dessiné le phare ?", "Le phare a été dessiné par l'architecte Paul Morel en 1887.", "Paul Morel"),
        ("Quel est le prix du billet ?", "Le prix du billet est fixé à 14,50 euros pour les adultes.", "14,50 euros"),
        ("En quelle année le pont a-t-il été construit ?", "Le pont a été construit en 1932 par la commune.", "1932"),
        ("Quand ouvre le festival ?", "Le festival ouvre le 9 juin à Rennes.", "9 juin"),
        ("Dans quelle ville a lieu le festival ?", "Le festival a lieu à Saint-Malo du 9 au 12 juin.", "Saint-Malo"),
        (
            "Comment s'appelle le navire de recherche ?",
            'Le navire de recherche, baptisé "Grand Large", quittera le port lundi.',
            "Grand Large",
        ),
    ],
)
def test_answers(question: str, text: str, expected: str) -> None:
    assert answer(question, text) == expected


def test_a_quantity_keeps_its_modifiers() -> None:
    found = answer(
        "Combien de voiliers participent à la course ?",
        "La course réunit cette année plus de 120 voiliers venus de dix pays.",
    )
    assert found in ("plus de 120", "plus de 120 voiliers")


@pytest.mark.parametrize("question", ["Qui a dessiné le phare ?", "QUI A DESSINE LE PHARE", "qui a dessine le phare"])
def test_typing_does_not_change_the_answer(question: str) -> None:
    assert answer(question, "Le phare a été dessiné par l’architecte Paul Morel en 1887.") == "Paul Morel"


def test_a_sentence_without_the_kind_of_thing_is_less_likely() -> None:
    question = read_question("Combien de voiliers participent à la course ?")
    told = sentence_of("La course réunit cette année plus de 120 voiliers venus de dix pays.")
    untold = sentence_of("Les voiliers de la course participent aussi à la fête du port.")
    assert answer_probability(question, told, analyzer=ANALYZER) > 0.5
    assert answer_probability(question, untold, analyzer=ANALYZER) < 0.1


@pytest.mark.parametrize("text", ["", "…", "« »", "de la"])
def test_nothing_to_answer_with(text: str) -> None:
    assert answer("Qui dort ?", text) is None


def test_damaged_model_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for content, message in (("{", "reinstall"), (json.dumps({"format": 0}), "found format 0, expected")):
        (tmp_path / "span.json").write_text(content, encoding="utf-8")
        monkeypatch.setattr(span_module, "_MODEL", str(tmp_path / "span.json"))
        span_module._stored.cache_clear()
        span_module._model.cache_clear()
        with pytest.raises(ModelError, match=message):
            answer("Qui dort ?", "Paul dort.")
    monkeypatch.undo()
    span_module._stored.cache_clear()
    span_module._model.cache_clear()
    assert answer("Qui dort ?", "Paul Morel dort.") == "Paul Morel"
