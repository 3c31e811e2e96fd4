/** Both voices of a live call in this browser: µ-law from a socket to the audio thread, the caller left, the agent right. */

import { t } from "./texts.mjs";

const NORMAL = 1000;
const AGAIN_MS = 1000;
const LOST = t("The sound was lost. It comes back by itself, if the call goes on.");
const NO_SOUND = t("This browser plays no sound. Check its permissions, then try again.");

export class Listening {
    #address;
    #on;
    #context = null;
    #line = null;
    #socket = null;
    #again = 0;

    /** `on`: state(isOn, message), levels({caller, agent}). */
    constructor(address, on) {
        this.#address = address;
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
        this.#socket?.close();
        this.#context?.close();
        if (this.isOn || message) this.#on.state(false, message);
        this.#socket = this.#context = this.#line = null;
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
        this.#line = new AudioWorkletNode(context, "listening", { numberOfInputs: 0, outputChannelCount: [2] });
        this.#line.port.onmessage = ({ data }) => this.#on.levels(data);
        this.#line.connect(context.destination);
        this.#open();
    }

    #open() {
        const socket = (this.#socket = new WebSocket(this.#address));
        socket.binaryType = "arraybuffer";
        let refusal = "";
        socket.addEventListener("message", ({ data }) => {
            if (typeof data === "string") refusal = JSON.parse(data).message ?? "";
            else if (data.byteLength) this.#line?.port.postMessage(data, [data]);
        });
        socket.addEventListener("close", ({ code }) => {
            if (socket !== this.#socket) return;
            if (refusal || code === NORMAL) return this.stop(refusal);
            this.#on.state(true, LOST);
            this.#again = setTimeout(() => this.#open(), AGAIN_MS);
        });
    }
}
