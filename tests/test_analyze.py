"""The analyzer against tables written by hand, and properties of its offsets."""

import itertools
import sys
import threading
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.analyze import ANALYZER_VERSION, Analyzer
from index.errors import InputError

ANALYZER = Analyzer()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("l'Otan", ["Otan"]),
        ("l’Otan", ["Otan"]),
        ("lʼOtan", ["Otan"]),
        ("L'OTAN", ["OTAN"]),
        ("qu'elle n'arrive jusqu'à Lyon", ["arrive", "Lyon"]),
        ("lorsqu'Anne, puisqu'Élie, quoiqu'Ève", ["Anne", "Élie", "Ève"]),
        ("C'est aujourd'hui", ["aujourd'hui"]),
        ("d’aujourd’hui", ["aujourd’hui"]),
        ("presqu'île presqu'aussi", ["presqu'île"]),
        ("conseil de prud'hommes", ["conseil", "prud'hommes"]),
        ("l'entr'acte", ["entr'acte"]),
        ("quelqu'un, peut-être, c'est-à-dire", []),
        ("O'Brien", ["O", "Brien"]),
        ("Nord-Stream", ["Nord", "Stream"]),
        ("anti-aérienne", ["anti", "aérienne"]),
        ("Saint\u2011Denis", ["Saint", "Denis"]),
        ("De quoi l'Ukraine a-t-elle besoin ?", ["Ukraine", "besoin"]),
        ("Est-ce que, est-il, n'est, c'est", []),
        (
            "l'Est, d’est en ouest, sud-est, Corée de l'est, Grand Est",
            ["Est", "est", "ouest", "sud", "est", "Corée", "est", "Grand", "Est"],
        ),
        ("EST", []),
        ("La vitamine C et le jour J", ["vitamine", "C", "jour", "J"]),
        ("M. Macron, Mme Borne, MM. X et Y", ["Macron", "Borne", "X"]),
        ("Où ? Qui ? Combien ? Pourquoi ? Comment ? Quand ? Lequel ?", []),
        ("meme ou a deja ete", ["deja", "ete"]),
        ("Il est né sur un champ de maïs", ["né", "champ", "maïs"]),
        ("Les avions de l'été", ["avions", "été"]),
        ("O.N.U. U.S.A l'O.T.A.N.", ["O.N.U.", "U.S.A", "O.T.A.N."]),
        ("foo_bar", ["foo", "bar"]),
        ("e\u0301lu", ["e\u0301lu"]),
        ("sécu\u00adrité", ["sécu\u00adrité"]),
        ("\x00\x07 \u200b!?«»…", []),
        ("", []),
    ],
)
def test_words_that_become_terms(text: str, words: list[str]) -> None:
    assert [text[start:end] for _, start, end in ANALYZER.tokens(text)] == words


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("50 000 · 50.000 · 50000 · 50\u00a0000 · 50\u202f000 · 50\u2009000", ["50000"] * 6),
        ("1 234 567,8", ["1234567.8"]),
        ("3,5 % ou 3.5 %", ["3.5", "3.5"]),
        ("20h30, 20 h 30, 20H30, 08h30", ["20h30", "20h30", "20h30", "8h30"]),
        ("16 h, 16h", ["16h", "16h"]),
        ("1er 1re 1ère 1ERE", ["1er"] * 4),
        ("2e 2ème 2ieme 2nd", ["2e"] * 4),
        ("le 11.10.2022", ["11", "10", "2022"]),
        ("en 2022 300 navires", ["2022", "300", "navir"]),
        ("01 23 45", ["01", "23", "45"]),
        ("12\n345\t678\u3000901, 20\nh\n30", ["12", "345", "678", "901", "20", "30"]),
        ("12\n345 · 12 345 · 20\u202fh\u202f30", ["12", "345", "12345", "20h30"]),
        ("Covid-19, F-16", ["covid", "19", "f", "16"]),
        ("m²", ["m2"]),
        ("½", ["½"]),
        ("cœur, Œuvre, ex æquo", ["coeur", "oeuvr", "ex", "aequo"]),
        ("ONU O.N.U.", ["onu", "onu"]),
        ("aujourd'hui aujourdhui", ["aujourdhu", "aujourdhu"]),
        ("İstanbul", ["istanbul"]),
        ("Привет 日本 हिन्दी", ["привет", "日本", "हिन्दी"]),
    ],
)
def test_terms(text: str, terms: list[str]) -> None:
    assert ANALYZER.terms(text) == terms


