"""Questions made from what recurs in an article: their forms, their answers, and that a seed decides them."""

import random
import re
import unicodedata

import pytest

from index.split import split_sentences
from training import cloze
from training.cloze import Cloze, cloze_questions

PERSON = (
    "Claire Fontaine a inauguré la passerelle de bois du jardin public. Beaucoup de riverains étaient venus. "
    "La passerelle du jardin fut dessinée par Claire Fontaine."
)
SURNAME = (
    "Marc Ducom a offert un vieux bateau aux médecins du village. Personne ne voulait y croire. "
    "Le bateau promis aux médecins appartenait bien à M. Ducom."
)
NUMBER = (
    "Trois randonneurs ont disparu dans la montagne enneigée. Les secours restent prudents. "
    "Dans la montagne, les trois randonneurs marchaient sans corde."
)
MEASURE = (
    "La rénovation du clocher médiéval va coûter 12 000 euros. Les habitants s'en réjouissent. "
    "Pour le clocher, une rénovation à 12.000 euros avait été votée."
)
DATE = (
    "Le théâtre municipal a rouvert le 12 mars 2018 devant une salle comble. Les acteurs ont salué longtemps. "
    "Une salle comble attendait le théâtre ce 12 mars."
)
YEAR = (
    "L'usine de tissage a fermé ses ateliers en 1998. Les machines sont parties. "
    "Depuis 1998, les ateliers de tissage accueillent des peintres."
)
PLACE = (
    "Un chanteur célèbre a été arrêté à Grenoble avec ses musiciens. La nuit fut longue. "
    "Les musiciens du chanteur avaient joué à Grenoble."
)
COUNTRY = (
    "Le voilier disparu a été retrouvé en Islande par des pêcheurs. L'équipage est sauf. "
    "Des pêcheurs avaient suivi le voilier jusqu'en Islande."
)
NOUN = (
    "La ministre Jeanne Valmy a présenté un budget modeste. Les députés ont applaudi. "
    "Ce budget présenté par Jeanne Valmy sera corrigé."
)
TITLE = (
    "La présidente de la chorale Louise Armand a quitté la réunion annuelle. Le silence a suivi. "
    "La réunion annuelle de la chorale avait fâché Louise Armand."
)
OWNER = (
    "Le maire de Grenoble a interdit les trottinettes bruyantes. Les commerçants ont soufflé. "
    "Plus de trottinettes bruyantes à Grenoble."
)
ALL = {name: text for name, text in globals().items() if name.isupper() and isinstance(text, str)}


def asked(text: str, *, title: str = "", lead: str = "", n_seeds: int = 200) -> list[Cloze]:
    """The questions of many seeds."""
    sentences = split_sentences(text)
    return [
        found for seed in range(n_seeds) for found in cloze_questions(title, lead, text, sentences, random.Random(seed))
    ]


def plain(text: str) -> str:
    """Lower case without accents, with straight apostrophes, without the question mark."""
    letters = unicodedata.normalize("NFD", text.lower().replace("’", "'"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).rstrip(" ?")


def answers(text: str, question: str) -> set[str]:
    """The answers given to a question, however it is spelt."""
    return {text[one.answer.start : one.answer.end] for one in asked(text) if plain(one.question) == question}


@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        (PERSON, "qui a inaugure la passerelle de bois du jardin public", "Claire Fontaine"),
        (PERSON, "la passerelle du jardin fut dessinee par qui", "Claire Fontaine"),
        (SURNAME, "qui a offert un vieux bateau aux medecins du village", "Ducom"),
        (SURNAME, "le bateau promis aux medecins appartenait bien a qui", "Marc Ducom"),
        (NOUN, "quelle ministre a presente un budget modeste", "Jeanne Valmy"),
        (NOUN, "quel est le nom de la ministre qui a presente un budget modeste", "Jeanne Valmy"),
        (TITLE, "quelle presidente de la chorale a quitte la reunion annuelle", "Louise Armand"),
        (OWNER, "de quelle ville le maire a-t-il interdit les trottinettes bruyantes", "Grenoble"),
        (OWNER, "le maire de quelle ville a interdit les trottinettes bruyantes", "Grenoble"),
        (NUMBER, "combien de randonneurs ont disparu dans la montagne enneigee", "trois"),
        (MEASURE, "la renovation du clocher medieval va couter combien", "12.000 euros"),
        (DATE, "quand le theatre municipal a-t-il rouvert devant une salle comble", "12 mars"),
        (DATE, "le theatre municipal a rouvert quand devant une salle comble", "12 mars"),
        (YEAR, "en quelle annee l'usine de tissage a ferme ses ateliers", "1998"),
        (YEAR, "depuis quand les ateliers de tissage accueillent des peintres", "1998"),
        (PLACE, "ou un chanteur celebre a-t-il ete arrete avec ses musiciens", "Grenoble"),
        (PLACE, "dans quelle ville un chanteur celebre a-t-il ete arrete avec ses musiciens", "Grenoble"),
        (PLACE, "un chanteur celebre a ete arrete ou avec ses musiciens", "Grenoble"),
        (COUNTRY, "dans quel pays le voilier disparu a-t-il ete retrouve par des pecheurs", "Islande"),
    ],
)
def test_a_question_of_each_form_has_its_answer(text: str, question: str, answer: str) -> None:
    assert answers(text, question) == {answer}


