"""What a caller in a browser reads when the call has ended: why, and what to do. No carrier speaks to this caller."""

from __future__ import annotations

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from .end_reasons import EndReason

# On the phone the first two go to a person or a message: telephony/twilio/services/follow_ups.py.
SENTENCES = {
    EndReason.PROVIDER_FAILED: _(
        "The agent cannot speak right now. A phone call would now reach a person or take a message, which this line "
        "cannot. Call again in a few minutes."
    ),
    EndReason.PROVIDER_REFUSED: _(
        "The agent cannot speak right now: the AI provider refused the call. A phone call would now reach a person or "
        "take a message, which this line cannot."
    ),
    EndReason.TRANSFERRED: _("A call from a browser cannot be transferred to a person. Ring the number instead."),
    EndReason.CALLER_SILENT: _("The agent heard nothing and hung up. Check your microphone, then call again."),
    EndReason.TOO_LONG: _("The call has reached its longest time."),
    EndReason.STREAM_LOST: _("The connection broke off. Check your network, then call again."),
    EndReason.HUNG_UP_BY_OPERATOR: _("Somebody else ended the call."),
    EndReason.SERVER_STOPPING: _("The server is restarting. Call again in a minute."),
    EndReason.PAGE_CHANGED_SESSION: _(
        "The call was ended because this page changed what the agent is told. Reload it."
    ),
    EndReason.BROWSER_NEVER_JOINED: _(
        "Your browser did not connect to the agent. A network without UDP may be the reason: try another one."
    ),
    EndReason.LOST_PROCESS: _("Something went wrong on our side. Call again in a few minutes."),
}


def caller_sentence(reason: EndReason, language: str = "en") -> str:
    """Empty where the end explains itself: somebody has hung up."""
    with translation.override(language):
        return str(SENTENCES.get(reason, ""))
