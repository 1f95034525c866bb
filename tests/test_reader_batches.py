"""Windows and batches against what loops and arithmetic give."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.small_packs import (
    FIRST_ID,
    grouped,
    laid_out,
)
from training.reader_batches import Pieces, group_batch, make_batch, window_bounds

UNHURRIED = settings(deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


LAYOUTS = st.lists(
    st.tuples(st.integers(0, 6), st.lists(st.integers(1, 40), min_size=1, max_size=9)), min_size=1, max_size=5
)


@UNHURRIED
@given(LAYOUTS, st.integers(1, 90), st.integers(0, 2**20))
def test_a_window_stays_within_its_document_and_its_length(
    documents: list[tuple[int, list[int]]], most: int, seed: int
) -> None:
    pieces, _ = laid_out(documents, [])
    centres = np.arange(len(pieces.sentences))
    low, high = window_bounds(pieces, centres, np.random.default_rng(seed), most=most)
    starts = np.cumsum([0, *(len(lengths) for _, lengths in documents)])
    flat = [length for _, lengths in documents for length in lengths]
    for centre, first, last in zip(centres, low, high, strict=True):
        document = int(np.searchsorted(starts, centre, side="right"))
        assert starts[document - 1] <= first <= centre < last <= starts[document]
        assert last - first == 1 or sum(flat[first:last]) <= most


def test_a_window_grows_on_both_sides_as_far_as_it_may() -> None:
    pieces, _ = laid_out([(2, [9]), (2, [10, 10, 10]), (2, [9])], [])
    centre = np.array([2])

    def drawn(most: int) -> Counter[tuple[int, int]]:
        found = (window_bounds(pieces, centre, np.random.default_rng(seed), most=most) for seed in range(80))
        return Counter((int(low[0]), int(high[0])) for low, high in found)

    assert drawn(29).keys() == {(1, 3), (2, 4)}
    assert min(drawn(29).values()) > 20
    assert drawn(30).keys() == {(1, 4)}
    assert drawn(19).keys() == {(2, 3)}


@UNHURRIED
@given(LAYOUTS, st.integers(5, 90), st.integers(0, 2**20), st.randoms(use_true_random=False))
def test_a_row_is_question_heading_and_window_with_the_answer_where_it_is(
    documents: list[tuple[int, list[int]]], most: int, seed: int, chance: random.Random
) -> None:
    pieces, asked = laid_out(documents, [chance.randrange(1, 9) for _ in range(4)])
    questions, centres, answers = [], [], []
    for centre, (start, length) in enumerate(pieces.sentences.tolist()):
        first = chance.randrange(length)
        questions.append(chance.choice(asked))
        centres.append(centre)
        answers.append((start + first, chance.randrange(1, length - first + 1)) if chance.random() < 0.8 else (-1, -1))
        if chance.random() < 0.2:  # it stands in another sentence
            centres[-1] = chance.randrange(len(pieces.sentences))
    batch = make_batch(
        pieces,
        np.array(questions),
        np.array(centres),
        np.array(answers),
        np.random.default_rng(seed),
        most=most,
    )
    total = 0
    for row, (question, centre, answer) in enumerate(zip(questions, centres, answers, strict=True)):
        document = pieces.document[centre]
        title = pieces.titles[document].tolist()
        begin, shift = batch.window[row].tolist()
        length = int(batch.inside[row].sum())
        own = pieces.sentences[pieces.document == document]
        assert begin in own[:, 0]
        assert begin + length in own.sum(axis=1) or (length == most and begin == pieces.sentences[centre, 0])
        assert begin <= pieces.sentences[centre, 0] < begin + length <= begin + most
        parts = [range(start + FIRST_ID, start + FIRST_ID + n) for start, n in (question, title, (begin, length))]
        expected = [0, *parts[0], 2, *parts[1], 2, *parts[2], 2]
        assert shift == len(expected) - 1 - length
        ids = batch.ids[row].tolist()
        assert ids == expected + [1] * (len(ids) - len(expected))
        assert np.flatnonzero(batch.inside[row]).tolist() == list(range(shift, shift + length))
        total = max(total, len(expected))
        if answer[0] >= begin and answer[0] + answer[1] <= begin + length:
            assert batch.answers[row] == 1
            assert ids[batch.start[row]] == answer[0] + FIRST_ID
            assert batch.end[row] == batch.start[row] + answer[1] - 1
        else:
            assert (batch.answers[row], batch.start[row], batch.end[row]) == (0, -1, -1)
    assert batch.ids.shape == batch.inside.shape == (len(centres), total)


def test_an_answer_moves_with_a_window_that_grew_to_the_left() -> None:
    pieces, asked = laid_out([(3, [20, 30, 8])], [4])
    centre, answer = np.array([2]), np.array([(pieces.sentences[2, 0] + 5, 2)])
    found = {}
    for seed in range(40):
        batch = make_batch(pieces, np.array(asked), centre, answer, np.random.default_rng(seed), most=40)
        found[int(batch.window[0, 0])] = (int(batch.start[0]), int(batch.end[0]), batch.answers.tolist())
    before = 1 + 4 + 1 + 3 + 1
    assert found == {int(pieces.sentences[1, 0]): (before + 30 + 5, before + 30 + 6, [1.0])}


def test_an_answer_that_is_cut_off_is_none() -> None:
    pieces, asked = laid_out([(0, [50])], [1])
    begin = int(pieces.sentences[0, 0])
    answers = np.array([(begin + 38, 2), (begin + 39, 2), (begin + 45, 1)])
    draw = np.random.default_rng(0)
    batch = make_batch(pieces, np.repeat(asked, 3, axis=0), np.zeros(3, np.int64), answers, draw, most=40)
    assert batch.answers.tolist() == [1.0, 0.0, 0.0]
    assert batch.start.tolist() == [4 + 38, -1, -1]
    assert batch.end.tolist() == [4 + 39, -1, -1]


def centre_numbers(pieces: Pieces, batch: Any, group: int) -> list[list[int]]:
    """Return which sentence each window is, where every document is one sentence."""
    numbers = {int(start): number for number, start in enumerate(pieces.sentences[:, 0])}
    return [[numbers[int(begin)] for begin in row] for row in batch.window[:, 0].reshape(-1, group)]


def test_the_window_that_answers_is_first_and_missing_near_misses_are_filled() -> None:
    pieces, asked = laid_out([(1, [12])] * 30, [3, 3, 3])
    near = [[4, 5, 6, 7, 8], [9, 10, -1, -1, -1], [11, 12, 13, -1, -1]]
    groups = grouped(pieces, asked, [0, 1, -1], near)
    filled, shown = set(), [Counter[int]() for _ in near]
    for seed in range(60):
        batch = group_batch(pieces, groups, np.random.default_rng(seed), group=4)
        answered, unanswered, refused = centre_numbers(pieces, batch, 4)
        assert (answered[0], unanswered[0]) == (0, 1)
        assert set(answered[1:]) <= set(near[0])
        assert len(set(answered[1:])) == 3
        assert set(unanswered[1:]) & {9, 10}
        assert {11, 12, 13} <= set(refused)
        filled |= set(unanswered[1:]) - {9, 10}
        held = np.array([[number == gold for number in row] for row, gold in ((answered, 0), (refused, -1))])
        told = batch.answers.reshape(3, 4)
        assert told[[0, 2]].tolist() == held.astype(float).tolist()
        assert batch.start.reshape(3, 4)[0].tolist() == [1 + 3 + 1 + 1 + 1 + 2, -1, -1, -1]
        assert batch.end.reshape(3, 4)[0].tolist() == [1 + 3 + 1 + 1 + 1 + 3, -1, -1, -1]
        assert (batch.start.reshape(3, 4)[2] == -1).all()
        for counts, row in zip(shown, (answered, unanswered, refused), strict=True):
            counts.update(row)
    assert len(filled) > 15
    assert min(shown[0][number] for number in near[0]) > 10


def test_each_question_is_asked_in_all_its_ways() -> None:
    pieces, asked = laid_out([(0, [9])] * 6, [3, 4, 5, 6])
    groups = grouped(pieces, asked, [0, 1], [[2, 3], [4, 5]], n_ways=2)
    first, second = set(), set()
    for seed in range(30):
        ids = group_batch(pieces, groups, np.random.default_rng(seed), group=2).ids
        assert (ids[0, 1], ids[2, 1]) == (ids[1, 1], ids[3, 1])
        first.add(int(ids[0, 1]))
        second.add(int(ids[2, 1]))
    assert first == {start + FIRST_ID for start, _ in asked[:2]}
    assert second == {start + FIRST_ID for start, _ in asked[2:]}


def test_no_first_window_loses_the_answer() -> None:
    pieces, asked = laid_out([(1, [40, 30, 44, 24, 60])] * 12, [3] * 40)
    gold = [*(5 * (number % 8) + number % 5 for number in range(39)), 59]
    groups = grouped(pieces, asked, gold, [[50, 51, 56]] * 40)
    beside = 0
    for seed in range(12):
        batch = group_batch(pieces, groups, np.random.default_rng(seed), group=3)
        assert batch.answers.reshape(40, 3)[:, 0].tolist() == [1.0] * 40
        ids = batch.ids[np.arange(0, 120, 3), batch.start[::3]]
        assert ids.tolist() == (groups.answer[:, 0] + FIRST_ID).tolist()
        beside += int((batch.window[::3, 0] < pieces.sentences[gold, 0]).sum())
    assert beside > 40


def test_the_same_draw_gives_the_same_batch() -> None:
    pieces, asked = laid_out([(1, [40, 30, 44, 24, 60])] * 4, [3] * 12)
    groups = grouped(pieces, asked, list(range(6)), [[10, 11, 12, -1]] * 6, n_ways=2)
    first, again, other = (group_batch(pieces, groups, np.random.default_rng(seed), group=3) for seed in (3, 3, 4))
    for name in ("ids", "inside", "answers", "start", "end", "window"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert first.ids.shape != other.ids.shape or (first.ids != other.ids).any()
