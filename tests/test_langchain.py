from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_tests.integration_tests import RetrieversIntegrationTests

from index import CorpusIndex, InputError
from qa import Chatbot
from qa.langchain import ChatbotRunnable, CorpusRetriever

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


class TestCorpusRetrieverStandard(RetrieversIntegrationTests):
    """The standard suite of langchain-tests."""

    @pytest.fixture(autouse=True)
    def _corpus(self, corpus: CorpusIndex) -> None:
        self._index = corpus

    @property
    def retriever_constructor(self) -> type[CorpusRetriever]:
        return CorpusRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"corpus": self._index}

    @property
    def retriever_query_example(self) -> str:
        return "Que dit l'Otan ?"


def test_a_message_carries_citations_with_the_places_in_answer_and_source(corpus: CorpusIndex) -> None:
    question = "Qui est le secrétaire général de l'Otan ?"
    chain = RunnableLambda(lambda text: f"{text} ?") | ChatbotRunnable(chatbot=Chatbot(corpus))
    message = chain.invoke(question.rstrip(" ?"))
    (block,) = message.content_blocks
    answer = Chatbot(corpus).ask(question)
    assert message.text == block["text"] == answer.text
    citations = block["annotations"]
    assert len(citations) >= 2  # on the short answer and on the quotation
    text = SEED.read_bytes().decode()
    for citation in citations:
        extras = citation["extras"]
        assert block["text"][citation["start_index"] : citation["end_index"]] == f"[{extras['marker']}]"
        assert text[extras["start"] : extras["end"]] == citation["cited_text"]
        assert extras["source"] == answer.citations[0].source
    assert message.response_metadata["statements"][0]["status"] == "supported"


def test_messages_are_a_conversation_and_a_refusal_cites_nothing(corpus: CorpusIndex) -> None:
    runnable = ChatbotRunnable(chatbot=Chatbot(corpus))
    asked = [HumanMessage("Quand a lieu Steadfast Noon ?"), AIMessage("Lundi."), HumanMessage("Et qui l'a annoncé ?")]
    talk = Chatbot(corpus).conversation()
    talk.ask("Quand a lieu Steadfast Noon ?")
    expected = talk.ask("Et qui l'a annoncé ?")
    assert runnable.invoke(asked).response_metadata["understood_as"] == expected.understood_as
    refused = runnable.invoke("Qui a remporté la Coupe du monde 2022 ?")
    assert refused.response_metadata["answered"] is False
    assert refused.content_blocks[0].get("annotations", []) == []
    with pytest.raises(InputError, match="expected a question"):
        runnable.invoke(asked[:2])


def test_filters_reach_the_chatbot(corpus: CorpusIndex) -> None:
    runnable = ChatbotRunnable(chatbot=Chatbot(corpus))
    assert (
        runnable.invoke("Qui est le secrétaire général de l'Otan ?", since="2023").response_metadata["answered"]
        is False
    )
