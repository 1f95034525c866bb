"""The log of the page: for people, or one JSON object a line for what gathers the logs of many machines."""

from __future__ import annotations

import json
import logging
import time

__all__ = ["FORMATS", "QUESTIONS", "start_log"]

FORMATS = ("text", "json")

QUESTIONS = logging.getLogger("sourcier.questions")
"""One line a question: what became of it, and how long it took. Never what was asked, or by whom."""

_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def start_log(form: str) -> None:
    """Log what the page has to say.

    Args:
        form: ``text``: messages alone, those of questions left out; ``json``: time, level, logger, message and what the
            message carries, one object a line.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines() if form == "json" else logging.Formatter("%(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("sourcier").setLevel(logging.INFO)
    QUESTIONS.setLevel(logging.INFO if form == "json" else logging.WARNING)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line of JSON."""
        told = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= {name: value for name, value in vars(record).items() if name not in _KNOWN}
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)
