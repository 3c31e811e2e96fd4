/** A call to OpenAI Realtime over WebRTC. The server joins it by the provider's id and runs its tools. */

import { CallSocket } from "./call_socket.mjs";
import { Problem } from "./problems.mjs";
import { RealtimeEvents } from "./realtime_events.mjs";

const GATHERING_MS = 1000;
const ANSWER_WITHIN_MS = 10_000;
const SILENT_AT_MOST_MS = 1000;
const SERVER_EXPLAINS_WITHIN_MS = 3000;
const LAST_WORD_WITHIN_MS = 2000;

export class RealtimeWay {
    canType = true;
    canDial = false;
    pushesProgress = true;
    #peer = null;
    #channel = null;
    #socket = null;
    #player = null;
    #on = null;
    #isOver = false;
    #hasConnected = false;
    #state = "connecting";
    #typed = 0;
    #unmuting = 0;
    #saysGoodbye = null;

    constructor({ start, request }) {
        this.address = start;
        this.request = request;
        this.created = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
        this.created.catch(() => null); // whoever awaits it learns of it
        this.events = new RealtimeEvents({
            state: (name, doing) => this.#show(name, doing),
            caption: (line) => this.#on.caption(line),
            silence: () => this.#silence(),
            sound: () => this.#unsilence(),
            created: () => this.settle.resolve(),
        });
    }

    get sound() {
        return this.#player?.srcObject ?? null;
    }

    get sending() {
        return this.#peer.getSenders()[0].track.enabled;
    }

