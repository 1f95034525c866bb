"""Markers are the same wherever a stream is cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.markers import MarkerParser, Markers, Piece, joined, parse_markers

PARTS = [
    *(
        "[1]",
        "[1, 2]",
        "[1-3]",
        "［2］",
        "【1】",
        "【4†source】",
        "[^1]",
        "[12",
        "[a]",
        "[]",
        "[1] [2]",
        "[1][2]",
        "[3–5]",
    ),
    *(
        "`a[1]`",
        "``[2]`",
        "```\n[1]\n```",
        "`",
        "``",
        "\n",
        "\n\n",
        " ",
        "mot",
        "Il dort.",
        "[1, deux]",
        "[9-1]",
        "]",
        "†",
    ),
]


def cut(text: str, places: list[int]) -> list[Piece]:
    parser = MarkerParser()
    edges = [0, *sorted(place for place in places if place <= len(text)), len(text)]
    pieces = [piece for start, end in itertools.pairwise(edges) for piece in parser.feed(text[start:end])]
    return joined([*pieces, *parser.close()])


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Il dort [1].", ["Il dort ", Markers((1,)), "."]),
        ("[1, 2]", [Markers((1, 2))]),
        ("[1-3]", [Markers((1, 2, 3))]),
        ("［1］【2】", [Markers((1,)), Markers((2,))]),
        ("【3†source】", [Markers((3,))]),
        ("[2, 1-3]", [Markers((2, 1, 3))]),
        ("[1 et 2]", [Markers((1, 2))]),
        ("[1-900]", [Markers((1, 900))]),
        ("［１］", [Markers((1,))]),
        ("[1234] [a] [] [", ["[1234] [a] [] ["]),
        ("`t[1]` [2]", ["`t[1]` ", Markers((2,))]),
        ("```\nt[1]\n\nu\n``` [2]", ["```\nt[1]\n\nu\n``` ", Markers((2,))]),
        ("un ` seul [1]\n\nSuite [2]", ["un ` seul [1]\n\nSuite ", Markers((2,))]),
        ("``a`[1]`` [2]", ["``a`[1]`` ", Markers((2,))]),
        ("", []),
    ],
)
def test_markers_are_told_from_text(text: str, pieces: list[Piece]) -> None:
    assert parse_markers(text) == pieces


@pytest.mark.parametrize("text", ["Un [1, 2] deux 【1】`x[3]` [1-3].", "a ``b`[1]`` [2]\n\n`c [3]\n\nd ［4］"])
def test_every_way_of_cutting_gives_the_same(text: str) -> None:
    whole = parse_markers(text)
    for n_cuts in (1, 2):
        for places in itertools.combinations(range(len(text) + 1), n_cuts):
            assert cut(text, list(places)) == whole
    assert cut(text, list(range(len(text)))) == whole


@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join), st.lists(st.integers(0, 80), max_size=12))
def test_a_cut_changes_nothing(text: str, places: list[int]) -> None:
    assert cut(text, places) == parse_markers(text)


@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
def test_no_character_outside_markers_is_lost(text: str) -> None:
    texts = "".join(piece for piece in parse_markers(text) if isinstance(piece, str))
    remaining = iter(text)
    assert all(character in remaining for character in texts)  # a subsequence, in order
    if not any(isinstance(piece, Markers) for piece in parse_markers(text)):
        assert texts == text


def test_what_cannot_become_a_marker_is_not_held_back() -> None:
    parser = MarkerParser()
    assert parser.feed("Un [1") == ["Un "]
    assert parser.feed("]") == [Markers((1,))]
    assert parser.feed(" [x") == [" [x"]
    assert joined(parser.feed("[" + "1," * 40)) == ["[" + "1," * 40]
    assert parser.close() == []
