"""Files that this product keeps: stored, read and deleted wherever they are (backends.py), in one family of errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.exceptions import SuspiciousOperation
from django.core.files import File
from django.core.files.base import ContentFile

from recordings.backends import BucketStorage, StoredFile, storage_error, storage_of
from recordings.models import Recording
from recordings.storage import SOUND_TYPES, bucket
from voiceapp.core.transactions import release_connections
from voiceapp.providers.aws.client import FAULTS


def store_file(key: str, content: bytes | Path, *, file_type: str) -> str:
    """The bucket that now has it, empty for the disk. The same key overwrites. Raises ProviderError."""
    name = bucket()
    with _converted(name):
        if isinstance(content, bytes):
            _save(name, key, ContentFile(content), file_type)
        else:
            with content.open("rb") as source:
                _save(name, key, File(source), file_type)
    return name


def read_file(recording: Recording) -> bytes:
    """Raises ProviderError; it is permanent if the file is gone."""
    return b"".join(read_range(recording))


def read_range(recording: Recording, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """The bytes from `start` up to `stop`, in parts of a quarter of a megabyte. Raises ProviderError."""
    with _converted(recording.bucket):
        yield from storage_of(recording.bucket).read(recording.key, start, stop)


def read_part(recording: Recording, part: range) -> bytes:
    """These bytes of the file. Raises ProviderError; it is permanent if the file is gone."""
    return b"".join(read_range(recording, part.start, part.stop)) if part else b""


def file_size(recording: Recording) -> int:
    """In bytes, of the file as it is stored. Raises ProviderError; it is permanent if the file is gone."""
    with _converted(recording.bucket):
        return storage_of(recording.bucket).size(recording.key)


def has_file(bucket_name: str, key: str) -> bool:
    """Raises ProviderError."""
    with _converted(bucket_name):
        return storage_of(bucket_name).exists(key)


def copy_file(recording: Recording, into: Path) -> None:
    """Raises ProviderError; it is permanent if the file is gone."""
    with into.open("wb") as file:
        for part in read_range(recording):
            file.write(part)


def delete_file(recording: Recording) -> None:
    """Also if it is gone already. Raises ProviderError."""
    if recording.key:
        delete_key(recording.bucket, recording.key)


def delete_key(bucket_name: str, key: str) -> None:
    """Also if it is gone already. Raises ProviderError."""
    with _converted(bucket_name):
        storage_of(bucket_name).delete(key)


def list_files(bucket_name: str, folder: str) -> Iterator[StoredFile]:
    """Raises ProviderError."""
    with _converted(bucket_name):
        yield from storage_of(bucket_name).files(folder)


def find_bucket(bucket_name: str) -> None:
    """Raises ProviderError if it is not there, or if our keys may not list it."""
    with _converted(bucket_name):
        BucketStorage(bucket_name).require()


def _save(bucket_name: str, key: str, content: File[bytes], file_type: str) -> None:
    content.content_type = SOUND_TYPES[Recording.FileType(file_type)]  # type: ignore[attr-defined]  # read by S3Storage
    storage_of(bucket_name).save(key, content)


@contextmanager
def _converted(bucket_name: str) -> Iterator[None]:
    release_connections()
    try:
        yield
    except (OSError, SuspiciousOperation, *FAULTS) as fault:
        raise storage_error(fault, bucket_name) from fault
