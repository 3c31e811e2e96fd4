"""One calendar on a CalDAV server (RFC 4791): find it, read when it is busy, write and remove our events."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
import zoneinfo
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import httpx
from caldav.elements import cdav, dav
from caldav.lib.error import DAVError, ResponseError
from caldav.response import DAVResponse, PropfindResult
from django.conf import settings
from lxml import etree

from voiceapp.core.ical.reading import Busy, Unreadable, read_busy

from .errors import CalendarError, Trouble
from .transport import Credentials, PinnedDavClient

WHOLE_S = 12.0
MAX_OBJECTS = 5000
MAX_BUSY = 20_000
# The status of one event stands for a list that the server cut short (RFC 4791, 7.8).
TRUNCATED = "507"
# Of a year of a large calendar: servers calculate for a while before the first byte.
READ_S = 18.0
# How long recurrences may be calculated, over all events of a calendar.
CALCULATE_S = 8.0

ICS = {"Content-Type": "text/calendar; charset=utf-8"}
RESOURCE_TYPE, DISPLAY_NAME = "{DAV:}resourcetype", "{DAV:}displayname"
COMPONENTS = "{urn:ietf:params:xml:ns:caldav}supported-calendar-component-set"
CALENDAR = "{urn:ietf:params:xml:ns:caldav}calendar"
PRINCIPAL, HOME = "{DAV:}current-user-principal", "{urn:ietf:params:xml:ns:caldav}calendar-home-set"
PROPERTIES = [RESOURCE_TYPE, DISPLAY_NAME, COMPONENTS, PRINCIPAL, HOME]
WELL_KNOWN = "/.well-known/caldav"
# What a server answers where it serves a web page.
NOT_DAV = {Trouble.NOT_FOUND, Trouble.REFUSED, Trouble.GARBAGE, Trouble.FORBIDDEN}
PATH_CHARACTERS = "/@:!$&'()*+,;=~"


@dataclass(frozen=True, slots=True)
class FoundCalendar:
    url: str
    name: str


@dataclass(frozen=True, slots=True)
class BusyTimes:
    """`unreadable`: how many events were left out."""

    busy: Sequence[Busy]
    unreadable: int


@dataclass(frozen=True, slots=True)
class StoredObject:
    text: bytes
    etag: str


class CalDavCalendar:
    """Made for one piece of work, which takes `whole_s` at most from the first request to the last.

    `url` is that of the calendar itself, except for `find`. Everything here blocks, and raises CalendarError.
    """

    def __init__(
        self, url: str, credentials: Credentials, *, may_be_local: bool, version: str, whole_s: float = WHOLE_S
    ) -> None:
        self._url = url
        self._client = PinnedDavClient(
            url, credentials, may_be_local=may_be_local, agent=f"voiceapp/{version}", whole_s=whole_s
        )

    @classmethod
    def from_settings(cls, url: str, credentials: Credentials, *, whole_s: float = WHOLE_S) -> CalDavCalendar:
        may_be_local = bool(settings.SIMULATORS) or settings.DEBUG
        return cls(url, credentials, may_be_local=may_be_local, version=settings.VERSION, whole_s=whole_s)

    def find(self) -> list[FoundCalendar]:
        """The calendars at the address: the one that it names, or all of the user's that hold events.

        The address may be that of a calendar, of the user's account, or of the server alone (RFC 6764). The list may be
        empty.
        """
        client = self._client
        with _as_calendar_errors():
            here = _properties(client, self._url, depth=0)
            if found := _calendars(client, here):
                return found
            principal = _value(here, PRINCIPAL) or _value(_properties(client, WELL_KNOWN, depth=0), PRINCIPAL)
            if not principal:
                raise CalendarError(Trouble.NO_CALENDAR)
            home = _value(_properties(client, principal, depth=0), HOME)
            return _calendars(client, _properties(client, home or principal, depth=1))

    def check_readable(self, now: dt.datetime) -> None:
        """That the calendar answers a query. What it holds is not read: a web process calculates no repetitions."""
        with _as_calendar_errors():
            query = _query(now, now + dt.timedelta(days=1), is_whole=False)
            self._client.report(self._url, query, depth=1).parse_calendar_query()

    def read_busy(self, *, zone: zoneinfo.ZoneInfo, begins_at: dt.datetime, ends_at: dt.datetime) -> BusyTimes:
        """When the calendar is busy in the range, by UID and in no order; `zone` is that of times without one."""
        with _as_calendar_errors():
            found = self._client.report(self._url, _query(begins_at, ends_at), depth=1).parse_calendar_query()
        if len(found) > MAX_OBJECTS:
            raise CalendarError(Trouble.TOO_LARGE, f"{len(found)} events")
        texts = [each.calendar_data or "" for each in found if each.status < 400]
        return _busy_of(texts, zone=zone, begins_at=begins_at, ends_at=ends_at)

    def read(self, name: str) -> StoredObject | None:
        """An object by the name that we gave it; None if it is gone."""
        try:
            response = self._client.request(self._object_url(name), "GET")
        except CalendarError as exc:
            if exc.trouble is Trouble.NOT_FOUND:
                return None
            raise
        return StoredObject(self._client.body, _etag(response))

    def write(self, name: str, text: bytes, *, etag: str = "") -> str:
        """Store an object and return its new ETag, empty where the server names none.

        With an ETag: only over exactly that version. Without: only where there is none. Otherwise raises
        CalendarError(CHANGED).
        """
        condition = {"If-Match": etag} if etag else {"If-None-Match": "*"}
        response = self._client.put(self._object_url(name), text.decode(), {**ICS, **condition})
        return _etag(response)

    def remove(self, name: str, *, etag: str) -> None:
        """Remove that version of an object. One that is gone is no error."""
        try:
            self._client.request(self._object_url(name), "DELETE", "", {"If-Match": etag} if etag else {})
        except CalendarError as exc:
            if exc.trouble is not Trouble.NOT_FOUND:
                raise

    def _object_url(self, name: str) -> str:
        return f"{self._url.rstrip('/')}/{quote(name, safe='')}.ics"


def _etag(response: DAVResponse) -> str:
    """Strong: a proxy that compresses makes it weak, and no condition holds for a weak one."""
    return str(response.headers.get("ETag", "")).removeprefix("W/")


def _properties(client: PinnedDavClient, url: str, *, depth: int) -> list[PropfindResult]:
    """Of what is at the address, which may be relative to the last one. A server's front page has none."""
    try:
        response = client.propfind(str(client.arrived_at.join(url)), props=PROPERTIES, depth=depth)
    except CalendarError as exc:
        if depth == 0 and exc.trouble in NOT_DAV:
            return []
        raise
    return [each for each in response.results or [] if isinstance(each, PropfindResult)]


