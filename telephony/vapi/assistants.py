"""An agent as VAPI's assistant: stored there, made for one call, or stored there and completed for one call.

Menu, hours, the time and who is there change without anybody publishing. They are no part of a stored assistant: its
prompt ends with the variable `live_facts`, which each call fills in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from agents.configuration.models import Agent, AgentVersion, Persona
from agents.configuration.opening import opening_of
from agents.configuration.sentences import sentences_of
from sessions.calls.briefing import Briefing, FunctionTool
from sessions.calls.models import Call
from sessions.tools.briefing import standing_part
from voiceapp.providers.vapi.webhooks import Method, WebhookCredential, WebhookRefused

from .legs import CALL_ID_KEY

WEBHOOK_PATH = "/vapi/webhook"
LIVE_FACTS = "live_facts"
MAX_NAME = 40
# VAPI's limits of a call's duration.
SHORTEST_CALL_S, LONGEST_CALL_S = 10, 43_200
# What our endpoint takes at most for a response (telephony/vapi/tool_calls.py), and a margin.
SERVER_TIMEOUT_S = 20
SERVER_MESSAGES = [
    "end-of-call-report",
    "hang",
    "status-update",
    "tool-calls",
    "transfer-destination-request",
    "transfer-update",
]
CLIENT_MESSAGES = [
    "assistant.started",
    "conversation-update",
    "hang",
    "speech-update",
    "status-update",
    "tool-calls",
    "tool-calls-result",
    "transcript",
    "transfer-update",
    "user-interrupted",
    "voice-input",
]
AUTO = {"": "multi"}

Fields = dict[str, Any]


def stored_assistant(agent: Agent, version: AgentVersion) -> Fields:
    """What VAPI's assistant of a published agent should have: only the fields that we decide on."""
    organization = agent.organization
    prompt, tools = standing_part(version, organization)
    return {
        "name": f"{organization.name}: {agent.name}"[:MAX_NAME],
        # Keys of a call that VAPI carries itself do not reach us.
        **_persona(
            version,
            opening_of(version, organization, has_keys=False).text,
            f"{prompt}\n\n{{{{{LIVE_FACTS}}}}}",
            tools,
        ),
        "metadata": {"agentId": str(agent.pk), "orgId": str(organization.pk)},
    }


def transient_assistant(briefing: Briefing, call: Call) -> Fields:
    """A whole assistant for one call, which VAPI does not store."""
    persona = call.agent_version or call.agent
    assert persona is not None
    fields = _persona(persona, briefing.phrases.greeting, briefing.instructions, briefing.tools)
    return {**fields, "metadata": metadata_of(call)}


def call_overrides(briefing: Briefing, call: Call) -> Fields:
    """What one call adds to a stored assistant, as `assistantOverrides`. Changes made at VAPI stay in force."""
    return {
        "variableValues": {LIVE_FACTS: briefing.facts},
        "metadata": metadata_of(call),
        "artifactPlan": artifact_plan(briefing.recording),
    }


def artifact_plan(recording: str) -> Fields:
    """VAPI records every call unless it is forbidden: only one source records a call, and only if its agent says so."""
    return {"recordingEnabled": recording == Persona.RecordedBy.VAPI}


def metadata_of(call: Call) -> dict[str, str]:
    """What VAPI repeats in each message about the call."""
    return {CALL_ID_KEY: str(call.pk), "orgId": str(call.organization_id)}


def server() -> Fields:
    """Where VAPI sends the messages of a call, and the credential by which we know it. It may repeat each."""
    fields: Fields = {
        "url": settings.PUBLIC_BASE_URL + WEBHOOK_PATH,
        "timeoutSeconds": SERVER_TIMEOUT_S,
        "backoffPlan": {"type": "exponential", "maxRetries": 2, "baseDelaySeconds": 1},
    }
    if settings.VAPI_SERVER_CREDENTIAL_ID:
        return fields | {"credentialId": settings.VAPI_SERVER_CREDENTIAL_ID}
    try:
        credential = WebhookCredential.from_settings()
    except WebhookRefused:
        return fields
    if credential.method is Method.HMAC:
        return fields  # only a credential that is stored at VAPI can sign
    return fields | {"headers": {credential.header_name: credential.header_value(credential.secrets[0])}}


def _persona(persona: Persona, opening: str, prompt: str, tools: tuple[FunctionTool, ...]) -> Fields:
    """`opening`: the greeting, with what is announced before it, which cannot be interrupted."""
    return {
        "firstMessage": opening,
        "firstMessageMode": "assistant-speaks-first",
        "firstMessageInterruptionsEnabled": not persona.protects_greeting and opening == persona.greeting,
        "model": {
            **_named("provider model", settings.VAPI_MODEL),
            "messages": [{"role": "system", "content": prompt}],
            "tools": [_tool(tool, persona) for tool in tools],
        },
        "voice": _voice(persona),
        "transcriber": {
            **_named("provider model", settings.VAPI_TRANSCRIBER),
            "language": AUTO.get(persona.language, persona.language),
        },
        "maxDurationSeconds": min(max(persona.longest_call_minutes * 60, SHORTEST_CALL_S), LONGEST_CALL_S),
        "clientMessages": CLIENT_MESSAGES,
        "serverMessages": SERVER_MESSAGES,
        "monitorPlan": {"controlEnabled": True, "listenEnabled": False},
        "artifactPlan": artifact_plan(persona.recording),
        "server": server(),
    }


def _voice(persona: Persona) -> Fields:
    """The agent's own where it names VAPI's provider and voice, like 11labs/burt; else the configured one."""
    return _named("provider voiceId", persona.voice if "/" in persona.voice else settings.VAPI_VOICE)


def _tool(tool: FunctionTool, persona: Persona) -> Fields:
    """Without VAPI's own filler while it runs: it would say “Hold on a sec” at once."""
    function: Mapping[str, object] = {
        "name": tool["name"],
        "description": tool["description"],
        "parameters": tool["parameters"],
    }
    messages = [{"type": "request-start", "content": "", "blocking": False}]
    filler = {
        "content": persona.filler or sentences_of(persona.language).filler,
        "timingMilliseconds": persona.filler_after_ms,
    }
    messages.append({"type": "request-response-delayed", **filler})
    return {"type": "function", "async": False, "function": dict(function), "messages": messages}


def _named(keys: str, text: str) -> Fields:
    """`openai/gpt-4.1` as a provider and a name of its."""
    provider, _, name = text.partition("/")
    return dict(zip(keys.split(), (provider, name), strict=True))
