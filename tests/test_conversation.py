import pytest

from qa.conversation import carry_over


@pytest.mark.parametrize(
    ("before", "question", "understood"),
    [
        (
            "Combien de navires patrouillent en mer du Nord ?",
            "Et en mer Baltique ?",
            "Combien de navires patrouillent en mer du Nord, en mer Baltique ?",
        ),
        ("Quand a lieu Steadfast Noon ?", "Et qui l'a annoncé ?", "qui l'a annoncé (Steadfast Noon) ?"),
        ("Qui dirige l'Otan ?", "Quand l'a-t-il dit ?", "Quand l'a-t-il dit (Otan) ?"),
        ("Où se trouve le siège de Renault ?", "Pourquoi ?", "Pourquoi : Où se trouve le siège de Renault ?"),
    ],
)
def test_what_is_left_out_is_carried_over(before: str, question: str, understood: str) -> None:
    assert carry_over(question, before) == understood


@pytest.mark.parametrize(
    "question",
    [
        "Qui a gagné le Tour de France 2019 ?",
        "Combien coûte un litre de lait ?",
        "Où est né Victor Hugo ?",
        "Et combien de députés compte le Parlement européen ?",
    ],
)
def test_a_question_that_stands_by_itself_is_left_as_it_is(question: str) -> None:
    assert carry_over(question, "Qui dirige l'Otan ?") is None
