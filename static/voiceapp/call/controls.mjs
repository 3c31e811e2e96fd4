/** Mute, push-to-talk, typing and shortcuts. */

import { recall, remember } from "./devices.mjs";

const part = (id) => document.getElementById(id);
const isTyping = (target) => target.closest("input:not([type=radio], [type=checkbox]), textarea, select") !== null;

export class Controls {
    #isHeld = false;
    isMuted = false;

    /** `on`: sending(isSending), typed(text), interrupt(), digit(text). `isInCall()`: shortcuts work then. */
    constructor(on, isInCall) {
        this.on = on;
        this.isInCall = isInCall;
        const stored = recall("pushToTalk");
        part("push-to-talk").checked = stored ? stored === "yes" : part("call").dataset.pushToTalk === "yes";
        part("push-to-talk").addEventListener("change", () => {
            remember("pushToTalk", this.isPushToTalk ? "yes" : "no");
            this.#choosePushToTalk();
        });
        part("mute").addEventListener("click", () => this.#mute(!this.isMuted));
        part("interrupt").addEventListener("click", () => on.interrupt());
        part("type-form").addEventListener("submit", (event) => this.#submit(event));
        this.#listenToTalkButton();
        document.addEventListener("keydown", (event) => this.#keyDown(event));
        document.addEventListener("keyup", (event) => this.#keyUp(event));
        addEventListener("blur", () => this.#hold(false));
        this.#choosePushToTalk();
    }

    get isPushToTalk() {
        return part("push-to-talk").checked;
    }

    get isSending() {
        return this.isPushToTalk ? this.#isHeld : !this.isMuted;
    }

    begin() {
        this.isMuted = this.#isHeld = false;
        this.#show();
    }

    #choosePushToTalk() {
        this.#isHeld = false;
        this.#show();
    }

    #mute(isMuted) {
        this.isMuted = isMuted;
        this.#show();
    }

    #hold(isHeld) {
        if (this.#isHeld === isHeld) return;
        this.#isHeld = isHeld;
        this.#show();
    }

    #show() {
        part("mute").setAttribute("aria-pressed", String(this.isMuted));
        part("talk").setAttribute("aria-pressed", String(this.#isHeld));
        part("mute").hidden = !this.isInCall() || this.isPushToTalk;
        part("talk").hidden = !this.isInCall() || !this.isPushToTalk;
        this.on.sending(this.isSending);
    }

    /** Shows the buttons that fit the state of the call. */
    refresh() {
        this.#show();
    }

    #listenToTalkButton() {
        const talk = part("talk");
        talk.addEventListener("pointerdown", (event) => {
            talk.setPointerCapture(event.pointerId);
            this.#hold(true);
        });
        for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) talk.addEventListener(name, () => this.#hold(false));
        talk.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch
    }

    #keyDown(event) {
        if (!this.isInCall() || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
        const isSpace = event.code === "Space" || (event.code === "Enter" && event.target === part("talk"));
        if (isSpace && this.isPushToTalk && (event.target === part("talk") || !event.target.closest("button, a, summary, label, input"))) {
            event.preventDefault();
            this.#hold(true);
        }
        if (event.repeat) return;
        if (event.key.toLowerCase() === "m" && !this.isPushToTalk) this.#mute(!this.isMuted);
        if (event.key.toLowerCase() === "i") this.on.interrupt();
        if (!part("keypad").hidden && /^[0-9*#]$/.test(event.key)) this.on.digit(event.key);
    }

    #keyUp(event) {
        if (!this.#isHeld || (event.code !== "Space" && event.code !== "Enter")) return;
        event.preventDefault();
        this.#hold(false);
    }

    #submit(event) {
        event.preventDefault();
        const text = part("type-text").value.trim();
        if (!text || !this.isInCall()) return;
        part("type-text").value = "";
        this.on.typed(text);
    }
}
