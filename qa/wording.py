"""French words that say the same, the opposite, or nothing that could be checked: what `qa.verify` compares with."""

from __future__ import annotations

from functools import cache

from index.analyze import Analyzer
from qa.word_classes import word_list

__all__ = ["LEXICAL_NEGATIONS", "OPPOSITES", "is_empty_word", "same_word"]

_SAME = """
mort mourir meurt meurent meure décéder décès tuer assassiner assassinat périr disparu victime succomber trépas
dire déclarer affirmer indiquer annoncer expliquer estimer raconter préciser assurer souligner rappeler juger confier
publier diffuser paraître parution dévoiler révéler sortir sortie poster partager relayer mis mise ligne
arrêter interpeller arrestation interpellation appréhender
hausse augmenter augmentation progresser progression croître croissance monter montée grimper bondir
baisse baisser diminuer diminution reculer recul chute chuter réduire
accord entente entendre
commencer débuter début lancer ouvrir ouverture démarrer entamer
finir terminer fin achever clore clôture prendre
créer création fonder instaurer instauration lancer établir mettre place
vouloir souhaiter envisager compter prévoir projeter désirer espérer volonté
habiter résider vivre loger demeurer domicile
recenser compter enregistrer dénombrer totaliser relever constater afficher
film métrage
maire édile mairie municipalité
voiture véhicule automobile auto automobiliste conducteur
salarié employé travailleur
mari époux conjoint compagnon
femme épouse conjointe compagne
enfant fille fillette fils garçon adolescent adolescente mineur
parler évoquer mentionner aborder citer
quitter partir départ démissionner abandonner
revenir retour retourner rentrer retrouver
aider assister soutenir soutien appui appuyer
demander réclamer exiger solliciter appeler exhorter
dérouler lieu tenir produire survenir avoir arriver
rencontre réunion rendez-vous entretien interview audience
blesser blessé blessure
attaque attentat agression assaut
feu incendie brûler flamme
donner offrir accorder octroyer rendre redonner attribuer
obtenir recevoir recueillir accueillir toucher percevoir
battre vaincre défaite victoire gagner remporter
utiliser employer servir recourir
montrer illustrer prouver démontrer témoigner
interdire interdiction prohiber
environ près presque quasiment quelque pratiquement
personne gens habitant
prolonger prolongement prolongation reconduire poursuivre continuer
cher coûteux élevé prix coût
possible éventuel potentiel
grand important considérable fort vaste
parvenir réussir frayer arriver atteindre
diriger tête patron direction dirigeant chef commander
participer part prendre partie
imaginer concevoir élaborer
juger juge procès tribunal justice
opposer affronter face affrontement confronter rival rivalité
critiquer dénoncer attaquer épargner condamner prendre
installer poser mettre
vite rapidement tard tarder aussitôt
bonne grande
volontaire exprès délibéré
accident accidentellement involontaire
soigner soin traitement hôpital
argent somme fonds montant
loi texte projet
élection scrutin vote voter législatives
candidat candidature présenter briguer
confinement confiner
reconnaître avouer admettre
refuser rejeter
disparu disparaître disparition
concerner concerné toucher frapper
précipitation averse pluie tomber
neige neiger
promener déambuler marcher balader
devoir falloir
rester demeurer
travailler travail emploi
voir regarder regard
surnom pseudo pseudonyme
attendre prévoir attendu
devenir transformer changer
situer trouver situé
jouer rôle affiche
cinéma écran
malade maladie patient contaminer contamination infecter
nombre chiffre total
"""

_EMPTY = word_list(
    "dire dit disent disait declarer declare affirmer affirme indiquer indique annoncer annonce expliquer explique"
    " estimer estime raconter raconte preciser precise assurer assure souligner souligne rappeler"
    " rappelle ajouter ajoute"
    " rapporter rapporte avancer avance confier confie soutenir juger juge croire croit penser pense trouver trouve"
    " considerer considere source article faire fait fais font faisait faut peut peuvent pouvait pouvoir"
    " doit doivent devait"
    " devoir devrait va vont aller selon apres meme aussi encore toujours ainsi alors donc notamment"
    " egalement tout toute"
    " tous toutes etre avoir etait fut sera serait aurait agit sujet cours jour actuellement deja"
    " bientot lors cela celui"
    " celle ceux celles plusieurs quelques quelque certains certaines autre autres environ pres moment temps fois"
    " parmi dont savoir sait desormais finalement ici present titre venir vient afin grace cause"
)

