"""The French analyzer with one choice or another switched, for `benchmarks.analyzer`."""

from __future__ import annotations

import importlib
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import Stemmer

from index import analyze
from index.analyze import Analyzer

__all__ = ["OURS", "ROWS", "Choices", "Switched", "lemmatizer", "without_accents"]

_MONTHS = (
    "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre".split()  # noqa: SIM905
)
_DATE = re.compile(rf"(\d{{1,2}})(?:er)? ({'|'.join(_MONTHS)})\b")

Stem = Literal["ours", "untrimmed", "snowball", "folded snowball", "none", "lemma", "lemma and stem"]


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices of an analyzer; the defaults are those of `index.analyze`.

    Attributes:
        stem: what a word is reduced to.
        fold: whether accents are taken off in the end.
        stop_words: whether they are terms.
        kept: whether "Est", "l'est" and lone capitals are terms though they are spelt as stop words.
        quantities: whether "50 000", "50.000" and "50000" are one term.
        hours: whether "20 h 30" and "20h30" are one term, and so "2e" and "2ème".
        acronyms: whether "O.N.U." is "ONU".
        hyphens: whether "Saint-Denis" is two terms, one, or three.
        elision: whether "l'" is taken off; else "l'Otan" is one term.
        dates: whether a day and its month are one more term.
        pairs: whether two neighbouring terms are one more term.
    """

    stem: Stem = "ours"
    fold: bool = True
    stop_words: bool = False
    kept: bool = True
    quantities: bool = True
    hours: bool = True
    acronyms: bool = True
    hyphens: Literal["split", "joined", "both"] = "split"
    elision: bool = True
    dates: bool = False
    pairs: bool = False


OURS = Choices()
ROWS: dict[str, Choices] = {
    "ours": OURS,
    "ours, ends left by Snowball not cut": replace(OURS, stem="untrimmed"),
    "Snowball, then folded": replace(OURS, stem="snowball"),
    "Snowball, not folded": replace(OURS, stem="snowball", fold=False),
    "folded, then Snowball": replace(OURS, stem="folded snowball"),
    "no stemming, folded": replace(OURS, stem="none"),
    "no stemming, not folded": replace(OURS, stem="none", fold=False),
    "lemmas (simplemma), folded": replace(OURS, stem="lemma"),
    "lemmas, then our stem": replace(OURS, stem="lemma and stem"),
    "stop words kept": replace(OURS, stop_words=True),
    "Est, l'est, vitamine C as stop words": replace(OURS, kept=False),
    "numbers not joined (50 000: 50, 000)": replace(OURS, quantities=False),
    "hours and ordinals as written": replace(OURS, hours=False),
    "O.N.U. not joined": replace(OURS, acronyms=False),
    "hyphens joined (saintdenis)": replace(OURS, hyphens="joined"),
    "hyphens split and joined": replace(OURS, hyphens="both"),
    "no elision (lotan)": replace(OURS, elision=False),
    "day and month as one more term": replace(OURS, dates=True),
    "pairs of terms as more terms": replace(OURS, pairs=True),
}


class Switched(Analyzer):
    """The French analyzer with other choices.

    Args:
        choices: what is switched.
        lemmatize: a word in lower case to its lemma; needed for lemmas only.
    """

    def __init__(self, choices: Choices, lemmatize: Callable[[str], str] | None) -> None:
        super().__init__()
        self._choices = choices
        self._lemmatize = lemmatize
        self._snowball = Stemmer.Stemmer("french", 0)

    def terms(self, text: str) -> list[str]:
        """Return the terms of a text, those of the switched choices last."""
        terms = super().terms(text)
        more: list[str] = []
        if self._choices.pairs:
            more += [f"{left}_{right}" for left, right in pairwise(terms)]
        if self._choices.dates:
            more += [f"{day[1]}_{_MONTHS.index(day[2])}" for day in _DATE.finditer(without_accents(text).lower())]
        return terms + more

    def _words(self, surface: str) -> Iterator[tuple[int, int]]:
        pieces = self._pieces_apart(surface)
        if pieces is not None:
            yield from ((match.start(), match.end()) for match in re.finditer(pieces, surface))
            return
        hyphenated = len(analyze._PART.findall(surface)) > 1 and surface[0].isalpha()
        if self._choices.hyphens != "joined" or not hyphenated:
            yield from super()._words(surface)
        if self._choices.hyphens != "split" and hyphenated and any(True for _ in super()._words(surface)):
            start = next((start for start, _ in super()._words(surface)), 0)
            yield start, len(surface)

    def _pieces_apart(self, surface: str) -> str | None:
        """The pattern of the words of a surface that is not joined, None for every other surface."""
        choices = self._choices
        if not choices.quantities and analyze._QUANTITY.fullmatch(surface):
            return r"\d+"
        if not choices.hours and analyze._HOUR.fullmatch(surface):
            return r"\w+"
        if not choices.acronyms and analyze._ACRONYM.fullmatch(surface):
            return r"\w+"
        if not choices.elision and "-" not in surface and surface[0].isalpha():
            return r".+"
        return None

    def _term(self, word: str, surface: str) -> str:
        choices = self._choices
        if word[0].isdecimal() and (number := self._number(word)):
            return number
        clean = analyze._clean(word)
        folded = analyze._fold(clean)
        is_stop = folded in analyze._STOP_WORDS and clean not in analyze._TOLD_BY_ACCENT
        if is_stop and not choices.stop_words and not (choices.kept and analyze._is_kept(word, surface)):
            return ""
        reduced = self._reduced(clean, folded)
        return (analyze._fold(reduced) if choices.fold else re.sub(r"[\W_]", "", reduced))[: analyze._MAX_TERM]

    def _number(self, word: str) -> str | None:
        if analyze._QUANTITY.fullmatch(word):
            return analyze._number(word) if self._choices.quantities else word
        return analyze._number(word) if self._choices.hours else None

    def _reduced(self, clean: str, folded: str) -> str:
        stem: Callable[[str], str] = self._snowball.stemWord
        match self._choices.stem:
            case "none":
                return clean
            case "snowball":
                return stem(clean)
            case "folded snowball":
                return stem(folded)
            case "untrimmed":
                return stem(analyze._with_accents(folded))
            case "lemma":
                return self._lemma(clean)
            case "lemma and stem":
                folded = analyze._fold(self._lemma(clean))
        return analyze._trimmed(analyze._fold(stem(analyze._with_accents(folded))))

    def _lemma(self, clean: str) -> str:
        return self._lemmatize(clean).lower() if self._lemmatize else clean


def without_accents(text: str) -> str:
    """Return a text as typed without accents."""
    return "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))


def lemmatizer() -> Callable[[str], str] | None:
    """The lemmas of simplemma for French, or None where it is not installed."""
    try:
        lemmatize = importlib.import_module("simplemma").lemmatize
    except ModuleNotFoundError:
        return None
    return lambda word: str(lemmatize(word, lang="fr"))
