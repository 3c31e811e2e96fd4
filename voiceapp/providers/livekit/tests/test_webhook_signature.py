"""Which webhooks are believed. Each forgery has its reason, and nothing raises anything else."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.webhooks import SignatureRefused, event_of
from voiceapp.simulators.livekit.tests.running import API_KEY, API_SECRET

CLIENT = LiveKitClient(url="http://127.0.0.1:1", api_key=API_KEY, api_secret=API_SECRET)
ROOM = "support-user123-1640995200"


def body(**more: object) -> bytes:
    return json.dumps({"event": "room_started", "id": "EV_1", "createdAt": str(int(time.time())), **more}).encode()


def token(content: bytes, *, secret: str = API_SECRET, algorithm: str = "HS256", **claims: object) -> str:
    now_s = int(time.time())
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    full: Mapping[str, object] = {"iss": API_KEY, "nbf": now_s, "exp": now_s + 300, "sha256": digest, **claims}
    wanted = {name: value for name, value in full.items() if value is not None}
    return jwt.encode(wanted, "" if algorithm == "none" else secret, algorithm=algorithm)


def reason_of(content: bytes, authorization: str) -> str:
    with pytest.raises(SignatureRefused) as refused:
        CLIENT.verify_webhook(content, authorization)
    return refused.value.reason


def test_a_genuine_webhook_is_read() -> None:
    content = body(
        event="participant_joined",
        room={"sid": "RM_1", "name": ROOM, "creationTime": "1640995200", "metadata": "{}"},
        participant={"sid": "PA_1", "identity": "user123", "name": "John Doe", "kind": "AGENT", "state": "ACTIVE"},
        somethingNew={"that": "came later"},
    )
    event = CLIENT.verify_webhook(content, token(content))
    assert (event.event, event.key, event.room_name) == ("participant_joined", "EV_1", ROOM)
    assert event.room
    assert event.room.created_at == datetime(2022, 1, 1, tzinfo=UTC)
    assert event.participant
    assert (event.participant.identity, event.participant.is_agent) == ("user123", True)
    assert (event.track, event.recording, event.room_end_reason) == (None, None, "")


def test_the_payload_of_the_documentation_is_read_without_id_and_time() -> None:
    content = json.dumps(
        {
            "event": "participant_joined",
            "room": {"name": ROOM, "creationTime": 1640995200},
            "participant": {"identity": "user123", "name": "John Doe"},
        }
    ).encode()
    event = CLIENT.verify_webhook(content, token(content))
    assert event.created_at is None
    assert event.key == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert event.key == CLIENT.verify_webhook(content, token(content)).key


def test_an_unknown_event_and_unknown_values_are_read() -> None:
    content = body(event="moon_landed", participant={"identity": "x", "kind": 99, "state": 99}, roomEndReason=77)
    event = CLIENT.verify_webhook(content, token(content))
    assert event.participant
    assert (event.event, event.participant.kind, event.room_end_reason) == ("moon_landed", "unknown", "")


def test_a_recordings_end_is_read_and_its_storages_credentials_are_not_kept() -> None:
    egress = {
        "egressId": "EG_1",
        "roomName": ROOM,
        "roomComposite": {"fileOutputs": [{"filepath": "1.ogg", "s3": {"secret": "very-secret"}}]},
        "status": "EGRESS_COMPLETE",
        "startedAt": "1640995200000000000",
        "fileResults": [{"filename": "a.ogg", "location": "s3://a.ogg", "size": "12", "duration": "1500000000"}],
    }
    content = body(event="egress_ended", egressInfo=egress)
    event = CLIENT.verify_webhook(content, token(content))
    assert event.recording
    assert event.recording.file
    assert (event.recording.status, event.recording.file.duration_ms) == ("complete", 1500)
    assert event.recording.started_at == datetime(2022, 1, 1, tzinfo=UTC)
    assert event.room_name == ROOM
    assert "secret" not in json.dumps(event.record)
    assert event.recording.requested_path == "1.ogg"


def test_what_was_kept_of_an_event_reads_as_the_event_itself() -> None:
    for content in (
        body(room={"name": ROOM}, track={"sid": "TR_1", "source": "MICROPHONE"}, roomEndReason="ROOM_END_API_DELETE"),
        body(event="egress_updated", egressInfo={"egressId": "EG_1", "status": "EGRESS_ACTIVE"}),
        body(egressInfo={"egressId": "EG_1", "roomComposite": {"fileOutputs": [{"filepath": "1.ogg"}]}}),
        b'{"event": "room_finished"}',
    ):
        event = CLIENT.verify_webhook(content, token(content))
        kept = json.loads(json.dumps(event.record))
        assert event_of(kept, key=event.key) == event


FORGERIES: dict[str, tuple[Callable[[bytes], str], str]] = {
    "no token": (lambda c: "", "no_token"),
    "not a token": (lambda c: "certainly not", "malformed_token"),
    "a bearer": (lambda c: f"Bearer {token(c)}", "malformed_token"),
    "a very long one": (lambda c: token(c) + "a" * 5000, "malformed_token"),
    "beyond ASCII": (lambda c: token(c) + "é", "malformed_token"),
    "another secret": (lambda c: token(c, secret="x" * 40), "wrong_key"),
    "another key's name": (lambda c: token(c, iss="APIother"), "wrong_key"),
    "no key's name": (lambda c: token(c, iss=None), "malformed_token"),
    "alg none": (lambda c: token(c, algorithm="none"), "malformed_token"),
    "another algorithm": (lambda c: token(c, secret=API_SECRET * 2, algorithm="HS512"), "malformed_token"),
    "expired": (lambda c: token(c, exp=int(time.time()) - 120), "expired"),
    "not yet good": (lambda c: token(c, nbf=int(time.time()) + 120), "expired"),
    "no expiry": (lambda c: token(c, exp=None), "malformed_token"),
    "an expiry that is no time": (lambda c: token(c, exp={}), "malformed_token"),
    "a person's token": (lambda c: CLIENT.join_token(room=ROOM, identity="user-1"), "no_hash"),
    "an agent's token": (lambda c: CLIENT.agent_token(room=ROOM, identity="agent-1"), "no_hash"),
    "a hash that is no text": (lambda c: token(c, sha256=12), "no_hash"),
    "a hash that is no base64": (lambda c: token(c, sha256="!!!"), "tampered"),
    "a hash in hexadecimal": (lambda c: token(c, sha256=hashlib.sha256(c).hexdigest()), "tampered"),
    "another body's hash": (lambda c: token(c + b" "), "tampered"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_webhook_is_refused(name: str) -> None:
    make, reason = FORGERIES[name]
    content = body()
    assert reason_of(content, make(content)) == reason


@pytest.mark.parametrize("age_s", [700, -700])
def test_an_old_webhook_signed_anew_is_refused_and_so_is_one_from_the_future(age_s: int) -> None:
    content = body(createdAt=str(int(time.time()) - age_s))
    assert reason_of(content, token(content)) == "stale"


def test_clocks_may_differ_a_little() -> None:
    content = body(createdAt=str(int(time.time()) - 300))
    now_s = int(time.time())
    assert CLIENT.verify_webhook(content, token(content, nbf=now_s + 30, exp=now_s - 30)).event == "room_started"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"12",
        b"\xff\xfe",
        b"{",
        b'{"event": 12}',
        b'{"event": "\\ud800"}',
        b'{"event": ""}',
        b'{"participant": {"attributes": [1]}}',
        b'{"createdAt": "9223372036854775807"}',
        b'{"egressInfo": {"egressId": "EG_1", "startedAt": "-9223372036854775808"}}',
        b'{"room": {"creationTime": "9223372036854775807"}}',
        b'{"createdAt": "soon"}',
        b"[" * 100_000,
        b'{"room":' * 10_000,
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(content: bytes) -> None:
    with pytest.raises(SignatureRefused) as refused:
        CLIENT.verify_webhook(content, token(content))
    assert refused.value.reason in ("unreadable", "stale")


@pytest.mark.parametrize(
    ("name", "kept"), [("a\x00b", "ab"), ("\\u0000", "\\u0000"), ("\\\x00", "\\"), ("\x00\x00", "")]
)
def test_a_name_with_nul_can_be_kept(name: str, kept: str) -> None:
    content = body(event="track_published", track={"sid": "TR_1", "name": name})
    track = CLIENT.verify_webhook(content, token(content)).track
    assert track
    assert track.name == kept


@given(content=st.binary(max_size=200), authorization=st.text(max_size=200))
def test_nothing_but_a_refusal_is_raised_for_any_token(content: bytes, authorization: str) -> None:
    with pytest.raises(SignatureRefused):
        CLIENT.verify_webhook(content, authorization)


FIELDS = st.sampled_from(
    ["event", "id", "createdAt", "room", "participant", "track", "egressInfo", "status", "kind", "state", "name",
     "creationTime", "fileResults", "duration", "startedAt", "attributes", "tracks", "roomComposite", "errorCode"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(content=st.dictionaries(FIELDS, JSON, max_size=6))
def test_a_signed_body_of_any_json_is_read_or_refused(content: dict[str, object]) -> None:
    raw = json.dumps(content).encode()
    with contextlib.suppress(SignatureRefused):
        assert CLIENT.verify_webhook(raw, token(raw)).key


@given(header=st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jwk"]), JSON, max_size=4))
def test_a_token_with_any_header_is_refused(header: dict[str, object]) -> None:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    assert reason_of(b"{}", f"{part(header)}.{part({'iss': API_KEY})}.AAAA") in ("malformed_token", "wrong_key")
