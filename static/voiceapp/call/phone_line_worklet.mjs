/** The phone line on the browser's audio thread; messages in and out are the line's. */

import { PhoneLine } from "./phone_line.mjs";

class PhoneLineProcessor extends AudioWorkletProcessor {
    constructor() {
        super();
        this.line = new PhoneLine(sampleRate, (message) => this.port.postMessage(message));
        this.port.onmessage = ({ data }) => this.line.receive(data);
    }

    process([microphone], [[speaker]]) {
        this.line.process(microphone, speaker);
        return true;
    }
}

registerProcessor("phone-line", PhoneLineProcessor);
