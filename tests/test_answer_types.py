"""Whether words are of the kind that a question asks for."""

import pytest

from qa.answer_types import FITS, MISFIT, UNKNOWN, fit_of
from qa.question import read_question


@pytest.mark.parametrize(
    ("question", "answer", "fit"),
    [
        ("Combien de navires patrouillent ?", "plus de 30 navires", FITS),
        ("Combien de navires patrouillent ?", "une trentaine", FITS),
        ("Combien de navires patrouillent ?", "la mer Baltique", MISFIT),
        ("Combien coûte le billet ?", "12 euros", FITS),
        ("Combien coûte le billet ?", "12 €", FITS),
        ("Combien coûte le billet ?", "12 minutes", MISFIT),
        ("De combien le prix a-t-il augmenté ?", "12 %", FITS),
        ("Quelle part des élèves est revenue ?", "la moitié", FITS),
        ("Quelle part des élèves est revenue ?", "1 200 élèves", MISFIT),
        ("Combien de temps dure le trajet ?", "deux heures", FITS),
        ("Combien de temps dure le trajet ?", "30 kilomètres", MISFIT),
        ("Quel âge a la maire ?", "61 ans", FITS),
        ("Quand le pont a-t-il rouvert ?", "le 3 mai", FITS),
        ("Quand le pont a-t-il rouvert ?", "à l'automne", FITS),
        ("Quand le pont a-t-il rouvert ?", "le maire de Nice", MISFIT),
        ("Qui a rouvert le pont ?", "Anne Morel", FITS),
        ("Qui a rouvert le pont ?", "la maire", FITS),
        ("Qui a rouvert le pont ?", "trois mètres", MISFIT),
        ("Où se trouve le pont ?", "Gassin", FITS),
        ("Où se trouve le pont ?", "dans une rue voisine", FITS),
        ("Où se trouve le pont ?", "1.650 hectares", MISFIT),
        ("Où se trouve le pont ?", "là-bas", UNKNOWN),
        ("Pourquoi le pont a-t-il rouvert ?", "12 euros", UNKNOWN),
        ("Combien de navires patrouillent ?", "", UNKNOWN),
    ],
)
def test_fit(question: str, answer: str, fit: float) -> None:
    read = read_question(question)
    assert fit_of(read.kind, read.understood_as, answer) == fit


def test_a_unit_may_stand_behind_the_words() -> None:
    assert fit_of("how_many", "Combien coûte le billet ?", "12", after=" euros par personne") == FITS
    assert fit_of("how_many", "Combien coûte le billet ?", "12", after=" minutes, puis 3 euros") == FITS
    assert fit_of("how_many", "Combien coûte le billet ?", "12", after=" minutes de trajet, puis 3 euros") == MISFIT
