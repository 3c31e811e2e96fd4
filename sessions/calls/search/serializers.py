"""Requests and responses of `/api/voice/search`."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from sessions.calls.models import Call, CallKind, TranscriptLine
from voiceapp.core.api.fields import ConstantField, TextField, TimestampField
from voiceapp.core.api.strict_json import StrictSerializer

from .marking import Excerpt, excerpt_of
from .queries import FoundLines
from .typed import LONGEST_SEARCH, Search

MOST_LISTED = 100
LARGEST_ID = 2**63 - 1
CALL_ID = "3f0e8c1a-5b7d-4a2e-9c6f-1d2e3f4a5b6c"


@dataclass(frozen=True, slots=True)
class Hit:
    """A line that was found, as it is shown."""

    line: TranscriptLine
    excerpt: Excerpt

    @property
    def call(self) -> Call:
        return self.line.call

    @property
    def play_path(self) -> str:
        return play_path(self.line)


def play_path(line: TranscriptLine) -> str:
    """The page of the line's call, with the player at the second at which it was said."""
    page = reverse("admin:voice_sessions_call_change", args=(line.call_id,))
    return f"{page}?t={line.spoken_at_ms // 1000}"


def hits_of(found: FoundLines, search: Search) -> list[Hit]:
    return [Hit(line, excerpt_of(line.text, search)) for line in found.lines]


@dataclass(frozen=True, slots=True)
class FoundHits:
    hits: list[Hit]
    before: int | None


class SearchQuery(StrictSerializer):
    """`q` as people type it."""

    titles = {"q": "Invalid search"}

    q = TextField(
        max_length=LONGEST_SEARCH,
        help_text='Words and numbers; all of them must be in one line. "no onions" finds words next to each other, '
        "pizz* the beginning of a word, 0176 1234567 a number however it is written.",
    )
    limit = serializers.IntegerField(default=20, min_value=1, help_text=f"At most {MOST_LISTED}.")
    before = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_ID, help_text="`next` of the former page."
    )

    def validate_limit(self, limit: int) -> int:
        return min(limit, MOST_LISTED)


class SearchHit(serializers.Serializer[Hit]):
    callId = serializers.UUIDField(source="call.pk")
    kind = serializers.ChoiceField(CallKind.choices, source="call.kind")
    roomName = serializers.CharField(source="call.room_name", allow_null=True, help_text="Of a call in a room.")
    startedAt = TimestampField(source="call.created_at")
    speaker = serializers.ChoiceField(TranscriptLine.Speaker.choices, source="line.speaker")
    spokenAtMs = serializers.IntegerField(source="line.spoken_at_ms", help_text="In the call.")
    sentence = serializers.CharField(source="excerpt.text", help_text="A long one is cut around what was found.")
    html = serializers.CharField(
        source="excerpt.html", help_text="The sentence, escaped, with `<mark>` around what was found."
    )
    playPath = serializers.CharField(
        source="play_path", help_text="The page that plays it, for users of the admin who may see the call."
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "found",
            {
                "success": True,
                "results": [
                    {
                        "callId": CALL_ID,
                        "kind": "phone",
                        "roomName": None,
                        "startedAt": "2024-01-01T00:00:00Z",
                        "speaker": "caller",
                        "spokenAtMs": 83_400,
                        "sentence": "A pizza Funghi without onions, please.",
                        "html": "A pizza Funghi without <mark>onions</mark>, please.",
                        "playPath": f"/admin/voice_sessions/call/{CALL_ID}/change/?t=83",
                    }
                ],
                "next": None,
            },
        )
    ]
)
class SearchResponse(serializers.Serializer[FoundHits]):
    success = ConstantField(True)
    results = SearchHit(many=True, source="hits")
    next = serializers.IntegerField(
        source="before", allow_null=True, help_text="For `before` of the next page; null on the last."
    )
