"""Words compared by their embeddings, against loops by hand; what is remembered changes nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from index.embed import StaticEmbedder
from index.soft_match import SoftMatch

# A boss is near to a director, a ship to a boat; "paix" is far from all, and the little words weigh little.
VECTORS = {
    "[UNK]": (0.0, 0.0, 0.0),
    "patron": (2.0, 0.0, 0.0),
    "dirigeant": (0.8, 0.6, 0.0),
    "navire": (0.0, 2.0, 0.0),
    "bateau": (0.0, 3.0, 4.0),
    "paix": (0.0, 0.0, -1.0),
    "de": (0.1, 0.0, 0.0),
}


def small_tokenizer() -> Tokenizer:
    """Return a tokenizer of whole words, cut where the shipped one cuts."""
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(VECTORS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[^\p{L}\p{N}]+"), behavior="removed")
    return tokenizer


def small_match() -> SoftMatch:
    return SoftMatch(small_tokenizer(), np.array([*VECTORS.values()], dtype=np.float32))


def words_of(text: str) -> list[str]:
    """Return the pieces of a text as the small model knows them."""
    words = "".join(letter if letter.isalnum() else " " for letter in text.lower()).split()
    return [word if word in VECTORS else "[UNK]" for word in words]


def cosine(left: Sequence[float], right: Sequence[float]) -> float:
    lengths = math.hypot(*left) * math.hypot(*right)
    return sum(a * b for a, b in zip(left, right, strict=True)) / lengths if lengths else 0.0


def summed(words: Sequence[str]) -> list[float]:
    return [sum(VECTORS[word][axis] for word in words) for axis in range(3)]


def pieces_of(text: str) -> list[str]:
    """Return the distinct pieces of a question in the order of their numbers."""
    return sorted(set(words_of(text)), key=[*VECTORS].index)


def test_a_synonym_counts_by_its_cosine() -> None:
    found = small_match().read("patron navire", ["Le dirigeant.", "Un bateau, le patron !", "La paix", ""])
    assert found.best == pytest.approx(np.array([[0.8, 1.0, 0.0, 0.0], [0.6, 0.6, 0.0, 0.0]]), abs=1e-6)
    assert found.weights.tolist() == [0.5, 0.5]
    # The question is (2, 2, 0) in all, the second sentence (2, 3, 4).
    root = math.sqrt(2.0)
    assert found.cosines == pytest.approx([1.4 / root, 5.0 / root / math.sqrt(29.0), 0.0, 0.0], abs=1e-6)


def test_a_piece_weighs_by_its_length_however_often_it_is_asked() -> None:
    found = small_match().read("bateau de bateau : quel patron ?", ["Le dirigeant"])
    assert found.weights == pytest.approx(
        [0.0, 2.0 / 7.1, 5.0 / 7.1, 0.1 / 7.1], abs=1e-6
    )  # unknown, patron, bateau, de
    assert found.best[:, 0] == pytest.approx([0.0, 0.8, 0.36, 0.8], abs=1e-6)


@pytest.mark.parametrize("question", ["", " ", "...", "Кто это ?", "🤖", "inconnu"])
def test_a_question_without_known_pieces_is_near_to_nothing(question: str) -> None:
    found = small_match().read(question, ["Le patron", "de"])
    assert found.best.shape == (len(set(words_of(question))), 2)
    assert not found.best.any()
    assert found.weights.tolist() == [0.0] * len(found.best)
    assert found.cosines.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("text", ["", " ", "?!", "Что", "🤖", "inconnu"])
def test_a_sentence_without_known_pieces_is_near_to_nothing(text: str) -> None:
    for sentences in ([text], [text, "patron"], ["patron", text], [text, text, "patron", text]):
        found = small_match().read("patron", sentences)
        expected = [float(sentence == "patron") for sentence in sentences]
        assert found.best.tolist() == [expected]
        assert found.cosines.tolist() == expected


sentences = st.lists(
    st.tuples(
        st.sampled_from([*VECTORS, "inconnu", "Patron", "NAVIRE", "été"]),
        st.sampled_from([" ", ", ", "-", "'", "’", " « ", "_", "/", "*", "\u00a0", "…", "\t", "(", "\u2014"]),
    ),
    max_size=8,
).map(lambda parts: "".join(word + after for word, after in parts))


@settings(max_examples=150, deadline=None)
@given(sentences, st.lists(sentences, min_size=1, max_size=6))
def test_each_sentence_is_compared_as_by_hand(question: str, texts: list[str]) -> None:
    found = small_match().read(question.replace("[UNK]", "x"), [text.replace("[UNK]", "x") for text in texts])
    asked = pieces_of(question.replace("[UNK]", "x"))
    lengths = [math.hypot(*VECTORS[word]) for word in asked]
    assert found.weights.tolist() == pytest.approx([each / (sum(lengths) or 1.0) for each in lengths], abs=1e-6)
    for column, text in enumerate(texts):
        held = words_of(text.replace("[UNK]", "x"))
        best = [max([0.0, *(cosine(VECTORS[word], VECTORS[other]) for other in held)]) for word in asked]
        assert found.best[:, column].tolist() == pytest.approx(best, abs=1e-6)
        assert found.cosines[column] == pytest.approx(cosine(summed(asked), summed(held)), abs=1e-6)


# -- what is remembered ----------------------------------------------------------------------------------------------

PUNCTUATION = (
    " \t\n\u00a0\u202f\u2009\x1c\x85,;:.!?()'’\"«»-–—_/*[]{}<>=+&%€#@°…·•“”‘`´^~|\\\u200b\u00ad\u0301\u2011ʼ½²"
)
texts = st.one_of(
    st.text(st.sampled_from("abéÉœŒçßſİıΣς0123Ж中عआ🤖 " + PUNCTUATION), max_size=60),
    st.text(st.characters(codec="utf-8"), max_size=60),
)


@pytest.fixture(scope="module")
def embedder() -> StaticEmbedder:
    return StaticEmbedder.bundled()


@settings(max_examples=300, deadline=None)
@given(st.lists(texts, min_size=1, max_size=5))
def test_a_text_has_the_pieces_that_the_tokenizer_gives_for_the_whole(
    embedder: StaticEmbedder, given_texts: list[str]
) -> None:
    tokenizer = embedder._model.tokenizer
    whole = [tokenizer.encode(text, add_special_tokens=False).ids for text in given_texts]
    assert embedder.soft_match._pieces(given_texts) == whole
    assert embedder.soft_match._pieces(given_texts) == whole  # remembered by now


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(sentences, min_size=1, max_size=4), min_size=1, max_size=6), st.integers(1, 6))
def test_what_is_remembered_changes_nothing(groups: list[list[str]], limit: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("index.soft_match._MEMO_LIMIT", limit)
        forgetful = small_match()
        for group in groups:
            first, again = forgetful.read(group[0], group), forgetful.read(group[0], group)
            fresh = small_match().read(group[0], group)
            for found in (first, again):
                assert found.best.tolist() == fresh.best.tolist()
                assert found.weights.tolist() == fresh.weights.tolist()
                assert found.cosines.tolist() == fresh.cosines.tolist()


def test_no_more_is_remembered_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.soft_match._MEMO_LIMIT", 3)
    match = small_match()
    for text in ("patron navire", "bateau", "paix de bateau", "patron"):
        match.read(text, [text])
        assert len(match._memo) <= 3


def test_the_bundled_words_know_synonyms(embedder: StaticEmbedder) -> None:
    found = embedder.soft_match.read("navire", ["Le bateau est parti.", "Une tarte aux pommes."])
    assert found.best.max(axis=0)[0] > found.best.max(axis=0)[1] + 0.2
    vectors = [embedder.embed_question(text) for text in ("navire", "Le bateau est parti.", "Une tarte aux pommes.")]
    assert found.cosines.tolist() == pytest.approx([float(vectors[0] @ each) for each in vectors[1:]], abs=1e-5)
