"""What the page of a call over WebRTC records of it, if its caller agreed: a WebM file, sent in pieces."""

from __future__ import annotations

from typing import IO

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from recordings.services.page import LONGEST_AGE_MS, MOST_BYTES, NoSound, PieceRefused, take_piece
from sessions.calls.models import CallKind
from sessions.rooms.api.errors import NO_CALL_FOR_YOU
from voiceapp.core.api.errors import Problem, raised_as
from voiceapp.core.api.strict_json import StrictSerializer
from voiceapp.core.limits.limit import CALL_PROGRESS

from ..api import is_uuid
from ..page_view import CallPageError, CallPageView

LONGEST_PIECE_BYTES = 60 * 1024

NO_SOUND = Problem(400, "No sound", NoSound.message, code="no_sound", malformed=True)
EMPTY = Problem(400, "Empty", "The piece is empty.", code="empty", malformed=True)
NOT_RECORDED = Problem(409, "Not recorded", PieceRefused.message, code="not_recorded")
TOO_LARGE = Problem(
    413, "Too large", f"A piece has {LONGEST_PIECE_BYTES:,} bytes at most.", code="too_large", malformed=True
)
NOT_STORED = Problem(503, "Not stored", "The recording cannot be stored now. Try again soon.", code="not_stored")


class PieceParser(BaseParser):
    """The body as it is; longer ones are refused."""

    media_type = "audio/webm"

    def parse(self, stream: IO[bytes], media_type: object = None, parser_context: object = None) -> dict[str, bytes]:
        piece = stream.read(LONGEST_PIECE_BYTES + 1)
        if len(piece) > LONGEST_PIECE_BYTES:
            raise TOO_LARGE.error()
        return {"piece": piece}


class PieceQuery(StrictSerializer):
    at = serializers.IntegerField(min_value=0, max_value=MOST_BYTES, help_text="The place of the piece in the file.")
    ageMs = serializers.IntegerField(
        min_value=0, max_value=LONGEST_AGE_MS, default=0, help_text="For how long the page has recorded."
    )
    sinceJoinedMs = serializers.IntegerField(
        min_value=0, max_value=LONGEST_AGE_MS, allow_null=True, default=None,
        help_text="How long after it had joined the call the page began to record.",
    )  # fmt: skip
    isLast = serializers.BooleanField(default=False)


@extend_schema(exclude=True)
class PageRecordingView(CallPageView):
    """`POST` of the next piece. A piece that is sent again changes nothing. 409: stop recording."""

    error_shape = CallPageError
    limits = {"POST": CALL_PROGRESS}
    parser_classes = [PieceParser]
    http_method_names = ["post", "options"]

    def post(self, request: Request, organization: str, call_id: str) -> Response:
        where = PieceQuery.of_query(request)
        # The caller's own alone, also of people who may see all calls.
        calls = self.caller.calls().filter(kind=CallKind.BROWSER, owner=self.caller.principal.subject)
        call = calls.filter(pk=call_id).first() if is_uuid(call_id) else None
        if call is None:
            raise NO_CALL_FOR_YOU.error()
        body = request.data  # an empty one is not parsed
        piece: bytes = body.get("piece", b"") if isinstance(body, dict) else b""
        if not piece:
            raise EMPTY.error()
        try:
            with raised_as({PieceRefused: NOT_RECORDED, NoSound: NO_SOUND}):
                size = take_piece(
                    call,
                    piece,
                    at=where["at"],
                    age_ms=where["ageMs"],
                    since_joined_ms=where["sinceJoinedMs"],
                    is_last=where["isLast"],
                )
        except OSError as exc:
            raise NOT_STORED.error(retry_after_s=5) from exc
        return Response({"size": size})
