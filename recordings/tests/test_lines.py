"""What was transcribed from a recording, or sent as its transcript, is found by the search of calls and plays there."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from agents.organizations.models import Organization
from agents.organizations.principal import Principal
from agents.organizations.roles import Role
from agents.tests.builders import make_user
from recordings import lines
from recordings.models import Recording
from recordings.services.stopping import amend_recording
from sessions.calls.models import Call, TranscriptLine
from sessions.calls.search.queries import find_lines, read_typed
from sessions.calls.search.serializers import Hit, hits_of, play_path
from sessions.tests.builders import make_room_call

pytestmark = pytest.mark.django_db
EVERYBODY = Principal("root", sees_all=True)


@pytest.fixture
def call(harbour: Organization) -> Call:
    made = make_room_call(harbour)
    Recording.objects.create(call=made, state="stored", starts_at_ms=3500)
    return made


def hits(typed: str) -> list[Hit]:
    search = read_typed(EVERYBODY, typed)
    return hits_of(find_lines(EVERYBODY, search, limit=10), search)


def test_a_transcript_that_was_sent_is_found_and_plays_from_its_recording(call: Call) -> None:
    amend_recording(call, transcript="Good evening.\n\nA pizza with xylophones, please.")
    (hit,) = hits("xylophones")
    assert (hit.call, hit.line.get_speaker_display()) == (call, "Caller or agent")
    assert hit.excerpt.html == "A pizza with <mark>xylophones</mark>, please."
    assert play_path(hit.line).endswith("?t=3")


def test_the_calls_page_plays_it_without_naming_a_speaker(call: Call, harbour: Organization) -> None:
    Recording.objects.update(size_bytes=1, duration_ms=60_000)
    amend_recording(call, transcript="A pizza with xylophones, please.")
    client = Client()
    client.force_login(make_user("alice", harbour, Role.OWNER))
    page = client.get(reverse("admin:voice_sessions_call_change", args=(call.pk,))).content.decode()
    assert '<span class="va-who">Caller or agent</span>' in page
    assert 'data-t="3.5"' in page


def test_another_transcript_replaces_the_first(call: Call) -> None:
    amend_recording(call, transcript="Xylophones.")
    amend_recording(call, transcript="Trombones.")
    amend_recording(call, url="https://archive.example.com/1")
    assert (hits("xylophones"), [hit.line.text for hit in hits("trombones")]) == ([], ["Trombones."])
    amend_recording(call, transcript="")
    assert not TranscriptLine.objects.exists()


def test_what_is_known_by_speaker_is_not_said_again(call: Call) -> None:
    TranscriptLine.objects.create(call=call, item_id="1", speaker="caller", text="Xylophones.", spoken_at_ms=900)
    recording = amend_recording(call, transcript="Caller: Xylophones.")
    assert recording.transcript == "Caller: Xylophones."
    assert [hit.line.speaker for hit in hits("xylophones")] == ["caller"]


def test_a_text_of_very_many_lines_is_found_to_its_end(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST_OF_TEXT", 5)
    amend_recording(call, transcript="\n".join(["Hello."] * 20 + ["Xylophones."]))
    assert len(hits("xylophones")) == 1
    assert TranscriptLine.objects.count() == 5
