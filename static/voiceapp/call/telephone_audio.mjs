/** Audio as telephones carry it: µ-law (ITU-T G.711), and streams of samples from one rate to another. */

export const TELEPHONE_RATE = 8000;

const BIAS = 0x84;
const LOUDEST = 32635;

/** A sample from -1 to 1 as a byte. */
export function toUlaw(sample) {
    const sign = sample < 0 ? 0x80 : 0;
    const size = Math.min(LOUDEST, Math.round(Math.abs(sample) * 32768)) + BIAS;
    const exponent = 31 - Math.clz32(size) - 7;
    return ~(sign | (exponent << 4) | ((size >> (exponent + 3)) & 15)) & 0xff;
}

const SAMPLES = Float32Array.from({ length: 256 }, (_, byte) => {
    const bits = ~byte & 0xff;
    const size = ((((bits & 15) << 3) + BIAS) << ((bits >> 4) & 7)) - BIAS;
    return (bits & 0x80 ? -size : size) / 32768;
});

/** A byte as a sample. */
export const fromUlaw = (byte) => SAMPLES[byte];

const CROSSINGS = 16;
const PASSES = 0.92; // of the lower rate's band: the rest is the slope of the filter
const PHASES = 256;
const RING = 4096;

/**
 * Samples go in by `push` at one rate and come out by `next` at another, through a windowed sinc, which leaves no alias.
 * `isReady`: what the next one needs has been pushed. `time` is the next one's place among the samples pushed.
 */
export class Resampler {
    constructor(from, to) {
        this.step = from / to;
        const cutoff = PASSES * Math.min(1, to / from);
        this.half = Math.ceil(CROSSINGS / cutoff);
        this.kernels = kernels(cutoff, this.half);
        this.ring = new Float32Array(RING);
        this.count = 0;
        this.time = 0;
    }

    get isReady() {
        return this.time + this.half < this.count;
    }

    push(sample) {
        this.ring[this.count++ % RING] = sample;
    }

    next() {
        const first = Math.floor(this.time) - this.half + 1;
        const kernel = this.kernels[Math.floor((this.time % 1) * PHASES)];
        let sum = 0;
        for (let tap = 0; tap < kernel.length; tap++) sum += kernel[tap] * this.ring[(first + tap + RING) % RING];
        this.time += this.step;
        return sum;
    }

    /** Forget what was pushed and has not come out. */
    silence() {
        this.ring.fill(0);
    }
}

/** For each place between two samples: how much each of the 2 · half samples around it counts. */
function kernels(cutoff, half) {
    return Array.from({ length: PHASES }, (_, phase) => {
        const kernel = Float32Array.from({ length: 2 * half }, (__, tap) => {
            const distance = tap - half + 1 - phase / PHASES;
            const angle = Math.PI * distance * cutoff;
            const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
            return sinc * (0.5 + 0.5 * Math.cos((Math.PI * distance) / half));
        });
        const sum = kernel.reduce((total, each) => total + each);
        return kernel.map((each) => each / sum);
    });
}
