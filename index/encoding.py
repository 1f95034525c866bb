"""Which encoding a text is in that is not UTF-8: Western ones are told apart by the letters and marks of French."""

from __future__ import annotations

import codecs
import re
from functools import cache
from itertools import islice
from math import log

__all__ = ["decode_as", "decode_guessed"]

_NAMES = {
    "cp1252": "cp1252 (Windows, Western Europe)",
    "iso8859-15": "iso8859-15 (Latin-9, Western Europe)",
    "mac_roman": "mac_roman (old Macintosh, Western Europe)",
    "cp850": "cp850 (DOS, Western Europe)",
}
"""The Western encodings, as warnings name them."""

# How often a character stands among those of French texts that are not ASCII, in thousandths, by rough count: only the
# order of magnitude matters. Letters of other Western languages are there so that their texts stay Western.
_FREQUENT = {
    "é": 400, "à": 100, "’": 100, "è": 80, "\xa0": 60, "ê": 40, "«": 30, "»": 30, "ç": 20, "ô": 15, "É": 12, "…": 10,
    "î": 10, "â": 10, "û": 8, "ù": 7, "—": 7, "–": 7, "À": 7, "œ": 6, "ï": 3, "“": 3, "”": 3, "°": 3, "€": 3, "ü": 2,
    "ö": 2, "ä": 2, "ë": 2, "Ê": 2, "Ç": 2, "È": 2, "‘": 1, "Î": 1, "Ô": 1, "Â": 1, "Œ": 1, "•": 1, "·": 1, "ñ": 1,
    "á": 1, "í": 1, "ó": 1, "ß": 1, "ú": 0.5, "ã": 0.5, "õ": 0.2, "Ü": 0.2, "Ö": 0.2, "Ä": 0.2, "æ": 0.2, "ÿ": 0.1,
    "Û": 0.1, "Ù": 0.1, "Ë": 0.1, "Ï": 0.1, "Æ": 0.1, "§": 0.2, "²": 0.2, "½": 0.1, "×": 0.1, "©": 0.2, "®": 0.1,
    "¿": 0.2, "¡": 0.2, "Ñ": 0.1, "Á": 0.1, "Í": 0.1, "Ó": 0.1, "Ú": 0.1, "ò": 0.1, "ì": 0.1, "å": 1, "ø": 1,
    "™": 0.1, "£": 0.1, "³": 0.1, "¼": 0.05, "¾": 0.05, "±": 0.1, "µ": 0.1,
}  # fmt: skip
_RARE = 0.01
_NEVER = 0.0005
_NEVER_WRITTEN = frozenset("¤¦¨¬¯¸ƒˆ˜†‡‰≠∞≤≥∂∑∏πΩ√≈∆◊ˉ˘˙˚˝˛ˇ⁄ıﬁﬂ") | {chr(code) for code in range(0x80, 0xA0)}
_ALONE = frozenset("àÀôÔ")  # the words à and ô
_OUT_OF_PLACE = 1 / 100

_HIGH = re.compile(rb"[\x80-\xff]")
_MAX_CHARACTERS = 2_000
_MARGIN = log(20)
"""How much likelier than cp1252 another encoding must be, all in all, to be taken."""

_WESTERN = log(0.4)
"""Least mean likelihood, in thousandths, of a Western text."""

_MIN_FOREIGN = 12
"""Fewest characters that can say that a text is not Western."""

