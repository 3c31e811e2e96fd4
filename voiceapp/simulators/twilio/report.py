"""The report of a call, from the audio on its line: who spoke when, interruptions, response times, gaps."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from voiceapp.simulators.twilio.call_log import Event, Notice, StreamLog, WebhookRequest
from voiceapp.simulators.twilio.caller_voice import SpokenText
from voiceapp.simulators.twilio.frames import FRAME_MS
from voiceapp.simulators.twilio.leg import CallLeg
from voiceapp.simulators.twilio.playout import ClippedEnd, Underrun
from voiceapp.simulators.twilio.speech_detector import Utterance


@dataclass(frozen=True, slots=True)
class Speech:
    """First to last voiced frame."""

    began_ms: int
    ended_ms: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Interruption:
    """The caller began to speak while the agent spoke. `reaction_ms`: until the agent's last voiced frame."""

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
class DialedLeg:
    sid: str
    to: str
    status: str
    duration_s: int


@dataclass(frozen=True, slots=True)
class Report:
    """All times are milliseconds on the recording's clock, which starts with the answer."""

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
    streams: list[StreamLog]
    dialed: list[DialedLeg]
    recordings: list[str]
    requests: list[WebhookRequest]
    webhook_responses: list[str]
    callback_statuses: list[int]
    notices: list[Notice]
    events: list[Event]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def report_of(call: CallLeg) -> Report:
    agent = call.line.detector.utterances
    spoken = call.line.voice.spoken
    streams = call.log.streams
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
        underruns=[underrun for stream in streams for underrun in stream.underruns],
        clipped_ends=[end for stream in streams for end in stream.clipped_ends],
        streams=list(streams),
        dialed=[DialedLeg(e.sid, e.plan.to_number, e.status.value, e.duration_s) for e in call.second_legs],
        recordings=list(call.log.recordings),
        requests=list(call.log.requests),
        webhook_responses=list(call.log.first_responses),
        callback_statuses=list(call.callbacks.statuses),
        notices=list(call.log.notices),
        events=list(call.log.events),
    )


def _interruptions(agent: list[Utterance], spoken: list[SpokenText]) -> list[Interruption]:
    found = []
    for each in spoken:
        if each.began_ms is None:
            continue
        for utterance in agent:
            if utterance.began_ms < each.began_ms <= utterance.ended_ms - FRAME_MS:
                reaction_ms = utterance.ended_ms - each.began_ms
                found.append(Interruption(each.began_ms, utterance.ended_ms, reaction_ms))
    return found


def _response_gaps(agent: list[Utterance], spoken: list[SpokenText]) -> list[ResponseGap]:
    """One for each spoken text to which the agent responded before the next one."""
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
