"""`POST /api/voice/webhook`: LiveKit's events, verified and kept; the queue works them off.

LiveKit sends a room's events one after the other and drops those that wait too long, so the answer may not take long.
"""

from __future__ import annotations

import hashlib
from http import HTTPStatus

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from telephony.twilio.signature import refuse
from voiceapp.core.api.errors import Refusal, voice_shape
from voiceapp.core.http.body_limits import LIVEKIT_EVENT_BYTES
from voiceapp.providers.livekit.client import LiveKitClient
from voiceapp.providers.livekit.errors import LiveKitError
from voiceapp.providers.livekit.webhooks import LiveKitEvent, SignatureRefused

from .inbox import inbox
from .kept_fields import kept_fields

logger = structlog.get_logger("doors")

SOURCE = "livekit"
DOOR = "livekit"
CONTENT_TYPES = ("application/webhook+json", "application/json")
LONGEST_BODY = LIVEKIT_EVENT_BYTES
LONGEST_KEY = 200


@csrf_exempt
def livekit_webhook(request: HttpRequest) -> JsonResponse:
    """200 to every genuine event, known or not; 5xx only where LiveKit shall send it again."""
    if request.method != "POST":
        return _refusal(HTTPStatus.METHOD_NOT_ALLOWED, "LiveKit posts its events.", Allow="POST")
    if request.content_type not in CONTENT_TYPES:
        return _refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send {CONTENT_TYPES[0]}.")
    try:
        client = LiveKitClient.from_settings()
    except LiveKitError as error:
        title = "Voice service not configured"
        return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, f"{error}.", title=title)
    try:
        body = request.read(LONGEST_BODY + 1)
    except UnreadablePostError:
        return _refusal(HTTPStatus.BAD_REQUEST, "The body did not arrive.")
    if len(body) > LONGEST_BODY:
        return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {LONGEST_BODY} bytes.")
    try:
        event = client.verify_webhook(body, request.headers.get("Authorization", ""))
    except SignatureRefused as refused:
        refuse(DOOR, refused.reason)
        return _refusal(HTTPStatus.UNAUTHORIZED, "")
    try:
        _keep(event)
    except DatabaseError:
        logger.exception("the database did not answer", door=DOOR)
        return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "The event was not kept. Send it again.")
    return JsonResponse({"received": True, "event": event.event})


def _keep(event: LiveKitEvent) -> None:
    key = event.key if len(event.key) <= LONGEST_KEY else f"sha256:{hashlib.sha256(event.key.encode()).hexdigest()}"
    inbox.store(
        SOURCE, dedup_key=key, kind=event.event, partition_key=event.room_name, fields=kept_fields(event.record)
    )


def _refusal(status: HTTPStatus, message: str, *, title: str = "", **headers: str) -> JsonResponse:
    refusal = Refusal(status=status, code=status.name.lower(), message=message, title=title)
    return JsonResponse(voice_shape(refusal), status=status, headers=headers)
