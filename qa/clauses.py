"""The parts of a French question: its interrogative words, its subject, its names, its phrases of place (pure).

Rules over words, not a grammar: they find what the questions of a chat are usually made of, and None otherwise.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from qa.word_classes import word_list

__all__ = [
    "ARTICLE",
    "DETERMINERS",
    "INVERTED",
    "NAME",
    "NAME_WORD",
    "OPENING",
    "PLACES",
    "PREPOSITION",
    "WITH_PREPOSITION",
    "Asking",
    "asked_for",
    "contracted",
    "find_names",
    "find_predicated",
    "find_subject",
    "has_name",
    "has_subject",
    "is_predicate",
    "lowered",
    "raised",
    "split_question",
]

PREPOSITION = (
    r"(?:à partir de|pendant|à|a|de|d'|en|dans|par|pour|sur|sous|chez|vers|avec|sans|depuis|jusqu'à|contre|entre|selon)"
)
_WHICH = r"(?:quel(?:le)?s?|combien (?:de |d'))(?: ?[\w'’-]+)"
OPENING = re.compile(
    rf"^(?:{PREPOSITION} ?)?(?:qu'est-ce (?:que |qui |qu')|qui est-ce (?:que |qui |qu')|est-ce (?:que |qu')|{_WHICH}"
    r"|(?:pourquoi|quand|où|comment|combien|qui|que|quoi|lesquel(?:le)?s|lequel|laquelle)(?![\w'])|qu'|ou(?= [aes]))"
    r"(?: est-ce (?:que |qu'))?",
    re.IGNORECASE,
)
_CLITICS = r"(?:(?:n'|ne |s'|se |l'|le |la |les |lui |leur |y |en |m'|t'|nous |vous )*)"
INVERTED = re.compile(
    rf"(?:(?<![\w'-])|(?<=\bqu'))(?P<verb>{_CLITICS}[\w]+-(?:t-)?(?P<who>il|elle|ils|elles))\b", re.IGNORECASE
)
DETERMINERS = word_list(
    "le la les l' un une des du ce cet cette ces son sa ses leur leurs notre nos votre vos quelques"
)
NAME_WORD = r"[A-ZÀ-ÖØ-Þ][\w'’-]*"
NAME = re.compile(
    rf"(?<![\w-])(?:\d+ )?{NAME_WORD}(?:\s+(?:(?:de|du|des|la|le|d'|l'|von|van|ben|al)\s*)?{NAME_WORD})*"
    r"(?: [a-zà-ÿ]+(?:al|ale|aux|ales|aires?|iques?|aise?|ien|ienne|éen|éenne|aine?|oise?|unis?)(?![\w-]))?"
)
_ENDS_PHRASE = r"(?:et|ou|qui|que|en|à|au|aux|dans|sur|par|pour|a|chez|avec|contre|selon|de|ont|est|sont)\b"
WITH_PREPOSITION = re.compile(
    r"(?<![\w'-])(?P<preposition>en|à|au|aux|dans|sur|chez|vers|sous|par|pour|contre|avec|selon|de|du|des|d')\s*"
    r"(?P<noun>(?:l'|la |le |les |un |une )?(?:[\w-]+)"
    rf"(?: (?!{_ENDS_PHRASE}|d'|a-t)[\w'-]+|(?: (?:du|de la|de l') ?[A-ZÀ-Þ][\w-]+))*)",
    re.IGNORECASE,
)
ARTICLE = re.compile(r"(?:\bl'|\bla |\ble |\bles )$", re.IGNORECASE)
PLACES = frozenset(["en", "à", "au", "aux", "dans", "sur", "chez", "vers", "sous"])
_AFTER_VERB = re.compile(
    r"(?:s'|se |l'|n')?[\w-]+(?: (?:été|lieu|[\w-]+és?|mort|né|produit|tenu|passé|trouvé))? "
    r"(?P<subject>(?:(?:le|la|les|un|une) |l')[\w-]+(?:(?: (?:de|du|des|de la|de l'|d'|en|à|au)?)? ?[\w'-]+){0,5})$",
    re.IGNORECASE,
)
"""A verb and the noun phrase after it, as in "(Où) s'est produit l'accident de car"."""


_BEFORE_VERB = re.compile(
    r"(?P<subject>(?:les? |la |l'|une? )[\w' -]+?) (?:a|ont|est|sont|avait|avaient|était|étaient|va|vont)\b",
    re.IGNORECASE,
)
"""A noun phrase and the verb after it, as in "(Pourquoi) les pompiers sont en grève"."""
_COPULA = re.compile(r"^quel(?:le)?s? (?:est|sont|était|étaient)$", re.IGNORECASE)


class Asking(NamedTuple):
    """A question in two parts: the interrogative words, and what is asked about them."""

    opening: str
    rest: str


def split_question(bare: str) -> Asking | None:
    """Return a question as its interrogative words and the rest, or None where it does not begin with any."""
    match = OPENING.match(bare)
    if match is None:
        return None
    return Asking(match[0].strip(), bare[match.end() :].strip())


def is_predicate(rest: str) -> bool:
    """Say whether what follows the interrogative is a verb without a subject of its own, as in "Qui a annoncé …"."""
    first = re.match(r"[\w-]+'?", rest)
    if first is None or INVERTED.match(rest):
        return False
    return first[0].lower() not in DETERMINERS and not first[0][0].isupper()


def find_names(bare: str) -> list[re.Match[str]]:
    """Return the names of a question, those of its interrogative words and of dates left out."""
    asked = split_question(bare)
    start = len(bare) - len(asked.rest) if asked else 0
    found = [match for match in NAME.finditer(bare, start) if asked or match.start() > 0 or " " in match[0]]
    return [
        match for match in found if match[0].lower() not in DETERMINERS and not match[0].lower().startswith("est-ce")
    ]


def find_subject(bare: str) -> str | None:
    """Return the noun phrase that a question is about: before an inverted verb, or after a verb without a pronoun."""
    asked = split_question(bare)
    rest = asked.rest if asked else bare
    inverted = INVERTED.search(rest)
    if inverted:
        return rest[: inverted.start()].strip() or None
    match = _AFTER_VERB.match(rest) or (_BEFORE_VERB.match(rest) if asked else None)
    return match["subject"] if match else None


def find_predicated(bare: str) -> str | None:
    """Return what a question asks to be named: "la température à Montpellier" of "Quelle est …"."""
    asked = split_question(bare)
    if asked is None or _COPULA.search(asked.opening) is None:
        return None
    return asked.rest if re.match(r"(?:les? |la |l')", asked.rest, re.IGNORECASE) else None


def asked_for(bare: str) -> str | None:
    """Return the several things that a question asks for: "Quelles mesures …", "Combien de navires …"."""
    asked = split_question(bare)
    match = re.search(
        r"(?:quel(?:le)?s|combien (?:de|d')) ?(?P<noun>[\w-]+)$", asked.opening if asked else "", re.IGNORECASE
    )
    return f"les {match['noun']}" if match else None


def has_subject(text: str) -> bool:
    """Say whether a noun phrase of its own stands in what comes before a verb."""
    asked = split_question(text)
    words = re.findall(r"[\w-]+'?", asked.rest if asked else text)
    for place, word in enumerate(words):
        preceded = place > 0 and words[place - 1].lower() in (
            "de",
            "d'",
            "du",
            "des",
            "en",
            "à",
            "au",
            "aux",
            "dans",
            "par",
            "pour",
            "sur",
        )
        if not preceded and (
            word.lower() in DETERMINERS - {"l'"}
            or word[0].isupper()
            or (word.lower() == "l'" and place + 1 < len(words))
        ):
            return True
    return False


def has_name(text: str) -> bool:
    """Say whether a name stands in a text, its first word left out."""
    return any(match.start() > 0 for match in NAME.finditer(text))


def contracted(text: str) -> str:
    """Return a text in which "de le" and the like are one word, and "de" is elided before a vowel."""
    for two, one in (("de le", "du"), ("de les", "des"), ("à le", "au"), ("à les", "aux")):
        text = re.sub(rf"\b{two} ", f"{one} ", text)
    text = re.sub(r"\bd'(?=[^aeiouyhàâéèêëîïôœùûAEIOUYHÀÂÉÈÊËÎÏÔŒÙÛ])", "de ", text)
    return re.sub(r"\bde (?=[aeiouyàâéèêëîïôœùûAEIOUÀÂÉÈÊËÎÏÔŒÙÛ])", "d'", text)


def lowered(text: str) -> str:
    """Return a text with its first letter small, unless it opens an acronym."""
    return text[0].lower() + text[1:] if text[1:2].islower() or text[1:2] in "'-" else text


def raised(text: str) -> str:
    """Return a text with its first letter large."""
    return text[0].upper() + text[1:]
