/**
 * A call in a LiveKit room by livekit-client: connects, speaks, hears, and reports what happens to `on`:
 * state(name), caption({id, isCaller, text, isFinal}), notice(text), ended(reason).
 */

const AGENT_STATES = new Set(["listening", "thinking", "speaking"]);

/** livekit-client has no module without a bundler: its script defines a global. */
export function load(address) {
    if (globalThis.LivekitClient) return Promise.resolve(globalThis.LivekitClient);
    return new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = address;
        script.addEventListener("load", () => resolve(globalThis.LivekitClient));
        script.addEventListener("error", () => reject(new Error("livekit-client")));
        document.head.append(script);
    });
}

export async function joinRoom({ library, session, microphone, on }) {
    const { Room, RoomEvent, Track, DisconnectReason } = await load(library);
    const room = new Room();
    const players = new Set();
    const agentState = (participant) => {
        const state = participant.attributes["lk.agent.state"];
        if (participant.isAgent && AGENT_STATES.has(state)) on.state(state);
    };
    room.on(RoomEvent.TrackSubscribed, (track) => {
        if (track.kind !== Track.Kind.Audio) return;
        const player = track.attach();
        players.add(player);
        document.body.append(player);
    });
    room.on(RoomEvent.TrackUnsubscribed, (track) => track.detach().forEach((player) => player.remove()));
    room.on(RoomEvent.ParticipantConnected, agentState);
    room.on(RoomEvent.ParticipantDisconnected, (participant) => participant.isAgent && on.state("waiting"));
    room.on(RoomEvent.ParticipantAttributesChanged, (_, participant) => agentState(participant));
    room.on(RoomEvent.RoomMetadataChanged, () => on.notice(messageIn(room.metadata)));
    room.on(RoomEvent.Reconnecting, () => on.state("reconnecting"));
    room.on(RoomEvent.Reconnected, () => {
        on.state("waiting");
        room.remoteParticipants.forEach(agentState);
    });
    room.on(RoomEvent.Disconnected, (reason) => {
        players.forEach((player) => player.remove());
        on.ended(DisconnectReason[reason] ?? "");
    });
    room.registerTextStreamHandler("lk.transcription", (reader, from) => readCaption(room, reader, from, on));
    await room.connect(session.livekitHost, session.token);
    await room.localParticipant.publishTrack(microphone, { source: Track.Source.Microphone });
    await room.startAudio();
    on.state("waiting");
    on.notice(messageIn(room.metadata));
    room.remoteParticipants.forEach(agentState);
    return {
        leave: () => room.disconnect(),
        mute: (isMuted) => (isMuted ? microphone.enabled = false : microphone.enabled = true),
    };
}

/** The caller's speech comes as one stream per guess, the agent's as one stream that grows. */
async function readCaption(room, reader, from, on) {
    const attributes = reader.info.attributes ?? {};
    const isCaller = from.identity === room.localParticipant.identity;
    const id = attributes["lk.segment_id"] ?? reader.info.id;
    let text = "";
    try {
        for await (const part of reader) {
            text += part;
            on.caption({ id, isCaller, text, isFinal: false });
        }
    } catch {
        // The call ended, or the stream broke off: what was read stands.
    }
    on.caption({ id, isCaller, text, isFinal: !isCaller || attributes["lk.transcription_final"] === "true" });
}

function messageIn(metadata) {
    try {
        return JSON.parse(metadata).message ?? "";
    } catch {
        return "";
    }
}
