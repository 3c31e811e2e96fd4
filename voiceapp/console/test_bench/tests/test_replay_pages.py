"""The page that replays a call: started once, by role and environment, and compared with the call."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from agents.organizations.roles import Role
from agents.tests.builders import make_agent, make_menu, make_organization, make_user, published_version
from recordings.files import store_file
from recordings.models import Recording
from recordings.tests.places import on_disk
from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallState
from sessions.tests.builders import Phone, make_call
from telephony.replays.comparison import Figures
from telephony.replays.models import ReplayRun, replay_runs

__all__ = ["on_disk"]
pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture
def call(on_disk: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Two pizzas were ordered; the file of its recording is damaged."""
    monkeypatch.setattr(replay_runs, "wake_up", lambda topic: None)
    organization = make_organization()
    make_menu(organization)
    agent = make_agent(organization)
    call = make_call(agent, agent_version=published_version(agent))
    phone = Phone(call.pk)
    phone.add("Margherita", size="large", quantity=2)
    phone.agrees()
    Call.objects.filter(pk=call.pk).update(state=CallState.COMPLETED)
    store_file("recordings/damaged.wav", b"no audio", file_type="wav")
    Recording.objects.create(
        call=call, state=Recording.State.STORED, file_type="wav", key="recordings/damaged.wav", size_bytes=8
    )
    call.refresh_from_db()
    return call


def client_of(call: Call, role: Role = Role.OWNER) -> Client:
    client = Client()
    client.force_login(make_user(f"a {role}", call.organization, role))
    return client


def url(call: Call) -> str:
    return f"/admin/bench/call/{call.pk}/replays/"


def test_a_replay_is_started_once_and_says_why_it_could_not_be_run(call: Call) -> None:
    alice = client_of(call)
    assert url(call) in alice.get(f"/admin/voice_sessions/call/{call.pk}/change/").content.decode()
    for against in ("2", "draft"):
        page = alice.post(url(call), {"against": against}, follow=True).content.decode()
    assert "is running already" in page
    run = ReplayRun.objects.get()
    assert (run.target, run.version) == (ReplayRun.Target.VERSION, call.agent_version)
    replay_runs.process_due()
    page = alice.get(url(call)).content.decode()
    assert "Could not be run" in page
    assert "The recording cannot be read" in page
    assert "no longer there" in alice.post(url(call), {"against": "99"}, follow=True).content.decode()


def test_order_and_latency_stand_beside_those_of_the_call(call: Call) -> None:
    figures = Figures(("3 × large Margherita with thin crust",), "38.70 EUR", (), 3, 870, 900, 1, 20, "agent_hung_up")
    ReplayRun.objects.create(
        call=call,
        target="draft",
        state="done",
        outcome="different",
        figures=figures.as_json(),
        lines=[{"speaker": "caller", "text": "<b>Three pizzas</b>"}],
    )
    page = client_of(call).get(url(call)).content.decode()
    for text in ("2 × large Margherita with thin crust", "3 × large Margherita with thin crust", "870 ms", "Differs",
                 "Another result", EndReason.AGENT_HUNG_UP.label, "&lt;b&gt;Three pizzas"):  # fmt: skip
        assert text in page


def test_only_who_may_edit_agents_replays(call: Call) -> None:
    assert client_of(call, Role.STAFF).post(url(call), {"against": "draft"}).status_code == 403
    stranger = Client()
    stranger.force_login(make_user("charlie", make_organization("Meadow"), Role.OWNER))
    assert stranger.get(url(call)).status_code == 404
    assert not ReplayRun.objects.exists()
