"""What the simulated model does next, from the conversation alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from voiceapp.simulators.model.agent.outputs import Speech
from voiceapp.simulators.model.tests.dialogue import TOOLS, Dialogue, order_line, summary_of

MENU = (Path(__file__).parent / "data" / "menu_italian.txt").read_text(encoding="utf-8")
MARGHERITA = order_line(1, "Margherita", "extra cheese", quantity=2, size="large")
PEPPERONI = order_line(2, "Pepperoni", "olives", size="medium")
TIRAMISU = order_line(3, "Tiramisu")


@pytest.fixture
def opening() -> Dialogue:
    return Dialogue(MENU).agent("Bella Napoli, hello!", is_verbatim=True)


@pytest.fixture
def ordered(opening: Dialogue) -> Dialogue:
    """Pizzas, and a tiramisu that was spoken of last."""
    return opening.caller("two pizzas and a tiramisu").has_ordered(MARGHERITA, PEPPERONI, TIRAMISU)


@pytest.mark.parametrize(("text", "change"), [
    ("i would like a tiramisu", "add 1 Tiramisu"),
    ("two large margherita pizzas with extra cheese please", "add 2 large Margherita [extra cheese]"),
    ("one small funghi and two espressos", "add 1 small Funghi; add 2 Espresso"),
    ("a pepperoni in large with olives and mushrooms", "add 1 large Pepperoni [mushrooms, olives]"),
    ("one funghi without onions", "add 1 Funghi [no onions]"),
    ("one funghi no onions and no garlic", "add 1 Funghi [no garlic, no onions]"),
    ("a meal deal with side salad and ranch dressing", "add 1 Meal Deal [ranch, side salad]"),
    ("a margherita with extra cheese and a coke", "add 1 Cola; add 1 Margherita [extra cheese]"),
])  # fmt: skip
def test_ordered_items_are_added(opening: Dialogue, text: str, change: str) -> None:
    assert summary_of(opening.responds_to(text)) == change


@pytest.mark.parametrize(("text", "change"), [
    ("actually make that three", "update 3 3"),
    ("no only two", "update 3 2"),
    ("make the margherita three", "update 1 3"),
    ("change the pepperoni to a large", "update 2 large"),
    ("change the pepperoni to a funghi", "update 2 Funghi"),
    ("remove the tiramisu", "remove 3"),
    ("remove that tiramisu", "remove 3"),
    ("remove that", "remove 3"),
    ("remove one margherita", "update 1 1"),
    ("add mushrooms to the pepperoni", "update 2 [mushrooms, olives]"),
    ("take off the olives", "update 2 []"),
    ("one more of those", "update 3 2"),
    ("another espresso", "add 1 Espresso"),
    ("cancel everything", "clear"),
])  # fmt: skip
def test_a_correction_changes_the_right_line(ordered: Dialogue, text: str, change: str) -> None:
    assert summary_of(ordered.responds_to(text)) == change


@pytest.mark.parametrize(("text", "change"), [
    ("make it large", "update 2 large"),
    ("with mushrooms", "update 2 [mushrooms, olives]"),
    ("no onions", "update 2 [no onions, olives]"),
    ("without olives", "update 2 []"),
    ("make that three", "update 2 3"),
    ("make it a funghi", "update 2 Funghi"),
    ("take off the olives", "update 2 []"),
])  # fmt: skip
def test_a_change_without_an_item_applies_to_the_last_line(opening: Dialogue, text: str, change: str) -> None:
    opening.caller("pizzas").has_ordered(MARGHERITA, PEPPERONI)
    assert summary_of(opening.responds_to(text)) == change


def test_a_correction_after_an_interruption_applies_to_the_last_order(opening: Dialogue) -> None:
    """The agent was cut off before its first word was heard."""
    opening.caller("two large margheritas")
    opening.tool("change_order", {"changes": [{"do": "add", "item": "Margherita"}]}, ok=True, say="Two large.",
                 order={"lines": [MARGHERITA]})  # fmt: skip
    opening.agent("")
    assert summary_of(opening.responds_to("actually make that three")) == "update 1 3"


def refused(opening: Dialogue, change: dict[str, object], say: str) -> Dialogue:
    opening.caller("that one").tool("change_order", {"changes": [change]}, ok=False, say=say)
    return opening.agent(say)


@pytest.mark.parametrize(("text", "change"), [
    ("vanilla and chocolate", "add 2 Gelato [chocolate, vanilla]"),
    ("i would like pistachio", "add 2 Gelato [pistachio]"),
])  # fmt: skip
def test_a_missing_choice_completes_the_rejected_change(opening: Dialogue, text: str, change: str) -> None:
    refused(opening, {"do": "add", "item": "Gelato", "quantity": 2}, "Which flavour of the gelato?")
    assert summary_of(opening.responds_to(text)) == change


def test_yes_accepts_the_alternative_to_a_sold_out_item(opening: Dialogue) -> None:
    refused(opening, {"do": "add", "item": "Calzone"}, "The calzone is out. Would you like the Margherita instead?")
    assert summary_of(opening.responds_to("yes please")) == "add 1 Margherita"


def test_no_to_the_alternative_orders_nothing(opening: Dialogue) -> None:
    refused(opening, {"do": "add", "item": "Calzone"}, "The calzone is out. Would you like the Margherita instead?")
    assert summary_of(opening.responds_to("no")) == "says"


def test_the_result_of_the_tool_is_spoken_with_a_question_for_more(opening: Dialogue) -> None:
    opening.caller("a tiramisu").tool("change_order", {"changes": [{"do": "add", "item": "Tiramisu"}]}, ok=True,
                                      say="One tiramisu.", order={"lines": [TIRAMISU]})  # fmt: skip
    assert opening.next() == [Speech("One tiramisu. Anything else?")]


@pytest.mark.parametrize("text", ["that's all", "no thank you", "no that's it", "that'll be all thank you", "no"])
def test_the_end_of_the_order_is_read_back(ordered: Dialogue, text: str) -> None:
    assert summary_of(ordered.responds_to(text)) == "read_back_order"


def test_an_order_that_ends_with_thats_all_is_changed_and_read_back(ordered: Dialogue) -> None:
    ordered.caller("and one espresso that's all")
    assert summary_of(ordered.next()) == "add 1 Espresso"
    ordered.tool("change_order", {}, ok=True, say="One espresso.", order={"lines": [TIRAMISU]})
    assert summary_of(ordered.next()) == "says, read_back_order"


@pytest.mark.parametrize("text", ["yes", "yes please", "yes that's correct", "sounds good", "that's right thank you"])
def test_a_yes_after_the_read_back_submits(ordered: Dialogue, text: str) -> None:
    assert summary_of(ordered.has_read_back().responds_to(text)) == "submit_order"


@pytest.mark.parametrize("text", ["no", "no that's wrong", "that's not right"])
def test_a_no_after_the_read_back_asks_what_to_change(ordered: Dialogue, text: str) -> None:
    assert ordered.has_read_back().responds_to(text) == [Speech("What would you like to change?")]


@pytest.mark.parametrize(("text", "change"), [
    ("no remove the tiramisu", "remove 3"),
    ("actually make the margherita three", "update 1 3"),
    ("yes and one espresso", "add 1 Espresso"),
])  # fmt: skip
def test_a_correction_after_the_read_back_changes_the_order(ordered: Dialogue, text: str, change: str) -> None:
    assert summary_of(ordered.has_read_back().responds_to(text)) == change


def test_after_a_correction_the_order_is_read_back_again_before_it_is_submitted(ordered: Dialogue) -> None:
    ordered.has_read_back().caller("no remove the tiramisu").has_ordered(MARGHERITA)
    assert summary_of(ordered.responds_to("yes that's all")) == "read_back_order"


def test_after_a_rejected_submission_the_order_is_read_back_again(ordered: Dialogue) -> None:
    ordered.has_read_back().caller("yes").tool("submit_order", ok=False, say="Prices have changed.")
    assert summary_of(ordered.next()) == "says, read_back_order"


def test_the_goodbye_is_spoken_in_the_response_that_ends_the_call(ordered: Dialogue) -> None:
    ordered.has_read_back().caller("yes").tool("submit_order", ok=True, say="Order number twelve.")
    assert summary_of(ordered.next()) == "says, end_call"
    said = ordered.next()[0]
    assert isinstance(said, Speech)
    assert said.text.startswith("Order number twelve.")
    assert "Goodbye" in said.text


def test_goodbye_without_an_order_ends_the_call(opening: Dialogue) -> None:
    assert summary_of(opening.responds_to("no thank you goodbye")) == "says, end_call"


@pytest.mark.parametrize(("text", "call"), [
    ("what are your opening hours", "get_opening_hours"),
    ("until when are you open", "get_opening_hours"),
    ("how much is the lasagna", "look_up_items Lasagne"),
    ("what does a large margherita cost", "look_up_items Margherita"),
    ("do you have gelato", "look_up_items Gelato"),
    ("what desserts do you have", "look_up_items Desserts"),
    ("what sizes do you have for the margherita", "look_up_items Margherita"),
    ("can you text me the menu", "send_text menu"),
    ("please send me a confirmation", "send_text order"),
])  # fmt: skip
def test_a_question_is_looked_up_and_orders_nothing(opening: Dialogue, text: str, call: str) -> None:
    assert summary_of(opening.responds_to(text)) == call


def test_the_total_is_read_back(ordered: Dialogue) -> None:
    assert summary_of(ordered.responds_to("what is my total")) == "read_back_order"


@pytest.mark.parametrize(("text", "target"), [
    ("can i speak to a person", "front-desk"),
    ("[The caller pressed 0 and asks for a person]", "front-desk"),
    ("catering please", "catering"),
])  # fmt: skip
def test_a_caller_who_asks_for_a_person_is_transferred(opening: Dialogue, text: str, target: str) -> None:
    assert summary_of(opening.responds_to(text)) == f"says, transfer_call {target}"


def test_without_a_transfer_target_it_says_so() -> None:
    assert summary_of(Dialogue(MENU.partition("## People")[0]).responds_to("can i speak to a person")) == "says"


@pytest.mark.parametrize("text", ["", "blah blah blah"])
def test_the_caller_is_asked_to_repeat_what_was_not_understood(opening: Dialogue, text: str) -> None:
    said = opening.responds_to(text)
    assert summary_of(said) == "says"
    assert "again" in str(said[0])


def test_a_conversation_replayed_after_a_reconnect_continues() -> None:
    """Only messages are replayed: the outputs of the tools are lost, the product still has the order."""
    replayed = Dialogue(MENU).replayed("Two large margheritas.").agent("Two large Margheritas. Anything else?")
    assert summary_of(replayed.responds_to("and one tiramisu")) == "add 1 Tiramisu"
    assert summary_of(replayed.responds_to("that's all")) == "read_back_order"


def test_text_with_capitals_and_punctuation_is_read_like_speech(opening: Dialogue) -> None:
    assert summary_of(opening.responds_to("Two large Margherita pizzas, please.")) == "add 2 large Margherita"


def test_tools_that_are_not_offered_are_not_called() -> None:
    few = tuple(name for name in TOOLS if name != "get_opening_hours")
    answer = Dialogue(MENU, tools=few).responds_to("what are your opening hours")
    assert summary_of(answer) == "says"


def test_a_caller_who_does_not_want_to_be_recorded_is_heeded_where_that_is_possible() -> None:
    text = "Please don't record this."
    recorded = Dialogue(MENU)
    assert summary_of(recorded.responds_to(text)) == "stop_recording"
    assert summary_of(recorded.caller(text).tool("stop_recording", ok=True, say="It is deleted.").next()) == "says"
    others = tuple(name for name in TOOLS if name != "stop_recording")
    assert summary_of(Dialogue(MENU, tools=others).responds_to(text)) == "says"
