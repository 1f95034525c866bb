from pathlib import Path

import pytest

from index import CorpusIndex
from qa.langchain import CorpusRetriever

SEED = Path(__file__).parent.parent / "seeds" / "000_56afb7ba333c6065.txt"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> CorpusIndex:
    return CorpusIndex.build([SEED], tmp_path_factory.mktemp("langchain") / "index")


def test_a_chain_gets_the_hits_of_a_search_with_their_offsets(corpus: CorpusIndex) -> None:
    question = "Qui est le ministre ukrainien de la Défense ?"
    found = CorpusRetriever(corpus=corpus, k=2).invoke(question)
    assert [document.page_content for document in found] == [hit.passage.text for hit in corpus.search(question, k=2)]
    text = SEED.read_bytes().decode()
    for document in found:
        assert text[document.metadata["start"] : document.metadata["end"]] == document.page_content


def test_dates_are_passed_on(corpus: CorpusIndex) -> None:
    assert CorpusRetriever(corpus=corpus, since="2023").invoke("Otan") == []
