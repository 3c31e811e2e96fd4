/** The caller's microphone: permission, device, and what of it is sent. */

import { audioContext } from "./meter.mjs";
import { Problem, problemOfDevice } from "./problems.mjs";

const WISHES = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

export class Microphone {
    #raw = null;
    /** What is sent. Its track is silent while `isSending` is false; the meter hears the microphone all the same. */
    stream = null;
    isSilent = false;

    /** `onLost()`: the device is gone. `onHeld(isHeld)`: something else uses it, such as an incoming phone call. */
    constructor({ onLost, onHeld }) {
        this.onLost = onLost;
        this.onHeld = onHeld;
    }

    get heard() {
        return this.#raw;
    }

    get deviceId() {
        return this.#raw?.getAudioTracks()[0]?.getSettings().deviceId ?? "";
    }

    /** Returns whether it is another device than the wanted one. Rejects with a Problem. */
    async open(deviceId = "") {
        const found = await listen(deviceId);
        this.close();
        this.#raw = found.stream;
        const [track] = this.#raw.getAudioTracks();
        this.stream = new MediaStream([track.clone()]);
        track.addEventListener("ended", () => track === this.#raw?.getAudioTracks()[0] && this.onLost());
        track.addEventListener("mute", () => this.onHeld(true));
        track.addEventListener("unmute", () => this.onHeld(false));
        this.isSilent = false;
        return found.isAnother;
    }

    /** A call without a microphone: silence, and typing. */
    openSilence() {
        this.close();
        this.stream = audioContext().createMediaStreamDestination().stream;
        this.isSilent = true;
    }

    set isSending(value) {
        for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = value;
    }

    close() {
        const tracks = [...(this.#raw?.getTracks() ?? []), ...(this.stream?.getTracks() ?? [])];
        this.#raw = this.stream = null;
        for (const track of tracks) track.stop();
    }
}

async function listen(deviceId) {
    if (!navigator.mediaDevices) throw new Problem("insecure");
    const wanted = deviceId ? { ...WISHES, deviceId: { exact: deviceId } } : WISHES;
    try {
        return { stream: await navigator.mediaDevices.getUserMedia({ audio: wanted }), isAnother: false };
    } catch (error) {
        const isGone = error.name === "OverconstrainedError" || (deviceId && error.name === "NotFoundError");
        if (!isGone) throw problemOfDevice(error);
    }
    try {
        return { stream: await navigator.mediaDevices.getUserMedia({ audio: WISHES }), isAnother: true };
    } catch (error) {
        throw problemOfDevice(error);
    }
}
