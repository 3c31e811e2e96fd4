"""Where each source has the file of a recording that is over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from recordings.models import Recording

from . import bridge, room_agent, twilio, vapi


class FileSource(Protocol):
    """A module of recordings/sources is one."""

    def fetch(self, recording: Recording, into: Path) -> None:
        """Write the source's file as it is, in parts. Raises ProviderError; it is permanent if there is no file."""

    def forget(self, recording: Recording) -> None:
        """Delete it at the source, if that is configured; also if it is gone already. Raises ProviderError."""


# LiveKit's egress writes into our storage itself.
SOURCES: Mapping[Recording.Source, FileSource] = {
    Recording.Source.BRIDGE: bridge,
    Recording.Source.ROOM_AGENT: room_agent,
    Recording.Source.TWILIO: twilio,
    Recording.Source.VAPI: vapi,
}
