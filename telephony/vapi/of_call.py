"""Which assistant of VAPI's plays the agent of a call."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings

from sessions.calls.briefing import Briefing
from sessions.calls.models import Call

from .assistants import transient_assistant
from .legs import is_foreign
from .models import SyncedAssistant

VAPI = "vapi"


def with_assistant(briefing: Briefing, call: Call) -> Briefing:
    """The briefing with an assistant, if VAPI may play the agent: a stored one by its id, or a whole one.

    The agent's own comes first, then the one that is kept in step with it, then the installation's. An agent that was
    published after its assistant was written gets one for this call alone. Another organization's is not used.
    """
    if VAPI not in (briefing.provider, briefing.fallback_provider):
        return briefing
    if briefing.assistant_id and not is_foreign(briefing.assistant_id, call.organization_id):
        return briefing
    kept = SyncedAssistant.objects.filter(agent=call.agent).exclude(assistant_id="").first()
    version = call.agent_version
    if kept is not None and version is not None and kept.version == version.number:
        return replace(briefing, assistant_id=kept.assistant_id)
    if kept is None and settings.VAPI_ASSISTANT_ID:
        return replace(briefing, assistant_id=settings.VAPI_ASSISTANT_ID)
    return replace(briefing, assistant=transient_assistant(briefing, call))
