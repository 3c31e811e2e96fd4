"""TwiML is read as Twilio reads it."""

from __future__ import annotations

import pytest

from voiceapp.local.twilio.twiml import TwimlError, parse


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
def test_what_is_no_twiml_has_twilios_error(text: str, code: int) -> None:
    with pytest.raises(TwimlError) as caught:
        parse(text, url="")
    assert caught.value.code == code


@pytest.mark.parametrize(("value", "seconds"), [("3", 3), ("2.5", 2.5), ("", 9), ("-1", 9), ("soon", 9)])
def test_seconds_that_are_none_count_as_absent(value: str, seconds: float) -> None:
    (verb,) = parse(f'<Response><Pause length="{value}"/></Response>', url="").verbs
    assert verb.seconds("length", 9) == seconds
