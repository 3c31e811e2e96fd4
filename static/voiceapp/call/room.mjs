/** A call in a LiveKit room by livekit-client. */

import { doing } from "./doing.mjs";
import { load } from "./livekit_client.mjs";
import { Problem } from "./problems.mjs";
import { RoomCaptions } from "./room_captions.mjs";
import { WaitingReports } from "./room_waiting.mjs";

const AGENT_STATES = new Set(["listening", "thinking", "speaking"]);
const CHAT = "lk.chat";
// Ours: telephony/livekit/agent/interruption.py.
const CUT = "voiceapp.cut";
const TOOL = "voiceapp.tool"; // telephony/livekit/agent/shown_tool.py
const INTERRUPT = "interrupt";
// What the agent has said before it stopped still comes when it says that it did.
const ON_ITS_WAY_MS = 500;
// How LiveKit names the ends of a call that somebody has ended; any other is a connection that is lost.
const ENDINGS = new Set(["CLIENT_INITIATED", "PARTICIPANT_REMOVED", "ROOM_DELETED", "ROOM_CLOSED"]);

export class RoomWay {
    canType = true;
    canDial = false;
    pushesProgress = false;
    #room = null;
    #session = null;
    #players = new Set();
    #output = { volume: 1, deviceId: "" };
    #captions = new RoomCaptions((line) => this.on.caption(line));
    #waiting = null;
    #agent = null;
    #tool = "";
    #typed = 0;
    #unmuting = 0;
    #isOver = false;
    #hasConnected = false;

    constructor({ start, library, request }) {
        Object.assign(this, { address: start, library, request });
    }

    get sound() {
        return [...this.#players].at(-1)?.srcObject ?? null;
    }

    async start(microphone, on) {
        this.on = on;
        const [library, session] = await Promise.all([this.#load(), this.#open()]);
        const { Room, Track } = library;
        const room = (this.#room = new Room());
        this.#waiting = new WaitingReports(room);
        this.#listen(library);
        try {
            await room.connect(session.livekitHost, session.token);
            this.#hasConnected = true;
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

    /** The agent falls silent, and what it has not said is taken out of the conversation. Here it is silent at once. */
    interrupt() {
        if (!this.#agent) return;
        const isSpeaking = this.#agent.attributes["lk.agent.state"] === "speaking";
        if (isSpeaking) this.#setHeard(false);
        const request = { destinationIdentity: this.#agent.identity, method: INTERRUPT, payload: "" };
        this.#room.localParticipant.performRpc(request).catch(() => null); // it has left, or cannot be interrupted
    }

    async end() {
        this.#isOver = true;
        clearTimeout(this.#unmuting);
        await this.#close();
        await this.#room?.disconnect();
    }

    #load() {
        return load(this.library).catch(() => Promise.reject(new Problem("library_missing")));
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
        room.on(RoomEvent.TrackSubscribed, (track, _, participant) => {
            if (track.kind !== Track.Kind.Audio) return;
            this.#play(track.attach());
            if (participant.isAgent) this.#waiting.begin(track, participant);
        });
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
            this.#waiting.end();
            this.#players.forEach((player) => this.#drop(player));
            if (!this.#hasConnected) return; // `start` says so
            const name = DisconnectReason[reason] ?? "";
            if (ENDINGS.has(name)) on.ended({ endReason: name, message: "" });
            else on.failed(new Problem("connection_lost", { reason: name }));
        });
        room.registerTextStreamHandler("lk.transcription", (reader, from) => {
            this.#captions.read(reader, { isCaller: from.identity === room.localParticipant.identity });
        });
        room.registerTextStreamHandler(CUT, (reader, from) => this.#readCut(reader, from));
    }

    async #readCut(reader, from) {
        const text = await reader.readAll().catch(() => "");
        if (text && from.identity === this.#agent?.identity) this.#captions.cut(text);
    }

    #agentState(participant) {
        const { "lk.agent.state": state, [TOOL]: tool = "" } = participant.attributes;
        if (!participant.isAgent || !AGENT_STATES.has(state)) return;
        this.#agent = participant;
        if (state !== "speaking") {
            clearTimeout(this.#unmuting);
            this.#unmuting = setTimeout(() => this.#setHeard(true), ON_ITS_WAY_MS);
        }
        if (tool !== this.#tool || state === "listening") this.on.changed();
        this.#tool = tool;
        if (tool && state !== "speaking") this.on.state("thinking", doing(tool));
        else this.on.state(state);
    }

    #setHeard(isHeard) {
        // livekit-client empties a player before it says so.
        for (const { srcObject } of this.#players) srcObject?.getAudioTracks().forEach((track) => (track.enabled = isHeard));
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
}

function messageIn(metadata) {
    try {
        return JSON.parse(metadata).message ?? "";
    } catch {
        return "";
    }
}
