"""The learned ranking with trees small enough to follow: its model files, its order, and questions of any kind."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from index import CorpusIndex, Document, Hit, InputError, ModelError
from index.asked import read_asked
from index.filters import Filter
from index.passage_features import PASSAGE_FEATURES
from index.rank import FusionWeights
from index.ranker import N_READ, RankedSentences, Ranker
from index.search import N_CANDIDATES, find_candidates, reorder, rows_of_candidates, search_passages
from index.sentence_features import SENTENCE_FEATURES, distinct_sentences
from index.types import Passage, Sentence, Span
from tests.conftest import HashingEmbedder, answers, plain
from tests.small_rankers import ship, small_ranker, small_record, write_record
from tests.test_segments import make_tiny

PLACES = ["mer Baltique", "Gassin", "Oslo", "Vaucluse", "Brest"]
THINGS = ["navire", "gazoduc", "pont", "récolte", "usine", "général"]
DEEDS = ["ferme", "double", "arrive", "explose", "reprend"]


def text_of(n: int) -> str:
    """Return some sentences; texts of many numbers share words, and some texts are equal."""
    dice = np.random.default_rng(n)
    sentences = [
        f"Le {dice.choice(THINGS)} de {dice.choice(PLACES)} {dice.choice(DEEDS)} en {2015 + dice.integers(9)}."
        for _ in range(1 + n % 5)
    ]
    return " ".join(sentences)


def document_of(n: int) -> Document:
    title = f"Le {THINGS[n % 6]} de {PLACES[n % 5]}" if n % 3 else None
    return Document(f"d{n}", f"d/{n:03}", text_of(n % 150), title=title, date=f"{2015 + n % 9}")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> CorpusIndex:
    """Two hundred documents, in several segments."""
    made = CorpusIndex.create(tmp_path_factory.mktemp("ranker") / "index", embedder=HashingEmbedder())
    made.put([document_of(n) for n in range(170)])
    for n in range(170, 200):
        made.put([document_of(n)])
    return made


@pytest.fixture
def ranker(monkeypatch: pytest.MonkeyPatch) -> Ranker:
    """The ranker of all searches of a test: every feature counts."""
    return ship(monkeypatch, small_ranker())


# -- model files -----------------------------------------------------------------------------------------------------


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    steps = {"lexical": (0.1, 0.2), "n_found": (1.0,)}
    read = Ranker.read(
        write_record(tmp_path / "ranker.json", small_record(steps, {"place": (2.0,)}, sentence_weight=2))
    )
    rows = np.zeros((4, len(PASSAGE_FEATURES)))
    rows[:, PASSAGE_FEATURES.index("lexical")] = 0.1, 0.15, 0.3, 0.0
    rows[:, PASSAGE_FEATURES.index("n_found")] = 1, 1, 1, 3
    assert read.score_passages(rows).tolist() == [0.0, 1.0, 2.0, 1.0]


def records() -> dict[str, Any]:
    good = small_record({"rank": (1.0,)}, {"cover": (0.5,)})
    other = json.loads(json.dumps(good))
    other["passages"]["features"].reverse()
    fewer = json.loads(json.dumps(good))
    fewer["sentences"]["features"].pop()
    renamed = json.loads(json.dumps(good))
    renamed["sentences"]["features"][3] += "x"
    swapped = {**good, "passages": good["sentences"], "sentences": good["passages"]}
    return {"in another order": other, "one less": fewer, "another name": renamed, "swapped": swapped}


@pytest.mark.parametrize("how", [*records()])
def test_a_model_of_other_features_is_refused(tmp_path: Path, how: str) -> None:
    with pytest.raises(ModelError, match=r"trained on other features.*train it again \(training/README\.md\)"):
        Ranker.read(write_record(tmp_path / "ranker.json", records()[how]))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"not json", b'{"passages": '])
def test_a_broken_model_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.json: .*install Sourcier again"):
        Ranker.read(path)


@pytest.mark.parametrize("missing", ["passages", "sentences", "sentence_weight", "features", "trees", "all"])
def test_a_model_without_a_part_is_refused(tmp_path: Path, missing: str) -> None:
    record: Any = small_record()
    if missing == "all":
        record = []
    elif missing in record:
        del record[missing]
    else:
        del record["sentences"][missing]
    with pytest.raises(ModelError):
        Ranker.read(write_record(tmp_path / "ranker.json", record))


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.json"):
        Ranker.read(tmp_path / "absent.json")
    with pytest.raises(ModelError, match=tmp_path.name):
        Ranker.read(tmp_path)


def test_the_shipped_model_is_one_of_these_features() -> None:
    shipped = Ranker.bundled()
    assert shipped is Ranker.bundled()
    rows = np.zeros((3, len(PASSAGE_FEATURES)))
    assert np.isfinite(shipped.score_passages(rows)).all()


# -- the order -------------------------------------------------------------------------------------------------------


def hit_of(name: str, sentences: Sequence[str], score: float) -> Hit:
    text, spans = "", []
    for sentence in sentences:
        spans.append(Span(len(text), len(text) + len(sentence)))
        text += sentence + " "
    document = Document(name, f"{name}.txt", text)
    held = tuple(Sentence(document, span) for span in spans)
    return Hit(Passage(0, document, 0, Span(0, spans[-1].end), held), score, 0.0, 0.0)


def ranked_by(hits: Sequence[Hit], log_odds: Sequence[float]) -> RankedSentences:
    found = distinct_sentences(hits)
    return RankedSentences(tuple(found), np.zeros((len(found), 1)), np.array(log_odds, dtype=np.float64))


def test_a_passage_is_worth_its_own_score_and_its_best_sentence() -> None:
    hits = [hit_of("a", ["Un.", "Deux."], 2.0), hit_of("b", ["Trois."], 1.0), hit_of("c", ["Un.", "Cinq."], -1.0)]
    ranked = ranked_by(hits, [-3.0, -2.0, 1.0, 0.5, -9.0])
    assert ranked.best_of(hits).tolist() == [-2.0, 1.0, 0.5]
    assert ranked.best_of(hits[1:2]).tolist() == [1.0]
    ranker = small_ranker({}, {}, sentence_weight=0.5)
    assert ranker.final_scores(hits, ranked).tolist() == [1.0, 1.5, -0.75]
    assert [hit.passage.document.id for hit in reorder(hits, ranker.final_scores(hits, ranked))] == ["b", "a", "c"]


def test_a_sentence_of_two_passages_counts_for_both() -> None:
    whole = hit_of("a", ["Un.", "Deux.", "Trois."], 0.0).passage
    hits = [
        Hit(replace(whole, sentences=whole.sentences[:2]), 1.0, 0.0, 0.0),
        Hit(replace(whole, sentences=whole.sentences[1:], first=1), 0.0, 0.0, 0.0),
    ]
    assert ranked_by(hits, [0.0, 5.0, 1.0]).best_of(hits).tolist() == [5.0, 5.0]


def test_documents_that_bring_the_same_id_are_ranked_by_their_own_sentences() -> None:
    first, second = hit_of("1", ["Un."], 0.0), hit_of("1", ["Deux."], 0.0)
    other = replace(second.passage.document, source="other.txt")
    sentences = tuple(Sentence(other, sentence.span) for sentence in second.passage.sentences)
    hits = [first, replace(second, passage=replace(second.passage, document=other, sentences=sentences))]
    assert ranked_by(hits, [1.0, 4.0]).best_of(hits).tolist() == [1.0, 4.0]


def test_no_hits_have_no_sentences(corpus: CorpusIndex, ranker: Ranker) -> None:
    found = corpus.search_in_full("navire")
    ranked = ranker.rank_sentences(found.asked, [], analyzer=corpus.analyzer, soft=found.soft)
    assert (ranked.found, ranked.rows.shape, ranked.log_odds.shape) == ((), (0, len(SENTENCE_FEATURES)), (0,))
    assert ranker.final_scores([], ranked).tolist() == []
    assert reorder([], np.empty(0)) == []


scores = st.integers(-8, 8).map(lambda n: n / 4)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), scores), max_size=10, unique_by=lambda pair: pair[0]), st.data())
def test_the_first_hits_change_places_and_further_ones_stay_below(
    pairs: list[tuple[int, float]], data: st.DataObject
) -> None:
    hits = [hit_of(f"{name:02}", ["Un."], score) for name, score in pairs]
    hits.sort(key=lambda hit: (-hit.score, hit.passage.document.source))
    n_read = data.draw(st.integers(0, len(hits)))
    worth = data.draw(st.lists(scores, min_size=n_read, max_size=n_read))
    names = [hit.passage.document.id for hit in hits]
    after = reorder(hits, np.array(worth, dtype=np.float64))
    first = [name for _, name in sorted(zip(worth, names, strict=False), key=lambda pair: (-pair[0], pair[1]))]
    assert [hit.passage.document.id for hit in after] == first + names[n_read:]
    assert [hit.score for hit in after] == [hit.score for hit in hits]
    assert after[n_read:] == hits[n_read:]
    for hit in after:
        former = hits[names.index(hit.passage.document.id)]
        assert replace(hit, score=former.score) == former


def test_the_final_order_is_that_of_both_trees(corpus: CorpusIndex, ranker: Ranker) -> None:
    question = "Quel navire explose en mer Baltique en 2019 ?"
    found = corpus.search_in_full(question, k=100)
    with corpus._store.reading() as segments:
        asked = read_asked(question, segments, analyzer=corpus.analyzer, embedder=corpus.embedder)
        before = search_passages(
            corpus._catalog, segments, asked, k=100, only=Filter(), weights=FusionWeights(), ranker=ranker
        )
        candidates = find_candidates(segments, asked, depth=N_CANDIDATES, allowed=None, weights=FusionWeights())
        own = ranker.score_passages(rows_of_candidates(segments, asked, candidates))
        numbers = segments.numbers[candidates.rows].tolist()
    # The first trees order the candidates, and what was found beyond them comes after.
    by_number = dict(zip(numbers, own.tolist(), strict=True))
    n_ranked = sum(hit.passage.number in by_number for hit in before)
    assert N_READ < n_ranked < 100
    assert [hit.score for hit in before[:n_ranked]] == pytest.approx(
        [by_number[hit.passage.number] for hit in before[:n_ranked]]
    )
    assert_ordered(before)
    # The second ones order those that are read, by the best sentence of each.
    assert found.ranked is not None
    answers_by_place = {
        (each.sentence.document.source, each.sentence.span): odds
        for each, odds in zip(found.ranked.found, found.ranked.log_odds.tolist(), strict=True)
    }
    worth = {
        hit.passage.number: round(
            hit.score + 0.5 * max(answers_by_place[s.document.source, s.span] for s in hit.passage.sentences), 6
        )
        for hit in before[:N_READ]
    }
    expected = sorted(before[:N_READ], key=lambda hit: (-worth[hit.passage.number], hit.passage.document.source))
    assert [hit.passage.number for hit in expected] != [hit.passage.number for hit in before[:N_READ]]
    assert [hit.passage for hit in found.hits] == [hit.passage for hit in [*expected, *before[N_READ:]]]
    assert [hit.score for hit in found.hits] == [hit.score for hit in before]


@pytest.mark.parametrize("weight", [0.0, 1.0, 50.0])
def test_the_weight_of_the_sentences_decides(
    corpus: CorpusIndex, monkeypatch: pytest.MonkeyPatch, weight: float
) -> None:
    # Passages by the words that they hold; sentences by their place: the later the better.
    ship(monkeypatch, small_ranker({"cover": (0.2, 0.5, 0.8)}, {"in_passage": (0.5, 1.5, 2.5)}, sentence_weight=weight))
    monkeypatch.setattr("index.results.N_READ", 40)
    hits = corpus.search("gazoduc Oslo explose", k=40)
    idfs = corpus.idfs(corpus.analyzer.terms("gazoduc Oslo explose"))
    worth, own = [], []
    for hit in hits:
        terms = set(corpus.analyzer.terms(hit.passage.text))
        cover = sum(idf for term, idf in idfs.items() if term in terms) / sum(idfs.values())
        own.append(sum(cover > step for step in (0.2, 0.5, 0.8)))
        worth.append(own[-1] + weight * (min(len(hit.passage.sentences), 4) - 1))
    keys = [(-each, hit.passage.document.source) for each, hit in zip(worth, hits, strict=True)]
    assert keys == sorted(keys)
    assert [hit.score for hit in hits] == sorted(own, reverse=True)
    assert len({*worth}) > 1


def test_weights_of_the_caller_leave_the_ranker_out(corpus: CorpusIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: type[Ranker]) -> Ranker:
        raise ModelError("no ranker is needed here")

    monkeypatch.setattr(Ranker, "bundled", classmethod(refuse))
    weights = FusionWeights(dense=0.0)
    found = corpus.search_in_full("navire de Brest", weights=weights)
    assert found.ranked is None
    idfs = corpus.idfs(corpus.analyzer.terms("navire de Brest"))
    best = 1.9 * sum(idfs.values())
    assert [hit.score for hit in found.hits] == pytest.approx([hit.lexical_score / best for hit in found.hits])
    with pytest.raises(ModelError, match="no ranker"):
        corpus.search("navire de Brest")


# -- any question ----------------------------------------------------------------------------------------------------

words = st.sampled_from([
    *THINGS, *PLACES, *DEEDS, "Le", "de", "et", "2019", "absent", "навире", "船", "🚢", "\x00", "\x1f", "\u200f", "(",
    '"', "AND", "*", "title:", "\\", "%", "'", "’", "l'Otan", "gazodux", "recolte", "[UNK]", "\u0301", "<b>", "NEAR/2",
])  # fmt: skip
questions = st.one_of(
    st.lists(words, min_size=1, max_size=12).map(" ".join),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=200),
    st.text("aéœz '’-", min_size=1, max_size=60),
)


def assert_ordered(hits: Sequence[Hit]) -> None:
    found = [hit.score for hit in hits]
    assert np.isfinite(found).all()
    assert found == sorted(found, reverse=True)
    assert len({hit.passage.number for hit in hits}) == len(hits)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=questions)
@example(question="Le et de la")
@example(question="?!… «»")
@example(question="Кто это ?")
@example(question="谁是总统")
@example(question="\x00\x01\x02")
@example(question="🤖🤖 🚢")
@example(question="a" * 2_000)
@example(question="navire " * 285)
@example(question=" ".join(f"mot{n}" for n in range(290)))
@example(question='(navire AND [mer* OR "oslo) title:/.*/ NOT -pont ^2 ~1')
@pytest.mark.usefixtures("ranker")
def test_any_text_is_a_question_or_is_refused(corpus: CorpusIndex, question: str) -> None:
    if not question.strip():
        with pytest.raises(InputError, match="vide"):
            corpus.search(question)
        return
    hits = corpus.search(question, k=200)
    assert_ordered(hits)
    for k in (1, 5, 20, N_READ, N_READ + 1, N_CANDIDATES):
        assert corpus.search(question, k=k) == hits[:k]
    assert corpus.search(f"  {question}\n", k=5) == hits[:5]


@pytest.mark.parametrize("question", ["\ud800", "navire \udfff de Brest", "a\udc80b"])
@pytest.mark.usefixtures("ranker")
def test_half_a_character_is_refused(tmp_path: Path, question: str) -> None:
    made = CorpusIndex.create(tmp_path / "index")
    made.put([document_of(n) for n in range(5)])
    with pytest.raises(InputError, match="lone surrogate"):
        made.search(question)


@pytest.mark.parametrize("k", [0, -1, -25])
@pytest.mark.usefixtures("ranker")
def test_no_hits_at_all_cannot_be_asked_for(corpus: CorpusIndex, k: int) -> None:
    for weights in (None, FusionWeights()):
        with pytest.raises(InputError, match=f"k = {k}"):
            corpus.search("navire", k=k, weights=weights)


@pytest.mark.usefixtures("ranker")
def test_a_long_question_is_refused(corpus: CorpusIndex) -> None:
    with pytest.raises(InputError, match="2001 caractères"):
        corpus.search("a" * 2_001)


@pytest.mark.parametrize("question", ["navire", "?!", "Le et de", "Кто"])
@pytest.mark.usefixtures("ranker")
def test_an_index_without_documents_finds_nothing(tmp_path: Path, question: str) -> None:
    empty = CorpusIndex.create(tmp_path / "index", embedder=HashingEmbedder())
    assert empty.search(question) == []


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), max_size=300))
def test_only_blank_texts_and_half_characters_are_refused(bundled_corpus: CorpusIndex, question: str) -> None:
    refused = not question.strip() or any("\ud800" <= letter <= "\udfff" for letter in question)
    with pytest.MonkeyPatch.context() as patch:
        ship(patch, small_ranker())
        if refused:
            with pytest.raises(InputError):
                bundled_corpus.search(question, k=30)
        else:
            assert_ordered(bundled_corpus.search(question, k=30))


@pytest.fixture(scope="module")
def bundled_corpus(tmp_path_factory: pytest.TempPathFactory) -> CorpusIndex:
    made = CorpusIndex.create(tmp_path_factory.mktemp("bundled") / "index")
    made.put([document_of(n) for n in range(40)])
    return made


class LevelEmbedder(HashingEmbedder):
    """Gives every text the same vector, so that terms alone tell them apart."""

    def _vector(self, text: str) -> NDArray[np.float32]:
        return np.eye(1, self.dimension, dtype=np.float32)[0]


@pytest.mark.parametrize("at", ["head", "tail", "segment of its own"])
def test_many_equal_passages_do_not_hide_better_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    monkeypatch.setattr("index.search._MAX_TIES", 20)  # as if there were fifty times as many passages
    monkeypatch.setattr("index.vectors._MAX_TIES", 20)
    ship(monkeypatch, small_ranker({"cover": (0.1, 0.5, 0.9)}, {}))
    equal = [Document(f"e{n}", f"e/{n:04}", f"Le navire passe numero{n}.") for n in range(200)]
    better = [Document(f"z{n}", f"z/{n}", f"Le navire zorglub passe, navire zorglub {n}.") for n in range(5)]
    made = CorpusIndex.create(tmp_path / "index", embedder=LevelEmbedder())
    for documents in {"head": [better + equal], "tail": [equal + better]}.get(at, [equal, better]):
        made.put(documents)
    for weights in (None, FusionWeights(dense=0.0)):
        for k in (5, 20, 100):
            found = [hit.passage.document.source for hit in made.search("navire zorglub", k=k, weights=weights)]
            assert sorted(found[:5]) == [f"z/{n}" for n in range(5)]
            assert len(found) == k


# -- however the index is cut ----------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(sequence=st.lists(st.tuples(st.integers(0, 70), st.integers(1, 40), st.booleans()), min_size=1, max_size=6))
def test_an_index_cut_in_any_way_ranks_as_one_built_at_once(
    tmp_path_factory: pytest.TempPathFactory, sequence: list[tuple[int, int, bool]]
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    with pytest.MonkeyPatch.context() as patch:
        make_tiny(patch)
        ship(patch, small_ranker())
        corpus = CorpusIndex.create(folder / "index", embedder=HashingEmbedder(64))
        held: dict[str, Document] = {}
        for first, n, removes in sequence:
            documents = [long_document(number % 90) for number in range(first, first + n)]
            if removes:
                if there := [document.source for document in documents if document.source in held]:
                    corpus.remove(there)
                    held = {source: document for source, document in held.items() if source not in there}
            else:
                corpus.put(documents)
                held |= {document.source: document for document in documents}
        fresh = CorpusIndex.create(folder / "fresh", embedder=HashingEmbedder(64))
        fresh.put(held.values())
        for question in ("Quel navire explose en mer Baltique en 2019 ?", "général Oslo", "gazodux de Brest", "et de"):
            assert answers(corpus, question) == answers(fresh, question)
            found, again = (each.search_in_full(question, k=70) for each in (corpus, fresh))
            assert [plain(hit) for hit in found.hits] == [plain(hit) for hit in again.hits]
            assert (found.asked.text, found.asked.tokens) == (again.asked.text, again.asked.tokens)
            assert found.ranked is not None
            assert again.ranked is not None
            assert found.ranked.rows.tolist() == again.ranked.rows.tolist()


def long_document(n: int) -> Document:
    """Return a document of several passages."""
    text = " ".join(
        f"{text_of(7 * n + part)} La suite {part} du récit {n} compte autant." for part in range(1 + n % 9 * 4)
    )
    return replace(document_of(n), text=text)
