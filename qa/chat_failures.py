"""Why a chat model failed, told from the errors of any provider's client, in one clause for the user."""

from __future__ import annotations

import re
from collections.abc import Iterator

from index.errors import ModelError

__all__ = ["ChatModelError", "failure_of"]

_LONGEST_PAUSE_S = 20.0

_UNREACHABLE = {
    "APIConnectionError",
    "ConnectError",
    "ConnectionError",
    "ConnectionRefusedError",
    "ModelConnectionError",
}

_TOO_LONG = re.compile(
    r"context.{0,20}(?:length|window|size|limit)|maximum context|too many tokens|prompt is too long|input is too long"
    r"|exceeds? .{0,30}(?:context|token)|context_length_exceeded",
    re.IGNORECASE,
)


class ChatModelError(ModelError):
    """A chat model could not answer; what it says is a clause in French.

    Attributes:
        detail: what the client said, for the log; it never holds a key.
        passing: whether the same request may succeed later.
        retry_after: seconds that the server asks to wait, or None.
        too_long: whether the messages do not fit the model's context.
    """

    def __init__(
        self,
        clause: str,
        detail: str = "",
        *,
        passing: bool = False,
        retry_after: float | None = None,
        too_long: bool = False,
    ) -> None:
        super().__init__(clause)
        self.detail = detail
        self.passing = passing
        self.retry_after = retry_after
        self.too_long = too_long


def failure_of(error: Exception) -> ChatModelError:  # noqa: PLR0911 - one clause a kind of failure
    """Read what went wrong from an error and its causes."""
    chain = list(_causes(error))
    names = {base.__name__ for each in chain for base in type(each).__mro__}
    status = next((code for each in chain if (code := _status(each)) is not None), None)
    detail = f"{type(error).__name__}: {_without_keys(str(error).strip().partition(chr(10))[0])}"
    if status in (400, 413, 422) and _TOO_LONG.search(str(error)):
        return ChatModelError("les phrases dépassent son contexte", detail, too_long=True)
    match status:
        case 401 | 403:
            return ChatModelError(f"clé refusée (erreur {status}) ; elle se règle dans l’environnement", detail)
        case 404:
            return ChatModelError("le serveur ne connaît pas ce modèle (erreur 404)", detail)
        case 429:
            return ChatModelError(
                "le serveur refuse d’autres requêtes pour l’instant (erreur 429)", detail, passing=True,
                retry_after=_retry_after(chain),
            )  # fmt: skip
        case int() if status >= 500:
            return ChatModelError(f"erreur {status} du serveur", detail, passing=True)
        case int():
            return ChatModelError(f"requête refusée (erreur {status})", detail)
    if any("Timeout" in name for name in names):
        return ChatModelError("délai dépassé", detail)
    if names & _UNREACHABLE:
        return ChatModelError("le serveur est injoignable", detail)
    if "RemoteProtocolError" in names or "ReadError" in names:
        return ChatModelError("la connexion a été coupée", detail)
    return ChatModelError(f"erreur {type(error).__name__}", detail)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _status(error: BaseException) -> int | None:
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int) and status >= 400:
            return status
    return None


def _retry_after(chain: list[BaseException]) -> float | None:
    for error in chain:
        headers = getattr(getattr(error, "response", None), "headers", None)
        value = headers.get("retry-after") if headers is not None else None
        if value and re.fullmatch(r"\d+(?:\.\d+)?", value):
            return min(float(value), _LONGEST_PAUSE_S)
    return None


def _without_keys(text: str) -> str:
    """Return a message without what looks like a key; some servers repeat the one that they refuse."""
    return re.sub(r"\b(?:sk|pk|key|tok)[-_][\w*-]{6,}|Bearer\s+\S+", "…", text)
