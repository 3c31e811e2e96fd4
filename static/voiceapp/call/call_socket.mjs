/** The page's socket to our server during a call: what the call has made, and its end. It is opened again when it breaks. */

import { language } from "../texts.mjs";
import { socketProtocols } from "./server.mjs";

const WAITS_MS = [250, 500, 1000, 2000, 4000];

export class CallSocket {
    #socket = null;
    #tries = 0;
    #timer = 0;
    #isOver = false;
    #waiting = [];

    /** `on`: progress(body), ended({endReason, message}). */
    constructor(path, on) {
        this.address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}?lang=${language}`;
        this.on = on;
        this.#open();
    }

    /** Once: `joined` when the data channel is open, `say` with `text`, `interrupt`. */
    send(type, details = {}) {
        const text = JSON.stringify({ type, ...details });
        if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
        else this.#waiting.push(text);
    }

    /** The caller hangs up. The server answers with `ended`, and closes. */
    hangUp() {
        this.#isOver = true;
        clearTimeout(this.#timer);
        if (this.#socket.readyState > WebSocket.OPEN) return;
        this.#waiting = [];
        this.send("end");
    }

    close() {
        this.#isOver = true;
        clearTimeout(this.#timer);
        this.#socket.close();
    }

    #open() {
        const socket = (this.#socket = new WebSocket(this.address, socketProtocols()));
        socket.addEventListener("open", () => {
            this.#tries = 0;
            this.#waiting.splice(0).forEach((text) => socket.send(text));
        });
        socket.addEventListener("message", ({ data }) => this.#read(data));
        socket.addEventListener("close", () => this.#closed());
    }

    #read(data) {
        const { type, ...body } = JSON.parse(data);
        if (type === "progress") this.on.progress(body);
        if (type !== "ended") return;
        this.close();
        this.on.ended(body);
    }

    #closed() {
        if (this.#isOver) return;
        const waitMs = WAITS_MS[Math.min(this.#tries++, WAITS_MS.length - 1)];
        this.#timer = setTimeout(() => this.#open(), waitMs);
    }
}
