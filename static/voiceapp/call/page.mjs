/** The call page: one call at a time, by one of the ways that the page lists. */

import { Captions, clock } from "./captions.mjs";
import { Controls } from "./controls.mjs";
import { DevicePicker, recall, remember } from "./devices.mjs";
import { Listener } from "./listener.mjs";
import { Meter, audioContext } from "./meter.mjs";
import { Microphone } from "./microphone.mjs";
import { Preflight } from "./preflight.mjs";
import { Problem } from "./problems.mjs";
import { Screen, part } from "./screen.mjs";
import { prepareCall, request } from "./server.mjs";
import { Tab } from "./tab.mjs";
import { t } from "../texts.mjs";

const WAYS = {
    realtime: () => import("./realtime.mjs").then(({ RealtimeWay }) => RealtimeWay),
    room: () => import("./room.mjs").then(({ RoomWay }) => RoomWay),
    dialer: () => import("./dialer.mjs").then(({ DialerWay }) => DialerWay),
};
const PROGRESS_EVERY_MS = 6000; // behind what the way reports
const LOOK_EVERY_MS = 200;
const TEST_MS = 10_000;
const OVER = new Set(["completed", "missed", "failed"]);

const isTooOld = !(globalThis.RTCPeerConnection && globalThis.AudioContext && Promise.withResolvers);

let call = null;
let last = null;
let summary = null; // its module, which comes with the first call
const root = part("call");
const screen = new Screen();
const captions = new Captions(part("captions"), part("interim"));
const microphone = new Microphone({ onLost: microphoneLost, onHeld: microphoneHeld });
const microphones = new DevicePicker(part("microphones"), "audioinput", changeMicrophone);
const speakers = new DevicePicker(part("speakers"), "audiooutput", () => setOutput());
const agentMeter = new Meter(part("agent-level"));
const listener = new Listener(screen);
const callerMeter = new Meter(part("caller-level"), (level) => listener.heard(level, hearing()));
const preflight = new Preflight(part("checks"));
const tab = new Tab({ onReturn: () => screen.notice("background", t("The call went on while this tab was in the background.")) });
const controls = new Controls(
    {
        sending: (isSending) => setSending(isSending),
        typed: (text) => call?.way?.type(text),
        interrupt: () => call?.way?.interrupt(),
        digit: (digit) => call?.way?.digits(digit),
    },
    () => screen.isLive,
);

part("begin").addEventListener("click", () => begin());
part("type-instead").addEventListener("click", () => begin({ isSilent: true }));
part("end").addEventListener("click", () => call && finish(call));
part("test-microphone").addEventListener("click", testMicrophone);
part("volume").addEventListener("input", () => setOutput());
part("keypad").addEventListener("click", ({ target }) => target.dataset.digit && call?.way?.digits(target.dataset.digit));
part("ways").addEventListener("change", () => load());
part("copy").addEventListener("click", () => copy(captions.text, t("The conversation was copied.")));
part("download").addEventListener("click", download);
part("diagnose").addEventListener("click", async () => copy(await diagnosis(), t("The facts were copied.")));
part("larger").addEventListener("click", () => enlarge(part("larger").getAttribute("aria-pressed") !== "true"));
addEventListener("pagehide", leave);
addEventListener("offline", () => call && screen.notice("offline", t("You are offline. The call goes on when the network is back.")));
addEventListener("online", () => screen.clearNotice("offline"));

enlarge(recall("larger") === "yes");
microphones.refresh();
speakers.refresh();
const canCall = await preflight.look();
const chosen = () => root.querySelector("[name=way]:checked");
if (!canCall) screen.showProblem(new Problem("insecure"));
else if (isTooOld) screen.showProblem(new Problem("browser_too_old"));
if (chosen()) load();
root.dataset.ready = "yes";

/** Before the click. Only some ways and browsers can record. */
async function load() {
    const way = chosen();
    const Way = await WAYS[way.value]().catch(() => null);
    if (part("record-choice") && way === chosen()) part("record-choice").hidden = !(way.dataset.records && Way?.canRecord);
}

