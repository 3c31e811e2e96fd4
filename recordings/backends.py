"""Where audio is kept, as Django's storages: the server's disk, or a private bucket at AWS or Google.

All overwrite by name.
"""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from boto3.s3.transfer import TransferConfig
from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage
from storages.backends.s3 import S3Storage

from voiceapp.core.kept_texts import KeptText
from voiceapp.providers.aws.client import FAULTS, aws_error, aws_resource
from voiceapp.providers.errors import ProviderError
from voiceapp.providers.google.storage import SERVICE, google_resource

CHUNK_BYTES = 256 * 1024
# A file that a process was writing when it died.
UNFINISHED = ".part"
# In front of a bucket's name: it is at Google, not at AWS.
AT_GOOGLE = "gs://"
NOT_FOUND = ("404", "NoSuchKey", "NotFound")


@dataclass(frozen=True, slots=True)
class StoredFile:
    key: str
    size_bytes: int
    changed_at: dt.datetime


class AudioStorage(Protocol):
    """What this product needs of a storage beside Django's own methods. Raises OSError or one of FAULTS."""

    def save(self, name: str, content: File[bytes]) -> str: ...

    def exists(self, name: str) -> bool: ...

    def size(self, name: str) -> int: ...

    def delete(self, name: str) -> None: ...

    def read(self, name: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`, in parts. FileNotFoundError or a 404 if there is no such file."""

    def files(self, folder: str) -> Iterator[StoredFile]:
        """All files below the folder."""


class DiskStorage(FileSystemStorage):
    """RECORDINGS_DIR. A file is complete or not there: a process that dies leaves what the next attempt replaces."""

    def __init__(self) -> None:
        super().__init__(location=settings.RECORDINGS_DIR, allow_overwrite=True)

    def _save(self, name: str, content: File[bytes]) -> str:
        path = Path(self.path(name))
        unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex}{UNFINISHED}")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with unfinished.open("wb") as file:
                for chunk in content.chunks(CHUNK_BYTES):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        return name

    def delete(self, name: str) -> None:
        Path(self.path(name)).unlink(missing_ok=True)

    def read(self, name: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        with Path(self.path(name)).open("rb") as file:
            file.seek(start)
            yield from _parts(file, None if stop is None else stop - start)

    def files(self, folder: str) -> Iterator[StoredFile]:
        root = Path(self.location)
        for parent, _, names in os.walk(self.path(folder)):
            for path in (Path(parent, name) for name in names):
                try:
                    found = path.stat()
                except FileNotFoundError:
                    continue  # deleted meanwhile
                changed_at = dt.datetime.fromtimestamp(found.st_mtime, tz=dt.UTC)
                yield StoredFile(path.relative_to(root).as_posix(), found.st_size, changed_at)


class BucketStorage(S3Storage):  # type: ignore[misc]  # django-storages has no types
    """A bucket, with this product's credentials, time-outs and addresses (voiceapp/providers/aws/client.py).

    `name` with `gs://` in front is one at Google (voiceapp/providers/google/storage.py).
    """

    def __init__(self, name: str) -> None:
        self._is_google = name.startswith(AT_GOOGLE)
        super().__init__(
            bucket_name=name.removeprefix(AT_GOOGLE),
            file_overwrite=True,
            querystring_auth=True,
            custom_domain=None,
            location="",
            # An upload in several parts at once would need several connections and threads of each worker.
            transfer_config=TransferConfig(use_threads=False),
        )

    @property
    def connection(self) -> Any:
        """One per process: making it takes 100 ms, and each request has a thread of its own."""
        if self._is_google:
            return google_resource()
        return aws_resource("s3", region=settings.LIVEKIT_RECORDING_REGION or settings.AWS_REGION)

    @property
    def bucket(self) -> Any:
        return self.connection.Bucket(self.bucket_name)

    def read(self, name: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        if stop is not None and stop <= start:
            return
        part = {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"} if start or stop is not None else {}
        body = self.connection.meta.client.get_object(Bucket=self.bucket_name, Key=name, **part)["Body"]
        try:
            yield from body.iter_chunks(CHUNK_BYTES)
        finally:
            body.close()

    def require(self) -> None:
        """Raises one of FAULTS if it is not there for us."""
        self.connection.meta.client.head_bucket(Bucket=self.bucket_name)

    def files(self, folder: str) -> Iterator[StoredFile]:
        pages = self.connection.meta.client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.bucket_name, Prefix=f"{folder.rstrip('/')}/"):
            for each in page.get("Contents", ()):
                yield StoredFile(each["Key"], each["Size"], each["LastModified"])


def storage_of(bucket: str) -> AudioStorage:
    """The disk where the name is empty. Each recording keeps the name of its own."""
    return BucketStorage(bucket) if bucket else DiskStorage()


def storage_error(fault: Exception, bucket: str) -> ProviderError:
    """An OSError, a refused key, or one of FAULTS. It is permanent if there is no such file."""
    if isinstance(fault, FileNotFoundError):
        return ProviderError("disk", KeptText("the file is gone"), permanent=True)
    if isinstance(fault, OSError):
        return ProviderError("disk", fault.strerror or type(fault).__name__)
    if isinstance(fault, FAULTS):
        error = aws_error(SERVICE if bucket.startswith(AT_GOOGLE) else "s3", fault)
        if error.code in NOT_FOUND:
            return ProviderError(error.provider, KeptText("the file is gone"), permanent=True)
        return error
    return ProviderError("disk", "the key leads out of RECORDINGS_DIR", permanent=True)


def _parts(file: IO[bytes], length: int | None) -> Iterator[bytes]:
    while length is None or length > 0:
        chunk = file.read(CHUNK_BYTES if length is None else min(CHUNK_BYTES, length))
        if not chunk:
            return
        yield chunk
        length = None if length is None else length - len(chunk)
