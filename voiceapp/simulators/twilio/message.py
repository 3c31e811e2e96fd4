"""One message (SMS) as Twilio keeps it, what can become of it, and the keywords by which people opt out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum

# twilio.com/docs/messaging/tutorials/advanced-opt-out: in any case.
STOP_WORDS = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
START_WORDS = {"START", "UNSTOP", "YES"}
HELP_WORDS = {"HELP", "INFO"}
AUTOMATIC_ANSWERS = {
    "STOP": "You get no more texts from this number. Text START to get them again.",
    "START": "You get texts from this number again. Text STOP to get no more.",
    "HELP": "Text STOP to get no more texts from this number.",
}


class Receives(StrEnum):
    """What becomes of a text to a number."""

    DELIVERED = "delivered"
    SLOW = "slow"
    LANDLINE = "landline"
    LANDLINE_LATE = "landline_late"
    OPTED_OUT = "opted_out"
    UNREGISTERED = "unregistered"
    UNREACHABLE = "unreachable"
    FILTERED = "filtered"
    INVALID = "invalid"


#: Refused when it is created.
AT_ONCE = {
    Receives.LANDLINE: (21614, "'To' number is not a valid mobile number"),
    Receives.OPTED_OUT: (21610, "Attempt to send to unsubscribed recipient"),
    Receives.INVALID: (21211, "Invalid 'To' Phone Number"),
}
#: Reported by a callback.
AFTERWARDS = {
    Receives.LANDLINE_LATE: ("undelivered", 30006),
    Receives.UNREGISTERED: ("undelivered", 30034),
    Receives.UNREACHABLE: ("undelivered", 30003),
    Receives.FILTERED: ("undelivered", 30007),
}


@dataclass(slots=True)
class Message:
    sid: str
    direction: str
    from_number: str
    to_number: str
    body: str
    status: str
    status_callback: str = ""
    messaging_service_sid: str = ""
    error_code: int | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    arrived_at: datetime | None = None

    def as_json(self) -> dict[str, object]:
        """For the control API."""
        at = self.arrived_at
        return {"sid": self.sid, "direction": self.direction, "from": self.from_number, "to": self.to_number,
                "body": self.body, "status": self.status, "error_code": self.error_code,
                "arrived_at": at.isoformat() if at else None}  # fmt: skip

    def resource(self, account_sid: str) -> dict[str, object]:
        """As the REST API shows it."""
        created = format_datetime(self.created_at)
        return {
            "sid": self.sid, "account_sid": account_sid, "api_version": "2010-04-01", "body": self.body,
            "date_created": created, "date_updated": created, "date_sent": created,
            "direction": self.direction, "error_code": self.error_code, "error_message": None,
            "from": self.from_number or None, "to": self.to_number,
            "messaging_service_sid": self.messaging_service_sid or None, "num_media": "0",
            "num_segments": "0" if self.messaging_service_sid else str(segments_of(self.body)),
            "price": None, "price_unit": "USD", "status": self.status,
            "uri": f"/2010-04-01/Accounts/{account_sid}/Messages/{self.sid}.json", "subresource_uris": {},
        }  # fmt: skip


def segments_of(body: str) -> int:
    """Latin-1 stands for GSM-7: near enough for a number that is only a price."""
    alone, joined = (160, 153) if all(ord(each) < 256 for each in body) else (70, 67)
    return 1 if len(body) <= alone else -(-len(body) // joined)


def keyword_of(body: str) -> str:
    word = body.strip().upper()
    for keyword, words in (("STOP", STOP_WORDS), ("START", START_WORDS), ("HELP", HELP_WORDS)):
        if word in words:
            return keyword
    return ""