/** `isSilent`: without a microphone; the caller types. */
async function begin({ isSilent = false } = {}) {
    if (call) return;
    const mine = (call = last = { id: "", way: null, beganAt: Date.now(), timers: [], states: [], isLive: false, problem: null });
    audioContext();
    summary = import("./summary.mjs");
    clear();
    try {
        if (isTooOld) throw new Problem("browser_too_old");
        await tab.enterCall();
        show(mine, "microphone");
        await openMicrophone(isSilent);
        if (call !== mine) return microphone.close();
        show(mine, "preparing");
        const Way = await WAYS[chosen().value]();
        await prepareCall();
        const record = part("record-choice")?.hidden === false && part("record").checked;
        mine.way = root.way = new Way({ ...chosen().dataset, request, record });
        mine.timers.push(setInterval(() => look(mine), LOOK_EVERY_MS));
        show(mine, "connecting");
        await mine.way.start(microphone.stream, callbacks(mine));
        if (call === mine) part("call-heading").focus();
    } catch (error) {
        if (call === mine && !(error instanceof Problem)) console.error(error);
        await finish(mine, error instanceof Problem ? error : new Problem("unexpected"));
    }
}

function callbacks(mine) {
    const only = (act) => (...details) => call === mine && act(...details);
    return {
        state: only((name, doing) => show(mine, name, doing)),
        caption: only((line) => captions.show(line)),
        notice: only((message) => screen.showProblem(message ? new Problem("refused", { message }) : null)),
        callId: only((id) => follow(mine, id)),
        progress: only(showProgress),
        recording: only((isRecording) => showRecording(isRecording)),
        changed: only(() => catchUp(mine)),
        ended: only(({ message }) => finish(mine, message ? new Problem("refused", { message }) : null)),
        failed: only((problem) => finish(mine, problem)),
    };
}

function show(mine, name, doing = "") {
    if (mine.states.at(-1)?.[1] !== name) mine.states.push([Date.now() - mine.beganAt, name]);
    const { canType, canDial } = mine.way ?? {};
    screen.show(name, { doing, canType, canDial });
    if (screen.isLive && !mine.isLive) {
        mine.isLive = true;
        mine.liveAt = Date.now();
        captions.begin();
        controls.begin();
    }
    controls.refresh();
}

/** Ends the call here and on the server, once. */
async function finish(mine, problem = null) {
    if (call !== mine) return;
    call = null;
    mine.problem = problem;
    mine.timers.forEach(clearInterval);
    microphone.close();
    callerMeter.watch(null);
    agentMeter.watch(null);
    tab.leaveCall();
    captions.end();
    screen.notice("", "");
    screen.showProblem(problem);
    part("recording").textContent = "";
    screen.show(mine.isLive ? "ended" : problem ? "failed" : "ready");
    controls.refresh();
    await mine.way?.end();
    if (mine.id) await summarize(mine);
}

/** The page goes away: this request outlives it. */
function leave() {
    if (!call) return;
    call.way?.end();
    if (call.id) request("DELETE", `${root.dataset.calls}${call.id}`, undefined, { keepalive: true }).catch(() => null);
}

// The microphone

async function openMicrophone(isSilent) {
    if (isSilent) return microphone.openSilence();
    const isAnother = await microphone.open(microphones.chosen);
    if (isAnother) {
        microphones.forget();
        screen.notice("device", t("The microphone that you chose is not there: the browser's own is used."));
    }
    await Promise.all([microphones.refresh(), speakers.refresh()]);
    callerMeter.watch(microphone.heard);
    setSending(controls.isSending);
}

async function changeMicrophone() {
    if (!microphone.heard && !call) return;
    try {
        await openMicrophone(false);
        await call?.way?.replaceMicrophone(microphone.stream);
        screen.showProblem(null);
    } catch (error) {
        screen.showProblem(error);
    }
}

async function microphoneLost() {
    await microphones.refresh();
    if (!call) return;
    try {
        await openMicrophone(false);
        await call.way?.replaceMicrophone(microphone.stream);
        screen.notice("device", t("The microphone was taken away: another one is used now."));
    } catch {
        screen.showProblem(new Problem("microphone_lost"));
    }
}

