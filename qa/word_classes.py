"""Closed classes of French words: enough to say where a phrase may begin and end, without a tagger."""

from __future__ import annotations

__all__ = ["CLASS_OF", "word_list"]


def word_list(text: str) -> frozenset[str]:
    """Return the words of a list written as one text."""
    return frozenset(text.split())


_CLASSES = {
    "D": word_list(
        "le la les l' un une ce cet cette ces son sa ses leur leurs mon ma mes notre nos votre vos chaque"
        " plusieurs quelques tout toute tous toutes"
    ),
    "B": word_list("du des au aux"),
    "P": word_list(
        "à de d' en dans par pour sur sous chez vers avec sans depuis jusqu' jusque contre entre après avant"
        " pendant selon lors dès parmi durant malgré grâce suite outre via près devant derrière"
    ),
    "C": word_list("et ou ni mais car donc or"),
    "S": word_list("que qu' si quand lorsque lorsqu' puisque puisqu' comme parce afin tandis alors"),
    "R": word_list("qui dont où lequel laquelle lesquels lesquelles auquel duquel quoi"),
    "O": word_list(
        "il elle ils elles on je j' tu t' nous vous se s' me m' lui y c' cela ça celui celle ceux celles eux moi"
    ),
    "A": word_list(
        "est sont était étaient fut furent sera seront serait soit être été a ont avait avaient aura auront"
        " aurait avoir ait eu va vont peut peuvent doit doivent fait faire faut"
    ),
    "V": word_list(
        "ne n' pas très aussi encore déjà toujours jamais bien ainsi notamment également puis ensuite enfin alors"
    ),
    "#": word_list(
        "zéro deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt"
        " trente quarante cinquante soixante cent cents mille million millions milliard milliards dizaine"
        " dizaines douzaine quinzaine vingtaine trentaine quarantaine cinquantaine soixantaine centaine"
        " centaines millier milliers moitié tiers quart aucun aucune"
    ),
    "M": word_list("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
    "J": word_list("lundi mardi mercredi jeudi vendredi samedi dimanche hier demain aujourd'hui"),
    "T": word_list("m. mm. mme mmes mlle dr dr. pr pr. me me."),
}

CLASS_OF = {word: name for name, members in _CLASSES.items() for word in members}
"""The class of each word, lower-cased with straight apostrophes and accents; `Token` tells the letters."""
