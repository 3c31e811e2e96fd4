/** What can be known before the call: is the page secure, may it use the microphone, which servers can be reached. */

import { t } from "../texts.mjs";

const SIGNS = { yes: "✓", no: "✗", unknown: "•" };

export class Preflight {
    constructor(list) {
        this.list = list;
    }

    /** Without asking anybody for anything. Returns false if no call can work here. */
    async look() {
        const isSecure = isSecureContext && Boolean(navigator.mediaDevices);
        this.#show("secure", isSecure ? "yes" : "no", isSecure ? t("The page is secure.") : t("The page is not secure: microphones need https."));
        const permission = await navigator.permissions?.query({ name: "microphone" }).catch(() => null);
        if (permission) {
            this.#showPermission(permission.state);
            permission.onchange = () => this.#showPermission(permission.state);
        } else this.#show("microphone", "unknown", t("Your browser asks for the microphone when the call begins."));
        return isSecure;
    }

    /**
     * Requests `health` of our server and, if the way connects the browser to another one, its address `reach`. It says
     * no more than what came of them: the provider behind `realtime` is tried by a call alone.
     */
    async reach({ health, reach, later }) {
        this.#show("network", "unknown", t("Looking for the server…"));
        const isHere = await answers(health, {}, ({ ok }) => ok);
        const isThere = !isHere || !reach || (await answers(reach, { mode: "no-cors" }, () => true));
        if (!isHere) this.#show("network", "no", t("This server cannot be reached. Check your network."));
        else if (!isThere) this.#show("network", "no", t("The server of the rooms cannot be reached from your network. Choose another way to call."));
        else this.#show("network", "yes", reach ? t("This server and that of the rooms can be reached.") : `${t("This server can be reached.")}${later ? ` ${later}` : ""}`);
    }

    heard(isHeard) {
        if (isHeard) this.#show("microphone", "yes", t("Your microphone hears you."));
        else this.#show("microphone", "unknown", t("Say something: the meter should move."));
    }

    #showPermission(state) {
        const says = {
            granted: ["yes", t("The microphone is allowed.")],
            denied: ["no", t("The microphone is blocked for this site. Click the icon left of the address and allow it.")],
            prompt: ["unknown", t("Your browser will ask for the microphone: the agent hears you with it, during the call only.")],
        };
        this.#show("microphone", ...says[state]);
    }

    #show(name, sign, text) {
        const line = this.list.querySelector(`[data-check=${name}]`);
        line.dataset.sign = sign;
        line.textContent = `${SIGNS[sign]} ${text}`;
        line.hidden = false;
    }
}

const answers = (address, options, isGood) => fetch(address, { cache: "no-store", ...options }).then(isGood, () => false);
