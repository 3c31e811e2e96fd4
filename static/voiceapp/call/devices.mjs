/** The lists of microphones and speakers. What was chosen is remembered in this browser. */

import { t } from "../texts.mjs";

const DEFAULT = { audioinput: t("The browser's microphone"), audiooutput: t("The browser's speaker") };

export class DevicePicker {
    /** `kind`: `audioinput` or `audiooutput`. `onChoice(deviceId)`: "" is the browser's own choice. */
    constructor(select, kind, onChoice) {
        this.select = select;
        this.kind = kind;
        select.addEventListener("change", () => {
            remember(kind, select.value);
            onChoice(select.value);
        });
        navigator.mediaDevices?.addEventListener("devicechange", () => this.refresh());
    }

    get chosen() {
        return recall(this.kind);
    }

    forget() {
        remember(this.kind, "");
        this.select.value = "";
    }

    /** Browsers name the devices only once the microphone was allowed. */
    async refresh() {
        const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
        const named = all.filter(({ kind, deviceId, label }) => kind === this.kind && deviceId && deviceId !== "default" && label);
        const options = named.map(({ deviceId, label }) => new Option(label, deviceId));
        this.select.replaceChildren(new Option(DEFAULT[this.kind], ""), ...options);
        this.select.value = named.some(({ deviceId }) => deviceId === this.chosen) ? this.chosen : "";
        this.select.disabled = named.length === 0;
        return named.length;
    }
}

/** Private windows may have no storage: then nothing is remembered. */
export function recall(name) {
    try {
        return localStorage.getItem(`voiceapp.call.${name}`) ?? "";
    } catch {
        return "";
    }
}

export function remember(name, value) {
    try {
        localStorage.setItem(`voiceapp.call.${name}`, value);
    } catch {
        // Then the next visit begins with the defaults.
    }
}