OPPOSITES: tuple[tuple[frozenset[str], frozenset[str]], ...] = tuple(
    (word_list(one), word_list(other))
    for one, other in (
        ("augmente augmenter augmentation hausse progresse progresser progression monte croit croissance grimpe bondit",
         "diminue diminuer diminution baisse baisser recule reculer recul chute chuter regresse"),
        ("tot", "tard tardif tardivement"),
        ("avant prealablement", "apres"),
        ("premier premiere premiers premieres", "dernier derniere derniers dernieres"),
        ("meilleur meilleure meilleurs mieux meilleures", "pire pires pis"),
        ("nord", "sud"),
        ("gagne gagner remporte remporter victoire vainqueur", "perd perdre defaite perdu perdant"),
        ("pere", "mere"),
        ("frere", "soeur"),
        ("fils", "fille"),
        ("mari epoux", "femme epouse"),
        ("homme hommes", "femme femmes"),
        ("favorable favorables pour", "hostile hostiles defavorable defavorables contre opposes oppose"),
        ("superieur superieure superieurs", "inferieur inferieure inferieurs"),
        ("accepte accepter acceptee", "refuse refuser refusee rejette rejete"),
        ("autorise autoriser autorisee autorisation permis", "interdit interdite interdire interdiction interdits"),
        ("ouvre ouvrir ouvert ouverture rouvre rouvrir rouvrira ouvrira", "ferme fermer fermera fermeture"),
        ("interieur interieure", "exterieur exterieure"),
        ("droite", "gauche"),
        ("public publique publics", "prive privee prives"),
        ("vainqueur vainqueurs", "vaincu vaincus"),
        ("plus", "moins"),
        ("beaucoup", "peu"),
        ("rarement jamais", "souvent"),
        ("innocent innocente", "coupable coupables"),
        ("acquitte acquittee relaxe", "condamne condamnee"),
        ("vivant vivante vivants sain saine", "mort morte morts"),
        ("acheter achete achat", "vendre vend vendu vente"),
        ("rapide rapidement vite", "lent lente lentement"),
        ("jeune jeunes", "vieux vieille age agee"),
        ("majorite", "minorite"),
        ("matin", "soir"),
        ("jour", "nuit"),
        ("debut", "fin"),
        ("maximum", "minimum"),
        ("entree entrer", "sortie sortir"),
    )
)  # fmt: skip
"""Words that exclude each other where a statement has one and its source the other only."""

LEXICAL_NEGATIONS = (
    *(
        "refus",
        "rejet",
        "interdi",
        "demen",
        "oppos",
        "hostil",
        "impossib",
        "empech",
        "echou",
        "echec",
        "absen",
        "exclu",
    ),
    *(
        "renonc",
        "cess",
        "absten",
        "abstien",
        "contest",
        "inaccept",
        "incapab",
        "faute",
        "manqu",
        "evit",
        "nie",
        "defavorab",
    ),
)
"""How words begin that deny without a "ne": "refuser de répondre" is "ne pas vouloir répondre"."""

_SHARED_LETTERS = 5
"""Two terms that begin alike this far are forms of one word: "assassinat", "assassiner"."""


@cache
def _groups() -> dict[str, frozenset[int]]:
    """Return for each term the lines of `_SAME` that it stands in."""
    analyzer, found = Analyzer(), dict[str, set[int]]()
    for line, words in enumerate(_SAME.strip().splitlines()):
        for term in analyzer.terms(words):
            found.setdefault(term, set()).add(line)
    return {term: frozenset(lines) for term, lines in found.items()}


def is_empty_word(folded: str) -> bool:
    """Say whether a word adds nothing that a source could support: reporting verbs, auxiliaries, fillers."""
    return folded in _EMPTY


def same_word(one: str, other: str) -> bool:
    """Say whether two terms are the same, forms of one word, or near in meaning."""
    if one == other:
        return True
    shared = min(len(one), len(other))
    if (
        shared >= _SHARED_LETTERS
        and one[:_SHARED_LETTERS] == other[:_SHARED_LETTERS]
        and abs(len(one) - len(other)) <= 6
    ):
        return True
    if shared >= 4 and (one.startswith(other) or other.startswith(one)) and abs(len(one) - len(other)) <= 3:
        return True
    groups = _groups()
    return not groups.get(one, frozenset()).isdisjoint(groups.get(other, frozenset()))
