/** Reads the events of OpenAI's data channel: captions, states, and when the agent must fall silent. No I/O. */

import { doing } from "./doing.mjs";
import { t } from "../texts.mjs";

const CHARACTER_MS = 62; // about 16 characters a second, as the server estimates it

/** `on`: state(name, doing), caption(line), silence() and sound() for what the page plays, created(). */
export class RealtimeEvents {
    #items = new Map();
    #heardResponse = "";
    #heardSinceMs = 0;
    #interrupts = true;
    activeResponse = "";

    constructor(on, now = () => performance.now()) {
        this.on = on;
        this.now = now;
    }

    get isHeard() {
        return this.#heardResponse !== "";
    }

    receive(event) {
        this[event.type]?.(event);
    }

    /** The connection broke: the last `unheardMs` were not heard, and nothing more comes of what was under way. */
    lost(unheardMs) {
        if (this.isHeard) this.#cut(this.#heardResponse, Math.max(0, this.now() - this.#heardSinceMs - unheardMs));
        this.#heardResponse = this.activeResponse = "";
        this.on.caption({ id: "lost", who: "agent", text: "", isFinal: false, wasInterrupted: false });
    }

    // The session

    "session.created"({ session }) {
        this.#learn(session);
        this.on.created();
    }

    "session.updated"({ session }) {
        this.#learn(session);
    }

    #learn(session) {
        this.#interrupts = session.audio?.input?.turn_detection?.interrupt_response !== false;
    }

    // The caller

    "input_audio_buffer.speech_started"({ item_id: id }) {
        this.#caption(id, "caller", { text: "…" });
        if (this.isHeard && this.#interrupts) this.on.silence();
        if (!this.isHeard) this.on.state("listening");
    }

    "input_audio_buffer.speech_stopped"() {
        if (!this.isHeard || this.#interrupts) this.on.state("thinking");
    }

    "conversation.item.input_audio_transcription.delta"({ item_id: id, delta }) {
        const item = this.#item(id, "caller");
        item.text += delta;
        this.#caption(id, "caller", { text: item.text });
    }

    "conversation.item.input_audio_transcription.completed"({ item_id: id, transcript }) {
        this.#caption(id, "caller", { text: transcript, isFinal: true });
    }

    "conversation.item.input_audio_transcription.failed"({ item_id: id }) {
        this.#caption(id, "caller", { text: t("(not understood)"), isFinal: true });
    }

    // The agent

    "response.created"({ response }) {
        this.activeResponse = response.id;
        this.on.sound();
        this.on.state(this.isHeard ? "speaking" : "thinking");
    }

    "response.output_item.added"({ item }) {
        if (item.type === "function_call") this.on.state("thinking", doing(item.name));
    }

    "response.output_audio_transcript.delta"({ item_id: id, response_id: response, delta }) {
        this.#says(id, response, (this.#items.get(id)?.text ?? "") + delta);
    }

    "response.output_audio_transcript.done"({ item_id: id, response_id: response, transcript }) {
        this.#says(id, response, transcript);
    }

    "response.output_text.delta"({ item_id: id, response_id: response, delta }) {
        this.#says(id, response, (this.#items.get(id)?.text ?? "") + delta);
    }

    "response.output_text.done"({ item_id: id, response_id: response, text }) {
        this.#says(id, response, text);
    }

    "output_audio_buffer.started"({ response_id: response }) {
        this.#heardResponse = response;
        this.#heardSinceMs = this.now();
        this.on.sound();
        this.on.state("speaking");
    }

    "output_audio_buffer.stopped"({ response_id: response }) {
        this.#heardResponse = "";
        this.#finish(response);
        this.on.state(this.activeResponse ? "thinking" : "listening");
    }

    "output_audio_buffer.cleared"({ response_id: response }) {
        this.#heardResponse = "";
        this.#cut(response, this.now() - this.#heardSinceMs);
        this.on.silence();
        this.on.state("listening");
    }

    /** More exact than our clock: the server knows what it sent. */
    "conversation.item.truncated"({ item_id: id, audio_end_ms: heardMs }) {
        const item = this.#items.get(id);
        if (item?.who !== "agent") return;
        item.isCut = true;
        this.#caption(id, "agent", { text: heardText(item.text, heardMs), isFinal: true, wasInterrupted: true });
    }

    "response.done"({ response }) {
        if (this.activeResponse === response.id) this.activeResponse = "";
        if (this.#heardResponse === response.id) return; // it ends when it was heard
        const isTool = response.output?.some(({ type }) => type === "function_call");
        if (!this.#awaitsSound(response)) this.#finish(response.id);
        if (!this.isHeard && !isTool && response.status !== "completed") this.on.state("listening");
    }

    /** The channel has no sound event yet of a response whose text is complete. */
    #awaitsSound({ id, status }) {
        const isSpoken = [...this.#items.values()].some((item) => item.response === id && item.text);
        return isSpoken && status === "completed";
    }

    #says(id, response, text) {
        const item = this.#item(id, "agent");
        item.response = response;
        item.text = text;
        if (item.isCut || item.isFinal) return;
        this.#caption(id, "agent", { text });
    }

    #finish(response) {
        for (const [id, item] of this.#items) {
            if (item.response !== response || item.isFinal || item.isCut) continue;
            item.isFinal = true;
            this.#caption(id, "agent", { text: item.text, isFinal: true });
        }
    }

    #cut(response, heardMs) {
        let restMs = heardMs;
        for (const [id, item] of this.#items) {
            if (item.response !== response || item.isFinal || item.isCut) continue;
            item.isCut = true;
            this.#caption(id, "agent", { text: heardText(item.text, restMs), isFinal: true, wasInterrupted: true });
            restMs = Math.max(0, restMs - item.text.length * CHARACTER_MS);
        }
    }

    #caption(id, who, line) {
        this.#item(id, who);
        this.on.caption({ id, who, isFinal: false, wasInterrupted: false, ...line });
    }

    #item(id, who) {
        if (!this.#items.has(id)) this.#items.set(id, { who, text: "", response: "", isFinal: false, isCut: false });
        return this.#items.get(id);
    }
}

/** As much of the text as is said in this time, back to the end of a whole word. */
export function heardText(text, heardMs) {
    const length = Math.floor(heardMs / CHARACTER_MS);
    if (length >= text.trim().length) return text.trim();
    const isWordsEnd = /\s/.test(text[length] ?? " ");
    return text.slice(0, isWordsEnd ? length : Math.max(0, text.lastIndexOf(" ", length))).trim();
}
