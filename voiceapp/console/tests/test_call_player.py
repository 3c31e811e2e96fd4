"""The player on a call's page: waveform, marks, times that lead to their second, and from an order to its words."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from agents.organizations.models import Membership
from recordings.models import Recording
from sessions.appointments.models import Appointment
from sessions.calls.models import Call, CallEvent, ToolCall, TranscriptLine, Turn
from sessions.orders.models import Order, OrderLine

from .world import World

CALLER = bytes([150] * 500 + [0] * 500)
AGENT = bytes([0] * 400 + [100] * 200 + [0] * 400)
HOUR_MS = 3_600_000


def address_of(call: Call) -> str:
    return reverse("admin:voice_sessions_call_change", args=(call.pk,))


def listen_url(recording: Recording) -> str:
    return reverse("admin:recordings_recording_listen", args=(recording.pk,))


@pytest.fixture
def call(harbour: World) -> Call:
    call: Call = harbour[Call]
    for model in (TranscriptLine, ToolCall, Turn, CallEvent):
        model.objects.filter(call=call).delete()
    return call


@pytest.fixture
def recording(call: Call) -> Recording:
    """Of 20 s; it begins 2 s after the call's clock."""
    Recording.objects.filter(call=call).delete()
    return Recording.objects.create(
        call=call, source="bridge", state="stored", file_type="ogg", key="recordings/1.ogg", size_bytes=60_000,
        duration_ms=20_000, starts_at_ms=2_000, channels=2, peaks=CALLER + AGENT,
    )  # fmt: skip


@pytest.fixture
def read(client_of_alice: Client, call: Call) -> Callable[..., str]:
    def page(**query: str) -> str:
        response = client_of_alice.get(address_of(call), query)
        assert response.status_code == 200
        return response.content.decode()

    return page


def say(call: Call, speaker: str, text: str, at_ms: int, turn: int = 1) -> None:
    TranscriptLine.objects.create(
        call=call, item_id=f"{speaker}_{at_ms}", speaker=speaker, text=text, spoken_at_ms=at_ms, turn=turn
    )


def section(page: str) -> str:
    return page.partition('<section class="va-card va-recording"')[2].partition("</section>")[0]


def test_a_recording_is_drawn_in_two_lanes_and_played(read: Callable[..., str], recording: Recording) -> None:
    player = section(read())
    assert player.count('<path class="va-lane ') == 2
    assert "M0 0V48M1 0V48" in player
    assert f'src="{listen_url(recording)}"' in player
    assert 'data-begins="2" data-ends="22"' in player
    assert "Volume of the agent" in player
    assert '0:02</span> / <span data-shows="length">0:22' in player


def test_there_is_no_player_without_a_file(read: Callable[..., str], recording: Recording) -> None:
    for values in ({"state": "failed"}, {"state": "storing"}, {"state": "stored", "size_bytes": 0}):
        Recording.objects.update(**values)
        page = read()
        assert section(page) == ""
        assert "Hear it said" not in page


def test_a_mixed_recording_has_one_lane_and_no_volumes(read: Callable[..., str], recording: Recording) -> None:
    Recording.objects.update(channels=1, peaks=CALLER)
    player = section(read())
    assert player.count('<path class="va-lane ') == 1
    assert "Volume of" not in player


def test_a_recording_without_waveform_or_length_is_played(read: Callable[..., str], recording: Recording) -> None:
    for values in ({"peaks": None}, {"duration_ms": None}):
        Recording.objects.update(**values)
        player = section(read())
        assert listen_url(recording) in player
        assert "<svg" not in player


