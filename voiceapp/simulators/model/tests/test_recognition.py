"""Orders, corrections and questions in telephone audio are recognized and understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from voiceapp.simulators import mulaw, speech
from voiceapp.simulators.model.agent.menu import read_menu
from voiceapp.simulators.model.recognition.recognizer import recognizer_for
from voiceapp.simulators.model.tests.dialogue import Dialogue, order_line, summary_of

DATA = Path(__file__).parent / "data"
ITALIAN = (DATA / "menu_italian.txt").read_text(encoding="utf-8")
GRILL_AND_SUSHI = (DATA / "menu_grill_and_sushi.txt").read_text(encoding="utf-8")

# What is said → what the agent does.
FIRST_WORDS = {
    "Hi, I would like two large margherita pizzas with extra cheese please.": "add 2 large Margherita [extra cheese]",
    "One small funghi without onions and a coke.": "add 1 Cola; add 1 small Funghi [no onions]",
    "Can I have a pepperoni with olives and mushrooms?": "add 1 Pepperoni [mushrooms, olives]",
    "Two gluten free hawaiian pizzas and three espressos.": "add 2 Hawaiian [gluten free]; add 3 Espresso",
    "I'd like a meal deal with side salad and vinaigrette.": "add 1 Meal Deal [side salad, vinaigrette]",
    "Give me four garlic breads with garlic dip and two large lemonades.":
        "add 2 large Lemonade; add 4 Garlic Bread [garlic dip]",
    "Hello, can I get one quattro formaggi in large and a panna cotta?":
        "add 1 Panna Cotta; add 1 large Quattro Formaggi",
    "Um, three medium vegetarian pizzas, no garlic please.": "add 3 medium Vegetarian [no garlic]",
    "Could I have one carbonara and one mixed salad with caesar dressing?":
        "add 1 Carbonara; add 1 Mixed Salad [caesar dressing]",
    "A carbonara please.": "add 1 Carbonara",
    "I want three large lemonades.": "add 3 large Lemonade",
    "I would like a bolognese with penne.": "add 1 Bolognese [penne]",
    "And also a mineral water.": "add 1 Mineral Water",
    "I'll have the lasagna and two bruschetta.": "add 1 Lasagne; add 2 Bruschetta",
    "We'd like five margheritas, please.": "add 5 Margherita",
    "Can I get a gelato with pistachio and strawberry?": "add 1 Gelato [pistachio, strawberry]",
    "A large pepperoni pizza with deep dish.": "add 1 large Pepperoni [deep dish]",
    "What are your opening hours?": "get_opening_hours",
    "How much is the lasagna?": "look_up_items Lasagne",
    "Do you have any desserts?": "look_up_items Desserts",
    "What sizes do you have for the margherita?": "look_up_items Margherita",
    "Can I speak to a person?": "says, transfer_call front-desk",
    "I'd like to speak to a manager.": "says, transfer_call front-desk",
    "No thank you, goodbye.": "says, end_call",
    "Please don't record this.": "stop_recording",
    "I don't want to be recorded.": "stop_recording",
}  # fmt: skip
# While two large Margherita [extra cheese] (1), a medium Pepperoni [olives] (2) and a Tiramisu (3) are ordered.
# Modifiers of an update are all those the line then has.
LATER_WORDS = {
    "Actually make that three.": "update 3 3",
    "No, change the margherita to a small.": "update 1 small",
    "Change the pepperoni to a large.": "update 2 large",
    "Actually remove the tiramisu.": "remove 3",
    "Remove the pepperoni please.": "remove 2",
    "Take off the olives.": "update 2 []",
    "Add mushrooms to the pepperoni.": "update 2 [mushrooms, olives]",
    "Please cancel my order.": "clear",
    "And one espresso please.": "add 1 Espresso",
    "That's all.": "read_back_order",
    "That will be all, thank you.": "read_back_order",
    "No thanks.": "read_back_order",
    "What is my total?": "read_back_order",
}
AFTER_THE_READ_BACK = {
    "Yes please.": "submit_order",
    "Yes, that is correct.": "submit_order",
    "No, that's wrong.": "says",
    "Actually remove the tiramisu.": "remove 3",
}
OTHER_FIRST_WORDS = {
    "Two double smash burgers with bacon and a large root beer.":
        "add 1 large Root Beer; add 2 double Smash Burger [bacon]",
    "I'd like one chicken burger without pickles.": "add 1 Chicken Burger [no pickles]",
    "Can I have a california roll and two salmon nigiri?": "add 1 California Roll; add 2 Salmon Nigiri",
    "Three tuna sashimi please.": "add 3 Tuna Sashimi",
    "Edamame and a miso soup.": "add 1 Edamame; add 1 Miso Soup",
    "Can I get a smash burger with cheddar cheese and a fried egg?": "add 1 Smash Burger [cheddar, fried egg]",
    "Four onion rings and a small green tea.": "add 1 small Green Tea; add 4 Onion Rings",
    "How much is the dragon roll?": "look_up_items Dragon Roll",
    "I want two sake and sweet potato fries.": "add 1 Sweet Potato Fries; add 2 Sake",
    "Do you have any burgers?": "look_up_items Burgers",
    "I would like to speak to a person.": "says, transfer_call kitchen",
    "That's it, thanks.": "says, end_call",
}  # fmt: skip

pytestmark = pytest.mark.sound


def some_order() -> Dialogue:
    return Dialogue(ITALIAN).has_ordered(
        order_line(1, "Margherita", "extra cheese", quantity=2, size="large"),
        order_line(2, "Pepperoni", "olives", size="medium"),
        order_line(3, "Tiramisu"),
    )


def over_the_telephone(words: str, *, voice: str = "en-us") -> bytes:
    return mulaw.decode(mulaw.encode(speech.say(words, voice=voice, words_per_minute=165)))


def understood(dialogue: Dialogue, sentences: dict[str, str], *, voice: str = "en-us") -> tuple[int, list[str]]:
    """How many were understood, and a line for each that was not."""
    recognizer = recognizer_for(read_menu(dialogue.brief.instructions))
    misses: list[str] = []
    for words, meant in sentences.items():
        heard = recognizer.recognize(over_the_telephone(words, voice=voice))
        does = summary_of(dialogue.responds_to(heard or ""))
        if does != meant:
            misses.append(f"{words} -> {heard} -> {does}, not {meant}")
    return len(sentences) - len(misses), misses


def test_nine_of_ten_sentences_are_understood() -> None:
    said = [
        (Dialogue(ITALIAN), FIRST_WORDS), (some_order(), LATER_WORDS),
        (some_order().has_read_back(), AFTER_THE_READ_BACK),
    ]  # fmt: skip
    right = 0
    misses: list[str] = []
    for dialogue, sentences in said:
        count, missed = understood(dialogue, sentences)
        right, misses = right + count, misses + missed
    print(f"{right} right", *misses, sep="\n")
    assert right >= 0.9 * (right + len(misses)), misses


def test_two_of_three_sentences_about_an_unseen_menu_are_understood() -> None:
    right, misses = understood(Dialogue(GRILL_AND_SUSHI), OTHER_FIRST_WORDS)
    print(f"{right} right", *misses, sep="\n")
    assert right >= 2 / 3 * len(OTHER_FIRST_WORDS), misses
