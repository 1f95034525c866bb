"""What each gesture of the Documents tab does, and what it shows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

import gradio as gr

from index import InputError, Progress, SourcierError
from index.listing import MAX_SEARCH_CHARS, DateCounts, Order
from ui.answers import render_error
from ui.desk import Desk
from ui.listing import PAGE, Found, View, render_listing
from ui.progress import Reading, render_progress
from ui.removal import plan_removal, remove
from ui.summary import render_outcome, render_removal, render_report
from ui.timeline import render_timeline
from ui.uploads import Outcome, add_uploads, discard

__all__ = ["Shelf"]

T = TypeVar("T")

Shown = tuple[object, ...]
"""Values of the components that a gesture changes."""

MAX_NUMBER = 2**62


@dataclass(frozen=True, slots=True)
class Shelf:
    """What the gestures of the Documents tab work on."""

    desk: Desk

    def show(self, view: View | None) -> Shown:
        """Show the documents of a view as they are now: (list, picture of the times, view, generation seen)."""
        view = view or View()
        try:
            generation = self.desk.corpus.generation
            found, counts = self._found(view)
            if not (found.documents or found.problems) and found.total:  # there are fewer pages than before
                view = replace(view, page=(found.total - 1) // PAGE)
                found, counts = self._found(view)
        except SourcierError as error:
            return render_error(error), "", view, None
        if found.removal is None:
            view = replace(view, removing=None)
        times = render_timeline(counts, during=view.during, scope=view.scope)
        return render_listing(view, found, read_only=self.desk.read_only), times, view, generation

    def follow(self, seen: int | None, view: View | None) -> Shown:
        """Show what others have changed since a generation, where there is something: (masthead), then `show`."""
        try:
            changed = self.desk.corpus.generation != seen
        except SourcierError:  # the next gesture says what is wrong
            changed = False
        return (self.desk.masthead(), *self.show(view)) if changed else tuple(gr.skip() for _ in range(5))

    def search(self, typed: str, order: Order, view: View | None) -> Shown:
        """Show what has every word typed, in an order: as `show`."""
        view = replace(view or View(), search=typed[:MAX_SEARCH_CHARS], page=0, removing=None)
        return self.show(replace(view, order=order))

    def turn(self, said: str, view: View | None) -> Shown:
        """Change the view as a click on the list or on the picture asks: as `show`.

        Args:
            said: JSON from the page: one of ``during``, ``kind``, ``page``, ``removing`` with its value.
            view: what the visitor looks at.
        """
        view = view or View()
        match _read(said):
            case {"during": str(during)} if len(during) <= len("2022-10"):
                scope = during if len(during) < len("2022-10") else view.scope
                again = during == view.during and during != view.scope
                view = replace(view, during=view.scope if again else during, scope=scope, kind=None, page=0)
            case {"kind": ("" | "undated" | "wider" | "unread") as kind}:
                view = replace(view, kind=kind or None, during="", scope="", page=0)
            case {"page": int(page)} if 0 <= page < MAX_NUMBER // PAGE:
                view = replace(view, page=page, removing=None)
            case {"removing": (int() | None) as number}:
                view = replace(view, removing=number)
        return self.show(view)

    def _found(self, view: View) -> tuple[Found, DateCounts]:
        """Return what the corpus holds for a view, and the counts for its picture of the times."""
        listing, first = self.desk.corpus.listing, view.page * PAGE
        everything = listing.date_counts()
        counts = listing.date_counts(view.scope) if view.scope else everything
        unread = view.kind == "unread"
        problems, n_problems = listing.problems(
            search=view.search if unread else "", first=first if unread else 0, n=PAGE
        )
        n_of = {"undated": everything.n_undated, "wider": everything.n_wider, "unread": n_problems}
        if view.kind == "unread":
            return Found((), problems, n_problems, n_of), counts
        page = listing.documents(
            search=view.search,
            during=view.during,
            when=view.kind,
            unit=everything.unit,
            order=view.order,
            first=first,
            n=PAGE,
        )
        going = next((document for document in page.documents if document.number == view.removing), None)
        removal = None if going is None else plan_removal(going, uploads=self.desk.uploads)
        return Found(page.documents, (), page.total, n_of, removal), counts

    def add(self, files: list[str] | None, view: View | None) -> Iterator[Shown]:
        """Add uploaded files, telling how each of them goes: (outcome, emptied drop zone, masthead), then `show`."""
        received = [Path(file) for file in files or ()]

        def work(tell: Callable[[Progress], None]) -> Outcome:
            try:
                return add_uploads(received, corpus=self.desk.corpus, folder=self.desk.uploads, progress=tell)
            finally:
                discard(received)

        said = ""
        for said in _told(work, render_outcome, [file.name for file in received]):
            yield said, None, *(gr.skip() for _ in range(5))
        yield said, None, self.desk.masthead(), *self.show(replace(view or View(), page=0, removing=None))

    def rebuild(self, view: View | None) -> Iterator[Shown]:
        """Bring the index up to date with its folders and files: (outcome, masthead), then `show`."""
        said = ""
        for said in _told(lambda tell: self.desk.corpus.refresh(progress=tell), render_report, []):
            yield said, *(gr.skip() for _ in range(5))
        yield said, self.desk.masthead(), *self.show(view)

    def remove(self, said: str, view: View | None) -> Shown:
        """Remove the document whose removal was confirmed: (outcome, masthead), then `show`.

        Args:
            said: JSON from the page: ``removed`` with the number of the document, and ``with_file``, whether all that
                its file gave goes with it.
            view: what the visitor looks at.
        """
        try:
            match _read(said):
                case {"removed": int(number), "with_file": bool(with_file)} if 0 < number < MAX_NUMBER:
                    done = remove(number, corpus=self.desk.corpus, uploads=self.desk.uploads, with_file=with_file)
                    outcome = render_removal(*done, with_file=with_file)
                case _:
                    raise InputError("Cette demande ne se lit pas : rien n’a été retiré.")
        except SourcierError as error:
            outcome = render_error(error)
        return outcome, self.desk.masthead(), *self.show(replace(view or View(), removing=None))


def _read(said: str) -> Any:
    """Return the value of a JSON text from the page, None where it is none."""
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        return None


def _told(
    work: Callable[[Callable[[Progress], None]], T], render: Callable[[T], str], names: Sequence[str]
) -> Iterator[str]:
    """Run some work in a thread, and yield how far it has come, at last what it gave.

    Args:
        work: takes what is to be called with each step.
        render: writes what it gave.
        names: the files that are shown one by one.
    """
    steps: SimpleQueue[Progress | None] = SimpleQueue()
    reading = Reading(tuple(names))
    yield render_progress(reading)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work, steps.put)
        future.add_done_callback(lambda _: steps.put(None))
        while (step := steps.get()) is not None:
            reading = reading.after(step)
            if steps.empty():  # else there is something newer to show
                yield render_progress(reading)
    try:
        yield render(future.result())
    except SourcierError as error:
        yield render_error(error)
