"""The button silences the agent for its caller alone; captions learn what was cut, and the page which tool runs.
On a real server too.
"""

from __future__ import annotations

import asyncio

import pytest
from livekit import api, rtc
from livekit.agents import ConversationItemAddedEvent
from livekit.agents.llm import ChatMessage

from telephony.livekit.agent.interruption import CUT_TOPIC, METHOD, NOT_YOURS, InterruptButton, cut_text, show_cut
from telephony.livekit.agent.shown_tool import ATTRIBUTE, ShownTool
from voiceapp.simulators.livekit.tests.conftest import media_side, plain_livekit, real_server, room
from voiceapp.simulators.livekit.tests.media import join_token, participant, until
from voiceapp.simulators.livekit.tests.sides import Side
from voiceapp.simulators.livekit.tests.test_data import next_of, texts

__all__ = ["media_side", "plain_livekit", "real_server", "room"]

ALICE, BOB, AGENT = "caller-alice", "callee-bob", "ai-agent-7"


@pytest.mark.asyncio
async def test_only_the_caller_may_press_it(media_side: Side, room: str) -> None:
    token = api.AccessToken(media_side.api_key, media_side.api_secret).with_identity(AGENT).with_kind("agent")
    token = token.with_grants(api.VideoGrants(room_join=True, room=room, agent=True, can_update_own_metadata=True))
    async with (
        participant(media_side, token.to_jwt()) as agent,
        participant(media_side, join_token(media_side, room, ALICE)) as alice,
        participant(media_side, join_token(media_side, room, BOB)) as bob,
    ):
        await until(lambda: all(len(each.room.remote_participants) == 2 for each in (agent, alice, bob)))
        presses: list[None] = []
        button = InterruptButton(agent.room, lambda: presses.append(None))
        button.listen_to(ALICE)

        async def press(person: rtc.Room) -> str:
            return await person.local_participant.perform_rpc(
                destination_identity=AGENT, method=METHOD, payload="x" * 500
            )

        assert await press(alice.room) == ""
        with pytest.raises(rtc.RpcError, match=NOT_YOURS):
            await press(bob.room)
        assert len(presses) == 1
        read = texts(alice, CUT_TOPIC)
        await show_cut(agent.room, "One large")
        assert (await next_of(read))[:2] == (AGENT, "One large")
        button.close()
        with pytest.raises(rtc.RpcError):
            await press(alice.room)
        await the_tool_is_shown(agent.room, to=alice.room)


async def the_tool_is_shown(agent: rtc.Room, *, to: rtc.Room) -> None:
    """The newest of those that run, then none."""
    tasks: list[asyncio.Future[None]] = []
    shown = ShownTool(agent, lambda work: tasks.append(asyncio.ensure_future(work)))
    seen = to.remote_participants[AGENT]
    with shown.running("look_up_items"):
        with shown.running("change_order"):
            await until(lambda: seen.attributes.get(ATTRIBUTE) == "change_order")
        await until(lambda: seen.attributes.get(ATTRIBUTE) == "look_up_items")
    await until(lambda: not seen.attributes.get(ATTRIBUTE))
    await asyncio.gather(*tasks)


@pytest.mark.parametrize(
    ("role", "text", "interrupted", "cut"),
    [
        ("assistant", " One large ", True, "One large"),
        ("assistant", "One large margherita.", False, ""),
        ("assistant", "", True, ""),
        ("user", "One lar", True, ""),
    ],
)
def test_what_was_cut(role: str, text: str, interrupted: bool, cut: str) -> None:
    message = ChatMessage.model_validate({"role": role, "content": [text], "interrupted": interrupted})
    assert cut_text(ConversationItemAddedEvent(item=message)) == cut
