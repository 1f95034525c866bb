"""Whether a sentence says yes or no: only where it states it."""

import pytest

from qa.yes_no import stated_reply


@pytest.mark.parametrize(
    ("question", "sentence", "reply"),
    [
        ("Le pont de Gassin est-il fermé ?", "Le pont de Gassin est fermé depuis mardi.", "Oui"),
        ("Le pont de Gassin a-t-il rouvert ?", "Le pont de Gassin n'a pas rouvert.", "Non"),
        ("Le pont de Gassin a-t-il rouvert ?", "Le pont de Gassin n’a toujours pas rouvert.", "Non"),
        ("Le maire a-t-il accepté le projet ?", "Le maire a refusé le projet mardi.", "Non"),
        ("Le maire viendra-t-il ?", '"Oui, je viendrai", a dit le maire.', "Oui"),
        ("Le maire viendra-t-il ?", '"Non, je resterai", a dit le maire.', "Non"),
        # What a sentence does not say plainly is left to it.
        ("Le préfet a-t-il permis les randonnées ?", "Le préfet n'a pas interdit les randonnées.", None),
        ("Le maire n'a-t-il pas refusé le projet ?", "Le maire n'a pas refusé le projet.", None),
        ("Le maire a-t-il refusé le projet ?", "Le maire a refusé le projet.", "Oui"),
        ("Le pont de Gassin est-il fermé ?", "Le pont de Gassin n'a que deux voies.", None),
        ("Le pont de Gassin a-t-il rouvert ?", "La gare de Nantes n'accueille aucun train.", None),
        ("Le pont de Gassin a-t-il rouvert ?", "Le pont de Gassin date de 1932.", None),
    ],
)
def test_says_what_the_sentence_states(question: str, sentence: str, reply: str | None) -> None:
    assert stated_reply(question, sentence, sentence=sentence) == reply
