"""Follow-up questions without a model: what a question leaves out is taken from the turn before (pure).

A follow-up leaves out its whole clause ("Pourquoi ?"), all but what changes ("Et en mer Baltique ?"), or a name ("Quand
l'a-t-il dit ?"). Each is written out as a French question, which is what is searched and what the user is shown.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from index.dates import find_date_phrase
from qa.clauses import (
    ARTICLE,
    DETERMINERS,
    INVERTED,
    NAME,
    NAME_WORD,
    OPENING,
    PLACES,
    PREPOSITION,
    WITH_PREPOSITION,
    Asking,
    asked_for,
    contracted,
    find_names,
    find_predicated,
    find_subject,
    has_name,
    has_subject,
    is_predicate,
    lowered,
    raised,
    split_question,
)
from qa.question import fold
from qa.sayings import read_saying_question
from qa.types import Kind

__all__ = ["Turn", "carry_over"]


@dataclass(frozen=True, slots=True)
class Turn:
    """What a conversation remembers of the turn before.

    Attributes:
        question: as it was understood.
        kind: what it asked for.
        short_answer: the words that answered it, or None.
    """

    question: str
    kind: Kind
    short_answer: str | None = None


_ANY_DAY = datetime.date(2020, 1, 1)
"""Words are only looked for here: which days they mean does not matter."""

_OPENER = re.compile(
    r"^(?:et|mais|alors|donc|ok|d'accord|bien|merci)[ ,]+(?:(?:alors|donc|sinon|puis|maintenant)[ ,]+)*", re.IGNORECASE
)
_BARE = re.compile(
    rf"^(?:{PREPOSITION} ?)?(?:pourquoi|quand|où|comment|combien(?: (?:de |d')[\w'-]+)?|qui|quoi"
    r"|quel(?:le)?s?(?: [\w'-]+)?|lesquel(?:le)?s|lequel|laquelle)"
    r"(?: (?:ça|cela|exactement|précisément|au juste|donc|en tout|au total))?$",
    re.IGNORECASE,
)
_ELSE = re.compile(r"^(?P<word>qui|quoi|où|quand|quel(?:le)?s?(?: [\w-]+)?) d'autres?\b", re.IGNORECASE)
_IMPERSONAL = re.compile(
    r"\b(?:y (?:a|avait|aura|eut)|faut|faudra|fallait|pleut|neige|s'agit|s'agissait|suffit"
    r"|est-(?=il (?:vrai|possible|prévu|temps|exact|certain|probable|nécessaire|utile|question)))[ -](?:t-)?il\b"
    r"|(?<!-)\bil (?:y a|faut|s'agit|est (?:vrai|possible))\b|^que s'(?:y )?est-il (?:passé|produit)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"(?<![\w-])(?P<that>qu')?(?P<who>il|elle|ils|elles)(?![\w-])", re.IGNORECASE)
_LAST_NAMED = re.compile(
    r"\b(?:ce dernier|cette dernière|ces derniers|ces dernières|celui-ci|celle-ci|ceux-ci)\b", re.IGNORECASE
)
_OWN = re.compile(r"(?<![\w'-])(?P<own>son|sa|ses|leurs?) (?P<thing>[a-zà-ÿœ][\w-]*)(?! [a-z]+ er)", re.IGNORECASE)
_TONIC = re.compile(
    r"\b(?P<word>(?:pour|avec|sans|chez|contre|de|d'|par|sur|à|selon|que|qu') ?)(?P<who>lui|elle|eux|elles)\b"
)
_DATIVE = re.compile(r"(?<![\w'-])(?:lui|leur) (?=[a-zà-ÿ]+)")
_THERE = re.compile(r"(?<![\w-])(?:y (?!a(?![\w-])|a-t-il|a-t-on|avait|aura|eut|ait)|là-bas\b)", re.IGNORECASE)
_DEMONSTRATIVE = re.compile(
    r"(?<![\w-])(?:ce|cet|cette|ces) "
    r"(?!(?:année|mois|semaine|jour|soir|matin|été|hiver|printemps|automne|fois|temps)s?\b)[a-zà-ÿ]{3}",
    re.IGNORECASE,
)
_ASKS = re.compile(r"\best-ce\b|\b(?:quoi|qui|quand|où|comment|combien|pourquoi|quel(?:le)?s?)\b", re.IGNORECASE)
_IS_IT = re.compile(r"^(?:est-ce|était-ce|c'est|c'était) (?!que |qu'|qui |quoi)", re.IGNORECASE)
_HAPPENED = re.compile(r"\by (?:a-t-il|avait-il|aura-t-il) eu\b|\bil y a eu\b", re.IGNORECASE)
_SAYING = re.compile(
    r"(?:dit|annonc|déclar|affirm|expliqu|révél|confirm|précis|ajout|répond|assur|indiqu|décid|demand|propos|vot|approuv"
    r"|autoris|interdit|ordonn)\w*",
    re.IGNORECASE,
)
"""Verbs whose object is mostly what was said or done, not a thing."""

_OBJECT = re.compile(r"(?<![\w'-])l'(?P<verb>(?:a|ont|avait|avaient|aura|auront) (?:\w+ment )?[\w-]+)", re.IGNORECASE)
_THAT_OF = re.compile(r"^(?:celui|celle|ceux|celles) (?=de |du |des |d')", re.IGNORECASE)
_IT = re.compile(
    r"(?<![\w'-])l'(?=(?:a|ai|as|ont|avait|avaient|aura|eut)\b)|(?<![\w'-])(?:cela|ça)\b|\ben (?=parle|pense|dit|a-t-)"
    r"|^(?:qui|pourquoi|comment|quand|où) (?:le|la|les) [a-zà-ÿ]+$|^qui en (?:est|sont|était|a) "
    r"|^combien (?:en|sont|étaient|ont) "
    r"|\b(?:va|vont|doit|doivent|peut|peuvent|veut|veulent) (?:le |la |les |l')\w+(?:er|ir|re)\b",
    re.IGNORECASE,
)
_SAYS_OF_IT = re.compile(r"^qu'en (?:dit|pense|disait|pensait|a dit|a pensé) (?P<who>(?!-)[^?]+)$", re.IGNORECASE)
_TALK_OF = re.compile(r"^(?:au sujet|à propos) (?:de |d')", re.IGNORECASE)


def carry_over(question: str, before: Turn) -> str | None:
    """Return a follow-up with what it leaves out, or None where it stands by itself.

    Args:
        question: as typed.
        before: the turn before it.
    """
    typed = " ".join(question.replace("’", "'").split())
    text = typed.rstrip("?!. ").strip()
    rest = _OPENER.sub("", text)
    opened = rest != text
    bare = before.question.replace("’", "'").rstrip("?!. ").strip()
    if not rest or not bare:
        return None
    if other := _ELSE.match(rest):
        return _with_other(other["word"], rest[other.end() :], bare)
    if (of_it := _SAYS_OF_IT.match(rest)) and (said := _by_other_speaker(of_it["who"], bare)):
        return said
    if _BARE.match(rest):
        return _asked_again(rest, bare, before)
    if _is_part(rest, opened=opened):
        return _exchanged(rest, bare, before)
    return _written_out(rest, bare, before)


def _by_other_speaker(who: str, before: str) -> str | None:
    """Return a question for somebody's words as one for those of another: "Qu'en pense Macron ?"; None for others."""
    asked = read_saying_question(before)
    if asked is None or not asked.topic:
        return None
    start = before.index(asked.speaker)
    opening = ARTICLE.sub("", before[:start])
    return f"{opening}{who}{before[start + len(asked.speaker) :]} ?"


