"""Who says what in a French text: quotations and reported speech, each with its speaker (pure).

Texts attribute in few ways: "…", a déclaré le ministre, Jean Martin ; "…", a-t-il ajouté ; Jean Martin estime que ;
selon Jean Martin, … . A pronoun stands for who spoke last; what is quoted is by who is named where the quotation ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from index.types import Sentence, Span
from qa.question import fold
from qa.question_words import PRENOMINAL, noun_kind
from qa.word_classes import CLASS_OF, word_list

__all__ = ["Saying", "SayingQuestion", "find_sayings", "is_by", "is_named", "read_saying_question"]

_PAST = (
    "déclaré|dit|affirmé|annoncé|estimé|expliqué|assuré|ajouté|indiqué|précisé|souligné|confié|lancé|insisté|soutenu"
    "|martelé|répondu|conclu|poursuivi|raconté|rappelé|reconnu|jugé|regretté|déploré|dénoncé|averti|prévenu|promis"
    "|plaidé|tweeté|écrit|réagi|commenté|observé|noté|relevé|admis|avoué|révélé|témoigné|ironisé|tonné|fustigé"
    "|détaillé|résumé|constaté|considéré|critiqué|renchéri|glissé|lâché|tranché|nuancé|prédit|confirmé|démenti"
    "|proposé|réclamé|demandé|exhorté|salué|condamné|appelé|accusé|évoqué|mis en garde|fait savoir|fait valoir"
    "|fait part|laissé entendre|exprimé|défendu|justifié|félicité|espéré|souhaité|cru|pensé|craint|voulu"
)
_PRESENT = (
    "dit|déclare|affirme|annonce|estime|explique|assure|ajoute|indique|précise|souligne|confie|lance|insiste|soutient"
    "|martèle|répond|conclut|poursuit|raconte|rappelle|reconnaît|juge|regrette|déplore|dénonce|avertit|prévient|promet"
    "|plaide|tweete|écrit|réagit|commente|observe|note|relève|admet|avoue|révèle|témoigne|ironise|fustige|détaille"
    "|résume|constate|considère|critique|renchérit|glisse|lâche|tranche|nuance|prédit|confirme|dément|propose|réclame"
    "|demande|exhorte|salue|condamne|accuse|évoque|pense|croit|craint|espère|souhaite|défend|justifie|veut croire"
    "|met en garde|fait savoir|fait valoir|disait|affirmait|estimait|expliquait|assurait|pensait|jugeait|déclarait"
)
_ADVERBS = (
    r"(?: (?:ainsi|également|aussi|notamment|donc|encore|pour sa part|de son côté|en outre|par ailleurs|toutefois"
    r"|cependant|même|enfin|d'abord|ensuite|lui-même|elle-même|hier|aujourd'hui|lundi|mardi|mercredi|jeudi|vendredi"
    r"|samedi|dimanche|matin|soir|\d{1,2}(?:er)? [a-zéû]{3,9}(?: \d{4})?|dans la soirée|dans la foulée|à l'AFP"
    r"|au micro de \w+|sur \w+))*"
)
_PRONOUN_SAYS = re.compile(
    rf"\b(?:(?:a|avait|aurait|ont)-t-(?P<who>il|elle|on|ils|elles){_ADVERBS} (?:{_PAST})"
    rf"|(?:{_PRESENT})(?:-t)?-(?P<who2>il|elle|ils|elles))\b"
)
_NAME_AFTER = re.compile(
    rf"(?:[,\"»”!?…] ?)(?:(?:a|ont|avait|avaient){_ADVERBS} (?:{_PAST})|(?:{_PRESENT}))\b{_ADVERBS}"
    r" (?P<np>(?:(?:le|la|les|un|une|son|sa|M\.|Mme|Me|Dr|Pr) |l['’])?[^.;:!?\"«»“”()]{2,120})"
)
_SAYS = re.compile(
    rf"(?<![\w'’-])(?:(?:a|ont|avait|avaient)(?: une (?:nouvelle )?fois| (?:de nouveau|à nouveau))?"
    rf"{_ADVERBS} (?:{_PAST})"
    r"|(?:s'est|se sont) (?:dite?s?|félicitée?s?|inquiétée?s?|prononcée?s?|indignée?s?|étonnée?s?)"
    rf"|se (?:dit|disait|félicite|réjouit)|(?:{_PRESENT}))(?![\w-])"
)
_ACCORDING = re.compile(
    r"(?:^|[,;] |\b(?:que|et) )(?:selon|d'après|pour|aux yeux d(?:e |u |'))"
    r"(?P<np> ?[^,.;:!?\"«»“”()]{2,90})(?=,|$|\.)",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"(?<![\w'’-])(?:[dl]['’])?[A-ZÀ-ÖØ-Þ][\w’'-]+")
_TITLED = re.compile(r"\b(?:M\.|Mme|MM\.|Me|Dr|Pr)(?= )")
_PLACE = re.compile(
    r"\b(?:lors|dans|devant|au cours|au micro|sur|après|avant|à (?:la|l'|son)|en marge|ce|lundi|mardi|mercredi|jeudi"
    r"|vendredi|samedi|dimanche|hier|mais|tout en|alors|qui|dont|ajoutant|interrogée?|invitée?|dénonçant)\b"
)
_ASIDE = re.compile(r" ?\([^()]{1,40}\)")
_NAME = re.compile(
    r"(?<![\w'’-])(?!(?:L[ea]s?|Une?|S(?:on|a|es)|Cet?(?:te)?|Ces) [a-zà-ÿ]|[LD]['’][a-zà-ÿ])"
    r"[A-ZÀ-ÖØ-Þ][\w’'-]+(?: (?:(?:de |du |de la |le |la |d['’]|von |van |ben |al-)?[A-ZÀ-ÖØ-Þ][\w’'-]+))*"
)
_OF = re.compile(r"(?:\b(?:de|du|des|à|aux?|par|avec|pour|de la|de l'|à la) ?|\bd')(?:M\. |Mme )?$")
_QUOTES = re.compile(r"[\"«»“”]|\n")
_OPENERS = "«“"
_MARKS = '"»”!?…'
_LED = re.compile(r"^(?:le |la |les |l'|un |une |son |sa )")
_FEMALE, _MALE = word_list("la une mme sa madame"), word_list("le un m. son monsieur")
_SMALL = word_list("le la les l d de du des un une son sa m mme et en à au aux")
_REACH, _TWO = 14, 2
_LONGEST_QUOTATION = 2_000
"""Characters; what is longer is two marks that belong to two quotations."""


@dataclass(frozen=True, slots=True)
class SayingQuestion:
    """A question such as "Que dit Jens Stoltenberg du sabotage ?".

    Attributes:
        speaker: who is to have said it, a name or a function, without its article.
        topic: what about, "" where nothing is said of that.
        verb: how it was said, where the question tells: "annoncé".
    """

    speaker: str
    topic: str
    verb: str = ""


@dataclass(frozen=True, slots=True)
class Saying:
    """What somebody says in one sentence.

    Attributes:
        sentence: where it stands.
        speakers: the phrases by which the speaker is called in the document: names, functions.
        words: the quoted words within the sentence, without the marks; None for reported speech.
        is_attributed: whether the sentence itself says who speaks, by name, function or pronoun.
    """

    sentence: Sentence
    speakers: frozenset[str]
    words: Span | None
    is_attributed: bool


# -- questions -------------------------------------------------------------------------------------------------------

_OPEN_PRESENT = (
    r"(?P<verb>dit|disait|dira|pense|pensait|declare|affirme|estime|explique|raconte|annonce|assure|soutient)"
)
_OPEN_PAST = r"(?P<verb>dit|declare|affirme|estime|explique|raconte|annonce|assure|precise|soutenu|indique|pense)"
_HAS = r"(?:a|avait|ont|avaient|aurait)"
_ABOUT = (
    r"(?:sur|a propos d(?:e |u |es |')|au sujet d(?:e |u |es |')|concernant|quant a(?:ux|u)?|face a(?:ux|u)?|contre)"
)
_VIEW = r"(?:la position|l'avis|l'opinion|le point de vue|le sentiment|le discours)"
_QUESTIONS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"^(?:que |qu'en ){_OPEN_PRESENT} (?P<rest>.+)$",
        rf"^qu'{_HAS} (?:bien |aussi |deja )?{_OPEN_PAST} (?P<rest>.+)$",
        rf"^(?:qu'est[- ]ce qu(?:e |'))(?P<who>.+?) {_HAS} {_OPEN_PAST}(?: (?P<topic>.+))?$",
        rf"^(?:qu'est[- ]ce qu(?:e |'))(?P<who>.+?) {_OPEN_PRESENT}(?: (?P<topic>.+))?$",
        rf"^(?:que |qu')(?P<who>.+?) {_HAS}-t-(?:il|elle|ils|elles) {_OPEN_PAST}(?: (?P<topic>.+))?$",
        rf"^(?:que |qu')(?P<who>.+?) {_OPEN_PRESENT}-(?:t-)?(?:il|elle|ils|elles)(?: (?P<topic>.+))?$",
        rf"^quel(?:le)? (?:est|etait|a ete|fut) {_VIEW} d(?:e |u |es |')(?P<rest>.+)$",
    )
)
_TOPIC_OPENS = re.compile(rf"^(?:en \d{{4}},? )?(?:{_ABOUT} ?|d(?:e |u |es |')|a(?:u |ux | )|en )(?:la |le |les |l')?")
_SPLITS = re.compile(rf" (?={_ABOUT}\b|(?:de|du|des|d'|a|au|aux|en|dans|lors|apres|pendant)(?:\b|(?<=')))")
_PRONOUNS = word_list("il elle ils elles on vous nous tu je ce cela ca qui que")


def read_saying_question(question: str) -> SayingQuestion | None:
    """Return whose words a question asks for, or None where it asks for something else."""
    text = " ".join(question.replace("’", "'").split()).rstrip(" ?!.")
    folded = fold(text.lower())
    if len(folded) != len(text):
        return None
    for pattern in _QUESTIONS:
        if (match := pattern.match(folded)) is None:
            continue
        groups = match.groupdict()
        if groups.get("rest"):
            start = match.start("rest")
            end = start + _length_of_speaker(text[start:], folded[start:])
            topic = text[end:].strip()
        else:
            start, end = match.span("who")
            topic = text[match.start("topic") :] if groups.get("topic") else ""
        article = _article(folded[start:end])
        speaker = text[start + article : end].strip(" ,")
        if not speaker or _opening_word(speaker) in _PRONOUNS or len(speaker.split()) > _REACH:
            return None
        if article and speaker[0].islower() and not _is_person(speaker):
            return None  # "Que dit la loi sur le voile ?"
        opened = _TOPIC_OPENS.match(fold(topic.lower()))
        verb = text[slice(*match.span("verb"))] if groups.get("verb") else ""
        return SayingQuestion(speaker, topic[opened.end() if opened else 0 :].strip(), verb)
    return None


def _article(folded: str) -> int:
    match = _LED.match(folded)
    return match.end() if match else 0


def _length_of_speaker(text: str, folded: str) -> int:
    """Return how many characters of "le maire de Nice de la grève" name the speaker."""
    places = [match.start() for match in _SPLITS.finditer(folded)]
    if not _LED.match(folded):
        # "Dominique de Villepin de la guerre": a particle before a capital, where a topic is left.
        is_particle = len(places) > 1 and re.match(r"\S+ d(?:e |u |')[A-ZÀ-Þ]", text) is not None
        return places[is_particle] if places else len(text)
    about = re.search(rf" {_ABOUT}\b", folded)
    if about is not None:
        return about.start()
    for number, place in enumerate(places):
        of = re.match(r" (?P<of>de la |de l'|de |du |des |d'|à la |à l'|à |au |aux |en )(?P<next>\w+)", text[place:])
        has_topic_left = of is not None and of["of"].startswith("d") and len(places) > 1
        is_of_role = number == 0 and of is not None and (of["next"][0].isupper() or has_topic_left)
        if not is_of_role:
            return place
    return len(text)


# -- texts -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Voice:
    """Who speaks in a sentence.

    Attributes:
        called: the phrases by which the sentence calls the speaker; empty where only a pronoun does.
        gender: "f", "m", or "" where it does not show.
    """

    called: frozenset[str]
    gender: str


def find_sayings(sentences: Sequence[Sentence]) -> tuple[Saying, ...]:
    """Return what is said in a document, in its order.

    Args:
        sentences: all of the document, in order.
    """
    if not sentences:
        return ()
    document = sentences[0].document
    quotes = list(_quotations(document.text, sentences[0].span.start))
    voices = [_voice(sentence.text) for sentence in sentences]
    resolved = _resolved(sentences, voices)
    spoken: dict[int, frozenset[str]] = {}
    for quote in quotes:
        inside = [n for n, each in enumerate(sentences) if each.span.overlaps(quote)]
        named = [resolved[n] for n in inside if resolved[n]]
        # Who is named where a quotation ends has said all of it.
        for number in inside:
            if not resolved[number] and named:
                spoken[number] = named[-1]
    found = []
    for number, sentence in enumerate(sentences):
        speakers = resolved[number] or spoken.get(number)
        if speakers:
            words, is_attributed = _words(sentence, quotes), bool(resolved[number])
            found.append(Saying(sentence, _all_names(speakers, resolved), words, is_attributed))
    return tuple(found)


def _quotations(text: str, start: int) -> Iterator[Span]:
    """Yield what stands between quotation marks, within a paragraph; the neighbours of a straight one tell its side."""
    opened: int | None = None
    for match in _QUOTES.finditer(text, start):
        mark, before, after = match[0], text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        opens = mark in _OPENERS or (mark == '"' and (not before or before.isspace() or before in "(['’"))
        opens = opens and not (mark == '"' and (not after or after.isspace()))
        if mark != "\n" and opened is not None and not opens and 0 < match.start() - opened <= _LONGEST_QUOTATION:
            yield Span(opened, match.start())
        opened = match.end() if opens and mark != "\n" else None


def _words(sentence: Sentence, quotes: Sequence[Span]) -> Span | None:
    """Return the longest quotation within a sentence."""
    own = sentence.span
    parts = [Span(max(q.start, own.start), min(q.end, own.end)) for q in quotes if own.overlaps(q)]
    return max(parts, key=len, default=None)


def _voice(text: str) -> _Voice | None:
    """Return who a sentence says that speaks, or None where it says that of nobody."""
    plain = _ASIDE.sub("", text.replace("’", "'"))
    for after in _NAME_AFTER.finditer(plain):
        phrase = _phrase(after["np"])
        if phrase and after[0][0] not in _MARKS and not _is_person(phrase):
            continue  # "Jean Martin, a annoncé la fermeture du port"
        if phrase and (calls := _calls(phrase)):
            return _Voice(calls, _gender(phrase))
    if pronoun := _PRONOUN_SAYS.search(plain):
        who = pronoun["who"] or pronoun["who2"]
        return _Voice(frozenset(), "f" if who.startswith("elle") else "m")
    for said in _SAYS.finditer(plain):
        before = _subject(plain[: said.start()])
        if before is not None:
            return before
    if according := _ACCORDING.search(plain):
        phrase = _phrase(according["np"].strip())
        if phrase and (according[0].lower().lstrip(",; ").startswith(("selon", "d'après", "aux")) or '"' in plain):
            return _Voice(_calls(phrase), _gender(phrase))
    return None


def _subject(before: str) -> _Voice | None:
    """Read the subject that a verb of saying follows: a name, a function, or a pronoun that opens the sentence."""
    named = before.rstrip(" ,")
    pronoun = re.search(r"(?:^|[\s,'])(il|elle)$", named, re.IGNORECASE)
    if pronoun:
        return _Voice(frozenset(), "f" if pronoun[1].lower() == "elle" else "m")
    words = named.split()[-_REACH:]
    whole = " ".join(words)
    start = max((m.end() for m in re.finditer(r"[\"«»“”:;.!?…(] ?| (?:et|mais|car|que|qui) ", whole)), default=0)
    phrase = whole[start:].strip(" ,")
    last = phrase.split()[-1].lower() if phrase else ""
    if CLASS_OF.get(last, "") in ("D", "P", "B", "R", "S") or not (_CAPITAL.search(phrase) or _TITLED.search(phrase)):
        return None  # "une annonce" is no verb
    calls = _calls(phrase)
    return _Voice(calls, _gender(phrase)) if calls else None


def _phrase(text: str) -> str | None:
    """Return the noun phrase that begins a text, up to where and when it was said; None where it names nobody."""
    cut = _PLACE.search(text)
    phrase = text[: cut.start()] if cut else text
    phrase = phrase.strip(" ,")
    if not phrase or _opening_word(phrase) in _PRONOUNS:
        return None
    first = phrase.split(maxsplit=1)[0].lower()
    is_function = CLASS_OF.get(first, "") == "D" or first.startswith("l'")
    return phrase if _CAPITAL.search(phrase) or _TITLED.search(phrase) or is_function else None


def _opening_word(phrase: str) -> str:
    return next(iter(fold(phrase.lower()).split()), "")


def _is_person(phrase: str) -> bool:
    """Say whether a phrase has a name, or a noun for somebody after its article."""
    words = re.findall(r"[\w-]+", _LED.sub("", fold(phrase.lower())))
    head = next((word for word in words if word not in PRENOMINAL), "")
    return _NAME.match(phrase) is not None or bool(_TITLED.match(phrase)) or noun_kind(head) == "who"


def _calls(phrase: str) -> frozenset[str]:
    """Return what a phrase calls somebody: the name and the function beside it; nothing where it is no such phrase.

    "proche de Nicolas Sarkozy" does not name him, and in "Donald Trump peut-il …" the name does not end the phrase.
    """
    names = list(_names(phrase))
    if not names:
        return frozenset([phrase])
    first = names[0] if names[0].start == 0 or _TITLED.match(phrase) else names[-1]
    before, after = _TITLED.sub("", phrase[: first.start]), phrase[first.end :]
    if after and not after.startswith(","):
        return frozenset() if first.start == 0 else frozenset([phrase])
    name = phrase[first.start : first.end]
    return frozenset(part.strip(" ,") for part in (name, before, after) if part.strip(" ,"))


def _names(phrase: str) -> Iterator[Span]:
    """Yield the names in a phrase that "de" and the like do not make a part of something else."""
    for match in _NAME.finditer(phrase):
        if not _OF.search(phrase[: match.start()]):
            yield Span(*match.span())
        elif len(words := match[0].split(" ")) > _TWO:  # "la ministre des Transports Anne Durand"
            yield Span(match.end() - len(" ".join(words[-_TWO:])), match.end())


def _gender(phrase: str) -> str:
    first = phrase.split(maxsplit=1)[0].lower() if phrase else ""
    if first in _FEMALE:
        return "f"
    return "m" if first in _MALE else ""


def _resolved(sentences: Sequence[Sentence], voices: Sequence[_Voice | None]) -> list[frozenset[str]]:
    """Return what the speaker of each sentence is called; a pronoun is who spoke last, or was named last."""
    spoke: list[_Voice] = []
    found: list[frozenset[str]] = []
    for number, voice in enumerate(voices):
        if voice is None:
            found.append(frozenset())
            continue
        if voice.called:
            spoke.append(voice)
            found.append(voice.called)
            continue
        last = next((each for each in reversed(spoke) if voice.gender in ("", each.gender) or not each.gender), None)
        found.append(last.called if last else _named_before(sentences, number))
    return found


_PERSON = re.compile(r"(?<![\w'’-])[A-ZÀ-ÖØ-Þ][\w’'-]+ (?:(?:de |du |le |la |d['’]|von |ben )?[A-ZÀ-ÖØ-Þ][\w’'-]+)")


def _named_before(sentences: Sequence[Sentence], number: int) -> frozenset[str]:
    """Return the person who was named last before a sentence, in the two before it or the title."""
    for sentence in reversed(sentences[max(0, number - 2) : number + 1]):
        names = _PERSON.findall(sentence.text)
        if names:
            return frozenset(names[-1:])
    return frozenset(_PERSON.findall(sentences[0].document.title or "")[:1])


def _all_names(speakers: frozenset[str], resolved: Iterable[frozenset[str]]) -> frozenset[str]:
    """Return all that a speaker is called in a document: by every phrase that has the name, or its surname."""
    own = [_name_words(call) for call in speakers if _is_name(call)]
    same = {
        call
        for calls in resolved
        if any(_is_same_name(name, _name_words(other)) for name in own for other in calls if _is_name(other))
        for call in calls
    }
    return speakers | frozenset(same)


def _is_name(call: str) -> bool:
    return _NAME.fullmatch(call) is not None


def _is_same_name(one: Sequence[str], other: Sequence[str]) -> bool:
    """Say whether two names are of one person: the same, or the surname of the other alone."""
    short, long = sorted((one, other), key=len)
    return bool(short) and list(long[-len(short) :]) == list(short)


def is_by(saying: Saying, speaker: str) -> bool:
    """Say whether a saying is by somebody who is called so: by that name or its surname, or in that function."""
    wanted = _name_words(speaker)
    is_name = speaker[:1].isupper()
    for call in saying.speakers:
        held = _name_words(call)
        if is_name and _is_name(call) and _is_same_name(wanted, held):
            return True
        if wanted and not is_name and set(wanted) <= set(held):
            return True
    return False


def is_named(speaker: str, text: str) -> bool:
    """Say whether a text has the surname of a speaker, or every word of a function."""
    wanted = _name_words(speaker)
    wanted = wanted[-1:] if speaker[:1].isupper() else wanted
    return set(wanted) <= set(_name_words(text))


def _name_words(text: str) -> list[str]:
    parts = re.findall(r"[\w-]+", fold(text.lower().replace("’", "'")))
    return [part for part in parts if part not in _SMALL]
