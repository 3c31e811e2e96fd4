"""Recordings in Twilio's REST API: the list, one of them, its audio, and deletion."""

from __future__ import annotations

import time
from collections.abc import Mapping

from aiohttp import web

from voiceapp.simulators.twilio.account import Account
from voiceapp.simulators.twilio.recording import KeptRecording, mono_wav
from voiceapp.simulators.twilio.rest_error import Guard, faults_of, not_found


class RecordingsApi:
    def __init__(self, account: Account) -> None:
        self._account = account

    def add_to(self, app: web.Application, prefix: str, guarded: Guard) -> None:
        for method, path, handler in (
            ("GET", "/Recordings.json", self._list),
            ("GET", "/Calls/{call_sid}/Recordings.json", self._list),
            ("GET", "/Recordings/{sid}.json", self._show),
            ("DELETE", "/Recordings/{sid}.json", self._delete),
            ("GET", "/Recordings/{sid}.wav", self._play),
            ("GET", "/Recordings/{sid}", self._play),
        ):
            app.router.add_route(method, prefix + path, guarded(handler))

    async def _list(self, request: web.Request) -> web.Response:
        """By `CallSid`; all on one page."""
        wanted = request.match_info.get("call_sid") or request.query.get("CallSid")
        kept = {} if "media_gone" in faults_of(request) else self._account.recordings
        found = [self._resource(sid, each) for sid, each in kept.items() if wanted in (None, each.call_sid)]
        return web.json_response({"recordings": found, "page": 0, "page_size": len(found), "next_page_uri": None})

    async def _show(self, request: web.Request) -> web.Response:
        sid, recording = self._find(request)
        status = "completed" if _is_ready(request, recording) else "processing"
        return web.json_response({**self._resource(sid, recording), "status": status})

    async def _delete(self, request: web.Request) -> web.Response:
        sid, _ = self._find(request)
        del self._account.recordings[sid]
        return web.Response(status=204)

    async def _play(self, request: web.Request) -> web.Response:
        _, recording = self._find(request)
        faults = faults_of(request)
        if not _is_ready(request, recording):
            return web.Response(status=404, text="Not Found")
        if "media_garbage" in faults:
            return web.Response(text="<html>Service</html>", content_type="text/html")
        audio = mono_wav(recording.ulaw)
        return web.Response(
            body=audio[: len(audio) // 2] if "media_cut" in faults else audio, content_type="audio/x-wav"
        )

    def _find(self, request: web.Request) -> tuple[str, KeptRecording]:
        sid = request.match_info["sid"]
        recording = self._account.recordings.get(sid)
        if recording is None or "media_gone" in faults_of(request):
            raise not_found(request)
        return sid, recording

    def _resource(self, sid: str, recording: KeptRecording) -> Mapping[str, object]:
        return recording.resource(sid, account_sid=self._account.sid)


def _is_ready(request: web.Request, recording: KeptRecording) -> bool:
    faults = faults_of(request)
    late_s = faults.number("media_late") / 1000 if "media_late" in faults else 0.0
    return time.monotonic() >= max(recording.ready_s, recording.made_s + late_s)
