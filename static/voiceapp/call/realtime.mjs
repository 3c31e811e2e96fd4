/** A call to OpenAI Realtime over WebRTC. The server joins it by the provider's id and runs its tools. */

import { Problem } from "./problems.mjs";
import { RealtimeEvents } from "./realtime_events.mjs";
import { RealtimePeer } from "./realtime_peer.mjs";

const ANSWER_WITHIN_MS = 10_000;
const SILENT_AT_MOST_MS = 1000;
const SERVER_EXPLAINS_WITHIN_MS = 1500;
const LAST_WORD_WITHIN_MS = 2000;
const RECORDED_AS = "audio/webm;codecs=opus";
const SDP = { "Content-Type": "application/sdp" };
// A connection that does not come back by itself is replaced; not again before it has lasted for some time.
const COMES_BACK_WITHIN_MS = 2000;
const REPLACED_WITHIN_MS = 10_000;
const STEADY_AFTER_MS = 30_000;
const TRY_AGAIN_MS = 500;
const SAID_BY_THE_SERVER = new Set(["refused", "signed_out", "limited", "provider_down"]);

export class RealtimeWay {
    static canRecord = globalThis.MediaRecorder?.isTypeSupported(RECORDED_AS) ?? false;
    canType = true;
    canDial = false;
    pushesProgress = true;
    #peer = null;
    #session = null; // its beginning at the provider, of the newest connection
    #ticket = null;
    #socket = null;
    #microphone = null;
    #recorder = null;
    #joinedAt = null; // when the server was told so first
    #on = null;
    #isOver = false;
    #hasConnected = false;
    #isReplacing = false;
    #replacedAt = -STEADY_AFTER_MS;
    #state = "connecting";
    #typed = 0;
    #unmuting = 0;
    #giveUp = 0;
    #saysGoodbye = null;

    /** `record`: the caller agrees that the page records the call. */
    constructor({ start, request, record }) {
        this.address = start;
        this.record = record;
        this.request = request;
        this.events = new RealtimeEvents({
            state: (name, doing) => this.#show(name, doing),
            caption: (line) => this.#on.caption(line),
            silence: () => this.#silence(),
            sound: () => this.#unsilence(),
            created: () => this.#session.resolve(),
        });
    }

    get sound() {
        return this.#peer?.sound ?? null;
    }

    get sending() {
        return this.#peer.isSending;
    }

