"""Text made safe for the page; everything that the page shows of a document or a question passes here."""

from __future__ import annotations

__all__ = ["escape", "escape_lines"]


def escape(text: str) -> str:
    """Return the text with every character that could be syntax as a numeric reference.

    Stricter than `html.escape` because the texts also pass the Markdown reader of `gr.Chatbot` and the template
    engines of `gr.HTML` (Gradio 6.31 reads ``${…}`` and ``{{…}}``): a reference is syntax to none of them, and a
    lone surrogate, which the page could not carry, becomes the replacement character. The control characters from
    U+0080 to U+009F stay: HTML reads their numbers as those of Windows-1252.
    """
    return "".join(c if c == " " or c.isalnum() or "\x80" <= c <= "\x9f" else f"&#{ord(c)};" for c in text)


def escape_lines(text: str) -> str:
    """Escape a text and keep its line breaks, as elements: a blank line would end the HTML block of a message."""
    return "<br>".join(escape(line) for line in text.split("\n"))
