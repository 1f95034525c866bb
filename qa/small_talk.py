"""What is said to the chatbot without asking anything of the documents (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.date_values import format_date
from index.status import Status
from index.types import Document
from qa.generate import escape
from qa.question import fold

__all__ = ["asks_of_the_corpus", "corpus_reply", "is_talk", "reply_to"]

_GREETING = re.compile(
    r"(?:bonjour|bonsoir|salut|coucou|hello|hey|bjr|slt)(?: (?:a tous|sourcier|toi|ca va|comment ca va))*"
)
_THANKS = re.compile(
    r"(?:(?:ok|super|parfait|tres bien),? )?(?:merci|thanks)(?: (?:beaucoup|bien|a toi|a vous|pour .{1,30}))?"
)
_FAREWELL = re.compile(r"(?:au revoir|bye|a bientot|bonne (?:journee|soiree|nuit))")
_ABOUT = re.compile(
    r"(?:(?:bonjour|bonsoir|salut),? )?"
    r"(?:qui (?:es-tu|etes-vous|tu es)|tu es qui|c'est quoi (?:sourcier|ce site)|(?:a l')?aide(?:-moi)?|help"
    r"|(?:peux-tu|pouvez-vous|pourrais-tu|pourriez-vous) m'aider|comment (?:ca marche|tu marches|ca fonctionne)"
    r"|que (?:peux-tu|sais-tu|pouvez-vous|savez-vous) faire(?: pour moi)?"
    r"|tu (?:sais|peux) faire quoi|es-tu une? (?:ia|robot|humain|humaine|intelligence artificielle))"
)
_INSULT = re.compile(
    r"(?:(?:tu es|t'es|vous etes|espece d[e']|quel(?:le)?|gros(?:se)?|sale|pauvre) ?)*"
    r"(?:vraiment |trop |tres |completement )?"
    r"(?:nul(?:le)?|idiote?|con(?:ne)?|connard|connasse|imbecile|debile|stupide|bete|abrutie?|cretine?|naze|merde|salope"
    r"|pute|encule|inutile)"
)

_DOCUMENTS = (
    r"(?:les? |des |ces |tes |vos |mes |nos )?(?:documents?|articles?|textes?|fichiers?|sources?|donnees|corpus)"
)
_KNOWN = r"(?:connais-tu|as-tu|avez-vous|connaissez-vous|y a-t-il|il y a|sont disponibles|tu connais|tu as)"
_OF_THE_CORPUS = re.compile(
    r"(?:bonjour,? )?(?:"
    rf"combien (?:de |d')?{_DOCUMENTS} {_KNOWN}(?: lus?)?"
    rf"|(?:de quoi|sur quoi) (?:parlent|portent|traitent) {_DOCUMENTS}"
    rf"|quel(?:le)?s (?:sujets|themes|documents|articles|sources) {_KNOWN}"
    rf"|quels sont les (?:sujets|themes) (?:de |d'|des ){_DOCUMENTS}"
    r"|sur quoi (?:puis-je|peut-on|je peux|on peut) (?:te |vous |t'|l')?(?:poser (?:des|une|mes) questions?|interroger)"
    rf"|de quand (?:datent|sont) {_DOCUMENTS}"
    rf"|quels? (?:est|sont) {_DOCUMENTS} (?:les? )?plus recents?"
    rf"|jusqu'(?:a|en) (?:quand|quelle (?:date|annee)) (?:vont|va) {_DOCUMENTS}"
    r")"
)

_REPLIES = (
    (_GREETING, "Bonjour ! Posez une question sur les documents : je cite les phrases qui y répondent."),
    (_THANKS, "Avec plaisir. Une autre question sur les documents ?"),
    (_FAREWELL, "À bientôt."),
    (
        _ABOUT,
        "Je cherche dans les documents les phrases qui répondent à une question, je les cite, et je dis quand il n’y en"
        " a pas. Par exemple : « Qui est le maire de Nice ? », « De quoi parle ce document ? ».",
    ),
    (
        _INSULT,
        "Je n’ai pas dû répondre comme il fallait. Dites autrement ce que vous cherchez, ou précisez un nom, un lieu,"
        " une date.",
    ),
)


def reply_to(text: str) -> str | None:
    """Return what to say to a greeting, thanks, an insult or a question about the chatbot; None for anything else."""
    plain = _plain(text)
    return next((reply for pattern, reply in _REPLIES if pattern.fullmatch(plain)), None)


def _plain(text: str) -> str:
    return " ".join(fold(text.lower().replace("’", "'")).strip(" !?.…,;:)").split())


def is_talk(text: str) -> bool:
    """Say whether a text asks nothing of what the documents say, so that its reply is no refusal."""
    return reply_to(text) is not None or asks_of_the_corpus(text)


def asks_of_the_corpus(text: str) -> bool:
    """Say whether somebody asks what documents there are, and not what they say."""
    return _OF_THE_CORPUS.fullmatch(_plain(text)) is not None


def corpus_reply(status: Status, newest: Sequence[Document]) -> str:
    """Return how many documents there are, of when, and the titles of the newest.

    Args:
        status: of the index.
        newest: documents, the newest first.
    """
    if not status.n_documents:
        return "Il n’y a aucun document."
    n = f"{status.n_documents:,}".replace(",", "\u202f")
    counted = f"Il y a {n} document{'s' if status.n_documents > 1 else ''}"
    if status.first_date and status.last_date:
        counted += f", du {format_date(status.first_date)} au {format_date(status.last_date)}"
    titles = [f"« {escape(document.title)} »" for document in newest if document.title]
    return f"{counted}." + (f" Parmi les plus récents : {', '.join(titles)}." if titles else "")
