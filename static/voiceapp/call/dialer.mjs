/** The phone line itself: Media Streams over a socket, with this page in the carrier's place. */

import { Problem } from "./problems.mjs";
import { socketProtocols } from "./server.mjs";
import { isKey, playTone } from "./tones.mjs";

const ANSWER_WITHIN_MS = 10_000;
const LAST_WORD_WITHIN_MS = 3000;
const FRAME_MS = 20;
const MOST_WAITING = 64 * 1024; // bytes in the socket, some 4 s: later sound is dropped, as carriers do
const BETWEEN_KEYS_MS = 200;

export class DialerWay {
    canType = true;
    canDial = true;
    pushesProgress = false;
    #context = null;
    #source = null;
    #line = null;
    #output = null;
    #socket = null;
    #on = null;
    #streamSid = "MZ" + [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");
    #sequence = 0;
    #frames = 0;
    #isOver = false;
    #isPlaying = false;
    #isAnswerDue = false;
    #dialing = Promise.resolve();
    #answered = Promise.withResolvers();
    #closed = Promise.withResolvers();

    constructor({ socket }) {
        this.address = new URL(socket, location.href.replace(/^http/, "ws"));
        this.#answered.promise.catch(() => null); // whoever awaits it learns of it
    }

    get sound() {
        return this.#output;
    }

