"""The simulator of OpenAI Realtime (GA): it understands speech, speaks, and mints client secrets.

Over WebSocket, or over WebRTC: `POST /v1/realtime/calls` answers an SDP offer; audio is on the track, events are on the
data channel `oai-events` and on side channels (`/v1/realtime?call_id=rtc_…`).

Keys: `OPENAI_API_KEY` (comma separated) or `OpenAISimulator(keys=…)`. It learns the menu from the instructions of the
session, one line for each item, as a model does. A `response.create` with the instructions `Say exactly: "…"` speaks
just that.

Faults are injected by URL: `http://HOST:PORT/fault/<name>[=<argument>]/v1`, or several: `/fault/a/fault/b=3/v1`.

| fault | what happens | argument (default) |
|---|---|---|
| `refuse=<status>` | the handshake gets this HTTP status | 401, 403, 429, 500, 503 (500) |
| `flaky=<n>` | the first n connections to this address get 503 | (1) |
| `slow_connect=<ms>` | the handshake is accepted after this time | (600) |
| `accept_hang` | the WebSocket opens, no event is ever sent | |
| `drop_after=<n>` | the connection breaks without a close frame after n server events | (5) |
| `drop_in_response` | the same after the third audio delta | |
| `close=<code>[@<n>]` | a close frame with this code after n server events | (1011@3) |
| `stall=<n>` | nothing more is sent after n server events; the connection stays | (10) |
| `silent` | no response to `response.create` or to the caller's turns | |
| `slow=<ms>` | each response waits between `response.created` and its output | (1500) |
| `garbage` | an invalid frame (bad or deep JSON, binary, unknown or malformed events) before each event | |
| `big_frame=<MiB>` | one audio delta of this size before the first response's end | (5) |
| `session_limit_s=<n>` | the session is closed with 1001 after n seconds | (5) |
| `fail_response[=always]` | the first response (every one) ends `failed` | (once) |
| `limited=<ms>` | from the first response on, the responses of a session fail by a rate limit for this time | (4000) |
| `ends=<how>` | the first response ends badly (`responses.py`): `empty`, `text`, `mute`, `cut`, `filtered`, | |
| | `cancelled`, `odd`; `never` ends; `unborn`: never begins | (empty) |
| `error_event=<code>` | an `error` event with this code follows `session.updated` | (server_error) |
| `no_interrupt` | the caller's speech never cancels a response | |
| `late_transcripts` | the caller's transcripts are sent after the response | |
| `deaf` | recognizes nothing, responds to every turn with a tone | |
| `echo` | every append is returned at once as audio of the same bytes (for load tests) | |
| `count_ids` | ids are counted from 1: function calls in each response; events, items and responses in each session | |
| `stamped` | each event says in `sent_at` when it was sent, in seconds since 1970 | |
| `tools=<script>` | the first responses of a session call these tools, a list in each (`tools_fault`) | (none) |
| `no_side_channel` | a side channel to a WebRTC call gets 403 | |
| `tag=<any>` | none; gives a test a URL (and counters) of its own | |

Of the faults of a connection, a WebRTC call has `drop_after` and `stall`; its `POST` has those of HTTP below.

`POST /v1/audio/transcriptions` recognizes a WAV file of what callers say to a voicemail
(`recognition/messages.jsgf`). It and the endpoint of client secrets have `refuse`, `flaky`, `slow`, `garbage` (200
without JSON), `big_frame` (a body of this size), `tag`, and:

| fault | what happens | argument (default) |
|---|---|---|
| `hang` | no response | |
| `drip` | the body is sent at ten bytes a second | |
| `redirect=<status>` | to the same URL without faults | 301, 302, 303, 307, 308 (307) |
"""

from voiceapp.simulators.model.tool_script import tools_fault
from voiceapp.simulators.openai.server import MODELS, OpenAISimulator

__all__ = ["MODELS", "OpenAISimulator", "tools_fault"]
