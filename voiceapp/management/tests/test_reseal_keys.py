"""`reseal_keys` encrypts every secret in the database anew, whichever model it is of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Model
from django.utils import timezone
from pytest_django import Settings

from agents.configuration.models import RealtimeEndpoint
from agents.organizations.models import Organization
from agents.tests.builders import make_organization, make_resource, make_user
from agents.two_factor.models import TwoFactor
from sessions.appointments.calendars.models import ConnectedCalendar
from sessions.calls.models import Call
from sessions.messages.endpoints.models import WebhookEndpoint
from telephony.twilio.models import MediaStream
from voiceapp.core.secret_box import unseal
from voiceapp.management.commands.reseal_keys import sealed_fields
from voiceapp.tests.test_layers import product_files

pytestmark = pytest.mark.django_db

SECRET = "the-secret-0123456789"


def _endpoint(organization: Organization) -> Model:
    endpoint = RealtimeEndpoint(organization=organization, origin="https://voice.example.com")
    endpoint.api_key = SECRET
    return endpoint


def _calendar(organization: Organization) -> Model:
    calendar = ConnectedCalendar(
        resource=make_resource(organization), address="https://cloud.example/dav", username="mia"
    )
    calendar.password = SECRET
    return calendar


def _stream(organization: Organization) -> Model:
    stream = MediaStream(call=Call.objects.create(organization=organization), expires_at=timezone.now())
    stream.call_token = SECRET
    return stream


def _webhook(organization: Organization) -> Model:
    endpoint = WebhookEndpoint(organization=organization, name="Kitchen", url="https://kitchen.example")
    endpoint.secret = SECRET
    endpoint.sealed_earlier_secret = endpoint.sealed_secret
    return endpoint


def _second_factor(organization: Organization) -> Model:
    factor = TwoFactor(user=make_user("bob", organization))
    factor.secret = SECRET
    return factor


# A model with a secret that is missing here fails the tests: add how one of its rows is made.
MAKERS: Mapping[type[Model], Callable[[Organization], Model]] = {
    RealtimeEndpoint: _endpoint,
    TwoFactor: _second_factor,
    ConnectedCalendar: _calendar,
    MediaStream: _stream,
    WebhookEndpoint: _webhook,
}


@pytest.fixture
def rows(settings: Settings) -> list[tuple[Model, str]]:
    """One of each model with a secret, encrypted with the earlier SECRET_KEY; and the field's name."""
    organization = make_organization()
    made = [(MAKERS[model](organization), field.name) for model, field in sealed_fields()]
    for row, _ in made:
        row.save()
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "n" * 50
    return made


def test_the_new_secret_key_alone_opens_every_secret(
    rows: list[tuple[Model, str]], settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("reseal_keys")
    settings.SECRET_KEY_FALLBACKS = []
    for row, field in rows:
        row.refresh_from_db()
        assert unseal(getattr(row, field), place=row.place) == SECRET  # type: ignore[attr-defined]
    assert capsys.readouterr().out == (
        "Sealed by SECRET_KEY: 8 "  # an endpoint has two secrets, and one row for each is made here
        "(call token: 1, connected calendar: 1, realtime endpoint: 1, second factor: 1, webhook secret: 4).\n"
    )


def test_each_secret_that_no_key_opens_is_named(rows: list[tuple[Model, str]], settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(CommandError) as refused:
        call_command("reseal_keys")
    for named in (
        "the realtime endpoint https://voice.example.com of Trattoria Alice",
        "the connected calendar Mia's calendar of Trattoria Alice",
        "the webhook secret Kitchen of Trattoria Alice",
        f"the call token {MediaStream.objects.get()} of Trattoria Alice",
    ):
        assert named in str(refused.value)


def test_only_fields_of_that_name_are_encrypted() -> None:
    """The command finds them by their names. What a browser gets, and the database does not, is sealed beside them."""
    targets = [
        (path.name, line.strip())
        for path in product_files()
        for line in path.read_text().splitlines()
        if re.search(r"(?<![\w.])seal\(", line) and not line.startswith("def seal(")
    ]
    stored = [line for name, line in targets if name == "models.py"]
    assert len(stored) == len(MAKERS)
    assert [line for line in stored if not re.match(r"self\.sealed_\w+ = seal\(", line)] == []
    assert [line for name, line in targets if name != "models.py"] == [
        "sealed = seal(json.dumps(content), place=_place(call.pk))"
    ]
