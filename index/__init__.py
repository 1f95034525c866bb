"""Documents in, passages out: loading, splitting, embedding, storing and searching a folder of documents."""

from index.corpus import CorpusIndex, Status
from index.errors import (
    IndexDamagedError,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
    InputError,
    LoadError,
    ModelError,
    SourcierError,
    StoreError,
)
from index.plan import Progress
from index.types import Document, Hit, Passage, Sentence, Span
from index.update import UpdateReport

__all__ = [
    "CorpusIndex",
    "Document",
    "Hit",
    "IndexDamagedError",
    "IndexLockedError",
    "IndexMismatchError",
    "IndexMissingError",
    "InputError",
    "LoadError",
    "ModelError",
    "Passage",
    "Progress",
    "Sentence",
    "SourcierError",
    "Span",
    "Status",
    "StoreError",
    "UpdateReport",
]
