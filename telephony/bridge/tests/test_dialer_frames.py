"""What a browser's dialer may send beside Media Streams: text, and the button that interrupts."""

from __future__ import annotations

import json

import pytest

from telephony.bridge.core.events import AgentSilenced, Ignored, KeyPressed, TextTyped
from telephony.bridge.core.ports import BadFrame
from telephony.bridge.twilio.dialer_frames import LONGEST_TEXT, DialerCodec
from telephony.bridge.twilio.frames import TwilioCodec

SAY = json.dumps({"event": "say", "text": " two  small\nfunghi "})


def test_text_and_the_button_are_the_callers() -> None:
    codec = DialerCodec("MZ1")
    assert codec.read(SAY) == TextTyped("two small funghi")
    assert codec.read('{"event":"interrupt"}') == AgentSilenced()
    assert codec.read('{"event":"dtmf","dtmf":{"digit":"7"}}') == KeyPressed("7")
    assert codec.read(json.dumps({"event": "say", "text": "x" * 9999})) == TextTyped("x" * LONGEST_TEXT)


@pytest.mark.parametrize("text", ['{"event":"say"}', '{"event":"say","text":"  "}', '{"event":"from_the_future"}'])
def test_what_says_nothing_is_ignored(text: str) -> None:
    assert DialerCodec("MZ1").read(text) == Ignored()


@pytest.mark.parametrize("text", ['{"event":"say","text":5}', '{"event":"say","text":null}', "{", "null"])
def test_what_is_no_frame_is_bad(text: str) -> None:
    with pytest.raises(BadFrame):
        DialerCodec("MZ1").read(text)


def test_a_carrier_can_send_neither() -> None:
    assert TwilioCodec("MZ1").read(SAY) == Ignored()
    assert TwilioCodec("MZ1").read('{"event":"interrupt"}') == Ignored()
