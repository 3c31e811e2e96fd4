"""The files of recordings. An address without a signature needs the key, as some of VAPI's storage does."""

from __future__ import annotations

import hmac
import time

from aiohttp import web

from voiceapp.simulators.vapi.account import VapiAccount
from voiceapp.simulators.vapi.call_audio import SIGNED_FOR_S

FILES = {"stereo.wav": True, "mono.wav": False}
# An address that no product may fetch from: the metadata of a cloud's machines.
_INTERNAL = "http://169.254.169.254/latest/meta-data/"


class RecordingFiles:
    def __init__(self, account: VapiAccount) -> None:
        self._account = account

    async def serve(self, request: web.Request) -> web.StreamResponse:
        call = self._account.calls.get(request.match_info["call_id"])
        name = request.match_info["name"]
        if call is None or call.audio is None or call.audio.ended_s is None or name not in FILES:
            raise web.HTTPNotFound(text="NoSuchKey")
        since_s = time.monotonic() - call.audio.ended_s
        if not self._may(request, call.audio.signature, since_s):
            raise web.HTTPForbidden(text="AccessDenied")
        faults = call.faults
        if since_s < faults.seconds("recording_late"):
            raise web.HTTPNotFound(text="NoSuchKey")
        if "recording_redirect" in faults:
            raise web.HTTPFound(_INTERNAL)
        if "recording_moved" in faults and "moved" not in request.query:
            raise web.HTTPFound(request.url.update_query(moved="1"))
        content = call.audio.wav(is_stereo=FILES[name])
        if "recording_cut" in faults:
            content = content[: len(content) // 2]
        return web.Response(body=content, content_type="audio/wav")

    def _may(self, request: web.Request, signature: str, since_s: float) -> bool:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and key.strip() in self._account.keys:
            return True
        given = request.query.get("X-Amz-Signature", "")
        return hmac.compare_digest(given, signature) and since_s < SIGNED_FOR_S