_ASKS_WHICH = re.compile(r"(?:qui|quel|lequel|laquelle|combien d[e'])", re.IGNORECASE)
_WHO_IS = re.compile(rf"[Qq]ui (?:est|était|sont|étaient) (?P<name>{NAME.pattern})$")
_PERSON = re.compile(rf"{NAME_WORD}(?: \S+)* {NAME_WORD}")


# -- only the interrogative is new -----------------------------------------------------------------------------------


def _asked_again(opening: str, bare: str, before: Turn) -> str:
    """Ask what was asked before with another interrogative: "Pourquoi ?"."""
    asked = split_question(bare)
    opening = opening[0].upper() + opening[1:]
    if asked is None and (inverted := INVERTED.search(bare)) and inverted.start() > 1:
        first = bare.split(maxsplit=1)[0]
        return f"{opening} {first.lower() if first.lower() in DETERMINERS else first}{bare[len(first) :]} ?"
    if asked is None or re.match(r"combien (?:de |d')", opening, re.IGNORECASE):
        return f"{opening} : {bare} ?"
    if _ASKS_WHICH.match(asked.opening) and is_predicate(asked.rest):
        # The words asked for were the subject: the answer stands for them where it is one.
        subject = before.short_answer if before.kind == "who" else asked_for(bare)
        return f"{opening} {subject} {asked.rest} ?" if subject else f"{opening} : {bare} ?"
    return f"{opening} {asked.rest} ?"