    /** Resolves when the agent's session is there. Rejects with a Problem. */
    async start(microphone, on) {
        this.#on = on;
        this.#connect(microphone);
        const [ticket, offer] = await Promise.all([this.#mint(), this.#offer()]);
        const answer = await this.#negotiate(ticket, offer);
        await this.#peer.setRemoteDescription({ type: "answer", sdp: answer });
        const waiting = setTimeout(() => this.settle.reject(this.#whySilent()), ANSWER_WITHIN_MS);
        await this.created.finally(() => clearTimeout(waiting));
        this.#show("listening");
    }

    setMuted() {}

    async replaceMicrophone(stream) {
        const [sender] = this.#peer.getSenders();
        await sender.replaceTrack(stream.getAudioTracks()[0]);
    }

    setOutput({ volume, deviceId }) {
        if (!this.#player) return;
        this.#player.volume = volume;
        this.#player.setSinkId?.(deviceId).catch(() => null); // the device is gone: it stays where it is
    }

    /** The server says it to the agent: it counts as a turn of the caller. */
    type(text) {
        if (this.events.isHeard) this.#silence();
        this.#on.caption({ id: `typed_${this.#typed++}`, who: "caller", text, isFinal: true, wasInterrupted: false });
        this.#socket.send("say", { text });
    }

    interrupt() {
        if (!this.events.activeResponse && !this.events.isHeard) return;
        this.#silence();
        this.#socket.send("interrupt");
    }

    /** Resolves when the server has written the end, or does not say so in time. */
    async end() {
        if (this.#isOver) return;
        this.#isOver = true;
        const lastWord = new Promise((resolve) => (this.#saysGoodbye = resolve));
        this.#socket?.hangUp();
        this.#closeMedia();
        if (this.#socket) await Promise.race([lastWord, new Promise((done) => setTimeout(done, LAST_WORD_WITHIN_MS))]);
        this.#socket?.close();
    }

    /** For the one who helps: how the connection stands, and over which kinds of addresses. */
    async diagnose() {
        const stats = [...(await this.#peer.getStats()).values()];
        const kinds = (type) => stats.filter((each) => each.type === type).map((each) => `${each.candidateType} ${each.protocol}`);
        const { connectionState, iceConnectionState } = this.#peer;
        return { connectionState, iceConnectionState, here: kinds("local-candidate"), there: kinds("remote-candidate") };
    }

    // Connecting

    #connect(microphone) {
        this.#peer = new RTCPeerConnection();
        this.#peer.addTrack(microphone.getAudioTracks()[0], microphone);
        this.#peer.addEventListener("track", ({ track, streams }) => this.#play(streams[0] ?? new MediaStream([track])));
        this.#peer.addEventListener("connectionstatechange", () => this.#connectionChanged());
        this.#channel = this.#peer.createDataChannel("oai-events");
        this.#channel.addEventListener("open", () => this.#socket?.send("joined"));
        this.#channel.addEventListener("message", ({ data }) => this.events.receive(JSON.parse(data)));
        this.#channel.addEventListener("close", () => this.#providerLeft());
    }

    async #mint() {
        const ticket = await this.request("POST", this.address, {});
        const socket = new CallSocket(ticket.socket, {
            progress: (body) => this.#on.progress(body),
            ended: (ending) => socket === this.#socket && this.#ended(ending),
        });
        this.#socket = socket;
        if (this.#isOver) socket.hangUp();
        else this.#on.callId(ticket.callId);
        return ticket;
    }

    /** The offer with the candidates that are found in a second. */
    async #offer() {
        const peer = this.#peer;
        await peer.setLocalDescription(await peer.createOffer());
        await new Promise((resolve) => {
            setTimeout(resolve, GATHERING_MS);
            const look = () => peer.iceGatheringState === "complete" && resolve();
            peer.addEventListener("icegatheringstatechange", look);
            look();
        });
        return peer.localDescription.sdp;
    }

    /** The provider's answer. A secret that has expired is minted once more, silently. */
    async #negotiate(ticket, offer, isSecond = false) {
        const headers = { Authorization: `Bearer ${ticket.secret.value}`, "Content-Type": "application/sdp" };
        try {
            return await this.request("POST", ticket.callsUrl, offer, { headers });
        } catch (problem) {
            if (problem.facts?.status !== 401) throw problem;
            if (isSecond) throw new Problem("ticket_expired", problem.facts);
        }
        const unused = this.#socket;
        this.#socket = null;
        unused.hangUp();
        return this.#negotiate(await this.#mint(), offer, true);
    }

    #whySilent() {
        return new Problem(this.#hasConnected ? "agent_silent" : "network_blocks_calls");
    }

    #play(stream) {
        this.#player = document.createElement("audio");
        this.#player.autoplay = true;
        this.#player.setAttribute("playsinline", "");
        this.#player.srcObject = stream;
        document.body.append(this.#player);
    }

    // During the call

    #show(name, doing = "") {
        this.#state = name;
        if (!this.#isOver) this.#on.state(name, doing);
    }

    /** What is on its way is not heard either. A caller who only coughed hears the rest. */
    #silence() {
        this.#setHeard(false);
        clearTimeout(this.#unmuting);
        this.#unmuting = setTimeout(() => this.#unsilence(), SILENT_AT_MOST_MS);
    }

    #unsilence() {
        clearTimeout(this.#unmuting);
        this.#setHeard(true);
    }

    #setHeard(isHeard) {
        for (const track of this.#player?.srcObject.getAudioTracks() ?? []) track.enabled = isHeard;
    }

    #connectionChanged() {
        const state = this.#peer.connectionState;
        if (state === "connected" && this.#hasConnected) this.#on.state(this.#state);
        if (state === "connected") this.#hasConnected = true;
        if (state === "disconnected" && !this.#isOver) this.#on.state("reconnecting");
        if (state === "failed") this.#fail(new Problem(this.#hasConnected ? "connection_lost" : "network_blocks_calls"));
    }

    /** Our server knows why, if it is there to say so. */
    #providerLeft() {
        if (!this.#isOver) setTimeout(() => this.#fail(new Problem("provider_gone")), SERVER_EXPLAINS_WITHIN_MS);
    }

    #ended(ending) {
        this.#saysGoodbye?.();
        if (this.#isOver) return;
        this.#isOver = true;
        this.#closeMedia();
        this.settle.reject(new Problem("refused", { message: ending.message || ending.endReason }));
        this.#on.ended(ending);
    }

    #fail(problem) {
        if (this.#isOver) return;
        this.settle.reject(problem);
        this.#on.failed(problem);
    }

    #closeMedia() {
        clearTimeout(this.#unmuting);
        this.#peer?.close();
        this.#player?.remove();
    }
}