function microphoneHeld(isHeld) {
    if (isHeld && call) screen.notice("held", t("Something else uses the microphone. You are heard again when it is free."));
    else screen.clearNotice("held");
}

function setSending(isSending) {
    microphone.isSending = isSending;
    call?.way?.setMuted(!isSending);
}

function hearing() {
    return { isListening: screen.state === "listening", isSending: controls.isSending, isMuted: controls.isMuted, isInCall: call !== null };
}

async function testMicrophone() {
    part("meters").hidden = false;
    preflight.reach({ health: root.dataset.health, ...chosen()?.dataset });
    try {
        await openMicrophone(false);
    } catch (error) {
        screen.showProblem(error);
        return;
    }
    screen.showProblem(null);
    preflight.heard(false);
    listener.whenHeard(() => preflight.heard(true));
    setTimeout(() => {
        if (call) return;
        microphone.close();
        callerMeter.watch(null);
        part("meters").hidden = true;
    }, TEST_MS);
}

// During the call

function look(mine) {
    const sound = mine.way.sound;
    if (sound && sound !== mine.sound) {
        mine.sound = sound;
        agentMeter.watch(sound);
        setOutput();
    }
    part("clock").textContent = mine.isLive ? clock(Date.now() - mine.liveAt) : "";
}

/** It ends before the call if the caller does not want it any more, or if it cannot be sent. */
function showRecording(isRecording) {
    part("recording").textContent = isRecording ? t("Recording") : t("Not recorded any more");
    part("recording").classList.toggle("is-on", isRecording);
}

function setOutput() {
    call?.way?.setOutput?.({ volume: Number(part("volume").value), deviceId: part("speakers").value });
}

function follow(mine, id) {
    mine.id = id;
    if (!mine.way.pushesProgress) mine.timers.push(setInterval(() => catchUp(mine), PROGRESS_EVERY_MS));
}

/** What has become of the call, from the server. */
async function catchUp(mine) {
    const progress = mine.id && (await read(mine));
    if (!progress || call !== mine) return;
    showProgress(progress);
    if (OVER.has(progress.state)) await finish(mine, progress.message ? new Problem("refused", progress) : null);
}

const read = (mine) => request("GET", `${root.dataset.calls}${mine.id}`).catch(() => null);

/** Resolves once it is shown. */
async function showProgress(progress) {
    const module = await summary.catch(() => null); // without it the call goes on
    module?.showProgress(progress);
}

async function summarize(mine) {
    const module = await summary.catch(() => null);
    const isNewest = () => last === mine;
    await module?.summarize({ read: () => read(mine), isOver: ({ state }) => OVER.has(state), isNewest });
    if (!isNewest()) return;
    part("summary").hidden = false;
    part("summary-heading").focus();
}

function clear() {
    screen.showProblem(null);
    screen.notice("", "");
    captions.begin();
    summary.then(({ clearCards }) => clearCards(), () => null);
    listener.begin();
}

// Captions and facts to take along

function enlarge(isLarger) {
    part("larger").setAttribute("aria-pressed", String(isLarger));
    part("conversation-card").classList.toggle("larger", isLarger);
    remember("larger", isLarger ? "yes" : "no");
}

async function copy(text, done) {
    const isCopied = await navigator.clipboard.writeText(text).then(() => true, () => false);
    screen.notice("copied", isCopied ? done : t("The browser does not allow copying here."));
}

function download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${captions.text}\n`], { type: "text/plain" }));
    link.download = `call-${last?.id || "page"}.txt`;
    link.click();
    URL.revokeObjectURL(link.href);
}

async function diagnosis() {
    const { code, facts } = last?.problem ?? {};
    const connection = (await last?.way?.diagnose?.()) ?? {};
    const about = { way: chosen()?.value, online: navigator.onLine, browser: navigator.userAgent, at: new Date().toISOString() };
    return JSON.stringify({ code, facts, callId: last?.id, states: last?.states, connection, ...about }, null, 2);
}
