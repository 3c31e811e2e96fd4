"""What customers text: kept, shown, and STOP, START and HELP are honored."""

from __future__ import annotations

import pytest

from agents.organizations.models import Organization
from sessions.messages.texts.models import OptOut, Text, TextSettings, TextState
from sessions.messages.texts.reasons import TextReason
from sessions.messages.texts.services.incoming import receive_text
from sessions.messages.texts.services.opt_outs import keyword_of

from .conftest import Customer, becomes, make_garage, queue, send, until


def received(customer: Customer, count: int) -> list[Text]:
    until(lambda: Text.objects.filter(state=TextState.RECEIVED).count() == count)
    return list(Text.objects.filter(state=TextState.RECEIVED).order_by("created_at"))


def test_a_text_is_kept_with_its_number_and_words(garage: Organization, customer: Customer) -> None:
    customer.texts("I am ten minutes late.\nSorry! 🙈")
    (text,) = received(customer, 1)
    assert (text.number, text.our_number) == (customer.number, customer.our_number)
    assert (text.body, text.organization) == ("I am ten minutes late.\nSorry! 🙈", garage)
    assert customer.inbox() == []


def test_after_stop_nothing_is_sent_until_start(garage: Organization, customer: Customer) -> None:
    waiting = queue(garage, customer.number, key="before")
    customer.texts(" Stop ")
    received(customer, 1)
    assert OptOut.objects.get().is_out
    send()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == (TextState.NOT_SENT, TextReason.OPTED_OUT)
    assert queue(garage, customer.number, key="after").reason == TextReason.OPTED_OUT
    assert len(customer.inbox()) == 1  # Twilio's own answer
    customer.texts("START")
    received(customer, 2)
    assert not OptOut.objects.get().is_out
    text = queue(garage, customer.number, key="again")
    send()
    becomes(text, TextState.DELIVERED)


def test_an_opt_out_is_of_one_organization(garage: Organization, customer: Customer) -> None:
    customer.texts("STOP")
    received(customer, 1)
    other = make_garage("Charlie's Garage")
    assert queue(other, customer.number).state == TextState.WAITING


def test_stop_said_twice_after_start_does_not_opt_out_again(garage: Organization, customer: Customer) -> None:
    stop = {"number": customer.number, "our_number": customer.our_number, "body": "STOP"}
    receive_text(garage, sid="SM1", **stop)
    receive_text(garage, sid="SM2", **(stop | {"body": "start"}))
    receive_text(garage, sid="SM1", **stop)  # the webhook is repeated
    assert not OptOut.objects.get().is_out
    assert Text.objects.count() == 2


@pytest.mark.parametrize(("answers_help", "count"), [(False, 1), (True, 2)])
def test_help_is_answered_by_the_carrier_and_by_us_where_we_want(
    garage: Organization, customer: Customer, answers_help: bool, count: int
) -> None:
    TextSettings.objects.create(organization=garage, answers_help=answers_help)
    customer.texts("help")
    received(customer, 1)
    answers = customer.inbox(2, within_s=3 if answers_help else 0.3)
    assert len(answers) == count
    assert any(each.startswith("Alice's Garage: Bitte rufen Sie an") for each in answers) == answers_help


def help_from(garage: Organization, number: str, count: int) -> list[bool]:
    """Whether each request for help gets a reply."""
    return [
        bool(receive_text(garage, sid=f"SM{number}{at}", number=number, our_number="+4915100000001", body="HELP"))
        for at in range(count)
    ]


@pytest.mark.django_db
def test_help_is_answered_only_so_often_and_in_our_countries() -> None:
    garage = make_garage()
    TextSettings.objects.create(organization=garage, answers_help=True, most_per_number=2)
    assert help_from(garage, "+4915112345678", 4) == [True, True, False, False]
    assert help_from(garage, "+4915112345679", 1) == [True]
    assert help_from(garage, "+33612345678", 1) == [False]
    assert help_from(garage, "+881612345678", 1) == [False]
    assert Text.objects.count() == 7, "each is kept"


@pytest.mark.parametrize(("body", "keyword"), [
    ("STOP", "STOP"), ("stop.", "STOP"), (" Unsubscribe\n", "STOP"), ("OPTOUT", "STOP"), ("revoke", "STOP"),
    ("END", "STOP"), ("quit", "STOP"), ("StopAll", "STOP"), ("CANCEL", "STOP"), ("Stopp!", "STOP"),
    ("START", "START"), ("yes", "START"), ("unstop", "START"), ("HELP", "HELP"), ("info", "HELP"),
    ("Please stop", ""), ("cancel my appointment", ""), ("yes please", ""), ("", ""), ("🛑", ""),
])  # fmt: skip
def test_only_a_single_word_is_a_keyword(body: str, keyword: str) -> None:
    assert keyword_of(body) == keyword


def test_what_the_messaging_service_recognized_counts() -> None:
    assert keyword_of("Keine Nachrichten mehr", opt_out_type="STOP") == "STOP"
    assert keyword_of("STOP", opt_out_type="melted") == "STOP"


def test_a_text_to_a_number_that_is_not_ours_is_not_kept(garage: Organization, customer: Customer) -> None:
    customer.our_number = "+4915100000001"
    customer.texts("Hello?")
    customer.our_number = garage.phone_numbers.get().number
    customer.texts("Hello!")
    assert [each.body for each in received(customer, 1)] == ["Hello!"]
