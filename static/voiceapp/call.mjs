/** The call page: one button, the microphone, what is said, the running order, and how it ended. */

import { joinRoom } from "./call_room.mjs";

const STATES = {
    ready: "Ready",
    microphone: "Asking for the microphone…",
    connecting: "Connecting…",
    waiting: "Connected. Waiting for the agent…",
    listening: "Listening",
    thinking: "Thinking…",
    speaking: "Speaking",
    reconnecting: "Connection lost. Trying again…",
    ended: "The call has ended",
};
const MICROPHONE_PROBLEMS = {
    NotAllowedError:
        "The microphone is blocked for this site. Click the icon left of the address, allow the microphone, then call again.",
    NotFoundError: "No microphone found. Plug one in, then call again.",
    NotReadableError: "Another program is using the microphone. Close it, then call again.",
};
const INSECURE = "Calls need a secure page. Open it with https, or as http://localhost on this computer.";
const UNREACHABLE = "The call could not be connected. Check your network, then call again.";
const PROGRESS_EVERY_MS = 1500;

const root = document.getElementById("call");
const part = (id) => document.getElementById(id);
const text = (id, value) => (part(id).textContent = value);
const csrf = root.querySelector("[name=csrfmiddlewaretoken]").value;
const captions = new Map();
let call = null;

part("begin").addEventListener("click", begin);
part("end").addEventListener("click", () => end());
part("mute").addEventListener("click", mute);
addEventListener("pagehide", () => call && send(call.session, "DELETE", { keepalive: true }));

async function begin() {
    reset();
    try {
        show("microphone");
        const microphone = await openMicrophone();
        show("connecting");
        const session = await startSession().catch((problem) => {
            microphone.stop();
            throw problem;
        });
        call = { session, microphone, timer: setInterval(progress, PROGRESS_EVERY_MS) };
        call.room = await joinRoom({ library: root.dataset.library, session, microphone, on });
        part("call-heading").focus();
    } catch (problem) {
        await end(problem.message || UNREACHABLE);
    }
}

async function openMicrophone() {
    if (!navigator.mediaDevices) throw new Error(INSECURE);
    try {
        const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
        const stream = await navigator.mediaDevices.getUserMedia({ audio });
        return stream.getAudioTracks()[0];
    } catch (problem) {
        throw new Error(MICROPHONE_PROBLEMS[problem.name] ?? `The microphone cannot be used (${problem.name}).`);
    }
}

async function startSession() {
    const body = JSON.stringify({ callType: "support", enableRecording: false });
    const headers = { "Content-Type": "application/json", "X-CSRFToken": csrf };
    const response = await fetch(root.dataset.start, { method: "POST", headers, body }).catch(() => null);
    if (response === null) throw new Error(UNREACHABLE);
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(answer.message ?? "The call could not be started. Sign in again, then retry.");
    return answer.session;
}

const on = {
    state: (name) => call && show(name),
    notice: (message) => problem(message),
    caption: showCaption,
    ended: () => end(),
};

/** Ends the call here and on the server, once; `message` is a problem to show. */
async function end(message = "") {
    const ended = call;
    call = null;
    if (message) problem(message);
    if (ended) {
        clearInterval(ended.timer);
        ended.microphone.stop();
        await send(ended.session, "DELETE").catch(() => null);
        ended.room?.leave();
        await summarize(ended.session);
    }
    show(ended ? "ended" : "ready");
}

function send(session, method, options = {}) {
    const address = `/api/voice/session?roomName=${encodeURIComponent(session.roomName)}`;
    return fetch(address, { method, headers: { "X-CSRFToken": csrf }, ...options });
}

function mute() {
    const isMuted = part("mute").getAttribute("aria-pressed") !== "true";
    call?.room?.mute(isMuted);
    part("mute").setAttribute("aria-pressed", String(isMuted));
}

async function read(session) {
    const address = `${root.dataset.start.replace(/session$/, "calls")}/${session.callId}`;
    const response = await fetch(address).catch(() => null);
    return response?.ok ? response.json() : null;
}

async function progress() {
    const session = call?.session;
    const now = session && (await read(session));
    if (!now || call?.session !== session) return;
    showOrder(now);
    if (["completed", "missed", "failed"].includes(now.state)) await end(now.message);
}

async function summarize(session) {
    const last = await read(session);
    if (last) {
        showOrder(last);
        const times = last.responseMs.map((each) => `${(each / 1000).toFixed(1)} s`).join(", ");
        text("summary-text", `${last.endReason}. ${last.durationS} s.${times ? ` Response times: ${times}.` : ""}`);
    }
    part("summary").hidden = false;
    part("summary-heading").focus();
}

function showOrder({ order, submitted }) {
    if (!order && !submitted) return;
    part("order-card").hidden = false;
    if (order) {
        const lines = order.lines.map(({ quantity, size, item, modifiers, price }) => {
            const line = document.createElement("li");
            line.textContent = `${quantity} × ${[size, item, ...modifiers].filter(Boolean).join(", ")}: ${price}`;
            return line;
        });
        part("order-lines").replaceChildren(...lines);
        text("order-total", `Total ${order.total} ${order.currency}`);
    }
    if (submitted) text("order-submitted", `Order ${submitted.number} was sent: ${submitted.total} ${submitted.currency}`);
}

/** A screen reader hears final lines only. */
function showCaption({ id, isCaller, text: said, isFinal }) {
    const who = isCaller ? "You" : "Agent";
    text("interim", isFinal ? "" : `${who}: ${said}`);
    if (!isFinal || !said.trim()) return;
    const line = captions.get(id) ?? document.createElement("p");
    const speaker = document.createElement("strong");
    speaker.textContent = `${who}: `;
    line.className = "caption";
    line.dataset.speaker = isCaller ? "caller" : "agent";
    line.replaceChildren(speaker, said);
    if (!captions.has(id)) part("captions").append(line);
    captions.set(id, line);
}

function show(state) {
    const isIdle = state === "ready" || state === "ended";
    root.dataset.state = state;
    text("state", STATES[state]);
    part("begin").hidden = !isIdle;
    part("end").hidden = part("mute").hidden = isIdle;
}

function problem(message) {
    text("problem", message);
    part("problem").hidden = !message;
}

function reset() {
    problem("");
    captions.clear();
    part("captions").replaceChildren();
    part("summary").hidden = part("order-card").hidden = true;
    text("order-submitted", "");
    part("mute").setAttribute("aria-pressed", "false");
}
