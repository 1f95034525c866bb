"""Sentences and passages: hand-written French cases, spans of generated text, and time on hostile input."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import InputError
from index.split import MAX_SENTENCE, split_passages, split_sentences
from index.types import Span


def texts(text: str, start: int = 0) -> list[str]:
    return [text[span.start : span.end] for span in split_sentences(text, start=start)]


# One row a case: its sentences are divided by "|", which is then taken out.
ON_ONE_LINE = [
    "Il pleut. |Elle part ! |Où va-t-elle ? |On l'ignore…",
    # abbreviations
    "M. Macron a reçu MM. Le Drian et Castex, Mme. Buzyn et le Dr. House. |Il était là.",
    "En 52 av. J.-C. |César bat Vercingétorix.",
    "Voir p. 12, art. 5, vol. II et fig. 3 du n° 4. |Cf. Marx, Le Capital.",
    "Il vend des livres, des stylos, etc. |Le magasin ferme.",
    "Il vend des livres, etc. dans un magasin.",
    "Né le 3 sept. 2019, env. 300 personnes. |Ils étaient sept. |Elle sourit.",
    "L'art. |Voilà son métier.",
    "Rue St. Honoré, bd. Voltaire, tél. 01 02 03 04 05. |Ouvert.",
    "Pour Warner Bros. Pictures et Apple Inc. |Le groupe a gagné.",
    # initials and acronyms
    "J. K. Rowling et L.-F. Céline écrivent. |J.R.R. Tolkien aussi.",
    "George W. Bush rencontre J. Le Goff aux U.S.A. |Il pleut.",
    "L'O.N.U. siège à New York. |L'O.N.U. |Elle siège.",
    "Claude S. a fui. |On cherche Claude S. |Les enquêteurs patientent.",
    'C\'est le jour J. |"Enfin", dit-il.',
    "On tient un plan B. |Marie renonce à la ligne P. |Seuls dix trains roulent. |Plainte contre X. |Rien.",
    "Les frères N. Roux et S. Roux, nommés J.C. et C.A. dans l'acte, ont porté plainte contre B. Martin.",
    "La ville, fondée en 940 avant J.-C. et prise en 586 avant J.-C.. |Ces pièces sont de 70 av. J.-C. |Deux luisent.",
    "Il fait 25 °C. |Nature du produit.",
    # numbers, times, addresses
    "Cela coûte 3,5 % de 1 200 ou 3.076, soit 1.200.000. |Il est 20h30. |Fin.",
    "En 2019. |2020 fut pire. |Voir https://exemple.fr/a.b?C=d. |Écrire à j.d@exemple.fr.",
    "Selon Le Point.fr et 20 Minutes.fr, rien. |Le site aussi.",
    "1. Le premier point. |2. Le second.",
    "Plus de 450.000 personnes, 1\u202f200 voitures (- 10.6 %) et 265 824 €. |Un moteur V8 5.0 litres.",
    # ellipses and omissions
    "Des métiers (gaziers, dockers, etc...) ont débrayé. |Un statut (salariée, multiple, etc.). |Fin.",
    "Il hésite... puis part. |Bon... |Alors ?",
    "Il hésite… puis part. |Bon… |Alors ?!",
    "Fini. |(...) Mais il faut [...] partir. |[…] Oui.",
    "Quoi ?! |Non !!! |Vraiment ? ! |Oui.",
    # quotations
    '"La Russie sait. |Elle n\'attaquera pas", a-t-il insisté. |Fin.',
    "« La Russie sait. |Elle n'attaquera pas », a-t-il ajouté. |Fin.",
    "« C'est fini ! » a-t-il lancé. |« Vraiment ? », demande-t-elle. |« Oui. » |Il part.",
    '"Quoi ?" demande-t-il. |"Rien." |"Ah !" |Il part.',
    "“C'est fini.” |‘Non.’ |Il part.",
    'Il dit : "C\'est fini." |"Non !", répond-elle. |Un "oui". |Fin.',
    'Il a dit " non. " |" Oui ", dit-elle.',
    'Une "longue guerre", a-t-il dit. |"Ce sera long. |Très long.',
    'Elle cite "Le Monde. |Il lit. |"Elle part", dit-il.',
    "Il vient (dit-on.) |Elle part.",
    # a missing space
    'Il fut tué.|Il avait 20 ans.|"Un drame", dit-on (AFP).|Le suspect fuit en 2016.|Elle aussi.',
    "Le site ASP.NET et Node.js. |Fin.",
    "« Pour certains. |Et ça restera confidentiel. |Ça touche encore plus. », ajoute-t-elle. |Même si tous savent.",
    # dashes and small letters
    "Ils viennent d'Afrique. |il faut agir. |Vers le nord. |à midi, on mange. |Ils vont en tram. |c'est loin.",
    "Elle cite l'AFP. |- si vous avez faim. |- très flou - Ils partent avant 7h. |– éviter l'autoroute.",
    "Il vend du pain, etc. à midi, chez Acme Ltd. – il y reste –, puis Claude S. il ne sait quand. |Fin.",
    "Une voie de classe C. |On la prend selon le service com. de la mairie. |Fin.",
    "Il part. |– Où ? |– À Paris. |— Bien.",
    "Les plages sont vides. |à midi, on mange.",
    "Il s'excuse. |eBay aussi.",
]


@pytest.mark.parametrize("marked", ON_ONE_LINE)
@pytest.mark.parametrize("nested", [False, True])
def test_on_one_line(marked: str, nested: bool) -> None:
    expected = [part.strip() for part in marked.split("|")]
    text = marked.replace("|", "")
    if nested:
        text = f"Avant cela.\n\n{text}\n\nAprès cela."
        expected = ["Avant cela.", *expected, "Après cela."]
    assert texts(text) == expected


LINES = [
    ("Un titre\n\nLe texte.", ["Un titre", "Le texte."]),
    ("Un titre\nLe texte est un peu plus long que son titre.", 2),
    ("Le président\nde la République\na parlé. Il part.", ["Le président\nde la République\na parlé.", "Il part."]),
    (
        "Hier soir, à l'issue d'une réunion qui a duré trois heures, le président Emmanuel\n"
        "Macron a annoncé, devant la presse réunie au palais, une réforme de la Sécurité\n"
        "Sociale. Elle entre en vigueur.",
        [
            "Hier soir, à l'issue d'une réunion qui a duré trois heures, le président Emmanuel\n"
            "Macron a annoncé, devant la presse réunie au palais, une réforme de la Sécurité\nSociale.",
            "Elle entre en vigueur.",
        ],
    ),
    ("A acheter :\n- du pain\n- du lait\n• du sel\n1. un\n2) deux", 6),
    ("# Titre\nLe texte\nsuit.\n## Autre\nFin", ["# Titre", "Le texte\nsuit.", "## Autre", "Fin"]),
    ("| a | b |\n|---|---|\n| 1 | 2 |\nFin", ["| a | b |", "|---|---|", "| 1 | 2 |", "Fin"]),
    ("Paris\nLyon\nMarseille", ["Paris", "Lyon", "Marseille"]),
    ("Un.\r\nDeux\r\nmots.\r\n\r\nTrois", ["Un.", "Deux\r\nmots.", "Trois"]),
    ("une phrase coupée\n\nsans raison", ["une phrase coupée", "sans raison"]),
    (
        "Ce matin, devant la foule, le ministre a reçu M.\nDupont avant de quitter la ville et le pays.",
        1,
    ),
    ('"Une citation\n\nouverte. "Autre", dit-il.', ['"Une citation', "ouverte.", '"Autre", dit-il.']),
    ("a\u2029b", 1),
    ("Nul\x00 ici.\x07 Fin.", 1),
]


@pytest.mark.parametrize(("text", "expected"), LINES)
def test_line_breaks(text: str, expected: list[str] | int) -> None:
    found = texts(text)
    assert (found if isinstance(expected, list) else len(found)) == expected


def test_start_counts_from_the_whole_text() -> None:
    text = " date 2022-10 Un. Deux."
    assert split_sentences(text, start=14) == [Span(14, 17), Span(18, 23)]
    assert split_sentences(text, start=len(text)) == []
    assert split_sentences(text, start=len(text) + 5) == []
    with pytest.raises(InputError, match="start -1"):
        split_sentences(text, start=-1)


def test_blank_text_has_no_sentence() -> None:
    assert split_sentences("") == []
    assert split_sentences(" \n\t\u00a0\r\n ") == []


def check_cover(text: str, start: int, spans: list[Span]) -> None:
    """Spans are in order, disjoint and trimmed, and hold every character that is not white space."""
    at = start
    for span in spans:
        assert span.start >= at
        assert text[at : span.start].strip() == ""
        piece = text[span.start : span.end]
        assert piece == piece.strip() != ""
        assert len(piece) <= MAX_SENTENCE
        at = span.end
    assert text[at:].strip() == ""


CHARACTERS = ".!?…\"«»“”'’()[]-–•|#:;, \n\r\t\u00a0\u202f\u2028\x00\x1c\ufeff\U0001f600"
WORDS = [
    "\r\n",
    "\n\n",
    "...",
    "(...)",
    "M.",
    "J.-C.",
    "Il",
    "est",
    "là",
    "3,5",
    "12.",
    "É",
    "https://a.fr",
    "e\u0301",
    "# ",
]
PIECES = st.sampled_from([*CHARACTERS, *WORDS])


@given(st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=80), st.integers(0, 20))
def test_every_character_is_in_one_sentence(text: str, start: int) -> None:
    check_cover(text, start, split_sentences(text, start=start))


SENTENCES = st.sampled_from(
    [
        "Il pleut.",
        "M. Dupont a reçu 3,5 % de 1.200 euros à 20h30.",
        "« Oui ! », a-t-il répondu.",
        '"Rien ne va", dit J. K. Rowling.',
        "Où va l'O.N.U. aujourd'hui ?",
        "Elle hésite... puis sourit.",
        "Voir p. 12 et lemonde.fr !",
        "Le « Titanic » a coulé…",
        "L'association (créée en 1990) ferme.",
    ]
)
JOINTS = st.sampled_from([" ", "  ", "\n", "\n\n", "\r\n", "\r\n\r\n", "\n \n", "\u00a0"])


@given(st.lists(st.tuples(SENTENCES, JOINTS), min_size=1, max_size=12), st.sampled_from(["", " ", "\n\n"]))
def test_joined_sentences_are_found_again(parts: list[tuple[str, str]], before: str) -> None:
    text = before
    expected = []
    for sentence, joint in parts:
        expected.append(Span(len(text), len(text) + len(sentence)))
        text += sentence + joint
    assert split_sentences(text) == expected


@pytest.mark.parametrize("piece", ["mot ", "mot, ", "a", "\u00a0mot", "🙂"])
def test_a_line_without_end_is_cut(piece: str) -> None:
    text = piece * (10 * MAX_SENTENCE // len(piece))
    spans = split_sentences(text)
    check_cover(text, 0, spans)
    assert 10 <= len(spans) <= 20
    if piece == "mot, ":
        assert all(text[span.start : span.end].endswith(",") for span in spans)


HOSTILE = [
    *(
        ".",
        '"',
        " ",
        "\n",
        "\x00",
        "a",
        "(",
        "«",
        "'",
        "\r",
        ". ",
        '" ',
        ".)",
        '." ',
        "a.A",
        "A. ",
        "a\n",
        "A\n",
        "1.1",
    ),
    *("(...) ", "?A", "- ", ".\u00a0", "! »", '.\n"', "| ", "# \n", "Il. ((((((((((((", ".''''", "M.\n"),
]


@pytest.mark.parametrize("piece", HOSTILE, ids=ascii)
def test_hostile_text_is_covered(piece: str) -> None:
    text = piece * (100_000 // len(piece))  # quadratic code would take minutes here
    check_cover(text, 0, split_sentences(text))


def words_text(sizes: list[int], breaks: set[int]) -> tuple[str, list[Span]]:
    """A text of sentences with the given numbers of words; a paragraph ends before the sentences in ``breaks``."""
    text, spans = "", []
    for number, size in enumerate(sizes):
        text += "" if not number else "\n\n" if number in breaks else " "
        sentence = " ".join(["mot"] * size)
        spans.append(Span(len(text), len(text) + len(sentence)))
        text += sentence
    return text, spans


@pytest.mark.parametrize(
    ("sizes", "breaks", "overlap", "expected"),
    [
        ([], [], 1, []),
        ([5], [], 1, [(0, 1)]),
        ([10, 10, 10, 10, 10, 10, 10, 10], [], 1, [(0, 4), (3, 8)]),
        ([10, 10, 10, 10, 10, 10, 10, 10], [], 0, [(0, 4), (4, 8)]),
        ([10, 10, 10, 10, 10], [], 1, [(0, 5)]),  # 50 words are within a quarter of 40
        ([10, 10, 10, 10, 10, 10], [3], 1, [(0, 3), (2, 6)]),  # 30 words at the paragraph break
        ([200, 200, 5], [], 1, [(0, 1), (1, 2), (2, 3)]),  # no room to repeat a long sentence
        ([30, 30, 30], [], 1, [(0, 1), (1, 2), (2, 3)]),
        ([15, 15, 5, 40], [2], 4, [(0, 2), (1, 3), (3, 4)]),  # never the whole passage before
        ([10, 10, 10, 10, 10, 10, 10, 10], [], 2, [(0, 4), (2, 6), (4, 8)]),
    ],
)
def test_passages(sizes: list[int], breaks: list[int], overlap: int, expected: list[tuple[int, int]]) -> None:
    text, spans = words_text(sizes, set(breaks))
    assert split_passages(text, spans, n_words=40, overlap=overlap) == expected


@given(
    st.lists(st.integers(1, 60), max_size=40),
    st.sets(st.integers(0, 39)),
    st.integers(1, 80),
    st.integers(0, 4),
)
def test_passages_cover_and_progress(sizes: list[int], breaks: set[int], n_words: int, overlap: int) -> None:
    text, spans = words_text(sizes, breaks)
    passages = split_passages(text, spans, n_words=n_words, overlap=overlap)
    done, last_first = 0, -1
    for first, end in passages:
        assert max(done - overlap, last_first + 1) <= first <= done < end
        assert sum(sizes[first:end]) <= 1.25 * n_words or end == done + 1
        done, last_first = end, first
    assert done == len(sizes)


@pytest.mark.parametrize(("n_words", "overlap"), [(0, 1), (120, -1)])
def test_passages_refuse(n_words: int, overlap: int) -> None:
    with pytest.raises(InputError, match="n_words"):
        split_passages("Un.", [Span(0, 3)], n_words=n_words, overlap=overlap)
