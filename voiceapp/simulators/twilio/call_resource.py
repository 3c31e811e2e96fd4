"""The resource of a call in Twilio's REST API."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime

from voiceapp.simulators.twilio.leg import CallLeg
from voiceapp.simulators.twilio.status import Status


def call_resource(call: CallLeg) -> dict[str, object]:
    account = f"/2010-04-01/Accounts/{call.account.sid}"
    progress = call.progress
    return {
        "sid": call.sid,
        "account_sid": call.account.sid,
        "api_version": "2010-04-01",
        "parent_call_sid": call.plan.parent_sid or None,
        "from": call.plan.from_number,
        "from_formatted": call.plan.from_number,
        "to": call.plan.to_number,
        "to_formatted": call.plan.to_number,
        "direction": call.plan.direction,
        # Callbacks say `initiated`; the resource goes on saying `queued`.
        "status": Status.QUEUED.value if call.status is Status.INITIATED else call.status.value,
        "duration": str(call.duration_s) if call.status.is_final else None,
        "date_created": _rfc2822(progress.created_at),
        "date_updated": _rfc2822(progress.ended_at or progress.answered_at or progress.created_at),
        "start_time": _rfc2822(progress.answered_at),
        "end_time": _rfc2822(progress.ended_at),
        "answered_by": (call.plan.answered_by or None) if progress.answered_at else None,
        "caller_name": None,
        "forwarded_from": None,
        "group_sid": None,
        "phone_number_sid": None,
        "price": None,
        "price_unit": "USD",
        "queue_time": "0",
        "trunk_sid": None,
        "annotation": None,
        "uri": f"{account}/Calls/{call.sid}.json",
        "subresource_uris": {"recordings": f"{account}/Calls/{call.sid}/Recordings.json"},
    }


def _rfc2822(at: datetime | None) -> str | None:
    return format_datetime(at) if at else None
