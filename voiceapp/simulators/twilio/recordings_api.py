"""Recordings in Twilio's REST API: start and stop one of a call, the list, one of them, its audio, and deletion."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from aiohttp import web

from voiceapp.simulators.twilio.account import Account
from voiceapp.simulators.twilio.call_recording import CallRecording, RecordingPlan
from voiceapp.simulators.twilio.leg import CallLeg, RunningRecording
from voiceapp.simulators.twilio.recording import Recording
from voiceapp.simulators.twilio.rest_error import Guard, RestError, faults_of, form_of, not_found
from voiceapp.simulators.twilio.status import Status

_EVENTS = {"in-progress", "completed", "absent"}
_CURRENT = "Twilio.CURRENT"
_CHANNELS = {"mono": 1, "dual": 2}


class RecordingsApi:
    """`find_call` by SID, among all legs."""

    def __init__(self, account: Account, *, find_call: Callable[[str], CallLeg | None]) -> None:
        self._account = account
        self._find_call = find_call

    def add_to(self, app: web.Application, prefix: str, guarded: Guard) -> None:
        for method, path, handler in (
            ("GET", "/Recordings.json", self._list),
            ("GET", "/Calls/{call_sid}/Recordings.json", self._list),
            ("POST", "/Calls/{call_sid}/Recordings.json", self._start),
            ("GET", "/Calls/{call_sid}/Recordings/{sid}.json", self._show),
            ("POST", "/Calls/{call_sid}/Recordings/{sid}.json", self._update),
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

    async def _start(self, request: web.Request) -> web.Response:
        """Of a call in progress. The default is one channel, and only the end is reported."""
        call = self._call(request)
        form = await form_of(request)
        faults = faults_of(request)
        if "recording_refused" in faults:
            raise RestError(400, int(faults.number("recording_refused")), "Requested resource may not be recorded")
        plan = _plan(form, (await request.post()).getall("RecordingStatusCallbackEvent", ["completed"]))
        if call.status is not Status.IN_PROGRESS:
            raise _not_eligible()
        recording = CallRecording(call, plan)
        return web.json_response(self._resource(recording.sid, recording), status=201)

    async def _update(self, request: web.Request) -> web.Response:
        call = self._call(request)
        form = await form_of(request)
        status, behavior = form.get("Status", ""), form.get("PauseBehavior", "silence")
        if status not in ("stopped", "paused", "in-progress") or behavior not in ("skip", "silence"):
            raise RestError(400, 20001, f"Status {status!r} or PauseBehavior {behavior!r} is invalid")
        recording = self._running(call, request)
        if call.status.is_final or recording.sid not in self._account.recordings:
            raise _not_eligible()
        recording.change_to(status, is_skipping=behavior == "skip")
        return web.json_response(self._resource(recording.sid, self._account.recordings[recording.sid]))

    def _call(self, request: web.Request) -> CallLeg:
        call = self._find_call(request.match_info["call_sid"])
        if call is None:
            raise not_found(request)
        return call

    def _running(self, call: CallLeg, request: web.Request) -> RunningRecording:
        sid = request.match_info["sid"]
        found = [each for each in call.recordings if sid in (each.sid, _CURRENT)]
        if not found:
            raise not_found(request)
        return found[-1]

    async def _show(self, request: web.Request) -> web.Response:
        sid, recording = self._find(request)
        resource = self._resource(sid, recording)
        if recording.status == "completed" and not _is_ready(request, recording):
            resource = {**resource, "status": "processing"}
        return web.json_response(resource)

    async def _delete(self, request: web.Request) -> web.Response:
        sid, _ = self._find(request)
        del self._account.recordings[sid]
        return web.Response(status=204)

    async def _play(self, request: web.Request) -> web.Response:
        _, recording = self._find(request)
        faults = faults_of(request)
        if recording.status == "absent" or not _is_ready(request, recording):
            return web.Response(status=404, text="Not Found")
        channels = {"1": 1, "2": 2}.get(request.query.get("RequestedChannels", ""), recording.channels)
        if channels > recording.channels:
            raise RestError(400, 16113, "Cannot download a dual-channel presentation of a mono recording")
        if "media_garbage" in faults:
            return web.Response(text="<html>Service</html>", content_type="text/html")
        audio = recording.wav(channels=channels)
        return web.Response(
            body=audio[: len(audio) // 2] if "media_cut" in faults else audio, content_type="audio/x-wav"
        )

    def _find(self, request: web.Request) -> tuple[str, Recording]:
        sid = request.match_info["sid"]
        recording = self._account.recordings.get(sid)
        if recording is None or "media_gone" in faults_of(request):
            raise not_found(request)
        return sid, recording

    def _resource(self, sid: str, recording: Recording) -> Mapping[str, object]:
        return recording.resource(sid, account_sid=self._account.sid)


def _is_ready(request: web.Request, recording: Recording) -> bool:
    faults = faults_of(request)
    late_s = faults.number("media_late") / 1000 if "media_late" in faults else 0.0
    return time.monotonic() >= max(recording.ready_s, recording.made_s + late_s)


def _not_eligible() -> RestError:
    return RestError(400, 21220, "Requested resource is not eligible for recording")


def _plan(form: Mapping[str, str], events: Sequence[object]) -> RecordingPlan:
    """Raises RestError."""
    channels, track = form.get("RecordingChannels", "mono"), form.get("RecordingTrack", "both")
    if channels not in _CHANNELS or track not in ("inbound", "outbound", "both"):
        raise RestError(400, 20001, f"RecordingChannels {channels!r} or RecordingTrack {track!r} is invalid")
    if form.get("Trim", "do-not-trim") not in ("do-not-trim", "trim-silence"):
        raise RestError(400, 20001, f"Trim {form['Trim']!r} is invalid")
    named = tuple(word for event in events for word in str(event).split())
    if not named or not _EVENTS.issuperset(named):
        raise RestError(400, 20001, f"RecordingStatusCallbackEvent {' '.join(named)!r} is invalid")
    callback, method = form.get("RecordingStatusCallback", ""), form.get("RecordingStatusCallbackMethod", "POST")
    if callback and (urlsplit(callback).scheme not in ("http", "https") or "_" in (urlsplit(callback).hostname or "")):
        raise RestError(400, 21609, f"RecordingStatusCallback is not a valid URL: {callback}")
    if method.upper() not in ("GET", "POST"):
        raise RestError(400, 21209, f"RecordingStatusCallbackMethod is not valid: {method}")
    return RecordingPlan(_CHANNELS[channels], track, callback, method.upper(), named)
