"""The simulator of AWS as a process: its resources, that it stops at once and listens on this machine only."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import boto3
import httpx
import pytest

POLL_S = 20  # the longest that SQS knows
RESOURCES = ["--queue", "announced", "--table", "records", "--bucket", "recordings"]


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "voiceapp.simulators.aws", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"AWS_REGION": "eu-central-1"},
    )


def client(service: str, url: str) -> Any:
    keys = dict.fromkeys(("aws_access_key_id", "aws_secret_access_key"), "local")
    return boto3.client(service, endpoint_url=url, region_name="eu-central-1", **keys)


@contextlib.contextmanager
def long_poll(url: str, queue: str) -> Iterator[None]:
    """A consumer who waits for a message when the block begins: its request is on the wire."""
    form = urlencode({"Action": "ReceiveMessage", "QueueUrl": queue, "WaitTimeSeconds": POLL_S})
    lines = [
        "POST / HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(form)}",
        "Content-Type: application/x-www-form-urlencoded",
        "Authorization: AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/sqs/aws4_request",
    ]  # fmt: skip
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0)) as waiting:
        waiting.sendall("\r\n".join([*lines, "", form]).encode())
        waiting.settimeout(1)
        with pytest.raises(TimeoutError):
            waiting.recv(1)
        yield


def test_the_resources_exist_when_it_listens_and_it_stops_at_once() -> None:
    process = start(*RESOURCES)
    try:
        assert process.stdout
        line = process.stdout.readline().strip()
        assert line.startswith("listening on http://127.0.0.1:")
        url = line.removeprefix("listening on ")
        queue = client("sqs", url).get_queue_url(QueueName="announced")["QueueUrl"]
        assert queue == f"{url}/123456789012/announced"
        expiry = client("dynamodb", url).describe_time_to_live(TableName="records")["TimeToLiveDescription"]
        assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
        # As the simulator of LiveKit uploads: without a signature.
        assert httpx.put(f"{url}/recordings/a/b.ogg", content=b"OggS", trust_env=False).status_code == 200
        kept = client("s3", url).get_object(Bucket="recordings", Key="a/b.ogg")
        assert kept["Body"].read() == b"OggS"
        with long_poll(url, queue):
            process.terminate()
            assert process.wait(POLL_S / 2) == 0
    finally:
        process.kill()
        process.communicate()


def test_it_serves_this_machine_only() -> None:
    process = start("--host", "0.0.0.0")
    _, said = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "0.0.0.0" in said


@pytest.mark.parametrize("module", ["django", "agents", "sessions", "voiceapp.lib", "voiceapp.settings"])
def test_nothing_of_the_product_is_imported(module: str) -> None:
    code = f"import sys, voiceapp.simulators.aws.__main__; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
