"""What callers of a garage say in telephone audio is recognized and understood."""

from __future__ import annotations

import pytest

from voiceapp.simulators.model.agent.menu import read_menu
from voiceapp.simulators.model.recognition.recognizer import recognizer_for
from voiceapp.simulators.model.spelling import spoken
from voiceapp.simulators.model.tests.garage import INSTRUCTIONS, SCRIPT
from voiceapp.simulators.model.tests.test_recognition import over_the_telephone

SENTENCES = (
    *SCRIPT,
    "I'd like to make an appointment for an oil change on Thursday morning, please.",
    "Hello, I'd like to book an inspection next Friday.",
    "Can I get a tire change tomorrow afternoon?",
    "I need my winter tires on Monday at nine.",
    "Do you have time for a brake check next week?",
    "I need an appointment.",
    "What about Friday afternoon?",
    "The second one please.",
    "Nine thirty is good.",
    "That works for me, thank you.",
    "My name is Alice Walker and I drive a Toyota Corolla.",
    "It's Bob Miller.",
    "A blue Volkswagen Golf.",
    "Yes please.",
    "I'd like to move my appointment to Friday afternoon.",
    "I need to cancel my appointment.",
    "When is my appointment?",
    "How much is an oil change?",
    "How long does an inspection take?",
    "What are your opening hours?",
    "I'd like to talk to the service desk please.",
    "Something later please.",
    "Can you text me my appointment please?",
    "In two weeks on Monday morning.",
    "No, at eleven.",
)

pytestmark = pytest.mark.sound


def test_nine_of_ten_sentences_are_recognized() -> None:
    recognizer = recognizer_for(read_menu(INSTRUCTIONS))
    heard = {text: recognizer.recognize(over_the_telephone(text)) for text in SENTENCES}
    missed = {text: words for text, words in heard.items() if words != spoken(text)}
    assert len(missed) <= len(SENTENCES) / 10, missed
    assert not set(SCRIPT) & set(missed), missed
