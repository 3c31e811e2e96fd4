"""What the day plan's scripts say, in the language of the page."""

from __future__ import annotations

from django.utils.translation import gettext as _


def page_texts() -> dict[str, str]:
    return {
        "appointment": _("Appointment No. {number}"),
        "full": _("Only the first appointments of this day are shown."),
        "notMoved": _("Not moved:"),
        "saving": _("Saving …"),
        "gone": _("This appointment is no longer on this day."),
        "dropAt": _("{time}, {resource}"),
        "canceled": _("Canceled ({count})"),
        "unassigned": _("Without a person or bay ({count})"),
        "count": _("{count} appointments"),
        "one": _("1 appointment"),
        "undo": _("Undo"),
    }


def reasons() -> list[str]:
    """For canceling; any other one can be entered."""
    return [
        _("The customer canceled."),
        _("The customer cannot be reached."),
        _("We have nobody for it."),
        _("We are closed then."),
    ]
