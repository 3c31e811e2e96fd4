"""A recorded call is the same call, and its tape has what passed."""

from __future__ import annotations

from base64 import b64decode
from functools import partial

from recordings.spool.blocks import Heard
from telephony.bridge.openai.dialect import OpenAIDialect
from telephony.bridge.phone_call import PhoneCall
from telephony.bridge.recorded_call import RecordedCall
from telephony.bridge.tests.stage import Stage, session

VOICE = bytes(range(0x20, 0x70)) * 2


def played(kind: type[PhoneCall]) -> Stage:
    """A call with an answer that is interrupted."""
    stage = Stage(kind=kind)
    stage.listen(200)
    stage.say("r1", "i1", 3_000, 0x55, "Two margherita are twenty euros")
    stage.frame(stage.ms, VOICE)
    stage.ms += 20
    stage.listen(1_000)
    stage.speak()
    stage.listen(400)
    return stage


def test_both_sides_get_the_same_frames_as_without_a_tape() -> None:
    plain, recorded = played(PhoneCall), played(RecordedCall)
    assert recorded.phone.frames == plain.phone.frames
    assert recorded.to_agent == plain.to_agent
    assert recorded.caller_audio == plain.caller_audio
    assert recorded.facts == plain.facts


def test_the_tape_has_what_was_sent_and_what_the_phone_said_of_it() -> None:
    stage = played(RecordedCall)
    assert isinstance(stage.call, RecordedCall)
    stage.call.tape.ended()
    said = stage.call.tape.take()
    assert said is not None
    [(at, frames)] = said.caller
    assert (at, b"".join(map(b64decode, frames))) == (0, stage.caller_audio)
    assert sum(len(b64decode(chunk)) for chunk in said.chunks) == sum(stage.phone.media_bytes)
    kinds = [what for what, *_ in said.heard]
    assert kinds.count(Heard.CLEARED) == 1
    cleared = kinds.index(Heard.CLEARED)
    assert Heard.ECHOED in kinds[:cleared]
    assert Heard.ECHOED in kinds[cleared:]
    assert said.heard[-1] == (Heard.ENDED, len(said.chunks), stage.ms, stage.ms, 0)
    assert stage.call.tape.take() is None


def test_another_agent_hears_the_caller_and_the_tape_goes_on() -> None:
    stage = Stage(kind=RecordedCall)
    assert isinstance(stage.call, RecordedCall)
    stage.listen(100)
    stage.call.change_agent(partial(OpenAIDialect, session(), protects_greeting=False))
    stage.open()
    stage.frame(stage.ms, VOICE)
    stage.flush()
    said = stage.call.tape.take()
    assert said is not None
    [(_, frames)] = said.caller
    assert len(frames) == 6