def _value(results: Sequence[PropfindResult], name: str) -> str:
    found = next((each.properties[name] for each in results if each.properties.get(name)), "")
    return found if isinstance(found, str) else str(next(iter(found), ""))


def _calendars(client: PinnedDavClient, results: Sequence[PropfindResult]) -> list[FoundCalendar]:
    return [
        FoundCalendar(str(client.arrived_at.join(quote(each.href, safe=PATH_CHARACTERS))), _name_of(each))
        for each in results
        if _holds_events(each)
    ]


def _holds_events(found: PropfindResult) -> bool:
    components = found.properties.get(COMPONENTS)
    is_calendar = CALENDAR in (found.properties.get(RESOURCE_TYPE) or [])
    # Task lists are calendars, too; a server that does not say holds everything.
    return is_calendar and (not components or "VEVENT" in components)


def _name_of(found: PropfindResult) -> str:
    name = found.properties.get(DISPLAY_NAME)
    return name.strip() if isinstance(name, str) and name.strip() else found.href.rstrip("/").rpartition("/")[2]


def _query(begins_at: dt.datetime, ends_at: dt.datetime, *, is_whole: bool = True) -> str:
    """The events, with all their recurrences, that have an occurrence in the range (RFC 4791, 7.8)."""
    events = cdav.CompFilter("VEVENT") + cdav.TimeRange(begins_at, ends_at)
    wanted = dav.Prop() + dav.GetEtag()
    if is_whole:
        wanted += cdav.CalendarData()
    query = cdav.CalendarQuery() + wanted + (cdav.Filter() + (cdav.CompFilter("VCALENDAR") + events))
    return str(etree.tostring(query.xmlelement(), encoding="unicode"))


def _busy_of(
    texts: Iterable[str], *, zone: zoneinfo.ZoneInfo, begins_at: dt.datetime, ends_at: dt.datetime
) -> BusyTimes:
    stop_at = time.monotonic() + CALCULATE_S
    busy: list[Busy] = []
    unreadable = 0
    for text in texts:
        try:
            busy += read_busy(text.encode(), zone=zone, begins_at=begins_at, ends_at=ends_at)
        except Unreadable:
            unreadable += 1
        if len(busy) > MAX_BUSY or time.monotonic() > stop_at:
            raise CalendarError(Trouble.TOO_LARGE, "too many occurrences")
    return BusyTimes(busy, unreadable)


@contextlib.contextmanager
def _as_calendar_errors() -> Iterator[None]:
    """What the library raises for a response that is no CalDAV, and what it trips over."""
    try:
        yield
    except ResponseError as exc:
        raise CalendarError(Trouble.TOO_LARGE if TRUNCATED in str(exc) else Trouble.GARBAGE, "of one event") from exc
    except (DAVError, ValueError, TypeError, AttributeError, KeyError, AssertionError, httpx.InvalidURL) as exc:
        raise CalendarError(Trouble.GARBAGE, type(exc).__name__) from exc
