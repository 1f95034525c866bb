"""Who may use the page: names and hashed passwords in a file of one line each, ``name:$argon2id$…``."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from index.errors import InputError

__all__ = ["Accounts", "set_password"]

_NAME = re.compile(r"[^\s:#]{1,64}")
_LEAST = 8
_MOST = 1_024
_MEND = "make it with `python -m ui password NAME --file FILE`"


class Accounts:
    """The accounts of a file, as they stood when it was read.

    Passwords are checked against their argon2id hashes; a name that is unknown takes as long as a wrong password.

    Args:
        path: the file.

    Raises:
        InputError: if it cannot be read, others than its owner may read it, it has no account, or a line is none.
    """

    def __init__(self, path: Path) -> None:
        self._hashes = _read(path)
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(os.urandom(16).hex())
        if not self._hashes:
            raise InputError(f"{path} has no account: {_MEND}")

    def allows(self, name: str, password: str) -> bool:
        """Say whether a name and a password belong together."""
        known = self._hashes.get(name)
        try:
            is_right = self._hasher.verify(known or self._nobody, password[:_MOST])
        except VerificationError:
            return False
        return is_right and known is not None


def set_password(path: Path, name: str, password: str) -> None:
    """Add an account, or change its password; the file is replaced whole, readable by its owner only.

    Raises:
        InputError: if the name or the password is not fit, or the file cannot be read or written.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} is no name of an account: expected 1 to 64 characters without spaces, colons and #")
    if not _LEAST <= len(password) <= _MOST:
        raise InputError(f"found a password of {len(password)} characters, expected {_LEAST} to {_MOST}")
    hashes = _read(path) if path.exists() else {}
    hashes[name] = PasswordHasher().hash(password)
    aside = path.with_name(f".{path.name}.new")
    try:
        aside.touch(mode=0o600)
        aside.write_text("".join(f"{each}:{hash_}\n" for each, hash_ in hashes.items()), encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror})") from error


def _read(path: Path) -> dict[str, str]:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}): {_MEND}") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InputError(f"{path} can be read by others than its owner: chmod 600 {path}")
    hashes: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, hash_ = line.partition(":")
        if not (_NAME.fullmatch(name) and _is_hash(hash_)) or name in hashes:
            raise InputError(f"{path}, line {number}: expected `name:$argon2id$…`, each name once; {_MEND}")
        hashes[name] = hash_
    return hashes


def _is_hash(text: str) -> bool:
    try:
        return text.startswith("$argon2id$") and PasswordHasher().check_needs_rehash(text) in (True, False)
    except InvalidHashError:
        return False
