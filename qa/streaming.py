"""What a chat model sends, taken piece by piece in a way that can be stopped while it is silent.

The requests of all models run on one event loop in a thread of its own: the clients of some providers keep their
connections for the loop that opened them. A caller that closes the iterator cancels the request at once, and the
connection with it.
"""

from __future__ import annotations

import asyncio
import atexit
import queue
import threading
from collections.abc import Generator, Sequence
from functools import cache

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk

__all__ = ["SILENCE_S", "stream_pieces"]

SILENCE_S = 0.25
"""Seconds of silence after which the caller is given None, so that it can stop."""


def stream_pieces(
    model: BaseChatModel, messages: Sequence[tuple[str, str]], *, silence_s: float = SILENCE_S
) -> Generator[AIMessageChunk | None, None, None]:
    """Yield what a model sends, and None after each ``silence_s`` without anything. Closing it ends the request.

    Args:
        model: any chat model.
        messages: role and text of each.
        silence_s: seconds, above 0.

    Raises:
        Exception: whatever the model's client raises.
    """
    sent: queue.SimpleQueue[AIMessageChunk | Exception | None] = queue.SimpleQueue()
    request = asyncio.run_coroutine_threadsafe(_send(model, list(messages), sent), _loop())
    try:
        while True:
            try:
                piece = sent.get(timeout=silence_s)
            except queue.Empty:
                yield None
                continue
            if piece is None:
                return
            if isinstance(piece, Exception):
                raise piece
            yield piece
    finally:
        request.cancel()


async def _send(
    model: BaseChatModel,
    messages: list[tuple[str, str]],
    sent: queue.SimpleQueue[AIMessageChunk | Exception | None],
) -> None:
    """Put each piece, then None, or the exception that ended them."""
    try:
        async for piece in model.astream(messages):
            sent.put(piece)
    except Exception as error:  # noqa: BLE001 - raised again by the caller, in its own thread
        sent.put(error)
    else:
        sent.put(None)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return the running loop of the process, started when first asked for."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="chat-models", daemon=True)
    thread.start()

    def end() -> None:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    atexit.register(end)
    return loop
