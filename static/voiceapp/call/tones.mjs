/** The tones of a telephone's keys (ITU-T Q.23), as the person who presses them hears them. */

const KEYS = ["123A", "456B", "789C", "*0#D"];
const ROWS_HZ = [697, 770, 852, 941];
const COLUMNS_HZ = [1209, 1336, 1477, 1633];
const LENGTH_S = 0.12;
const LOUDNESS = 0.12;

export const isKey = (digit) => digit.length === 1 && KEYS.some((row) => row.includes(digit));

export function playTone(context, digit, output) {
    const row = KEYS.findIndex((keys) => keys.includes(digit));
    const loudness = new GainNode(context, { gain: LOUDNESS });
    loudness.connect(output);
    for (const frequency of [ROWS_HZ[row], COLUMNS_HZ[KEYS[row].indexOf(digit)]]) {
        const tone = new OscillatorNode(context, { frequency });
        tone.connect(loudness);
        tone.start();
        tone.stop(context.currentTime + LENGTH_S);
    }
}
