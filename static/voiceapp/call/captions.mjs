/** What both sides say. A screen reader hears final turns only; what is being said is in a mirror that it skips. */

import { t } from "../texts.mjs";

const NAMES = { caller: t("You"), agent: t("Agent") };

export class Captions {
    #lines = new Map();
    #order = new Map();
    #beganAt = 0;

    constructor(log, interim) {
        this.log = log;
        this.interim = interim;
    }

    begin() {
        this.#lines.clear();
        this.#order.clear();
        this.#beganAt = performance.now();
        this.log.replaceChildren();
        this.interim.textContent = "";
    }

    /** A turn keeps the place at which it began, whenever its text becomes final. */
    show({ id, who, text, isFinal, wasInterrupted = false }) {
        if (!this.#order.has(id)) this.#order.set(id, { place: this.#order.size, atMs: performance.now() - this.#beganAt });
        if (!isFinal) {
            this.interim.textContent = text.trim() ? `${NAMES[who]}: ${text}` : "";
            return;
        }
        this.interim.textContent = "";
        if (!text.trim() && !this.#lines.has(id)) return;
        const line = this.#lines.get(id) ?? this.#insert(id, who);
        line.replaceChildren(...this.#partsOf(id, who, text, wasInterrupted));
        line.classList.toggle("cut", wasInterrupted);
        this.log.scrollTop = this.log.scrollHeight;
    }

    end() {
        this.interim.textContent = "";
    }

    get text() {
        return [...this.log.children].map((line) => line.textContent).join("\n");
    }

    #insert(id, who) {
        const { place } = this.#order.get(id);
        const line = document.createElement("p");
        line.className = "caption";
        line.dataset.speaker = who;
        line.dataset.place = place;
        const after = [...this.log.children].find((each) => Number(each.dataset.place) > place);
        this.log.insertBefore(line, after ?? null);
        this.#lines.set(id, line);
        return line;
    }

    #partsOf(id, who, text, wasInterrupted) {
        const parts = [element("span", "offset", `${clock(this.#order.get(id).atMs)} `), element("strong", "", `${NAMES[who]}: `), text];
        return wasInterrupted ? [...parts, element("em", "mark", ` (${t("interrupted")})`)] : parts;
    }
}

function element(name, className, text) {
    const made = document.createElement(name);
    made.className = className;
    made.textContent = text;
    return made;
}

export function clock(ms) {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
