"""The file of a recording: where the request wants it, its name, and storing it in a folder or a simulated bucket."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

import aiohttp
from livekit.protocol.egress import (
    EgressInfo,
    EncodedFileOutput,
    EncodedFileType,
    GCPUpload,
    RoomCompositeEgressRequest,
)

from voiceapp.simulators.livekit.twirp import TwirpError

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TIMEOUT_S = 10
EXTENSIONS = {EncodedFileType.MP4: ".mp4", EncodedFileType.OGG: ".ogg", EncodedFileType.DEFAULT_FILETYPE: ".ogg"}


class UploadFailed(Exception):
    """The file could not be stored."""


async def store(content: bytes, *, name: str, output: EncodedFileOutput, directory: Callable[[], Path]) -> str:
    """Returns its location as LiveKit reports it. `directory` is for files without a storage. Raises UploadFailed.

    A real bucket is not written to: nothing leaves this machine.
    """
    if output.HasField("s3"):
        bucket, endpoint = output.s3.bucket, output.s3.endpoint.rstrip("/")
        if not endpoint:
            return f"https://{bucket}.s3.amazonaws.com/{name}"
        address = f"{endpoint}/{bucket}/{quote(name)}"
        if urlsplit(endpoint).hostname not in _LOOPBACK:
            raise UploadFailed(f"{endpoint} is not on this machine")
        await _upload(content, address)
        return address
    if output.HasField("gcp"):
        return await _at_google(content, name, output.gcp)
    return await asyncio.to_thread(_write, content, directory(), name)


async def _at_google(content: bytes, name: str, upload: GCPUpload) -> str:
    """An account whose tokens come from this machine has its bucket here; without a key, egress uses its machine's."""
    key = _key_of_account(upload.credentials) if upload.credentials else {}
    server = urlsplit(str(key.get("token_uri", "")))
    if server.hostname in _LOOPBACK:
        await _upload(content, f"{server.scheme}://{server.netloc}/{upload.bucket}/{quote(name)}")
    return f"https://{upload.bucket}.storage.googleapis.com/{name}"


def _key_of_account(credentials: str) -> dict[str, object]:
    """Raises UploadFailed."""
    try:
        key = json.loads(credentials)
    except ValueError:
        key = None
    if isinstance(key, dict) and key.get("type") == "service_account" and {"client_email", "private_key"} <= set(key):
        return key
    raise UploadFailed("the credentials are no key of a service account")


async def _upload(content: bytes, address: str) -> None:
    """Without a signature, which the simulator of AWS does not require."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S)) as session,
            session.put(address, data=content) as response,
        ):
            if response.status >= 300:
                raise UploadFailed(f"the bucket returned {response.status}")
    except (aiohttp.ClientError, TimeoutError) as exc:
        raise UploadFailed(f"{type(exc).__name__}") from exc


def _write(content: bytes, directory: Path, name: str) -> str:
    directory = directory.resolve()
    path = Path(os.path.normpath(directory / name.lstrip("/")))
    if not path.is_relative_to(directory):
        raise UploadFailed("the path is outside the folder of recordings")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as exc:
        raise UploadFailed(exc.strerror or type(exc).__name__) from exc
    return str(path)


def output_of(request: RoomCompositeEgressRequest) -> EncodedFileOutput:
    outputs = list(request.file_outputs) or ([request.file] if request.HasField("file") else [])
    if not outputs:
        raise TwirpError("invalid_argument", "request has missing or invalid field: output")
    if outputs[0].file_type not in EXTENSIONS:
        raise TwirpError("invalid_argument", "request has missing or invalid field: file_type")
    return outputs[0]


def without_credentials(request: RoomCompositeEgressRequest) -> RoomCompositeEgressRequest:
    shown = RoomCompositeEgressRequest()
    shown.CopyFrom(request)
    for output in [*shown.file_outputs, *([shown.file] if shown.HasField("file") else [])]:
        if output.HasField("s3"):
            output.s3.access_key, output.s3.secret = "{access_key}", "{secret}"
            output.s3.session_token = "{session_token}" if output.s3.session_token else ""
        if output.HasField("gcp"):
            output.gcp.credentials = "{credentials}" if output.gcp.credentials else ""
    return shown


def file_name(template: str, info: EgressInfo, extension: str) -> str:
    """Replaces LiveKit's placeholders and adds a missing extension."""
    started_at = datetime.fromtimestamp(info.started_at / 1e9, tz=UTC).strftime("%Y-%m-%dT%H%M%S")
    known = {"room_name": info.room_name, "room_id": info.room_id, "time": started_at, "egress_id": info.egress_id}
    template = template or "{room_name}-{time}"
    if template.endswith("/"):
        template += "{room_name}-{time}"
    name = re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], found[0]), template)
    return name if name.endswith(extension) else name + extension
