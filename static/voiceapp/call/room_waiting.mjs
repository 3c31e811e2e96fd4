/**
 * Tells the agent how long its sound waits in this browser before it is heard, while it records the call: without this it
 * could place its voice in the recording only as it sent it.
 */

const EVERY_MS = 100;
const TOPIC = "voiceapp.waiting"; // telephony/livekit/agent/way.py

export class WaitingReports {
    #timer = 0;
    #isLooking = false;

    /** `room`: of livekit-client. */
    constructor(room) {
        this.room = room;
    }

    /** Of this track of the agent's from now on. */
    begin(track, agent) {
        this.end();
        this.#timer = setInterval(() => this.#report(track, agent), EVERY_MS);
    }

    end() {
        clearInterval(this.#timer);
    }

    async #report(track, agent) {
        if (this.#isLooking || !isRecorded(this.room.metadata)) return;
        this.#isLooking = true;
        try {
            const report = reportOf([...((await track.receiver?.getStats()) ?? new Map()).values()]);
            if (!report) return;
            const options = { reliable: false, topic: TOPIC, destinationIdentities: [agent.identity] };
            await this.room.localParticipant.publishData(new TextEncoder().encode(JSON.stringify(report)), options);
        } catch {
            // The connection is breaking up: the next report, or none, says the same.
        } finally {
            this.#isLooking = false;
        }
    }
}

function isRecorded(metadata) {
    try {
        return Boolean(JSON.parse(metadata).recording);
    } catch {
        return false;
    }
}

/** Of WebRTC's statistics; null before there is sound. */
function reportOf(all) {
    const heard = all.find(({ type }) => type === "inbound-rtp");
    if (!heard?.jitterBufferEmittedCount) return null;
    const { concealedSamples = 0, insertedSamplesForDeceleration = 0, removedSamplesForAcceleration = 0 } = heard;
    const rate = all.find(({ id }) => id === heard.codecId)?.clockRate ?? 48000;
    const path = all.find(({ type, nominated }) => type === "candidate-pair" && nominated);
    const playout = all.find(({ type }) => type === "media-playout");
    return {
        waited_s: heard.jitterBufferDelay,
        taken: heard.jitterBufferEmittedCount,
        added_s: (concealedSamples + insertedSamplesForDeceleration - removedSamplesForAcceleration) / rate,
        round_trip_s: path?.currentRoundTripTime ?? 0,
        device_s: playout?.totalSamplesCount ? playout.totalPlayoutDelay / playout.totalSamplesCount : 0,
    };
}
