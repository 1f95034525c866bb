"""Cuts a text into sentences and sentences into passages. French first; pure, linear in the length of the text.

One regular expression finds the places where a sentence may end (a run of stops, a line break) and the straight
quotes that tell whether a quotation is open; small checks of the neighbouring characters decide.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from index.abbreviations import ends_sentence
from index.errors import InputError
from index.types import Span

__all__ = ["MAX_SENTENCE", "split_passages", "split_sentences"]

MAX_SENTENCE = 2000
"""Longest sentence in characters; a longer one is cut at punctuation or white space, so that no line is too long."""

_STOPS = ".!?…"
_CLOSERS = ")]}»”"
_CONTINUES = f",;:{_CLOSERS}{_STOPS}"
_BREAKS = "\n\r\v\f\x85\u2028\u2029"
_CANDIDATE = re.compile(rf'[{_STOPS}]+|[{_BREAKS}]\s*|"')
_BLANK = re.compile(r"\s*")
_BREAK = re.compile(rf"\r\n|[{_BREAKS}]")

# What may stand between a boundary and the first word of the next sentence.
_OPENING = re.compile(r"[\s\"'’‘“«(\[{*_#>•·▪◦‣–—.…¿¡-]{0,12}")
_MARKER = re.compile(r"(?:[-–—•·▪◦‣*+]|\d{1,3}[.)]|[A-Za-z]\)|#{1,6}|>)[ \t\u00a0]|\||```|-{3,}|={3,}")
_HEADING_OR_ROW = re.compile(r"#{1,6}\s|\||```|-{3,}|={3,}")
_OMISSION = re.compile(r"[\[(]\s?(?:\.{3}|…)\s?[\])]")

_WHOLE_WORD = re.compile(r"(?:[a-zß-öø-ÿœ]{2}|[A-ZÀ-ÖØ-Þ]{3}|\d{2}h?|[)\]»”\"%])\Z")
_MISSING_SPACE = re.compile(r"[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿœ]|[A-ZÀ-ÖØ-Þ]['’ ]|[«“\"(]")


def split_sentences(text: str, *, start: int = 0) -> list[Span]:
    """Cut ``text[start:]`` into sentences.

    A quotation keeps its closing quote, and an attribution after it belongs to the same sentence. A blank line ends a
    sentence; a single line break does so before or after a heading, a list item or a table row, not inside
    hard-wrapped prose.

    Args:
        text: any text; control characters are ordinary characters.
        start: where the prose begins, in code points, at least 0.

    Returns:
        Spans in the coordinates of the whole text, in order, disjoint, without white space at either end, each at most
        `MAX_SENTENCE` long; every other character after ``start`` is in exactly one of them. Empty for blank text.

    Raises:
        InputError: if ``start`` is negative.
    """
    if start < 0:
        raise InputError(f"start {start}: expected 0 or more")
    spans: list[Span] = []
    begin = line = resume = _skip_blank(text, start)
    quoted = False
    for match in _CANDIDATE.finditer(text, begin):
        at = match.start()
        if at < resume:
            continue
        if text[at] == '"':
            quoted = _opens(text, at, quoted)
            continue
        if text[at] in _BREAKS:
            end, following = at, match.end()
            ends = _ends_at_break(text, line, at, following)
            line = following
            quoted = quoted and not _is_blank_line(text, at, following)
        else:
            end, quoted = _take_closers(text, match.end(), quoted)
            resume, following = end, _skip_blank(text, end)
            ends = _ends_at_stop(text, begin, at, end, following)
        if ends:
            _append(spans, text, begin, end)
            begin = following
    _append(spans, text, begin, len(text))
    return spans


def _skip_blank(text: str, at: int) -> int:
    """First position from ``at`` that is not white space, or the end of the text."""
    match = _BLANK.match(text, at)
    return match.end() if match else len(text)


def _append(spans: list[Span], text: str, begin: int, end: int) -> None:
    """Append ``[begin, end)`` without its trailing white space, cut where longer than `MAX_SENTENCE`."""
    while end > begin and text[end - 1].isspace():
        end -= 1
    while end - begin > MAX_SENTENCE:
        cut = _cut(text, begin)
        last = cut
        while text[last - 1].isspace():
            last -= 1
        spans.append(Span(begin, last))
        begin = _skip_blank(text, cut)
    if end > begin:
        spans.append(Span(begin, end))


def _cut(text: str, begin: int) -> int:
    """Where to cut a sentence that is too long: after the last punctuation of its second half, else at a space."""
    middle, limit = begin + MAX_SENTENCE // 2, begin + MAX_SENTENCE
    for marks in ((". ", "! ", "? ", "… "), ("; ", ": ", ", "), (" ",)):
        cut = max(text.rfind(mark, middle, limit) + len(mark) for mark in marks)
        if cut > middle:
            return cut
    for cut in range(limit, middle, -1):
        if text[cut - 1].isspace():
            return cut
    return limit


def _opens(text: str, at: int, quoted: bool) -> bool:
    """Say whether a quotation is open after the straight quote at ``at``.

    White space on one side only tells; else the quotes alternate. The last quote decides, so that a quotation inside
    another one, or a forgotten closing quote, does no harm beyond the next quote.
    """
    before = text[at - 1] if at else " "
    after = text[at + 1] if at + 1 < len(text) else " "
    opening = before.isspace() or before in "(['’«“-–—"
    closing = after.isspace() or after in ",;:.!?…)]»”"
    return not quoted if opening == closing else opening


def _take_closers(text: str, at: int, quoted: bool) -> tuple[int, bool]:
    """Extend a run of stops over the closing quotes and brackets behind it; also tell whether a quotation is open."""
    while at < len(text):
        char = text[at]
        if char in _CLOSERS or char in _STOPS:
            at += 1
        elif char == '"' and not _opens(text, at, quoted):
            at, quoted = at + 1, False
        elif char in "'’" and (at + 1 == len(text) or text[at + 1].isspace()):
            at += 1
        elif char in " \u00a0\u202f" and (
            text.startswith("»", at + 1) or (quoted and text.startswith('"', at + 1) and not _opens(text, at + 1, True))
        ):
            at, quoted = at + 2, False
        else:
            break
    return at, quoted


def _is_blank_line(text: str, at: int, following: int) -> bool:
    """Say whether the white space ``[at, following)`` holds a blank line."""
    return following - at > 1 and len(_BREAK.findall(text, at, following)) > 1


def _ends_at_break(text: str, line: int, at: int, following: int) -> bool:
    """Say whether the line break at ``at`` ends a sentence; ``line`` is where its line begins."""
    if following == len(text) or _is_blank_line(text, at, following) or _MARKER.match(text, following):
        return True
    if _HEADING_OR_ROW.match(text, line):
        return True
    first = _first_letter(text, following)
    return not text[first : first + 1].islower() and _is_short_line(text, line, at, following)


def _is_short_line(text: str, line: int, at: int, following: int) -> bool:
    """Say whether the next line's first word would have fitted on the line, so that the break is deliberate.

    Hard-wrapped prose is filled up to its width, here the longer of the two lines and at least 40 columns.
    """
    next_break = _BREAK.search(text, following, following + 400)
    next_length = (next_break.start() if next_break else min(following + 400, len(text))) - following
    next_word = len(text[following : following + 40].split(maxsplit=1)[0])
    length = at - line
    return text[at - 1] not in ",-–" and length + 1 + next_word <= max(40, next_length)


def _ends_at_stop(text: str, begin: int, at: int, end: int, following: int) -> bool:
    """Say whether the stop at ``at``, up to ``end`` with its closers, ends the sentence that begins at ``begin``."""
    if following == len(text):
        return True
    if following == end:
        return _is_missing_space(text, begin, at, end)
    if text[following] in _CONTINUES:
        return False
    first = _first_letter(text, following)
    if text[at] == "." and end == at + 1:
        return ends_sentence(text, begin=begin, at=at, first=first)
    if text[first : first + 1].islower() and not text[first + 1 : first + 2].isupper():
        return False
    return not _OMISSION.fullmatch(text, begin, end)


def _first_letter(text: str, at: int) -> int:
    """First position from ``at`` that is no quote, bracket, dash or other mark that opens a sentence."""
    match = _OPENING.match(text, at)
    return match.end() if match else at


def _is_missing_space(text: str, begin: int, at: int, end: int) -> bool:
    """Say whether a sentence ends at a stop that a word follows without a space, as in "tué.Il a"."""
    if not _MISSING_SPACE.match(text, end):
        return False
    before = text[max(0, at - 30) : at].split()
    word = before[-1] if before else ""
    if any(mark in word for mark in "./@_\\") or not _WHOLE_WORD.search(word):
        return False
    return ends_sentence(text, begin=begin, at=at, first=_first_letter(text, end))


def split_passages(
    text: str, sentences: Sequence[Span], *, n_words: int = 120, overlap: int = 1
) -> list[tuple[int, int]]:
    """Group sentences into passages of about ``n_words`` words.

    A passage ends at a paragraph break where one lies between 70 and 120 % of the size, and takes in a rest of the text
    that would make a passage of less than a quarter of the size. The last ``overlap`` sentences are repeated at the
    head of the next passage, fewer where they would leave no room for its first new sentence.

    Args:
        text: the whole text.
        sentences: its sentences, in order.
        n_words: words wanted in a passage, at least 1; a longer sentence is a passage by itself.
        overlap: sentences repeated, at least 0.

    Returns:
        Half-open ranges of sentence indexes, in order. Every sentence is in at least one, and each range holds a
        sentence that the one before does not. Empty without sentences.

    Raises:
        InputError: if ``n_words < 1`` or ``overlap < 0``.
    """
    if n_words < 1 or overlap < 0:
        raise InputError(f"n_words {n_words}, overlap {overlap}: expected at least 1 and 0")
    sizes = [len(text[span.start : span.end].split()) for span in sentences]
    breaks = {
        number
        for number, (left, right) in enumerate(pairwise(sentences), start=1)
        if _is_blank_line(text, left.end, right.start)
    }
    passages: list[tuple[int, int]] = []
    first = new = 0
    while new < len(sizes):
        end = _passage_end(sizes, breaks, first, new, n_words)
        passages.append((first, end))
        first, new = _overlap_start(sizes, first, end, n_words, overlap), end
    return passages


def _passage_end(sizes: list[int], breaks: set[int], first: int, new: int, n_words: int) -> int:
    """End of the passage that begins at ``first`` and holds at least the sentence ``new``."""
    words = sum(sizes[first : new + 1])
    full, paragraph, end = new + 1, None, new + 1
    while words <= 1.25 * n_words:
        if words <= n_words:
            full = end
        if end == len(sizes):
            return end
        if end in breaks and 0.7 * n_words <= words <= 1.2 * n_words:
            paragraph = end
        words += sizes[end]
        end += 1
    return paragraph or full


def _overlap_start(sizes: list[int], first: int, end: int, n_words: int, overlap: int) -> int:
    """Where the next passage begins: up to ``overlap`` sentences before ``end``, its first new sentence."""
    if end == len(sizes):
        return end
    start, words = end, sizes[end]
    while start > max(end - overlap, first + 1) and words + sizes[start - 1] <= n_words:
        start -= 1
        words += sizes[start]
    return start
