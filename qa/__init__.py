"""Questions in, cited answers out."""

from qa.chatbot import Chatbot, Conversation
from qa.output import answer_to_dict
from qa.types import Answer, Citation, Evidence, Question, Statement
from qa.verify import Verdict, verify_statement

__all__ = [
    "Answer",
    "Chatbot",
    "Citation",
    "Conversation",
    "Evidence",
    "Question",
    "Statement",
    "Verdict",
    "answer_to_dict",
    "verify_statement",
]
