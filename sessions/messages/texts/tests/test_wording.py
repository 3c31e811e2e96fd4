"""Templates take known placeholders only; sizes are those that the carrier counts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from agents.tests.builders import make_agent
from sessions.messages.texts.kinds import DEFAULTS, EXAMPLES, LANGUAGES, LONGEST_BODY, PLACEHOLDERS, TextKind
from sessions.messages.texts.models import TextTemplate
from sessions.messages.texts.segments import size_of
from sessions.messages.texts.wording import (
    date_words,
    items_words,
    money_words,
    preview,
    render,
    time_words,
    validate_template,
)
from sessions.tests.builders import make_call

from .conftest import make_garage, new_number, queue

K = TextKind


@pytest.mark.parametrize("language", [code for code, _ in LANGUAGES])
@pytest.mark.parametrize("kind", list(K))
def test_every_default_is_valid_and_small(kind: TextKind, language: str) -> None:
    body = DEFAULTS[language][kind]
    validate_template(kind, body)
    size = size_of(preview(kind, body, name="Bella Napoli"))
    assert (size.encoding, size.not_gsm) == ("GSM-7", "")
    assert size.segments == 1


@pytest.mark.parametrize("body", [
    "{date} {customer}", "{service.__class__}", "{date!r}", "{date:>10}", "{0}", "{}", "{date", "date}", "{{date}} {x}",
    "{items}", "{link}",
])  # fmt: skip
def test_an_unknown_placeholder_is_refused_and_the_known_are_named(body: str) -> None:
    with pytest.raises(ValidationError) as caught:
        validate_template(K.APPOINTMENT_REMINDER, body)
    assert "{name}, {phone}, {service}, {date}, {time}" in caught.value.messages[0]


def test_a_template_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValidationError):
        validate_template(K.MENU_LINK, "x" * (LONGEST_BODY + 1))


def test_facts_are_one_line_and_no_placeholders() -> None:
    said = render(K.MENU_LINK, "{name}: {link}", {"name": "A\nB {link}\x00", "link": "{name}"})
    assert said == "A B {link}: {name}"


def test_a_missing_fact_is_left_out() -> None:
    assert render(K.MENU_LINK, "{name}{link}", {"name": "A", "more": "B"}) == "A"


@pytest.mark.parametrize(("body", "encoding", "units", "segments"), [
    ("", "GSM-7", 0, 1),
    ("a" * 160, "GSM-7", 160, 1),
    ("a" * 161, "GSM-7", 161, 2),
    ("a" * 306, "GSM-7", 306, 2),
    ("a" * 307, "GSM-7", 307, 3),
    ("€" * 80, "GSM-7", 160, 1),
    ("a" * 159 + "€", "GSM-7", 161, 2),
    ("a" * 152 + "€" * 77, "GSM-7", 306, 3),  # no escape is parted from its character
    ("á", "UCS-2", 1, 1),
    ("á" * 70, "UCS-2", 70, 1),
    ("á" * 71, "UCS-2", 71, 2),
    ("á" * 134, "UCS-2", 134, 2),
    ("🍕" * 35, "UCS-2", 70, 1),
    ("á" + "🍕" * 66, "UCS-2", 133, 2),
    ("áá" + "🍕" * 66, "UCS-2", 134, 3),  # nor are two halves of a character
])  # fmt: skip
def test_segments_are_counted_as_the_carrier_does(body: str, encoding: str, units: int, segments: int) -> None:
    size = size_of(body)
    assert (size.encoding, size.units, size.segments) == (encoding, units, segments)


def test_what_makes_a_text_longer_is_named() -> None:
    assert size_of("sábado “mañana” €").not_gsm == "á“”"


def test_dates_times_and_sums_are_written_as_the_language_does() -> None:
    at = dt.datetime(2026, 12, 3, 14, 30, tzinfo=dt.UTC)
    assert [date_words(at, code) for code, _ in LANGUAGES] == [
        "Thursday, December 3", "Donnerstag, 3. Dezember", "jueves, 3 de diciembre", "jeudi 3 décembre",
        "giovedì 3 dicembre",
    ]  # fmt: skip
    assert [time_words(at, code) for code in ("en", "de")] == ["2:30 PM", "14:30"]
    assert [money_words(Decimal("1029.5"), "EUR", code) for code in ("en", "de")] == ["1029.50 EUR", "1029,50 EUR"]


def test_a_long_order_is_shortened() -> None:
    assert items_words(["2 x Tiramisu", "1 x Cola"]) == "2 x Tiramisu, 1 x Cola"
    long = items_words([f"1 x Pizza number {at}" for at in range(100)])
    assert len(long) <= 310
    assert long.endswith(", +86")


@pytest.mark.django_db
@pytest.mark.usefixtures("account")
def test_an_organizations_own_words_and_language_are_used() -> None:
    garage = make_garage()
    agent = make_agent(garage, language="fr")
    number = new_number()
    call = make_call(agent, caller_number=number)
    assert queue(garage, number, call=call).body.startswith("Alice's Garage: Votre rendez-vous: Oil change")
    TextTemplate.objects.create(
        organization=garage, kind=K.APPOINTMENT_CONFIRMATION, language="fr", body="À {time} chez {name}"
    )
    assert queue(garage, number, key="b", call=call).body == "À 9:30 chez Alice's Garage"
    assert queue(garage, number, key="c").body.startswith("Alice's Garage: Ihr Termin")


def test_every_placeholder_has_an_example() -> None:
    assert {name for names in PLACEHOLDERS.values() for name in names} == set(EXAMPLES)
