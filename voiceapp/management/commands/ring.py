"""`manage.py ring`: place calls from the simulated phone, show them as text, compare what came of them."""

from __future__ import annotations

import contextlib
import json
import statistics
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents.organizations.models import Organization
from agents.organizations.trades import Trade
from sessions.appointments.queries import upcoming_of
from sessions.calls.models import Call, Turn
from telephony.twilio.models import PhoneNumber
from voiceapp.core.errors import ApplicationError
from voiceapp.core.phones.numbers import show_number
from voiceapp.core.phones.search import matching_whole
from voiceapp.management.ringing.hearing import where_to_hear
from voiceapp.management.ringing.phone import SimulatedPhone, addresses
from voiceapp.management.ringing.report import result_text, summary
from voiceapp.management.ringing.script import Script, ScriptError, read_script
from voiceapp.management.ringing.verdict import outcome_of
from voiceapp.management.ringing.watch import CallWatch

SCRIPTS = Path(__file__).resolve().parents[1] / "ringing"
DEMO, GARAGE = SCRIPTS / "demo.json", SCRIPTS / "garage.json"
CALLER = "+14155550100"
# After the last step the caller waits this long for the agent to hang up.
FINAL_WAIT_S = 15
POLL_S = 0.25
# After it was hung up, until the phone reports that the call is over.
ENDS_WITHIN_S = 60
# After the end of the call, until its recording can be played.
STORED_WITHIN_S = 30


