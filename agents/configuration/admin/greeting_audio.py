"""How the greeting of a version sounds, and in words whether callers hear that audio."""

from __future__ import annotations

import re
import struct

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext

from agents.configuration.models import AgentVersion
from agents.configuration.opening import opening_of
from agents.greetings.models import NEVER_KEPT, KeptGreeting
from agents.greetings.queries import kept_greeting
from agents.hours.local_time import when_of

SAMPLES_PER_S = 8_000
MULAW = 7
RANGE = re.compile(r"bytes=(\d{1,9})-(\d{0,9})")
State = KeptGreeting.State


def can_be_made(version: AgentVersion) -> bool:
    return bool(settings.KEEP_GREETINGS) and version.provider not in NEVER_KEPT


def kept_of(version: AgentVersion) -> KeptGreeting | None:
    return kept_greeting(version.agent.organization_id, opening_of(version, version.agent.organization))


def sentence(version: AgentVersion, kept: KeptGreeting | None) -> str:
    """“Ready: 2.4 s, spoken by marin, made on …”"""
    if not settings.KEEP_GREETINGS:
        return gettext("Off (KEEP_GREETINGS). The model speaks the greeting in each call.")
    if version.provider in NEVER_KEPT:
        return gettext("Not kept: %(provider)s speaks the greeting in each call.") % {
            "provider": version.get_provider_display()
        }
    if kept is None:
        return gettext("Not made for the current voice and model. The model speaks the greeting in each call.")
    if kept.made_at is not None:
        seconds = len(kept.audio) / SAMPLES_PER_S
        made = when_of(version, kept.made_at)
        return gettext("Ready: %(seconds)s s, spoken by %(voice)s, made %(made)s. Callers hear it at once.") % {
            "seconds": f"{seconds:.1f}",
            "voice": kept.voice,
            "made": made,
        }
    if kept.state == State.WAITING:
        error = f" {kept.state_label}: {kept.last_error}." if kept.is_retrying else ""
        return gettext("Being made by a worker.%(error)s Until then the model speaks the greeting.") % {"error": error}
    return gettext("%(state_label)s: %(last_error)s. The model speaks the greeting in each call.") % {
        "state_label": kept.state_label,
        "last_error": kept.last_error,
    }


def sound(version: AgentVersion) -> bytes:
    """A WAV file. Raises Http404 while there is no audio."""
    kept = kept_of(version)
    if kept is None or kept.made_at is None:
        raise Http404("There is no audio of this greeting.")
    return wav(bytes(kept.audio))


def wav(audio: bytes) -> bytes:
    """µ-law at 8 kHz in a WAV file (format 7; such files have a `fact` chunk)."""
    form = struct.pack("<HHIIHHH", MULAW, 1, SAMPLES_PER_S, SAMPLES_PER_S, 1, 8, 0)
    chunks = ((b"fmt ", form), (b"fact", struct.pack("<I", len(audio))), (b"data", audio))
    body = b"WAVE"
    for name, content in chunks:
        body += name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def sound_response(request: HttpRequest, content: bytes) -> HttpResponse:
    """The file, or the part of it that is requested: Safari plays only what it can request in parts."""
    wanted = RANGE.fullmatch(request.headers.get("Range", ""))
    first = int(wanted[1]) if wanted else 0
    end = min(int(wanted[2]) + 1, len(content)) if wanted and wanted[2] else len(content)
    is_part = wanted is not None and first < end
    response = HttpResponse(content[first:end] if is_part else content, content_type="audio/wav")
    response["Accept-Ranges"] = "bytes"
    if is_part:
        response.status_code = 206
        response["Content-Range"] = gettext("bytes %(first)s-%(end)s/%(number)s") % {
            "first": first,
            "end": end - 1,
            "number": len(content),
        }
    return response
