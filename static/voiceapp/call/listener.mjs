/** Notices that the caller is not heard, or speaks while muted. */

import { t } from "../texts.mjs";

const LOUD = 0.01;
const SPEAKING = 0.03;
const SILENT_FOR_MS = 5000;
const MUTED_LOOKS = 6; // at 20 a second
const UNHEARD = t("We can't hear you. Is the right microphone chosen, and is it on?");
const MUTED = t("You are muted. Press Mute again, or M, to be heard.");

export class Listener {
    #heardAt = 0;
    #mutedLooks = 0;
    #onHeard = null;

    constructor(screen) {
        this.screen = screen;
    }

    begin() {
        this.#heardAt = performance.now();
        this.#mutedLooks = 0;
    }

    whenHeard(act) {
        this.#onHeard = act;
    }

    /** `level` of the microphone itself, muted or not. */
    heard(level, { isListening, isSending, isMuted, isInCall }) {
        const now = performance.now();
        if (level > LOUD) {
            this.#heardAt = now;
            this.#onHeard?.();
            this.#onHeard = null;
            this.screen.clearNotice("unheard");
        }
        if (!isInCall) return;
        if (!isListening || !isSending) this.#heardAt = now;
        else if (now - this.#heardAt > SILENT_FOR_MS) this.screen.notice("unheard", UNHEARD);
        this.#mutedLooks = isMuted && level > SPEAKING ? this.#mutedLooks + 1 : 0;
        if (this.#mutedLooks >= MUTED_LOOKS) this.screen.notice("muted", MUTED);
        if (!isMuted) this.screen.clearNotice("muted");
    }
}
