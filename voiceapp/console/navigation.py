"""The admin's sidebar, its banner and its styles: what Unfold's settings point at."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from agents.hours.local_time import zones_differ
from agents.organizations.access import Access, access_of
from agents.organizations.roles import Area, Power
from sessions.alerts.models import Alert

from .analytics.places import sees_figures

PROVIDER_NAMES = {"openai": "OpenAI", "twilio": "Twilio", "vapi": "VAPI", "livekit": "LiveKit", "aws": "AWS"}


class Link(TypedDict):
    """`badge`: how many rows of the list need a person; none shows no badge."""

    title: str
    icon: str
    link: str
    badge: NotRequired[int]


class Group(TypedDict):
    title: str
    separator: bool
    items: list[Link]


# Pages that are no lists: their own URL names.
OWN_PAGES = ("order-boards", "day-plans", "live-calls")
# Heading → (title, icon, the list's URL name, area).
PAGES: tuple[tuple[StrOrPromise, tuple[tuple[StrOrPromise, str, str, Area], ...]], ...] = (
    (
        _("Operations"),
        (
            (_("Alerts"), "notifications", "voice_sessions_alert", Area.ALERTS),
            (_("Live calls"), "phone_in_talk", "live-calls", Area.CALLS),
            (_("Calls"), "call", "voice_sessions_call", Area.CALLS),
            (_("Voicemail"), "voicemail", "telephony_voicemail", Area.CALLS),
            (_("Transfers"), "phone_forwarded", "telephony_transfer", Area.CALLS),
            (_("Order board"), "view_kanban", "order-boards", Area.ORDERS),
            (_("Orders"), "receipt_long", "voice_sessions_order", Area.ORDERS),
            (_("Day plan"), "calendar_view_day", "day-plans", Area.APPOINTMENTS),
            (_("Appointments"), "event", "voice_sessions_appointment", Area.APPOINTMENTS),
            (_("Calendar entries"), "edit_calendar", "voice_sessions_calendarentry", Area.APPOINTMENTS),
            (_("Items"), "lunch_dining", "agents_item", Area.STOCK),
            (_("Recordings"), "graphic_eq", "recordings_recording", Area.RECORDINGS),
            (_("Access to recordings"), "hearing", "recordings_recordingaccess", Area.RECORDINGS),
            (_("Listening in"), "headphones", "voice_sessions_calllistening", Area.LISTENING),
            (_("Texts"), "sms", "voice_sessions_text", Area.CALLS),
            (_("Transcripts"), "forum", "voice_sessions_transcriptline", Area.CALLS),
        ),
    ),
    (
        _("Menu"),
        (
            (_("Menus"), "menu_book", "agents_menu", Area.MENU),
            (_("Categories"), "category", "agents_category", Area.MENU),
            (_("Modifier groups"), "tune", "agents_modifiergroup", Area.MENU),
            (_("Times of day"), "schedule", "agents_daypart", Area.MENU),
            (_("Spoken words"), "record_voice_over", "agents_spokenword", Area.MENU),
            (_("Modifiers"), "add_circle", "agents_modifier", Area.STOCK),
            (_("Services"), "build_circle", "agents_service", Area.MENU),
            (_("Resources"), "engineering", "agents_resource", Area.MENU),
            (_("Absences"), "event_busy", "agents_absence", Area.MENU),
        ),
    ),
    (
        _("Telephony"),
        (
            (_("Agents"), "support_agent", "agents_agent", Area.AGENTS),
            (_("Scenarios"), "fact_check", "telephony_scenario", Area.AGENTS),
            (_("Phone numbers"), "dialpad", "telephony_phonenumber", Area.NUMBERS),
            (_("Transfer targets"), "phone_forwarded", "agents_transfertarget", Area.ORGANIZATION),
            (_("VAPI assistants"), "cloud_sync", "telephony_syncedassistant", Area.AGENTS),
        ),
    ),
    (
        _("Settings"),
        (
            (_("Organization"), "storefront", "agents_organization", Area.ORGANIZATION),
            (_("Alert rules"), "notification_settings", "voice_sessions_alertrule", Area.ALERTS),
            (_("Call page"), "perm_phone_msg", "agents_callpage", Area.ORGANIZATION),
            (_("Order board settings"), "timer", "voice_sessions_boardsettings", Area.ORGANIZATION),
            (_("Delivery"), "local_shipping", "agents_deliverysettings", Area.ORGANIZATION),
            (_("Text settings"), "mobile_chat", "voice_sessions_textsettings", Area.ORGANIZATION),
            (_("Text templates"), "edit_note", "voice_sessions_texttemplate", Area.ORGANIZATION),
            (_("Opt-outs"), "speaker_notes_off", "voice_sessions_optout", Area.ORGANIZATION),
            (_("Callers not remembered"), "person_off", "voice_sessions_callernotremembered", Area.ORGANIZATION),
            (_("Caller requests"), "person_remove", "telephony_callerrequest", Area.CALLER_NUMBERS),
            (_("Privacy"), "shield_lock", "agents_privacysettings", Area.ORGANIZATION),
            (_("People"), "group", "agents_membership", Area.PEOPLE),
            (_("Invitations"), "outgoing_mail", "agents_invitation", Area.PEOPLE),
            (_("Audit log"), "history", "agents_auditentry", Area.AUDIT),
            (_("Calendar feeds"), "rss_feed", "voice_sessions_calendarfeed", Area.KEYS),
            (_("Connected calendars"), "cable", "voice_sessions_connectedcalendar", Area.KEYS),
            (_("API keys"), "key", "agents_apikey", Area.KEYS),
            (_("Webhook endpoints"), "webhook", "voice_sessions_webhookendpoint", Area.KEYS),
            (_("Realtime endpoints"), "lan", "agents_realtimeendpoint", Area.KEYS),
        ),
    ),
    (
        _("System"),
        (
            (_("Webhook deliveries"), "outbox", "voice_sessions_outboxmessage", Area.DELIVERIES),
            (_("Provider events"), "cell_tower", "telephony_providerevent", Area.EVENTS),
            (_("Exports"), "download", "voice_sessions_export", Area.CALLER_NUMBERS),
            (_("VAPI calls"), "phone_in_talk", "telephony_vapileg", Area.CALLS),
            (_("Tool calls"), "build", "voice_sessions_toolcall", Area.CALLS),
            (_("Voice sessions"), "vpn_key", "voice_sessions_voicesession", Area.SESSIONS),
            (_("Room agents"), "smart_toy", "voice_sessions_roomagent", Area.CALLS),
            (_("Room participants"), "groups", "voice_sessions_participant", Area.CALLS),
            (_("Room tokens"), "badge", "voice_sessions_roomtoken", Area.CALLS),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[Group]:
    """Only what the user's roles open."""
    access = access_of(request)
    groups: list[Group] = [
        Group(
            title="",
            separator=False,
            items=[Link(title=gettext("Dashboard"), icon="dashboard", link=reverse("admin:index"))],
        )
    ]
    if sees_figures(access):
        groups[0]["items"].append(Link(title=gettext("Analytics"), icon="monitoring", link=reverse("analytics")))
    badges = {"voice_sessions_alert": open_alerts(access)}
    for title, pages in PAGES:
        items = [
            Link(title=str(name), icon=icon, link=address_of(route), badge=badges.get(route, 0))
            for name, icon, route, area in pages
            if access.may(area, Power.VIEW)
        ]
        if items:
            groups.append(Group(title=str(title), separator=True, items=items))
    if access.sees_all or access.may(Area.AGENTS, Power.EDIT):
        groups[0]["items"].append(
            Link(title=gettext("Set up a phone line"), icon="rocket_launch", link=reverse("setup"))
        )
    if access.sees_all:
        groups[-1]["items"].append(
            Link(title=gettext("Users"), icon="manage_accounts", link=reverse("admin:auth_user_changelist"))
        )
    return groups


