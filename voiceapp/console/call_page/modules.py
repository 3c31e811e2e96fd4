"""The page's scripts: a browser gets a list of all of them, instead of finding them one import after the other."""

from __future__ import annotations

from collections.abc import Mapping

FOLDER = "voiceapp/call"
# What page.mjs imports before a call. The rest comes with the first one, while the server begins it.
PAGE = (
    "captions", "controls", "devices", "listener", "meter", "microphone", "preflight", "problems", "screen", "server",
    "tab",
)  # fmt: skip
# What each way adds to it.
WAYS: Mapping[str, tuple[str, ...]] = {
    "realtime": ("realtime", "doing", "realtime_events", "realtime_peer"),
    "room": ("room", "doing", "room_captions", "livekit_client", "room_waiting"),
    "dialer": ("dialer", "dialer_socket", "doing", "tones"),
}


def modules_of(way: str) -> list[str]:
    """The static files of the page with this way chosen, apart from page.mjs itself."""
    return [f"{FOLDER}/{name}.mjs" for name in (*PAGE, *WAYS.get(way, ()))]
