"""TwiML is read as Twilio reads it."""

from __future__ import annotations

import pytest

from voiceapp.simulators.twilio.twiml import TwimlError, parse


def test_verbs_keep_their_order_attributes_and_nouns() -> None:
    document = parse(
        '<?xml version="1.0" encoding="UTF-8"?><!-- a comment --><Response><Say>Hello\n  there</Say>'
        '<Connect action="/a?x=1&amp;y=2"><Stream url="wss://h/p"><Parameter name="n" value="v"/></Stream></Connect>'
        "</Response>",
        url="https://h/voice",
    )
    say, connect = document.verbs
    assert (say.name, say.text) == ("Say", "Hello there")
    assert connect.get("action") == "/a?x=1&y=2"
    assert connect.named("Stream")[0].named("Parameter")[0].attributes == {"name": "n", "value": "v"}
    assert document.absolute("/a?x=1&y=2") == "https://h/a?x=1&y=2"


def test_unknown_verbs_and_nouns_are_left_out_with_a_warning() -> None:
    document = parse(
        "<Response><Dance/><Gather><Dial>+1</Dial><Say>x</Say></Gather><say>no</say><Stream/></Response>", url=""
    )
    assert [verb.name for verb in document.verbs] == ["Gather"]
    assert [noun.name for noun in document.verbs[0].nouns] == ["Say"]
    assert [code for code, _ in document.warnings] == [12200] * 4


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 12100),
        ("<Response>", 12100),
        ("<html/>", 12100),
        ("<Response>&nbsp;</Response>", 12100),
        ("<Response><Say>" + "x" * 70_000 + "</Say></Response>", 11750),
    ],
)
def test_invalid_twiml_has_twilios_error(text: str, code: int) -> None:
    with pytest.raises(TwimlError) as caught:
        parse(text, url="")
    assert caught.value.code == code


@pytest.mark.parametrize("text", ["", " \n ", "x" * 4097])
def test_a_say_with_invalid_text_is_left_out(text: str) -> None:
    document = parse(f"<Response><Say>{text}</Say><Hangup/></Response>", url="")
    assert [verb.name for verb in document.verbs] == ["Hangup"]
    assert [code for code, _ in document.warnings] == [13520]


@pytest.mark.parametrize(("value", "seconds"), [("3", 3), ("2.5", 2.5), ("", 9), ("-1", 9), ("soon", 9)])
def test_invalid_seconds_count_as_absent(value: str, seconds: float) -> None:
    (verb,) = parse(f'<Response><Pause length="{value}"/></Response>', url="").verbs
    assert verb.seconds("length", 9) == seconds


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        ('<Say language="klingon">x</Say>', 13512),
        ('<Say language="pt">x</Say>', 13512),
        ('<Say voice="nobody">x</Say>', 13511),
        ('<Say loop="often">x</Say>', 13510),
        ('<Dial timeout="0">+1</Dial>', 13212),
        ('<Dial timeout="25.5">+1</Dial>', 13212),
        ('<Dial timeLimit="14401">+1</Dial>', 13216),
        ('<Dial method="PUT">+1</Dial>', 13210),
        ('<Dial action="ftp://h/x">+1</Dial>', 11100),
        ('<Dial action="https://my_host/x">+1</Dial>', 11100),
        ('<Dial><Number statusCallbackEvent="done">+1</Number></Dial>', 12200),
        ('<Record maxLength="0"/>', 13612),
        ('<Record timeout="soon"/>', 13611),
        ('<Record finishOnKey="A"/>', 13613),
        ('<Record playBeep="yes"/>', 13616),
        ('<Gather numDigits="0"/>', 13314),
        ('<Gather timeout="-1"/>', 13313),
        ('<Pause length="-1"/>', 13910),
        ('<Redirect method="PATCH">/x</Redirect>', 13710),
        ('<Reject reason="rude"/>', 12200),
        ('<Hangup slowly="true"/>', 12200),
        ('<Connect><Stream url="wss://h/p" color="red"/></Connect>', 12200),
    ],
)
def test_an_invalid_attribute_is_left_out_with_twilios_warning(verb: str, code: int) -> None:
    document = parse(f"<Response>{verb}</Response>", url="https://h/voice")
    assert [found for found, _ in document.warnings] == [code]
    noun = document.verbs[0].nouns[0] if document.verbs[0].nouns else document.verbs[0]
    assert len(noun.attributes) == (1 if noun.name == "Stream" else 0)
