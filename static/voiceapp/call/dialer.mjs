/** The phone line itself: Media Streams over a socket, with this page in the carrier's place. */

import { DialerSocket } from "./dialer_socket.mjs";
import { doing } from "./doing.mjs";
import { Problem } from "./problems.mjs";
import { isKey, playTone } from "./tones.mjs";

const ANSWER_WITHIN_MS = 10_000;
const LAST_WORD_WITHIN_MS = 3000;
const FRAME_MS = 20;
const BETWEEN_KEYS_MS = 200;

export class DialerWay {
    canType = true;
    canDial = true;
    pushesProgress = true;
    #context = null;
    #source = null;
    #line = null;
    #output = null;
    #on = null;
    #takenAt = null;
    #frames = 0;
    #isOver = false;
    #isBroken = false;
    #isPlaying = false;
    #isAnswerDue = false;
    #tool = "";
    #dialing = Promise.resolve();
    #answered = Promise.withResolvers();
    #closed = Promise.withResolvers();

    constructor({ socket }) {
        this.socket = new DialerSocket(socket, {
            message: (frame) => this.#receive(frame),
            broken: () => this.#setBroken(true),
            returned: () => this.#returned(),
            lost: () => this.#lost(),
        });
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
        this.socket.open();
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
        this.socket.send({ event: "say", text });
    }

    interrupt() {
        this.socket.send({ event: "interrupt" });
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
            this.socket.send({ event: "stop", stop: { accountSid: "", callSid: "" } });
            this.#answered.reject(new Problem("unreachable"));
        }
        this.#line?.port.postMessage({ clear: true });
        if (this.socket.isAlive) await Promise.race([this.#closed.promise, new Promise((done) => setTimeout(done, LAST_WORD_WITHIN_MS))]);
        this.socket.close();
        await this.#release();
    }

    async diagnose() {
        const { sampleRate, state, outputLatency } = this.#context ?? {};
        return { socket: this.socket.readyState, frames: this.#frames, sampleRate, state, outputLatency };
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
        else if (mark !== undefined) this.socket.send({ event: "mark", mark: { name: mark, ...this.#heardAt } });
        else {
            this.#isPlaying = isPlaying;
            if (isPlaying) this.#isAnswerDue = false;
            this.#showState();
        }
    }

    /** Of a mark that the server learns of later, when the line is back. */
    get #heardAt() {
        return this.#isBroken ? { timestamp: String(this.#frames * FRAME_MS) } : {};
    }

    #sendFrame(frame) {
        if (this.#takenAt === null || this.#isOver) return;
        const timestamp = String(this.#frames++ * FRAME_MS); // also of sound that is not sent: the line's clock goes on
        const payload = btoa(String.fromCharCode(...frame));
        this.socket.sendSound({ event: "media", media: { track: "inbound", chunk: String(this.#frames), timestamp, payload } });
    }

    async #press(digit) {
        if (this.#isOver) return;
        playTone(this.#context, digit, this.#context.destination);
        this.socket.send({ event: "dtmf", dtmf: { track: "inbound_track", digit } });
        await new Promise((done) => setTimeout(done, BETWEEN_KEYS_MS));
    }

    // The socket

    #receive({ event, media, mark, callId, caption, name, progress, ...more }) {
        if (event === "media") this.#line.port.postMessage({ play: Uint8Array.from(atob(media.payload), (each) => each.charCodeAt(0)) });
        else if (event === "mark") this.#line.port.postMessage({ mark: mark.name, latencyS: this.#context.outputLatency || 0 });
        else if (event === "clear") this.#line.port.postMessage({ clear: true });
        else if (event === "call") this.#taken(callId);
        else if (event === "caption") this.#caption(caption);
        else if (event === "tool") this.#uses(name);
        else if (event === "progress") this.#on.progress(progress);
        else if (event === "ended") this.#ended(more);
        else if (event === "refused") this.#refused(more);
    }

    #setBroken(isBroken) {
        this.#isBroken = isBroken;
        this.#showState();
    }

    /** The audio thread sleeps with the computer; the line's clock does not. */
    #returned() {
        this.#frames = Math.max(this.#frames, Math.floor((performance.now() - this.#takenAt) / FRAME_MS));
        this.#setBroken(false);
    }

    #taken(callId) {
        this.#takenAt = performance.now();
        this.#on.callId(callId);
        this.#answered.resolve();
    }

    #caption(caption) {
        const isCallers = caption.who === "caller";
        if (isCallers) this.#isAnswerDue = caption.isFinal;
        this.#on.caption(isCallers && !caption.isFinal ? { ...caption, text: caption.text || "…" } : caption);
        this.#showState();
    }

    #uses(tool) {
        this.#tool = tool;
        this.#isAnswerDue = true;
        this.#showState();
    }

    #showState() {
        if (this.#isOver) return;
        if (this.#isBroken) this.#on.state("reconnecting");
        else if (this.#isPlaying) this.#on.state("speaking");
        else if (this.#isAnswerDue) this.#on.state("thinking", doing(this.#tool));
        else this.#on.state("listening");
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
        const problem = new Problem(this.socket.hasBegun ? "connection_lost" : "unreachable");
        this.#answered.reject(problem);
        this.#stop(() => this.#on.failed(problem));
    }

    #stop(report) {
        if (this.#isOver) return;
        this.#isOver = true;
        report();
    }
}