def _with_other(word: str, rest: str, bare: str) -> str:
    asked = split_question(bare)
    return f"{word[0].upper()}{word[1:]} d'autre {(rest or (asked.rest if asked else bare)).strip()} ?"


# -- one part is exchanged -------------------------------------------------------------------------------------------


def _is_part(rest: str, *, opened: bool) -> bool:
    """Say whether a follow-up is a part of a question only: nothing that asks, and "Et" or a preposition first."""
    if OPENING.match(rest) or INVERTED.search(rest) or _ASKS.search(rest):
        return False
    words = rest.split()
    if opened:
        return len(words) <= 10 and not _PRONOUN.match(rest)
    first = words[0].lower()
    return len(words) <= 6 and (
        first in PLACES or first in ("depuis", "avant", "après", "entre", "pour", "selon", "contre")
    )


def _exchanged(part: str, bare: str, before: Turn) -> str:
    """Put a part in the place of the one that it resembles in the question before, or after its end."""
    part = _TALK_OF.sub("", part)
    if own := _OWN.match(part):
        text, named = _in_place_of_others(part, before, plural=own["own"].lower().startswith("leur"))
        return f"Qui est {text} ?" if named and before.kind == "who" else f"{bare}, {text} ?"
    if that := _THAT_OF.match(part):
        part = part[that.end() :]
        first = WITH_PREPOSITION.search(bare, len(bare) - len((split_question(bare) or Asking("", bare)).rest))
        while first and first["preposition"].lower() not in ("de", "du", "des", "d'"):
            first = WITH_PREPOSITION.search(bare, first.start() + 1)
        if first:
            after = re.sub(r"^(?: (?:(?:de|du|des|de la|de l') |d')[\w'-]+)+", "", bare[first.end() :])
            return f"{bare[: first.start()]}{part}{after} ?"
    for exchange in (_exchanged_date, _exchanged_place, _exchanged_noun, _exchanged_same, _exchanged_name):
        found = exchange(part, bare)
        if found is not None:
            return f"{found} ?"
    pronoun = re.fullmatch(r"(?:lui|elle|eux|elles)", part, re.IGNORECASE)
    if pronoun and (named := _antecedent(before, pronoun="", plural=part.lower() in ("eux", "elles"))):
        return f"{bare}, {named} ?"
    return f"{bare}, {part} ?"


def _exchanged_date(part: str, bare: str) -> str | None:
    """Exchange the date: "Et en 2019 ?"."""
    phrase = find_date_phrase(part, today=_ANY_DAY)
    if phrase is None or len(part) - (phrase.span.end - phrase.span.start) > 4:
        return None
    old = find_date_phrase(bare, today=_ANY_DAY)
    if old is not None:
        return bare[: old.span.start] + part + bare[old.span.end :]
    year, new = re.search(r"\b(?:19|20)\d\d\b", bare), re.fullmatch(r"(?:en )?((?:19|20)\d\d)", part)
    if year and new:  # "la Coupe du monde 2018"
        return bare[: year.start()] + new[1] + bare[year.end() :]
    return f"{bare} {part}"


def _exchanged_place(part: str, bare: str) -> str | None:
    """Exchange the last phrase with such a preposition: "Et en mer Baltique ?"."""
    match = WITH_PREPOSITION.match(part)
    if match is None or match.end() < len(part) - 1:
        return None
    preposition = match["preposition"].lower()
    same = (
        PLACES
        if preposition in PLACES
        else {preposition, "de", "du", "des", "d'"}
        if preposition[0] == "d"
        else {preposition}
    )
    asked = split_question(bare)
    start = len(bare) - len(asked.rest) if asked else 0
    old = [m for m in WITH_PREPOSITION.finditer(bare, start) if m["preposition"].lower() in same]
    old = [m for m in old if _before_date(m)]
    if not old:
        return f"{bare} {part}" if preposition in PLACES else None
    old = [m for m in old if m["preposition"].lower() == preposition] or old
    last = next((m for m in reversed(old) if any(map(str.isupper, _before_date(m)))), old[-1])
    return bare[: last.start()] + part + bare[last.start() + len(_before_date(last)) :].rstrip()


