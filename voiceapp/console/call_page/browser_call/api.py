"""What the page requests to call over WebRTC: a call with its secret, and the answer to its offer."""

from __future__ import annotations

import re
from typing import IO
from uuid import UUID

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.calls.models import CallKind, CallState
from sessions.realtime.api import PROVIDER_ERROR
from sessions.realtime.services.client_secrets import ProviderFailed
from sessions.rooms.api.errors import NO_CALL_FOR_YOU
from voiceapp.core.api.errors import Problem, RealtimeSessionError, raised_as
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.core.api.timestamps import iso_z
from voiceapp.core.http.client_address import address_of
from voiceapp.core.limits.limit import CALL_PROGRESS, SESSION_CREATION
from voiceapp.core.serving import serving

from ..admission import admit
from ..api import is_uuid
from ..opening import NoPageCall, open_page_call
from ..page_view import CallPageView
from .carrying import carry, is_ours, tell_carrier
from .reconnecting import LostAgain, answer_again
from .services import CallOver, NoOffer, SecretRefused, SecretUsed, answer_offer, end_browser_call, mint_secret

LONGEST_OFFER_BYTES = 64 * 1024
SHORT_NUMBER = re.compile("[0-9]{1,6}")

NO_OFFER = Problem(400, message=str(NoOffer()), malformed=True)
SECRET_REFUSED = Problem(401, message=str(SecretRefused()))
SECRET_USED = Problem(409, message=str(SecretUsed()), code="secret_used")
CALL_OVER = Problem(409, message=str(CallOver()), code="call_over")
LOST_AGAIN = Problem(409, message=str(LostAgain()), code="lost_again")
NO_CALL = Problem(503, code="refused")
NO_PLACE = Problem(503, message="All lines are busy, or the server is restarting. Call again in a minute.")


class OfferParser(BaseParser):
    """Of any text, none if it is too long: what is no offer has words of its own."""

    media_type = "application/sdp"

    def parse(self, stream: IO[bytes], media_type: object = None, parser_context: object = None) -> dict[str, str]:
        body = stream.read(LONGEST_OFFER_BYTES + 1)
        return {"offer": "" if len(body) > LONGEST_OFFER_BYTES else body.decode("utf-8", "replace")}


class BeginCallRequest(StrictSerializer):
    record = serializers.BooleanField(default=False, help_text="The caller agrees that the page records the call.")


class CallError(RealtimeSessionError):
    """As of `/realtime_session`, with the codes of what only a page has to tell apart."""

    def get_error_code(self, problem: Problem) -> str:
        own = problem.code if problem.code and problem.status in (403, 404, 409, 429, 503) else ""
        return own or super().get_error_code(problem)


@extend_schema(exclude=True)
class RealtimeCallView(CallPageView):
    """Begins a call. The secret is good for its one offer."""

    error_shape = CallError
    limits = {"POST": SESSION_CREATION}
    http_method_names = ["post"]

    def post(self, request: Request, organization: str) -> Response:
        body = BeginCallRequest.of_body(request)
        if serving.is_draining or serving.is_full:
            raise NO_PLACE.error()
        with raised_as({NoPageCall: NO_CALL}), admit(self.caller, address=address_of(request._request)) as admission:
            call = open_page_call(self.caller, wants_recording=body["record"], state=CallState.PENDING)
            admission.took(call)
        try:
            secret = mint_secret(call)
        except ProviderFailed as exc:
            raise PROVIDER_ERROR.error(str(exc)) from exc
        recording = reverse("call-page-recording", args=[organization, call.pk]) if call.is_recording_wanted else None
        content = {
            "callId": str(call.pk),
            "secret": {"value": secret.value, "expiresAt": iso_z(secret.expires_at)},
            "callsUrl": reverse("call-page-offer", args=[organization, call.pk]),
            "model": secret.model,
            "voice": secret.voice,
            "socket": f"/ws/browser-call/{call.pk}",
            "recording": recording,
        }
        return Response(content, status=201)


@extend_schema(exclude=True)
class OfferView(APIView):
    """`POST` as at OpenAI: an SDP offer with the secret as bearer token. No cookie counts: the secret is the call's."""

    authentication_classes = ()
    permission_classes = ()
    error_shape = CallError
    http_method_names = ["post"]

    def post(self, request: Request, organization: str, call_id: str) -> HttpResponse:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not is_uuid(call_id):
            raise SECRET_REFUSED.error()
        if serving.is_draining or serving.is_full:
            raise NO_PLACE.error()
        problems: dict[type[Exception], Problem] = {
            NoOffer: NO_OFFER,
            SecretRefused: SECRET_REFUSED,
            SecretUsed: SECRET_USED,
            CallOver: CALL_OVER,
            ProviderFailed: PROVIDER_ERROR,
        }
        with raised_as(problems):
            call, answer = answer_offer(
                UUID(call_id), organization=organization, secret=secret.strip(), offer=_text_of(request)
            )
        if is_ours(call) and (why_not := async_to_sync(carry)(call.pk, str(call.carrier_sid))):
            end_browser_call(call.pk, why_not)
            raise NO_PLACE.error()
        return HttpResponse(answer, status=201, content_type="application/sdp")


@extend_schema(exclude=True)
class OfferAgainView(CallPageView):
    """`POST` of the SDP offer with which a browser that has lost its connection goes on with its call.

    `?unheardMs=`: for how long it has heard nothing of the agent.
    """

    error_shape = CallError
    limits = {"POST": CALL_PROGRESS}
    parser_classes = [OfferParser]
    http_method_names = ["post"]

    def post(self, request: Request, organization: str, call_id: str) -> HttpResponse:
        calls = self.caller.calls().select_related("organization").filter(kind=CallKind.BROWSER)
        call = calls.filter(pk=call_id).first() if is_uuid(call_id) else None
        if call is None:
            raise NO_CALL_FOR_YOU.error()
        unheard = request.query_params.get("unheardMs", "")
        problems: dict[type[Exception], Problem] = {
            NoOffer: NO_OFFER,
            CallOver: CALL_OVER,
            LostAgain: LOST_AGAIN,
            ProviderFailed: PROVIDER_ERROR,
        }
        with raised_as(problems):
            unheard_ms = int(unheard) if SHORT_NUMBER.fullmatch(unheard) else 0
            answer = answer_again(call, offer=_offer_in(request), unheard_ms=unheard_ms)
        async_to_sync(tell_carrier)(call.pk)
        return HttpResponse(answer, status=201, content_type="application/sdp")


def _text_of(request: Request) -> str:
    body: bytes = request._request.body
    return body.decode("utf-8", "replace")


def _offer_in(request: Request) -> str:
    """What OfferParser has read; an empty body is not parsed."""
    body = request.data
    return str(body.get("offer", "")) if isinstance(body, dict) else ""
