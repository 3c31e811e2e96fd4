"""The feed: who gets it, what it holds, and that a subscriber is told when nothing changed."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from icalendar import Calendar
from pytest_django import DjangoAssertNumQueries, Settings

from agents.tests.builders import make_organization, make_resource
from sessions.appointments.calendars.services.feeds import IssuedFeed, issue_feed, renew_feed, revoke_feed
from sessions.appointments.models import Appointment

from .conftest import Garage


def path_of(issued: IssuedFeed) -> str:
    return "/calendar/" + issued.address.rpartition("/calendar/")[2]


def fetch(issued: IssuedFeed, **headers: str) -> HttpResponse:
    return Client().get(path_of(issued), headers=headers)  # type: ignore[return-value]


def events(response: HttpResponse) -> list[dict[str, str]]:
    assert response.status_code == 200
    found = Calendar.from_ical(response.content).walk("VEVENT")
    return [{name: shown(value) for name, value in each.items()} for each in found]


def shown(value: object) -> str:
    """Of a time, the clock alone."""
    at = getattr(value, "dt", None)
    return f"{at:%H:%M}" if isinstance(at, dt.datetime) else str(value)


@pytest.fixture
def feed(garage: Garage) -> IssuedFeed:
    return issue_feed(garage.organization, name="Reception")


def test_a_booking_is_an_event_with_all_that_the_staff_needs(garage: Garage, feed: IssuedFeed) -> None:
    appointment = garage.book(9, number="+4930123456", vehicle="Golf, B-AB 12", note="Ölverlust")
    (event,) = events(fetch(feed))
    assert event["UID"] == f"{appointment.pk.hex}@voiceapp"
    assert (event["DTSTART"], event["DTEND"], event["SEQUENCE"], event["STATUS"]) == (
        "09:00",
        "09:30",
        "0",
        "CONFIRMED",
    )
    assert event["SUMMARY"] == "Oil change: Miller"
    for line in ("With: Mia", "Vehicle: Golf, B-AB 12", "Note: Ölverlust", "+49 30 123456"):
        assert line in event["DESCRIPTION"]


def test_the_response_is_a_calendar_that_proxies_do_not_keep(feed: IssuedFeed) -> None:
    response = fetch(feed)
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response["Cache-Control"] == "private, no-cache"
    assert b"X-WR-CALNAME:Alice Garage\r\n" in response.content
    assert Client().head(path_of(feed)).status_code == 200


def test_a_move_is_the_same_event_with_a_higher_sequence(garage: Garage, feed: IssuedFeed) -> None:
    appointment = garage.book(9)
    garage.move(appointment, 11)
    (event,) = events(fetch(feed))
    assert (event["UID"][:32], event["DTSTART"], event["SEQUENCE"]) == (appointment.pk.hex, "11:00", "1")


def test_a_canceled_appointment_stays_as_canceled(garage: Garage, feed: IssuedFeed) -> None:
    garage.cancel(garage.book(9))
    (event,) = events(fetch(feed))
    assert (event["STATUS"], event["TRANSP"], event["SEQUENCE"]) == ("CANCELLED", "TRANSPARENT", "1")


def test_a_feed_without_customers_names_none(garage: Garage) -> None:
    garage.book(9, number="+4930123456", vehicle="Golf", note="private")
    issued = issue_feed(garage.organization, name="Window", shows_customers=False)
    text = fetch(issued).content.decode()
    assert "SUMMARY:Oil change\r\n" in text
    assert not any(word in text for word in ("Miller", "123456", "Golf", "private"))


def test_a_resources_feed_has_its_appointments_alone(garage: Garage) -> None:
    tom = make_resource(garage.organization, "Tom")
    mias, toms = garage.book(9), garage.book(9)
    assert [each.resources.get() for each in (mias, toms)] == [garage.mia, tom]
    issued = issue_feed(garage.organization, name="Tom's phone", resource=tom)
    assert [event["UID"][:32] for event in events(fetch(issued))] == [toms.pk.hex]
    assert b"X-WR-CALNAME:Alice Garage: Tom\r\n" in fetch(issued).content


def test_another_organizations_appointments_are_not_in_it(garage: Garage) -> None:
    garage.book(9)
    assert events(fetch(issue_feed(make_organization("Charlie"), name="his"))) == []


def test_it_reaches_from_thirty_days_ago_to_a_year_ahead(garage: Garage, feed: IssuedFeed) -> None:
    today = timezone.now()
    kept = []
    for hour, days in enumerate((-40, -29, 300, 400), start=9):
        row = garage.book(hour)
        start = today + dt.timedelta(days=days)
        Appointment.objects.filter(pk=row.pk).update(starts_at=start, ends_at=start + dt.timedelta(minutes=30))
        kept += [row.pk.hex] if days in (-29, 300) else []
    assert [event["UID"][:32] for event in events(fetch(feed))] == kept


# Unchanged


def test_nothing_is_sent_again_until_something_changes(garage: Garage, feed: IssuedFeed) -> None:
    appointment = garage.book(9)
    etag = fetch(feed)["ETag"]
    again = fetch(feed, **{"If-None-Match": etag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    for change in (
        lambda: garage.move(appointment, 10),
        lambda: garage.book(12),
        lambda: garage.cancel(appointment),
        lambda: type(garage.mia).objects.update(name="Mia M."),
    ):
        change()
        response = fetch(feed, **{"If-None-Match": etag})
        assert response.status_code == 200
        assert response["ETag"] != etag
        etag = response["ETag"]


def test_the_same_etag_is_the_same_text_all_day(garage: Garage, feed: IssuedFeed) -> None:
    garage.book(9)
    with time_machine.travel("2026-03-02T00:00:10Z", tick=False) as clock:
        first = fetch(feed)
        clock.move_to("2026-03-02T23:59:50Z")
        last = fetch(feed)
        clock.move_to("2026-03-03T00:00:10Z")
        assert fetch(feed)["ETag"] != first["ETag"]
    assert (first["ETag"], first.content) == (last["ETag"], last.content)


def test_the_number_of_queries_does_not_grow(
    garage: Garage, feed: IssuedFeed, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fetch(feed)
    for hour in (9, 10, 11):
        garage.book(hour)
    with django_assert_num_queries(5):
        fetch(feed)
    etag = fetch(feed)["ETag"]
    with django_assert_num_queries(3):
        fetch(feed, **{"If-None-Match": etag})


# The address


def test_only_the_hash_of_the_secret_is_kept(feed: IssuedFeed) -> None:
    secret = path_of(feed).removeprefix("/calendar/").removesuffix(".ics")
    assert feed.feed.secret_sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in str(vars(feed.feed))


def test_a_revoked_and_a_renewed_address_are_unknown(feed: IssuedFeed) -> None:
    unknown = Client().get("/calendar/" + "x" * 43 + ".ics")
    renewed = renew_feed(feed.feed)
    assert fetch(renewed).status_code == 200
    revoke_feed(feed.feed)
    for response in (fetch(feed), fetch(renewed)):
        assert (response.status_code, response.content) == (404, unknown.content)


@pytest.mark.parametrize("path", ["/calendar/.ics", "/calendar/x.ics", "/calendar/%00.ics", "/calendar/a/b.ics",
                                  "/calendar/" + "ü" * 43 + ".ics", "/calendar/" + "x" * 9000 + ".ics"])  # fmt: skip
def test_other_addresses_are_unknown(db: None, path: str) -> None:
    assert Client().get(path).status_code == 404


def test_it_can_only_be_read(feed: IssuedFeed) -> None:
    assert Client().post(path_of(feed)).status_code == 405
    assert Client().put(path_of(feed)).status_code == 405


def test_the_use_is_noted_once_a_minute(feed: IssuedFeed) -> None:
    fetch(feed)
    feed.feed.refresh_from_db()
    first = feed.feed.last_used_at
    assert first is not None
    fetch(feed)
    feed.feed.refresh_from_db()
    assert feed.feed.last_used_at == first


def test_no_log_names_the_secret_or_a_customer(
    garage: Garage, feed: IssuedFeed, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    garage.book(9)
    fetch(feed)
    revoke_feed(feed.feed)
    fetch(feed)
    logged = "".join(capfd.readouterr()) + caplog.text
    assert path_of(feed).removeprefix("/calendar/") not in logged
    assert "/calendar/…" in logged
    assert "Miller" not in logged


def test_a_subscriber_that_fetches_without_end_is_slowed_down(feed: IssuedFeed, settings: Settings) -> None:
    settings.LIMIT_CALENDAR_FEED = "3/h"
    statuses = [fetch(feed).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert int(fetch(feed)["Retry-After"]) > 0


def test_guesses_are_counted_and_the_right_address_still_works(feed: IssuedFeed, settings: Settings) -> None:
    settings.LIMIT_WRONG_CREDENTIALS = "2/h"
    statuses = [Client().get("/calendar/" + str(n) * 43 + ".ics").status_code for n in range(3)]
    assert statuses == [404, 404, 429]
    assert fetch(feed).status_code == 200
