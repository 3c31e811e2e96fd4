"""Who wants no texts of an organization: the keywords that people reply, and what follows from them."""

from __future__ import annotations

from django.utils import timezone

from agents.organizations.models import Organization
from sessions.messages.texts.models import OptOut

# Twilio's own keywords (twilio.com/docs/messaging/tutorials/advanced-opt-out), and the same word in our languages.
STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "STOPP", "ARRET",
                  "ARRÊT", "BAJA"})  # fmt: skip
START = frozenset({"START", "UNSTOP", "YES"})
HELP = frozenset({"HELP", "INFO"})


def keyword_of(body: str, *, opt_out_type: str = "") -> str:
    """`STOP`, `START`, `HELP`, or nothing. `opt_out_type` is what Twilio's Advanced Opt-Out made of the text.

    Only a single word counts, as at the carrier: “Please cancel my appointment” is for a person to read.
    """
    if opt_out_type in ("STOP", "START", "HELP"):
        return opt_out_type
    word = body.strip().strip(".!\"'").upper()
    for keyword, words in (("STOP", STOP), ("START", START), ("HELP", HELP)):
        if word in words:
            return keyword
    return ""


def is_opted_out(organization: Organization, number: str) -> bool:
    return OptOut.objects.filter(organization=organization, number=number, is_out=True).exists()


def set_opt_out(organization: Organization, number: str, *, is_out: bool, source: OptOut.Source) -> None:
    """Note what the number wants from now on."""
    OptOut.objects.update_or_create(
        organization=organization,
        number=number,
        defaults={"is_out": is_out, "source": source, "changed_at": timezone.now()},
    )