def _before_date(phrase: re.Match[str]) -> str:
    """Return a phrase without the date in it and what follows: "à Paris" of "à Paris le 17 novembre"."""
    date = find_date_phrase(phrase[0], today=_ANY_DAY)
    if date is None:
        return phrase[0]
    place = phrase[0][: date.span.start].rstrip()
    return place if len(place) > len(phrase["preposition"]) else ""


def _exchanged_same(part: str, bare: str) -> str | None:
    """Exchange what stands under the same noun: "Et l'affaire des écoutes ?" after "… l'affaire Benalla ?"."""
    new = re.fullmatch(r"(?:l'|la |le |les )?(?P<noun>[a-zà-ÿœ][\w-]+) (?P<which>.+)", part)
    old = new and re.search(
        rf"(?<![\w-]){re.escape(new['noun'])} (?:(?:de |du |des |d'|de la |de l')?{NAME_WORD}(?: {NAME_WORD})*)", bare
    )
    if not (new and old):
        return None
    return f"{bare[: old.start()]}{new['noun']} {new['which']}{bare[old.end() :]}"


def _exchanged_noun(part: str, bare: str) -> str | None:
    """Exchange what is counted: "Et les femmes ?" after "Combien d'hommes …"."""
    counted = re.match(r"(?P<head>combien (?:de |d'))(?P<noun>[\w-]+)", bare, re.IGNORECASE)
    match = re.fullmatch(r"(?:de |d'|les |des |combien (?:de |d'))?(?P<noun>[a-zà-ÿœ][\w-]*)", part)
    if counted is None or match is None:
        return None
    noun = match["noun"]
    return f"Combien {'d' + chr(39) if fold(noun[0]) in 'aeiouyh' else 'de '}{noun}{bare[counted.end() :]}"


def _exchanged_name(part: str, bare: str) -> str | None:
    """Exchange the last name: "Et Renault ?", "Et le Portugal ?"."""
    new = re.fullmatch(rf"(?P<article>l'|la |le |les )?(?P<name>{NAME_WORD}(?: [\w'-]+)*)", part)
    if new is None:
        return None
    old = find_names(bare)
    if not old:
        return None
    articled = [m for m in old if ARTICLE.search(bare[: m.start()])]
    if new["article"] and not articled and " " in old[-1][0]:
        return None  # "la Russie" is no person
    start, end = (articled if new["article"] and articled else old)[-1].span()
    article = ARTICLE.search(bare[:start])
    if article:
        start = article.start()
    return contracted(f"{bare[:start]}{part}{bare[end:]}")


# -- a name is left out ----------------------------------------------------------------------------------------------


def _written_out(rest: str, bare: str, before: Turn) -> str | None:
    """Put names in the place of the pronouns of a question, or return None where it has none that refer."""
    about = f", à propos de « {bare} »"
    if _IS_IT.match(rest) or (_HAPPENED.search(rest) and not has_name(rest)):
        return f"{raised(rest)}{about} ?"
    plural = bool(re.search(r"\b(?:ils|elles|eux|leurs?|ceux-ci)\b", rest, re.IGNORECASE))
    text, named = (rest, None) if _IMPERSONAL.search(rest) else _with_subject(rest, before, plural=plural)
    if named is None and (not has_name(rest) or _TONIC.search(rest) or _LAST_NAMED.search(rest)):
        text, named = _in_place_of_others(text, before, plural=plural)
    if (place := _place(before)) and (there := _THERE.search(text)):
        named = named or place
        text = (
            f"{text} ({place})"
            if there[0].strip() != "là-bas"
            else f"{text[: there.start()]}{place}{text[there.end() :]}"
        )
    if re.search(r"[«\"]", rest):
        about = ""
    elif (match := _OBJECT.search(text)) and not _SAYING.search(match["verb"]) and (thing := _thing(before)):
        text, named, about = f"{text[: match.start()]}{match['verb']} {thing}{text[match.end() :]}", thing, ""
    elif _IT.search(text) or (_DEMONSTRATIVE.search(rest) and not has_name(rest)):
        named = named or bare
    else:
        about = ""
    return None if named is None else f"{raised(text)}{about} ?"


