"""`manage.py ring`: place calls from the simulated phone, show them as text, compare order and appointments."""

from __future__ import annotations

import json
import statistics
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents.organizations.trades import Trade
from sessions.appointments.models import Appointment
from sessions.appointments.queries import upcoming_of
from sessions.appointments.services.booking import Origin, cancel_appointment
from sessions.calls.models import Call, Turn
from sessions.orders.models import Order, OrderState
from telephony.twilio.models import PhoneNumber
from voiceapp.core.errors import ApplicationError
from voiceapp.core.phones.numbers import show_number
from voiceapp.core.phones.search import matching_whole
from voiceapp.management.ringing.phone import SimulatedPhone, addresses
from voiceapp.management.ringing.script import Script, ScriptError, read_script
from voiceapp.management.ringing.verdict import (
    appointment_differences,
    booked_appointments,
    describe_appointment,
    differences,
    ordered_lines,
)
from voiceapp.management.ringing.watch import CallWatch, order_text

SCRIPTS = Path(__file__).resolve().parents[1] / "ringing"
DEMO, GARAGE = SCRIPTS / "demo.json", SCRIPTS / "garage.json"
CALLER = "+14155550100"
# After the last step the caller waits this long for the agent to hang up.
FINAL_WAIT_S = 15
POLL_S = 0.25


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
        parser.add_argument("--from", dest="caller", default=CALLER, metavar="NUMBER", help="the caller's number")
        parser.add_argument("--calls", type=int, default=1, metavar="N", help="place N calls at once")
        parser.add_argument(
            "--record", metavar="FILE", help="save the call in stereo: left the caller, right the agent"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object per call on stdout")
        parser.add_argument("--timeout", type=int, default=180, metavar="S", help="hang up after so many seconds")

    def handle(self, *args: object, **options: object) -> None:
        try:
            script = chosen_script(options)
            status = self.ring(script, options)
        except (ApplicationError, ScriptError) as exc:
            raise CommandError(str(exc)) from exc
        if status:
            sys.exit(status)

    def ring(self, script: Script, options: dict[str, object]) -> int:
        places, count = addresses(), int(str(options["calls"]))
        if not 1 <= count <= 200:
            raise CommandError("--calls takes 1 to 200.")
        number = number_to_call(options["to"])
        phone = SimulatedPhone(places.phone)
        caller = str(options["caller"])
        if script.appointments is not None:
            cancel_earlier(number, caller)
        sids = [
            phone.place_call(
                # The product limits the live calls of a caller: several calls have several callers.
                caller=caller if count == 1 else f"{caller[:-3]}{index:03}",
                number=number.number,
                voice_url=f"{places.product}/twiml/start?orgId={number.organization_id}",
                status_callback=f"{places.product}/twilio/call-status",
                steps=script.steps,
            )
            for index in range(count)
        ]
        self.print(
            f"Ringing {show_number(number.number)} ({number.organization}){f', {count} calls' if count > 1 else ''}…"
        )
        try:
            reports = self.follow(phone, sids, int(str(options["timeout"])), shows_text=count == 1)
        except KeyboardInterrupt:
            for sid in sids:
                phone.hang_up(sid)
            raise CommandError("Hung up.") from None
        if options["record"]:
            for index, sid in enumerate(sids):
                path = Path(str(options["record"]))
                phone.save_recording(sid, path if count == 1 else path.with_stem(f"{path.stem}-{index + 1}"))
            self.print(f"Recorded to {options['record']}.")
        verdicts = [self.judge(sid, script, reports[sid], as_json=bool(options["json"])) for sid in sids]
        if count > 1:
            self.print(f"{sum(verdicts)} of {count} calls were as expected.")
        return 0 if all(verdicts) else 1

    def follow(
        self, phone: SimulatedPhone, sids: list[str], timeout_s: int, *, shows_text: bool
    ) -> dict[str, dict[str, object]]:
        """Wait until all calls are over and print their progress. Returns the phone's reports."""
        deadline = time.monotonic() + timeout_s
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
                self.print(f"Hanging up: {timeout_s} s are over.")
                for sid in set(sids) - set(reports):
                    phone.hang_up(sid)
                deadline += timeout_s
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

    def judge(self, sid: str, script: Script, report: dict[str, object], *, as_json: bool) -> bool:
        """Print the result of one call. Returns whether the order is the expected one."""
        call = Call.objects.filter(carrier_sid=sid).first()
        if call is None:
            self.print(
                f"The product has no call {sid}. Twilio's notices: {report['notices'] or report['webhook_responses']}"
            )
            return False
        wait_until_over(call)
        order = (
            call.orders.exclude(state__in=[OrderState.REPLACED, OrderState.CANCELED]).order_by("-created_at").first()
        )
        ordered = ordered_lines(call.pk)
        booked = booked_appointments(call.pk)
        wrong = [] if script.expected is None else differences(script.expected, ordered)
        wrong += [] if script.appointments is None else appointment_differences(script.appointments, booked)
        times = [t for t in Turn.objects.filter(call=call).values_list("response_ms", flat=True) if t is not None]
        if as_json:
            self.stdout.write(json.dumps(summary(call, order, booked, wrong, times, report)))
            return not wrong
        self.print("")
        for row in result_text(order, booked):
            self.print(row)
        self.print("")
        duration = f", {call.duration_s} s" if call.duration_s is not None else ""
        self.print(f"The call: {call.state}, {call.end_reason.replace('_', ' ')}{duration}.")
        if times:
            median = f"{statistics.median(times):.0f}"
            self.print(f"Response times: median {median} ms, longest {max(times)} ms, {len(times)} turns.")
        what = "appointment" if script.appointments else "order"
        if wrong:
            self.print(f"The {what} is not the expected one:\n  " + "\n  ".join(wrong))
        elif script.expected is not None or script.appointments is not None:
            self.print(f"The {what} is the expected one.")
        return not wrong

    def print(self, text: str) -> None:
        """Print to stderr: with --json, stdout has the data."""
        self.stderr.write(text, style_func=lambda text: text)
        self.stderr.flush()


def chosen_script(options: dict[str, object]) -> Script:
    """The caller's steps. At the end the caller waits for the agent to hang up."""
    steps: list[object]
    expected, appointments = None, None
    if isinstance(options["say"], list):
        steps = [{"say": text} for text in options["say"]]
    elif isinstance(options["wav"], list):
        steps = [{"wav": str(Path(name).resolve())} for name in options["wav"]]
    else:
        of_demo = GARAGE if options["to"] == Trade.GARAGE else DEMO
        script = read_script(Path(str(options["script"] or of_demo)))
        steps, expected, appointments = list(script.steps), script.expected, script.appointments
    if not any(isinstance(step, dict) and "hang_up" in step for step in steps):
        steps += [{"listen": True}, {"wait_s": FINAL_WAIT_S}, {"hang_up": True}]
    return Script(tuple(steps), expected, appointments)


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


def cancel_earlier(number: PhoneNumber, caller: str) -> None:
    """A scripted caller begins without appointments: those of earlier test calls would be in the way."""
    for appointment in upcoming_of(number.organization, caller, timezone.now()):
        cancel_appointment(appointment, Origin(person="manage.py ring"), reason="Booked by an earlier test call")


def result_text(order: Order | None, booked: Sequence[Appointment]) -> list[str]:
    """What came of the call, as rows."""
    rows = [f"Appointment {appointment.number}: {describe_appointment(appointment)}" for appointment in booked]
    if order is not None:
        rows = [*order_text(order), *rows]
    return rows or ["No order was made."]


def wait_until_over(call: Call, within_s: float = 10) -> None:
    """The product closes a call shortly after the phone."""
    deadline = time.monotonic() + within_s
    while call.is_live and time.monotonic() < deadline:
        time.sleep(0.1)
        call.refresh_from_db()


def summary(
    call: Call,
    order: Order | None,
    booked: Sequence[Appointment],
    wrong: list[str],
    times: list[int],
    report: dict[str, object],
) -> dict[str, object]:
    """The data of --json. Times are milliseconds on the recording's clock."""
    return {
        "call": str(call.pk),
        "sid": call.carrier_sid,
        "state": call.state,
        "end_reason": call.end_reason,
        "duration_s": call.duration_s,
        "order": None
        if order is None
        else {"number": order.number, "total": str(order.total), "currency": order.currency},
        "appointments": [
            {"number": each.number, "service": each.service_name, "starts_at": each.starts_at.isoformat()}
            for each in booked
        ],
        "differences": wrong,
        "response_ms": times,
        "interruptions": report["interruptions"],
        "response_gaps": report["response_gaps"],
        "underruns": report["underruns"],
        "clipped_ends": report["clipped_ends"],
    }
