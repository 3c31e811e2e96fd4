/** What both sides of a room say: LiveKit's transcriptions, which come as text streams. */

export class RoomCaptions {
    #spoken = ""; // the agent's newest segment
    #cuts = new Map();

    /** `onCaption(line)`. */
    constructor(onCaption) {
        this.onCaption = onCaption;
    }

    /** The caller's speech comes as one stream per guess, the agent's as one stream that grows as it is heard. */
    async read(reader, { isCaller }) {
        const attributes = reader.info.attributes ?? {};
        const id = attributes["lk.segment_id"] ?? reader.info.id;
        const line = { id, who: isCaller ? "caller" : "agent", wasInterrupted: false };
        if (!isCaller) this.#spoken = id;
        let text = "";
        try {
            for await (const part of reader) {
                text += part;
                if (!this.#cuts.has(id)) this.onCaption({ ...line, text, isFinal: false });
            }
        } catch {
            // The call ended, or the stream broke off: what was read stands.
        }
        if (this.#cuts.has(id)) return;
        this.onCaption({ ...line, text, isFinal: !isCaller || attributes["lk.transcription_final"] === "true" });
    }

    /** The agent was interrupted: only this was heard of what it said last. */
    cut(text) {
        if (!this.#spoken) return;
        this.#cuts.set(this.#spoken, text);
        this.onCaption({ id: this.#spoken, who: "agent", text, isFinal: true, wasInterrupted: true });
    }
}