@pytest.mark.parametrize("name", ALL)
def test_the_answer_stands_in_another_sentence_and_not_in_the_question(name: str) -> None:
    text = ALL[name]
    sentences = split_sentences(text)
    found = asked(text)
    assert found
    for one in found:
        holder = sentences[one.sentence]
        assert holder.start <= one.answer.start < one.answer.end <= holder.end
        assert one.source in (0, 2)
        assert one.sentence == 2 - one.source
        words = re.findall(r"\w+", plain(one.question))
        assert not set(words) & set(re.findall(r"\w+", plain(text[one.answer.start : one.answer.end])))
        assert len({word for word in words if len(word) > 3}) >= 3
        held = plain(text[holder.start : holder.end])
        assert any(word[:5] in held for word in words if len(word) > 4)


def test_search_words_leave_out_function_words() -> None:
    short = [one.question.split() for one in asked(PLACE) if "?" not in one.question and "arr" in one.question]
    assert any(words == ["chanteur", "célèbre", "arrêté", "musiciens"] for words in short)


def test_each_form_has_its_share() -> None:
    found = [plain(one.question) for one in asked(PLACE, n_seeds=400) if one.source == 0]
    fronted = sum(question.startswith(("ou ", "dans quelle ville")) and " a " in question for question in found)
    in_place = sum(question.startswith("un chanteur") for question in found)
    assert fronted > in_place > len(found) / 20


def test_people_type_with_and_without_accents_and_capitals() -> None:
    questions = {one.question for one in asked(DATE)}
    assert any(question.startswith("Quand le théâtre") for question in questions)
    assert any(question.startswith("Quand le theatre") for question in questions)
    assert any(question.startswith("quand le théâtre") for question in questions)


def test_both_apostrophes_occur() -> None:
    marks = {mark for one in asked(YEAR) for mark in "'’" if mark in one.question}
    assert marks == {"'", "’"}


def test_title_and_lead_are_sources() -> None:
    text = "Le vieux moulin appartient désormais à Anne Kerel. Les ailes tournent encore."
    found = asked(text, title="Anne Kerel a sauvé un vieux moulin", lead="Le moulin plaisait beaucoup à Anne Kerel.")
    assert {one.source for one in found} == {-1, -2}
    assert {one.sentence for one in found} == {0}
    assert {text[one.answer.start : one.answer.end] for one in found} == {"Anne Kerel"}
    assert "qui a sauve un vieux moulin" in {plain(one.question) for one in found}


def test_of_two_sentences_the_one_that_shares_more_answers() -> None:
    text = (
        "Claire Fontaine a inauguré une passerelle fleurie près du canal. "
        "Le canal appartient à Claire Fontaine. "
        "La passerelle fleurie du canal doit tout à Claire Fontaine."
    )
    chosen = {one.sentence for one in asked(text) if plain(one.question).startswith("qui a inaugure une passerelle")}
    assert chosen == {2}


def test_a_name_told_twice_is_not_left_in_the_question() -> None:
    text = (
        "Paul Verdier a vendu les moutons de Paul Verdier aux fermiers du canton. "
        "Les fermiers du canton voulaient ces moutons de Paul Verdier."
    )
    assert {one.source for one in asked(text)} == {1}


def test_half_of_the_near_copies_are_passed_over() -> None:
    copied = "Claire Fontaine a inauguré la passerelle de bois. Hier, Claire Fontaine a inauguré la passerelle de bois."
    n_copies = len(asked(copied, n_seeds=400))
    n_others = len(asked(PERSON, n_seeds=400))
    assert 0.3 < n_copies / n_others < 0.75


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Claire Fontaine a inauguré la passerelle de bois du jardin public.",
        "Claire Fontaine a inauguré la passerelle du jardin. Paul Verdier a repeint la passerelle du jardin.",
        "Claire Fontaine a inauguré la passerelle du jardin. Ensuite, Claire Fontaine mangea trois huîtres froides.",
        "Claire Fontaine a inauguré la passerelle du jardin : le tambour jouait. Claire Fontaine préfère le tambour.",
        "Trois randonneurs ont disparu dans la montagne. Dans la montagne, trois guides les cherchent.",
    ],
    ids=[
        "empty",
        "one sentence",
        "other names",
        "nothing else shared",
        "only what is not asked shared",
        "other things counted",
    ],
)
def test_nothing_is_asked_where_nothing_recurs(text: str) -> None:
    assert asked(text, n_seeds=40) == []


def test_a_capital_that_opens_a_sentence_is_no_name() -> None:
    assert asked("Beaucoup de neige couvre le vieux village. Beaucoup de gens quittent le vieux village.") == []


def test_a_seed_decides() -> None:
    text = " ".join(ALL.values())
    sentences = split_sentences(text)
    first, again, other = (cloze_questions("", "", text, sentences, random.Random(seed)) for seed in (5, 5, 6))
    assert first == again
    assert first != other


@pytest.mark.parametrize("most", [0, 1, 3])
def test_at_most_so_many_are_made(most: int) -> None:
    text = " ".join(ALL.values())
    assert len(cloze_questions("", "", text, split_sentences(text), random.Random(1), most=most)) == most


def test_the_interface_is_complete() -> None:
    assert cloze.__all__ == sorted(["Cloze", "cloze_questions"])
