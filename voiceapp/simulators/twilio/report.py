"""What became of a call, from the sound that went over its line: who spoke when, and how well it fitted together."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from voiceapp.simulators.twilio.ear import Utterance
from voiceapp.simulators.twilio.events import Event, Notice, Request
from voiceapp.simulators.twilio.frames import FRAME_MS
from voiceapp.simulators.twilio.playout import ClippedEnd, Underrun

if TYPE_CHECKING:
    from voiceapp.simulators.twilio.call import LocalCall
    from voiceapp.simulators.twilio.media_stream import MediaStream
    from voiceapp.simulators.twilio.mouth import Spoken


@dataclass(frozen=True, slots=True)
class Speech:
    """First to last voiced frame."""

    began_ms: int
    ended_ms: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Interruption:
    """The caller began to speak while the agent was speaking. `reaction_ms`: until the agent's last voiced frame."""

    at_ms: int
    silent_at_ms: int
    reaction_ms: int


@dataclass(frozen=True, slots=True)
class ResponseGap:
    """From the caller's last voiced frame to the agent's first one."""

    caller_ended_ms: int
    agent_began_ms: int
    gap_ms: int


@dataclass(frozen=True, slots=True)
class StreamReport:
    sid: str
    url: str
    began_ms: int | None
    ended_ms: int | None
    closed_by: str
    close_code: int | None
    close_reason: str
    frames_sent: int
    frames_dropped: int
    media_received: int
    audio_received_ms: int
    largest_burst_ms: int
    marks_received: int
    marks_echoed: int
    clears_received: int
    invalid_received: int


@dataclass(frozen=True, slots=True)
class Dialed:
    sid: str
    to: str
    status: str
    duration_s: int


@dataclass(frozen=True, slots=True)
class Report:
    """All `_ms` moments are on the recording's clock, which starts with the answer."""

    sid: str
    from_number: str
    to_number: str
    direction: str
    status: str
    ended_by: str
    is_done: bool
    line_ms: int
    agent_speech: list[Speech]
    caller_speech: list[Speech]
    interruptions: list[Interruption]
    response_gaps: list[ResponseGap]
    underruns: list[Underrun]
    clipped_ends: list[ClippedEnd]
    streams: list[StreamReport]
    dialed: list[Dialed]
    recordings: list[str]
    requests: list[Request]
    webhook_answers: list[str]
    callback_statuses: list[int]
    notices: list[Notice]
    events: list[Event]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def report_of(call: LocalCall) -> Report:
    agent = call.line.ear.utterances
    spoken = call.line.mouth.spoken
    streams = call.streams
    return Report(
        sid=call.sid,
        from_number=call.plan.from_number,
        to_number=call.plan.to_number,
        direction=call.plan.direction,
        status=call.status.value,
        ended_by=call.ended_by,
        is_done=call.is_done,
        line_ms=call.line.now_ms,
        agent_speech=[Speech(each.began_ms, each.ended_ms) for each in agent],
        caller_speech=[
            Speech(each.began_ms, min(each.ended_ms, call.line.now_ms), each.text)
            for each in spoken
            if each.began_ms is not None and each.ended_ms is not None
        ],
        interruptions=_interruptions(agent, spoken),
        response_gaps=_response_gaps(agent, spoken),
        underruns=[underrun for stream in streams for underrun in stream.playout.underruns],
        clipped_ends=[end for stream in streams for end in stream.playout.clipped_ends],
        streams=[_stream_report(stream) for stream in streams],
        dialed=[Dialed(e.sid, e.plan.to_number, e.status.value, e.duration_s) for e in call.dialed],
        recordings=list(call.recordings),
        requests=list(call.requests),
        webhook_answers=list(call.webhook_answers),
        callback_statuses=list(call.callbacks.statuses),
        notices=list(call.notices),
        events=list(call.events),
    )


def _interruptions(agent: list[Utterance], spoken: list[Spoken]) -> list[Interruption]:
    found = []
    for each in spoken:
        if each.began_ms is None:
            continue
        for utterance in agent:
            if utterance.began_ms < each.began_ms <= utterance.ended_ms - FRAME_MS:
                reaction_ms = utterance.ended_ms - each.began_ms
                found.append(Interruption(each.began_ms, utterance.ended_ms, reaction_ms))
    return found


def _response_gaps(agent: list[Utterance], spoken: list[Spoken]) -> list[ResponseGap]:
    """One per thing said that was answered before the next was said."""
    found = []
    said = [each for each in spoken if each.began_ms is not None and each.ended_ms is not None]
    for index, each in enumerate(said):
        assert each.ended_ms is not None
        following = said[index + 1].began_ms if index + 1 < len(said) else None
        for utterance in agent:
            if utterance.began_ms < each.ended_ms:
                continue
            if following is None or utterance.began_ms < following:
                gap_ms = utterance.began_ms - each.ended_ms
                found.append(ResponseGap(each.ended_ms, utterance.began_ms, gap_ms))
            break
    return found


def _stream_report(stream: MediaStream) -> StreamReport:
    return StreamReport(
        sid=stream.sid,
        url=stream.url,
        began_ms=stream.began_ms,
        ended_ms=stream.ended_ms,
        closed_by=stream.closed_by,
        close_code=stream.closed.code if stream.closed else None,
        close_reason=stream.closed.reason if stream.closed else "",
        **asdict(stream.counts),
    )
