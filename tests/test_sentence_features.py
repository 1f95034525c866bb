"""The numbers of each sentence against loops by hand, one sentence at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.analyze import Analyzer
from index.asked import Asked
from index.sentence_features import SENTENCE_FEATURES, FoundSentence, distinct_sentences, sentence_rows
from index.types import Document, Hit, Passage, Sentence, Span
from tests.test_soft_match import VECTORS, cosine, pieces_of, small_match, summed, words_of

ANALYZER = Analyzer()


@dataclass(frozen=True)
class Looks:
    """What stands in a sentence, read by a person: names but the first word, numbers, words of dates."""

    capitals: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    is_question: bool = False
    has_reason: bool = False
    has_speech: bool = False
    pronoun: bool = False


SENTENCES = {
    "Le navire de l'Otan patrouille en mer Baltique.": Looks(("Otan", "Baltique")),
    "Il a été coulé le 3 octobre 2022, à l'aube.": Looks((), ("3", "2022"), ("octobre",), pronoun=True),
    "Le patron (Jens Stoltenberg) arrive lundi à Oslo.": Looks(("Jens", "Stoltenberg", "Oslo"), (), ("lundi",)),
    "« Nous sommes prêts », a déclaré Stoltenberg.": Looks(("Nous", "Stoltenberg"), has_speech=True),
    "Un bateau de 1 200 tonnes et 3,5 mètres.": Looks((), ("1 200", "3,5")),
    "Son navire est resté au port, car la mer est forte.": Looks(has_reason=True, pronoun=True),
    "Que veut Moscou ?": Looks(("Moscou",), is_question=True),
    "La paix d'abord, en raison d'une grève depuis hier.": Looks((), (), ("hier",), has_reason=True),
    "Navire.": Looks(),
    "Et de.": Looks(),
    "Leurs bateaux, Saint-Malo, Brest et Lorient, en mai 1999 ou 2001 : 12, 13, 14, 15, 16, 17, 18, 19.": Looks(
        ("Saint-Malo", "Brest", "Lorient"),
        ("1999", "2001", "12", "13", "14", "15", "16", "17", "18", "19"),
        ("mai",),
        pronoun=True,
    ),
}  # fmt: skip

# The flags of each question: amount, date, who, where, why, how.
QUESTIONS = {
    "Quel navire patrouille en mer Baltique ?": (0, 0, 0, 0, 0, 0),
    "Qui est le patron de l'Otan ?": (0, 0, 1, 0, 0, 0),
    "Quand le bateau a-t-il été coulé, en octobre 2022 ?": (0, 1, 0, 0, 0, 0),
    "Combien pèse le bateau, et quelle est la durée ?": (1, 0, 0, 0, 0, 0),
    "Dans quelle ville arrive Jens Stoltenberg ?": (0, 0, 0, 1, 0, 0),
    "Pourquoi et comment Moscou veut-elle la paix depuis hier ?": (0, 1, 0, 0, 1, 1),
    "otan navire": (0, 0, 0, 0, 0, 0),
    "Et de ?": (0, 0, 0, 0, 0, 0),
    "Que dit-il ?": (0, 0, 0, 0, 0, 0),
}


def asked_for(text: str, idfs: dict[str, float] | None = None) -> Asked:
    tokens = ANALYZER.tokens(text)
    given_idfs = {term: 1.0 + sum(map(ord, term)) % 7 for term, _, _ in tokens} if idfs is None else idfs
    return Asked(text, tokens, given_idfs, np.zeros(3, dtype=np.float32))


def document_of(
    name: str, parts: Sequence[tuple[str, str]], title: str | None = None
) -> tuple[Document, list[Sentence]]:
    """Return a document of sentences with what follows each, and its sentences."""
    text, spans = "", []
    for sentence, after in parts:
        spans.append(Span(len(text), len(text) + len(sentence)))
        text += sentence + after
    document = Document(name, f"{name}.txt", text, title=title)
    return document, [Sentence(document, span) for span in spans]


def passage_of(document: Document, held: Sequence[Sentence], first: int) -> Passage:
    return Passage(first, document, first, Span(held[0].span.start, held[-1].span.end), tuple(held))


# -- the same, one sentence at a time --------------------------------------------------------------------------------


def by_hand(asked: Asked, hits: Sequence[Hit]) -> list[dict[str, float]]:
    """Return the features of each sentence of the hits, in the order of the hits, repeated ones left out."""
    found: list[tuple[Sentence, int, int]] = []
    for rank, hit in enumerate(hits):
        for place, sentence in enumerate(hit.passage.sentences):
            if all(sentence != other for other, _, _ in found):
                found.append((sentence, rank, place))
    idfs, total = dict(asked.idfs), sum(asked.idfs.values()) or 1.0
    names = {
        term
        for term, start, end in asked.tokens
        if start and any(letter.isupper() or letter.isdigit() for letter in asked.text[start:end])
    } & idfs.keys()
    asked_pairs = {(a[0], b[0]) for a, b in zip(asked.tokens, asked.tokens[1:], strict=False)}
    terms = [ANALYZER.terms(sentence.text) for sentence, _, _ in found]
    titles = [set(ANALYZER.terms(hits[rank].passage.document.title or "")) & idfs.keys() for _, rank, _ in found]
    own = [set(each) & idfs.keys() for each in terms]
    pieces = pieces_of(asked.text)
    best = [
        {word: max([0.0, *(cosine(VECTORS[word], VECTORS[o]) for o in words_of(s.text))]) for word in pieces}
        for s, _, _ in found
    ]
    lengths = {word: math.hypot(*VECTORS[word]) for word in pieces}
    cosines = [round(cosine(summed(pieces), summed(words_of(s.text))), 7) for s, _, _ in found]  # equal ones are equal
    middle = sum(cosines) / len(cosines)
    spread = math.sqrt(sum((each - middle) ** 2 for each in cosines) / len(cosines)) if len({*cosines}) > 1 else 0.0
    divisor = spread if spread > 1e-6 else 1.0

    def weight(held: set[str]) -> float:
        return sum(idfs[term] for term in held) / total

    def share_of_names(held: set[str]) -> float:
        return weight(held & names) / weight(names) if names else -1.0

    def highest(held: set[str]) -> float:
        return max((idfs[term] for term in held), default=0.0) / (max(idfs.values(), default=0.0) or 1.0)

    def lexical(i: int) -> float:
        norm = 0.9 * (0.6 + 0.4 * len(terms[i]) / 14.0)
        return sum(idfs[term] / total * terms[i].count(term) / (terms[i].count(term) + norm) for term in own[i])

    def soft(row: dict[str, float]) -> float:
        return sum(lengths[word] * row[word] for word in pieces) / (sum(lengths.values()) or 1.0)

    def rank(values: Sequence[float], value: float) -> int:
        return sum(round(other, 6) > round(value, 6) for other in values)

    def beside(i: int) -> list[int]:
        """The sentences just before and after, where they are among those found."""
        sentence = found[i][0]
        near = []
        for j, (other, _, _) in enumerate(found):
            first, second = sorted((sentence.span, other.span))
            between = [s for s, _, _ in found if s.document == sentence.document and first < s.span < second]
            if j != i and other.document == sentence.document and not between and second.start - first.end < 20:
                near.append(j)
        return near

    def over_best(value: float, values: Sequence[float]) -> float:
        best = max(values)
        return value / best if best > 0 else 0.0

    every_lexical, every_soft = [lexical(i) for i in range(len(found))], [soft(row) for row in best]
    covers, scores = [weight(held) for held in own], [hit.score for hit in hits]
    rows = []
    for i, (sentence, hit, place) in enumerate(found):
        near = own[i].union(*(own[j] for j in beside(i)))
        passage = set[str]().union(*(own[j] for j in range(len(found)) if found[j][1] == hit))
        places = [number for number, term in enumerate(terms[i]) if term in idfs]
        pairs = {(a, b) for a, b in zip(terms[i], terms[i][1:], strict=False)} & asked_pairs
        near_soft = {word: max(best[j][word] for j in [i, *beside(i)]) for word in pieces}
        rows.append(
            {
                "cover": covers[i],
                "cover_near": weight(near),
                "cover_passage": weight(passage),
                "cover_all": weight(passage | titles[i]),
                "beyond_title": weight(own[i] - titles[i]),
                "cover_share": over_best(covers[i], covers),
                "lexical": every_lexical[i],
                "lexical_share": over_best(every_lexical[i], every_lexical),
                "lexical_rank": rank(every_lexical, every_lexical[i]),
                "near_lexical": sum(every_lexical[j] for j in beside(i)),
                "rarest": highest(own[i]),
                "missing": highest(idfs.keys() - own[i] - titles[i]),
                "missing_near": highest(idfs.keys() - near - titles[i]),
                "names": share_of_names(own[i]),
                "names_near": share_of_names(near | titles[i]),
                "pairs": len(pairs) / len(asked_pairs) if asked_pairs else -1.0,
                "tightness": len(places) / (places[-1] - places[0] + 1) if len(places) > 1 else 0.0,
                "cosine_z": (cosines[i] - middle) / divisor,
                "cosine_share": over_best(cosines[i], cosines),
                "cosine_rank": rank(cosines, cosines[i]),
                "soft": every_soft[i],
                "soft_share": over_best(every_soft[i], every_soft),
                "soft_near": soft(near_soft),
                "soft_missing": min(best[i].values(), default=1.0),
                "passage": scores[hit],
                "passage_lead": scores[hit] - max(scores),
                "passage_rank": rank(scores, scores[hit]),
                "place": min(hits[hit].passage.first + place, 40),
                "in_passage": place,
                "length": math.log(1 + len(sentence.text)),
                "n_terms": len(terms[i]),
                "n_question": len(idfs),
                "novel": sum(term not in idfs for term in terms[i]),
                **looks_by_hand(asked, sentence.text),
                **dict(zip(FLAGS, QUESTIONS[asked.text], strict=True)),
            }
        )
    return rows


FLAGS = "asks_amount", "asks_date", "asks_who", "asks_where", "asks_why", "asks_how"


def looks_by_hand(asked: Asked, text: str) -> dict[str, float]:
    looks = SENTENCES[text]
    numbers = [number for number in looks.numbers if number not in asked.text]
    dates = [word for word in looks.dates if ANALYZER.terms(word)[0] not in asked.idfs]
    years = [number for number in numbers if len(number) == 4 and number[:2] in ("19", "20")]
    return {
        "n_capitals": min(sum(name not in asked.text for name in looks.capitals), 8),
        "n_numbers": min(len(numbers), 8),
        "n_dates": min(len(dates) + len(years), 8),
        "is_question": float(looks.is_question),
        "has_reason": float(looks.has_reason),
        "has_speech": float(looks.has_speech),
        "starts_with_pronoun": float(looks.pronoun),
    }


@st.composite
def hits_of(draw: st.DrawFn) -> list[Hit]:
    """Passages of up to three documents, which may overlap, in any order."""
    passages = []
    for number in range(draw(st.integers(1, 3))):
        gap = st.sampled_from([" ", "\n\n", "", " " * 19, " " * 20, "\n" * 30])
        parts = draw(st.lists(st.tuples(st.sampled_from([*SENTENCES]), gap), min_size=1, max_size=9))
        title = draw(st.sampled_from([None, "L'Otan en mer", "Le patron"]))
        document, sentences = document_of(f"d{number}", parts, title)
        for _ in range(draw(st.integers(1, 3))):
            first = draw(st.integers(0, len(parts) - 1))
            past = draw(st.integers(first + 1, min(len(parts), first + 4)))
            passages.append(passage_of(document, sentences[first:past], first))
    order = draw(st.permutations(passages))
    scores = sorted((draw(st.integers(-40, 40)) / 8 for _ in order), reverse=True)
    return [Hit(passage, score, 0.0, 0.0) for passage, score in zip(order, scores, strict=True)]


def rows_of(asked: Asked, hits: Sequence[Hit]) -> list[dict[str, float]]:
    rows = sentence_rows(asked, distinct_sentences(hits), hits, analyzer=ANALYZER, soft=small_match())
    return [dict(zip(SENTENCE_FEATURES, row, strict=True)) for row in rows.tolist()]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([*QUESTIONS]), hits_of())
def test_every_column_is_that_of_a_loop_by_hand(question: str, hits: list[Hit]) -> None:
    asked = asked_for(question)
    rows, expected = rows_of(asked, hits), by_hand(asked, hits)
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        assert row == pytest.approx(wanted, abs=2e-5)


@settings(max_examples=60, deadline=None)
@given(hits_of())
def test_each_sentence_is_found_once_at_its_best_rank(hits: list[Hit]) -> None:
    found = distinct_sentences(hits)
    places = [(each.sentence.document.source, each.sentence.span) for each in found]
    assert len(places) == len(set(places))
    assert set(places) == {(s.document.source, s.span) for hit in hits for s in hit.passage.sentences}
    for each in found:
        ranks = [rank for rank, hit in enumerate(hits) if each.sentence in hit.passage.sentences]
        assert each.hit == min(ranks)
        assert hits[each.hit].passage.sentences[each.place] == each.sentence
    assert [each.hit for each in found] == sorted(each.hit for each in found)


def test_documents_that_bring_the_same_id_keep_their_own_sentences() -> None:
    names = [*SENTENCES]
    first, second = (document_of("1", [(text, " ")]) for text in names[:2])
    documents = [replace(document, source=f"{n}.jsonl#1") for n, (document, _) in enumerate((first, second))]
    hits = [
        Hit(passage_of(document, [Sentence(document, Span(0, len(text)))], 0), 1.0, 0.0, 0.0)
        for document, text in zip(documents, names[:2], strict=True)
    ]
    assert [each.sentence.text for each in distinct_sentences(hits)] == names[:2]
    rows = rows_of(asked_for("otan navire"), hits)
    assert [row["near_lexical"] for row in rows] == [0.0, 0.0]  # no sentence of the other document stands beside


def test_one_sentence_in_numbers() -> None:
    asked = asked_for("otan navire", {"otan": 3.0, "navir": 1.0})
    document, sentences = document_of(
        "a", [("Le navire de l'Otan patrouille en mer Baltique.", " "), ("Navire.", " " * 30), ("Et de.", "")], "L'Otan"
    )
    (row, second, third) = rows_of(asked, [Hit(passage_of(document, sentences, 0), -2.5, 0.0, 0.0)])
    norm = 0.9 * (0.6 + 0.4 * 5 / 14)  # navire, Otan, patrouille, mer, Baltique
    assert row["lexical"] == pytest.approx(1.0 / (1.0 + norm), abs=1e-6)
    assert (row["cover"], row["beyond_title"], row["pairs"], row["tightness"]) == (1.0, 0.25, 0.0, 1.0)
    assert (row["n_terms"], row["novel"], row["n_question"], row["passage"]) == (5, 3, 2, -2.5)
    assert (second["cover"], second["cover_near"], second["missing"], second["missing_near"]) == (0.25, 1.0, 0.0, 0.0)
    assert (third["cover"], third["cover_near"], third["rarest"], third["in_passage"]) == (0.0, 0.0, 0.0, 2.0)


def test_neighbouring_terms_of_the_question_count_in_their_order() -> None:
    asked = asked_for("otan navire", {"otan": 1.0, "navir": 1.0})
    for text, pairs, tightness in (
        ("Otan et navire", 1.0, 1.0),  # "et" is no term
        ("navire Otan", 0.0, 1.0),
        ("Otan, la mer, la paix, un navire", 0.0, 0.5),
        ("un navire", 0.0, 0.0),
        ("navire otan navire", 1.0, 1.0),
    ):
        document, sentences = document_of("a", [(text, "")])
        found = [FoundSentence(sentences[0], 0, 0)]
        hits = [Hit(passage_of(document, sentences, 0), 0.0, 0.0, 0.0)]
        (row,) = sentence_rows(asked, found, hits, analyzer=ANALYZER, soft=small_match()).tolist()
        got = dict(zip(SENTENCE_FEATURES, row, strict=True))
        assert (text, got["pairs"], got["tightness"]) == (text, pairs, tightness)


def row_of(question: str, text: str, **changes: Any) -> dict[str, float]:
    document, sentences = document_of("a", [(text, "")])
    hit = Hit(replace(passage_of(document, sentences, 0), **changes), 0.0, 0.0, 0.0)
    (row,) = rows_of(asked_for(question), [hit])
    return row


def test_a_late_place_counts_no_more_than_the_fortieth() -> None:
    assert [row_of("navire", "Navire.", first=first)["place"] for first in (0, 39, 40, 41, 900)] == [0, 39, 40, 40, 40]


@pytest.mark.parametrize(
    ("question", "flags"),
    [
        ("Quel est le montant ?", {"asks_amount"}),
        ("Quel age a-t-il ?", {"asks_amount"}),  # typed without accents
        ("Quelle est la duree ?", {"asks_amount"}),
        ("À quelle date ?", {"asks_date"}),
        ("En quelle année et où ?", {"asks_date", "asks_where"}),
        ("Dans quels pays ?", {"asks_where"}),
        ("QUI ?", {"asks_who"}),
        ("Pour quelle raison ?", {"asks_why"}),
        ("Comment, et pourquoi ?", {"asks_how", "asks_why"}),
        ("quiche", set()),
        ("nombre de navires", set()),
    ],
)
def test_what_a_question_asks_for(question: str, flags: set[str]) -> None:
    row = row_of(question, "Navire.")
    assert {name for name in FLAGS if row[name]} == flags
    assert {row[name] for name in FLAGS} <= {0.0, 1.0}


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("Est-ce la fin ? »", {"is_question": 1}),
        ("« Est-ce la fin ? » dit-on.", {"is_question": 0, "has_speech": 1}),
        ("Grâce à eux, il gagne.", {"has_reason": 1, "starts_with_pronoun": 0}),
        ("« Elle gagne », a-t-il ajouté.", {"has_speech": 1, "starts_with_pronoun": 1}),
        ("Ilona gagne.", {"starts_with_pronoun": 0, "n_capitals": 0}),
        ("À Paris, Évreux et Nice.", {"n_capitals": 3}),
        ("Le 14-Juillet 2023 et 2024.", {"n_numbers": 3, "n_dates": 3}),
    ],
)
def test_what_a_sentence_looks_like(text: str, changes: dict[str, int]) -> None:
    row = row_of("navire", text)
    assert {name: row[name] for name in changes} == changes


@pytest.mark.parametrize("n", [1, 2, 3, 5, 6, 7, 20])
def test_equal_sentences_are_told_apart_by_nothing(n: int) -> None:
    hits = []
    for number in range(n):
        document, sentences = document_of(f"d{number}", [("Le dirigeant de ce navire et un bateau.", "")])
        hits.append(Hit(passage_of(document, sentences, 0), 1.5, 0.0, 0.0))
    rows = rows_of(asked_for("patron de navire"), hits)
    assert rows == [rows[0]] * n
    assert (rows[0]["lexical_rank"], rows[0]["cosine_rank"], rows[0]["cosine_z"]) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Et de ?", {"names": -1.0, "pairs": -1.0}),
        ("?!", {"names": -1.0, "pairs": -1.0}),
        ("🤖", {"names": -1.0, "pairs": -1.0}),
        ("Кто это", {"names": -1.0, "missing": 1.0}),
    ],
)
def test_a_question_of_nothing_that_is_known_has_rows_all_the_same(question: str, expected: dict[str, float]) -> None:
    row = row_of(question, "Le navire arrive.")
    names = "cover", "lexical", "rarest", "missing", "cosine_z", "names", "pairs"
    assert {name: row[name] for name in names if row[name]} == expected
    assert all(map(math.isfinite, row.values()))
