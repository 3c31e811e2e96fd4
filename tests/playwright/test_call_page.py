"""Alice talks on the call page in a LiveKit room: she is heard, reads what is said, hears the agent, interrupts it, and
hangs up.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from agents.organizations.models import Organization
from agents.tests.builders import make_organization
from sessions.calls.models import Call
from sessions.rooms.models import RoomAgent
from telephony.tasks import process_events
from voiceapp.providers.livekit.client import LiveKitClient

from .rooms import LISTEN, MARKS, WITHIN_MS, OpenPage, complaints, livekit, open_page, until_heard
from .scripted_agent import ScriptedAgent, in_room

__all__ = ["complaints", "livekit", "open_page"]

pytestmark = MARKS

SENTENCE = "One large margherita, please."
ANSWER = "One large margherita. Anything else?"
CUT = "One large"


@pytest.fixture
def harbour(transactional_db: None) -> Organization:
    return make_organization("Harbour")


def agent_token(call: Call) -> str:
    identity = RoomAgent.objects.get(call=call).identity
    return LiveKitClient.from_settings().agent_token(room=str(call.room_name), identity=identity)


def test_alice_speaks_reads_hears_and_interrupts_the_agent_and_hangs_up(
    livekit: str, open_page: OpenPage, harbour: Organization, complaints: list[str]
) -> None:
    with open_page(harbour, SENTENCE) as page:
        page.get_by_role("button", name="Call", exact=True).click()
        expect(page.locator("#state")).to_have_text("Connected. Waiting for the agent…", timeout=WITHIN_MS)
        call = Call.objects.get()
        with in_room(ScriptedAgent(livekit, agent_token(call), heard=SENTENCE, said=ANSWER, cut=CUT)) as agent:
            expect(page.locator("#state")).to_have_text("Listening", timeout=WITHIN_MS)
            page.locator("audio").first.wait_for(state="attached", timeout=WITHIN_MS)
            page.evaluate(LISTEN)
            log = page.get_by_role("log")
            expect(log).to_contain_text(SENTENCE, timeout=WITHIN_MS)
            expect(log).to_contain_text(ANSWER)
            assert agent.has_heard.is_set()
            until_heard(page, louder_than=0.05)
            page.get_by_role("button", name="Interrupt").click()
            answer = log.locator("[data-speaker=agent]")
            expect(answer).to_contain_text(f"Agent: {CUT} (interrupted)", timeout=WITHIN_MS)
            expect(answer).not_to_contain_text("Anything else")
            assert [identity.partition("-")[0] for identity in agent.pressed_by] == ["caller"]
            expect(page.locator("#state")).to_have_text("Listening", timeout=WITHIN_MS)
            assert log.locator("p").count() == 2
            process_events()
            page.get_by_role("button", name="End call").click()
            expect(page.locator("#state")).to_have_text("The call has ended")
        expect(page.locator("#summary-text")).to_contain_text("Ended over the API")
    call.refresh_from_db()
    assert (call.organization, call.state, call.end_reason) == (harbour, "completed", "ended_by_request")
    assert complaints == []
