"""The ways to talk that the call page offers, best first, and why one is not available."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.organizations.models import Organization
from telephony.twilio.services.admission import default_agent

from .opening import may_be_recorded

# make livekit-client puts it there.
LIBRARY = "vendor/livekit-client.umd.js"
NO_KEY = _("Calls straight to the agent need OpenAI: set OPENAI_API_KEY.")
NOT_CONFIGURED = _("Calls in a room need LiveKit: set LIVEKIT_HOST, LIVEKIT_API_KEY and LIVEKIT_API_SECRET.")
TRIED_LATER = _("The voice provider is tried when the call begins.")
NO_LIBRARY = _("The page lacks livekit-client: run “make livekit-client” on the server, which needs npm, and reload.")


@dataclass(frozen=True, slots=True)
class Way:
    """`data`: what its module needs, as data attributes. `connects_to`: other servers, for the content policy."""

    name: str
    label: str
    explanation: str
    problem: str = ""
    data: dict[str, str] = field(default_factory=dict)
    connects_to: tuple[str, ...] = ()


def ways_of(organization: Organization) -> list[Way]:
    return [realtime_of(organization), room_of(organization), dialer_of(organization)]


def realtime_of(organization: Organization) -> Way:
    label, explanation = gettext("In the browser"), gettext("Straight to the agent: the shortest way, the best sound.")
    if not (settings.OPENAI_API_KEY or settings.OPENAI_SECRET_ID):
        return Way("realtime", label, explanation, str(NO_KEY))
    data = {"start": reverse("call-page-realtime", args=[organization.slug]), "later": str(TRIED_LATER)}
    agent = default_agent(organization)
    if agent is not None and may_be_recorded(agent):
        data["records"] = "yes"
    return Way("realtime", label, explanation, data=data)


def dialer_of(organization: Organization) -> Way:
    """Always there: it needs nothing but this server."""
    explanation = gettext("A phone call without a phone: you hear what a caller hears. With a keypad.")
    return Way("dialer", gettext("Phone line"), explanation, data={"socket": f"/ws/dialer/{organization.slug}"})


def room_of(organization: Organization) -> Way:
    label, explanation = gettext("In a room"), gettext("A LiveKit room, in which others can join.")
    has_library = finders.find(LIBRARY) is not None
    problem = "" if settings.LIVEKIT_HOST else str(NOT_CONFIGURED)
    problem = problem or ("" if has_library else str(NO_LIBRARY))
    if problem:
        return Way("room", label, explanation, problem)
    addresses = addresses_of(settings.LIVEKIT_HOST)
    data = {"start": reverse("call-page-session", args=[organization.slug]), "library": static(LIBRARY)}
    if http := next((each for each in addresses if each.startswith("http")), ""):
        data["reach"] = http
    return Way("room", label, explanation, data=data, connects_to=tuple(addresses))


def addresses_of(livekit_host: str) -> list[str]:
    """What livekit-client connects to: the server's socket and its HTTP, and in LiveKit Cloud those of its regions."""
    parts = urlsplit(livekit_host)
    if not parts.netloc:
        return []
    is_secure = parts.scheme in ("wss", "https")
    hosts = [parts.netloc] + (["*.livekit.cloud"] if parts.netloc.endswith(".livekit.cloud") else [])
    schemes = ("wss", "https") if is_secure else ("ws", "http")
    return [f"{scheme}://{host}" for host in hosts for scheme in schemes]
