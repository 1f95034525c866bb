"""The index for those who build with LangChain: embeddings, a vector store, and the records that `index()` keeps."""

from index.langchain.embeddings import LangChainEmbedder, SourcierEmbeddings
from index.langchain.records import CorpusRecordManager
from index.langchain.store import CorpusVectorStore

__all__ = ["CorpusRecordManager", "CorpusVectorStore", "LangChainEmbedder", "SourcierEmbeddings"]
