/** What stands at the top of the page: state, problem, notice, and the buttons that fit the state. */

import { t } from "../texts.mjs";

const STATES = {
    ready: t("Ready"),
    microphone: t("Asking for the microphone…"),
    preparing: t("Preparing the call…"),
    connecting: t("Connecting…"),
    waiting: t("Connected. Waiting for the agent…"),
    listening: t("Listening"),
    thinking: t("Thinking…"),
    speaking: t("Speaking"),
    reconnecting: t("Connection lost. Trying again…"),
    ended: t("The call has ended"),
    failed: t("The call failed"),
};
const IDLE = new Set(["ready", "ended", "failed"]);
const BEGIN = { ready: t("Call"), ended: t("Call again"), failed: t("Try again") };
const LIVE = new Set(["waiting", "listening", "thinking", "speaking", "reconnecting"]);

export const part = (id) => document.getElementById(id);

export class Screen {
    state = "ready";
    #notice = "";

    get isIdle() {
        return IDLE.has(this.state);
    }

    get isLive() {
        return LIVE.has(this.state);
    }

    /** `doing`: what the agent does while it thinks. A live region speaks only when its text changes. */
    show(state, { doing = "", canType = false, canDial = false } = {}) {
        this.state = part("call").dataset.state = state;
        const text = doing || STATES[state];
        if (part("state").textContent !== text) part("state").textContent = text;
        part("begin").hidden = !this.isIdle;
        part("begin").textContent = BEGIN[state] ?? BEGIN.ready;
        part("end").hidden = this.isIdle;
        part("interrupt").hidden = part("meters").hidden = !this.isLive;
        part("type-form").hidden = !this.isLive || !canType;
        part("keypad").hidden = !this.isLive || !canDial;
        part("ways").disabled = part("test-microphone").disabled = !this.isIdle;
        if (part("record")) part("record").disabled = !this.isIdle;
    }

    /** null: none. */
    showProblem(problem) {
        part("problem").textContent = problem?.message ?? "";
        part("problem").hidden = !problem;
        part("sign-in").hidden = !problem?.signIn;
        part("type-instead").hidden = !problem?.type;
        part("diagnose").hidden = !problem?.diagnose;
        part("problem-help").hidden = !(problem?.signIn || problem?.type || problem?.diagnose);
    }

    /** One at a time: `key` is which. */
    notice(key, text) {
        if (this.#notice === key && part("notice").textContent === text) return;
        this.#notice = key;
        part("notice").textContent = text;
        part("notice").hidden = !text;
    }

    clearNotice(key) {
        if (this.#notice === key) this.notice("", "");
    }
}