    /** Resolves when the server has taken the call. Rejects with a Problem. */
    async start(microphone, on) {
        this.#on = on;
        await this.#open(microphone);
        if (this.#isOver) return this.#release();
        this.#dial();
        const waiting = setTimeout(() => this.#answered.reject(new Problem("agent_silent")), ANSWER_WITHIN_MS);
        try {
            await this.#answered.promise;
        } finally {
            clearTimeout(waiting);
        }
        this.#showState();
    }

    setMuted() {} // the page silences the track

    async replaceMicrophone(stream) {
        this.#source?.disconnect();
        this.#source = this.#context.createMediaStreamSource(stream);
        this.#source.connect(this.#line);
    }

    setOutput({ volume, deviceId }) {
        if (!this.#output) return;
        this.#output.gain.value = volume;
        this.#context.setSinkId?.(deviceId).catch(() => null); // the device is gone: it stays where it is
    }

    /** What was typed comes back as a caption. */
    type(text) {
        this.#send({ event: "say", text });
    }

    interrupt() {
        this.#send({ event: "interrupt" });
    }

    /** One after the other, as fingers press them. */
    digits(text) {
        for (const digit of [...text].filter(isKey)) this.#dialing = this.#dialing.then(() => this.#press(digit));
        return this.#dialing;
    }

    /** Resolves when the server has written the end, or does not say so in time. */
    async end() {
        if (!this.#isOver) {
            this.#isOver = true;
            this.#send({ event: "stop", stop: { accountSid: "", callSid: "" } });
            this.#answered.reject(new Problem("unreachable"));
        }
        this.#line?.port.postMessage({ clear: true });
        const isOpen = this.#socket !== null && this.#socket.readyState === WebSocket.OPEN;
        if (isOpen) await Promise.race([this.#closed.promise, new Promise((done) => setTimeout(done, LAST_WORD_WITHIN_MS))]);
        this.#socket?.close();
        await this.#release();
    }

    async diagnose() {
        const { sampleRate, state, outputLatency } = this.#context ?? {};
        return { socket: this.#socket?.readyState, frames: this.#frames, sampleRate, state, outputLatency };
    }

    // The sound

    async #open(microphone) {
        this.#context = new AudioContext({ latencyHint: "interactive" });
        await this.#context.audioWorklet.addModule(new URL("phone_line_worklet.mjs", import.meta.url));
        this.#line = new AudioWorkletNode(this.#context, "phone-line", { numberOfInputs: 1, outputChannelCount: [1] });
        this.#line.port.addEventListener("message", ({ data }) => this.#heard(data));
        this.#line.port.start();
        this.#output = new GainNode(this.#context);
        this.#line.connect(this.#output).connect(this.#context.destination);
        await this.replaceMicrophone(microphone);
        await this.#context.resume();
        // A phone call that comes in, or a device that is taken away, may stop it.
        this.#context.addEventListener("statechange", () => this.#isOver || this.#context.resume().catch(() => null));
    }

    async #release() {
        this.#source?.disconnect();
        if (this.#context && this.#context.state !== "closed") await this.#context.close();
    }

    #heard({ frame, mark, isPlaying }) {
        if (frame) this.#sendFrame(frame);
        else if (mark !== undefined) this.#send({ event: "mark", mark: { name: mark } });
        else {
            this.#isPlaying = isPlaying;
            if (isPlaying) this.#isAnswerDue = false;
            this.#showState();
        }
    }

    #sendFrame(frame) {
        if (this.#socket?.readyState !== WebSocket.OPEN || this.#isOver) return;
        const timestamp = String(this.#frames++ * FRAME_MS);
        if (this.#socket.bufferedAmount > MOST_WAITING) return;
        const payload = btoa(String.fromCharCode(...frame));
        this.#send({ event: "media", media: { track: "inbound", chunk: String(this.#frames), timestamp, payload } });
    }

    async #press(digit) {
        if (this.#isOver) return;
        playTone(this.#context, digit, this.#context.destination);
        this.#send({ event: "dtmf", dtmf: { track: "inbound_track", digit } });
        await new Promise((done) => setTimeout(done, BETWEEN_KEYS_MS));
    }

    // The socket

    #dial() {
        this.#socket = new WebSocket(this.address, socketProtocols());
        this.#socket.addEventListener("open", () => this.#begin());
        this.#socket.addEventListener("message", ({ data }) => this.#receive(JSON.parse(data)));
        this.#socket.addEventListener("close", () => this.#lost());
    }

    #begin() {
        this.#socket.send(JSON.stringify({ event: "connected", protocol: "Call", version: "1.0.0" }));
        const mediaFormat = { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 };
        const start = { accountSid: "", streamSid: this.#streamSid, callSid: "", tracks: ["inbound"], mediaFormat, customParameters: {} };
        this.#send({ event: "start", start });
    }

    #send(message) {
        if (this.#socket?.readyState !== WebSocket.OPEN) return;
        const sequenceNumber = String(++this.#sequence);
        this.#socket.send(JSON.stringify({ ...message, sequenceNumber, streamSid: this.#streamSid }));
    }

    #receive({ event, media, mark, callId, caption, ...more }) {
        if (event === "media") this.#line.port.postMessage({ play: Uint8Array.from(atob(media.payload), (each) => each.charCodeAt(0)) });
        else if (event === "mark") this.#line.port.postMessage({ mark: mark.name, latencyS: this.#context.outputLatency || 0 });
        else if (event === "clear") this.#line.port.postMessage({ clear: true });
        else if (event === "call") this.#taken(callId);
        else if (event === "caption") this.#caption(caption);
        else if (event === "ended") this.#ended(more);
        else if (event === "refused") this.#refused(more);
    }

    #taken(callId) {
        this.#on.callId(callId);
        this.#answered.resolve();
    }

    #caption(caption) {
        if (caption.who === "caller") this.#isAnswerDue = true;
        this.#on.caption(caption);
        this.#showState();
    }

    #showState() {
        if (this.#isOver) return;
        this.#on.state(this.#isPlaying ? "speaking" : this.#isAnswerDue ? "thinking" : "listening");
    }

    #ended({ endReason, message }) {
        this.#answered.reject(new Problem("refused", { message: message || endReason }));
        this.#stop(() => this.#on.ended({ endReason, message }));
    }

    #refused({ code, message }) {
        const problem = new Problem(code, { message });
        this.#answered.reject(problem);
        this.#stop(() => this.#on.failed(problem));
    }

    /** Without a last word. A handshake that is refused looks the same, and the page learns no status of it. */
    #lost() {
        this.#closed.resolve();
        const problem = new Problem(this.#sequence > 0 ? "connection_lost" : "unreachable");
        this.#answered.reject(problem);
        this.#stop(() => this.#on.failed(problem));
    }

    #stop(report) {
        if (this.#isOver) return;
        this.#isOver = true;
        report();
    }
}