def test_interruptions_silences_and_tool_calls_are_marked(
    read: Callable[..., str], call: Call, recording: Recording
) -> None:
    say(call, "caller", "Two large Margheritas", 3_000)
    assert call.connected_at is not None
    ToolCall.objects.create(
        call=call, tool_call_id="a", name="read_back_order", outcome="done", turn=1,
        at=call.connected_at + dt.timedelta(milliseconds=7_000),
    )  # fmt: skip
    ToolCall.objects.create(
        call=call, tool_call_id="b", name="end_call", outcome="done", turn=1,
        at=call.connected_at + dt.timedelta(seconds=40),
    )  # fmt: skip
    CallEvent.objects.create(
        call=call, kind="interrupted", at=timezone.now(), at_ms=12_000, detail={"turn": 1, "heard_ms": 850}
    )
    player = section(read())
    assert "1 interruption, 1 silence over 2 s, 1 tool call" in player
    assert '<path class="va-mark-interruption" d="M500 0V100">' in player
    assert '<path class="va-mark-tool" d="M250 0V100">' in player
    # Both lanes are quiet from the 600th part on, which is 14 s of the call.
    assert '<rect class="va-mark-silence" x="600" y="0" width="400" height="100">' in player
    assert re.findall(r'data-t="([\d.]+)">(\d:\d\d)</a><div>(.+?)</div>', player) == [
        ("7", "0:07", "Read the order back."),
        ("12", "0:12", "The caller interrupted the agent in turn 1, after 0.85 s of its answer."),
        ("14", "0:14", "Silence for 8.0 s"),
    ]


def test_a_slow_answer_is_a_silence_also_in_a_long_file(
    read: Callable[..., str], call: Call, recording: Recording
) -> None:
    Recording.objects.update(duration_ms=HOUR_MS, peaks=bytes([90]) * 2000)
    Turn.objects.create(call=call, number=1, speech_ended_ms=60_000, response_ms=2_500)
    Turn.objects.create(call=call, number=2, speech_ended_ms=90_000, response_ms=1_900)
    player = section(read())
    assert "0 interruptions, 1 silence over 2 s, 0 tool calls" in player
    assert "Silence for 2.5 s" in player


def test_each_line_leads_to_its_second(read: Callable[..., str], call: Call, recording: Recording) -> None:
    say(call, "agent", "before the recording", 1_500)
    say(call, "caller", "within it", 3_240)
    say(call, "agent", "after it", 22_100)
    conversation = read().partition('id="conversation"')[2]
    assert re.findall(r'<a class="va-time va-link" href="\?t=([\d.]+)#recording"', conversation) == ["3.2"]


@pytest.mark.parametrize(
    ("t", "from_s", "fragment"),
    [
        ("8", "8", "#t=6"), ("8.25", "8.2", "#t=6.2"), ("1", "2", "#t=0"), ("23", "", ""), ("-1", "", ""),
        ("abc", "", ""),
        ("1e3", "", ""), ("\u0663", "", ""), ("9" * 400, "", ""), ("", "", ""), ("nan", "", ""), ("1.2.3", "", ""),
        (".", "", ""),
    ],
)  # fmt: skip
def test_the_address_names_a_second(
    t: str, from_s: str, fragment: str, read: Callable[..., str], recording: Recording
) -> None:
    player = section(read(t=t))
    assert f'data-from="{from_s}"' in player
    assert f'src="{listen_url(recording)}{fragment}"' in player


def test_the_address_names_a_recording(read: Callable[..., str], call: Call, recording: Recording) -> None:
    older = Recording.objects.create(call=call, state="stored", size_bytes=1, external_id="EG_2", peaks=None)
    newest, other = (older, recording) if older.pk > recording.pk else (recording, older)
    assert listen_url(newest) in section(read())
    player = section(read(recording=str(other.pk)))
    assert listen_url(other) in player
    assert f'href="?recording={newest.pk}#recording"' in player
    for wrong in ("0", "x", "9" * 30):
        assert listen_url(newest) in section(read(recording=wrong))


