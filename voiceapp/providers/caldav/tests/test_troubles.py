"""What goes wrong with a calendar server: each fault has its sentence, and whether it is worth another try."""

from __future__ import annotations

import datetime as dt
import logging
import socket
import time
from zoneinfo import ZoneInfo

import pytest

from voiceapp.providers.caldav import transport
from voiceapp.providers.caldav.client import BusyTimes, CalDavCalendar
from voiceapp.providers.caldav.errors import CalendarError, Trouble
from voiceapp.providers.caldav.transport import Credentials

from .radicale_server import PASSWORD, USERNAME, RadicaleServer

NOW = dt.datetime(2026, 7, 6, tzinfo=dt.UTC)
MULTISTATUS = b'<?xml version="1.0"?><multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">%s</multistatus>'


def connect(url: str, *, password: str = PASSWORD, may_be_local: bool = True, whole_s: float = 12) -> CalDavCalendar:
    credentials = Credentials(USERNAME, password)
    return CalDavCalendar(url, credentials, may_be_local=may_be_local, version="1.2.3", whole_s=whole_s)


def read(calendar: CalDavCalendar) -> object:
    return calendar.read_busy(zone=ZoneInfo("UTC"), begins_at=NOW, ends_at=NOW + dt.timedelta(days=30))


def failure_of_reading(calendar: CalDavCalendar) -> CalendarError:
    with pytest.raises(CalendarError) as caught:
        read(calendar)
    return caught.value


@pytest.mark.parametrize(
    ("status", "trouble", "is_permanent"),
    [
        ("401 Unauthorized", Trouble.UNAUTHORIZED, True),
        ("403 Forbidden", Trouble.FORBIDDEN, True),
        ("404 Not Found", Trouble.NOT_FOUND, True),
        ("412 Precondition Failed", Trouble.CHANGED, True),
        ("429 Too Many Requests", Trouble.RATE_LIMITED, False),
        ("500 Internal Server Error", Trouble.SERVER_FAILED, False),
        ("503 Service Unavailable", Trouble.SERVER_FAILED, False),
        ("302 Found", Trouble.ELSEWHERE, True),
    ],
)
def test_a_status_becomes_a_sentence(server: RadicaleServer, status: str, trouble: Trouble, is_permanent: bool) -> None:
    server.status, server.headers = status, [("Location", "/login"), ("Retry-After", "30")]
    error = failure_of_reading(connect(server.calendar_url))
    assert (error.trouble, error.permanent) == (trouble, is_permanent)
    assert error.retry_after_s == (None if is_permanent else 30)
    assert str(error).startswith(f"calendar: {trouble.value}")


def test_a_wrong_password_is_named(server: RadicaleServer) -> None:
    with pytest.raises(CalendarError) as caught:
        connect(server.base_url, password="wrong").find()
    assert caught.value.trouble is Trouble.UNAUTHORIZED
    assert "app password" in str(caught.value)


@pytest.mark.parametrize("challenge", ["Digest", "Digest realm=x", 'Digest realm="x", nonce="n", algorithm=NONE'])
def test_a_challenge_that_is_none_is_a_refusal(server: RadicaleServer, challenge: str) -> None:
    server.status, server.headers = "401 Unauthorized", [("WWW-Authenticate", challenge)]
    assert failure_of_reading(connect(server.calendar_url)).trouble is Trouble.UNAUTHORIZED


def test_a_web_page_is_no_calendar(server: RadicaleServer) -> None:
    server.status, server.body = "200 OK", b"<html><body><p>Welcome<br></body></html>"
    assert failure_of_reading(connect(server.calendar_url)).trouble is Trouble.GARBAGE
    with pytest.raises(CalendarError) as caught:
        connect(server.base_url).find()
    assert caught.value.trouble is Trouble.NO_CALENDAR


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\xff\xfe",
        b"<multistatus",
        b"<multistatus xmlns='DAV:'/>",
        MULTISTATUS % b"<response/>",
        MULTISTATUS % b"<response><href/></response>",
        MULTISTATUS % b"<unknown/>",
        MULTISTATUS % b"<response><href>/x.ics</href><propstat><prop><C:calendar-data>BEGIN:VEVENT</C:calendar-data>"
        b"</prop><status>HTTP/1.1 200 OK</status></propstat></response>",
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><multistatus xmlns="DAV:">&b;</multistatus>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a "a">]><x>&a;</x>'.encode("utf-16"),
    ],
)
def test_garbage_is_an_error_or_nothing_and_never_a_crash(server: RadicaleServer, body: bytes) -> None:
    server.status, server.body = "207 Multi-Status", body
    server.headers = [("Content-Type", "application/xml")]
    outcome: object
    try:
        outcome = read(connect(server.calendar_url))
    except CalendarError as exc:
        outcome = exc.trouble
    assert outcome in (Trouble.GARBAGE, BusyTimes([], unreadable=0), BusyTimes([], unreadable=1))


def test_a_page_that_is_xml_is_no_empty_calendar(server: RadicaleServer) -> None:
    server.status, server.body = "200 OK", b'<html xmlns="http://www.w3.org/1999/xhtml"><body>Sign in</body></html>'
    assert failure_of_reading(connect(server.calendar_url)).trouble is Trouble.GARBAGE


