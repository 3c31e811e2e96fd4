"""What can be wrong with a calendar, in words for its owner, and whether the same request may succeed later."""

from __future__ import annotations

from enum import StrEnum

from voiceapp.core.kept_texts import KeptText, gettext_noop
from voiceapp.providers.errors import ProviderError, RetryClass, retry_class_of

PROVIDER = "calendar"


class Trouble(StrEnum):
    """Its value is the sentence that the admin shows."""

    ADDRESS = gettext_noop("The address cannot be used. Enter the https address of a server on the internet.")
    UNKNOWN_HOST = gettext_noop("There is no server of that name. Check the spelling of the address.")
    NO_RESPONSE = gettext_noop("The server does not respond. It may be down; if not, check the address.")
    NO_PASSWORD = gettext_noop("The saved password cannot be read any more. Enter it again.")
    UNAUTHORIZED = gettext_noop(
        "The server refuses the user name or the password. Many providers want an app password, not the one for "
        "signing in."
    )
    FORBIDDEN = gettext_noop(
        "This user may not do that in this calendar. Choose another calendar, or let its owner share it."
    )
    NOT_FOUND = gettext_noop("There is no calendar at this address. It may have been removed or renamed.")
    NO_CALENDAR = gettext_noop("The server responds, but it offers no calendar there. Check the address.")
    SEVERAL = gettext_noop("The user has several calendars. Choose one of them.")
    CHANGED = gettext_noop("The event was changed in the calendar meanwhile.")
    RATE_LIMITED = gettext_noop("The server accepts no more requests for now. It is tried again later.")
    SERVER_FAILED = gettext_noop("The server reports a fault of its own. It is tried again later.")
    REFUSED = gettext_noop("The server does not accept what we sent.")
    ELSEWHERE = gettext_noop(
        "The server redirects to another site, to which no password is sent. Enter that address instead."
    )
    GARBAGE = gettext_noop("What the server sends is not a calendar. Check the address: it may be that of a web page.")
    TOO_LARGE = gettext_noop("The calendar has more events than can be read. Use one that holds working times only.")


PERMANENT = {
    Trouble.ADDRESS,
    Trouble.NO_PASSWORD,
    Trouble.UNAUTHORIZED,
    Trouble.FORBIDDEN,
    Trouble.NOT_FOUND,
    Trouble.NO_CALENDAR,
    Trouble.SEVERAL,
    Trouble.CHANGED,
    Trouble.ELSEWHERE,
    Trouble.TOO_LARGE,
}
BY_STATUS = {
    401: Trouble.UNAUTHORIZED,
    403: Trouble.FORBIDDEN,
    404: Trouble.NOT_FOUND,
    410: Trouble.NOT_FOUND,
    412: Trouble.CHANGED,
    429: Trouble.RATE_LIMITED,
}


class CalendarError(ProviderError):
    """`detail` is for the log: a status or the kind of a failure, never what the server sent."""

    def __init__(
        self,
        trouble: Trouble,
        detail: str = "",
        *,
        status: int | None = None,
        retry_class: RetryClass | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        sentence = KeptText(trouble.value)
        super().__init__(
            PROVIDER,
            KeptText("%(trouble)s (%(detail)s)", trouble=sentence, detail=detail) if detail else sentence,
            permanent=trouble in PERMANENT,
            retry_class=retry_class,
            retry_after_s=retry_after_s,
        )
        self.trouble = trouble
        self.status = status


def error_of_status(status: int, *, wait_s: float | None = None) -> CalendarError:
    """The error of a response that is no success."""
    trouble = BY_STATUS.get(status, Trouble.SERVER_FAILED if status >= 500 else Trouble.REFUSED)
    retry_class = retry_class_of(status, retry_after_s=wait_s)
    return CalendarError(trouble, f"HTTP {status}", status=status, retry_class=retry_class, retry_after_s=wait_s)
