// Runs before the page's own scripts: keeps when the page did what. Times in ms since 1970, as the provider's clock.
window.watched = { usableAt: 0, clickedAt: 0, allowedAt: 0, heardAt: 0, events: [], shown: [] };
const LOUD = 0.01;
const now = () => performance.timeOrigin + performance.now();
const plain = (text) => text.split(/\s+/).join(" ").trim();

addEventListener("DOMContentLoaded", () => {
    const page = document.getElementById("call");
    new MutationObserver(() => page.dataset.ready && (watched.usableAt ||= now())).observe(page, { attributes: true });
    document.getElementById("begin").addEventListener("click", () => (watched.clickedAt ||= now()), { capture: true });
    const texts = [document.getElementById("captions"), document.getElementById("interim")];
    const see = () => watched.shown.push([now(), plain(texts.map((each) => each.textContent).join(" "))]);
    for (const each of texts) {
        new MutationObserver(see).observe(each, { childList: true, subtree: true, characterData: true });
    }
});

const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    watched.allowedAt ||= now();
    return stream;
};

const create = RTCPeerConnection.prototype.createDataChannel;
RTCPeerConnection.prototype.createDataChannel = function (...details) {
    this.addEventListener("track", ({ track }) => hear(new MediaStream([track])));
    const channel = create.apply(this, details);
    channel.addEventListener("message", ({ data }) => watched.events.push(JSON.parse(data)));
    return channel;
};

function hear(stream) {
    const context = new AudioContext();
    const meter = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(meter);
    const samples = new Float32Array(256);
    const timer = setInterval(() => {
        meter.getFloatTimeDomainData(samples);
        if (!samples.some((each) => Math.abs(each) > LOUD)) return;
        watched.heardAt = now();
        clearInterval(timer);
    }, 5);
}

/** How long after the provider had sent each text it stood on the page, in ms; null for one that never did. */
window.captionDelays = () => {
    const said = new Map();
    return watched.events.filter(({ type }) => /transcript(ion)?\.(delta|done|completed)$/.test(type)).map((event) => {
        const before = said.get(event.item_id) ?? "";
        const text = event.transcript ?? before + event.delta;
        said.set(event.item_id, text);
        const [at] = watched.shown.find(([at, shown]) => at >= event.sent_at * 1000 - 1 && shown.includes(plain(text))) ?? [];
        return { who: event.type.includes("input_audio") ? "caller" : "agent", ms: at ? at - event.sent_at * 1000 : null };
    });
};

/** When each request of the call was answered. */
window.answeredAt = () =>
    performance.getEntriesByType("resource")
        .filter(({ initiatorType, name }) => initiatorType === "fetch" && /\/realtime(\/[^/]+)?$/.test(name))
        .map(({ responseEnd }) => performance.timeOrigin + responseEnd);

const loaded = () => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];

/** What came over the wire for the page, head and body. */
window.loadedBytes = () => loaded().reduce((sum, { transferSize }) => sum + transferSize, 0);

/** The largest file of it. */
window.largestLoaded = () => {
    const { name, transferSize } = loaded().reduce((a, b) => (a.transferSize < b.transferSize ? b : a));
    return `${new URL(name).pathname.split("/").at(-1)} ${Math.round(transferSize / 1000)}`;
};
