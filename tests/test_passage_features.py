"""The numbers of each candidate against arithmetic by hand, passage by passage, however the index is cut."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from index.analyze import Analyzer
from index.asked import Asked
from index.lexical import hashes_of
from index.passage_features import PASSAGE_FEATURES, AskedTerms
from index.rank import FusionWeights
from index.search import Candidates, find_candidates, rows_of_candidates
from index.segment import SegmentBuilder
from index.segments import Segments

DIMENSION = 192  # sums of so many products are rounded, as those of real embeddings are
WORDS = ["otan", "navire", "mer", "char", "gazoduc", "usine"]
REACH = 6


@dataclass(frozen=True)
class Piece:
    """A passage: its terms, and the seed of its embedding."""

    body: list[str]
    seed: int

    @property
    def vector(self) -> NDArray[np.float16]:
        return unit(self.seed).astype(np.float16)


@dataclass(frozen=True)
class Text:
    """A document: its passages in order, the terms of its title, its first and last day."""

    pieces: list[Piece]
    title: list[str] = field(default_factory=list)
    days: tuple[int, int] | None = None


@cache
def unit(seed: int) -> NDArray[np.float32]:
    vector = np.random.default_rng(seed).normal(size=DIMENSION)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def cut(texts: Sequence[Text], sizes: Sequence[int]) -> Segments:
    """Return the segments of some documents, so many of them in each segment."""
    parts, number = {}, 0
    ends = list(accumulate(sizes))
    for first, past in zip([0, *ends], ends, strict=False):
        builder = SegmentBuilder(DIMENSION)
        for document in range(first, past):
            text = texts[document]
            for piece in text.pieces:
                builder.add(
                    number, document=document, days=text.days, body=piece.body, title=text.title, vector=piece.vector
                )
                number += 1
        parts[f"{first}.segment"] = builder.build()
    return Segments(1, parts)


def asked_for(tokens: Sequence[tuple[str, str]], idfs: dict[str, float], *, seed: int = 1) -> Asked:
    """Return a question of these words and their terms."""
    words, found, start = [], [], 0
    for word, term in tokens:
        words.append(word)
        if term:
            found.append((term, start, start + len(word)))
        start += len(word) + 1
    return Asked(" ".join(words), found, idfs, unit(seed))


def rows_of(segments: Segments, asked: Asked, chosen: Iterable[int] | None = None) -> NDArray[np.float64]:
    found = every_candidate(segments, asked)
    if chosen is not None:
        found = found.without(~np.isin(found.rows, [*chosen]))
    return rows_of_candidates(segments, asked, found)


def every_candidate(segments: Segments, asked: Asked) -> Candidates:
    found = find_candidates(segments, asked, depth=10_000, allowed=None, weights=FusionWeights())
    assert found.rows.tolist() == list(range(len(segments)))
    return found


# -- the same, one passage at a time ---------------------------------------------------------------------------------


def score_by_hand(body: Sequence[str], title: Sequence[str], idfs: dict[str, float], mean: float) -> float:
    total = 0.0
    for terms, weight in ((body, 1.0), (title, 0.5)):
        for term, idf in idfs.items():
            n = terms.count(term)
            total += weight * idf * n * 1.9 / (n + 0.9 * (0.6 + 0.4 * len(terms) / mean)) if n else 0.0
    return total


def by_hand(texts: Sequence[Text], asked: Asked, chosen: Iterable[int]) -> list[dict[str, float]]:
    """Return the features of the chosen passages, which are numbered over all documents."""
    idfs, total = dict(asked.idfs), sum(asked.idfs.values()) or 1.0
    all_pieces = [(d, p, piece) for d, text in enumerate(texts) for p, piece in enumerate(text.pieces)]
    mean = sum(len(piece.body) for _, _, piece in all_pieces) / len(all_pieces) or 1.0
    scores = {(d, p): score_by_hand(piece.body, texts[d].title, idfs, mean) for d, p, piece in all_pieces}
    cosines = {(d, p): float(piece.vector.astype(float) @ asked.vector.astype(float)) for d, p, piece in all_pieces}
    candidates = [all_pieces[row][:2] for row in sorted(chosen)]
    fused = {key: scores[key] / (1.9 * total) + 0.6 * cosines[key] for key in candidates}
    near = [cosines[key] for key in candidates]
    middle = sum(near) / len(near)
    spread = math.sqrt(sum((each - middle) ** 2 for each in near) / len(near))
    divisor = spread if spread > 1e-6 else 1.0
    names = {term for term, start, end in asked.tokens if start and names_something(asked.text[start:end])}
    years = [int(word) for word in asked.text.split() if len(word) == 4 and word.isdigit() and word[:2] in ("19", "20")]

    def seen_of(document: int) -> list[int]:
        """The places of a document that stand within reach of one of its candidates."""
        places = [p for d, p in candidates if d == document]
        return [p for p in range(len(texts[document].pieces)) if any(abs(p - q) <= REACH for q in places)]

    def held(*keys: tuple[int, int], title: bool = True, body: bool = True) -> set[str]:
        terms: set[str] = set()
        for d, p in keys:
            terms |= set(texts[d].pieces[p].body) if body else set()
            terms |= set(texts[d].title) if title else set()
        return terms & idfs.keys()

    def weight(terms: Iterable[str]) -> float:
        return sum(idfs[term] for term in terms)

    def share_of_names(terms: set[str]) -> float:
        return weight(terms & names) / weight(names & idfs.keys()) if names & idfs.keys() else -1.0

    def rank(values: dict[tuple[int, int], float], key: tuple[int, int]) -> int:
        return sum(round(values[other], 6) > round(values[key], 6) for other in candidates)

    def highest(terms: Iterable[str]) -> float:
        return max((idfs[term] for term in terms), default=0.0) / (max(idfs.values(), default=0.0) or 1.0)

    def over_best(value: float, values: Iterable[float]) -> float:
        best = max(values)
        return value / best if best > 0 else 0.0

    document_best = {d: max(scores[d, p] for p in seen_of(d)) for d, _ in candidates}
    document_sum = {d: sum(scores[d, p] for p in seen_of(d)) for d, _ in candidates}
    rows = []
    for key in candidates:
        document, place = key
        text, around = texts[document], seen_of(document)
        own, whole = held(key), held(*((document, p) for p in around))
        beside = held(*((document, p) for p in (place - 1, place, place + 1) if p in around))
        mine = [other for other in candidates if other[0] == document]
        rows.append(
            {
                "fused": fused[key],
                "fused_share": over_best(fused[key], fused.values()),
                "lexical": scores[key] / (1.9 * total),
                "lexical_share": over_best(scores[key], (scores[other] for other in candidates)),
                "title": weight(held(key, body=False)) / total,
                "cosine_z": (cosines[key] - middle) / divisor,
                "cosine_share": over_best(cosines[key], near),
                "rank": rank(fused, key),
                "lexical_rank": rank({k: v / (1.9 * total) for k, v in scores.items()}, key),
                "cosine_rank": rank(cosines, key),
                "cover": weight(held(key, title=False)) / total,
                "cover_title": weight(held(key, body=False)) / total,
                "cover_both": weight(own) / total,
                "cover_near": weight(beside) / total,
                "cover_document": weight(whole) / total,
                "beyond_document": weight(whole - own) / total,
                "document_lexical": document_best[document] / (1.9 * total),
                "document_lexical_share": over_best(document_best[document], document_best.values()),
                "document_sum_share": over_best(document_sum[document], document_sum.values()),
                "document_cosine_z": (max(cosines[document, p] for p in around) - middle) / divisor,
                "document_best_rank": min(rank(fused, other) for other in mine),
                "n_found": len(mine),
                "missing_document": highest(idfs.keys() - whole),
                "missing_both": highest(idfs.keys() - own),
                "rarest": highest(own),
                "rarest_document": highest(whole),
                "names": share_of_names(held(key, title=False)),
                "names_both": share_of_names(own),
                "names_document": share_of_names(whole),
                "n_question": len(idfs),
                "weight_question": total,
                "place": around.index(place),
                "n_around": len(around),
                "length": math.log(1 + len(text.pieces[place].body)),
                "year": year_by_hand(years, text.days),
                "lead_cover": weight(held((document, around[0]))) / total,
                "lead_cosine_z": (cosines[document, around[0]] - middle) / divisor,
            }
        )
    return rows


def names_something(word: str) -> bool:
    return any(letter.isdigit() or letter.isupper() for letter in word)


def year_by_hand(years: Sequence[int], days: tuple[int, int] | None) -> float:
    if not years:
        return -1.0
    if days is None:
        return 0.0
    first, last = (date.fromordinal(day).year for day in days)
    return float(any(first <= year <= last for year in years))


def assert_as_by_hand(texts: Sequence[Text], asked: Asked, chosen: Sequence[int], rows: NDArray[np.float64]) -> None:
    expected = by_hand(texts, asked, chosen)
    assert rows.shape == (len(expected), len(PASSAGE_FEATURES))
    for row, wanted in zip(rows.tolist(), expected, strict=True):
        # Cosines of neighbours are in single precision, and divided by their spread.
        assert dict(zip(PASSAGE_FEATURES, row, strict=True)) == pytest.approx(wanted, abs=3e-5)


@st.composite
def corpora(draw: st.DrawFn) -> list[Text]:
    """Up to eight documents of up to twenty passages, all embeddings apart."""
    seeds = iter(range(2, 10_000))
    words = st.lists(st.sampled_from([*WORDS, "autre", "mot"]), max_size=7)
    days = st.sampled_from([None, 2019, 2021, 2022])
    texts = []
    for _ in range(draw(st.integers(1, 8))):
        n_pieces = draw(st.one_of(st.integers(1, 4), st.integers(12, 20)))
        pieces = [Piece(draw(words), next(seeds)) for _ in range(n_pieces)]
        year = draw(days)
        span = None if year is None else (date(year, 3, 1).toordinal(), date(year + 1, 2, 1).toordinal())
        texts.append(Text(pieces, draw(st.lists(st.sampled_from(WORDS), max_size=2)), span))
    return texts


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    weights = st.floats(0.5, 9.0).map(lambda weight: round(weight, 2))
    terms = draw(st.lists(st.sampled_from([*WORDS, "absent", "2019", "2022"]), unique=True, max_size=5))
    capital = {term: draw(st.booleans()) for term in terms}
    tokens = [(term.capitalize() if capital[term] else term, term) for term in terms]
    return asked_for([("Le", ""), *tokens] if draw(st.booleans()) else tokens, {term: draw(weights) for term in terms})


@settings(max_examples=150, deadline=None)
@given(corpora(), questions(), st.data())
def test_every_column_is_that_of_a_count_by_hand(texts: list[Text], asked: Asked, data: st.DataObject) -> None:
    n_rows = sum(len(text.pieces) for text in texts)
    chosen = sorted(data.draw(st.sets(st.integers(0, n_rows - 1), min_size=1), label="candidates"))
    assert_as_by_hand(texts, asked, chosen, rows_of(cut(texts, [len(texts)]), asked, chosen))


@settings(max_examples=100, deadline=None)
@given(corpora(), questions(), st.data())
def test_it_does_not_matter_how_the_index_is_cut(texts: list[Text], asked: Asked, data: st.DataObject) -> None:
    borders = sorted(data.draw(st.sets(st.integers(1, len(texts))), label="cuts") | {len(texts)})
    sizes = [past - first for first, past in zip([0, *borders], borders, strict=False)]
    ways = [len(texts)], sizes, [1] * len(texts)
    at_once, *others = (rows_of(cut(texts, each), asked) for each in ways)
    for rows in others:
        places = np.argwhere(rows != at_once).tolist()
        assert [(PASSAGE_FEATURES[c], rows[r, c], at_once[r, c]) for r, c in places] == []


def column(rows: NDArray[np.float64], name: str) -> list[float]:
    return rows[:, PASSAGE_FEATURES.index(name)].tolist()


def test_one_passage_in_numbers() -> None:
    day = date(2022, 5, 1).toordinal()
    texts = [
        Text([Piece(["otan", "mer", "mot"], 2), Piece(["navire", "navire", "mot"], 3)], ["otan"], (day, day + 30)),
        Text([Piece(["mer", "mer", "mot"], 4)]),
    ]
    asked = asked_for(
        [("Quelle", ""), ("mer", "mer"), ("Otan", "otan"), ("2022", "2022")], {"mer": 1.0, "otan": 2.0, "2022": 5.0}
    )
    rows = rows_of(cut(texts, [2]), asked)
    # Every text has the mean length, 3: the norm is 0.9; a title of one term has 0.9 * (0.6 + 0.4 / 3).
    title = 0.5 * 2.0 * 1.9 / (1.0 + 0.66)
    scores = [1.0 + 2.0 + title, title, 1.0 * 3.8 / 2.9]
    assert column(rows, "lexical") == pytest.approx([score / 15.2 for score in scores], abs=1e-6)
    assert column(rows, "lexical_rank") == [0, 2, 1]
    assert column(rows, "document_sum_share") == pytest.approx(
        [1.0, 1.0, scores[2] / (scores[0] + scores[1])], abs=1e-6
    )
    assert column(rows, "cover") == [3 / 8, 0.0, 1 / 8]
    assert column(rows, "cover_both") == [3 / 8, 2 / 8, 1 / 8]
    assert column(rows, "cover_near") == [3 / 8, 3 / 8, 1 / 8]
    assert column(rows, "beyond_document") == [0.0, 1 / 8, 0.0]
    assert column(rows, "rarest") == pytest.approx([0.4, 0.4, 0.2])
    assert column(rows, "missing_both") == [1.0, 1.0, 1.0]
    assert column(rows, "names") == pytest.approx([2 / 7, 0.0, 0.0], abs=1e-6)  # Otan and 2022, but not the sea
    assert column(rows, "names_both") == pytest.approx([2 / 7, 2 / 7, 0.0], abs=1e-6)
    assert column(rows, "year") == [1.0, 1.0, 0.0]
    assert column(rows, "n_found") == [2, 2, 1]
    assert column(rows, "place") == [0, 1, 0]
    assert column(rows, "length") == pytest.approx([math.log(4)] * 3, abs=1e-6)


def test_passages_out_of_reach_do_not_count() -> None:
    bodies = [["otan"], *([["mot"]] * 5), ["char"], ["mer"], *([["mot"]] * 12), ["usine"]]
    texts = [Text([Piece(body, seed) for seed, body in enumerate(bodies, start=2)]), Text([Piece(["otan"], 90)])]
    asked = asked_for([(word, word) for word in WORDS], dict.fromkeys(WORDS, 1.0))
    alone = rows_of(cut(texts, [2]), asked, [0])
    assert column(alone, "cover_document") == pytest.approx([2 / 6], abs=1e-6)  # the sea is the seventh after it
    assert column(alone, "n_around") == [7.0]
    both = rows_of(cut(texts, [2]), asked, [0, 20])  # what is around one candidate of a document counts for the other
    assert column(both, "cover_document") == pytest.approx([3 / 6, 3 / 6], abs=1e-6)
    assert column(both, "n_around") == [14.0, 14.0]


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 40), st.integers(2, 10_000))
def test_equal_passages_are_told_apart_by_nothing(n: int, seed: int) -> None:
    texts = [Text([Piece(["otan", "mer"], seed)]) for _ in range(n)]
    asked = asked_for([("otan", "otan")], {"otan": 2.0})
    rows = rows_of(cut(texts, [n]), asked)
    assert rows.tolist() == [rows[0].tolist()] * n
    for name in ("rank", "lexical_rank", "cosine_rank", "document_best_rank"):
        assert column(rows, name) == [0.0] * n
    for name in ("cosine_z", "document_cosine_z", "lead_cosine_z"):
        assert column(rows, name) == [0.0] * n


def test_without_terms_the_embeddings_are_left() -> None:
    texts = [Text([Piece(["otan"], 2), Piece(["mer"], 3)], ["mer"]), Text([Piece([], 4)])]
    asked = asked_for([("Le", ""), ("la", "")], {})
    rows = rows_of(cut(texts, [2]), asked)
    assert_as_by_hand(texts, asked, [0, 1, 2], rows)
    for name in ("lexical", "cover_both", "missing_both", "rarest", "n_question", "lexical_rank"):
        assert column(rows, name) == [0.0] * 3
    assert column(rows, "names") == [-1.0] * 3
    assert sorted(column(rows, "cosine_rank")) == [0.0, 1.0, 2.0]


# -- the terms of a question -----------------------------------------------------------------------------------------


def test_the_rarest_terms_come_first_and_equal_ones_by_the_alphabet() -> None:
    text = "Le navire Otan de la mer"
    terms = AskedTerms.read(text, Analyzer().tokens(text), {"navir": 2.0, "otan": 7.0, "mer": 2.0})
    assert terms.idfs.tolist() == [7.0, 2.0, 2.0]
    assert terms.hashes.tolist() == hashes_of(["otan", "mer", "navir"]).tolist()
    assert terms.is_name.tolist() == [True, False, False]
    assert terms.years == ()


@pytest.mark.parametrize(
    ("text", "names", "years"),
    [
        ("Otan et Moscou", {"moscou"}, ()),  # the first word has a capital whatever it means
        ("L'Otan à Évry", {"otan", "evry"}, ()),
        ("le char T72 en 2022", {"t72", "2022"}, (2022,)),
        ("entre 1914 et 1918, pas 12022 ni 20221 ni 1822", {"1914", "1918", "12022", "20221", "1822"}, (1914, 1918)),
        ("le plan 2022-2023", {"2022", "2023"}, (2022, 2023)),
    ],
)
def test_names_and_years_are_read_off_the_question(text: str, names: set[str], years: tuple[int, ...]) -> None:
    tokens = Analyzer().tokens(text)
    idfs = {term: 1.0 for term, _, _ in tokens}
    terms = AskedTerms.read(text, tokens, idfs)
    order = sorted(idfs)
    assert {term for term, is_name in zip(order, terms.is_name.tolist(), strict=True) if is_name} == names
    assert terms.years == years


def test_of_many_terms_the_rarest_count() -> None:
    idfs = {f"mot{number:03}": 1.0 + number for number in range(70)}
    terms = AskedTerms.read("", [], idfs)
    assert terms.idfs.tolist() == [float(70 - number) for number in range(48)]
    texts = [Text([Piece(["mot069", "mot000"], 2)]), Text([Piece(["mot021"], 3)])]
    rows = rows_of(cut(texts, [2]), asked_for([(term, term) for term in idfs], idfs))
    total = sum(range(23, 71))
    assert column(rows, "cover") == pytest.approx([70 / total, 0.0], abs=1e-6)
    assert column(rows, "n_question") == [48.0, 48.0]
    assert column(rows, "weight_question") == [total, total]
