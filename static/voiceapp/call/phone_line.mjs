/**
 * A carrier's end of the line: the microphone leaves as µ-law frames of 20 ms, and µ-law frames are played in order,
 * without gaps; each mark is confirmed once the sound before it was heard.
 *
 * `receive` takes {play: bytes}, {mark: name, latencyS} and {clear: true}. `report` gets {frame: bytes}, {mark: name}
 * and {isPlaying}.
 */

import { Resampler, TELEPHONE_RATE, fromUlaw, toUlaw } from "./telephone_audio.mjs";

const FRAME = 160;
const PAUSE = 0.3 * TELEPHONE_RATE; // a shorter gap is one between words

export class PhoneLine {
    /** `rate`: of the microphone and the speaker, in samples a second. */
    constructor(rate, report) {
        this.rate = rate;
        this.report = report;
        this.played = 0; // samples
        this.down = new Resampler(rate, TELEPHONE_RATE);
        this.up = new Resampler(TELEPHONE_RATE, rate);
        this.frame = new Uint8Array(FRAME);
        this.filled = 0;
        this.queue = []; // {bytes, at} and {mark, latencyS}
        this.passed = []; // marks whose sound is being played: {mark, position, latencyS, heardAt}
        this.silentFor = PAUSE;
    }

    receive({ play, mark, latencyS, clear }) {
        if (clear) this.clear();
        else if (play?.length) this.queue.push({ bytes: play, at: 0 });
        else if (mark !== undefined) this.queue.push({ mark, latencyS });
    }

    /** A carrier echoes the marks that a clear leaves without sound. */
    clear() {
        const marks = [...this.passed, ...this.queue].filter(({ mark }) => mark !== undefined);
        this.queue = [];
        this.passed = [];
        this.up.silence();
        for (const { mark } of marks) this.report({ mark });
    }

    /** Takes the microphone's channels, and fills the speaker's. */
    process(microphone, speaker) {
        this.hear(microphone, speaker.length);
        for (let place = 0; place < speaker.length; place++) {
            while (!this.up.isReady) this.up.push(this.nextSample());
            speaker[place] = this.up.next();
        }
        this.played += speaker.length;
        this.confirmMarks();
    }

    /** Silence where there is no microphone: a caller's line never stands still. */
    hear(channels, length) {
        for (let place = 0; place < length; place++) {
            let sum = 0;
            for (const channel of channels) sum += channel[place];
            this.down.push(channels.length ? sum / channels.length : 0);
        }
        while (this.down.isReady) {
            this.frame[this.filled++] = toUlaw(this.down.next());
            if (this.filled < FRAME) continue;
            this.report({ frame: this.frame });
            this.frame = new Uint8Array(FRAME);
            this.filled = 0;
        }
    }

    nextSample() {
        this.passMarks();
        const part = this.queue[0];
        this.notePlaying(part !== undefined);
        if (!part) return 0;
        const sample = fromUlaw(part.bytes[part.at++]);
        if (part.at === part.bytes.length) this.queue.shift();
        return sample;
    }

    passMarks() {
        while (this.queue[0]?.mark !== undefined) {
            const { mark, latencyS } = this.queue.shift();
            this.passed.push({ mark, latencyS, position: this.up.count, heardAt: null });
        }
    }

    confirmMarks() {
        this.passMarks();
        for (const each of this.passed) {
            if (each.heardAt === null && each.position <= this.up.time) each.heardAt = this.played + each.latencyS * this.rate;
        }
        while (this.passed.length && this.passed[0].heardAt !== null && this.passed[0].heardAt <= this.played) {
            this.report({ mark: this.passed.shift().mark });
        }
    }

    notePlaying(isPlaying) {
        const was = this.silentFor < PAUSE;
        this.silentFor = isPlaying ? 0 : Math.min(PAUSE, this.silentFor + 1);
        const is = this.silentFor < PAUSE;
        if (is !== was) this.report({ isPlaying: is });
    }
}
