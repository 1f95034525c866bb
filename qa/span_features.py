"""What makes words of a sentence a likely short answer: features of a span, its first word and its last word.

A span's score is the sum of three parts, so that the first two are computed once a word and not once a span.
"""

from __future__ import annotations

from dataclasses import dataclass

from index.analyze import Analyzer
from qa.candidates import Chunk, Token, find_chunks, read_tokens
from qa.question import fold
from qa.types import Question

__all__ = ["SentenceView", "end_features", "read_view", "span_features", "spans", "start_features"]

_WORD_TAGS = frozenset("DBPCSROAVTI#MJNw")
_OPEN_TAGS = frozenset("wN#")
_NO_END = frozenset("DBPCSRT")
_CLAUSE_END = frozenset(",.;:!?…)q-–—CSRPB")
_SHORT_KINDS = frozenset(("who", "when", "where", "how_many"))
_MAX_WORDS_SHORT = 10
_MAX_WORDS_LONG = 28
_MAX_FREE_WORDS = 8
_OUTSIDE = Token(0, 0, "", "^")


@dataclass(frozen=True, slots=True)
class SentenceView:
    """A sentence read against a question.

    Attributes:
        tokens: its words and marks.
        chunks: names, amounts, dates, clock times and quotations.
        is_matched: for each token, whether a term of the question covers it.
        is_content: for each token, whether the analyzer keeps a term of it.
        is_focus: for each token, whether it is a form of the noun asked for.
        chunk_starts, chunk_ends: for each token, the types of chunks that begin or end there, joined by ``+``.
        chunk_spans: the types of chunks that are exactly ``(first, last)``.
        cut_before: for each token, whether a name or an amount goes on from the token before.
        matched_before: number of matched tokens before each token, one entry more than tokens.
        content_before: number of content tokens before each token, one entry more than tokens.
        in_quote: for each token, whether it stands between quotation marks.
        left, right: for each token, words to the nearest matched token on that side, 9 where none is near.
        left_word, right_word: the same to the nearest matched token that is not a name.
        focus: terms of the noun asked for, joined by spaces.
        form: the first two words of the question, lower-cased, without accents ("qui est", "ou se").
    """

    tokens: list[Token]
    chunks: list[Chunk]
    is_matched: list[bool]
    is_content: list[bool]
    is_focus: list[bool]
    chunk_starts: list[str]
    chunk_ends: list[str]
    chunk_spans: dict[tuple[int, int], str]
    cut_before: list[bool]
    in_quote: list[bool]
    matched_before: list[int]
    content_before: list[int]
    left: list[int]
    right: list[int]
    left_word: list[int]
    right_word: list[int]
    focus: str
    form: str


def read_view(question: Question, text: str, *, analyzer: Analyzer) -> SentenceView:
    """Read a sentence against a question."""
    tokens = read_tokens(text)
    asked = frozenset(analyzer.terms(question.understood_as))
    wanted = frozenset(analyzer.terms(" ".join(question.focus)))
    n = len(tokens)
    is_matched, is_content, is_focus = [False] * n, [False] * n, [False] * n
    i = 0
    for term, start, _ in analyzer.tokens(text):
        while i < n and tokens[i].end <= start:
            i += 1
        if i == n:
            break
        is_content[i] = True
        is_matched[i] = is_matched[i] or term in asked
        is_focus[i] = is_focus[i] or term in wanted
    is_word = [matched and token.tag != "N" for matched, token in zip(is_matched, tokens, strict=True)]
    chunks = find_chunks(tokens)
    starts, ends, exact, cut, quoted = _mark_chunks(chunks, n)
    return SentenceView(
        tokens=tokens,
        chunks=chunks,
        is_matched=is_matched,
        is_content=is_content,
        is_focus=is_focus,
        chunk_starts=starts,
        chunk_ends=ends,
        chunk_spans=exact,
        cut_before=cut,
        in_quote=quoted,
        matched_before=_running_count(is_matched),
        content_before=_running_count(is_content),
        left=_distances(is_matched),
        right=_distances(is_matched[::-1])[::-1],
        left_word=_distances(is_word),
        right_word=_distances(is_word[::-1])[::-1],
        focus=" ".join(sorted(wanted)),
        form=fold(" ".join(question.understood_as.lower().replace("’", "'").split()[:2])),
    )


