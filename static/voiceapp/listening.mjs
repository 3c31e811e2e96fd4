/** Both voices of a live call in this browser: from a source to the audio thread, the caller left, the agent right. */

import { t } from "./texts.mjs";

const NORMAL = 1000;
const AGAIN_MS = 1000;
const LOST = t("The sound was lost. It comes back by itself, if the call goes on.");
const NO_SOUND = t("This browser plays no sound. Check its permissions, then try again.");

export class Listening {
    #source;
    #on;
    #context = null;
    #line = null;
    #again = 0;

    /** `source`: a CallSound or a RoomSound. `on`: state(isOn, message), levels({caller, agent}). */
    constructor(source, on) {
        this.#source = source;
        this.#on = on;
    }

    get isOn() {
        return this.#context !== null;
    }

    toggle() {
        return this.isOn ? this.stop() : this.#start();
    }

    stop(message = "") {
        clearTimeout(this.#again);
        this.#source.close();
        this.#context?.close();
        if (this.isOn || message) this.#on.state(false, message);
        this.#context = this.#line = null;
    }

    async #start() {
        const context = (this.#context = new AudioContext({ latencyHint: "interactive" }));
        this.#on.state(true);
        try {
            await context.audioWorklet.addModule(new URL("listening_worklet.mjs", import.meta.url));
            await context.resume();
        } catch {
            return this.stop(NO_SOUND);
        }
        if (context !== this.#context) return;
        // A voice that comes as a track is an input of its own.
        const options = { numberOfInputs: 2, outputChannelCount: [2], channelCount: 1, channelCountMode: "explicit" };
        this.#line = new AudioWorkletNode(context, "listening", options);
        this.#line.port.onmessage = ({ data }) => this.#on.levels(data);
        this.#line.connect(context.destination);
        this.#open();
    }

    #open() {
        this.#source.open(this.#line, {
            ended: (message = "") => this.stop(message),
            lost: () => {
                this.#on.state(true, LOST);
                this.#again = setTimeout(() => this.#open(), AGAIN_MS);
            },
        });
    }
}

/** The sound of a call that this server carries: µ-law from a socket. */
export class CallSound {
    #address;
    #socket = null;

    constructor(address) {
        this.#address = address;
    }

    /** `on`: ended(message), lost(). After `close` it says nothing more. */
    open(line, on) {
        const socket = (this.#socket = new WebSocket(this.#address));
        socket.binaryType = "arraybuffer";
        let refusal = "";
        socket.addEventListener("message", ({ data }) => {
            if (typeof data === "string") refusal = JSON.parse(data).message ?? "";
            else if (data.byteLength) line.port.postMessage(data, [data]);
        });
        socket.addEventListener("close", ({ code }) => {
            if (socket !== this.#socket) return;
            if (refusal || code === NORMAL) on.ended(refusal);
            else on.lost();
        });
    }

    close() {
        this.#socket?.close();
        this.#socket = null;
    }
}
