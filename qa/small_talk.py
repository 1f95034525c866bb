"""What is said to the chatbot without asking anything of the documents (pure)."""

from __future__ import annotations

import re

from qa.question import fold

__all__ = ["reply_to"]

_GREETING = re.compile(
    r"(?:bonjour|bonsoir|salut|coucou|hello|hey|bjr|slt)(?: (?:a tous|sourcier|toi|ca va|comment ca va))*"
)
_THANKS = re.compile(
    r"(?:(?:ok|super|parfait|tres bien),? )?(?:merci|thanks)(?: (?:beaucoup|bien|a toi|a vous|pour .{1,30}))?"
)
_FAREWELL = re.compile(r"(?:au revoir|bye|a bientot|bonne (?:journee|soiree|nuit))")
_ABOUT = re.compile(
    r"(?:qui (?:es-tu|etes-vous|tu es)|tu es qui|c'est quoi (?:sourcier|ce site)|(?:a l')?aide(?:-moi)?|help"
    r"|comment (?:ca marche|tu marches|ca fonctionne)"
    r"|que (?:peux-tu|sais-tu|pouvez-vous|savez-vous) faire(?: pour moi)?"
    r"|tu (?:sais|peux) faire quoi|es-tu une? (?:ia|robot|humain|humaine|intelligence artificielle))"
)
_INSULT = re.compile(
    r"(?:(?:tu es|t'es|vous etes|espece d[e']|quel(?:le)?|gros(?:se)?|sale|pauvre) ?)*"
    r"(?:vraiment |trop |tres |completement )?"
    r"(?:nul(?:le)?|idiote?|con(?:ne)?|connard|connasse|imbecile|debile|stupide|bete|abrutie?|cretine?|naze|merde|salope"
    r"|pute|encule|inutile)"
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
    plain = " ".join(fold(text.lower().replace("’", "'")).strip(" !?.…,;:)").split())
    return next((reply for pattern, reply in _REPLIES if pattern.fullmatch(plain)), None)
