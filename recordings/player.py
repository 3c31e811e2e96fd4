"""Audio for a browser, which asks for parts of it (RFC 9110, 14): without ranges Safari plays nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from recordings.addresses import AddressExpired, is_download_address
from recordings.files import file_size, read_part
from recordings.models import Recording
from recordings.storage import SOUND_TYPES, file_name
from voiceapp.core.api.errors import ApiError
from voiceapp.core.limits.credentials import count_wrong_credential
from voiceapp.providers.errors import ProviderError

RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
# A part is in memory while it is sent: of a longer range the beginning is sent, and the browser asks for the rest.
LONGEST_PART_BYTES = 1 << 20


@require_safe
def recording_audio(request: HttpRequest, recording_id: int) -> HttpResponse:
    """`GET /recordings/<id>/audio?signature=…`: the signature is the credential; who may have it was checked before."""
    try:
        is_download = is_download_address(recording_id, request.GET.get("signature", ""))
        if is_download is None:
            count_wrong_credential(request)
            return _plain(404, "There is no such recording.")
    except AddressExpired:
        return _plain(403, "This address has expired. Open the call's page again, or request a new link.")
    except ApiError as exc:
        return _plain(exc.status_code, str(exc.detail))
    recording = Recording.objects.select_related("call").filter(pk=recording_id).first()
    if recording is None or not recording.has_file:
        return _plain(404, "The recording was deleted.")
    return stored_sound(request, recording, is_download=is_download)


def stored_sound(request: HttpRequest, recording: Recording, *, is_download: bool = False) -> HttpResponse:
    """The file of a recording, or the part of it that the request names. Check the permission first."""
    try:
        return sound_response(
            request,
            file_size(recording),
            lambda part: read_part(recording, part),
            content_type=SOUND_TYPES[Recording.FileType(recording.file_type)],
            file_name=file_name(recording),
            is_download=is_download,
        )
    except ProviderError as error:
        return _plain(404 if error.permanent else 503, f"The audio cannot be read ({error}).")


def sound_response(
    request: HttpRequest,
    size: int,
    read: Callable[[range], bytes],
    *,
    content_type: str,
    file_name: str,
    is_download: bool = False,
) -> HttpResponse:
    """The whole file, or one range of it. `read` returns the bytes of a range; what it raises is raised."""
    span = _span(request.headers.get("Range", ""), size)
    if span is None:
        response = HttpResponse(read(range(size)), content_type=content_type)
    elif not span:
        response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    else:
        response = HttpResponse(read(span), status=206, content_type=content_type)
        response["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
    response["Accept-Ranges"] = "bytes"
    response["Content-Disposition"] = f'{"attachment" if is_download else "inline"}; filename="{file_name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _span(header: str, size: int) -> range | None:
    """None: the whole file. An empty range: it lies outside the file."""
    found = RANGE.fullmatch(header.strip())
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        span = range(max(size - int(last), 0), size) if int(last) else range(0)
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        span = range(start, stop) if start < stop else range(0)
    return span[:LONGEST_PART_BYTES]


def _plain(status: int, text: str) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
