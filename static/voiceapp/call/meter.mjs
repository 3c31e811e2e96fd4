/** How loud a sound is, 20 times a second; a screen reader may ask for it once a second. */

const EVERY_MS = 50;
const SPOKEN_EVERY_MS = 1000;
let shared = null;

/** The page's AudioContext. First used after a click, as browsers demand. */
export function audioContext() {
    shared ??= new AudioContext();
    if (shared.state === "suspended") shared.resume().catch(() => null);
    return shared;
}

export class Meter {
    #analyser = null;
    #node = null;
    #source = null;
    #timer = 0;
    #said = 0;
    #samples = new Float32Array(1024);
    level = 0;

    /** `onLevel(level)`: the root mean square, 0 to 1, at each look. */
    constructor(element, onLevel = () => {}) {
        this.element = element;
        this.onLevel = onLevel;
    }

    /** A MediaStream with audio, an AudioNode, or null. */
    watch(source) {
        if (source === this.#source) return;
        if (this.#analyser) this.#node.disconnect(this.#analyser);
        this.#source = source;
        this.#analyser = this.#node = null;
        clearInterval(this.#timer);
        this.#show(0);
        if (!source) return;
        const context = source.context ?? audioContext();
        this.#node = source.context ? source : context.createMediaStreamSource(source);
        this.#analyser = context.createAnalyser();
        this.#analyser.fftSize = this.#samples.length;
        this.#node.connect(this.#analyser);
        this.#timer = setInterval(() => this.#look(), EVERY_MS);
    }

    #look() {
        this.#analyser.getFloatTimeDomainData(this.#samples);
        let sum = 0;
        for (const each of this.#samples) sum += each * each;
        this.#show(Math.sqrt(sum / this.#samples.length));
        this.onLevel(this.level);
    }

    #show(level) {
        this.level = level;
        const percent = Math.round(100 * Math.min(1, Math.sqrt(level) * 1.6));
        this.element.style.setProperty("--level", `${percent}%`);
        const now = performance.now();
        if (now - this.#said < SPOKEN_EVERY_MS && level > 0) return;
        this.#said = now;
        this.element.setAttribute("aria-valuenow", String(percent));
    }
}
