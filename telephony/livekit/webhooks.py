"""`POST /api/voice/webhook`: LiveKit's events are verified and stored; a worker processes them.

LiveKit sends a room's events one after the other and drops those that wait too long, so we respond at once.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import OpenApiExample, OpenApiRequest, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from telephony.events.inbox import inbox
from telephony.events.refusals import note_refusal
from telephony.twilio.signature import refuse
from voiceapp.core.api.errors import BROKEN, Problem, VoiceError
from voiceapp.core.api.openapi import describes, errors
from voiceapp.core.http.body_limits import LIVEKIT_EVENT_BYTES
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.errors import LiveKitError
from voiceapp.providers.livekit.webhooks import LiveKitEvent, SignatureRefused

from .events import SOURCE
from .kept_fields import kept_fields
from .serializers import EVENT, LiveKitEventRequest, LiveKitEventResponse

logger = structlog.get_logger("webhooks")

CONTENT_TYPES = ("application/webhook+json", "application/json")
MAX_BODY_BYTES = LIVEKIT_EVENT_BYTES
MAX_KEY = 200
NOT_POST = Problem(405, message="LiveKit posts its events.")
WRONG_MEDIA_TYPE = Problem(415, message=f"Send {CONTENT_TYPES[0]}.")
NOT_CONFIGURED = Problem(503, "Voice service not configured", "livekit: LIVEKIT_API_KEY is missing.")
NO_BODY = Problem(400, message="The body did not arrive.")
TOO_LARGE = Problem(413, message=f"At most {MAX_BODY_BYTES} bytes.")
UNSIGNED = Problem(401)
NOT_STORED = Problem(503, message="The event was not stored. Send it again.")


class LiveKitWebhookView(APIView):
    """Describes `livekit_webhook`: Django REST framework would answer LiveKit's content type with 415."""

    error_shape = VoiceError

    @extend_schema(
        operation_id="receiveLiveKitEvent",
        tags=["Webhooks"],
        summary="Receive an event from LiveKit",
        description="For LiveKit's server: set this address as its webhook. Each event is processed once, in whatever "
        "order and however often it arrives; unknown rooms and events get 200 as well.",
        auth=[{"livekitSignature": []}],  # type: ignore[list-item]  # as drf-spectacular passes it on
        request={
            media_type: OpenApiRequest(LiveKitEventRequest, examples=[OpenApiExample("joined", EVENT)])
            for media_type in CONTENT_TYPES
        },
        responses={
            200: LiveKitEventResponse,
            **errors(NO_BODY, UNSIGNED, TOO_LARGE, WRONG_MEDIA_TYPE, BROKEN, NOT_CONFIGURED, NOT_STORED),
        },
    )
    def post(self, request: Request) -> Response:
        raise NotImplementedError


@describes(LiveKitWebhookView)
@csrf_exempt
def livekit_webhook(request: HttpRequest) -> JsonResponse:
    """200 to every genuine event, known or not; 5xx only where LiveKit should send it again."""
    if request.method != "POST":
        return _error(NOT_POST, Allow="POST")
    if request.content_type not in CONTENT_TYPES:
        return _error(WRONG_MEDIA_TYPE)
    try:
        client = LiveKitClient.from_settings()
    except LiveKitError as error:
        return _error(replace(NOT_CONFIGURED, message=f"{error}."))
    try:
        body = request.read(MAX_BODY_BYTES + 1)
    except UnreadablePostError:
        return _error(NO_BODY)
    if len(body) > MAX_BODY_BYTES:
        return _error(TOO_LARGE)
    try:
        event = client.verify_webhook(body, request.headers.get("Authorization", ""))
    except SignatureRefused as refused:
        refuse(SOURCE, refused.reason)
        note_refusal(SOURCE, webhook=SOURCE, reason=refused.reason, request=request)
        return _error(UNSIGNED)
    try:
        _store(event)
    except DatabaseError:
        logger.exception("the database did not respond", endpoint=SOURCE)
        return _error(NOT_STORED)
    return JsonResponse(LiveKitEventResponse(event).data)


def _store(event: LiveKitEvent) -> None:
    key = event.key if len(event.key) <= MAX_KEY else f"sha256:{hashlib.sha256(event.key.encode()).hexdigest()}"
    inbox.store(
        SOURCE, dedup_key=key, kind=event.event, partition_key=event.room_name, fields=kept_fields(event.record)
    )


def _error(problem: Problem, **headers: str) -> JsonResponse:
    return JsonResponse(VoiceError.render(problem), status=problem.status, headers=headers)
