"""What the simulated model of a garage does next, from the conversation alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voiceapp.simulators.model.agent.outputs import FunctionCall, Speech
from voiceapp.simulators.model.tests.dialogue import Dialogue, summary_of

SERVICES = (Path(__file__).parent / "data" / "services_garage.txt").read_text(encoding="utf-8")
TOOLS = (
    "look_up_services", "find_appointment_times", "choose_appointment", "read_back_appointment", "book_appointment",
    "find_my_appointments", "move_appointment", "cancel_appointment", "transfer_call", "end_call", "get_opening_hours",
    "send_text",
)  # fmt: skip
THURSDAY = [
    {"time": "2026-12-03 09:00", "say": "Thursday, December 3 at 9 am"},
    {"time": "2026-12-03 09:30", "say": "Thursday, December 3 at 9:30 am"},
    {"time": "2026-12-03 10:00", "say": "Thursday, December 3 at 10 am"},
]
OWN = {"appointment": 7, "service": "Oil change", "time": "2026-12-03 09:00", "vehicle": "Honda Civic"}


def draft(*missing: str, **values: str) -> dict[str, Any]:
    """The draft as the tools show it."""
    blank = dict.fromkeys(("service", "time", "customer_name", "vehicle", "note"), "")
    return {**blank, **values, "missing": list(missing)}


@pytest.fixture
def opening() -> Dialogue:
    return Dialogue(SERVICES, tools=TOOLS).agent("Miller's Garage, hello!", is_verbatim=True)


@pytest.fixture
def offered(opening: Dialogue) -> Dialogue:
    opening.caller("i need an oil change on thursday morning")
    wish = {"service": "Oil change", "when": "thursday morning"}
    opening.tool("find_appointment_times", wish, ok=True, say="I have three times.", times=THURSDAY, as_wished=True)
    return opening.agent("I have three times. Which time would you like?")


@pytest.fixture
def chosen(offered: Dialogue) -> Dialogue:
    arguments = {"service": "Oil change", "time": "2026-12-03 09:30"}
    shown = draft("What is your name?", service="Oil change", time="2026-12-03 09:30")
    offered.caller("the second one").tool("choose_appointment", arguments, ok=True, say="Name?", draft=shown)
    return offered.agent("Name?")


@pytest.fixture
def read_back(chosen: Dialogue) -> Dialogue:
    shown = draft(service="Oil change", time="2026-12-03 09:30", customer_name="Alice Walker", vehicle="Honda Civic")
    chosen.caller("my name is alice walker and i drive a honda civic")
    chosen.tool("choose_appointment", {}, ok=True, say="Shall I repeat it all?", draft=shown)
    chosen.tool("read_back_appointment", ok=True, say="I have it. Is that right?", draft=shown)
    return chosen.agent("I have it. Is that right?")


@pytest.mark.parametrize(("text", "call"), [
    ("i need an oil change on thursday morning", "find_appointment_times Oil change thursday morning"),
    ("Hi, I'd like to book an inspection next Friday at 9.", "find_appointment_times Inspection next friday at nine"),
    ("my brakes on tuesday", "find_appointment_times Brake check tuesday"),
    ("do you have time for an oil change in two weeks", "find_appointment_times Oil change in two weeks"),
    ("winter tires on december the fourth at half past ten",
     "find_appointment_times Tire change december the fourth at half past ten"),
    ("i need an oil change", "find_appointment_times Oil change"),
    ("how much is an inspection", "look_up_services Inspection"),
    ("what services do you offer", "look_up_services "),
    ("what are your opening hours", "get_opening_hours"),
    ("when is my appointment", "find_my_appointments"),
    ("could you text me the details please", "send_text appointment"),
    ("i'd like to move my appointment", "find_my_appointments"),
    ("please cancel my appointment", "find_my_appointments"),
    ("can i speak to a person", "says, transfer_call service-desk"),
    ("the service desk please", "says, transfer_call service-desk"),
    ("no thank you goodbye", "says, end_call"),
])  # fmt: skip
def test_the_first_words_call_the_right_tool(opening: Dialogue, text: str, call: str) -> None:
    assert summary_of(opening.responds_to(text)) == call


def test_the_service_is_asked_for_and_the_day_is_not_forgotten(opening: Dialogue) -> None:
    assert opening.responds_to("i need an appointment on friday") == [Speech("Which service do you need?")]
    opening.caller("i need an appointment on friday").agent("Which service do you need?")
    assert summary_of(opening.responds_to("an oil change")) == "find_appointment_times Oil change friday"


def test_the_offered_times_are_spoken_with_a_question(opening: Dialogue) -> None:
    opening.caller("an oil change on thursday").tool(
        "find_appointment_times", {"service": "Oil change", "when": "thursday"}, ok=True, say="I have 9 or 10.",
        times=THURSDAY, as_wished=True,
    )  # fmt: skip
    assert opening.next() == [Speech("I have 9 or 10. Which time would you like?")]


def test_the_time_that_was_asked_for_is_chosen_at_once(opening: Dialogue) -> None:
    opening.caller("an oil change on thursday at nine").tool(
        "find_appointment_times", {"service": "Oil change", "when": "thursday at nine"}, ok=True, say="I have 9.",
        times=THURSDAY[:1], as_wished=True,
    )  # fmt: skip
    assert summary_of(opening.next()) == "choose_appointment Oil change 2026-12-03 09:00"


@pytest.mark.parametrize(("text", "time"), [
    ("the first one please", "2026-12-03 09:00"),
    ("i'll take the second one", "2026-12-03 09:30"),
    ("the last one", "2026-12-03 10:00"),
    ("nine thirty is good", "2026-12-03 09:30"),
    ("ten o'clock please", "2026-12-03 10:00"),
    ("thursday at ten works for me", "2026-12-03 10:00"),
    ("that works", "2026-12-03 09:00"),
    ("yes please", "2026-12-03 09:00"),
    ("at three", "thursday at three"),
])  # fmt: skip
def test_a_time_is_chosen(offered: Dialogue, text: str, time: str) -> None:
    assert summary_of(offered.responds_to(text)) == f"choose_appointment Oil change {time}"


@pytest.mark.parametrize(("text", "wish"), [
    ("what about friday afternoon", "friday afternoon"),
    ("do you have something later", "2026-12-03 after 10:00"),
    ("something earlier please", "as soon as possible"),
    ("rather in the afternoon", "thursday in the afternoon"),
])  # fmt: skip
def test_other_times_are_looked_for(offered: Dialogue, text: str, wish: str) -> None:
    assert summary_of(offered.responds_to(text)) == f"find_appointment_times Oil change {wish}"


def test_a_missing_answer_is_asked_for(offered: Dialogue) -> None:
    shown = draft("What is your name?", service="Oil change", time="2026-12-03 09:30")
    offered.caller("the second one").tool("choose_appointment", {}, ok=True, say="What is your name?", draft=shown)
    assert offered.next() == [Speech("What is your name?")]


@pytest.mark.parametrize(("text", "facts"), [
    ("my name is alice walker", "Alice Walker"),
    ("Bob Miller.", "Bob Miller"),
    ("it's sarah johnson and i drive a toyota corolla", "Sarah Johnson Toyota Corolla"),
])  # fmt: skip
def test_name_and_car_complete_the_draft(chosen: Dialogue, text: str, facts: str) -> None:
    assert summary_of(chosen.responds_to(text)) == f"choose_appointment {facts}"


def test_the_car_is_asked_for_once(chosen: Dialogue) -> None:
    shown = draft(service="Oil change", time="2026-12-03 09:30", customer_name="Alice Walker")
    chosen.caller("alice walker").tool("choose_appointment", {}, ok=True, say="Shall I repeat it?", draft=shown)
    assert chosen.next() == [Speech("And which car is it?")]
    chosen.agent("And which car is it?")
    assert summary_of(chosen.responds_to("it's a blue honda civic")) == "choose_appointment blue Honda Civic"
    assert summary_of(chosen.responds_to("blah")) == "read_back_appointment"


def test_a_complete_draft_is_read_back(chosen: Dialogue) -> None:
    shown = draft(service="Oil change", time="2026-12-03 09:30", customer_name="Bob Miller", vehicle="Ford Focus")
    chosen.caller("bob miller and it's a ford focus").tool("choose_appointment", {}, ok=True, say="Ok?", draft=shown)
    assert summary_of(chosen.next()) == "read_back_appointment"


def test_a_refused_time_is_spoken(offered: Dialogue) -> None:
    offered.caller("at three").tool("choose_appointment", {}, ok=False, say="3 pm is taken. I have 4 pm.")
    assert offered.next() == [Speech("3 pm is taken. I have 4 pm.")]


@pytest.mark.parametrize(("text", "call"), [
    ("yes that's right", "book_appointment"),
    ("yes please", "book_appointment"),
    ("no", "says"),
    ("no at ten", "choose_appointment Oil change 2026-12-03 10:00"),
    ("no make it friday morning", "find_appointment_times Oil change friday morning"),
    ("my name is bob miller", "choose_appointment Bob Miller"),
])  # fmt: skip
def test_only_a_yes_books(read_back: Dialogue, text: str, call: str) -> None:
    assert summary_of(read_back.responds_to(text)) == call


def test_after_booking_the_caller_may_want_more(read_back: Dialogue) -> None:
    read_back.caller("yes").tool("book_appointment", ok=True, say="Oil change is booked.", appointment=12)
    assert read_back.next() == [Speech("Oil change is booked. Anything else?")]
    read_back.agent("Oil change is booked. Anything else?")
    assert summary_of(read_back.responds_to("no that's all thank you")) == "says, end_call"
    assert summary_of(read_back.responds_to("can i speak to a person")) == "says, transfer_call service-desk"
    assert summary_of(read_back.responds_to("an inspection on monday")) == "find_appointment_times Inspection monday"
    assert summary_of(read_back.responds_to("yes please")) == "says"
    assert read_back.responds_to("i need another appointment") == [Speech("Which service do you need?")]


def test_a_booking_that_was_not_confirmed_is_read_back_again(read_back: Dialogue) -> None:
    read_back.caller("yes").tool("book_appointment", ok=False, say="Let me repeat the appointment to you first.")
    assert summary_of(read_back.next()) == "says, read_back_appointment"


def test_the_only_appointment_is_moved_after_a_yes(opening: Dialogue) -> None:
    opening.caller("i'd like to move my appointment to friday at ten")
    opening.tool("find_my_appointments", ok=True, say="You have Oil change on Thursday.", appointments=[OWN])
    assert summary_of(opening.next()) == "move_appointment 7 friday at ten"
    arguments = {"appointment": 7, "time": "friday at ten"}
    opening.tool("move_appointment", arguments, ok=True, say="I move it to Friday. Is that right?", done=False)
    assert opening.next() == [Speech("I move it to Friday. Is that right?")]
    opening.agent("I move it to Friday. Is that right?")
    assert summary_of(opening.responds_to("yes please")) == "move_appointment 7 friday at ten"
    assert summary_of(opening.responds_to("no")) == "says"
    assert summary_of(opening.responds_to("at eleven")) == "move_appointment 7 friday at eleven"
    opening.caller("yes").tool("move_appointment", arguments, ok=True, say="It is moved.", done=True)
    assert opening.next() == [Speech("It is moved. Anything else?")]


def test_the_new_time_is_asked_for(opening: Dialogue) -> None:
    opening.caller("can you move my appointment")
    opening.tool("find_my_appointments", ok=True, say="You have one.", appointments=[OWN])
    assert opening.next() == [Speech("You have one. To which day and time?")]
    opening.agent("You have one. To which day and time?")
    assert summary_of(opening.responds_to("friday at nine")) == "move_appointment 7 friday at nine"


def test_an_appointment_is_canceled_after_a_yes(opening: Dialogue) -> None:
    opening.caller("i need to cancel my appointment")
    opening.tool("find_my_appointments", ok=True, say="You have one.", appointments=[OWN])
    assert summary_of(opening.next()) == "cancel_appointment 7"
    opening.tool("cancel_appointment", {"appointment": 7}, ok=True, say="I cancel it. Is that right?", done=False)
    opening.agent("I cancel it. Is that right?")
    assert summary_of(opening.responds_to("yes")) == "cancel_appointment 7"


def test_of_several_appointments_the_right_one_is_asked_for(opening: Dialogue) -> None:
    opening.caller("i need to cancel my appointment").tool(
        "find_my_appointments", ok=True, say="You have two.", appointments=[OWN, {**OWN, "service": "Inspection"}]
    )
    assert opening.next() == [Speech("You have two. Which one do you mean?")]
    opening.agent("You have two. Which one do you mean?")
    assert summary_of(opening.responds_to("cancel my oil change appointment")) == "cancel_appointment 7"


def test_after_a_reconnect_what_was_said_is_known(opening: Dialogue) -> None:
    replayed = Dialogue(SERVICES, tools=TOOLS).replayed("I need an oil change.").agent("When?").replayed("Hello?")
    assert summary_of(replayed.responds_to("thursday morning")) == "find_appointment_times Oil change thursday morning"


def test_the_goodbye_is_said_once(opening: Dialogue) -> None:
    opening.caller("no thank you goodbye")
    said = opening.next()
    assert [type(each) for each in said] == [Speech, FunctionCall]
    assert isinstance(said[0], Speech)
    opening.agent(said[0].text).tool("end_call", ok=True, say="Goodbye.")
    assert opening.next() == []