def test_a_list_that_the_server_cut_short_is_not_used(server: RadicaleServer) -> None:
    server.status = "207 Multi-Status"
    server.body = MULTISTATUS % b"<response><href>/garage/</href><status>HTTP/1.1 507 Insufficient</status></response>"
    assert failure_of_reading(connect(server.calendar_url)).trouble is Trouble.TOO_LARGE


def test_an_event_without_its_data_is_counted(server: RadicaleServer) -> None:
    server.status = "207 Multi-Status"
    server.body = MULTISTATUS % (
        b"<response><href>/garage/a.ics</href><propstat><prop><getetag>x</getetag></prop>"
        b"<status>HTTP/1.1 200 OK</status></propstat></response>"
    )
    assert read(connect(server.calendar_url)) == BusyTimes([], unreadable=1)


def test_an_object_that_is_no_text_is_read_as_it_is(server: RadicaleServer) -> None:
    server.status, server.body = "200 OK", b"BEGIN:VCALENDAR\r\n\xff\xfe"
    stored = connect(server.calendar_url).read("a1")
    assert stored is not None
    assert stored.text == server.body


def test_an_answer_that_is_too_large_is_not_read_to_its_end(
    server: RadicaleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_BODY_BYTES", 1000)
    server.status, server.body = "207 Multi-Status", b"x" * 100_000
    assert failure_of_reading(connect(server.calendar_url)).trouble is Trouble.TOO_LARGE


def test_a_server_that_hangs_is_given_up(server: RadicaleServer) -> None:
    server.pause_s = 60
    began = time.monotonic()
    error = failure_of_reading(connect(server.calendar_url, whole_s=0.2))
    assert (error.trouble, error.permanent) == (Trouble.NO_RESPONSE, False)
    assert time.monotonic() - began < 15


def test_many_slow_responses_are_given_up_together(server: RadicaleServer) -> None:
    """Each of them comes in time."""
    server.pause_s = 0.15
    with pytest.raises(CalendarError) as caught:
        connect(server.base_url, whole_s=0.4).find()
    assert caught.value.trouble is Trouble.NO_RESPONSE


def test_a_server_that_is_down_is_tried_again() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = failure_of_reading(connect(f"http://127.0.0.1:{unused.getsockname()[1]}/cal/"))
    assert (error.trouble, error.permanent) == (Trouble.NO_RESPONSE, False)


@pytest.mark.parametrize(
    ("location", "trouble"),
    [
        ("http://127.0.0.9:{port}/garage/", Trouble.ELSEWHERE),
        ("https://evil.example/", Trouble.ELSEWHERE),
        ("http://[::1]:{port}/", Trouble.ELSEWHERE),
        ("http://user@127.0.0.1:{port}/", Trouble.ADDRESS),
        ("file:///etc/passwd", Trouble.ADDRESS),
        ("/around", Trouble.ELSEWHERE),
    ],
)
def test_the_password_does_not_follow_a_redirect(server: RadicaleServer, location: str, trouble: Trouble) -> None:
    port = server.base_url.rpartition(":")[2]
    server.status, server.headers = "301 Moved", [("Location", location.replace("{port}", port))]
    with pytest.raises(CalendarError) as caught:
        connect(server.base_url).find()
    assert caught.value.trouble is trouble


@pytest.mark.parametrize(
    ("home", "other", "is_same"),
    [
        ("https://caldav.icloud.com", "https://p34-caldav.icloud.com", True),
        ("https://example.com", "https://dav.example.com", True),
        ("https://www.example.com", "https://example.com", True),
        ("https://example.com", "https://evil.com", False),
        ("https://caldav.icloud.com", "https://evil-icloud.com", False),
        ("https://caldav.icloud.com", "http://p34-caldav.icloud.com", False),
        ("https://caldav.icloud.com", "https://p34-caldav.icloud.com:8443", False),
    ],
)
def test_a_neighbor_belongs_to_the_same_domain(home: str, other: str, is_same: bool) -> None:
    assert transport._is_same_site(transport._origin(home), transport._origin(other)) is is_same


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/",
     "https://10.0.0.1/", "https://169.254.169.254/", "http://93.184.216.34/", "ftp://93.184.216.34/",
     "https://user:password@example.com/", "file:///etc/passwd", "https://0x7f000001/", "not a url", ""],
)  # fmt: skip
def test_no_socket_is_opened_to_an_address_that_is_not_public(
    server: RadicaleServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialed: list[object] = []
    monkeypatch.setattr("asyncio.selector_events.BaseSelectorEventLoop.sock_connect", lambda *a: dialed.append(a))
    with pytest.raises(CalendarError) as caught:
        connect(url.replace("{port}", server.base_url.rpartition(":")[2]), may_be_local=False).find()
    assert caught.value.trouble in (Trouble.ADDRESS, Trouble.UNKNOWN_HOST)
    assert (dialed, server.requests) == ([], [])


def test_nothing_that_a_calendar_holds_is_logged(server: RadicaleServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.put("private", "DTSTART:20260706T090000Z", "DURATION:PT1H", "SUMMARY:Doctor Miller")
    calendar = connect(server.calendar_url)
    read(calendar)
    calendar.read("private")
    server.status, server.body = "200 OK", b"Doctor Miller, no XML"
    calendar.read("private")
    failure_of_reading(calendar)
    assert "Miller" not in caplog.text
    assert PASSWORD not in caplog.text
