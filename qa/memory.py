"""Answers that were given before: the same question to the same generation has the same answer."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from qa.types import Answer

__all__ = ["AnswerMemory"]

_MOST = 512


class AnswerMemory:
    """The last answers, by what was asked. Safe to use from several threads.

    Args:
        most: answers that are remembered, at least 1; some kilobytes each.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Answer | None:
        """Return the answer of a key, None where it is not remembered."""
        with self._lock:
            answer = self._answers.get(key)
            if answer is not None:
                self._answers.move_to_end(key)
            return answer

    def put(self, key: Hashable, answer: Answer) -> None:
        """Remember an answer; the one that was used longest ago is forgotten for it."""
        with self._lock:
            self._answers[key] = answer
            self._answers.move_to_end(key)
            if len(self._answers) > self._most:
                self._answers.popitem(last=False)
