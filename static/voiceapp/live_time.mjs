/** What the pages of live calls share: durations that count, and whether the page is up to date. */

import { t } from "./texts.mjs";

const STATES = {
    connecting: t("Connecting …"),
    online: "",
    "catching up": t("Catching up …"),
    offline: t("Offline: what you see may be old. The page catches up by itself."),
    "signed out": t("You are signed out. Sign in again in another tab; this page goes on by itself."),
    "no access": t("You no longer have access to this page. Ask an owner."),
};

export function showConnection(name, message) {
    document.getElementById("connection").textContent = message || STATES[name] || "";
}

/** Every element with `data-since` (ms of the epoch) shows how long ago that was, each second. */
export function countDurations() {
    countDurations.now();
    setInterval(countDurations.now, 1000);
}

countDurations.now = () => {
    for (const each of document.querySelectorAll("[data-since]")) each.textContent = clock((Date.now() - Number(each.dataset.since)) / 1000);
};

export function clock(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
    const rest = String(whole % 60).padStart(2, "0");
    return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}
