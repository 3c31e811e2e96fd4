"""Why a text was not sent or not delivered: the cause, the fix, and what the agent says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise


class TextReason(models.TextChoices):
    """One closed set, for what we refuse ourselves and for what the carrier reports."""

    OFF = "off", _("Texts are turned off")
    NOT_CONFIGURED = "not_configured", _("No Twilio account")
    NO_NUMBER = "no_number", _("No number to text")
    NO_SENDER = "no_sender", _("No number to send from")
    LANDLINE = "landline", _("Landline")
    INVALID_NUMBER = "invalid_number", _("Invalid number")
    OTHER_COUNTRY = "other_country", _("Another country")
    OPTED_OUT = "opted_out", _("Opted out")
    NUMBER_CAP = "number_cap", _("Maximum per number reached")
    DAY_CAP = "day_cap", _("Maximum per day reached")
    TOO_MANY_FAIL = "too_many_fail", _("Paused: too many failures")
    UNREGISTERED = "unregistered", _("Sender not registered")
    BAD_SENDER = "bad_sender", _("Sender cannot send texts")
    TRIAL = "trial", _("Trial account")
    NO_PERMISSION = "no_permission", _("Country not enabled")
    UNREACHABLE = "unreachable", _("Phone not reachable")
    FILTERED = "filtered", _("Filtered as spam")
    REFUSED = "refused", _("Refused by the carrier")
    NO_RESPONSE = "no_response", _("Carrier did not respond")
    TOO_LATE = "too_late", _("Too late")
    CHANGED = "changed", _("No longer true")


# Why a text is not sent that should have been: something is not set up, or the organization's texts stand still.
NOT_SET_UP = (TextReason.NOT_CONFIGURED, TextReason.NO_SENDER, TextReason.DAY_CAP, TextReason.TOO_MANY_FAIL,
              TextReason.UNREGISTERED, TextReason.BAD_SENDER, TextReason.NO_PERMISSION)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explanation:
    """`say` is for the caller; `cause` and `fix` are for the operator."""

    say: str
    cause: StrOrPromise
    fix: StrOrPromise


R = TextReason
CANNOT = "I cannot send you a text message right now."
EXPLANATIONS: Mapping[TextReason, Explanation] = {
    R.OFF: Explanation(CANNOT, _("Texts are turned off."), _("Turn on “Send texts” in the text settings.")),
    R.NOT_CONFIGURED: Explanation(
        CANNOT,
        _("There is no Twilio account, or Twilio does not accept its keys."),
        _("Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN on the server."),
    ),
    R.NO_NUMBER: Explanation(
        "I do not see your number, so I cannot send you a text message.",
        _("The caller's number is withheld or is no phone number."),
        _("Nothing can be done: texts go only to the number that calls."),
    ),
    R.NO_SENDER: Explanation(
        CANNOT,
        _("The organization has no active phone number and no Messaging Service."),
        _("Add a phone number, or enter the Messaging Service SID in the text settings."),
    ),
    R.LANDLINE: Explanation(
        "Your number is a landline, and text messages do not reach it.",
        _("The number is a landline, which receives no texts."),
        _("Call the customer, or ask for a mobile number."),
    ),
    R.INVALID_NUMBER: Explanation(
        "I cannot send text messages to your number.",
        _("The number cannot receive texts: it is not valid, or has special charges."),
        _("Call the customer, or ask for a mobile number."),
    ),
    R.OTHER_COUNTRY: Explanation(
        "I cannot send text messages to numbers of your country.",
        _("The number belongs to a country to which the organization sends no texts."),
        _("Add the country in the text settings."),
    ),
    R.OPTED_OUT: Explanation(
        "You have asked us to send you no text messages. To get them again, text START to our number.",
        _("The customer has replied STOP."),
        _("Only the customer can change that, by texting START to your number."),
    ),
    R.NUMBER_CAP: Explanation(
        "I have already sent you as many text messages today as I may.",
        _("The maximum of texts to this number was reached for the day."),
        _("Raise “Maximum per number and day” in the text settings."),
    ),
    R.DAY_CAP: Explanation(
        CANNOT,
        _("The organization's maximum of texts was reached for the day."),
        _("Raise “Maximum per day” in the text settings."),
    ),
    R.TOO_MANY_FAIL: Explanation(
        CANNOT,
        _("Most texts of the last hour were not delivered. Texts are paused, for callers may use forged numbers."),
        _("Look at the texts that failed. Texts go on by themselves within an hour; “Send again” sends this one now."),
    ),
    R.UNREGISTERED: Explanation(
        CANNOT,
        _("The sender is not registered for texts to that country."),
        _("Register it in Twilio's console: A2P 10DLC or toll-free verification for the United States."),
    ),
    R.BAD_SENDER: Explanation(
        CANNOT,
        _("The sender cannot send texts."),
        _("Choose a number with SMS in Twilio's console, or a Messaging Service in the text settings."),
    ),
    R.TRIAL: Explanation(
        CANNOT,
        _("Twilio's trial accounts send only to verified numbers."),
        _("Upgrade the account in Twilio's console."),
    ),
    R.NO_PERMISSION: Explanation(
        CANNOT,
        _("The Twilio account may not send to that country."),
        _("Enable it in Twilio's console: Messaging, Settings, Geo permissions."),
    ),
    R.UNREACHABLE: Explanation(
        "The text message did not reach your phone.",
        _("The phone is switched off, out of reach, or its number is not in use."),
        _("Send it again later, or call the customer."),
    ),
    R.FILTERED: Explanation(
        "The text message could not be delivered.",
        _("The carrier took the text for spam."),
        _("Change the template: avoid short links and capitals. Twilio's log has the details."),
    ),
    R.REFUSED: Explanation(
        "The text message could not be delivered.",
        _("The carrier refused the text."),
        _("Look up the error code in Twilio's documentation."),
    ),
    R.NO_RESPONSE: Explanation(
        CANNOT, _("Twilio did not respond in time."), _("Check status.twilio.com, then send the text again.")
    ),
    R.TOO_LATE: Explanation(
        CANNOT, _("It could not be sent in time."), _("Check that a worker runs. Call the customer.")
    ),
    R.CHANGED: Explanation(
        "That has changed meanwhile, so I sent no text message.",
        _("The appointment or order was changed or canceled before the text was sent."),
        _("Nothing has to be done."),
    ),
}
# twilio.com/docs/api/errors, protocols.md A6. 30006 reports a landline afterwards, 21614 and 21635 at once.
BY_CODE: Mapping[int, TextReason] = {
    21211: R.INVALID_NUMBER, 21217: R.INVALID_NUMBER, 21265: R.INVALID_NUMBER, 21421: R.INVALID_NUMBER,
    21604: R.INVALID_NUMBER, 21614: R.LANDLINE, 21635: R.LANDLINE, 30006: R.LANDLINE,
    20003: R.NOT_CONFIGURED, 21610: R.OPTED_OUT,
    21408: R.NO_PERMISSION, 21215: R.NO_PERMISSION, 21612: R.NO_PERMISSION,
    21608: R.TRIAL,
    21212: R.BAD_SENDER, 21603: R.BAD_SENDER, 21606: R.BAD_SENDER, 21659: R.BAD_SENDER, 21660: R.BAD_SENDER,
    21703: R.BAD_SENDER, 21704: R.BAD_SENDER,
    30032: R.UNREGISTERED, 30034: R.UNREGISTERED, 30035: R.UNREGISTERED, 21611: R.REFUSED,
    30003: R.UNREACHABLE, 30005: R.UNREACHABLE, 30004: R.UNREACHABLE, 30017: R.UNREACHABLE,
    30007: R.FILTERED,
}  # fmt: skip


def reason_of(code: int | None) -> TextReason:
    """The reason of a carrier's error code."""
    return BY_CODE.get(code or 0, TextReason.REFUSED)


def explanation_of(reason: str) -> Explanation:
    return EXPLANATIONS[TextReason(reason)]
