"""What SQS would refuse is never sent; the ids of FIFO queues always have SQS's form."""

from __future__ import annotations

import pytest

from voiceapp.providers.aws.client import AwsError
from voiceapp.providers.aws.sqs import FIFO_ID, MAX_MESSAGE_BYTES, AwsQueue, fault_in_body, fifo_id

NOWHERE = "http://127.0.0.1:9/000000000000/sessions.fifo"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "empty"),
        ("x" * MAX_MESSAGE_BYTES, "more than"),
        ("ü" * (MAX_MESSAGE_BYTES // 2), "more than"),
        ("a\x00b", "U+0000"),
        ("a\x0bb", "U+000B"),
        ("a\ufffe", "U+FFFE"),
        ("a\ud800", "U+D800"),
    ],
    ids=range(7),
)
def test_a_body_that_sqs_refuses_is_not_sent(body: str, reason: str) -> None:
    with pytest.raises(AwsError) as refused:
        AwsQueue(NOWHERE).send(body, message_id="m1", group="g1")
    assert reason in str(refused.value)
    assert refused.value.permanent


@pytest.mark.parametrize("body", ["{}", "Größe 😀\n\t", "x" * (MAX_MESSAGE_BYTES - 200)], ids=range(3))
def test_a_body_in_the_documented_form_has_no_fault(body: str) -> None:
    assert fault_in_body(body, attributes_bytes=40) == ""


@pytest.mark.parametrize("text", ["sess_1", "a" * 128, "a" * 129, "two words", "ümlaut", "", "a\nb"])
def test_an_id_of_a_fifo_queue_has_sqs_form_and_equal_ones_stay_equal(text: str) -> None:
    assert FIFO_ID.fullmatch(fifo_id(text))
    assert fifo_id(text) == fifo_id(text)
    assert fifo_id(text) != fifo_id(text + "x")
