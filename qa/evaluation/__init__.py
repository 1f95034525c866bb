"""Measures retrieval, evidence, short answers and abstention on questions with known answers."""

from qa.evaluation.answers import exact_match, token_f1
from qa.evaluation.figures import Difference, Figure, difference, figure
from qa.evaluation.gold import GoldQuestion, read_questions
from qa.evaluation.measures import compare, evaluate, figures_of
from qa.evaluation.outcomes import Outcome, ask_questions
from qa.evaluation.pseudo import pseudo_questions

__all__ = [
    "Difference",
    "Figure",
    "GoldQuestion",
    "Outcome",
    "ask_questions",
    "compare",
    "difference",
    "evaluate",
    "exact_match",
    "figure",
    "figures_of",
    "pseudo_questions",
    "read_questions",
    "token_f1",
]
