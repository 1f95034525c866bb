"""What documents say of a subject at large: "Quoi de neuf sur Alstom ?", "Que sait-on de l'affaire Benalla ?" (pure).

No sentence is more an answer to such a request than another. The documents that are about the subject are told by how
much of it their titles and passages hold, each term counted by how rare it is, and each gives the sentence that holds
most of it, early ones first. What says the same as a sentence chosen before is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from index.analyze import Analyzer
from index.types import Hit, Sentence
from qa.definitions import plain_question
from qa.demonyms import NATION, with_nations
from qa.question import fold
from qa.types import Evidence
from qa.word_classes import CLASS_OF

__all__ = ["N_SEARCHED", "TopicRequest", "read_topic_request", "sentences_about"]

N_SEARCHED = 150
"""Passages that are looked through: 30 ms on 33,483 articles."""

_OF = r"(?:de la |de l'|du |des |de |d')"
_ON = rf"(?:sur |a propos (?:{_OF}|de )|au sujet {_OF}|concernant |{_OF})"
_AT = r"(?:a la |a l'|a |au |aux |en |dans |chez |avec |pour |lors de (?:la |l')?|lors du |pendant )"
_NEWS = r"(?:nouvelles?|actualites?|actus?|infos?|informations?|news)"
_ASK = r"(?:(?:quelles sont|quelle est|donne[zs]?(?:[- ]moi)?|as-tu|avez-vous|tu as|vous avez|y a-t-il) )?"
_TELL = r"(?:(?:peux-tu|pouvez-vous|pourrais-tu|pourriez-vous) (?:me |nous )?)?"
_KNOWN = r"(?:ce qu(?:e |')(?:tu sais|vous savez|l?'?on sait) )?"
_NEWEST = (
    rf"{_ASK}(?:quoi de neuf|du nouveau|du neuf|rien de neuf) (?:{_ON}|{_AT})",
    rf"{_ASK}(?:les |des |l'|d')?(?:dernieres? )?{_NEWS} (?:recentes? )?(?:de )?(?:{_ON}|{_AT})",
    rf"{_ASK}(?:les |des )(?:dernieres? )?sur ",  # "les actualités de juin 2019 sur", without its dates
    r"ou en (?:est|sont)(?:-on)? (?:de la |de l'|du |des |de |d'|avec |dans )?",
    rf"que se passe-t-il (?:en ce moment )?{_AT}",
)
_STORY = (
    rf"{_TELL}parle[rzs]?(?:[- ](?:moi|nous))? {_ON}",
    rf"(?:que|qu'est-ce qu(?:e |'))(?: ?l'|)? ?(?:sait-on|on sait|sais-tu|savez-vous|tu sais|vous savez) {_ON}",
    rf"{_TELL}(?:dis|dites|dire)(?:[- ](?:moi|nous))? (?:tout )?{_KNOWN}{_ON}",
    rf"{_TELL}(?:resume[rzs]?|raconte[rzs]?|explique[rzs]?)(?:[- ](?:moi|nous))? ",
    rf"{_TELL}(?:fais|faites|faire)(?:[- ](?:moi|nous))? (?:le point|un point|un resume) {_ON}",
)
_EVENT = (rf"(?:que s'est-il passe|qu'est-ce qui s'est passe|que s'est il passe) (?:{_AT}|le |pendant )?",)
_TOPIC = r"(?P<topic>(?:la |le |les |l')?\S.*)"


def _any_of(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"^(?:{'|'.join(patterns)}){_TOPIC}$")


_REQUESTS = {"newest": _any_of(_NEWEST), "story": _any_of(_STORY), "event": _any_of(_EVENT)}
_NOT_A_TOPIC = re.compile(
    r"^(?:la |le |les )?(?:toi|moi|nous|vous|lui|elle|eux|elles|ca|cela|ceci|tout|rien|il|ce|cet|cette|ces|hier|veille"
    r"|lendemain|raconte\w*|resume\w*|explique\w*|parle\w*|continue\w*|suite|encore|plus|details?|oui|non|voila|pourquoi|comment|qui|que|qu'|ou|quand|combien|quel\w*|si|quoi)\b"
)
_NAME = re.compile(r"\b[A-ZÀ-ÖØ-Þ]\w+")
_MOST_WORDS = 9
_FEW_WORDS, _LONG = 3, 4
"""Words of a subject that is typed alone, as into a search box, and letters of the longest of them at least."""
_OF_A_CLAUSE = ("A", "R", "S", "O", "V")

_LENGTHS = range(40, 361)
_MISSING = 4
"""One in so many terms of the subject may be missing from a sentence and its title."""
_EARLY, _FOUND = 0.3, 0.5
"""What the first sentence of a document gains, and the document that a search finds first."""
_SAYS, _MANY_TERMS = 0.3, 20
"""What a sentence of so many terms gains: "Nouveau rebondissement dans l'affaire Durand." tells nothing."""
_SAYS_LITTLE = re.compile(
    r"\?\W*$|^\W*(?:je|j['’]|nous|on|vous|il|elle|ils|elles|cela|ça|c['’]est)\b|^[\"“«,-]", re.IGNORECASE
)
"""Questions, quotations, and what begins with a word for something said before."""
_FROM_BEST = 0.6
"""Share of the best document's score from which another is as much about the subject."""
_SAME = 0.5
"""Share of terms in common from which two sentences say the same (Jaccard)."""
_SCORE = 0.9
_N = 6


