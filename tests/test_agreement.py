"""Which sentences an answer cites, and what is said where sources do not agree."""

import pytest

from index import Document, Sentence, Span
from qa.agreement import choose_evidence, n_agreeing, with_agreement
from qa.types import Evidence


def piece(text: str, words: str | None, score: float, *, source: str, date: str | None = None) -> Evidence:
    document = Document(source, source, text, date=date)
    start = text.index(words) if words else 0
    answer = Span(start, start + len(words)) if words else None
    return Evidence(Sentence(document, Span(0, len(text))), score, answer)


FIRST = piece("La grève a réuni 18 000 personnes.", "18 000 personnes", 0.6, source="a", date="2016-05-26")


@pytest.mark.parametrize(
    ("text", "words", "cited", "said"),
    [
        ("On comptait 18.000 manifestants.", "18.000 manifestants", True, None),
        ("On comptait 60 000 personnes.", "60 000 personnes", True, "« 60 000 personnes » (27 mai 2016)"),
        ("On ne sait pas.", None, False, None),
    ],
)
def test_another_document_confirms_or_contradicts(text: str, words: str | None, cited: bool, said: str | None) -> None:
    other = piece(text, words, 0.25, source="b", date="2016-05-27")
    chosen = choose_evidence("how_many", [FIRST, other])
    assert chosen.evidence == ((FIRST, other) if cited else (FIRST,))
    assert (chosen.notice is None) == (said is None)
    if said:
        assert chosen.notice is not None
        # Newest first, each with its date.
        assert chosen.notice.index(said) < chosen.notice.index("« 18 000 personnes » (26 mai 2016)")


def test_the_same_document_or_an_unlikely_sentence_is_not_compared() -> None:
    same = piece("Puis 60 000 personnes.", "60 000 personnes", 0.25, source="a")
    unlikely = piece("Puis 60 000 personnes.", "60 000 personnes", 0.1, source="b")
    for other in (same, unlikely):
        chosen = choose_evidence("how_many", [FIRST, other])
        assert (chosen.evidence, chosen.notice) == ((FIRST,), None)


def test_why_is_not_compared_word_by_word() -> None:
    other = piece("Parce qu'il pleut.", "Parce qu'il pleut", 0.25, source="b")
    assert choose_evidence("why", [FIRST, other]).notice is None


def test_a_likely_sentence_is_cited_and_at_most_three_are() -> None:
    more = [piece(f"Il y en a {n}.", f"{n}", 0.55, source=f"d{n}") for n in range(5)]
    chosen = choose_evidence("how_many", [FIRST, *more])
    assert len(chosen.evidence) == 3


def test_names_agree_where_one_has_the_words_of_the_other() -> None:
    one = piece("Anne Morel a gagné.", "Anne Morel", 0.6, source="a")
    same = piece("La gagnante est Morel.", "Morel", 0.3, source="b")
    other = piece("Paul Petit a gagné.", "Paul Petit", 0.3, source="c")
    assert choose_evidence("who", [one, same]).notice is None
    assert "« Paul Petit »" in (choose_evidence("who", [one, other]).notice or "")


def test_documents_that_agree_are_counted_once_each_and_copies_not_at_all() -> None:
    others = [
        piece("On comptait 18.000 manifestants.", "18.000 manifestants", 0.1, source="b"),
        piece("Ils étaient 18 000, dit-on.", "18 000", 0.1, source="b"),
        piece("Ils étaient 18 000.", "18 000", 0.1, source="a"),
        piece(FIRST.sentence.text, "18 000 personnes", 0.1, source="copy"),
        piece("Ils étaient 60 000.", "60 000", 0.1, source="c"),
        piece("On ne sait pas.", None, 0.1, source="d"),
    ]
    assert n_agreeing([FIRST, *others]) == 1
    assert n_agreeing([FIRST]) == n_agreeing([]) == 0
    assert n_agreeing([others[-1], *others]) == 0


def test_agreement_makes_surer_and_nothing_else_does() -> None:
    assert with_agreement(0.3, 0) == pytest.approx(0.3)
    assert with_agreement(0.3, 1) == pytest.approx(0.6 / 1.3)
    assert with_agreement(0.0, 5) == 0.0
    assert with_agreement(1.0, 5) == 1.0
