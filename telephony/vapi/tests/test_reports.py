"""Status, report and hang: safe in any order, repeated, late and lost."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from sessions.calls.end_reasons import EndReason
from sessions.calls.models import Call, CallEvent, CallState, TranscriptLine
from telephony.events.inbox import inbox
from telephony.events.models import ProviderEvent
from telephony.vapi.ended_reasons import end_reason_of
from telephony.vapi.legs import open_leg
from telephony.vapi.models import VapiLeg

from .sender import VapiSender, report

pytestmark = pytest.mark.django_db(transaction=True)

SAID = ("b: Hello!", "u: A pizza, please.", "b: Which size?", "u: Large.")


def process() -> None:
    inbox.process_due(["vapi"])
    assert not ProviderEvent.objects.exclude(state="done").exists()


def test_the_report_is_kept_with_cost_reason_and_recording(vapi: VapiSender, call: Call) -> None:
    vapi.send("end-of-call-report", **report(*SAID))
    process()
    leg = VapiLeg.objects.get()
    assert (leg.status, leg.ended_reason, leg.cost_usd) == ("ended", "customer-ended-call", Decimal("0.1234"))
    assert leg.recording_url == "https://storage.vapi.ai/mono.wav"
    assert leg.stereo_recording_url == "https://storage.vapi.ai/stereo.wav"
    assert [each["type"] for each in leg.costs] == ["model", "voice", "vapi"]
    assert leg.reported_at is not None
    assert leg.check_at is None
    call.refresh_from_db()
    assert call.cost_usd == Decimal("0.1234")
    assert call.state == CallState.CONNECTED  # the process that carries it writes its end
    assert CallEvent.objects.filter(kind="vapi_report").count() == 1
    assert ProviderEvent.objects.get().call == call


def test_the_words_are_in_the_transcript_and_no_longer_in_the_event(vapi: VapiSender) -> None:
    vapi.send("end-of-call-report", **report(*SAID))
    process()
    lines = TranscriptLine.objects.values_list("speaker", "text", "spoken_at_ms", "turn")
    assert list(lines) == [
        ("agent", "Hello!", 1000, 0),
        ("caller", "A pizza, please.", 2000, 1),
        ("agent", "Which size?", 3000, 1),
        ("caller", "Large.", 4000, 2),
    ]
    assert "messages" not in ProviderEvent.objects.get().fields["artifact"]


def test_the_bridges_transcript_stands(vapi: VapiSender, call: Call) -> None:
    TranscriptLine.objects.create(
        call=call, item_id="agent_1", speaker="agent", text="Hello, how", spoken_at_ms=900, is_cut=True
    )
    vapi.send("end-of-call-report", **report(*SAID))
    process()
    assert TranscriptLine.objects.get().text == "Hello, how"


def test_presigned_addresses_come_first_and_only_https_is_kept(vapi: VapiSender) -> None:
    fields = report(*SAID)
    fields["artifact"] |= {
        "presignedMonoUrl": "https://storage.vapi.ai/mono.wav?signature=1",
        "stereoRecordingUrl": "javascript:alert(1)",
        "recording": {},
        "presignedUrlsExpiresAt": "2026-11-28T11:00:00.000Z",
    }
    vapi.send("end-of-call-report", **fields)
    process()
    leg = VapiLeg.objects.get()
    assert (leg.recording_url, leg.stereo_recording_url) == ("https://storage.vapi.ai/mono.wav?signature=1", "")
    assert leg.recording_url_expires_at is not None


def test_a_repeated_report_changes_nothing(vapi: VapiSender, call: Call) -> None:
    body = {"message": vapi.message("end-of-call-report", **report(*SAID))}
    for _ in range(3):
        vapi.post(body)
        process()
    assert ProviderEvent.objects.count() == 1
    vapi.send("end-of-call-report", **report(*SAID))  # sent anew, at another time
    process()
    call.refresh_from_db()
    assert call.cost_usd == Decimal("0.1234")
    assert TranscriptLine.objects.count() == 4
    assert CallEvent.objects.filter(kind="vapi_report").count() == 1


def test_a_poorer_report_takes_nothing_away(vapi: VapiSender, call: Call) -> None:
    vapi.send("end-of-call-report", **report(*SAID))
    vapi.send("end-of-call-report", endedReason="", artifact={})
    process()
    leg = VapiLeg.objects.get()
    assert (leg.ended_reason, leg.cost_usd) == ("customer-ended-call", Decimal("0.1234"))
    assert TranscriptLine.objects.count() == 4


def test_the_cost_of_two_sessions_of_a_call_is_their_sum(vapi: VapiSender, live_server: LiveServer, call: Call) -> None:
    second = VapiSender(live_server.url, call)
    for sender, cost in ((vapi, 0.1), (second, 0.025)):
        sender.send("end-of-call-report", **report(cost=cost))
    process()
    call.refresh_from_db()
    assert call.cost_usd == Decimal("0.125")
    second.close()


ORDERED: list[tuple[str, dict[str, Any]]] = [
    ("status-update", {"status": "in-progress"}),
    ("hang", {}),
    ("status-update", {"status": "ended", "endedReason": "customer-ended-call"}),
    ("end-of-call-report", report(*SAID)),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_messages_in_any_order_lead_to_the_same_end(vapi: VapiSender, call: Call, order: tuple[int, ...]) -> None:
    VapiLeg.objects.update(carries_phone=True)
    Call.objects.update(state=CallState.RINGING)
    for number in order:
        kind, fields = ORDERED[number]
        vapi.send(kind, **fields)
        process()
    leg = VapiLeg.objects.get()
    call.refresh_from_db()
    assert (leg.status, leg.ended_reason, leg.cost_usd) == ("ended", "customer-ended-call", Decimal("0.1234"))
    assert call.state in (CallState.COMPLETED, CallState.MISSED)
    assert call.end_reason == EndReason.CALLER_HUNG_UP
    if order.index(0) < min(order.index(2), order.index(3)):
        assert call.state == CallState.COMPLETED
    assert CallEvent.objects.filter(kind="ended").count() == 1


def test_a_late_status_does_not_lead_back(vapi: VapiSender) -> None:
    for status in ("ended", "in-progress", "queued", "somewhere"):
        vapi.send("status-update", status=status)
        process()
    assert VapiLeg.objects.get().status == "ended"


def test_a_hang_is_on_the_timeline_once(vapi: VapiSender) -> None:
    vapi.send("hang")
    vapi.send("hang")
    process()
    assert CallEvent.objects.filter(kind="agent_slow").count() == 1


def test_a_transfer_of_vapis_is_on_the_timeline(vapi: VapiSender) -> None:
    vapi.send("transfer-update", destination={"type": "number", "number": "+493012345678"})
    process()
    assert CallEvent.objects.get(kind="vapi_transfer").detail == {"to": "number"}


def test_messages_about_an_unknown_call_are_done(live_server: LiveServer, call: Call) -> None:
    stranger = VapiSender(live_server.url)
    stranger.send("end-of-call-report", **report(*SAID))
    process()
    assert ProviderEvent.objects.get().call is None
    assert not TranscriptLine.objects.exists()
    stranger.close()


def test_a_phone_call_that_vapi_carries_is_connected_and_ended_by_its_messages(vapi: VapiSender, call: Call) -> None:
    VapiLeg.objects.update(carries_phone=True)
    Call.objects.update(state=CallState.RINGING)
    vapi.send("status-update", status="in-progress")
    process()
    call.refresh_from_db()
    assert (call.state, call.lease_expires_at) == (CallState.CONNECTED, None)
    vapi.send("status-update", status="ended", endedReason="assistant-ended-call")
    process()
    call.refresh_from_db()
    assert (call.state, call.end_reason) == (CallState.COMPLETED, EndReason.AGENT_HUNG_UP)


@pytest.mark.parametrize(
    ("ended_reason", "reason"),
    [
        ("customer-ended-call", EndReason.CALLER_HUNG_UP),
        ("customer-busy", EndReason.NOT_ANSWERED),
        ("voicemail", EndReason.NOT_ANSWERED),
        ("assistant-ended-call-after-message-spoken", EndReason.AGENT_HUNG_UP),
        ("assistant-said-end-call-phrase", EndReason.AGENT_HUNG_UP),
        ("assistant-forwarded-call", EndReason.TRANSFERRED),
        ("assistant-not-found", EndReason.PROVIDER_REFUSED),
        ("silence-timed-out", EndReason.CALLER_SILENT),
        ("exceeded-max-duration", EndReason.TOO_LONG),
        ("manually-canceled", EndReason.HUNG_UP_BY_OPERATOR),
        ("worker-shutdown", EndReason.PROVIDER_FAILED),
        ("pipeline-error-openai-401-unauthorized", EndReason.PROVIDER_FAILED),
        ("call.in-progress.error-vapifault-worker-died", EndReason.PROVIDER_FAILED),
        ("call.start.error-subscription-frozen", EndReason.PROVIDER_REFUSED),
        ("call.in-progress.twilio-completed-call", EndReason.CALLER_HUNG_UP),
        ("phone-call-provider-closed-websocket", EndReason.STREAM_LOST),
        ("twilio-failed-to-connect-call", EndReason.STREAM_LOST),
        ("a-word-of-tomorrow", EndReason.PROVIDER_FAILED),
        ("", EndReason.PROVIDER_FAILED),
    ],
)
def test_reasons_are_classified_by_how_they_begin(ended_reason: str, reason: EndReason) -> None:
    assert end_reason_of(ended_reason) == reason


def test_a_leg_belongs_to_one_call(call: Call) -> None:
    leg = open_leg(call.pk, "vapi-1")
    assert open_leg(call.pk, "vapi-1").pk == leg.pk
