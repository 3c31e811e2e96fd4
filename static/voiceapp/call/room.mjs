/** A call in a LiveKit room by livekit-client. */

import { Problem } from "./problems.mjs";

const AGENT_STATES = new Set(["listening", "thinking", "speaking"]);
const CHAT = "lk.chat";

/** livekit-client has no module without a bundler: its script defines a global. */
function load(address) {
    if (globalThis.LivekitClient) return Promise.resolve(globalThis.LivekitClient);
    return new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = address;
        script.addEventListener("load", () => resolve(globalThis.LivekitClient));
        script.addEventListener("error", () => reject(new Problem("library_missing")));
        document.head.append(script);
    });
}

export class RoomWay {
    canType = true;
    canDial = false;
    pushesProgress = false;
    #room = null;
    #session = null;
    #players = new Set();
    #output = { volume: 1, deviceId: "" };
    #typed = 0;
    #isOver = false;

    constructor({ start, library, request }) {
        Object.assign(this, { address: start, library, request });
    }

    get sound() {
        return [...this.#players].at(-1)?.srcObject ?? null;
    }

    async start(microphone, on) {
        this.on = on;
        const [library, session] = await Promise.all([load(this.library), this.#open()]);
        const { Room, Track } = library;
        const room = (this.#room = new Room());
        this.#listen(library);
        try {
            await room.connect(session.livekitHost, session.token);
            await room.localParticipant.publishTrack(microphone.getAudioTracks()[0], { source: Track.Source.Microphone });
        } catch (error) {
            throw new Problem("provider_unreachable", { name: error.name });
        }
        await room.startAudio();
        on.state("waiting");
        on.notice(messageIn(room.metadata));
        room.remoteParticipants.forEach((each) => this.#agentState(each));
    }

    setMuted() {}

    async replaceMicrophone(stream) {
        const [publication] = this.#room.localParticipant.audioTrackPublications.values();
        await publication?.track.replaceTrack(stream.getAudioTracks()[0]);
    }

    setOutput({ volume, deviceId }) {
        this.#output = { volume, deviceId };
        for (const player of this.#players) this.#apply(player);
    }

    type(text) {
        this.on.caption({ id: `typed_${this.#typed++}`, who: "caller", text, isFinal: true, wasInterrupted: false });
        this.#room?.localParticipant.sendText(text, { topic: CHAT });
    }

    /** The agent is not heard until it is silent of its own accord. */
    interrupt() {
        for (const player of this.#players) player.muted = true;
    }

    async end() {
        this.#isOver = true;
        await this.#close();
        await this.#room?.disconnect();
    }

    async #close() {
        const session = this.#session;
        this.#session = null;
        if (!session) return;
        const address = this.address.replace(/session$/, `calls/${session.callId}`);
        await this.request("DELETE", address, undefined, { keepalive: true }).catch(() => null);
    }

    async #open() {
        const { session } = await this.request("POST", this.address, { callType: "support", enableRecording: false });
        this.#session = session;
        if (this.#isOver) await this.#close();
        this.on.callId(session.callId);
        return session;
    }

    #listen({ RoomEvent, Track, DisconnectReason }) {
        const { on } = this;
        const room = this.#room;
        room.on(RoomEvent.TrackSubscribed, (track) => track.kind === Track.Kind.Audio && this.#play(track.attach()));
        room.on(RoomEvent.TrackUnsubscribed, (track) => track.detach().forEach((player) => this.#drop(player)));
        room.on(RoomEvent.ParticipantConnected, (participant) => this.#agentState(participant));
        room.on(RoomEvent.ParticipantDisconnected, (participant) => participant.isAgent && on.state("waiting"));
        room.on(RoomEvent.ParticipantAttributesChanged, (_, participant) => this.#agentState(participant));
        room.on(RoomEvent.RoomMetadataChanged, () => on.notice(messageIn(room.metadata)));
        room.on(RoomEvent.Reconnecting, () => on.state("reconnecting"));
        room.on(RoomEvent.Reconnected, () => {
            on.state("waiting");
            room.remoteParticipants.forEach((each) => this.#agentState(each));
        });
        room.on(RoomEvent.Disconnected, (reason) => {
            this.#players.forEach((player) => this.#drop(player));
            on.ended({ endReason: DisconnectReason[reason] ?? "", message: "" });
        });
        room.registerTextStreamHandler("lk.transcription", (reader, from) => this.#readCaption(reader, from));
    }

    #agentState(participant) {
        const state = participant.attributes["lk.agent.state"];
        if (!participant.isAgent || !AGENT_STATES.has(state)) return;
        if (state !== "speaking") for (const player of this.#players) player.muted = false;
        this.on.state(state);
    }

    #play(player) {
        this.#players.add(player);
        this.#apply(player);
        document.body.append(player);
    }

    #drop(player) {
        this.#players.delete(player);
        player.remove();
    }

    #apply(player) {
        player.volume = this.#output.volume;
        player.setSinkId?.(this.#output.deviceId).catch(() => null); // the device is gone: it stays where it is
    }

    /** The caller's speech comes as one stream per guess, the agent's as one stream that grows. */
    async #readCaption(reader, from) {
        const attributes = reader.info.attributes ?? {};
        const isCaller = from.identity === this.#room.localParticipant.identity;
        const line = { id: attributes["lk.segment_id"] ?? reader.info.id, who: isCaller ? "caller" : "agent", wasInterrupted: false };
        let text = "";
        try {
            for await (const part of reader) {
                text += part;
                this.on.caption({ ...line, text, isFinal: false });
            }
        } catch {
            // The call ended, or the stream broke off: what was read stands.
        }
        this.on.caption({ ...line, text, isFinal: !isCaller || attributes["lk.transcription_final"] === "true" });
    }
}

function messageIn(metadata) {
    try {
        return JSON.parse(metadata).message ?? "";
    } catch {
        return "";
    }
}