@dataclass(frozen=True, slots=True)
class TopicRequest:
    """A request for what is known of a subject.

    Attributes:
        topic: the subject, as typed.
        wants_newest: whether news are asked for, the newest first.
        is_event: whether it asks what happened, or is the subject alone: one sentence may well answer that.
    """

    topic: str
    wants_newest: bool = False
    is_event: bool = False


def read_topic_request(question: str) -> TopicRequest | None:
    """Return what a question such as "Quoi de neuf sur Alstom ?" asks for, or None where it asks something else.

    Up to three words that are no clause are a subject by themselves: "affaire Benalla".
    """
    text, folded = plain_question(question)
    for kind, pattern in _REQUESTS.items():
        match = pattern.match(folded)
        if match is not None:
            topic = match["topic"]
            if _NOT_A_TOPIC.match(topic) or len(topic.split()) > _MOST_WORDS:
                return None
            return TopicRequest(text[match.start("topic") :], wants_newest=kind == "newest", is_event=kind == "event")
    words = folded.split()
    is_subject = 0 < len(words) <= _FEW_WORDS and not any(CLASS_OF.get(word, "") in _OF_A_CLAUSE for word in words)
    if is_subject and not _NOT_A_TOPIC.match(folded) and max(map(len, words)) >= _LONG:
        return TopicRequest(text, is_event=True)
    return None


def sentences_about(
    request: TopicRequest,
    hits: Sequence[Hit],
    *,
    analyzer: Analyzer,
    idfs: Callable[[Sequence[str]], Mapping[str, float]],
) -> tuple[Evidence, ...]:
    """Return a sentence of each document that is most about a subject, at most six; none where no document is.

    Args:
        request: the subject; the newest come first where news are asked for, else those that say most of it.
        hits: what a search for it found, best first.
        analyzer: of the index.
        idfs: returns how rare each of some terms is, above 0.
    """
    read = with_nations if NATION in with_nations(request.topic) else _folded
    rarity = idfs(list(dict.fromkeys(analyzer.terms(read(request.topic)))))
    names = [name for word in _NAME.findall(request.topic) for name in read(word).split()]
    if not rarity:
        return ()
    whole = sum(rarity.values())
    best: dict[str, tuple[float, Sentence]] = {}
    for rank, hit in enumerate(hits):
        document = hit.passage.document
        title = read(document.title or "")
        in_title = set(analyzer.terms(title))
        for number, sentence in enumerate(hit.passage.sentences, start=hit.passage.first):
            if len(sentence.text) not in _LENGTHS or _SAYS_LITTLE.search(sentence.text):
                continue
            text = read(sentence.text)
            terms = set(analyzer.terms(text))
            is_named = all(name in title or name in text for name in names)  # Bombardier is no "bombardement"
            if not is_named or len(rarity.keys() - terms - in_title) > len(rarity) // _MISSING:
                continue
            shares = (sum(rarity[term] for term in rarity.keys() & held) / whole for held in (terms, in_title))
            says = _SAYS * min(1.0, len(terms) / _MANY_TERMS)
            score = sum(shares) + says + _EARLY / sqrt(1.0 + number) + _FOUND / (1.0 + rank)
            if score > best.get(document.source, (0.0, sentence))[0]:
                best[document.source] = (score, sentence)
    ranked = sorted(best.values(), key=lambda each: -each[0])
    if request.wants_newest:
        ranked = [each for each in ranked if each[0] >= _FROM_BEST * ranked[0][0]]
        ranked.sort(key=lambda each: each[1].document.date or "", reverse=True)
    chosen: list[tuple[Sentence, frozenset[str]]] = []
    for _, sentence in ranked:
        said = frozenset(analyzer.terms(sentence.text))
        if all(len(said & other) < _SAME * len(said | other) for _, other in chosen):
            chosen.append((sentence, said))
        if len(chosen) == _N:
            break
    return tuple(Evidence(sentence, _SCORE) for sentence, _ in chosen)


def _folded(text: str) -> str:
    return fold(text.lower())