class Command(BaseCommand):
    requires_system_checks: list[str] = []  # their warnings are for those who serve
    help = 'Place a call from the simulated phone. Example: manage.py ring --say "Two small funghi, please."'

    def add_arguments(self, parser: ArgumentParser) -> None:
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--say", action="append", metavar="TEXT", help="what the caller says; may be repeated")
        source.add_argument(
            "--wav", action="append", metavar="FILE", help="a WAV that the caller says; may be repeated"
        )
        source.add_argument("--script", metavar="FILE", help="steps and what is expected as JSON (default: the demo's)")
        parser.add_argument(
            "--to", metavar="NUMBER", help="the number to call, or “garage” (default: the demo's, or the first one)"
        )
        parser.add_argument(
            "--from", dest="caller", metavar="NUMBER", help=f"the caller's number (default: the script's, or {CALLER})"
        )
        parser.add_argument("--calls", type=int, default=1, metavar="N", help="place N calls at once")
        parser.add_argument(
            "--record", metavar="FILE", help="save the call in stereo: left the caller, right the agent"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object per call on stdout")
        parser.add_argument("--timeout", type=int, default=180, metavar="S", help="hang up after so many seconds")

    def handle(self, *args: object, **options: object) -> None:
        try:
            number = number_to_call(options["to"])
            status = self.ring(number, chosen_script(options, number.organization), options)
        except (ApplicationError, ScriptError) as exc:
            raise CommandError(str(exc)) from exc
        if status:
            sys.exit(status)

    def ring(self, number: PhoneNumber, script: Script, options: dict[str, object]) -> int:
        places, count, timeout_s = addresses(), int(str(options["calls"])), int(str(options["timeout"]))
        if not 1 <= count <= 200:
            raise CommandError("--calls takes 1 to 200.")
        if timeout_s < 1:
            raise CommandError("--timeout takes 1 second or more.")
        record = Path(str(options["record"])) if options["record"] else None
        if record and not record.absolute().parent.is_dir():
            raise CommandError(f"--record: there is no folder {record.absolute().parent}.")
        phone = SimulatedPhone(places.phone)
        callers = callers_of(str(options["caller"] or script.caller or CALLER), count)
        for each, behavior in script.phones.items():
            phone.set_number(each, behavior)
        if script.appointments is not None:
            for caller in callers:
                forget_earlier(number, caller)
        sids: list[str] = []
        try:
            for caller in callers:
                sid = phone.place_call(
                    caller=caller,
                    number=number.number,
                    voice_url=f"{places.product}/twiml/start?orgId={number.organization_id}",
                    status_callback=f"{places.product}/twilio/call-status",
                    steps=script.steps,
                )
                sids.append(sid)
            several = f", {count} calls" if count > 1 else ""
            self.print(f"Ringing {show_number(number.number)} ({number.organization}){several}…")
            reports = self.follow(phone, sids, timeout_s, shows_text=count == 1)
        except (KeyboardInterrupt, ApplicationError) as exc:
            hang_up_all(phone, sids)
            if isinstance(exc, ApplicationError):
                raise
            raise CommandError("Hung up.") from None
        if record:
            for index, sid in enumerate(sids):
                save_recording(phone, sid, record if count == 1 else record.with_stem(f"{record.stem}-{index + 1}"))
            self.print(f"Recorded to {record}.")
        verdicts = [self.judge(phone, sid, script, reports[sid], as_json=bool(options["json"])) for sid in sids]
        if count > 1:
            self.print(f"{sum(verdicts)} of {count} calls were as expected.")
        return 0 if all(verdicts) else 1

    def follow(
        self, phone: SimulatedPhone, sids: list[str], timeout_s: int, *, shows_text: bool
    ) -> dict[str, dict[str, object]]:
        """Wait until all calls are over and print their progress. Returns the phone's reports."""
        deadline, is_hung_up = time.monotonic() + timeout_s, False
        watches: dict[str, CallWatch] = {}
        reports: dict[str, dict[str, object]] = {}
        finished = -1
        while len(reports) < len(sids):
            for sid in sids:
                if sid not in reports:
                    report = phone.report(sid)
                    if report["is_done"]:
                        reports[sid] = report
            if shows_text:
                self.print_new_lines(watches, sids[0], is_last=bool(reports))
            elif finished != len(reports):
                finished = len(reports)
                self.print(f"  {finished} of {len(sids)} calls are over")
            if time.monotonic() > deadline:
                if is_hung_up:
                    raise ApplicationError(f"The simulated phone did not end the call within {ENDS_WITHIN_S} s.")
                self.print(f"Hanging up: {timeout_s} s are over.")
                for sid in set(sids) - set(reports):
                    phone.hang_up(sid)
                deadline, is_hung_up = time.monotonic() + ENDS_WITHIN_S, True
            time.sleep(POLL_S)
        return reports

    def print_new_lines(self, watches: dict[str, CallWatch], sid: str, *, is_last: bool) -> None:
        if sid not in watches:
            call = Call.objects.filter(carrier_sid=sid).first()
            if call is None:
                return
            watches[sid] = CallWatch(call)
        if is_last:
            wait_until_over(watches[sid].call)
        for line in watches[sid].new_lines(is_last=is_last):
            self.print(line)

    def judge(
        self, phone: SimulatedPhone, sid: str, script: Script, report: dict[str, object], *, as_json: bool
    ) -> bool:
        """Print the result of one call. Returns whether it is as the script expects."""
        call = Call.objects.filter(carrier_sid=sid).first()
        if call is None:
            self.print(
                f"The product has no call {sid}. Twilio's notices: {report['notices'] or report['webhook_responses']}"
            )
            return False
        wait_until_over(call)
        outcome = outcome_of(call, phone, script)
        wrong = outcome.differences(script)
        times = [t for t in Turn.objects.filter(call=call).values_list("response_ms", flat=True) if t is not None]
        if as_json:
            self.stdout.write(json.dumps(summary(call, outcome, wrong, times, report)))
            return not wrong
        self.print("")
        for row in result_text(outcome):
            self.print(row)
        self.print("")
        duration = f", {call.duration_s} s" if call.duration_s is not None else ""
        self.print(f"The call: {call.state}, {call.end_reason.replace('_', ' ')}{duration}.")
        if times:
            median = f"{statistics.median(times):.0f}"
            self.print(f"Response times: median {median} ms, longest {max(times)} ms, {len(times)} turns.")
        if hearing := where_to_hear(call, addresses().product, within_s=STORED_WITHIN_S):
            self.print(hearing)
        what = script.what_is_expected
        if wrong:
            self.print("Not as expected:\n  " + "\n  ".join(wrong))
        elif what:
            self.print(f"The {what} {'are' if ' and ' in what else 'is'} as expected.")
        return not wrong

    def print(self, text: str) -> None:
        """Print to stderr: with --json, stdout has the data."""
        self.stderr.write(text, style_func=lambda text: text)
        self.stderr.flush()


def chosen_script(options: dict[str, object], organization: Organization) -> Script:
    """The caller's steps. At the end the caller waits for the agent to hang up."""
    if isinstance(options["say"], list):
        script = Script(tuple({"say": text} for text in options["say"]))
    elif isinstance(options["wav"], list):
        script = Script(tuple({"wav": str(Path(name).resolve())} for name in options["wav"]))
    else:
        of_demo = GARAGE if organization.trade == Trade.GARAGE else DEMO
        script = read_script(Path(str(options["script"] or of_demo)))
    if any(isinstance(step, dict) and "hang_up" in step for step in script.steps):
        return script
    return replace(script, steps=(*script.steps, {"listen": True}, {"wait_s": FINAL_WAIT_S}, {"hang_up": True}))


def callers_of(caller: str, count: int) -> list[str]:
    """The product limits the live calls of a caller: several calls have several callers."""
    return [caller] if count == 1 else [f"{caller[:-3]}{index:03}" for index in range(count)]


def number_to_call(given: object) -> PhoneNumber:
    numbers = PhoneNumber.objects.filter(is_active=True).select_related("organization")
    if given == Trade.GARAGE:
        numbers = numbers.filter(organization__trade=Trade.GARAGE)
    elif given:
        regions = {number.organization.region for number in numbers} - {""}
        numbers = numbers.filter(matching_whole("number", str(given), regions=regions))
    found = numbers.order_by("pk").first()
    if found is None:
        raise CommandError(
            f"No active number {given or ''} is known. `manage.py seed_demo --garage` makes one.".replace("  ", " ")
        )
    return found


def forget_earlier(number: PhoneNumber, caller: str) -> None:
    """A scripted caller begins without appointments: those of earlier test calls would be in the way.

    They are deleted, for a cancellation would be texted, and this process has no account of the carrier's.
    """
    for appointment in upcoming_of(number.organization, caller, timezone.now()):
        appointment.delete()


def hang_up_all(phone: SimulatedPhone, sids: Iterable[str]) -> None:
    """As far as the phone still responds."""
    with contextlib.suppress(ApplicationError):
        for sid in sids:
            phone.hang_up(sid)


def save_recording(phone: SimulatedPhone, sid: str, path: Path) -> None:
    recording = phone.recording(sid)
    try:
        path.write_bytes(recording)
    except OSError as exc:
        raise CommandError(f"{path} cannot be written: {exc.strerror}.") from exc


def wait_until_over(call: Call, within_s: float = 10) -> None:
    """The product closes a call shortly after the phone."""
    deadline = time.monotonic() + within_s
    while call.is_live and time.monotonic() < deadline:
        time.sleep(0.1)
        call.refresh_from_db()
