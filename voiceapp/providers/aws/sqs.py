"""An SQS queue of text messages, each with an id of ours, so that receivers can detect duplicates."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from .client import FAULTS, RESPONSE_TIMEOUT_S, AwsError, aws_client, aws_error

SERVICE = "sqs"
ID = "messageId"
BATCH_SIZE = 10
# Of the body and its attributes together.
MAX_MESSAGE_BYTES = 1024 * 1024
# Letters, digits and punctuation of ASCII: group and deduplication ids of FIFO queues.
FIFO_ID = re.compile(r"[!-~]{1,128}")
# Characters that XML 1.0 excludes.
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LONGEST_POLL_S = 20


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """`message_id` is ours, empty on messages of other senders; `receipt` deletes the message."""

    body: str
    receipt: str = field(repr=False)
    message_id: str = ""
    sqs_id: str = ""


class AwsQueue:
    """One queue by its URL, standard or FIFO. Every method blocks and raises AwsError."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._is_fifo = url.endswith(".fifo")

    def send(self, body: str, *, message_id: str, group: str) -> None:
        """Return once SQS has the message. FIFO queues keep a group's order and drop repeated ids."""
        ordering = {}
        if self._is_fifo:
            ordering = {"MessageGroupId": fifo_id(group), "MessageDeduplicationId": fifo_id(message_id)}
        fault = fault_in_body(body, attributes_bytes=len(ID) + len("String") + len(message_id.encode()))
        if fault:
            raise AwsError(SERVICE, fault, code="InvalidMessageContents", permanent=True)
        try:
            aws_client(SERVICE).send_message(
                QueueUrl=self._url,
                MessageBody=body,
                MessageAttributes={ID: {"DataType": "String", "StringValue": message_id}},
                **ordering,
            )
        except FAULTS as exc:
            raise aws_error(SERVICE, exc) from exc

    def receive(self, *, wait_s: int = LONGEST_POLL_S) -> list[QueuedMessage]:
        """Up to ten messages, as soon as there is one. They are delivered again unless they are deleted."""
        try:
            response = aws_client(SERVICE, response_timeout_s=LONGEST_POLL_S + RESPONSE_TIMEOUT_S).receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=BATCH_SIZE,
                WaitTimeSeconds=wait_s,
                MessageAttributeNames=[ID],
            )
        except FAULTS as exc:
            raise aws_error(SERVICE, exc) from exc
        return [_read(message) for message in response.get("Messages", [])]

    def delete(self, message: QueuedMessage) -> None:
        try:
            aws_client(SERVICE).delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)
        except FAULTS as exc:
            raise aws_error(SERVICE, exc) from exc


def _read(message: Mapping[str, object]) -> QueuedMessage:
    attributes = message.get("MessageAttributes")
    ours = attributes.get(ID) if isinstance(attributes, Mapping) else None
    message_id = ours.get("StringValue") if isinstance(ours, Mapping) else None
    return QueuedMessage(
        body=str(message["Body"]),
        receipt=str(message["ReceiptHandle"]),
        message_id=str(message_id or ""),
        sqs_id=str(message.get("MessageId", "")),
    )


def fifo_id(text: str) -> str:
    """The id, or its hash if the form is wrong: equal ids stay equal, different ones stay different."""
    return text if FIFO_ID.fullmatch(text) else f"sha256-{hashlib.sha256(text.encode()).hexdigest()}"


def fault_in_body(body: str, *, attributes_bytes: int = 0) -> str:
    """Why SQS would reject the body; empty if it would not."""
    size = len(body.encode(errors="surrogatepass")) + attributes_bytes
    if not body:
        return "the body is empty"
    if size > MAX_MESSAGE_BYTES:
        return f"the message has {size} bytes, more than {MAX_MESSAGE_BYTES}"
    forbidden = FORBIDDEN.search(body)
    return f"the body has the character U+{ord(forbidden.group()):04X}" if forbidden else ""
