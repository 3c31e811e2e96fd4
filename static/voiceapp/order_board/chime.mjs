/** A chime made in the browser, repeated while something waits. Sound needs one click of a person first. */

import { t } from "../texts.mjs";

const EVERY_MS = 8000;
const WISHED = "voiceapp-board-sound";
// Two notes, in Hz and seconds from the beginning.
const NOTES = [
    [880, 0],
    [659, 0.28],
];
const LOUDNESS = 0.4;

/** `button` turns the sound on and off; `root.dataset.chimes` counts how often it has rung. */
export function makeChime(button, root) {
    let context = null;
    let timer = 0;
    let isWaiting = false;

    const isOn = () => context?.state === "running";

    function show() {
        button.setAttribute("aria-pressed", String(isOn()));
        button.querySelector("span").textContent = isOn() ? t("Sound is on") : t("Turn on sound");
    }

    function ring() {
        if (!isOn()) return;
        for (const [hz, at] of NOTES) {
            const tone = context.createOscillator();
            const volume = context.createGain();
            const begins = context.currentTime + at;
            tone.frequency.value = hz;
            volume.gain.setValueAtTime(0, begins);
            volume.gain.linearRampToValueAtTime(LOUDNESS, begins + 0.02);
            volume.gain.exponentialRampToValueAtTime(0.001, begins + 0.9);
            tone.connect(volume).connect(context.destination);
            tone.start(begins);
            tone.stop(begins + 1);
        }
        root.dataset.chimes = String(Number(root.dataset.chimes) + 1);
    }

    function repeat() {
        clearInterval(timer);
        if (!isWaiting) return;
        ring();
        timer = setInterval(ring, EVERY_MS);
    }

    async function turnOn() {
        context ??= new AudioContext();
        await context.resume();
        localStorage.setItem(WISHED, "yes");
        show();
        repeat();
    }

    button.addEventListener("click", async () => {
        if (!isOn()) return turnOn();
        await context.suspend();
        localStorage.removeItem(WISHED);
        show();
    });
    // Who had it on gets it back with the first touch of the page, wherever that is.
    if (localStorage.getItem(WISHED)) {
        const again = (event) => {
            if (!button.contains(event.target)) turnOn();
        };
        document.addEventListener("pointerdown", again, { once: true, capture: true });
    }
    show();

    return {
        /** Whether something waits: the first ring comes at once, also for each further one. */
        wait(waits, isNew) {
            const before = isWaiting;
            isWaiting = waits;
            if (waits !== before || (waits && isNew)) repeat();
        },
    };
}
