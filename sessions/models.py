"""Where Django looks for the models of this app; code imports them from their own folders."""

import sessions.alerts.models
import sessions.analytics.changes
import sessions.analytics.models
import sessions.appointments.calendars.models
import sessions.appointments.models
import sessions.call_lists.models
import sessions.calls.models
import sessions.exports.models
import sessions.messages.endpoints.models
import sessions.messages.models
import sessions.messages.texts.models
import sessions.orders.board.models
import sessions.orders.models
import sessions.realtime.models
import sessions.rooms.models
import sessions.visitors.models  # noqa: F401 - all of these register themselves
