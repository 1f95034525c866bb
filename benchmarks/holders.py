"""Who holds a function, asked of the news: ``python -m benchmarks.holders --index data/news``.

Questions that people ask first of a corpus of news, with the holder in September 2020, when the news ends; a few have
none. Prints what is wrong and the counts.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from index import CorpusIndex
from qa import Chatbot
from qa.question import fold

HOLDERS: dict[str, str | None] = {
    "Qui est le président de la Turquie ?": "Erdogan",
    "Qui est le président de l'Ukraine ?": "Zelensky",
    "Qui est le premier ministre de l'Italie ?": "Conte",
    "Qui est le président de l'Égypte ?": "Sissi",
    "Qui est le ministre des Affaires étrangères de l'Allemagne ?": "Maas",
    "Qui est le président des États-Unis ?": "Trump",
    "Qui est la première ministre de la Nouvelle-Zélande ?": "Ardern",
    "Qui est le président du Brésil ?": "Bolsonaro",
    "Qui est le président du Venezuela ?": "Maduro",
    "Quel est le premier ministre du Canada ?": "Trudeau",
    "Qui est le président de la France ?": "Macron",
    "Quel est le président de la Russie ?": "Poutine",
    "Qui est le roi du Maroc ?": "Mohammed VI",
    "Comment s'appelle la chancelière de l'Allemagne ?": "Merkel",
    "Qui est le dirigeant de la Corée du Nord ?": "Kim Jong",
    "Qui est le président de l'Iran ?": "Rohani",
    "Qui est le Premier ministre du Royaume-Uni ?": "Johnson",
    "Qui est la reine d'Angleterre ?": "Elizabeth",
    "Quel est le sélectionneur de l'équipe de France ?": "Deschamps",
    "Qui est le premier ministre israélien ?": "Netanyahu",
    "Qui est le président chinois ?": "Xi Jinping",
    "Qui est le secrétaire d'État américain ?": "Pompeo",
    "Qui est le prince héritier d'Arabie saoudite ?": "Salmane",
    "Qui est le chef de la diplomatie de la Russie ?": "Lavrov",
    "Qui est le président de la République ?": "Macron",
    "Qui est le Premier ministre ?": "Castex",
    "Qui est le ministre de l'Économie ?": "Le Maire",
    "Qui est le ministre de l'Intérieur ?": "Darmanin",
    "Qui est le ministre de la Santé ?": "Véran",
    "Qui est le maire de Paris ?": "Hidalgo",
    "Qui est le maire de Marseille ?": "Rubirola",
    "Qui préside la Commission européenne ?": "von der Leyen",
    "Qui est le patron de la SNCF ?": "Farandou",
    "Qui est le secrétaire général de l'ONU ?": "Guterres",
    "Qui est le directeur général de l'OMS ?": "Tedros",
    "Qui est le président du Rassemblement national ?": "Le Pen",
    "Qui est le président de France Télévisions ?": "Ernotte",
    "Qui est le président de la Fédération française de football ?": "Le Graët",
    "Qui est le président de la Biélorussie ?": "Loukachenko",
    "Qui est le président du Mexique ?": "Lopez Obrador",
    "Qui est le Premier ministre de la Hongrie ?": "Orban",
    "Qui est le président de la Pologne ?": "Duda",
    "Qui est le premier ministre de l'Espagne ?": "Sanchez",
    "Qui est le président de la Syrie ?": "Assad",
    "Qui est le président du Liban ?": "Aoun",
    "Qui est le premier ministre du Japon ?": "Suga",
    "Qui est le premier ministre de l'Inde ?": "Modi",
    "Qui est le président de l'Algérie ?": "Tebboune",
    "Qui entraîne le PSG ?": "Tuchel",
    "Qui est le président du Royaume-Uni ?": None,
    "Qui est le roi de Suisse ?": None,
    "Qui est le président de la Norvège ?": None,
    "Qui est le maire de Tombouctou ?": None,
}


def main() -> None:
    """Ask them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=Path("data/news"), help="index of the news")
    options = parser.parse_args()
    chatbot = Chatbot(CorpusIndex.open(options.index))
    counts = {"right": 0, "refused": 0, "wrong": 0}
    for question, wanted in HOLDERS.items():
        answer = chatbot.ask(question)
        said = answer.short_answer if answer.answered else None
        right = said is None if wanted is None else said is not None and fold(wanted.lower()) in fold(said.lower())
        outcome = "right" if right else "refused" if said is None else "wrong"
        counts[outcome] += 1
        if not right:
            print(f"{outcome}: {question} found {said}, expected {wanted}", flush=True)
    print(f"of {len(HOLDERS)}: {', '.join(f'{n} {outcome}' for outcome, n in counts.items())}")


if __name__ == "__main__":
    main()
