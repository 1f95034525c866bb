"""Countries by their names and by the adjectives made of them: "président de la Turquie", "président turc" (pure).

French texts name the nation of somebody or something by an adjective as often as by the country. Where both must be
read as the same, `with_nations` puts one word in the place of either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from qa.question import fold

__all__ = ["NATION", "adjectives_of", "with_adjectives", "with_nations"]

NATION = "nation"
"""How the word that stands for a country begins."""

_CAPITAL_BEFORE = re.compile(r"[A-ZÀ-ÖØ-Þ][\w'-]* $")
_CAPITAL_BEHIND = re.compile(r" [A-ZÀ-ÖØ-Þ]")

_NATIONS = """
afghanistan: afghan afghane
afrique du sud: sud-africain
albanie: albanais
algérie: algérien
allemagne: allemand
andorre: andorran
angleterre: anglais
angola: angolais
arabie saoudite, royaume saoudien: saoudien
argentine: argentin
arménie: arménien
australie: australien
autriche: autrichien
azerbaïdjan: azerbaïdjanais azéri
bahreïn: bahreïni bahreïnien
bangladesh: bangladais
belgique: belge
bénin: béninois
biélorussie, bélarus: biélorusse bélarusse
birmanie, myanmar: birman birmane
bolivie: bolivien
bosnie, bosnie-herzégovine: bosnien
botswana: botswanais
brésil: brésilien
bulgarie: bulgare
burkina faso, burkina: burkinabé burkinabè burkinabée
burundi: burundais
cambodge: cambodgien
cameroun: camerounais
canada: canadien
catalogne: catalan catalane
centrafrique, république centrafricaine: centrafricain
chili: chilien
chine: chinois
chypre: chypriote
colombie: colombien
congo, rdc, rd congo, république démocratique du congo: congolais
corée du nord: nord-coréen
corée du sud: sud-coréen
costa rica: costaricien
côte d'ivoire: ivoirien
croatie: croate
cuba: cubain
danemark: danois
djibouti: djiboutien
écosse: écossais
égypte: égyptien
émirats arabes unis, émirats: émirati émirien
équateur: équatorien
érythrée: érythréen
espagne: espagnol
estonie: estonien
états-unis, etats-unis d'amérique, états-unis d'amérique, usa: américain
éthiopie: éthiopien
finlande: finlandais
france: français
gabon: gabonais
gambie: gambien
géorgie: géorgien
ghana: ghanéen
grèce: grec grecque
groenland: groenlandais
guatemala: guatémaltèque
guinée: guinéen
guinée équatoriale: équato-guinéen
haïti: haïtien
honduras: hondurien
hong kong: hongkongais
hongrie: hongrois
inde: indien
indonésie: indonésien
irak, iraq: irakien
iran: iranien
irlande: irlandais
irlande du nord: nord-irlandais
islande: islandais
israël: israélien
italie: italien
jamaïque: jamaïcain
japon: japonais nippon nippone
jordanie: jordanien
kazakhstan: kazakh kazakhe
kenya: kényan kenyan
kosovo: kosovar
koweït: koweïtien
lettonie: letton lettone
liban: libanais
libye: libyen
lituanie: lituanien
luxembourg: luxembourgeois
macédoine, macédoine du nord: macédonien
madagascar: malgache
malaisie: malaisien
mali: malien
malte: maltais
maroc: marocain
mauritanie: mauritanien
mexique: mexicain
moldavie: moldave
monaco: monégasque
mongolie: mongol
monténégro: monténégrin
mozambique: mozambicain
namibie: namibien
népal: népalais
nicaragua: nicaraguayen
niger: nigérien
nigeria, nigéria: nigérian nigériane
norvège: norvégien
nouvelle-zélande: néo-zélandais
ouganda: ougandais
ouzbékistan: ouzbek ouzbèke
pakistan: pakistanais
palestine: palestinien
panama: panaméen
paraguay: paraguayen
pays-bas: néerlandais hollandais
pays de galles: gallois
pérou: péruvien
philippines: philippin
pologne: polonais
porto rico: portoricain
portugal: portugais
qatar: qatari qatarien
québec: québécois
république dominicaine: dominicain
république tchèque, tchéquie: tchèque
roumanie: roumain
royaume-uni, grande-bretagne: britannique
russie, fédération de russie: russe
rwanda: rwandais
salvador: salvadorien
sénégal: sénégalais
serbie: serbe
sierra leone: sierra-léonais
singapour: singapourien
slovaquie: slovaque
slovénie: slovène
somalie: somalien
soudan: soudanais
soudan du sud: sud-soudanais
sri lanka: sri-lankais
suède: suédois
suisse: suisse helvétique
syrie: syrien
taïwan: taïwanais
tanzanie: tanzanien
tchad: tchadien
thaïlande: thaïlandais
togo: togolais
tunisie: tunisien
turquie: turc turque
ukraine: ukrainien
union européenne, ue, europe: européen
uruguay: uruguayen
venezuela: vénézuélien
vietnam, viêt nam: vietnamien
yémen: yéménite
zambie: zambien
zimbabwe: zimbabwéen
"""
"""A line a nation: its names, then its adjectives. The feminine of one that is given without it is made by rule."""


def with_nations(text: str) -> str:
    """Return a text in small letters without accents, with one and the same word for a country and its adjectives.

    "le Premier ministre néo-zélandais" and "le Premier ministre de la Nouvelle-Zélande" both hold
    ``nationnouvellezelande``, which is no part of another word. A country in the name of something else, as in "France
    Télévisions" and "Air France", stays as it is.
    """
    plain = text.replace("’", "'")
    folded = fold(plain.lower())
    if len(folded) != len(plain):
        return folded

    def read(match: re.Match[str]) -> str:
        nation = _words()[_key(match[0])]
        is_named = nation.is_name and plain[match.start()].isupper()
        if is_named and (_CAPITAL_BEFORE.search(plain[: match.start()]) or _CAPITAL_BEHIND.match(plain[match.end() :])):
            return match[0]
        return nation.word

    return _pattern().sub(read, folded)


def adjectives_of(text: str) -> list[str]:
    """Return the adjectives, masculine and feminine, of each country that a text names: "turc", "turque"."""
    found = {_words()[_key(match[0])].word for match in _pattern().finditer(fold(text.lower().replace("’", "'")))}
    return [form for names, adjectives in _nations() if _word(names[0]) in found for form in adjectives]


def with_adjectives(text: str) -> str:
    """Return a text to be searched for, with the adjectives of its countries behind it."""
    return " ".join((text, *adjectives_of(text)))


@cache
def _nations() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """Return the names and the adjectives of each nation, as written."""
    lines = (line.partition(":") for line in _NATIONS.strip().splitlines())
    return tuple(
        (tuple(names.split(", ")), tuple(dict.fromkeys(form for each in given.split() for form in _genders(each))))
        for names, _, given in lines
    )


def _genders(adjective: str) -> Iterator[str]:
    """Yield an adjective and its feminine, unless it ends in what may be one."""
    yield adjective
    if adjective.endswith(("ien", "éen", "yen")):
        yield f"{adjective}ne"
    elif adjective.endswith(("ais", "ois", "ain", "and", "rin", "tin", "pin", "ol")):
        yield f"{adjective}e"


@dataclass(frozen=True, slots=True)
class _Nation:
    """What stands for a country: its word, and whether that was its name rather than an adjective."""

    word: str
    is_name: bool


@cache
def _words() -> dict[str, _Nation]:
    """Return the nation of each name and of each form of an adjective; all folded, hyphens for spaces."""
    found = {}
    for names, adjectives in _nations():
        for form in (*adjectives, *map(_plural, adjectives), *names):
            found[_key(fold(form.lower()))] = _Nation(_word(names[0]), is_name=form in names)
    return found


def _key(folded: str) -> str:
    return folded.replace(" ", "-")


def _word(name: str) -> str:
    return f"{NATION}{re.sub(r'[^a-z]', '', fold(name.lower()))}"


def _plural(adjective: str) -> str:
    return adjective if adjective.endswith("s") else f"{adjective}s"


@cache
def _pattern() -> re.Pattern[str]:
    forms = ("[- ]".join(map(re.escape, form.split("-"))) for form in sorted(_words(), key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{'|'.join(forms)})(?![\w-])")
