"""LiveKit on this machine, without media: rooms, tokens, agents, recordings and signed webhooks.

Twirp over HTTP as the real server speaks it, with protobuf or JSON; one API key with its secret. Agents join by
themselves; people join, publish and leave by the control API under /local/, with a real token.

In a test: `async with Server(api_key=…, api_secret=…, webhook_urls=[…]) as server: server.base_url`.

Compared with livekit-server 1.13.5 by tests/test_contract*.py. Like that server, it says in no event why a room ended,
its track events carry only the ids and names of the room and of the participant, and creating a room that is open
changes nothing.

Faults are chosen by address, `/fault/<name>[=<argument>]/twirp/…`. Those of agents, recordings and webhooks stay with
the room whose creation, dispatch or join was asked for at that address; `Server(faults=[…])` holds for every room.

| fault | what happens | argument (default) |
|---|---|---|
| `away=<status>` | every call is answered with this status in a proxy's words | (503) |
| `busy=<s>` | every call is answered 429 with this `Retry-After` | (30) |
| `slow=<ms>` | every call takes so long | (6000) |
| `credentials` | the keys are refused, in plain text | |
| `not_found` | whatever it is, it is not there | |
| `code=<code>` | this Twirp error | (internal) |
| `garbage` | 200 with a page of HTML | |
| `empty` | 200 with nothing | |
| `garbage_protobuf` | 200 with bytes that are no message | |
| `reset` | the connection breaks before anything is done | |
| `lost_answer` | what was asked for is done, then the connection breaks | |
| `only=<Method>` | the faults above are for this method alone | |
| `agent_never` | a worker takes the job, its agent never joins | |
| `agent_late=<s>` | it joins so late | (5) |
| `agent_leaves=<s>` | it leaves again after that time | (1) |
| `no_worker` | the dispatch is accepted, nobody takes the job | |
| `unnamed_worker` | a worker without a name is there: its agent joins where no dispatch is named | |
| `redis_required` | no Redis: listing recordings says "egress not connected (redis required)", starting is as below | |
| `egress_no_worker` | Redis, no recorder: starting says "no response from servers" after 21 s (`egress_wait_s`) | |
| `egress_refused` | a recording cannot be started | |
| `egress_never_starts` | it stays STARTING | |
| `egress_aborts` | it is ABORTED instead of becoming ACTIVE | |
| `egress_fails` | at its end it is FAILED: the upload was refused | |
| `egress_never_ends` | when stopped it stays ENDING | |
| `egress_no_file` | it is COMPLETE without a file | |
| `webhook_twice[=<event>]` | each webhook (of that event) is sent twice | |
| `webhook_lost[=<event>]` | never sent | |
| `webhook_late=<s>` | sent so late | (2) |
| `webhook_reordered` | of two, the second is sent first | |
| `webhook_bad_signature[=<event>]` | signed with another secret | |
| `webhook_no_id[=<event>]` · `webhook_no_time[=<event>]` | without `id`; without `createdAt` | |
"""

from voiceapp.simulators.livekit.server import Server

__all__ = ["Server"]
