/** The page of one live call: its feed says what is stored, its socket what is being said; both may be away. */

import { follow } from "./feed.mjs";
import { CallSound, Listening } from "./listening.mjs";
import { RoomSound } from "./listening_room.mjs";
import { clock, countDurations, showConnection } from "./live_time.mjs";
import { t } from "./texts.mjs";

const AGAIN_MS = 2000;
const [NORMAL, NOT_ALLOWED] = [1000, 1008];
const SIGNED_OUT = t("You are signed out. Sign in again in another tab, then try again: nothing is lost.");
const NAMES = { caller: t("Caller"), agent: t("Agent") };

const page = document.getElementById("live-call");
const part = (id) => document.getElementById(id);
const lines = part("lines");
const log = part("log");
const shown = new Map(); // of lines, by id
let state = JSON.parse(part("state").textContent);

const feed = follow(page.dataset.feed, {
    events: { state: showState, part: (data, id) => (page.querySelector(`[data-part="${id}"]`).innerHTML = data.html), line: showLine },
    state: showConnection,
});
const { library, listen, leave } = page.dataset;
const sound = library
    ? new RoomSound(library, { enter: () => send(listen), leave: (identity) => send(leave, { identity }) })
    : new CallSound(new URL(`${page.dataset.socket}?sound`, location.href.replace(/^http/, "ws")));
const listening = new Listening(sound, {
    state: showListening,
    levels: showLevels,
});
countDurations();
showState(state);
readAlong();
part("listen").addEventListener("click", () => listening.toggle());
addEventListener("pagehide", () => listening.stop());
for (const form of page.querySelectorAll("form[data-deed]")) form.addEventListener("submit", act);

// What is being said

function readAlong() {
    const socket = new WebSocket(new URL(page.dataset.socket, location.href.replace(/^http/, "ws")));
    socket.addEventListener("message", ({ data }) => {
        const frame = JSON.parse(data);
        if (frame.event === "caption") showLine(frame.caption);
    });
    socket.addEventListener("close", ({ code }) => {
        if (code === NOT_ALLOWED && library) listening.stop(); // LiveKit does not know who is signed in here
        if (code !== NORMAL && state.isLive) setTimeout(readAlong, AGAIN_MS);
    });
}

/** The last text of a line stands; a final one is never replaced by what was only a guess. */
function showLine(line) {
    let entry = shown.get(line.id);
    if (entry?.isFinal && !line.isFinal) return;
    if (!line.text && !entry && line.isFinal) return;
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    if (!entry) {
        entry = { row: document.createElement("li") };
        shown.set(line.id, entry);
    }
    entry.isFinal = line.isFinal;
    entry.row.className = `va-said va-${line.who}${line.isFinal ? "" : " va-growing"}`;
    entry.row.setAttribute("aria-busy", String(!line.isFinal));
    entry.row.replaceChildren(time(line.atMs), words(line));
    place(entry.row, line.atMs);
    part("silent").hidden = true;
    if (isAtEnd) log.scrollTop = log.scrollHeight;
}

function place(row, atMs) {
    row.dataset.at = atMs;
    const after = [...lines.children].find((each) => each !== row && Number(each.dataset.at) > atMs) ?? null;
    if (row.nextSibling !== after || row.parentNode !== lines) lines.insertBefore(row, after);
}

function time(ms) {
    const made = document.createElement("span");
    made.className = "va-time";
    made.textContent = clock(ms / 1000);
    return made;
}

function words({ who, text, isFinal, wasInterrupted }) {
    const [made, name, said] = ["div", "span", "p"].map((each) => document.createElement(each));
    name.className = "va-who";
    name.textContent = NAMES[who] ?? who;
    said.textContent = text || (isFinal ? "(not understood)" : "…");
    if (wasInterrupted) said.append(cut());
    made.append(name, said);
    return made;
}

function cut() {
    const made = document.createElement("span");
    made.className = "va-cut";
    made.textContent = " — interrupted here";
    return made;
}

// What goes on

function showState(now) {
    state = now;
    part("doing").textContent = now.doing;
    part("reason").textContent = now.reason;
    const duration = part("duration");
    if (now.isLive) duration.dataset.since = now.sinceMs;
    else {
        delete duration.dataset.since;
        duration.textContent = now.durationS === null ? "–" : clock(now.durationS);
        listening.stop();
    }
    for (const why of page.querySelectorAll("[data-why]")) offer(why.dataset.why, now.offers[why.dataset.why], why);
    showPeople(now.people);
}

function offer(deed, reason, why) {
    why.textContent = reason;
    why.hidden = !reason;
    const fields = deed === "listen" ? [part("listen")] : page.querySelectorAll(`[data-deed="${deed}"] :is(button, input:not([type=hidden]), select)`);
    for (const field of fields) field.disabled = Boolean(reason);
}

function showPeople(people) {
    const select = part("to");
    const chosen = select.value;
    const options = people.map(({ slug, name, isThere }) => {
        const made = new Option(isThere ? name : `${name} (away)`, slug);
        made.disabled = !isThere;
        return made;
    });
    if (!people.length) options.push(new Option(t("No transfer target"), ""));
    const text = (all) => [...all].map((each) => `${each.value} ${each.text}`).join("\n");
    if (text(options) === text(select.options)) return;
    select.replaceChildren(...options);
    if (people.some(({ slug }) => slug === chosen)) select.value = chosen;
}

// What the operator does

async function act(event) {
    event.preventDefault();
    const form = event.currentTarget;
    const buttons = form.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    const { message, isDone } = await post(form.action, new FormData(form));
    tell(message, isDone);
    for (const button of buttons) button.disabled = false;
    if (isDone) {
        const text = form.querySelector("input[name=text]");
        if (text) text.value = "";
        form.querySelector("details")?.removeAttribute("open");
    }
    feed.refresh();
}

/** What no form is for. It goes out also when the page is left. */
function send(address, fields = {}) {
    const body = new FormData();
    body.set("csrfmiddlewaretoken", page.querySelector("[name=csrfmiddlewaretoken]").value);
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    return post(address, body);
}

async function post(address, body) {
    try {
        const response = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" }, keepalive: true });
        const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
        if (!isJson) return { message: response.status >= 500 ? t("That failed on our side. Try again in a moment.") : SIGNED_OUT, isDone: false };
        return { ...(await response.json()), isDone: response.ok };
    } catch {
        return { message: t("The server cannot be reached. Try again in a moment."), isDone: false };
    }
}

function tell(message, isDone) {
    const outcome = part("outcome");
    outcome.textContent = message;
    outcome.className = `va-outcome ${isDone ? "va-text-success" : "va-text-danger"}`;
}

// Listening in

function showListening(isOn, message) {
    part("listen").setAttribute("aria-pressed", String(isOn));
    part("listen").querySelector("[data-label]").textContent = isOn ? "Stop listening" : "Listen in";
    if (message) tell(message, false);
    if (!isOn) showLevels({ caller: 0, agent: 0 });
}

function showLevels(levels) {
    for (const voice of page.querySelectorAll("[data-voice]")) voice.querySelector("meter").value = levels[voice.dataset.voice];
}
