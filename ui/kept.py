"""A conversation as the visitor's own browser keeps it, and finds it again after a reload."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

from index import InputError
from qa import Answer, answer_to_dict
from qa.output import answer_from_dict

__all__ = ["answers_of", "record_of"]

logger = logging.getLogger(__name__)

_FORMAT = 1
_MOST_TURNS = 30
_MOST_CHARACTERS = 1_000_000
"""A browser keeps some 5 MB a site."""


def record_of(answers: Sequence[Answer]) -> str:
    """Return the last answers as JSON, oldest first; fewer of them where they are very long, never an empty text.

    Gradio 6.31 leaves what a browser keeps as it is when it is given an empty one.
    """
    turns = [{"answer": answer_to_dict(answer), "is_written": answer.is_written} for answer in answers[-_MOST_TURNS:]]
    while len(record := json.dumps({"format": _FORMAT, "turns": turns})) > _MOST_CHARACTERS:
        del turns[0]
    return record


def answers_of(kept: object) -> list[Answer]:
    """Return the answers that a browser kept; none where it kept none, or something else.

    Args:
        kept: whatever stands in the browser: of another version, changed by hand, or damaged.
    """
    if not isinstance(kept, str) or not kept or len(kept) > _MOST_CHARACTERS:
        return []
    try:
        record = json.loads(kept)
        if record["format"] != _FORMAT:
            return []
        return [
            answer_from_dict(turn["answer"], is_written=turn["is_written"] is True)
            for turn in record["turns"][-_MOST_TURNS:]
        ]
    except (InputError, ValueError, TypeError, KeyError, RecursionError) as error:
        logger.warning("a conversation that a browser kept cannot be read and is left out (%s)", type(error).__name__)
        return []
