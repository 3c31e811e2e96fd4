"""The simulator of VAPI: calls over a WebSocket, assistants, control URLs and server webhooks.

Keys: `VAPI_API_KEY` (comma separated) or `VapiSimulator(keys=…)`. Every assistant is played by the model that the
simulator of OpenAI uses: it learns the menu and the services from the system message, and calls the tools of
`model.tools` at their server URL. The assistant `VAPI_ASSISTANT_ID` exists from the start, with a greeting alone.

Faults are injected by URL: `http://HOST:PORT/fault/<name>[=<argument>]`, or several: `/fault/a/fault/b=3`. Those of
`POST /call` stay with the call, its socket and its webhooks.

| fault of REST | what happens | argument (default) |
|---|---|---|
| `refuse=<status>` | the request gets this status: 401, 402, 429, 500, 503 | (503) |
| `flaky=<n>` | the first n requests to this address get 503 | (1) |
| `slow=<ms>` | the response waits | (1500) |
| `no_answer` | no response | |
| `bad_json` | the body of the response is not JSON | |
| `concurrency_blocked` | the call is created as ended, `subscriptionLimits.concurrencyBlocked` is true, no socket | |
| `no_url` · `no_monitor` | the call has no `websocketCallUrl` · no `monitor` | |

| fault of the socket | what happens | argument (default) |
|---|---|---|
| `refuse_socket=<status>` · `slow_socket=<ms>` | the handshake is refused · accepted after this time | (503) · (1500) |
| `close=<code>[@<n>]` | a close frame with this code after n events | (1011@3) |
| `drop_after=<n>` · `stall=<n>` | the connection breaks · nothing more is sent, after n events | (3) |
| `limit_s=<n>` | the maximum duration of the call | (1) |
| `silent` | the assistant never speaks | |
| `no_first_message` | it does not greet | |
| `hasty=<n>` | it speaks n times as fast, to callers who type | (10) |
| `slow_model=<ms>` | each response waits | (1500) |
| `garbage` | an invalid text frame before each event | |
| `text_audio` | audio is sent as base64 in text frames | |
| `steady_audio` | silence is sent while the assistant does not speak | |
| `nested` | events are inside `message`, as webhooks are | |
| `no_interrupt` | the caller's speech never stops the assistant | |
| `deaf` | recognizes nothing, responds to every turn with a tone | |
| `echo` | all audio is returned at once, nothing else happens (for load tests) | |
| `tools=<script>` | the first responses call these tools, a list in each (`tools_fault`) | (none) |

| fault of webhooks | what happens | argument (default) |
|---|---|---|
| `tool_shape=<shape>` | how tool calls are written: `sdk`, `arguments`, `parameters`, `json` (arguments are an | |
| | object), `legacy` (`function-call`) | (sdk) |
| `tool_ignored` | results of tools are ignored | |
| `hang=<ms>` | a tool that takes longer is reported by `hang` | (0; without the fault 5000) |
| `webhooks_twice` · `webhooks_reordered` · `webhooks_lost` | sent twice · neighbors swapped · reports not sent | |
| `late_webhooks=<ms>` | each report waits | (500) |
| `wrong_secret` | secrets and signatures are wrong | |
| `report_first` · `no_report` | the end-of-call report comes before the socket closes · never | |

| fault of the recording | what happens | argument (default) |
|---|---|---|
| `no_recording` · `recording_mono` | the report names no recording · only one channel | |
| `recording_late=<ms>` | the file is not there until then | (1500) |
| `recording_moved` · `recording_redirect` | redirected once to the file · to an internal address | |
| `recording_cut` | the file ends in the middle | |

`tag=<any>` does nothing; it gives a test a URL (and counters) of its own.
"""

from voiceapp.simulators.model.tool_script import tools_fault
from voiceapp.simulators.vapi.server import DEFAULT_ASSISTANT_ID, VapiSimulator

__all__ = ["DEFAULT_ASSISTANT_ID", "VapiSimulator", "tools_fault"]
