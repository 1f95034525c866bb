"""What a question asks: its kind and the noun asked for, read from French questions in any form.

Rules over words folded to lower case without accents, so that "OÙ EST…", "ou est…" and "Où est…" read alike. They
are tried from the surest to the vaguest: an interrogative word where a clause begins, "quel" and "combien" anywhere, a
question word at the end, an inversion or "est-ce que" (yes or no), then the nouns of a keyword query.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from index.errors import InputError
from index.search import MAX_QUESTION_CHARS
from qa.question_words import PRENOMINAL, noun_kind
from qa.types import DateRange, Kind, Question
from qa.word_classes import word_list

__all__ = ["fold", "read_question"]

_WORD = re.compile(r"\w+(?:-\w+)*'?|[?,;:()]")
_SPACES = re.compile(r"\s+")
_PREPOSITIONS = word_list(
    "a de d' en dans par pour sur sous chez vers avec sans depuis jusqu' jusque contre entre des du"
)
_OPENERS = _PREPOSITIONS | word_list("et mais alors donc or dis dites bonjour svp au c'est c' est d'ici ici partir peu")
_MARKS = frozenset("?,;:()")
_BE = word_list("est sont etait etaient fut furent sera seront serait seraient soit ont a ete")
_ARTICLES = word_list("le la l' les un une des du de d' ce cet cette ces son sa ses leur leurs mon ma mes notre votre")
_AUXILIARIES = word_list("est sont etait etaient a ont avait avaient va vont peut peuvent doit doivent sera seront")
_SUBJECTS = _ARTICLES | word_list("il elle ils elles on c' je tu nous vous ca")
_ORDERS = word_list("citez cite citer nommez nomme nommer donnez donne donner indiquez precisez")
_PRONOUN_AFTER = re.compile(r".+-(?:t-)?(?:il|elle|ils|elles|on|je|tu|nous|vous|ce)$")
_LOOSE_INVERSION = re.compile(r"\b(?:a|va|y a|est|sera|aura|ont|avait|etait) ?-?t ?-?(?:il|elle|on|ils|elles)\b")
_NAMED = re.compile(
    r"^(?:s'|se )(?:appel|nomm|prenomm|intitul|denomm)\w*"
    r"|^(?:est|etait|a-t-on|ont-ils) (?:baptise|surnomme|nomme|appele)\w*"
)
_EXPLAINS = re.compile(r"\b(?:expliqu|justifi)\w*")
_WHICH = ("quel", "lequel", "laquelle", "lesquel", "auquel", "duquel", "desquel", "auxquel")
_SINGLE_WORDS: dict[str, Kind] = {
    "qui": "who",
    "quand": "when",
    "ou": "where",
    "quoi": "what",
    "que": "what",
    "qu'": "what",
}
_FIXED: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile(r"\bpourquoi\b|\ba cause de quoi\b|\ben quel honneur\b"), "why"),
    (re.compile(r"\bqu'est[ -]ce qui (?:\w+ )?(?:expliqu|justifi|pouss|motiv|caus|provoqu|declench)"), "why"),
    (re.compile(r"\bcombien\b.*\bfois\b|\btous les combien\b"), "how_many"),
    (re.compile(r"\bque (?:signifie|veut dire|designe)|\bdefinition (?:de|du|d')|\ben quoi consist"), "definition"),
    (re.compile(r"^qui (?:\w+ )?(?:est|sont|etait|fut)-ce\b"), "who"),
)
_WHAT_IS = re.compile(r"\b(?:qu'? ?est[ -]ce qu(?:e|'|oi)|c'? ?est quoi|cest quoi) ?(?P<rest>.*)$")


@dataclass(frozen=True, slots=True)
class _Word:
    """One word of a question: folded for the rules, and lower-cased as typed for the focus."""

    folded: str
    lower: str


@dataclass(frozen=True, slots=True)
class _Reading:
    kind: Kind
    focus: tuple[str, ...] = ()


def read_question(text: str, *, understood_as: str | None = None, dates: DateRange | None = None) -> Question:
    """Read what a question asks for.

    Args:
        text: the question as typed, 1 to `MAX_QUESTION_CHARS` characters once trimmed.
        understood_as: the question with what the conversation carried over; the kind is read from it. None where the
            question stands by itself.
        dates: the documents' dates that the user asked for, kept as they are.

    Returns:
        The question; its ``understood_as`` has single spaces and no control characters.

    Raises:
        InputError: if the question is empty or too long; the message is in French, for the user.
    """
    typed = text.strip()
    searched = _clean(typed if understood_as is None else understood_as)
    if not searched or not _clean(typed):
        raise InputError("La question est vide : écrivez ce que vous voulez savoir.")
    longest = max(len(typed), len(searched))
    if longest > MAX_QUESTION_CHARS:
        raise InputError(
            f"La question compte {longest} caractères, le maximum est de {MAX_QUESTION_CHARS} : "
            "raccourcissez-la, ou ajoutez le texte comme document."
        )
    reading = _read(_split(searched))
    return Question(text=typed, understood_as=searched, kind=reading.kind, focus=reading.focus, dates=dates)


def _clean(text: str) -> str:
    """Replace control and format characters by spaces, then runs of white space by one space."""
    visible = "".join(" " if unicodedata.category(char) in ("Cc", "Cf") else char for char in text)
    return _SPACES.sub(" ", visible).strip()


def fold(text: str) -> str:
    """Return a text without accents."""
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _split(text: str) -> list[_Word]:
    lower = unicodedata.normalize("NFC", text).lower().replace("’", "'").replace("ʼ", "'")
    return [_Word(fold(word), word) for word in _WORD.findall(lower)]


def _read(words: list[_Word]) -> _Reading:
    """Try the rules from the surest to the vaguest."""
    line = " ".join(word.folded for word in words).replace("' ", "'")
    reading = _read_fixed(line) or _read_opening(words) or _read_which_anywhere(words) or _read_ending(words)
    if reading is not None:
        return reading
    if line.startswith(("est-ce ", "est ce ")) or _is_inverted(words) or _LOOSE_INVERSION.search(line):
        return _Reading("yes_no")
    return _read_loose(words) or _read_keywords(words)


def _read_fixed(line: str) -> _Reading | None:
    """Read an expression that settles the kind wherever it stands."""
    for pattern, kind in _FIXED:
        if pattern.search(line):
            return _Reading(kind)
    match = _WHAT_IS.search(line)
    return None if match is None else _read_what_is(match["rest"])


def _read_what_is(rest: str) -> _Reading:
    """Read what follows "qu'est-ce que": a thing alone is to be defined, "c'est quoi le prix" asks for the price."""
    words = _split(rest.rstrip(" ?"))
    focus = _head_nouns(words)
    if not words or any(word.folded in _AUXILIARIES or _PRONOUN_AFTER.match(word.folded) for word in words):
        return _Reading("what")
    if focus and noun_kind(fold(focus[0])) in ("how_many", "when", "where", "why"):
        return _read_which(words)
    return _Reading("definition" if len(words) <= 6 else "what")


def _read_opening(words: list[_Word]) -> _Reading | None:
    """Read the interrogative word that opens a clause, with nothing but prepositions and the like before it."""
    is_opening = True
    for position, word in enumerate(words):
        if is_opening:
            reading = _read_at(words, position)
            if reading is not None:
                return reading
        if word.folded in _MARKS:
            is_opening = words[0].folded not in _SUBJECTS or word.folded != ","
        else:
            is_opening = is_opening and word.folded in _OPENERS
    return None


def _read_which_anywhere(words: list[_Word]) -> _Reading | None:
    """Read the words that are interrogative wherever they stand: quel, combien, lequel."""
    for position, word in enumerate(words):
        if word.folded.startswith(_WHICH) or word.folded == "combien":
            return _read_at(words, position)
    return None


def _read_ending(words: list[_Word]) -> _Reading | None:
    """Read a question word at the end: "Macron a rencontré qui ?"."""
    content = [word.folded for word in words if word.folded not in _MARKS]
    if len(content) < 2:
        return None
    if content[-1] == "comment":
        return _Reading("how")
    kind = _SINGLE_WORDS.get(content[-1])
    return None if kind is None else _Reading(kind)


def _read_loose(words: list[_Word]) -> _Reading | None:
    """Read a question word in the middle of what has no other sign of a question: "il est mort comment selon lui ?"."""
    if not words or words[-1].folded != "?":
        return None
    for word in words[1:]:
        if word.folded == "comment":
            return _Reading("how")
        if word.folded in ("qui", "quand", "quoi"):
            return _Reading(_SINGLE_WORDS[word.folded])
    return None


def _read_at(words: list[_Word], position: int) -> _Reading | None:
    """Read the interrogative word at a position, or return None if there is none."""
    word = words[position].folded
    after = [item for item in words[position + 1 :] if item.folded not in _MARKS]
    if word == "combien":
        return _Reading("how_many", _counted(after))
    if word.startswith(_WHICH) and not word.startswith("quelqu"):
        return _read_which(after)
    if word == "comment":
        return _read_comment(after)
    kind = _SINGLE_WORDS.get(word)
    if kind == "who" and len(after) > 2 and after[0].folded in _BE and after[1].folded in _ARTICLES:
        return _Reading(kind, _head_nouns(after[1:]))
    return None if kind is None else _Reading(kind)


def _read_comment(after: list[_Word]) -> _Reading:
    """Read what follows "comment": a name ("s'appelle"), a reason ("explique-t-il") or a manner."""
    following = " ".join(item.folded for item in after).replace("' ", "'")
    named = _NAMED.match(following)
    if named is None:
        return _Reading("why" if _EXPLAINS.search(following) else "how")
    focus = _head_nouns([word for word in after[2:] if not _PRONOUN_AFTER.match(word.folded)])
    kind = noun_kind(fold(focus[0])) if focus else "what"
    return _Reading(kind if kind in ("who", "where") else "what", focus)


def _read_which(after: list[_Word]) -> _Reading:
    """Read what follows "quel": the noun itself, or the one behind "est le", and behind "nom de"."""
    start = 0
    while start < len(after) and after[start].folded in _BE:
        start += 1
    focus = _head_nouns(after[start:])
    if not focus:
        return _Reading("what")
    head = fold(focus[0])
    if head in ("nom", "noms", "prenom", "identite"):
        return _read_name_of(after, focus)
    return _Reading(noun_kind(head), focus)


def _read_name_of(after: list[_Word], focus: tuple[str, ...]) -> _Reading:
    """Read "le nom de la ville": a name of that kind of thing."""
    position = next(number for number, word in enumerate(after) if word.lower == focus[0])
    rest = after[position + 1 :]
    named = _head_nouns(rest) if rest and rest[0].folded in ("de", "d'", "du", "des") else ()
    if not named:
        return _Reading("who" if focus[0] == "identité" else "what", focus)
    kind = noun_kind(fold(named[0]))
    return _Reading(kind if kind in ("who", "where") else "what", named)


def _head_nouns(words: list[_Word]) -> tuple[str, ...]:
    """Return the first noun after articles and the adjectives that stand before nouns, or nothing."""
    for number, word in enumerate(words[:6]):
        is_before_noun = word.folded in PRENOMINAL and number + 1 < len(words)
        if word.folded in _ARTICLES or is_before_noun:
            continue
        return (word.lower,) if word.folded[0].isalpha() else ()
    return ()


def _counted(after: list[_Word]) -> tuple[str, ...]:
    """Return the noun counted by "combien de", or nothing."""
    return _head_nouns(after[1:]) if after and after[0].folded in ("de", "d'") else ()


def _is_inverted(words: list[_Word]) -> bool:
    return any(_PRONOUN_AFTER.match(word.folded) for word in words)


def _read_keywords(words: list[_Word]) -> _Reading:
    """Read a query without interrogative: an order, a statement to confirm, or keywords with a telling noun."""
    content = [word for word in words if word.folded not in _MARKS]
    if not content:
        return _Reading("other")
    if content[0].folded in _ORDERS:
        return _read_which([word for word in content[1:] if word.folded not in ("moi", "nous")])
    is_statement = any(word.folded in _AUXILIARIES for word in content[1:])
    if words[-1].folded == "?" and is_statement and not _is_telling(content[0]):
        return _Reading("yes_no")
    for wanted in ("how_many", "why", "when", "where"):
        for word in content:
            if noun_kind(word.folded) == wanted:
                return _Reading(wanted, (word.lower,))
    people = [word for word in content if noun_kind(word.folded) == "who"]
    is_first_or_named = bool(people) and (people[0] is content[0] or any(word.folded == "nom" for word in content))
    if people and (is_first_or_named or people[-1] is content[-1]):
        return _Reading("who", (people[0].lower,))
    return _Reading("other")


def _is_telling(word: _Word) -> bool:
    return noun_kind(word.folded) in ("how_many", "when", "where", "why")