FAMILIES = [
    "sécurité securite SÉCURITÉ SECURITE se\u0301curite\u0301 sécurités",
    "publié publie publier publiée publiés publiées PUBLIÉ",
    "première premières premiere premier premiers",
    "régulière régulièrement regulierement régulier",
    "journée journees journées",
    "succès succes",
    "économie économies économique economique",
    "annoncé annoncée annonce annonçait annoncait annoncèrent annoncerent",
    "fraîche fraiche",
    "élu élus élue elu",
    "né nés",
    "navire navires",
    "responsable responsables responsabilité responsabilite responsabilités",
    "national nationale nationaux nationalité nationalite",
    "loi lois",
    "emploi emplois emploie employer",
    "jeu jeux",
    "vélo vélos",
    "cheval chevaux",
    "réalisable realisables",
]


@pytest.mark.parametrize("family", FAMILIES)
def test_spellings_of_one_term(family: str) -> None:
    assert len(set(ANALYZER.terms(family))) == 1
    assert len(ANALYZER.terms(family)) == len(family.split())


def test_families_stay_apart() -> None:
    assert len({ANALYZER.terms(family)[0] for family in FAMILIES}) == len(FAMILIES)


def without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


@given(st.text("abcdeéèêëfghiîïlmnoôprstuùûvzçABCDEÉÈÀ '’-", max_size=60))
def test_typing_without_accents_gives_the_same_terms(text: str) -> None:
    told_by_accent = {"dé", "dés", "entré", "maïs", "né", "nés", "sûr"}
    words = list(text.replace("’", " ").replace("'", " ").replace("-", " ").lower().split(" "))
    if told_by_accent.isdisjoint(words):
        assert ANALYZER.terms(without_accents(text)) == ANALYZER.terms(text)


texts = st.one_of(
    st.text(max_size=200),
    st.lists(
        st.sampled_from(
            [
                *"l'’ʼ-.,_ \n",
                "\xa0",
                "\u202f",
                "́",
                "\ufeff",
                "O.",
                "N.U.",
                "aujourd",
                "hui",
                "qu",
                "est",
                "Est",
                "12",
                "345",
                "000",
                "h",
                "30",
                "er",
                "İ",
                "ﷺ",
                "ﬁ",
                "½",
                "²",
                "é",
                "ß",
                "�",
                "x" * 100,
                "entr",
                "prud",
            ]
        ),
        max_size=30,
    ).map("".join),
)


@given(texts)
def test_tokens_hold_the_terms_in_order_with_offsets_of_the_text(text: str) -> None:
    tokens = ANALYZER.tokens(text)
    assert [term for term, _, _ in tokens] == ANALYZER.terms(text)
    assert all(0 <= start < end <= len(text) for _, start, end in tokens)
    assert all(before[2] <= after[1] for before, after in itertools.pairwise(tokens))
    for term, start, end in tokens:
        assert term
        assert len(term) <= 64
        assert term.split() == [term]
        assert any(c.isalnum() or unicodedata.category(c).startswith("M") for c in text[start:end])


@given(st.lists(st.sampled_from(["l'Otan", "sécurité", "50 000", "aujourd’hui", "20 h 30", "a-t-il"]), max_size=8))
def test_terms_of_a_text_are_the_terms_of_its_lines(lines: list[str]) -> None:
    assert ANALYZER.terms("\n".join(lines)) == [term for line in lines for term in ANALYZER.terms(line)]


@given(st.text(max_size=80))
def test_a_full_memo_starts_afresh_with_the_same_terms(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("index.analyze._MEMO_LIMIT", 2)
        analyzer = Analyzer()
        assert analyzer.terms(text + " navires " + text) == ANALYZER.terms(text + " navires " + text)
        assert len(analyzer._terms) <= 2
        assert len(analyzer._spaced_terms) <= 2


def test_a_long_string_is_not_remembered() -> None:
    analyzer = Analyzer()
    long = "a1" * 500_000
    assert analyzer.terms(f"navires {long}, {long}") == ["navir", long[:64], long[:64]]
    assert set(analyzer._spaced_terms) == set(analyzer._terms) == {"navires"}


def test_threads_share_an_analyzer() -> None:
    text = " ".join(f"mot{n}ation{'é' * (n % 3)} navir{chr(97 + n % 26)}s" for n in range(3000))
    expected = Analyzer().terms(text)
    shared = Analyzer()
    results: list[list[str]] = []
    former = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=lambda: results.append(shared.terms(text))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(former)
    assert results == [expected] * 4


def test_other_languages_stem_and_fold() -> None:
    assert Analyzer("english").terms("The running ships") == ["the", "run", "ship"]
    assert Analyzer("german").terms("Häuser") == ["haus"]
    assert ANALYZER.version == ANALYZER_VERSION
    assert Analyzer("english").version != ANALYZER_VERSION


def test_unknown_language_is_named_with_those_that_exist() -> None:
    with pytest.raises(InputError, match=r"'klingon'.*french"):
        Analyzer("klingon")
