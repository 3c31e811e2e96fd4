"""The simulator of LiveKit: rooms, tokens, agents, audio, recordings and signed webhooks.

Twirp over HTTP with protobuf or JSON, as on the real server; one API key with its secret. LiveKit's own clients join at
/rtc with audio and data; workers of livekit-agents register at /agent. Without them, agents join by themselves, and
people join, publish and leave through the control API under /local/, with a real token; those have no media.

In a test: `async with LiveKitSimulator(api_key=…, api_secret=…, webhook_urls=[…]) as simulator: …`.

Compared with livekit-server 1.13.5 by tests/test_contract*.py. Like that server, it says in no event why a room ended,
its track events carry only the ids and names of the room and of the participant, and creating a room that is open
changes nothing.

Faults are injected by URL, `/fault/<name>[=<argument>]/twirp/…`. Those of agents, recordings and webhooks stay with
the room that was created, dispatched to or joined at that URL; `LiveKitSimulator(faults=[…])` is for every room.

| fault | what happens | argument (default) |
|---|---|---|
| `away=<status>` | every request gets this status, as from a proxy | (503) |
| `busy=<s>` | every request gets 429 with this `Retry-After` | (30) |
| `slow=<ms>` | every request takes so long | (6000) |
| `credentials` | the keys are rejected, in plain text | |
| `not_found` | nothing is found | |
| `code=<code>` | this Twirp error | (internal) |
| `garbage` | 200 with a page of HTML | |
| `empty` | 200 with nothing | |
| `garbage_protobuf` | 200 with bytes that are not a message | |
| `reset` | the connection is reset before the request is processed | |
| `lost_answer` | the request is processed, then the connection is reset | |
| `only=<Method>` | the faults above are for this method only | |
| `agent_never` | a worker takes the job, but its agent never joins | |
| `agent_late=<s>` | the agent joins after this time | (5) |
| `agent_leaves=<s>` | the agent leaves after this time | (1) |
| `no_worker` | the dispatch is accepted, no worker takes the job | |
| `unnamed_worker` | there is a worker without a name: its agent joins for a dispatch without a name | |
| `track_late=<s>` | who publishes a track learns after this time that somebody receives it | (3) |
| `redis_required` | no Redis: listing recordings fails with "egress not connected (redis required)", dialing alike | |
| `phone_rings` | nobody answers the phone | |
| `phone_busy` · `trunk_fails` | the phone is busy; the SIP trunk cannot call it | |
| `egress_no_worker` | no recorder: starting fails with "no response from servers" after `egress_wait_s` | |
| `egress_refused` | a recording cannot be started | |
| `egress_never_starts` | the recording stays STARTING | |
| `egress_aborts` | the recording is ABORTED instead of ACTIVE | |
| `egress_fails` | at the end the recording is FAILED: the upload was rejected | |
| `egress_never_ends` | after a stop the recording stays ENDING | |
| `egress_no_file` | the recording is COMPLETE without a file | |
| `webhook_twice[=<event>]` | each webhook (of that event) is sent twice | |
| `webhook_lost[=<event>]` | it is never sent | |
| `webhook_late=<s>` | it is sent after this time | (2) |
| `webhook_reordered` | of two, the second is sent first | |
| `webhook_bad_signature[=<event>]` | it is signed with another secret | |
| `webhook_no_id[=<event>]` · `webhook_no_time[=<event>]` | without `id`; without `createdAt` | |
"""

from voiceapp.simulators.livekit.server import LiveKitSimulator

__all__ = ["LiveKitSimulator"]
