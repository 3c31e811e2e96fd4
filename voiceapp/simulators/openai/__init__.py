"""OpenAI Realtime (GA, over WebSocket), played on this machine: it hears, thinks and speaks, and mints client secrets.

Keys: `OPENAI_API_KEY` (comma separated) or `Server(keys=…)`. It learns the menu from the session's instructions,
one line an item, as a model does. `response.create` with instructions `Say exactly: "…"` speaks just that.

Faults are chosen by address: `http://HOST:PORT/fault/<name>[=<argument>]/v1`, or several: `/fault/a/fault/b=3/v1`.

| fault | what happens | argument (default) |
|---|---|---|
| `refuse=<status>` | the handshake is answered with this HTTP status | 401, 403, 429, 500, 503 (500) |
| `flaky=<n>` | the first n connections to this address get 503 | (1) |
| `accept_hang` | the WebSocket opens, nothing is ever said | |
| `drop_after=<n>` | the connection breaks without a close frame after n server events | (5) |
| `drop_in_response` | the same after the third audio delta | |
| `close=<code>[@<n>]` | a proper close with this code after n server events | (1011@3) |
| `stall=<n>` | nothing more is sent after n server events; the connection stays | (10) |
| `silent` | `response.create` and the caller's turns are never answered | |
| `slow=<ms>` | each response waits so long between `response.created` and its output | (1500) |
| `garbage` | a frame of rubbish (bad JSON, deep JSON, binary, unknown and malformed events) before each event | |
| `big_frame=<MiB>` | one audio delta of this size before the first response's end | (5) |
| `session_limit_s=<n>` | the session is closed with 1001 after n seconds | (5) |
| `fail_response[=always]` | the first response (every one) ends `failed` | (once) |
| `limited=<ms>` | so long from the first response, all of a session fail by a rate limit that names its wait | (4000) |
| `ends=<how>` | the first response has no answer (`bad_endings.py`): `empty`, `text`, `mute`, `cut`, `filtered`, | |
| | `cancelled`, `odd`; `never` ends, or is `unborn`: never begins | (empty) |
| `error_event=<code>` | an `error` event with this code follows `session.updated` | (server_error) |
| `no_interrupt` | the caller's speech never cancels a response | |
| `late_transcripts` | the caller's transcripts come after the answer | |
| `deaf` | hears nothing, answers every turn with a chirp | |
| `echo` | every append comes back at once as audio of the same bytes (for load tests) | |
| `count_ids` | ids count from 1: of calls in each response; of events, items and responses in each session | |
| `tools=<script>` | a session's first answers ask for these tools, a list of them in each (`tools_fault`) | (none) |
| `tag=<any>` | nothing; gives a test an address (and its counters) of its own | |

A client secret knows `refuse`, `flaky`, `slow` (before the answer), `garbage` (200 without JSON), `big_frame` (a body
of this size), `tag`, and:

| fault | what happens | argument (default) |
|---|---|---|
| `hang` | the answer never comes | |
| `drip` | the answer's body comes at ten bytes a second | |
| `redirect=<status>` | to the same address without faults | 301, 302, 303, 307, 308 (307) |
"""

from voiceapp.simulators.openai.scripted import tools_fault
from voiceapp.simulators.openai.server import MODELS, Server

__all__ = ["MODELS", "Server", "tools_fault"]
