"""Addresses of calls and orders for other software."""

from __future__ import annotations

from django.urls import path

from sessions.appointments.api import AppointmentTimesView, BookAppointmentView
from sessions.appointments.calendars.views import calendar_feed
from sessions.call_lists.api import CallsView
from sessions.calls.search.api import SearchView
from sessions.orders.api import SubmitOrderView
from sessions.realtime.api import RealtimeSessionView, VoiceSessionView
from sessions.rooms.api.agents import RoomAgentView
from sessions.rooms.api.calls import CallView
from sessions.rooms.api.realtime import RealtimeView
from sessions.rooms.api.tokens import TokenView
from sessions.tools.api import OrgConfigView

urlpatterns = [
    path("calendar/<secret>.ics", calendar_feed, name="calendar-feed"),
    path("voice-session", VoiceSessionView.as_view(), name="voice-session"),
    path("api/realtime/appointment-times", AppointmentTimesView.as_view(), name="appointment-times"),
    path("api/realtime/book-appointment", BookAppointmentView.as_view(), name="book-appointment"),
    path("api/realtime/org-config", OrgConfigView.as_view(), name="org-config"),
    path("api/realtime/submit-order", SubmitOrderView.as_view(), name="submit-order"),
    path("api/voice/agent", RoomAgentView.as_view(), name="voice-agent"),
    path("api/voice/calls", CallsView.as_view(), name="voice-calls"),
    path("api/voice/realtime", RealtimeView.as_view(), name="voice-realtime"),
    path("api/voice/search", SearchView.as_view(), name="voice-search"),
    path("api/voice/session", CallView.as_view(), name="voice-session-of-a-room"),
    path("api/voice/token", TokenView.as_view(), name="voice-token"),
    path("realtime_session", RealtimeSessionView.as_view(), name="realtime-session"),
]
