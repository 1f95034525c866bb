"""Whether the words of a short answer are of the kind that is asked for: a measure, a date, a name (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from qa.facts import dimension, read_facts
from qa.question import fold
from qa.question_words import noun_kind
from qa.types import Kind
from qa.word_classes import word_list

__all__ = ["FITS", "MISFIT", "UNKNOWN", "fit_of"]

FITS, UNKNOWN, MISFIT = 1.0, 0.0, -1.0

_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_NUMBERS = word_list(
    "un une deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt trente quarante"
    " cinquante soixante cent cents mille millier milliers million millions milliard milliards dizaine dizaines"
    " douzaine quinzaine vingtaine trentaine quarantaine cinquantaine centaine centaines moitie tiers quart double"
    " triple aucun aucune zero plusieurs nul"
)
_TIMES = word_list(
    "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre lundi mardi mercredi jeudi"
    " vendredi samedi dimanche hier demain aujourd'hui veille lendemain semaine semaines mois an ans annee annees jour"
    " jours journee matin matinee midi apres-midi soir soiree nuit heure heures minute minutes h printemps ete automne"
    " hiver siecle noel paques toussaint week-end weekend rentree trimestre semestre debut fin lors quand minuit"
    " avant apres depuis pendant moment instant maintenant recemment bientot prochain prochaine dernier derniere"
)
_ASKS_FOR: tuple[tuple[frozenset[str], frozenset[str]], ...] = (
    (word_list("euros euro dollars prix cout couts tarif tarifs somme montant salaire salaires amende amendes budget"
               " fortune facture loyer prime chiffre coute coutent couter couterait coutera paie paient payer paye"
               " payait gagne gagnent toucher touche depense depenses depenser remuneration caution recompense dette"),
     frozenset({"money"})),
    (word_list("pourcentage part proportion taux"), frozenset({"share"})),
    (word_list("duree temps ages age"), frozenset({"time"})),
    (word_list("distance longueur hauteur largeur profondeur altitude"), frozenset({"length"})),
    (word_list("vitesse"), frozenset({"speed"})),
    (word_list("superficie surface"), frozenset({"area"})),
    (word_list("poids pese pesent pesait"), frozenset({"weight"})),
    (word_list("temperature"), frozenset({"heat"})),
)  # fmt: skip
_PARTS = re.compile(r"\b(?:moitie|tiers|quarts?|sur (?:\d|deux|trois|quatre|cinq|dix|cent)|pour cent|majorite)\b|%")
_MEASURES: Mapping[str, re.Pattern[str]] = {
    "share": _PARTS,
    "speed": re.compile(r"\b(?:km/h|kmh|mph|nœuds?|flops|petaflops)\b|km / h"),
    "time": re.compile(r"\b\d+ ?(?:s|h|min|secondes?|minutes?|heures?)\b"),
    "money": re.compile(r"[€$£]|\b(?:euros?|dollars?|livres?|francs?|centimes?|yens?|roubles?|dirhams?|k€)\b"),
}
_CHANGES = re.compile(r"\b(?:augment|hauss|baiss|redui|reduc|rabais|grimp|recul|progress|indic)\w*")
"""Words of a change, which is told in percent as well as in its own measure."""
_AROUND = 24
"""Characters behind a span in which its unit may stand."""


def fit_of(kind: Kind, question: str, answer: str, *, after: str = "") -> float:
    """Return how well words fit what is asked for, 1 (they do), 0 (it cannot be told) or -1 (they do not).

    Args:
        kind: what is asked for.
        question: as it was understood, which tells the measure: "Quel prix …", "Combien de temps …".
        answer: the words, as they stand in the document.
        after: what stands behind them, where the unit of a bare number may be.
    """
    words = _WORD.findall(answer)
    folded = [fold(word.lower()) for word in words]
    if not words:
        return UNKNOWN
    if kind == "how_many":
        return _number_fits(question, answer, folded, after)
    if kind == "when":
        is_time = not _TIMES.isdisjoint(part for word in folded for part in (word, *word.split("-"))) or any(
            char.isdigit() for char in answer
        )
        return FITS if is_time else MISFIT
    if kind == "who":
        is_person = any(word[0].isupper() for word in words) or any(noun_kind(word) == "who" for word in folded)
        return FITS if is_person else MISFIT
    if kind == "where":
        return _place_fits(answer, words, folded)
    return UNKNOWN


def _number_fits(question: str, answer: str, folded: Sequence[str], after: str) -> float:
    is_number = any(char.isdigit() for char in answer) or not _NUMBERS.isdisjoint(
        part for word in folded for part in (word, *word.split("-"))
    )
    if not is_number:
        return MISFIT
    wanted = _dimensions(question)
    if not wanted or _CHANGES.search(fold(question.lower())):
        return FITS
    text = f"{answer}{after[:_AROUND]}"
    plain = fold(text.lower())
    if any(pattern.search(plain) for name, pattern in _MEASURES.items() if name in wanted):
        return FITS
    found = {dimension(number.unit) for number in read_facts(text).numbers if number.unit}
    return FITS if found & wanted else MISFIT


def _dimensions(question: str) -> frozenset[str]:
    """Return the measures of what a question asks how much of; empty where it counts things or does not tell."""
    words = [fold(word.lower()) for word in _WORD.findall(question)]
    for place, word in enumerate(words):
        for asking, dimensions in _ASKS_FOR:
            is_counted = place > 1 and words[place - 2] == "combien" and words[place - 1] == "de"
            if word in asking and (dimensions != {"time"} or is_counted or _is_asked(words, place)):
                return dimensions
    return frozenset()


def _is_asked(words: Sequence[str], place: int) -> bool:
    """Say whether "quel" stands right before a word: "Quel âge", "Quelle durée"."""
    return place > 0 and words[place - 1].startswith("quel")


def _place_fits(answer: str, words: Sequence[str], folded: Sequence[str]) -> float:
    if any(word[0].isupper() for word in words) or any(noun_kind(word) == "where" for word in folded):
        return FITS
    facts = read_facts(answer)
    return MISFIT if facts.numbers or facts.dates else UNKNOWN
