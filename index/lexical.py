"""The lexical index: which passages share terms with a question. The only door to tantivy.

One folder holds one generation and is never written again: `write` makes the next one beside it, sharing the
immutable segments by hard links. Terms come from our own analyzer, joined by spaces and split at spaces on
tantivy's side, so that both sides agree on every term.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import InputError, StoreError

__all__ = ["LexicalEntry", "LexicalIndex"]

_BODY, _TITLE, _PASSAGE, _FIRST_DAY, _LAST_DAY = "body", "title", "passage", "first_day", "last_day"
_HEAP_BYTES = 64_000_000
_NO_DAY = -1


@dataclass(frozen=True, slots=True)
class LexicalEntry:
    """What the lexical index holds of one passage.

    Attributes:
        passage: its number.
        body: terms of its text, in order.
        title: terms of its document's title, in order.
        days: first and last day of its document as proleptic Gregorian ordinals, or None without a date.
    """

    passage: int
    body: Sequence[str]
    title: Sequence[str]
    days: tuple[int, int] | None


class LexicalIndex:
    """Terms of passages, searched by BM25. Immutable; safe to use from several threads."""

    def __init__(self, index: Any) -> None:
        self._schema = index.schema
        self._searcher = index.searcher()

    @classmethod
    def open(cls, folder: Path) -> LexicalIndex:
        """Open the folder of a generation.

        Raises:
            StoreError: if the folder does not hold a lexical index.
        """
        import tantivy  # noqa: PLC0415

        try:
            if os.access(folder, os.W_OK):
                return cls(tantivy.Index.open(str(folder)))
            # tantivy 0.27 makes a lock file to open an index. What it has opened may be unlinked.
            with tempfile.TemporaryDirectory() as aside:
                for path in _immutable(folder):
                    Path(aside, path.name).symlink_to(path.absolute())
                return cls(tantivy.Index.open(aside))
        except (ValueError, OSError) as error:
            raise StoreError(
                f"{folder} is no lexical index ({error}): `python -m index repair` makes it again"
            ) from error

    @classmethod
    def write(
        cls, folder: Path | None, entries: Iterable[LexicalEntry], *, base: Path | None = None, removed: Sequence[int]
    ) -> LexicalIndex:
        """Write a generation and open it.

        Args:
            folder: where to; made new. None keeps the index in memory.
            entries: passages to add, consumed once.
            base: folder of the generation to start from, or None for an empty one.
            removed: numbers of passages of ``base`` to leave out.

        Raises:
            StoreError: if it cannot be written.
        """
        import tantivy  # noqa: PLC0415

        with _writing(folder):
            if folder is None:
                index = tantivy.Index(_schema())
            else:
                folder.mkdir(parents=True)
                if base is not None:
                    _share(base, folder)
                index = tantivy.Index(_schema(), path=str(folder))
            writer = index.writer(_HEAP_BYTES, 1)
        try:
            if removed:
                # Through a query: in tantivy 0.27 delete_documents_by_term does nothing for some field types.
                gone = tantivy.Query.term_set_query(index.schema, _PASSAGE, list(removed))
                with _writing(folder):
                    writer.delete_documents_by_query(gone)
            for entry in entries:
                with _writing(folder):
                    writer.add_document(_document(entry))
            with _writing(folder):
                writer.commit()
        finally:
            with _writing(folder):
                writer.wait_merging_threads()  # after a failure too: its threads go on writing files until then
        with _writing(folder):
            index.reload()
            return cls(index)

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def document_frequency(self, term: str) -> int:
        """Return how many passages hold a term in their text."""
        import tantivy  # noqa: PLC0415

        # Counted one by one: tantivy's own doc_freq counts removed passages too until their segment is merged.
        query = tantivy.Query.term_query(self._schema, _BODY, term, "freq")
        return int(self._searcher.search(query, limit=1, count=True).count)

    def numbers(self) -> list[int]:
        """Return the numbers of all passages held, sorted."""
        import tantivy  # noqa: PLC0415

        if not len(self):
            return []
        result = self._searcher.search(tantivy.Query.all_query(), limit=len(self), count=False)
        addresses = [address for _, address in result.hits]
        return sorted(self._searcher.fast_field_values(_PASSAGE, addresses))

    def search(
        self,
        terms: Sequence[str],
        *,
        k: int,
        title_boost: float,
        days: tuple[int | None, int | None] | None = None,
    ) -> list[tuple[int, float]]:
        """Return the passages that share most with the terms, best first.

        Args:
            terms: terms of the question; repeated ones count once.
            k: passages wanted, at least 1.
            title_boost: weight of a match in the title, 1.0 for the same as in the text.
            days: first and last ordinal day wanted, both included, None where open; undated passages are left out.

        Returns:
            ``(passage number, BM25)``, scores at least 0; only passages with at least one of the terms.

        Raises:
            InputError: if ``k < 1``.
        """
        import tantivy  # noqa: PLC0415

        if k < 1:
            raise InputError(f"k = {k}: expected at least 1")
        if not terms or not len(self):
            return []
        clauses = []
        for term in dict.fromkeys(terms):
            body = tantivy.Query.term_query(self._schema, _BODY, term, "freq")
            title = tantivy.Query.term_query(self._schema, _TITLE, term, "freq")
            clauses.append((tantivy.Occur.Should, body))
            clauses.append((tantivy.Occur.Should, tantivy.Query.boost_query(title, title_boost)))
        query = tantivy.Query.boolean_query(clauses)
        if days is not None:
            query = tantivy.Query.boolean_query([(tantivy.Occur.Must, query), *self._between(*days)])
        # tantivy makes room for as many as are asked for, and ends the process where there is none.
        result = self._searcher.search(query, limit=min(k, len(self)), count=False)
        numbers = self._searcher.fast_field_values(_PASSAGE, [address for _, address in result.hits])
        return [(number, float(score)) for number, (score, _) in zip(numbers, result.hits, strict=True)]

    def _between(self, since: int | None, until: int | None) -> list[tuple[Any, Any]]:
        import tantivy  # noqa: PLC0415

        integer = tantivy.FieldType.Integer
        # A passage without a date has _NO_DAY, which is before every day: the lower bound leaves it out.
        after = tantivy.Query.range_query(self._schema, _LAST_DAY, integer, lower_bound=max(since or 0, 0))
        clauses = [(tantivy.Occur.Must, tantivy.Query.const_score_query(after, 0.0))]
        if until is not None:
            before = tantivy.Query.range_query(self._schema, _FIRST_DAY, integer, upper_bound=until)
            clauses.append((tantivy.Occur.Must, tantivy.Query.const_score_query(before, 0.0)))
        return clauses


def _schema() -> Any:
    import tantivy  # noqa: PLC0415

    builder = tantivy.SchemaBuilder()
    builder.add_text_field(_BODY, tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field(_TITLE, tokenizer_name="whitespace", index_option="freq")
    for name in (_PASSAGE, _FIRST_DAY, _LAST_DAY):
        builder.add_integer_field(name, indexed=True, fast=True)
    return builder.build()


def _document(entry: LexicalEntry) -> Any:
    import tantivy  # noqa: PLC0415

    first, last = entry.days or (_NO_DAY, _NO_DAY)
    document = tantivy.Document()
    document.add_integer(_PASSAGE, entry.passage)
    document.add_text(_BODY, " ".join(entry.body))
    document.add_text(_TITLE, " ".join(entry.title))
    document.add_integer(_FIRST_DAY, first)
    document.add_integer(_LAST_DAY, last)
    return document


@contextmanager
def _writing(folder: Path | None) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError) as error:  # tantivy raises ValueError for whatever it cannot write
        raise StoreError(
            f"the lexical index {folder or 'in memory'} cannot be written ({error}): check free disk space and the "
            "rights of the folder, then try again"
        ) from error


def _share(base: Path, folder: Path) -> None:
    """Link the files of a generation into the next one; copy them where the file system has no hard links."""
    for path in _immutable(base):
        try:
            os.link(path, folder / path.name)
        except OSError:
            shutil.copy2(path, folder / path.name)


def _immutable(folder: Path) -> list[Path]:
    """Return the files of a generation, tantivy's lock files left out."""
    return [path for path in folder.iterdir() if not path.name.endswith(".lock")]
