"""Questions that the corpus is sure to answer, made from its own sentences and asked beforehand.

A sentence makes a question only where the grammar is plain: a counted subject ("Quatorze personnes ont été blessées …"
gives "Combien de personnes ont été blessées … ?"), an event with its date, a person named beside a function, an acronym
beside its long form. Each is asked, and kept where the answer cites the sentence that it was made from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import PurePath

from index.split import split_sentences
from index.types import Document, Span
from qa.chatbot import Chatbot
from qa.summary import read_summary_request
from qa.types import Answer

__all__ = ["follow_up_questions", "suggested_questions"]

_NEWEST = 60
"""Documents that questions are made from, newest first."""
_SENTENCES = 12
"""Sentences of each that are looked at, from its beginning, where news says what matters."""
_ASKED = 3
"""Questions asked for each one wanted: an answer takes some 100 ms on 30,000 documents."""
_SURE = 0.5
"""Least confidence of an answer to a question that is suggested."""
_LONGEST = 110
_ABOUT = "De quoi parle ce document ?"

_CAPITAL = r"[A-ZÀ-ÖØ-Þ][\w'’-]+"
_RUN = rf"{_CAPITAL}(?: {_CAPITAL}){{1,4}}"
_NAME = rf"{_CAPITAL} (?:de |du |le |la |d['’]|von |van |ben |al-)?{_CAPITAL}"
_NUMBER = (
    r"(?:\d[\d  .,]*(?: (?:mille|millions?|milliards?)(?: d['’]| de)?)?"
    r"|(?:Deux|Trois|Quatre|Cinq|Six|Sept|Huit|Neuf|Dix|Onze|Douze|Treize|Quatorze|Quinze|Seize|Vingt|Trente|Quarante"
    r"|Cinquante|Soixante|Cent|Mille)(?:-\w+)*)"
)
_END = r"(?=[.,;!?»\"”]|$)"
_VERBS = r"(?:ont|sont|étaient|seront|avaient|vont)"
_COUNTED = re.compile(
    rf"^(?:Au total, |Au moins |Plus de |Plus d['’]|Près de |Quelque |Environ |Quelques )?(?i:{_NUMBER}) "
    rf"(?P<noun>[a-zà-ÿ-]{{3,}}(?: (?!{_VERBS} |de |d'|en |sur |dans |parmi )[a-zà-ÿ-]{{3,}})?)"
    rf" (?P<rest>{_VERBS} (?:été |également )?[^.,;:«»\"“”()]{{8,80}}?){_END}"
)
_EVENT = re.compile(
    r"^(?P<event>(?:Le |La |Les |L['’])[^.,;:«»\"“”()]{3,60}?) (?P<verb>(?:aura|auront) lieu|(?:a|ont) eu lieu"
    r"|se tiendra|se tiendront|s['’]est tenue?|se déroulera|s['’]ouvrira|débutera|entrera en vigueur|s['’]achèvera)"
    r" (?=[^.]{0,60}\b(?:\d{1,2}|1er|janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre"
    r"|décembre|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|\d{4})\b)"
)
_FUNCTION = (
    r"(?:ministre|président|présidente|secrétaire général|secrétaire générale|porte-parole|maire|chef|cheffe|directeur"
    r"|directrice|patron|patronne|PDG|députée?|sénateur|sénatrice|avocate?|procureure?|préfète?|professeure?|historien"
    r"|historienne|économiste|chercheur|chercheuse|médecin|entraîneur|réalisateur|réalisatrice|fondateur|fondatrice"
    r"|présidente? directeur)"
)
_PERSON = re.compile(
    rf"\b(?i:le |la |l['’])(?:ancien |ancienne |nouveau |nouvelle )?{_FUNCTION}(?: [^.,;:«»\"“”()]{{2,60}}?)?"
    rf"(?P<link>,? )(?P<run>{_RUN})(?![\w'’-])"
)
_NAMED = re.compile(rf"(?<![\w'’-])(?<![\w'’-] )(?P<name>{_NAME}), (?:le |la |l['’])?{_FUNCTION}\b")
_OF = re.compile(r"(?:\b(?:de|du|des|la|le|les|à|au|aux|en)|['’])$")
_ACRONYM = re.compile(rf"(?P<long>{_CAPITAL}(?: [\w'’-]+){{1,7}}) \((?P<short>[A-Z]{{2,6}})\)")
_HAS_NAME = re.compile(rf"(?<![\w-]){_CAPITAL}")
_POINTS = re.compile(r"\b(?:ce|cet|cette|ces|ainsi|toujours|déjà|également|celui|celle|ceux|son|sa|ses|leurs?|y)\b")
_OPENERS = frozenset(
    ["Selon", "Pour", "Mais", "Et", "Avec", "Après", "Pr", "Dr", "Me", "Monsieur", "Madame", "Le", "La"]
)


@dataclass(frozen=True, slots=True)
class _Made:
    """A question with the sentence that it was made from, and the words that one that answers has."""

    question: str
    document: Document
    span: Span
    words: str | None


def suggested_questions(chatbot: Chatbot, *, n: int = 4) -> tuple[str, ...]:
    """Return questions that the corpus answers, from its newest documents, at most ``n``; none from an empty one.

    They are of several kinds as far as the sentences make them; where there are too few, "De quoi parle le document
    « title » ?" stands in.
    """
    documents = chatbot.corpus.newest_documents(_NEWEST)
    made = [question for document in documents for question in _questions_of(document, n=_SENTENCES)]
    chosen = _that_are_answered(chatbot, _by_turns(made), n=n, known=set())
    for document in documents:
        if len(chosen) < n and all(question.document.id != document.id for question in chosen):
            name = document.title or PurePath(document.source).name
            chosen.append(_Made(f"De quoi parle le document « {name} » ?", document, Span(0, 0), None))
    return tuple(question.question for question in chosen)


def follow_up_questions(chatbot: Chatbot, answer: Answer, *, n: int = 3) -> tuple[str, ...]:
    """Return questions that the documents of an answer answer too, with other sentences; at most ``n``.

    The last is what the document is about. None where nothing was answered.
    """
    if not answer.answered or n < 1:
        return ()
    sources = list(dict.fromkeys(citation.source for citation in answer.citations))
    cited = {(citation.source, citation.start) for citation in answer.citations}
    made = [
        question
        for document in chatbot.corpus.find_documents(sources).values()
        for question in _questions_of(document)
        if (document.source, question.span.start) not in cited
    ]
    chosen = _that_are_answered(chatbot, _by_turns(made), n=n - 1, known={answer.question, answer.understood_as})
    is_summary = read_summary_request(answer.question) is not None
    return (*(question.question for question in chosen), *(() if is_summary else (_ABOUT,)))


def _by_turns(made: Sequence[_Made]) -> Iterator[_Made]:
    """Yield questions so that those that begin alike do not follow one another, as far as there are others."""
    kinds: dict[str, list[_Made]] = {}
    for question in made:
        kinds.setdefault(question.question.split()[0], []).append(question)
    return (question for row in zip_longest(*kinds.values()) for question in row if question is not None)


def _that_are_answered(chatbot: Chatbot, made: Iterator[_Made], *, n: int, known: set[str]) -> list[_Made]:
    """Ask the questions one by one and return the first ``n`` that are answered as they should be.

    No language model is asked: the evidence decides.
    """
    quoting = chatbot.quoting()
    chosen: list[_Made] = []
    n_asked = 0
    for question in made:
        if len(chosen) == n or n_asked == _ASKED * n:
            break
        if question.question not in known:
            known.add(question.question)
            n_asked += 1
            if _is_answered(question, quoting.ask(question.question, read_dates=False)):
                chosen.append(question)
    return chosen


def _is_answered(made: _Made, answer: Answer) -> bool:
    """Say whether the first citation is the sentence that a question was made from, or has the words that answer."""
    if not answer.answered or answer.confidence < _SURE:
        return False
    first = answer.citations[0]
    if made.words is not None and made.words in " ".join(first.text.split()):
        return True
    return (first.source, first.start) == (made.document.source, made.span.start)


# -- making them -----------------------------------------------------------------------------------------------------


def _questions_of(document: Document, *, n: int | None = None) -> Iterator[_Made]:
    """Yield the questions of the first ``n`` sentences of a document, at most one each."""
    for span in split_sentences(document.text, start=document.body_start)[:n]:
        text = " ".join(document.text[span.start : span.end].split())
        for make in _MAKERS:
            made = make(text)
            if made is not None and len(made[0]) <= _LONGEST:
                yield _Made(made[0], document, span, made[1])
                break


_Asked = tuple[str, str | None]
"""A question, and the words of any sentence that answers it."""


def _counted(text: str) -> _Asked | None:
    match = _COUNTED.match(text)
    if match is None or not _stands_alone(match["rest"]):
        return None
    of = "d'" if match["noun"][0] in "aeiouyhàâéèêëîïôœ" else "de "
    return f"Combien {of}{match['noun']} {match['rest'].strip()} ?", None


def _event(text: str) -> _Asked | None:
    match = _EVENT.match(text)
    if match is None or not _stands_alone(match["event"][1:]):
        return None
    return f"Quand {match['verb']} {match['event'][0].lower()}{match['event'][1:]} ?", None


def _stands_alone(clause: str) -> bool:
    """Say whether a clause has a name, and no word that points to another sentence."""
    return _HAS_NAME.search(clause) is not None and _POINTS.search(clause) is None


def _person(text: str) -> _Asked | None:
    if match := _NAMED.search(text):
        return _who(match["name"]) if match["name"].split()[0] not in _OPENERS else None
    match = _PERSON.search(text)
    if match is None:
        return None
    words = match["run"].split()
    if len(words) == 2 and match["link"] == " " and _OF.search(text[: match.start("run")].rstrip()):
        return None  # "le président de France Télévisions"
    # "la maire de Paris Anne Hidalgo": the name of a place, then the person.
    return _who(" ".join(words[-2:]))


def _who(name: str) -> _Asked:
    return f"Qui est {name} ?", name


def _acronym(text: str) -> _Asked | None:
    match = _ACRONYM.search(text)
    return None if match is None else (f"Que signifie {match['short']} ?", match["long"])


_MAKERS: Sequence[Callable[[str], _Asked | None]] = (_event, _counted, _person, _acronym)
