"""The words of the page: dates, counts, modes, stages and errors in French."""

from __future__ import annotations

from calendar import monthrange

from index import IndexDamagedError, IndexLockedError, IndexMismatchError, InputError, ModelError, SourcierError

__all__ = [
    "confidence_in_words",
    "count",
    "date_in_words",
    "error_in_words",
    "grouped",
    "mode_in_words",
    "period",
    "reason_in_words",
]

# What a reason of `index.LoadError`, or a warning, holds, and what the page says of it.
REASONS = (
    ("is not JSON", "ce n’est pas du JSON valide"),
    ('"text"', "il manque un champ « text » qui contienne du texte"),
    ("is scanned", "ce sont des images de pages : passez le fichier par une reconnaissance de texte (OCR)"),
    ("(OCR)", "ce sont des images de pages : passez le fichier par une reconnaissance de texte (OCR)"),
    ("protected by a password", "le fichier est protégé par un mot de passe : enregistrez-le sans"),
    ("an old office document", "c’est un ancien format : enregistrez le fichier en DOCX, XLSX ou PPTX"),
    ("damaged or cut off gzip", "l’archive est abîmée ou incomplète : compressez le fichier de nouveau"),
    ("damaged", "le fichier est abîmé ou incomplet"),
    ("holds no text", "il n’y a pas de texte"),
    ("which this version does not read", "ce format n’est pas lu : convertissez le fichier en texte (UTF-8)"),
    ("is empty", "il n’y a pas de texte"),
    ("too large", "c’est trop volumineux"),
    ("gzip", "l’archive est abîmée ou incomplète : compressez le fichier de nouveau"),
    ("cp1252", "lu comme du texte de Windows : si les accents sont faux, enregistrez-le en UTF-8"),
    ("folder is not there", "le dossier n’est plus là : ses documents sont gardés"),
)

NARROW_SPACE = "\u202f"

MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)

MODE_WORDS = {"bundled model": "modèle embarqué"}


def count(number: int, noun: str) -> str:
    """Write a number with its noun: ``33 483 documents``, ``1 passage``, ``0 document``."""
    return f"{grouped(number)} {noun}{'s' if number > 1 else ''}"


def grouped(number: int) -> str:
    """Write a number with its digits in groups of three."""
    return f"{number:,}".replace(",", NARROW_SPACE)


def date_in_words(date: str) -> str:
    """Write an ISO date at its own precision: ``2022``, ``octobre 2022``, ``1er octobre 2022``.

    A date of another form is shown as it is.
    """
    parts = date.split("-")
    if not all(part.isdecimal() for part in parts) or not 1 <= len(parts) <= 3:
        return date
    if len(parts) == 1:
        return date
    month = int(parts[1])
    if not 1 <= month <= 12:
        return date
    words = f"{MONTHS[month - 1]} {parts[0]}"
    if len(parts) == 2:
        return words
    day = int(parts[2])
    return f"{'1er' if day == 1 else day} {words}"


def period(first: str | None, last: str | None) -> str | None:
    """Write the days that a corpus covers, no more finely than needed; None where no document is dated.

    Args:
        first: first day covered, ISO.
        last: last day covered, ISO.
    """
    if first is None or last is None:
        return None
    if first[:4] != last[:4]:
        return f"{first[:4]} → {last[:4]}"
    if first.endswith("-01-01") and last.endswith("-12-31"):
        return first[:4]
    if first.endswith("-01") and int(last[8:]) == monthrange(int(last[:4]), int(last[5:7]))[1]:
        first, last = first[:7], last[:7]
    words = date_in_words(first)
    return words if first == last else f"{words} → {date_in_words(last)}"


def mode_in_words(mode: str) -> str:
    """Write what answers, ``extractif · bundled model``, in French; names of models stay as they are."""
    return " · ".join(MODE_WORDS.get(part, part) for part in mode.split(" · "))


def confidence_in_words(confidence: float) -> str:
    """Say how sure an answer is, from its estimated probability in [0, 1]."""
    if confidence >= 0.75:
        return "élevée"
    return "moyenne" if confidence >= 0.5 else "faible"


def reason_in_words(reason: str) -> str:
    """Say in French why something of a file could not be read as it is; a rare reason keeps its own words."""
    return next((words for sign, words in REASONS if sign in reason), reason)


def error_in_words(error: SourcierError) -> str:
    """Say in one line what happened and what is safe."""
    match error:
        case InputError():  # written for whoever asks: it says what to do
            return str(error)
        case IndexLockedError():
            happened = "Un autre programme écrit dans l’index. Rien n’a été modifié : réessayez dans un instant."
        case IndexMismatchError() | IndexDamagedError():
            happened = "L’index ne peut pas être lu. Vos documents sont intacts."
        case ModelError():
            happened = "Le modèle ne peut pas être utilisé. Vos documents et l’index sont intacts."
        case _:
            happened = "L’opération n’a pas abouti. Vos documents et l’index précédent sont intacts."
    return f"{happened} ({error})"
