"""A conversation as the visitor's own browser keeps it, and finds it again after a reload.

What comes back is anybody's text: it is read field by field, and an answer that this page did not give itself, since it
was started, is shown but cannot be judged.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from index import InputError
from qa import Answer, answer_to_dict
from qa.output import answer_from_dict

__all__ = ["KeptAnswer", "answers_of", "record_of"]

logger = logging.getLogger(__name__)

_FORMAT = 1
_MOST_TURNS = 30
_MOST_CHARACTERS = 1_000_000
"""A browser keeps some 5 MB a site."""

_KEY = secrets.token_bytes(32)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer that a browser kept.

    Attributes:
        answer: as it was given, without its timings.
        is_own: whether this page gave it, since it was started.
    """

    answer: Answer
    is_own: bool


def record_of(answers: Sequence[KeptAnswer], *, user: str | None) -> str:
    """Return the last answers as JSON, oldest first; fewer of them where they are very long, never an empty text.

    Gradio 6.31 leaves what a browser keeps as it is when it is given an empty one.

    Args:
        answers: oldest first.
        user: who is logged in, None without accounts.
    """
    turns = [_turn(kept) for kept in answers[-_MOST_TURNS:]]
    while len(record := json.dumps({"format": _FORMAT, "user": user, "turns": turns})) > _MOST_CHARACTERS:
        del turns[0]
    return record


def answers_of(kept: object, *, user: str | None) -> list[KeptAnswer]:
    """Return the answers that a browser kept; none where it kept none, another user's, or something else.

    Args:
        kept: whatever stands in the browser: of another version, changed by hand, or damaged.
        user: who is logged in, None without accounts.
    """
    if not isinstance(kept, str) or not kept or len(kept) > _MOST_CHARACTERS:
        return []
    try:
        record = json.loads(kept)
        if record["format"] != _FORMAT or record["user"] != user:
            return []
        return [
            KeptAnswer(
                answer_from_dict(turn["answer"], is_written=turn["is_written"] is True),
                is_own=hmac.compare_digest(str(turn.get("seal")).encode(), _seal(turn).encode()),
            )
            for turn in record["turns"][-_MOST_TURNS:]
        ]
    except (InputError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        logger.warning("a conversation that a browser kept cannot be read and is left out (%s)", type(error).__name__)
        return []


def _turn(kept: KeptAnswer) -> dict[str, Any]:
    turn = {"answer": answer_to_dict(kept.answer), "is_written": kept.answer.is_written}
    return turn | ({"seal": _seal(turn)} if kept.is_own else {})


def _seal(turn: dict[str, Any]) -> str:
    said = json.dumps([turn["answer"], turn["is_written"]], sort_keys=True)
    return hmac.new(_KEY, said.encode(), hashlib.sha256).hexdigest()
