"""`manage.py simulate_call`: a recorded caller calls another version of an agent, and the two are compared."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents.configuration.models import Agent, AgentVersion, Persona
from sessions.calls.facts import Speaker
from sessions.calls.models import Call
from telephony.replays.caller_audio import Utterance, recording_of, utterances_of, utterances_of_call
from telephony.replays.comparison import Figures, figures_of_call, figures_of_replay, same_result, table
from telephony.replays.replay import Replayed, replay
from voiceapp.core.errors import ApplicationError
from voiceapp.providers.errors import ProviderError

from .run_scenarios import NOT_RUN, agent_named

DRAFT = "draft"
DIFFERS = 1


class Command(BaseCommand):
    requires_system_checks: list[str] = []  # their warnings are for those who serve
    help = (
        "Let a recorded caller call another version of an agent, in real time. Nothing is ordered, booked or sent. "
        "With --call it exits with 1 if another order or appointment comes of it. "
        "Example: manage.py simulate_call --wav caller.wav --agent Sofia --version draft"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wav", metavar="FILE", help="the caller's audio: a WAV, or another file; first channel")
        parser.add_argument("--call", metavar="ID", help="the original call: compared, and its recording if no --wav")
        parser.add_argument("--agent", help="the agent's name or ID (default: that of --call)")
        parser.add_argument("--organization", metavar="SLUG", help="whose agent, where several have that name")
        parser.add_argument("--version", dest="to_version", default=DRAFT, metavar="N", help="or “draft” (default)")
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Django's own --version says which Django this is; here it is the agent's."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def handle(self, *args: object, **options: object) -> None:
        try:
            call = call_of(options["call"])
            agent = agent_of(call, options)
            persona = version_of(agent, str(options["to_version"]))
            utterances = audio_of(call, options["wav"])
            self.stderr.write(f"{len(utterances)} utterances are said to {agent}, in real time…")
            replayed = replay(agent, persona, utterances)
        except (ApplicationError, ProviderError) as exc:
            raise CommandError(str(exc), returncode=NOT_RUN) from exc
        original, after = figures_of_call(call) if call else None, figures_of_replay(replayed)
        if options["json"]:
            self.stdout.write(json.dumps(as_data(replayed, after, original, persona), ensure_ascii=False))
        else:
            self.show(replayed, after, original, persona)
        if original is not None and not same_result(original, after):
            sys.exit(DIFFERS)

    def show(self, replayed: Replayed, after: Figures, original: Figures | None, persona: Persona) -> None:
        for line in replayed.lines:
            self.stdout.write(f"{'Caller' if line.speaker is Speaker.CALLER else 'Agent ':<7}{line.text}")
        rows = [("", "original" if original else "", name_of(persona)), *(line[:3] for line in table(after, original))]
        widths = [max(len(row[at]) for row in rows) for at in range(2)]
        for label, before, now in rows:
            middle = f"{before:<{widths[1]}}  " if original else ""
            self.stdout.write(f"{label:<{widths[0]}}  {middle}{now}".rstrip())
        for fault in replayed.faults:
            self.stdout.write(f"A tool broke off: {fault}")


def call_of(given: object) -> Call | None:
    if not given:
        return None
    try:
        return Call.objects.select_related("organization", "agent__organization").get(pk=UUID(str(given)))
    except (ValueError, Call.DoesNotExist) as exc:
        raise ApplicationError(f"There is no call {given}. Its page in the admin ends with its ID.") from exc


def agent_of(call: Call | None, options: dict[str, object]) -> Agent:
    if options["agent"]:
        return agent_named(str(options["agent"]), str(options["organization"] or ""))
    if call is None:
        raise ApplicationError("Name the agent with --agent, or a call with --call.")
    if call.agent is None:
        raise ApplicationError("The agent of this call is deleted. Name another one with --agent.")
    return call.agent


def version_of(agent: Agent, name: str) -> Persona:
    if name == DRAFT:
        return agent
    number = name.removeprefix("v")
    version = agent.versions.filter(number=int(number)).first() if number.isdecimal() and len(number) < 9 else None
    if version is None:
        newest = agent.versions.order_by("-number").values_list("number", flat=True).first()
        there = f"1 to {newest}, and the draft" if newest else "only the draft"
        raise ApplicationError(f"{agent} has no version {name}. There are: {there}.")
    return version


def audio_of(call: Call | None, wav: object) -> Sequence[Utterance]:
    """Of the file, or of the call's recording, whose first channel is the caller's."""
    if wav:
        return utterances_of(Path(str(wav)))
    if call is None:
        raise ApplicationError("Name a file with --wav, or a recorded call with --call.")
    if recording_of(call) is None:
        raise ApplicationError("This call has no stored recording. Name a file with --wav.")
    return utterances_of_call(call)


def name_of(persona: Persona) -> str:
    return f"version {persona.number}" if isinstance(persona, AgentVersion) else DRAFT


def as_data(replayed: Replayed, after: Figures, original: Figures | None, persona: Persona) -> dict[str, object]:
    return {
        "against": name_of(persona),
        "replay": after.as_json(),
        "original": original.as_json() if original else None,
        "is_same": same_result(original, after) if original else None,
        "lines": [
            {"speaker": line.speaker.value, "text": line.text, "at_ms": line.spoken_at_ms} for line in replayed.lines
        ],
        "response_ms": list(replayed.response_ms),
        "said": replayed.said,
        "faults": list(replayed.faults),
    }
