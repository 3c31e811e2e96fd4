/** One connection to OpenAI: the microphone goes out, the agent's sound comes in, events come on the data channel. */

const GATHERING_MS = 1000;

export class RealtimePeer {
    #peer = new RTCPeerConnection();
    #player = null;

    /** `on`: state(connectionState), opened(), event(event), closed(). */
    constructor(microphone, on) {
        const peer = this.#peer;
        peer.addTrack(microphone.getAudioTracks()[0], microphone);
        peer.addEventListener("track", ({ track, streams }) => this.#play(streams[0] ?? new MediaStream([track])));
        peer.addEventListener("connectionstatechange", () => on.state(peer.connectionState));
        const channel = peer.createDataChannel("oai-events");
        channel.addEventListener("open", () => on.opened());
        channel.addEventListener("message", ({ data }) => on.event(JSON.parse(data)));
        channel.addEventListener("close", () => on.closed());
    }

    get sound() {
        return this.#player?.srcObject ?? null;
    }

    get isSending() {
        return this.#peer.getSenders()[0].track.enabled;
    }

    /** For how long no sound has come, not even silence. */
    get unheardMs() {
        const [receiver] = this.#peer.getReceivers();
        const [source] = receiver?.getSynchronizationSources() ?? [];
        return source ? Math.max(0, Math.round(performance.timeOrigin + performance.now() - source.timestamp)) : 0;
    }

    /** With the candidates that are found in a second. */
    async offer() {
        const peer = this.#peer;
        await peer.setLocalDescription(await peer.createOffer());
        await new Promise((resolve) => {
            setTimeout(resolve, GATHERING_MS);
            const look = () => peer.iceGatheringState === "complete" && resolve();
            peer.addEventListener("icegatheringstatechange", look);
            look();
        });
        return peer.localDescription.sdp;
    }

    async accept(answer) {
        await this.#peer.setRemoteDescription({ type: "answer", sdp: answer });
    }

    async replaceMicrophone(stream) {
        await this.#peer.getSenders()[0].replaceTrack(stream.getAudioTracks()[0]);
    }

    setOutput({ volume, deviceId }) {
        if (!this.#player) return;
        this.#player.volume = volume;
        this.#player.setSinkId?.(deviceId).catch(() => null); // the device is gone: it stays where it is
    }

    setHeard(isHeard) {
        for (const track of this.sound?.getAudioTracks() ?? []) track.enabled = isHeard;
    }

    async diagnose() {
        const stats = [...(await this.#peer.getStats()).values()];
        const kinds = (type) => stats.filter((each) => each.type === type).map((each) => `${each.candidateType} ${each.protocol}`);
        const { connectionState, iceConnectionState } = this.#peer;
        return { connectionState, iceConnectionState, here: kinds("local-candidate"), there: kinds("remote-candidate") };
    }

    close() {
        this.#peer.close();
        this.#player?.remove();
    }

    #play(stream) {
        this.#player = document.createElement("audio");
        this.#player.autoplay = true;
        this.#player.setAttribute("playsinline", "");
        this.#player.srcObject = stream;
        document.body.append(this.#player);
    }
}
