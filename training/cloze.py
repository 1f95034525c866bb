"""Questions without annotators for an extractive reader, made by rules from what recurs in a French article.

A name, number, date or place that stands in two sentences is taken out of one, which becomes the question, and is the
answer in the other (recurring span selection: Ram and others, Few-Shot Question Answering by Pretraining Span
Selection, 2021). The clause around it is put as a question with a question word before it or in its place, or cut down
to search words (cloze translation: Lewis and others, Unsupervised Question Answering by Cloze Translation, 2019).
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import pairwise

from index.analyze import Analyzer
from index.types import Span
from qa.candidates import Chunk, Token, find_chunks, read_tokens
from qa.word_classes import word_list

__all__ = ["Cloze", "cloze_questions"]

_FRONTED, _IN_PLACE = 0.85, 0.10
"""Shares of questions with the question word first and in the place of the answer; the rest are search words."""

_NO_ACCENTS, _LOWER, _TYPOGRAPHIC = 0.15, 0.10, 0.30
"""Shares of questions without accents, all in lower case, and with typographic apostrophes."""

_NEAR_COPY = 0.8
"""Share of the content words of the source from which a sentence nearly repeats it; half of these are passed over."""

_WEIGHT = {"person": 0, "place": 0, "other": -1, "date": 2, "number": 3}
"""Content words that a kind is worth in the order of mentions: the rarer kinds come first."""

_MOST_WORDS = 20
_LEAST_CONTENT = 3
_RELATIVES = 0.7
"""Share of the names before "qui" that are asked for by what follows it."""

_SHORT_QUOTE = 5
"""Tokens, the closing mark included, of a quotation that does not end the clause."""

_PASSED_OVER = 0.1
"""Share of the mentions not asked for where their clause allows no more than search words."""

_PASSED_OVER_IN_PLACE = 0.25
"""Share of the mentions not asked for where a question word was to come first and cannot."""

_MOST_OF_A_KEY = 4
"""Questions about one name, number or date in an article."""

_CLAUSE_MARKS = frozenset(",;:()[]–—-.!?…/•|q")
_CLAUSE_WORDS = word_list("mais car or")
_SENTENCE_OPENERS = frozenset(".:?!…q-–—(•")
_QUANTIFIERS = word_list("environ près plus moins quelque presque un une")
_CUTS = word_list("à en dans par pour sur chez avec sans depuis après avant pendant selon lors contre au aux et malgré")
_LOCATIVES = word_list("à en dans sur")
_NOT_UNITS = word_list(
    "autres autre premiers premières derniers dernières mêmes grands grandes petits petites nouveaux nouvelles fois"
    " prochains prochaines dernières suivants suivantes seuls seules jeunes points cas choses"
)
_NOT_NAMES = word_list(
    "premier première état etat monsieur madame celui-ci celle-ci ceux-ci dieu internet"
    " français française france-info marche république"
)
_MINISTRIES = word_list(
    "justice intérieur santé économie éducation culture travail défense armées environnement sports transports"
    " agriculture logement écologie"
)
_ADJECTIVES = word_list(
    "national nationale européen européenne français française républicain républicaine démocratique populaire"
    " constitutionnel constitutionnelle socialiste communiste saoudite islamique unis unies mondiale mondial"
    " fédéral fédérale insoumise écologique"
)
_MEDIA = word_list(
    "afp bfmtv rtl rmc cnews lci mediapart rtl bfm parisien figaro monde echos liberation express point obs jdd europe"
    " inter info bleu france2 marianne dauphine bfmtv.com reuters humanite opinion"
)
_ARTICLES = word_list("le la les l' the")
_ASKING = word_list("pourquoi comment quel quelle quels quelles combien voici voilà")
_LISTS = word_list("et ou ni")
_SAYING = word_list(
    "déclaré indiqué expliqué précisé raconte explique affirme assuré ajouté rapporte selon annoncé souligné estime"
    " confié révélé raconté affirmé estimé après alors aussi même entre notamment avant pendant ainsi également"
)
_NOT_NUMBERS = word_list("aucun aucune moitié tiers quart cent mille")
_MEASURES = word_list(
    "euros euro dollars livres % € $ £ km kilomètres mètres km/h degrés kg kilos grammes tonnes litres hectares"
    " centimètres mm millions milliards voix"
)
_DURATIONS = word_list("ans an mois semaines semaine jours jour heures heure minutes secondes années siècles")
_DAY_PARTS = word_list("soir matin après-midi")
_VAGUE_DAYS = word_list("hier demain aujourd'hui mai")
_COUNTRIES = word_list(
    "france allemagne italie espagne belgique suisse angleterre royaume-uni etats-unis chine russie japon inde bresil"
    " canada mexique algerie maroc tunisie egypte turquie syrie irak iran israel liban grece portugal pologne hongrie"
    " autriche suede norvege danemark finlande irlande ecosse ukraine australie argentine chili colombie venezuela"
    " libye mali niger senegal nigeria pakistan afghanistan indonesie thailande vietnam pays-bas luxembourg roumanie"
    " bulgarie croatie serbie qatar palestine tchad soudan somalie kenya cameroun gabon islande philippines"
)
_REGIONS = word_list(
    "ain aisne ardeche ardennes aude aveyron calvados cantal charente charente-maritime correze creuse dordogne doubs"
    " drome eure eure-et-loir finistere gard gers gironde herault ille-et-vilaine indre isere jura landes loire"
    " loire-atlantique loiret lot manche marne mayenne moselle morbihan nord oise orne pas-de-calais puy-de-dome rhone"
    " savoie haute-savoie seine-maritime seine-et-marne yvelines somme tarn var vaucluse vendee vosges essonne"
    " hauts-de-seine seine-saint-denis val-de-marne val-d'oise bretagne normandie alsace lorraine corse provence"
    " occitanie bourgogne guadeloupe martinique guyane reunion mayotte ile-de-france"
)
_CITIES = word_list(
    "paris lyon marseille toulouse nice nantes strasbourg montpellier bordeaux lille rennes reims grenoble dijon angers"
    " nimes brest tours limoges amiens metz perpignan orleans rouen caen nancy calais versailles avignon bruxelles"
    " londres berlin madrid rome geneve moscou washington new-york pekin tokyo barcelone milan vienne athenes istanbul"
)
_MALE = word_list(
    "ministre maire député sénateur candidat chanteur acteur journaliste avocat procureur joueur groupe site journal"
    " quotidien magazine parti président directeur réalisateur comédien humoriste animateur écrivain pilote entraîneur"
    " club hôpital quartier département aéroport lycée village constructeur syndicat général préfet porte-parole"
    " champion footballeur chef roi prince pape philosophe sociologue réseau film roman"
)
_FEMALE = word_list(
    "députée sénatrice candidate chanteuse actrice avocate procureure présidente directrice comédienne animatrice"
    " société entreprise chaîne ville commune région association ong agence radio marque compagnie fondation banque"
    " île province championne princesse reine romancière secrétaire série émission revue préfète"
)
_LANDS = word_list("ville commune quartier département région village île province aéroport lycée hôpital")
_BODIES = word_list(
    "groupe site journal quotidien magazine parti club constructeur syndicat réseau film roman société entreprise"
    " chaîne association ong agence radio marque compagnie fondation banque série émission revue"
)
_CONTRACTED = {"du": "de", "des": "de", "d'": "de", "au": "à", "aux": "à"}
_GENDER = {"le": "il", "un": "il", "ce": "il", "la": "elle", "une": "elle", "cette": "elle"}
_INVERTED = word_list("a va est était avait doit peut sera aura fait serait aurait")

_GROUPING = re.compile(r"(?<=\d)[.\u00a0\u202f ](?=\d{3})")
_ORDINAL = re.compile(r"\d+(?:er|ère|re|e|ème|nd|nde)$")
_YEAR = re.compile(r"(?:1\d|20)\d\d$")
_ADVERB = re.compile(r"\w+(?:[ae]mment|[aeu]llement|[aei]lement|ivement|eusement|iquement|[ai]blement|irement)$")
_TOWN = re.compile(r"sainte?-|\w+-(?:sur|en|la|le|les|sous)-")
_DEMONYM = re.compile(r"\w+(?:iens|éens|ains|ois|iennes|aines)$")
_MODIFIER = re.compile(r"\w+(?:ais|aise|aine?|ien|ienne|ique|aire|ale?|iste|ière?|if|ive|euse|oise?|ande?|ole?)$")
_PARTICIPLE = re.compile(r"\w+(?:é|ée|és|ées|ant)$")
_OF_VERB = re.compile(r"(?:é|er|ir|re|it|ait|u|e|is)$")
_VERB = re.compile(r"\w{2,}(?:ait|aient|èrent|era|ira|dra|vra|rra|aît|\w{2}ont)$")
_WORD = re.compile(r"\w+")
_SPACE_AFTER = re.compile(r"(?<=['’]) ")
_SPACE_BEFORE = re.compile(r" (?=[,.)])")
_ELIDED = re.compile(r"\b([qQ]u|[dD])e (?=[aeiouyéèêâîôœAEIOUÉÈÊ])")


@dataclass(frozen=True, slots=True)
class Cloze:
    """A question made from one part of an article, with its answer in another.

    Attributes:
        question: in French, without the words of the answer.
        answer: code points of the answer in the text of the article.
        sentence: number of the sentence of the text that holds the answer.
        source: number of the sentence that the question was made from, -1 for the title and -2 for the lead.
    """

    question: str
    answer: Span
    sentence: int
    source: int


@dataclass(frozen=True, slots=True)
class _Mention:
    """Tokens ``first`` to ``last``, both included.

    ``key`` is the same for mentions of the same thing; ``kind`` is person, place, other, number or date. ``bare`` is
    the last token of a number without the things that it counts, ``last`` elsewhere.
    """

    first: int
    last: int
    bare: int
    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class _Part:
    """The title, the lead or a sentence: its number as in `Cloze`, where it begins in the text, and what it holds."""

    number: int
    start: int
    text: str
    tokens: list[Token]
    mentions: list[_Mention]
    terms: frozenset[str]

    def raw(self, at: int) -> str:
        """The characters of one token."""
        token = self.tokens[at]
        return self.text[token.start : token.end]


@dataclass(frozen=True, slots=True)
class _Frame:
    """What is taken out with a mention, from token ``first``; words that are not there are "".

    ``which`` asks for the noun that the name belongs to: "quelle ville".
    """

    first: int
    preposition: str
    article: str
    which: str


@dataclass(frozen=True, slots=True)
class _Segment:
    """Tokens without a mark between them, and the comma and words that join them to those before; None for none."""

    joint: list[int] | None
    places: list[int]


@dataclass(frozen=True, slots=True)
class _Clause:
    """The tokens kept before and after the frame; ``loose`` where they do not make a clause that can be asked."""

    left: list[int]
    right: list[int]
    loose: bool


def cloze_questions(
    title: str, lead: str, text: str, sentences: Sequence[Span], draw: random.Random, *, most: int = 8
) -> list[Cloze]:
    """Make questions from an article; the same seed gives the same ones.

    Args:
        title: headline of the article.
        lead: standfirst, may be empty.
        text: the body; answers are spans of it.
        sentences: the sentences of the body, in order.
        draw: decides which mentions are asked for, and how.
        most: questions wanted, at least 0.

    Returns:
        At most ``most`` questions, those first that share most words with the sentence of their answer. Empty where
        nothing recurs.
    """
    parts = _read_parts(title, lead, text, sentences)
    found: defaultdict[str, list[tuple[_Part, _Mention]]] = defaultdict(list)
    for part in parts:
        for mention in part.mentions if part.number >= 0 else ():
            found[mention.key].append((part, mention))
    clozes: list[Cloze] = []
    asked: Counter[str] = Counter()
    for source, mention in _ordered(parts, found, draw):
        if len(clozes) >= most:
            break
        if asked[mention.key] >= _MOST_OF_A_KEY:
            continue
        cloze = _cloze(source, mention, found[mention.key], draw)
        if cloze is not None and all(cloze.answer != other.answer or cloze.source != other.source for other in clozes):
            asked[mention.key] += 1
            clozes.append(cloze)
    return clozes


def _ordered(
    parts: list[_Part], found: dict[str, list[tuple[_Part, _Mention]]], draw: random.Random
) -> list[tuple[_Part, _Mention]]:
    """Return the mentions that recur elsewhere, those of alike sentences first, with some chance."""
    ranked: list[tuple[float, int, _Part, _Mention]] = []
    for part in parts:
        for mention in part.mentions:
            own = _terms_of(part, mention)
            shared = [
                len((part.terms & other.terms) - own)
                for other, _ in found.get(mention.key, ())
                if other.number != part.number
            ]
            if shared and max(shared) > 0:
                weight = min(max(shared), 5) + _WEIGHT[mention.kind] - 3 * _is_medium(mention) + 4 * draw.random()
                ranked.append((-weight, len(ranked), part, mention))
    return [(part, mention) for _, _, part, mention in sorted(ranked, key=lambda row: row[:2])]


def _is_medium(mention: _Mention) -> bool:
    """Say whether a name is that of a newspaper or a station, which is quoted more often than it is the subject."""
    return mention.kind in ("person", "other") and mention.key.split()[-1] in _MEDIA


def _cloze(source: _Part, mention: _Mention, found: list[tuple[_Part, _Mention]], draw: random.Random) -> Cloze | None:
    """Ask for a mention, and answer from the sentence that shares most with the question."""
    asked = _ask(source, mention, draw)
    if asked is None:
        return None
    question, is_counted = asked
    least = 1 if "?" in question else 2
    terms = {_term(token.word) for token in read_tokens(question)} - {""}
    best: tuple[int, int, int] | None = None
    chosen: tuple[Span, int] | None = None
    for part, other in found:
        if part.number == source.number or (_is_near_copy(source, part) and draw.random() < 0.5):
            continue
        last = other.bare if is_counted else other.last
        start, end = part.tokens[other.first].start, part.tokens[last].end
        shared = len((terms & part.terms) - _terms_of(part, other))
        rank = (shared, end - start, -part.number)
        if shared >= least and (best is None or rank > best) and not _holds(question, part.text[start:end]):
            best, chosen = rank, (Span(part.start + start, part.start + end), part.number)
    if chosen is None:
        return None
    return Cloze(_roughen(question, draw), *chosen, source.number)


def _is_near_copy(source: _Part, part: _Part) -> bool:
    return len(source.terms & part.terms) > _NEAR_COPY * len(source.terms)


def _holds(question: str, answer: str) -> bool:
    """Say whether the question holds a word of the answer, function words aside."""
    words = set(_WORD.findall(_fold(question)))
    given = _WORD.findall(_fold(answer))
    return not words.isdisjoint([word for word in given if not _is_function_word(word)] or given)


def _roughen(question: str, draw: random.Random) -> str:
    """Write a question as people type it: at times without accents or capitals, with either apostrophe."""
    if draw.random() < _NO_ACCENTS:
        question = _without_accents(question)
    if draw.random() < _LOWER:
        question = question.lower()
    typographic = draw.random() < _TYPOGRAPHIC
    return question.replace("'", "’") if typographic else question.replace("’", "'")


@cache
def _analyzer() -> Analyzer:
    return Analyzer()


@lru_cache(maxsize=200_000)
def _term(word: str) -> str:
    """Return the stem of a content word, "" for function words and words of fewer than four letters."""
    if len(word) < 4 or not word[0].isalpha():
        return ""
    return next(iter(_analyzer().terms(word)), "")


@lru_cache(maxsize=200_000)
def _is_function_word(word: str) -> bool:
    return not _analyzer().terms(word)


@lru_cache(maxsize=200_000)
def _fold(text: str) -> str:
    return _without_accents(text.replace("’", "'").lower())


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text.replace("œ", "oe"))
    return unicodedata.normalize("NFC", "".join(char for char in parts if not unicodedata.combining(char)))


def _terms_of(part: _Part, mention: _Mention) -> set[str]:
    return {_term(token.word) for token in part.tokens[mention.first : mention.last + 1]}


def _read_parts(title: str, lead: str, text: str, sentences: Sequence[Span]) -> list[_Part]:
    """Return the title, the lead and the sentences with their mentions, names typed by all that surrounds them."""
    pieces = [(-1, 0, title), (-2, 0, lead)]
    pieces += [(number, span.start, text[span.start : span.end]) for number, span in enumerate(sentences)]
    read = [(read_tokens(piece), number, start, piece) for number, start, piece in pieces]
    chunks = [find_chunks(tokens) for tokens, *_ in read]
    known = _inner_capitals([tokens for tokens, *_ in read])
    names = [list(_names(row[0], row[3], found, known)) for row, found in zip(read, chunks, strict=True)]
    kinds = _kinds([(row[0], row[3], found) for row, found in zip(read, names, strict=True)])
    surnames = _surnames(kinds)
    days = _full_dates([tokens for tokens, *_ in read], chunks)
    parts = []
    for (tokens, number, start, piece), found, named in zip(read, chunks, names, strict=True):
        mentions = [replace(date, key=days.get(date.key, date.key)) for date in _dates(tokens, found)]
        mentions += _numbers(tokens, found)
        for first, last in named:
            key = _key(tokens, first, last)
            key = surnames.get(key, key)
            mentions.append(_Mention(first, last, last, kinds[key], key))
        terms = frozenset([_term(token.word) for token in tokens]) - {""}
        parts.append(_Part(number, start, piece, tokens, mentions, terms))
    return parts


def _key(tokens: list[Token], first: int, last: int) -> str:
    return _fold(" ".join(token.word for token in tokens[first : last + 1])).replace("' ", "'").replace("-", " ")


def _inner_capitals(read: list[list[Token]]) -> set[str]:
    """Return the words that stand with a capital inside a sentence, where it tells a name."""
    return {
        token.word
        for tokens in read
        for before, token in pairwise(tokens)
        if token.tag == "N" and before.tag not in _SENTENCE_OPENERS
    }


def _names(tokens: list[Token], text: str, chunks: list[Chunk], known: set[str]) -> Iterator[tuple[int, int]]:
    """Yield first and last tokens of the names; a capital that only opens a sentence makes none."""
    for chunk in chunks:
        if chunk.type != "name":
            continue
        first, last = chunk.first, chunk.last
        opens = first == 0 or tokens[first - 1].tag in _SENTENCE_OPENERS
        is_acronym = text[tokens[first].start : tokens[first].end].isupper()
        if (
            opens
            and not is_acronym
            and tokens[first].word not in known
            and _is_no_name(tokens[first].word, first, last)
        ):
            first += 1
        if first < last and first and tokens[first].word in _MINISTRIES and tokens[first - 1].tag in "DBP":
            first += 1
        is_short = first == last or (first + 1 == last and tokens[first].word in _ARTICLES)
        if is_short and last + 1 < len(tokens) and _completes(tokens[last], tokens[last + 1]):
            last += 1
        if first > last or tokens[last].end - tokens[first].start < 2:
            continue
        if first == last and (tokens[first].word in _NOT_NAMES | _MINISTRIES or _DEMONYM.match(tokens[first].word)):
            continue
        if first == last and first > 0 and tokens[first - 1].word in ("les", "des", "aux", "ces", "deux"):
            continue  # "les Français", "des Parisiens"
        yield first, last


def _completes(token: Token, after: Token) -> bool:
    """Say whether the word after a short name belongs to it: "Front national", "Europe 1"."""
    return after.word in _ADJECTIVES or (token.word in ("europe", "france") and bool(re.fullmatch(r"\d", after.word)))


def _is_no_name(word: str, first: int, last: int) -> bool:
    """Say whether the first word of a sentence is not part of a name: it stands alone, or looks like a participle."""
    return first == last or bool(_PARTICIPLE.match(word))


def _kinds(read: list[tuple[list[Token], str, list[tuple[int, int]]]]) -> defaultdict[str, str]:
    """Return whether each name is a person, a place or other, by what stands before it throughout the article."""
    votes: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for tokens, text, names in read:
        for first, last in names:
            key = _key(tokens, first, last)
            for kind, weight in _evidence(tokens, text, first, last):
                votes[key][kind] += weight
    kinds: defaultdict[str, str] = defaultdict(lambda: "other")
    for key, counts in votes.items():
        kinds[key] = max(counts, key=lambda kind: counts[kind])
    return kinds


def _evidence(tokens: list[Token], text: str, first: int, last: int) -> Iterator[tuple[str, float]]:
    """Yield what one mention of a name says of its kind, with a weight."""
    raw = text[tokens[first].start : tokens[last].end]
    folded = _fold(raw)
    before = tokens[first - 1] if first else None
    word = before.word if before else ""
    further = tokens[first - 2].word if first > 1 else ""
    yield "other", 0.1
    if folded in _COUNTRIES or folded in _REGIONS or folded in _CITIES:
        yield "place", 6
    elif _TOWN.match(folded):
        yield "place", 2
    if (raw.isupper() and len(raw) > 1) or any(char.isdigit() for char in raw):
        yield "other", 3
    elif first < last and (tokens[first].word in _ARTICLES or not _COUNTRIES.isdisjoint(folded.split())):
        yield "other", 2
    if word in ("à", "en") and further not in ("grâce", "face", "quant"):
        yield "place", 1 if first < last else 2.5 if word == "en" else 2
    elif (word in ("au", "aux") and first == last) or (further == "dans" and word in ("le", "la", "l'", "les")):
        yield "place", 2
    elif word == "(" and tokens[last + 1 : last + 2] and tokens[last + 1].word == ")":
        yield "place", 1
    elif before is not None and before.tag in "DB":
        yield "other", 1
    elif before is not None and (before.tag == "T" or word in _MALE | _FEMALE):
        yield ("place" if word in _LANDS else "other" if word in _BODIES else "person"), 4
    elif first < last and last - first < 4 and not any(t.word in ("la", "des", "du", "d'") for t in tokens[first:last]):
        yield "person", 2
    after = tokens[last + 1 : last + 4]
    if len(after) == 3 and after[0].word == "," and after[1].tag == "#" and after[2].word == "ans":
        yield "person", 4
    if after and after[0].tag == "A" and (before is None or before.tag in _SENTENCE_OPENERS):
        yield "person", 1


def _surnames(kinds: defaultdict[str, str]) -> dict[str, str]:
    """Return the full name of each surname that only one person of the article has."""
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for key, kind in kinds.items():
        words = key.split()
        if kind == "person" and len(words) > 1:
            owners[words[-1]].add(key)
    taken = {key for key, kind in kinds.items() if kind == "place"}
    return {name: min(keys) for name, keys in owners.items() if len(keys) == 1 and name not in taken}


def _dates(tokens: list[Token], chunks: list[Chunk]) -> Iterator[_Mention]:
    """Yield days, months, years and hours; the key is the day and month where both are told."""
    for chunk in chunks:
        if chunk.type not in ("date", "clock"):
            continue
        inside = tokens[chunk.first : chunk.last + 1]
        last = chunk.last
        if len(inside) == 1 and chunk.type == "date":
            if inside[0].word in _VAGUE_DAYS or not _is_date_alone(tokens, chunk.first):
                continue
            if inside[0].tag == "J" and last + 1 < len(tokens) and tokens[last + 1].word in _DAY_PARTS:
                last += 1
        yield _Mention(chunk.first, last, last, "date", _date_key(inside))


def _date_key(inside: list[Token]) -> str:
    month = next((at for at, token in enumerate(inside) if token.tag == "M"), 0)
    has_day = month > 0 and inside[month - 1].tag == "#"
    return _fold(" ".join(token.word for token in (inside[month - 1 : month + 1] if has_day else inside)))


def _full_dates(read: list[list[Token]], chunks: list[list[Chunk]]) -> dict[str, str]:
    """Return the key of the one date of the article that falls on a day of the week, for each such day."""
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for tokens, found in zip(read, chunks, strict=True):
        for chunk in found:
            if chunk.type == "date" and chunk.first < chunk.last and tokens[chunk.first].tag == "J":
                owners[tokens[chunk.first].word].add(_date_key(tokens[chunk.first : chunk.last + 1]))
    return {day: min(keys) for day, keys in owners.items() if len(keys) == 1}


def _is_date_alone(tokens: list[Token], at: int) -> bool:
    """Say whether a lone day, month or number is a date: a number must follow "en", "depuis" or another such word."""
    if tokens[at].tag != "#":
        return tokens[at].tag in "JM"
    before = tokens[at - 1].word if at else ""
    return before in ("en", "depuis", "fin", "début", "dès", "avant", "après", "année", "l'année", "jusqu'en", "été")


def _numbers(tokens: list[Token], chunks: list[Chunk]) -> Iterator[_Mention]:
    """Yield numbers with their unit or with what they count."""
    dated = {at for chunk in chunks if chunk.type == "date" for at in range(chunk.first, chunk.last + 1)}
    for chunk in chunks:
        if chunk.type != "amount":
            continue
        number = next(at for at in range(chunk.first, chunk.last + 1) if tokens[at].tag == "#")
        words = [token.word for token in tokens[number : chunk.last + 1]]
        unit = tokens[chunk.last]
        is_measure = unit.word in _MEASURES or unit.word in _DURATIONS
        if unit.tag not in "w%" or unit.word in _NOT_UNITS or (len(unit.word) < 2 and unit.tag == "w"):
            continue
        if words[0] in _NOT_NUMBERS or _ORDINAL.match(words[0]) or (number in dated and not is_measure):
            continue
        first = chunk.first
        while first < number and tokens[first].word not in _QUANTIFIERS:
            first += 1
        bare = chunk.last - (0 if is_measure else 2 if tokens[chunk.last - 1].tag == "P" else 1)
        yield _Mention(first, chunk.last, bare, "number", _GROUPING.sub("", _fold(" ".join(words))))


def _ask(part: _Part, mention: _Mention, draw: random.Random) -> tuple[str, bool] | None:
    """Return a question for a mention, and whether it names what a number counts; None where too little is left."""
    frame = _frame(part.tokens, mention)
    if frame.preposition == "entre":
        return None
    relative = _relative(part.tokens, mention)
    if relative and draw.random() < _RELATIVES:
        frame = _Frame(mention.first, "", "", "")
        clause = _shortened(part.tokens, [], relative, False, draw)
    else:
        clause = _clause(part, mention, frame, draw)
    if sum(bool(_term(part.tokens[at].word)) for at in clause.left + clause.right) < _LEAST_CONTENT:
        return None
    if clause.loose and draw.random() < _PASSED_OVER:
        return None
    form = draw.random()
    words: list[str] | None = None
    if not clause.loose and form < _FRONTED:
        words = _fronted(part, mention, frame, clause, draw)
    if not clause.loose and words is None and form < _FRONTED and draw.random() < _PASSED_OVER_IN_PLACE:
        return None
    if not clause.loose and words is None and form < _FRONTED + _IN_PLACE:
        words = _in_place(part, mention, frame, clause, draw)
    is_counted = words is not None and mention.bare < mention.last
    if words is None:
        question = _keywords(part, mention, clause, draw)
    else:
        question = _sentence(words) + draw.choice((" ?", " ?", " ?", "?", ""))
    n_terms = len({_term(token.word) for token in read_tokens(question)} - {""})
    return (question, is_counted) if n_terms >= _LEAST_CONTENT else None


def _frame(tokens: list[Token], mention: _Mention) -> _Frame:
    """Return what belongs to a mention before it: "dans la ville", "le ministre", "depuis"."""
    at = mention.first
    article = preposition = which = ""
    if mention.kind in ("person", "place", "other"):
        at -= bool(at and tokens[at - 1].tag == "T")
        at, which = _described(tokens, at)
        if which and mention.kind == "person" and at > 1 and tokens[at - 2].tag in "PB" and not _has_role(tokens[at]):
            at, which = mention.first, ""
    if at and tokens[at - 1].tag == "D":
        at -= 1
        article = tokens[at].word
    if at and tokens[at - 1].tag in "BP":
        at -= 1
        preposition = _CONTRACTED.get(tokens[at].word, tokens[at].word)
        if at and tokens[at - 1].word == "jusqu'":
            at -= 1
            preposition = "jusqu'à"
    return _Frame(at, preposition, article, which)


def _has_role(token: Token) -> bool:
    return token.word in _MALE or token.word in _FEMALE


def _described(tokens: list[Token], at: int) -> tuple[int, str]:
    """Return where the noun of a name begins and how to ask for it: "quel acteur américain"; "" without a noun."""
    for n_words in (1, 2):
        first = at - n_words
        if first < 1 or tokens[first].tag != "w" or (n_words == 2 and not _MODIFIER.match(tokens[at - 1].word)):
            break
        noun = " ".join(token.word for token in tokens[first:at])
        article = tokens[first - 1].word
        if tokens[first].word in _FEMALE or article in ("la", "une", "cette", "sa"):
            return first, f"quelle {noun}"
        if tokens[first].word in _MALE or article in ("le", "un", "ce", "du", "au", "son"):
            return first, f"quel {noun}"
    return at, ""


def _clause(part: _Part, mention: _Mention, frame: _Frame, draw: random.Random) -> _Clause:
    """Return the clause around a mention, drawn on until enough is left, shortened by chance."""
    tokens = part.tokens
    segments = _segments(tokens, mention)
    here = next(n for n, segment in enumerate(segments) if mention.first in segment.places)
    left = [at for at in segments[here].places if at < frame.first]
    right = [at for at in segments[here].places if at > mention.last]
    before, after = segments[: here + 1], segments[here + 1 :]
    if not left and not right:
        right = [] if frame.preposition else _past_apposition(tokens, after)
        if not right and after and after[0].joint is not None and tokens[after[0].joint[0]].word == ",":
            right = list(after.pop(0).places)
    while len(before) > 1 and _is_wanting(tokens, left, right) and (joint := before[-1].joint) is not None:
        before.pop()
        left = [*before[-1].places, *(joint if tokens[left[0]].tag != "A" or len(joint) > 1 else ()), *left]
    loose = False
    while after and _n_terms(tokens, left + right) < _LEAST_CONTENT:
        loose = loose or after[0].joint is None
        right += [*(after[0].joint or ()), *after.pop(0).places]
    while len(before) > 1 and _n_terms(tokens, left + right) < _LEAST_CONTENT:
        before.pop()
        left, loose = before[-1].places + left, True
    if right and tokens[right[0]].word in _LISTS:
        loose, right = loose or tokens[right[1 % len(right)]].tag in "NDTB#P", []
    return _shortened(tokens, left, right, loose or bool(left and tokens[left[-1]].word in _LISTS), draw)


def _is_wanting(tokens: list[Token], left: list[int], right: list[int]) -> bool:
    """Say whether a clause needs what stands before it, and may have it."""
    is_short = len(left) + len(right) < _MOST_WORDS - 6
    return is_short and bool(left) and (_lacks_subject(tokens, left) or _n_terms(tokens, left + right) < _LEAST_CONTENT)


def _relative(tokens: list[Token], mention: _Mention) -> list[int]:
    """Return the relative clause of which a name is the subject, less its "qui"; empty where there is none."""
    at = mention.last + 1
    at += bool(tokens[at : at + 1] and tokens[at].word == ",")
    if mention.kind in ("date", "number") or not tokens[at : at + 1] or tokens[at].word != "qui":
        return []
    return next((segment.places for segment in _segments(tokens, mention) if segment.places[0] == at + 1), [])


def _past_apposition(tokens: list[Token], after: list[_Segment]) -> list[int]:
    """Return the predicate that an apposition parts from its subject, none where it does not.

    "Claire Fontaine, maire de la ville, a inauguré" goes on with "a inauguré", which leaves ``after`` with all before.
    """
    for n, segment in enumerate(after[:2]):
        if not segment.joint or tokens[segment.joint[0]].word != ",":
            break
        if _is_verbal(tokens[segment.places[0]]):
            del after[: n + 1]
            return list(segment.places)
    return []


def _n_terms(tokens: list[Token], places: list[int]) -> int:
    return sum(bool(_term(tokens[at].word)) for at in places)


def _is_verb(tokens: list[Token], at: int) -> bool:
    """Say whether a word looks like a verb: an auxiliary, or a past or future ending where no article precedes."""
    token = tokens[at]
    if token.tag == "A":
        return True
    return token.tag == "w" and bool(_VERB.match(token.word)) and (at == 0 or tokens[at - 1].tag not in "DBP#")


def _is_verbal(token: Token) -> bool:
    return token.tag == "A" or token.word in ("s'", "se", "ne", "n'")


def _segments(tokens: list[Token], mention: _Mention) -> list[_Segment]:
    """Return the tokens between punctuation marks and words that open a clause, stretch by stretch, none empty.

    Brackets that do not hold the mention are left out, and the marks of short quotations.
    """
    segments = [_Segment(None, [])]
    at = 0
    while at < len(tokens):
        token = tokens[at]
        closing = _closing(tokens, at) if token.tag in ("(", "q") else at
        if token.tag == "(" and at < closing and not at < mention.first < closing:
            at = closing
        elif token.tag == "q" and at < closing <= at + _SHORT_QUOTE:
            segments[-1].places.extend(range(at + 1, closing))
            at = closing
        elif token.tag in _CLAUSE_MARKS or token.tag in "RS" or token.word in _CLAUSE_WORDS:
            is_hard = token.tag in _CLAUSE_MARKS and token.word != ","
            joint = segments[-1].joint if not segments[-1].places else []
            joint = None if is_hard or joint is None else [*joint, at]
            segments = [segment for segment in segments if segment.places] + [_Segment(joint, [])]
        else:
            segments[-1].places.append(at)
        at += 1
    return [segment for segment in segments if segment.places]


def _closing(tokens: list[Token], opening: int) -> int:
    """Return the place of the bracket or quotation mark that closes one, ``opening`` itself where none does."""
    tag = ")" if tokens[opening].tag == "(" else "q"
    return next((at for at in range(opening + 1, len(tokens)) if tokens[at].tag == tag), opening)


def _shortened(tokens: list[Token], left: list[int], right: list[int], loose: bool, draw: random.Random) -> _Clause:
    """Drop adverbs, what opens the clause, and by chance the last complements."""
    while left and tokens[left[0]].tag in "CVS":
        left.pop(0)
    left = [at for at in left if not _ADVERB.match(tokens[at].word)]
    right = [at for at in right if not _ADVERB.match(tokens[at].word)]
    cuts = [n for n, at in enumerate(right) if n > 1 and tokens[at].word in _CUTS]
    if cuts and (len(left) + len(right) > _MOST_WORDS or draw.random() < 0.6):
        cut = draw.choice(cuts)
        if _n_terms(tokens, left + right[:cut]) >= _LEAST_CONTENT:
            right = right[:cut]
    if len(left) > _MOST_WORDS - 2:
        left, loose = left[2 - _MOST_WORDS :], True
    right = right[: _MOST_WORDS - len(left)]
    while right and tokens[right[-1]].tag in "DBPCOVRSA,":
        right.pop()
    while left and tokens[left[-1]].tag == ",":
        left.pop()
    if left and right and _MODIFIER.match(tokens[right[0]].word):
        right.pop(0)
    asks = any(tokens[at].word in _ASKING for at in left + right)
    return _Clause(left, right, loose or asks or _lacks_subject(tokens, left))


def _lacks_subject(tokens: list[Token], left: list[int]) -> bool:
    """Say whether a clause begins with a verb, or with a pronoun that stands for something said before."""
    if not left:
        return False
    first = left[0]
    return (
        tokens[first].tag in "AOI"
        or tokens[first].word.endswith("ant")
        or (first > 0 and tokens[first - 1].word == "qui")
    )


def _fronted(part: _Part, mention: _Mention, frame: _Frame, clause: _Clause, draw: random.Random) -> list[str] | None:
    """Put the question word first: "Qui est mort en 2000", "Quand le maire a-t-il été élu"; None where it cannot be."""
    tokens, left, right = part.tokens, clause.left, clause.right
    if not left and not frame.preposition and mention.kind != "date":
        is_said = _is_predicate(part, right) and (mention.kind != "number" or tokens[right[0]].tag != "w")
        return _subject(part, mention, frame, right, draw) if is_said else None
    kept = left + right
    if mention.kind == "person" and not frame.preposition and (title := _title(part, left, right)):
        return [title, *_raw(part, kept[1:])]
    return _asked_first(part, mention, frame, clause, draw) if _may_follow(part, frame, left, right) else None


def _asked_first(
    part: _Part, mention: _Mention, frame: _Frame, clause: _Clause, draw: random.Random
) -> list[str] | None:
    """Put the question word before a clause of which the mention is not the subject."""
    tokens, left, right = part.tokens, clause.left, clause.right
    kept = left + right
    asked = _asking(part, mention, frame, draw)
    if not frame.preposition and mention.kind in ("person", "other") and not frame.which:
        asked = "qui est-ce que" if mention.kind == "person" else "qu'est-ce que"
        return [asked, *_raw(part, kept)] if _takes_object(tokens, left, right) else None
    chance = draw.random()
    if chance < 0.25:
        return [asked, "est-ce que", *_raw(part, kept)]
    return [asked, *(_inverted(part, kept) if chance < 0.8 else _raw(part, kept))]


def _title(part: _Part, left: list[int], right: list[int]) -> str:
    """Return "quelle" or "quel" where a person is named after a title, "la présidente du club", else "".

    It asks for the one of that title: "Quelle présidente du club a démissionné".
    """
    tokens = part.tokens
    if not 2 < len(left) < 9 or not right or tokens[right[0]].tag != "A" or any(_is_verb(tokens, at) for at in left):
        return ""
    return {"la": "quelle", "le": "quel"}.get(tokens[left[0]].word, "")


def _is_predicate(part: _Part, right: list[int]) -> bool:
    """Say whether what follows a mention can be said of it: not a complement, nor a headline without a verb."""
    tokens = part.tokens
    if not right or _PARTICIPLE.match(tokens[right[0]].word):
        return False
    first = tokens[right[0]]
    if first.word == "l'" and len(right) > 1:
        return tokens[right[1]].tag == "A"
    if part.number >= 0 or first.tag in "OV" or first.word.endswith(("e", "t")):
        return first.tag in "AwOVI"
    return first.tag in "AwI" and any(_is_verb(tokens, at) for at in right)


def _takes_object(tokens: list[Token], left: list[int], right: list[int]) -> bool:
    """Say whether a mention without a preposition is the object of a verb before it, not a name beside its noun."""
    if not left or not any(_is_verb(tokens, at) for at in left) or (right and tokens[right[0]].tag not in "PB"):
        return False
    last = tokens[left[-1]].word
    return last not in _SAYING and bool(_OF_VERB.search(last))


def _may_follow(part: _Part, frame: _Frame, left: list[int], right: list[int]) -> bool:
    """Say whether a clause can follow its question word: subject first, a verb, no complement of what is asked for."""
    tokens = part.tokens
    first = (left + right)[0]
    opens = part.number >= 0 and (not left or first == 0 or tokens[first - 1].tag == "S")
    if (
        tokens[first].tag not in "DNB#T"
        or tokens[first].word in ("au", "aux")
        or not (opens or any(_is_verb(tokens, at) for at in left + right))
    ):
        return False
    if frame.preposition == "de" and not (len(left) < 4 and right and tokens[right[0]].tag == "A"):
        return False
    if frame.preposition == "par" and all(tokens[at].word != "été" for at in left):
        return False
    return not (right and tokens[right[0]].word in ("de", "d'"))


def _subject(part: _Part, mention: _Mention, frame: _Frame, right: list[int], draw: random.Random) -> list[str]:
    """Ask for the subject: "Quel ministre a démissionné", "Combien de morts ont été identifiés"."""
    asked = _asking(part, mention, frame, draw)
    rest = _raw(part, right)
    if mention.kind == "other" and not frame.which:
        asked = draw.choice(("qui", "qu'est-ce qui", _thing(part, mention, frame, draw))).replace("quoi", "qui")
    if frame.which and part.tokens[right[0]].tag == "A" and draw.random() < 0.3:
        kind, noun = frame.which.split(" ", 1)
        return [f"quel est le nom {'du' if kind == 'quel' else 'de la'} {noun} qui", *rest]
    return [asked, *rest]


def _in_place(part: _Part, mention: _Mention, frame: _Frame, clause: _Clause, draw: random.Random) -> list[str] | None:
    """Put the question word where the mention stood: "Le maire a été élu quand"."""
    if not clause.left:
        ends = mention.kind in ("date", "place") and _may_follow(part, frame, [], clause.right)
        return [*_raw(part, clause.right), _asking(part, mention, frame, draw)] if ends else None
    return [*_raw(part, clause.left), _asking(part, mention, frame, draw), *_raw(part, clause.right)]


def _keywords(part: _Part, mention: _Mention, clause: _Clause, draw: random.Random) -> str:
    """Return content words in their order, as one types them to search."""
    words = [
        part.raw(at)
        for at in clause.left + clause.right
        if (_term(part.tokens[at].word) and part.tokens[at].word not in _SAYING)
        or (part.tokens[at].tag in "N#" and part.tokens[at].end > part.tokens[at].start + 1)
    ]
    while len(words) > 7 or (len(words) > 4 and draw.random() < 0.3):
        words.pop(draw.randrange(len(words)))
    chance = draw.random()
    if chance < 0.4:
        hints = ("où", "pays", "lieu") if mention.key in _COUNTRIES else _HINTS[mention.kind]
        hint = draw.choice(hints)
        if hint not in words:
            words.insert(0 if chance < 0.25 else len(words), hint)
    question = " ".join(words)
    return question.lower() if draw.random() < 0.65 else question


_HINTS = {
    "person": ("qui", "nom", "qui"),
    "place": ("où", "lieu", "ville"),
    "date": ("quand", "date", "quel jour"),
    "number": ("combien", "nombre", "combien"),
    "other": ("qui", "nom", "quoi"),
}


def _asking(part: _Part, mention: _Mention, frame: _Frame, draw: random.Random) -> str:
    """Return the question words that take the place of a mention and of its frame."""
    return {"person": _who, "place": _where, "date": _when, "number": _how_many, "other": _what}[mention.kind](
        part, mention, frame, draw
    )


def _with(preposition: str, words: str) -> str:
    return f"{preposition} {words}" if preposition else words


def _who(part: _Part, mention: _Mention, frame: _Frame, draw: random.Random) -> str:
    return _with(frame.preposition, frame.which if frame.which else "qui")


def _what(part: _Part, mention: _Mention, frame: _Frame, draw: random.Random) -> str:
    preposition = "dans" if frame.preposition == "en" else frame.preposition
    return _with(preposition, frame.which if frame.which else _thing(part, mention, frame, draw))


def _thing(part: _Part, mention: _Mention, frame: _Frame, draw: random.Random) -> str:
    """Return the word for what is neither a person nor a place, an organisation perhaps where an article precedes."""
    is_named = bool(frame.article) or (part.raw(mention.first).isalpha() and part.raw(mention.first).isupper())
    return draw.choice(("quoi", "qui", "quelle organisation") if is_named else ("quoi", "qui"))


def _where(part: _Part, mention: _Mention, frame: _Frame, draw: random.Random) -> str:
    name = _fold(part.text[part.tokens[mention.first].start : part.tokens[mention.last].end])
    if frame.which:
        area = frame.which
    elif name in _COUNTRIES:
        area = "quel pays"
    elif name in _REGIONS:
        area = draw.choice(("quelle région", "quel département"))
    elif name not in _CITIES and (frame.article or frame.preposition == "en"):
        area = draw.choice(("quelle région", "quel endroit"))
    else:
        area = "quelle ville"
    if frame.preposition in _LOCATIVES:
        return "où" if draw.random() < 0.5 else f"dans {area}"
    return _with(frame.preposition, area)


def _when(part: _Part, mention: _Mention, frame: _Frame, draw: random.Random) -> str:
    first = part.tokens[mention.first]
    is_year = bool(_YEAR.match(first.word)) and mention.first == mention.last
    if not is_year and first.word[0].isdigit() and "h" in first.word:
        return _with(frame.preposition or "à", "quelle heure")
    if frame.preposition in ("depuis", "jusqu'à"):
        return f"{frame.preposition} quand"
    if frame.preposition in ("", "en", "à", "dès", "pour"):
        exact = "en quelle année" if is_year else draw.choice(("quel jour", "à quelle date"))
        if first.tag == "M":
            exact = "quel mois"
        return "quand" if draw.random() < 0.6 else exact
    return f"{frame.preposition} quelle {'année' if is_year else 'date'}"


def _how_many(part: _Part, mention: _Mention, frame: _Frame, draw: random.Random) -> str:
    unit = part.tokens[mention.last].word
    if mention.bare < mention.last:
        return _with(frame.preposition, f"combien de {part.raw(mention.last)}")
    after = part.tokens[mention.last + 1 : mention.last + 2]
    if unit == "ans" and frame.preposition in ("de", "à") and not (after and after[0].word in ("de", "d'", "à")):
        return f"{frame.preposition} quel âge"
    if unit in _DURATIONS:
        return _with(frame.preposition, "combien de temps")
    if unit == "%":
        return _with(frame.preposition, "quel pourcentage")
    return _with(frame.preposition, "combien")


def _inverted(part: _Part, kept: list[int]) -> list[str]:
    """Return the words with the subject taken up after the auxiliary, where its article tells the gender."""
    words = _raw(part, kept)
    pronoun = _GENDER.get(part.tokens[kept[0]].word)
    verb = next((n for n, at in enumerate(kept) if part.tokens[at].tag == "A"), None)
    if pronoun is None or verb is None or part.tokens[kept[verb]].word not in _INVERTED:
        return words
    link = "-t-" if words[verb][-1] in "ae" else "-"
    return [*words[:verb], words[verb] + link + pronoun, *words[verb + 1 :]]


def _raw(part: _Part, places: list[int]) -> list[str]:
    """Return the words as written, less the capital that only opens the sentence."""
    keeps = part.raw(0).isupper() or any(mention.first == 0 for mention in part.mentions)
    return [
        part.raw(at).lower() if part.tokens[at].tag in "DBPCSOVA#" or (at == 0 and not keeps) else part.raw(at)
        for at in places
    ]


def _sentence(words: list[str]) -> str:
    joined = _SPACE_BEFORE.sub("", _SPACE_AFTER.sub("", " ".join(words)))
    joined = _ELIDED.sub(lambda match: f"{match.group(1)}'", joined)
    return joined[:1].upper() + joined[1:]
