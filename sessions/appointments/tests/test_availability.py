"""When a service can begin: hours, absences, buffers, grid, what is shared, and the days on which clocks change."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.hours.schedule import Schedule, Span
from sessions.appointments.availability import (
    SLOT,
    Availability,
    ResourceTimes,
    ServiceTimes,
    is_doubled,
    outward,
    slot_at,
    slot_from,
    time_of,
)

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
ZONES = [
    zoneinfo.ZoneInfo(name)
    for name in (
        "Europe/Berlin",
        "America/New_York",
        "UTC",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Africa/Casablanca",
    )
]
STAFF, BAY = "staff", "bay"
HALF_HOUR = ServiceTimes((STAFF,), length=6, grid_minutes=30)
WEEKDAYS_8_TO_17 = {weekday: (Span(dt.time(8), dt.time(17)),) for weekday in range(5)}
ALWAYS = Schedule(BERLIN)
THURSDAY = dt.date(2026, 12, 3)


def at(date: dt.date, clock: str, zone: zoneinfo.ZoneInfo = BERLIN) -> dt.datetime:
    return dt.datetime.combine(date, dt.time.fromisoformat(clock), zone).astimezone(dt.UTC)


def person(id: int = 1, **values: object) -> ResourceTimes:
    return ResourceTimes(id, STAFF, **values)  # type: ignore[arg-type]


def on_day(
    resources: list[ResourceTimes],
    service: ServiceTimes = HALF_HOUR,
    schedule: Schedule | None = None,
    date: dt.date = THURSDAY,
) -> Availability:
    """Of one local day."""
    schedule = schedule or Schedule(BERLIN, WEEKDAYS_8_TO_17)
    first = dt.datetime.combine(date, dt.time(0), schedule.zone)
    end = dt.datetime.combine(date + dt.timedelta(days=1), dt.time(0), schedule.zone)
    return Availability(service, schedule, resources, slot_at(first), slot_at(end))


def clocks(availability: Availability) -> list[str]:
    return [f"{start.astimezone(availability.schedule.zone):%H:%M}" for start in availability.starts()]


def test_a_service_begins_on_the_grid_and_ends_before_closing() -> None:
    found = clocks(on_day([person()]))
    assert (found[0], found[1], found[-1], len(found)) == ("08:00", "08:30", "16:30", 18)
    long = ServiceTimes((STAFF,), length=24, grid_minutes=60)
    assert clocks(on_day([person()], long))[-1] == "15:00"


def test_an_appointment_takes_its_time_and_no_more() -> None:
    taken = outward(at(THURSDAY, "09:00"), at(THURSDAY, "10:00"))
    found = clocks(on_day([person(occupied=[taken])]))
    assert {"09:00", "09:30"}.isdisjoint(found)
    assert {"08:30", "10:00"} <= set(found)


def test_buffers_keep_a_distance_to_appointments_but_not_to_closing_time() -> None:
    buffered = replace(HALF_HOUR, before=3, after=6)
    taken = outward(at(THURSDAY, "12:00"), at(THURSDAY, "13:00"))
    found = clocks(on_day([person(occupied=[taken])], buffered))
    assert found[0] == "08:00"
    assert found[-1] == "16:30"
    assert [each for each in found if "10:30" < each < "14:00"] == ["11:00", "13:30"]


def test_an_absence_takes_every_slot_that_it_touches() -> None:
    absent = (at(THURSDAY, "09:02"), at(THURSDAY, "09:03"))
    assert "09:00" not in clocks(on_day([person(absences=[absent])]))
    assert "09:30" in clocks(on_day([person(absences=[absent])]))
    week = (at(THURSDAY, "00:00") - dt.timedelta(days=3), at(THURSDAY, "12:00"))
    assert clocks(on_day([person(absences=[week])]))[0] == "12:00"


def test_two_can_do_it_and_the_first_free_one_does() -> None:
    nine = outward(at(THURSDAY, "09:00"), at(THURSDAY, "09:30"))
    availability = on_day([person(1, occupied=[nine]), person(2)])
    assert availability.resources_at(at(THURSDAY, "08:30")) == (1,)
    assert availability.resources_at(at(THURSDAY, "09:00")) == (2,)
    assert availability.resources_at(at(THURSDAY, "18:00")) is None


def test_a_service_that_needs_a_person_and_a_bay_needs_both_at_once() -> None:
    both = ServiceTimes((STAFF, BAY), length=6, grid_minutes=30)
    morning = outward(at(THURSDAY, "08:00"), at(THURSDAY, "12:00"))
    afternoon = outward(at(THURSDAY, "12:30"), at(THURSDAY, "17:00"))
    availability = on_day([person(1, occupied=[morning]), ResourceTimes(9, BAY, occupied=[afternoon])], both)
    assert clocks(availability) == ["12:00"]
    assert availability.resources_at(at(THURSDAY, "12:00")) == (1, 9)
    assert clocks(on_day([person(1)], both)) == []


def test_own_hours_hold_within_those_of_the_organization() -> None:
    early = Schedule(BERLIN, {3: (Span(dt.time(6), dt.time(10)),)})
    found = clocks(on_day([person(schedule=early)]))
    assert (found[0], found[-1]) == ("08:00", "09:30")


def test_a_special_day_closes_everybody_and_other_hours_hold_for_everybody() -> None:
    closed = Schedule(BERLIN, WEEKDAYS_8_TO_17, {THURSDAY: None})
    own = Schedule(BERLIN, {3: (Span(dt.time(6), dt.time(20)),)})
    assert clocks(on_day([person(schedule=own)], schedule=closed)) == []
    short = Schedule(BERLIN, WEEKDAYS_8_TO_17, {THURSDAY: Span(dt.time(10), dt.time(12))})
    assert clocks(on_day([person(schedule=own)], schedule=short)) == ["10:00", "10:30", "11:00", "11:30"]


def test_a_shift_past_midnight_goes_on_the_next_day() -> None:
    night = Schedule(BERLIN, {2: (Span(dt.time(22), dt.time(3)),)})
    hour = ServiceTimes((STAFF,), length=12, grid_minutes=30)
    assert clocks(on_day([person()], hour, night)) == ["00:00", "00:30", "01:00", "01:30", "02:00"]
    wednesday = on_day([person()], hour, night, THURSDAY - dt.timedelta(days=1))
    assert clocks(wednesday) == ["22:00", "22:30", "23:00", "23:30"]


def test_the_skipped_hour_is_nobodys_and_the_work_takes_its_real_time() -> None:
    spring = dt.date(2026, 3, 29)
    hour = ServiceTimes((STAFF,), length=12, grid_minutes=30)
    availability = on_day([person()], hour, ALWAYS, spring)
    found = clocks(availability)
    assert "01:30" in found
    assert {"02:00", "02:30"}.isdisjoint(found)
    assert len(found) == 46
    assert availability.resources_at(at(spring, "01:30")) == (1,)


def test_the_doubled_hour_is_never_offered_and_work_may_go_on_in_it() -> None:
    autumn = dt.date(2026, 10, 25)
    availability = on_day([person()], ServiceTimes((STAFF,), length=24, grid_minutes=30), ALWAYS, autumn)
    found = clocks(availability)
    assert {"02:00", "02:30"}.isdisjoint(found)
    assert {"01:30", "03:00"} <= set(found)
    assert len(found) == len(set(found)) == 46
    # Two hours from 1:30 summer time on end at 2:30 winter time: at 2:30 it is free again for others.
    until = outward(at(autumn, "01:30"), at(autumn, "01:30") + dt.timedelta(hours=2))
    assert f"{time_of(until[1]).astimezone(BERLIN):%H:%M %Z}" == "02:30 CET"
    assert "03:00" in clocks(on_day([person(occupied=[until])], schedule=ALWAYS, date=autumn))


def test_a_time_between_two_slots_is_no_start() -> None:
    availability = on_day([person()])
    assert availability.resources_at(at(THURSDAY, "09:00") + dt.timedelta(seconds=1)) is None
    assert availability.resources_at(at(THURSDAY, "08:45")) is None


def test_no_slots_no_starts() -> None:
    assert Availability(HALF_HOUR, ALWAYS, [person()], 100, 100).starts() == []
    assert Availability(HALF_HOUR, ALWAYS, [], 100, 200).starts() == []


@pytest.mark.parametrize("minute", range(0, 60, 7))
def test_a_time_is_in_the_slot_that_it_is_in(minute: int) -> None:
    time = at(THURSDAY, "09:00") + dt.timedelta(minutes=minute)
    assert time_of(slot_at(time)) <= time < time_of(slot_at(time)) + SLOT
    assert time_of(slot_from(time)) - SLOT < time <= time_of(slot_from(time))


# The same by looking at every slot.

SPANS = st.tuples(st.integers(0, 95), st.integers(1, 60)).map(
    lambda each: Span(*(dt.time(number % 96 // 4, number % 4 * 15) for number in (each[0], each[0] + each[1])))
)
WEEKLY = st.dictionaries(st.integers(0, 6), st.lists(SPANS, max_size=2).map(tuple), max_size=7)
DATES = st.sampled_from(
    [dt.date(2026, 12, 3), dt.date(2026, 3, 28), dt.date(2026, 10, 24), dt.date(2026, 3, 7), dt.date(2026, 10, 31),
     dt.date(2026, 4, 4), dt.date(2027, 2, 6)]
)  # fmt: skip


@st.composite
def calendars(draw: st.DrawFn) -> Availability:
    """Three days around an odd date, with two people and a bay."""
    zone = draw(st.sampled_from(ZONES))
    date = draw(DATES)
    first = slot_at(dt.datetime.combine(date, dt.time(0), zone)) + draw(st.integers(-20, 20))
    size = 3 * 288
    special = draw(st.dictionaries(st.sampled_from([date + dt.timedelta(days=n) for n in range(3)]),
                                   st.none() | SPANS, max_size=2))  # fmt: skip
    schedule = Schedule(zone, draw(WEEKLY), special)
    spans = st.lists(st.tuples(st.integers(first - 100, first + size), st.integers(1, 80)).map(
        lambda each: (each[0], each[0] + each[1])), max_size=4)  # fmt: skip

    def resource(id: int, kind: str) -> ResourceTimes:
        weekly = draw(WEEKLY)
        absences = [(time_of(low), time_of(high)) for low, high in draw(spans)]
        return ResourceTimes(id, kind, Schedule(zone, weekly) if weekly else None, absences, draw(spans))

    service = ServiceTimes(
        kinds=draw(st.sampled_from([(STAFF,), (BAY,), (STAFF, BAY)])),
        length=draw(st.integers(1, 40)),
        grid_minutes=draw(st.sampled_from([5, 10, 15, 20, 30, 60])),
        before=draw(st.integers(0, 6)),
        after=draw(st.integers(0, 6)),
    )
    resources = [resource(1, STAFF), resource(2, STAFF), resource(3, BAY)]
    return Availability(service, schedule, resources, first, first + size)


def is_open(schedule: Schedule, slot: int) -> bool:
    """For the whole slot."""
    start, end = time_of(slot), time_of(slot + 1)
    local = start.astimezone(schedule.zone).date()
    return any(
        opens <= start and end <= closes
        for days in (-1, 0, 1)
        for opens, closes in schedule.spans_of(local + dt.timedelta(days=days))
    )


def can_do(availability: Availability, resource: ResourceTimes, start: int) -> bool:
    service = availability.service
    work = range(start, start + service.length)
    with_buffers = range(start - service.before, start + service.length + service.after)
    return (
        all(is_open(availability.schedule, slot) for slot in work)
        and (resource.schedule is None or all(is_open(resource.schedule, slot) for slot in work))
        and not any(slot_at(begin) <= slot < slot_from(end) for begin, end in resource.absences for slot in work)
        and not any(first <= slot < end for first, end in resource.occupied for slot in with_buffers)
    )


def expected(availability: Availability) -> list[dt.datetime]:
    service, found = availability.service, []
    for slot in range(availability.first, availability.end):
        local = time_of(slot).astimezone(availability.schedule.zone)
        if (local.hour * 60 + local.minute) % service.grid_minutes or is_doubled(local):
            continue
        if all(
            any(can_do(availability, each, slot) for each in availability.resources if each.kind == kind)
            for kind in service.kinds
        ):
            found.append(time_of(slot))
    return found


@settings(max_examples=60, deadline=None)
@given(calendars())
def test_the_same_times_are_found_as_by_looking_at_every_slot(availability: Availability) -> None:
    assert availability.starts() == expected(availability)


@settings(max_examples=40, deadline=None)
@given(calendars())
def test_what_is_offered_has_resources_and_booking_it_takes_it_away(availability: Availability) -> None:
    service = availability.service
    for start in availability.starts()[:5]:
        found = availability.resources_at(start)
        assert found is not None
        assert [each.kind for id in found for each in availability.resources if each.id == id] == list(service.kinds)
        slot = slot_at(start)
        taken = (slot - service.before, slot + service.length + service.after)
        resources = [
            replace(each, occupied=[*each.occupied, taken]) if each.id in found else each
            for each in availability.resources
        ]
        after = replace(availability, resources=resources, _schedules={})
        assert after.resources_at(start) != found
        assert set(after.starts()) <= set(availability.starts())
