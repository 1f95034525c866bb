"""French abbreviations, initials and list numbers: does a full stop end its sentence? Pure, constant time."""

from __future__ import annotations

import re

__all__ = ["ends_sentence"]

_REACH = 24
"""Characters before the stop that are looked at: longer than any abbreviation."""


def _words(*lines: str) -> frozenset[str]:
    """The words of all lines."""
    return frozenset(word for line in lines for word in line.split())


# Never the last word of a sentence: a name or a reference follows.
_BEFORE_NAME = _words(
    "M MM Mr Mrs Ms Mme Mmes Mlle Mlles Mgr Me Mes Dr Drs Pr Prs Prof St Ste Sts Stes Gal Gén Cdt Cap Col Lt Sgt",
    "cf Cf vs env av Av apr bd Bd boul tél Tél éd ibid e.g i.e",
)
# Part of a reference or a date only where a number or a small letter follows ("art. 5", "sept. 2019").
_BEFORE_NUMBER = _words(
    "al alin approx art Art cat ch chap Chap coll ex f ff fig Fig l liv max min n N no No nos num Num p P par pl pp r",
    "réf Réf rubr s sect suppl t T tab v vol Vol janv févr fév avr juil sept oct nov déc",
)
# May end a sentence, but only where a frequent first word follows ("Apple Inc. Le groupe", not "Inc. Apple").
_BEFORE_EITHER = _words("Cie Inc Corp Ltd Co Bros Jr Sr Int Sté Ets Dpt dép Dép")
_FIRST_WORDS = _words(
    "A À Afin Ainsi Alors Après Au Aucun Aucune Aujourd Aussi Autant Aux Avant Avec Beaucoup Bien C Car Ce Cela Celle",
    "Celui Cependant Certains Certes Ces Cet Cette Ceux Chaque Comme Comment D Dans De Depuis Des Deux Donc Du Elle",
    "Elles En Enfin Ensuite Entre Environ Est Et Eux Il Ils J Je Jusqu L La Le Les Leur Leurs Lors Lorsqu Lorsque Mais",
    "Malgré Même N Ne Ni Notre Nous On Or Ou Où Outre Par Parce Parmi Pendant Peu Plus Plusieurs Pour Pourquoi",
    "Pourtant Puis Qu Quand Quant Que Quel Quelle Quelques Qui Quoi S Sa Sans Se Selon Ses Seul Seule Si Soit Son Sous",
    "Sur Tandis Tous Tout Toute Toutefois Toutes Très Trois Un Une Vers Voici Voilà Vos Votre Vous Y",
)
_PARTICLES = _words("De Des Du La Le Les")
# Begin a sentence though typed small, and follow no abbreviation.
_SMALL_FIRST_WORDS = _words("à c ce cela cette elle elles il ils j je on")

_QUOTES = frozenset('"«“')
_LAST_WORD = re.compile(r"[^\W\d_]+\Z")
_ENUMERATOR = re.compile(r"[\W_]{0,4}(?:\d{1,2}|[IVXivx]{1,4}|[A-Za-z])(?:\.\d{1,2}){0,4}\Z")
_NUMBER = re.compile(r"[\[(]?(?:n°\s?)?(?:\d|[IVXLC]+\b(?!['’]))")
_UNIT = re.compile(r"(?:°|\d\s?)\w\Z")
_OF_ERA = re.compile(r"\b(?:av|apr)\.\s?J\.-C\Z")
_LETTERED = re.compile(
    r"\b(?:catégorie|classe|groupe|hépatite|jour|lignes?|plan|série|type|vitamines?|de A à|contre(?= X))\s\w\Z"
)
_DASH = re.compile(r"[-–—•]")
_FIRST_AND_NEXT = re.compile(r"([^\W\d_]+)(['’]?)\s?([^\W\d_]?)")


def ends_sentence(text: str, *, begin: int, at: int, first: int) -> bool:
    """Say whether the full stop at ``at`` ends the sentence that begins at ``begin``.

    Args:
        text: the whole text.
        begin: first character of the sentence.
        at: the stop, with white space behind it.
        first: first letter or digit behind the white space.
    """
    before = text[max(begin, at - _REACH) : at]
    if at - begin <= 12 and _ENUMERATOR.match(before):
        return False
    match = _LAST_WORD.search(before)
    word = match.group() if match else ""
    if word in _BEFORE_NAME:
        return False
    if text[first : first + 1].islower() and not text[first + 1 : first + 2].isupper():
        return _ends_before_small_letter(text, before, word, at=at, first=first)
    if word in _BEFORE_NUMBER and _NUMBER.match(text, first):
        return False
    if word in _BEFORE_EITHER or _is_initial(before, word):
        return _is_first_word(text, first) or not _QUOTES.isdisjoint(text[at + 1 : first])
    return True


def _ends_before_small_letter(text: str, before: str, word: str, *, at: int, first: int) -> bool:
    """Say whether a sentence ends though a small letter stands at ``first``.

    It does after a word too long for an abbreviation, before a dash, and before a word that follows no abbreviation.
    """
    if len(word) > 4:
        return word not in _BEFORE_NUMBER
    if not word and before[-1:] in ')]»”"%':
        return True
    if word in _BEFORE_NUMBER or word in _BEFORE_EITHER or word == "etc" or _is_initial(before, word):
        return False
    following = _FIRST_AND_NEXT.match(text, first)
    follows_none = following is not None and following.group(1) in _SMALL_FIRST_WORDS
    return follows_none or _DASH.search(text, at + 1, first) is not None


def _is_initial(before: str, word: str) -> bool:
    """Say whether ``word``, the end of ``before``, is an initial or the last letter of an acronym with stops."""
    if len(word) != 1 or _UNIT.search(before) or _OF_ERA.search(before) or _LETTERED.search(before):
        return False
    return word.isupper() or before[-2:-1] == "."


def _is_first_word(text: str, first: int) -> bool:
    """Say whether a frequent first word of sentences stands at ``first``, and no name such as "Le Goff"."""
    words = _FIRST_AND_NEXT.match(text, first)
    if words is None or words.group(1) not in _FIRST_WORDS:
        return False
    return bool(words.group(2)) or words.group(1) not in _PARTICLES or not words.group(3).isupper()