def _mark_chunks(
    chunks: list[Chunk], n: int
) -> tuple[list[str], list[str], dict[tuple[int, int], str], list[bool], list[bool]]:
    starts, ends, cut, quoted = [""] * n, [""] * n, [False] * n, [False] * n
    exact: dict[tuple[int, int], str] = {}
    for chunk in chunks:
        starts[chunk.first] += "+" + chunk.type
        ends[chunk.last] += "+" + chunk.type
        key = (chunk.first, chunk.last)
        exact[key] = exact.get(key, "") + "+" + chunk.type
        inside = quoted if chunk.type == "quote" else cut
        for i in range(chunk.first + (chunk.type != "quote"), chunk.last + 1):
            inside[i] = True
    return starts, ends, exact, cut, quoted


def _running_count(flags: list[bool]) -> list[int]:
    counts = [0]
    for flag in flags:
        counts.append(counts[-1] + flag)
    return counts


def _distances(flags: list[bool]) -> list[int]:
    """Return, for each place, the steps back to the nearest flag before it, at most 9."""
    distances, steps = [], 9
    for flag in flags:
        distances.append(min(steps, 9))
        steps = 1 if flag else steps + 1
    return distances


def spans(question: Question, view: SentenceView) -> list[tuple[int, int]]:
    """Return the ``(first, last)`` tokens, both included, of every span that may be an answer, in order.

    A span begins and ends with a word, does not end with a function word and says something that the question
    does not. Long spans end where a clause may end.
    """
    tokens, n = view.tokens, len(view.tokens)
    longest = _MAX_WORDS_SHORT if question.kind in _SHORT_KINDS else _MAX_WORDS_LONG
    needs_content = question.kind != "how_many"
    found = []
    for first in range(n):
        if tokens[first].tag not in _WORD_TAGS:
            continue
        for last in range(first, min(n, first + longest)):
            tag = tokens[last].tag
            if (
                tag in _NO_END
                or (tag not in _WORD_TAGS and tag != "%")
                or (last + 1 < n and tokens[last + 1].tag == "%")
            ):
                continue
            if last - first >= _MAX_FREE_WORDS and last + 1 < n and tokens[last + 1].tag not in _CLAUSE_END:
                continue
            content = view.content_before[last + 1] - view.content_before[first]
            if content == view.matched_before[last + 1] - view.matched_before[first] and (content or needs_content):
                continue
            found.append((first, last))
    return found


def start_features(view: SentenceView, i: int) -> list[str]:
    """Return the features of beginning at token ``i``."""
    tokens = view.tokens
    here = tokens[i]
    before = tokens[i - 1] if i else _OUTSIDE
    before2 = tokens[i - 2] if i > 1 else _OUTSIDE
    after = tokens[i + 1] if i + 1 < len(tokens) else _OUTSIDE
    found = [
        f"s={here.tag}",
        f"s-={before.tag}",
        f"s--={before2.tag}{before.tag}",
        f"s-0={before.tag}{here.tag}",
        f"s01={here.tag}{after.tag}",
        f"sw={here.word}",
        f"s-w={before.word}",
        f"sl={view.left[i]}",
        f"sr={view.right[i]}",
        f"slw={view.left_word[i]}",
        f"srw={view.right_word[i]}",
        f"sq={view.form} {before.tag}{here.tag}",
        f"sk={view.chunk_starts[i]}",
        f"sk-={view.chunk_starts[i]}{before.tag}",
    ]
    if before2.tag not in _OPEN_TAGS and before.tag not in _OPEN_TAGS:
        found.append(f"s--w={before2.word} {before.word}")
    if here.tag == "w":
        found.append(f"sz={here.word[-3:]}")
    if before.tag == "w":
        found.append(f"s-z={before.word[-3:]}")
    if view.is_matched[i]:
        found.append("sm")
    if view.cut_before[i]:
        found.append("scut")
    if view.in_quote[i]:
        found.append("sin")
    if i and view.is_focus[i - 1]:
        found.append("s-f")
    if i > 1 and view.is_focus[i - 2]:
        found.append(f"s--f{before.tag}")
    if view.focus:
        found.append(f"sf={view.focus} {here.tag}")
    return found


