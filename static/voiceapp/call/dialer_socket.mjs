/**
 * The phone line's socket to our server. When it breaks, the page opens another one for the same call: the server sends
 * what did not arrive, the page what it had to say. Only the microphone's sound of the meantime is lost.
 */

import { language } from "../texts.mjs";
import { socketProtocols } from "./server.mjs";

const RETURN_WITHIN_MS = 10_000; // as long as the server waits
const TRY_AGAIN_MS = 500;
const STUCK_MS = 3000; // the network is gone, and the browser has not noticed; or it does not connect
const MOST_WAITING = 64 * 1024; // bytes in the socket, some 4 s: later sound is dropped, as carriers do
const FINAL = new Set([1000, 1002, 1003, 1007, 1008, 1009]);
const NOT_COUNTED = new Set(["returned", "refused"]);
const MEDIA_FORMAT = { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 };

export class DialerSocket {
    #socket = null;
    #streamSid = "MZ" + [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");
    #sequence = 0;
    #callId = "";
    #received = 0;
    #waiting = [];
    #brokenAt = null;
    #drainedAt = 0;
    #timer = 0;
    #isClosed = false;
    hasBegun = false; // something was sent

    /** `on`: message(frame), broken(), returned(), lost() when there is no way back. */
    constructor(path, on) {
        this.address = new URL(`${path}?lang=${language}`, location.href.replace(/^http/, "ws"));
        this.on = on;
    }

    /** Open, or on the way to it again. */
    get isAlive() {
        return !this.#isClosed && (this.#brokenAt !== null || this.readyState === WebSocket.OPEN);
    }

    get readyState() {
        return this.#socket?.readyState;
    }

    open() {
        const socket = (this.#socket = new WebSocket(this.address, socketProtocols()));
        const only = (act) => (event) => socket === this.#socket && act(event);
        socket.addEventListener("open", only(() => this.#begin()));
        socket.addEventListener("message", only(({ data }) => this.#receive(JSON.parse(data))));
        socket.addEventListener("close", only(({ code }) => this.#closed(code)));
        if (this.#brokenAt !== null) this.#timer = setTimeout(() => this.#break(), STUCK_MS);
    }

    /** Now, or as soon as the line is back. */
    send(message) {
        if (this.#isReady) this.#write(message);
        else if (this.#callId) this.#waiting.push(message);
    }

    /** Sound: now or not at all. */
    sendSound(message) {
        if (!this.#isReady) return;
        const { bufferedAmount } = this.#socket;
        const now = performance.now();
        if (bufferedAmount === 0) this.#drainedAt = now;
        else if (now - this.#drainedAt > STUCK_MS) return this.#break();
        if (bufferedAmount <= MOST_WAITING) this.#write(message);
    }

    close() {
        this.#isClosed = true;
        clearTimeout(this.#timer);
        this.#socket?.close();
        this.#socket = null;
    }

    get #isReady() {
        return this.#brokenAt === null && this.readyState === WebSocket.OPEN;
    }

    #begin() {
        this.#socket.send(JSON.stringify({ event: "connected", protocol: "Call", version: "1.0.0" }));
        const customParameters = this.#callId ? { callId: this.#callId, received: String(this.#received) } : {};
        const start = { accountSid: "", streamSid: this.#streamSid, callSid: "", tracks: ["inbound"], mediaFormat: MEDIA_FORMAT, customParameters };
        this.#write({ event: "start", start });
        this.#drainedAt = performance.now();
        this.hasBegun = true;
    }

    #write(message) {
        this.#socket.send(JSON.stringify({ ...message, sequenceNumber: String(++this.#sequence), streamSid: this.#streamSid }));
    }

    #receive(frame) {
        if (!NOT_COUNTED.has(frame.event)) this.#received++;
        if (frame.event === "call") this.#callId = frame.callId;
        if (frame.event !== "returned") return this.on.message(frame);
        this.#brokenAt = null;
        clearTimeout(this.#timer);
        this.#waiting.splice(0).forEach((message) => this.#write(message));
        this.on.returned();
    }

    #closed(code) {
        if (this.#callId && !FINAL.has(code) && !this.#isClosed) this.#break();
        else this.#giveUp();
    }

    #break() {
        clearTimeout(this.#timer);
        const isNews = this.#brokenAt === null;
        this.#brokenAt ??= performance.now();
        this.#socket?.close();
        this.#socket = null;
        if (performance.now() - this.#brokenAt > RETURN_WITHIN_MS) return this.#giveUp();
        this.#timer = setTimeout(() => this.open(), isNews ? 0 : TRY_AGAIN_MS);
        if (isNews) this.on.broken();
    }

    #giveUp() {
        this.#isClosed = true;
        this.on.lost();
    }
}
