"""Where Django looks for the admin pages of this app."""

import sessions.alerts.admin.alert
import sessions.alerts.admin.rule
import sessions.appointments.admin
import sessions.appointments.calendars.admin.connected_calendar
import sessions.appointments.calendars.admin.entry
import sessions.appointments.calendars.admin.feed
import sessions.calls.admin.call
import sessions.calls.admin.records
import sessions.exports.admin
import sessions.messages.admin
import sessions.messages.endpoints.admin
import sessions.messages.texts.admin
import sessions.orders.admin
import sessions.orders.board.admin
import sessions.orders.usual_admin
import sessions.realtime.admin
import sessions.rooms.admin.room  # noqa: F401 - all of these register themselves