def end_features(view: SentenceView, i: int) -> list[str]:
    """Return the features of ending with token ``i``."""
    tokens = view.tokens
    here = tokens[i]
    after = tokens[i + 1] if i + 1 < len(tokens) else _OUTSIDE
    after2 = tokens[i + 2] if i + 2 < len(tokens) else _OUTSIDE
    before = tokens[i - 1] if i else _OUTSIDE
    found = [
        f"e={here.tag}",
        f"e+={after.tag}",
        f"e++={after.tag}{after2.tag}",
        f"e0+={here.tag}{after.tag}",
        f"e-0={before.tag}{here.tag}",
        f"ew={here.word}",
        f"e+w={after.word}",
        f"el={view.left[i]}",
        f"er={view.right[i]}",
        f"elw={view.left_word[i]}",
        f"erw={view.right_word[i]}",
        f"eq={view.form} {here.tag}{after.tag}",
        f"ek={view.chunk_ends[i]}",
        f"ek+={view.chunk_ends[i]}{after.tag}",
    ]
    if here.tag == "w":
        found.append(f"ez={here.word[-3:]}")
    if after.tag == "w":
        found.append(f"e+z={after.word[-3:]}")
    if view.is_matched[i]:
        found.append("em")
    if i + 1 < len(tokens) and view.cut_before[i + 1]:
        found.append("ecut")
    if view.is_focus[i]:
        found.append("ef")
    if i + 1 < len(tokens) and view.is_focus[i + 1]:
        found.append("e+f")
    if view.focus:
        found.append(f"ef={view.focus} {here.word}")
    return found


def span_features(view: SentenceView, first: int, last: int) -> list[str]:
    """Return the features of the words from ``first`` to ``last`` together."""
    tokens = view.tokens
    matched = view.matched_before[last + 1] - view.matched_before[first]
    content = view.content_before[last + 1] - view.content_before[first]
    n = last - first + 1
    inside = "".join([token.tag for token in tokens[first : last + 1]])
    chunk = view.chunk_spans.get((first, last), "")
    left, right = view.left[first], view.right[last]
    before = view.matched_before[first]
    after = view.matched_before[-1] - view.matched_before[last + 1]
    outer = (tokens[first - 1].tag if first else "^") + (tokens[last + 1].tag if last + 1 < len(tokens) else "^")
    found = [
        f"n={n if n < 8 else 8 + n // 4}",
        f"nc={min(content, 8)}",
        f"m={min(matched, 3)}",
        f"k={chunk}",
        f"km={chunk}{min(matched, 2)}",
        f"t={inside}" if n < 5 else "t=long",
        f"near={min(left, right)}",
        f"b={min(before, 4)}",
        f"a={min(after, 4)}",
        f"c={min(content - matched, 5)}",
        f"qk={view.form} {chunk}",
        f"qb={view.form} {min(before, 2)}{min(after, 2)}",
        f"fb={bool(view.focus)}{chunk}{outer}",
    ]
    for mark in _INNER_MARKS:
        if mark in inside:
            found.append("i" + mark)
    if inside.count("q") % 2:
        found.append("qodd")
    if inside.count("(") != inside.count(")"):
        found.append("podd")
    found.append("o=" + outer)
    if chunk:
        found.append(f"ko={chunk}{outer}")
    if view.focus and any(view.is_focus[first : last + 1]):
        found.append("fin")
        found.append(f"fk={chunk}")
    return found


_INNER_MARKS = "AIRSCO,;:NJM#w"