def _with_subject(rest: str, before: Turn, *, plural: bool) -> tuple[str, str | None]:
    """Put a name before a verb whose pronoun follows it, or in the place of a pronoun that stands before its verb."""
    inverted = INVERTED.search(rest)
    if inverted:
        if has_subject(rest[: inverted.start()]):
            return rest, None
        named = _antecedent(before, pronoun=inverted["who"].lower(), plural=plural)
        if named is None:
            return rest, None
        opening = rest[: inverted.start()]
        if opening.lower().endswith("qu'"):
            opening = f"{opening[:-1]}{chr(39) if fold(named[0]).lower() in 'aeiouyh' else 'e '}"
        return f"{opening}{named} {lowered(inverted['verb'])}{rest[inverted.end() :]}", named
    pronoun = _PRONOUN.search(rest)
    if pronoun is None or NAME.search(rest[1 : pronoun.start()]) or _TONIC.search(rest):
        return rest, None
    named = _antecedent(before, pronoun=pronoun["who"].lower(), plural=plural)
    that = "que " if pronoun["that"] else ""
    return (rest, None) if named is None else (f"{rest[: pronoun.start()]}{that}{named}{rest[pronoun.end() :]}", named)


def _in_place_of_others(text: str, before: Turn, *, plural: bool) -> tuple[str, str | None]:
    """Put a name in the place of a possessive, or of a pronoun that is not the subject."""
    named = _antecedent(before, pronoun="", plural=plural)
    if named is None:
        return text, None
    of = f"d'{named}" if fold(named[0]).lower() in "aeiouyh" else f"de {named}"
    of = re.sub(r"^de (?:le|les) ", lambda m: "du " if "le " in m[0] else "des ", of)
    if match := _LAST_NAMED.search(text):
        return f"{text[: match.start()]}{named}{text[match.end() :]}", named
    if match := _TONIC.search(text):
        return f"{text[: match.start('who')]}{named}{text[match.end() :]}", named
    if match := _OWN.search(text):
        own, thing = match["own"].lower(), match["thing"]
        article = {"son": "le ", "sa": "la ", "ses": "les ", "leur": "le ", "leurs": "les "}[own]
        if article != "les " and fold(thing[0]).lower() in "aeiouy":
            article = "l'"
        return f"{text[: match.start()]}{article}{thing} {of}{text[match.end() :]}", named
    if match := _DATIVE.search(text):
        return f"{text} à {named}", named
    return text, None


def _antecedent(before: Turn, *, pronoun: str, plural: bool) -> str | None:
    """Return what a pronoun stands for: the person that answered, else the subject or the first name asked about."""
    bare = before.question.replace("’", "'").rstrip("?!. ").strip()
    known = _WHO_IS.match(bare)
    if known and not plural and (before.short_answer is None or _PERSON.fullmatch(known["name"])):
        return known["name"]
    if before.kind == "who" and before.short_answer and not plural:
        return before.short_answer
    names, subject = find_names(bare), find_subject(bare) or (find_predicated(bare) if pronoun else None)
    several = asked_for(bare) if plural and not (subject or "").startswith("les ") else None
    if several:
        return several
    if subject and _fits(subject, pronoun) and (not names or subject.count(" ") < 9):
        return subject
    if names:
        start, end = names[0].span()
        article = ARTICLE.search(bare[:start])
        return f"{article[0].lower() if article else ''}{bare[start:end]}"
    return subject or (before.short_answer if before.kind in ("who", "what") else None)


def _thing(before: Turn) -> str | None:
    """Return what "l'" stands for before a verb: what was asked about, else its last name."""
    bare = before.question.replace("’", "'").rstrip("?!. ").strip()
    subject, names = find_subject(bare), find_names(bare)
    if subject and before.kind != "who":
        return subject
    return names[-1][0] if names else None


def _fits(subject: str, pronoun: str) -> bool:
    """Say whether the gender that an article tells is that of a pronoun."""
    wrong = {
        "il": ("la ", "une ", "les "),
        "elle": ("le ", "un ", "les "),
        "ils": ("le ", "la "),
        "elles": ("le ", "la "),
    }
    return not subject.lower().startswith(wrong.get(pronoun, ()))


def _place(before: Turn) -> str | None:
    if before.kind == "where" and before.short_answer:
        return before.short_answer
    found = [m for m in WITH_PREPOSITION.finditer(before.question) if m["preposition"].lower() in PLACES]
    named = [m for m in found if any(map(str.isupper, m["noun"]))]
    return (named or found)[-1][0] if found else None