def test_an_order_line_is_heard_and_the_words_lead_to_it(
    read: Callable[..., str], call: Call, harbour: World, recording: Recording
) -> None:
    line: OrderLine = harbour[OrderLine]
    appointment: Appointment = harbour[Appointment]
    say(call, "caller", "Two of the item", 4_000, 1)
    say(call, "agent", "Two of the item.", 6_000, 1)
    say(call, "caller", "On Monday at nine", 9_000, 2)
    OrderLine.objects.filter(pk=line.pk).update(said_at_ms=4_500)
    Appointment.objects.filter(pk=appointment.pk).update(said_at_ms=9_000)
    CallEvent.objects.create(call=call, kind="appointment_booked", at=timezone.now())
    page = read()
    assert 'href="?t=3.5#recording" data-t="3.5">Hear it said<span class="va-unseen"> 2 × Harbour item</span>' in page
    assert 'href="?t=8.0#recording" data-t="8.0">Hear it said' in page
    said = dict(re.findall(r"<p>([^<]+)</p>\s*<p class=\"va-made\">.*?href=\"#([\w-]+)\"", page))
    assert said == {
        "Two of the item": f"order-line-{line.pk}", "On Monday at nine": f"appointment-{appointment.pk}",
    }  # fmt: skip
    for anchor in said.values():
        assert f'id="{anchor}"' in page


def test_the_page_of_an_order_leads_to_its_words(client_of_alice: Client, harbour: World, recording: Recording) -> None:
    OrderLine.objects.update(said_at_ms=4_500)
    order = reverse("admin:voice_sessions_order_change", args=(harbour[Order].pk,))
    link = f'href="{address_of(harbour[Call])}?t=3.5#recording"'
    assert link in client_of_alice.get(order).content.decode()
    Recording.objects.update(state="failed")
    assert "Hear it said" not in client_of_alice.get(order).content.decode()


@pytest.mark.parametrize(("role", "hears"), [("manager", True), ("staff", True), ("viewer", False)])
def test_who_may_listen(role: str, hears: bool, harbour: World, call: Call, recording: Recording) -> None:
    OrderLine.objects.update(said_at_ms=4_500)
    say(call, "caller", "Two of the item", 4_000)
    client = Client()
    client.force_login(harbour.member(role, "bob"))
    page = client.get(address_of(call)).content.decode()
    assert ("Your role may not listen to it." in page, "<audio" in section(page)) == (not hears, hears)
    assert ("Hear it said" in page, "va-time va-link" in page) == (hears, hears)
    # There is no such file: 404 is what a listener gets.
    assert client.get(listen_url(recording)).status_code == (404 if hears else 403)
    order = reverse("admin:voice_sessions_order_change", args=(Order.objects.get(call=call).pk,))
    assert ("Hear it said" in client.get(order).content.decode()) == hears


def test_a_stranger_finds_neither_the_page_nor_the_audio(
    meadow: World, call: Call, recording: Recording, client_of_alice: Client
) -> None:
    client = Client()
    client.force_login(Membership.objects.get(organization=meadow.organization, role="owner").user)
    for address in (address_of(call), listen_url(recording)):
        assert client.get(address).status_code in (302, 404)
    assert not recording.accesses.exists()
    response = client_of_alice.get(listen_url(meadow[Recording]))
    assert response.status_code == 404


def test_an_hours_call_takes_as_many_queries_as_a_short_one(
    client_of_alice: Client, call: Call, recording: Recording
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client_of_alice.get(address_of(call)).status_code == 200
        return len(captured)

    say(call, "caller", "Hello", 2_000)
    queries()
    few = queries()
    Recording.objects.update(duration_ms=HOUR_MS)
    TranscriptLine.objects.bulk_create(
        TranscriptLine(
            call=call, item_id=f"line_{number}", speaker="agent" if number % 2 else "caller", text=f"Line {number}",
            spoken_at_ms=number * 1_800, turn=number // 2,
        )
        for number in range(2, 2_000)
    )  # fmt: skip
    Turn.objects.bulk_create(Turn(call=call, number=number, response_ms=900) for number in range(1_000))
    assert queries() == few <= 26
    page = client_of_alice.get(address_of(call)).content.decode()
    assert "Line 1999" in page
    assert len(re.findall(r'<a class="va-time va-link"', page)) > 1_990
