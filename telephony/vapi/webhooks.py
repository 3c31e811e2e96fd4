"""`POST /vapi/webhook`: VAPI's server URL. Verified over the raw body, then answered or stored for a worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from telephony.events import refusals
from telephony.events.inbox import inbox
from telephony.events.models import ProviderEvent
from telephony.events.refusals import facts_of, keep_refusal
from telephony.twilio.signature import refuse
from voiceapp.core.api.errors import Problem, VoiceError
from voiceapp.core.database_threads import DatabaseThreads
from voiceapp.core.http.body_limits import VAPI_MESSAGE_BYTES
from voiceapp.core.metrics import vapi_messages
from voiceapp.providers.vapi.messages import MessageUnreadable, VapiMessage, read_message
from voiceapp.providers.vapi.webhooks import Received, WebhookCredential, WebhookRefused

from .events import EVENTS
from .inbound import ANSWER_WITHIN_S, answer_assistant_request, refuse_assistant_request
from .kept_fields import kept_fields
from .models import VapiLeg
from .tool_calls import answer_tool_calls, refuse_tool_calls, within_s
from .transfers import NOBODY, answer_destination_request

logger = structlog.get_logger("webhooks")

SOURCE = "vapi"
CONTENT_TYPE = "application/json"
NOT_POST = Problem(405, message="VAPI posts its messages.")
WRONG_MEDIA_TYPE = Problem(415, message=f"Send {CONTENT_TYPE}.")
NOT_CONFIGURED = Problem(503, "VAPI not configured", "VAPI_SERVER_SECRET is not set: no message is accepted.")
NO_BODY = Problem(400, message="The body did not arrive.")
UNREADABLE = Problem(400, message="The body is no message of VAPI's.")
TOO_LARGE = Problem(413, message=f"At most {VAPI_MESSAGE_BYTES} bytes.")
UNSIGNED = Problem(401)
NOT_STORED = Problem(503, message="The message was not stored. Send it again.")
# Nothing follows from these: the bridge has them on its socket. They are counted.
IGNORED = frozenset({
    "assistant.speechStarted", "assistant.started", "call.artifact.upload", "call.deleted", "call.delete.failed",
    "call.endpointing.request", "chat.created", "chat.deleted", "conversation-update", "language-change-detected",
    "language-changed", "model-output", "phone-call-control", "session.created", "session.deleted", "session.updated",
    "speech-update", "transcript", 'transcript[transcriptType="final"]', "user-interrupted", "voice-input",
})  # fmt: skip
# Requests that only assistants of another making send. They are declined.
DECLINED: Mapping[str, Mapping[str, object]] = {
    "handoff-destination-request": {"error": NOBODY},
    "knowledge-base-request": {"documents": []},
}

# A tool may take seconds. These threads are not those of Twilio's webhooks, which must answer a ringing phone.
THREADS = 16
vapi_threads = DatabaseThreads(THREADS, name="vapi")


@dataclass(frozen=True, slots=True)
class Question:
    """A message whose response VAPI reads. `refuse`: what it gets where `answer` takes longer than `within_s`."""

    answer: Callable[[VapiMessage, float], Mapping[str, object]]
    refuse: Callable[[VapiMessage], Mapping[str, object]]
    within_s: Callable[[], float]


def _tool_calls(message: VapiMessage, began: float) -> Mapping[str, object]:
    return answer_tool_calls(message, began=began)


TOOL_CALLS = Question(_tool_calls, refuse_tool_calls, within_s)
QUESTIONS: Mapping[str, Question] = {
    "tool-calls": TOOL_CALLS,
    "function-call": TOOL_CALLS,
    "assistant-request": Question(
        lambda message, began: answer_assistant_request(message),
        lambda message: refuse_assistant_request(),
        lambda: ANSWER_WITHIN_S,
    ),
    "transfer-destination-request": Question(
        lambda message, began: answer_destination_request(message),
        lambda message: {"error": NOBODY},
        within_s,
    ),
}


@csrf_exempt
async def vapi_webhook(request: HttpRequest) -> JsonResponse:
    """200 to every genuine message, known or not; 5xx only where VAPI should send it again."""
    began = time.monotonic()
    if request.method != "POST":
        return _error(NOT_POST, Allow="POST")
    if request.content_type != CONTENT_TYPE:
        return _error(WRONG_MEDIA_TYPE)
    try:
        message = _verified(request)
    except _Refused as refused:
        await _note_refusal(request, refused)
        return _error(refused.problem)
    if message.type in QUESTIONS:
        return JsonResponse(await _answer(message, QUESTIONS[message.type], began))
    known = message.type in EVENTS
    is_named = known or message.type in IGNORED or message.type in DECLINED
    vapi_messages.labels(message.type if is_named else "unknown").inc()
    if message.type in DECLINED:
        await vapi_threads.run(_note_declined, message)
        return JsonResponse(DECLINED[message.type])
    if known:
        try:
            await vapi_threads.run(_store, message)
        except DatabaseError:
            logger.exception("the database did not respond", endpoint=SOURCE)
            return _error(NOT_STORED)
    return JsonResponse({"received": True})


class _Refused(Exception):
    """`reason` is for us, where the signature is at fault."""

    def __init__(self, problem: Problem, reason: str = "") -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.reason = reason


async def _note_refusal(request: HttpRequest, refused: _Refused) -> None:
    sample = refusals.sampler.sample(SOURCE) if refused.reason else None
    if sample is not None:
        await vapi_threads.run(keep_refusal, sample, webhook=SOURCE, reason=refused.reason, facts=facts_of(request))


def _verified(request: HttpRequest) -> VapiMessage:
    """The message of a request that VAPI made. Nothing is parsed before that is certain."""
    try:
        credential = WebhookCredential.from_settings()
    except WebhookRefused as refused:
        refuse(SOURCE, refused.reason)
        raise _Refused(NOT_CONFIGURED, refused.reason) from refused
    try:
        body = request.read(VAPI_MESSAGE_BYTES + 1)
    except UnreadablePostError as exc:
        raise _Refused(NO_BODY) from exc
    if len(body) > VAPI_MESSAGE_BYTES:
        raise _Refused(TOO_LARGE)
    try:
        credential.verify(Received(request.headers, body, settings.PUBLIC_BASE_URL + request.get_full_path()))
    except WebhookRefused as refused:
        refuse(SOURCE, refused.reason)
        raise _Refused(UNSIGNED, refused.reason) from refused
    try:
        return read_message(body)
    except MessageUnreadable as exc:
        raise _Refused(UNREADABLE) from exc


async def _answer(message: VapiMessage, question: Question, began: float) -> Mapping[str, object]:
    vapi_messages.labels(message.type).inc()
    try:
        async with asyncio.timeout(max(began + question.within_s() - time.monotonic(), 0.1)):
            return await vapi_threads.run(_answer_and_note, message, began)
    except TimeoutError:
        logger.warning("no response in time", kind=message.type, vapi_id=message.call_id)
    except Exception:
        # VAPI reads nothing but a response with 200, and the caller is waiting for it.
        logger.exception("message not answered", kind=message.type, vapi_id=message.call_id)
    return question.refuse(message)


def _answer_and_note(message: VapiMessage, began: float) -> Mapping[str, object]:
    answer = QUESTIONS[message.type].answer(message, began)
    try:
        _note(message, answer)
    except DatabaseError:
        logger.exception("message not noted", kind=message.type)
    return answer


def _note_declined(message: VapiMessage) -> None:
    try:
        _note(message, DECLINED[message.type])
    except DatabaseError:
        logger.exception("message not noted", kind=message.type)


def _note(message: VapiMessage, answer: Mapping[str, object]) -> None:
    """That it was answered, and how; the tools' own records have the rest."""
    fields = kept_fields(message) | {"answer": sorted(answer)}
    if tools := message.tools:
        fields["tools"] = ", ".join(tool.name[:64] for tool in tools[:20])
    ProviderEvent.objects.get_or_create(
        source=SOURCE,
        dedup_key=message.key,
        defaults={
            "kind": message.type,
            "partition_key": message.call_id,
            "fields": fields,
            "call_id": VapiLeg.objects.filter(vapi_id=message.call_id).values_list("call_id", flat=True).first(),
        },
    )


def _store(message: VapiMessage) -> None:
    """Once. The key names the content, so that one of its kind is not taken for another."""
    if not ProviderEvent.objects.filter(source=SOURCE, dedup_key=message.key).exists():
        inbox.store(
            SOURCE,
            dedup_key=message.key,
            kind=message.type,
            partition_key=message.call_id,
            fields=kept_fields(message),
        )


def _error(problem: Problem, **headers: str) -> JsonResponse:
    return JsonResponse(VoiceError.render(problem), status=problem.status, headers=headers)
