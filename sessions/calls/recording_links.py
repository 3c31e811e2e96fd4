"""Where a call's recording is: registered by the app of recordings, which is a layer above this one.

A call's `recordings` may be read from here by their names alone.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Q

from agents.organizations.principal import Principal

from .models import Call

LinkFor = Callable[[Call, Principal], str | None]

# Calls that left a recording one can fetch; for `Exists(Call.objects.filter(WITH_RECORDING, pk=OuterRef("pk")))`.
WITH_RECORDING = Q(recordings__url__gt="") | Q(
    recordings__state__in=("stored", "cut_short"), recordings__size_bytes__gt=0
)
WITH_TRANSCRIPT = Q(recordings__transcript__gt="")

_links: list[LinkFor] = []


def register(link_for: LinkFor) -> None:
    """Named once, when the app of recordings is ready."""
    _links[:] = [link_for]


def recording_link(call: Call, principal: Principal) -> str | None:
    """An address that serves the newest recording for a few minutes; None while there is no file.

    The link needs no other credential: check the permission to read the call first. That the principal got it is
    written to the audit log of recordings.
    """
    return _links[0](call, principal) if _links else None


def recording_transcript(call: Call) -> str | None:
    """The transcript of the newest recording that has one."""
    texts = call.recordings.filter(transcript__gt="")
    return texts.values_list("transcript", flat=True).order_by("-id").first()
