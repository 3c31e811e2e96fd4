/**
 * Records a call whose caller agreed: two channels, the caller and the agent as the page hears it, as Opus in WebM. The
 * server gets it in pieces while the call goes on.
 */

import { audioContext } from "./meter.mjs";

const PIECE_EVERY_MS = 2000;
const PIECE_BYTES = 60_000;
const BITS_PER_S = 96_000;
const TRY_AGAIN_MS = 1000;
// About a minute without a network.
const MOST_TRIES = 60;

export class PageRecorder {
    #merger = null;
    #recorder = null;
    #caller = null;
    #agent = null;
    #beganAt = 0;
    #waiting = []; // pieces, in order
    #at = 0;
    #sending = null;
    #isOver = false;

    /**
     * `type`: of the file. `joinedAt`: when the page told the server that it has joined, by `performance.now()`.
     * `onChange(isRecording)`. The server ends a recording that is not wanted any more.
     */
    constructor({ address, request, type, joinedAt, onChange }) {
        this.type = type;
        this.joinedAt = joinedAt;
        this.address = address;
        this.request = request;
        this.onChange = onChange;
    }

    begin(microphone, sound) {
        const context = audioContext();
        this.#merger = context.createChannelMerger(2);
        const both = new MediaStreamAudioDestinationNode(context, { channelCount: 2 });
        this.#merger.connect(both);
        this.hearCaller(microphone);
        this.hearAgent(sound);
        const recorder = (this.#recorder = new MediaRecorder(both.stream, { mimeType: this.type, audioBitsPerSecond: BITS_PER_S }));
        recorder.addEventListener("dataavailable", ({ data }) => this.#take(data));
        recorder.addEventListener("error", () => this.#stop());
        recorder.start(PIECE_EVERY_MS);
        this.#beganAt = performance.now();
        this.onChange(true);
    }

    hearCaller(stream) {
        this.#caller = this.#connect(stream, this.#caller, 0);
    }

    /** Each connection has a stream of its own. */
    hearAgent(stream) {
        this.#agent = this.#connect(stream, this.#agent, 1);
    }

    /** Resolves when the server has everything, or does not take it. */
    async end() {
        if (this.#isOver) return;
        const isLast = new Promise((resolve) => this.#recorder.addEventListener("stop", resolve));
        this.#stop();
        await isLast;
        await this.#send(true);
    }

    #connect(stream, before, channel) {
        before?.disconnect();
        if (!stream || !this.#merger) return null;
        const node = audioContext().createMediaStreamSource(stream);
        node.connect(this.#merger, 0, channel);
        return node;
    }

    #take(data) {
        for (let at = 0; at < data.size; at += PIECE_BYTES) this.#waiting.push(data.slice(at, at + PIECE_BYTES));
        if (!this.#isOver) this.#send(false);
    }

    /** One after the other. */
    #send(isEnd) {
        const before = this.#sending ?? Promise.resolve();
        return (this.#sending = before.then(() => this.#sendWaiting(isEnd)));
    }

    async #sendWaiting(isEnd) {
        for (let tries = 0; this.#waiting.length && tries < MOST_TRIES; ) {
            const [piece] = this.#waiting;
            const isLast = isEnd && this.#waiting.length === 1;
            try {
                const address = `${this.address}?at=${this.#at}${this.#at ? "" : this.#times()}${isLast ? "&isLast=true" : ""}`;
                await this.request("POST", address, piece, { headers: { "Content-Type": "audio/webm" }, keepalive: isLast });
                this.#at += piece.size;
                this.#waiting.shift();
                tries = 0;
            } catch (problem) {
                if (!mayPass(problem)) return this.#giveUp();
                tries++;
                await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
            }
        }
        if (this.#waiting.length) this.#giveUp();
    }

    /** Where the file begins: the server knows when the page joined on the call's clock, and when the piece comes. */
    #times() {
        const sinceJoined = Math.round(this.#beganAt - this.joinedAt);
        return `&ageMs=${Math.round(performance.now() - this.#beganAt)}&sinceJoinedMs=${Math.max(sinceJoined, 0)}`;
    }

    #giveUp() {
        this.#waiting = [];
        this.#stop();
    }

    #stop() {
        if (this.#isOver) return;
        this.#isOver = true;
        if (this.#recorder.state !== "inactive") this.#recorder.stop();
        this.#caller?.disconnect();
        this.#agent?.disconnect();
        this.onChange(false);
    }
}

/** No network, too many requests, or a server that is not well. */
const mayPass = ({ code, facts }) => code === "unreachable" || facts?.status === 429 || facts?.status >= 500;
