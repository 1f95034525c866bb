"""Short answers with whole brackets and quotation marks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.types import Span
from qa.balance import balanced


@pytest.mark.parametrize(
    ("text", "found", "shown"),
    [
        ("Le gaz (H2S) sent.", "gaz (H2S", "gaz"),
        ("Le gaz (H2S) sent.", "gaz (H2S)", "gaz (H2S)"),
        ("Le prix, 3 £ (4 €), monte.", "3 £ (4 €", "3 £"),
        ('Il a dit "non merci" hier.', '"non merci', '"non merci"'),
        ('Il a dit "non merci" hier.', 'non merci"', '"non merci"'),
        ('Marchand, dite "Mimi la reine" est là.', 'Marchand, dite "Mimi', "Marchand, dite"),
        ("Il a dit « non » hier.", "dit « non", "dit"),
        ("(3)", "(", "("),
    ],
)
def test_what_stands_alone_is_cut(text: str, found: str, shown: str) -> None:
    start = text.index(found)
    span = balanced(text, Span(start, start + len(found)))
    assert text[span.start : span.end] == shown


@given(st.text(alphabet='ab ()«»"', min_size=1, max_size=20), st.data())
def test_never_empty_and_at_most_a_mark_longer(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    found = balanced(text, Span(start, end))
    assert found.start < found.end <= min(len(text), end + 1)
    assert found.start >= max(0, start - 1)
