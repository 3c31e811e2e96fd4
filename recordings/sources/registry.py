"""Where each source has the file of a recording that is over, and who deletes it there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from recordings.models import Recording

from . import bridge, page, room_agent, twilio, vapi


class FileSource(Protocol):
    """A module of recordings/sources is one."""

    def fetch(self, recording: Recording, into: Path) -> None:
        """Write the source's file as it is, in parts. Raises ProviderError; it is permanent if there is no file."""

    def delete(self, recording: Recording) -> None:
        """Delete the file at the source, also if it is gone already. Raises ProviderError."""


# LiveKit's egress writes into our storage itself.
SOURCES: Mapping[Recording.Source, FileSource] = {
    Recording.Source.BRIDGE: bridge,
    Recording.Source.PAGE: page,
    Recording.Source.ROOM_AGENT: room_agent,
    Recording.Source.TWILIO: twilio,
    Recording.Source.VAPI: vapi,
}
# Their copy is the organization's own: it says whether it stays there.
AT_PROVIDERS = (Recording.Source.TWILIO, Recording.Source.VAPI)


def source_of(recording: Recording) -> FileSource | None:
    """None if its source stores the file itself."""
    return SOURCES.get(Recording.Source(recording.source))


def forget_copy(recording: Recording) -> None:
    """After the file was stored: delete the source's, at a provider only if the organization wants that.

    Safe to repeat. Raises ProviderError.
    """
    source, organization = source_of(recording), recording.call.organization
    is_kept = recording.source in AT_PROVIDERS and not (organization and organization.deletes_recordings_at_provider)
    if source is not None and not is_kept:
        source.delete(recording)