def open_alerts(access: Access) -> int:
    """How many are not snoozed, of those that the user sees: one query per page."""
    if not access.may(Area.ALERTS, Power.VIEW):
        return 0
    return Alert.objects.visible_to(access.principal(Area.ALERTS)).open(timezone.now()).count()


def account_links(request: HttpRequest) -> list[dict[str, object]]:
    """In the menu of who is signed in."""
    return [{"title": _("Two-factor sign-in"), "link": reverse("two-factor")}]


def address_of(route: str) -> str:
    return reverse(route if route in OWN_PAGES else f"admin:{route}_changelist")


def simulated_providers() -> list[str]:
    """The providers in whose place a simulator runs, as people write their names."""
    return [PROVIDER_NAMES.get(name, name) for name in settings.SIMULATORS if name]


def every_page(request: HttpRequest) -> dict[str, object]:
    """What the templates of all pages use."""
    return {
        "simulators": ", ".join(simulated_providers()),
        "times_differ": zones_differ(),
        "time_zone_name": timezone.get_current_timezone_name(),
    }


def language_form(request: HttpRequest) -> str:
    return reverse("choose-language")


def stylesheet(request: HttpRequest) -> str:
    return static("voiceapp/admin.css")


def favicon(request: HttpRequest) -> str:
    return static("voiceapp/favicon.svg")
