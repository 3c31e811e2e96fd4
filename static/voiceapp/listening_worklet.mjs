/**
 * Plays what `listening.mjs` has of both voices, on the browser's audio thread.
 * Messages: µ-law, first the caller's, then the agent's of the same time. Inputs: the caller's tracks, the agent's.
 */

import { Resampler, TELEPHONE_RATE, fromUlaw } from "./call/telephone_audio.mjs";

const CUSHION = 0.08 * TELEPHONE_RATE; // waits before it plays, so that small delays are not heard
const MOST = 0.3 * TELEPHONE_RATE; // what waits beyond it is dropped: the listener stays near the call
const LEVELS_EVERY = 0.1; // seconds
const NEAR = 0.8; // how much of a voice is in its own ear; the rest is in the other

class Voice {
    constructor(rate) {
        this.up = new Resampler(TELEPHONE_RATE, rate);
        this.waiting = [];
        this.loudest = 0;
    }

    take(bytes) {
        for (const byte of bytes) this.waiting.push(fromUlaw(byte));
        if (this.waiting.length > MOST) this.waiting.splice(0, this.waiting.length - CUSHION);
    }

    /** `track`: a sample that came as a track. */
    next(isPlaying, track = 0) {
        while (!this.up.isReady) {
            const sample = isPlaying && this.waiting.length ? this.waiting.shift() : 0;
            this.loudest = Math.max(this.loudest, Math.abs(sample));
            this.up.push(sample);
        }
        this.loudest = Math.max(this.loudest, Math.abs(track));
        return this.up.next() + track;
    }

    takeLevel() {
        const level = this.loudest;
        this.loudest = 0;
        return level;
    }
}

class ListeningProcessor extends AudioWorkletProcessor {
    constructor() {
        super();
        this.caller = new Voice(sampleRate);
        this.agent = new Voice(sampleRate);
        this.isPlaying = false;
        this.reportedAt = 0;
        this.port.onmessage = ({ data }) => this.take(new Uint8Array(data));
    }

    take(bytes) {
        const half = bytes.length / 2;
        this.caller.take(bytes.subarray(0, half));
        this.agent.take(bytes.subarray(half));
    }

    process([[callers], [agents]], [[left, right]]) {
        const waits = this.caller.waiting.length;
        this.isPlaying = this.isPlaying ? waits > 0 : waits >= CUSHION;
        for (let place = 0; place < left.length; place++) {
            const caller = this.caller.next(this.isPlaying, callers?.[place]);
            const agent = this.agent.next(this.isPlaying, agents?.[place]);
            left[place] = NEAR * caller + (1 - NEAR) * agent;
            right[place] = NEAR * agent + (1 - NEAR) * caller;
        }
        if (currentTime - this.reportedAt >= LEVELS_EVERY) {
            this.reportedAt = currentTime;
            this.port.postMessage({ caller: this.caller.takeLevel(), agent: this.agent.takeLevel() });
        }
        return true;
    }
}

registerProcessor("listening", ListeningProcessor);