_SAMPLE_BYTES = 2**15
_FOREIGN = (
    *("cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "iso8859_2", "iso8859_5", "iso8859_7"),
    *("koi8_r", "koi8_u", "mac_cyrillic", "cp852", "cp866", "shift_jis", "cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
"""What charset-normalizer may take a text for that is not Western."""

# The bytes that cp1252 leaves undefined become the controls of latin-1, as in browsers (WHATWG Encoding).
_TABLES = {name: "".join(bytes([byte]).decode(name, "ignore") or chr(byte) for byte in range(256)) for name in _NAMES}
_DIFFERENT = {name: {at: char for at, char in enumerate(table) if ord(char) != at} for name, table in _TABLES.items()}


def decode_as(data: bytes, label: str) -> str | None:
    """Decode bytes as a page or an e-mail says that they are; None where that is no encoding, or not theirs.

    What is called Latin-1 or ASCII is read as cp1252, as browsers do (WHATWG Encoding).
    """
    try:
        name = codecs.lookup(label.strip()).name
        if name == "iso8859-1" or (name == "ascii" and not data.isascii()):
            return _decode_western(data, "cp1252")
        text: object = data.decode(name)
    except (LookupError, ValueError):
        return None
    return text if isinstance(text, str) else None


def decode_guessed(data: bytes, *, is_whole: bool) -> tuple[str, str]:
    """Decode bytes that are not UTF-8; never fails.

    Args:
        data: the bytes.
        is_whole: whether they are a whole text; of one line of many, charset-normalizer sees too
            little, and takes too long.

    Returns:
        The text, with the line ends that it had, and the name of the encoding that it was read in.
    """
    seen = _seen(data)
    scores = {name: sum(_likelihood(name, *each) for each in seen) for name in _NAMES}
    best = max(scores, key=lambda name: scores[name] + _MARGIN * (name == "cp1252"))
    if is_whole and len(seen) >= _MIN_FOREIGN and scores[best] < _WESTERN * len(seen):
        foreign = _foreign(data)
        text = decode_as(data, foreign) if foreign else None
        if foreign and text is not None:
            return text, foreign
    return _decode_western(data, best), _NAMES[best]


def _decode_western(data: bytes, name: str) -> str:
    return data.decode("latin-1").translate(_DIFFERENT[name])


def _seen(data: bytes) -> list[tuple[int, int, int]]:
    """Return the first bytes that are not ASCII, each with its neighbours; a space stands before and after the text."""
    last = len(data) - 1
    return [
        (data[at], data[at - 1] if at else 32, data[at + 1] if at < last else 32)
        for at in (match.start() for match in islice(_HIGH.finditer(data), _MAX_CHARACTERS))
    ]


@cache  # at most 4 x 2^23, in a text some hundreds
def _likelihood(name: str, byte: int, before: int, after: int) -> float:
    """Return the logarithm of how likely a character is, in thousandths, and where it stands."""
    table = _TABLES[name]
    char, former, following = table[byte], table[before], table[after]
    share = _FREQUENT.get(char, _NEVER if char in _NEVER_WRITTEN else _RARE)
    if char.isalpha():
        is_alone = not (former.isalpha() or following.isalpha()) and char not in _ALONE
        is_within = char == "à" and following.isalpha()  # it ends words: déjà, voilà
        is_in_run = all(each.isalpha() and not each.isascii() for each in (former, following))
        is_turned = (char.isupper() and former.islower()) or (char.islower() and following.isupper())
        is_misplaced = is_alone or is_within or is_in_run or is_turned or former.isdigit()
    elif char in "’·":
        is_misplaced = not (former.isalnum() and following.isalpha())
    else:
        is_misplaced = former.isalpha() and following.isalpha()
    return log(share * (_OUT_OF_PLACE if is_misplaced else 1))


def _foreign(data: bytes) -> str | None:
    """Return the encoding that charset-normalizer takes a text for, or None."""
    from charset_normalizer import from_bytes  # noqa: PLC0415 - only those who read such texts wait for it

    first = _HIGH.search(data)
    start = max(first.start() - 100, 0) if first else 0
    sample = data[start : start + _SAMPLE_BYTES]
    if len(sample) == _SAMPLE_BYTES:  # not within a character of several bytes
        sample = sample[: max(sample.rfind(b"\n"), sample.rfind(b" ")) + 1] or sample
    try:
        best = from_bytes(sample, cp_isolation=list(_FOREIGN)).best()
    except Exception:  # noqa: BLE001 - a guess that fails is no reason to refuse a text
        return None
    return None if best is None else best.encoding