    /** Resolves when the agent's session is there. Rejects with a Problem. */
    async start(microphone, on) {
        this.#on = on;
        this.#microphone = microphone;
        const peer = this.#connect();
        const [ticket, offer] = await Promise.all([this.#mint(), peer.offer()]);
        await peer.accept(await this.#negotiate(ticket, offer));
        await this.#awaitSession(ANSWER_WITHIN_MS, () => new Problem(this.#hasConnected ? "agent_silent" : "network_blocks_calls"));
        this.#show("listening");
        this.#record().catch(() => this.#on.recording(false)); // its module does not load: the call goes on
    }

    setMuted() {}

    async replaceMicrophone(stream) {
        this.#microphone = stream;
        this.#recorder?.hearCaller(stream);
        await this.#peer.replaceMicrophone(stream);
    }

    setOutput(output) {
        this.#peer?.setOutput(output);
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
        if (this.#socket) await Promise.race([lastWord, pause(LAST_WORD_WITHIN_MS)]);
        this.#socket?.close();
    }

    /** For the one who helps: how the connection stands, and over which kinds of addresses. */
    async diagnose() {
        return (await this.#peer?.diagnose()) ?? {};
    }

    // Connecting

    #connect() {
        this.#session = Promise.withResolvers();
        this.#session.promise.catch(() => null); // whoever awaits it learns of it
        const current = (act) => (...details) => peer === this.#peer && act(...details);
        const peer = new RealtimePeer(this.#microphone, {
            state: current((state) => this.#connectionChanged(state)),
            opened: current(() => this.#join()),
            event: current((event) => this.events.receive(event)),
            closed: current(() => this.#providerLeft()),
        });
        return (this.#peer = peer);
    }

    #join() {
        this.#joinedAt ??= performance.now();
        this.#socket?.send("joined");
    }

    async #mint() {
        const minting = this.request("POST", this.address, this.record ? { record: true } : {});
        const [ticket, { CallSocket }] = await Promise.all([minting, import("./call_socket.mjs")]);
        const socket = new CallSocket(ticket.socket, {
            progress: (body) => this.#on.progress(body),
            ended: (ending) => socket === this.#socket && this.#ended(ending),
        });
        this.#socket = socket;
        this.#ticket = ticket;
        if (this.#isOver) socket.hangUp();
        else this.#on.callId(ticket.callId);
        return ticket;
    }

    /** The provider's answer. A secret that has expired is minted once more, silently. */
    async #negotiate(ticket, offer, isSecond = false) {
        const headers = { Authorization: `Bearer ${ticket.secret.value}`, ...SDP };
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

    async #awaitSession(ms, problem) {
        const session = this.#session;
        const waiting = setTimeout(() => session.reject(problem()), ms);
        await session.promise.finally(() => clearTimeout(waiting));
    }

    // During the call

    /** Only if the caller agreed: then the server has named an address. */
    async #record() {
        if (!this.#ticket.recording) return;
        const { PageRecorder } = await import("./page_recorder.mjs"); // few calls need it
        if (this.#isOver) return;
        const onChange = (isRecording) => this.#on.recording(isRecording);
        this.#recorder = new PageRecorder({ address: this.#ticket.recording, request: this.request, type: RECORDED_AS, joinedAt: this.#joinedAt, onChange });
        this.#recorder.begin(this.#microphone, this.sound);
    }

    #show(name, doing = "") {
        this.#state = name;
        if (!this.#isOver) this.#on.state(name, doing);
    }

    /** What is on its way is not heard either. A caller who only coughed hears the rest. */
    #silence() {
        this.#peer.setHeard(false);
        clearTimeout(this.#unmuting);
        this.#unmuting = setTimeout(() => this.#unsilence(), SILENT_AT_MOST_MS);
    }

    #unsilence() {
        clearTimeout(this.#unmuting);
        this.#peer.setHeard(true);
    }

    #connectionChanged(state) {
        if (this.#isOver) return;
        if (state === "connected") {
            clearTimeout(this.#giveUp);
            if (this.#hasConnected && !this.#isReplacing) this.#on.state(this.#state);
            this.#hasConnected = true;
        } else if (state === "disconnected" && this.#hasConnected) {
            this.#on.state("reconnecting");
            this.#replaceIn(COMES_BACK_WITHIN_MS, new Problem("connection_lost"));
        } else if (state === "failed" && this.#isReplacing) {
            this.#session.reject(new Problem("connection_lost"));
        } else if (state === "failed") {
            this.#replaceIn(0, new Problem(this.#hasConnected ? "connection_lost" : "network_blocks_calls"));
        }
    }

    /** Our server knows why, if it is there to say so. */
    #providerLeft() {
        if (!this.#isOver) this.#replaceIn(SERVER_EXPLAINS_WITHIN_MS, new Problem("provider_gone"));
    }

    #replaceIn(ms, problem) {
        clearTimeout(this.#giveUp);
        this.#giveUp = setTimeout(() => this.#replace(problem), ms);
    }

    /**
     * OpenAI takes no second offer for its calls, so that a broken connection cannot be mended: the call goes on in a new
     * one there, and the server tells it what was said. `problem`: what is wrong if that is not possible.
     */
    async #replace(problem) {
        if (this.#isOver || this.#isReplacing) return;
        const isSteady = performance.now() - this.#replacedAt > STEADY_AFTER_MS;
        if (!this.#hasConnected || !isSteady) return this.#fail(problem);
        this.#isReplacing = true;
        this.#on.state("reconnecting");
        const unheardMs = this.#peer.unheardMs;
        this.events.lost(unheardMs);
        this.#peer.close();
        const tooLate = setTimeout(() => this.#fail(problem), REPLACED_WITHIN_MS);
        try {
            await this.#takeUpAgain(`${this.#ticket.callsUrl}/again?unheardMs=${unheardMs}`);
            this.#replacedAt = performance.now();
            this.#show("listening");
        } catch (error) {
            const isClear = error instanceof Problem && SAID_BY_THE_SERVER.has(error.code);
            // The server may be about to say why the call is over.
            setTimeout(() => this.#fail(isClear ? error : problem), SERVER_EXPLAINS_WITHIN_MS);
        } finally {
            clearTimeout(tooLate);
            this.#isReplacing = false;
        }
    }

    async #takeUpAgain(address) {
        while (!this.#isOver) {
            const peer = this.#connect();
            try {
                await peer.accept(await this.request("POST", address, await peer.offer(), { headers: SDP }));
                await this.#awaitSession(REPLACED_WITHIN_MS, () => new Problem("connection_lost"));
                return this.#recorder?.hearAgent(peer.sound);
            } catch (error) {
                peer.close();
                if (error.code !== "unreachable") throw error;
            }
            await pause(TRY_AGAIN_MS);
        }
    }

    #ended(ending) {
        this.#saysGoodbye?.();
        if (this.#isOver) return;
        this.#isOver = true;
        this.#closeMedia();
        this.#session.reject(new Problem("refused", { message: ending.message || ending.endReason }));
        this.#on.ended(ending);
    }

    #fail(problem) {
        if (this.#isOver) return;
        this.#session.reject(problem);
        this.#on.failed(problem);
    }

    #closeMedia() {
        clearTimeout(this.#unmuting);
        clearTimeout(this.#giveUp);
        this.#recorder?.end();
        this.#peer?.close();
    }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
