/**
 * The player of a call's page: the transcript follows the sound, and each time on the page leads to its second.
 *
 * The page has a waveform, marks and a plain <audio> without this module. All times here are seconds of the call; the
 * recording begins at `begins` of them. Where wavesurfer.js is installed, the waveform can be zoomed.
 */

import { t } from "./texts.mjs";

const card = document.querySelector(".va-recording");
const audio = card.querySelector("audio");
const talk = document.querySelector(".va-follows");
const begins = Number(card.dataset.begins);
const control = (name) => card.querySelector(`[data-sets="${name}"]`);
const shown = (name) => card.querySelector(`[data-shows="${name}"]`);
const button = (name) => card.querySelector(`[data-do="${name}"]`);
const seek = card.querySelector(".va-seek");
const playhead = card.querySelector(".va-playhead");
const waves = card.querySelector(".va-waves");

const SKIPS_S = 5;
const LEAST_SEEN = 120;
const FAILED = t("The recording cannot be loaded. Check the network, then press Play again.");

let waitingFor = null;
let gains = null;
let zoomed = null;
let dragging = false;

const ends = () => Number(card.dataset.ends) || (Number.isFinite(audio.duration) ? begins + audio.duration : begins);
const now = () => waitingFor ?? begins + audio.currentTime;

function clock(seconds) {
    const whole = Math.max(Math.floor(seconds), 0);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// Playing

/** Before the file's length is known a browser may forget where it was sent to. */
function goTo(second) {
    const target = Math.min(Math.max(second, begins), ends() || second);
    if (audio.readyState === HTMLMediaElement.HAVE_NOTHING) waitingFor = target;
    else audio.currentTime = target - begins;
    show();
}

async function play() {
    shown("problem").textContent = "";
    listenToLanes();
    if (audio.error) {
        waitingFor = now();
        audio.load();
    }
    try {
        await audio.play();
    } catch (problem) {
        // A browser lets no page speak by itself before it was used; another click may have come in between.
        if (problem.name === "NotAllowedError") shown("problem").textContent = t("Press Play to listen.");
        else if (problem.name !== "AbortError") shown("problem").textContent = FAILED;
    }
}

function toggle() {
    if (audio.paused) play();
    else audio.pause();
}

/** Both voices in both ears, each with a volume of its own. Only after a click: a browser keeps it silent before. */
function listenToLanes() {
    if (gains || !control("caller") || !navigator.userActivation?.hasBeenActive) return;
    const context = new AudioContext();
    const splitter = new ChannelSplitterNode(context, { numberOfOutputs: 2 });
    context.createMediaElementSource(audio).connect(splitter);
    gains = ["caller", "agent"].map((name, channel) => {
        const gain = new GainNode(context, { gain: Number(control(name).value) });
        splitter.connect(gain, channel).connect(context.destination);
        return [name, gain];
    });
    context.resume();
}

// What the page shows

// Only what was said: a tool has no sound.
const lines = [...(talk?.querySelectorAll(".va-said > [data-t]") ?? [])].map((link) => [Number(link.dataset.t), link.closest("li")]);

/** The last line that has begun; -1 before the first. */
function lineAt(second) {
    let low = 0;
    let high = lines.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (lines[middle][0] <= second + 0.05) low = middle + 1;
        else high = middle;
    }
    return low - 1;
}

let current = null;

function follow(second) {
    const line = lines[lineAt(second)]?.[1] ?? null;
    if (line === current) return;
    current?.removeAttribute("aria-current");
    current = line;
    if (!line) return;
    line.setAttribute("aria-current", "true");
    if (!control("follow").checked) return;
    // As much of the conversation as the window shows.
    const seen = Math.min(talk.clientHeight, Math.max(innerHeight - talk.getBoundingClientRect().top, LEAST_SEEN));
    const top = line.offsetTop;
    if (top < talk.scrollTop || top + line.offsetHeight > talk.scrollTop + seen) talk.scrollTop = top - seen / 3;
}

function show() {
    const second = now();
    if (!dragging) seek.value = second;
    shown("time").textContent = clock(second);
    seek.setAttribute("aria-valuetext", t("%(time)s of %(length)s", { time: clock(second), length: clock(ends()) }));
    const share = (second - begins) / (ends() - begins || 1);
    playhead?.setAttribute("transform", `translate(${1000 * share} 0)`);
    follow(second);
}

function showState() {
    const [icon, label] = button("play").children;
    icon.textContent = audio.paused ? "play_arrow" : "pause";
    label.textContent = audio.paused ? t("Play") : t("Pause");
}

function tick() {
    show();
    if (!audio.paused) requestAnimationFrame(tick);
}

// Zoom, where wavesurfer.js is

