/** The page as a tab: only one is in a call, the screen stays on, and the caller learns what went on meanwhile. */

import { Problem } from "./problems.mjs";
import { t } from "../texts.mjs";

const LOCK = "voiceapp-call";

export class Tab {
    #release = null;
    #wake = null;
    #title = document.title;
    #isInCall = false;

    /** `onReturn()`: the caller looks at the page again, in a call. */
    constructor({ onReturn }) {
        document.addEventListener("visibilitychange", () => {
            if (!this.#isInCall) return;
            document.title = document.hidden ? `● ${t("In a call")} · ${this.#title}` : this.#title;
            if (document.hidden) return;
            this.#keepAwake();
            onReturn();
        });
    }

    /** Rejects with a Problem if another tab is in a call. */
    async enterCall() {
        const isFree = await new Promise((resolve) => {
            if (!navigator.locks) return resolve(true);
            const request = navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => {
                resolve(lock !== null);
                return lock && new Promise((release) => (this.#release = release));
            });
            // In a frame of another site the browser may keep nothing, and so no locks.
            request.catch(() => resolve(true));
        });
        if (!isFree) throw new Problem("other_tab");
        this.#isInCall = true;
        this.#keepAwake();
    }

    leaveCall() {
        this.#isInCall = false;
        document.title = this.#title;
        this.#release?.();
        this.#release = null;
        this.#wake?.release().catch(() => null);
        this.#wake = null;
    }

    #keepAwake() {
        navigator.wakeLock?.request("screen").then(
            (lock) => (this.#isInCall ? (this.#wake = lock) : lock.release()),
            () => null, // the battery is low, or the page is hidden
        );
    }
}
