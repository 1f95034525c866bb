"""The analyzer: text to terms, the same for documents and questions (pure: no file, no model).

A text is cut into surfaces (``l'Otan``, ``Saint-Denis``, ``50 000``), a surface into words, and a word becomes at most
one term: lower case, stop words removed, stemmed (Snowball), accents folded. Surfaces repeat, and so does what stands
between two spaces: what each gives is remembered, and most of a text costs one dictionary look-up for each space.

Accents, in French. Snowball reads accents: "sécurité" gives "secur" but "securite" gives "securit"; of the accented
words of a news corpus 22 % (16 % of their occurrences) stem otherwise once folded. Stem-then-fold therefore loses
questions typed without accents, and fold-then-stem parts "premier" from "première", "responsable" from its noun. So a
term depends on the folded word only, and the accents that Snowball's rules need are put back by the ending before it
stems: ``-iere`` is read as ``-ière``, ``-ee`` as ``-ée``, any other ``-e`` as ``-é`` unless the suffix has no accent
(``-able``, ``-ance``, ``-ique``). Typing with or without accents gives the same terms by construction, with one term a
word in the index. Measured (benchmarks/README.md): stem-then-fold ranks as well but loses 0.01 of MRR@10 without
accents; fold-then-stem ranks as well too, but gives one term to 54 % of the pairs of forms of a word, this scheme to
66 %. What Snowball leaves of some plurals ("lois", "vélos", "jeux") is then cut: 1.5 points of these pairs, for no
difference in rank that both PIAF and news show.

Stop words are compared folded: "meme", "a" and "ou" typed without accents vanish as well. Kept on purpose: "été"
(people ask for the season; the participle is so common that BM25 gives it little weight, MRR is the same), "Est" with
a capital and "l'est", "sud-est" (the cardinal point; the verb vanishes), "avions", "sommes", "or", "contre", and
capital letters that stand alone ("vitamine C", not "M"). "né", "sûr", "maïs" and the like are terms where the accent
is written; a question typed without accents loses these few, as "ne", "sur" and "mais" say too little.

The other Snowball languages have no stop list and no elision here: BM25 already weighs frequent words down.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TypeVar

import Stemmer

from index.errors import InputError

__all__ = ["ANALYZER_VERSION", "Analyzer"]

ANALYZER_VERSION = "fr-1"
"""Version of the French terms, written in the manifest of an index: raised whenever a term changes."""

_MEMO_LIMIT = 400_000
"""Strings remembered by one memo before it starts afresh, 40 to 100 MB; 33,000 news articles hold fewer surfaces."""

_MEMO_LENGTH = 48
"""Longest string remembered: a longer one seldom comes twice."""

_MAX_TERM = 64
"""Characters kept of a term: no word is longer, and a line of base64 must not fill the index."""

_APOSTROPHES = "'’ʼ"
_HYPHENS = "\\-\u2010\u2011"
_SPACES = " \u00a0\u2009\u202f"
_INVISIBLE = "\u00ad\u200c\u200d\u2060\ufeff"
# `\w` has no combining marks: they are part of words in decomposed (NFD), Hebrew, Arabic, Indic and Thai text.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u0900-\u0963\u0966-\u0dff\u0e31-\u0e3a\u0e47-\u0e4e"
)
_LETTERS = rf"[\w{_MARKS}{_INVISIBLE}]+"
_INITIALS = r"(?:[^\W\d_]\.){2,}(?:[^\W\d_](?!\w))?"

# Most words take the first branch and the guards spare them the others: twice the speed, the same matches.
_SURFACE = re.compile(
    r"\w{2,}+(?=[ ,.\n])(?<!\d)"
    r"|(?=\d)(?:"
    rf"\d{{1,3}}(?:[{_SPACES}.]\d{{3}})+(?:,\d+)?(?!\d)"  # 50 000 · 50.000 · 1 234,5
    r"|(?<!\d[.,])\d+[.,]\d+(?!\d|[.,]\d)"  # 3,5 · 3.5, but not 11.10.2022
    rf"|\d{{1,2}}[{_SPACES}][hH](?:[{_SPACES}]?\d\d)?(?!\w)"  # 20 h 30
    rf")|(?=[^\W\d_]{{1,2}}[{_APOSTROPHES}.])(?:[^\W\d_]{{1,2}}[{_APOSTROPHES}])?{_INITIALS}"  # O.N.U. · l'O.N.U.
    rf"|{_LETTERS}(?:[{_APOSTROPHES}{_HYPHENS}]{_LETTERS})*"  # l'Otan · Saint-Denis · a-t-il · 20h30
)
# The only surfaces that hold white space begin so.
_SPACED = re.compile(rf"\d[{_SPACES}][\dhH]")
_QUANTITY = re.compile(rf"\d+(?:[{_SPACES}.]\d{{3}})*(?:[.,]\d+)?")
_GROUPING = re.compile(rf"[{_SPACES}.](?=\d{{3}}(?!\d))")
_HOUR = re.compile(rf"(\d{{1,2}})[{_SPACES}]?[hH][{_SPACES}]?(\d\d)?")
_ORDINAL = re.compile(r"(\d+)(?:(er|re|ere)|e|eme|ieme|nde?)s?")
_ACRONYM = re.compile(rf"(?:\w+[{_APOSTROPHES}])?({_INITIALS})")
_PART = re.compile(rf"[^{_HYPHENS}_]+")

_DROPPED = re.compile(f"[{_INVISIBLE}]")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_NOT_LETTER = re.compile(rf"[^\w{_MARKS}]|_")

_ELISIONS = frozenset(
    ["l", "d", "j", "m", "t", "s", "c", "n", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "presqu", "quelqu"]
)
# Words that hold their apostrophe: one term, as "entracte" and "presquile" are written without it.
_WHOLE = re.compile(
    rf"aujourd[{_APOSTROPHES}]hui|prud[{_APOSTROPHES}]hom\w+|presqu[{_APOSTROPHES}](?:i\u0302?|î)les?|entr[{_APOSTROPHES}]\w+",
    re.IGNORECASE,
)
_CARDINAL_EAST = re.compile(rf"Est|(?:[ld][{_APOSTROPHES}]|.*[{_HYPHENS}])est", re.IGNORECASE)
_LONE_CAPITALS = frozenset("CDJLNST")
_STOP_SURFACES = frozenset(["cestadire", "estce", "nestce", "peutetre", "quelquun", "quelquune", "visavis"])

_STOP_WORDS = frozenset(
    """
    a afin ai aie aient aies ainsi ait alors as au aucun aucune aupres auquel aura aurai auraient aurais aurait auras
    aurez auriez aurions aurons auront aussi autre autres aux auxquelles auxquels avaient avais avait avec avez aviez
    avoir avons ayant ayez ayons c ca car ce ceci cela celle celles celui cependant ces cet cette ceux chacun chacune
    chaque chez ci combien comme comment d dans de dela depuis des desquelles desquels donc dont du duquel elle elles
    en encore entre es est et etaient etais etait etant etc etes etiez etions etre eu eue eues eurent eus eut eux
    fumes furent fus fut h il ils j je l la ladite laquelle le ledit lequel les lesquelles lesquels leur leurs lors
    lorsque lui m ma mais me meme memes mes mien mienne miennes miens mlle mm mme mmes moi mon n ne ni non nos notre
    nous on ont ou oui par parce pas pendant peu plus plusieurs pour pourquoi puis puisque qu quand que quel quelle
    quelles quelque quelques quels qui quoi quoique s sa sans se selon sera serai seraient serais serait seras serez
    seriez serions serons seront ses si sien sienne siennes siens soi soient sois soit son sont sous soyez soyons suis
    sur t ta tandis te tel telle telles tels tes tien tienne tiens toi ton tous tout toute toutefois toutes tres tu un
    une unes uns vers voici voila vos votre vous y
    """.split()  # noqa: SIM905 (a list of quoted words would take two hundred lines)
)
# Words that only their accent tells from a stop word: they are terms where it is written.
_TOLD_BY_ACCENT = frozenset(["dé", "dés", "entré", "maïs", "né", "nés", "sûr"])

# Accents that the rules of Snowball's French stemmer need (snowballstem.org/algorithms/french/stemmer.html), and the
# suffixes in -e that it removes as they are.
_GRAVE = re.compile(r"(?<=i)e(?=re(?:s|ments?)?$)|e(?=rent$)")  # premiere, regulierement, donnerent
_FEMININE = re.compile(r"e(?=es?$)")  # journee
_UNACCENTED = re.compile(r"(?:abl|anc|atric|enc|eus|iqu|ism|ist|iv|logi|ur)es?$")
_FINAL_E = re.compile(r"e(?=s?$)")  # securite, publie
_PLURAL = re.compile(r"(?<=[iou])s$|(?<=eu)x$")
_NOUN_IN_ES = re.compile(r"(?:abc|acc|agn|agr|apr|congr|cypr|dec|exc|expr|proc|progr|succ)es")

_Value = TypeVar("_Value")


class Analyzer:
    """Turns text into terms; safe to share between threads.

    Args:
        language: a Snowball language; "french" has elision, stop words and accents as the module says.

    Raises:
        InputError: if Snowball has no such language.
    """

    def __init__(self, language: str = "french") -> None:
        if language not in Stemmer.algorithms():
            raise InputError(f"language {language!r}: expected one of {', '.join(Stemmer.algorithms())}")
        self._language = language
        # A PyStemmer object may not be shared by threads without a lock; the memo makes its own cache useless.
        self._stemmer = Stemmer.Stemmer(language, 0)
        self._lock = threading.Lock()
        self._pieces = _Memo(self._analyze)
        self._terms = _Memo(lambda surface: tuple(term for term, _, _ in self._analyze(surface)))
        self._spaced_terms = _Memo(self._terms_of_surfaces)

    @property
    def version(self) -> str:
        """The version of the terms: two analyzers with the same version give the same terms."""
        return ANALYZER_VERSION if self._language == "french" else f"{self._language}/{ANALYZER_VERSION}"

    def terms(self, text: str) -> list[str]:
        """Return the terms of a text in order, without stop words; a term holds no white space and is not empty."""
        if _SPACED.search(text):
            return list(self._terms_of_surfaces(text))
        return list(chain.from_iterable(map(self._spaced_terms.__getitem__, text.split())))

    def tokens(self, text: str) -> list[tuple[str, int, int]]:
        """Return ``(term, start, end)`` in order: ``text[start:end]`` is the word that the term came from.

        Offsets count code points of the text as given; the terms are those of `terms`.
        """
        return [
            (term, match.start() + start, match.start() + end)
            for match in _SURFACE.finditer(text)
            for term, start, end in self._pieces[match.group()]
        ]

    def _terms_of_surfaces(self, text: str) -> tuple[str, ...]:
        """Return the terms of a text, one surface after the other."""
        surfaces = _SURFACE.findall(text)
        if len(surfaces) == 1:
            return self._terms[surfaces[0]]
        return tuple(chain.from_iterable(map(self._terms.__getitem__, surfaces)))

    def _analyze(self, surface: str) -> tuple[tuple[str, int, int], ...]:
        """Return the terms of one surface with the offsets of their words inside it."""
        words = ((surface[start:end], start, end) for start, end in self._words(surface))
        return tuple((term, start, end) for word, start, end in words if (term := self._term(word, surface)))

    def _words(self, surface: str) -> Iterator[tuple[int, int]]:
        """Yield where the words of a surface stand: parts of compounds, without what is elided."""
        french = self._language == "french"
        if surface.isalpha() and "ʼ" not in surface:
            if not (french and _fold(_clean(surface)) in _STOP_SURFACES):
                yield 0, len(surface)
        elif _QUANTITY.fullmatch(surface) or _HOUR.fullmatch(surface):
            yield 0, len(surface)
        elif acronym := _ACRONYM.fullmatch(surface):
            yield acronym.span(1)
        elif not (french and _fold(_clean(surface)) in _STOP_SURFACES):
            for part in _PART.finditer(surface):
                yield from _apart(surface, *part.span(), french=french)

    def _term(self, word: str, surface: str) -> str:
        """Return the term of one word, or "" for a stop word."""
        if word[0].isdecimal() and (number := _number(word)):
            return number[:_MAX_TERM]
        clean = _clean(word)
        if not any(char.isalnum() or unicodedata.category(char)[0] == "M" for char in clean):
            return ""  # the ranges of `_MARKS` hold code points that no script uses
        folded = _fold(clean)
        if self._language != "french":
            return _fold(self._stem(clean))[:_MAX_TERM]
        if folded in _STOP_WORDS and clean not in _TOLD_BY_ACCENT and not _is_kept(word, surface):
            return ""
        return _trimmed(_fold(self._stem(_with_accents(folded))))[:_MAX_TERM]

    def _stem(self, word: str) -> str:
        with self._lock:
            stem: str = self._stemmer.stemWord(word)
        return stem


class _Memo(dict[str, _Value]):
    """Remembers what a function gave for each short string; starts afresh when full."""

    def __init__(self, function: Callable[[str], _Value]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, text: str) -> _Value:
        value = self._function(text)
        if len(text) <= _MEMO_LENGTH:
            if len(self) >= _MEMO_LIMIT:
                self.clear()
            self[text] = value
        return value


def _clean(word: str) -> str:
    """Return a word in lower case, composed (NFC), without invisible characters."""
    if word.isascii():
        return word.lower()
    return unicodedata.normalize("NFC", _DROPPED.sub("", word)).lower()


def _fold(word: str) -> str:
    """Return the letters and digits of a clean word, without accents and ligatures."""
    if word.isascii() and word.isalnum():
        return word
    letters = _NOT_LETTER.sub("", word)
    if letters.isascii():
        return letters
    letters = letters.replace("œ", "oe").replace("æ", "ae")
    folded = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", letters)))
    # A few letters are written out with signs ("½" as 1, fraction slash, 2): they stay as they are.
    return letters if _NOT_LETTER.search(folded) else folded


def _number(word: str) -> str | None:
    """Return the one spelling of a quantity, hour or ordinal ("50 000" as 50000, "3,5" as 3.5), None for others."""
    if _QUANTITY.fullmatch(word):
        return _GROUPING.sub("", word).replace(",", ".")
    if hour := _HOUR.fullmatch(word):
        return f"{int(hour[1])}h{hour[2] or ''}"
    if ordinal := _ORDINAL.fullmatch(_fold(_clean(word))):
        return ordinal[1] + ("er" if ordinal[2] else "e")
    return None


def _apart(surface: str, start: int, end: int, *, french: bool) -> Iterator[tuple[int, int]]:
    """Yield the words of ``surface[start:end]``, cut at its apostrophes; in French without the elided ones."""
    while not _WHOLE.fullmatch(surface, start, end):
        cut = next((i for i in range(start, end) if surface[i] in _APOSTROPHES), end)
        if start < cut and not (french and cut < end and _clean(surface[start:cut]) in _ELISIONS):
            yield start, cut
        if cut == end:
            return
        start = cut + 1
    yield start, end


def _is_kept(word: str, surface: str) -> bool:
    """Say whether a word of the stop list carries meaning where it stands: the East, the C of "vitamine C"."""
    if word.lower() == "est":
        return word == "Est" == surface or (surface != word and _CARDINAL_EAST.fullmatch(surface) is not None)
    return word == surface and word in _LONE_CAPITALS


def _with_accents(folded: str) -> str:
    """Return a folded French word with the accents of its ending that Snowball needs."""
    if not folded.endswith(("e", "es", "ent", "ents")):
        return folded
    if _NOUN_IN_ES.fullmatch(folded):
        return folded[:-2] + "ès"
    for ending, accented in ((_GRAVE, "è"), (_FEMININE, "é")):
        restored, n_found = ending.subn(accented, folded)
        if n_found:
            return restored
    return folded if _UNACCENTED.search(folded) else _FINAL_E.sub("é", folded)


def _trimmed(stem: str) -> str:
    """Return the stem without the ends that Snowball leaves on some forms of a word and removes from others.

    That is the plural of "lois", "vélos", "élus", "jeux", and the "i" of "publier", which "publie" has not.
    """
    if len(stem) > 3 and stem[-1] in "sx":
        stem = _PLURAL.sub("", stem)
    return stem[:-1] if len(stem) > 4 and stem.endswith("i") else stem
