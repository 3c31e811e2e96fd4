"""The simulated model and the product's tools make, move and cancel an appointment together, sentence by sentence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine

from sessions.appointments.models import Appointment, AppointmentState
from sessions.tests.builders import Phone, make_garage
from sessions.tools.briefing import brief
from voiceapp.simulators.model.agent.decisions import decide
from voiceapp.simulators.model.agent.menu import Service, read_menu
from voiceapp.simulators.model.agent.outputs import FunctionCall
from voiceapp.simulators.model.conversation import AgentTurn, CallerTurn, ModelBrief, ToolRequest, ToolResult, Turn

pytestmark = pytest.mark.django_db

# A Tuesday, 10:00 in Berlin.
NOW = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)


class Conversation:
    """What each sentence of the caller leads to: the agent's last words."""

    def __init__(self) -> None:
        self.organization, call = make_garage()
        briefing = brief(call)
        self.brief = ModelBrief.of(briefing.instructions, list(briefing.tools))
        self.phone = Phone(call.pk)
        self.turns: list[Turn] = []
        self.tools: list[str] = []

    def says(self, text: str) -> str:
        self.phone.speaks()
        self.turns.append(CallerTurn(text))
        said = ""
        for _ in range(6):
            outputs = decide(self.brief, self.turns)
            for output in outputs:
                if isinstance(output, FunctionCall):
                    self._use(output)
                else:
                    said = output.text
                    self.turns.append(AgentTurn(said))
            if not outputs or not isinstance(outputs[-1], FunctionCall):
                return said
        raise AssertionError("the model does not stop calling tools")

    def _use(self, call: FunctionCall) -> None:
        self.tools.append(call.name)
        call_id = f"call_{len(self.tools)}"
        self.turns.append(ToolRequest(call_id, call.name, call.arguments))
        self.turns.append(ToolResult(call_id, self.phone.use(call.name, **call.arguments)))


@pytest.fixture
def conversation() -> Iterator[Conversation]:
    with time_machine.travel(NOW, tick=False):
        yield Conversation()


@pytest.fixture
def booked(conversation: Conversation) -> Conversation:
    for text in ("an oil change on friday at ten", "sarah johnson", "it's a toyota corolla", "yes please"):
        conversation.says(text)
    assert Appointment.objects.count() == 1
    return conversation


def test_the_simulated_model_reads_the_services_that_were_written(conversation: Conversation) -> None:
    menu = read_menu(conversation.brief.instructions)
    assert menu.services == (
        Service("Oil change", ("oil service", "new oil")), Service("Inspection"), Service("Brake repair"),
    )  # fmt: skip


def test_an_appointment_is_booked(conversation: Conversation) -> None:
    said = conversation.says("hi i need an oil change on thursday morning")
    assert said == "I have Thursday, December 3 at 8 am, 10 am or 11:30 am. Which time would you like?"
    assert conversation.says("ten o'clock please").endswith("What is your name?")
    assert conversation.says("my name is alice walker") == "And which car is it?"
    said = conversation.says("it's a honda civic")
    assert said.startswith("I have Oil change on Thursday, December 3 at 10 am for Alice Walker, with the Honda Civic.")
    assert conversation.says("yes that's right").endswith("The appointment number is 1. Anything else?")
    assert conversation.says("no that's all thank you").endswith("Goodbye!")
    appointment = Appointment.objects.get()
    assert appointment.starts_at == dt.datetime(2026, 12, 3, 9, 0, tzinfo=dt.UTC)
    assert (appointment.customer_name, appointment.vehicle) == ("Alice Walker", "Honda Civic")
    assert conversation.tools == [
        "find_appointment_times", "choose_appointment", "choose_appointment", "choose_appointment",
        "read_back_appointment", "book_appointment", "end_call",
    ]  # fmt: skip


def test_a_time_that_was_asked_for_is_taken_without_a_further_question(conversation: Conversation) -> None:
    assert conversation.says("an oil change tomorrow at nine").endswith("What is your name?")
    assert conversation.tools == ["find_appointment_times", "choose_appointment"]


def test_a_correction_after_the_read_back_is_booked(conversation: Conversation) -> None:
    for text in ("an oil change tomorrow at nine", "bob miller", "a ford focus"):
        said = conversation.says(text)
    assert said.endswith("Is that right?")
    assert "at 10:30 am" in conversation.says("no at ten thirty")
    conversation.says("yes")
    assert Appointment.objects.get().starts_at == dt.datetime(2026, 12, 2, 9, 30, tzinfo=dt.UTC)


def test_an_appointment_is_moved(booked: Conversation) -> None:
    said = booked.says("can you move my appointment to monday at nine")
    assert said.endswith("Is that right?")
    assert booked.says("yes please").endswith("Anything else?")
    assert Appointment.objects.get().starts_at == dt.datetime(2026, 12, 7, 8, 0, tzinfo=dt.UTC)


def test_an_appointment_is_moved_to_one_of_the_offered_times(booked: Conversation) -> None:
    said = booked.says("i'd like to move my appointment to monday morning")
    assert "Monday, December 7" in said
    assert booked.says("at nine thirty").endswith("Is that right?")
    booked.says("yes")
    assert Appointment.objects.get().starts_at == dt.datetime(2026, 12, 7, 8, 30, tzinfo=dt.UTC)


def test_an_appointment_is_canceled(booked: Conversation) -> None:
    assert booked.says("when is my appointment").startswith("You have Oil change on Friday, December 4 at 10 am.")
    assert booked.says("i need to cancel my appointment").endswith("Is that right?")
    booked.says("yes please")
    assert Appointment.objects.get().state == AppointmentState.CANCELED


def test_a_question_about_a_service_is_answered_from_the_catalog(conversation: Conversation) -> None:
    assert conversation.says("how much is an oil change").startswith("Oil change costs 89 euros 90")
