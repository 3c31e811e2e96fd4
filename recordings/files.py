"""Files that this product stores itself: in the bucket of recordings or, without one, on the server's disk."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings

from recordings.models import Recording
from recordings.storage import SOUND_TYPES, bucket, bucket_region
from voiceapp.core.transactions import release_connections
from voiceapp.providers.aws.client import FAULTS, aws_client, aws_error
from voiceapp.providers.errors import ProviderError


def store_file(key: str, content: bytes, *, file_type: str) -> str:
    """The bucket that now has it, empty for the disk. The same key overwrites. Raises ProviderError."""
    name = bucket()
    if not name:
        _write(_path_of(key), content)
        return name
    release_connections()
    try:
        client = aws_client("s3", region=bucket_region())
        sound_type = SOUND_TYPES[Recording.FileType(file_type)]
        client.put_object(Bucket=name, Key=key, Body=content, ContentType=sound_type)
    except FAULTS as fault:
        raise aws_error("s3", fault) from fault
    return name


def read_file(recording: Recording) -> bytes:
    """Raises ProviderError; it is permanent if the file is gone."""
    if not recording.bucket:
        return _read(_path_of(recording.key))
    release_connections()
    try:
        client = aws_client("s3", region=bucket_region())
        content: bytes = client.get_object(Bucket=recording.bucket, Key=recording.key)["Body"].read()
    except FAULTS as fault:
        raise aws_error("s3", fault) from fault
    return content


def delete_file(recording: Recording) -> None:
    """Also if it is gone already. Raises ProviderError."""
    if not recording.key:
        return
    if not recording.bucket:
        _delete(_path_of(recording.key))
        return
    release_connections()
    try:
        client = aws_client("s3", region=bucket_region())
        client.delete_object(Bucket=recording.bucket, Key=recording.key)
    except FAULTS as fault:
        raise aws_error("s3", fault) from fault


def _path_of(key: str) -> Path:
    """Within the folder: keys are ours, and none leads out of it."""
    folder = Path(settings.RECORDINGS_DIR).resolve()
    path = (folder / key).resolve()
    if not path.is_relative_to(folder):
        raise ProviderError("disk", "the key leads out of RECORDINGS_DIR", permanent=True)
    return path


def _write(path: Path, content: bytes) -> None:
    """Complete or not at all: a process that dies leaves a file that the next attempt replaces."""
    unfinished = path.with_suffix(f"{path.suffix}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as exc:
        raise ProviderError("disk", f"{exc.strerror or type(exc).__name__}: {path.parent}") from exc


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as exc:
        raise ProviderError("disk", "the file is gone", permanent=True) from exc
    except OSError as exc:
        raise ProviderError("disk", exc.strerror or type(exc).__name__) from exc


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        raise ProviderError("disk", exc.strerror or type(exc).__name__) from exc
