"""The fault `echo`, for load tests: every append is returned at once as audio of one endless response."""

from __future__ import annotations

from aiohttp import WSMsgType, web

from voiceapp.simulators.openai.ids import new_id
from voiceapp.simulators.openai.session import RealtimeSession
from voiceapp.simulators.openai.socket_sender import SocketSender

_AUDIO = '"audio":"'


async def echo(socket: web.WebSocketResponse, session: RealtimeSession, sender: SocketSender) -> None:
    """Appends never reach the session; all other events do. Returns when the peer leaves."""
    response_id, item_id = new_id("resp"), new_id("item")
    place = f'"response_id":"{response_id}","item_id":"{item_id}","output_index":0,"content_index":0'
    before = f'{{"type":"response.output_audio.delta","event_id":"{new_id("event")}",{place},"delta":"'
    has_begun = False
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            continue
        frame: str = message.data
        if "input_audio_buffer.append" not in frame[:80]:
            session.receive(frame)
            continue
        if not has_begun:
            has_begun = True
            _begin(sender, response_id, item_id)
            await sender.drained()
        at = frame.find(_AUDIO)
        start = at + len(_AUDIO) if at >= 0 else frame.find('"', frame.find('"audio"') + 7) + 1
        await socket.send_str(f'{before}{frame[start : frame.find(chr(34), start)]}"}}')


def _begin(sender: SocketSender, response_id: str, item_id: str) -> None:
    item = {"id": item_id, "object": "realtime.item", "type": "message", "role": "assistant", "content": []}
    sender.send("response.created", response={
        "object": "realtime.response", "id": response_id, "status": "in_progress", "output": [],
    })  # fmt: skip
    sender.send("response.output_item.added", response_id=response_id, output_index=0, item=item)
    sender.send("conversation.item.added", previous_item_id=None, item=item)
    sender.send("response.content_part.added", response_id=response_id, item_id=item_id, output_index=0,
                content_index=0, part={"type": "audio", "transcript": ""})  # fmt: skip