async function zoom(times) {
    const place = card.querySelector(".va-zoomed");
    place.hidden = times <= 1;
    if (times <= 1) return;
    zoomed ??= import(card.dataset.library).then(({ default: WaveSurfer }) => {
        const color = (name) => getComputedStyle(card).getPropertyValue(name);
        const peaks = [...card.querySelectorAll(".va-lane")].map((lane) => heightsOf(lane.getAttribute("d")));
        const surfer = WaveSurfer.create({
            container: place, media: audio, peaks, duration: ends() - begins, height: 48, normalize: false, autoCenter: true,
            cursorColor: color("--va-text"), hideScrollbar: false,
            splitChannels: peaks.map((_, at) => ({
                waveColor: color(at ? "--va-model" : "--va-playout"), progressColor: color(at ? "--va-model" : "--va-playout"),
            })),
        });
        // It scrolls, so that the keyboard must reach it.
        surfer.getWrapper().parentElement.tabIndex = 0;
        return new Promise((resolve) => surfer.once("decode", () => resolve(surfer)));
    });
    const surfer = await zoomed;
    surfer.zoom((times * place.clientWidth) / (ends() - begins));
}

/** The loudness of each thousandth, 0 to 1, from the bars that the server has drawn. */
function heightsOf(path) {
    const heights = new Array(1000).fill(0);
    for (const [, at, from, to] of path.matchAll(/M(\d+) (\d+)V(\d+)/g)) heights[at] = (to - from) / 48;
    return heights;
}

// What people do

const actions = {
    play: toggle,
    back: () => goTo(now() - SKIPS_S),
    ahead: () => goTo(now() + SKIPS_S),
    line: (step) => {
        const at = Math.min(Math.max(lineAt(now()) + step, 0), lines.length - 1);
        if (lines[at]) goTo(lines[at][0]);
    },
    speed: () => {
        const speed = control("speed");
        speed.selectedIndex = (speed.selectedIndex + 1) % speed.options.length;
        audio.playbackRate = Number(speed.value);
    },
};
const KEYS = {
    k: actions.play, " ": actions.play, j: actions.back, l: actions.ahead, s: actions.speed,
    ",": () => actions.line(-1), ".": () => actions.line(1),
};

function pressKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    // A control keeps its own keys: Space presses a button, the arrows move a slider.
    const own = { INPUT: true, SELECT: true, TEXTAREA: true, BUTTON: event.key === " ", SUMMARY: event.key === " " };
    const isRange = event.target.type === "range" && event.key !== " ";
    if (own[event.target.tagName] && !isRange) return;
    const action = KEYS[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
}

/** A time on the page: its second is played, and the address names it. */
function pressTime(event) {
    const link = event.target.closest("a[data-t]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const address = new URL(location.href);
    address.searchParams.set("t", link.dataset.t);
    history.replaceState(null, "", address);
    if (!card.contains(link) && !talk?.contains(link)) card.scrollIntoView();
    goTo(Number(link.dataset.t));
    play();
}

function pressLine(event) {
    const line = event.target.closest("li");
    if (event.target.closest("a, button") || !line || String(getSelection())) return;
    line.querySelector("a[data-t]")?.click();
}

function begin() {
    audio.controls = false;
    for (const hidden of card.querySelectorAll(".va-transport, .va-keys")) hidden.hidden = false;
    if (card.dataset.library) card.querySelector("[data-needs=library]").hidden = false;
    for (const name of ["play", "back", "ahead"]) button(name).addEventListener("click", actions[name]);
    for (const kind of ["timeupdate", "seeked"]) audio.addEventListener(kind, show);
    for (const kind of ["play", "pause", "ended"]) audio.addEventListener(kind, showState);
    audio.addEventListener("play", tick);
    audio.addEventListener("error", () => (shown("problem").textContent = FAILED));
    audio.addEventListener("loadedmetadata", () => {
        if (!card.dataset.ends) seek.max = ends();
        shown("length").textContent = clock(ends());
        audio.playbackRate = Number(control("speed").value);
        if (waitingFor === null) return;
        audio.currentTime = waitingFor - begins;
        waitingFor = null;
    });
    seek.addEventListener("input", () => goTo(Number(seek.value)));
    seek.addEventListener("pointerdown", () => (dragging = true));
    seek.addEventListener("pointerup", () => (dragging = false));
    waves?.querySelector("svg").addEventListener("click", ({ clientX, currentTarget }) => {
        const { left, width } = currentTarget.getBoundingClientRect();
        goTo(begins + ((clientX - left) / width) * (ends() - begins));
    });
    control("speed").addEventListener("change", ({ target }) => (audio.playbackRate = Number(target.value)));
    for (const name of ["caller", "agent"]) {
        control(name)?.addEventListener("input", ({ target }) => {
            listenToLanes();
            for (const [lane, gain] of gains ?? []) if (lane === name) gain.gain.value = Number(target.value);
        });
    }
    control("zoom").addEventListener("input", ({ target }) => zoom(Number(target.value)));
    card.addEventListener("keydown", pressKey);
    talk?.addEventListener("keydown", pressKey);
    talk?.addEventListener("click", pressLine);
    document.addEventListener("click", pressTime);
    if (card.dataset.from) {
        goTo(Number(card.dataset.from));
        play();
    }
}

begin();
