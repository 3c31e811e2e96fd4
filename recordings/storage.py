"""Where files of recordings are: in one private bucket, under names of our own, fetched by links that soon expire."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import structlog
from django.conf import settings
from django.utils import timezone

from recordings.addresses import signed_path
from recordings.backends import AT_GOOGLE, BucketStorage, storage_error
from recordings.models import Recording
from sessions.calls.models import Call
from voiceapp.providers.aws.client import FAULTS
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.livekit.client import GoogleStorage, S3Storage

logger = structlog.get_logger("recordings")

# What `outputPath` may be: the name a file is offered under, never a way to it (no folders, no dots in front).
LABEL = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
LINK_LIVES_S = 300
SOUND_TYPES = {
    Recording.FileType.MP4: "audio/mp4",
    Recording.FileType.OGG: "audio/ogg",
    Recording.FileType.WAV: "audio/wav",
}


def is_configured() -> bool:
    """Whether recordings can be made: LiveKit and a bucket are named."""
    return bool(
        settings.LIVEKIT_INTERNAL_URL
        and settings.LIVEKIT_API_KEY
        and settings.LIVEKIT_API_SECRET
        and settings.LIVEKIT_RECORDING_BUCKET
    )


def storage() -> S3Storage | GoogleStorage:
    """The bucket's description for LiveKit's recorder. Without keys here it needs its own."""
    if bucket().startswith(AT_GOOGLE):
        return GoogleStorage(bucket().removeprefix(AT_GOOGLE), settings.GCS_CREDENTIALS)
    return S3Storage(
        bucket=bucket(),
        region=bucket_region(),
        access_key=settings.AWS_ACCESS_KEY_ID,
        secret_key=settings.AWS_SECRET_ACCESS_KEY,
        endpoint=settings.AWS_ENDPOINT_URL,
    )


def new_key(call: Call, file_type: str, *, now: dt.datetime | None = None) -> str:
    """`recordings/{tenant}/{yyyy}/{mm}/{uuid}.{ext}`: nothing of it is chosen by a client."""
    tenant = call.organization_id or "alone"
    return f"recordings/{tenant}/{now or timezone.now():%Y/%m}/{uuid.uuid4()}.{file_type}"


def recording_link(recording: Recording) -> str | None:
    """An address that serves the file, or will once the recording has ended; None where none is to be expected.

    It works without any other credential: make it only after the permission check. Raises ProviderError.
    """
    if recording.url:
        return recording.url
    if not recording.bucket:
        return settings.PUBLIC_BASE_URL + signed_path(recording, is_download=True) if recording.has_file else None
    if recording.has_file or recording.is_running or recording.is_being_stored:
        return _signed(recording)
    return None


def recording_link_if_possible(recording: Recording) -> str | None:
    """The same, where its absence spoils nothing: None when no link can be signed."""
    try:
        return recording_link(recording)
    except ProviderError as error:
        logger.warning("no link to a recording", recording=recording.pk, error=str(error))
        return None


def is_fetchable(recording: Recording) -> bool:
    """Whether there is a file already."""
    return bool(recording.url) or recording.has_file


def file_link(recording: Recording) -> str | None:
    """To a file that is there; None where there is none, or no link can be signed."""
    return recording_link_if_possible(recording) if is_fetchable(recording) else None


def file_name(recording: Recording) -> str:
    """What the file is called when somebody keeps it; a label that names the type already keeps its one ending."""
    ending = f".{recording.file_type}"
    name = recording.label or recording.call.room_name or f"recording-{recording.pk}"
    return name if name.lower().endswith(ending) else name + ending


def bucket() -> str:
    """Where new recordings go, `gs://…` at Google, empty for the disk; each keeps the name of its own."""
    name: str = settings.LIVEKIT_RECORDING_BUCKET
    return name


def bucket_region() -> str:
    region: str = settings.LIVEKIT_RECORDING_REGION or settings.AWS_REGION
    return region


def _signed(recording: Recording) -> str:
    wanted = {
        "ResponseContentDisposition": f'attachment; filename="{file_name(recording)}"',
        "ResponseContentType": SOUND_TYPES[Recording.FileType(recording.file_type)],
    }
    try:
        link: str = BucketStorage(recording.bucket).url(recording.key, parameters=wanted, expire=LINK_LIVES_S)
    except FAULTS as fault:
        raise storage_error(fault, recording.bucket) from fault
    return link
